"""dF/F of each region while frames flow: (F - F0) / F0 with a running percentile or a fixed baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.settings import Roi

__all__ = ["Dff"]

SAMPLES = 512
"""Values kept per region; a longer window is thinned to this many, which moves a low percentile by < 1 %."""


class Dff:
    """Running dF/F for K regions that may come and go.

    The percentile baseline is exact over the kept values: a window of more than `SAMPLES` frames keeps every
    n-th. The fixed baseline is the mean of a region's own first seconds; until they are over it is the mean
    so far. F0 <= 0 gives NaN, never a division by zero.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._ids: tuple[int, ...] = ()
        self._rules: tuple[str, float] = ("", 0.0)
        self._age = np.zeros(0, np.int64)
        self._total = np.zeros(0)
        self._recent = np.zeros((0, SAMPLES), np.float32)
        self._sorted = np.zeros((0, SAMPLES), np.float32)

    def step(self, ids: tuple[int, ...], means: NDArray[np.float32], rules: Roi) -> NDArray[np.float32]:
        """Return (K,) float32 dF/F of the (K,) means of this frame."""
        if ids != self._ids:
            self._follow(ids)
        seconds = rules.dff_window if rules.dff_baseline == "percentile" else rules.dff_fixed
        if self._rules != (rules.dff_baseline, seconds):
            self._rules = (rules.dff_baseline, seconds)
            self._age[:] = 0
            self._total[:] = 0
        out = np.empty(len(ids), np.float32)
        frames = max(1, round(seconds * self._rate))
        if rules.dff_baseline == "fixed":
            _fixed(means, self._age, self._total, frames, out)
        else:
            every = -(-frames // SAMPLES)
            kept = -(-frames // every)
            _percentile(means, self._age, self._recent, self._sorted, every, kept, rules.dff_percentile, out)
        return out

    def _follow(self, ids: tuple[int, ...]) -> None:
        """Carry the history of the regions that stay over to their new places."""
        place = {roi: k for k, roi in enumerate(self._ids)}
        old = np.array([place.get(roi, -1) for roi in ids], np.intp)
        stays = old >= 0
        for name in ("_age", "_total", "_recent", "_sorted"):
            before = getattr(self, name)
            after = np.zeros((len(ids), *before.shape[1:]), before.dtype)
            after[stays] = before[old[stays]]
            setattr(self, name, after)
        self._ids = ids


@kernel
def _fixed(
    means: NDArray[np.float32],
    age: NDArray[np.int64],
    total: NDArray[np.float64],
    frames: int,
    out: NDArray[np.float32],
) -> None:
    for k in range(means.size):
        if age[k] < frames and means[k] == means[k]:
            total[k] += means[k]
            age[k] += 1
        base = total[k] / max(age[k], 1)
        out[k] = (means[k] - base) / base if base > 0 else np.nan


@kernel
def _percentile(
    means: NDArray[np.float32],
    age: NDArray[np.int64],
    recent: NDArray[np.float32],
    ordered: NDArray[np.float32],
    every: int,
    kept: int,
    percentile: float,
    out: NDArray[np.float32],
) -> None:
    for k in range(means.size):
        value = means[k]
        if value == value:
            if age[k] % every == 0:
                _replace(recent[k], ordered[k], age[k] // every, kept, value)
            age[k] += 1
        count = min(-(-age[k] // every), kept)
        if count == 0:
            out[k] = np.nan
            continue
        place = percentile / 100.0 * (count - 1)
        low = int(place)
        high = min(low + 1, count - 1)
        base = ordered[k, low] + (place - low) * (ordered[k, high] - ordered[k, low])
        out[k] = (value - base) / base if base > 0 else np.nan


@kernel
def _replace(
    recent: NDArray[np.float32], ordered: NDArray[np.float32], number: int, kept: int, value: float
) -> None:
    """Put `value` into the sorted window in place of the one that is `kept` values old."""
    slot = number % kept
    count = min(number, kept)
    if number >= kept:
        at = np.searchsorted(ordered[:count], recent[slot])
        for i in range(at, count - 1):
            ordered[i] = ordered[i + 1]
        count -= 1
    recent[slot] = value
    at = np.searchsorted(ordered[:count], np.float32(value))
    for i in range(count, at, -1):
        ordered[i] = ordered[i - 1]
    ordered[at] = value
