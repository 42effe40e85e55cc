"""A table any program opens: one row a frame, one column a region or a cell."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core import layout
from roi_core.export.units import chosen, lit, titles

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.export.task import Task
    from roi_core.recording import RecordedCells, Recording

__all__ = ["write"]


BLOCK: Final = 1024
"""Rows in memory at a time."""


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write time (s), camera frame index, the mean of each ROI and, when recorded, its dF/F.

    Interleaved channels have a column that names the one each row shows, '' where that is in doubt.
    Each accepted cell adds its calcium and its spikes, named by its id. No two columns have the same name.
    """
    cells = chosen(recording, task.wishes)
    columns = np.flatnonzero(cells.accepted) if cells is not None else np.zeros(0, np.intp)
    ids = cells.ids[columns].tolist() if cells is not None else []
    lights = _lights(recording)
    clock_names = ["time_s", "frame_index", *(["channel"] if lights else [])]
    found = [*(f"cell_{i}" for i in ids), *(f"cell_{i} spikes" for i in ids)]
    names = titles(recording, [*clock_names, *found])
    header = [*clock_names, *names, *(f"{name} dF/F" for name in names if recording.has_dff), *found]
    times, indices = recording.time, recording.frame_index
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(header)
        for rows in task.blocks(recording.rows, BLOCK):
            values = np.hstack([*_regions(recording, rows), *_traces(cells, columns, rows)])
            light = lights[rows] or [[]] * len(values)
            clock = zip(times[rows].tolist(), indices[rows].tolist(), light, values.tolist(), strict=True)
            table.writerows(
                [f"{t:.6f}", i, *name, *(f"{value:.8g}" for value in row)] for t, i, name, row in clock
            )


def _lights(recording: Recording) -> list[list[str]]:
    """Return the name of the channel of each row, each in a list; none when there is one channel only."""
    return [[name] for name in lit(recording) or []]


def _regions(recording: Recording, rows: slice) -> list[NDArray[np.float32]]:
    paths = [layout.MEANS, layout.DFF] if recording.has_dff else [layout.MEANS]
    return [recording.regions(path, rows) for path in paths]


def _traces(cells: RecordedCells | None, columns: NDArray[np.intp], rows: slice) -> list[NDArray[np.float32]]:
    """Return calcium and spikes of some columns."""
    if cells is None:
        return []
    kinds = (layout.CALCIUM, layout.SPIKES)
    return [cells.traces(kind, rows.start, rows.stop)[:, columns] for kind in kinds]
