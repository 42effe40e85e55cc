"""The tools of the left hand side: what the mouse does on the picture, and what to do with the selection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import Place, then
from roi_stream_gui.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Tools"]

HALF = 51
"""px; two buttons side by side."""
ROOMY = 276
"""Height of the pane from which there is room for buttons of the usual height, px at 100 %."""


class Tools:
    """One button per tool, then undo, redo, duplicate, delete."""

    title: ClassVar[str] = "Tools"
    place: ClassVar[Place] = Place.LEFT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._tools: dict[Tool, int] = {}
        self._tool: Tool | None = None
        self._state: tuple[str, str, bool] | None = None
        self._roomy = True

    def build(self, parent: int) -> None:
        """Make the buttons."""
        self._pane = parent
        with dpg.group(parent=parent) as self._column:
            for tool in Tool:
                label, key, tip = words.TOOLS[tool.value]
                item = dpg.add_button(label=label, width=-1, callback=then(partial(self._do.take, tool)))
                self._tools[tool] = self._desk.named(f"tool.{tool.value}", item)
                self._desk.tip(item, f"{tip} ({key})")
            with dpg.group() as self._rule:
                dpg.add_spacer(height=2)
                dpg.add_separator()
                dpg.add_spacer(height=2)
            editor = self._do.editor
            with dpg.group(horizontal=True, horizontal_spacing=4):
                self._undo, self._undone = self._button("undo", "Undo", self._do.journal.undo)
                self._redo, self._redone = self._button("redo", "Redo", self._do.journal.redo)
            with dpg.group(horizontal=True, horizontal_spacing=4):
                self._copy, _ = self._button("duplicate", "Copy", editor.duplicate)
                self._delete, _ = self._button("delete", "Delete", editor.delete)

    def update(self, view: View) -> None:
        """Mark the tool in hand; switch off what would do nothing."""
        self._make_room()
        if view.hand.tool is not self._tool:
            for tool, item in self._tools.items():
                theme = self._desk.theme
                dpg.bind_item_theme(item, theme.tool if tool is view.hand.tool else theme.plain)
            self._tool = view.hand.tool
        state = (view.undo, view.redo, bool(view.selection))
        if state != self._state:
            self._state = state
            dpg.configure_item(self._undo, enabled=bool(view.undo))
            dpg.configure_item(self._redo, enabled=bool(view.redo))
            self._desk.say(self._undone, f"Undo {view.undo or 'nothing'} ({words.TIPS['undo']})")
            self._desk.say(self._redone, f"Redo {view.redo or 'nothing'} ({words.TIPS['redo']})")
            for item in (self._copy, self._delete):
                dpg.configure_item(item, enabled=state[2])

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for: the area of what is being drawn, px^2."""
        return {"growing": sum(roi.area() for roi in self._do.hand.preview)}

    def _make_room(self) -> None:
        """Draw lower buttons, closer together, where large letters in a small window leave little room."""
        roomy = dpg.get_item_height(self._pane) >= self._desk.px(ROOMY)
        if roomy != self._roomy:
            self._roomy = roomy
            dpg.configure_item(self._rule, show=roomy)
            dpg.bind_item_theme(self._column, 0 if roomy else self._desk.theme.tight)

    def _button(self, name: str, label: str, action: Callable[[], object]) -> tuple[int, int]:
        """Make one of two buttons in a row; return it and the text of its tooltip."""
        item: int = dpg.add_button(label=label, width=HALF, callback=then(action))
        with dpg.tooltip(self._desk.named(name, item), delay=0.5, hide_on_activity=True):
            return item, self._desk.text(words.TIPS[name])
