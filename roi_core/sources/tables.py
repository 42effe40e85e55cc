"""Tables of time stamps: what cameras' computers wrote beside the pictures, plain or gzipped."""

from __future__ import annotations

import gzip
import logging
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.errors import SourceError, SourceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["UNITS", "Stamps", "Table", "counted", "read_clocks", "read_table"]

logger = logging.getLogger(__name__)

UNITS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Seconds in each."""
LAST: Final = 1e21
"""Beyond this no number is a time, in whatever unit."""
LARGEST: Final = 64 * 2**20
"""Characters of a table that are read; more is no table of time stamps."""
MOST: Final = 4_000_000
"""Lines of a table, 37 hours of 30 frames/s; each costs some 200 bytes of memory while it is read."""

CAMERA: Final = r"cam(era)?[ _]?(num|number|no|id|index)?"
"""What a column is called that tells the camera of each row."""
SPARSE: Final = 100
"""Numbers a frame beyond which what counts them is no count of frames."""


class Table(NamedTuple):
    """Rows of numbers, NaN where a line was torn, and the names of their columns, if there is a header."""

    names: tuple[str, ...]
    rows: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """One clock: (n,) s, and the camera's own (n,) count where it increases, else None.

    ``unit`` is what the table has, ``guessed`` when only the size of its steps tells it.
    """

    name: str
    times: NDArray[np.float64]
    numbers: NDArray[np.int64] | None
    unit: str
    guessed: bool = False


def read_clocks(path: Path, unit: str = "") -> list[Stamps]:
    """Return every clock in a table: one for each camera that it interleaves and each column of times.

    Known are ``timeStamps.csv`` (Miniscope V4), ``timestamp.dat`` (V3), and tables whose header names columns
    of frames and of times; without a header the last column is the time, and whole numbers before it that
    increase are the frames.
    """
    names, rows = read_table(path)
    if not len(rows):
        raise SourceError(f"{path} holds no time stamps: rows of numbers, one a frame, with a header if any")
    named = [name.lower() for name in names] or [""] * rows.shape[1]
    columns = [k for k, name in enumerate(named) if re.search("time|stamp|clock", name)]
    columns = columns or ([rows.shape[1] - 1] if not any(named) else [])
    if not columns:
        raise SourceError(f"{path} has no column of times; its columns are {', '.join(names)}")
    number = _first(named, "frame") if any(named) else 0 if rows.shape[1] > 1 else None
    camera = next((k for k, name in enumerate(named) if re.fullmatch(CAMERA, name)), None)
    found: list[Stamps] = []
    for column in columns:
        told = unit or _told(named[column])
        for name, some in _cameras(rows, camera):
            title = " ".join(filter(None, (name, names[column] if names else "")))
            numbers = None if number in (None, column) else counted(some[:, number])
            used = told or _guessed(some[:, column])
            times = some[:, column] * UNITS[used]
            found.append(Stamps(title or "time", times, numbers, used, guessed=not told))
    return found


def read_table(path: Path) -> Table:
    """Return the numbers in a text file, also a gzipped one; empty when there are none.

    Most lines say how many belong into a row. One that has fewer was torn: what it lacks is NaN, so that the
    rows behind keep their places. Others, and those behind the last whole row, are left out and told.

    Raises
    ------
    SourceError
        It is not there or cannot be read; the sentence says why.
    """
    lines = [(number, line) for number, line in enumerate(_text(path).splitlines(), 1) if line.strip()]
    rows = [(number, _row(line)) for number, line in lines]
    header = () if not rows or rows[0][1] else _split_header(lines[0][1])
    usual = Counter(len(row) for _, row in rows if row).most_common(1)
    width = usual[0][0] if usual else 0
    last = max((number for number, row in rows if len(row) == width), default=0)
    whole = [row for number, row in rows if 0 < len(row) <= width and number <= last]
    out = [number for number, row in rows[bool(header) :] if not 0 < len(row) <= width or number > last]
    if whole and out:
        many = f"line {out[0]} is" if len(out) == 1 else f"{len(out)} lines, the first is {out[0]}, are"
        numbers = "1 number" if width == 1 else f"{width} numbers"
        logger.warning("%s: %s no row of %s and left out", path.name, many, numbers)
    filled = np.full((len(whole), width), np.nan)
    for k, row in enumerate(whole):
        filled[k, : len(row)] = row
    return Table(header if len(header) == width else (), filled)


def _text(path: Path) -> str:
    try:
        opened = gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")
        with opened as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise SourceNotFound(f"{path} is not there") from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is damaged"
        raise SourceError(f"{path} cannot be read: {why.lower()}") from error
    if b"\0" in data[:4096]:
        raise SourceError(f"{path} is no text; a table of time stamps is, such as timeStamps.csv")
    if len(data) > LARGEST:
        raise SourceError(f"{path} is larger than {LARGEST >> 20} MB: that is no table of time stamps")
    if data.count(b"\n") > MOST:
        raise SourceError(f"{path} has more than {MOST} lines: that is no table of time stamps; split it")
    return data.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _row(line: str) -> list[float]:
    """Return the numbers of a line; none when any word is something else. Beside ``;`` a comma is decimal."""
    line = line.replace(",", ".") if ";" in line else line
    try:
        return [float(word) for word in re.split(r"[,;\s]+", line.strip().rstrip(",;")) if word]
    except ValueError:
        return []


def _split_header(line: str) -> tuple[str, ...]:
    """Return the names of columns, which may hold blanks where something else parts them."""
    between = next((sign for sign in ",;\t" if sign in line), None)
    return tuple(name.strip().strip('"') for name in line.split(between))


def _first(names: list[str], word: str) -> int | None:
    return next((k for k, name in enumerate(names) if name.startswith(word)), None)


def _cameras(rows: NDArray[np.float64], column: int | None) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the rows of each camera by its name; '' when there is one."""
    if column is None:
        yield "", rows
        return
    cameras = rows[:, column]
    for camera in np.unique(cameras):
        yield f"camera {camera:g}", rows[(cameras == camera) | (np.isnan(cameras) & np.isnan(camera))]


def counted(numbers: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Return the numbers as a count, if they can be one: whole, increasing, and not nearly all missing."""
    if not np.isfinite(numbers).all() or np.abs(numbers).max(initial=0) >= 2**53:
        return None
    count = numbers.astype(np.int64)
    span = int(count[-1] - count[0]) if len(count) else 0
    sound = (count == numbers).all() and (np.diff(count) > 0).all() and span <= SPARSE * len(count)
    return count if sound else None


def _told(name: str) -> str:
    """Return the unit that a column's name tells; '' when it does not. Miniscope V3's sysClock is in ms."""
    found = re.search(r"(?:^|[^a-z])(ms|us|ns|s|sec|seconds|msec|milliseconds)(?:[^a-z]|$)", name)
    word = "ms" if name == "sysclock" else found[1] if found else ""
    return {"sec": "s", "seconds": "s", "msec": "ms", "milliseconds": "ms"}.get(word, word)


def _guessed(times: NDArray[np.float64]) -> str:
    """Return the unit in which the usual step is that of a camera, between 2 ms and 2 s."""
    steps = np.diff(times[np.abs(np.nan_to_num(times, posinf=np.inf)) < LAST])
    forward = np.sort(steps[steps > 0])
    usual = float(forward[(len(forward) - 1) // 2]) if len(forward) else 0.0
    return "s" if usual < 2 else "ms" if usual < 2e3 else "us" if usual < 2e6 else "ns"
