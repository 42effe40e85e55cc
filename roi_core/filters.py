"""Passes over a whole picture that more than one stage needs: binning, and taking away a wide local mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from roi_core import jit

__all__ = ["binned", "binned_by_4", "high_passed", "mean_of", "room", "unglowed"]

Picture = NDArray[np.float32]


def room(width: int, reach: int) -> Picture:
    """Return the scratch that `high_passed` needs for pictures of that width and reach."""
    return np.zeros((6, width + 2 * reach + 1), np.float32)


@jit.lean_sums
def binned(image: NDArray[Any], factor: int, out: Picture) -> None:
    """Write into `out` (h, w) the means of factor x factor pixels of an image of any real type."""
    h, w = out.shape
    scale = np.float32(1.0 / (factor * factor))
    for y in range(h):
        t = out[y]
        if factor == 1:
            a = image[y]
            for x in range(w):
                t[x] = a[x]
        elif factor == 2:
            a, b = image[2 * y], image[2 * y + 1]
            for x in range(w):
                t[x] = scale * np.float32(
                    (np.float32(a[2 * x]) + np.float32(a[2 * x + 1]))
                    + (np.float32(b[2 * x]) + np.float32(b[2 * x + 1]))
                )
        else:
            for x in range(w):
                t[x] = np.float32(0)
            for i in range(factor):
                a = image[factor * y + i]
                for x in range(w):
                    total = np.float32(0)
                    for j in range(factor):
                        total += np.float32(a[factor * x + j])
                    t[x] += scale * total


@jit.lean_sums
def binned_by_4(image: Picture, out: Picture) -> None:
    """Do what `binned` does for 4 x 4 pixels, unrolled: 7 times faster."""
    h, w = out.shape
    scale = np.float32(1 / 16)
    for y in range(h):
        a, b, c, d = image[4 * y], image[4 * y + 1], image[4 * y + 2], image[4 * y + 3]
        t = out[y]
        for x in range(w):
            i = 4 * x
            t[x] = scale * (
                ((a[i] + a[i + 1]) + (a[i + 2] + a[i + 3]))
                + ((b[i] + b[i + 1]) + (b[i + 2] + b[i + 3]))
                + ((c[i] + c[i + 1]) + (c[i + 2] + c[i + 3]))
                + ((d[i] + d[i + 1]) + (d[i + 2] + d[i + 3]))
            )


@jit.lean_sums
def high_passed(image: Picture, reach: int, rows: tuple[int, int], room: Picture, out: Picture) -> None:
    """Write into `out` the image minus its mean over (2 reach + 1)^2 px, its edges repeated outwards.

    Only from the first of ``rows`` to the second.
    """
    w = image.shape[1]
    scale = np.float32(1.0 / (2 * reach + 1) ** 2)
    column = room[0][:w]
    started(image, rows[0], reach, column)
    for y in range(rows[0], rows[1]):
        total = boxed(column, reach, room[2:])
        row, target = image[y], out[y]
        for x in range(w):
            target[x] = row[x] - scale * total[x]
        followed(image, y, reach, column)


@jit.lean_sums
def started(image: Picture, first: int, reach: int, column: Picture) -> None:
    """Make `column` (w,) the sums over the rows around the first."""
    for x in range(column.size):
        column[x] = 0
    for y in range(first - reach, first + reach + 1):
        row = image[max(0, min(image.shape[0] - 1, y))]
        for x in range(column.size):
            column[x] += row[x]


@jit.lean_sums
def followed(image: Picture, y: int, reach: int, column: Picture) -> None:
    """Take the sums around row y to row y + 1."""
    new, old = image[min(image.shape[0] - 1, y + reach + 1)], image[max(0, y - reach)]
    for x in range(column.size):
        column[x] += new[x] - old[x]


@jit.sums
def boxed(column: Picture, reach: int, lines: Picture) -> Any:
    """Return the sums over 2 reach + 1 places around each; `lines` is room for 4 lines.

    The sum is put together from sums over 1, 2, 4, ... places: that vectorises, a running sum would not.
    """
    w = column.size
    line, n = lines[0][: w + 2 * reach], w + 2 * reach
    for x in range(w):
        line[reach + x] = column[x]
    for x in range(reach):
        line[x] = column[0]
        line[reach + w + x] = column[w - 1]
    total = lines[2][:w]
    for x in range(w):
        total[x] = line[x]
    # The length is odd, so the sum over one place is in it; `done` places are, the power is over `step`.
    done, step, k, left = 1, 1, 0, reach
    while left > 0:
        n -= step
        line = lines[k]
        ahead, double = line[step : step + n], lines[1 - k]
        for x in range(n):
            double[x] = line[x] + ahead[x]
        step, k = 2 * step, 1 - k
        if left & 1:
            part = lines[k][done : done + w]
            for x in range(w):
                total[x] += part[x]
            done += step
        left >>= 1
    return total


@jit.lean_sums
def unglowed(glow: Picture, factor: int, lines: Picture, image: Picture) -> None:
    """Take from the image, in place, a glow known on its picture binned by `factor`, between them linearly.

    `lines` (rows + 1, w + 2 factor) is room: the glow stretched to the width of the image, a line per row of
    the glow, and behind them one row of the glow with its ends repeated.
    """
    h, w = image.shape
    rows, columns = glow.shape
    padded = lines[rows][: columns + 2]
    for y in range(rows):
        known = glow[y]
        for i in range(columns):
            padded[1 + i] = known[i]
        padded[0], padded[columns + 1] = known[0], known[columns - 1]
        before, here, after = padded[:columns], padded[1 : columns + 1], padded[2:]
        line = lines[y]
        for j in range(factor):
            f = np.float32((j + 0.5) / factor - 0.5)
            near = before if f < 0 else after
            g = abs(f)
            for i in range(columns):
                line[i * factor + j] = here[i] + g * (near[i] - here[i])
        for x in range(columns * factor, w):
            line[x] = known[columns - 1]
    for y in range(h):
        place = min(max((y + 0.5) / factor - 0.5, 0.0), rows - 1.0)
        i = min(int(place), rows - 1)
        f = np.float32(place - i)
        a, b, row = lines[i][:w], lines[min(i + 1, rows - 1)][:w], image[y]
        for x in range(w):
            row[x] -= a[x] + f * (b[x] - a[x])


@jit.lean_sums
def mean_of(image: Picture) -> float:
    """Return the mean of an image; not finite when one of its pixels is not."""
    total = 0.0
    for y in range(image.shape[0]):
        row, part = image[y], np.float32(0)
        for x in range(row.size):
            part += row[x]
        total += float(part)
    return total / max(1, image.size)
