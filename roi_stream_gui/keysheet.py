"""Every key on one sheet (F1): by topic, in columns, made of `shortcuts.sheet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.shortcuts import sheet

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk

__all__ = ["KeySheet", "columns"]

COLUMNS: Final = 3
CHORD, COLUMN, HEIGHT = 112, 332, 690
"""Widths of the keys and of a column, and about how high the sheet is, px at 100 %."""
LETTERS: Final = 30
"""Letters of a line, about: a longer text takes two."""

Topic = tuple[str, list[tuple[str, str]]]


class KeySheet:
    """A window that is no question: everything goes on while it is read."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        width = COLUMNS * COLUMN + 12
        with dpg.window(
            label="Keys  (F1 or Esc puts this away)", show=False, width=width, no_collapse=True,
            no_resize=True, autosize=True, no_saved_settings=True,
        ) as self._window:  # fmt: skip
            with dpg.group(horizontal=True, horizontal_spacing=0) as inside:
                for column in columns(list(sheet().items()), COLUMNS):
                    with dpg.group():
                        dpg.add_spacer(width=COLUMN, height=0)
                        for topic in column:
                            self._topic(*topic)
        dpg.bind_item_theme(inside, desk.theme.dense)
        dpg.bind_item_theme(self._window, desk.theme.sheet)
        desk.sheets.append(desk.named("keys", self._window))

    def toggle(self) -> None:
        """Show the sheet, or put it away."""
        shown = dpg.is_item_shown(self._window)
        dpg.configure_item(self._window, show=not shown, pos=self._desk.middle(COLUMNS * COLUMN + 12, HEIGHT))

    def _topic(self, title: str, lines: list[tuple[str, str]]) -> None:
        dpg.bind_item_theme(dpg.add_text(title), self._desk.theme.heading)
        for keys, text in lines:
            with dpg.group(horizontal=True, xoffset=CHORD):
                self._desk.text(keys, "dim")
                dpg.add_text(text, wrap=COLUMN - CHORD - 12)
        dpg.add_spacer(height=5)


def columns(topics: list[Topic], count: int) -> list[list[Topic]]:
    """Return the topics in so many columns, in order, the longest column as short as can be."""
    heights = [2 + sum(1 + len(text) // LETTERS for _, text in lines) for _, lines in topics]
    limit = max(heights, default=0)
    while len(_packed(heights, limit)) > count:
        limit += 1
    ends = _packed(heights, limit)
    return [topics[first:last] for first, last in zip([0, *ends], ends, strict=False)]


def _packed(heights: list[int], limit: int) -> list[int]:
    """Return where each column ends when none is higher than `limit`."""
    ends, filled = [], 0
    for k, height in enumerate(heights):
        if filled and filled + height > limit:
            ends.append(k)
            filled = 0
        filled += height
    return [*ends, len(heights)]
