"""Time stamps as real clocks give them: what is wrong with them is found, told, and repaired by one rule.

Computers stamp frames late, twice or in the wrong order, drivers leave garbage in the first value, and clocks
are set while they run. `examine` tells; `repair` gives strictly increasing times and never invents a frame.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Times = NDArray[np.float64]

__all__ = ["RULE", "Finding", "Findings", "Kind", "examine", "repair"]

RULE: Final = (
    "the longest run of stamps that increase is believed, also when they are late; a stamp off that line "
    "takes its place between its believed neighbours, evenly by frame number; where the clock was set and "
    "came back the stamps between are moved; where it was set back for good all later ones are moved up, to "
    "one period behind the last; a gap stays a gap"
)
GAP: Final = 1.5
"""Periods from one frame to the next beyond which something is amiss."""
FAR: Final = 100
"""Periods behind which a first value that stands alone is garbage, and steps that undo each other are the
clock's."""
MINUTE: Final = 60.0
"""Seconds from which a stray stamp tells of a clock that was set, not of a stamp that was late."""
WINDOW: Final = 32
"""Rows on either side of a step back that say whether the clock returns to its line, and rows within which
late frames have caught up."""
FEW: Final = 3
"""Rows that a clock must have run on either side of where it was set back, and while it was off its line."""
LARGEST: Final = 1e12
"""Seconds beyond which a stamp is no time."""
SHORTEST: Final = 1e-9
"""Seconds that a period is at least."""
LISTED: Final = 3
"""Findings of one kind that are told one by one."""


class Kind(StrEnum):
    """What may be wrong with a stamp."""

    FIRST = "garbage first"
    NUMBER = "not a number"
    DUPLICATE = "duplicate"
    STRAY = "stray"
    JUMP = "clock jump"
    BACK = "set back"
    GAP = "gap"
    LATE = "late"
    COUNT = "missing by its own count"


WORDS: Final = {
    Kind.FIRST: "the first value is {size:+.6g} s off: garbage",
    Kind.NUMBER: "{rows} without a time",
    Kind.DUPLICATE: "{rows} stamped like the one beside",
    Kind.STRAY: "{rows} off by {size:+.4g} s",
    Kind.JUMP: "the clock is off by {size:+.6g} s for {rows} and comes back",
    Kind.BACK: "the clock is set back by {size:.6g} s and stays there",
    Kind.GAP: "{size:.4g} s after the row before: about {frames} missing, or a pause",
    Kind.LATE: "{size:.4g} s after the row before, but those behind catch up: late, not lost",
    Kind.COUNT: "{frames} missing before it by the camera's own count",
}
MANY: Final = {
    Kind.FIRST: "garbage first values",
    Kind.NUMBER: "rows without a time",
    Kind.DUPLICATE: "stamps like the one beside",
    Kind.STRAY: "stamps off the line",
    Kind.JUMP: "jumps of the clock that come back",
    Kind.BACK: "times that the clock was set back",
    Kind.GAP: "gaps",
    Kind.LATE: "times that frames were late and caught up",
    Kind.COUNT: "gaps in the camera's own count",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: from `row` on, for `rows` rows; ``size`` in s, ``missing`` frames where some are."""

    kind: Kind
    row: int
    size: float
    rows: int = 1
    missing: int = 0

    @property
    def sentence(self) -> str:
        """What it is and where."""
        words = WORDS[self.kind]
        rows, frames = _number(self.rows, "row"), _number(self.missing, "frame")
        return f"row {self.row}: " + words.format(size=self.size, rows=rows, frames=frames)


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a clock of `rows` stamps has to it; ``found`` in the order of rows.

    ``period`` is the usual s between two frames, ``negative`` and ``duplicates`` count the raw steps below
    and at 0, ``believed`` (rows,) are the stamps that stay, ``moved`` (rows,) by how many s.
    """

    rows: int
    period: float
    negative: int
    duplicates: int
    found: tuple[Finding, ...]
    believed: NDArray[np.bool_]
    moved: Times

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.found if finding.kind is kind)

    @property
    def rate(self) -> float | None:
        """Frames per second; None when fewer than two stamps tell."""
        return 1 / self.period if self.believed.sum() > 1 else None

    @property
    def missing(self) -> int:
        """Frames that are missing, by the camera's count and by the gaps, if none of those is a pause."""
        return sum(finding.missing for finding in self.found)

    def notes(self, name: str = "") -> list[str]:
        """Return a sentence for each finding; of a kind that there is much of, one for all.

        Each begins with `name`, such as ``"1.csv: "``.
        """
        told: list[str] = []
        for kind in Kind:
            some = self.of(kind)
            if len(some) <= LISTED:
                told += [f"{name}{finding.sentence}" for finding in some]
            else:
                worst = max(some, key=lambda finding: abs(finding.size))
                missing = sum(finding.missing for finding in some)
                about = "" if kind is Kind.COUNT else "about "
                extra = f", {about}{_number(missing, 'frame')} missing" if missing else ""
                told.append(f"{name}{len(some)} {MANY[kind]}{extra}; the worst, {worst.sentence}")
        return told


