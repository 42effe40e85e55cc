"""Cameras behind a maker's driver: polled, counted by their own numbers, reconnected when they fall silent.

A camera file opens a `handle.Device`; everything else is here. Only the thread that takes frames touches the
device (and `close`, while that thread does not), and it waits in steps of `POLL`, so that ending is prompt
and the interpreter is free while it waits; a driver that itself hangs holds that thread. The driver keeps
frames in buffers of its own; what overflows there is a step in its frame number.
"""

from __future__ import annotations

import logging
import math
import threading
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

from roi_core.errors import RoiError, SourceError, SourceLost
from roi_core.frame import Frame
from roi_core.ledger import Cause
from roi_core.sources.base import FIRST_PAUSE, LONGEST_PAUSE, kind_of
from roi_core.sources.counting import EmbeddedCounter, HardwareCounter, TimeCounter
from roi_core.sources.handle import reason
from roi_core.sources.knobs import LIVE, readout, turn, wishes
from roi_core.sources.stamps import DeviceClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from roi_core.settings import LiveSettings
    from roi_core.sources.counting import FrameCounter
    from roi_core.sources.handle import Device, Shot

__all__ = ["Driven"]

logger = logging.getLogger(__name__)

POLL = 0.001
"""Seconds between two questions for a frame."""
MEASURED = 8
"""Frames from which the rate is measured of a camera that does not tell it."""
MOSAIC = (
    "gives {}, one colour a pixel: the mosaic is recorded as if it were gray; "
    "for gray without it ask for camera.pixel_format 8 or 16, if the camera has that"
)
CLOSE = 0.05
"""Part by which a rate may differ from what was asked without a word."""


