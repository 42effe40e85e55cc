"""Two windows that hold sets of parameters: presets, and every earlier set. Both compare before they change.

Never modal. What is chosen on the left is compared on the right with what would be in force after Apply.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import dearpygui.dearpygui as dpg

from roi_core.settings import describe
from roi_stream_gui import words
from roi_stream_gui.changes import differences, text_of
from roi_stream_gui.panels.base import then, value
from roi_stream_gui.presets import BUILT_IN, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_core.settings import Edit
    from roi_stream_gui.changes import Change
    from roi_stream_gui.panels.base import Desk

__all__ = ["EarlierWindow", "PresetWindow"]

WIDTH, HEIGHT, LIST, FOOT = 740, 420, 296, 36
"""Sizes, px."""
RIGHT: Final = 330
"""Room for the panel of parameters beside the window, px."""
LETTERS: Final = 38
"""Letters of an entry; its whole text is above the table."""


class _Compare:
    """A list on the left, and on the right a table of path, now and then."""

    def __init__(self, desk: Desk, name: str, title: str, then_: str) -> None:
        self._desk, self._name = desk, name
        self._rows: list[tuple[int, tuple[int, int, int]]] = []
        count = sum(1 for _ in describe(desk.controller.settings.current))
        with dpg.window(
            label=title, show=False, no_collapse=True, no_resize=True, width=WIDTH, height=HEIGHT
        ) as self.window:
            desk.sheets.append(desk.named(f"{name}.window", self.window))
            with dpg.group(horizontal=True):
                with dpg.child_window(width=LIST, height=-FOOT, border=False):
                    self.list = dpg.add_listbox([], width=-1, num_items=16)
                    desk.named(f"{name}.list", self.list)
                with dpg.child_window(height=-FOOT, border=False):
                    self.what = desk.text("", "dim", wrap=0, show=False)
                    self._hint = desk.text(words.PRESET_CHOOSE, "dim", wrap=0)
                    self._table = self._make_table(count, then_)
            with dpg.group(horizontal=True) as self.foot:
                pass
        dpg.bind_item_theme(self.window, desk.theme.sheet)

    def _make_table(self, count: int, then_: str) -> int:
        table: int
        with dpg.table(row_background=True, policy=dpg.mvTable_SizingStretchProp, show=False) as table:
            for label, weight in (("setting", 4.0), ("now", 2.0), (then_, 4.0)):
                dpg.add_table_column(label=label, init_width_or_weight=weight)
            for _ in range(count):
                with dpg.table_row(show=False) as row:
                    cells = (self._desk.text(), self._desk.text(tone="dim"), self._desk.text(tone="warn"))
                self._rows.append((row, cells))
        return table

    def compare(self, edits: Sequence[Edit] | None) -> None:
        """Show what would change; None: nothing is chosen."""
        self._desk.say(self._hint, words.PRESET_CHOOSE if edits is None else words.PRESET_SAME)
        dpg.configure_item(self._hint, show=not edits)
        dpg.configure_item(self._table, show=bool(edits))
        edits = edits or ()
        for (_, cells), edit in zip(self._rows, edits, strict=False):
            new = text_of(edit.new)
            fixed = not self._desk.controller.trial.possible(edit.path)
            self._desk.say(cells[0], edit.path)
            self._desk.say(cells[1], text_of(edit.old))
            self._desk.say(cells[2], words.LATER.format(new) if fixed else new, "dim" if fixed else "warn")
        for k, (row, _) in enumerate(self._rows):
            if dpg.is_item_shown(row) != (k < len(edits)):
                dpg.configure_item(row, show=k < len(edits))

    def show(self) -> None:
        """Show the window in the middle, or put it away."""
        desk = self._desk
        x, y = desk.middle(WIDTH + RIGHT, HEIGHT)  # the parameters stay in sight
        pos = (x, max(y - desk.px(60), 0))
        dpg.configure_item(self.window, show=not dpg.is_item_shown(self.window), pos=pos)

    def button(self, name: str, label: str, action: Callable[[], object]) -> int:
        item: int = dpg.add_button(label=label, callback=then(action), parent=self.foot)
        return self._desk.tip(self._desk.named(name, item), name)


class PresetWindow:
    """Sets under a name: compare, load, save, delete."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._do = desk, desk.controller
        self._both = both = _Compare(desk, "presets", "Presets", "preset")
        dpg.configure_item(both.list, callback=value(self._choose))
        self._load = both.button("preset.load", "Load", self._take)
        dpg.bind_item_theme(self._load, desk.theme.primary)
        self._delete = both.button("preset.delete", "Delete", self._remove)
        dpg.add_spacer(width=24, parent=both.foot)
        self._text = dpg.add_input_text(hint="name of a new preset", width=220, parent=both.foot)
        desk.named("preset.name", self._text)
        both.button("preset.save", "Save", self._save)
        self._chosen, self._sure = "", False
        self._values: dict[str, Any] | None = None
        self._shown: tuple[object, ...] = ()

    def show(self) -> None:
        """Show the window, or put it away."""
        self._refresh()
        self._both.show()

    def update(self) -> None:
        """Compare anew when what is in force, or pending, has changed."""
        if not dpg.is_item_shown(self._both.window):
            return
        state = (self._do.settings.current, self._do.trial.pending, self._values)
        if len(self._shown) != len(state) or any(a is not b for a, b in zip(state, self._shown, strict=True)):
            self._shown = state
            wanted = self._do.trial.wanted
            self._both.compare(None if self._values is None else difference(wanted, self._values))
            dpg.configure_item(self._load, enabled=self._values is not None)
            own = bool(self._chosen) and self._chosen not in BUILT_IN
            dpg.configure_item(self._delete, enabled=own)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        return {
            "chosen": self._chosen,
            "names": [*map(_name, dpg.get_item_configuration(self._both.list)["items"])],
        }

    def _refresh(self) -> None:
        names = self._do.presets.names()
        if self._chosen not in names:
            self._choose(_entry(names[0]))
        dpg.configure_item(self._both.list, items=[_entry(name) for name in names])
        dpg.set_value(self._both.list, _entry(self._chosen))

    def _choose(self, entry: str) -> None:
        self._chosen = _name(entry)
        self._values = self._do.presets.read(self._chosen)
        self._ask(False)
        if self._chosen not in BUILT_IN:
            dpg.set_value(self._text, self._chosen)

    def _take(self) -> None:
        if self._values is not None:
            self._do.trial.edit_many(dict(self._values))

    def _remove(self) -> None:
        if not self._sure:
            self._ask(True)
            return
        self._do.presets.delete(self._chosen)
        self._refresh()

    def _ask(self, sure: bool) -> None:
        """Ask once more before a file goes."""
        self._sure = sure
        theme = self._desk.theme
        dpg.configure_item(self._delete, label="Really delete" if sure else "Delete")
        dpg.bind_item_theme(self._delete, theme.danger if sure else theme.plain)

    def _save(self) -> None:
        name = dpg.get_value(self._text).strip()
        if self._do.presets.save(name, self._do.trial.wanted):
            self._choose(_entry(name))
            self._refresh()


