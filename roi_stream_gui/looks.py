"""The look of the whole window: palette and size, changed while it is open.

Panels are built for a size of 100 %. Afterwards every width, height, indent, wrap and column that was given
in px is multiplied here, so that no panel need know of it; what a panel sets later it multiplies by
`Desk.px`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.memory import LEAST
from roi_stream_gui.menus import SIZES
from roi_stream_gui.safe import FONTS
from roi_stream_gui.shipped import asset
from roi_stream_gui.theme import DARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roi_core.settings import Display
    from roi_stream_gui.memory import Memory
    from roi_stream_gui.panels.base import Desk

__all__ = ["Looks", "fitting", "open_viewport"]

SIZED: Final = frozenset({
    "Button", "ChildWindow", "ColorButton", "ColorEdit", "Combo", "DragDouble", "DragFloat", "DragInt",
    "FileDialog", "Group", "Image", "ImageButton", "InputDouble", "InputFloat", "InputInt", "InputText",
    "Listbox", "LoadingIndicator", "Plot", "ProgressBar", "Selectable", "SimplePlot", "SliderDouble",
    "SliderFloat", "SliderInt", "Spacer", "SubPlots", "Table", "TableColumn", "Text", "WindowAppItem",
})  # fmt: skip
"""Kinds whose lengths are px on screen. A texture's are not, and to give a menu bar one kills the program."""
PERIOD: Final = 2.0
"""s between looks at how the window stands."""
LENGTHS: Final = (
    "width",
    "height",
    "indent",
    "wrap",
    "xoffset",
    "horizontal_spacing",
    "init_width_or_weight",
)


SMALL: Final = (850, 530)
"""Width and height of the window, px at 100 %, below which there is no place for every button."""


def open_viewport(place: Mapping[str, int]) -> None:
    """Make the frame that the desktop gives a program: title, icon, size and position."""
    icon = asset("icon.png")
    icons = {"small_icon": str(icon), "large_icon": str(icon)} if icon else {}
    dpg.create_viewport(
        title=words.TITLE, min_width=LEAST[0], min_height=LEAST[1], disable_close=True,
        clear_color=DARK["pane"], **place, **icons,
    )  # fmt: skip


class Looks:
    """Follows the settings ``display.theme`` and ``display.scale``; `natural` is the screen's own scale."""

    def __init__(self, desk: Desk, memory: Memory, natural: float) -> None:
        self._desk = desk
        self._memory = memory
        self._seen = desk.controller.settings.current.display
        self._kept = replace(memory)
        self._due = time.monotonic() + PERIOD
        self._natural = natural
        self._theme = "dark"
        self._refused = 0.0
        """The size that was told to be too large."""
        self.filling = False
        """True while the window fills the screen."""
        self._known: dict[tuple[int, str], tuple[float, float]] = {}

    def update(self, shown: Display, window: tuple[int, int] | None = None) -> None:
        """Put the palette and the size in place that are asked for, or the largest a `window` has room for.

        `window` is its width and height, px.
        """
        if shown.theme != self._theme:
            self._theme = shown.theme
            self._desk.theme.switch(shown.theme)
            dpg.set_viewport_clear_color(list(self._desk.theme.colour("pane")))
        wanted = shown.scale or self._natural
        scale = wanted if window is None else fitting(wanted, window)
        if scale < wanted and wanted != self._refused:  # told once, however often the window is resized
            self._desk.controller.tell(words.TOO_LARGE.format(wanted=wanted))
        self._refused = wanted if scale < wanted else 0.0
        if FONTS.font is not None and FONTS.font != self._desk.theme.font:
            self._desk.theme.load_font(scale, FONTS.font)
        if scale != self._desk.scale:
            self._desk.theme.resize(scale)
            self._resize(scale)
            self._desk.scale = scale

    def zoom(self, step: int) -> None:
        """Take the next larger (1) or smaller (-1) size; 0 is the screen's own."""
        now, scale = self._desk.scale, None
        if step:
            further = [size for size in SIZES if (size - now) * step > 0]
            scale = min(further, key=lambda size: abs(size - now), default=now)
        self._desk.controller.edit("display.scale", scale)

    def full_screen(self) -> None:
        """Fill the screen, or be a window again."""
        self.filling = not self.filling
        dpg.toggle_viewport_fullscreen()

    def follow(self, tabs: Callable[[], list[str]]) -> None:
        """Remember now and then, for a crash does not ask; called once per drawn frame."""
        if time.monotonic() >= self._due:
            self.remember(tabs())
            self._due = time.monotonic() + PERIOD

    def remember(self, tabs: list[str]) -> None:
        """Keep for the next start how the window stands now; `tabs` are the panels in front."""
        memory, now = self._memory, self._desk.controller.settings.current.display
        memory.note(self._seen, now)
        self._seen = now
        memory.tabs = tabs
        if not self.filling:
            memory.width, memory.height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
            memory.left, memory.top = map(int, dpg.get_viewport_pos())
        if memory != self._kept:
            self._kept = replace(memory)
            memory.keep()

    def _resize(self, scale: float) -> None:
        for item in dpg.get_all_items():
            if dpg.get_item_type(item).rpartition("::mv")[2] not in SIZED:
                continue
            options = dpg.get_item_configuration(item)
            if options.get("width_stretch") or options.get("autosize"):
                continue
            new = {
                name: self._length(item, name, options[name], scale) for name in LENGTHS if name in options
            }
            changed = {name: length for name, length in new.items() if length != options[name]}
            if changed:
                dpg.configure_item(item, **changed)

    def _length(self, item: int, name: str, now: float, scale: float) -> float:
        """Return a length in the new size; 0, 1 and -1 have meanings of their own.

        The length at 100 % is remembered, so that it comes back the same from any size; one that a panel has
        set since is taken as it stands.
        """
        if abs(now) <= 1:
            return now
        plain, last = self._known.get((item, name), (0.0, 0.0))
        if now != last:
            plain = now / self._desk.scale
        length = type(now)(round(plain * scale))
        self._known[item, name] = plain, length
        return length


def fitting(wanted: float, window: tuple[int, int]) -> float:
    """Return the size that is asked for, or the next smaller one that a window (width, height) holds."""
    room = min(own / least for own, least in zip(window, SMALL, strict=True))
    return wanted if wanted <= max(room, 1.0) else max(size for size in SIZES if size <= max(room, 1.0))
