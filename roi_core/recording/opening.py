"""A recording's file opened for reading, whoever has it open too; what damage to it raises."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import h5py

from roi_core.draft import pending
from roi_core.errors import RecordingError
from roi_core.paths import is_special

__all__ = ["DAMAGE", "opened"]

DAMAGE: Final = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError, OverflowError,
)  # fmt: skip
"""What h5py raises for a file whose bytes were changed: also of sizes that no memory holds."""


def opened(path: Path) -> tuple[h5py.File, bool]:
    """Return the file and whether somebody is writing it: then it is looked at without the lock.

    Raises
    ------
    RecordingError
        It is not there, is being written by one who lets nobody look, or cannot be opened.
    """
    if is_special(path):
        raise RecordingError(f"{path} cannot be opened: it is no file, but a pipe, a socket or a device")
    try:
        file = h5py.File(path, "r")
        half_done = pending(path)
        if half_done is not None:
            file.close()
            file = h5py.File(half_done, "r")
        return file, False
    except FileNotFoundError as error:
        raise RecordingError(f"{path} is not there") from error
    except BlockingIOError:
        with suppress(OSError):
            return h5py.File(path, "r", locking=False), True
        raise RecordingError(f"{path} is being written right now; try again when it is finished") from None
    except (OSError, ValueError, RuntimeError) as error:
        known = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else ""
        why = known or "it is not an HDF5 file, or it is damaged"
        raise RecordingError(f"{str(path)[:200]} cannot be opened: {why}") from error
