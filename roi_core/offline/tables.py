"""Tables of times that other programs wrote: TTL pulses, licks, stimuli."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.recording import Recording

__all__ = ["CLOCKS", "DATES", "Line", "on_frames", "read", "seconds", "start_of"]

CLOCKS: Final = {
    "seconds": "seconds since the first frame",
    "ms": "milliseconds since the first frame",
    "frame": "the camera's frame numbers",
    "iso": "date and time, such as 2026-03-01T14:05:09.250+01:00; without a zone, that of the recording",
    "epoch": "seconds since 1970",
}
"""What the numbers of a table may be."""
DATES: Final = ("iso", "epoch")
"""Clocks that need the date of the recording."""
MOST: Final = 5_000_000
"""Lines of a table; more is another kind of file."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its number, its time as it is written, and what else it says, by column.

    ``comma`` is true where a comma in the time is that of decimals, since others part the columns.
    """

    number: int
    time: str
    more: dict[str, str]
    comma: bool = False


def read(path: Path, column: str = "", where: str = "") -> list[Line]:
    """Read a table with commas, semicolons or tabs, with or without a line of names.

    A semicolon or tab in its first line parts the columns; commas are then those of decimals.

    ``column`` is the name or number (from 1) of that with the times, the first when it is empty; ``where``,
    such as ``state=1``, keeps the lines of which it is true.

    Raises
    ------
    TableError
        It is no such table, no line of it is wanted, or one has no time; the sentence names the line.
    """
    if where and not where.partition("=")[1]:
        raise TableError(path, None, f"{where!r} does not say which lines: COLUMN=VALUE, such as state=1")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            mark = _mark(file)
            file.seek(0)
            lines = list(_lines(path, csv.reader(file, delimiter=mark), column, where, mark != ","))
    except OSError as error:
        raise TableError(path, None, (error.strerror or str(error)).lower()) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(path, None, "it is not a table of text (CSV, UTF-8)") from error
    if where and not lines:
        raise TableError(path, None, f"no line has {where}")
    return lines


def _mark(file: Iterable[str]) -> str:
    """Return what parts the columns, by the first line that is no remark."""
    told = (line for line in file if line.strip() and not line.startswith("#"))
    first = re.sub(r'"[^"]*"', "", next(told, ""))
    return max(";\t", key=first.count) if ";" in first or "\t" in first else ","


def _lines(path: Path, rows: Iterator[list[str]], column: str, where: str, comma: bool) -> Iterator[Line]:
    names: list[str] | None = None
    wanted, _, value = where.partition("=")
    for number, row in enumerate(rows, 1):
        if number > MOST:
            raise TableError(path, number, f"it has more than {MOST} lines")
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if names is None:
            headed = _is_header(cells, column)
            names = cells if headed else [f"column{k + 1}" for k in range(len(cells))]
            at = _place(path, names, column or "1")
            needed = _place(path, names, wanted) if where else None
            if headed:
                continue
        if len(cells) <= at or not cells[at]:
            raise TableError(path, number, f"it has no {names[at]}")
        more = {name: cell for k, (name, cell) in enumerate(zip(names, cells, strict=False)) if k != at}
        if needed is None or (len(cells) > needed and cells[needed] == value.strip()):
            yield Line(number, cells[at], more, comma)


def _is_header(cells: list[str], column: str) -> bool:
    """Tell whether a first line holds names: the column's own, or no number or date where the time is."""
    if column in cells and not column.isdecimal():
        return True
    at = int(column) - 1 if column.isdecimal() and int(column) <= len(cells) else 0
    return not cells[at][:1].isdecimal() and cells[at][:1] not in "+-."


def _place(path: Path, names: list[str], column: str) -> int:
    if column in names:
        return names.index(column)
    if column.isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    raise TableError(path, None, f"it has no column {column!r}; it has {', '.join(names)[:200]}")


def seconds(path: Path, lines: list[Line], clock: str, zero: datetime) -> NDArray[np.float64]:
    """Return the (n,) times as numbers: s since `zero` for dates, s or frame numbers for the others."""
    return np.array([_number(path, line, clock, zero) for line in lines], np.float64)


def on_frames(
    path: Path, lines: list[Line], clock: str, recording: Recording, offset: float = 0.0
) -> NDArray[np.float64]:
    """Return the (n,) times in s since the recording's first frame, `offset` s later.

    A frame that was lost has a time between those of its neighbours.
    """
    _refuse_undated(path, clock, recording)
    numbers = seconds(path, lines, clock, start_of(recording))
    if clock != "frame":
        return numbers + offset
    index, time = recording.frame_index.astype(np.float64), recording.time
    if len(index) < 2:
        raise TableError(path, None, "the recording has too few rows to tell frames from each other")
    period = (time[-1] - time[0]) / (index[-1] - index[0])
    found = np.interp(numbers, index, time)
    found += np.minimum(numbers - index[0], 0) * period + np.maximum(numbers - index[-1], 0) * period
    return np.asarray(found + offset, np.float64)


def start_of(recording: Recording) -> datetime:
    """Return when the recording's first frame was taken, by the clock on the wall."""
    return datetime.fromisoformat(str(recording.attributes["start_iso8601"]))


def _refuse_undated(path: Path, clock: str, recording: Recording) -> None:
    """Refuse dates where nobody knows when the frames were taken."""
    if clock in DATES and not recording.dated:
        raise TableError(
            path, None, f"its times are dates and {recording.path} does not tell when its frames were taken, "
            "only when they were processed; give times in seconds, ms or frame numbers (--clock, --offset)",
        )  # fmt: skip


def _number(path: Path, line: Line, clock: str, zero: datetime) -> float:
    try:
        if clock == "iso":
            when = datetime.fromisoformat(line.time)
            when = when if when.tzinfo is not None else when.replace(tzinfo=zero.tzinfo)
            return (when - zero).total_seconds()
        text = line.time.replace(",", ".") if line.comma else line.time
        number = math.nan if "_" in text else float(text)
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) < 1e12:
        raise TableError(path, line.number, f"{line.time[:40]!r} is not a time: {CLOCKS[clock]}")
    if clock == "epoch":
        return number - zero.timestamp()
    return number / 1000 if clock == "ms" else number
