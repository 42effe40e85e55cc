"""How this program starts itself again, as a process that does one thing aside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["command", "environment"]


def command(*words: str) -> list[str]:
    """Return how it is started with the words of its command line.

    Frozen into one folder, the program is its own interpreter, and the window's passes such words on. An
    `OSError` says that it is embedded in another one and cannot be started.
    """
    if not sys.executable:
        raise OSError("Python does not know by which program it is run")
    frozen = getattr(sys, "frozen", False)
    return [*([sys.executable] if frozen else [sys.executable, "-P", "-m", "roi_core.cli"]), *words]


def environment() -> dict[str, str]:
    """Return an environment in which the same code is found."""
    here = str(Path(__file__).parents[1])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))}
