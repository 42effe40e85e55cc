"""The journal beside a file: which of its bytes are to be changed, whole or not there at all."""

from __future__ import annotations

import os
import struct
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from roi_core import beside
from roi_core.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["END", "Change", "at_place", "changes_of", "read", "write"]

END: Final = slice(40, 48)
"""Where the head of an HDF5 file tells how much of it is used."""
MAGIC: Final = b"roi_stream journal 2\n"
OLDER: Final = b"roi_stream journal 1\n"
"""Without what was there before; read only."""


class Change(NamedTuple):
    """Bytes for a place of a file, and those ``before``: by them a journal knows its file again.

    Journals of an earlier version do not tell what was before.
    """

    place: int
    data: bytes
    before: bytes | None


def write(journal: Path, changes: list[Change], sync: bool) -> None:
    """Write a journal; it has its name only when it is whole."""
    new = journal.with_name(f"{journal.name}.new")
    with new.open("wb") as file:
        file.write(MAGIC)
        for place, data, before in changes:
            file.write(struct.pack("<qq", place, len(data)) + data + (before or b""))
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.replace(new, journal)


def changes_of(path: Path, raw: IO[bytes]) -> list[Change]:
    """Return the changes that wait beside a file; refuse those of another one."""
    journal = beside.changes(path)
    changes = read(journal)
    if not _is_of(changes, raw):
        raise RecordingError(
            f"{journal} holds changes of another file than {path.name}, or of one that was changed since; "
            "neither was touched: move it away and run the same command again"
        )
    return changes


def _is_of(changes: list[Change], raw: IO[bytes]) -> bool:
    """Tell whether all that would be changed is as it was, or changed already, or half-way."""
    if all(change.before is not None for change in changes):
        return all(_is_under_way(change, at_place(raw, change.place, len(change.data))) for change in changes)
    # all that is known is how long the file was to be
    heads = [data for place, data, _ in changes if place == 0 and len(data) >= END.stop]
    return any(int.from_bytes(head[END], "little") == raw.seek(0, os.SEEK_END) for head in heads)


def _is_under_way(change: Change, now: bytes) -> bool:
    """Tell whether every byte is the old or the new one."""
    before = change.before or b""
    if now in (before, change.data):
        return True
    return len(now) == len(before) and all(map(_is_either, now, before, change.data))


def _is_either(now: int, before: int, after: int) -> bool:
    return now in (before, after)


def at_place(raw: IO[bytes], place: int, size: int) -> bytes:
    """Return what a file holds at a place."""
    raw.seek(place)
    return raw.read(size)


def read(journal: Path) -> list[Change]:
    """Return the changes of a journal, in order; refuse what is none."""
    data, at, changes = journal.read_bytes(), len(MAGIC), []
    if not data.startswith((MAGIC, OLDER)):
        raise RecordingError(f"{journal} does not hold changes of a recording; move it away")
    tells = data.startswith(MAGIC)
    while at < len(data):
        place, size = struct.unpack("<qq", data[at : at + 16].ljust(16, b"\xff"))
        first, second = at + 16, at + 16 + size
        at = second + size if tells else second
        if place < 0 or size < 0 or at > len(data):
            raise RecordingError(f"{journal} is damaged; move it away")
        changes.append(Change(place, data[first:second], data[second:at] if tells else None))
    return changes
