"""The part of the sensor that the camera itself sends, drawn by hand. Knows no toolkit.

It is drawn on the picture and meant on the sensor: the corner of what the camera sends now is added, and a
binning that changes until the next connection is reckoned with. What was marked on the picture of before, the
regions and the part that is analysed, is carried along, so that it stays on the same cells.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from roi_core.sources.knobs import Readout
from roi_stream_gui import words
from roi_stream_gui.crop import LEAST, Crop

if TYPE_CHECKING:
    from roi_core.rois import RoiSet
    from roi_stream_gui.crop import Rectangle

__all__ = ["STAY", "CameraCrop", "Move"]

log = logging.getLogger(__name__)

WHOLE: Final = "whole"


class CameraCrop(Crop):
    """The rectangle that waits for the next connection, and the one under the pen, in px of the picture."""

    readout: Readout | None = None
    """What the camera sends now; None where a source has no sensor to choose from."""
    path = "camera.crop"
    said = words.CAMERA_CROP_DRAW

    def take(self) -> None:
        """Take up the tool, or put it away; where the source always sends all it has, say so."""
        if self._heeded():
            super().take()

    def remove(self) -> None:
        """Let the camera send its whole sensor again."""
        self.cancel()
        if self._heeded():
            self._set(WHOLE)

    def drop(self, camera: str) -> None:
        """Forget what waits, as another source than this camera was opened, and say so."""
        if self._waiting is not None:
            self._waiting = None
            log.warning(words.CAMERA_CROP_DROPPED.format(camera))

    def _heeded(self) -> bool:
        if self.readout is None:
            log.warning(words.CAMERA_CROP_NOT)
        return self.readout is not None

    def _present(self) -> str:
        return ""  # what is in force is the whole picture

    def _set(self, text: str) -> None:
        self._waiting = text
        if text == WHOLE:
            log.info("%s%s", words.CROP_WAITS, words.CAMERA_CROP_GONE)
        else:
            x, y, w, h = self._wish(text).split(",")
            log.info("%s%s", words.CROP_WAITS, words.CAMERA_CROP_SET.format(w, h, x, y))

    def _wish(self, text: str) -> str:
        """Return what to ask the camera for, in px as they will be binned; of each side one at least."""
        now = self.readout
        if text == WHOLE or now is None:
            return text
        part = now.binning / (self._settings.current.camera.binning or now.binning)
        x, y, w, h = map(int, text.split(","))
        x, y, w, h = (round(part * side) for side in (x + now.x, y + now.y, w, h))
        return f"{x},{y},{max(w, 1)},{max(h, 1)}"


class Move(NamedTuple):
    """From which part of a sensor to which its picture went; what is marked on it goes along."""

    before: Readout
    now: Readout

    def rectangle(self, rectangle: Rectangle) -> Rectangle | None:
        """Return what of a rectangle on the picture of before lies on that of now; None if that is little."""
        before, now = self
        if before == now:
            return rectangle
        part = before.binning / now.binning
        x, y, w, h = rectangle
        x0, x1 = (min(max(round((side + before.x) * part) - now.x, 0), now.width) for side in (x, x + w))
        y0, y1 = (min(max(round((side + before.y) * part) - now.y, 0), now.height) for side in (y, y + h))
        return (x0, y0, x1 - x0, y1 - y0) if min(x1 - x0, y1 - y0) >= LEAST else None

    def regions(self, rois: RoiSet) -> RoiSet:
        """Return regions where they lie on the picture of now; the very set where they need not move."""
        before, now = self
        part = before.binning / now.binning
        if not len(rois) or (before.x, before.y, part) == (now.x, now.y, 1):
            return rois
        ahead, back = (before.x + 0.5, before.y + 0.5), (-now.x - 0.5, -now.y - 0.5)
        return rois.replace(*(roi.moved(*ahead).rescaled(part, part).moved(*back) for roi in rois))


STAY: Final = Move(Readout(0, 0, 0, 0), Readout(0, 0, 0, 0))
"""Nothing moves."""
