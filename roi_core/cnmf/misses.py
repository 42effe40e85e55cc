"""Near misses: what was lately refused, with its marks, so that other thresholds can be tried on it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from roi_core.cnmf import quality
from roi_core.cnmf.state import BODY
from roi_core.frame import Spot, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from roi_core.cnmf.detect import Candidate
    from roi_core.cnmf.quality import Marks
    from roi_core.cnmf.view import Camera
    from roi_core.settings import Cnmf

    Box = NDArray[np.float32]

__all__ = ["USUAL", "Floors", "Miss", "Misses", "spots"]

KEPT = 64
"""Misses remembered."""
SAME = 2
"""Pixels within which two misses are the same."""
LATELY = 60.0
"""Seconds for which they are."""
LEAST_R, LEAST_Z = 0.5, 5.0
"""Correlation of shape and image, and significance of the transients, that a candidate must reach."""
SIZES = (0.25, 3.0)
"""A candidate's area over the expected one."""


class Floors(NamedTuple):
    """What a candidate must reach: less than a cell must later, and never more."""

    r: float = LEAST_R
    z: float = LEAST_Z
    small: float = SIZES[0]
    large: float = SIZES[1]

    @classmethod
    def of(cls, settings: Cnmf) -> Floors:
        """Return the usual floors, lower where less is asked of a cell."""
        s = settings
        return cls(
            min(LEAST_R, s.min_r),
            min(LEAST_Z, s.min_evidence),
            min(SIZES[0], s.min_size),
            max(SIZES[1], s.max_size),
        )

    def flaw(self, c: Candidate) -> str:
        """Say in words what a candidate lacks; empty for nothing."""
        if not c.r >= self.r:
            return f"shape and image correlate by {c.r:.2f}, below {self.r:.2g}"
        if not c.z >= self.z:
            return f"evidence {c.z:.2g} is below {self.z:.2g}"
        if not self.small <= c.area <= self.large:
            return f"its area is {c.area:.2g} of the expected, not {self.small:g} to {self.large:g}"
        return ""


USUAL = Floors()


class Miss(NamedTuple):
    """A footprint (S, S) centred at (y, x) that was refused at a row: a candidate, or a component's marks.

    ``marks`` are those of one, each (1,), where a cell is expected to have so many px of ``area``.
    """

    row: int
    box: Box
    centre: tuple[int, int]
    reason: str
    candidate: Candidate | None = None
    marks: Marks | None = None
    area: float = 0.0

    def passes(self, settings: Cnmf) -> bool:
        """Return whether these settings would not refuse it."""
        if self.marks is not None:
            return bool(quality.judge(self.marks, settings, self.area)[0][0] == Status.ACCEPTED)
        return self.candidate is not None and not Floors.of(settings).flaw(self.candidate)


class Misses:
    """The last candidates that were not made cells, and components removed for what they showed."""

    def __init__(self) -> None:
        self._known: deque[Miss] = deque(maxlen=KEPT)

    def remember(self, miss: Miss) -> None:
        """Remember one instead of what was there before; the oldest may be forgotten for it."""
        y, x = miss.centre
        others = [m for m in self._known if max(abs(m.centre[0] - y), abs(m.centre[1] - x)) > SAME]
        if len(others) < len(self._known):
            self._known = deque(others, maxlen=KEPT)
        self._known.append(miss)

    def forget(self) -> None:
        """Forget all: cells have another size."""
        self._known.clear()

    def passing(self, settings: Cnmf, row: int, rate: float) -> Iterator[Miss]:
        """Yield what other settings would let pass, the newest first."""
        for miss in reversed(self._known):
            if row - miss.row <= LATELY * rate and miss.passes(settings):
                yield miss


def spots(
    misses: Iterable[Miss], radius: float, most: int, shape: tuple[int, int], camera: Camera
) -> tuple[Spot, ...]:
    """Return at most so many misses as the camera sees them; each place within a radius (px) counts once."""
    out: list[Spot] = []
    seen: list[tuple[int, int]] = []
    for miss in misses:
        y, x = miss.centre
        if len(out) < most and all(np.hypot(y - v, x - u) > radius for v, u in seen):
            seen.append(miss.centre)
            v, u = (p * camera.bin + o for p, o in zip(miss.centre, camera.origin, strict=True))
            out.append(Spot(v, u, miss.reason, _pixels(miss, shape, camera)))
    return tuple(out)


def _pixels(miss: Miss, shape: tuple[int, int], camera: Camera) -> NDArray[np.int32]:
    reach = len(miss.box) // 2
    wide = np.zeros((shape[0] + 2 * reach, shape[1] + 2 * reach), bool)
    y, x = miss.centre
    wide[y : y + len(miss.box), x : x + len(miss.box)] = miss.box > BODY * miss.box.max()
    fine = (
        wide[reach : reach + shape[0], reach : reach + shape[1]].repeat(camera.bin, 0).repeat(camera.bin, 1)
    )
    ys, xs = np.nonzero(fine)
    pixels: NDArray[np.int32] = ((ys + camera.origin[0]) * camera.shape[1] + xs + camera.origin[1]).astype(
        np.int32
    )
    return pixels
