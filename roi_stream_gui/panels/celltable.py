"""The cells as a list: sorted, narrowed, chosen; below it the chosen one, and what can be done to it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import dearpygui.dearpygui as dpg

from roi_core.snapshot import State
from roi_stream_gui import health, words
from roi_stream_gui.cellrates import Rates
from roi_stream_gui.cellrows import SHOWN, Cell, Order, cells_of, counts, deleted, picked, said
from roi_stream_gui.keeper import CELLS
from roi_stream_gui.panels.base import Place, value
from roi_stream_gui.panels.cellcard import CellCard
from roi_stream_gui.panels.longlist import Column, Line, LongList
from roi_stream_gui.panels.pairlist import PairList
from roi_stream_gui.panels.searchfield import search_field
from roi_stream_gui.view import Side

if TYPE_CHECKING:
    from roi_core.session import Snapshot
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["CellTable"]

PERIOD: Final = 0.5
"""Seconds between two looks at the numbers."""
COLUMNS: Final = (
    Column("", 20), Column("id", 32), Column("name", 0), Column("SNR", 38), Column("r", 32), Column("px", 32),
    Column("/s", 34), Column("born", 42),
)  # fmt: skip
SORTED: Final = ("status", "id", "name", "snr", "r", "size", "rate", "born")
"""What a click on the heading of each column sorts by."""
FIRST_DOWN: Final = ("snr", "r", "size", "rate")
"""What is sorted from high to low at first."""
TONES: Final = {"accepted": "good", "rejected": "bad"}
MARK: Final = "\u25a0"
LEAST, SHARE, WANTED = 2, 4, 6
"""Lines of a list at least; of the cells beside pairs; and below which the card is made smaller."""


class CellTable:
    """The tab of cells: a line of filters, the list, the card of the chosen."""

    title: ClassVar[str] = "Cells"
    place: ClassVar[Place] = Place.RIGHT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._rates = Rates()
        self._order = Order()
        self._cells: list[Cell] = []
        self._listed: list[Cell] = []
        self._chosen: tuple[int, ...] = ()
        self._last: int | None = None
        self._mine = False
        self._due = self._now = 0.0
        self._list = LongList(desk, "cells", COLUMNS, self._line, self._click, self._sort, tips=True)
        self._pairs = PairList(desk)
        self._card = CellCard(desk)

    def build(self, parent: int) -> None:
        """Make the widgets."""
        desk = self._desk
        with dpg.group(parent=parent):
            with dpg.group(horizontal=True, horizontal_spacing=4):
                search_field(desk, "cell.filter", "filter", 88, self._narrow_text, "cell.filter")
                self._combo = dpg.add_combo(
                    list(SHOWN), width=86, default_value="all", callback=value(self._narrow)
                )
                desk.tip(desk.named("cell.shown", self._combo), "cell.shown")
                self._count = desk.text("", "dim")
                desk.tip(self._count, "cell.list")
            with dpg.group() as self._body:
                self._list.build(self._body)
                self._list.sorted_by(SORTED.index(self._order.key), self._order.down)
                self._pairs.build(self._body)
                self._card.build(self._body)
            self._none = desk.text(words.CELLS_OFF, "dim", wrap=0)

    def update(self, view: View) -> None:
        """Follow the choice at once and the numbers twice a second."""
        snapshot = view.snapshot
        activity = snapshot.activity if snapshot is not None else None
        there = activity is not None and not (_is_over(view) and len(activity.ids) == 0)
        for item, show in ((self._body, there), (self._none, not there)):
            if dpg.is_item_shown(item) != show:
                dpg.configure_item(item, show=show)
        if snapshot is None or not there:
            self._desk.say(self._count, "")
            self._desk.say(self._none, _why_none(view, self._do.journal.holds(CELLS)))
            return
        if snapshot.activity is not None:
            self._rates.follow(snapshot.cells, snapshot.activity.ids, snapshot.rate)
        self._share(view)
        now = time.monotonic()
        chosen = self._do.cells.chosen
        if now >= self._due:
            self._due = now + PERIOD
            self._look(snapshot)
            self._show()
        elif chosen != self._chosen:
            self._show()
        else:
            self._list.follow()
        self._card.update(view, self._cells, snapshot.elapsed)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        return {
            "listed": [cell.id for cell in self._listed],
            "first": self._list.first,
            "fit": self._list.fit,
            "cells": {cell.id: cell._asdict() for cell in self._cells},
            "names": dict(self._do.keeper.names),
            "facts": self._card.said,
            **self._pairs.tell(),
        }

    def _share(self, view: View) -> None:
        """Share the room between the cells and, unfolded, their agreement with regions."""
        tall, unfolded = self._list.tall, self._pairs.open
        both = tall(SHARE) + tall(LEAST)
        room = self._room() - (sum(self._pairs.heights) if unfolded else self._pairs.heights[0])
        self._card.shorten(room < (both if unfolded else tall(WANTED)))
        room = max(room + self._card.spared, tall(LEAST))
        alone = unfolded and room < both
        pairs = room if alone else min(room // 2, room - tall(SHARE))
        self._list.hide(alone)
        self._pairs.name(alone)
        if unfolded:
            self._pairs.update(view, pairs)
        self._list.resize(room - pairs if unfolded else room)

    def _room(self) -> int:
        """Return how many px there are between the filters and the card."""
        pane = self._desk.names.get("pane.right", 0)
        height = dpg.get_item_height(pane) if pane else 400
        return int(height or 400) - self._desk.px(66) - self._card.height

    def _look(self, snapshot: Snapshot) -> None:
        activity, self._now = snapshot.activity, snapshot.elapsed
        if activity is None:
            return
        firing = dict(zip(self._rates.ids, self._rates.of().tolist(), strict=True))
        self._cells = cells_of(activity.components, snapshot.rate, self._do.keeper.names, firing)

    def _show(self) -> None:
        chosen = self._do.cells.chosen
        self._listed = picked(self._cells, self._order, chosen)
        self._list.show(self._listed)
        if chosen != self._chosen:
            self._chosen = chosen
            self._reveal()
        found = counts(self._cells)
        text = f"{found['accepted']} cells, {found['rejected']} rejected"
        self._desk.say(self._count, text)

    def _line(self, cell: Cell) -> Line:
        rate = "-" if cell.rate != cell.rate else f"{cell.rate:.2f}"
        mark = MARK + ("*" if cell.by_hand else "")
        texts = (
            mark, str(cell.id), cell.name, _short(cell.snr), f"{cell.r:.2f}", f"{cell.size:.0f}", rate,
            _clock(cell.born),
        )  # fmt: skip
        tone = "text" if cell.status == "accepted" else "dim"
        tones, chosen = (TONES[cell.status], *(tone,) * 7), cell.id in self._do.cells.chosen
        return Line(texts, tones, chosen, f"cell {cell.id}: {said(cell, self._now)}")

    def _reveal(self) -> None:
        """Scroll to the cell that was chosen, here too: the list may be shorter now."""
        ids = [cell.id for cell in self._listed]
        cell = self._last if self._mine else self._chosen[-1] if self._chosen else None
        if self._chosen and cell in ids:
            self._list.reveal(ids.index(cell))
            self._list.show(self._listed)
        self._mine = False

    # -- what the user does -------------------------------------------------------------------------------

    def _click(self, number: int) -> None:
        """Choose the cell of a line; Ctrl adds it, Shift adds all from the last one clicked."""
        ids = [cell.id for cell in self._listed]
        cell, choice = ids[number], self._do.cells
        self._mine = True
        if _held(dpg.mvKey_LShift, dpg.mvKey_RShift) and self._last in ids:
            a, b = sorted((ids.index(self._last), number))
            choice.choose((*choice.chosen, *ids[a : b + 1]))
        else:
            choice.click(cell, more=_held(dpg.mvKey_LControl, dpg.mvKey_RControl))
        self._last = cell
        self._do.editor.select()
        self._due = 0.0

    def _sort(self, column: int) -> None:
        """Sort by a column; the other way round when that is how it was."""
        key, old = SORTED[column], self._order
        down = not old.down if key == old.key else key in FIRST_DOWN
        self._order = replace(old, key=key, down=down)
        self._list.sorted_by(column, down)
        self._due = 0.0

    def _narrow_text(self, text: str) -> None:
        self._order = replace(self._order, text=text)
        self._due = 0.0

    def _narrow(self, shown: str) -> None:
        self._order = replace(self._order, shown=shown)
        self._due = 0.0


def _short(number: float) -> str:
    return f"{number:.1f}" if abs(number) < 100 else f"{number:.0f}"


def _clock(seconds: float) -> str:
    whole = int(max(seconds, 0))
    hours = f"{whole // 3600}:{whole // 60 % 60:02}"
    return f"{hours}h" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"


def _why_none(view: View, can_be_back: bool) -> str:
    """Return why there is no list; `can_be_back` when something that was done to cells can be taken back."""
    if view.snapshot is None:
        return words.NO_PICTURE
    if view.snapshot.activity is not None and deleted(view.snapshot.activity.components):
        return words.CELLS_GONE_BACK if can_be_back else words.CELLS_GONE
    if view.side is Side.RESULTS:
        return words.CELLS_NOT_KEPT
    if not view.settings.cnmf.enabled:
        return words.CELLS_OFF
    if view.snapshot.stages.get("cnmf") == "given up":
        return words.CELLS_FAILED
    return words.CELLS_NONE if _is_over(view) else health.cells(view).tip or words.CELLS_STARTING


def _is_over(view: View) -> bool:
    """Tell whether no frames come any more."""
    return view.snapshot is not None and view.snapshot.state in (State.STOPPING, State.FINISHED)


def _held(*keys: int) -> bool:
    return any(dpg.is_key_down(key) for key in keys)
