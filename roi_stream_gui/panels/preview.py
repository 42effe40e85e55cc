"""The live picture and everything on it: outlines, crop, limits beside it, the value under the cursor."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import views, words
from roi_stream_gui.panels.base import Place
from roi_stream_gui.panels.cells import COLOURS, CellOverlay
from roi_stream_gui.panels.contrast import WIDTH, Controls
from roi_stream_gui.panels.cropframe import CropFrame
from roi_stream_gui.panels.foresight import ForesightOverlay
from roi_stream_gui.panels.mouse import Mouse
from roi_stream_gui.panels.overlay import Overlay
from roi_stream_gui.panels.screen import Screen
from roi_stream_gui.panels.viewbar import ViewBar
from roi_stream_gui.tools import Tool
from roi_stream_gui.view import Phase
from roi_stream_gui.views import RAW, Canvas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from roi_core.ring import FrameRing
    from roi_core.snapshot import Snapshot
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Preview"]

NOTICE: Final = 15.0
"""Height of what is said in the picture, screen px."""


class Preview:
    """The camera's newest frame, or a picture made of many, in camera px."""

    title: ClassVar[str] = "Preview"
    place: ClassVar[Place] = Place.CENTRE

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._picture = desk.controller.picture
        self._frames: FrameRing | None = None
        self._raw: Canvas | None = None
        self._status: tuple[object, ...] = ()
        self._notice: tuple[object, ...] = ()

    def build(self, parent: int) -> None:
        """Make the row above, the plot with its status line, and the column beside it."""
        desk = self._desk
        with dpg.group(parent=parent):
            self._bar = ViewBar(desk, parent)
            with dpg.group(horizontal=True):
                # a child window, for a group would be as wide as its status line
                with dpg.child_window(
                    width=-WIDTH - 6, border=False, no_scrollbar=True, no_scroll_with_mouse=True
                ):
                    self._screen = screen = Screen(desk, -1, -26)
                    self._crop = self._frame(words.CROP_LABELS)
                    self._sensor = self._frame(words.CAMERA_CROP_LABELS)
                    self._cells = CellOverlay(desk, screen.plot, screen.y_axis)
                    self._foresight = ForesightOverlay(desk, screen.plot, screen.y_axis)
                    self._overlay = Overlay(desk, screen.plot)
                    with dpg.draw_layer(parent=screen.plot):
                        self._notes = [dpg.draw_text([0, 0], "", size=1, show=False) for _ in range(2)]
                    with dpg.group(horizontal=True):
                        self._cursor = dpg.add_text("")
                        self._facts = desk.text(tone="dim")
                self._controls = Controls(desk, parent)
        self._hand = Mouse(desk, screen.plot, self._cells, screen.mouse, screen.zoom)
        self._picture.snapshots.kinds = {int(kind): colour for kind, colour in COLOURS.items()}
        desk.fit = screen.fit

    def update(self, view: View) -> None:
        """Show the newest picture and everything on it."""
        self._bar.show(view)
        self._controls.show(view)
        if view.snapshot is None:
            self._desk.say(
                self._cursor, words.OPENING if view.phase is Phase.CONNECTING else words.NO_PICTURE
            )
            return
        now, screen = time.monotonic(), self._screen
        self._take_frame(view.frames or view.snapshot.frames)
        screen.place(view.snapshot.shape, self._hand.holds_wheel)
        self._choose(view.snapshot, view.settings.display.view, now)
        screen.paint(self._picture)
        zoom, (x, y) = screen.zoom(), screen.mouse()
        moves = view.settings.display.view == RAW
        if not self._do.hand.busy:  # while a drag lasts, what is dragged keeps its place under the hand
            self._picture.follow(view.snapshot.shift if moves else None, zoom)
        self._hand.update()
        over = self._hand.over and not self._do.hand.busy
        self._cells.update(view, screen.box, zoom, (x, y) if over else None, moves)
        self._foresight.update(view, screen.box, zoom, moves)
        self._overlay.update(view, zoom, self._picture.shift)
        self._crop.update(self._picture.crop, zoom)
        self._sensor.update(self._picture.sensor, zoom)
        self._show_status(view, x, y)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        picture = self._picture
        return {
            "mapping": self._screen.mapping(),
            "view": picture.canvas.name if picture.canvas else None,
            "limits": list(picture.limits),
            "lines": self._controls.tell(),
            "notice": self._notice[0] if self._notice else "",
            "ends": list(picture.exposure.count),
            "crop": picture.crop.shown,
            "sensor": picture.sensor.shown,
        }

    def _frame(self, labels: Mapping[bool, tuple[str, ...]]) -> CropFrame:
        line, screen = self._desk.theme.line((235, 240, 248), 1.6), self._screen
        return CropFrame(line, screen.plot, screen.y_axis, labels)

    def _take_frame(self, frames: FrameRing) -> None:
        """Copy the newest frame of the camera."""
        if frames is not self._frames:
            self._frames, self._raw = frames, None
            self._picture.begin()
        if self._raw is not None and frames.newest == self._raw.number:
            return
        image = self._raw.codes if self._raw is not None else np.zeros(frames.shape, np.uint16)
        shot = frames.latest(image)
        if shot is not None:
            self._raw = Canvas(RAW, shot.image, number=shot.number)

    def _choose(self, snapshot: Snapshot, name: str, now: float) -> None:
        """Let the picture be the frame, or the one that was asked for; say why when there is none."""
        if self._raw is not None:
            self._picture.look(self._raw.codes, now, snapshot.alarms.full)
        canvas = self._raw if name == RAW else self._picture.views.canvas
        if canvas is not None and canvas.name == name:
            self._picture.show(canvas, now)
            self._say("", snapshot.shape)
        else:
            self._picture.canvas = None
            self._screen.hide()
            self._say("" if name == RAW else views.missing(name, snapshot), snapshot.shape)

    def _say(self, text: str, shape: tuple[int, int]) -> None:
        """Write into the middle of the picture."""
        zoom = self._screen.zoom()
        state = (text, shape, round(zoom, 3))
        if state == self._notice or not (text or self._notice):
            return
        self._notice = state
        lines = [*text.split("\n"), "", ""][:2]
        for k, (item, line) in enumerate(zip(self._notes, lines, strict=True)):
            width = self._desk.long(line) / zoom
            place = [shape[1] / 2 - width / 2, shape[0] / 2 + (k - 0.5) * 1.5 * NOTICE / zoom]
            dpg.configure_item(item, text=line, pos=place, size=NOTICE / zoom, show=bool(line))

    def _show_status(self, view: View, x: float, y: float) -> None:
        raw, desk = self._raw, self._desk
        if raw is None:
            return
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        height, width = raw.codes.shape
        inside = 0 <= column < width and 0 <= row < height and self._hand.over
        cursor = self._value(column, row, raw.codes) if inside else _hint(view)
        facts = f"zoom {100 * self._screen.zoom():.0f} %    {self._ends(raw.codes.size)}"
        wide = dpg.get_item_rect_size(self._screen.plot)[0]
        if (cursor, facts, wide) != self._status:
            self._status = (cursor, facts, wide)
            if (desk.long(cursor) + 16 if inside else 0) + desk.long(facts) > wide:
                facts = self._ends(raw.codes.size, short=True)
            desk.say(self._facts, facts, "warn" if self._picture.exposure.count.full else "dim")
            room = int(wide - desk.long(facts))
            dpg.set_value(self._cursor, cursor if inside or desk.long(cursor) + 16 < room else "")
            dpg.configure_item(self._facts, indent=max(room, 1))

    def _value(self, column: int, row: int, codes: NDArray[np.uint16]) -> str:
        """Return what is under the mouse."""
        text, canvas = f"x {column}  y {row}  value {codes[row, column]}", self._picture.canvas
        if canvas is None or canvas.name == RAW:
            return text
        return f"{text}  {words.VIEWS[canvas.name]} {canvas.at(row, column):.3g}"

    def _ends(self, pixels: int, short: bool = False) -> str:
        full, dark = self._picture.exposure.count
        if short:
            return f"{full} px full"
        text = f"saturated {full} px ({100.0 * full / pixels:.2f} %)"
        return f"{text}, {dark} px at zero" if dark and self._do.settings.current.display.dark else text


def _hint(view: View) -> str:
    if view.hand.tool is Tool.POLYGON and view.hand.line:
        return "click corners; double-click or Enter ends, Esc cancels"
    return words.TOOLS[view.hand.tool.value][2].partition(".")[0]