class Driven:
    """A live source on a `Device`, which `connect` opens.

    ``full`` is the largest value a pixel can have in the recording, 0 when that is not known, ``readout``
    the part of the sensor that the frames show, None when that is not.
    """

    word = "driver"
    live = punctual = True

    def __init__(self, text: str, settings: LiveSettings) -> None:
        self.name = f"{self.word}:{text}"
        self._text = text
        self._settings = settings
        self._seen = settings.current.camera
        self._closed = threading.Event()
        self._hands = threading.Lock()
        self._told: set[str] = set()
        device = self._opened()
        self._device: Device | None = device
        self._running = False
        self._clock = DeviceClock()
        self._kind = ""
        self._index = -1
        self._time = -math.inf
        try:
            self.shape = device.shape
            self.full = 0 if self._seen.input_range else device.full
            shots = [] if self._patient else self._look(device)
            self.rate = self._rated(device, shots)
        except device.errors as error:
            self._fail(f"opens but gives no picture: {reason(error)}")
        except SourceError as error:
            self._fail(str(error))
        self._counting = self._counter(device, shots)
        self.counter = self._counting.counter

    def connect(self) -> Device:
        """Open the camera named by the source's text, or raise a `SourceError`; nothing is taken yet."""
        raise NotImplementedError(self)

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come, until closed; raise `SourceLost` after ``camera.retry_for`` without."""
        try:
            while not self._closed.is_set():
                shot, back = self._next(), False
                if shot is None:
                    shot, back = self._reconnected(), True
                if shot is None:
                    return
                yield self._frame(shot, back=back)
        finally:
            self._release()

    def close(self) -> None:
        """Stop waiting and let go of the device."""
        self._closed.set()
        self._release(wait=0.5)

    # -- opening ------------------------------------------------------------------------------------------

    def _opened(self) -> Device:
        """Connect and ask for what is set; say what the camera does otherwise."""
        device = self.connect()
        camera = self._settings.current.camera
        try:
            self._patient = camera.trigger == "external"
            self._ask(device, wishes(camera))
            knobs = device.knobs()
            self.readout = readout(knobs, device.errors)
            trigger, pixels = knobs.get("trigger"), knobs.get("pixel_format")
            self._patient = self._patient or (trigger is not None and trigger.read() == "external")
            if pixels is not None and str(pixels.read()).startswith("Bayer"):
                self._say(MOSAIC.format(pixels.read()))
        except device.errors as error:
            _let_go(device)
            raise SourceError(f"{self.name} does not open: {reason(error)}") from error
        self._seen = camera
        return device

    def _ask(self, device: Device, wanted: Mapping[str, Any]) -> None:
        knobs = device.knobs() if wanted else {}
        for setting, wish in wanted.items():
            said = turn(setting, knobs.get(setting), wish, device.errors)
            if said:
                self._say(said)

    def _say(self, said: str) -> None:
        """Warn once, however often the camera is opened again."""
        if said not in self._told:
            logger.warning("%s %s", self.name, said)
            self._told.add(said)

    def _look(self, device: Device) -> list[Shot]:
        """Return the first pictures: two, or as many as measure a rate that is not told."""
        wanted = 2 if device.rate else MEASURED
        shots: list[Shot] = []
        limit = perf_counter() + self._seen.timeout
        device.start()
        while len(shots) < wanted and perf_counter() < limit:
            shot = device.grab()
            if shot is None:
                self._closed.wait(POLL)
            else:
                stamp = perf_counter() if shot.stamp is None else shot.stamp
                shots.append(shot._replace(stamp=stamp))
        device.stop()
        if not shots:
            raise SourceError(f"opens but gave no picture in {self._seen.timeout:g} s")
        return shots

    def _fail(self, why: str) -> NoReturn:
        self.close()
        raise SourceError(f"{self.name} {why}")

    def _rated(self, device: Device, shots: list[Shot]) -> float:
        """Return the rate to go by: told, measured, or asked for; say when it is not what was asked."""
        steps = sorted(b.stamp - a.stamp for a, b in pairwise(shots) if a.stamp and b.stamp)
        measured = round(1 / steps[len(steps) // 2], 3) if steps and steps[len(steps) // 2] > 0 else None
        wish = wishes(self._seen).get("rate")
        rate: float = device.rate or measured or wish or self._seen.rate
        if wish and abs(rate - wish) > CLOSE * wish:
            logger.warning("%s was asked for %g frames/s and gives %.4g", self.name, wish, rate)
        return rate

    def _counter(self, device: Device, shots: list[Shot]) -> FrameCounter | HardwareCounter:
        if self._seen.counter == "embedded":
            return EmbeddedCounter(self.rate)
        if any(shot.number is None for shot in shots):
            return TimeCounter(self.rate)
        return HardwareCounter(self.rate, device.wrap)

    # -- on the worker ------------------------------------------------------------------------------------

    def _next(self) -> Shot | None:
        """Return the next picture; None when the camera is gone, silent for too long, or closed."""
        begun = perf_counter()
        self._trouble = ""
        self._waited = False
        while not self._closed.is_set() and not self._trouble:
            shot = self._grabbed()
            if shot is not None:
                return shot
            self._waited = True
            silence = perf_counter() - begun
            if silence > self._settings.current.camera.timeout and not self._patient:
                self._trouble = f"gave no frame for {silence:.1f} s"
            self._closed.wait(POLL)
        return None

    def _grabbed(self) -> Shot | None:
        with self._hands:
            device = self._device
            if device is None:
                self._trouble = "is gone"
                return None
            lost: tuple[type[Exception], ...] = (*device.errors, SourceLost)
            try:
                if not self._running:
                    device.start()
                    self._running = True
                self._follow(device)
                return device.grab()
            except lost as error:
                logger.debug("%s: %s", self.name, reason(error))
                self._trouble = "is gone"
                return None

    def _follow(self, device: Device) -> None:
        """Ask for what has been changed since the last frame, as far as cameras change it while they run."""
        camera = self._settings.current.camera
        if camera is self._seen:
            return
        before, now = wishes(self._seen), wishes(camera)
        self._seen = camera
        self._told.clear()
        self._ask(device, {name: now[name] for name in LIVE if now.get(name) != before.get(name)})

    def _frame(self, shot: Shot, *, back: bool) -> Frame:
        kind = kind_of(shot.image)
        if kind != (self._kind or kind) or shot.image.shape[:2] != self.shape:
            old = self._kind or f"{self.shape[1]}x{self.shape[0]}"
            raise SourceLost(f"{self.name} changed its frames from {old} to {kind} (last: {self._index})")
        if back:
            self._clock = DeviceClock()
            self._counting.resume()
        now = perf_counter()
        time = max(now if shot.stamp is None else self._clock.step(shot.stamp, now), self._time + 1e-6)
        if isinstance(self._counting, HardwareCounter):
            dated = self._waited or shot.stamp is not None
            index = self._counting.step(shot.number or 0, time, waited=dated)
        else:
            index = self._counting.step(shot.image, time, waited=self._waited and self._clock.even)
        if self._counting.note:
            logger.warning("%s: %s", self.name, self._counting.note)
        if back and self._index >= 0:
            lost = index - self._index - 1
            logger.warning(
                "%s is back after %.1f s; about %d frames were lost", self.name, time - self._time, lost
            )
        self._kind, self._index, self._time = kind, index, time
        cause = Cause.AWAY if back else Cause.TIME if self._counting.note else None
        return Frame(shot.image, index, time, cause)

    def _reconnected(self) -> Shot | None:
        """Return the first picture after a break; None when closed meanwhile."""
        camera = self._settings.current.camera
        begin, pause, trouble = perf_counter(), FIRST_PAUSE, self._trouble
        if not self._closed.is_set() and camera.retry_for:
            logger.warning("%s %s; reconnecting", self.name, trouble)
        while not self._closed.is_set():
            self._release()
            left = begin + camera.retry_for - perf_counter()
            if left <= 0:
                raise SourceLost(f"{self.name} {trouble} (last: {self._index})")
            shot = self._next() if self._reopened() else None
            if shot is not None or self._closed.wait(min(pause, left)):
                return shot
            pause = min(2 * pause, LONGEST_PAUSE)
        return None

    def _reopened(self) -> bool:
        with self._hands:
            if self._closed.is_set():
                return False
            try:
                self._device = self._opened()
            except RoiError as error:
                logger.debug("%s", error)
                return False
            return True

    def _release(self, wait: float = -1) -> None:
        """Let go of the device, unless its thread is in the driver for so long: then that does it."""
        if not self._hands.acquire(timeout=wait):
            return
        try:
            device, self._device, self._running = self._device, None, False
            if device is not None:
                _let_go(device)
        finally:
            self._hands.release()


def _let_go(device: Device) -> None:
    """Close what may have been pulled out meanwhile."""
    try:
        device.close()
    except device.errors as error:
        logger.debug("closing: %s", reason(error))
