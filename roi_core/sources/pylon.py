"""Basler cameras through Basler's pylon, which comes with pypylon.

``pylon:`` is the first camera found, ``pylon:SERIAL`` the one with that number on its label. To try it
without a camera, set ``PYLON_CAMEMU=2``: two cameras are then emulated.
"""

from __future__ import annotations

from typing import Any

from roi_core.errors import SourceError, SourceLost, SourceNotFound
from roi_core.sources.driver import Driven
from roi_core.sources.extras import needed
from roi_core.sources.features import Features
from roi_core.sources.handle import UNREADABLE, Shot, buffers, reason

with needed("a Basler camera", "pypylon", "pylon"):
    from pypylon import genicam, pylon

__all__ = ["Pylon", "found"]

NO_NUMBER = 2**64 - 1
"""What pylon gives for the number of a block that has none."""
READABLE = r"(Mono|Bayer[RGB]{2})\d+\w*|(RGB|BGR)8(Packed)?"
"""Names of the kinds of pixels that pypylon gives as gray or colour."""
GIGE_NUMBERS = 65_535
"""A GigE camera counts from 1 to this, unless it uses the extended ids of GigE Vision 2."""


class Pylon(Driven):
    """A Basler camera by its serial number."""

    word = "pylon"

    def connect(self) -> Basler:
        """Open the camera with the serial number in the source's text, or the first."""
        serial = self._text.strip()
        factory = pylon.TlFactory.GetInstance()
        try:
            every = factory.EnumerateDevices()
            one = next((info for info in every if serial in ("", info.GetSerialNumber())), None)
            if one is None:
                known = ", ".join(info.GetSerialNumber() for info in every) or "none"
                raise SourceNotFound(f"there is no Basler camera {serial or 'at all'}; found {known}")
            # The same one again after a break, whatever is found first by then.
            self._text = one.GetSerialNumber()
            self.name = f"{self.word}:{self._text}"
            return Basler(pylon.InstantCamera(factory.CreateDevice(one)))
        except genicam.GenericException as error:
            why = "is another program using it?" if "controlled" in str(error) else reason(error)
            raise SourceError(f"{self.name} does not open: {why}") from error


class Basler:
    """An open camera; its own clock counts ticks since it was switched on."""

    errors = (genicam.GenericException,)

    def __init__(self, camera: Any) -> None:
        self.camera = camera
        camera.Open()
        nodes = camera.GetNodeMap()

        def find(name: str) -> Any | None:
            node = nodes.GetNode(name)
            return node if genicam.IsReadable(node) else None

        self._features = Features(find, genicam.IsWritable, str.capitalize, READABLE)
        self.knobs = self._features.knobs
        self._tick = 1.0 / (self._features.value("GevTimestampTickFrequency") or 1e9)
        extended = str(self._features.value("GevGVSPExtendedIDMode") or "Off") != "Off"
        gige = camera.GetDeviceInfo().GetDeviceClass() == "BaslerGigE"
        self.wrap = GIGE_NUMBERS if gige and not extended else 0

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
        """Let pylon's own thread fill buffers, each to be given once and in order."""
        self.camera.MaxNumBuffer.Value = buffers(self.camera.PayloadSize.Value)
        self.camera.StartGrabbing(pylon.GrabStrategy_OneByOne)

    def grab(self) -> Shot | None:
        """Return the next picture; one that came broken is left out, and missing in the numbers."""
        result = self.camera.RetrieveResult(0, pylon.TimeoutHandling_Return)
        if not result.IsValid():
            if not self.camera.IsGrabbing() or self.camera.IsCameraDeviceRemoved():
                raise SourceLost("is not there any more")
            return None
        try:
            return self._shot(result) if result.GrabSucceeded() else None
        finally:
            result.Release()

    def _shot(self, result: Any) -> Shot:
        number, ticks = result.GetBlockID(), result.GetTimeStamp()
        try:
            image = result.GetArray()
        except ValueError as error:
            raise SourceError(UNREADABLE.format(self._features.value("PixelFormat"))) from error
        if "RGB" in str(self._features.value("PixelFormat")):
            image = image[..., 2::-1]
        return Shot(image, None if number == NO_NUMBER else number, ticks * self._tick if ticks else None)

    def stop(self) -> None:
        """End pylon's thread."""
        self.camera.StopGrabbing()

    def close(self) -> None:
        """Close and give the camera back."""
        self.camera.Close()
        self.camera.DestroyDevice()


def found() -> list[tuple[str, str]]:
    """Return (source, name) of each Basler camera."""
    every = pylon.TlFactory.GetInstance().EnumerateDevices()
    numbers = [(info.GetSerialNumber(), info.GetModelName()) for info in every]
    return [(f"pylon:{serial}", f"{model} ({serial})") for serial, model in numbers]
