"""What is asked of an export beside the recording, and how it tells how far it is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from roi_core.card import Card
from roi_core.errors import RecordingError, RoiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Cancelled", "Task", "Wishes"]

ROOM: Final = 200e6
"""Bytes that an export leaves free on its disk: a recording may be running on it."""


REMEDY: Final = (
    "Fill in a card (roi_stream card > card.yaml) and export again with --card card.yaml --overwrite"
)


class Cancelled(RoiError):
    """An export that was asked to stop; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options; a format takes what it knows.

    Those of `roi_core.export.options`, by their names; and ``card`` fills in what the recording's own card
    leaves empty, ``amended`` stands in the place of that card: somebody went over it. ``remedy`` tells
    whoever asks where a card can be filled in.
    """

    refined: bool = False
    corrected: bool = False
    speed: float = 1.0
    limits: tuple[float, float] | None = None
    signal: str = ""
    reference: str = ""
    fit: str = "robust"
    bleaching: str = "shared"
    lowpass: float = 0.0
    card: Card = field(default_factory=Card)
    amended: Card | None = None
    remedy: str = REMEDY


class Task:
    """One export under way into `folder`."""

    def __init__(
        self,
        folder: Path,
        wishes: Wishes,
        progress: Callable[[int, int], None] | None = None,
        asked_to_stop: Callable[[], bool] | None = None,
    ) -> None:
        self.wishes = wishes
        self._folder = folder
        self._progress = progress
        self._asked_to_stop = asked_to_stop
        self._done = self._total = 0

    def expect(self, total: int) -> None:
        """Say how much all `blocks` together will be, where there are several."""
        self._total = total

    def tell(self, done: int, total: int) -> None:
        """Say how much is done; raise `Cancelled` when asked to stop, `RecordingError` on a full disk."""
        if self._asked_to_stop is not None and self._asked_to_stop():
            raise Cancelled("the export was stopped; nothing of it was kept")
        free = shutil.disk_usage(self._folder).free
        if free < ROOM:
            raise RecordingError(
                f"the disk of {self._folder.parent} has {free / 1e6:.0f} MB left and an export leaves "
                f"{ROOM / 1e6:.0f} MB free; nothing of it was kept: make room, or name another disk "
                "with --out"
            )
        if self._progress is not None:
            self._progress(done, total)

    def blocks(self, rows: int, size: int) -> Iterator[slice]:
        """Yield slices of `size` rows until all are through, telling before and after each."""
        begun, self._total = self._done, max(self._total, self._done + rows)
        self.tell(begun, self._total)
        for first in range(0, rows, size):
            last = min(first + size, rows)
            yield slice(first, last)
            self._done = begun + last
            self.tell(self._done, self._total)
