"""Rigid sub-pixel motion correction, one frame at a time, against a slowly learning template."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.lib.stride_tricks import as_strided

from roi_core.motion.coarse import Coarse, Fit
from roi_core.motion.fine import Fine
from roi_core.motion.kernels import NOTHING, PAD, Lesson, moved
from roi_core.motion.patches import Patches, warped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roi_core import settings

__all__ = ["Motion", "Shift"]

log = logging.getLogger(__name__)

SMALL_FIELD = 90_000
"""Up to so many pixels the coarse picture is binned by 2 and every row teaches the template; else by 4."""
TINY_SIDE = 48
"""Below this many px of height or width the coarse picture is not binned at all."""
DOUBT = 0.6
"""Confidence below which the whole range is searched before the fit is believed."""
SIGNIFICANT = 6.0
"""A correlation below this many of its standard deviations without any match (1 / sqrt(n)) is none."""
SETTLED = 30
"""Frames that must fit before the template counts as known; until then it may start anew."""
TORN = 3
"""Frames of much less contrast that fit nowhere, after which as few before them are no template."""
PROBE, BLAZING = 4, 10.0
"""Pixels between those that tell how bright a first frame is; the template begins with nothing that is so
many times farther from their median than nine tenths are."""
LOOK, STRANGE, LITTLE = 8, 15.0, 3.0
"""Once in so many frames it is seen how far from the mean nine tenths of the pixels are. While one is so many
times (the second) as far, something passes: then each counts at most as if it were the third times as far."""
ANCHOR = 8
"""The template is held to where it is after so many times SETTLED."""
BELIEVED = 0.2
"""A drift of more than this between two lessons is none, px: the scene no longer is the anchor's."""
WIDE = 0.25
"""Share of the picture's longer side up to which a scene that stays beyond the range is followed."""
LOST = (
    "the picture fits the motion template no more, which begins anew: "
    "regions and cells from before may lie elsewhere in it"
)
LESSON = 40
"""Frames between two lessons that the registration takes from the template, once it is settled."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The (dy, dx) px by which a frame was moved to fit the template, and how far that can be trusted.

    ``confidence`` is the correlation with the template as a share of what it usually is, 0..1. A ``flag``
    says that the frame was moved by the last good shift instead, and taught the template nothing: "jump" if
    it fits beyond the range, "unsure" if it fits nowhere. A lone "jump" of confidence 1 and shift 0 is a new
    beginning: the old template had fitted nothing for too long.

    The range lies round where the scene usually is, which follows it with the template's memory: a shift may
    become larger than ``motion.max_shift`` in a field that drifts, or that was knocked and stays there.
    """

    dy: float
    dx: float
    confidence: float
    flag: Literal["", "jump", "unsure"] = ""


