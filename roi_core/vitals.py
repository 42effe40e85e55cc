"""How good the picture is, twice a second: the control charts of a recording in progress.

Six figures are followed, each with a lower and an upper limit:

- ``brightness``: mean of the pixels. Its limits are those of an EWMA chart (Roberts 1959, Technometrics
  1:239): a slow centre, k times the running deviation about it, so that a step stands out and drift does not.
- ``saturation``: percent of pixels at the camera's limit, found out as in `tone`.
- ``focus``: absolute gradient (Santos et al. 1997, J Microsc 188:264), the mean of |I(x+2) - I(x)| over the
  middle of a picture averaged over 2 s, divided by its mean; in percent of its own median at the start. Its
  square (Brenner 1976) would follow a few bright cells: 55-270 % of itself on a small field in focus, this
  90-117 %, and 68-86 % out of focus.
- ``motion``: how far a frame was moved at most since the last look, px.
- ``bleaching``: slope of the brightness over the last minute, percent per minute.
- ``lost``: frames lost in the last minute; not known for a camera that cannot count them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Sample
    from roi_core.settings import Quality

__all__ = ["METRICS", "Chart", "Metric", "Vitals", "warm_up"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is followed: its unit, what it means, and what to do when it leaves its limits."""

    unit: str
    text: str
    advice: str


METRICS: Final = {
    "brightness": Metric(
        "counts", "Mean of all pixels", "A step means the lamp, a filter, or the preparation changed."
    ),
    "saturation": Metric(
        "%", "Pixels at the camera's limit", "They hold no information: lower exposure, gain or light."
    ),
    "focus": Metric(
        "%", "Sharpness, of what it was at the start", "Refocus; if that is the new plane, learn anew."
    ),
    "motion": Metric("px", "Farthest that a frame was moved", "Is the animal, or the objective, loose?"),
    "bleaching": Metric("%/min", "Slope of the brightness over a minute", "Lower the light, or pause."),
    "lost": Metric("/min", "Frames lost in the last minute", "Close other programs; lower the frame rate."),
}
"""Every figure by its name, in the order of the columns of `Chart.values`."""

PERIOD: Final = 0.5
"""Seconds between two looks."""
LEARN: Final = 20
"""Looks from which limits are learned before any is judged."""
SLOW: Final = 1 / 60
"""Weight of one look in the slow centre of brightness: it follows in half a minute."""
AVERAGED: Final = 0.25
"""Weight of a look in the picture whose focus is measured."""
MINUTE: Final = 60.0
MIDDLE: Final = 256
"""Side of the part whose focus is measured, px."""
TOP: Final = 65_535
FULL_SCALES: Final = (1023, 4095, 16_383, 65_472, 65_520, 65_532)
"""Largest values of cameras of 10, 12 and 14 bits, kept in the low or in the high bits of 16."""
BELIEVED: Final = 3
"""Pixels exactly there from which a smaller limit is believed."""
PIXELS: Final = 65_536
"""About so many pixels are looked at for brightness and saturation."""
NAMES: Final = tuple(METRICS)


