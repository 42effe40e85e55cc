"""New cells from what is left of the picture when all known cells and the glow are taken out.

Evidence: the residual summed over windows of several lengths (a matched filter for transients), band-passed
to the size of a cell, over its own running noise. A maximum above threshold becomes a candidate: a rank-1
fit to the residual of the last seconds, with an instrument (the trace of the frames before) so that noise
does not confirm itself, then tests of shape and of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roi_core.cnmf.misses import USUAL
from roi_core.cnmf.peaks import PEAK, STEP, WINDOWS, Peak, banded, blurred, floored, look_back, tops
from roi_core.cnmf.residual import steadied
from roi_core.cnmf.state import BODY
from roi_core.jit import kernel, lean

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.misses import Floors
    from roi_core.cnmf.residual import Ring
    from roi_core.cnmf.state import Field

__all__ = ["MISSED", "Candidate", "Detector", "step_of"]

SUSPECT = 30.0
"""Evidence of either sign, over what is usual on the field, that keeps a place out of the measure of the
glow: a cell so bright would pass for glow around it."""
SPARSE = 3
"""Of so many pixels a side one is asked what is usual."""
MOST = 6
"""Candidates fitted in one look."""
MISSED = 16
"""Candidates that fell short and wait to be remembered, one a frame."""
WARM, FRAMES = 20, 90
"""Looks, and frames, before the noise of the evidence and the glow are known well enough."""
BACK = 0.0, 0.9
"""When to look back: as soon as that is known, and when so much of the ring is full for the first time."""
EARLY = 60
"""Peaks of the first frames that are fitted at most."""
MEMORY = 200
"""Looks in which the noise of the evidence is forgotten."""
REACH, RIM = 1.9, 1.5
"""Cell radii: a candidate's patch reaches so far, and shows only glow beyond the second."""
FAINT = 0.25
"""Pixels below this share of the brightest are left out of a candidate's shape."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed cell: its binned shape (s, s) at corner (y, x) of the ring, its trace up to ``last``.

    The trace is told above its median, which lay at ``rest`` in the ring. Its marks are the correlation of
    shape and image, the significance ``z`` of its transients, and its ``area`` over the expected one.
    """

    y: int
    x: int
    shape: NDArray[np.float32]
    trace: NDArray[np.float32]
    last: int
    r: float = 1.0
    z: float = np.inf
    area: float = 1.0
    rest: float = 0.0


