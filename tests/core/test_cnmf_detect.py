"""Looking for new cells in the residual, and the thread on which that is done."""

import pickle
import threading

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cnmf.aside import Aside
from roi_core.cnmf.detect import Detector, _projected, _weigh, _weighted, lead_of
from roi_core.cnmf.peaks import SMALL, WIDE, WINDOWS, look_back
from roi_core.cnmf.residual import Ring, steadied
from roi_core.cnmf.state import Field
from tests.cells import blob

RATE = 20.0
FIELD = Field((48, 52), 3.0)
NOISE = np.ones(FIELD.binned, np.float32)


def ring_of(frames=120, field=FIELD):
    return Ring(frames, field)


def put(ring, picture, row=None, pace=0.0):
    """Let a residual be the newest frame."""
    m = ring.margin
    ring.claim()[0][m:-m, m:-m] = picture
    ring.publish(ring.head if row is None else row, pace)


def test_the_ring_remembers_the_last_frames_and_their_rows():
    ring = ring_of(10)
    for k in range(27):
        put(ring, np.full(FIELD.binned, k), row=100 + 2 * k)
        now, before = ring.claim()
        m = ring.margin
        assert (before[m:-m, m:-m] == k).all()
        assert now is not before
    assert len(ring) == 10
    assert ring.rows(4).tolist() == [146, 148, 150, 152]
    assert (ring.sum(20, 26) == sum(range(20, 26))).all()
    cut = ring.cut(18, 27, 0, 0, 2 * ring.margin)
    assert cut.shape == (9, 2 * ring.margin, 2 * ring.margin)
    assert cut[:, -1, -1].tolist() == list(range(18, 27))
    assert not cut[:, 0].any(), "the margin is empty"


def looked(detector, ring, frames, picture):
    """Give so many frames and look after every step; return what was found, with the frame."""
    found = []
    for k in range(frames):
        put(ring, picture(k))
        if ring.head % detector.step == 0:
            found += [(ring.head, each) for each in detector.look(ring, ring.head, NOISE)]
    return found


def flash(k, at, height=4.0, start=150, decay=10):
    """A transient of a round cell."""
    out = np.zeros(FIELD.binned, np.float32)
    if k >= start:
        spot = height * np.exp(-(k - start) / decay) * blob(13, 1.6)
        out[at[0] - 6 : at[0] + 7, at[1] - 6 : at[1] + 7] += spot
    return out


def noise(seed=0):
    random = np.random.default_rng(seed)
    return lambda _: random.normal(0, 1, FIELD.binned).astype(np.float32)


def test_sums_over_windows_are_those_of_the_residual():
    """Every window's evidence: the sum of its frames over their noise, band-passed."""
    random, ring, detector = np.random.default_rng(0), ring_of(), Detector(FIELD, RATE)
    variance = random.uniform(0.5, 2, FIELD.binned).astype(np.float32)
    pictures = random.normal(0, 1, (60, *FIELD.binned)).astype(np.float32)
    for picture in pictures:
        put(ring, picture)
    detector.look(ring, ring.head, variance)
    done = detector.done
    assert done == 1 + 59 // detector.step * detector.step, "the first frame is not looked at"
    for part, alone, window in zip(*detector.evidence(), WINDOWS, strict=True):
        frames = pictures[max(1, done - window * detector.step) : done].sum(0)
        total = frames / np.sqrt(variance * detector.step * window)
        blurred = [
            cv2.GaussianBlur(total, (0, 0), s * 3.0, borderType=cv2.BORDER_REFLECT) for s in (SMALL, WIDE)
        ]
        band = blurred[0] - blurred[1]
        np.testing.assert_allclose(part, band, atol=1e-4)
        np.testing.assert_allclose(
            alone, np.where(band > 0, np.minimum(band, blurred[0].clip(0)), band), atol=1e-4
        )


@pytest.mark.parametrize("seed", [0, 1])
def test_hardly_anything_is_proposed_in_noise(seed):
    """Measured: 7 candidates in 30 000 frames; none of them is accepted later (test_cnmf_online)."""
    ring, detector = ring_of(), Detector(FIELD, RATE)
    assert len(looked(detector, ring, 2000, noise(seed))) <= 4


