"""Alerts: a figure that stays outside its limits is told once, until it is over or the user has seen it.

An alert begins when a figure has been outside for `HOLD` looks, ends when it has been inside for `CALM`, and
the same figure alarms again only after ``quality.cooldown``. Each step is an event of the recording, of kind
``quality``: an ``alert`` there tells that a stage has failed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.frame import Event
from roi_core.vitals import METRICS, Vitals

if TYPE_CHECKING:
    from roi_core.frame import Sample
    from roi_core.settings import Quality
    from roi_core.vitals import Chart

__all__ = ["Alarms", "Alert"]

HOLD: Final = {"lost": 1}
"""Looks that a figure must be outside before it alarms; three, where nothing else is said."""
CALM: Final = 10
"""Looks inside after which an alert is over."""
KEPT: Final = 500

News = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Alert:
    """A figure that left its limits ``low .. high`` at ``began`` (s); ``worst`` is its farthest value.

    ``ended`` is None while it lasts; alerts are numbered from 1.
    """

    number: int
    metric: str
    began: float
    worst: float
    low: float
    high: float
    ended: float | None = None

    @property
    def text(self) -> str:
        """The alert as a sentence, with what to do."""
        metric = METRICS[self.metric]
        over = not self.worst < self.low
        way, limit = ("above", self.high) if over else ("below", self.low)
        return f"{self.metric} {_number(self.worst)} {metric.unit}, {way} {_number(limit)}. {metric.advice}"


class Alarms:
    """Follows the figures on the worker; ``alerts`` (newest last) and ``seen`` are read by any thread."""

    def __init__(self) -> None:
        self.vitals = Vitals()
        self.alerts: tuple[Alert, ...] = ()
        self.seen = 0
        """Number of the last alert that the user has acknowledged."""
        self._outside = dict.fromkeys(METRICS, 0)
        self._inside = dict.fromkeys(METRICS, 0)
        self._quiet_until = dict.fromkeys(METRICS, -np.inf)

    @property
    def active(self) -> tuple[Alert, ...]:
        """The alerts that last."""
        return tuple(alert for alert in self.alerts if alert.ended is None)

    @property
    def loud(self) -> tuple[Alert, ...]:
        """The alerts that last and were not acknowledged."""
        return tuple(alert for alert in self.active if alert.number > self.seen)

    def acknowledge(self) -> None:
        """Take every alert so far for seen."""
        self.seen = self.alerts[-1].number if self.alerts else 0

    def step(self, sample: Sample, quality: Quality) -> tuple[Event, ...]:
        """Look at a sample when it is time to; return what there is to tell."""
        if not self.vitals.step(sample, quality):
            return ()
        news = self.judge(self.vitals.chart(), quality)
        return tuple(Event(sample.time, sample.index, kind, data) for kind, data in news)

    def judge(self, chart: Chart, quality: Quality) -> News:
        """Judge the last look of `chart`; return the (kind, data) of events."""
        time = float(chart.times[-1])
        number = self.alerts[-1].number + 1 if self.alerts else 1
        news: News = []
        for k, metric in enumerate(METRICS):
            value, low, high = (float(part[-1, k]) for part in (chart.values, chart.low, chart.high))
            outside = quality.enabled and (value < low or value > high)
            self._outside[metric] = self._outside[metric] + 1 if outside else 0
            self._inside[metric] = 0 if outside else self._inside[metric] + 1
            news += self._judge(Alert(number + len(news), metric, time, value, low, high), quality.cooldown)
        return news

    def _judge(self, now: Alert, cooldown: float) -> News:
        old = next((one for one in self.active if one.metric == now.metric), None)
        if old is None:
            due = now.began >= self._quiet_until[now.metric]
            if due and self._outside[now.metric] >= HOLD.get(now.metric, 3):
                self._quiet_until[now.metric] = now.began + cooldown
                self.alerts = (*self.alerts[1 - KEPT :], now)
                return [("quality", _data(now, "begin"))]
        elif self._inside[now.metric] >= CALM:
            over = replace(old, ended=now.began)
            self._put(old, over)
            return [("quality", _data(over, "end"))]
        elif self._outside[now.metric] and _off(now) > _off(old):
            self._put(old, replace(old, worst=now.worst, low=now.low, high=now.high))
        return []

    def _put(self, old: Alert, new: Alert) -> None:
        self.alerts = tuple(new if one is old else one for one in self.alerts)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _off(alert: Alert) -> float:
    """Return how far outside its limits a value is."""
    return float(np.nanmax([alert.low - alert.worst, alert.worst - alert.high, 0.0]))


def _data(alert: Alert, state: str) -> dict[str, Any]:
    data = {"metric": alert.metric, "state": state, "worst": round(alert.worst, 4), "text": alert.text}
    return data if alert.ended is None else {**data, "seconds": round(alert.ended - alert.began, 3)}
