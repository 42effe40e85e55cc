"""Cameras of any maker through its GenTL producer (a ``.cti`` file) and harvesters.

``genicam:path/to/producer.cti`` is the first camera of that producer, ``genicam:producer.cti#SERIAL`` that
with the serial number (or id, or place in the list, from 0). ``genicam:`` and ``genicam:#SERIAL`` search
all producers that the makers' installers have put into ``GENICAM_GENTL64_PATH``. Producers come with the SDKs
of Allied Vision, Basler, FLIR, HIKRobot, IDS, Lucid, Matrix Vision, XIMEA and others.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi_core.errors import SourceError, SourceLost, SourceNotFound
from roi_core.paths import expanded
from roi_core.sources.driver import Driven
from roi_core.sources.extras import needed
from roi_core.sources.features import Features
from roi_core.sources.handle import UNREADABLE, Shot, buffers, reason

with needed("a GenICam camera", "harvesters", "genicam"):
    from genicam import genapi, gentl
    from harvesters.core import Harvester

if TYPE_CHECKING:
    from numpy.typing import NDArray

# It prints tracebacks of what is told here in a sentence.
logging.getLogger("harvesters.core").setLevel(logging.CRITICAL)

__all__ = ["GenICam", "found", "producers"]

ERRORS = (genapi.GenericException, gentl.GenericException)
PATH = "GENICAM_GENTL64_PATH"
GIGE_NUMBERS = 65_535
"""A producer for GigE cameras may pass on their own count, from 1 to this."""
READ_WRITE = 4


class GenICam(Driven):
    """A camera of a GenTL producer."""

    word = "genicam"

    def connect(self) -> Harvested:
        """Open the camera that the source's text names."""
        path, _, key = self._text.partition("#")
        harvester = _harvester([expanded(path)] if path else producers())
        every = harvester.device_info_list
        names = [_names(info) for info in every]
        at = next((i for i, known in enumerate(names) if key in ("", *known)), None)
        if at is None and key.isdigit() and int(key) < len(every):
            at = int(key)
        if at is None:
            known = ", ".join(_shown(info) for info in every) or "none"
            harvester.reset()
            raise SourceNotFound(f"{self.name}: there is no such camera; found {known}")
        # The same one again after a break, whatever is listed first by then.
        self._text = f"{path}#{names[at][0]}"
        self.name = f"{self.word}:{Path(path).name}#{names[at][0]}"
        try:
            return Harvested(harvester, at)
        except ERRORS as error:
            harvester.reset()
            why = "is another program using it?" if "in use" in str(error) else reason(error)
            raise SourceError(f"{self.name} does not open: {why}") from error


class Harvested:
    """An open camera and the producer it belongs to."""

    errors = ERRORS

    def __init__(self, harvester: Any, at: int) -> None:
        self._harvester = harvester
        self.camera = harvester.create(at)
        # Waiting inside harvesters holds the interpreter.
        self.camera.timeout_period_on_update_event_data_call = 0
        nodes = self.camera.remote_device.node_map

        def find(name: str) -> Any | None:
            return nodes.get_node(name) and getattr(nodes, name) if nodes.has_node(name) else None

        self._features = Features(find, lambda node: node.get_access_mode() == READ_WRITE)
        self.knobs = self._features.knobs
        self.wrap = GIGE_NUMBERS if harvester.device_info_list[at].tl_type == "GEV" else 0

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in force, px."""
        return self._features.shape

    @property
    def rate(self) -> float | None:
        """Frames per second in force."""
        return self._features.rate

    @property
    def full(self) -> int:
        """Largest value of a pixel, as its format tells."""
        return self._features.full

    def start(self) -> None:
        """Give the producer buffers to fill."""
        self.camera.num_buffers = buffers(self._features.value("PayloadSize") or 0)
        self.camera.start()

    def grab(self) -> Shot | None:
        """Return a copy of the next picture; one that came broken is left out, and missing in the numbers."""
        if not self.camera.is_valid():
            raise SourceLost("is not there any more")
        buffer = self.camera.try_fetch(timeout=1e-9)
        if buffer is None:
            return None
        try:
            image = _picture(buffer.payload.components)
            return Shot(image, _told(buffer.module, "frame_id"), _seconds(buffer))
        finally:
            buffer.queue()

    def stop(self) -> None:
        """Take the buffers back."""
        self.camera.stop()

    def close(self) -> None:
        """Give camera and producer back."""
        try:
            self.camera.destroy()
        finally:
            self._harvester.reset()


def producers() -> list[Path]:
    """Return the producers that have been installed."""
    folders = filter(None, os.environ.get(PATH, "").split(os.pathsep))
    return sorted(file for folder in folders for file in Path(folder).glob("*.cti"))


def found() -> list[tuple[str, str]]:
    """Return (source, name) of the cameras of all installed producers."""
    cameras: list[tuple[str, str]] = []
    for file in producers():
        try:
            harvester = _harvester([file])
        except SourceError as error:
            print(error, file=sys.stderr)
            continue
        cameras += [
            (f"genicam:{file}#{_names(one)[0]}", f"{_shown(one)} of {file.stem}")
            for one in harvester.device_info_list
        ]
        harvester.reset()
    return cameras


def _harvester(files: list[Path]) -> Any:
    harvester = Harvester()
    for file in files:
        try:
            harvester.add_file(str(file.absolute()), check_existence=True, check_validity=True)
        except FileNotFoundError as error:
            raise SourceNotFound(f"there is no GenTL producer {file}") from error
        except OSError as error:
            raise SourceError(f"{file} is no GenTL producer for this computer: {reason(error)}") from error
    if not files:
        raise SourceNotFound(f"no GenTL producer was named, and {PATH} leads to none; write genicam:FILE.cti")
    harvester.update()
    return harvester


def _names(info: Any) -> tuple[str, ...]:
    told = (_told(info, "serial_number"), _told(info, "id_"), _told(info, "user_defined_name"))
    return tuple(str(name) for name in told if name)


def _shown(info: Any) -> str:
    return f"{_told(info, 'model') or 'camera'} ({_names(info)[0]})"


def _told(module: Any, name: str) -> Any | None:
    """Return what a producer says of a thing; it need not know everything."""
    try:
        return getattr(module, name)
    except (*ERRORS, AttributeError):
        return None


def _seconds(buffer: Any) -> float | None:
    stamp = _told(buffer.module, "timestamp_ns")
    if stamp:
        return float(stamp) * 1e-9
    ticks, per_second = _told(buffer.module, "timestamp"), _told(buffer, "timestamp_frequency")
    return ticks / per_second if ticks and per_second else None


def _picture(components: list[Any]) -> NDArray[Any]:
    """Return (H, W) or BGR pixels of the first component; its memory goes back to the producer."""
    component = next((one for one in components if getattr(one, "data", None) is not None), None)
    if component is None:
        raise SourceError(UNREADABLE.format("what it sends"))
    height, width, name = component.height, component.width, component.data_format
    channels = max(1, round(component.num_components_per_pixel))
    pixels: NDArray[Any] = component.data.reshape(height, -1)[:, : width * channels]
    if channels > 1:
        pixels = pixels.reshape(height, width, channels)
    return (pixels[..., 2::-1] if name.startswith("RGB") else pixels).copy()