@pytest.mark.parametrize("at", [(24, 26), (8, 9), (40, 30)])
def test_a_transient_is_found_with_its_shape_and_trace(at):
    ring, detector, dark = ring_of(), Detector(FIELD, RATE), noise(1)
    found = looked(detector, ring, 200, lambda k: dark(k) + flash(k, at))
    assert found, "nothing was found"
    frame, first = found[0]
    assert frame < 170, "found within a second"
    _, best = found[-1]
    side = len(best.shape)
    y, x = np.mgrid[:side, :side]
    middle = [
        (best.shape * v).sum() / best.shape.sum() + c - FIELD.margin for v, c in ((y, best.y), (x, best.x))
    ]
    assert middle == pytest.approx(at, abs=0.6)
    true = np.pad(flash(150, at), FIELD.margin)[best.y : best.y + side, best.x : best.x + side]
    assert np.corrcoef(true.ravel(), best.shape.ravel())[0, 1] > 0.9
    course = np.array([flash(k, at)[at] for k in range(best.last - len(best.trace), best.last)])
    assert np.corrcoef(course, best.trace)[0, 1] > 0.8
    scale = (best.trace * course).sum() / (course**2).sum() * best.shape.max()
    assert scale == pytest.approx(1.0, abs=0.4), "shape times trace is in units of the picture"
    assert first.last <= frame


def above_the_mean(ring, frames, picture):
    """Put frames into the ring as they are seen above their running mean; yield after each."""
    mean = None
    for k in range(frames):
        frame = picture(k)
        mean = frame.copy() if mean is None else mean
        put(ring, frame - mean, pace=1 / (k + 1))
        mean += (frame - mean) / (k + 1)
        yield k, mean


def test_steadied_is_what_a_mean_that_never_moved_would_have_shown():
    ring, dark, frames = ring_of(60), noise(6), []

    def picture(k):
        frames.append(dark(k) + 100 * np.exp(-k / 20, dtype=np.float32))
        return frames[-1]

    *_, (_, mean) = above_the_mean(ring, 50, picture)
    seen, m = ring.cut(10, 50, ring.margin, ring.margin, 20), ring.margin
    steady = steadied(seen, ring.paces(10, 50))
    np.testing.assert_allclose(steady, np.stack(frames[10:])[:, :20, :20] - mean[:20, :20], atol=1e-3)
    sums = ring.steady_sums(10, 50, 8)
    assert sums.shape == (5, *FIELD.binned)
    np.testing.assert_allclose(sums[:, :20, :20], steady.reshape(5, 8, 20, 20).sum(1), atol=1e-2)
    assert (ring.cut(10, 50, m, m, 20) == seen).all(), "the ring itself stays as it is"


@pytest.mark.parametrize("lit", [0, 30, 60])
def test_a_cell_that_was_bright_only_in_the_first_frames_is_found(lit):
    """It lies in the mean, so its residual is negative in every frame from which candidates are taken."""
    ring, detector, dark, at, found = ring_of(), Detector(FIELD, RATE), noise(7), (24, 26), []

    def picture(k):
        return dark(k) + (flash(0, at, start=0) if k < lit else flash(k, at, start=lit, decay=15))

    for k, _ in above_the_mean(ring, 240, picture):
        if k % detector.step == 0:
            found += detector.look(ring, ring.head, NOISE)
    assert found, "nothing was found"
    best = found[0]
    half = len(best.shape) // 2 + FIELD.margin
    assert (best.y + half - 2 * FIELD.margin, best.x + half - 2 * FIELD.margin) == pytest.approx(at, abs=1)
    assert best.z > 20
    assert best.r > 0.8
    first = best.last - len(best.trace)
    told = steadied(best.trace + np.float32(best.rest), ring.paces(first, best.last))
    course = [1.0 if k < lit else np.exp(-(k - lit) / 15) for k in range(first, best.last)]
    assert np.corrcoef(told, course)[0, 1] > (0.9 if lit else 0.4), "its past is told as it was"


def test_cells_that_faded_are_fitted_before_the_ring_loses_them():
    """More of them than are fitted in one look, and looks are rare."""
    field = Field((96, 120), 3.0)
    ring, detector, random = ring_of(field=field), Detector(field, RATE), np.random.default_rng(12)
    places, lit, found = [], np.zeros(field.binned, np.float32), []
    for y in (15, 48, 80):
        for x in (15, 45, 75, 105):
            places.append((y, x))
            lit[y - 6 : y + 7, x - 6 : x + 7] = 4 * blob(13, 1.6)

    def picture(k):
        return random.normal(0, 1, field.binned).astype(np.float32) + (lit if k < 30 else 0)

    for k, _ in above_the_mean(ring, 160, picture):
        if k % 12 == 0:
            found += detector.look(ring, ring.head, np.ones(field.binned, np.float32))
    corners = np.array([(each.y, each.x) for each in found]) + len(found[0].shape) // 2 - field.margin
    for at in places:
        assert (abs(corners - at).max(1) <= 1).any(), at


