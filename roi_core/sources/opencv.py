"""Live pictures through OpenCV: a camera by its number, or a stream by its URL.

A thread of its own reads, so that silence is noticed after ``camera.timeout`` and `close` is prompt even
while a driver blocks. The thread reads one frame ahead and no further: what the consumer cannot take
is dropped by the camera, and counted by its index, not by us.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from roi_core.errors import SourceError, SourceLost, SourceNotFound
from roi_core.frame import Frame
from roi_core.ledger import Cause
from roi_core.sources.base import FIRST_PAUSE, LONGEST_PAUSE, PATIENCE, asked, kind_of
from roi_core.sources.capture import cv2, keep_depth, open_capture, open_options
from roi_core.sources.counting import EmbeddedCounter, FrameCounter, ReadCounter, TimeCounter
from roi_core.sources.devices import list_devices
from roi_core.sources.link import Link, Picture
from roi_core.sources.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_core.settings import Camera as CameraSettings
    from roi_core.settings import LiveSettings

__all__ = ["Camera", "Live", "Stream"]

logger = logging.getLogger(__name__)

STALE = 0.5
"""Seconds at most spent at the start on skipping pictures that were buffered before."""


class Live:
    """A live source: counts, notices silence, reconnects, and follows the exposure setting."""

    live = True

    def __init__(self, name: str, settings: LiveSettings) -> None:
        self.name = name
        self._settings = settings
        self._closed = threading.Event()
        self._exposure: float | None = None
        self._index = -1
        self._time = -math.inf
        capture = self._open()
        if capture is None:
            raise self._refusal(opened=False)
        good, image = capture.read()
        if not good:
            capture.release()
            raise self._refusal(opened=True)
        self.shape: tuple[int, int] = image.shape[:2]
        self._kind = kind_of(image)
        reported = capture.get(cv2.CAP_PROP_FPS)
        reported = reported if 0 < reported <= 10_000 else 0.0
        self.rate = self._compare(settings.current.camera, reported)
        self._counting = _counting(settings.current.camera.counter, reported, self.rate)
        self.counter = self._counting.counter
        self._link = Link(name, self._open, self._expose, capture)

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come, until closed; raise `SourceLost` after ``camera.retry_for`` without."""
        picture = self._newest()
        while not self._closed.is_set():
            back = picture is None
            if picture is None:
                picture = self._reconnect(self._settings.current.camera)
            if picture is None:
                return
            yield self._frame(picture, back=back)
            picture = self._link.take(self._settings.current.camera.timeout)

    def close(self) -> None:
        """Stop waiting and let go of the device."""
        self._closed.set()
        self._link.abandon(join=0.5)

    def _newest(self) -> Picture | None:
        """Skip what was buffered between opening and now; it would look like a loss."""
        picture = self._link.take(self._settings.current.camera.timeout)
        end = time.perf_counter() + STALE
        while picture is not None and not self._had_to_wait(picture) and time.perf_counter() < end:
            picture = self._link.take(self._settings.current.camera.timeout)
        return picture

    def _had_to_wait(self, picture: Picture) -> bool:
        return picture.waited > 0.25 / self.rate

    def _frame(self, picture: Picture, *, back: bool) -> Frame:
        image, stamp = picture.image, picture.time
        if kind_of(image) != self._kind:
            change = f"from {self._kind} to {kind_of(image)}"
            raise SourceLost(f"{self.name} changed its frames {change} (last: {self._index})")
        stamp = max(stamp, self._time + 1e-6)
        if back:
            self._counting.resume()
        timely = picture.stamped or self._had_to_wait(picture)
        index = self._counting.step(image, stamp, waited=timely)
        if self._counting.note:
            logger.warning("%s: %s", self.name, self._counting.note)
        if back and self._index >= 0:
            self._tell_return(stamp - self._time, index - self._index - 1)
        self._index, self._time = index, stamp
        return Frame(image, index, stamp, Cause.AWAY if back else None)

    def _tell_return(self, away: float, lost: int) -> None:
        words = {"camera": f"{lost} frames were lost", "time": f"about {lost} frames were lost"}
        known = words.get(self.counter, "how many frames were lost is not known")
        if self._counting.note:
            known = words["time"]
        logger.warning("%s is back after %.1f s; %s", self.name, away, known)

    def _reconnect(self, camera: CameraSettings) -> Picture | None:
        """Return the first picture after a break; None when closed meanwhile."""
        begin = time.perf_counter()
        last = self._time if self._index >= 0 else begin
        pause = FIRST_PAUSE
        silent = begin - last > 0.9 * camera.timeout
        trouble = f"gave no frame for {round(begin - last, 1):g} s" if silent else "is gone"
        if not self._closed.is_set() and camera.retry_for:
            logger.warning("%s %s; reconnecting", self.name, trouble)
        while not self._closed.is_set():
            self._link.abandon()
            left = begin + camera.retry_for - time.perf_counter()
            if left <= 0:
                if silent:
                    trouble = f"gave no frame for {round(time.perf_counter() - last, 1):g} s"
                raise SourceLost(f"{self.name} {trouble} (last: {self._index})")
            silent = True
            self._link = Link(self.name, self._open, self._expose)
            if self._closed.is_set():
                # `close` may have seen only the old link.
                self._link.abandon()
            picture = self._link.take(min(camera.timeout, left))
            if picture is not None or self._closed.wait(min(pause, left)):
                return picture
            pause = min(2 * pause, LONGEST_PAUSE)
        return None

    def _compare(self, camera: CameraSettings, reported: float) -> float:
        """Say what was asked for in vain; return the rate to go by."""
        wish = asked(camera.format)
        if wish is None:
            return reported or camera.rate
        given = (self.shape[1], self.shape[0])
        slower = wish.rate and reported and abs(reported - wish.rate) > 0.02 * wish.rate
        if given != wish[:2] or slower:
            rate = f"@{reported:g}" if reported else ""
            logger.warning("%s ignored %s: it gives %dx%d%s", self.name, camera.format, *given, rate)
        return reported or wish.rate or camera.rate

    def _expose(self, capture: Any) -> None:
        """Ask for the exposure that is set now, once for each value; runs before each read."""
        wish = self._settings.current.camera.exposure
        if wish is None or wish == self._exposure:
            return
        self._exposure = wish
        # "Manual" is 1 in V4L2's own numbers and 0.25 in those of the other systems.
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 1 if capture.getBackendName() == "V4L2" else 0.25)
        taken = capture.set(cv2.CAP_PROP_EXPOSURE, wish)
        now = capture.get(cv2.CAP_PROP_EXPOSURE)
        if not taken:
            logger.warning("%s ignored exposure %g: its driver cannot set it", self.name, wish)
        elif abs(now - wish) > 0.01 * max(abs(wish), 1):
            logger.warning("%s ignored exposure %g: it stays at %g", self.name, wish, now)

    def _open(self) -> Any | None:
        raise NotImplementedError(self)

    def _refusal(self, *, opened: bool) -> SourceError:
        raise NotImplementedError(self)


