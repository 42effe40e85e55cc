"""What the window shows of the numbers: pictures in colour. Knows no toolkit.

Nothing here touches what is measured or recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Region", "to_rgba", "visible_region", "warm_up"]

FULL_SCALE = 65_535
"""The largest code of a picture."""


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a frame that is on screen: its first row and column, in blocks of ``step``."""

    y: int
    x: int
    rows: int
    columns: int
    step: int


def visible_region(
    shape: tuple[int, int],
    limits: tuple[float, float, float, float],
    room: tuple[int, int],
    zoom: float = 1.0,
) -> Region:
    """Return the region of a frame within `limits` (x0, y0, x1, y1), coarse enough for `room` (H, W).

    Zoomed in, every pixel of a large camera is shown; zoomed out, blocks of ``step`` px are averaged: as many
    as fit into a px of the screen at `zoom` (screen px per px), or more where the room is small.
    """
    x0, x1 = _clip(limits[0], limits[2], shape[1])
    y0, y1 = _clip(limits[1], limits[3], shape[0])
    step = max(1, floor(1.0 / zoom + 1e-6), ceil((y1 - y0) / room[0]), ceil((x1 - x0) / room[1]))
    # Blocks on a fixed grid: the picture does not shimmer while it is moved.
    x0, y0 = x0 - x0 % step, y0 - y0 % step
    return Region(y0, x0, min(room[0], -(-(y1 - y0) // step)), min(room[1], -(-(x1 - x0) // step)), step)


def to_rgba(
    codes: NDArray[np.uint16],
    region: Region,
    table: NDArray[np.uint8],
    colours: NDArray[np.float32],
    out: NDArray[np.float32],
    full: int | None = None,
    dark: bool = False,
) -> None:
    """Draw a region of a picture into the top left of `out` (H, W, 4) float32.

    `table` (65536,) gives the shade of a code, `colours` (256, 3) the colour of a shade. Of a block of pixels
    the mean is shown, and the mark of one at the limit `full` or, with `dark`, at zero.
    """
    place = (region.y, region.x, region.rows, region.columns)
    if region.step == 1:
        _paint(codes, *place, table, colours, out)
    else:
        limit = FULL_SCALE + 1 if full is None else full
        _paint_blocks(codes, *place, region.step, table, colours, limit, dark, out)


def warm_up() -> None:
    """Compile every kernel of the window once, so that the first frame is not late."""
    image, out = np.zeros((4, 4), np.uint16), np.ones((4, 4, 4), np.float32)
    table, colours = np.zeros(FULL_SCALE + 1, np.uint8), np.zeros((256, 3), np.float32)
    for step in (1, 2):
        to_rgba(image, Region(0, 0, 4 // step, 4 // step, step), table, colours, out)


def _clip(low: float, high: float, size: int) -> tuple[int, int]:
    first = min(max(floor(low + 0.5), 0), size - 1)
    last = min(max(ceil(high + 0.5), first + 1), size)
    return first, last


@kernel
def _paint(
    codes: NDArray[np.uint16],
    y0: int,
    x0: int,
    rows: int,
    columns: int,
    table: NDArray[np.uint8],
    colours: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    for y in range(rows):
        line, target = codes[y0 + y, x0 : x0 + columns], out[y]
        for x in range(columns):
            shade = table[line[x]]
            target[x, 0], target[x, 1] = colours[shade, 0], colours[shade, 1]
            target[x, 2] = colours[shade, 2]


@kernel
def _paint_blocks(
    codes: NDArray[np.uint16],
    y0: int,
    x0: int,
    rows: int,
    columns: int,
    step: int,
    table: NDArray[np.uint8],
    colours: NDArray[np.float32],
    full: int,
    dark: bool,
    out: NDArray[np.float32],
) -> None:
    height = codes.shape[0]
    # The last blocks may stick out of the frame.
    end = min(x0 + columns * step, codes.shape[1])
    total = np.empty(end - x0, np.uint32)
    least, most = np.empty(end - x0, np.uint16), np.empty(end - x0, np.uint16)
    for y in range(rows):
        top, bottom = y0 + y * step, min(y0 + (y + 1) * step, height)
        total[:], least[:], most[:] = 0, 65_535, 0
        for i in range(top, bottom):
            _gather(codes[i, x0:end], total, least, most)
        target = out[y]
        for x in range(columns):
            left, right = x * step, min((x + 1) * step, total.size)
            mean, low, high = total[left], least[left], most[left]
            for j in range(left + 1, right):
                mean += total[j]
                low, high = min(low, least[j]), max(high, most[j])
            shade = table[mean // np.uint32((bottom - top) * (right - left))]
            if high >= full:
                shade = np.uint8(255)
            elif dark and low == 0:
                shade = np.uint8(254)
            target[x, 0], target[x, 1] = colours[shade, 0], colours[shade, 1]
            target[x, 2] = colours[shade, 2]


@kernel
def _gather(
    line: NDArray[np.uint16], total: NDArray[np.uint32], least: NDArray[np.uint16], most: NDArray[np.uint16]
) -> None:
    """Add a line of pixels; one loop for each, for only then they vectorise."""
    for x in range(line.size):
        total[x] = np.uint32(total[x] + line[x])
    for x in range(line.size):
        least[x] = line[x] if line[x] < least[x] else least[x]
    for x in range(line.size):
        most[x] = line[x] if line[x] > most[x] else most[x]
