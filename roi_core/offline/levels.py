"""What a whole trace rises from, and what it does: baseline, noise, calcium guessed from around, skewness.

All of it looks both ways in time, and goes through a few cells at once or a few thousand rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.cnmf.state import SWINGS
from roi_core.cnmf.statistics import SMOOTH
from roi_core.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Levels", "instruments", "levels", "mean_of", "noise_of", "skewness", "swings", "tails"]

ROWS = 1024
"""Rows in memory at once."""
COLUMNS = 32
"""Cells in memory at once, over all rows."""

REACH = 0.4
"""Seconds to each side from which the calcium of a frame is guessed without that frame."""

QUIET = 2.0
"""A guess below this many of its standard deviations is silence."""

SLICES = 20
"""Blocks of the baseline in the time in which it follows drift."""


class Levels(NamedTuple):
    """What a trace rises from: ``base`` (blocks of ``length`` rows, N), and ``noise`` (N,) of a frame."""

    base: NDArray[np.float32]
    noise: NDArray[np.float32]
    length: int


def levels(traces: NDArray[np.float32], good: NDArray[np.bool_], rate: float, seconds: float) -> Levels:
    """Return baseline and noise of traces (rows, N); the baseline looks ``seconds`` to both sides."""
    length = max(1, round(seconds * rate / SLICES))
    base = np.zeros((-(-len(traces) // length), traces.shape[1]), np.float32)
    noise = np.zeros(traces.shape[1], np.float32)
    for some, part in _cells(traces):
        feet(part, good, length, SLICES, noise[some], base[:, some])
    return Levels(base, noise, length)


def instruments(
    traces: NDArray[np.float32], good: NDArray[np.bool_], found: Levels, rate: float, out: NDArray[np.float32]
) -> None:
    """Fill ``out`` (rows, N) with the calcium of each frame as the frames around it tell, zero in silence.

    Noise of a frame is not in it, so what correlates with it is the cell (see `roi_core.cnmf.statistics`).
    """
    fade = np.float32(np.exp(-1 / (REACH * rate)))
    for some, part in _cells(traces):
        guess(part, good, found.base[:, some], found.length, found.noise[some], fade)
        out[:, some] = part.T


def noise_of(traces: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the noise (N,) of a frame of traces (rows, N)."""
    noise = np.zeros(traces.shape[1], np.float32)
    for some, part in _cells(traces):
        noise[some] = [_noise(trace, good) for trace in part]
    return noise


