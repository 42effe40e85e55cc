"""Whatever Micro-Manager drives, through pymmcore-plus: Hamamatsu, Andor, PCO, Photometrics, Thorlabs ...

1. Install Micro-Manager (or ``mmcore install``), and the maker's own driver.
2. In its Hardware Configuration Wizard add the camera, see it live, and save the configuration.
3. ``micromanager:path/to/that.cfg`` opens the camera that the configuration names as Core-Camera.

What a camera needs beyond exposure, gain, binning, crop and pixel type (readout speed, trigger, sensor mode)
belongs into the configuration's ``System/Startup`` group. ``micromanager:demo`` is Micro-Manager's simulated
camera. Frames are numbered where they enter Micro-Manager's circular buffer, so an overflow there is counted
to the frame; what a camera drops before its adapter sees it is known to nobody.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any

from roi_core.errors import SourceError, SourceLost, SourceNotFound
from roi_core.paths import expanded
from roi_core.sources.driver import Driven
from roi_core.sources.extras import needed
from roi_core.sources.handle import Shot, reason
from roi_core.sources.knobs import WHOLE, Knob, Region

# On import it opens a log file in the user's home and makes every logger of the program talk.
os.environ.setdefault("PYMM_LOG_FILE", os.devnull)
_level = logging.getLogger().level
with needed("a camera of Micro-Manager", "pymmcore-plus", "micromanager"):
    from pymmcore_plus import CMMCorePlus, find_micromanager
logging.getLogger().setLevel(_level)

__all__ = ["MicroManager", "found"]

ERRORS = (RuntimeError, SystemError, ValueError, OSError)
"""What comes through from device adapters."""
DEMO = "demo"
PROPERTIES = {
    "gain": ("Gain", "EMGain", "EM Gain", "MultiplierGain", "GAIN"),
    "binning": ("Binning",),
    "pixel_format": ("PixelType",),
    "rate": ("FrameRate", "Frame Rate", "FramesPerSecond", "AcquisitionFrameRate"),
}
TRIGGERS = ("Trigger", "TriggerMode", "Triggermode", "TRIGGER SOURCE", "TriggerSource")
"""What adapters call them."""
BUFFER_MB = 256
NO_ADAPTERS = (
    "no device adapters of Micro-Manager were found: install Micro-Manager (mmcore install), "
    "or for the demo camera: pip install mm-test-adapters"
)


class MicroManager(Driven):
    """The camera of a Micro-Manager configuration."""

    word = "micromanager"

    def connect(self) -> Adapter:
        """Load the configuration that the source's text names."""
        text = self._text.strip()
        path = expanded(text)
        if text != DEMO and not path.is_file():
            raise SourceNotFound(
                f"there is no configuration {text!r}; write micromanager:FILE.cfg or :{DEMO}"
            )
        if find_micromanager() is None:
            raise SourceNotFound(NO_ADAPTERS)
        self.name = f"{self.word}:{path.name}"
        core = CMMCorePlus()
        try:
            if text == DEMO:
                _load_demo(core)
            else:
                core.loadSystemConfiguration(str(path))
            if not core.getCameraDevice():
                raise SourceNotFound(f"{self.name} names no camera (Property,Core,Camera,...)")
        except ERRORS as error:
            core.unloadAllDevices()
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{self.name} does not open: {reason(error)}") from error
        return Adapter(core)


