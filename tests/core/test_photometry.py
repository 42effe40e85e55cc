"""Isosbestic correction: what is shared goes, what is not stays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.photometry import Rules, bleaching, correct, fit, resampled

RATE = 20.0


def session(seed=0, n=2400, noise=0.005, pace=100.0, height=0.25):
    """Return times, signal, reference and the true dF/F: bleaching, movements, transients, noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(n) / RATE
    spikes = (rng.random(n) < 0.006) * rng.lognormal(0, 0.3, n)
    dff = height * np.convolve(spikes, np.exp(-np.arange(100) / RATE))[:n]
    shared = np.ones(n)
    for start in rng.integers(0, n - 60, 12):
        shared[start : start + rng.integers(5, 60)] *= 1 - rng.uniform(0.05, 0.25)
    noisy = 1 + noise * rng.standard_normal((2, n))
    signal = 900 * (0.6 + 0.4 * np.exp(-time / 100.0)) * shared * (1 + dff) * noisy[0]
    reference = 600 * (0.6 + 0.4 * np.exp(-time / pace)) * shared * noisy[1]
    return time, signal, reference, dff


@given(
    slope=st.floats(0.05, 20), floor=st.floats(0, 500), seed=st.integers(0, 20), robust=st.booleans()
)  # fmt: skip
def test_what_is_shared_perfectly_leaves_nothing(slope, floor, seed, robust):
    time, _, reference, _ = session(seed, n=300)
    found = correct(time, floor + slope * reference, time, reference, Rules(robust=robust))
    assert found.fit.slope == pytest.approx(slope, rel=1e-6)
    assert found.fit.intercept == pytest.approx(floor, rel=1e-6, abs=1e-4 * slope * 600)
    np.testing.assert_allclose(found.dff, 0, atol=1e-6)


@given(of_signal=st.floats(1e-3, 1e4), of_reference=st.floats(1e-3, 1e4), robust=st.booleans())
def test_the_scale_of_neither_matters(of_signal, of_reference, robust):
    time, signal, reference, _ = session(n=300)
    plain = correct(time, signal, time, reference, Rules(robust=robust))
    scaled = correct(time, of_signal * signal, time, of_reference * reference, Rules(robust=robust))
    np.testing.assert_allclose(scaled.dff, plain.dff, atol=1e-5)
    assert scaled.fit.r == pytest.approx(plain.fit.r)


@pytest.mark.parametrize("seed", range(3))
def test_transients_come_back_and_better_than_by_least_squares(seed):
    time, signal, reference, truth = session(seed)
    robust = correct(time, signal, time, reference)
    plain = correct(time, signal, time, reference, Rules(robust=False))
    assert np.corrcoef(robust.dff, truth)[0, 1] > 0.98
    assert np.abs(robust.dff - truth).mean() < 0.03
    assert np.abs(robust.dff - truth).mean() < 0.6 * np.abs(plain.dff - truth).mean()
    assert robust.fit.slope == pytest.approx(1.5, rel=0.02)


def test_without_correction_the_movements_would_be_seen():
    time, signal, reference, truth = session(height=0.0)
    raw = signal / np.median(signal) - 1
    assert raw.std() > 10 * correct(time, signal, time, reference).dff.std()
    assert truth.max() == 0


def test_a_reference_that_fades_at_its_own_pace_needs_its_own_curve():
    time, signal, reference, truth = session(pace=1000.0)
    shared = correct(time, signal, time, reference)
    own = correct(time, signal, time, reference, Rules(own_bleaching=True))
    assert np.corrcoef(own.dff, truth)[0, 1] > 0.97 > np.corrcoef(shared.dff, truth)[0, 1]


def test_the_curve_of_bleaching_lies_under_the_transients():
    time, signal, _, _ = session(noise=0.002)
    true = 900 * (0.6 + 0.4 * np.exp(-time / 100.0))
    np.testing.assert_allclose(bleaching(time, signal), true, rtol=0.08)


def test_a_low_pass_takes_the_noise_and_leaves_the_transients():
    time, signal, reference, truth = session(noise=0.05)
    smooth = correct(time, signal, time, reference, Rules(lowpass=3.0))
    rough = correct(time, signal, time, reference)
    assert np.abs(smooth.dff - truth).mean() < 0.8 * np.abs(rough.dff - truth).mean()


def test_the_reference_is_looked_up_at_the_times_of_the_signal():
    time = np.arange(200) / RATE
    beside = time + 0.5 / RATE
    assert resampled(time[1:], beside, 3 * beside) == pytest.approx(3 * time[1:])
    found = correct(time[1:], 7 * time[1:] + 1, beside, 3 * beside)
    np.testing.assert_allclose(found.dff, 0, atol=1e-9)


@given(st.lists(st.integers(0, 299), max_size=250))
def test_missing_values_stay_missing_and_harm_nothing(holes):
    time, signal, reference, _ = session(n=300)
    signal[holes] = np.nan
    found = correct(time, signal, time, reference)
    missing = np.isnan(signal)
    if (~missing).sum() < 8:
        assert np.isnan(found.dff).all()
    else:
        np.testing.assert_array_equal(np.isnan(found.dff), missing)


def test_a_reference_that_is_missing_is_not_made_up():
    beside, values = np.arange(0, 12, 2.0), np.array([np.nan, 2, 4, np.nan, np.nan, 10])
    found = resampled(np.arange(-1, 13.0), beside, values)
    nan = np.nan
    np.testing.assert_array_equal(found, [nan, nan, nan, 2, 3, 4, nan, nan, nan, nan, nan, 10, 10, 10])


@pytest.mark.parametrize("reference", [np.full(50, 7.0), np.full(50, np.nan), np.zeros(50)])
def test_a_reference_that_says_nothing_is_no_error(reference):
    time = np.arange(50) / RATE
    found = correct(time, 100 + np.sin(time), time, reference)
    known = np.isfinite(reference).all()
    assert np.isfinite(found.dff).all() == known
    assert found.fit.slope == 0 or not known


def test_too_few_samples_give_no_fit():
    assert np.isnan(fit(np.ones(7), np.ones(7)).slope)
    assert np.isnan(bleaching(np.arange(7.0), np.ones(7))).all()
