"""Outlines, labels and handles on the picture: drawn crisp in a layer of the plot, never into the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui import geometry, words
from roi_stream_gui.panels.fibres import FibreDrawing
from roi_stream_gui.panels.mouse import REACH
from roi_stream_gui.slim import corners

if TYPE_CHECKING:
    from roi_core.rois import Roi
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

    Box = tuple[float, float, float, float]

__all__ = ["Overlay"]

HANDLES = 256
"""Handles drawn at most; the others can be dragged, too."""
LABELS = 60
"""With more regions than this only the selected ones are labelled, and no more than so many."""
NAME_LENGTH = 16
"""Letters of a name that the picture shows."""
LABEL_SIZE = 13.0
HANDLE_SIZE = 4.0
WHITE = (255, 255, 255, 255)
PEN = (255, 232, 120, 255)
"""What is being drawn: seen on bright cells as on the dark between them."""


class Overlay:
    """The layer above the picture. Items are hidden, never deleted: deleting what is drawn can crash."""

    def __init__(self, desk: Desk, plot: int) -> None:
        self._desk = desk
        self._editor = desk.controller.editor
        self._fibres = FibreDrawing(desk, plot)
        with dpg.draw_layer(parent=plot), dpg.draw_node() as self._layer:
            pass
        with dpg.draw_layer(parent=plot), dpg.draw_node() as self._pen:
            self._line = dpg.draw_polyline([[0, 0], [0, 0]], color=PEN, thickness=1.5, show=False)
            self._new = dpg.draw_polygon([[0, 0], [0, 0]], color=PEN, thickness=1.5, show=False)
            self._handles = [
                dpg.draw_circle([0, 0], 1, color=(20, 22, 26, 255), fill=WHITE, show=False, segments=16)
                for _ in range(HANDLES)
            ]
        self._slots: list[tuple[int, int]] = []
        self._shown: tuple[object, ...] = ()
        self._handles_shown = 0
        self.shift = (0.0, 0.0)
        """By how many px (dy, dx) everything is drawn moved back."""

    def update(self, view: View, zoom: float, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        """Draw the view's regions moved back by `shift` (dy, dx) px; `zoom` is screen px per image px."""
        self._fibres.update(zoom)
        if shift != self.shift:  # nothing is drawn anew for it
            self.shift = shift
            for node in (self._fibres.layer, self._layer, self._pen):
                dpg.apply_transform(node, dpg.create_translation_matrix([-shift[1], -shift[0], 0.0]))
        hand = view.hand
        hidden, scale = self._editor.hidden, self._desk.scale
        state = (view.rois, view.selection, hidden, hand.preview, hand.line, round(zoom, 4), scale)
        if all(
            a is b or (i > 0 and a == b) for i, (a, b) in enumerate(zip(state, self._shown, strict=False))
        ):
            if self._shown:
                return
        self._shown = state
        moved = {roi.id: roi for roi in hand.preview if roi.id}
        rois = [moved.get(roi.id, roi) for roi in view.rois]
        while len(self._slots) < len(rois):
            self._slots.append(self._slot())
        size = LABEL_SIZE * self._desk.scale / zoom
        named = _labelled([roi for roi in rois if roi.id not in hidden], view.selection, size)
        for slot, roi in zip(self._slots, rois, strict=False):
            chosen = roi.id in view.selection
            if roi.id in hidden:
                _hide(slot)
            else:
                self._draw(slot, roi, chosen, size, roi.id in named, zoom)
        for slot in self._slots[len(rois) :]:
            _hide(slot)
        self._draw_new(view, zoom)
        chosen_rois = [roi for roi in rois if roi.id in view.selection and roi.id not in hidden]
        self._draw_handles(chosen_rois, zoom)

    def _slot(self) -> tuple[int, int]:
        outline = dpg.draw_polygon([[0, 0], [0, 0]], parent=self._layer, thickness=1.5)
        label = dpg.draw_text([0, 0], "", parent=self._layer, size=1)
        return outline, label

    def _draw(
        self, slot: tuple[int, int], roi: Roi, chosen: bool, size: float, label: bool, zoom: float
    ) -> None:
        outline, text = slot
        x0, y0, x1, y1 = roi.bounds()
        points = roi.outline(corners(zoom * max(x1 - x0, y1 - y0) / 2)).tolist()
        colour = (*roi.colour, 255 if chosen else 235)
        dpg.configure_item(
            outline, points=[*points, points[0]], color=colour, thickness=3.0 if chosen else 1.6, show=True
        )
        name = words.short(roi.name, NAME_LENGTH)
        place = list(_label(roi, size)[:2])
        name = f"{name} (locked)" if roi.locked and chosen else name
        dpg.configure_item(text, pos=place, text=name, size=size, color=colour, show=label)

    def _draw_new(self, view: View, zoom: float) -> None:
        """Draw the shape under the pen."""
        hand = view.hand
        fresh = [roi for roi in hand.preview if not roi.id]
        dpg.configure_item(self._new, show=bool(fresh))
        if fresh:
            points = fresh[0].outline(64).tolist()
            dpg.configure_item(self._new, points=[*points, points[0]])
        dpg.configure_item(self._line, show=len(hand.line) > 1)
        if len(hand.line) > 1:
            dpg.configure_item(self._line, points=[list(point) for point in hand.line])

    def _draw_handles(self, rois: list[Roi], zoom: float) -> None:
        points: list[tuple[float, float]] = []
        if len(rois) == 1 and not rois[0].locked:
            points = geometry.handles(rois[0], self._desk.px(REACH) / zoom)[:HANDLES]
        radius = min(HANDLE_SIZE * self._desk.scale / zoom, geometry.extent(rois[0]) / 8) if points else 1.0
        for item, point in zip(self._handles, points, strict=False):
            dpg.configure_item(item, center=list(point), radius=radius, show=True)
        for item in self._handles[len(points) : self._handles_shown]:
            dpg.configure_item(item, show=False)
        self._handles_shown = len(points)


def _hide(slot: tuple[int, int]) -> None:
    for item in slot:
        dpg.configure_item(item, show=False)


def _label(roi: Roi, size: float) -> Box:
    """Return the box (x0, y0, x1, y1) of a region's label whose letters are `size` image px high."""
    x0, y0, x1, _ = roi.bounds()
    half = 0.28 * size * min(len(roi.name), NAME_LENGTH)
    return (x0 + x1) / 2 - half, y0 - 1.3 * size, (x0 + x1) / 2 + half, y0 - 0.3 * size


def _labelled(rois: list[Roi], selection: tuple[int, ...], size: float) -> set[int]:
    """Return the ids of those whose labels do not cover one another; the selected ones come first."""
    chosen = [roi for roi in rois if roi.id in selection][:LABELS]
    others = [roi for roi in rois if roi.id not in selection] if len(rois) <= LABELS else []
    boxes: list[Box] = []
    named = set()
    for roi in [*chosen, *others]:
        x0, y0, x1, y1 = box = _label(roi, size)
        if all(x0 > b[2] or b[0] > x1 or y0 > b[3] or b[1] > y1 for b in boxes):
            boxes.append(box)
            named.add(roi.id)
    return named
