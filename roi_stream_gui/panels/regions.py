"""The list of regions: name, colour, latest mean; rename, recolour, lock, save and load."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import words
from roi_stream_gui.panels.base import Place, then

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.rois import Roi, RoiSet
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Regions"]

PERIOD = 0.3
"""Seconds between two updates of the numbers: a table of 300 rows costs 3 ms."""
NAME_LENGTH = 24
"""Letters of a name that the list shows."""
SWATCHES = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66),
    (64, 134, 222), (213, 94, 0), (204, 121, 167), (240, 240, 240),
)  # fmt: skip
"""Okabe and Ito's colours, the blue lighter than theirs for a dark picture, and white."""


class Row(NamedTuple):
    """The widgets of one line."""

    row: int
    colour: int
    name: int
    kind: int
    mean: int
    dff: int


class Regions:
    """A table of regions above the editor of the selected one."""

    title: ClassVar[str] = "Regions"
    place: ClassVar[Place] = Place.RIGHT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._rows: list[Row] = []
        self._rois: RoiSet | None = None
        self._selection: tuple[int, ...] | None = None
        self._named: int | None = None
        self._name_due = False
        self._next = 0.0

    def build(self, parent: int) -> None:
        """Make the table and the editor."""
        with dpg.group(parent=parent):
            with dpg.group(horizontal=True):
                self._count = self._desk.text("no regions", "dim")
            with dpg.child_window(height=-114, border=False) as self._box, dpg.table(
                policy=dpg.mvTable_SizingFixedFit, row_background=True, borders_innerH=True, scrollY=True,
                freeze_rows=1, no_host_extendX=True,
            ) as self._table:  # fmt: skip
                for label, width in (("", 16), ("name", 0), ("kind", 62), ("mean", 56), ("dF/F", 52)):
                    stretch = {"width_stretch": True} if not width else {"width_fixed": True}
                    dpg.add_table_column(label=label, init_width_or_weight=width or 1.0, **stretch)
            dpg.add_separator()
            self._build_editor()

    def _build_editor(self) -> None:
        desk, do = self._desk, self._do
        with dpg.group(horizontal=True):
            self._name = dpg.add_input_text(width=-62, hint="name of the selected region", on_enter=False)
            desk.tip(desk.named("name", self._name), "rename")
            desk.after_edit(self._name, self._rename)
            self._lock = dpg.add_button(label="Lock", width=-1, callback=then(do.editor.lock))
            desk.tip(desk.named("lock", self._lock), "lock")
        with dpg.group(horizontal=True):
            for number, colour in enumerate(SWATCHES):
                swatch = dpg.add_color_button(
                    (*colour, 255), width=24, height=20, no_border=True, no_drag_drop=True,
                    callback=then(partial(self._recolour, colour)),
                )  # fmt: skip
                desk.named(f"swatch.{number}", swatch)
        self._facts = desk.text(tone="dim")
        with dpg.group(horizontal=True):
            save = dpg.add_button(
                label="Save regions ...", callback=then(lambda: desk.ask_file("save_rois", do.save_rois))
            )
            load = dpg.add_button(
                label="Load ...", callback=then(lambda: desk.ask_file("load_rois", do.load_rois))
            )
            desk.named("save_rois", save)
            desk.named("load_rois", load)

    def update(self, view: View) -> None:
        """Show names and colours when they change, and the numbers a few times a second."""
        if view.rois is not self._rois or view.selection != self._selection:
            self._rois, self._selection = view.rois, view.selection
            self._show_rows(view)
            self._show_selected(view)
            self._name_due = True
        if self._name_due and not dpg.is_item_active(self._name):
            self._fill_name(view)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PERIOD
            self._show_numbers(view)

    def _show_rows(self, view: View) -> None:
        while len(self._rows) < len(view.rois):
            self._rows.append(self._row(len(self._rows)))
        for row, roi in zip(self._rows, view.rois, strict=False):
            dpg.configure_item(row.row, show=True)
            dpg.configure_item(row.colour, color=(*roi.colour, 255))
            dpg.configure_item(row.name, label=words.short(roi.name, NAME_LENGTH))
            dpg.set_value(row.name, roi.id in view.selection)
            dpg.set_value(row.kind, f"{roi.kind}{' *' if roi.locked else ''}"[:11])
        for row in self._rows[len(view.rois) :]:
            dpg.configure_item(row.row, show=False)
        count = len(view.rois)
        text = f"{count} region{'s' if count != 1 else ''}" if count else "no regions: pick a tool and draw"
        dpg.set_value(self._count, text)

    def _row(self, number: int) -> Row:
        with dpg.table_row(parent=self._table) as row:
            colour = dpg.add_text("\u25a0")
            name = dpg.add_selectable(span_columns=True, callback=then(lambda: self._select(number)))
            self._desk.named(f"row.{number}", name)
            kind, mean, dff = self._desk.text(tone="dim"), dpg.add_text(""), dpg.add_text("")
        return Row(int(row), colour, name, kind, mean, dff)

    def _select(self, number: int) -> None:
        """Select the region of a row; Ctrl or Shift adds it to the others."""
        ids = self._do.editor.rois.ids
        if number < len(ids):
            keys = (dpg.mvKey_LControl, dpg.mvKey_RControl, dpg.mvKey_LShift, dpg.mvKey_RShift)
            if any(dpg.is_key_down(key) for key in keys):
                self._do.editor.toggle(ids[number])
            else:
                self._do.editor.select(ids[number])
        self._selection = None  # the click has changed the widget: show what is really selected

    def _show_selected(self, view: View) -> None:
        rois = [roi for roi in view.rois if roi.id in view.selection]
        one = rois[0] if len(rois) == 1 else None
        all_locked = bool(rois) and all(roi.locked for roi in rois)
        dpg.configure_item(self._lock, label="Unlock" if all_locked else "Lock", enabled=bool(rois))
        dpg.set_value(
            self._facts, _facts(one) if one else f"{len(rois)} selected" if rois else "none selected"
        )

    def _fill_name(self, view: View) -> None:
        """Put the selected region's name into the field and remember whose it is, never while typing."""
        one = self._do.editor.get(view.selection[0]) if len(view.selection) == 1 else None
        self._named, self._name_due = one.id if one else None, False
        dpg.set_value(self._name, one.name if one else "")
        dpg.configure_item(self._name, enabled=one is not None)

    def _show_numbers(self, view: View) -> None:
        snapshot = view.snapshot
        if snapshot is None:
            return
        traces = snapshot.traces
        rows = traces.since(traces.head - 1)
        if not len(rows.times):
            return
        place = {roi_id: k for k, roi_id in enumerate(traces.ids)}
        for row, roi in zip(self._rows, view.rois, strict=False):
            k = place.get(roi.id, -1)
            dpg.set_value(row.mean, _figure(rows.raw, k, "{:.0f}"))
            dpg.set_value(row.dff, _figure(rows.dff, k, "{:+.2f}"))

    def _rename(self) -> None:
        """Rename the region the field was filled for; another may be selected by now."""
        if self._named is not None:
            self._do.editor.rename(self._named, dpg.get_value(self._name))
            self._name_due = True

    def _recolour(self, colour: tuple[int, int, int]) -> None:
        self._do.editor.recolour(colour)


def _figure(values: NDArray[np.float32], column: int, form: str) -> str:
    if not 0 <= column < values.shape[1] or np.isnan(values[-1, column]):
        return "-"
    return form.format(values[-1, column])


def _facts(roi: Roi) -> str:
    x, y = roi.centroid()
    return f"{roi.kind}  x {x:.1f}  y {y:.1f}  area {roi.area():.0f} px"
