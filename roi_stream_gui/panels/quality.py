"""Control charts: whether the picture is as good as it was, and since when it is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.figures import METRICS
from roi_stream_gui import words
from roi_stream_gui.beep import beep
from roi_stream_gui.panels.base import Place, then, value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.quality.alarms import Alarms, Alert
    from roi_core.quality.chart import Chart
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Quality"]

PERIOD: Final = 0.5
"""Seconds between two drawings: as often as there is something new."""
SPANS: Final = {"2 min": 120.0, "10 min": 600.0, "1 h": 3600.0, "all": np.inf}
POINTS: Final = 300
"""Points of a curve at most."""
LIST: Final = 300
"""Width of the list of alerts, px."""
FRAMED: Final = ("saturation", "focus", "bleaching", "lost")
"""Charts that always show their limits."""
SHOWN: Final = 30
"""Alerts listed."""
FIGURE: Final = 17.0


class Plot(NamedTuple):
    """The widgets of one chart."""

    title: int
    plot: int
    x: int
    y: int
    line: int
    ink: int
    limits: tuple[int, int]


class Quality:
    """Six small charts with their limits, and the alerts."""

    title: ClassVar[str] = "Quality"
    place: ClassVar[Place] = Place.BOTTOM
    always: ClassVar[bool] = True
    """An alert sounds, and its tab is marked, also while another tab is open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._plots: dict[str, Plot] = {}
        self._alerts: list[int] = []
        self._span = "2 min"
        self._next = 0.0
        self._heard = 0
        self._alarms: Alarms | None = None

    # -- building -----------------------------------------------------------------------------------------

    def build(self, parent: int) -> None:
        """Make the charts in two rows, the list beside them."""
        self._tab = parent
        with dpg.group(horizontal=True, parent=parent):
            with dpg.group() as self._charts:
                for names in (tuple(METRICS)[:3], tuple(METRICS)[3:]):
                    with dpg.group(horizontal=True):
                        for name in names:
                            self._plots[name] = self._plot(name)
            with dpg.child_window(width=LIST, border=False):
                self._build_controls()
                for _ in range(SHOWN):
                    self._alerts.append(self._desk.text(wrap=LIST - 14, show=False))

    def _build_controls(self) -> None:
        desk = self._desk
        with dpg.group(horizontal=True):
            span = dpg.add_combo(
                list(SPANS), default_value=self._span, width=72, callback=value(self._look_back)
            )
            desk.tip(desk.named("quality.span", span), "quality.span")
            self._seen = dpg.add_button(label="Seen", width=52, callback=then(self._acknowledge))
            desk.tip(desk.named("quality.seen", self._seen), "quality.seen")
            learn = dpg.add_button(label="Learn", width=52, callback=then(self._relearn))
            desk.tip(desk.named("quality.learn", learn), "quality.learn")
            self._sound = dpg.add_checkbox(
                label="Sound", callback=value(lambda on: self._do.edit("display.alert_sound", on))
            )
            desk.tip(desk.named("quality.sound", self._sound), "quality.sound")

    def _plot(self, name: str) -> Plot:
        desk = self._desk
        with dpg.group():
            title = desk.text(name, "dim")
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
        desk.named(f"quality.{name}", plot)
        desk.tip(title, f"{METRICS[name].text}. {METRICS[name].advice}")  # a plot takes no tooltip
        return Plot(title, int(plot), int(x), int(y), int(line), ink, (int(limits[0]), int(limits[1])))

    # -- every drawn frame --------------------------------------------------------------------------------

    def update(self, view: View) -> None:
        """Draw what is new, twice a second."""
        now = time.monotonic()
        self._arrange()
        if view.snapshot is None or now < self._next:
            return
        self._next = now + PERIOD
        alarms = view.snapshot.alarms
        self._hear(alarms, sound=view.settings.display.alert_sound)
        if not self._desk.is_open("quality"):
            return
        if dpg.get_value(self._sound) != view.settings.display.alert_sound:
            dpg.set_value(self._sound, view.settings.display.alert_sound)
        chart = alarms.chart()
        if len(chart.times):
            off = {alert.metric for alert in alarms.active}
            for k, name in enumerate(METRICS):
                self._draw(k, name, chart, name in off)
        self._list(alarms)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        if self._alarms is None:
            return {}
        chart = self._alarms.chart()
        last = chart.values[-1].tolist() if len(chart.times) else []
        known = {name: v for name, v in zip(METRICS, last, strict=False) if v == v}
        return {
            "values": known,
            "active": [alert.metric for alert in self._alarms.active],
            "loud": [alert.metric for alert in self._alarms.loud],
            "title": dpg.get_item_label(self._tab),
        }

    def _hear(self, alarms: Alarms, sound: bool) -> None:
        """Mark the tab while an alert is loud; sound the bell and say it once when one begins."""
        if alarms is not self._alarms:
            self._alarms, self._heard = alarms, 0
        loud = alarms.loud
        label = f"Quality !{len(loud)}" if loud else "Quality"
        if dpg.get_item_label(self._tab) != label:
            dpg.configure_item(self._tab, label=label)
        for alert in alarms.alerts:
            if alert.number > self._heard:
                self._heard = alert.number
                self._do.warn(alert.text)
                if sound:
                    beep()

    def _arrange(self) -> None:
        """Give each chart a third of the width that is left and half of the height."""
        width, height = dpg.get_item_rect_size(self._desk.names.get("pane.bottom", self._tab))
        size = (max(int((width - LIST - 40) / 3), 80), max(int((height - 44) / 2 - FIGURE - 12), 24))
        for plot in self._plots.values():
            if dpg.get_item_width(plot.plot) != size[0] or dpg.get_item_height(plot.plot) != size[1]:
                dpg.configure_item(plot.plot, width=size[0], height=size[1])

    def _draw(self, k: int, name: str, chart: Chart, off: bool) -> None:
        plot, times = self._plots[name], chart.times
        first = int(np.searchsorted(times, times[-1] - SPANS[self._span]))
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
        self._desk.say(plot.title, _figure(name, float(chart.values[-1, k])), "bad" if off else "dim")

    def _list(self, alarms: Alarms) -> None:
        newest = alarms.alerts[::-1][:SHOWN]
        for item, alert in zip(self._alerts, newest, strict=False):
            self._desk.say(item, _line(alert), _tone(alert, alarms.seen))
            dpg.configure_item(item, show=True)
        for item in self._alerts[len(newest) :]:
            dpg.configure_item(item, show=False)
        if not newest:
            self._desk.say(self._alerts[0], words.NO_ALERTS, "dim")
            dpg.configure_item(self._alerts[0], show=True)
        dpg.configure_item(self._seen, enabled=bool(alarms.loud))

    # -- what the user does -------------------------------------------------------------------------------

    def _look_back(self, span: str) -> None:
        self._span, self._next = span, 0.0

    def _acknowledge(self) -> None:
        if self._do.session is not None:
            self._do.session.acknowledge()
            self._next = 0.0

    def _relearn(self) -> None:
        if self._do.session is not None:
            self._do.session.relearn()


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


def _figure(name: str, number: float) -> str:
    if number != number:
        return f"{name}  -"
    return (
        f"{name}  {number:,.0f} {METRICS[name].unit}"
        if abs(number) >= 100
        else f"{name}  {number:.2f} {METRICS[name].unit}"
    )


def _line(alert: Alert) -> str:
    until = "" if alert.ended is None else f" - {words.clock(alert.ended)}"
    return f"{words.clock(alert.began)}{until}  {alert.text}"


def _tone(alert: Alert, seen: int) -> str:
    if alert.ended is not None:
        return "dim"
    return "warn" if alert.number <= seen else "bad"
