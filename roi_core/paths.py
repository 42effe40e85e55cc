"""Paths as people write them, and what is there.

Whether something is there is asked here and not of `Path`, which raises where one may not look, where a drive
does not answer, or when a name is too long. What cannot be seen is not there; who then opens or makes it
is told why that cannot be.
"""

from __future__ import annotations

import os.path
from pathlib import Path

__all__ = ["expanded", "is_file", "is_folder", "is_there"]


def expanded(path: str | Path) -> Path:
    """Return a path with its ``~`` replaced; that of somebody who has no home stays as it is."""
    return Path(os.path.expanduser(path))


def is_there(path: Path) -> bool:
    """Tell whether anything can be seen at a path."""
    return os.path.exists(path)


def is_file(path: Path) -> bool:
    """Tell whether a file can be seen at a path."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Tell whether a folder can be seen at a path."""
    return os.path.isdir(path)
