"""Rules applied to figures and regions: limits, what is outside, for how long.

A rule and one of the figures it is about are a *pair*; a rule for every region makes as many pairs. All
state is kept in rows of pairs, so that hundreds of regions cost what one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_core.figures import METRICS, metric_of
from roi_core.quality.minute import Minute
from roi_core.quality.vitals import LEARN, PERIOD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_core.quality.vitals import Look
    from roi_core.rois import RoiSet
    from roi_core.rules import Rule

__all__ = ["CALM", "Control", "Pair", "Verdict"]

CALM: Final = 10
"""Looks inside after which it is over."""
SLOW: Final = 1 / 60
"""Weight of one look in the running centre of a k-sigma rule: it follows in half a minute."""
QUICK: Final = 0.2
"""The same while it is learned."""
SMALL: Final = 0.002
"""Least deviation that is believed, of the figure."""
NAMES: Final = tuple(METRICS)
LOOKS, START, CENTRE, SPREAD, OUTSIDE, INSIDE, COVERED, QUIET = range(8)
"""Rows of the state: known looks, mean of the first, running centre and deviation, looks outside and inside,
number of the alert that stands for it (0: none), and the time (s) until which it is not told of again."""


class Pair(NamedTuple):
    """A rule, and whom it is about: a name of `METRICS`, or the id and version of a region."""

    rule: Rule
    subject: str | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One look, judged: each (P,) in the order of the pairs.

    ``values`` are what is compared with ``low`` and ``high``: the figure, or its slope for a rule of rate.
    """

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    held: NDArray[np.bool_]
    """Outside for as long as the rule asks."""
    calm: NDArray[np.bool_]
    """Inside for long enough to be over."""

    def at(self, k: int) -> tuple[float, float, float]:
        """Return value, low and high of a pair."""
        return float(self.values[k]), float(self.low[k]), float(self.high[k])

    def off(self) -> NDArray[np.float64]:
        """Return how far outside its limits each is; 0 inside, and where nothing is known."""
        farthest: NDArray[np.float64] = np.fmax(np.fmax(self.low - self.values, self.values - self.high), 0.0)
        return farthest


