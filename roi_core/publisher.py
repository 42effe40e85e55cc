"""A lane for a sink that may go away and come back, such as one across a network."""

from __future__ import annotations

import logging
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from roi_core.errors import sentence
from roi_core.frame import FinishReason, Summary
from roi_core.lanes import Lane

if TYPE_CHECKING:
    from roi_core.frame import Sample
    from roi_core.ledger import Carried
    from roi_core.sinks.base import Sink

__all__ = ["Publisher"]

log = logging.getLogger(__name__)

SHORTEST: Final = 0.5
LONGEST: Final = 60.0
"""Pauses before a sink that failed is opened again, s: doubled each time, until it lasts for the longest."""


class Publisher(Lane):
    """Drops and counts what its sink cannot take: late, or while it is away; the session never notices.

    A sink that fails is closed and opened again after a pause. Only one that cannot be opened at the very
    start is refused.
    """

    def __init__(self, sink: Sink, capacity: int) -> None:
        super().__init__(sink, capacity, wait=False)
        self.failures = 0
        """How often the sink failed, or could not be opened again."""
        self._missed = 0
        self._pause, self._since = SHORTEST, monotonic()
        self._again: float | None = None
        """When it is opened again; None while it is open."""

    @property
    def carried(self) -> Carried:
        """What became of the samples offered; those that came while the sink was away are dropped."""
        carried = super().carried
        return carried._replace(dropped=carried.dropped + self._missed)

    def _write(self, sample: Sample) -> None:
        if self._is_back():
            try:
                super()._write(sample)
                return
            except Exception as error:
                self._hand = None
                self._lose(error)
        self._missed += 1

    def _flush_in_time(self) -> None:
        if self._again is not None:
            self._due = monotonic() + self._period
            return
        try:
            super()._flush_in_time()
        except Exception as error:
            self._lose(error)

    def _is_back(self) -> bool:
        """Return whether the sink is open; open it again when it is time."""
        if self._again is None:
            return True
        if monotonic() < self._again:
            return False
        try:
            self.sink.open(self._header)
        except Exception as error:
            self._lose(error)
            return False
        self._again, self._since = None, monotonic()
        log.warning("%s is back; %d frames were not published", self.sink.name, self._missed)
        return True

    def _lose(self, error: Exception) -> None:
        """Close the sink until it is tried again."""
        self.failures += 1
        if self._again is None and monotonic() - self._since > LONGEST:
            self._pause = SHORTEST
        log.warning("%s failed, it is tried again in %g s: %s", self.sink.name, self._pause, sentence(error))
        log.debug("%s", self.sink.name, exc_info=error)
        with suppress(Exception):
            self.sink.close(Summary(FinishReason.FAILED, sentence(error)))
        self._again = monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST)
