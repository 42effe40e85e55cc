"""Calcium and spikes of every cell, frame by frame, by non-negative deconvolution in a sliding window.

The model of Friedrich, Zhou and Paninski (PLoS Comput Biol 2017): fluorescence = baseline + calcium + noise,
calcium_t = g1 calcium_{t-1} + g2 calcium_{t-2} + spikes_t, spikes >= 0; g2 = 0 for order 1. In closed form a
spike of age a leaves h(a) = (d^(a+1) - r^(a+1)) / (d - r), with the roots d = exp(-1/(rate decay)) and
r = exp(-1/(rate rise)); r = 0 for order 1.

Instead of the paper's pools the spikes of the last W frames are kept together with their gradients
q_i = sum_k h(k - i) (y_k - calcium_k), which a new frame with innovation e changes by h(age) e, and a spike
moved by x changes by -G x, where G_ij = sum_k h(k - i) h(k - j) = d^(j-i) P_j - r^(j-i) Q_j for i <= j. Neither
the data nor the Gram matrix is stored, both orders are one code, and the work of a frame is bounded: the
coordinates that gain most are moved, at most `MOVES`; what is left is carried on with the next frame.

Causal (`calcium`, `spikes`): of this frame, from this and earlier frames. Settled: of the frame `lag` frames
ago, after everything that came since has revised it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.cnmf import trend
from roi_core.cnmf.trend import BASELINE, NOISE
from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.settings import Cnmf

__all__ = ["Deconvolver"]

MOVES = 8
SETTLE = 0.3
"""The window is never shorter than this, in s, however small the lag."""
DECAY, RISE = 0.7, 0.05
THRESHOLD = 1.0

# Rows of `shape` (cap, 6, W): all in order of time, the newest frame last.
H, GRAM_D, GRAM_R, POWER_D, POWER_R, DIAGONAL = range(6)
# Columns of `state` (cap, 8) float64
D, R, SLOW, FAST, SLOW_SETTLED, FAST_SETTLED, AGE, MASS = range(8)
# Columns of `out` (cap, 5) float32
RAW, CALCIUM, SPIKES, SETTLED_CALCIUM, SETTLED_SPIKES = range(5)


class Deconvolver:
    """Fluorescence of N cells in, calcium and spikes out; one kernel call per frame.

    The views `raw`, `calcium`, `spikes`, `settled_calcium`, `settled_spikes`, `noise` and `baseline` are (N,)
    float32 and valid until the next call.
    """

    def __init__(self, rate: float, lag: int) -> None:
        self.rate, self.lag, self.count = rate, lag, 0
        self._width = max(lag, round(SETTLE * rate)) + 1
        self._settings: Cnmf | None = None
        self._allocate(16)

    def _allocate(self, capacity: int) -> None:
        """Make room for `capacity` cells and keep those there are."""
        old = getattr(self, "_arrays", None)
        width = self._width
        self._arrays = (
            np.zeros((capacity, 2, width), np.float32),  # gradients and spikes
            np.zeros((capacity, 6, width), np.float32),
            np.zeros((capacity, 8), np.float64),
            np.zeros((capacity, trend.FIELDS), np.float32),
            np.zeros((capacity, 2, trend.BLOCKS), np.float32),
            np.full((capacity, 5), np.nan, np.float32),
        )
        if old is not None:
            for new, kept in zip(self._arrays, old, strict=True):
                new[: self.count] = kept[: self.count]

    def _column(self, array: int, k: int) -> NDArray[np.float32]:
        column: NDArray[np.float32] = self._arrays[array][: self.count, k]
        return column

    @property
    def raw(self) -> NDArray[np.float32]:
        """Fluorescence above its baseline, of this frame."""
        return self._column(5, RAW)

    @property
    def calcium(self) -> NDArray[np.float32]:
        """Causal calcium of this frame."""
        return self._column(5, CALCIUM)

    @property
    def spikes(self) -> NDArray[np.float32]:
        """Causal spikes of this frame."""
        return self._column(5, SPIKES)

    @property
    def settled_calcium(self) -> NDArray[np.float32]:
        """Calcium of the frame `lag` frames ago, NaN while the cell is younger."""
        return self._column(5, SETTLED_CALCIUM)

    @property
    def settled_spikes(self) -> NDArray[np.float32]:
        """Spikes of the frame `lag` frames ago, NaN while the cell is younger."""
        return self._column(5, SETTLED_SPIKES)

    @property
    def noise(self) -> NDArray[np.float32]:
        """Running standard deviation of the noise of one frame."""
        return self._column(3, NOISE)

    @property
    def baseline(self) -> NDArray[np.float32]:
        """Running baseline of the fluorescence."""
        return self._column(3, BASELINE)

    def append(
        self, history: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Add n cells with their last T0 frames (n, T0); return raw, calcium, spikes (n, T0) of those."""
        n, frames = history.shape
        first, self.count = self.count, self.count + n
        if self.count > len(self._arrays[0]):
            self.count = first
            self._allocate(max(self.count + n, 2 * len(self._arrays[0])))
            self.count = first + n
        new = tuple(array[first : self.count] for array in self._arrays)
        for array in new[:-1]:
            array[...] = 0
        new[-1][...] = np.nan
        out = np.full((3, n, frames), np.nan, np.float32)
        constants = self._constants()
        length, blocks = self._blocks()
        for t in range(frames):
            _step(history[:, t], *new, constants, self.lag, length, blocks)
            out[0, :, t] = new[-1][:, RAW]
            if t >= self.lag:
                out[1, :, t - self.lag] = new[-1][:, SETTLED_CALCIUM]
                out[2, :, t - self.lag] = new[-1][:, SETTLED_SPIKES]
        left = min(self.lag, frames)
        if left:
            out[1:, :, frames - left :] = np.stack(_flushed(*new[:3], self.lag))[:, :, self.lag - left :]
        return out[0], out[1], out[2]

    def keep(self, order: NDArray[np.int64]) -> None:
        """Keep these cells, in this order."""
        for array in self._arrays:
            array[: len(order)] = array[: self.count][order]
        self.count = len(order)

    def step(self, fluorescence: NDArray[np.float32], settings: Cnmf) -> None:
        """Take the (N,) fluorescence of one frame; NaN where there is none."""
        self._settings = settings
        length, blocks = self._blocks()
        cells = tuple(array[: self.count] for array in self._arrays)
        _step(fluorescence, *cells, self._constants(), self.lag, length, blocks)

    def flush(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return calcium and spikes (N, lag) of the last frames, which have not settled yet."""
        cells = [array[: self.count] for array in self._arrays[:3]]
        return _flushed(*cells, self.lag)

    def _constants(self) -> NDArray[np.float64]:
        settings = self._settings
        decay = settings.decay if settings and settings.decay > 0 else DECAY
        rise = settings.rise if settings and settings.rise > 0 else RISE
        rise = 0.0 if settings and settings.order == "1" else rise
        return roots(decay, rise, self.rate)

    def _blocks(self) -> tuple[int, int]:
        frames = (self._settings.baseline if self._settings else 20.0) * self.rate
        length = max(1, round(frames / trend.BLOCKS), round(0.1 * self.rate))
        return length, int(max(2, min(trend.BLOCKS, frames / length)))


def roots(decay: float, rise: float, rate: float) -> NDArray[np.float64]:
    """Return d and r, a little apart so that their difference can be divided by."""
    d = np.exp(-1 / (rate * max(decay, 1e-3)))
    r = np.exp(-1 / (rate * rise)) if rise > 0 else 0.0
    return np.array([d, min(r, 0.98 * d)])


def _flushed(
    window: NDArray[np.float32], shape: NDArray[np.float32], state: NDArray[np.float64], lag: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    spikes = window[:, 1, window.shape[2] - lag :].copy()
    calcium = np.empty_like(spikes)
    slow, fast = state[:, SLOW_SETTLED].copy(), state[:, FAST_SETTLED].copy()
    d, r = state[:, D], state[:, R]
    for t in range(lag):
        slow = d * slow + d * spikes[:, t] / (d - r)
        fast = r * fast + r * spikes[:, t] / (d - r)
        calcium[:, t] = slow - fast
    return calcium, spikes


@kernel
def _shape_of(shape: NDArray[np.float32], d: float, r: float) -> None:
    """Fill the kernel, its powers and the Gram matrix's generators."""
    width = shape.shape[1]
    dp, rp, gram_d, gram_r = 1.0, 1.0, 0.0, 0.0
    for age in range(width):
        i = width - 1 - age
        shape[POWER_D, age], shape[POWER_R, age] = dp, rp
        dp, rp = dp * d, rp * r
        h = (dp - rp) / (d - r)
        gram_d += h * dp / (d - r)
        gram_r += h * rp / (d - r)
        shape[H, i] = h
        shape[GRAM_D, i], shape[GRAM_R, i], shape[DIAGONAL, i] = gram_d, gram_r, gram_d - gram_r


@kernel
def _move(window: NDArray[np.float32], shape: NDArray[np.float32], j: int, x: float) -> None:
    """Add `x` to spike `j` and change all gradients accordingly."""
    gradient = window[0]
    window[1, j] += x
    x = np.float32(x)
    p, q = x * shape[GRAM_D, j], x * shape[GRAM_R, j]
    for m in range(j + 1):
        gradient[m] -= p * shape[POWER_D, j - m] - q * shape[POWER_R, j - m]
    for m in range(1, gradient.size - j):
        gradient[j + m] -= x * (
            shape[POWER_D, m] * shape[GRAM_D, j + m] - shape[POWER_R, m] * shape[GRAM_R, j + m]
        )


@kernel
def _refine(
    window: NDArray[np.float32], shape: NDArray[np.float32], state: NDArray[np.float64],
    threshold: float, moves: int, tolerance: float,
) -> None:  # fmt: skip
    """Move the spikes that gain most, at most `moves`."""
    gradient, spikes, diagonal = window[0], window[1], shape[DIAGONAL]
    d, r = state[D], state[R]
    width = gradient.size
    for _ in range(moves):
        best, place, step = tolerance, -1, 0.0
        for i in range(width):
            g = gradient[i] - threshold * np.sqrt(diagonal[i])
            if g > 0 or spikes[i] > 0:
                x = max(g / diagonal[i], -spikes[i])
                gain = x * (g - 0.5 * x * diagonal[i])
                if gain > best:
                    best, place, step = gain, i, x
        if place < 0:
            return
        _move(window, shape, place, step)
        age = width - 1 - place
        state[SLOW] += step * shape[POWER_D, age] * d / (d - r)
        state[FAST] += step * shape[POWER_R, age] * r / (d - r)
        state[MASS] += step


@kernel
def _advance(window: NDArray[np.float32], shape: NDArray[np.float32], innovation: float) -> None:
    """Let every spike grow older by one frame that differs by `innovation` from what was foreseen."""
    gradient, spikes, h = window[0], window[1], shape[H]
    e = np.float32(innovation)
    last = gradient.size - 1
    for i in range(last):
        gradient[i] = gradient[i + 1] + h[i] * e
        spikes[i] = spikes[i + 1]
    gradient[last] = h[last] * e
    spikes[last] = 0


@kernel
def _step(
    fluorescence: NDArray[np.float32],
    windows: NDArray[np.float32],
    shapes: NDArray[np.float32],
    states: NDArray[np.float64],
    trends: NDArray[np.float32],
    blocks: NDArray[np.float32],
    out: NDArray[np.float32],
    constants: NDArray[np.float64],
    lag: int,
    length: int,
    n_blocks: int,
) -> None:
    width = windows.shape[2]
    for k in range(fluorescence.size):
        window, shape, state, value = windows[k], shapes[k], states[k], fluorescence[k]
        if state[D] != constants[0] or state[R] != constants[1]:
            state[D], state[R] = constants[0], constants[1]
            _shape_of(shape, state[D], state[R])
        d, r = state[D], state[R]
        known = np.isfinite(value)
        if known:
            trend.follow(trends[k], blocks[k], value, length, n_blocks)
        raw = value - trends[k, BASELINE]
        state[SLOW] *= d
        state[FAST] *= r
        state[MASS] -= window[1, 0]
        before = max(state[MASS], 0.0)
        noise = trends[k, NOISE]
        _advance(window, shape, raw - (state[SLOW] - state[FAST]) if known else 0.0)
        if known and noise > 0:
            _refine(window, shape, state, THRESHOLD * noise, MOVES, 1e-4 * noise * noise)
        state[AGE] += 1
        out[k, RAW] = raw
        out[k, CALCIUM] = max(state[SLOW] - state[FAST], 0.0)
        out[k, SPIKES] = max(state[MASS] - before, 0.0)
        settled = np.float64(window[1, width - 1 - lag])
        if state[AGE] > lag:
            state[SLOW_SETTLED] = d * (state[SLOW_SETTLED] + settled / (d - r))
            state[FAST_SETTLED] = r * (state[FAST_SETTLED] + settled / (d - r))
            out[k, SETTLED_CALCIUM] = state[SLOW_SETTLED] - state[FAST_SETTLED]
            out[k, SETTLED_SPIKES] = settled
        else:
            out[k, SETTLED_CALCIUM] = out[k, SETTLED_SPIKES] = np.nan
