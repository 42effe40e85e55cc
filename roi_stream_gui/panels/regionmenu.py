"""What a right click on a region offers, on the picture and in the list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import then
from roi_stream_gui.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk

__all__ = ["SWATCHES", "RegionMenu"]

SWATCHES: Final = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66),
    (64, 134, 222), (213, 94, 0), (204, 121, 167), (240, 240, 240),
)  # fmt: skip
"""Okabe and Ito's colours, the blue lighter than theirs for a dark picture, and white."""
WIDTH: Final = 216


class RegionMenu:
    """Name, colours and verbs for the selected regions."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._of: int | None = None
        self._items: dict[str, int] = {}
        with dpg.window(popup=True, show=False, no_title_bar=True, min_size=(WIDTH, 20)) as self._window:
            desk.menus.append(desk.named("menu", int(self._window)))
            self._name = desk.named("menu.name", dpg.add_input_text(
                width=WIDTH - 16, hint="name", on_enter=True, callback=then(self._entered)
            ))  # fmt: skip
            desk.after_edit(self._name, self._rename)
            with dpg.group(horizontal=True, horizontal_spacing=4):
                for colour in SWATCHES:
                    dpg.add_color_button(
                        (*colour, 255), width=20, height=18, no_drag_drop=True,
                        callback=then(partial(self._do.editor.recolour, colour)),
                    )  # fmt: skip
            dpg.add_separator()
            self._verbs()

    def _verbs(self) -> None:
        editor = self._do.editor
        self._verb("lock", "Lock", editor.lock, "L")
        self._verb(
            "contrast", "Contrast from it", lambda: self._do.picture.fit_to(editor.selected()), "Shift+A"
        )
        self._verb("hide", "Hide outline", self._hide)
        self._verb("group", "Group", editor.group, "Ctrl+G")
        self._verb("ungroup", "Ungroup", editor.ungroup, "Ctrl+Shift+G")
        self._verb("duplicate", "Duplicate", editor.duplicate, "Ctrl+D")
        self._verb("promote", f"{VERBS['promote'].button} to a cell", self._do.keeper.promote, "I")
        dpg.add_separator()
        self._verb("delete", "Delete", editor.delete, "Del")

    def _verb(self, name: str, label: str, action: Callable[[], object], keys: str = "") -> None:
        item = int(dpg.add_menu_item(label=label, shortcut=keys, callback=then(action)))
        self._items[name] = self._desk.named(f"menu.{name}", item)

    def open(self) -> None:
        """Show what can be done with the selected regions, at the mouse."""
        rois = self._do.editor.selected()
        if not rois:
            return
        self._of = self._do.editor.selection[-1]
        last = self._do.editor.rois[self._of]
        dpg.set_value(self._name, last.name)
        dpg.configure_item(self._items["lock"], label="Unlock" if all(r.locked for r in rois) else "Lock")
        grouped = any(roi.group for roi in rois)
        one_group = grouped and len({roi.group for roi in rois}) == 1
        dpg.configure_item(self._items["group"], enabled=len(rois) > 1 and not one_group)
        dpg.configure_item(self._items["ungroup"], enabled=grouped)
        dpg.configure_item(self._items["promote"], enabled=self._cells_are_looked_for())
        many = f" {len(rois)} regions" if len(rois) > 1 else ""
        dpg.configure_item(self._items["delete"], label=f"Delete{many}")
        dpg.configure_item(self._window, show=True, pos=self._place())

    def _place(self) -> list[float]:
        """Return where the menu fits into the window, at the mouse if it can be."""
        x, y = dpg.get_mouse_pos(local=False)
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        px = self._desk.px
        return [max(min(x, width - px(WIDTH + 12)), 0), max(min(y, height - px(250)), 0)]

    def _cells_are_looked_for(self) -> bool:
        session = self._do.session
        return session is not None and session.snapshot().activity is not None

    def _rename(self) -> None:
        name = dpg.get_value(self._name)
        roi = self._do.editor.get(self._of) if self._of is not None else None
        if roi is not None and roi.name != name:
            self._do.editor.rename(roi.id, name)

    def _entered(self) -> None:
        self._rename()
        dpg.configure_item(self._window, show=False)

    def _hide(self) -> None:
        self._do.editor.show(False, *self._do.editor.selection)
        self._do.tell(words.HIDDEN)
