"""dF/F against a slow twin that recomputes the baseline from the whole history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from roi_core.dff import SAMPLES, Dff
from roi_core.settings import Roi

TRACES = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 60), st.integers(1, 3)), elements=st.floats(1, 1000, width=32)
)


def percentile_twin(trace, frames, percentile):
    return [np.percentile(trace[max(0, t + 1 - frames) : t + 1], percentile) for t in range(len(trace))]


def run(traces, rules, rate=10.0):
    dff, ids = Dff(rate), tuple(range(traces.shape[1]))
    return np.array([dff.step(ids, row, rules) for row in traces])


@given(TRACES, st.floats(0, 50), st.integers(1, 40))
def test_running_percentile_equals_numpy(traces, percentile, frames):
    rules = Roi(dff=True, dff_percentile=percentile, dff_window=frames / 10)
    got = run(traces, rules)
    for k in range(traces.shape[1]):
        base = np.array(percentile_twin(traces[:, k].astype(float), frames, percentile))
        np.testing.assert_allclose(got[:, k], (traces[:, k] - base) / base, rtol=1e-4, atol=1e-5)


@given(TRACES, st.integers(1, 30))
def test_fixed_baseline_is_the_mean_of_the_first_seconds(traces, frames):
    got = run(traces, Roi(dff=True, dff_baseline="fixed", dff_fixed=frames / 10))
    base = np.array([traces[: min(t + 1, frames)].mean(axis=0, dtype=float) for t in range(len(traces))])
    np.testing.assert_allclose(got, (traces - base) / base, rtol=1e-4, atol=1e-5)


def test_a_long_window_is_thinned_and_stays_close():
    rng = np.random.default_rng(0)
    trace = (100 + rng.standard_normal((6000, 1)) + np.linspace(20, 0, 6000)[:, None]).astype(np.float32)
    got = run(trace, Roi(dff=True, dff_window=300), rate=10)
    base = np.array(percentile_twin(trace[:, 0].astype(float), 3000, 8.0))
    assert SAMPLES < 3000
    assert np.abs(got[-500:, 0] - (trace[-500:, 0] - base[-500:]) / base[-500:]).max() < 0.005


def test_a_new_region_begins_its_own_history():
    dff, rules = Dff(10.0), Roi(dff=True, dff_baseline="fixed")
    for _ in range(20):
        dff.step((1,), np.array([10], np.float32), rules)
    both = dff.step((2, 1), np.array([50, 20], np.float32), rules)
    np.testing.assert_allclose(both, [0.0, (20 - 220 / 21) / (220 / 21)], rtol=1e-5)


@pytest.mark.parametrize("baseline", ["percentile", "fixed"])
def test_dark_and_empty_regions_give_nan_and_recover(baseline):
    rules = Roi(dff=True, dff_baseline=baseline, dff_window=0.2, dff_fixed=0.2)
    values = np.array([[0], [np.nan], [0], [100], [100], [100], [100]], np.float32)
    got = run(values, rules)[:, 0]
    assert np.isnan(got[:3]).all()
    assert baseline == "fixed" or got[-1] == 0
