"""The pictures that the wand and the fibre finder look at, fetched on a thread of their own. No toolkit.

The summary pictures of a session take some ms to make, which the window cannot spare; so they are asked for
once a second, and only while somebody looks. Without analysis there are none: then the frames are averaged.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roi_core.session import Session

    Picture = NDArray[np.float32]

__all__ = ["Ground"]

log = logging.getLogger(__name__)

PERIOD: Final = 0.5
"""Seconds between two looks."""
LONGEST: Final = 30
"""Looks that the mean of frames remembers."""
BEST: Final = ("correlation", "mean", "template", "frames")
"""Which picture cells stand out in, the best first; only the last one is not put in its place."""


class Ground:
    """The newest pictures of a session, (H, W) float32 by name; ``frames`` is the mean of some frames."""

    def __init__(self) -> None:
        self.pictures: dict[str, Picture] = {}
        self._worker: ThreadPoolExecutor | None = None
        self._job: Future[dict[str, Picture]] | None = None
        self._session: Session | None = None
        self._looks = 0
        self._next = 0.0

    def follow(self, session: Session | None, wanted: bool) -> None:
        """Collect what was fetched; while it is wanted, fetch again. Once per drawn frame."""
        if session is not self._session:
            self._session, self.pictures, self._looks, self._job = session, {}, 0, None
        if self._job is not None and self._job.done():
            self._collect(self._job)
            self._job = None
        now = time.monotonic()
        if wanted and session is not None and self._job is None and (now >= self._next or not self.pictures):
            self._next = now + PERIOD
            self._looks = min(self._looks + 1, LONGEST)
            self._job = self.submit(_fetched, session, self.pictures.get("frames"), self._looks)

    def best(self) -> tuple[str, Picture | None]:
        """Return the picture in which cells stand out, and its name."""
        return next(((name, self.pictures[name]) for name in BEST if name in self.pictures), ("", None))

    def submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        """Let the thread do something."""
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="ground")
        return self._worker.submit(work, *args)

    def close(self) -> None:
        """End the thread."""
        if self._worker is not None:
            self._worker.shutdown(wait=True, cancel_futures=True)
            self._worker = None

    def _collect(self, job: Future[dict[str, Picture]]) -> None:
        try:
            self.pictures = job.result()
        except Exception as error:
            log.warning("no pictures to look at: %s", error, exc_info=error)


def _fetched(session: Session, before: Picture | None, looks: int) -> dict[str, Picture]:
    """Return the session's pictures that hold something, and the mean of frames with the newest one in it."""
    found = {name: p for name, p in session.pictures().items() if name in BEST and np.isfinite(p).any()}
    shot = session.frames.latest()
    if shot is not None:
        image = shot.image.astype(np.float32)
        found["frames"] = image if before is None else before + (image - before) / np.float32(looks)
    return found
