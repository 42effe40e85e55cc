"""Where the window keeps what is the user's own."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from roi_stream_gui import words
from roi_stream_gui.safe import is_text

__all__ = ["config_folder", "kept_names", "write_whole"]

log = logging.getLogger(__name__)


def config_folder() -> Path:
    """Return the folder of the user's configuration, which need not be there yet."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "roi_stream"


def kept_names(folder: Path) -> tuple[str, ...]:
    """Return in order what is kept in a folder of YAML files; a name that is no text is left out and told."""
    try:
        names = sorted(path.stem for path in folder.glob("*.yaml"))
    except OSError:
        return ()
    for name in names:
        if not is_text(name):
            log.warning(words.NO_TEXT, folder / f"{name}.yaml")
    return tuple(filter(is_text, names))


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
