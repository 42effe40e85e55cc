"""Which pixel values are shown dark and bright: limits, the table of shades, pixels at the ends of the scale.

Knows no toolkit. All of it looks at the frame only, never at outlines, and changes the display only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from roi_core.jit import kernel
from roi_core.quality.gauges import BELIEVED, FULL_SCALES
from roi_stream_gui.lut import DARK, FULL, SHADES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TOP", "Contrast", "Ends", "Exposure", "Limits", "Shown", "Tone", "ends", "spread", "warm_up"]

TOP: Final = 65_535
"""The largest code of a picture."""
PERIOD: Final = 0.2
"""Seconds between two looks at the frame; a percentile per drawn frame costs more than the picture."""
EASE: Final = 0.35
"""How far the limits move towards the newest estimate each time, so that the picture never flickers."""
LEAST: Final = 16.0
"""Codes between the limits at least."""
SAMPLE: Final = 65_536
"""Pixels that a percentile or a histogram looks at, about."""

Limits = tuple[float, float]


def spread(codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return about `SAMPLE` pixels of a picture, evenly spread."""
    step = max(1, round((codes.size / SAMPLE) ** 0.5))
    return codes[::step, ::step]


def ends(codes: NDArray[np.uint16], holes: bool = False) -> Limits:
    """Return the codes that are shown black and white by themselves: the 0.5 % and 99.9 % percentiles.

    With `holes`, code 0 stands for nothing and does not count.
    """
    some = spread(codes)
    if holes:
        some = some[some > 0]
    if not some.size:
        return 0.0, float(TOP)
    low, high = np.percentile(some, (0.5, 99.9))
    return float(low), max(float(high), float(low) + LEAST)


class Shown(Protocol):
    """What limits are found for: codes, and the value of each."""

    @property
    def codes(self) -> NDArray[np.uint16]:
        """Return the picture (h, w)."""
        ...

    @property
    def holes(self) -> bool:
        """Tell whether code 0 stands for no value."""
        ...

    def value(self, code: float) -> float:
        """Return the value of a code."""
        ...


class Contrast:
    """The values shown black and white: followed smoothly, or held by hand."""

    def __init__(self) -> None:
        self.low, self.high = 0.0, float(TOP)
        self.known = False
        self._looked = -np.inf

    def follow(self, canvas: Shown, now: float) -> Limits:
        """Return (low, high) for a picture at time `now`, s; see `ends`."""
        if now - self._looked >= PERIOD:
            self._looked = now
            low, high = map(canvas.value, ends(canvas.codes, canvas.holes))
            ease = EASE if self.known else 1.0
            self.low += ease * (low - self.low)
            self.high += ease * (high - self.high)
            self.known = True
        return self.low, self.high

    def hold(self, low: float, high: float, least: float) -> Limits:
        """Show `low` black and `high` white, `least` apart."""
        self.low, self.high = low, max(high, low + least)
        self.known = True
        return self.low, self.high


class Tone:
    """A table (65536,) uint8 from code to shade, made anew only when something in it changes."""

    def __init__(self) -> None:
        self.table = np.zeros(TOP + 1, np.uint8)
        self._made: tuple[object, ...] = ()
        self._ramp = np.arange(TOP + 1, dtype=np.float32)
        self._work = np.empty_like(self._ramp)

    def between(
        self, low: float, high: float, gamma: float = 1.0, full: int | None = None, dark: bool = False
    ) -> NDArray[np.uint8]:
        """Return the table that shows `low` black and `high` white.

        ``shade = ((code - low) / (high - low)) ** gamma``; codes from `full` on get the colour of the limit
        and, with `dark`, code 0 that of zero.
        """
        wanted = (low, high, gamma, full, dark)
        if wanted != self._made:
            self._made = wanted
            work = np.subtract(self._ramp, np.float32(low), out=self._work)
            work *= np.float32(1.0 / max(high - low, 1.0))
            np.clip(work, 0.0, 1.0, out=work)
            if gamma != 1.0:
                np.power(work, np.float32(gamma), out=work)
            work *= np.float32(SHADES - 1)
            work += np.float32(0.5)
            self.table[:] = work
            if full is not None:
                self.table[full:] = FULL
            if dark:
                self.table[0] = DARK
        return self.table


class Ends(NamedTuple):
    """How many pixels are at the camera's limit and at zero."""

    full: int = 0
    dark: int = 0


class Exposure:
    """Counts the pixels at both ends of the camera's scale, and finds out where that ends.

    ``limit`` is the camera's largest value: that of 16 bits, or, while no pixel was ever brighter, that of
    10, 12 or 14 bits when pixels are exactly there; a camera whose input range is given is stretched to 16.
    """

    def __init__(self) -> None:
        self.limit = TOP
        self.count = Ends()
        self._looked = -np.inf
        self._brightest = 0

    def look(self, image: NDArray[np.uint16], now: float, given: int = 0) -> Ends:
        """Return the counts in an (H, W) image at time `now`, s; `given` is the limit, 0 if not known."""
        if now - self._looked >= PERIOD:
            self._looked = now
            brightest = int(image.max(initial=0))
            if given or brightest > self.limit or self.limit == TOP:
                self.limit = given or self._ends_at(image, brightest)
            self.count = Ends(*_count_ends(image, self.limit))
        return self.count

    def _ends_at(self, image: NDArray[np.uint16], brightest: int) -> int:
        self._brightest = max(self._brightest, brightest)
        known = self._brightest in FULL_SCALES and _count_ends(image, self._brightest)[0] >= BELIEVED
        return self._brightest if known else TOP


def warm_up() -> None:
    """Compile the kernel."""
    Exposure().look(np.zeros((2, 2), np.uint16), 0.0)


@kernel
def _count_ends(image: NDArray[np.uint16], limit: int) -> tuple[int, int]:
    full = dark = 0
    for y in range(image.shape[0]):
        line = image[y]
        for x in range(line.size):
            full += line[x] >= limit
            dark += line[x] == 0
    return full, dark