def test_at_a_few_frames_a_second_noise_is_known_and_a_transient_found():
    ring, detector, dark, at = ring_of(60), Detector(FIELD, 5.0), noise(8), (24, 26)
    found = []
    for k, _ in above_the_mean(ring, 200, lambda k: dark(k) + flash(k, at, start=150)):
        found += [(k, each) for each in detector.look(ring, ring.head, NOISE)]
    assert [k for k, _ in found if k < 150] == []
    assert found[0][0] < 160


def test_a_lamp_that_dims_makes_no_suspects():
    ring, detector, dark = ring_of(), Detector(FIELD, RATE), noise(9)
    for k, _ in above_the_mean(ring, 300, lambda k: dark(k) - (8 if k >= 150 else 0)):
        detector.look(ring, ring.head, NOISE)
        assert k < 10 or not detector.suspects.any()


def test_a_transient_longer_than_the_ring_is_found():
    ring, detector, dark, at = ring_of(40), Detector(FIELD, RATE), noise(10), (24, 26)
    found = looked(detector, ring, 240, lambda k: dark(k) + flash(k, at, start=150, decay=1000, height=1.5))
    assert found


def test_a_new_mean_lets_the_detector_look_back_anew():
    ring, detector, dark, at, found = ring_of(), Detector(FIELD, RATE), noise(11), (24, 26), []
    for _ in above_the_mean(ring, 130, dark):
        detector.look(ring, ring.head, NOISE)
    ring.begin()
    for k, _ in above_the_mean(ring, 130, lambda k: dark(k) + (flash(0, at, start=0) if k < 40 else 0)):
        if k % detector.step == 0:
            found += detector.look(ring, ring.head, NOISE)
    assert [c for c in found if c.z > 20]
    assert all(c.last - len(c.trace) >= ring.since for c in found)


@pytest.mark.parametrize("seed", range(3))
def test_looking_back_finds_nothing_in_noise(seed):
    ring = ring_of()
    for _ in above_the_mean(ring, 118, noise(seed)):
        pass
    assert look_back(ring, 118, 3, NOISE, FIELD.radius) == []


def test_a_single_hot_pixel_is_no_cell():
    ring, detector, dark = ring_of(), Detector(FIELD, RATE), noise(2)

    def picture(k):
        out = dark(k)
        if 150 <= k < 170:
            out[10, 10] += 12
        return out

    assert looked(detector, ring, 220, picture) == []


def test_forgetting_a_candidate_leaves_the_sums_of_the_residual_without_it():
    """As if its cell had been taken out of every frame before it was summed."""
    ring, detector, dark = ring_of(400), Detector(FIELD, RATE), noise(3)
    found = looked(detector, ring, 180, lambda k: dark(k) + flash(k, (24, 26)))
    best = found[-1][1]
    again, other = ring_of(400), Detector(FIELD, RATE)
    detector._peaks = other._peaks = lambda z: []
    m, side = FIELD.margin, len(best.shape)
    first = best.last - len(best.trace)
    for k in range(detector.done):
        frame = ring.slots[k % len(ring), m:-m, m:-m].copy()
        wide = np.pad(frame, m)
        if k >= first and k < best.last:
            wide[best.y : best.y + side, best.x : best.x + side] -= best.trace[k - first] * best.shape
        put(again, wide[m:-m, m:-m])
    detector.forget(best, NOISE)
    for frame in range(1 + other.step, detector.done + 1, other.step):
        other.look(again, frame, NOISE)
    np.testing.assert_allclose(detector.evidence()[0], other.evidence()[0], atol=2e-3)


def test_a_look_that_comes_late_skips_what_the_ring_will_lose():
    ring, detector, dark = ring_of(60), Detector(FIELD, RATE), noise(4)
    for k in range(500):
        put(ring, dark(k))
    assert detector.look(ring, ring.head, NOISE) == []
    assert detector.done == 500
    assert detector.looks == 1
    detector.skip(300)
    assert detector.done == 500, "never back"


def test_a_dead_pixel_does_not_shout():
    ring, detector, dark = ring_of(), Detector(FIELD, RATE), noise(5)
    quiet = NOISE.copy()
    quiet[20:22, 20] = 0
    for k in range(300):
        picture = dark(k)
        picture[20:22, 20] *= 0.01
        put(ring, picture)
        if k % detector.step == 0:
            assert detector.look(ring, ring.head, quiet) == []
    assert np.isfinite(detector.evidence()[0]).all()


