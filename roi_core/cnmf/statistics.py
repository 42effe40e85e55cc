"""Running sums from which footprints are learned: M and W of Giovannucci et al. (2017), with an instrument.

The textbook sums correlate the picture with the trace of the same frame, which was computed from that very
picture: its noise correlates with itself and any noise footprint confirms itself. Here the picture is
correlated with the calcium of the frame *before* (an instrumental variable): noise of this frame cannot be in
it, so M - W a is an unbiased image of the cell, and noise averages out of it. Where the trace is
expected below its running mean, the instrument is negative, as the picture is: while what lifted the mean
fades, both agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, lean, part

if TYPE_CHECKING:
    from typing import Any

__all__ = ["gather", "recall", "reflect", "swing"]

ACTIVE = 0.5
"""Calcium below this many times the noise counts as silence and teaches nothing."""
MEMORY = 60.0
"""Seconds in which agreement and asymmetry of traces are judged."""
SMOOTH = 0.25
"""Seconds over which a trace is smoothed before its asymmetry is judged."""
PEAK = 120.0
"""Seconds in which the highest transient is forgotten."""


@lean
def gather(count: Any, t: Any, padded: Any, glow: Any, rest: Any) -> None:
    """Add one frame to the sums of every cell that was active just before (``t.prediction``).

    ``rest`` (N,) is what each trace, above its running mean, is expected to be without activity.
    """
    side = t.images.shape[1]
    reach = side // 2
    height, width = padded.shape[0] - side + 1, padded.shape[1] - side + 1
    for i in range(count):
        z = t.prediction[i]
        if not z > 0:
            continue
        if z + rest[i] < 0:
            z += rest[i]
        y0, x0 = t.centres[i, 0], t.centres[i, 1]
        left, right = max(0, reach - x0), min(side, width + reach - x0)
        for y in range(max(0, reach - y0), min(side, height + reach - y0)):
            image, d = t.images[i, y, left:right], padded[y0 + y, x0 + left : x0 + right]
            under = glow[i, 0] + glow[i, 1] * np.float32(y - reach) + glow[i, 2] * np.float32(left - reach)
            for x in range(right - left):
                image[x] += z * (d[x] - under - glow[i, 2] * np.float32(x))
        for m in range(t.near.shape[1]):
            j = t.near[i, m]
            if j < 0:
                break
            t.links[i, m] += z * t.trace[j]
        t.power[i] += z * t.trace[i]
        t.energy[i] += z * z
        t.fresh[i] = 1


@lean
def reflect(count: Any, t: Any, raw: Any, calcium: Any, noise: Any, seconds: Any) -> None:
    """Take this frame's (N,) traces into what is known of each cell; a frame lasts ``seconds``."""
    rate = np.float32(seconds / MEMORY)
    for i in range(count):
        c = np.float32(calcium[i])
        t.prediction[i] = c if c > ACTIVE * noise[i] else 0
        _follow(i, t, raw[i], c, seconds)
    for i in range(count):
        c = t.prediction[i]
        t.first[i] += rate * (c - t.first[i])
        t.second[i] += rate * (c * c - t.second[i])
        t.loud[i] = max(t.loud[i], t.second[i])
        for m in range(t.near.shape[1]):
            j = t.near[i, m]
            if j < 0:
                break
            t.sync[i, m] += rate * (c * t.prediction[j] - t.sync[i, m])


@kernel
def recall(i: Any, t: Any, raw: Any, calcium: Any, seconds: Any) -> None:
    """Take the past (T,) of a new cell into how high its transients are and how rarely it is high."""
    for k in range(raw.size):
        if raw[k] == raw[k]:
            _follow(i, t, raw[k], calcium[k], seconds)


@part
def _follow(i: Any, t: Any, raw: Any, calcium: Any, seconds: Any) -> None:
    rate, ease = np.float32(seconds / MEMORY), np.float32(min(1.0, seconds / SMOOTH))
    t.peak[i] = max(t.peak[i] * np.float32(1 - seconds / PEAK), np.float32(calcium))
    if raw == raw:
        t.smooth[i] += ease * (raw - t.smooth[i])
    power = np.float32(1)
    for k in range(3):
        power *= t.smooth[i]
        t.tail[i, k] += rate * (power - t.tail[i, k])


@kernel
def swing(past: Any, heads: Any, lengths: Any, first: Any, last: Any, t: Any, share: Any) -> None:
    """Take changes of the traces of cells ``first`` to ``last`` into their moments, at each scale.

    A change is the mean of so many frames (``lengths``) before a head less that of as many before them.
    ``past`` (frames, N) is a ring of fluorescence; one look for each of the ``heads``, the oldest first.
    """
    size = past.shape[0]
    change = np.empty(last - first, np.float32)
    for head in heads:
        for k in range(lengths.size):
            length = lengths[k]
            if 2 * length > min(head, size):
                continue
            change[:] = 0
            for n in range(length):
                new, old = past[(head - 1 - n) % size], past[(head - 1 - n - length) % size]
                for i in range(first, last):
                    change[i - first] += new[i] - old[i]
            for i in range(first, last):
                _add_moments(change[i - first] / np.float32(length), np.float32(share), t.swings[i, k])


@part
def _add_moments(value: Any, share: Any, moments: Any) -> None:
    """Follow weight and first moments of a value, unless it is NaN."""
    power = np.float32(1)
    for m in range(moments.size):
        if value == value:
            moments[m] += share * (power - moments[m])
            power *= value
