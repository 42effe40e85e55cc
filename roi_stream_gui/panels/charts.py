"""Small control charts: some figures of a recording with their limits, of the last minutes or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.figures import METRICS
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from roi_core.quality.chart import Chart
    from roi_stream_gui.panels.base import Desk

__all__ = ["FIRST", "GROUPS", "Charts"]

GROUPS: Final = {
    "overview": ("motion", "focus", "bleaching", "brightness", "saturation", "gap"),
    "camera": ("lost", "dropped", "frozen", "step", "dark"),
    "computer": ("disk", "memory", "queue", "lag"),
}
"""Figures that are shown together, at most six; the first are those to be seen at a glance."""
FIRST: Final = next(iter(GROUPS))
SLOTS: Final = 6
NAMES: Final = tuple(METRICS)
POINTS: Final = 300
"""Points of a curve at most."""
FRAMED: Final = (
    "step", "dark", "saturation", "focus", "bleaching", "lost", "dropped", "gap", "frozen", "memory", "queue",
)  # fmt: skip
"""Charts that always show their limits."""
FIGURE: Final = 32
"""Height of the figure above a chart with what is between them, px at 100 %."""
LOW: Final = 30
"""Least height of a chart, px at 100 %: in a pane too low for two rows they scroll."""
GAPS, SCROLLS = 18, 12
"""px at 100 % between and beside three charts, and beside a bar that scrolls them."""


class Plot(NamedTuple):
    """The widgets of one chart."""

    box: int
    title: int
    tip: int
    plot: int
    x: int
    y: int
    line: int
    ink: int
    limits: tuple[int, int]


class Charts:
    """Six places for charts, in two rows; which figures they show is `group`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._names: Sequence[str] = GROUPS[FIRST]
        with dpg.child_window(width=300, height=100, border=False) as self._pane:
            rows = [dpg.add_group(horizontal=True) for _ in range(2)]
            self._plots = [self._plot(rows[k // 3], k) for k in range(SLOTS)]
        self.show(FIRST)

    def show(self, group: str) -> None:
        """Show another group of figures."""
        self._names = GROUPS[group]
        for k, plot in enumerate(self._plots):
            dpg.configure_item(plot.box, show=k < len(self._names))

    def _plot(self, parent: int, k: int) -> Plot:
        desk = self._desk
        with dpg.group(parent=parent) as box:
            title = desk.text("", "dim")
            with dpg.tooltip(title, delay=0.5, hide_on_activity=True):  # a plot takes none
                tip = desk.text("", wrap=340)
            plot = dpg.add_plot(
                width=200, height=60, no_menus=True, no_box_select=True, no_title=True, no_mouse_pos=True,
                no_inputs=True,
            )  # fmt: skip
            bare = {"no_tick_labels": True, "no_tick_marks": True, "no_gridlines": True, "no_highlight": True}
            x = dpg.add_plot_axis(dpg.mvXAxis, parent=plot, **bare)
            y = dpg.add_plot_axis(dpg.mvYAxis, parent=plot, **bare)
            limits = tuple(dpg.add_line_series([0.0], [0.0], parent=y) for _ in range(2))
            line = dpg.add_line_series([0.0], [0.0], parent=y)
        theme, ink = desk.theme.line((255, 255, 255), 1.4)
        dpg.bind_item_theme(line, theme)
        for limit in limits:
            dpg.bind_item_theme(limit, desk.theme.line("idle", 1.0)[0])
        dpg.bind_item_theme(plot, desk.theme.small)
        desk.named(f"quality.chart{k}", plot)
        ends = int(limits[0]), int(limits[1])
        return Plot(int(box), title, tip, int(plot), int(x), int(y), int(line), ink, ends)

    def arrange(self, width: float, height: float) -> None:
        """Give each chart a third of the width, screen px, and half of the height if that can be read."""
        px = self._desk.px
        high = int(height / 2) - px(FIGURE)
        scrolled = px(SCROLLS) if high < px(LOW) else 0
        size = max(int((width - px(GAPS) - scrolled) / 3), px(80)), max(high, px(LOW))
        if (dpg.get_item_width(self._pane), dpg.get_item_height(self._pane)) != (int(width), int(height)):
            dpg.configure_item(self._pane, width=int(width), height=int(height))
        for plot in self._plots:
            if (dpg.get_item_width(plot.plot), dpg.get_item_height(plot.plot)) != size:
                dpg.configure_item(plot.plot, width=size[0], height=size[1])

    def tell(self) -> dict[str, str]:
        """Return what is written above the chart of each figure that is shown, for tests."""
        return {name: dpg.get_value(plot.title) for plot, name in zip(self._plots, self._names, strict=False)}

    def draw(self, chart: Chart, span: float, off: Collection[str]) -> None:
        """Draw the last `span` s; figures that are `off` stand out."""
        for plot, name in zip(self._plots, self._names, strict=False):
            self._draw(plot, name, chart, span, name in off)

    def _draw(self, plot: Plot, name: str, chart: Chart, span: float, off: bool) -> None:
        k, times = NAMES.index(name), chart.times
        first = int(np.searchsorted(times, times[-1] - span))
        step = max(1, (len(times) - first) // POINTS)
        shown = first + telling(chart.values[first:, k], step)
        lines = [column[shown, k] for column in (chart.values, chart.low, chart.high)]
        t = times[shown]
        for item, y in zip((plot.line, *plot.limits), lines, strict=True):
            there = bool(np.isfinite(y).any())
            dpg.configure_item(item, show=there)
            if there:
                dpg.set_value(item, [t, y])
        low, high = _range(lines, 1e9 if name in FRAMED else 4.0)
        dpg.set_axis_limits(plot.x, float(t[0]), max(float(times[-1]), float(t[0]) + 1.0))
        dpg.set_axis_limits(plot.y, low, high)
        self._desk.theme.tint(plot.ink, "bad" if off else "good")
        numbers = (float(column[-1, k]) for column in (chart.values, chart.low, chart.high))
        self._write(plot, name, words.figure(name, METRICS[name].unit, *numbers), "bad" if off else "dim")

    def _write(self, plot: Plot, name: str, texts: Sequence[str], tone: str) -> None:
        """Say the present figure above its chart as fully as there is room for, in full under the mouse."""
        room, metric = dpg.get_item_width(plot.plot), METRICS[name]
        self._desk.say(
            plot.title, next((text for text in texts if self._desk.long(text) <= room), texts[-1]), tone
        )
        self._desk.say(plot.tip, f"{texts[0]}\n{metric.text}. {metric.advice}")


def telling(values: NDArray[np.float64], step: int) -> NDArray[np.intp]:
    """Return one place of every `step` values, the one farthest from the usual, so that none is hidden."""
    if step == 1 or not np.isfinite(values).any():
        return np.arange(0, len(values), step)
    off = np.nan_to_num(np.abs(values - np.nanmedian(values)), nan=-1.0)
    starts = np.arange(0, len(values), step)
    return np.array([start + int(off[start : start + step].argmax()) for start in starts])


def _range(lines: list[NDArray[np.float64]], near: float) -> tuple[float, float]:
    """Return axis limits that show the values, and their limits when they are `near`, in spans."""
    values = lines[0][np.isfinite(lines[0])]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 0.02 * abs(high), 1e-6)
    for limit in lines[1:]:
        known = limit[np.isfinite(limit)]
        shown = known[(known > low - near * span) & (known < high + near * span)]
        if shown.size:
            low, high = min(low, float(shown.min())), max(high, float(shown.max()))
    room = 0.1 * max(high - low, span)
    return low - room, high + room
