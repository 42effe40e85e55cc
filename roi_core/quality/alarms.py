"""Alerts: a figure or region that breaks a rule is told once, until it is over or the user has seen it.

An alert begins when a rule has been broken for as long as it says, and not while it cools down. It stands for
its cause: what else goes wrong meanwhile for the same reason joins it and is not told again (see `figures`),
and regions that go off at one moment are one alert. A farther limit of the same kind that is passed later is
told, too: it has become worse than whoever acknowledged the first one knew.

An alert ends when all of it has been well for `CALM` looks. Each step is an event of the recording, of kind
``quality``: an ``alert`` there tells that a stage has failed. Its beginning is a warning in the log, too, for
terminal and window.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.figures import METRICS, metric_of
from roi_core.frame import Event
from roi_core.quality.chart import Log
from roi_core.quality.control import Control
from roi_core.quality.missed import Missed
from roi_core.quality.vitals import Vitals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Sample
    from roi_core.quality.chart import Chart
    from roi_core.quality.control import Pair, Verdict
    from roi_core.quality.vitals import Around, Look
    from roi_core.rois import RoiSet
    from roi_core.rules import Rule
    from roi_core.settings import Quality

__all__ = ["Alarms", "Alert"]

log = logging.getLogger(__name__)

KEPT: Final = 500
NAMED: Final = 3
"""Regions that an alert names; it counts the others."""
RANK: Final = {name: k for k, name in enumerate(METRICS)}

News = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule broken from ``began`` (s) on; ``worst`` is the farthest value from its limits ``low .. high``.

    ``rois`` are the names of the regions it is about, the farthest off first. ``ended`` is None while it
    lasts; alerts are numbered from 1.
    """

    number: int
    rule: Rule
    began: float
    worst: float
    low: float
    high: float
    rois: tuple[str, ...] = ()
    ended: float | None = None

    @property
    def metric(self) -> str:
        """The figure it is about, or ``roi``."""
        return self.rule.metric

    @property
    def text(self) -> str:
        """The alert as a sentence, with what to do."""
        metric, rate = metric_of(self.metric), self.rule.kind == "rate"
        over = not self.worst < self.low
        way, limit = ("at most", self.high) if over else ("at least", self.low)
        unit = f"{metric.unit} a minute" if rate else metric.unit
        what = f"{self._who()} {'changes by ' if rate else ''}{_number(self.worst)} {unit}"
        rule = (
            "" if self.rule.kind == "absolute" else f" ({self.rule.short})"
        )  # which is no more than the limit
        return f"{what}, should be {way} {_number(limit)}{rule}. {metric.advice}"

    def _who(self) -> str:
        if not self.rois:
            return self.metric
        more = len(self.rois) - NAMED
        return ", ".join(self.rois[:NAMED]) + (f" and {more} more" if more > 0 else "")

    def data(self, state: str) -> dict[str, Any]:
        """Return the fields of the event that tells of it: ``begin`` or ``end``."""
        told = {"metric": self.metric, "state": state, "rule": str(self.rule), "worst": round(self.worst, 4)}
        told |= {"rois": list(self.rois)} if self.rois else {}
        told |= {"text": self.text}
        return told if self.ended is None else {**told, "seconds": round(self.ended - self.began, 3)}


