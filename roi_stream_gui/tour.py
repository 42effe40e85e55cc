"""Three sentences for the very first start, each beside what it speaks of. Nothing waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import then

if TYPE_CHECKING:
    from roi_stream_gui.memory import Memory
    from roi_stream_gui.panels.base import Desk

__all__ = ["Tour"]

WIDTH, GAP, RIM = 330, 10, 3
"""Of the note, between it and what it speaks of, and of the frame round that; px at 100 %."""
BESIDE: Final = {"tool.circle"}
"""What has its note to the right; the others have it below."""


class Tour:
    """A note with one sentence, and a frame round the widget that the sentence is about."""

    def __init__(self, desk: Desk, memory: Memory) -> None:
        self._desk = desk
        self._memory = memory
        self._step = 0
        with dpg.window(
            show=False, width=WIDTH, autosize=True, no_title_bar=True, no_move=True, no_resize=True,
            no_focus_on_appearing=True, no_saved_settings=True, min_size=(40, 40),
        ) as self._window:  # fmt: skip
            self._text = dpg.add_text("", wrap=WIDTH - 24)
            with dpg.group(horizontal=True):
                self._next = desk.named("tour.next", dpg.add_button(width=90, callback=then(self._on)))
                dpg.bind_item_theme(self._next, desk.theme.primary)
                self._skip = desk.named(
                    "tour.close", dpg.add_button(label="Close", width=90, callback=then(self._close))
                )
                self._count = desk.text(tone="dim")
        dpg.bind_item_theme(self._window, desk.theme.note)
        with dpg.viewport_drawlist(front=True) as self._drawn:
            self._frame = dpg.draw_rectangle([0, 0], [0, 0], thickness=2, rounding=5, show=False)
        desk.sheets.append(desk.named("tour", self._window))

    def show(self) -> None:
        """Begin with the first sentence."""
        self._step = 0
        self._say()
        dpg.configure_item(self._window, show=True)

    def first(self) -> None:
        """Show it on the very first start, never again by itself."""
        if not self._memory.toured:
            self._memory.toured = True
            self._memory.keep()
            self.show()

    def update(self) -> None:
        """Stay beside what is spoken of."""
        shown = dpg.is_item_shown(self._window)
        dpg.configure_item(self._frame, show=shown)
        if not shown:
            return
        name = words.TOUR[self._step][0]
        (x, y), (width, height) = (
            ask(self._desk.names[name]) for ask in (dpg.get_item_rect_min, dpg.get_item_rect_size)
        )
        rim, gap = self._desk.px(RIM), self._desk.px(GAP)
        accent = self._desk.theme.colour("check")
        dpg.configure_item(
            self._frame, pmin=[x - rim, y - rim], pmax=[x + width + rim, y + height + rim], color=accent
        )
        place = (x + width + gap, y) if name in BESIDE else (x, y + height + gap)
        dpg.configure_item(self._window, pos=[int(place[0]), int(place[1])])

    def _on(self) -> None:
        self._step += 1
        if self._step < len(words.TOUR):
            self._say()
        else:
            self._close()

    def _say(self) -> None:
        last = self._step == len(words.TOUR) - 1
        self._desk.say(self._text, words.TOUR[self._step][1])
        dpg.configure_item(self._next, label="Done" if last else "Next")
        dpg.configure_item(self._skip, show=not last)
        self._desk.say(self._count, f"{self._step + 1} of {len(words.TOUR)}")

    def _close(self) -> None:
        dpg.configure_item(self._window, show=False)
        self._step = 0
