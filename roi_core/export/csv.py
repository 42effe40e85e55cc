"""A table any program opens: one row a frame, one column a region or a cell."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.recording import Recording

__all__ = ["write"]


BLOCK: Final = 1024
"""Rows of cell traces in memory at a time."""


def write(recording: Recording, path: Path) -> None:
    """Write time (s), camera frame index, the mean of each ROI and, when recorded, its dF/F.

    Each accepted cell adds its calcium and its spikes, named by its id.
    """
    names, dff, cells = recording.names, recording.dff, _accepted(recording)
    header = ["time_s", "frame_index", *names, *(f"{name} dF/F" for name in names if dff is not None)]
    header += [*(f"cell_{i}" for i in cells), *(f"cell_{i} spikes" for i in cells)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(header)
        columns = [recording.means] if dff is None else [recording.means, dff]
        times = zip(recording.time, recording.frame_index, strict=True)
        for row, ((time, index), found) in enumerate(zip(times, _traces(recording, cells), strict=True)):
            values = [
                f"{value:.8g}" for block in (*(each[row] for each in columns), found) for value in block
            ]
            table.writerow([f"{time:.6f}", int(index), *values])


def _accepted(recording: Recording) -> dict[int, int]:
    """Return the column of each accepted cell by its id."""
    cells = recording.cells
    if cells is None:
        return {}
    ids = cells.ids
    return {int(ids[column]): int(column) for column in np.flatnonzero(cells.accepted)}


def _traces(recording: Recording, accepted: dict[int, int]) -> Iterator[NDArray[np.float32]]:
    """Yield calcium and spikes of the accepted cells, row by row."""
    cells, columns = recording.cells, list(accepted.values())
    for first in range(0, recording.rows, BLOCK):
        last = min(first + BLOCK, recording.rows)
        if cells is None:
            yield from np.zeros((last - first, 0), np.float32)
        else:
            kinds = [cells.traces(kind, first, last)[:, columns] for kind in (layout.CALCIUM, layout.SPIKES)]
            yield from np.hstack(kinds)
