"""One frame of all cells, in one kernel: baseline, noise, spikes, time constants."""

from __future__ import annotations

import numpy as np

from roi_core.cnmf import decay, rise, trend
from roi_core.cnmf.decay import Z
from roi_core.cnmf.trend import BASELINE, NOISE
from roi_core.cnmf.window import (
    DIAGONAL,
    LEVEL,
    PEAK,
    SPIKES,
    STATE,
    D,
    R,
    change,
    roots,
    settle,
    shape_of,
    take,
)
from roi_core.jit import kernel, lean, part

__all__ = ["COLUMNS", "DECAY_NOW", "FIELD", "FIELD_RISE", "OUT", "catch_up", "step"]

MOVES = 8
TOLERANCE = 1e-3
"""Spikes moved per cell and frame at most, and the gain (in noise squared) below which none is."""
FOLLOW, FORGET = 1.0, 5.0
"""Time in which the drift follows what spikes leave over, and is forgotten, s."""
LINEAR = 8.0
"""Causal spikes are linear up to this many times what can just be seen (`Z`), and grow as a root above."""
DEBT = 1.0
"""Time in which it is forgotten that a spike was told that turned out to be none, s."""
SIZES = 0.999

# Columns after those of the window's state, float64.
AGE, OWED, TOLD, SQUARES, SUM, DECAY_NOW = range(STATE, STATE + 6)
COLUMNS = STATE + 6
# Columns of out (cap, 5) float32
RAW, CALCIUM, SPIKE, SETTLED_CALCIUM, SETTLED_SPIKES = range(5)
OUT = 5
# What is known of the field, float64: frames seen, log decay, rise; then the search of the decay.
FRAME, FIELD_DECAY, FIELD_RISE = range(3)
FIELD = 3 + 2 + len(decay.GRID)


@lean
def step(fluorescence, cells, out, field, probes, options, lag, learn):  # type: ignore[no-untyped-def]
    """Take the fluorescence (N,) of a frame.

    `cells` are the arrays of N cells: windows, shapes, states, trends, blocks, bins, notes, costs. `options`
    are rate, decay, rise, order, frames in a block, blocks. Without `learn` all but the spikes stays.
    """
    windows, shapes, states, trends, blocks, bins, notes, costs = cells
    rate, length, n_blocks = options[0], int(options[4]), int(options[5])
    period = int(rate) + 1
    bin_length = max(1, int(np.round(rate * decay.BIN)))
    follow, forget = min(1.0, 1 / (FOLLOW * rate)), min(1.0, 1 / (FORGET * rate))
    frame = int(field[FRAME])
    if learn:
        field[FRAME] += 1
        decay.search(field[3:], notes, bins, costs, bin_length / rate)
        if frame % period == 0:
            field[FIELD_DECAY] = decay.pool_field(costs)
    for k in range(fluorescence.size):
        state, value = states[k], fluorescence[k]
        if (frame + k) % period == 0 or state[D] == 0:
            log_decay, place = decay.estimate(costs[k], field[FIELD_DECAY]), windows.shape[2] - 1 - lag
            _constants(windows[k], shapes[k], state, options, log_decay, field[FIELD_RISE], place)
        known = np.isfinite(value)
        if known and learn:
            trend.follow(trends[k], blocks[k], value, length, n_blocks, k)
        raw = value - trends[k, BASELINE]
        if known and learn:
            decay.collect(notes[k], bins[k], raw, bin_length)
        noise = trends[k, NOISE]
        if noise <= 1e-6 * abs(value):
            noise = np.float32(0)
        _deconvolve(windows[k], shapes[k], state, out[k], raw, noise, rate, follow, forget, lag)
    if learn and options[3] > 1 and options[2] == 0:
        _probe(probes, field, fluorescence, cells, rate)
    elif learn:
        probes[4][:, 1] = 0


@kernel
def catch_up(history, cells, out, field, probes, options, lag, past):  # type: ignore[no-untyped-def]
    """Take a history (T, N) without learning; ``past`` (3, N, T) gets raw, calcium and spikes."""
    for t in range(history.shape[0]):
        step(history[t], cells, out, field, probes, options, lag, False)
        for k in range(out.shape[0]):
            past[0, k, t] = out[k, RAW]
            if t >= lag:
                past[1, k, t - lag] = out[k, SETTLED_CALCIUM]
                past[2, k, t - lag] = out[k, SETTLED_SPIKES]


@lean
def _constants(window, shape, state, options, log_decay, field_rise, place):  # type: ignore[no-untyped-def]
    """Use the time constants of now, when they differ by more than a little from those in use."""
    rate, given_decay, given_rise, order = options[0], options[1], options[2], options[3]
    state[DECAY_NOW] = given_decay if given_decay > 0 else np.exp(log_decay)
    up = given_rise if given_rise > 0 else min(field_rise, 0.3 * state[DECAY_NOW])
    d, r = roots(state[DECAY_NOW], up if order > 1 else 0.0, rate)
    if state[D] == 0:
        shape_of(shape, state, d, r)
        return
    if abs(d - state[D]) < 0.01 * (1 - d) and abs(r - state[R]) < 0.02 * (1 - r):
        return
    factor = change(window, shape, state, place, d, r)
    state[OWED], state[TOLD], state[SUM] = factor * state[OWED], factor * state[TOLD], factor * state[SUM]
    state[SQUARES] *= factor * factor


