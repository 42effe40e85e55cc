"""What is followed of each trace, against slow twins: noise and baseline, time constants, causal spikes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core.cnmf import decay, rise, track, trend, window
from roi_core.cnmf.deconvolve import Deconvolver
from tests import naive
from tests.core.test_deconvolve import CNMF, RATE, cells

GIVEN = CNMF.model_copy(update={"decay": 0.6, "rise": 0.06})
SEEDS = st.integers(0, 10**6)


def random_trace(random, frames):
    """Noise, transients, a slow drift and a few values that are far off."""
    jumps = random.normal(0, 20, frames) * (random.random(frames) < 0.02)
    steps = np.cumsum(random.normal(0, 1, frames) * (random.random(frames) < 0.05))
    return (50 + random.normal(0, 1, frames) + 3 * steps + jumps).astype(np.float32)


# --- noise and baseline


def foot(blocks, noise):
    """The lowest level that holds a fair part of as many blocks as the fullest; its mean below a cut."""
    rising = np.sort(np.asarray(blocks, float))
    wide = 3 * noise + trend.SPREAD * (rising[len(rising) // 2] - rising[len(rising) // 20])
    held = np.array([((rising >= low) & (rising <= low + wide)).sum() for low in rising])
    first = int(np.argmax(held >= trend.ENOUGH * held.max()))
    found = rising[(2 * first + held[first]) // 2]
    for _ in range(2):
        low = rising[(rising >= found - 3 * noise) & (rising <= found + 1.5 * noise)]
        found = low.mean() + 0.139 * noise if len(low) else found
    return found


@given(SEEDS, st.integers(1, trend.BLOCKS))
def test_the_foot_is_the_lowest_level_that_holds_enough_blocks(seed, filled):
    random, known = np.random.default_rng(seed), np.zeros(trend.FIELDS, np.float32)
    levels = random.normal(0, random.choice([1, 5]), 4)
    blocks = np.sort(random.choice(levels, filled) + random.normal(0, 0.3, filled)).astype(np.float32)
    known[trend.FILLED], known[trend.NOISE] = filled, random.uniform(0.01, 2)
    expected = foot(blocks, known[trend.NOISE] / np.sqrt(7))
    assert trend._foot(known, blocks, 7) == pytest.approx(expected, abs=1e-4)


def followed(trace, length, n, phase):
    """Noise and baseline after each frame; the target of the baseline, NaN when there is none."""
    out, means, part, variance, base, step, target = [], [], [], 0.0, 0.0, 0.0, np.nan
    for t, value in enumerate(trace):
        if t >= 2:
            square = (value - 2 * trace[t - 1] + trace[t - 2]) ** 2 / 6
            square = square if t < 10 else min(square, 4 * variance) / 0.9205
            variance += (square - variance) / min(t - 1, trend.MEMORY)
        part.append(value)
        if len(part) == length + (0 if means else phase % length):
            young = min(len(means), n) < trend.YOUNG
            means, part = [*means, np.mean(part)], []
            if young or (len(means) % n + phase) % trend.EVERY == 0:
                target = foot(means[-n:], np.sqrt(variance / length))
                step = (target - base) / (length if young else trend.EVERY * length)
            base, step = (target, 0) if len(means) == 1 else (base, step)
        elif not means:
            base = np.mean(part)
        base += step
        out.append((np.sqrt(variance), base))
    return np.transpose(out), target


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 6), st.sampled_from([5, 24, 100]), st.integers(0, 2))
def test_noise_and_baseline_are_followed_as_their_slow_twin_does(seed, length, n, phase):
    trace = random_trace(np.random.default_rng(seed), 240)
    known, blocks, out = np.zeros(trend.FIELDS, np.float32), np.zeros((2, trend.BLOCKS), np.float32), []
    for value in trace:
        trend.follow(known, blocks, float(value), length, n, phase)
        out.append(known[[trend.NOISE, trend.BASELINE]].copy())
    expected, _ = followed(trace.astype(float), length, n, phase)
    np.testing.assert_allclose(np.transpose(out), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("frames", [2, 5, 6, 40, 300])
def test_a_past_teaches_what_its_frames_would_and_the_baseline_is_at_its_target(frames):
    """Of less than a block it is the mean: what is known of it."""
    random, length = np.random.default_rng(frames), 6
    past = np.array([random_trace(random, frames) for _ in range(3)])
    past[1, frames // 2] = np.nan
    known, blocks = np.zeros((3, trend.FIELDS), np.float32), np.zeros((3, 2, trend.BLOCKS), np.float32)
    trend.learn(past, known, blocks, length, 100)
    for k, trace in enumerate(past.astype(float)):
        trace = trace[np.isfinite(trace)]
        (noise, _), target = followed(trace, length, 100, k)
        level = trace.mean() if np.isnan(target) else target
        assert known[k, trend.NOISE] == pytest.approx(noise[-1], rel=1e-3)
        assert known[k, trend.BASELINE] == pytest.approx(level, rel=1e-4)
        assert known[k, trend.STEP] == 0


# --- decay


def winsorised(y):
    """The sd by second differences, those beyond twice it cut off, three times over."""
    squares = np.diff(y, 2) ** 2 / 6
    total = squares.mean()
    for _ in range(3):
        total = np.minimum(squares, 4 * total).mean() / 0.9205
    return np.sqrt(total)


def decay_costs(bins, length):
    """For each decay of the grid what the best spikes cost, bins of so many seconds."""
    noise, out = winsorised(bins), []
    for seconds in np.exp(decay.GRID):
        d = np.exp(-length / seconds)
        kernel = d ** np.arange(len(bins))
        penalty = np.full(len(bins), decay.Z * noise / np.sqrt(1 - d * d))
        penalty[0] = 0
        spikes = naive.fewest_spikes(bins, kernel, penalty)
        left = bins - np.convolve(spikes, kernel)[: len(bins)]
        out.append(((left**2).sum() / 2 + penalty @ spikes) / noise**2)
    return np.array(out)


@pytest.mark.parametrize("seed", range(4))
def test_decays_are_tried_one_a_frame_and_their_costs_added(seed):
    """A cell has its turn when enough of its bins are new; of the ring the last bins count."""
    random, filled, fresh = np.random.default_rng(seed), 45, 30
    bins = (
        random.normal(0, 1, filled)
        + np.convolve(random.random(filled) < 0.1, 5 * 0.8 ** np.arange(20))[:filled]
    )
    rings, notes = np.full((2, decay.BINS), 99, np.float32), np.zeros((2, decay.NOTES))
    place = int(random.integers(0, decay.BINS))
    rings[1, (np.arange(filled) + place - filled) % decay.BINS] = bins
    notes[:, [decay.FRESH, decay.FILLED, decay.NEXT]] = (decay.NEW - 1, 99, 0), (fresh, filled, place)
    hunt, costs = np.zeros(2 + len(decay.GRID)), random.uniform(0, 50, (2, len(decay.GRID)))
    before = costs.copy()
    for _ in range(len(decay.GRID)):
        decay.search(hunt, notes, rings, costs, 0.1)
        np.testing.assert_array_equal(costs, before)
    decay.search(hunt, notes, rings, costs, 0.1)
    trial = decay_costs(bins.astype(np.float32).astype(float), 0.1)
    expected = np.exp(-fresh / decay.MEMORY) * before[1] + fresh / filled * (trial - trial.min())
    np.testing.assert_allclose(costs, [before[0], expected], rtol=1e-4)
    assert notes[:, decay.FRESH].tolist() == [decay.NEW - 1, 0]


def test_bins_are_means_of_so_many_frames_and_the_last_are_kept():
    trace, notes, ring = (
        np.random.default_rng(0).normal(0, 1, 700),
        np.zeros(decay.NOTES),
        np.zeros(decay.BINS),
    )
    for value in trace:
        decay.collect(notes, ring, float(value), 3)
    means = trace[:699].reshape(-1, 3).mean(1)
    np.testing.assert_allclose(np.roll(ring, -int(notes[decay.NEXT])), means[-decay.BINS :])
    assert notes[[decay.FILLED, decay.FRESH, decay.LENGTH]].tolist() == [decay.BINS, 233, 1]
    assert notes[decay.SUM] == trace[-1]


def vertex(grid, costs):
    """Where the parabola through the least cost and those beside it is lowest; at the ends the grid's own."""
    g = int(np.argmin(costs))
    if g in (0, len(grid) - 1):
        return grid[g]
    square, slope, _ = np.polyfit(grid[g - 1 : g + 2] - grid[g], costs[g - 1 : g + 2], 2)
    return grid[g] - slope / (2 * square)


