"""Deconvolution against convex solvers, slow twins and what is known of made-up cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cnmf import decay, trend, window
from roi_core.cnmf.deconvolve import Deconvolver, deconvolve, time_constants
from roi_core.settings import Settings
from tests import naive

CNMF = Settings().cnmf
RATE = 30.0


def cells(n, frames, rate=RATE, tau=0.6, up=0.06, noise=0.1, seed=0, firing=0.5):
    """Spikes (n, frames) and the fluorescence they cause: height 1, offset 5, bleaching 10 %."""
    rng = np.random.default_rng(seed)
    spikes = rng.poisson(firing / rate, (n, frames)).astype(float)
    kernel = naive.transient(tau, up, rate, frames)
    calcium = np.array([np.convolve(row, kernel / kernel.max())[:frames] for row in spikes])
    offset = 5 * (1 - 0.1 * np.linspace(0, 1, frames))
    return spikes, calcium, (calcium + offset + noise * rng.standard_normal((n, frames))).astype(np.float32)


def run(fluorescence, rate=RATE, lag=15, settings=CNMF, history=0):
    """All five outputs (5, n, T), the settled ones moved to the frames they are of."""
    n, frames = fluorescence.shape
    d = Deconvolver(rate, lag)
    past = d.append(np.ascontiguousarray(fluorescence[:, :history]))
    out = np.full((5, n, frames), np.nan, np.float32)
    out[[0, 1, 2], :, :history] = past
    for t in range(history, frames):
        d.step(np.ascontiguousarray(fluorescence[:, t]), settings)
        out[:3, :, t] = d.raw, d.calcium, d.spikes
        if t >= lag:
            out[3:, :, t - lag] = d.settled_calcium, d.settled_spikes
    out[3:, :, frames - lag :] = d.flush()
    return d, out


def pear(a, b):
    return np.corrcoef(a, b)[0, 1]


# --- the window


def solve(trace, decay_s, rise_s, width, penalty, moves, tolerance, uniform=False, dtype=np.float32):
    """Spikes of a trace as the window holds them after each frame, and the window."""
    w = np.zeros((3, width), dtype)
    shape, state = np.zeros((window.SHAPE_ROWS, width), dtype), np.zeros(window.STATE)
    window.shape_of(shape, state, *window.roots(decay_s, rise_s, RATE))
    if uniform:
        shape[window.LEVEL] = 1
    rows = np.zeros((len(trace), len(trace) + width))
    now = np.zeros(len(trace))
    for t, value in enumerate(trace):
        now[t] = window.take(w, shape, state, float(value), penalty, moves, tolerance, 0.0, 0.0)
        rows[t] = rows[t - 1] if t else 0
        rows[t, t + 1 : t + 1 + width] = w[window.SPIKES]
    return rows[:, width:], now, w


def test_other_roots_leave_transients_as_high_as_they_are():
    """The gradients are those of a slow twin; calcium goes on without a jump."""
    trace = cells(1, 30, firing=6.0, noise=0.02, seed=2)[2][0] - 5
    width = 40
    w, shape, state = np.zeros((3, width)), np.zeros((window.SHAPE_ROWS, width)), np.zeros(window.STATE)
    window.shape_of(shape, state, *window.roots(0.6, 0.02, RATE))
    for value in trace:
        window.take(w, shape, state, float(value), 0.05, 8, 1e-6, 0.0, 0.0)
    spikes, peak = w[window.SPIKES].copy(), state[window.PEAK]
    assert (
        window.change(w, shape, state, 0, *window.roots(0.6, 0.15, RATE)) == peak / state[window.PEAK] < 0.7
    )
    np.testing.assert_allclose(w[window.SPIKES] * state[window.PEAK], spikes * peak)
    kernel = naive.transient(0.6, 0.15, RATE, width)
    calcium = np.convolve(w[window.SPIKES], kernel)[:width]
    assert state[window.SLOW] - state[window.FAST] == pytest.approx(calcium[-1])
    left = w[window.VALUES] - calcium
    twin = [kernel[: width - i] @ left[i:] for i in range(width)]
    np.testing.assert_allclose(w[window.GRADIENT][1:], twin[1:], atol=1e-9)


@pytest.mark.parametrize(("before", "after"), [(0.02, 0.15), (0.15, 0.02), (0.1, 0.0)])
def test_a_rise_that_changes_in_a_transient_moves_no_calcium(before, after):
    """Settled calcium stays with the trace when the rise is given anew in a burst (taken every 31 frames)."""
    trace = np.full(300, 5.0) + 0.02 * np.random.default_rng(0).standard_normal(300)
    for at in (170, 175, 180, 185):
        trace[at:] += naive.transient(0.6, 0.06, RATE, 300 - at)
    d, calcium = Deconvolver(RATE, 15), np.zeros(300)
    d.append(np.empty((1, 0), np.float32))
    for t in range(300):
        rise = before if t < 186 else after
        d.step(trace[t : t + 1].astype(np.float32), CNMF.model_copy(update={"decay": 0.6, "rise": rise}))
        calcium[t - 15] = d.settled_calcium[0]
    assert calcium[100:285].max() < trace.max() - 5 + 0.35


@pytest.mark.parametrize("rise_s", [0.0, 0.06])
@pytest.mark.parametrize("penalty", [0.0, 0.05, 0.3])
def test_a_window_over_the_whole_trace_reaches_the_convex_optimum(rise_s, penalty):
    trace = cells(1, 60, up=rise_s, firing=2.0, seed=3)[2][0] - 4.9
    trace[:20] = 0  # else a spike before the first frame may fit best
    rows, _, _ = solve(trace, 0.6, rise_s, 60, penalty, 100_000, 0.0, True, np.float64)
    kernel = naive.transient(0.6, rise_s, RATE, 60)
    best = naive.fewest_spikes(trace.astype(float), kernel, penalty)
    found, wanted = (np.convolve(s, kernel)[:60] for s in (rows[-1], best))

    def cost(s, c):
        return ((trace - c) ** 2).sum() / 2 + penalty * s.sum()

    assert cost(rows[-1], found) == pytest.approx(cost(best, wanted), rel=1e-5)
    np.testing.assert_allclose(found, wanted, atol=1e-5 if penalty else 1e-3)


@pytest.mark.parametrize("rise_s", [0.0, 0.06])
def test_the_window_does_what_its_slow_twin_does(rise_s):
    trace = cells(1, 120, up=rise_s, firing=1.0, seed=5)[2][0] - 4.8
    rows, now, _ = solve(trace, 0.6, rise_s, 20, 0.2, 3, 1e-4)
    kernel = naive.transient(0.6, rise_s, RATE, 120)
    wanted, matrix = naive.greedy_spikes(trace.astype(float), kernel, 20, 0.2, 3, 1e-4)
    np.testing.assert_allclose(rows[:, :120], wanted, atol=2e-4)
    np.testing.assert_allclose(now, (matrix * wanted).sum(1), atol=1e-3)


def test_the_work_of_a_frame_is_bounded_and_carried_on():
    trace = cells(1, 90, firing=3.0, seed=6)[2][0] - 4.9
    few, many = (solve(trace, 0.6, 0.06, 90, 0.1, moves, 1e-6)[2] for moves in (2, 200))
    assert abs(few[window.SPIKES].sum() / many[window.SPIKES].sum() - 1) < 0.05


@given(st.integers(0, 1000), st.floats(0.3, 0.97), st.floats(0, 1))
def test_pools_are_the_convex_optimum_of_order_1(seed, d, penalty):
    rng = np.random.default_rng(seed)
    trace = rng.standard_normal(25) + 0.5
    costs = np.full(25, penalty)
    costs[0] = 0
    wanted = naive.fewest_spikes(trace, d ** np.arange(25.0), costs)
    np.testing.assert_allclose(decay.pools(trace, d, penalty), wanted, atol=1e-6)


# --- baseline and noise


def followed(trace, length=6, blocks=100):
    t, b = np.zeros(trend.FIELDS, np.float32), np.zeros((2, trend.BLOCKS), np.float32)
    out = np.empty((2, len(trace)))
    for i, value in enumerate(trace):
        trend.follow(t, b, float(value), length, blocks, 0)
        out[:, i] = t[trend.NOISE], t[trend.BASELINE]
    return out


def test_noise_is_found_under_transients():
    for level in (0.05, 0.3):
        noise, _ = followed(cells(1, 1500, noise=level)[2][0])
        assert noise[-500:].mean() == pytest.approx(level, rel=0.15)


def test_noise_that_grows_is_followed():
    rng = np.random.default_rng(0)
    noise, _ = followed(rng.standard_normal(4000) * np.repeat([1, 2], 2000))
    assert noise[1900:2000].mean() == pytest.approx(1, rel=0.1)
    assert noise[3500:].mean() == pytest.approx(2, rel=0.1)


def test_the_baseline_follows_bleaching():
    fluorescence = cells(1, 3000, seed=1)[2]
    _, baseline = followed(fluorescence[0])
    truth = 5 * (1 - 0.1 * np.linspace(0, 1, 3000))
    assert np.abs(baseline - truth)[300:].max() < 0.2


def test_a_long_burst_does_not_lift_the_baseline_and_a_dip_does_not_sink_it():
    rng = np.random.default_rng(2)
    trace = 10 + rng.standard_normal(1800)
    burst, dip = trace.copy(), trace.copy()
    burst[900:1140] += 8 + rng.standard_normal(240)
    dip[900:945] -= 9
    assert np.abs(followed(burst)[1][600:] - 10).max() < 0.7
    assert np.abs(followed(dip)[1][600:] - 10).max() < 0.7


def test_born_in_the_middle_of_a_transient():
    rng = np.random.default_rng(3)
    trace = 3 + 5 * np.exp(-np.arange(300) / 18) + 0.3 * rng.standard_normal(300)
    assert followed(trace)[1][120] == pytest.approx(3, abs=0.4)


# --- all of it


def test_calcium_and_spikes_of_made_up_cells():
    spikes, calcium, fluorescence = cells(8, 2400)
    _, out = run(fluorescence)
    bins = slice(300, 2400)
    for k in range(8):
        assert pear(out[1, k, bins], calcium[k, bins]) > 0.93
        assert pear(out[3, k, bins], calcium[k, bins]) > 0.97
        found, true = (x[bins].reshape(-1, 6).sum(1) for x in (out[4, k], spikes[k]))
        assert pear(found, true) > 0.93
        assert out[2, k, bins].sum() == pytest.approx(out[4, k, bins].sum(), rel=0.15)
        assert out[4, k, bins].sum() == pytest.approx(spikes[k, bins].sum(), rel=0.25)


def test_order_2_beats_order_1():
    spikes, _, fluorescence = cells(8, 2400, up=0.1)
    first = CNMF.model_copy(update={"order": "1"})
    scores = []
    for settings in (first, CNMF):
        out = run(fluorescence, settings=settings)[1][4]
        pairs = [(x[:, 300:].reshape(8, -1, 6).sum(2)) for x in (out, spikes)]
        scores.append(np.median([pear(a, b) for a, b in zip(*pairs, strict=True)]))
    assert scores[1] > scores[0] + 0.02


def test_a_spike_settles_on_its_frame():
    trace = np.full((1, 400), 2.0) + 0.05 * np.random.default_rng(0).standard_normal((1, 400))
    trace[0, 250:] += 3 * naive.transient(0.6, 0.03, RATE, 150) / naive.transient(0.6, 0.03, RATE, 150).max()
    out = run(trace.astype(np.float32))[1]
    assert abs(int(out[4, 0, 200:300].argmax()) + 200 - 250) <= 1
    assert abs(int(out[2, 0, 200:300].argmax()) + 200 - 250) <= 2
    assert np.isfinite(out[3:]).all()
    young = Deconvolver(RATE, 15)
    young.append(np.empty((1, 0), np.float32))
    for t in range(15):
        young.step(trace[:, t].astype(np.float32), CNMF)
        assert np.isnan(young.settled_calcium[0])


@pytest.mark.parametrize(("tau", "up", "rate"), [(0.3, 0.02, 30.0), (1.2, 0.1, 15.0), (0.5, 0.05, 60.0)])
def test_time_constants_are_learned(tau, up, rate):
    fluorescence = cells(6, int(60 * rate), rate, tau, up, firing=0.3)[2]
    decays, rise = time_constants(fluorescence, rate, CNMF)
    np.testing.assert_allclose(decays, tau, rtol=0.3)
    assert up / 2.5 < rise < up * 2.5


@pytest.mark.parametrize("noise", [0.03, 0.1])
@pytest.mark.parametrize(("tau", "up", "rate"), [(0.6, 0.1, 30.0), (0.8, 0.2, 30.0), (1.0, 0.15, 60.0)])
def test_a_slow_rise_is_learned_in_bright_cells_too(tau, up, rate, noise):
    fluorescence = cells(4, int(100 * rate), rate, tau, up, noise)[2]
    assert up / 1.6 < time_constants(fluorescence, rate, CNMF)[1] < up * 1.6


def test_a_slow_rise_is_learned_in_dim_cells_too():
    """What a spike costs grows with the frame rate: many spikes a flank would fit noise best else."""
    settings = {"tau": 2, "up": 0.2, "noise": 0.35, "firing": 0.3}
    rises = [time_constants(cells(20, 1800, **settings, seed=seed)[2], RATE, CNMF)[1] for seed in range(4)]
    assert 0.1 < np.median(rises) < 0.25


def test_the_rise_is_looked_for_in_bright_cells():
    """Two of twenty are bright: most of the time is theirs, once it is known."""
    fluorescence = cells(20, 1800, noise=0.5)[2]
    fluorescence[[7, 12]] += 9 * (cells(20, 1800, noise=0.0)[2][[7, 12]] - 5)
    d, turns = Deconvolver(RATE, 15), []
    d.append(np.empty((20, 0), np.float32))
    for frame in fluorescence.T:
        d.step(np.ascontiguousarray(frame), CNMF)
        turns.append(d._probes.arrays[4][:, 0].copy())
    assert np.isin(turns[600:], (7, 12)).mean() > 0.5


def test_causal_spikes_grow_as_a_root_when_they_are_large():
    noise, sums = np.random.default_rng(1).standard_normal(900), []
    settings = CNMF.model_copy(update={"decay": 0.6, "order": "1"})
    for size in (100.0, 1000.0):
        trace = 50 + noise
        trace[600:] += size * naive.transient(0.6, 0.0, RATE, 300)
        out = run(trace[None].astype(np.float32), settings=settings)[1]
        sums.append(out[[2, 4], 0, 600:603].sum(1))
    (medium, settled), (large, whole) = sums
    np.testing.assert_allclose((settled, whole), (100, 1000), rtol=0.2)
    assert large / medium == pytest.approx(np.sqrt(10), rel=0.15)


def test_no_spike_is_told_twice_when_the_usual_size_is_learned_from_it():
    """A cell's first spike settles after 15 frames, and from then on as large a one is usual."""
    trace = 50 + np.random.default_rng(2).standard_normal(900)
    trace[600:] += 12 * naive.transient(0.6, 0.0, RATE, 300)
    given = CNMF.model_copy(update={"decay": 0.6, "order": "1"})
    out = run(trace[None].astype(np.float32), settings=given)[1]
    told, later = out[2, 0, 600:606].sum(), out[2, 0, 613:619].sum()
    assert told > 0.6 * out[4, 0, 600:606].sum()
    assert later < 0.05 * told