class Adapter:
    """A camera behind its device adapter."""

    errors = ERRORS
    rate: float | None = None
    wrap = 0

    def __init__(self, core: Any) -> None:
        self.core = core
        self._camera = core.getCameraDevice()
        self._interval = 0.0
        core.setCircularBufferMemoryFootprint(BUFFER_MB)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in force, px."""
        return self.core.getImageHeight(), self.core.getImageWidth()

    @property
    def full(self) -> int:
        """Largest value of a 16-bit pixel, as the adapter tells."""
        bits: int = self.core.getImageBitDepth()
        return 2**bits - 1 if 8 < bits < 16 and self.core.getBytesPerPixel() == 2 else 0

    def knobs(self) -> dict[str, Knob]:
        """Return what can be adjusted, by the name of the setting."""
        core = self.core
        found = {
            "exposure": Knob(core.getExposure, core.setExposure, lambda: self._allowed("Exposure"), "ms"),
            "crop": Knob(self._region, self._cut, lambda: "a part of {1}x{0}".format(*self.shape), "px"),
            "rate": Knob(lambda: 1000 / self._interval, self._pace, lambda: "any"),
        }
        found["format"] = found["crop"]
        for setting, names in PROPERTIES.items():
            name = next((name for name in names if core.hasProperty(self._camera, name)), None)
            if name is not None:
                found[setting] = self._property(name)
        trigger = next((name for name in TRIGGERS if core.hasProperty(self._camera, name)), None)
        if trigger is not None:
            found["trigger"] = self._trigger(trigger)
        return found

    def start(self) -> None:
        """Let the adapter fill the circular buffer; one that overflows begins anew.

        The interval asked for is only followed by some adapters.
        """
        self.core.startContinuousSequenceAcquisition(self._interval)

    def grab(self) -> Shot | None:
        """Return the next picture of the circular buffer."""
        if not self.core.getRemainingImageCount():
            if not self.core.isSequenceRunning():
                raise SourceLost("has stopped")
            return None
        image, tags = self.core.popNextImageAndMD()
        if image.ndim == 3:
            image = image[..., 2::-1]
        number, stamp = tags.get("ImageNumber"), tags.get("ElapsedTime-ms")
        return Shot(image, int(number) if number else None, float(stamp) / 1000 if stamp else None)

    def stop(self) -> None:
        """End the sequence."""
        self.core.stopSequenceAcquisition()
        self.core.clearCircularBuffer()

    def close(self) -> None:
        """End the sequence and unload every device."""
        if self.core.getCameraDevice() and self.core.isSequenceRunning():
            self.core.stopSequenceAcquisition()
        self.core.unloadAllDevices()

    def _property(self, name: str) -> Knob:
        def read() -> float | str:
            text = self.core.getProperty(self._camera, name)
            return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else str(text)

        def write(wish: object) -> None:
            words = self.core.getAllowedPropertyValues(self._camera, name)
            spelled = (str(wish).lower(), f"{wish}bit".lower(), f"{wish}x{wish}".lower())
            fitting = [word for word in words if word.lower() in spelled]
            self.core.setProperty(self._camera, name, fitting[0] if fitting else str(wish))

        return Knob(read, write, lambda: self._allowed(name))

    def _trigger(self, name: str) -> Knob:
        def external(word: str) -> bool:
            return "ext" in word.lower() or word.lower() == "on"

        def read() -> str:
            return "external" if external(self.core.getProperty(self._camera, name)) else "free"

        def write(wish: str) -> None:
            words = self.core.getAllowedPropertyValues(self._camera, name)
            fitting = [word for word in words if external(word) == (wish == "external")]
            if read() != wish:
                self.core.setProperty(self._camera, name, fitting[0] if fitting else wish)

        return Knob(read, write, lambda: self._allowed(name))

    def _allowed(self, name: str) -> str:
        core, camera = self.core, self._camera
        if core.hasProperty(camera, name) and core.hasPropertyLimits(camera, name):
            low, high = (core.getPropertyLowerLimit(camera, name), core.getPropertyUpperLimit(camera, name))
            return f"{low:g} to {high:g}"
        words = core.getAllowedPropertyValues(camera, name) if core.hasProperty(camera, name) else ()
        return ", ".join(words) or "what its adapter does not tell"

    def _region(self) -> Region:
        return Region(*self.core.getROI())

    def _cut(self, wish: Region) -> None:
        self.core.clearROI()
        if wish == WHOLE:
            return
        height, width = self.shape
        x = (width - wish.width) // 2 if wish.x is None else wish.x
        y = (height - wish.height) // 2 if wish.y is None else wish.y
        if min(x, y) < 0 or x + wish.width > width or y + wish.height > height:
            raise ValueError(wish)
        if (wish.height, wish.width) != (height, width):
            self.core.setROI(x, y, wish.width, wish.height)

    def _pace(self, rate: float) -> None:
        self._interval = 1000 / rate


def found() -> list[tuple[str, str]]:
    """Return (source, name) of the configurations beside Micro-Manager, and of its demo camera."""
    folder = find_micromanager()
    if folder is None:
        return []
    saved = sorted(expanded(folder).glob("*.cfg"))
    return [(f"micromanager:{DEMO}", "demo camera"), *((f"micromanager:{file}", file.stem) for file in saved)]


def _load_demo(core: Any) -> None:
    """Load the camera that Micro-Manager simulates, with 16-bit pixels."""
    core.loadDevice("Camera", "DemoCamera", "DCam")
    core.initializeDevice("Camera")
    core.setCameraDevice("Camera")
    core.setProperty("Camera", "PixelType", "16bit")
