"""The thread that reads a capture, so that nobody else has to wait for a driver."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from roi_core.sources.capture import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Link", "Picture"]

Opener = Callable[[], "Any | None"]

logger = logging.getLogger(__name__)


class Picture(NamedTuple):
    """One frame as it was read: its time, how long reading took, both in s, and whose clock that was."""

    image: NDArray[Any]
    time: float
    waited: float
    stamped: bool


class Link:
    """One opened capture and the thread that reads it; when it falls silent it is abandoned as a whole.

    Two pictures take turns: the consumer holds one while the thread reads the other. Whatever touches the
    capture (opening, ``prepare`` before each read, releasing) happens in that thread.
    """

    def __init__(self, name: str, open_: Opener, prepare: Callable[[Any], None], capture: Any = None) -> None:
        self._open = open_
        self._prepare = prepare
        self._capture = capture
        self._ready: Picture | None = None
        self._ended = False
        self._abandoned = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"{name} reader", daemon=True)

    def take(self, timeout: float) -> Picture | None:
        """Return the next picture; None when the camera is gone, silent for so long, or abandoned."""
        with self._change:
            if not self._thread.ident and not self._abandoned:
                self._thread.start()
            self._change.wait_for(lambda: self._ready or self._ended or self._abandoned, timeout)
            picture, self._ready = self._ready, None
            self._change.notify_all()
            return None if self._abandoned else picture

    def abandon(self, join: float = 0.0) -> None:
        """Let the capture be released as soon as its driver lets go of it; wait ``join`` s for that."""
        with self._change:
            self._abandoned = True
            self._change.notify_all()
            if not self._thread.ident:
                self._release()
                return
        self._thread.join(join)

    def _run(self) -> None:
        try:
            self._capture = self._capture or self._open()
            if self._capture is not None:
                self._read_on(self._capture)
        except cv2.error:
            logger.debug("OpenCV gave up", exc_info=True)
        finally:
            self._release()
            with self._change:
                self._ended = True
                self._change.notify_all()

    def _read_on(self, capture: Any) -> None:
        buffers: list[Any] = [None, None]
        stamped = capture.getBackendName() == "V4L2"
        while self._wait_until_taken():
            self._prepare(capture)
            begin = time.perf_counter()
            good, image = capture.read(buffers[0])
            now = time.perf_counter()
            if not good:
                # A V4L2 read comes back empty-handed every second; only a quick failure means it is gone.
                if stamped and now - begin > 0.5:
                    continue
                return
            buffers = [buffers[1], image]
            stamp = _driver_time(capture, now) if stamped else None
            with self._change:
                self._ready = Picture(image, stamp or now, now - begin, stamp is not None)
                self._change.notify_all()

    def _wait_until_taken(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._ready is None or self._abandoned)
            return not self._abandoned

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def _driver_time(capture: Any, now: float) -> float | None:
    """Return when V4L2 says the frame was taken, if that can be on our clock."""
    stamp = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
    return stamp if 0 <= now - stamp < 60 else None