# -- kernels


def test_a_patch_is_projected_on_a_shape_and_weighed_by_a_course():
    random = np.random.default_rng(0)
    patch, shape, course = (random.normal(0, 1, size).astype(np.float32) for size in ((30, 7, 7), (7, 7), 30))
    course[::3] = 0
    np.testing.assert_allclose(_projected(patch, shape), np.tensordot(patch, shape, 2), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(_weighted(patch, course), np.tensordot(course, patch, 1), rtol=1e-4, atol=1e-4)


@given(st.integers(0, 10**6), st.integers(1, 30), st.floats(0, 1))
def test_the_lead_of_a_trace_is_what_the_mean_just_before_has_beyond_the_noise(seed, width, spread):
    trace = np.random.default_rng(seed).normal(0.2, 1, 20).astype(np.float32)
    before = [trace[max(0, t - width) : t].mean() for t in range(1, 20)]
    expected = np.maximum(np.array([spread, *before]) - spread, 0)
    np.testing.assert_allclose(lead_of(trace, width, spread), expected, atol=1e-5)


def test_evidence_is_weighed_by_its_noise_which_follows_what_is_not_an_event():
    random = np.random.default_rng(0)
    bands, alone, power = (random.normal(0, 3, (9, 11)).astype(np.float32) for _ in range(3))
    power, usual = power**2, random.uniform(0, 4, (9, 11)).astype(np.float32)
    clipped, z, now = np.minimum(bands**2, 6 * usual) * 1.05, np.empty((9, 11), np.float32), power.copy()
    assert 0 < (bands**2 > 6 * usual).sum() < bands.size
    _weigh(bands, alone, usual, np.float32(0.1), now, z)
    np.testing.assert_allclose(z, alone / np.sqrt(usual), rtol=1e-4)
    np.testing.assert_allclose(now, 0.9 * power + 0.1 * clipped, rtol=1e-4)


def test_a_shape_is_projected_on_and_taken_out_of_the_frames_where_it_lies():
    ring, random = ring_of(10), np.random.default_rng(0)
    for _ in range(23):
        put(ring, random.normal(0, 1, FIELD.binned))
    shape, trace = random.random((5, 5)).astype(np.float32), random.normal(0, 1, 4).astype(np.float32)
    before = ring.slots.copy()
    seen = [(before[k % 10, 7:12, 11:16] * shape).sum() for k in range(16, 23)]
    np.testing.assert_allclose(ring.projected(16, 7, 11, shape), seen, rtol=1e-4, atol=1e-5)
    ring.take_out(trace, 7, 11, shape)
    for k, value in zip(range(19, 23), trace, strict=True):
        before[k % 10, 7:12, 11:16] -= value * shape
    np.testing.assert_allclose(ring.slots, before, atol=1e-5)


# -- the thread


@pytest.mark.parametrize("inline", [True, False])
def test_a_job_is_done_once_and_taken_once(inline):
    aside, done, threads = Aside(inline), threading.Event(), []

    def job():
        threads.append(threading.current_thread())
        done.set()
        return 7

    aside.give(job)
    assert aside.busy
    with pytest.raises(RuntimeError, match="before the result"):
        aside.give(job)
    done.wait(5)
    result = None
    while result is None:
        result = aside.take()
    assert result == 7
    assert not aside.busy
    assert aside.take() is None
    assert (threads[0] is threading.current_thread()) == inline
    aside.close()
    aside.close()


@pytest.mark.parametrize("inline", [True, False])
def test_what_a_job_raises_is_raised_to_who_takes(inline):
    aside = Aside(inline)

    def job():
        raise ZeroDivisionError("a bug")

    for _ in range(2):
        aside.give(job)
        while not aside._done:
            pass
        with pytest.raises(ZeroDivisionError, match="a bug"):
            aside.take()
        assert not aside.busy
    aside.close()


def test_closing_waits_for_the_job_in_hand():
    aside, go, done = Aside(False), threading.Event(), []
    aside.give(lambda: go.wait(5) and done.append(1))
    threading.Timer(0.05, go.set).start()
    aside.close()
    assert done == [1]


def test_a_thread_cannot_be_copied():
    aside = Aside(False)
    with pytest.raises(TypeError, match="cannot be copied"):
        pickle.dumps(aside)
    aside.close()
    inline = Aside(True)
    inline.give(lambda: 5)
    assert pickle.loads(pickle.dumps(inline)).take() == 5
