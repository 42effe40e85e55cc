"""The list of regions, the editor of the selected one, files, and the fibre finder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import Place, then
from roi_stream_gui.panels.fibres import FibreBar
from roi_stream_gui.panels.regionmenu import SWATCHES
from roi_stream_gui.panels.regiontable import RegionTable
from roi_stream_gui.panels.searchfield import search_field

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.rois import Roi, RoiSet
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Regions"]


class Regions:
    """A table of regions above the editor of the selected one."""

    title: ClassVar[str] = "Regions"
    place: ClassVar[Place] = Place.RIGHT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._rois: RoiSet | None = None
        self._selection: tuple[int, ...] | None = None
        self._named: int | None = None
        self._name_due = False
        self._finding = False
        self._table = RegionTable(desk)

    def build(self, parent: int) -> None:
        """Make the head, the table and the editor."""
        desk = self._desk
        with dpg.group(parent=parent) as box:
            self._fibres = FibreBar(desk, int(box))
            with dpg.group(horizontal=True) as self._head:
                search_field(desk, "regions.filter", "filter", -126, self._want, "regions filter")
                find = dpg.add_button(label="Find fibres ...", width=-1, callback=then(self._do.bundle.begin))
                desk.tip(desk.named("fibres", find), "fibres")
            with dpg.child_window(height=-126, border=False) as inner:
                self._table.build(int(inner))
            self._build_editor()

    def _build_editor(self) -> None:
        desk, do = self._desk, self._do
        self._facts = desk.text(tone="dim")
        with dpg.group(horizontal=True):
            self._name = dpg.add_input_text(width=-62, hint="name of the selected region", on_enter=False)
            desk.tip(desk.named("name", self._name), "rename")
            desk.after_edit(self._name, self._rename)
            self._lock = dpg.add_button(label="Lock", width=-1, callback=then(do.editor.lock))
            desk.tip(desk.named("lock", self._lock), "lock")
        with dpg.group(horizontal=True):
            for number, colour in enumerate(SWATCHES):
                swatch = dpg.add_color_button(
                    (*colour, 255), width=24, height=20, no_drag_drop=True,
                    callback=then(partial(do.editor.recolour, colour)),
                )  # fmt: skip
                desk.named(f"swatch.{number}", swatch)
        dpg.add_separator()
        with dpg.group(horizontal=True):
            self._file("Save", "save_rois", do.save_rois)
            self._file("Load", "load_rois", do.load_rois)
            self._file("To ImageJ", "save_imagej", do.save_rois)
            self._file("From ImageJ", "load_imagej", do.load_rois)

    def _file(self, label: str, what: str, action: Callable[[str], object]) -> None:
        button = dpg.add_button(label=label, callback=then(lambda: self._desk.ask_file(what, action)))
        self._desk.tip(self._desk.named(what, button), what)

    def update(self, view: View) -> None:
        """Show the list, and the selected region when that or its name is another."""
        self._fibres.update()
        if self._do.bundle.open != self._finding:
            self._finding = self._do.bundle.open
            dpg.configure_item(self._head, show=not self._finding)
        self._table.update(view)
        if view.rois is not self._rois or view.selection != self._selection:
            self._rois, self._selection = view.rois, view.selection
            self._show_selected(view)
            self._name_due = True
        if self._name_due and not dpg.is_item_active(self._name):
            self._fill_name(view)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        hidden = sorted(self._do.editor.hidden)
        return {"fibres": self._fibres.tell(), "listed": self._table.names(), "hidden": hidden}

    def _want(self, text: str) -> None:
        self._table.wanted = text

    def _show_selected(self, view: View) -> None:
        rois = [roi for roi in view.rois if roi.id in view.selection]
        all_locked = bool(rois) and all(roi.locked for roi in rois)
        dpg.configure_item(self._lock, label="Unlock" if all_locked else "Lock", enabled=bool(rois))
        self._desk.say(self._facts, _facts(rois, len(view.rois)))

    def _fill_name(self, view: View) -> None:
        """Put the name of the region selected last into the field and remember whose it is."""
        one = self._do.editor.get(view.selection[-1]) if view.selection else None
        self._named, self._name_due = one.id if one else None, False
        dpg.set_value(self._name, one.name if one else "")
        dpg.configure_item(self._name, enabled=one is not None)

    def _rename(self) -> None:
        """Rename the region the field was filled for; another may be selected by now."""
        if self._named is not None:
            self._do.editor.rename(self._named, dpg.get_value(self._name))
            self._name_due = True


def _facts(chosen: list[Roi], count: int) -> str:
    """Return what there is to say of the selected regions, or of all when none is."""
    if len(chosen) == 1:
        x, y = chosen[0].centroid()
        return f"{chosen[0].kind}  x {x:.1f}  y {y:.1f}  area {chosen[0].area():.0f} px"
    if chosen:
        one_group = chosen[0].group and len({roi.group for roi in chosen}) == 1
        return f"{len(chosen)} of {count} selected{', a group' if one_group else ''}"
    if not count:
        return "no regions: pick a tool and draw"
    return f"{count} region{'s' if count != 1 else ''}, none selected"
