"""Running sums from which footprints are learned: M and W of Giovannucci et al. (2017), with an instrument.

The textbook sums correlate the picture with the trace of the same frame, which was computed from that very
picture: its noise correlates with itself and any noise footprint confirms itself. Here the picture is
correlated with what the calcium model *predicted* from earlier frames (an instrumental variable): noise of
this frame cannot be in it, so M - W a is an unbiased image of the cell, and noise averages out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from typing import Any

__all__ = ["agree", "gather"]


@kernel
def gather(
    count: Any, padded: Any, centres: Any, glow: Any, prediction: Any, trace: Any, near: Any,
    images: Any, links: Any, power: Any, energy: Any,
) -> None:  # fmt: skip
    """Add one frame to the sums of every cell that the model says is active.

    ``prediction`` (N,) is the calcium expected before the frame was seen, 0 for a silent cell.
    """
    side = images.shape[1]
    reach = side // 2
    height, width = padded.shape[0] - side, padded.shape[1] - side
    for i in range(count):
        z = np.float32(prediction[i])
        if not z > 0:
            continue
        y0, x0 = centres[i, 0], centres[i, 1]
        left, right = max(0, reach - x0), min(side, width + reach - x0)
        for y in range(max(0, reach - y0), min(side, height + reach - y0)):
            image, d = images[i, y], padded[y0 + y, x0 : x0 + side]
            under = glow[i, 0] + glow[i, 1] * np.float32(y - reach) - glow[i, 2] * np.float32(reach)
            for x in range(left, right):
                image[x] += z * (d[x] - under - glow[i, 2] * np.float32(x))
        for m in range(near.shape[1]):
            j = near[i, m]
            if j < 0:
                break
            links[i, m] += z * trace[j]
        power[i] += z * trace[i]
        energy[i] += z * z


@kernel
def agree(count: Any, calcium: Any, near: Any, rate: Any, sync: Any, first: Any, second: Any) -> None:
    """Follow the mean, the mean square and, for neighbours, the mean product of the calcium."""
    rate = np.float32(rate)
    for i in range(count):
        c = np.float32(calcium[i])
        first[i] += rate * (c - first[i])
        second[i] += rate * (c * c - second[i])
        for m in range(near.shape[1]):
            j = near[i, m]
            if j < 0:
                break
            sync[i, m] += rate * (c * np.float32(calcium[j]) - sync[i, m])