def test_a_cell_has_one_turn_at_a_time():
    """Cells are born one at a time and die; one is saturated and has none."""
    fluorescence, d = cells(9, 900)[2], Deconvolver(RATE, 15)
    fluorescence[0] = 9
    held = d._probes.arrays[4]
    for t in range(900):
        if t % 40 == 0 and t < 360:
            d.append(np.empty((1, 0), np.float32))
        if t in (500, 610, 720, 730, 740, 750, 760):
            d.drop(d.count // 2)
        d.step(np.ascontiguousarray(fluorescence[: d.count, t]), CNMF)
        turns = held[held[:, 1] > 0, 0].tolist()
        assert len(turns) == len(set(turns) & set(range(1, d.count)))
    assert (d.count, len(turns)) == (2, 1)


def test_a_burst_is_no_slow_rise():
    """Dim bursts of 10 Hz look slower than they are (.06 s), by no more than twice."""
    rises = [_rise_of_bursts(seed) for seed in range(5)]
    assert 0.03 < np.median(rises) < 0.12


def _rise_of_bursts(seed):
    rng = np.random.default_rng(seed)
    bursts = rng.random((20, 1800)) < 0.1 / RATE
    firing = np.array([np.convolve(row, np.ones(18))[:1800] > 0 for row in bursts]) * 10 + 0.1
    fluorescence = cells(20, 1800, noise=0.4, seed=seed, firing=firing)[2]
    return time_constants(fluorescence, RATE, CNMF)[1]


def test_the_turns_of_the_rise_outlast_a_death():
    """A cell dies while its rise is looked for, or another; the last cell gets its place."""
    fluorescence = cells(6, 200)[2]
    d = Deconvolver(RATE, 15)
    d.append(np.empty((6, 0), np.float32))
    for frame in fluorescence.T:
        d.step(np.ascontiguousarray(frame), CNMF)
    turns = d._probes.arrays[4]
    old = int(turns[0, 1])
    assert (old > 190, turns.tolist()) == (True, [[0, old], [2, old], [4, old]])
    d.drop(2)
    d.drop(3)
    assert turns.tolist() == [[0, old], [2, 0], [3, old]]
    d.drop(0)
    assert turns.tolist() == [[0, 0], [2, 0], [0, old]], "what is known of a cell goes with it"


def test_given_time_constants_are_used():
    settings = CNMF.model_copy(update={"decay": 0.9, "rise": 0.1})
    d, _ = run(cells(2, 100)[2], settings=settings)
    np.testing.assert_allclose(d.decay, 0.9)
    assert d._cells[2][0, window.R] == pytest.approx(np.exp(-1 / 3))


def test_whole_traces():
    spikes, calcium, fluorescence = cells(3, 3000)
    raw, found, s = deconvolve(fluorescence, RATE, CNMF)
    for k in range(3):
        assert pear(found[k], calcium[k]) > 0.975
        assert pear(s[k].reshape(-1, 6).sum(1), spikes[k].reshape(-1, 6).sum(1)) > 0.95
    assert np.abs(raw - calcium)[:, 150:].mean() < 0.15


def test_a_cell_does_not_depend_on_its_neighbours_place():
    given_constants = CNMF.model_copy(update={"decay": 0.6, "rise": 0.05})
    fluorescence = cells(5, 300)[2]
    one, two = Deconvolver(RATE, 10), Deconvolver(RATE, 10)
    for d in (one, two):
        d.append(fluorescence[:, :40].copy())
    order = np.array([3, 4, 2])
    for t in range(40, 300):
        one.step(fluorescence[:, t].copy(), given_constants)
        two.step(fluorescence[order if t > 100 else slice(None), t].copy(), given_constants)
        if t == 100:
            two.drop(1)
            two.drop(0)
    for name in ("raw", "calcium", "spikes", "settled_calcium", "settled_spikes", "noise", "baseline"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name)[order], rtol=1e-4, atol=1e-3)