def examine(times: Times, rate: float = 0.0, numbers: NDArray[np.int64] | None = None) -> Findings:
    """Find what is wrong with the (n,) stamps `times` (s) of one camera.

    Parameters
    ----------
    times
        As the computer or the device noted them, in the order of frames; anything may be in it.
    rate
        Frames per second as told, for a table too short to tell by itself; 0 is not known.
    numbers
        (n,) the camera's own count, increasing: a gap in time that it explains is told as one of the count,
        whose losses are certain. By default the row.
    """
    times = np.asarray(times, np.float64)
    count = np.arange(len(times)) if numbers is None else np.asarray(numbers, np.int64)
    sane = np.isfinite(times) & (np.abs(np.nan_to_num(times)) <= LARGEST)
    steps = np.diff(times[sane])
    period = _period(steps / np.maximum(np.diff(count[sane]), 1), rate)
    rows = np.flatnonzero(sane)
    moved, jumps = _jumps(times[rows], count[rows], period)
    later, backs = _set_backs(times[rows] + moved, count[rows], period)
    moved += later
    believed = np.zeros(len(times), bool)
    believed[rows[_increasing(times[rows] + moved, period)]] = True
    _leave_alone_first(times, believed, period)
    shift = np.zeros(len(times))
    shift[rows] = moved
    line = _line(times + shift, count, believed, period)
    found = [Finding(Kind.BACK, int(rows[row]), size) for row, size in backs]
    found += [_off(int(rows[row]), size, int(rows[end] - rows[row])) for row, end, size in jumps]
    found += _strays(times + shift, line, believed, sane)
    found += _gaps(line, count, believed, period)
    found += _skips(line, count)
    return Findings(
        rows=len(times),
        period=period,
        negative=int((steps < 0).sum()),
        duplicates=int((steps == 0).sum()),
        found=tuple(sorted(found, key=lambda finding: (finding.row, finding.kind))),
        believed=believed,
        moved=shift,
    )


