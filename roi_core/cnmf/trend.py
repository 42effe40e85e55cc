"""Noise and baseline of a trace, followed frame by frame: what is neither calcium nor signal.

Noise is the winsorised mean square of second differences, which a slow transient hardly touches. The
baseline is the foot of the distribution of block means over the last `settings.baseline` seconds: the
lowest level that holds a fair part of as many blocks as the fullest level. So a burst of half that time
does not lift it, and a dip of a tenth of it (motion, a light switched off) does not pull it down. In it the
mean is taken of the blocks no more than their noise above it, and corrected for that cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, lean, part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BASELINE", "BLOCKS", "FIELDS", "LEVELS", "NOISE", "follow", "learn"]

BLOCKS = 100
"""Block means kept per cell."""
FIELDS = 13
NOISE, BASELINE, LAST, BEFORE, VARIANCE, SEEN, SUM, LENGTH, FILLED, NEXT, TARGET, STEP, PHASE = range(FIELDS)
LEVELS = np.array([BASELINE, LAST, BEFORE, SUM, TARGET, STEP])
"""What is larger when the light is."""
YOUNG, EVERY = 20, 3
"""Up to how many blocks the baseline is looked for after each block, and after how many blocks later."""
MEMORY = 400
"""Frames in which the noise forgets."""
CLIP = 4.0
CLIPPED = 0.9205
"""Mean of min(z^2, 4) for normal z."""
SPREAD = 0.15
"""Width of a level beyond the noise of a block, as a part of the lower half of the distribution."""
ENOUGH = 0.15
"""A level holds enough blocks with this part of the most that any holds."""


@part
def follow(
    trend: NDArray[np.float32], blocks: NDArray[np.float32], value: float, length: int, n: int, phase: int
) -> None:
    """Take one finite `value` into noise and baseline; blocks of `length` frames, `n` of them.

    Cells of different `phase` have their work, 0.4 us a block, in different frames.
    """
    if trend[SEEN] == 0:
        trend[PHASE] = phase % (EVERY * length)
    _noise(trend, value)
    trend[SUM] += value
    trend[LENGTH] += 1
    filled = trend[FILLED]
    if trend[LENGTH] >= length + (trend[PHASE] % length if filled == 0 else 0):
        mean = trend[SUM] / trend[LENGTH]
        _insert(trend, blocks, mean, n)
        if filled < YOUNG or (trend[NEXT] + trend[PHASE]) % EVERY == 0:
            trend[TARGET] = _foot(trend, blocks[1], length)
            trend[STEP] = (trend[TARGET] - trend[BASELINE]) / (length * (1 if filled < YOUNG else EVERY))
        if filled == 0:
            trend[BASELINE], trend[STEP] = trend[TARGET], 0
        trend[SUM] = trend[LENGTH] = 0
    elif filled == 0:
        trend[BASELINE] = trend[SUM] / trend[LENGTH]
    trend[BASELINE] += trend[STEP]


@part
def _noise(trend: NDArray[np.float32], value: float) -> None:
    if trend[SEEN] >= 2:
        second = value - 2 * trend[LAST] + trend[BEFORE]
        square = second * second / 6
        variance = trend[VARIANCE]
        n = min(trend[SEEN] - 1, MEMORY)
        if trend[SEEN] < 10:
            variance += (square - variance) / n
        else:
            variance += (min(square, CLIP * variance) / CLIPPED - variance) / n
        trend[VARIANCE] = variance
        trend[NOISE] = np.sqrt(variance)
    trend[SEEN] += 1
    trend[BEFORE], trend[LAST] = trend[LAST], value


@lean
def _insert(trend: NDArray[np.float32], blocks: NDArray[np.float32], mean: float, n: int) -> None:
    """Replace the oldest of `n` blocks by `mean`, in the ring blocks[0] and in the sorted blocks[1]."""
    ring, rising = blocks[0], blocks[1]
    filled = int(trend[FILLED])
    place = int(trend[NEXT])
    if filled > n or place >= n:  # the memory was made shorter: begin anew
        filled = place = 0
    i = filled
    if filled == n:
        old = ring[place]
        i = 0
        while i < n - 1 and rising[i] < old:
            i += 1
    else:
        filled += 1
    ring[place] = mean
    rising[i] = mean
    while i > 0 and rising[i - 1] > mean:
        rising[i] = rising[i - 1]
        i -= 1
        rising[i] = mean
    while i < filled - 1 and rising[i + 1] < mean:
        rising[i] = rising[i + 1]
        i += 1
        rising[i] = mean
    trend[FILLED] = filled
    trend[NEXT] = (place + 1) % n


@lean
def _foot(trend: NDArray[np.float32], rising: NDArray[np.float32], length: int) -> float:
    """Return the lowest well-filled level: a brief dip does not pull it down, a long burst not up."""
    filled = int(trend[FILLED])
    noise = trend[NOISE] / np.sqrt(length)
    wide = 3 * noise + SPREAD * (rising[filled // 2] - rising[filled // 20])
    most, end = 0, 0
    for i in range(filled):
        while end < filled and rising[end] <= rising[i] + wide:
            end += 1
        most = max(most, end - i)
    foot, end = rising[0], 0
    for i in range(filled):
        while end < filled and rising[end] <= rising[i] + wide:
            end += 1
        if end - i >= ENOUGH * most:
            foot = rising[(i + end) // 2]
            break
    for _ in range(2):
        total, count = 0.0, 0
        for i in range(filled):
            if rising[i] > foot + 1.5 * noise:
                break
            if rising[i] >= foot - 3 * noise:
                total += rising[i]
                count += 1
        if count > 0:
            # The mean of a normal cut above 1.5 sd lies .139 sd low.
            foot = total / count + 0.139 * noise
    return float(foot)


@kernel
def learn(
    history: NDArray[np.float32],
    trends: NDArray[np.float32],
    blocks: NDArray[np.float32],
    length: int,
    n: int,
) -> None:
    """Take a past (N, T) into noise and baseline of N new cells; of less than a block that is the mean."""
    for k in range(history.shape[0]):
        for t in range(history.shape[1]):
            if np.isfinite(history[k, t]):
                follow(trends[k], blocks[k], history[k, t], length, n, k)
        if trends[k, FILLED] > 0:
            trends[k, BASELINE] = trends[k, TARGET]
        trends[k, STEP] = 0
