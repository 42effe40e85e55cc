"""Two colours side by side on one chip: what lies in one half, and where the same lies in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from roi_core.rois.shapes import Roi

__all__ = ["pairs", "twins"]

CLOSE: Final = 1.5
"""px by which a twin may lie off its place and still be known as one."""
ALIKE: Final = 0.1
"""Share by which its radius may differ."""


def pairs(circles: ArrayLike, shift: tuple[float, float]) -> list[tuple[int, int]]:
    """Return (first, second) for each circle and its twin, by their places among (K, 3) rows xc, yc, r.

    The second lies `shift` (dx, dy) px from the first; each is in one pair at most, the closest.
    """
    rows = np.asarray(circles, np.float64).reshape(-1, 3)
    off = rows[None, :, :2] - rows[:, None, :2] - np.asarray(shift)
    far = np.hypot(off[..., 0], off[..., 1])
    unlike = np.abs(rows[None, :, 2] - rows[:, None, 2]) > ALIKE * rows[:, None, 2] + 0.5
    far[unlike | (far > CLOSE)] = np.inf
    found: list[tuple[int, int]] = []
    while far.size and np.isfinite(far.min()):
        first, second = (int(k) for k in np.unravel_index(far.argmin(), far.shape))
        found.append((first, second))
        far[[first, second], :] = np.inf
        far[:, [first, second]] = np.inf
    return sorted(found)


def twins(
    rois: Iterable[Roi], shift: tuple[float, float], halves: Sequence[str], shape: tuple[int, int]
) -> list[Roi]:
    """Return a new twin in the other half of a picture (H, W) for each region that has none.

    ``shift`` (dx, dy) px leads from the first of the `halves` (``left``, ``right`` or ``top``, ``bottom``)
    to the second. A twin is named after its half, has the colour of its region, and no id yet. One that
    would have its centre outside the picture is left out.
    """
    rois = list(rois)
    paired = {k for pair in pairs([roi.circle() for roi in rois], shift) for k in pair}
    found = []
    for k, roi in enumerate(rois):
        x, y = roi.centroid()
        middle = (shape[1] if "left" in halves else shape[0]) / 2 - 0.5
        first = (x if "left" in halves else y) < middle
        dx, dy = shift if first else (-shift[0], -shift[1])
        inside = -0.5 <= x + dx < shape[1] - 0.5 and -0.5 <= y + dy < shape[0] - 0.5
        if k not in paired and inside:
            name = f"{roi.name} {halves[first]}"
            found.append(roi.moved(dx, dy).with_(id=0, version=1, name=name, locked=False, group=0))
    return found
