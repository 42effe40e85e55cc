"""The light of every frame: dark ones, steps from one to the next, and pictures that do not change.

Frames may alternate between colours of light (470, 415, 470, ... nm). Their number is found from the first
frames, and each is compared with those of its own colour, told apart by the camera's index: so that
alternation is no step, and light out of phase is one. With `settings.Channels` the order is told instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.quality.gauges import PROBES, probe

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Light", "alternation"]

FIRST: Final = 32
"""Frames from which colours and the usual brightness are learned."""
COLOURS: Final = 4
"""Colours at most, where they must be found."""
MOST: Final = 8
"""Channels at most, where they are told."""
ALIKE: Final = 0.25
"""Frames of one colour differ by less than this share of what those of two colours differ by."""
PLAIN: Final = 0.02
"""Two colours differ by more than this share of their brightness."""
USUAL: Final = 30.0
"""Seconds in which the usual brightness follows."""
DIM: Final = 50.0
"""Percent of the usual brightness below which a frame does not teach it."""


class Light:
    """Takes every frame; `look` returns the worst since it was last asked."""

    def __init__(self) -> None:
        self.colours = 1
        """Frames after which the same colour comes again."""
        self._before = np.zeros((PROBES, PROBES), np.uint16)
        self._picture: NDArray[np.uint16] | None = None
        self._since = 0.0
        self._first: list[tuple[int, float]] = []
        self._usual = np.zeros(0)
        """Brightness by colour; empty while it is learned."""
        self._last = np.full(MOST, np.nan)
        self._time = 0.0
        self._dark = self._step = np.nan
        self._still = 0.0

    def relearn(self) -> None:
        """Take the light of the frames to come for the usual one."""
        self._first, self._usual, self.colours = [], np.zeros(0), 1
        self._last[:] = np.nan

    def look(self) -> tuple[float, float, float]:
        """Return darkest (%), largest step (%), longest stillness (s) since the last look; NaN: unknown."""
        worst = self._dark, self._step, self._still
        self._dark = self._step = np.nan
        self._still = 0.0
        return worst

    def step(
        self, index: int, time: float, image: NDArray[np.uint16], channel: int = 0, channels: int = 1
    ) -> None:
        """Take a frame: the camera's count, s, and the picture, which must stay as it is until the next.

        Where it is known of which of several `channels` a frame is, nothing is found out.
        """
        number = channel if channels > 1 else index
        bright, same = probe(image, self._before)
        same = same and self._picture is not None and np.array_equal(image, self._picture)
        self._since = self._since if same else time
        self._still = max(self._still, time - self._since)
        self._picture = image
        seconds, self._time = time - self._time, time
        if len(self._usual):
            self._compare(number % self.colours, bright, seconds)
        else:
            self._learn(number, bright, channels)

    def _learn(self, number: int, bright: float, channels: int) -> None:
        """Gather the first frames; when there are enough, find the colours and the usual light of each."""
        self._first.append((number, bright))
        if len(self._first) == FIRST:
            numbers, levels = np.array([i for i, _ in self._first]), np.array([b for _, b in self._first])
            self.colours = channels if channels > 1 else alternation(numbers, levels)
            colour = numbers % self.colours
            mine = [levels[colour == k] for k in range(self.colours)]
            self._usual = np.array([np.median(of_one if len(of_one) else levels) for of_one in mine])

    def _compare(self, colour: int, bright: float, seconds: float) -> None:
        usual = max(self._usual[colour], 1.0)
        share = 100.0 * bright / usual
        step = 100.0 * abs(bright - self._last[colour]) / usual
        self._dark, self._step = float(np.fmin(self._dark, share)), float(np.fmax(self._step, step))
        self._last[colour] = bright
        if share >= DIM:
            weight = min(self.colours * seconds / USUAL, 0.2)
            self._usual[colour] += weight * (bright - self._usual[colour])


def alternation(indices: NDArray[np.int_], levels: NDArray[np.float64]) -> int:
    """Return after how many frames their brightness comes again, 1 where it does not alternate.

    A number of colours is believed when frames so far apart differ much less than frames nearer, and those
    differ visibly.
    """
    if indices[-1] - indices[0] >= 2 * len(indices):  # too many are missing
        return 1
    row = np.full(indices[-1] - indices[0] + 1, np.nan)
    row[indices - indices[0]] = levels
    apart = [_difference(row, lag) for lag in range(1, COLOURS + 1)]
    for lag in range(2, COLOURS + 1):
        nearer = min(apart[: lag - 1])
        if nearer > PLAIN * np.nanmean(row) and apart[lag - 1] < ALIKE * nearer:
            return lag
    return 1


def _difference(row: NDArray[np.float64], lag: int) -> float:
    """Return by how much levels `lag` frames apart differ, but for the largest quarter."""
    off = np.abs(row[lag:] - row[:-lag])
    off = off[np.isfinite(off)]
    return float(np.quantile(off, 0.75)) if len(off) else np.inf