def test_room_grows_and_no_cells_are_no_trouble():
    d = Deconvolver(RATE, 5)
    d.step(np.empty(0, np.float32), CNMF)
    for n in (1, 40, 3):
        d.append(np.ones((n, 7), np.float32))
    d.step(np.ones(44, np.float32), CNMF)
    assert d.count == 44
    assert d.raw.shape == (44,)
    for k in reversed(range(44)):
        d.drop(k)
    d.step(np.empty(0, np.float32), CNMF)
    assert [x.shape for x in d.flush()] == [(0, 5), (0, 5)]


def test_history_is_settled_and_goes_on_from_its_end():
    _, calcium, fluorescence = cells(4, 600, seed=4)
    _, out = run(fluorescence, history=300)
    assert np.isfinite(out[:3]).all()
    for k in range(4):
        if calcium[k, :300].any():
            assert pear(out[1, k, :300], calcium[k, :300]) > 0.93
        assert pear(out[1, k, 300:], calcium[k, 300:]) > 0.9


@pytest.mark.parametrize("value", [0.0, 7.3, 65535.0])
def test_a_constant_trace_has_no_spikes(value):
    _, out = run(np.full((2, 200), value, np.float32))
    assert not out[[2, 4]].any()
    np.testing.assert_allclose(out[[0, 1, 3]], 0, atol=1e-6 * max(value, 1))


