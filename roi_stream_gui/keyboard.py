"""Keys of the window: Dear PyGui's key numbers to `Chord`, silent while the user types."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import value
from roi_stream_gui.panels.droplists import DropLists
from roi_stream_gui.shortcuts import REPEATING, Chord, find, find_window

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk

__all__ = ["Keyboard"]

CONTROLS = (dpg.mvKey_LControl, dpg.mvKey_RControl)
SHIFTS = (dpg.mvKey_LShift, dpg.mvKey_RShift)
MODIFIERS = {*CONTROLS, *SHIFTS}

FIRST_MOUSE_KEY = 656
"""The key handler also tells mouse buttons, wheel and modifiers, from this number on."""
LATE = 1.0
"""s for which Ctrl and Shift count as held after their press: a slow window hears of a key when the hand has
let both go, and of the modifier's release only later."""
NAMES = {
    "Enter": "Return", "Esc": "Escape", "Del": "Delete", "Backspace": "Back",
    "Left": "Left", "Right": "Right", "Up": "Up", "Down": "Down", "Home": "Home", "End": "End",
    "-": "Minus", ",": "Comma", ".": "Period", "[": "Open_Brace", "]": "Close_Brace",
    "Space": "Spacebar", "F1": "F1", "F2": "F2", "F11": "F11",
}  # fmt: skip


class Keyboard:
    """Runs the action of a chord, once per press of its key, unless a field is being typed into."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lists = DropLists()
        self._names = _numbers()
        self._down: set[int] = set()
        self._modified: dict[int, float] = {}
        with dpg.handler_registry():
            dpg.add_key_press_handler(callback=value(self._press))
            dpg.add_key_release_handler(callback=value(self._release))

    def _release(self, key: int) -> None:
        self._down.discard(key)
        self._modified.pop(key, None)

    def _held(self, *keys: int) -> bool:
        """Tell whether one of these is down, or was when the last key was pressed."""
        now = time.monotonic()
        return any(dpg.is_key_down(key) or now - self._modified.get(key, -LATE) < LATE for key in keys)

    def _press(self, key: int) -> None:
        if key in MODIFIERS:
            self._modified[key] = time.monotonic()
        if key >= FIRST_MOUSE_KEY or key not in self._names:
            return
        # A held key is told again and again; letting Shift go first must not make Shift+R an R.
        held = key in self._down and self._names[key] not in REPEATING
        self._down.add(key)
        if self._lists.open:
            if self._names[key] == "Esc":
                self._lists.close()
            return
        if self._desk.menu_open():
            if self._names[key] == "Esc":
                self._desk.close_menus()
            return
        if held or (self._names[key] == "Esc" and self._desk.refuse()) or self._desk.typing():
            return
        chord = Chord(self._names[key], self._held(*CONTROLS), self._held(*SHIFTS))
        if chord.key == "Esc" and self._desk.dismiss():
            return
        if (action := find_window(chord)) is not None:
            action.run(self._desk)
        elif (action := find(chord)) is not None:
            action.run(self._desk.controller)


def _numbers() -> dict[int, str]:
    """Return the name in a chord for each of Dear PyGui's key numbers."""
    names = {getattr(dpg, f"mvKey_{letter}"): letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}
    names |= {getattr(dpg, f"mvKey_{word}"): name for name, word in NAMES.items()}
    # mvKey_Prior, mvKey_Next and mvKey_Plus still hold the numbers of an older version (2.3.1).
    return names | {dpg.mvKey_Down + 1: "PgUp", dpg.mvKey_Down + 2: "PgDn", dpg.mvKey_Open_Brace - 1: "="}