@given(SEEDS, st.floats(0.1, 4.5))
def test_decays_of_least_cost_of_a_cell_and_of_the_field(seed, centre):
    """Each under its normal prior; none of the cells counts for more than is LOUD."""
    random, grid = np.random.default_rng(seed), decay.GRID
    scale = random.choice([1, 30, 1000], (5, 1))
    costs = scale * (grid - random.choice(grid, (5, 1))) ** 2 + scale * random.random((5, len(grid)))
    prior = 0.5 * ((grid - np.log(centre)) / decay.CELL_SD) ** 2
    assert decay.estimate(costs[0], np.log(centre)) == pytest.approx(vertex(grid, costs[0] + prior))
    above = costs - costs.min(1, keepdims=True)
    quiet = above * np.minimum(1, decay.LOUD / above.max(1, keepdims=True))
    field = quiet.sum(0) + 0.5 * ((grid - np.log(decay.DECAY)) / decay.FIELD_SD) ** 2
    assert decay.pool_field(costs) == pytest.approx(vertex(grid, field))


# --- rise


@given(SEEDS)
def test_a_turn_adds_to_the_costs_of_the_field_whose_least_is_the_rise(seed):
    random, grid = np.random.default_rng(seed), rise.GRID
    costs = 20 * (grid - random.choice(grid)) ** 2 + random.uniform(0, 9, len(grid))
    total = random.uniform(0, 40, len(grid))
    expected = 0.98 * total + costs - costs.min()
    rise.settle_costs(total, costs)
    np.testing.assert_allclose(total, expected)
    prior = 0.5 * ((grid - np.log(rise.RISE)) / rise.SPREAD) ** 2
    assert rise.best_rise(total) == pytest.approx(np.exp(vertex(grid, expected + prior)))