class EarlierWindow:
    """Every set of this sitting, the newest first: compare, and ask for one again."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._do = desk, desk.controller
        self._both = both = _Compare(desk, "earlier", "Earlier parameters", "then")
        dpg.configure_item(both.list, callback=then(self._choose))
        self._restore = both.button("restore", "Bring back", self._take)
        dpg.bind_item_theme(self._restore, desk.theme.primary)
        self._made: tuple[Change, ...] = ()
        self._chosen: Change | None = None
        self._shown: tuple[object, ...] = ()

    def show(self) -> None:
        """Show the window, or put it away."""
        self._both.show()

    def update(self) -> None:
        """List what was changed meanwhile; compare anew."""
        if not dpg.is_item_shown(self._both.window):
            return
        trial = self._do.trial
        if trial.changes.made is not self._made:
            self._made = trial.changes.made
            dpg.configure_item(self._both.list, items=self._entries())
            dpg.set_value(self._both.list, self._entries()[0])
            self._choose()
        state = (self._do.settings.current, trial.pending, self._chosen)
        if len(self._shown) != len(state) or any(a is not b for a, b in zip(state, self._shown, strict=True)):
            self._shown = state
            chosen = self._chosen
            told = words.MADE_THEN.format(chosen.text) if chosen and chosen.edits else ""
            self._desk.say(self._both.what, told)
            dpg.configure_item(self._both.what, show=bool(told))
            self._both.compare(None if chosen is None else differences(trial.wanted, chosen.settings))
            dpg.configure_item(self._restore, enabled=chosen is not None)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        return {"entries": self._entries(), "chosen": self._chosen.text if self._chosen else ""}

    def _entries(self) -> list[str]:
        count = len(self._made)
        return [f"{count - k}  {_line(change)}" for k, change in enumerate(reversed(self._made))]

    def _choose(self) -> None:
        entry = dpg.get_value(self._both.list)
        entries = self._entries()
        if entry in entries:
            self._chosen = self._made[len(self._made) - 1 - entries.index(entry)]

    def _take(self) -> None:
        if self._chosen is not None:
            self._do.trial.restore(self._chosen)


def _line(change: Change) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(change.clock))
    frame = "" if change.frame is None else f"  frame {change.frame}"
    return words.short(f"{clock}{frame}  {change.names}", LETTERS)


def _entry(name: str) -> str:
    return f"{name}  (built in)" if name in BUILT_IN else name


def _name(entry: str) -> str:
    return entry.removesuffix("  (built in)")
