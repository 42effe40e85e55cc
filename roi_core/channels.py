"""Which channel a frame shows, when the light changes from frame to frame: told by count, checked by sight.

The camera's index says which channel a frame shows, so a frame that is lost and counted swaps nothing. One
that is lost and *not* counted, or comes twice, shifts all that follow; that is seen in the brightness.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roi_core.settings.channels import LEARN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roi_core.settings import Channels as Rules

__all__ = ["Channels", "Order", "Slip"]

log = logging.getLogger(__name__)

PIXELS: Final = 65_536
"""About so many pixels are looked at for the brightness."""
SPAN: Final = 5
"""Frames of each channel whose median is compared: three of them show a slip."""
CLEAR: Final = 4.0
"""Noise levels by which channels must differ to be told apart."""
NEAR: Final = 0.3
"""Share of the difference between two channels within which a brightness is taken for one of them."""
PACE: Final = 0.005
"""Weight of a frame in the levels that are followed: bleaching is slower, a transient quicker."""
LOST: Final = 100
"""Frames that fit no order after which this is told."""


class Slip(NamedTuple):
    """The light is ``by`` channels further than the order says, since about the camera's frame `since`."""

    by: int
    since: int


class Order:
    """Follows the brightness (log counts) of each of `count` channels and finds the order that it fits.

    The order has slipped when the median of the last `SPAN` frames of *every* channel is at the level of
    another one, `SPAN` times in a row. Activity moves one channel, and what moves all alike (bleaching, a
    movement, the lamp) keeps their order, so neither is taken for a slip. ``shift`` is added to the camera's
    index. ``brightest`` is the number of the brightest channel, if known.
    """

    def __init__(self, count: int, brightest: int | None = None) -> None:
        self.count = count
        self.shift = 0
        self.levels: list[float] = []
        """Level of each channel; none while they are learned."""
        self.alike = False
        """True when the channels are too much alike to be told apart."""
        self.astray = 0
        """Frames in a row that fitted no order."""
        self._brightest = brightest
        self._noise = 0.0
        self._held = 0
        self._recent: deque[tuple[int, float]] = deque(maxlen=count * LEARN)

    def step(self, index: int, level: float) -> Slip | None:
        """Take the brightness of frame `index`; return how far the order has slipped, if it has."""
        self._recent.append((index, level))
        span = LEARN if not self.levels else SPAN
        seen = self._by_channel(span)
        if min(map(len, seen)) < span - 1:
            return None
        now = [median(values) for values in seen]
        return self._compare(now) if self.levels else self._learn(now)

    def _by_channel(self, span: int) -> list[list[float]]:
        seen: list[list[float]] = [[] for _ in range(self.count)]
        for index, level in [*self._recent][-span * self.count :]:
            seen[self._channel(index)].append(level)
        return seen

    def _channel(self, index: int, by: int = 0) -> int:
        return (index + self.shift + by) % self.count

    def _learn(self, now: list[float]) -> Slip | None:
        """Take the levels; of two frames in a row the difference is noise, what both share is not."""
        off = [level - now[self._channel(index)] for index, level in self._recent]
        steps = median(abs(b - a) for a, b in pairwise(off))
        self._noise = max(1.05 * steps, 1e-6)
        self.levels = now
        self._look_alike()
        by = 0 if self._brightest is None else (self._brightest - now.index(max(now))) % self.count
        if self.alike or by == 0:
            return None
        self.levels = now[-by:] + now[:-by]
        self.shift = by
        return Slip(by, self._recent[0][0])

    def _look_alike(self) -> None:
        self.alike = max(self.levels) - min(self.levels) < CLEAR * self._noise

    def _compare(self, now: list[float]) -> Slip | None:
        common = (sum(now) - sum(self.levels)) / self.count
        own = [level - common for level in now]
        misfits = [self._misfit(own, by) for by in range(self.count)]
        by = misfits.index(min(misfits))
        if by == 0 or self.alike:
            self.levels = [old + PACE * (new - old) for old, new in zip(self.levels, now, strict=True)]
            self.astray = self._held = 0
            self._look_alike()
            return None
        gap = max(abs(self.levels[c] - self.levels[c - by]) for c in range(self.count))
        fits = max(misfits[by], gap - misfits[0], abs(common)) < NEAR * gap and gap > CLEAR * self._noise
        self._held = self._held + 1 if fits else 0
        self.astray += 1
        if self._held < SPAN:
            return None
        self._held = 0
        slip = Slip(by, self._since(by, common))
        self.shift = (self.shift + by) % self.count
        self.astray = 0
        return slip

    def _misfit(self, own: list[float], by: int) -> float:
        """Return the farthest that a channel is from its level, if frames taken for c show c + `by`."""
        return max(abs(own[c] - self.levels[(c + by) % self.count]) for c in range(self.count))

    def _since(self, by: int, common: float) -> int:
        """Return the first of the last frames that all fit the new order better than the old one."""
        since = self._recent[-1][0]
        for index, level in reversed(self._recent):
            old, new = self._channel(index), self._channel(index, by)
            if abs(level - common - self.levels[new]) > abs(level - common - self.levels[old]):
                break
            since = index
        return since


