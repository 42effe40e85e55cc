"""Raw trace, calcium and spikes of every cell from its fluorescence, frame by frame.

Fluorescence = baseline + drift + calcium + noise. `trend` follows baseline and noise, `window` finds the
spikes, `decay` and `rise` learn the time constants; `track` is all that for one frame, in one kernel. The
drift is what the spikes leave over, followed within a second and forgotten within five, so that slow
neuropil is not paid for in spikes.

Causal (`calcium`, `spikes`): of this frame, from this and earlier frames. A causal spike is what this frame
adds to the expected sum of the spikes so far. In it a spike of age a weighs x / (x + 1), x = (usual size
/ noise)^2 G_aa: its posterior mean under a Gaussian prior of the cell's usual spike. So a bright cell's
spike is told at once, a dim one's when there is evidence; none is told twice, and one told in error is
taken from the next. What a frame tells beyond 16 standard deviations of a matched filter over the window
(some five of the noise of a frame) grows as its square root, after all that is booked: real cells are told
better so, whose bursts are brighter than the sum of their spikes, linear simulated ones worse
(`benchmarks.spikes`).

Settled: of the frame `lag` frames ago, after everything that came since has revised it.

Spikes are in units of fluorescence: the height of the transient that they cause (but for that root).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.cnmf import decay, rise, trend, window
from roi_core.cnmf.track import COLUMNS, DECAY_NOW, FIELD, FIELD_DECAY, FIELD_RISE, OUT, catch_up, step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.settings import Cnmf

__all__ = ["Deconvolver", "deconvolve", "time_constants"]

SHORTEST = 0.3
"""The window is never shorter than this, s, however small the lag."""
BLOCK = 0.1
"""Shortest block of the baseline, s."""
LEARNED = (3, 4, 7)
"""Which arrays of cells hold what outlasts the last frames: trend, its blocks, costs of decay times."""


class Deconvolver:
    """Fluorescence of N cells in, calcium and spikes out: one kernel call per frame.

    The views are (N,) float32 and valid until the next call. `lag` is in frames, `rate` in Hz;
    `room` is for how many cells there is memory at first.
    """

    def __init__(self, rate: float, lag: int, room: int = 16) -> None:
        self.rate, self.lag, self.count = float(rate), int(lag), 0
        self._width = max(self.lag, round(SHORTEST * rate), 2) + 1
        self._probes = rise.Probes(self.rate)
        self._field = np.zeros(FIELD)
        self._field[FIELD_DECAY], self._field[FIELD_RISE] = np.log(decay.DECAY), rise.RISE
        self._baseline = 20.0
        self._options = np.array([self.rate, 0.0, 0.0, 2.0, *_blocks(self._baseline, self.rate)])
        self._cells, self._out = self._empty(room)

    @property
    def raw(self) -> NDArray[np.float32]:
        """Fluorescence of this frame above its baseline."""
        return self._out[: self.count, 0]

    @property
    def calcium(self) -> NDArray[np.float32]:
        """Causal calcium of this frame."""
        return self._out[: self.count, 1]

    @property
    def spikes(self) -> NDArray[np.float32]:
        """Causal spikes: what this frame told of this and the last frames."""
        return self._out[: self.count, 2]

    @property
    def settled_calcium(self) -> NDArray[np.float32]:
        """Calcium of the frame `lag` frames ago; NaN when there was none."""
        return self._out[: self.count, 3]

    @property
    def settled_spikes(self) -> NDArray[np.float32]:
        """Spikes of the frame `lag` frames ago; NaN when there was none."""
        return self._out[: self.count, 4]

    @property
    def noise(self) -> NDArray[np.float32]:
        """Standard deviation of the noise of a frame."""
        return self._cells[3][: self.count, trend.NOISE]

    @property
    def baseline(self) -> NDArray[np.float32]:
        """Baseline of the fluorescence."""
        return self._cells[3][: self.count, trend.BASELINE]

    @property
    def decay(self) -> NDArray[np.float64]:
        """Decay times in use, s."""
        return self._cells[2][: self.count, DECAY_NOW]

    @property
    def rise(self) -> float:
        """Rise time learned from the field, s."""
        return float(self._field[FIELD_RISE])

    def append(
        self, history: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Add n cells with their last T0 frames (n, T0); return raw, calcium and spikes (n, T0) of those.

        Baseline and noise are those of the whole past, and all but the last `lag` frames are settled.
        """
        n, frames = history.shape
        self._grow(self.count + n)
        new = tuple(array[self.count : self.count + n] for array in self._cells)
        out = self._out[self.count : self.count + n]
        for array in new:
            array[...] = 0
        out[...] = np.nan
        self.count += n
        if frames:
            trend.learn(history, new[3], new[4], int(self._options[4]), int(self._options[5]))
        past = np.full((3, n, frames), np.nan, np.float32)
        rows = np.ascontiguousarray(history.T, np.float32)
        catch_up(rows, new, out, self._field, self._probes.arrays, self._options, self.lag, past)
        left = min(self.lag, frames)
        if left:
            past[1:, :, frames - left :] = np.stack(_unsettled(new, self.lag))[:, :, self.lag - left :]
        return past[0], past[1], past[2]

    def learned(self, k: int) -> tuple[NDArray[np.float32], ...]:
        """Return a copy of what is known of cell k from long ago: baseline, noise, time constants."""
        return tuple(self._cells[part][k].copy() for part in LEARNED)

    def recall(self, k: int, learned: tuple[NDArray[np.float32], ...]) -> None:
        """Give cell k, of which there are no frames yet, what was once `learned` of it."""
        for part, values in zip(LEARNED, learned, strict=True):
            self._cells[part][k] = values

    def brighten(self, factor: float) -> None:
        """Let the baseline of every cell be larger by a factor: the light is."""
        trends, blocks = (self._cells[part][: self.count] for part in (3, 4))
        trends[:, trend.LEVELS] *= np.float32(factor)
        blocks *= np.float32(factor)

    def drop(self, k: int) -> None:
        """Take cell k out; the last one gets its place."""
        self.count -= 1
        for array in (*self._cells, self._out):
            array[k] = array[self.count]
        self._probes.drop(k, self.count)
        self._field[FIELD_RISE + 1 :] = 0

    def step(self, fluorescence: NDArray[np.float32], settings: Cnmf) -> None:
        """Take the fluorescence (N,) of one frame, NaN where there is none."""
        options = self._options
        options[1], options[2], options[3] = settings.decay, settings.rise, float(settings.order)
        if settings.baseline != self._baseline:
            self._baseline = settings.baseline
            options[4:] = _blocks(settings.baseline, self.rate)
        n = self.count
        cells = tuple(array[:n] for array in self._cells)
        step(fluorescence, cells, self._out[:n], self._field, self._probes.arrays, options, self.lag, True)

    def flush(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return calcium and spikes (N, lag) of the last frames, which have not settled yet."""
        return _unsettled(tuple(array[: self.count] for array in self._cells), self.lag)

    def learn_from(self, other: Deconvolver) -> None:
        """Take over the time constants that another deconvolver learned of the same cells."""
        self._cells[7][: self.count] = other._cells[7][: self.count]
        self._probes.arrays[5][...] = other._probes.arrays[5]
        self._field[FIELD_DECAY], self._field[FIELD_RISE] = (
            other._field[FIELD_DECAY],
            other._field[FIELD_RISE],
        )

    def _grow(self, count: int) -> None:
        if count <= len(self._out):
            return
        cells, out = self._empty(max(count, 2 * len(self._out)))
        for new, old in zip((*cells, out), (*self._cells, self._out), strict=True):
            new[: self.count] = old[: self.count]
        self._cells, self._out = cells, out

    def _empty(self, n: int) -> tuple[tuple[NDArray[Any], ...], NDArray[np.float32]]:
        cells = (
            np.zeros((n, 3, self._width), np.float32),
            np.zeros((n, window.SHAPE_ROWS, self._width), np.float32),
            np.zeros((n, COLUMNS)),
            np.zeros((n, trend.FIELDS), np.float32),
            np.zeros((n, 2, trend.BLOCKS), np.float32),
            np.zeros((n, decay.BINS), np.float32),
            np.zeros((n, decay.NOTES)),
            np.zeros((n, len(decay.GRID))),
        )
        return cells, np.full((n, OUT), np.nan, np.float32)


def deconvolve(
    traces: NDArray[np.float32], rate: float, settings: Cnmf, lag: float = 2.0
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return raw, calcium and spikes (N, T) of whole traces (N, T), everything settled `lag` s later.

    A first pass learns the time constants, the last begins with them. The baseline is the mean of one that
    runs forward and one that runs backward, so that it does not come late. Missing frames are NaN in `raw`.
    """
    first, forward, _, _ = _run(traces, rate, settings, lag)
    backward = _run(traces[:, ::-1], rate, settings, lag)[1][:, ::-1]
    raw = np.float32(0.5) * (forward + backward)
    _, left, calcium, spikes = _run(raw, rate, settings, lag, first)
    return left, calcium, spikes


def time_constants(
    traces: NDArray[np.float32], rate: float, settings: Cnmf
) -> tuple[NDArray[np.float64], float]:
    """Return the decay times (N,) and the rise time, s, learned from whole traces (N, T)."""
    run = _run(traces, rate, settings, settings.lag)[0]
    return run.decay.copy(), run.rise


def _run(
    traces: NDArray[np.float32], rate: float, settings: Cnmf, lag: float, learned: Deconvolver | None = None
) -> tuple[Deconvolver, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Deconvolve whole traces with a new deconvolver that knows what another `learned` of the same cells."""
    n, frames = traces.shape
    run = Deconvolver(rate, round(lag * rate))
    run.append(np.empty((n, 0), np.float32))
    if learned is not None:
        run.learn_from(learned)
    rows = np.ascontiguousarray(traces.T, np.float32)
    raw, calcium, spikes = (np.full((n, frames), np.nan, np.float32) for _ in range(3))
    for t in range(frames):
        run.step(rows[t], settings)
        raw[:, t] = run.raw
        if t >= run.lag:
            calcium[:, t - run.lag], spikes[:, t - run.lag] = run.settled_calcium, run.settled_spikes
    left = min(run.lag, frames)
    for array, last in zip((calcium, spikes), run.flush(), strict=True):
        array[:, frames - left :] = last[:, run.lag - left :]
    return run, raw, calcium, spikes


def _unsettled(cells: tuple[NDArray[Any], ...], lag: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return calcium and spikes (N, lag) of the frames still in the window, by the recursion of the model.

    In memory they lie frame by frame, as recordings take them.
    """
    calcium, spikes = np.empty((2, lag, len(cells[0])), np.float32).transpose(0, 2, 1)
    window.unsettled(cells[0], cells[2], calcium, spikes)
    return calcium, spikes


def _blocks(seconds: float, rate: float) -> tuple[int, int]:
    """Return frames in a block of the baseline, and blocks in its memory."""
    frames = seconds * rate
    length = max(1, round(frames / trend.BLOCKS), round(BLOCK * rate))
    return length, int(max(2, min(trend.BLOCKS, frames / length)))
