"""Colours, fonts and spacing. The dark theme makes the picture the brightest thing on screen.

Every colour of a widget is a name of the palette, so that another palette can be put in place while the
window is open. What lies on the picture has its own colours: the picture is dark in every theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui.shipped import asset

if TYPE_CHECKING:
    from collections.abc import Mapping

    Colour = tuple[int, int, int]
    Painted = tuple[int, ...]

__all__ = ["CELL", "CHOSEN", "LOST", "NEW", "PALETTES", "REJECTED", "TONES", "Theme"]

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
    "accent": (46, 134, 222), "accent.hover": (72, 152, 236), "check": (110, 184, 255),
    "tool": (36, 88, 148), "tool.hover": (46, 104, 170), "on accent": (240, 244, 250),
    "danger": (190, 44, 48), "danger.hover": (214, 62, 66), "split": (23, 26, 31),
    "good": (64, 186, 116), "warn": (240, 170, 48), "bad": (232, 76, 76), "idle": (144, 152, 164),
    "good.back": (32, 50, 46), "warn.back": (54, 48, 38), "bad.back": (53, 36, 41),
    "idle.back": (42, 46, 52), "plot": (19, 21, 25), "grid": (58, 64, 74, 110), "spikes": (214, 220, 228),
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
    "idle.back": (224, 228, 233), "plot": (250, 251, 252), "grid": (190, 196, 204, 140),
    "spikes": (60, 66, 76),
}  # fmt: skip
PALETTES: Mapping[str, Mapping[str, Painted]] = {"dark": DARK, "light": LIGHT}
PICTURE: Painted = (8, 9, 11)
"""What lies around the picture, in every theme."""
TONES: Final = ("text", "dim", "good", "warn", "bad")
"""How a text may be meant."""

COLOURS: Mapping[str, str] = {
    "WindowBg": "back", "ChildBg": "pane", "PopupBg": "bar", "ModalWindowDimBg": "veil", "MenuBarBg": "back",
    "Border": "line", "FrameBg": "frame", "FrameBgHovered": "hover", "FrameBgActive": "press",
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
    "CellPadding": (5, 3), "ScrollbarSize": (11,), "FrameRounding": (4,), "ChildRounding": (5,),
    "PopupRounding": (5,), "WindowRounding": (6,), "GrabRounding": (3,), "TabRounding": (4,),
    "ChildBorderSize": (1,), "WindowBorderSize": (0,), "FrameBorderSize": (0,), "PopupBorderSize": (1,),
    "IndentSpacing": (12,),
}  # fmt: skip


class Theme:
    """The theme of the window and its variants, made once."""

    def __init__(self, palette: str = "dark") -> None:
        self._palette = PALETTES[palette]
        self._inks: list[tuple[int, str]] = []
        self.base = self._base()
        self.plain = self._variant(dpg.mvButton, {})
        self.primary = self._button("accent", "accent.hover")
        self.danger = self._button("danger", "danger.hover")
        self.tool = self._button("tool", "tool.hover", text="text")
        self.chips = {level: self._chip(level) for level in ("good", "warn", "bad", "idle")}
        self.tones = {tone: self._variant(dpg.mvAll, {"Text": tone}) for tone in TONES}
        self.splitter = self._button("split", "accent")
        self.flush = _spaced(WindowPadding=(0, 0))
        self.tight = _spaced(ItemSpacing=(4, 1), WindowPadding=(6, 4))
        self.picture = self._plot(None)
        self.traces = self._plot("plot")
        self.small = self._plot("plot", pad=(3, 3))

    def switch(self, palette: str) -> None:
        """Put another palette in place."""
        self._palette = PALETTES[palette]
        for item, name in self._inks:
            dpg.set_value(item, list(self._palette[name]))

    def load_font(self) -> None:
        """Use the font that is shipped; without it the built-in one is used."""
        path = asset("DejaVuSans.ttf")
        if path is not None:
            with dpg.font_registry():
                font = dpg.add_font(str(path), FONT_SIZE)
            dpg.bind_font(font)

    def line(self, colour: Painted | str, weight: float = 1.3) -> tuple[int, int]:
        """Return (theme, colour item) of a trace; set the colour item's value to recolour the trace.

        A name of the palette follows it.
        """
        with dpg.theme() as theme, dpg.theme_component(dpg.mvLineSeries):
            if isinstance(colour, str):
                item = self._ink(dpg.mvPlotCol_Line, colour, dpg.mvThemeCat_Plots)
            else:
                item = dpg.add_theme_color(dpg.mvPlotCol_Line, colour, category=dpg.mvThemeCat_Plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_LineWeight, weight, category=dpg.mvThemeCat_Plots)
        return theme, item

    def _base(self) -> int:
        theme: int
        with dpg.theme() as theme:
            with dpg.theme_component(dpg.mvAll):
                self._colours(COLOURS)
                _spaces(SPACING)
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

    def _plot(self, back: str | None, pad: tuple[int, int] = (16, 4)) -> int:
        """Return the theme of a plot; without a colour of the palette, that of the picture."""
        plots = dpg.mvThemeCat_Plots
        theme: int
        with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
            for target in (dpg.mvPlotCol_PlotBg, dpg.mvPlotCol_FrameBg):
                if back is None:
                    dpg.add_theme_color(target, PICTURE, category=plots)
                else:
                    self._ink(target, back, plots)
            self._ink(dpg.mvPlotCol_PlotBorder, "line", plots)
            self._ink(dpg.mvPlotCol_AxisText, "dim", plots)
            self._ink(dpg.mvPlotCol_AxisGrid, "grid", plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotBorderSize, 0, category=plots)
            pad = (0, 0) if back is None else pad
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotPadding, *pad, category=plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_LabelPadding, 4, 2, category=plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotMinSize, 40, 20, category=plots)
        return theme

    def _variant(self, kind: int, colours: Mapping[str, str]) -> int:
        theme: int
        with dpg.theme() as theme, dpg.theme_component(kind):
            self._colours(colours)
        return theme

    def _button(self, colour: str, hovered: str, text: str = "on accent") -> int:
        names = {"Button": colour, "ButtonHovered": hovered, "ButtonActive": hovered, "Text": text}
        return self._variant(dpg.mvButton, names)

    def _chip(self, level: str) -> int:
        theme: int
        back = f"{level}.back"
        with dpg.theme() as theme, dpg.theme_component(dpg.mvButton):
            self._colours({"Button": back, "ButtonHovered": back, "ButtonActive": back, "Text": level})
            dpg.add_theme_style(dpg.mvStyleVar_FrameRounding, 9)
            dpg.add_theme_style(dpg.mvStyleVar_FramePadding, 9, 2)
        return theme

    def _colours(self, colours: Mapping[str, str]) -> None:
        for target, name in colours.items():
            self._ink(getattr(dpg, f"mvThemeCol_{target}"), name)

    def _ink(self, target: int, name: str, category: int = dpg.mvThemeCat_Core) -> int:
        """Colour something of the theme being made by a name of the palette; return the colour item."""
        item: int = dpg.add_theme_color(target, self._palette[name], category=category)
        self._inks.append((item, name))
        return item


def _spaced(**styles: tuple[float, ...]) -> int:
    theme: int
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        _spaces(styles)
    return theme


def _spaces(styles: Mapping[str, tuple[float, ...]]) -> None:
    for name, values in styles.items():
        dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), *values)
