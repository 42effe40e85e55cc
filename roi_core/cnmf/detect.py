"""New cells from what is left of the picture when all known cells and the glow are taken out.

Evidence: the residual summed over windows of several lengths (a matched filter for transients), band-passed
to the size of a cell, over its own running noise. A maximum above threshold becomes a candidate: a rank-1
fit to the residual of the last seconds, with an instrument (the trace of the frame before) so that noise does
not confirm itself, then tests of shape and of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["Candidate", "Detector"]

STEP = 0.15
"""Seconds summed into one entry; windows are multiples of it."""
WINDOWS = (1, 3, 7)
"""Lengths of the windows in steps: .15, .45 and 1 s."""
PEAK = 5.5
"""Band-passed residual over its noise that makes a candidate."""
MOST = 6
"""Candidates fitted in one look."""
WARM = 20
"""Looks before the noise of the evidence is known well enough."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed cell: its binned shape (s, s) with corner (y, x) on the padded residual, and its past."""

    y: int
    x: int
    shape: NDArray[np.float32]
    trace: NDArray[np.float32]
    z: float
    r: float


class Detector:
    """Looks at the ring of residuals (frames, rows, columns), each with a margin of zeros."""

    def __init__(self, shape: tuple[int, int], margin: int, radius: float, rate: float) -> None:
        self.shape, self.margin, self.radius, self.rate = shape, margin, radius, rate
        self.step = max(1, round(STEP * rate))
        self._sums = np.zeros((max(WINDOWS), *shape), np.float32)
        self._power = np.ones((len(WINDOWS), *shape), np.float32)
        self._looks = 0
        self._done = 0

    def look(self, ring: NDArray[np.float32], frames: int, noise: NDArray[np.float32]) -> list[Any]:
        """Take in residuals up to `frames`; return the peaks (z, y, x, window) of the newest look, best first."""
        peaks: list[Any] = []
        while self._done + self.step <= frames:
            self._take(ring, noise)
            peaks = self._peaks() or peaks
        return sorted(peaks, reverse=True)

    def _take(self, ring: NDArray[np.float32], noise: NDArray[np.float32]) -> None:
        into = self._sums[self._looks % len(self._sums)]
        into[:] = 0
        m = self.margin
        for frame in range(self._done, self._done + self.step):
            into += ring[frame % len(ring), m : m + self.shape[0], m : m + self.shape[1]]
        into /= np.sqrt(np.maximum(noise, 0.05 * noise.mean() + 1e-9) * self.step)
        self._done += self.step
        self._looks += 1

    def evidence(self) -> NDArray[np.float32]:
        """Return the (windows, rows, columns) band-passed evidence, before division by its noise."""
        out = np.empty((len(WINDOWS), *self.shape), np.float32)
        small, wide = 0.55 * self.radius, 2.0 * self.radius
        for k, window in enumerate(WINDOWS):
            total = np.zeros(self.shape, np.float32)
            for back in range(min(window, self._looks)):
                total += self._sums[(self._looks - 1 - back) % len(self._sums)]
            total /= np.float32(np.sqrt(window))
            fine = cv2.GaussianBlur(total, (0, 0), small, borderType=cv2.BORDER_REFLECT)
            out[k] = fine - cv2.GaussianBlur(total, (0, 0), wide, borderType=cv2.BORDER_REFLECT)
        return out

    def _peaks(self) -> list[Any]:
        evidence = self.evidence()
        power = evidence**2
        if self._looks == 1:
            self._power[:] = np.median(power, (1, 2), keepdims=True) * 2.2
        share = 1 / min(self._looks + 10, 200)
        z = np.empty_like(evidence)
        for k, part in enumerate(power):
            known = cv2.GaussianBlur(self._power[k], (0, 0), self.radius)
            z[k] = evidence[k] / np.sqrt(known)
            self._power[k] += share * (np.minimum(part, 6 * known) * 1.05 - self._power[k])
        if self._looks < WARM:
            return []
        best = z.max(0)
        side = 2 * max(1, round(0.6 * self.radius)) + 1
        top = (best == cv2.dilate(best, np.ones((side, side), np.uint8))) & (best > PEAK)
        return [(float(best[y, x]), int(y), int(x), int(z[:, y, x].argmax())) for y, x in zip(*np.nonzero(top))]

    def forget(self, candidate: Candidate, ring: NDArray[np.float32], frames: int, noise: NDArray[np.float32]) -> None:
        """Take a new cell out of the ring and of the sums, over the frames of its trace."""
        side, n = candidate.shape.shape[0], len(candidate.trace)
        y, x, m = candidate.y, candidate.x, self.margin
        order = np.arange(frames - n, frames) % len(ring)
        ring[order, y : y + side, x : x + side] -= candidate.trace[:, None, None] * candidate.shape
        y0, x0 = max(y - m, 0), max(x - m, 0)
        y1, x1 = min(y - m + side, self.shape[0]), min(x - m + side, self.shape[1])
        part = candidate.shape[y0 + m - y : y1 + m - y, x0 + m - x : x1 + m - x]
        for back in range(min(len(self._sums), self._looks)):
            end = self._done - back * self.step - (frames - n)
            if end - self.step < 0:
                break
            weight = candidate.trace[end - self.step : end].sum()
            sums_ = self._sums[(self._looks - 1 - back) % len(self._sums)]
            sums_[y0:y1, x0:x1] -= part * weight / np.sqrt(noise[y0:y1, x0:x1] * self.step)

    def fit(self, peak: Any, ring: NDArray[np.float32], frames: int, length: int, noise: NDArray[np.float32]) -> Candidate | None:
        """Fit one peak over the last `length` frames; None when it fails the tests of shape or time."""
        z, py, px, window = peak
        half = int(np.ceil(1.9 * self.radius))
        side = 2 * half + 1
        y, x = py + self.margin - half, px + self.margin - half
        if y < 0 or x < 0 or y + side > ring.shape[1] or x + side > ring.shape[2]:
            return None
        order = np.arange(frames - length, frames) % len(ring)
        patch = np.ascontiguousarray(ring[order, y : y + side, x : x + side])
        span = WINDOWS[window] * self.step
        end = length - (frames - self._done)
        first = patch[max(end - span, 0) : end].mean(0)
        yy, xx = np.mgrid[-half : half + 1, -half : half + 1]
        distance = np.hypot(yy, xx)
        shape = _trim(first - np.median(first[distance > 1.5 * self.radius]), distance, self.radius)
        sigma = float(np.sqrt(noise[py, px]))
        for _ in range(3):
            energy = float((shape**2).sum())
            if energy <= 0:
                return None
            trace = np.tensordot(patch, shape, 2) / energy
            trace -= np.median(trace)
            spread = sigma / np.sqrt(energy)
            smooth = _causal_mean(trace.astype(np.float32), max(1, self.step))
            lead = np.maximum(smooth - spread, 0)
            lead[1:] = lead[:-1]
            lead[0] = 0
            gain = float(lead @ trace)
            if gain <= 0:
                return None
            image = np.tensordot(lead, patch, 1) / gain
            image -= np.median(image[distance > 1.5 * self.radius])
            old, shape = shape, _trim(image, distance, self.radius)
        blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.7)
        near = distance <= 1.9 * self.radius
        r = _correlation(blurred[near], shape[near])
        significance = gain / (spread * float(np.sqrt((lead**2).sum())))
        if r < 0.5 or significance < 5:
            return None
        area = float((shape > 0.2 * shape.max()).sum())
        if not 0.25 <= area / (np.pi * self.radius**2) <= 4:
            return None
        return Candidate(y, x, shape, trace.astype(np.float32), z, r)


def _trim(image: NDArray[Any], distance: NDArray[Any], radius: float) -> NDArray[np.float32]:
    """Return the non-negative part near the middle, smoothed, its faint pixels removed."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.7)
    smooth[distance > 1.9 * radius] = 0
    top = smooth[distance <= radius].max()
    mask = (smooth > 0.25 * top).astype(np.uint8)
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    inside = np.where(distance <= 0.8 * radius, smooth, -1)
    label = labels[np.unravel_index(inside.argmax(), inside.shape)]
    smooth[(labels != label) | (label == 0)] = 0
    return np.maximum(smooth, 0)


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


@kernel
def _causal_mean(trace: Any, width: Any) -> Any:
    out = np.empty_like(trace)
    total = np.float32(0)
    for t in range(trace.size):
        total += trace[t]
        if t >= width:
            total -= trace[t - width]
        out[t] = total / min(t + 1, width)
    return out
