"""Frames from files: what all have in common, and videos.

A file is complete and waits, so nothing of it is lost; pictures keep the dtype they were written with.
"""

from __future__ import annotations

import logging
import math
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.errors import SourceError
from roi_core.frame import Frame
from roi_core.settings import Settings
from roi_core.sources.rates import FASTEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from roi_core.card import Card
    from roi_core.frame import Counter
    from roi_core.settings import LiveSettings

__all__ = ["FileTime", "Stack", "Video"]

logger = logging.getLogger(__name__)

USUAL = Settings().camera.rate
"""Hz, of a file that tells none."""


class Stack:
    """Pictures one after another; a kind of file says how to `read` the next and what to `release`."""

    live = False
    counter: Counter = "file"
    shape: tuple[int, int]
    begun: datetime | None = None
    card: Card | None = None

    def __init__(self, path: str, rate: float) -> None:
        self.name = Path(path).name
        self.rate = rate
        self.length: int | None = None
        self._path = path
        self._row = 0
        self._closed = False
        # A reader and a closer may be two threads; OpenCV and HDF5 crash when closed during a read.
        self._lock = threading.Lock()
        if Path(path).is_file() and Path(path).stat().st_size == 0:
            raise SourceError(f"{self.name} is empty (0 bytes)")

    def take_rate(self, told: float | None) -> None:
        """Go by the rate that the file tells; where it tells none and nobody gave one, say what is taken."""
        if told is not None:
            self.rate = told
        elif self.rate == USUAL:
            said = "%s tells no frame rate: %g Hz is taken; if it is another, set camera.rate"
            # A message once, no alarm in every replay.
            logger.warning(said, self.name, USUAL, extra={"told": True, "topic": f"rate of {self.name}"})

    def frames(self) -> Iterator[Frame]:
        """Yield every frame once, as fast as it is taken."""
        while True:
            with self._lock:
                image = None if self._closed else self.read(self._row)
                if image is None:
                    return
                frame = self._frame(image)
            yield frame
            self._row += 1

    @property
    def row(self) -> int:
        """The row of the frame that `frames` gave last, or will give first."""
        return self._row

    def seek(self, row: int) -> None:
        """Let `frames` begin with this row; only before it has begun."""
        with self._lock:
            self._row = row
            if not self._closed:
                self.turn_to(row)

    def at(self, row: int) -> Frame | None:
        """Return the frame of any row, None beyond the end; not while `frames` is in use."""
        with self._lock:
            if self._closed:
                return None
            if row != self._row:
                self.turn_to(row)
            self._row = row
            image = self.read(row)
            frame = None if image is None else self._frame(image)
            self._row += 1
        return frame

    def _frame(self, image: NDArray[Any]) -> Frame:
        """Return a picture with the index, the time and, where it is known, the date of the present row."""
        index, time = self.stamp(self._row)
        wall = None if self.begun is None else self.begun + timedelta(seconds=time)
        return Frame(image, index, time, wall=wall)

    def close(self) -> None:
        """Close the file, at the latest after the frame now being read."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self.release()

    def read(self, row: int) -> NDArray[Any] | None:
        """Return the next picture, or None at the end."""
        raise NotImplementedError(self)

    def turn_to(self, row: int) -> None:
        """Make ready to `read` a row that does not follow the last; most kinds of files always are."""

    def stamp(self, row: int) -> tuple[int, float]:
        """Return (index, time in s) of a row."""
        return row, row / self.rate

    def release(self) -> None:
        """Let go of the file."""
        raise NotImplementedError(self)

    def stopped_early(self) -> None:
        """Warn that the rest of the file cannot be read."""
        logger.warning("%s is damaged: %d of %d frames could be read", self.name, self._row, self.length)


class Video(Stack):
    """A video file, through OpenCV's FFmpeg; gray stays gray and 16-bit stays 16-bit."""

    def __init__(self, path: str, settings: LiveSettings) -> None:
        from roi_core.sources.capture import cv2, keep_depth, open_capture

        super().__init__(path, settings.current.camera.rate)
        capture = open_capture(path, cv2.CAP_FFMPEG)
        if capture is None:
            raise SourceError(f"{self.name} cannot be read as a video: it is damaged or of an unknown kind")
        keep_depth(capture, self.name)
        self._capture = capture
        good, self._first = capture.read()
        if not good:
            capture.release()
            raise SourceError(f"{self.name} holds no frame that can be read")
        self.shape = self._first.shape[:2]
        rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.take_rate(rate if 0 < rate <= FASTEST else None)
        self.length = int(count) if count > 0 else None
        self._clock = FileTime(self.rate)
        self._clock.step(0, capture.get(0) / 1000.0)

    def read(self, row: int) -> NDArray[Any] | None:
        """Decode the next picture into fresh memory."""
        good, image = (True, self._first) if row == 0 else self._capture.read()
        # Matroska only knows its length roughly, so one or two missing frames mean nothing.
        if not good:
            if self.length is not None and row < self.length - max(2, self.length // 200):
                self.stopped_early()
            return None
        if image.shape != self._first.shape:
            raise SourceError(f"{self.name} changes its frame size at frame {row}")
        return np.asarray(image)

    def stamp(self, row: int) -> tuple[int, float]:
        """Return file time: ``row / rate``, or the container's stamps when they say something else."""
        return row, self._clock.step(row, self._capture.get(0) / 1000.0) if row else 0.0

    def turn_to(self, row: int) -> None:
        """Go to the picture of a row; the first is kept, so the decoder stands at the second or later."""
        from roi_core.sources.capture import cv2

        self._capture.set(cv2.CAP_PROP_POS_FRAMES, max(row, 1))
        self._clock.jump(row)

    def release(self) -> None:
        """Close the decoder."""
        self._capture.release()


class FileTime:
    """Seconds of each frame of a video: exact at a constant rate, the container's own otherwise.

    Containers round their stamps (Matroska to 1 ms), so they are believed only where they differ from the
    constant rate by more than that, and only as long as they increase.
    """

    ROUNDING = 0.002

    def __init__(self, rate: float) -> None:
        self._period = 1.0 / rate
        self._zero = 0.0
        self._last = (0.0, 0.0)
        self._variable = False
        self._trusted = True

    def step(self, row: int, stamp: float) -> float:
        """Return the time of a row whose container stamp is ``stamp`` s."""
        if row == 0:
            self._zero = stamp
            return 0.0
        seen, last = self._last
        stamp -= self._zero
        self._trusted &= stamp > seen
        self._variable |= abs(stamp - row * self._period) > self.ROUNDING
        time = row * self._period
        if self._variable:
            time = stamp if self._trusted else last + self._period
        time = max(time, last + 1e-6)
        self._last = stamp, time
        return time

    def jump(self, row: int) -> None:
        """Go on with any row: only what follows is compared with it."""
        self._last = -math.inf, -math.inf if self._trusted else (row - 1) * self._period