class Motion:
    """Moves pictures of `shape` to fit a template that it learns from them.

    `rate` is in frames per second; `scale` is how many px of the camera one px of the picture stands for
    (settings are in px of the camera, shifts in px of the picture).
    """

    def __init__(self, shape: tuple[int, int], rate: float, scale: int = 1) -> None:
        self.shape, self.rate, self.scale = (int(shape[0]), int(shape[1])), float(rate), scale
        large = self.shape[0] * self.shape[1] > SMALL_FIELD
        self._factor = 4 if large else 2 if min(self.shape) >= TINY_SIDE else 1
        self._every = 4 if large else 1
        self._line = np.zeros(self.shape[1] + 2 * PAD, np.float32)
        self._mean = np.zeros(self.shape, np.float32)
        self._patches = Patches(self.shape)
        self._clean = np.zeros(self.shape, np.float32)
        self._target, self._memory = self._clean, _flat(self._clean)
        self.reset()

    def reset(self) -> None:
        """Forget the template; the next frame is the new one."""
        self._coarse = Coarse(self.shape, self._factor)
        self._fine, self._anchor = Fine(self.shape), Fine(self.shape)
        self._anchored = False
        self._lesson: list[Callable[[], None]] = []
        self._u = self._place = self._drift = self._middle = (0.0, 0.0)
        self._sighted: tuple[float, float] | None = None
        self._gain, self._most = 1.0, math.inf
        self._usual = self._contrast = 0.0
        self._hits = self._misses = self._frames = self._since = 0

    @property
    def template(self) -> NDArray[np.float32]:
        """A copy of the template (h, w)."""
        return self._mean.copy()

    def step(self, image: NDArray[np.float32], settings: settings.Motion, out: NDArray[np.float32]) -> Shift:
        """Write into `out` the image (h, w) moved to fit the template; return the shift."""
        level = self._coarse.see(image)
        if not np.isfinite(level):
            image, level = self._cleaned(image)
        lost = self._misses > self._patience(settings)
        if lost and self._hits >= SETTLED:
            log.warning(LOST)
        if self._hits == 0 or lost:
            self._start(image)
        self._seek(settings.max_shift / self.scale)
        fit = self._fit(image, level, settings.max_shift / self.scale)
        shift = self._judged(fit, settings)
        light = (fit.gain, level - fit.gain * self._coarse.level)
        side = 0.0 if shift.flag else settings.patch / self.scale
        self._move(image, light, self._teaching(shift, settings), side, out)
        if not shift.flag and self._frames % LOOK == 0:
            self._most = self._believed(out)
        self._learn(shift, fit, settings)
        return replace(shift, flag="jump") if lost else shift

    def look(self, image: NDArray[np.float32], settings: settings.Motion, out: NDArray[np.float32]) -> Shift:
        """Do what `step` does for a frame that is to leave no trace."""
        level = self._coarse.see(image)
        if not np.isfinite(level):
            image, level = self._cleaned(image)
        if self._hits == 0:
            np.copyto(out, image)
            return Shift(0.0, 0.0, 0.0, "unsure")
        kept = self._u, self._place, self._coarse.contrast
        fit = self._fit(image, level, settings.max_shift / self.scale)
        shift = self._judged(fit, settings)
        light = (fit.gain, level - fit.gain * self._coarse.level)
        side = 0.0 if shift.flag else settings.patch / self.scale
        self._move(image, light, NOTHING, side, out)
        self._u, self._place, self._coarse.contrast = kept
        return shift

    def _move(
        self, image: NDArray[np.float32], light: tuple[float, float], lesson: Lesson,
        side: float, out: NDArray[np.float32],
    ) -> None:  # fmt: skip
        """Write the image to `out` as a whole or, with a `side`, in patches of it; teach the mean picture."""
        if side and self._hits >= SETTLED:
            field = self._patches.field(self._fine.votes(image, self._u, *light), side)
            warped(image, self._place, field, self._mean, light, lesson, *self._memory_of(out))
        else:
            moved(image, self._place, self._mean, light, lesson, self._line, *self._memory_of(out))

    def _memory_of(self, out: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
        """Return what `_flat` does, at once for the target of the last frame, which mostly is the same."""
        if out is not self._target:
            self._target, self._memory = out, _flat(out)
        return self._memory

    def _start(self, image: NDArray[np.float32]) -> None:
        """Make this frame the template, without lines or corners that outshine it.

        Where most pixels are the same, as with few photons, nothing tells what does.
        """
        low, middle, high = np.percentile(image[::PROBE, ::PROBE], (10, 50, 90))
        down, up = (BLAZING * part or np.inf for part in (middle - low, high - middle))
        np.clip(image, middle - down, middle + up, self._mean)
        self._u = self._place = self._drift = self._middle = (0.0, 0.0)
        self._sighted = None
        self._gain, self._usual, self._most = 1.0, 0.0, math.inf
        self._hits = self._misses = self._since = 0
        self._anchored = False
        self._lesson = []
        for part in self._teach():
            part()

    def _patience(self, settings: settings.Motion) -> float:
        """Return after how many frames that do not fit the template is given up for a new one.

        As many as fitted before, between one second and three times the template's memory. Not so while the
        picture shows less than half the usual contrast: once the template is settled never, as a light that
        is off comes back; at the very first soon, as then the first picture was torn, or a part of it blazed.
        """
        if self._coarse.contrast < 0.5 * self._contrast:
            if self._hits >= SETTLED:
                return math.inf
            if self._hits <= TORN:
                return TORN
        return min(max(self.rate, self._hits), max(self.rate, 3 * settings.template * self.rate))

    def _fit(self, image: NDArray[np.float32], level: float, limit: float) -> Fit:
        """Return the best fit: near the last one if that will do, else in the whole range and some more."""
        fit = self._coarse.refine(self._u, self._gain)
        away = _reach(_minus(fit.u, self._middle)) > limit
        if self._confidence(fit) < DOUBT or self._hits < SETTLED // 3 or away:
            best = self._coarse.search(1.5 * limit + 2 * self._factor, self._middle)
            far = self._coarse.refine(best, self._gain)
            fit = far if far.r > fit.r else fit
        if self._confidence(fit) == 0:
            return fit
        y, x = self._fine.refine(image, fit.u, fit.gain, level - fit.gain * self._coarse.level)
        near = _reach(_minus((y, x), fit.u)) < self._factor
        return fit._replace(u=(y, x)) if near else fit

    def _seek(self, limit: float) -> None:
        """Follow a scene that stays beyond the range: cells and regions are where the template has them.

        Once a second while nothing fits the scene is looked for in a wider part; where it is seen twice, no
        farther apart than the range, is the new middle of the range. A bright thing that passes is no scene.
        """
        if self._hits < SETTLED or not self._misses or self._misses % max(1, round(self.rate)):
            return
        best = self._coarse.search(max(limit, WIDE * max(self.shape)), self._middle, even=True)
        fit = self._coarse.refine(best, self._gain)
        seen = fit.u if self._confidence(fit) >= DOUBT and self._overlaps(fit.u) else None
        if seen and self._sighted and _reach(_minus(seen, self._sighted)) <= limit:
            self._u = self._middle = seen
        self._sighted = seen

    def _confidence(self, fit: Fit) -> float:
        """Return the correlation as a share of the usual one; 0 if it could be chance."""
        if not fit.r * self._coarse.picture.size**0.5 > SIGNIFICANT:
            return 0.0
        return min(1.0, fit.r / (self._usual or fit.r))

    def _judged(self, fit: Fit, settings: settings.Motion) -> Shift:
        """Follow a fit that can be believed; else stay at the last good one."""
        confidence = self._confidence(fit)
        place = fit.u[0] + self._drift[0], fit.u[1] + self._drift[1]
        flag: Literal["", "jump", "unsure"] = ""
        if confidence == 0 or confidence < settings.min_confidence:
            flag = "unsure"
        elif _reach(_minus(place, self._middle)) > settings.max_shift / self.scale or not self._overlaps(
            place
        ):
            flag = "jump"
        else:
            self._u, self._place = fit.u, place
        return Shift(0.0 - self._place[0], 0.0 - self._place[1], confidence, flag)

    def _overlaps(self, place: tuple[float, float]) -> bool:
        """Tell whether picture and template overlap by at least half of each side: less is no fit."""
        return all(abs(px) <= side / 2 for px, side in zip(place, self.shape, strict=True))

    def _teaching(self, shift: Shift, settings: settings.Motion) -> Lesson:
        """Return the lesson (rate, first row, every so many rows, most) of this frame for the mean picture.

        While it is young the mean weighs all frames alike, later it forgets with the time constant asked
        for. A frame that fits nowhere teaches only a template that is not settled yet, and not if it is dark
        or saturated.
        """
        if shift.flag and (self._hits >= SETTLED or self._coarse.contrast < 0.5 * self._contrast):
            return NOTHING
        memory = max(2.0, settings.template * self.rate)
        if self._hits < min(memory, 4 * SETTLED):
            return 1.0 / (self._hits + 1), 0, 1, self._most
        rate = min(0.5, self._every / min(memory, self._hits))
        return rate, self._frames % self._every, self._every, self._most

    def _believed(self, out: NDArray[np.float32]) -> float:
        """Return how far from the mean a pixel counts at most: no end of it while nothing strange passes.

        Where most pixels are as far from it, as with few photons, nothing tells.
        """
        some = 2 * self._factor
        part = np.s_[self._every // 2 :: some, ::some]
        far = np.abs(out[part] - self._mean[part])
        usual, high = np.percentile(far, (50, 90))
        passes = self._hits >= SETTLED and high > 1.5 * usual and far.max() > STRANGE * high
        return LITTLE * float(high) if passes else math.inf

    def _learn(self, shift: Shift, fit: Fit, settings: settings.Motion) -> None:
        """Count, and let the registration catch up with the mean picture, a part per frame."""
        self._frames += 1
        self._since += 1
        if shift.flag:
            self._misses += 1
        else:
            # The first frame is its own template, its correlation of 1 says nothing.
            part = 1 / max(1, min(self._hits, SETTLED)) if self._hits else 0.0
            self._hits, self._misses, self._sighted = self._hits + 1, 0, None
            self._usual += part * (fit.r - self._usual)
            self._contrast += (self._coarse.contrast - self._contrast) / min(self._hits, SETTLED)
            self._gain += part * (fit.gain - self._gain)
            self._follow(max(2.0, settings.template * self.rate))
        if self._lesson:
            self._lesson.pop(0)()
        if not self._lesson and self._since >= min(LESSON, 1 + self._hits // 2):
            self._since, self._lesson = 0, self._teach()

    def _follow(self, memory: float) -> None:
        """Let the middle of the range go where the scene is, within so many frames."""
        y, x = _minus(self._place, self._middle)
        part = 1 / min(self._hits, memory)
        self._middle = self._middle[0] + part * y, self._middle[1] + part * x

    def _teach(self) -> list[Callable[[], None]]:
        """Return the parts, to be called in turn, in which the registration learns the mean picture.

        Each frame is found relative to the mean, so small biases add up (.09 px in 300 memories at 8 photons
        per px). So the first settled mean stays as an anchor: frames are put where it saw them, which also
        brings a mean that walked back.
        """
        first: list[Callable[[], None]] = [self._hold] if self._anchored else []
        if not self._anchored and self._hits >= ANCHOR * SETTLED:
            first = [*self._anchor.teach(self._mean), self._drop_anchor]
        return [*first, partial(self._coarse.teach, self._mean), *self._fine.teach(self._mean)]

    def _drop_anchor(self) -> None:
        self._anchored = True

    def _hold(self) -> None:
        """Measure how far the mean walked from the anchor."""
        y, x = self._anchor.refine(self._mean, self._drift, 1.0, 0.0)
        if _reach(_minus((y, x), self._drift)) < BELIEVED:
            self._drift = y, x

    def _cleaned(self, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Return the image with what is not a number taken from the template, and its mean."""
        np.copyto(self._clean, image)
        bad = ~np.isfinite(self._clean)
        # With hardly a number in it the template would only find itself.
        self._clean[bad] = self._mean[bad] if np.count_nonzero(bad) < bad.size / 2 else 0.0
        return self._clean, self._coarse.see(self._clean)


def _reach(u: tuple[float, float]) -> float:
    return max(abs(u[0]), abs(u[1]))


def _minus(u: tuple[float, float], v: tuple[float, float]) -> tuple[float, float]:
    return u[0] - v[0], u[1] - v[1]


def _flat(out: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Return the memory of `out` (h, w) as one line, and how far apart rows begin in it, px."""
    h, w = out.shape
    stride = out.strides[0] // out.itemsize
    return as_strided(out, ((h - 1) * stride + w,), (out.itemsize,)), stride
