"""What lies beside a recording, and which files would share it.

All of it is named by the recording's stem: ``NAME.jsonl`` are its events, ``NAME.draft`` the rest of a flush
that a kill cut short, ``NAME.begun`` the file until it can be read. So of two recordings in one folder that
differ only in their ending each would write over what is the other's: no second one is begun.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import h5py

from roi_core import layout
from roi_core.errors import RecordingError
from roi_core.paths import is_special, is_there

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ENDINGS",
    "begun",
    "changes",
    "events",
    "is_part",
    "is_recording",
    "owner",
    "refuse_left",
    "refuse_twin",
    "twin",
]

ENDINGS: Final = (".h5", ".hdf5")
"""Of a recording, in small or capital letters."""


def events(path: Path) -> Path:
    """Return the journal of its events."""
    return _named(path, ".jsonl")


def changes(path: Path) -> Path:
    """Return what `roi_core.draft` wrote down before it changes the file."""
    return _named(path, ".draft")


def begun(path: Path) -> Path:
    """Return what the file is called until it can be read; who has it open has the stem for himself."""
    return _named(path, ".begun")


def twin(path: Path) -> Path | None:
    """Return another recording with the same stem in the same folder, None if there is none."""
    for ending in (*ENDINGS, *map(str.upper, ENDINGS)):
        other = _named(path, ending)
        if other.name != path.name and is_recording(other) and not _is_same(other, path):
            return other
    return None


def owner(path: Path) -> Path | None:
    """Return the recording whose events, changes or beginning a path names, None if it is nobody's."""
    return twin(path) if path.suffix.lower() in (".jsonl", ".draft", ".begun") else None


def refuse_twin(path: Path) -> None:
    """Refuse a name that would share what lies beside it with another recording (RecordingError)."""
    other = twin(path)
    if other is not None:
        raise RecordingError(
            f"{other.name} is a recording beside it, and both would write {events(path).name}; "
            "give a name that differs in more than its ending"
        )


def refuse_left(path: Path, told: bool = False) -> None:
    """Refuse a new name under which anything of another recording lies, perhaps of one that was moved away.

    Changes, or what is only called like them, always; its events only when asked, and if there are any.

    Raises
    ------
    RecordingError
        There is; nothing was touched.
    """
    refuse_twin(path)
    found = [changes(path)] if is_there(changes(path)) else []
    journal = events(path)
    if told and is_there(journal) and journal.stat().st_size:
        found.append(journal)
    if found:
        raise RecordingError(f"{found[0]} is there already, left of another {path.name}; give another name")


def is_recording(path: Path) -> bool:
    """Return whether `path` is a recording of ours, finished or not; also what somebody is writing now."""
    return _told(path) is not None


def is_part(path: Path, first: str) -> bool:
    """Return whether `path` is a later part of the recording whose first file has the name `first`."""
    return _told(path) == first


def _told(path: Path) -> str | None:
    """Return the name of the first part that a recording of ours tells, '' if none; None of anything else."""
    if is_special(path):
        return None
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != layout.FORMAT.encode():
                return None
            first = file.attrs.get("first_part")
            return first.decode(errors="replace") if isinstance(first, bytes) else ""
    except BlockingIOError:
        return ""
    except (OSError, RuntimeError, ValueError):
        return None


def _named(path: Path, ending: str) -> Path:
    """Return the path with another ending; also of what has no name, such as ``.``."""
    return path.parent / f"{path.stem}{ending}"


def _is_same(one: Path, other: Path) -> bool:
    """Tell whether two names are of one file, as where capital letters do not matter."""
    return is_there(other) and os.path.samefile(one, other)
