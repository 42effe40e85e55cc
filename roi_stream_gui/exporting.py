"""Recordings into other people's formats, from the menu: one at a time, beside the recording.

What one export says is one message of the list, the last word on it. Knows no toolkit. What exists is
replaced only when that is asked for: the new one gets a number.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from roi_core.errors import RoiError
from roi_core.export import export
from roi_core.export.options import in_words, of
from roi_core.export.task import Cancelled, Wishes
from roi_core.paths import expanded
from roi_stream_gui import words
from roi_stream_gui.whereto import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_stream_gui.controller import Controller

__all__ = ["Exporting", "read"]

log = logging.getLogger(__name__)

PERIOD: Final = 2.0
"""Seconds between two words on how far an export is, at least."""


@dataclass(frozen=True)
class Order:
    """One export that was asked for."""

    source: Path
    word: str
    topic: str
    """Under which what it says is one message, the last."""
    wishes: Wishes
    out: str = ""
    """Where it is to be written, as it was typed; see `whereto.target`."""
    overwrite: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Put a sentence in the place of the last one about this export."""
        log.log(level, "%s", text, extra={"topic": self.topic})


class Exporting:
    """Writes on a thread of its own; hangs on the controller."""

    def __init__(self, controller: Controller) -> None:
        self._do = controller
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._work: dict[Future[Path], Order] = {}
        self._count = 0

    @property
    def recording(self) -> Path | None:
        """The recording at hand: the last that was finished, else the one that is open."""
        now, film = self._do.now, self._do.replay.film
        take = now.recording if now is not None and not self._do.taking.is_on(now) else None
        if take is not None and not take.closing and not take.failed:
            return take.path
        return film.recording if film is not None else None

    @property
    def busy(self) -> bool:
        """Tell whether there is an export to stop."""
        return bool(self._work)

    def to(
        self, word: str, path: str | Path | None = None, *, out: str = "", overwrite: bool = False,
        **options: Any,
    ) -> None:  # fmt: skip
        """Export a recording, by default the one at hand, to a format; what comes of it is told.

        `options` are those of `roi_core.export.options`.
        """
        source = self.recording if path is None else expanded(path)
        if source is None:
            log.warning(words.EXPORT_WHAT)
            return
        self._count += 1
        wishes = replace(self._wishes(source), **options)
        order = Order(source, word, f"export {self._count}", wishes, out, overwrite)
        order.say((words.EXPORT_WAITS if self._work else words.EXPORTING).format(source.name, word))
        self._work[self._helper.submit(self._export, order)] = order

    def stop(self) -> None:
        """Stop the export that is being written, which leaves nothing of it; the next one begins."""
        running = next(iter(self._work.values()), None)
        if running is not None:
            running.stop.set()

    def tick(self) -> None:
        """Tell what was written, or why not."""
        for work in [work for work in self._work if work.done()]:
            order = self._work.pop(work)
            try:
                order.say(words.EXPORTED.format(work.result()))
            except (CancelledError, Cancelled):
                order.say(words.EXPORT_STOPPED.format(order.source.name, order.word))
            except (RoiError, OSError, ImportError) as error:
                order.say(f"not exported: {in_words(str(error), words.EXPORT_MENU)}", logging.ERROR)
            except Exception as error:
                log.exception("not exported: %s", error, extra={"topic": order.topic})

    def close(self) -> None:
        """Stop what is being written, which leaves nothing of it; what waits is left out."""
        for order in self._work.values():
            order.stop.set()
        self._helper.shutdown(wait=True, cancel_futures=True)

    def _wishes(self, source: Path) -> Wishes:
        """Return which session card goes along.

        That of the recording that is shown is on the card's tab, and may have been gone over. What a
        recording made just now lacks is taken from there; any other has its own card only.
        """
        card, film = self._do.card, self._do.replay.film
        if card.lent and film is not None and film.recording == source:
            return Wishes(amended=card.now, remedy=words.NWB_FILL)
        if source == self.recording:
            return Wishes(card=card.now, remedy=words.NWB_FILL)
        return Wishes(remedy=words.NWB_OPEN)

    def _export(self, order: Order) -> Path:
        """Choose a name when it is its turn: the export before may have taken the one that was free."""
        said = -inf

        def progress(done: int, total: int) -> None:
            nonlocal said
            if monotonic() - said >= PERIOD and done < total:
                said = monotonic()
                order.say(words.EXPORT_PART.format(order.source.name, order.word, 100 * done // total))

        return export(
            order.source, order.word, target(order.source, order.word, order.out, order.overwrite),
            wishes=order.wishes, overwrite=order.overwrite, progress=progress,
            asked_to_stop=order.stop.is_set,
        )  # fmt: skip


def read(word: str, given: Mapping[str, str | bool]) -> dict[str, Any]:
    """Return the options of a format as they were typed or ticked; what is empty is left out.

    Raises
    ------
    ValueError
        One cannot be read; the sentence names its field.
    """
    options: dict[str, Any] = {}
    for option in of(word):
        value = given.get(option.name, "")
        if isinstance(value, bool):
            options[option.name] = value
        elif option.read is not None and value.strip():
            try:
                options[option.name] = option.read(value.strip())
            except ValueError as error:
                raise ValueError(f"{option.label}: {error}") from error
    return options
