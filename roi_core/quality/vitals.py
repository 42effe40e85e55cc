"""How good a recording is, twice a second: the figures of `METRICS`, taken from the samples as they pass.

- ``dark``, ``step``, ``frozen``: of every frame, see `light`.
- ``brightness``: mean of the pixels of a frame, always of the same colour where colours alternate.
- ``saturation``: percent of pixels at the camera's limit, found out as in `gauges.tone`.
- ``focus``: absolute gradient (Santos et al. 1997, J Microsc 188:264), the mean of |I(x+2) - I(x)| over the
  middle of a picture averaged over 2 s, divided by its mean; in percent of its own median at the start. Its
  square (Brenner 1976) would follow a few bright cells: 55-270 % of itself on a small field in focus, this
  90-117 %, and 68-86 % out of focus.
- ``motion``: how far a frame was at most, since the last look, from where the scene usually is, px.
- ``bleaching``: slope of the brightness over the last minute, percent per minute.
- ``lost``, ``dropped``, ``gap``: see `flow`; losses are not known for a camera that cannot count them.
- ``disk``, ``memory``, ``queue``, ``lag``: what the session knows of its surroundings, see `around`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.figures import METRICS
from roi_core.quality.flow import Flow
from roi_core.quality.gauges import gradient, tone
from roi_core.quality.light import Light
from roi_core.quality.minute import Minute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from roi_core.frame import Sample
    from roi_core.rois import RoiSet

    Around = Callable[[], Mapping[str, float]]
    """Returns some figures by name: what a session knows of its surroundings."""

__all__ = ["LEARN", "PERIOD", "Look", "Vitals"]

PERIOD: Final = 0.5
"""Seconds between two looks."""
LEARN: Final = 20
"""Looks from which limits and references are learned before any is judged."""
AVERAGED: Final = 0.25
"""Weight of a look in the picture whose focus is measured."""
MIDDLE: Final = 256
"""Side of the part whose focus is measured, px."""
HOME: Final = 10.0
"""Seconds in which a place becomes usual: a scene that drifts, or was knocked and stays, does not move."""
NAMES: Final = tuple(METRICS)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at ``time`` (s): ``values`` (15,) in the order of `METRICS`, NaN where nothing is known.

    ``means`` (K,) are those of the regions, in the order of the sample's ``ids``, over all frames since the
    last look (of one colour, where colours alternate).
    """

    time: float
    values: NDArray[np.float64]
    means: NDArray[np.float64]


class Vitals:
    """Takes every sample on the worker."""

    def __init__(self, full: int = 0) -> None:
        self._light, self._flow, self._minute = Light(), Flow(), Minute(1)
        self._due = -np.inf
        self._sharp: list[float] = []
        self._reference = np.nan
        self._average: NDArray[np.float32] | None = None
        self._brightest = 0
        self._full = full
        self._home: tuple[float, float] | None = None
        """The usual shift, px."""
        self._moved = -np.inf
        """When it was learned last, s."""
        self._far = 0.0
        """Farthest from it since the last look, px."""
        self._rois: RoiSet | None = None
        self._sum = np.zeros(0)
        self._frames = 0

    def relearn(self) -> None:
        """Take what comes now for the reference of light and focus."""
        self._light.relearn()
        self._minute = Minute(1)
        self._sharp, self._reference, self._average = [], np.nan, None

    def step(self, sample: Sample, around: Around) -> Look | None:
        """Take a sample; return a look at it when it is time for one."""
        channels = len(sample.settings.channels.names) if sample.settings is not None else 0
        self._light.step(sample.index, sample.time, sample.image, sample.channel, channels)
        self._flow.step(sample.time, sample.lost)
        if sample.shift is not None:
            self._follow(sample.time, *sample.shift)
        if not sample.main or (channels == 0 and sample.index % self._light.colours):
            return None
        self._gather(sample)
        if sample.time < self._due:
            return None
        self._due = sample.time + PERIOD
        means, self._frames = self._sum / self._frames, 0
        return Look(sample.time, self._figures(sample, around), means)

    def _follow(self, time: float, dy: float, dx: float) -> None:
        """Take a shift into the farthest, and into the usual one."""
        y, x = self._home or (dy, dx)
        self._far = max(self._far, float(np.hypot(dy - y, dx - x)))
        part = min(max(time - self._moved, 0.0) / HOME, 1.0)
        self._home, self._moved = (y + part * (dy - y), x + part * (dx - x)), time

    def _gather(self, sample: Sample) -> None:
        """Add up the means of the regions."""
        if self._frames == 0 or sample.rois is not self._rois:
            self._rois, self._sum, self._frames = sample.rois, np.zeros(len(sample.ids)), 0
        self._sum += sample.means
        self._frames += 1

    def _figures(self, sample: Sample, around: Around) -> NDArray[np.float64]:
        bright, saturation, self._brightest = tone(sample.image, self._brightest, self._full)
        dark, step, frozen = self._light.look()
        lost, dropped, gap = self._flow.look(sample.time)
        known = {
            "dark": dark, "step": step, "frozen": frozen, "brightness": bright, "saturation": saturation,
            "focus": self._focus(sample.image), "bleaching": self._fading(sample.time, bright),
            "lost": lost, "dropped": dropped, "gap": gap, **around(),
        }  # fmt: skip
        if sample.shift is not None:
            known["motion"], self._far = self._far, 0.0
        return np.array([known.get(name, np.nan) for name in NAMES])

    def _focus(self, image: NDArray[np.uint16]) -> float:
        """Return the sharpness in percent of the reference; NaN while that is learned."""
        height, width = image.shape
        rows, columns = min(height, MIDDLE), min(width, MIDDLE)
        y, x = (height - rows) // 2, (width - columns) // 2
        fresh = self._average is None or self._average.shape != (rows, columns)
        if self._average is None or fresh:
            self._average = np.zeros((rows, columns), np.float32)
        sharp = gradient(image, y, x, self._average, np.float32(1.0 if fresh else AVERAGED))
        if np.isnan(self._reference):
            self._sharp.append(sharp)
            if len(self._sharp) < LEARN:
                return float("nan")
            self._reference = max(float(np.median(self._sharp[LEARN // 2 :])), 1e-12)
        return 100.0 * sharp / self._reference

    def _fading(self, time: float, bright: float) -> float:
        """Return the slope of brightness, %/min."""
        self._minute.add(time, bright)
        return self._minute.fading()
