"""Control charts: whether the picture is as good as it was, and since when it is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.figures import METRICS
from roi_stream_gui import words
from roi_stream_gui.beep import beep
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.panels.charts import FIRST, GROUPS, Charts
from roi_stream_gui.rulebook import refusal, strangers

if TYPE_CHECKING:
    from roi_core.quality.alarms import Alarms, Alert
    from roi_core.rois import RoiSet
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Quality"]

PERIOD: Final = 0.5
"""Seconds between two drawings: as often as there is something new."""
SPANS: Final = {"2 min": 120.0, "10 min": 600.0, "1 h": 3600.0, "all": np.inf}
LIST: Final = 300
"""Width of the list of alerts, px at 100 %."""
BESIDE, ABOVE = 32, 46
"""What the charts leave free of the pane's width and height beside the list, px at 100 %."""
SHOWN: Final = 30
"""Alerts listed."""


class Quality:
    """Six small charts with their limits, the alerts, and the rules that make them."""

    title: ClassVar[str] = "Quality"
    place: ClassVar[Place] = Place.BOTTOM
    always: ClassVar[bool] = True
    """An alert sounds, and its tab is marked, also while another tab is open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._alerts: list[int] = []
        self._span = "2 min"
        self._next = 0.0
        self._heard = 0
        self._alarms: Alarms | None = None
        self._in_force = ""
        """The rules as they were last shown."""
        self._refused = ""
        """Why the text in the field is no rules."""

    # -- building -----------------------------------------------------------------------------------------

    def build(self, parent: int) -> None:
        """Make the charts in two rows, the list beside them."""
        self._tab = parent
        with dpg.group(horizontal=True, parent=parent):
            self._charts = Charts(self._desk)
            with dpg.child_window(width=LIST, border=False):
                self._build_controls()
                self._build_rules()
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

    def _build_rules(self) -> None:
        desk = self._desk
        with dpg.group(horizontal=True):
            group = dpg.add_combo(
                list(GROUPS), default_value=FIRST, width=96, callback=value(self._charts.show)
            )
            desk.tip(desk.named("quality.group", group), "quality.group")
            self._rules = dpg.add_input_text(width=-1, hint=words.RULES_HINT)
            desk.tip(desk.named("quality.rules", self._rules), "quality.rules")
            desk.after_edit(self._rules, self._edit_rules)
        self._refusal = desk.text("", "bad", wrap=LIST - 14, show=False)

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
            self._charts.draw(chart, SPANS[self._span], alarms.off)
        self._list(alarms)
        self._show_rules(view.settings.quality.rules, view.snapshot.rois)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        if self._alarms is None:
            return {}
        chart = self._alarms.chart()
        last = chart.values[-1].tolist() if len(chart.times) else []
        known = {name: v for name, v in zip(METRICS, last, strict=False) if v == v}
        return {
            "values": known,
            "charts": self._charts.tell(),
            "active": [alert.metric for alert in self._alarms.active],
            "loud": [alert.metric for alert in self._alarms.loud],
            "title": dpg.get_item_label(self._tab),
            "rules": dpg.get_value(self._rules),
            "refusal": dpg.get_value(self._refusal),
        }

    def _hear(self, alarms: Alarms, sound: bool) -> None:
        """Mark the tab while an alert is loud; sound the bell when one begins; the log has said it."""
        if alarms is not self._alarms:
            self._alarms, self._heard = alarms, 0
        loud = alarms.loud
        label = f"Quality !{len(loud)}" if loud else "Quality"
        if dpg.get_item_label(self._tab) != label:
            dpg.configure_item(self._tab, label=label)
        for alert in alarms.alerts:
            if alert.number > self._heard:
                self._heard = alert.number
                if sound:
                    beep()

    def _arrange(self) -> None:
        """Give the charts what the list leaves."""
        width, height = dpg.get_item_rect_size(self._desk.names.get("pane.bottom", self._tab))
        self._charts.arrange(width - self._desk.px(LIST + BESIDE), height - self._desk.px(ABOVE))

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

    def _show_rules(self, rules: str, rois: RoiSet) -> None:
        """Show the rules in force, but for a text that was refused and is being mended."""
        if rules != self._in_force and not dpg.is_item_active(self._rules):
            self._in_force, self._refused = rules, ""
            dpg.set_value(self._rules, rules)
        problem = self._refused or strangers(rules, rois)
        self._desk.say(self._refusal, problem, "bad" if self._refused else "warn")
        dpg.configure_item(self._refusal, show=bool(problem))

    # -- what the user does -------------------------------------------------------------------------------

    def _edit_rules(self) -> None:
        """Put the rules into force; what is refused stays in its field, with the reason below."""
        text = dpg.get_value(self._rules)
        self._refused = refusal(text)
        self._next = 0.0
        if not self._refused:
            self._do.edit("quality.rules", text)

    def _look_back(self, span: str) -> None:
        self._span, self._next = span, 0.0

    def _acknowledge(self) -> None:
        if self._do.session is not None:
            self._do.session.acknowledge()
            self._next = 0.0

    def _relearn(self) -> None:
        if self._do.session is not None:
            self._do.session.relearn()


def _line(alert: Alert) -> str:
    until = "" if alert.ended is None else f" - {words.clock(alert.ended)}"
    return f"{words.clock(alert.began)}{until}  {alert.text}"


def _tone(alert: Alert, seen: int) -> str:
    if alert.ended is not None:
        return "dim"
    return "warn" if alert.number <= seen else "bad"
