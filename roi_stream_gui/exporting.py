"""Recordings into other people's formats, from the menu: one at a time, beside the recording.

Knows no toolkit. A file that exists is never replaced: the new one gets a number.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core.errors import RoiError
from roi_core.export import EXPORTS, export
from roi_core.paths import expanded
from roi_stream_gui import words

if TYPE_CHECKING:
    from roi_stream_gui.controller import Controller

__all__ = ["Exporting"]

log = logging.getLogger(__name__)


class Exporting:
    """Writes on a thread of its own; hangs on the controller."""

    def __init__(self, controller: Controller) -> None:
        self._do = controller
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._work: list[Future[Path]] = []

    @property
    def recording(self) -> Path | None:
        """The recording at hand: the last that was finished, else the one that is open."""
        session, film = self._do.session, self._do.replay.film
        take = session.snapshot().recording if session is not None else None
        if take is not None and not take.closing and not take.failed and not self._do.recording():
            return take.path
        return film.recording if film is not None else None

    def to(self, word: str, path: str | Path | None = None) -> None:
        """Export a recording, by default the one at hand, to a format; what comes of it is told."""
        source = self.recording if path is None else expanded(path)
        if source is None:
            log.warning(words.EXPORT_WHAT)
            return
        log.info(words.EXPORTING.format(source.name, word))
        self._work.append(self._helper.submit(export, source, word, _free(source, word)))

    def tick(self) -> None:
        """Tell what was written, or why not."""
        done = [work for work in self._work if work.done()]
        for work in done:
            self._work.remove(work)
            try:
                log.info(words.EXPORTED.format(work.result()))
            except (RoiError, OSError, ImportError) as error:
                log.error("not exported: %s", error)
            except Exception as error:
                log.exception("not exported: %s", error)

    def close(self) -> None:
        """Finish what is being written; what waits is left out."""
        self._helper.shutdown(wait=True, cancel_futures=True)


def _free(source: Path, word: str) -> Path:
    """Return a name beside the recording that is not taken."""
    ending = EXPORTS[word].ending
    path, number = source.with_name(source.stem + ending), 1
    while path.exists():
        number += 1
        path = source.with_name(f"{source.stem}_{number}{ending}")
    return path