class Camera(Live):
    """A camera by its index."""

    def __init__(self, text: str, settings: LiveSettings) -> None:
        self._number = int(text)
        super().__init__(f"camera {self._number}", settings)

    def _open(self) -> Any | None:
        self._exposure = None
        capture = open_capture(self._number, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
        wish = asked(self._settings.current.camera.format)
        if capture is not None and wish is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, wish.width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wish.height)
            if wish.rate:
                capture.set(cv2.CAP_PROP_FPS, wish.rate)
        if capture is not None:
            capture.set(cv2.CAP_PROP_BUFFERSIZE, PATIENCE)  # unasked it is 4: 70 ms at 60 Hz
            keep_depth(capture, self.name)
        return capture

    def _refusal(self, *, opened: bool) -> SourceError:
        found = list_devices()
        if opened:
            return SourceError(f"{self.name} opens but gives no picture")
        if any(device.source == str(self._number) for device in found):
            return SourceError(f"{self.name} does not open; is another program using it?")
        return SourceNotFound(f"no {self.name}; found {', '.join(map(str, found)) or 'none'}")


class Stream(Live):
    """A stream by its URL, through FFmpeg."""

    def __init__(self, text: str, settings: LiveSettings) -> None:
        self._url = text
        super().__init__(without_secrets(text), settings)

    def _open(self) -> Any | None:
        self._exposure = None
        limit = round(1000 * self._settings.current.camera.timeout)
        params = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        scheme = self._url.partition(":")[0].lower()
        # Old frames must not queue up on the way; a small receive buffer lets the sender feel us.
        options = "fflags;nobuffer|flags;low_delay"
        options += {"tcp": "|recv_buffer_size;65536", "rtsp": "|rtsp_transport;tcp"}.get(scheme, "")
        with open_options(options):
            capture = open_capture(self._url, cv2.CAP_FFMPEG, params)
        if capture is not None:
            keep_depth(capture, self.name)
        return capture

    def _refusal(self, *, opened: bool) -> SourceError:
        if opened:
            limit = self._settings.current.camera.timeout
            return SourceError(f"{self.name} answers but gave no picture in {limit:g} s")
        return SourceNotFound(f"{self.name} does not open: nothing answers there, or it is no video stream")


def _counting(kind: str, reported: float, rate: float) -> FrameCounter:
    if kind == "embedded":
        return EmbeddedCounter(rate)
    return TimeCounter(reported) if kind == "time" else ReadCounter()