@part
def _deconvolve(window, shape, state, out, raw, noise, rate, follow, forget, lag):  # type: ignore[no-untyped-def]
    """Take one frame of one cell and write what is known now of this frame and of the one `lag` ago."""
    before = state[TOLD] - _told(window[SPIKES, :1], shape, state, noise)
    calcium = take(
        window,
        shape,
        state,
        raw,
        Z * noise,
        MOVES if noise > 0 else 0,
        TOLERANCE * noise * noise,
        follow,
        forget,
    )
    state[TOLD] = _told(window[SPIKES], shape, state, noise)
    state[OWED] += before - state[TOLD]
    spike = _bounded(max(-state[OWED], 0.0), LINEAR * Z * noise / shape[LEVEL, 0])
    state[OWED] = max(state[OWED], 0.0) * (1 - min(1.0, 1 / (DEBT * rate)))
    out[RAW], out[CALCIUM], out[SPIKE] = raw, max(calcium, 0.0), spike * state[PEAK]
    state[AGE] += 1
    if state[AGE] <= lag:
        out[SETTLED_CALCIUM] = out[SETTLED_SPIKES] = np.nan
        return
    calcium, spike = settle(window, state, window.shape[1] - 1 - lag)
    if spike > 0:
        state[SQUARES] = SIZES * state[SQUARES] + spike * spike
        state[SUM] = SIZES * state[SUM] + spike
        state[TOLD] = _told(window[SPIKES], shape, state, noise)  # what the usual size adds is no spike
    out[SETTLED_CALCIUM], out[SETTLED_SPIKES] = calcium, spike * state[PEAK]


@part
def _bounded(spike, linear):  # type: ignore[no-untyped-def]
    """Return a spike that grows as a root above `linear`; 0 is no bound."""
    return np.sqrt(linear * spike) if 0 < linear < spike else spike


@part
def _told(spikes, shape, state, noise):  # type: ignore[no-untyped-def]
    """Return the expected sum of spikes: each shrunk by the prior as far as little is seen of it."""
    total, one, some = np.float32(0), np.float32(1), False
    for i in range(spikes.size):
        some |= spikes[i] > 0
    if some:  # most cells are silent, and what follows is a third of their cost
        size = max(_usual(state), Z * noise / shape[LEVEL, 0])
        evidence = np.float32((size / noise) ** 2) if noise > 0 else np.float32(0)
        for i in range(spikes.size):
            if spikes[i] > 0:
                x = evidence * shape[DIAGONAL, i]
                total += spikes[i] * x / (x + one)
    return total


@part
def _usual(state):  # type: ignore[no-untyped-def]
    """Return the usual size of a cell's spikes, 0 when there were none."""
    return state[SQUARES] / state[SUM] if state[SUM] > 0 else 0.0


@lean
def _probe(probes, field, fluorescence, cells, rate):  # type: ignore[no-untyped-def]
    """Deconvolve the cells whose turn it is also with other rise times; a turn that is disturbed is void."""
    windows, shapes, states, costs, turns, total, following = probes
    n, trends, width, price = fluorescence.size, cells[3], windows.shape[3], rise.price(rate)
    turns[n:, 1] = 0
    for p in range(min(len(turns), n)):
        if turns[p, 1] == 0:
            some = max(1, min(rise.LOOK, n // len(turns)))
            turns[p, 0] = _brightest(cells, turns, following[0], some)
            following[0] = (following[0] + some) % n
            if turns[p, 0] < 0:
                continue
        k = turns[p, 0]
        value, noise = fluorescence[k], trends[k, NOISE]
        if noise <= 0 or noise <= 1e-6 * abs(value):
            turns[p, 1] = 0
            continue
        if turns[p, 1] == 0:
            costs[p] = 0
            rise.restart(windows[p], shapes[p], states[p], cells[2][k, DECAY_NOW], rate)
        turns[p, 1] += 1
        noise = np.hypot(noise, rise.MISFIT * _usual(cells[2][k]) * cells[2][k, PEAK])
        raw, old = value - trends[k, BASELINE], turns[p, 1] > 2 * width
        rise.probe(windows[p], shapes[p], states[p], costs[p], raw, noise, Z, price, old)
        if turns[p, 1] >= rate * rise.TURN:
            rise.settle_costs(total, costs[p])
            field[FIELD_RISE] = rise.best_rise(total)
            turns[p, 1] = 0


@part
def _brightest(cells, turns, first, some):  # type: ignore[no-untyped-def]
    """Return that of `some` cells from `first` on whose usual spike is largest in units of the noise.

    Those whose turn it is already are left out, and those without noise; -1 when none is left.
    """
    states, trends = cells[2], cells[3]
    found, most = -1, -1.0
    for i in range(first, first + some):
        k = i % len(states)
        noise = trends[k, NOISE]
        if not noise > 1e-6 * abs(trends[k, BASELINE]) or _has_its_turn(turns, k):
            continue
        bright = _usual(states[k]) * states[k, PEAK] / noise
        if bright > most:
            found, most = k, bright
    return found


@part
def _has_its_turn(turns, k):  # type: ignore[no-untyped-def]
    for p in range(len(turns)):
        if turns[p, 0] == k and turns[p, 1] > 0:
            return True
    return False
