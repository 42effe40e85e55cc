"""Colours, fonts and spacing: one dark theme, chosen so that the picture is the brightest thing on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui.shipped import asset

if TYPE_CHECKING:
    from collections.abc import Mapping

    Colour = tuple[int, int, int]
    Painted = tuple[int, ...]

__all__ = [
    "ACCENT", "AMBER", "BAR", "CELL", "CHOSEN", "DIM", "GREEN", "NEW", "RED", "REJECTED", "TEXT", "Theme",
]  # fmt: skip

BACK: Colour = (16, 18, 22)
PANE: Colour = (24, 27, 32)
FRAME: Colour = (40, 45, 53)
HOVER: Colour = (54, 61, 72)
PRESS: Colour = (70, 80, 95)
LINE: Colour = (48, 54, 63)
TEXT: Colour = (224, 228, 234)
DIM: Colour = (144, 152, 164)
ACCENT: Colour = (46, 134, 222)
GREEN: Colour = (64, 186, 116)
AMBER: Colour = (240, 170, 48)
RED: Colour = (232, 76, 76)
BAR: Colour = (30, 34, 40)
CELL: Colour = (38, 214, 160)
NEW: Colour = (120, 224, 255)
REJECTED: Colour = (206, 92, 92)
CHOSEN: Colour = (255, 232, 120)

FONT_SIZE = 15

COLOURS: Mapping[str, Painted] = {
    "WindowBg": BACK, "ChildBg": PANE, "PopupBg": (30, 34, 40), "ModalWindowDimBg": (8, 9, 11, 140),
    "Border": LINE, "FrameBg": FRAME, "FrameBgHovered": HOVER, "FrameBgActive": PRESS,
    "TitleBg": PANE, "TitleBgActive": FRAME, "ScrollbarBg": PANE, "ScrollbarGrab": HOVER,
    "ScrollbarGrabHovered": PRESS, "ScrollbarGrabActive": ACCENT, "CheckMark": (110, 184, 255),
    "SliderGrab": ACCENT, "SliderGrabActive": ACCENT, "Button": FRAME, "ButtonHovered": HOVER,
    "ButtonActive": PRESS, "Header": (34, 62, 92), "HeaderHovered": HOVER, "HeaderActive": PRESS,
    "Separator": LINE, "Tab": PANE, "TabHovered": HOVER, "TabActive": FRAME, "TabUnfocused": PANE,
    "TabUnfocusedActive": FRAME, "TableHeaderBg": BAR, "TableBorderStrong": LINE,
    "TableBorderLight": LINE, "TableRowBg": PANE, "TableRowBgAlt": (28, 31, 37), "Text": TEXT,
    "TextDisabled": DIM, "TextSelectedBg": (36, 84, 140), "NavHighlight": ACCENT,
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

    def __init__(self) -> None:
        self.base = self._base()
        self.plain = _variant(dpg.mvButton, {})
        self.primary = _button(ACCENT, (72, 152, 236))
        self.danger = _button((190, 44, 48), (214, 62, 66))
        self.tool = _button((36, 88, 148), (46, 104, 170))
        self.swatch = _spaced()
        self.chips = {
            "good": _chip(GREEN), "warn": _chip(AMBER), "bad": _chip(RED), "idle": _chip(DIM),
        }  # fmt: skip
        self.splitter = _button((23, 26, 31), ACCENT)
        self.flush = _spaced(WindowPadding=(0, 0))
        self.tight = _spaced(ItemSpacing=(4, 1), WindowPadding=(6, 4))
        self.picture = self._plot((8, 9, 11))
        self.traces = self._plot((19, 21, 25))

    def load_font(self) -> None:
        """Use the font that is shipped; without it the built-in one is used."""
        path = asset("DejaVuSans.ttf")
        if path is not None:
            with dpg.font_registry():
                font = dpg.add_font(str(path), FONT_SIZE)
            dpg.bind_font(font)

    def line(self, colour: Colour, weight: float = 1.3) -> tuple[int, int]:
        """Return (theme, colour item) of a trace; set the colour item's value to recolour the trace."""
        with dpg.theme() as theme, dpg.theme_component(dpg.mvLineSeries):
            item = dpg.add_theme_color(dpg.mvPlotCol_Line, colour, category=dpg.mvThemeCat_Plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_LineWeight, weight, category=dpg.mvThemeCat_Plots)
        return theme, item

    def _base(self) -> int:
        theme: int
        with dpg.theme() as theme:
            with dpg.theme_component(dpg.mvAll):
                _colours(COLOURS)
                _spaces(SPACING)
            # A widget that is switched off looks so; Dear PyGui draws it like the others.
            for kind in (dpg.mvButton, dpg.mvInputText, dpg.mvInputDouble, dpg.mvInputInt, dpg.mvCombo):
                with dpg.theme_component(kind, enabled_state=False):
                    _colours({"Text": (104, 110, 120), "FrameBg": (30, 33, 38), "Button": (31, 34, 40),
                              "ButtonHovered": (31, 34, 40), "ButtonActive": (31, 34, 40)})  # fmt: skip
            with dpg.theme_component(dpg.mvCollapsingHeader):
                _colours({"Header": (34, 39, 46)})
            with dpg.theme_component(dpg.mvCheckbox, enabled_state=False):
                _colours({"Text": (104, 110, 120), "FrameBg": (30, 33, 38), "CheckMark": DIM})
        return theme

    def _plot(self, back: Colour) -> int:
        theme: int
        with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
            for name, colour in (("PlotBg", back), ("FrameBg", back), ("PlotBorder", LINE)):
                target = getattr(dpg, f"mvPlotCol_{name}")
                dpg.add_theme_color(target, colour, category=dpg.mvThemeCat_Plots)
            dpg.add_theme_color(dpg.mvPlotCol_AxisText, DIM, category=dpg.mvThemeCat_Plots)
            dpg.add_theme_color(dpg.mvPlotCol_AxisGrid, (58, 64, 74, 110), category=dpg.mvThemeCat_Plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotBorderSize, 0, category=dpg.mvThemeCat_Plots)
            pad = (0, 0) if back == (8, 9, 11) else (16, 4)
            dpg.add_theme_style(dpg.mvPlotStyleVar_PlotPadding, *pad, category=dpg.mvThemeCat_Plots)
            dpg.add_theme_style(dpg.mvPlotStyleVar_LabelPadding, 4, 2, category=dpg.mvThemeCat_Plots)
        return theme


