"""What the picture shows and how: view, limits, marks, crop, and pictures kept. Knows no toolkit.

One of these hangs on the controller. Nothing here changes what is measured, but for the crop of the analysis.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_stream_gui import display, lut, tone, views, words
from roi_stream_gui.crop import Crop
from roi_stream_gui.sensor import CameraCrop
from roi_stream_gui.snapshots import Kept, Snapshots
from roi_stream_gui.tone import TOP, Contrast, Exposure, Limits, Tone, ends
from roi_stream_gui.views import RAW, Canvas, Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_core.rois import Roi
    from roi_core.session import Session
    from roi_core.settings import LiveSettings
    from roi_core.settings import Settings as Tree
    from roi_stream_gui.controller import Controller

__all__ = ["Picture", "warm_up"]

log = logging.getLogger(__name__)


class Picture:
    """The picture on screen. ``canvas`` was painted last, ``limits`` are its values shown black and white."""

    def __init__(self, settings: LiveSettings) -> None:
        self.settings = settings
        self.views = Views()
        self.crop, self.sensor = Crop(settings), CameraCrop(settings)
        self.snapshots = Snapshots()
        self.exposure = Exposure()
        self.canvas: Canvas | None = None
        self.limits: Limits = (0.0, float(TOP))
        self.shift = (0.0, 0.0)
        """By how many px (dy, dx) regions lie off on the picture shown: they lie in the template's frame."""
        self.held: Limits | None = None
        """Limits under the hand; they become a setting when it lets go."""
        self._tone = Tone()
        self._contrasts: dict[str, Contrast] = {}

    def tick(self, session: Session | None) -> None:
        """Follow what the session sees; tell of pictures kept. Once per drawn frame."""
        if session is not None:
            self.crop.size = self.sensor.size = session.frames.shape[1], session.frames.shape[0]
            if self.sensor.readout != session.readout:
                self.sensor.cancel()  # a rectangle begun on another picture is none on this one
            self.sensor.readout = session.readout
            self.views.follow(session, self.settings.current.display.view)
        for path in self.snapshots.collect():
            if session is not None:
                session.tell("snapshot", {"path": str(path)})

    @property
    def pen(self) -> Crop:
        """The crop that is being drawn, of the camera or of the analysis; the latter when none is."""
        return self.sensor if self.sensor.armed else self.crop

    def draw(self, crop: Crop) -> None:
        """Take up the tool of one of the two crops, or put it away; the other's is put away."""
        if self.pen is not crop:
            self.pen.cancel()
        crop.take()

    def begin(self) -> None:
        """Forget what was learned of the frames of another camera."""
        self.canvas, self.exposure, self._contrasts = None, Exposure(), {}
        self.held = None

    def close(self) -> None:
        """End every thread; pictures being written are finished."""
        self.views.close()
        self.snapshots.close()

    def follow(self, shift: tuple[float, float] | None, zoom: float) -> None:
        """Take in the shift of the picture on screen, none when it was put in its place.

        One that nobody can see at `zoom` (screen px per px) is not followed.
        """
        step = min(max(0.25 / zoom, 1e-3), 1.0)
        dy, dx = shift or (0.0, 0.0)
        self.shift = round(dy / step) * step, round(dx / step) * step

    # -- what is painted ----------------------------------------------------------------------------------

    def show(self, canvas: Canvas, now: float) -> None:
        """Take a canvas to be painted; its limits follow it unless they are held."""
        settings, contrast = self.settings.current.display, self._contrast(canvas.name)
        self.canvas = canvas
        if settings.auto_contrast or not contrast.known:
            low, high = contrast.follow(canvas, now)
        if not settings.auto_contrast and canvas.name == RAW:
            contrast.hold(float(settings.low), float(settings.high), 1.0)
        low, high = self.held or (contrast.low, contrast.high)
        self.limits = low, max(high, low + canvas.scale)

    @property
    def gamma(self) -> float:
        """The exponent of brightness."""
        return self.settings.current.display.gamma

    def table(self) -> NDArray[np.uint8]:
        """Return the shade of every code of the canvas."""
        if self.canvas is None:
            return self._tone.table
        low, high = map(self.canvas.code, self.limits)
        return self._tone.between(low, high, self.gamma, *self.marks())

    def marks(self) -> tuple[int | None, bool]:
        """Return from which code on pixels are marked as full, and whether those at zero are."""
        settings = self.settings.current.display
        if self.canvas is None or self.canvas.name != RAW:
            return None, False
        return self.exposure.limit if settings.saturation else None, settings.dark

    def colours(self) -> NDArray[np.float32]:
        """Return the palette (256, 3) in use."""
        return lut.palette(self.settings.current.display.colours)

    def look(self, image: NDArray[np.uint16], now: float, full: int = 0) -> None:
        """Count the pixels at the ends of the camera's scale, which ends at ``full`` if that is known."""
        settings = self.settings.current
        stretched = TOP if settings.camera.input_range is not None else 0
        self.exposure.look(image, now, settings.display.full or stretched or full)

    # -- the verbs ----------------------------------------------------------------------------------------

    def fix(self, low: float, high: float) -> None:
        """Hold these limits from now on."""
        self.held = None
        if self.canvas is None:
            return
        if self.canvas.name == RAW:
            low, high = (min(max(round(value), 0), TOP) for value in (low, high))
            self._edit(low=low, high=high, auto_contrast=False)
        else:
            self._contrast(self.canvas.name).hold(low, high, self.canvas.scale)
            self._edit(auto_contrast=False)

    def automatic(self, on: bool | None = None) -> None:
        """Let the limits follow the picture, or hold them where they are; without a word, the other one."""
        on = not self.settings.current.display.auto_contrast if on is None else on
        if on or self.canvas is None:
            self.held = None
            self._edit(auto_contrast=on)
        else:
            self.fix(*self.limits)

    def fit_to(self, rois: Sequence[Roi]) -> None:
        """Take the limits from the pixels in some regions."""
        canvas = self.canvas
        if canvas is None or not rois:
            log.warning(words.SELECT_FIRST)
            return
        dy, dx = self.shift
        codes = _inside(canvas, [roi.moved(-dx, -dy) for roi in rois])
        if codes.size:
            low, high = ends(codes[None], canvas.holes)
            self.fix(canvas.value(low), canvas.value(high))

    def keep(self, do: Controller) -> None:
        """Write the picture on screen into files, in the folder of recordings."""
        canvas, session = self.canvas, do.session
        if canvas is None or session is None:
            log.warning(words.NO_SNAPSHOT)
            return
        snapshot, settings = session.snapshot(), self.settings.current
        if canvas.name == RAW:
            canvas = Canvas(RAW, canvas.codes.copy())
        seen = snapshot.activity.components if snapshot.activity is not None else None
        layers = settings.display.cells
        self.snapshots.keep(Kept(
            canvas, self.table().copy(), self.colours(), do.editor.rois,
            seen if layers != "off" else None, layers,
            (snapshot.shift or (0.0, 0.0)) if canvas.name == RAW else (0.0, 0.0),
            snapshot.traces.head, snapshot.rate, self._facts(snapshot.source, snapshot.frames_seen, settings),
        ), do.taking.folder)  # fmt: skip

    def _facts(self, source: str, frames: int, settings: Tree) -> dict[str, Any]:
        low, high = self.limits
        shown = f"{low:.6g} to {high:.6g}, gamma {settings.display.gamma:g}, {settings.display.colours}"
        return {"source": source, "frames seen": frames, "shown": shown}

    def _contrast(self, name: str) -> Contrast:
        return self._contrasts.setdefault(name, Contrast())

    def _edit(self, **values: Any) -> None:
        for name, value in values.items():
            self.settings.edit(f"display.{name}", value)


def warm_up() -> None:
    """Compile every kernel of the picture, and make the first table of colours."""
    display.warm_up()
    tone.warm_up()
    views.warm_up()
    lut.palette("gray")


def _inside(canvas: Canvas, rois: Sequence[Roi]) -> NDArray[np.uint16]:
    """Return the codes of the pixels in some regions."""
    part = 1.0 / canvas.step
    runs = [run for roi in rois for run in roi.rescaled(part, part).runs(canvas.codes.shape)]
    return np.concatenate([np.empty(0, np.uint16), *(canvas.codes[y, first:end] for y, first, end in runs)])
