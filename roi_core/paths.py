"""Paths as people write them, and what is there.

Whether something is there is asked here and not of `Path`, which raises where one may not look, where a drive
does not answer, or when a name is too long. What cannot be seen is not there; `unseen` tells why, as does
the system to who then opens or makes it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["expanded", "is_file", "is_folder", "is_gone", "is_special", "is_there", "recordings", "unseen"]


def expanded(path: str | Path) -> Path:
    """Return a path with its ``~`` replaced; that of somebody who has no home stays as it is."""
    return Path(os.path.expanduser(path))


def recordings(folder: str = "") -> Path:
    """Return the whole path of the folder that ``recorder.folder`` names; empty is ``~/roi_stream``.

    What is no whole path is meant in the user's home, wherever the program was started: a double-click
    starts it anywhere.
    """
    return (expanded("~") / expanded(folder or "roi_stream")).absolute()


def is_there(path: Path) -> bool:
    """Tell whether anything can be seen at a path."""
    return os.path.exists(path)


def is_file(path: Path) -> bool:
    """Tell whether a file can be seen at a path."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Tell whether a folder can be seen at a path."""
    return os.path.isdir(path)


def is_special(path: str | Path) -> bool:
    """Tell whether what is at a path is a pipe, socket or device: to open one may wait for ever."""
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))


def is_gone(path: Path) -> bool:
    """Tell whether the system says that nothing is at a path, and not only that it cannot be seen."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False
    return False


def unseen(path: Path) -> str:
    """Tell in a few words why nothing can be seen at a path, or in that folder; '' where something can."""
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            os.scandir(path).close()
    except OSError as error:
        return (error.strerror or str(error)).lower()
    except ValueError as error:  # a zero byte in it
        return str(error)
    return ""
