"""Around the file: its name, room on the disk, and HDF5's errors as words."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from itertools import count
from typing import TYPE_CHECKING

from roi_core import beside
from roi_core.errors import RecorderError
from roi_core.paths import is_folder, is_there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["check_name", "free_path", "free_paths", "reserve", "why"]

RESERVE_BYTES = 4 * 2**20
"""Held on the disk while recording and given back at the end, so that a full disk leaves room to finish."""


LONGEST = "_99_part999.draft.new"
"""The most that is put behind a stem: of a part of a recording whose name was taken, while it is flushed."""


def check_name(path: Path, overwrite: bool, part: int = 1) -> None:
    """Refuse a name that is not, or would not become, a recording; that of a later `part` may be as it is.

    Raises
    ------
    RecorderError
        It is a folder, is not named like a recording, is too long with what is put behind it, or is
        something else that would be overwritten.
    """
    if is_folder(path):
        raise RecorderError(f"cannot write {path}: it is a folder; give a file name such as a.h5")
    if path.suffix.lower() not in beside.ENDINGS:
        raise RecorderError(f"cannot write {str(path)!r}: a recording is named NAME.h5")
    if part == 1:
        _check_length(path)
    if overwrite and is_there(path) and not beside.is_recording(path):
        raise RecorderError(f"{path} is not a recording of ours; only those are overwritten")


def _check_length(path: Path) -> None:
    """Refuse now what would end a recording at its first flush, or at its second part."""
    over = len(f"{path.stem}{LONGEST}".encode(errors="surrogatepass")) - _name_max(path.parent)
    if over > 0:
        raise RecorderError(
            f"cannot write {path}: its name is too long by {over} bytes, as NAME{LONGEST} must "
            "fit in there, too; give a shorter one"
        )


def _name_max(folder: Path) -> int:
    """Return how many bytes a name may have in a folder, which need not be there yet."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # Windows has no such question
            return os.pathconf(place, "PC_NAME_MAX")
    return 255


def free_path(path: Path) -> Path:
    """Return the first of `free_paths`."""
    return next(free_paths(path))


def free_paths(path: Path) -> Iterator[Path]:
    """Yield `path`, ``name_2``, ``name_3`` ... but those with a recording, or beside which anything lies."""
    for number in count(1):
        candidate = path if number == 1 else path.with_name(f"{path.stem}_{number}{path.suffix}")
        names = candidate, beside.events(candidate), beside.changes(candidate)
        if not any(map(is_there, names)) and beside.twin(candidate) is None:
            yield candidate


def reserve(folder: Path) -> IO[bytes]:
    """Return an unnamed file that holds `RESERVE_BYTES` in `folder` until it is closed."""
    held = tempfile.TemporaryFile(dir=folder)
    held.write(bytes(RESERVE_BYTES))
    held.flush()
    return held


def why(error: Exception) -> str:
    """Return the cause of an error in words."""
    if isinstance(error, OSError) and error.errno:
        return "disk full" if error.errno == errno.ENOSPC else os.strerror(error.errno).lower()
    return " ".join(str(error).split())
