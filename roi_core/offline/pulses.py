"""One TTL pulse a frame: which frames have none, and which pulses have no frame.

The clocks of the camera and of the TTL log start at different moments and run at slightly different speeds.
A line between them is found by following the recording from a beginning, twice as far each time; then each
frame belongs to the pulse that is nearest, when that is less than half a period away. Dates tell
the beginning; without them it is the one with which most frames have a pulse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Trace = NDArray[np.float64]

__all__ = ["Hole", "Match", "match", "sentences"]

BEGIN: Final = 128
"""Frames with which the following begins."""
SHIFTS: Final = 20
"""Periods by which beginnings around the expected one are tried, and how many of the likely ones beyond."""
MOST: Final = 2**24
"""Periods of a log that are looked at for its beginning."""
NEAR: Final = 0.45
"""Share of the period within which a pulse belongs to a frame."""
SCATTER: Final = 0.2
"""Share of the period by which they may be off (rms); without any relation it would be 0.26."""
LEAST: Final = 8


@dataclass(frozen=True, slots=True)
class Hole:
    """Between the rows `row` and `row` + 1 lie `pulses` without a frame; the camera counts `counted` lost."""

    row: int
    pulses: int
    counted: int


@dataclass(frozen=True, slots=True)
class Match:
    """Which pulse belongs to each row, (rows,), -1 for none.

    ``before`` and ``after`` pulses lie outside the rows. ``speed`` is how much faster the camera's clock
    runs, ppm; ``jitter`` the rms distance of frames from their pulses, s. ``dated`` is true when the times
    said which pulse is of which frame. ``unique`` is false when other beginnings would fit better than
    those times, or, without them, as well as the one that was taken, which is nearest to the first pulse.
    """

    pulse: NDArray[np.int64]
    before: int
    after: int
    holes: tuple[Hole, ...]
    speed: float
    jitter: float
    dated: bool
    unique: bool

    @property
    def alone(self) -> NDArray[np.int64]:
        """The rows without a pulse."""
        return np.flatnonzero(self.pulse < 0)


def match(path: Path, time: Trace, index: NDArray[np.int64], pulses: Trace, *, dated: bool = False) -> Match:
    """Return which of the pulses (P,) s belongs to which of the rows, with (rows,) `time` s and `index`.

    ``dated`` pulses are counted from the first frame, as near as two clocks on the wall agree; others from
    anywhere.

    Raises
    ------
    TableError
        There are too few, they do not rise, they come at another rate than frames, or at another time.
    """
    period = _period(path, time, index, pulses)
    rows, logged = _slots(time, period), _slots(pulses, float(np.median(np.diff(pulses))))
    first = _told(path, time, pulses, rows, logged) if dated else 0
    tried = [_follow(time, pulses, period, *pair) for pair in _beginnings(rows, logged, first)]
    counts = [int((found >= 0).sum()) for found, _ in tried]
    best = 0 if dated else max(range(len(tried)), key=lambda k: counts[k])  # of equals the nearest to `first`
    most, tells = max(counts[:best] + counts[best + 1 :], default=0), _tells(rows, logged)
    pulse, line = tried[best]
    there = np.flatnonzero(pulse >= 0)
    off = time[there] - (line[0] + line[1] * pulses[pulse[there]])
    jitter = float(np.sqrt(np.mean(off**2))) if len(there) >= LEAST else np.inf
    if len(there) < 0.5 * min(len(time), len(pulses)) or jitter > SCATTER * period:
        raise TableError(path, None, "its pulses do not fit the frames: are they of this recording?")
    return Match(
        pulse, int(pulse[there[0]]), len(pulses) - 1 - int(pulse[there[-1]]),
        tuple(_holes(pulse, index)), 1e6 * (line[1] - 1), jitter, dated,
        counts[best] >= most or not tells if dated else counts[best] > most and tells,
    )  # fmt: skip


def sentences(found: Match, time: Trace, index: NDArray[np.int64], pulses: int, name: str) -> Iterator[str]:
    """Say what was found: the three counts, then everything that does not fit."""
    counted = int(index[-1] - index[0]) + 1
    yield (
        f"the camera counted {counted} frames ({index[0]} to {index[-1]}), the file holds {len(index)} rows, "
        f"{name} has {pulses} pulses"
    )
    off = 1e3 * found.jitter
    yield f"the clocks differ by {found.speed:.1f} ppm; frames are {off:.2f} ms from their pulses (rms)"
    if not found.unique and found.dated:
        yield "other beginnings would fit better: are both clocks right? (--offset adds seconds to pulses)"
    elif not found.unique:
        yield (
            "other beginnings would fit as well, so all that follows is a guess: only --clock iso or epoch, "
            "or an --offset that makes them seconds since the first frame, tells which pulse is whose"
        )
    for count, where in ((found.before, "before the first row"), (found.after, "after the last row")):
        if count:
            yield f"{count} pulse{'s' * (count > 1)} {where}"
    for hole in found.holes:
        after, next_ = index[hole.row], index[hole.row + 1]
        yield (
            f"between frames {after} and {next_} (at {time[hole.row]:.3f} s): {hole.pulses} pulses have no "
            f"row; {_verdict(hole)}"
        )
    for row in found.alone:
        yield f"row {row} (frame {index[row]}, at {time[row]:.3f} s) has no pulse"
    if not (found.holes or len(found.alone)):
        yield f"{'' if found.unique else 'so '}every row has its pulse, and every pulse in between its row"


def _verdict(hole: Hole) -> str:
    if hole.counted == hole.pulses:
        return f"the camera counted {hole.counted} lost, too"
    if hole.counted < hole.pulses:
        return f"the camera counted {hole.counted} lost: {hole.pulses - hole.counted} went unnoticed"
    return f"the camera counted {hole.counted} lost, more than there were pulses"


def _period(path: Path, time: Trace, index: NDArray[np.int64], pulses: Trace) -> float:
    """Return the time between two frames, s, when that between two pulses is about the same."""
    if min(len(time), len(pulses)) < LEAST:
        raise TableError(path, None, f"{len(pulses)} pulses and {len(time)} rows are too few to compare")
    steps = np.diff(pulses)
    if (steps <= 0).any():
        raise TableError(
            path, None, f"pulse {int(np.argmax(steps <= 0)) + 2} does not come after the one before"
        )
    frame, pulse = float(np.median(np.diff(time) / np.diff(index))), float(np.median(steps))
    if not 0.9 < pulse / frame < 1.1:
        raise TableError(
            path, None, f"pulses come every {1e3 * pulse:.4g} ms and frames every {1e3 * frame:.4g} ms; one "
            "pulse a frame is needed (--where keeps a part of the lines, such as state=1)",
        )  # fmt: skip
    return frame


def _slots(times: Trace, period: float) -> NDArray[np.int64]:
    """Return (n,) how many periods each lies after the first, also over gaps and with a clock that drifts."""
    steps = np.rint(np.minimum(np.diff(times) / period, MOST)).astype(np.int64)
    return np.concatenate([[0], np.cumsum(steps)])


def _told(path: Path, time: Trace, pulses: Trace, rows: NDArray[np.int64], logged: NDArray[np.int64]) -> int:
    """Return how many periods after the first pulse the first row lies, by the times themselves."""
    row = int(np.searchsorted(time, pulses[0])) if pulses[0] > time[0] else 0
    if row == len(time) or pulses[-1] < time[0]:
        raise TableError(
            path, None, f"its pulses lie from {pulses[0]:.3f} to {pulses[-1]:.3f} s after the first frame, "
            f"outside the recording ({time[-1]:.3f} s): are --clock and --offset right?",
        )  # fmt: skip
    return int(logged[np.argmin(np.abs(pulses - time[row]))] - rows[row])


def _beginnings(rows: NDArray[np.int64], logged: NDArray[np.int64], first: int) -> Iterator[tuple[int, int]]:
    """Yield a row and its pulse, for `first`, for beginnings around it, and for the most likely of all.

    Likely are those with which most rows fall on a pulse, by the slots of both.
    """
    from scipy.signal import correlate

    there = [np.bincount(slots[slots < MOST]).astype(bool).astype(np.float64) for slots in (logged, rows)]
    hits = np.rint(correlate(*there, mode="full", method="fft"))
    likely = np.argsort(-hits, kind="stable")[:SHIFTS] - (len(there[1]) - 1)
    around = range(first - SHIFTS, first + SHIFTS + 1)
    for lag in sorted({*around, *likely.tolist()}, key=lambda lag: (abs(lag - first), -lag)):
        _, row, pulse = np.intersect1d(rows + lag, logged, return_indices=True)
        if len(row):
            yield int(row[0]), int(pulse[0])


def _tells(rows: NDArray[np.int64], logged: NDArray[np.int64]) -> bool:
    """Tell whether more than the ends of both can say where they begin: about as many, or gaps."""
    return len(logged) <= len(rows) + SHIFTS or bool((np.diff(rows) > 1).any())


def _follow(
    time: Trace, pulses: Trace, period: float, row: int, pulse: int
) -> tuple[NDArray[np.int64], tuple[float, float]]:
    """Return the pulse of each row and the line (a, b) time = a + b pulses, begun at one of each."""
    a, b = time[row] - pulses[pulse], 1.0
    count = min(BEGIN, len(time) - row)
    while True:
        some = time[row : row + count]
        found = _nearest(some, a + b * pulses, period)
        there = np.flatnonzero(found >= 0)
        if len(there) < LEAST:
            return np.full(len(time), -1), (a, b)
        x, y = pulses[found[there]], some[there]
        b = float(np.cov(x, y)[0, 1] / np.var(x, ddof=1))
        a = float(y.mean() - b * x.mean())
        if count == len(time) - row:
            return _nearest(time, a + b * pulses, period), (a, b)
        count = min(2 * count, len(time) - row)


def _nearest(time: Trace, pulses: Trace, period: float) -> NDArray[np.int64]:
    """Return the nearest pulse of each row, -1 when it is far or belongs to a nearer row."""
    right = np.clip(np.searchsorted(pulses, time), 1, len(pulses) - 1)
    nearest = right - (time - pulses[right - 1] < pulses[right] - time)
    off = np.abs(time - pulses[nearest])
    least = np.full(len(pulses), np.inf)
    np.minimum.at(least, nearest, off)
    return np.where((off < NEAR * period) & (off == least[nearest]), nearest, -1)


def _holes(pulse: NDArray[np.int64], index: NDArray[np.int64]) -> Iterator[Hole]:
    """Yield where pulses are without a row, or frames are counted lost, between two rows that have one."""
    pulses, counted = np.diff(pulse) - 1, np.diff(index) - 1
    known = (pulse[:-1] >= 0) & (pulse[1:] >= 0)
    for row in np.flatnonzero(known & ((pulses > 0) | (counted > 0))).tolist():
        yield Hole(row, int(pulses[row]), int(counted[row]))
