"""Rules that tell when a figure is off, and the small language in which people write them.

::

    rules:    rule { ";" or new line, rule }
    rule:     what kind limits [hold S] [cooldown S]
    what:     a figure, such as brightness or disk; roi for every region; roi:NAME for one
    kind:     absolute | relative (% of what it was at the start) | rate (change per minute)
              | sigma (deviations about its running centre)
    limits:   what must hold: >A  <B  A..B; or a number: +-A (but for absolute)

``disk absolute >10; roi:cell 3 sigma 6 cooldown 30``: at least 10 minutes of disk; the mean of "cell 3" stays
within 6 deviations of its slow mean, and is told of at most every 30 s. Without ``hold`` a rule waits as long
as its figure asks (`Metric.hold`): what takes the place of a usual limit sees all that that one saw.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from roi_core.figures import METRICS, REGION, metric_of

__all__ = ["COOLDOWN", "Kind", "Rule", "read_rules"]

Kind = Literal["absolute", "relative", "rate", "sigma"]
KINDS: Final = get_args(Kind)
COOLDOWN: Final = 60.0
"""Seconds of silence after an alert, where nothing else is said."""
MOST: Final = 64
"""Rules at most."""
EXAMPLE: Final = "write WHAT KIND LIMITS, such as 'disk absolute >10' or 'roi:cell 3 sigma 6 cooldown 30'"

_RULE = re.compile(
    rf"(?P<what>.+?)\s+(?P<kind>{'|'.join(KINDS)})\s+(?P<limits>\S+)"
    r"(?:\s+hold\s+(?P<hold>\S+))?(?:\s+cooldown\s+(?P<cooldown>\S+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A figure stays between ``low`` and ``high``; off for ``hold`` s it alarms, then not for ``cooldown`` s.

    ``metric`` is a name of `METRICS`, or ``roi`` for the mean of the region called ``roi``, or of each when
    that is empty. Limits are in the figure's unit (absolute), in % of what it was at the start (relative), in
    its unit per minute (rate), or in deviations about its running centre (sigma); one may be infinite.
    """

    metric: str
    kind: Kind
    low: float = -math.inf
    high: float = math.inf
    hold: float = REGION.hold
    cooldown: float = COOLDOWN
    roi: str = ""

    @property
    def what(self) -> str:
        """What it is about: a figure, ``roi`` or ``roi:NAME``."""
        return f"{self.metric}:{self.roi}" if self.roi else self.metric

    @property
    def short(self) -> str:
        """Kind and limits, as one writes them."""
        if self.kind != "absolute" and self.usual_centre - self.low == self.high - self.usual_centre:
            return f"{self.kind} {_text(self.high - self.usual_centre)}"
        if math.isinf(self.low):
            return f"{self.kind} <{_text(self.high)}"
        if math.isinf(self.high):
            return f"{self.kind} >{_text(self.low)}"
        return f"{self.kind} {_text(self.low)}..{_text(self.high)}"

    @property
    def usual_centre(self) -> float:
        """Where the figure is when nothing has changed, in the unit of the limits."""
        return 100.0 if self.kind == "relative" else 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.short} hold {_text(self.hold)} cooldown {_text(self.cooldown)}"


def read_rules(text: str, cooldown: float = COOLDOWN) -> tuple[Rule, ...]:
    """Return the rules that a text holds, silent for `cooldown` s unless they say else.

    A `ValueError` says which is not one, and what is.
    """
    parts = [part.strip() for part in re.split(r"[;\r\n]", text)]
    rules = tuple(_read(part, cooldown) for part in parts if part)
    if len(rules) > MOST:
        raise ValueError(f"{len(rules)} rules are too many: {MOST} at most")
    return rules


def _read(text: str, cooldown: float) -> Rule:
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"{_cut(text)} is no rule: {EXAMPLE}; the kinds are {', '.join(KINDS)}")
    metric, roi = _what(found["what"])
    kind: Kind = found["kind"].lower()  # type: ignore[assignment]
    low, high = _limits(found["limits"], kind)
    hold = _seconds("hold", found["hold"], metric_of(metric).hold)
    return Rule(metric, kind, low, high, hold, _seconds("cooldown", found["cooldown"], cooldown), roi)


def _what(text: str) -> tuple[str, str]:
    word, colon, name = (part.strip() for part in text.partition(":"))
    word = word.lower()
    if word == "roi" and (name or not colon):
        return word, name
    if word not in METRICS or colon:
        raise ValueError(
            f"{_cut(text)} is no figure: there are {', '.join(METRICS)}, roi (every region) and roi:NAME"
        )
    return word, ""


def _limits(text: str, kind: Kind) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    if dots:
        limits = _number(low), _number(high)
    elif text[0] == ">":
        limits = _number(text[1:]), math.inf
    elif text[0] == "<":
        limits = -math.inf, _number(text[1:])
    else:
        limits = _around(_number(text), kind)
    if not limits[0] < limits[1]:
        raise ValueError(f"{_cut(text)} leaves no room: the first limit must be below the second")
    return limits


def _around(width: float, kind: Kind) -> tuple[float, float]:
    if kind == "absolute":
        raise ValueError(f"absolute {width:g} could be either limit: write >{width:g}, <{width:g} or A..B")
    centre = 100.0 if kind == "relative" else 0.0
    return centre - width, centre + width


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{_cut(text)} is no limit: write a number A, >A, <B or A..B")
    return number


def _seconds(word: str, text: str | None, usual: float) -> float:
    if text is None:
        return usual
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 86_400:
        raise ValueError(f"{word} {_cut(text)}: write seconds, 0 .. 86400")
    return seconds


def _text(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
