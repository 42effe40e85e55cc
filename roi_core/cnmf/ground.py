"""Everything whose size follows from that of a cell, and how it is made anew when the size is edited."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from roi_core.cnmf.apart import Distant, looked_at
from roi_core.cnmf.background import Glow
from roi_core.cnmf.detect import Detector
from roi_core.cnmf.residual import Ring
from roi_core.cnmf.shared import Shared, zeros
from roi_core.cnmf.state import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Field
    from roi_core.settings import Cnmf

__all__ = ["COVERED", "Ground", "Shapes", "fitted"]

log = logging.getLogger(__name__)

COVERED = {"2p": 0.002, "1p": 0.1, "photometry": 1.0}
"""Weight of the pixels under cells when the glow is measured, against 1 of free ones.

One-photon pictures have few free pixels, and their glow is flattened before; elsewhere what a cell does must
not pass for glow.
"""


class Shapes(NamedTuple):
    """A copy of what N cells look like: ``boxes`` (N, S, S), their ``centres`` (N, 2), rows born, and ids."""

    boxes: NDArray[np.float32]
    centres: NDArray[np.int64]
    born: NDArray[np.int64]
    ids: NDArray[np.int64]

    @classmethod
    def of(cls, cells: Cells) -> Shapes:
        """Return those of the cells as they are now."""
        return cls(*(getattr(cells.t, name)[: cells.count].copy() for name in cls._fields))

    def still_of(self, cells: Cells) -> bool:
        """Return whether these are the same cells in the same places."""
        now = cells.t.ids[: cells.count], cells.t.centres[: cells.count]
        return np.array_equal(self.ids, now[0]) and np.array_equal(self.centres, now[1])


@dataclass(frozen=True)
class Ground:
    """Pictures, glow, ring, detector and boxes for cells of one size; nothing is known of them yet.

    ``padded`` is the (h, w) picture inside a margin of the boxes' reach, ``binned`` and ``noise`` are on the
    binned picture.
    """

    field: Field
    padded: NDArray[np.float32]
    binned: NDArray[np.float32]
    noise: NDArray[np.float32]
    glow: Glow
    ring: Ring
    detector: Detector | Distant
    cells: Cells

    @classmethod
    def of(cls, field: Field, rate: float, settings: Cnmf, apart: bool = False) -> Self:
        """Return the ground for a field without cells, at `rate` Hz; ``apart``: see `OnlineCNMF`."""
        (h, w), reach = field.shape, field.reach
        glow = Glow(field.binned, field.radius / field.factor, COVERED[settings.preset])
        frames = max(round(settings.buffer * rate), 8)
        ring, noise, detector = (_apart if apart else _here)(field, rate, frames)
        return cls(
            field,
            np.zeros((h + 2 * reach, w + 2 * reach), np.float32),
            np.zeros(field.binned, np.float32),
            noise,
            glow,
            ring,
            detector,
            Cells(field, glow.grid, glow.gain),
        )

    @classmethod
    def under(
        cls, shapes: Shapes, field: Field, rate: float, settings: Cnmf, apart: bool = False
    ) -> tuple[Self, NDArray[np.float32]]:
        """Return the ground with these cells in boxes of its size, and the share (N,) of each that fits."""
        ground = cls.of(field, rate, settings, apart)
        shares = np.ones(len(shapes.ids), np.float32)
        for k, (box, centre, born, cell) in enumerate(zip(*shapes, strict=True)):
            inside = fitted(box, field.side)
            shares[k] = np.sqrt((inside**2).sum() / (box**2).sum())
            ground.cells.add(inside, (int(centre[0]), int(centre[1])), int(born), 0, int(cell))
        return ground, shares


Search = tuple[Ring, "NDArray[np.float32]", Detector | Distant]


def _here(field: Field, rate: float, frames: int) -> Search:
    """Return ring, noise, and a detector that looks at them on the caller's thread."""
    return *looked_at(frames, field, zeros), Detector(field, rate)


def _apart(field: Field, rate: float, frames: int) -> Search:
    """Return ring, noise, and a detector that looks at them in a process of its own, if there can be one."""
    if not Shared.possible():
        return _here(field, rate, frames)
    try:
        shared = Shared()
        return *looked_at(frames, field, shared.zeros), Distant(field, rate, frames, shared)
    except OSError as error:
        log.info("cells are looked for on a thread, for there is no memory to share: %s", error)
        return _here(field, rate, frames)


def fitted(box: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the middle of a box, or the box with a rim of nothing, as (side, side).

    Where a footprint has nothing in its middle, one pixel stands for it: no cell is without a footprint.
    """
    rim = max((side - len(box)) // 2, 0)
    first = max((len(box) - side) // 2, 0)
    inside = np.pad(box, rim)[first : first + side, first : first + side]
    if not inside.any():
        inside[side // 2, side // 2] = 1
    return inside
