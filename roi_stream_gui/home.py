"""Where the window keeps what is the user's own."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from roi_stream_gui import words
from roi_stream_gui.safe import is_text

__all__ = ["config_folder", "kept_names", "put_aside", "tell_damaged", "write_whole"]

log = logging.getLogger(__name__)

READ: Final = {"window.json": (dict, words.WINDOW_BAD), "recent.json": (list, words.RECENT_BAD)}
"""What is kept as JSON: what must be in it, and what is said when it is not."""


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


def tell_damaged(folder: Path) -> None:
    """Put aside what is kept as JSON and cannot be read, with a sentence; whoever reads it begins anew."""
    for name, (kind, sentence) in READ.items():
        why = _damage(folder / name, kind)
        if why:
            log.warning("%s", sentence.format(why, put_aside(folder / name)))


def _damage(path: Path, kind: type) -> str:
    """Return why a file of JSON cannot be used; '' when it can be, or is not there."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return ""
    except (ValueError, RecursionError) as error:
        return words.short(str(error), 80)
    return "" if isinstance(known, kind) else words.OTHER_KIND


def put_aside(path: Path) -> Path:
    """Rename a file that cannot be used to NAME.bad; return what it is called then, its own name if not."""
    aside, number = path.with_name(f"{path.name}.bad"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.bad{number}")
    try:
        path.rename(aside)
    except OSError:
        return path
    return aside


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
