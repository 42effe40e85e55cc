"""Live pictures through OpenCV: a camera by its number, or a stream by its URL.

A thread of its own reads, so that silence is noticed after ``camera.timeout`` and `close` is prompt even
while a driver blocks. The thread reads one frame ahead and no further: what the consumer cannot take
is dropped by the camera, and counted by its index, not by us.
"""

from __future__ import annotations

import logging
import math
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from roi_core.errors import SourceError, SourceLost, SourceNotFound
from roi_core.frame import Frame
from roi_core.sources.base import asked
from roi_core.sources.capture import cv2, keep_depth, open_capture, open_options
from roi_core.sources.counting import EmbeddedCounter, FrameCounter, ReadCounter, TimeCounter
from roi_core.sources.devices import list_devices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.settings import Camera as CameraSettings
    from roi_core.settings import LiveSettings

__all__ = ["Camera", "Live", "Stream"]

Opener = Callable[[], "Any | None"]

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds between attempts to reconnect: doubled each time."""
STALE = 0.5
"""Seconds at most spent at the start on skipping pictures that were buffered before."""


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
        self._kind = _kind(image)
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
        if _kind(image) != self._kind:
            change = f"from {self._kind} to {_kind(image)}"
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
        return Frame(image, index, stamp)

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
        trouble = f"gave no frame for {begin - last:.3g} s" if silent else "is gone"
        if not self._closed.is_set() and camera.retry_for:
            logger.warning("%s %s; reconnecting", self.name, trouble)
        while not self._closed.is_set():
            self._link.abandon()
            left = begin + camera.retry_for - time.perf_counter()
            if left <= 0:
                trouble = f"gave no frame for {time.perf_counter() - last:.3g} s" if silent else trouble
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
            keep_depth(capture, self.name)
        return capture

    def _refusal(self, *, opened: bool) -> SourceError:
        found = list_devices()
        if opened:
            return SourceError(f"{self.name} opens but gives no picture")
        if any(device.index == self._number for device in found):
            return SourceError(f"{self.name} does not open; is another program using it?")
        return SourceNotFound(f"no {self.name}; found {', '.join(map(str, found)) or 'none'}")


class Stream(Live):
    """A stream by its URL, through FFmpeg."""

    def __init__(self, text: str, settings: LiveSettings) -> None:
        self._url = text
        super().__init__(_without_password(text), settings)

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


def _driver_time(capture: Any, now: float) -> float | None:
    """Return when V4L2 says the frame was taken, if that can be on our clock."""
    stamp = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
    return stamp if 0 <= now - stamp < 60 else None


def _kind(image: NDArray[Any]) -> str:
    """Describe what may not change while frames flow: ``640x480 uint16``, ``640x480x3 uint8``."""
    height, width, *channels = image.shape
    return f"{'x'.join(map(str, [width, height, *channels]))} {image.dtype}"


def _without_password(url: str) -> str:
    """Return the URL as it may be shown and recorded."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)
