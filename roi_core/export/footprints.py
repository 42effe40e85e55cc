"""The pixels of every region and cell as a table: one row a pixel."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from roi_core.errors import RecordingError
from roi_core.export.units import cells_of, regions_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["write"]


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write what it is (region, cell or rejected), its id, y and x (0-based px) and its weight there."""
    regions, cells = regions_of(recording), cells_of(recording, task.wishes)
    tables: list[tuple[list[str], NDArray[np.int64], csc_matrix]] = []
    if regions is not None:
        tables.append((["region"] * len(regions.ids), regions.ids, regions.footprints))
    if cells is not None:
        tables.append((np.where(cells.accepted, "cell", "rejected").tolist(), cells.ids, cells.footprints))
    if not tables:
        raise RecordingError(f"{recording.path} holds neither regions nor cells, so there are no footprints")
    task.expect(sum(len(ids) for _, ids, _ in tables))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["kind", "id", "y", "x", "weight"])
        for kinds, ids, matrix in tables:
            for one in task.blocks(len(ids), 1):
                k = one.start
                at = slice(matrix.indptr[k], matrix.indptr[k + 1])
                y, x = np.divmod(matrix.indices[at], recording.shape[1])
                pixels = zip(y.tolist(), x.tolist(), matrix.data[at].tolist(), strict=True)
                table.writerows([kinds[k], ids[k], *place, f"{weight:.8g}"] for *place, weight in pixels)
