"""Where an export goes, and a look ahead at it that never waits for the disk. Knows no toolkit."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Final

from roi_core.export import EXPORTS
from roi_core.export.place import default
from roi_core.paths import expanded, is_there

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Whereto", "target"]

PERIOD: Final = 1.0
"""Seconds between two looks."""


def target(source: Path, word: str, out: str = "", overwrite: bool = False) -> Path:
    """Return the whole path of an export of the recording `source`; `out` is what was typed.

    What is no whole path is meant beside the recording. When nothing was typed it is the usual name there,
    with a number if that is taken and not to be replaced.
    """
    if out:
        return (source.parent / expanded(out)).absolute()
    ending, number = EXPORTS[word].ending, 1
    path = default(source, ending)
    while is_there(path) and not overwrite:
        number += 1
        path = default(source, f"_{number}{ending}")
    return path.absolute()


class Whereto:
    """Remembers the last look at where one export would go, which a thread takes: it may be far away."""

    def __init__(self) -> None:
        self._asked: tuple[Path, str, bool] | None = None
        self._found: tuple[tuple[Path, str, bool], Path] | None = None
        self._due = 0.0
        self._thread: Thread | None = None

    def of(self, source: Path, word: str, overwrite: bool) -> Path | None:
        """Return where that goes when nothing is typed; None before the first look."""
        asked, now = (source, word, overwrite), monotonic()
        if asked != self._asked:
            self._asked, self._due = asked, now
        if now >= self._due and (self._thread is None or not self._thread.is_alive()):
            self._due = now + PERIOD
            self._thread = Thread(target=self._look, args=asked, name="whereto", daemon=True)
            self._thread.start()
        found = self._found
        return found[1] if found is not None and found[0] == asked else None

    def _look(self, source: Path, word: str, overwrite: bool) -> None:
        with suppress(OSError, ValueError):  # no such place; who exports is told
            self._found = (source, word, overwrite), target(source, word, overwrite=overwrite)