def tails(traces: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """Return the first three moments (N, 3) of smoothed traces (N, rows), NaN where there is no value."""
    out = np.zeros((len(traces), 3), np.float32)
    moments(traces, np.float32(min(1.0, 1 / (rate * SMOOTH))), out)
    return out


def swings(traces: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """Return weight and moments (N, scales, 4) of the changes of traces (N, rows); see `statistics.swing`."""
    out = np.zeros((len(traces), len(SWINGS), 4), np.float32)
    for trace, moment in zip(traces, out, strict=True):
        unknown = np.isnan(trace)
        sums = np.cumsum(np.concatenate([[0.0], np.where(unknown, 0, trace)]))
        gaps = np.cumsum(np.concatenate([[0], unknown]))
        for k, seconds in enumerate(SWINGS):
            length = max(1, round(seconds * rate))
            known = gaps[2 * length :] == gaps[: -2 * length]
            change = (sums[2 * length :] - 2 * sums[length:-length] + sums[: -2 * length])[known] / length
            if len(change):
                moment[k] = [np.mean(change**power) for power in range(4)]
    return out


def skewness(moments: NDArray[np.float32]) -> float:
    """Return the skewness that follows from the first three moments."""
    first, second, third = (float(value) for value in moments)
    spread = max(second - first**2, 1e-12) ** 1.5
    return float((third - 3 * first * second + 2 * first**3) / spread)


def _cells(traces: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    for first in range(0, traces.shape[1], COLUMNS):
        some = slice(first, min(first + COLUMNS, traces.shape[1]))
        yield some, np.ascontiguousarray(traces[:, some].T)


def mean_of(rows: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the mean (N,) of the good ones of (rows, N)."""
    total = np.zeros(rows.shape[1])
    for first in range(0, len(rows), ROWS):
        some = slice(first, first + ROWS)
        total += rows[some][good[some]].sum(0, dtype=np.float64)
    return (total / max(int(good.sum()), 1)).astype(np.float32)


@kernel
def feet(traces: Any, good: Any, length: Any, half: Any, noise: Any, base: Any) -> None:
    """Fill ``noise`` (N,) and ``base`` (blocks, N) for traces (N, rows).

    Noise: the winsorised mean square of second differences. Baseline of a block: the foot of the block means
    ``half`` blocks to both sides, that is the mean of those not above it by more than their noise.
    """
    blocks = base.shape[0]
    for i in range(traces.shape[0]):
        noise[i] = _noise(traces[i], good)
        means, known = _means(traces[i], good, length, blocks)
        for k in range(blocks):
            low, high = max(0, k - half), min(blocks, k + half + 1)
            some = means[low:high][known[low:high]]
            base[k, i] = _foot(np.sort(some), noise[i] / np.sqrt(np.float32(length)))


@kernel
def _noise(trace: Any, good: Any) -> Any:
    squares = np.empty(max(trace.size - 2, 0), np.float32)
    count = 0
    for t in range(1, trace.size - 1):
        if good[t - 1] and good[t] and good[t + 1]:
            squares[count] = (trace[t + 1] - 2 * trace[t] + trace[t - 1]) ** 2 / 6
            count += 1
    if count == 0:
        return np.float32(0)
    # the median of z^2 is .4549 for normal z; the mean of min(z^2, 4) is .9205
    variance = np.median(squares[:count]) / np.float32(0.4549)
    return np.float32(np.sqrt(np.mean(np.minimum(squares[:count], 4 * variance)) / 0.9205))


@kernel
def _means(trace: Any, good: Any, length: Any, blocks: Any) -> Any:
    means, known = np.zeros(blocks, np.float32), np.zeros(blocks, np.bool_)
    for k in range(blocks):
        total, count = 0.0, 0
        for t in range(k * length, min((k + 1) * length, trace.size)):
            if good[t]:
                total += trace[t]
                count += 1
        if 2 * count >= min(length, trace.size - k * length) and count > 0:
            means[k], known[k] = total / count, True
    return means, known


@kernel
def _foot(rising: Any, noise: Any) -> Any:
    if rising.size == 0:
        return np.float32(0)
    foot = rising[rising.size // 10]
    for _ in range(4):
        total, count = 0.0, 0
        while count < rising.size and rising[count] <= foot + 1.5 * noise:
            total += rising[count]
            count += 1
        # the mean of a normal cut above 1.5 sd lies .139 sd low
        foot = np.float32(total / max(count, 1) + 0.139 * noise)
    return foot


@kernel
def guess(traces: Any, good: Any, base: Any, length: Any, noise: Any, fade: Any) -> None:
    """Replace each value of traces (N, rows) by the mean of those around it, if that stands out.

    Weights fall by ``fade`` a frame to both sides; the value itself has none.
    """
    unit = (1 - fade) / (2 * fade)
    spread = np.float32(QUIET) * unit * np.sqrt(2 * fade * fade / (1 - fade * fade))
    line = np.empty(traces.shape[1], np.float32)
    for i in range(traces.shape[0]):
        trace = traces[i]
        for t in range(trace.size):
            line[t] = trace[t] - base[t // length, i] if good[t] else 0
        level = np.float32(0)
        for t in range(trace.size):
            trace[t] = level
            level = fade * (level + line[t])
        level = np.float32(0)
        for t in range(trace.size - 1, -1, -1):
            value = unit * (trace[t] + level)
            trace[t] = value if value > spread * noise[i] else 0
            level = fade * (level + line[t])


@kernel
def moments(traces: Any, ease: Any, out: Any) -> None:
    """Fill ``out`` (N, 3) with the means of three powers of traces (N, rows) smoothed by ``ease``."""
    for i in range(traces.shape[0]):
        smooth, count = 0.0, 0
        first = second = third = 0.0
        for t in range(traces.shape[1]):
            value = traces[i, t]
            if value == value:
                smooth += ease * (value - smooth)
                count += 1
                first, second, third = first + smooth, second + smooth**2, third + smooth**3
        for k, total in enumerate((first, second, third)):
            out[i, k] = total / max(count, 1)
