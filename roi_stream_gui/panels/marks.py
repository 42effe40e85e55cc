"""Marks in a plot: upright lines, small labels in a line above what is drawn, their words under the mouse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui.markers import GROUPS, labelled
from roi_stream_gui.panels.lanes import put
from roi_stream_gui.tracks import ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_stream_gui.markers import Cluster, Markers
    from roi_stream_gui.panels.base import Desk

__all__ = ["CLOSE", "LINE", "TICKS", "Marks", "Tip"]

LABELS: Final = 32
LETTER: Final = 7.4
"""px of a letter at 100 %, about."""
CLOSE: Final = 5.0
"""Screen px within which marks are one, and the mouse finds one."""
AHEAD: Final = 0.1
"""Part of the window by which marks are looked up beyond it, so that it is not done for every frame."""
PERIOD: Final = 0.2
"""Seconds between two looks at marks that keep coming."""
LINE: Final = 18
"""px at 100 % of the line of labels, above all that is drawn."""
TICKS: Final = 4
"""px at 100 % of marks that have no label, below all that is drawn ..."""
SHORT: Final = 0.08
"""... and part of the height of a plot that has no room there."""
BACK: Final = (20, 23, 28, 210)


class Tip:
    """A few lines of text beside the mouse."""

    def __init__(self, desk: Desk, name: str) -> None:
        with dpg.window(
            show=False, no_title_bar=True, no_move=True, no_resize=True, autosize=True, no_scrollbar=True,
            no_focus_on_appearing=True, no_saved_settings=True, min_size=(20, 20),
        ) as self._window:  # fmt: skip
            self._text = dpg.add_text("", wrap=420)
        self.said = ""
        desk.named(name, self._window)

    def say(self, text: str) -> None:
        """Show a text at the mouse, or nothing."""
        if text != self.said:
            self.said = text
            dpg.configure_item(self._window, show=bool(text))
            dpg.set_value(self._text, text)
        if text:
            x, y = dpg.get_mouse_pos(local=False)
            width, height = dpg.get_item_rect_size(self._window)
            x = min(x + 16, max(dpg.get_viewport_client_width() - width - 8, 0))
            dpg.configure_item(
                self._window, pos=(int(x), int(y - height - 12 if y > height + 40 else y + 16))
            )


class Marks:
    """One series for each group of marks and a pool of labels, made once."""

    def __init__(self, desk: Desk, plot: int, axis: int, labels: bool = True) -> None:
        self._desk = desk
        self._series: dict[str, int] = {}
        for name, group in GROUPS.items():
            item = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
            dpg.bind_item_theme(item, desk.theme.line(group.ink, 1.2)[0])
            self._series[name] = int(item)
        self._labels = [
            dpg.add_plot_annotation(
                label=" ", default_value=(0.0, 0.0), offset=(3, 1), color=BACK, clamped=False,
                parent=plot, show=False,
            )
            for _ in range(LABELS if labels else 0)
        ]  # fmt: skip
        self._key: tuple[float, ...] = ()
        self._next = 0.0
        self._top = 1.0
        self.clusters: list[Cluster] = []

    def show(
        self,
        marks: Markers,
        start: float,
        end: float,
        pixels: float,
        ends: tuple[float, float] = (0.0, 1.0),
        named: bool = False,
    ) -> None:
        """Draw the marks between two moments of a plot so many px wide, as high as its axis goes (`ends`).

        There is room for a line of labels when they are to be `named`.
        """
        low, top = ends
        window = end - start
        page = np.floor(start / (AHEAD * window))
        key = (float(marks.turn), float(page), window, pixels, *ends, float(named))
        now = time.monotonic()
        if key == self._key or (now < self._next and key[1:] == self._key[1:]):
            return
        self._key, self._next, self._top = key, now + PERIOD, top
        first = float(page) * AHEAD * window
        closer = CLOSE * window / max(pixels, 1.0)
        self.clusters = marks.between(first, first + (1 + 2 * AHEAD) * window, closer)
        for name, series in self._series.items():
            times = np.array([cluster.time for cluster in self.clusters if cluster.group == name])
            tall = top - low if GROUPS[name].label else -low or SHORT * top
            put(series, [ticks(times, np.ones(len(times)), low, tall)] if times.size else [])
        letter = self._desk.px(LETTER) * window / max(pixels, 1.0)
        self._write(labelled(self.clusters, letter)[:LABELS] if named else [], top)

    def _write(self, labels: Sequence[tuple[Cluster, str]], top: float) -> None:
        """Write these labels into the line above all that is drawn."""
        for item, (cluster, text) in zip(self._labels, labels, strict=False):
            dpg.configure_item(item, label=text, show=True)
            dpg.set_value(item, (cluster.time, top))
        for item in self._labels[len(labels) :]:
            if dpg.is_item_shown(item):
                dpg.configure_item(item, show=False)

    def tell(self) -> list[list[object]]:
        """Return the labels that are written, and the heights (y) where they hang, for tests."""
        shown = [item for item in self._labels if dpg.is_item_shown(item)]
        return [[dpg.get_item_label(item), dpg.get_value(item)[1]] for item in shown]

    def at(self, moment: float, closer: float, y: float = 0.0) -> str:
        """Return what the marks within `closer` s of a moment tell, the short ones only low in the plot."""
        low = y <= 2 * SHORT * self._top
        near = [
            cluster
            for cluster in self.clusters
            if abs(cluster.time - moment) <= closer and (low or GROUPS[cluster.group].label)
        ]
        return "\n".join(cluster.text for cluster in near[:3])
