"""Recordings into other people's formats, from the menu: one at a time, beside the recording.

Knows no toolkit. What exists is never replaced: the new one gets a number.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from roi_core.errors import RoiError
from roi_core.export import EXPORTS, export
from roi_core.paths import expanded, is_there
from roi_stream_gui import words

if TYPE_CHECKING:
    from roi_stream_gui.controller import Controller

__all__ = ["Exporting"]

log = logging.getLogger(__name__)

PERIOD: Final = 2.0
"""Seconds between two words on how far an export is, at least."""


class Exporting:
    """Writes on a thread of its own; hangs on the controller."""

    def __init__(self, controller: Controller) -> None:
        self._do = controller
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._work: list[Future[Path]] = []
        self._stop = threading.Event()

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
        self._work.append(self._helper.submit(self._export, source, word))

    def tick(self) -> None:
        """Tell what was written, or why not."""
        done = [work for work in self._work if work.done()]
        for work in done:
            self._work.remove(work)
            try:
                log.info(words.EXPORTED.format(work.result()))
            except CancelledError:
                continue
            except (RoiError, OSError, ImportError) as error:
                log.error("not exported: %s", error)
            except Exception as error:
                log.exception("not exported: %s", error)

    def close(self) -> None:
        """Stop what is being written, which leaves nothing of it; what waits is left out."""
        self._stop.set()
        self._helper.shutdown(wait=True, cancel_futures=True)

    def _export(self, source: Path, word: str) -> Path:
        """Choose a name when it is its turn: the export before may have taken the one that was free."""
        said = monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal said
            if monotonic() - said >= PERIOD and done < total:
                said = monotonic()
                log.info(words.EXPORT_PART.format(source.name, word, 100 * done // total))

        return export(
            source, word, _free(source, word), progress=progress, asked_to_stop=self._stop.is_set
        )  # fmt: skip


def _free(source: Path, word: str) -> Path:
    """Return a name beside the recording that is not taken."""
    ending = EXPORTS[word].ending
    path, number = source.with_name(source.stem + ending), 1
    while is_there(path):
        number += 1
        path = source.with_name(f"{source.stem}_{number}{ending}")
    return path
