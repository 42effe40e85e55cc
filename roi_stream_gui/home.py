"""Where the window keeps what is the user's own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["config_folder", "write_whole"]


def config_folder() -> Path:
    """Return the folder of the user's configuration, which need not be there yet."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "roi_stream"


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all: whatever happens on the way, what was there before is not torn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
