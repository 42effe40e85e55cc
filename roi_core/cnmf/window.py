"""Non-negative deconvolution of the last W frames of one trace, warm-started from frame to frame.

The model of Friedrich, Zhou and Paninski (PLoS Comput Biol 2017): calcium_t = g1 calcium_{t-1} + g2
calcium_{t-2} + spikes_t, spikes >= 0. In closed form a spike of age a leaves h(a) = (d^(a+1) - r^(a+1)) /
(d - r) with the roots d (decay) and r (rise; 0 for order 1).

Deviation: instead of the paper's pools, which are exact for order 1 only, the spikes of the window are kept
together with their gradients q_i = sum_k h(k - i) (y_k - calcium_k). A new frame with innovation e adds
h(age) e to them; a spike moved by x takes G x from them, where G_ij = sum_k h(k - i) h(k - j) = d^(j-i) P_j
- r^(j-i) Q_j, i <= j. So neither data nor Gram matrix is kept, both orders are one code and the work of a
frame is bounded: the coordinate that gains most is moved, at most `moves` times; what is left is carried on
with the next frame. Spikes that leave the window stay as they are.

The penalty of a spike is z noise times the norm of what is seen of its kernel: it is kept when a matched
filter would see it with z standard deviations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, lean, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "DIAGONAL",
    "DRIFT",
    "FAST",
    "LEVEL",
    "PEAK",
    "SETTLED_FAST",
    "SETTLED_SLOW",
    "SHAPE_ROWS",
    "SLOW",
    "SPIKES",
    "STATE",
    "VALUES",
    "D",
    "R",
    "change",
    "roots",
    "settle",
    "shape_of",
    "take",
    "unsettled",
]

# Rows of a window (3, W) float32, in order of time, the newest frame last.
GRADIENT, SPIKES, VALUES = range(3)
# Rows of a shape (7, W) float32: by place in the window, but the powers by their exponent.
H, GRAM_D, GRAM_R, POWER_D, POWER_R, DIAGONAL, LEVEL = range(7)
SHAPE_ROWS = 7
# The state (8,) float64: roots, the two parts of calcium now and of the last settled frame, largest h, drift.
D, R, SLOW, FAST, SETTLED_SLOW, SETTLED_FAST, PEAK, DRIFT = range(8)
STATE = 8


@kernel
def roots(decay: float, rise: float, rate: float) -> tuple[float, float]:
    """Return d and r, kept apart (the rise takes at most half the decay); rise 0 is order 1."""
    d = np.exp(-1 / (rate * max(decay, 0.2 / rate)))
    r = np.exp(-1 / (rate * rise)) if rise > 0 else 0.0
    return d, min(r, d * d)


@lean
def shape_of(shape: NDArray[np.float32], state: NDArray[np.float64], d: float, r: float) -> None:
    """Set the roots and fill the kernel, its powers and the generators P, Q of the Gram matrix."""
    width = shape.shape[1]
    state[D], state[R], state[PEAK] = d, r, 1.0
    if r > 1e-6:
        age = max(1.0, np.round(np.log(np.log(r) / np.log(d)) / (np.log(d) - np.log(r))))
        state[PEAK] = (d**age - r**age) / (d - r)
    dp, rp, gram_d, gram_r, square = 1.0, 1.0, 0.0, 0.0, 0.0
    for age in range(width):
        i = width - 1 - age
        shape[POWER_D, age], shape[POWER_R, age] = dp, rp
        dp, rp = dp * d, rp * r
        h = (dp - rp) / (d - r)
        gram_d += h * dp / (d - r)
        gram_r += h * rp / (d - r)
        shape[H, i], shape[GRAM_D, i], shape[GRAM_R, i] = h, gram_d, gram_r
        square += h * h
        shape[DIAGONAL, i], shape[LEVEL, i] = square, np.sqrt(square)


@part
def take(
    window: NDArray[np.float32], shape: NDArray[np.float32], state: NDArray[np.float64],
    value: float, penalty: float, moves: int, tolerance: float, follow: float, forget: float,
) -> float:  # fmt: skip
    """Take one frame, NaN where there is none, and return the calcium of it."""
    d, r = state[D], state[R]
    slow, fast = state[SLOW] * d, state[FAST] * r
    known = np.isfinite(value)
    _advance(window, shape[H], value, value - state[DRIFT] - slow + fast if known else 0.0)
    if known:
        for _ in range(moves):
            place, step = _best(window, shape, penalty, tolerance)
            if place < 0:
                break
            _move(window, shape, place, step)
            age = window.shape[1] - 1 - place
            slow += step * shape[POWER_D, age] * d / (d - r)
            fast += step * shape[POWER_R, age] * r / (d - r)
        state[DRIFT] += follow * (value - state[DRIFT] - slow + fast) - forget * state[DRIFT]
    state[SLOW], state[FAST] = slow, fast
    return float(slow - fast)


@lean
def change(
    window: NDArray[np.float32], shape: NDArray[np.float32], state: NDArray[np.float64], place: int, d: float,
    r: float,
) -> float:  # fmt: skip
    """Go on with other roots, `place` being the last settled frame; return by what spikes were multiplied.

    Spikes keep the height of their transients, and settled calcium its last two values. What follows is seen
    anew: the calcium of the window, and what the gradients say is left of it.
    """
    spikes, values, last, peak = window[SPIKES], window[VALUES], window.shape[1] - 1, state[PEAK]
    slow, fast = _carried(state, d, r)
    state[SETTLED_SLOW], state[SETTLED_FAST] = slow, fast
    shape_of(shape, state, d, r)
    factor, left = peak / state[PEAK], window[GRADIENT]
    for i in range(last + 1):
        spikes[i] *= factor
        left[i] = 0
        if i > place:
            slow, fast = d * (slow + spikes[i] / (d - r)), r * (fast + spikes[i] / (d - r))
            if np.isfinite(values[i]):
                left[i] = values[i] - state[DRIFT] - slow + fast
    state[SLOW], state[FAST] = slow, fast
    for i in range(
        last + 1
    ):  # in place: of what is left, a gradient needs no more than its own frame and later
        total = 0.0
        for k in range(i, last + 1):
            total += shape[H, last - (k - i)] * left[k]
        left[i] = total
    return float(factor)


@part
def _carried(state: NDArray[np.float64], d: float, r: float) -> tuple[float, float]:
    """Return the two parts of settled calcium under other roots, so that its last two values stay."""
    slow, fast = state[SETTLED_SLOW], state[SETTLED_FAST]
    now = slow - fast
    before = slow / state[D] - (fast / state[R] if state[R] > 0 else 0.0)
    slow = d * (now - r * before) / (d - r)
    return slow, slow - now


@part
def settle(window: NDArray[np.float32], state: NDArray[np.float64], place: int) -> tuple[float, float]:
    """Return calcium and spike of the frame at `place`, which is taken to be right from now on."""
    d, r, spike = state[D], state[R], np.float64(window[SPIKES, place])
    state[SETTLED_SLOW] = d * (state[SETTLED_SLOW] + spike / (d - r))
    state[SETTLED_FAST] = r * (state[SETTLED_FAST] + spike / (d - r))
    return state[SETTLED_SLOW] - state[SETTLED_FAST], spike


@lean
def unsettled(
    windows: NDArray[np.float32], states: NDArray[np.float64], calcium: NDArray[np.float32],
    spikes: NDArray[np.float32],
) -> None:  # fmt: skip
    """Fill in (N, lag) what is known of the frames that did not settle yet, by the recursion of the model."""
    lag = calcium.shape[1]
    for k in range(calcium.shape[0]):
        d, r, peak = states[k, D], states[k, R], np.float32(states[k, PEAK])
        slow, fast, unit = states[k, SETTLED_SLOW], states[k, SETTLED_FAST], 1 / (d - r)
        for t in range(lag):
            spike = windows[k, SPIKES, windows.shape[2] - lag + t]
            slow = d * (slow + spike * unit)
            fast = r * (fast + spike * unit)
            calcium[k, t], spikes[k, t] = slow - fast, spike * peak


@part
def _advance(window: NDArray[np.float32], h: NDArray[np.float32], value: float, innovation: float) -> None:
    """Let every spike grow older by a frame that differs by `innovation` from what was foreseen."""
    gradient, spikes, values = window[GRADIENT], window[SPIKES], window[VALUES]
    e = h.dtype.type(innovation)
    last = gradient.size - 1
    for i in range(last):
        gradient[i] = gradient[i + 1] + h[i] * e
    for i in range(last):
        spikes[i] = spikes[i + 1]
    for i in range(last):
        values[i] = values[i + 1]
    gradient[last], spikes[last], values[last] = h[last] * e, 0, value


@part
def _best(
    window: NDArray[np.float32], shape: NDArray[np.float32], penalty: float, tolerance: float
) -> tuple[int, float]:
    """Return the spike whose change lowers the cost most, and the change; -1 when none by `tolerance`."""
    gradient, spikes, diagonal, level = window[GRADIENT], window[SPIKES], shape[DIAGONAL], shape[LEVEL]
    number = gradient.dtype.type
    cost, half, zero = number(penalty), number(0.5), number(0)
    best, place, step = number(tolerance), -1, zero
    for i in range(gradient.size):
        g = gradient[i] - cost * level[i]
        if g > zero or spikes[i] > zero:
            x = max(g / diagonal[i], -spikes[i])
            gain = x * (g - half * x * diagonal[i])
            if gain > best:
                best, place, step = gain, i, x
    return place, float(step)


@part
def _move(window: NDArray[np.float32], shape: NDArray[np.float32], j: int, x: float) -> None:
    """Add x to spike j: take x times the j-th column of the Gram matrix from the gradients."""
    gradient = window[GRADIENT]
    window[SPIKES, j] += x
    change = gradient.dtype.type(x)
    p, q = change * shape[GRAM_D, j], change * shape[GRAM_R, j]
    d, r = shape[POWER_D], shape[POWER_R]
    for i in range(j + 1):
        gradient[i] -= p * d[j - i] - q * r[j - i]
    after = gradient[j + 1 :]
    gram_d, gram_r = shape[GRAM_D, j + 1 :], shape[GRAM_R, j + 1 :]
    d, r = d[1:], r[1:]
    for i in range(after.size):
        after[i] -= change * (d[i] * gram_d[i] - r[i] * gram_r[i])