def _variant(kind: int, colours: Mapping[str, Painted]) -> int:
    theme: int
    with dpg.theme() as theme, dpg.theme_component(kind):
        _colours(colours)
    return theme


def _button(colour: Colour, hovered: Colour) -> int:
    names = {"Button": colour, "ButtonHovered": hovered, "ButtonActive": hovered}
    return _variant(dpg.mvButton, names)


def _chip(colour: Colour) -> int:
    dark: Colour = (PANE[0] + colour[0] // 8, PANE[1] + colour[1] // 8, PANE[2] + colour[2] // 8)
    theme: int
    with dpg.theme() as theme, dpg.theme_component(dpg.mvButton):
        _colours({"Button": dark, "ButtonHovered": dark, "ButtonActive": dark, "Text": colour})
        dpg.add_theme_style(dpg.mvStyleVar_FrameRounding, 9)
        dpg.add_theme_style(dpg.mvStyleVar_FramePadding, 9, 2)
    return theme


def _spaced(**styles: tuple[float, ...]) -> int:
    theme: int
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        _spaces(styles)
    return theme


def _colours(colours: Mapping[str, Painted]) -> None:
    for name, colour in colours.items():
        dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{name}"), colour)


def _spaces(styles: Mapping[str, tuple[float, ...]]) -> None:
    for name, values in styles.items():
        dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), *values)