def test_the_price_of_a_spike_is_the_log_of_how_rare_it_is():
    """The log odds of a frame without a spike against one with it, at the rate at which they may come."""
    assert rise.price(30.0) == pytest.approx(-np.log(3.5 / (30 + 3.5)))


def test_a_rise_time_costs_what_it_does_not_fit_and_its_spikes():
    """Frames count once they leave the window."""
    frames, width, noise, price = 70, 16, 0.1, 1.5
    trace = cells(1, frames, firing=3.0, noise=noise, seed=4)[2][0].astype(float) - 4.9
    trace[:width] = 0  # else a spike before the first frame may fit best
    size = len(rise.GRID)
    windows, states, costs = np.ones((size, 3, width)), np.ones((size, window.STATE)), np.zeros(size)
    shapes = np.zeros((size, window.SHAPE_ROWS, width))
    rise.restart(windows, shapes, states, 0.6, RATE)
    for t, value in enumerate(trace):
        rise.probe(windows, shapes, states, costs, value, noise, 2.0, price, t >= width - 1)
    for g in range(0, size, 2):
        up = min(np.exp(rise.GRID[g]), 0.3)  # half of the decay
        kernel = naive.transient(0.6, up, RATE, frames)
        rows, matrix = naive.greedy_spikes(trace, kernel, width, 2.0 * noise, 8, 1e-3 * noise**2)
        gone = slice(0, frames - width + 1)
        left = (trace - matrix @ rows[-1])[gone]
        expected = (left**2).sum() / (2 * noise**2) + price * (rows[-1][gone] > 0).sum()
        assert costs[g] == pytest.approx(expected, rel=1e-6)


# --- all of it, frame by frame


def expected_sum(spikes, seen, noise, usual):
    """The sum of spikes, each times x / (x + 1), x = (usual size / noise)^2 times what is seen of it."""
    if noise == 0:
        return 0.0
    size = max(usual, decay.Z * noise / np.sqrt(seen[0]))
    x = (size / noise) ** 2 * seen[: len(spikes)]
    return float((spikes * x / (x + 1)).sum())