def repair(
    times: Times, rate: float = 0.0, numbers: NDArray[np.int64] | None = None
) -> tuple[Times, Findings]:
    """Return strictly increasing (n,) times (s) by the `RULE`, and what was found; arguments as of `examine`.

    A clean clock comes back as it is, to the bit.
    """
    times = np.asarray(times, np.float64)
    count = np.arange(len(times)) if numbers is None else np.asarray(numbers, np.int64)
    found = examine(times, rate, numbers)
    return _apart(_line(times + found.moved, count, found.believed, found.period)), found


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _period(steps: Times, rate: float) -> float:
    """Return the usual step (s): the mean of those near the median."""
    forward = steps[steps > 0]
    if len(forward) < FEW and rate > 1 / LARGEST:
        return max(1 / rate, SHORTEST)
    if not len(forward):
        return 1 / 30
    middle = float(np.sort(forward)[(len(forward) - 1) // 2])
    return max(float(forward[np.abs(forward - middle) <= 0.5 * middle].mean()), SHORTEST)


def _jumps(
    times: Times, numbers: NDArray[np.int64], period: float
) -> tuple[Times, list[tuple[int, int, float]]]:
    """Return by how much each stamp must be moved, and (row, row behind, s) of each jump that came back.

    That is a far step off the line and, as the next one, an equal step to the other side: however long it
    takes, the line behind meets the line before.
    """
    moved = np.zeros(len(times))
    steps = np.diff(times - numbers * period)
    far = (np.flatnonzero(np.abs(steps) > FAR * period) + 1).tolist()
    found, taken = [], 0
    for row, end in pairwise(far):
        off, back = float(steps[row - 1]), float(steps[end - 1])
        if row < taken or abs(off + back) > period:
            continue
        taken = end + 1
        if end - row >= FEW:  # fewer are strays, which are put back among their neighbours
            moved[row:end] = (back - off) / 2
            found.append((row, end, (off - back) / 2))
    return moved, found


def _set_backs(
    times: Times, numbers: NDArray[np.int64], period: float
) -> tuple[Times, list[tuple[int, float]]]:
    """Return by how much each stamp must be moved up, and (row, s) of each time the clock was set back.

    A step back is for good when the rows behind it, by their median, lie below the line of those before.
    """
    moved = np.zeros(len(times))
    line = times - numbers * period
    found, now, done = [], 0.0, 0
    for row in (np.flatnonzero(np.diff(times) < 0) + 1).tolist():
        moved[done:row], done = now, row
        recent = slice(max(row - WINDOW, 0), row)
        before = line[recent] + moved[recent]
        after = line[row : row + WINDOW] + now
        if min(len(before), len(after)) < FEW:
            continue
        size = float(np.median(before) - np.median(after))
        if size > 0.5 * period and times[row] + now <= times[row - 1] + moved[row - 1]:
            now += size
            found.append((row, size))
    moved[done:] = now
    return moved, found


def _increasing(times: Times, period: float) -> Sequence[int]:
    """Return the rows of the longest subsequence that increases, by patience sorting.

    Consecutive rows of it are at least a thousandth of a period apart for each row between, so that there
    is room for those that are not believed.
    """
    if not len(times):
        return ()
    room = max(period / 1000, 4 * float(np.spacing(np.abs(times).max())))
    values = times - room * np.arange(len(times))
    if (np.diff(values) > 0).all():
        return range(len(times))
    tops: list[float] = []
    rows: list[int] = []
    before = np.full(len(times), -1)
    for row, value in enumerate(values.tolist()):
        place = bisect_left(tops, value)
        before[row] = rows[place - 1] if place else -1
        tops[place : place + 1] = [value]
        rows[place : place + 1] = [row]
    chain = [rows[-1]]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return chain[::-1]


def _leave_alone_first(times: Times, believed: NDArray[np.bool_], period: float) -> None:
    """Do not believe a first value that lies far before all others."""
    rows = np.flatnonzero(believed)
    if len(rows) > FEW and rows[0] == 0 and times[rows[1]] - times[0] > FAR * period * (rows[1] - rows[0]):
        believed[0] = False


def _line(times: Times, numbers: NDArray[np.int64], believed: NDArray[np.bool_], period: float) -> Times:
    """Return the times with those that are not believed put between their neighbours, evenly by number."""
    known = np.flatnonzero(believed)
    if not len(known):
        return np.asarray((numbers - numbers[:1].sum()) * period, np.float64)
    line: Times = np.where(believed, times, np.interp(numbers, numbers[known], times[known]))
    first, last = known[0], known[-1]
    line[:first] = times[first] + (numbers[:first] - numbers[first]) * period
    line[last + 1 :] = times[last] + (numbers[last + 1 :] - numbers[last]) * period
    return line


def _apart(line: Times) -> Times:
    """Return times that increase also where what is between two of them is less than numbers can hold."""
    if (np.diff(line) > 0).all():
        return line
    ramp = 4 * np.spacing(np.abs(line).max()) * np.arange(len(line))
    return np.asarray(np.maximum.accumulate(line - ramp) + ramp)


def _strays(times: Times, line: Times, believed: NDArray[np.bool_], sane: NDArray[np.bool_]) -> list[Finding]:
    """Return a finding for each run of rows that are not believed."""
    rows = np.flatnonzero(~believed)
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
    found = []
    for run in runs:
        first, known = int(run[0]), run[sane[run]]
        if not len(known):
            found.append(Finding(Kind.NUMBER, first, 0.0, len(run)))
            continue
        off = times[known] - line[known]
        size = float(off[np.abs(off).argmax()])
        beside = [row for row in (first - 1, int(run[-1]) + 1) if 0 <= row < len(times)]
        if np.isin(times[run], times[beside]).all():
            found.append(Finding(Kind.DUPLICATE, first, size, len(run)))
        elif first == 0:
            found.append(Finding(Kind.FIRST, first, size, len(run)))
        else:
            found.append(_off(first, size, len(run)))
    return found


def _off(row: int, size: float, rows: int) -> Finding:
    return Finding(Kind.JUMP if abs(size) >= MINUTE else Kind.STRAY, row, size, rows)


def _gaps(
    line: Times, numbers: NDArray[np.int64], believed: NDArray[np.bool_], period: float
) -> list[Finding]:
    """Return where believed stamps are too far apart, and whether those behind catch up."""
    rows = np.flatnonzero(believed)
    residual = line[rows] - numbers[rows] * period
    found = []
    for k in np.flatnonzero(np.diff(residual) > (GAP - 1) * period).tolist():
        settled = float(residual[k + 1 : k + 1 + WINDOW].min() - residual[k])
        size, row = float(line[rows[k + 1]] - line[rows[k]]), int(rows[k + 1])
        missing = round(settled / period)
        kind = Kind.GAP if missing > 0 else Kind.LATE
        found.append(Finding(kind, row, size, missing=max(missing, 0)))
    return found


def _skips(line: Times, numbers: NDArray[np.int64]) -> list[Finding]:
    """Return where the camera's own count goes on by more than one."""
    missing = np.diff(numbers) - 1
    rows = (np.flatnonzero(missing > 0) + 1).tolist()
    return [
        Finding(Kind.COUNT, row, float(line[row] - line[row - 1]), missing=int(missing[row - 1]))
        for row in rows
    ]