class Alarms:
    """Follows a recording on the worker; ``alerts`` (newest last) and ``seen`` are read by any thread.

    ``full`` is the largest value of a pixel, 0 when the source does not know it.
    """

    def __init__(self, full: int = 0) -> None:
        self.full = full
        self.alerts: tuple[Alert, ...] = ()
        self.seen = 0
        """Number of the last alert that the user has acknowledged."""
        self.off: frozenset[str] = frozenset()
        """Figures that are not well now, whether an alert is about them or about their cause."""
        self._vitals, self._control, self._log = Vitals(full), Control(), Log()
        self._quality: Quality | None = None
        self._rois: RoiSet | None = None
        self._names: dict[int, str] = {}
        self._missed = Missed()
        self._forget = self._failed = False

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

    def relearn(self) -> None:
        """Take what comes now for the reference of every figure and region; from any thread."""
        self._forget = True

    def chart(self) -> Chart:
        """Return what has been seen so far; from any thread."""
        return self._log.chart()

    def follow(self, sample: Sample, quality: Quality, around: Around) -> Sample:
        """Return a sample with what there is to tell; a failure here must not cost a frame.

        After one nothing is followed any more.
        """
        if self._failed:
            return sample
        try:
            alerts = self.step(sample, quality, around)
        except Exception as error:
            self._failed = True
            log.exception("the quality of the picture is not followed any more: %s", error)
            return sample
        return replace(sample, events=(*sample.events, *alerts)) if alerts else sample

    def step(self, sample: Sample, quality: Quality, around: Around = dict) -> tuple[Event, ...]:
        """Look at a sample when it is time to; return what there is to tell.

        ``around`` returns the figures that the sample does not hold.
        """
        if self._forget:
            self._forget = False
            self._vitals.relearn()
            self._control.relearn()
        look = self._vitals.step(sample, around)
        if look is None:
            return ()
        if quality is not self._quality or sample.rois is not self._rois:
            self._adopt(quality, sample)
        verdict = self._control.judge(look)
        self._log.add(look.time, look.values, *self._control.of_figures(verdict))
        news = [*self._end(look, verdict), *self._begin(look, verdict)]
        self.off = self._control.metrics((self._control.covered > 0) & ~verdict.calm)
        return tuple(Event(sample.time, sample.index, "quality", data) for data in news)

    def _adopt(self, quality: Quality, sample: Sample) -> None:
        self._quality, self._rois = quality, sample.rois
        self._names = {roi.id: roi.name for roi in sample.rois}
        rules = quality.table() if quality.enabled else ()
        self._control.follow(rules, sample.ids, sample.rois)
        self._missed.follow(rules, sample.rois)

    # -- what begins --------------------------------------------------------------------------------------

    def _begin(self, look: Look, verdict: Verdict) -> list[dict[str, Any]]:
        """Let what is held outside join the alert of its cause, or begin one."""
        control, news = self._control, []
        due = np.flatnonzero(verdict.held & (control.covered == 0) & (control.quiet <= look.time))
        off = verdict.off()
        # of two limits of one figure that are passed at once, the farther is told
        for k in sorted(due.tolist(), key=lambda k: (self._rank(k), off[k])):
            pair = control.pairs[k]
            alert = self._cause(pair, look.time)
            if alert is None:
                alert = self._alert(pair.rule, due, look.time, verdict)
                self.alerts = (*self.alerts[1 - KEPT :], alert)
                news.append(alert.data("begin"))
                log.warning("%s", alert.text, extra={"told": True})
            control.covered[k] = alert.number
            control.quiet[k] = look.time + pair.rule.cooldown
        return news

    def _rank(self, k: int) -> int:
        return RANK.get(self._control.pairs[k].rule.metric, len(RANK))

    def _cause(self, pair: Pair, time: float) -> Alert | None:
        """Return the alert that already tells why this pair is off."""
        causes = metric_of(pair.rule.metric).causes
        for alert in self.active:
            worse = alert.began < time and _farther(pair.rule, alert.rule)
            if worse or metric_of(alert.metric).causes[0] not in causes:
                continue
            # another region is another cause, unless both went off at this moment
            together = alert.rule == pair.rule and alert.began == time
            if alert.metric != "roi" or together or self._tells_of(alert, pair):
                return alert
        return None

    def _tells_of(self, alert: Alert, pair: Pair) -> bool:
        """Tell whether an alert is about the region of a pair, by another rule."""
        mine = np.flatnonzero(self._control.covered == alert.number)
        return any(self._control.pairs[k].subject == pair.subject for k in mine)

    def _alert(self, rule: Rule, due: NDArray[np.intp], time: float, verdict: Verdict) -> Alert:
        """Return a new alert about all that are due by this rule."""
        number = self.alerts[-1].number + 1 if self.alerts else 1
        same = due[self._control.by(rule)[due]]
        farthest = same[np.argsort(-verdict.off()[same], kind="stable")]
        subjects = (self._control.pairs[k].subject for k in farthest)
        rois = tuple(self._names[subject[0]] for subject in subjects if isinstance(subject, tuple))
        return Alert(number, rule, time, *verdict.at(farthest[0]), rois)

    # -- what goes on, and ends ---------------------------------------------------------------------------

    def _end(self, look: Look, verdict: Verdict) -> list[dict[str, Any]]:
        """End the alerts all of whose pairs are calm, or gone; note how bad the others became."""
        covered, news = self._control.covered, []
        for alert in self.active:
            mine = covered == alert.number
            if verdict.calm[mine].all():
                now = replace(alert, ended=look.time)
                news.append(now.data("end"))
                covered[mine] = 0
            else:
                now = _worse(alert, np.flatnonzero(mine & self._control.by(alert.rule)), verdict)
            if now is not alert:
                self.alerts = tuple(now if one is alert else one for one in self.alerts)
        return news


def _farther(rule: Rule, other: Rule) -> bool:
    """Tell whether a rule asks the same as another one, with a limit farther out."""
    same = (rule.metric, rule.kind) == (other.metric, other.kind)
    return same and (rule.low < other.low or rule.high > other.high)


def _worse(alert: Alert, own: NDArray[np.intp], verdict: Verdict) -> Alert:
    """Return the alert with the worst value of its pairs `own`, if that is worse than before."""
    if not len(own):
        return alert
    off = verdict.off()[own]
    if off.max() <= max(alert.low - alert.worst, alert.worst - alert.high, 0.0):
        return alert
    worst, low, high = verdict.at(own[off.argmax()])
    return replace(alert, worst=worst, low=low, high=high)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
