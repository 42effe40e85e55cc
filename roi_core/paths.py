"""Paths as people write them."""

from __future__ import annotations

import os.path
from pathlib import Path

__all__ = ["expanded"]


def expanded(path: str | Path) -> Path:
    """Return a path with its ``~`` replaced; that of somebody who has no home stays as it is."""
    return Path(os.path.expanduser(path))
