"""The end of a fibre bundle, as photometry labs record it: 470 and 415 nm in turn, each fibre a bright disc.

Of fibre k on a 470 nm frame there are ``F_k * bleach_t * shared_kt * (1 + dff_kt)`` photons a pixel, on a
415 nm frame ``DIM * F_k * bleach_t * shared_kt``: movements and bleaching are in both, activity in one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Fibres"]

STRETCH: Final = 8.0
"""Seconds that are computed at once; nothing that happens lasts longer."""
DIM: Final = 0.7
"""Brightness of the reference, of the signal's."""
RISE: Final = 0.05
DECAY: Final = 0.8
POOL: Final = 1 << 18


class Stretch(NamedTuple):
    """What changes in n frames, of K fibres: true dF/F (n, K) and what both channels share (n, K)."""

    dff: NDArray[np.float64]
    shared: NDArray[np.float64]


class Fibres:
    """Pictures (H, W) whose truth is known; frame ``k`` shows 470 nm when k is even."""

    def __init__(self, preset: dict[str, Any], shape: tuple[int, int], seed: int) -> None:
        self._preset, self._seed = preset, seed
        self._rng_of = lambda *what: np.random.default_rng((seed, *what))
        rng = self._rng_of(0)
        columns, rows = preset["fibres"]
        self._radius = min(preset["radius"], 0.4 * shape[1] / columns, 0.4 * shape[0] / rows)
        x = (np.arange(columns) + 0.5) * shape[1] / columns
        y = (np.arange(rows) + 0.5) * shape[0] / rows
        self._centres = np.round(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) - 0.5)
        self._light = rng.uniform(preset["f0"][0], preset["f0"][1], len(self._centres))
        far = np.hypot(*(np.indices(shape)[::-1, None] - self._centres.T[:, :, None, None]))
        self._fibre = far.argmin(axis=0)
        self._profile = 1 / (1 + np.exp((far.min(axis=0) - self._radius) / 0.7))
        self._noise = rng.standard_normal(POOL + shape[0] * shape[1]).astype(np.float32)
        self._frames = round(STRETCH * preset["rate"])
        self._now: tuple[int, Stretch] = (0, self._compute(0))

    def circles(self) -> NDArray[np.float64]:
        """Return (K, 3) rows of xc, yc, r, a little within each fibre, as ROI files write them."""
        radii = np.full((len(self._centres), 1), round(0.85 * self._radius, 1))
        return np.hstack([self._centres, radii])

    def first(self, frames: int) -> Stretch:
        """Return the truth of the first frames, those of 415 nm included."""
        parts = [self._compute(number) for number in range(-(-max(frames, 1) // self._frames))]
        return Stretch(*(np.concatenate(column)[:frames] for column in zip(*parts, strict=True)))

    def draw(self, image: NDArray[np.uint16], index: int) -> None:
        """Fill `image` (H, W) with frame `index`."""
        preset = self._preset
        number, row = divmod(index, self._frames)
        if number != self._now[0]:
            self._now = number, self._compute(number)
        dff, shared = (part[row] for part in self._now[1])
        colour = 1 + dff if index % 2 == 0 else DIM
        photons = preset["base"] + self._profile * (self._light * shared * colour)[self._fibre]
        start = int(self._rng_of(3, index).integers(POOL))
        noise = self._noise[start : start + image.size].reshape(image.shape)
        counts = preset["offset"] + preset["gain"] * (photons + np.sqrt(photons) * noise)
        image[:] = np.clip(counts, 0, 65_535)

    def _compute(self, number: int) -> Stretch:
        """Return a stretch; what began in the one before goes on in it."""
        n, rate, preset = self._frames, self._preset["rate"], self._preset
        since = np.arange(2 * n) / rate
        transient = (1 - np.exp(-since / RISE)) * np.exp(-since / DECAY)
        dff, moved = np.zeros((2, 2 * n, len(self._centres)))
        for half, which in enumerate((number - 1, number)):
            if which < 0:
                continue
            rng = self._rng_of(1, which)
            starts = half * n + rng.integers(n, size=(rng.poisson(STRETCH * preset["events"]), dff.shape[1]))
            for row in starts:
                for k, start in enumerate(row):
                    dff[start:, k] += preset["peak"] * rng.lognormal(0, 0.3) * transient[: 2 * n - start]
            for start in half * n + rng.integers(n, size=rng.poisson(STRETCH * preset["movements"])):
                length = int(rng.uniform(0.3, 2.0) * rate)
                dip = np.hanning(length)[: max(2 * n - start, 0), None] * rng.uniform(0.05, 0.25)
                moved[start : start + len(dip)] += dip * rng.uniform(0.7, 1.0, dff.shape[1])
        seconds = (number * n + np.arange(n))[:, None] / rate
        bleach = 1 - preset["bleach"] * (1 - np.exp(-seconds / 120.0))
        return Stretch(dff[n:], bleach * np.maximum(1 - moved[n:], 0.2))