@dataclass(frozen=True, slots=True)
class Chart:
    """Looks so far: ``times`` (n,) s; ``values``, ``low`` and ``high`` (n, 6), NaN where there is none."""

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Vitals:
    """Looks at samples on the worker; `chart` may be asked from any thread."""

    def __init__(self) -> None:
        self._log = np.zeros((256, 1 + 3 * len(NAMES)))
        self._count = 0
        self._due = -np.inf
        self._sharp: list[float] = []
        self._reference = np.nan
        self._average: NDArray[np.float32] | None = None
        self._centre = self._deviation = np.nan
        self._since = 0
        self._forget = False
        self._brightest = 0
        self._far = 0.0
        """Farthest shift since the last look, px."""
        self._lost = 0
        self._unknown = False
        self._losses: deque[tuple[float, int]] = deque()
        """When, and how many frames were lost before each look of the last minute."""

    def step(self, sample: Sample, quality: Quality) -> bool:
        """Take a sample; return whether it was looked at."""
        self._unknown |= sample.lost is None
        self._lost += sample.lost or 0
        if sample.shift is not None:
            self._far = max(self._far, float(np.hypot(*sample.shift)))
        if sample.time < self._due or not sample.main:
            return False
        self._due = sample.time + PERIOD
        if self._forget:
            self._begin_anew()
        bright, saturated, self._brightest = tone(sample.image, self._brightest)
        values = np.full(len(NAMES), np.nan)
        limits = np.full((2, len(NAMES)), np.nan)
        values[0], values[1] = bright, saturated
        limits[:, 0] = self._follow(bright, quality.brightness)
        values[2] = self._focus(sample.image)
        if sample.shift is not None:
            values[3], self._far = self._far, 0.0
        values[4], values[5] = self._past(sample.time, bright)
        limits[1, 1], limits[0, 2], limits[1, 3] = quality.saturation, quality.focus, quality.motion
        limits[0, 4], limits[1, 5] = -quality.bleaching, quality.lost
        self._write(sample.time, values, limits)
        return True

    def chart(self) -> Chart:
        """Return what has been seen so far; nothing is copied."""
        log = self._log[: self._count]
        n = len(NAMES)
        values, low, high = (log[:, 1 + k * n : 1 + (k + 1) * n] for k in range(3))
        return Chart(log[:, 0], values, low, high)

    def relearn(self) -> None:
        """Take what comes now for the reference of focus and brightness; from any thread."""
        self._forget = True

    def _begin_anew(self) -> None:
        self._forget = False
        self._sharp, self._reference, self._average = [], np.nan, None
        self._centre = self._deviation = np.nan
        self._since = self._count

    def _write(self, time: float, values: NDArray[np.float64], limits: NDArray[np.float64]) -> None:
        if self._count == len(self._log):  # a new array: a reader may hold the old one
            self._log = np.concatenate([self._log, np.zeros_like(self._log)])
        self._log[self._count] = (time, *values, *limits[0], *limits[1])
        self._count += 1

    def _follow(self, bright: float, sigmas: float) -> tuple[float, float]:
        """Return the limits of brightness, learned from the looks before this one."""
        if np.isnan(self._centre):
            self._centre, self._deviation = bright, 0.02 * max(bright, 1.0)
        known = self._count - self._since >= LEARN
        width = sigmas * self._deviation
        limits = (self._centre - width, self._centre + width) if known else (np.nan, np.nan)
        weight = SLOW if known else 0.2
        # what is far off pulls no harder than the limit: a step must not widen the limits at once
        off = np.clip(bright - self._centre, -width, width)
        self._centre += weight * off
        floor = 0.002 * max(self._centre, 1.0)
        self._deviation = max(self._deviation + weight * (1.2533 * abs(off) - self._deviation), floor)
        return limits

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

    def _lose(self, time: float) -> float:
        """Return the frames lost in the last minute; NaN where that cannot be known."""
        self._losses.append((time, self._lost))
        self._lost = 0
        while self._losses[0][0] < time - MINUTE:
            self._losses.popleft()
        return float("nan") if self._unknown else float(sum(lost for _, lost in self._losses))

    def _past(self, time: float, bright: float) -> tuple[float, float]:
        """Return the slope of brightness, %/min, and the frames lost, both over the last minute."""
        lost = self._lose(time)
        recent = int(np.searchsorted(self._log[: self._count, 0], time - MINUTE))
        first = max(self._since, recent)
        times = np.append(self._log[first : self._count, 0], time)
        values = np.append(self._log[first : self._count, 1], bright)
        if times[-1] - times[0] < 30.0:  # a shorter slope is activity, not bleaching
            return float("nan"), lost
        dt = times - times.mean()
        slope = float(dt @ values / (dt @ dt))
        return 6000.0 * slope / max(float(values.mean()), 1e-9), lost


def tone(image: NDArray[np.uint16], brightest: int = 0) -> tuple[float, float, int]:
    """Return the mean of the pixels, the percent at the limit, and the largest value ever so far.

    On a regular part of them. The limit is that of 16 bits, or of a camera of fewer when the largest value
    ever is exactly there.
    """
    step = max(1, round((image.size / PIXELS) ** 0.5))
    total, top, at_top, count = _tone(image, step)
    brightest = max(brightest, top)
    limited = top == brightest and (top == TOP or (top in FULL_SCALES and at_top >= BELIEVED))
    return total / count, 100.0 * at_top / count if limited else 0.0, brightest


@kernel
def _tone(image: NDArray[np.uint16], step: int) -> tuple[float, int, int, int]:
    """Return sum, largest value, how many pixels have it, and how many were looked at."""
    total, top, at_top, count = 0.0, 0, 0, 0
    for y in range(0, image.shape[0], step):
        for x in range(0, image.shape[1], step):
            value = int(image[y, x])
            total += value
            count += 1
            if value > top:
                top, at_top = value, 0
            at_top += value == top
    return total, top, at_top, count


@kernel
def gradient(
    image: NDArray[np.uint16], y0: int, x0: int, average: NDArray[np.float32], weight: np.float32
) -> float:
    """Move `average` towards the image from (y0, x0) on; return its mean absolute gradient, relative."""
    rows, columns = average.shape
    for y in range(rows):
        for x in range(columns):
            average[y, x] += weight * (np.float32(image[y0 + y, x0 + x]) - average[y, x])
    mean, total = 0.0, 0.0
    for y in range(rows):
        for x in range(columns):
            mean += average[y, x]
        for x in range(columns - 2):
            total += abs(average[y, x + 2] - average[y, x])
    mean /= average.size
    sharp: float = total / max(rows * (columns - 2), 1) / max(mean, 1e-12)
    return sharp


def warm_up() -> None:
    """Compile the kernels on a small picture."""
    image = np.zeros((4, 4), np.uint16)
    tone(image)
    gradient(image, 0, 0, np.zeros((4, 4), np.float32), np.float32(1))
