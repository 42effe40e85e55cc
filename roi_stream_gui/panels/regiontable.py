"""The table of regions: one row each, filtered and sorted, its numbers a few times a second."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import then
from roi_stream_gui.regionlist import Latest, Sizes, latest, listed
from roi_stream_gui.theme import readable

if TYPE_CHECKING:
    from roi_core.rois import Roi
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["RegionTable"]

PERIOD: Final = 0.3
"""Seconds between two updates of the numbers."""
NAME_LENGTH: Final = 24
"""Letters of a name that the list shows."""
WIDTHS: Final = {"show": 20, "kind": 28, "name": 0, "px": 38, "mean": 54, "dF/F": 50}
HEADERS: Final = {"show": "", "kind": ""}
"""Columns too narrow for a heading: the tooltip of the filter tells what they are."""
KEYS: Final = (dpg.mvKey_LControl, dpg.mvKey_RControl, dpg.mvKey_LShift, dpg.mvKey_RShift)


class Row(NamedTuple):
    """The widgets of one line."""

    row: int
    shown: int
    kind: int
    name: int
    px: int
    mean: int
    dff: int


class RegionTable:
    """Rows are made once and filled with whatever region comes there."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._rows: list[Row] = []
        self._listed: list[Roi] = []
        self._state: tuple[object, ...] = ()
        self._texts: dict[int, str] = {}
        self._filled: dict[int, tuple[object, ...]] = {}
        self._sizes = Sizes()
        self._column, self._down = "", False
        self._next = 0.0
        self.wanted = ""

    def names(self) -> list[str]:
        """Return the names that are listed, in order."""
        return [roi.name for roi in self._listed]

    def build(self, parent: int) -> None:
        """Make the table inside `parent`."""
        with dpg.theme() as narrow, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_style(dpg.mvStyleVar_CellPadding, 3, 2)
            dpg.add_theme_style(dpg.mvStyleVar_FramePadding, 1, 1)
        self._table = dpg.add_table(
            parent=parent, policy=dpg.mvTable_SizingFixedFit, row_background=True, borders_innerH=True,
            scrollY=True, freeze_rows=1, no_host_extendX=True, sortable=True, sort_tristate=True,
            callback=self._sort,
        )  # fmt: skip
        dpg.bind_item_theme(self._table, narrow)
        self._columns = {
            int(dpg.add_table_column(
                parent=self._table, label=HEADERS.get(name, name), init_width_or_weight=width or 1.0,
                width_stretch=not width, width_fixed=bool(width),
            )): name
            for name, width in WIDTHS.items()
        }  # fmt: skip
        with dpg.item_handler_registry() as self._clicks:
            dpg.add_item_clicked_handler(dpg.mvMouseButton_Right, callback=self._open_menu)

    def update(self, view: View) -> None:
        """Show what changed; the numbers a few times a second."""
        chosen, hidden, back = view.selection, self._do.editor.hidden, self._desk.theme.colour("pane")
        state = (view.rois, chosen, hidden, self.wanted, self._column, self._down, back)
        if not _same(state, self._state):
            self._state = state
            self._list(view)
            self._next = 0.0
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PERIOD
            self._show_numbers(view)

    def forget(self, number: int) -> None:
        """Show a row anew at the next update: a click has changed its widgets by itself."""
        self._state = self._filled[number] = ()

    def _list(self, view: View) -> None:
        hidden = self._do.editor.hidden
        sizes, values = self._known(view)
        self._listed = listed(view.rois, self.wanted, self._column, self._down, sizes, values, hidden)
        while len(self._rows) < len(self._listed):
            self._rows.append(self._row(len(self._rows)))
        for number, roi in enumerate(self._listed):
            self._fill(number, roi, roi.id not in hidden, roi.id in view.selection)
        for number in range(len(self._listed), len(self._rows)):
            if self._filled.pop(number, None) is not None:
                dpg.configure_item(self._rows[number].row, show=False)

    def _fill(self, number: int, roi: Roi, shown: bool, chosen: bool) -> None:
        """Let a row show a region, if it does not yet: of 300 rows a click changes two."""
        colour = readable(roi.colour, self._desk.theme.colour("pane"))
        state = (shown, chosen, roi.name, colour, roi.kind, roi.locked)
        if self._filled.get(number) == state:
            return
        self._filled[number] = state
        row = self._rows[number]
        dpg.configure_item(row.row, show=True)
        dpg.set_value(row.shown, shown)
        dpg.configure_item(row.kind, color=(*colour, 255))
        self._write(row.kind, f"\u25a0 {roi.kind[0].upper()}")
        name = words.short(roi.name, NAME_LENGTH)
        dpg.configure_item(row.name, label=f"{name} (L)" if roi.locked else name)
        dpg.set_value(row.name, chosen)

    def _known(self, view: View) -> tuple[dict[int, int], dict[int, Latest]]:
        if view.snapshot is None:
            return {}, {}
        return self._sizes.of(view.rois, view.snapshot.shape), latest(view.snapshot)

    def _row(self, number: int) -> Row:
        with dpg.table_row(parent=self._table) as row:
            shown = dpg.add_checkbox(callback=then(partial(self._show, number)))
            kind = dpg.add_text("")
            name = dpg.add_selectable(span_columns=True, callback=then(partial(self._select, number)))
            self._desk.named(f"row.{number}.show", shown)
            self._desk.named(f"row.{number}", name)
            dpg.bind_item_handler_registry(name, self._clicks)
            dpg.set_item_user_data(name, number)
            px, mean, dff = self._desk.text(tone="dim"), dpg.add_text(""), dpg.add_text("")
        return Row(int(row), shown, kind, name, px, mean, dff)

    def _show_numbers(self, view: View) -> None:
        sizes, values = self._known(view)
        for row, roi in zip(self._rows, self._listed, strict=False):
            value = values.get(roi.id, Latest())
            self._write(row.px, str(sizes.get(roi.id, "-")))
            self._write(row.mean, _figure(value.mean, "{:.0f}"))
            self._write(row.dff, _figure(value.dff, "{:+.2f}"))

    def _write(self, item: int, text: str) -> None:
        if self._texts.get(item) != text:
            self._texts[item] = text
            dpg.set_value(item, text)

    def _select(self, number: int) -> None:
        """Select the region of a row; Ctrl or Shift adds it to the others."""
        if number < len(self._listed):
            roi_id = self._listed[number].id
            if any(map(dpg.is_key_down, KEYS)):
                self._do.editor.toggle(roi_id)
            else:
                self._do.editor.select(roi_id)
        self.forget(number)

    def _show(self, number: int) -> None:
        if number < len(self._listed):
            roi_id = self._listed[number].id
            self._do.editor.show(roi_id in self._do.editor.hidden, roi_id)
        self.forget(number)

    def _open_menu(self, _sender: int, clicked: tuple[int, int], *_: Any) -> None:
        number = dpg.get_item_user_data(clicked[1])
        if number is not None and number < len(self._listed):
            roi_id = self._listed[number].id
            if roi_id not in self._do.editor.selection:
                self._do.editor.select(roi_id)
            self._desk.region_menu()

    def _sort(self, _sender: int, order: list[list[int]] | None, *_: Any) -> None:
        column, way = order[0] if order else (0, 1)
        self._column, self._down = self._columns.get(column, ""), way < 0


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    """Compare the set by its identity, the rest by value."""
    return len(a) == len(b) and a[0] is b[0] and a[1:] == b[1:]


def _figure(value: float, form: str) -> str:
    return "-" if value != value else form.format(value)