@pytest.mark.parametrize("order", ["1", "2"])
def test_a_causal_spike_is_what_a_frame_adds_to_the_sum_that_is_expected(order):
    """What was told in error is taken from the next, for a second; what is large grows as a root."""
    chosen = GIVEN.model_copy(update={"order": order})
    fluorescence = cells(2, 400, firing=3.0, noise=0.15, seed=1)[2]
    fluorescence[1] += 20 * (cells(1, 400, firing=0.5, noise=0.0, seed=3)[2][0] - 5)
    d, lag = Deconvolver(RATE, 12), 12
    d.append(np.empty((2, 0), np.float32))
    h = naive.transient(0.6, 0.06 if order == "2" else 0.0, RATE, d._width)
    seen, peak = np.cumsum(h**2)[::-1], h.max()
    told, owed, squares, total, before = (np.zeros(2) for _ in range(5))
    before = np.zeros((2, d._width))
    debts = roots = 0
    for t, frame in enumerate(fluorescence.T):
        d.step(np.ascontiguousarray(frame), chosen)
        now = d._cells[0][:2, window.SPIKES].astype(float)
        for k in range(2):
            noise, usual = float(d.noise[k]), squares[k] / total[k] if total[k] else 0.0
            told[k] -= expected_sum(before[k, :1], seen, noise, usual)  # it leaves the window for good
            whole = expected_sum(now[k], seen, noise, usual)
            owed[k], told[k] = owed[k] + told[k] - whole, whole
            spike, linear = max(-owed[k], 0), track.LINEAR * decay.Z * noise / np.sqrt(seen[0])
            roots, debts = roots + (spike > linear > 0), debts + (owed[k] > 0.01)
            spike = np.sqrt(spike * linear) if spike > linear > 0 else spike
            owed[k] = max(owed[k], 0) * (1 - 1 / RATE)
            assert d.spikes[k] == pytest.approx(spike * peak, rel=1e-3, abs=1e-4)
            settled = now[k, -1 - lag] if t >= lag else 0
            if settled:
                squares[k], total[k] = 0.999 * squares[k] + settled**2, 0.999 * total[k] + settled
                told[k] = expected_sum(now[k], seen, noise, squares[k] / total[k])
        before = now
    assert min(debts, roots) > 3


@pytest.mark.parametrize("order", ["1", "2"])
def test_calcium_is_what_its_spikes_leave(order):
    """Settled and not yet settled alike; and the causal one of the last frame."""
    chosen, lag = GIVEN.model_copy(update={"order": order}), 12
    fluorescence = cells(2, 200, firing=3.0, seed=1)[2]
    d, out = Deconvolver(RATE, lag), np.zeros((2, 2, 200))
    d.append(np.empty((2, 0), np.float32))
    for t in range(200):
        d.step(np.ascontiguousarray(fluorescence[:, t]), chosen)
        if t >= lag:
            out[:, :, t - lag] = d.settled_calcium, d.settled_spikes
    out[:, :, -lag:] = d.flush()
    h = naive.transient(0.6, 0.06 if order == "2" else 0.0, RATE, 200)
    for calcium, spikes, last in zip(*out, d.calcium, strict=True):
        expected = np.convolve(spikes / h.max(), h)[:200]
        assert spikes.max() > 0.5
        np.testing.assert_allclose(calcium, expected, atol=1e-3)
        assert last == pytest.approx(max(expected[-1], 0), abs=1e-3)


def test_the_past_of_a_new_cell_is_what_frames_one_by_one_would_have_given():
    """But for noise and baseline, which are those of the whole past from the first frame on."""
    past, lag = cells(2, 60, firing=3.0, seed=1)[2], 12
    d, other = Deconvolver(RATE, lag), Deconvolver(RATE, lag)
    raw, calcium, spikes = d.append(past)
    other.append(np.empty((2, 0), np.float32))
    other._cells[3][:2] = d._cells[3][:2]
    arrays, expected = tuple(array[:2] for array in other._cells), np.zeros((3, 2, 60))
    for t in range(60):
        row = np.ascontiguousarray(past[:, t])
        track.step(
            row, arrays, other._out[:2], other._field, other._probes.arrays, other._options, lag, False
        )
        expected[0, :, t] = other.raw
        if t >= lag:
            expected[1:, :, t - lag] = other.settled_calcium, other.settled_spikes
    expected[1:, :, -lag:] = other.flush()
    np.testing.assert_array_equal((raw, calcium, spikes), expected.astype(np.float32))
    np.testing.assert_allclose(raw, past - d.baseline[:, None], atol=1e-5)
    assert (spikes.max(1) > 0.3).all()