def test_frames_without_data_are_survived_and_not_remembered():
    _, _, fluorescence = cells(3, 900, seed=8)
    holes = fluorescence.copy()
    holes[:, 400:430] = np.nan
    holes[1, 500::7] = np.nan
    out = run(holes)[1]
    assert np.isfinite(out[1:]).all()
    assert np.isnan(out[0]).sum() == np.isnan(holes).sum()
    assert pear(out[3, 0, 600:], run(fluorescence)[1][3, 0, 600:]) > 0.99
    never, out = run(np.full((1, 100), np.nan, np.float32), history=20)
    assert not np.nan_to_num(out).any()
    assert never.count == 1


@given(st.integers(0, 10_000))
def test_anything_gives_numbers(seed):
    rng = np.random.default_rng(seed)
    d = Deconvolver(float(rng.choice([2.0, 30.0, 120.0])), int(rng.integers(0, 40)))
    d.append(
        (10.0 ** rng.integers(-3, 6) * rng.standard_normal((3, int(rng.integers(0, 60))))).astype(np.float32)
    )
    for _ in range(60):
        kind = rng.integers(0, 5)
        value = [
            np.zeros(3),
            rng.standard_normal(3),
            1e6 * rng.random(3),
            np.full(3, np.nan),
            np.full(3, 65535),
        ]
        settings = CNMF.model_copy(
            update={
                "decay": float(rng.choice([0, 0.01, 10])), "rise": float(rng.choice([0, 0.001, 2])),
                "order": str(rng.choice(["1", "2"])), "baseline": float(rng.choice([2, 20, 600])),
            }
        )  # fmt: skip
        d.step(value[kind].astype(np.float32), settings)
        for name in ("calcium", "spikes", "noise", "baseline"):
            assert np.isfinite(getattr(d, name)).all(), name
        assert (d.spikes >= 0).all()
        assert not (d.settled_spikes < 0).any()


def test_a_brighter_light_is_no_calcium():
    """What the cell has at rest grows with the light; the noise here does not."""
    fluorescence = 5 + 0.05 * np.random.default_rng(0).standard_normal((3, 900)).astype(np.float32)
    d = Deconvolver(RATE, 15)
    d.append(fluorescence[:, :0])
    for t in range(600):
        d.step(np.ascontiguousarray(fluorescence[:, t]), CNMF)
    d.brighten(1.4)
    for t in range(600, 900):
        d.step(np.ascontiguousarray(fluorescence[:, t] + 2), CNMF)
        assert abs(d.raw).max() < 0.5
    np.testing.assert_allclose(d.baseline, 7, atol=0.1)
