"""Colours, fonts and spacing. The dark theme makes the picture the brightest thing on screen.

Every colour of a widget is a name of the palette, so that another palette can be put in place while the
window is open. What lies on the picture has its own colours: the picture is dark in every theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.safe import FONTS
from roi_stream_gui.shipped import asset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Colour = tuple[int, int, int]
    Painted = tuple[int, ...]

__all__ = [
    "CELL", "CHOSEN", "DARK", "LOST", "NEW", "PALETTES", "REJECTED", "SCROLL", "TONES", "Theme", "luminance",
    "readable",
]  # fmt: skip

CELL: Colour = (38, 214, 160)
NEW: Colour = (120, 224, 255)
REJECTED: Colour = (206, 92, 92)
LOST: Colour = (255, 112, 84)
CHOSEN: Colour = (255, 232, 120)

FONT_SIZE = 15

DARK: Mapping[str, Painted] = {
    "back": (16, 18, 22), "pane": (24, 27, 32), "stripe": (28, 31, 37), "bar": (30, 34, 40),
    "frame": (40, 45, 53), "hover": (54, 61, 72), "press": (70, 80, 95), "line": (48, 54, 63),
    "fold": (34, 39, 46), "chosen": (34, 62, 92), "marked": (36, 84, 140), "veil": (8, 9, 11, 140),
    "text": (224, 228, 234), "dim": (144, 152, 164), "faint": (104, 110, 120), "off": (30, 33, 38),
    "accent": (38, 122, 208), "accent.hover": (72, 152, 236), "check": (110, 184, 255),
    "tool": (36, 88, 148), "tool.hover": (46, 104, 170), "on accent": (240, 244, 250),
    "danger": (190, 44, 48), "danger.hover": (214, 62, 66), "split": (23, 26, 31),
    "good": (64, 186, 116), "warn": (240, 170, 48), "bad": (246, 104, 100), "idle": (144, 152, 164),
    "good.back": (32, 50, 46), "warn.back": (54, 48, 38), "bad.back": (53, 36, 41),
    "idle.back": (42, 46, 52), "grid": (58, 64, 74, 110), "none": (0, 0, 0, 0),
    "spikes": (214, 220, 228), "wave": (126, 150, 182), "mark.note": (232, 186, 70),
    "mark.edit": (120, 176, 255), "mark.region": (150, 158, 170), "mark.cell": (60, 180, 146),
}  # fmt: skip
LIGHT: Mapping[str, Painted] = {
    "back": (214, 218, 224), "pane": (240, 242, 245), "stripe": (231, 234, 239), "bar": (224, 228, 234),
    "frame": (255, 255, 255), "hover": (216, 226, 240), "press": (192, 208, 230), "line": (196, 202, 210),
    "fold": (222, 227, 234), "chosen": (190, 214, 242), "marked": (170, 204, 244), "veil": (60, 64, 70, 120),
    "text": (26, 30, 36), "dim": (88, 96, 108), "faint": (140, 148, 158), "off": (230, 233, 237),
    "accent": (34, 116, 200), "accent.hover": (56, 136, 220), "check": (24, 104, 196),
    "tool": (160, 198, 240), "tool.hover": (176, 208, 244), "on accent": (255, 255, 255),
    "danger": (204, 52, 56), "danger.hover": (222, 72, 76), "split": (206, 211, 218),
    "good": (16, 116, 60), "warn": (150, 88, 0), "bad": (186, 28, 32), "idle": (88, 96, 108),
    "good.back": (208, 236, 218), "warn.back": (250, 230, 192), "bad.back": (250, 214, 214),
    "idle.back": (224, 228, 233), "grid": (190, 196, 204, 140), "none": (0, 0, 0, 0),
    "spikes": (60, 66, 76), "wave": (88, 116, 156), "mark.note": (168, 116, 0), "mark.edit": (34, 104, 200),
    "mark.region": (110, 118, 130), "mark.cell": (16, 130, 96),
}  # fmt: skip
PALETTES: Mapping[str, Mapping[str, Painted]] = {"dark": DARK, "light": LIGHT}
SCROLL: Final = 11
"""px; width of a scroll bar."""
FRAMES = {"dark": 0.0, "light": 1.0}
"""px; the lines round buttons and fields: white ones on light grey need them."""
CONTRAST: Final = 2.6
"""Least ratio of luminance between a trace and what lies behind it, as the W3C reckons it."""
PICTURE: Painted = (8, 9, 11)
"""What lies around the picture, in every theme."""
CLEAR: Painted = (0, 0, 0, 0)
"""The colour of what is not painted at all."""
TONES: Final = ("text", "dim", "good", "warn", "bad")
"""How a text may be meant."""

COLOURS: Mapping[str, str] = {
    "WindowBg": "pane", "ChildBg": "none", "PopupBg": "bar", "ModalWindowDimBg": "veil", "MenuBarBg": "back",
    "Border": "line", "BorderShadow": "none", "FrameBg": "frame", "FrameBgHovered": "hover",
    "FrameBgActive": "press",
    "TitleBg": "pane", "TitleBgActive": "bar", "ScrollbarBg": "pane", "ScrollbarGrab": "hover",
    "ScrollbarGrabHovered": "press", "ScrollbarGrabActive": "accent", "CheckMark": "check",
    "SliderGrab": "accent", "SliderGrabActive": "accent", "Button": "frame", "ButtonHovered": "hover",
    "ButtonActive": "press", "Header": "chosen", "HeaderHovered": "hover", "HeaderActive": "press",
    "Separator": "line", "Tab": "pane", "TabHovered": "hover", "TabActive": "frame", "TabUnfocused": "pane",
    "TabUnfocusedActive": "frame", "TableHeaderBg": "bar", "TableBorderStrong": "line",
    "TableBorderLight": "line", "TableRowBg": "pane", "TableRowBgAlt": "stripe", "Text": "text",
    "TextDisabled": "dim", "TextSelectedBg": "marked", "NavHighlight": "accent",
}  # fmt: skip
OFF: Mapping[str, str] = {
    "Text": "faint", "FrameBg": "off", "Button": "off", "ButtonHovered": "off", "ButtonActive": "off",
}  # fmt: skip

SPACING: Mapping[str, tuple[float, ...]] = {
    "WindowPadding": (6, 6), "FramePadding": (7, 4), "ItemSpacing": (6, 5), "ItemInnerSpacing": (6, 4),
    "CellPadding": (5, 3), "ScrollbarSize": (SCROLL,), "FrameRounding": (4,), "ChildRounding": (5,),
    "PopupRounding": (5,), "WindowRounding": (6,), "GrabRounding": (3,), "TabRounding": (4,),
    "ChildBorderSize": (1,), "WindowBorderSize": (0,), "PopupBorderSize": (1,),
    "IndentSpacing": (12,),
}  # fmt: skip


class Theme:
    """The theme of the window and its variants, made once."""

    def __init__(self, palette: str = "dark") -> None:
        self._palette = PALETTES[palette]
        self._inks: list[tuple[int, str]] = []
        self._lengths: list[tuple[int, tuple[float, ...]]] = []
        self._fonts: dict[tuple[Path, int], int] = {}
        self.font: Path | None = None
        """The file of the font in place."""
        self._lines: dict[int, tuple[int, int, int]] = {}
        self._tints: dict[int, str] = {}
        self.base = self._base()
        self.plain = self._variant(dpg.mvButton, {})
        self.primary = self._button("accent", "accent.hover")
        self.danger = self._button("danger", "danger.hover")
        self.tool = self._button("tool", "tool.hover", text="text")
        self.chips = {level: self._chip(level) for level in ("good", "warn", "bad", "idle")}
        self.tones = {tone: self._variant(dpg.mvAll, {"Text": tone}) for tone in TONES}
        self.heading = self._variant(dpg.mvAll, {"Text": "check"})
        self.sheet = self._variant(dpg.mvAll, {"WindowBg": "pane"}, WindowBorderSize=(1,))
        self.note = self._variant(dpg.mvAll, {"WindowBg": "bar", "Border": "check"}, WindowBorderSize=(1,))
        split = {"Button": "split", "ButtonHovered": "accent", "ButtonActive": "accent"}
        self.splitter = self._variant(dpg.mvButton, split, FrameBorderSize=(0,))
        self.flush = self._spaced(WindowPadding=(0, 0))
        self.dense = self._spaced(ItemSpacing=(4, 1), FramePadding=(7, 0), CellPadding=(5, 3))
        self.list = self._spaced(CellPadding=(3, 1), FramePadding=(5, 3), ItemSpacing=(4, 4))
        self.head = self._variant(
            dpg.mvAll,
            {"Button": "bar", "ButtonHovered": "hover", "ButtonActive": "press", "Text": "dim"},
            ButtonTextAlign=(0, 0.5), FramePadding=(2, 3), FrameRounding=(0,),
        )  # fmt: skip
        self.compact = self._spaced(ItemSpacing=(4, 1), WindowPadding=(6, 4), FramePadding=(6, 0))
        self.tight = self._spaced(ItemSpacing=(6, 1.5), FramePadding=(7, 3))
        self.notice = self._variant(dpg.mvAll, {"WindowBg": "bar", "Border": "warn"}, WindowBorderSize=(1,))
        self.picture = self._plot(PICTURE, pad=(0, 0))
        self.traces = self._plot()
        self.small = self._plot(pad=(3, 3))
        self.strip = self._plot(pad=(0, 0))

    def switch(self, palette: str) -> None:
        """Put another palette in place."""
        self._palette = PALETTES[palette]
        for item, name in (*self._inks, *self._tints.items()):
            dpg.set_value(item, list(self._palette[name]))
        for item, colour in self._lines.items():
            self.paint(item, colour)
        dpg.set_value(self._rim, [FRAMES[palette]])

    def tint(self, item: int, name: str) -> None:
        """Give a line a colour of the palette, also of the next one."""
        self._tints[item] = name
        dpg.set_value(item, list(self._palette[name]))

    def paint(self, item: int, colour: tuple[int, int, int]) -> None:
        """Give a line of the traces a colour, made so dark in the light theme that it can be seen."""
        self._lines[item] = colour
        dpg.set_value(item, [*readable(colour, self._palette["pane"]), 255])

    def load_font(self, scale: float = 1.0, other: Path | None = None) -> None:
        """Use the font that is shipped, or an `other`, in this size; without it the built-in one is used."""
        path, size = other or asset("DejaVuSans.ttf"), round(FONT_SIZE * scale)
        if path is None:
            dpg.set_global_font_scale(scale)
            return
        if (path, size) not in self._fonts:
            with dpg.font_registry():
                self._fonts[path, size] = int(dpg.add_font(str(path), size))
        self.font = path
        dpg.bind_font(self._fonts[path, size])

    def resize(self, scale: float) -> None:
        """Draw text, and what is between the widgets, in another size; 1 is 100 %."""
        self.load_font(scale, FONTS.font)
        for item, lengths in self._lengths:
            dpg.set_value(item, [length * scale for length in lengths])

    def line(self, colour: Painted | str, weight: float = 1.3) -> tuple[int, int]:
        """Return (theme, colour item) of a trace; set the colour item's value to recolour the trace.

        A name of the palette follows it.
        """
        with dpg.theme() as theme, dpg.theme_component(dpg.mvLineSeries):
            if isinstance(colour, str):
                item = self._ink(dpg.mvPlotCol_Line, colour, dpg.mvThemeCat_Plots)
            else:
                item = dpg.add_theme_color(dpg.mvPlotCol_Line, colour, category=dpg.mvThemeCat_Plots)
            self._length(dpg.mvPlotStyleVar_LineWeight, (weight,), dpg.mvThemeCat_Plots)
        return theme, item

    def _base(self) -> int:
        theme: int
        with dpg.theme() as theme:
            with dpg.theme_component(dpg.mvAll):
                self._colours(COLOURS)
                self._spaces(SPACING)
                self._rim = int(dpg.add_theme_style(dpg.mvStyleVar_FrameBorderSize, 0))
            # A widget that is switched off looks so; Dear PyGui draws it like the others.
            kinds = (dpg.mvButton, dpg.mvInputText, dpg.mvInputDouble, dpg.mvInputInt, dpg.mvCombo)
            for kind in kinds:
                with dpg.theme_component(kind, enabled_state=False):
                    self._colours(OFF)
            with dpg.theme_component(dpg.mvCollapsingHeader):
                self._colours({"Header": "fold"})
            with dpg.theme_component(dpg.mvCheckbox, enabled_state=False):
                self._colours({"Text": "faint", "FrameBg": "off", "CheckMark": "dim"})
        return theme

    def colour(self, name: str) -> Painted:
        """Return a colour of the palette in place."""
        return self._palette[name]

    def _plot(self, back: Painted = CLEAR, pad: tuple[int, int] = (16, 4)) -> int:
        """Return the theme of a plot.

        Mostly it lies on the window's own ground: one for the traces takes a rasteriser 1 ms a frame.
        """
        plots = dpg.mvThemeCat_Plots
        theme: int
        with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvPlotCol_PlotBg, back, category=plots)
            self._ink(dpg.mvPlotCol_FrameBg, "none", plots)
            self._ink(dpg.mvPlotCol_PlotBorder, "line", plots)
            self._ink(dpg.mvPlotCol_AxisText, "dim", plots)
            self._ink(dpg.mvPlotCol_AxisGrid, "grid", plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotBorderSize, 0, category=plots)
            dpg.add_theme_style(dpg.mvStyleVar_FrameBorderSize, 0)
            self._length(dpg.mvPlotStyleVar_PlotPadding, pad, plots)
            self._length(dpg.mvPlotStyleVar_LabelPadding, (4, 2), plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotMinSize, 40, 20, category=plots)
        return theme

    def _variant(self, kind: int, colours: Mapping[str, str], **styles: tuple[float, ...]) -> int:
        theme: int
        with dpg.theme() as theme, dpg.theme_component(kind):
            self._colours(colours)
            self._spaces(styles)
        return theme

    def _button(self, colour: str, hovered: str, text: str = "on accent") -> int:
        names = {"Button": colour, "ButtonHovered": hovered, "ButtonActive": hovered, "Text": text}
        return self._variant(dpg.mvButton, names)

    def _chip(self, level: str) -> int:
        theme: int
        back = f"{level}.back"
        with dpg.theme() as theme, dpg.theme_component(dpg.mvButton):
            self._colours({"Button": back, "ButtonHovered": back, "ButtonActive": back, "Text": level})
            self._spaces({"FrameRounding": (9,), "FramePadding": (9, 2), "FrameBorderSize": (0,)})
        return theme

    def _colours(self, colours: Mapping[str, str]) -> None:
        for target, name in colours.items():
            self._ink(getattr(dpg, f"mvThemeCol_{target}"), name)

    def _ink(self, target: int, name: str, category: int = dpg.mvThemeCat_Core) -> int:
        """Colour something of the theme being made by a name of the palette; return the colour item."""
        item: int = dpg.add_theme_color(target, self._palette[name], category=category)
        self._inks.append((item, name))
        return item

    def _spaced(self, **styles: tuple[float, ...]) -> int:
        theme: int
        with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
            self._spaces(styles)
        return theme

    def _spaces(self, styles: Mapping[str, tuple[float, ...]]) -> None:
        for name, values in styles.items():
            self._length(getattr(dpg, f"mvStyleVar_{name}"), values)

    def _length(self, target: int, values: tuple[float, ...], category: int = dpg.mvThemeCat_Core) -> None:
        """Add lengths, px at 100 %, to the theme being made; they follow `resize`."""
        self._lengths.append((int(dpg.add_theme_style(target, *values, category=category)), values))


def readable(colour: tuple[int, int, int], back: Painted) -> tuple[int, int, int]:
    """Return a colour (r, g, b) as it is, or darkened until it stands out from a light background."""
    behind = luminance(back)
    part = 1.0
    while part > 0.2 and behind > 0.4 and (behind + 0.05) / (luminance(colour, part) + 0.05) < CONTRAST:
        part -= 0.05
    red, green, blue = (round(part * channel) for channel in colour)
    return red, green, blue


def luminance(colour: Painted, part: float = 1.0) -> float:
    """Return the relative luminance, 0 to 1, of `part` of an sRGB colour."""
    channels = (part * channel / 255 for channel in colour[:3])
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
