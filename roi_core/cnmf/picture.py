"""The passes over the whole picture: centring, binning, and what neither cell nor glow explains of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import lean, lean_sums, sums

if TYPE_CHECKING:
    from typing import Any

__all__ = ["centre", "contrast", "explain", "track_noise", "without_cells"]


# A row is sliced before the loop over it and copied by a loop: both vectorise, `d[x]` from x0 on and
# `a[:] = b` of rows do not (centring a picture took 180 us, now 55).


@lean
def _copied(row: Any, out: Any) -> None:
    for x in range(out.size):
        out[x] = row[x]


@lean_sums
def _sum_rows(padded: Any, y: Any, first: Any, factor: Any, out: Any) -> None:
    """Fill ``out`` with the sum of ``factor`` rows from y on, each from column ``first`` on."""
    a, b = padded[y, first : first + out.size], padded[y + factor - 1, first : first + out.size]
    if factor == 1:
        _copied(a, out)
    elif factor == 2:
        for x in range(out.size):
            out[x] = a[x] + b[x]
    else:
        _copied(a, out)
        for k in range(1, factor):
            c = padded[y + k, first : first + out.size]
            for x in range(out.size):
                out[x] += c[x]


@lean_sums
def _pair_up(line: Any, factor: Any, scale: Any, out: Any) -> None:
    """Fill ``out`` with sums over ``factor`` neighbours, scaled."""
    if factor == 1:
        for x in range(out.size):
            out[x] = line[x] * scale
    elif factor == 2:
        for x in range(out.size):
            out[x] = (line[2 * x] + line[2 * x + 1]) * scale
    else:
        for x in range(out.size):
            value = np.float32(0)
            for k in range(factor):
                value += line[x * factor + k]
            out[x] = value * scale


@lean
def contrast(padded: Any, margin: Any, seen: Any, step: Any) -> Any:
    """Return the standard deviation of every ``step``-th pixel of the part (y0, y1, x0, x1) of a picture."""
    number, total, squares = 0, 0.0, 0.0
    first = np.float64(padded[margin + seen[0], margin + seen[2]])
    for y in range(margin + seen[0], margin + seen[1], step):
        for x in range(margin + seen[2], margin + seen[3], step):
            value = np.float64(padded[y, x]) - first
            number, total, squares = number + 1, total + value, squares + value * value
    return np.sqrt(max(squares - total * total / number, 0.0) / number) if total == total else np.nan


@lean
def _fade(row: Any, share: Any, level: Any) -> None:
    for x in range(row.size):
        row[x] += share * (row[x] - level)


@lean_sums
def _centre_rows(
    padded: Any, margin: Any, mean: Any, rate: Any, fade: Any, seen: Any, first: Any, last: Any
) -> Any:
    """Centre the rows that were seen from the first up to ``last``; return the next one."""
    y, width = first, mean.shape[1]
    while y < min(last, seen[1]):
        _fade(mean[y], fade[0], fade[1])
        row = padded[margin + y, margin : margin + width]
        d, m = row[seen[2] : seen[3]], mean[y, seen[2] : seen[3]]
        for x in range(d.size):
            value = d[x] - m[x]
            d[x] = value
            m[x] += rate * value
        row[: seen[2]] = d[0]
        row[seen[3] :] = d[d.size - 1]
        y += 1
    return y


@lean
def _repeat(padded: Any, margin: Any, width: Any, y: Any, nearest: Any) -> None:
    """Make row y of a picture the same as the ``nearest`` one that was seen."""
    if nearest != y:
        end = margin + width
        _copied(padded[margin + nearest, margin:end], padded[margin + y, margin:end])


@lean_sums
def centre(
    padded: Any,
    margin: Any,
    mean: Any,
    rate: Any,
    fade: Any,
    seen: Any,
    factor: Any,
    line: Any,
    binned: Any,
    cap: Any,
) -> Any:
    """Turn the picture into its deviation from the running mean, in place, and bin that deviation.

    ``padded`` holds the (h, w) picture inside a margin; ``mean`` (h, w) moves towards it by ``rate``, after
    its deviation from a level grew by a share: ``fade`` (share, level). ``seen`` is the part (y0, y1, x0, x1)
    that lay inside the camera's field: outside it the mean does not move and the deviation is that of the
    nearest pixel seen. ``line`` (w,) is room to work in; ``binned`` (h // factor, w // factor) gets the mean
    of each factor x factor block. Returns the sum of its squares, each at most ``cap``.
    """
    height, width = mean.shape
    rows, columns = binned.shape
    scale, rate = np.float32(1 / (factor * factor)), np.float32(rate)
    y0, y1 = seen[0], seen[1]
    for y in range(y0):
        _fade(mean[y], fade[0], fade[1])
    total, done = np.float32(0), y0
    # Rows are binned as soon as they are centred: a second pass would fetch the picture once more.
    for row in range(rows):
        done = _centre_rows(padded, margin, mean, rate, fade, seen, done, max((row + 1) * factor, y0 + 1))
        for y in range(row * factor, (row + 1) * factor):
            _repeat(padded, margin, width, y, min(max(y, y0), y1 - 1))
        out = binned[row]
        _sum_rows(padded, margin + row * factor, margin, factor, line)
        _pair_up(line, factor, scale, out)
        for x in range(columns):
            total += min(out[x] * out[x], cap)
    _centre_rows(padded, margin, mean, rate, fade, seen, done, height)
    for y in range(y1, height):
        _fade(mean[y], fade[0], fade[1])
    for y in range(max(rows * factor, y1), height):
        _repeat(padded, margin, width, y, y1 - 1)
    return total


@sums
def _without_glow(binned: Any, margin: Any, nodes: Any, gain: Any, between: Any, out: Any) -> None:
    """Fill ``out`` with the picture less the glow interpolated between its nodes, first in x, then in y."""
    ylow, yfrac, xlow, xfrac = between
    rows, columns = binned.shape
    wide = np.empty((nodes.shape[0], columns), np.float32)
    for j in range(nodes.shape[0]):
        a, line = nodes[j], wide[j]
        for x in range(columns):
            k = xlow[x]
            line[x] = a[k] + xfrac[x] * (a[k + 1] - a[k])
    for y in range(rows):
        low, high, s = wide[ylow[y]], wide[ylow[y] + 1], yfrac[y]
        d, g, r = binned[y], gain[y], out[margin + y, margin : margin + columns]
        for x in range(columns):
            r[x] = d[x] - g[x] * (low[x] + s * (high[x] - low[x]))


@lean
def _take_cells(count: Any, t: Any, traces: Any, out: Any) -> None:
    side = t.patches.shape[1]
    for i in range(count):
        c = traces[i]
        if c == 0:
            continue
        y0, x0 = t.corners[i, 0], t.corners[i, 1]
        for y in range(t.lines[i, 0], t.lines[i, 1]):
            r, a = out[y0 + y, x0 : x0 + side], t.patches[i, y]
            for x in range(side):
                r[x] -= a[x] * c


@lean
def without_cells(binned: Any, margin: Any, count: Any, t: Any, traces: Any, out: Any) -> None:
    """Fill ``out`` (binned, with margin) with the picture less every cell times its ``traces`` (N,)."""
    rows, columns = binned.shape
    for y in range(rows):
        _copied(binned[y], out[margin + y, margin : margin + columns])
    _take_cells(count, t, traces, out)


@lean
def explain(
    binned: Any,
    margin: Any,
    nodes: Any,
    gain: Any,
    between: Any,
    count: Any,
    t: Any,
    seen: Any,
    factor: Any,
    out: Any,
) -> None:
    """Fill ``out`` (binned, with margin) with the residual: the picture less the glow and every cell.

    ``between`` tells where pixels lie between the glow's ``nodes`` (`Grid.pixels`); what the camera did not
    see, outside ``seen``, is zero.
    """
    _without_glow(binned, margin, nodes, gain, between, out)
    _take_cells(count, t, t.trace, out)
    top, left = margin + -(-seen[0] // factor), margin + -(-seen[2] // factor)
    out[:top] = 0
    out[margin + seen[1] // factor :] = 0
    out[:, :left] = 0
    out[:, margin + seen[3] // factor :] = 0


@lean
def track_noise(now: Any, before: Any, rate: Any, margin: Any, variance: Any) -> None:
    """Follow the noise variance of each binned pixel: half the squared difference of two residuals."""
    rows, columns = variance.shape
    rate = np.float32(rate)
    for y in range(rows):
        a = now[margin + y, margin : margin + columns]
        b = before[margin + y, margin : margin + columns]
        v = variance[y]
        for x in range(columns):
            step = a[x] - b[x]
            v[x] += rate * (np.float32(0.5) * step * step - v[x])