class Detector:
    """Looks at the ring every `step` frames. Lives on a thread of its own, or inline; see also `apart`."""

    def __init__(self, field: Field, rate: float) -> None:
        self.field = field
        self.step = step_of(rate)
        self._radius = field.radius / field.factor
        half = int(np.ceil(REACH * self._radius))
        self._distance = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1])
        self._sums = np.zeros((max(WINDOWS), *field.binned), np.float32)
        self._power = np.ones((len(WINDOWS), *field.binned), np.float32)
        self.suspects = np.zeros(field.binned, np.bool_)
        """Where something stands out that is not glow: what may become a cell, or what one left behind."""
        self.looks = 0
        self.done = 1  # the first frame is the mean itself: nothing is left of it
        self.missed: list[Candidate] = []
        """The last that fell short of the floors; whoever knows them takes them out."""
        self._early: list[Peak] = []
        """Peaks of the first frames that wait for their fit."""
        self._back = [*BACK]
        self._since = self._before = 0

    def skip(self, frame: int) -> None:
        """Go on at this frame; what lies between is not looked at."""
        self.done = max(self.done, frame)

    def look(
        self, ring: Ring, last: int, noise: NDArray[np.float32], floors: Floors = USUAL
    ) -> list[Candidate]:
        """Take in the residuals up to ``last``; return the candidates of the newest look, best first."""
        if last - self.done > len(ring) // 2:
            self.skip(last - self.step)
        newest: list[Peak] = []
        while self.done + self.step <= last:
            self._take(ring, noise)
            bands, alone = self.evidence()
            z = self._standardised(bands, alone)
            if self.done + self.step > last:
                self._suspect(bands)
                newest = self._peaks(z) if self._warm else []
        fits = [self._fit(peak, ring, noise) for peak in self._next(newest, ring, noise)]
        self.missed += [fit for fit in fits if fit is not None and floors.flaw(fit)]
        del self.missed[:-MISSED]
        return [fit for fit in fits if fit is not None and not floors.flaw(fit)]

    def forget(self, candidate: Candidate, noise: NDArray[np.float32]) -> None:
        """Take a candidate that became a cell out of the sums."""
        field, m, side = self.field, self.field.margin, len(candidate.shape)
        y, x = candidate.y - m, candidate.x - m
        rows, columns = (
            slice(max(v, 0), min(v + side, size)) for v, size in zip((y, x), field.binned, strict=True)
        )
        shape = candidate.shape[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
        shape = shape / np.sqrt(floored(noise[rows, columns], noise.mean()) * np.float32(self.step))
        end = self.done - (candidate.last - len(candidate.trace))
        place = self._sums[:, rows, columns]
        _take_from(place, shape, candidate.trace, self.looks, end, self.step)

    def close(self) -> None:
        """End nothing: it has no process of its own."""

    def _take(self, ring: Ring, noise: NDArray[np.float32]) -> None:
        total = ring.sum(self.done, self.done + self.step)
        if not ring.holds(self.done):  # overtaken meanwhile: as if nothing had been there
            total[:] = 0
        self._sums[self.looks % len(self._sums)] = total / np.sqrt(floored(noise, noise.mean()) * self.step)
        self.done += self.step
        self.looks += 1

    def evidence(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the evidence (windows, rows, columns) `banded`, before division by its noise."""
        bands, alone = np.empty((2, len(WINDOWS), *self.field.binned), np.float32)
        total, taken = np.zeros(self.field.binned, np.float32), 0
        for k, window in enumerate(WINDOWS):
            for back in range(taken, min(window, self.looks)):
                total += self._sums[(self.looks - 1 - back) % len(self._sums)]
            taken = window
            bands[k], alone[k] = banded(total / np.float32(np.sqrt(window)), self._radius)
        return bands, alone

    @property
    def _warm(self) -> bool:
        return self.looks >= WARM and self.done >= FRAMES

    def _next(self, newest: list[Peak], ring: Ring, noise: NDArray[np.float32]) -> list[Peak]:
        """Return which peaks to fit: the best of the newest and of those that stood out before.

        Of the latter first of all those that the ring will have lost soon after the next look.
        """
        if self._since != ring.since:
            self._since, self._back = ring.since, [*BACK]
        new = self.done - self._since
        if self._warm and self._back and new >= max(FRAMES, self._back[0] * len(ring)):
            self._back = [share for share in self._back if share * len(ring) > new]
            self._early = sorted(look_back(ring, self.done, self.step, noise, self._radius), reverse=True)
        oldest, between = ring.oldest(self.step), self.done - self._before
        early = [peak for peak in self._early[:EARLY] if peak.end - peak.frames >= oldest]
        lost_soon = [peak for peak in early if peak.end - peak.frames < oldest + 2 * between]
        self._before = self.done
        others = [peak for peak in early if peak not in lost_soon]
        first = lost_soon + others[: max(MOST // 2 - len(lost_soon), 0)]
        self._early = [peak for peak in early if peak not in first]
        return first + sorted(newest, reverse=True)[: max(MOST - len(first), 0)]

    def _peaks(self, z: NDArray[np.float32]) -> list[Peak]:
        best = z.max(0)
        return [
            Peak(float(best[y, x]), int(y), int(x), WINDOWS[z[:, y, x].argmax()] * self.step, self.done)
            for y, x in np.argwhere(tops(best, PEAK, self._radius))
        ]

    def _suspect(self, evidence: NDArray[np.float32]) -> None:
        """Mark where the evidence is far from what is usual on the field, and a radius around."""
        some = self._power[:, ::SPARSE, ::SPARSE]
        usual = np.sqrt(np.median(some, (1, 2), keepdims=True)) + np.float32(1e-12)
        far = (abs(evidence) > SUSPECT * usual).any(0)
        width = 2 * round(self._radius) + 1
        self.suspects = cv2.dilate(np.asarray(far, np.uint8), np.ones((width, width), np.uint8)) > 0

    def _standardised(self, bands: NDArray[np.float32], alone: NDArray[np.float32]) -> NDArray[np.float32]:
        """Divide by the running noise of each pixel, and let that follow; events are clipped."""
        if self.looks == 1:
            self._power[:] = np.median(bands**2, (1, 2), keepdims=True) * 2.2
        share = np.float32(1 / min(self.looks + 10, MEMORY))
        z = np.empty_like(bands)
        for k, power in enumerate(self._power):
            _weigh(bands[k], alone[k], blurred(power, self._radius), share, power, z[k])
        return z

    def _fit(self, peak: Peak, ring: Ring, noise: NDArray[np.float32]) -> Candidate | None:
        """Fit one peak over all frames of the ring; None when there is nothing."""
        distance, half = self._distance, len(self._distance) // 2
        y, x = peak.y + ring.margin - half, peak.x + ring.margin - half
        first = ring.oldest(self.step)
        begin, newest = max(peak.end - peak.frames - first, 0), peak.end - first
        if newest <= 0:  # the ring has lost it
            return None
        patch = ring.cut(first, self.done, y, x, len(distance))
        rim = distance > RIM * self._radius
        patch -= patch[:, rim].mean(1)[:, None, None]
        steady = steadied(patch, ring.paces(first, self.done))
        if not ring.holds(first):  # overtaken meanwhile
            return None
        sigma = float(np.sqrt(floored(noise[peak.y, peak.x], noise.mean())))
        image = steady[begin:newest].mean(0)
        rest = np.r_[0:begin, newest : len(steady)] if peak.end < self.done else slice(None)
        for _ in range(3):
            shape = _trimmed(image, distance, self._radius)
            energy = float((shape.astype(np.float64) ** 2).sum())
            if energy <= 0:
                return None
            trace = _projected(steady, shape) / np.float32(energy)
            trace -= np.median(trace[rest])
            spread = sigma / np.sqrt(energy)
            lead = lead_of(trace, self.step, spread)
            gain = float(lead @ trace)
            if gain <= 0:
                return None
            image = _weighted(steady, lead) / np.float32(gain)
        final = _trimmed(image, distance, self._radius)
        smooth = cv2.GaussianBlur(image, (0, 0), 0.7)
        inside = distance <= REACH * self._radius
        area = float((final > BODY * final.max()).sum()) * self.field.factor**2 / self.field.area
        r, z = _correlation(smooth[inside], final[inside]), gain / (spread * float(np.sqrt(lead @ lead)))
        if not final.any():
            return None
        trace = _projected(patch, final) / np.float32((final.astype(np.float64) ** 2).sum())
        level = np.median(trace)
        return Candidate(y, x, final, trace - level, self.done, r, z, area, float(level))


def step_of(rate: float) -> int:
    """Return how many frames are summed into one entry at ``rate`` Hz."""
    return max(1, round(STEP * rate))


def _trimmed(image: NDArray[np.float32], distance: NDArray[np.float64], radius: float) -> NDArray[np.float32]:
    """Return the non-negative connected part round the middle, smoothed, its faint pixels removed."""
    smooth = cv2.GaussianBlur(image - np.median(image[distance > RIM * radius]), (0, 0), 0.7)
    smooth[distance > REACH * radius] = 0
    inside = np.where(distance <= max(0.8 * radius, 1), smooth, -np.inf)
    brightest = np.unravel_index(inside.argmax(), inside.shape)
    if not smooth[brightest] > 0:
        return np.zeros_like(image)
    mask = smooth > FAINT * smooth[distance <= max(radius, 1)].max()
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    label = labels[brightest]
    return np.where((labels == label) & (label > 0), smooth, 0).astype(np.float32)


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


@lean
def _weigh(bands: Any, alone: Any, known: Any, share: Any, power: Any, z: Any) -> None:
    """Fill ``z`` with what stands out ``alone`` over its noise, and let the noise ``power`` follow."""
    for y in range(z.shape[0]):
        b, a, usual, p, out = bands[y], alone[y], known[y], power[y], z[y]
        for x in range(b.size):
            least = usual[x] + np.float32(1e-12)
            out[x] = a[x] / np.sqrt(least)
            now, most = b[x] * b[x], np.float32(6) * least
            p[x] += share * ((now if now < most else most) * np.float32(1.05) - p[x])


@lean
def _take_from(sums: Any, shape: Any, trace: Any, looks: Any, end: Any, step: Any) -> None:
    """Take a shape times its trace out of the last sums over ``step`` frames; the newest ends at ``end``."""
    for back in range(min(sums.shape[0], looks)):
        first = end - (back + 1) * step
        if first < 0:
            break
        weight = np.float32(0)
        for frame in range(first, min(first + step, trace.size)):
            weight += trace[frame]
        entry = sums[(looks - 1 - back) % sums.shape[0]]
        for y in range(shape.shape[0]):
            for x in range(shape.shape[1]):
                entry[y, x] -= weight * shape[y, x]


@kernel
def _projected(patch: Any, shape: Any) -> Any:
    """Return the product of each frame with the shape."""
    out = np.zeros(patch.shape[0], np.float32)
    for t in range(patch.shape[0]):
        for y in range(patch.shape[1]):
            for x in range(patch.shape[2]):
                out[t] += patch[t, y, x] * shape[y, x]
    return out


@kernel
def _weighted(patch: Any, weights: Any) -> Any:
    """Return the sum of all frames, each times its weight."""
    out = np.zeros(patch.shape[1:], np.float32)
    for t in range(patch.shape[0]):
        if weights[t] != 0:
            for y in range(patch.shape[1]):
                for x in range(patch.shape[2]):
                    out[y, x] += weights[t] * patch[t, y, x]
    return out


@kernel
def lead_of(trace: Any, width: Any, spread: Any) -> Any:
    """Return for each frame by how much the mean of the ``width`` frames before it exceeds ``spread``."""
    out = np.zeros_like(trace)
    total = np.float32(0)
    for t in range(trace.size - 1):
        total += trace[t]
        if t >= width:
            total -= trace[t - width]
        out[t + 1] = max(total / min(t + 1, width) - np.float32(spread), np.float32(0))
    return out
