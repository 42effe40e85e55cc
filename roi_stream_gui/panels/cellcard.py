"""What is known of the chosen cells, their name, and a button for everything that can be done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.cellrows import said
from roi_stream_gui.panels.base import then
from roi_stream_gui.verbs import FREEZE, THAW, VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_stream_gui.cellrows import Cell
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["CellCard"]

ROWS: Final = (("accept", "reject", "automatic", "merge"), ("split", "remove", "hold", "demote"))
"""Verbs that have a button."""
HEIGHT, FACTS, FACT, HINT = 129, 40, 20, 24
"""px at 100 % of all, of the facts, of their first line alone, and of what stands there for no cell."""
NONE_CHOSEN: Final = "Click one here or on the picture; Ctrl-click adds."


class CellCard:
    """The lower part of the tab of cells."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._buttons: dict[str, int] = {}
        self._of: int | None = None
        self._name_due = True
        self._why_not = ""
        self._shown: tuple[object, ...] = ()
        self.said = ""
        self._brief = self._folded = False

    @property
    def height(self) -> int:
        """Screen px that it takes with its facts."""
        return self._desk.px(HEIGHT)

    @property
    def spared(self) -> int:
        """Screen px that it does not take while it has no room for everything."""
        if self._folded:
            return self._desk.px(HEIGHT - HINT)
        return self._desk.px(FACTS - FACT) if self._brief else 0

    def shorten(self, brief: bool) -> None:
        """Show the most important line of the facts where there is no room for more, or all again.

        Of no cell there is nothing to tell and nothing to do: then one line tells how to choose one.
        """
        folded = brief and not self._do.cells.chosen
        if self._folded != folded:
            self._folded = folded
            dpg.configure_item(self._whole, show=not folded)
            dpg.configure_item(self._hint, show=folded)
        if self._brief != brief:
            self._brief, self._shown = brief, ()
            dpg.configure_item(self._pane, height=self._desk.px(FACT if brief else FACTS))

    def build(self, parent: int) -> None:
        """Make name, facts and buttons."""
        desk = self._desk
        self._hint = desk.text(NONE_CHOSEN, "dim", parent=parent, show=False)
        with dpg.group(parent=parent) as self._whole:
            with dpg.group(horizontal=True):
                self._title = desk.text("")
                self._name = dpg.add_input_text(width=-1, hint="name")
                desk.tip(desk.named("cell.name", self._name), "cell.name")
                desk.after_edit(self._name, self._rename)
            with dpg.child_window(height=FACTS, border=False, no_scrollbar=True) as self._pane:
                dpg.bind_item_theme(self._pane, desk.theme.flush)
                self._facts = desk.text("", "dim", wrap=0)
            with dpg.group() as self._verbs:
                for row in ROWS:
                    self._build_row(row)
            self._why = desk.text("", "dim", wrap=0, show=False)

    def _build_row(self, row: Sequence[str]) -> None:
        desk = self._desk
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchSame, pad_outerX=False) as table:
            dpg.bind_item_theme(table, desk.theme.list)
            for _ in row:
                dpg.add_table_column()
            with dpg.table_row():
                for verb in row:
                    action = getattr(self._do.keeper, verb)
                    button = dpg.add_button(label=VERBS[verb].button, width=-1, callback=then(action))
                    self._buttons[verb] = desk.tip(desk.named(f"cell.{verb}", button), f"cell.{verb}")

    def update(self, view: View, cells: Sequence[Cell], now: float) -> None:
        """Show what is chosen."""
        chosen = self._do.cells.chosen
        found = {cell.id: cell for cell in cells if cell.id in chosen}
        one = found.get(chosen[0]) if len(chosen) == 1 else None
        keeper = self._do.keeper
        able = frozenset(verb for verb in self._buttons if not keeper.why_not(verb))
        state = (chosen, one, int(now), view.selection, len(cells), able)
        if state != self._shown:
            self._shown = state
            self._show(chosen, one, found, now)
            self._enable(able, len(chosen))
        why_not = keeper.why_not()
        if why_not != self._why_not:
            self._why_not = why_not
            self._desk.say(self._why, why_not)
            dpg.configure_item(self._verbs, show=not why_not)
            dpg.configure_item(self._why, show=bool(why_not))
        of = one.id if one is not None else None
        if of != self._of:
            self._name_due = True
        if self._name_due and not dpg.is_item_active(self._name):
            self._of, self._name_due = of, False
            dpg.set_value(self._name, self._do.keeper.names.get(of, "") if of is not None else "")
            dpg.configure_item(self._name, enabled=of is not None)

    def _show(self, chosen: tuple[int, ...], one: Cell | None, found: dict[int, Cell], now: float) -> None:
        many = len(chosen)
        title = f"cell {one.id}" if one else f"{many} cells" if many > 1 else "no cell chosen"
        self.said = said(one, now) if one else ", ".join(map(self._do.keeper.label, chosen))
        if not chosen:
            self.said = NONE_CHOSEN
        self._desk.say(self._title, title)
        bad = one is not None and one.status == "rejected"
        text = self.said
        if self._brief and one is not None:
            text = text.partition("\n")[0].removeprefix("rejected: ")  # its mark and colour say that
        self._desk.say(self._facts, text, "warn" if bad else "dim")
        frozen = bool(found) and all(cell.frozen for cell in found.values())
        label = (THAW if frozen else FREEZE).capitalize()
        if dpg.get_item_label(self._buttons["hold"]) != label:
            dpg.configure_item(self._buttons["hold"], label=label)

    def _enable(self, able: frozenset[str], many: int) -> None:
        """Let those buttons be pressed that can do something to so many cells now."""
        for verb, button in self._buttons.items():
            enabled = verb in able and many > (1 if verb == "merge" else 0)
            if dpg.is_item_enabled(button) != enabled:
                dpg.configure_item(button, enabled=enabled)

    def _rename(self) -> None:
        """Name the cell the field was filled for; another may be chosen by now."""
        if self._of is not None:
            self._do.keeper.rename(self._of, dpg.get_value(self._name))
            self._name_due = True
