"""The passes over the whole picture: centring, binning, and the residual that no cell and no glow explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel, sums

if TYPE_CHECKING:
    from typing import Any

__all__ = ["centre", "residual", "subtract", "track_noise"]


@sums
def centre(
    padded: Any, margin: Any, mean: Any, rate: Any, seen: Any, factor: Any, line: Any, binned: Any
) -> None:
    """Turn the picture into its deviation from the running mean, in place, and bin that deviation.

    ``padded`` holds the (h, w) picture inside a margin; ``mean`` (h, w) moves towards it by ``rate``;
    ``seen`` is the part (y0, y1, x0, x1) that lay inside the camera's field: outside it the mean stays and
    the deviation is that of the nearest pixel seen. ``line`` (w,) is room to work in; ``binned``
    (h // factor, w // factor) gets the mean of each factor x factor block.
    """
    height, width = mean.shape
    rows, columns = binned.shape
    scale = np.float32(1 / (factor * factor))
    rate = np.float32(rate)
    y0, y1, x0, x1 = seen
    for y in range(y0, y1):
        d, m = padded[margin + y, margin : margin + width], mean[y]
        for x in range(x0, x1):
            value = d[x] - m[x]
            d[x] = value
            m[x] += rate * value
        d[:x0] = d[x0]
        d[x1:] = d[x1 - 1]
    for y in range(height):
        d = padded[margin + y, margin : margin + width]
        if y < y0:
            d[:] = padded[margin + y0, margin : margin + width]
        elif y >= y1:
            d[:] = padded[margin + y1 - 1, margin : margin + width]
        if y % factor == 0:
            for x in range(width):
                line[x] = d[x]
        else:
            for x in range(width):
                line[x] += d[x]
        row = y // factor
        if y % factor == factor - 1 and row < rows:
            out = binned[row]
            if factor == 2:
                for x in range(columns):
                    out[x] = (line[2 * x] + line[2 * x + 1]) * scale
            else:
                for x in range(columns):
                    total = np.float32(0)
                    for k in range(factor):
                        total += line[x * factor + k]
                    out[x] = total * scale


@kernel
def residual(binned: Any, margin: Any, nodes: Any, ylow: Any, yfrac: Any, xlow: Any, xfrac: Any, out: Any) -> None:
    """Fill ``out`` (padded) with the binned picture less the glow interpolated between its ``nodes``."""
    rows, columns = binned.shape
    line = np.empty(nodes.shape[1], np.float32)
    for y in range(rows):
        low, t = nodes[ylow[y]], yfrac[y]
        high = nodes[min(ylow[y] + 1, nodes.shape[0] - 1)]
        for k in range(line.size):
            line[k] = low[k] + t * (high[k] - low[k])
        d, r = binned[y], out[margin + y, margin : margin + columns]
        last = line.size - 1
        for x in range(columns):
            k = xlow[x]
            r[x] = d[x] - (line[k] + xfrac[x] * (line[min(k + 1, last)] - line[k]))


@kernel
def subtract(count: Any, out: Any, patches: Any, corners: Any, trace: Any) -> None:
    """Take every cell out of the padded residual; ``corners`` (N, 2) are where its binned box begins."""
    side = patches.shape[1]
    for i in range(count):
        c = trace[i]
        if c == 0:
            continue
        y0, x0 = corners[i, 0], corners[i, 1]
        for y in range(side):
            r, a = out[y0 + y, x0 : x0 + side], patches[i, y]
            for x in range(side):
                r[x] -= a[x] * c


@kernel
def track_noise(now: Any, before: Any, rate: Any, variance: Any, margin: Any) -> None:
    """Follow the noise variance of each binned pixel: half the squared difference of two frames."""
    rows, columns = variance.shape
    rate = np.float32(rate)
    for y in range(rows):
        a = now[margin + y, margin : margin + columns]
        b = before[margin + y, margin : margin + columns]
        v = variance[y]
        for x in range(columns):
            step = a[x] - b[x]
            v[x] += rate * (np.float32(0.5) * step * step - v[x])