class Channels:
    """The channels of one session; with an empty order there is one, and nothing is looked at."""

    def __init__(self, rules: Rules) -> None:
        self.names = rules.names
        self.count = max(len(self.names), 1)
        self.main = rules.main
        brightest = self.names.index(rules.brightest) if rules.brightest else None
        self.ahead = 0
        """By how many channels the light is further than the number of the last frame says."""
        self._order = Order(self.count, brightest)
        self._told: set[str] = set()

    def step(
        self, index: int, image: NDArray[np.uint16], rules: Rules
    ) -> tuple[int, list[tuple[str, dict[str, Any]]]]:
        """Return the number of the channel that frame `index` shows, and the (kind, data) of events."""
        if self.count == 1:
            return 0, []
        news = list(self._check(index, image, rules.follow)) if rules.check else []
        shift = self._order.shift if rules.follow else 0
        ahead = (self._order.shift - shift) % self.count
        if ahead != self.ahead and not any("ahead" in data for data in news):
            news.append(self._turned(ahead, rules.follow))
        self.ahead = ahead
        return (index + shift) % self.count, [("channels", data) for data in news]

    def is_shown(self, channel: int, rules: Rules) -> bool:
        """Tell whether the window shows a channel."""
        return channel == self.main if not rules.shown else rules.shown == self.names[channel]

    def _check(self, index: int, image: NDArray[np.uint16], follow: bool) -> list[dict[str, Any]]:
        order = self._order
        slip = order.step(index, brightness(image))
        if slip is not None:
            self._told.discard("astray")
            return [self._swapped(slip, follow)]
        if order.alike and "alike" not in self._told:
            levels = ", ".join(
                f"{name} {math.exp(level):.0f}"
                for name, level in zip(self.names, order.levels, strict=True)
            )  # fmt: skip
            return [self._tell(
                "alike", f"the channels are equally bright ({levels} counts): a slip cannot be seen"
            )]  # fmt: skip
        if order.astray >= LOST and "astray" not in self._told:
            return [self._tell(
                "astray", "brightness fits no order of the channels: look at the light, and at the order"
            )]  # fmt: skip
        return []

    def _tell(self, state: str, text: str) -> dict[str, Any]:
        self._told.add(state)
        log.warning("%s", text)
        return {"state": state, "text": text}

    def _swapped(self, slip: Slip, follow: bool) -> dict[str, Any]:
        was, is_ = self.names[0], self.names[slip.by]
        then = "the order is corrected from here on" if follow else "channels.follow is off: it stays"
        since = f"since about frame {slip.since}"
        text = f"the light has slipped: frames taken for {was} show {is_}, {since}; {then}"
        log.warning("%s", text)
        ahead = 0 if follow else self._order.shift
        return {
            "state": "swapped", "by": slip.by, "since": slip.since, "followed": follow, "ahead": ahead,
            "text": text,
        }  # fmt: skip

    def _turned(self, ahead: int, follow: bool) -> dict[str, Any]:
        """Tell that ``channels.follow`` was turned while the order is another one than the count says."""
        shows = f"frames taken for {self.names[0]} show {self.names[ahead]}"
        then = "the order is corrected" if follow else shows
        text = f"channels.follow is {'on' if follow else 'off'}: {then} from here on"
        log.warning("%s", text)
        return {"state": "turned", "followed": follow, "ahead": ahead, "text": text}


def brightness(image: NDArray[np.uint16]) -> float:
    """Return the log of the mean of an (H, W) picture, in counts, from a regular part of its pixels."""
    step = max(1, math.isqrt(image.size // PIXELS))
    return math.log(max(float(image[::step, ::step].mean()), 1e-3))
