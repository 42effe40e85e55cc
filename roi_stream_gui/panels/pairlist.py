"""Regions against cells, as a list that unfolds below that of the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import then
from roi_stream_gui.panels.longlist import Column, Line, LongList
from roi_stream_gui.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_stream_gui.agreement import Pair
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["PairList"]

COLUMNS: Final = (
    Column("", 20), Column("region", 0), Column("cell", 0), Column("overlap", 56), Column("r", 40),
    Column("px", 36),
)  # fmt: skip
TONES: Final = {"found": "good", "missed": "bad", "extra": "warn"}
MARK: Final = "\u25a0"
HEAD, LINE = 30, 32
"""px at 100 % of the heading that folds, and of the line below it."""


class PairList:
    """Which drawn regions were found, which were missed, and which cells nobody drew."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._pairs: Sequence[Pair] = ()
        self._shown: tuple[object, ...] = ()
        self._list = LongList(desk, "pairs", COLUMNS, self._line, self._click)

    def build(self, parent: int) -> None:
        """Make the heading and what is below it."""
        desk = self._desk
        # after ### stands what the heading is known by while its words change
        self._fold = dpg.add_collapsing_header(label=f"{words.PAIRS}###pairs", parent=parent)
        desk.named("pairs.fold", self._fold)
        # beside the heading, not in it: what is in one takes its colours from it
        with dpg.group(parent=parent, show=False) as self._body:
            with dpg.group(horizontal=True):
                label = f"{VERBS['promote'].button} all missed"
                self._seed = dpg.add_button(label=label, callback=then(self._seed_missed))
                desk.tip(desk.named("pairs.seed", self._seed), "pairs.seed")
                self._count = desk.text("", "dim")
                desk.tip(self._count, "pairs.list")
            self._list.build(self._body)

    @property
    def open(self) -> bool:
        """True while it is unfolded."""
        unfolded = bool(dpg.get_value(self._fold))
        if dpg.is_item_shown(self._body) != unfolded:
            dpg.configure_item(self._body, show=unfolded)
        return unfolded

    def name(self, alone: bool) -> None:
        """Call the heading so that one sees how to come back to the list whose room it takes."""
        label = f"{words.PAIRS_ALONE if alone else words.PAIRS}###pairs"
        if dpg.get_item_label(self._fold) != label:
            dpg.configure_item(self._fold, label=label)

    @property
    def heights(self) -> tuple[int, int]:
        """Screen px of the heading, and of what more stands above the lines when it is unfolded."""
        return self._desk.px(HEAD), self._desk.px(LINE)

    def update(self, view: View, height: int) -> None:
        """Show the last comparison in a list so many px tall."""
        snapshot, agreement = view.snapshot, self._do.agreement
        if snapshot is None:
            return
        agreement.follow(snapshot, view.rois)
        self._list.resize(height)
        state = (agreement.pairs, view.selection, self._do.cells.chosen, view.rois)
        if len(self._shown) == len(state) and all(
            a is b or a == b for a, b in zip(state, self._shown, strict=True)
        ):
            self._list.follow()
            return
        self._shown = state
        self._pairs = [pair for pair in agreement.pairs if pair.region is None or pair.region in view.rois]
        self._list.show(self._pairs)
        number = {kind: len(agreement.of(kind)) for kind in TONES}
        text = words.AGREEMENT.format(**number) if len(view.rois) else words.NOTHING_DRAWN
        self._desk.say(self._count, text)
        if dpg.is_item_enabled(self._seed) != bool(number["missed"]):
            dpg.configure_item(self._seed, enabled=bool(number["missed"]))

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        heading = dpg.get_item_label(self._fold).partition("###")[0]
        return {"open": self.open, "heading": heading, "pairs": [[*pair, pair.kind] for pair in self._pairs]}

    def _line(self, pair: Pair) -> Line:
        editor = self._do.editor
        roi = editor.get(pair.region) if pair.region is not None else None
        region = roi.name if roi is not None else "-"
        there = pair.cell is not None and pair.kind != "missed"
        cell = self._do.keeper.label(pair.cell) if there and pair.cell is not None else "-"
        tone = "text" if pair.accepted else "dim"
        numbers = (
            f"{100 * pair.overlap:.0f} %" if pair.kind == "found" else "",
            f"{pair.r:.2f}" if pair.r == pair.r and there else "",
            f"{pair.far:.1f}" if pair.far == pair.far else "",
        )
        chosen = pair.cell in self._do.cells.chosen if there else pair.region in editor.selection
        return Line((MARK, region, cell, *numbers), (TONES[pair.kind], *(tone,) * 5), chosen)

    def _click(self, number: int) -> None:
        """Select the region and choose the cell of a line."""
        pair = self._pairs[number]
        self._do.editor.select(*([pair.region] if pair.region is not None else []))
        there = pair.cell is not None and pair.kind != "missed"
        self._do.cells.choose([pair.cell] if there and pair.cell is not None else [])

    def _seed_missed(self) -> None:
        """Make a cell of every region that has none."""
        rois, missed = self._do.editor.rois, self._do.agreement.of("missed")
        self._do.keeper.promote(
            [rois[pair.region] for pair in missed if pair.region is not None and pair.region in rois]
        )
