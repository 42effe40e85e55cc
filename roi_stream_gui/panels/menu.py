"""The menu bar, made of `roi_stream_gui.menus.MENU`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui.menus import MENU
from roi_stream_gui.panels.base import Place, then

if TYPE_CHECKING:
    from roi_stream_gui.menus import Entry
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Menu"]


class Menu:
    """One item per entry, made once."""

    title: ClassVar[str] = "Menu"
    place: ClassVar[Place] = Place.MENU

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._items: dict[int, Entry] = {}
        self._shown: dict[int, tuple[bool, bool, str]] = {}

    def build(self, parent: int) -> None:
        """Make menus and entries; `parent` is the menu bar."""
        menus = {"": parent}
        for entry in MENU:
            *above, label = entry.path.split("/")
            for depth in range(len(above)):
                path = "/".join(above[: depth + 1])
                if path not in menus:
                    menus[path] = int(dpg.add_menu(label=above[depth], parent=menus["/".join(above[:depth])]))
                    self._desk.named(f"menu.{path}", menus[path])
                    if depth == 0:
                        self._desk.menus.append(menus[path])
            item = dpg.add_menu_item(
                label=label, shortcut=entry.keys, parent=menus["/".join(above)], check=entry.on is not None,
                callback=then(partial(entry.run, self._desk)),
            )  # fmt: skip
            self._items[self._desk.named(f"menu.{entry.path}", item)] = entry

    def update(self, view: View) -> None:
        """Switch off what cannot be chosen now; tick what is on."""
        for item, entry in self._items.items():
            label = entry.label(view) if entry.label is not None else ""
            state = entry.possible(view), entry.on is not None and entry.on(view), label
            if state != self._shown.get(item):
                self._shown[item] = state
                dpg.configure_item(item, enabled=state[0])
                if entry.on is not None:
                    dpg.set_value(item, state[1])
                if entry.label is not None:
                    dpg.configure_item(item, label=label, show=bool(label))
