"""The resting light of cells, F0, over which their raw traces are shown as dF/F. Knows no toolkit.

The mean picture takes some ms to make, so it is asked for every two seconds on a helper thread, and only
while dF/F of cells is shown.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from roi_core.rest import rest
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from roi_core.frame import Components
    from roi_core.session import Session

__all__ = ["RAW", "Resting"]

log = logging.getLogger(__name__)

PERIOD: Final = 2.0
"""Seconds between two looks at the mean picture."""
RAW: Final = "raw"
"""The kind of trace that dF/F of cells is made of."""


class Resting:
    """``f0`` by id of the cells whose rest is known, the same dict as long as nothing changed.

    ``why`` there is none, in a few words.
    """

    def __init__(self, submit: Callable[..., Future[Any]]) -> None:
        self.f0: dict[int, float] = {}
        self.why = ""
        self._submit = submit
        self._job: Future[dict[int, float] | None] | None = None
        self._session: Session | None = None
        self._next = 0.0

    def follow(self, session: Session | None, wanted: bool) -> None:
        """Collect what was reckoned; while it is wanted, reckon again. Once per drawn frame."""
        if session is not self._session:
            self._session, self.f0, self.why, self._job, self._next = session, {}, "", None, 0.0
        if self._job is not None and self._job.done():
            self._collect(self._job)
            self._job = None
        now = time.monotonic()
        if session is None or not wanted or self._job is not None or now < self._next:
            return
        activity = session.snapshot().activity
        if activity is not None:
            self._next = now + PERIOD
            self._job = self._submit(_reckoned, session, activity.components)

    def _collect(self, job: Future[dict[int, float] | None]) -> None:
        try:
            found = job.result()
        except Exception as error:
            log.warning("no dF/F of cells: %s", error, exc_info=error)
            return
        self.why = words.DFF_FLAT if found is None else "" if found else words.DFF_WAITS
        if (found or {}) != self.f0:
            self.f0 = found or {}


def _reckoned(session: Session, c: Components) -> dict[int, float] | None:
    """Return F0 by id of the cells that have one; None where no cell can have one."""
    if session.flattened():
        return None
    mean = session.pictures().get("mean")
    if mean is None:
        return {}
    found = rest(c.data, c.indices, c.indptr, mean)
    return {one: f0 for one, f0 in zip(c.ids.tolist(), found.tolist(), strict=True) if f0 == f0}