class Control:
    """Judges looks by rules; `follow` says which rules and regions there are."""

    def __init__(self) -> None:
        self.pairs: tuple[Pair, ...] = ()
        self.place: dict[Pair, int] = {}
        self._rules: dict[Rule, int] = {}
        self._rule_of = np.zeros(0, np.intp)
        self._state = np.zeros((8, 0))
        self._minute = Minute(0)
        self._columns = np.zeros(0, np.intp)
        self._limits = np.zeros((2, 0))
        self._hold = np.zeros(0)
        self._grain = np.zeros(0)
        self._relative = self._rate = self._sigma = np.zeros(0, np.intp)

    def follow(self, rules: Sequence[Rule], ids: Sequence[int], rois: RoiSet) -> None:
        """Judge by these rules, the columns of regions being `ids`; what is known of a pair is kept.

        A region whose outline was changed is a new one.
        """
        columns = dict(_pairs(rules, ids, rois))
        self.pairs, before = tuple(columns), self.place
        self.place = {pair: k for k, pair in enumerate(self.pairs)}
        own = [pair.rule for pair in self.pairs]
        self._rules = {rule: k for k, rule in enumerate(dict.fromkeys(own))}
        self._rule_of = np.array([self._rules[rule] for rule in own], np.intp)
        self._columns = np.array([*columns.values()], np.intp)
        self._limits = np.array([(rule.low, rule.high) for rule in own]).reshape(-1, 2).T
        self._hold = np.array([max(1, round(rule.hold / PERIOD)) for rule in own])
        self._grain = np.array([metric_of(rule.metric).grain for rule in own])
        kinds = np.array([rule.kind for rule in own], dtype=object)
        self._relative, self._rate, self._sigma = (
            np.flatnonzero(kinds == kind) for kind in ("relative", "rate", "sigma")
        )
        self._keep(before)

    def _keep(self, before: dict[Pair, int]) -> None:
        """Carry over what is known of the pairs that were there before."""
        stay = [pair for pair in self.pairs if pair in before]
        to = np.array([self.place[pair] for pair in stay], np.intp)
        of = np.array([before[pair] for pair in stay], np.intp)
        state = np.zeros((8, len(self.pairs)))
        state[QUIET] = -np.inf
        state[:, to] = self._state[:, of]
        self._state, self._minute = state, self._minute.taken_over(len(self.pairs), to, of)

    @property
    def covered(self) -> NDArray[np.float64]:
        """Number of the alert that stands for each pair, 0 for none; may be written."""
        row: NDArray[np.float64] = self._state[COVERED]
        return row

    @property
    def quiet(self) -> NDArray[np.float64]:
        """Time until which a pair is not told of again, s; may be written."""
        row: NDArray[np.float64] = self._state[QUIET]
        return row

    def by(self, rule: Rule) -> NDArray[np.bool_]:
        """Return which pairs are of a rule."""
        mine: NDArray[np.bool_] = self._rule_of == self._rules.get(rule, -1)
        return mine

    def metrics(self, pairs: NDArray[np.bool_]) -> frozenset[str]:
        """Return what some pairs (P,) are about: names of `METRICS`, or ``roi``."""
        rules = tuple(self._rules)
        return frozenset(rules[k].metric for k in np.unique(self._rule_of[pairs]))

    def relearn(self) -> None:
        """Take what comes now for the reference of relative and k-sigma rules, and of slopes."""
        self._state[[LOOKS, START, CENTRE, SPREAD]] = 0.0
        self._minute = Minute(len(self.pairs))

    def judge(self, look: Look) -> Verdict:
        """Judge a look."""
        values = np.concatenate([look.values, look.means])[self._columns]
        low, high = self._limits.copy()
        learned = self._state[LOOKS] >= LEARN
        with np.errstate(invalid="ignore"):  # nothing is inside or outside what is not known
            self._relate(values, learned, low, high)
            self._control(values, learned, low, high)
            self._state[LOOKS] += np.isfinite(values)
            if len(self._rate):
                self._minute.add(look.time, values)
                values[self._rate] = self._minute.slope()[self._rate]
            outside = (values < low) | (values > high)
        out, inside = self._state[OUTSIDE], self._state[INSIDE]
        out[:] = np.where(outside, out + 1, 0)
        inside[:] = np.where(outside, 0, inside + 1)
        return Verdict(values, low, high, out >= self._hold, inside >= CALM)

    def of_figures(self, verdict: Verdict) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the narrowest limits of each of `METRICS`, (15,) each; NaN where there is none."""
        low, high = np.full(len(NAMES), np.nan), np.full(len(NAMES), np.nan)
        ours = self._columns < len(NAMES)
        ours[self._rate] = False
        np.fmax.at(low, self._columns[ours], verdict.low[ours])
        np.fmin.at(high, self._columns[ours], verdict.high[ours])
        return np.where(np.isinf(low), np.nan, low), np.where(np.isinf(high), np.nan, high)

    def _relate(
        self,
        values: NDArray[np.float64],
        learned: NDArray[np.bool_],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> None:
        """Turn percents of the start into the figure's unit; the start is the mean of the first looks."""
        k = self._relative
        if not len(k):
            return
        start, count = self._state[START], self._state[LOOKS]
        fresh = k[~learned[k] & np.isfinite(values[k])]
        start[fresh] += (values[fresh] - start[fresh]) / (count[fresh] + 1)
        unit = np.where(learned[k], start[k] / 100.0, np.nan)
        ends = low[k] * unit, high[k] * unit  # those of a negative figure lie the other way round
        low[k], high[k] = np.minimum(*ends), np.maximum(*ends)

    def _control(
        self,
        values: NDArray[np.float64],
        learned: NDArray[np.bool_],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> None:
        """Turn deviations into the figure's unit, then let centre and deviation follow.

        An EWMA chart (Roberts 1959, Technometrics 1:239) whose deviation is 1.2533 times the running mean
        of the absolute one, as of a normal distribution.
        """
        k = self._sigma
        if not len(k):
            return
        x, known = values[k], learned[k]
        centre, spread = self._state[CENTRE, k], self._state[SPREAD, k]
        first = self._state[LOOKS, k] == 0
        centre = np.where(first, x, centre)
        spread = np.where(first, 0.02 * np.maximum(np.abs(x), 1.0), spread)
        below, above = low[k], high[k]  # in deviations
        ends = np.abs(self._limits[:, k])
        reach = np.where(np.isinf(ends), 1.0, ends).max(axis=0) * spread
        low[k] = np.where(known, centre + below * spread, np.nan)
        high[k] = np.where(known, centre + above * spread, np.nan)
        # what is far off widens the limits no more than the limit would, and moves their centre not at all
        off = np.clip(x - centre, -reach, reach)
        weight = np.where(known, SLOW, QUICK)
        outside = (x < low[k]) | (x > high[k])
        moved = np.where(outside, centre, centre + weight * off)
        floor = np.maximum(SMALL * np.abs(moved), self._grain[k])
        wider = np.maximum(spread + weight * (1.2533 * np.abs(off) - spread), floor)
        there = np.isfinite(x)
        self._state[CENTRE, k] = np.where(there, moved, self._state[CENTRE, k])
        self._state[SPREAD, k] = np.where(there, wider, self._state[SPREAD, k])


def _pairs(rules: Sequence[Rule], ids: Sequence[int], rois: RoiSet) -> list[tuple[Pair, int]]:
    """Return each rule with each of its subjects, and the column of that."""
    shapes = {roi.id: roi for roi in rois}
    regions = [(shapes[id_], len(NAMES) + k) for k, id_ in enumerate(ids) if id_ in shapes]
    found: list[tuple[Pair, int]] = []
    for rule in rules:
        if rule.metric in METRICS:
            found.append((Pair(rule, rule.metric), NAMES.index(rule.metric)))
        else:
            found += [
                (Pair(rule, (roi.id, roi.version)), column)
                for roi, column in regions
                if rule.roi in ("", roi.name)
            ]
    return found