@given(SEEDS, st.sampled_from(["1", "2"]), st.booleans(), st.booleans())
def test_time_constants_are_those_given_or_else_learned(seed, order, tau, up):
    """A learned rise is at most .3 of the decay, any at most half of it; a little change is none."""
    random, width = np.random.default_rng(seed), 9
    learned, field = np.log(random.uniform(0.05, 3)), random.uniform(0.01, 0.5)
    given_decay, given_rise = (float(random.uniform(0.05, 2)) * some for some in (tau, up))
    shape, state = np.zeros((window.SHAPE_ROWS, width), np.float32), np.zeros(track.COLUMNS)
    options = np.array([RATE, given_decay, given_rise, float(order), 6, 100])
    w = np.zeros((3, width), np.float32)
    track._constants(w, shape, state, options, learned, field, 0)
    down = given_decay or np.exp(learned)
    rising = (given_rise or min(field, 0.3 * down)) if order == "2" else 0.0
    d = np.exp(-1 / max(RATE * down, 0.2))
    r = min(np.exp(-1 / (RATE * rising)), d * d) if rising else 0.0
    assert state[[track.DECAY_NOW, window.D, window.R]] == pytest.approx([down, d, r])
    kernel = (d ** np.arange(1, width + 1) - r ** np.arange(1, width + 1)) / (d - r)
    np.testing.assert_allclose(shape[window.H][::-1], kernel, rtol=1e-4)
    for change, taken in ((0.005, False), (0.05, True)):
        before, options[1] = state[window.D], -1 / (RATE * np.log(d - change * (1 - d)))
        track._constants(w, shape, state, options, learned, field, 0)
        assert (state[window.D] != before) == taken


@given(SEEDS)
def test_the_turn_is_that_of_the_brightest_that_has_none(seed):
    random, n = np.random.default_rng(seed), 7
    states, trends = np.zeros((n, track.COLUMNS)), np.zeros((n, trend.FIELDS), np.float32)
    states[:, [track.SQUARES, track.SUM, window.PEAK]] = random.uniform(0.1, 3, (n, 3))
    states[random.integers(n), track.SUM] = 0
    trends[:, trend.NOISE] = random.choice([0, 0.5, 2], n)
    turns = np.array([[random.integers(n), 5], [random.integers(n), 0], [random.integers(n), 1]])
    first, some = int(random.integers(n)), int(random.integers(1, n))
    usual = np.divide(
        states[:, track.SQUARES], states[:, track.SUM], where=states[:, track.SUM] > 0, out=np.zeros(n)
    )
    size = {
        k: usual[k] * states[k, window.PEAK] / trends[k, trend.NOISE]
        for k in (np.arange(first, first + some) % n).tolist()
        if trends[k, trend.NOISE] > 0 and k not in (turns[0, 0], turns[2, 0])
    }
    assert track._brightest((None, None, states, trends), turns, first, some) == max(
        size, key=size.get, default=-1
    )


def test_a_turn_probes_rise_times_with_what_is_known_of_its_cell():
    """By its decay at the start, and noise no smaller than a part of its usual spike; settled at its end."""
    rate, width, size = 10.0, 11, len(rise.GRID)
    trace = cells(1, 260, rate=rate, firing=1.0, noise=0.05, seed=2)[2][0]
    d, total, costs, age, turns = Deconvolver(rate, 5), np.zeros(size), np.zeros(size), 0, 0
    windows, shapes = (np.zeros((size, n, width), np.float32) for n in (3, window.SHAPE_ROWS))
    states = np.zeros((size, window.STATE))
    d.append(np.empty((1, 0), np.float32))
    for value in trace:
        d.step(np.array([value]), CNMF)
        state, noise = d._cells[2][0], float(d.noise[0])
        if noise <= 1e-6 * value:  # of the first frames nothing is known
            continue
        if age == 0:
            costs[:] = 0
            rise.restart(windows, shapes, states, d.decay[0], rate)
        age += 1
        usual = state[track.SQUARES] / state[track.SUM] * state[window.PEAK] if state[track.SUM] else 0.0
        noise, price = np.hypot(noise, 0.25 * usual), np.log1p(rate / rise.FIRING)
        rise.probe(windows, shapes, states, costs, d.raw[0], noise, decay.Z, price, age > 2 * width)
        if age == 10 * rate:
            total, age, turns = 0.98 * total + costs - costs.min(), 0, turns + 1
            prior = 0.5 * ((rise.GRID - np.log(rise.RISE)) / rise.SPREAD) ** 2
            assert d.rise == pytest.approx(np.exp(vertex(rise.GRID, total + prior)))
    assert turns == 2
    np.testing.assert_allclose(d._probes.arrays[3][0], costs, rtol=1e-6)
    assert np.ptp(costs) > 1
