"""The twin in MATLAB's orientation, for older viewers: (1, N), (K, N), (3, K) on disk, 1-based circles.

A program in C order (h5py) sees the axes of our recording swapped; MATLAB sees them as its own
``h5create('/roi/means', [N K])`` would have made them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

from roi_core import layout
from roi_core.recording.light import seen

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.export.task import Task
    from roi_core.recording import RecordedCells, Recording

__all__ = ["write"]

BLOCK: Final = 4096
"""Rows of cell traces in memory at a time."""
IN_DOUBT: Final = 255
"""Stands in ``/channel`` for a row of which nobody knows what it shows."""


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write time, frame index, traces and circles transposed, and the root attributes.

    ``/channel`` is what each row shows after all that was noticed later, 255 where that is in doubt: the
    events that would tell are not copied. Cells come with footprints, those of the second pass under
    ``/cnmf/refined`` as in the recording. The movie is not copied: MATLAB reads that of the recording as
    W x H x frames.
    """
    circles = recording.circles + np.array([1.0, 1.0, 0.0])
    with h5py.File(path, "w") as file:
        for name, value in recording.attributes.items():
            file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else _like(name, value)
        file.attrs["orientation"] = np.bytes_(b"matlab")
        file.attrs["coord_origin"] = np.bytes_(b"1-based, pixel centre, top left")
        file[layout.TIME] = recording.time[None, :]
        file[layout.FRAME_INDEX] = recording.frame_index[None, :]
        if recording.channel_names:
            shown = seen(recording)
            file[layout.CHANNEL] = np.where(shown < 0, IN_DOUBT, shown).astype(np.uint8)[None, :]
            file[layout.CHANNEL].attrs["names"] = np.array(
                [name.encode() for name in recording.channel_names]
            )
        file[layout.CIRCLES] = np.ascontiguousarray(circles.T)
        found = ((recording.cells, layout.CNMF), (recording.refined, layout.REFINED))
        task.expect(
            recording.rows * (1 + recording.has_dff + sum(4 for cells, _ in found if cells is not None))
        )
        _write_shifts_and_maps(recording, file)
        _write_regions(recording, file, task)
        for cells, group in found:
            if cells is not None:
                _write_cells(cells, recording.shape, file, group, task)


def _write_regions(recording: Recording, file: h5py.File, task: Task) -> None:
    """Write means and dF/F as (K, rows)."""
    for path in [layout.MEANS, layout.DFF] if recording.has_dff else [layout.MEANS]:
        dataset = file.create_dataset(path, (len(recording.shapes), recording.rows), "f4")
        for rows in task.blocks(recording.rows, BLOCK):
            dataset[:, rows] = recording.regions(path, rows).T


def _write_shifts_and_maps(recording: Recording, file: h5py.File) -> None:
    if recording.shifts is not None:
        file[layout.SHIFTS] = np.ascontiguousarray(recording.shifts.T)
    for name, picture in recording.maps.items():
        file[f"{layout.MAPS}/{name}"] = np.ascontiguousarray(picture.T)


def _write_cells(cells: RecordedCells, shape: tuple[int, int], file: h5py.File, to: str, task: Task) -> None:
    """Write vectors as (1, N), traces as (N, rows), births from 1, pixels as MATLAB numbers them."""
    group = file.require_group(to)
    group["born"] = cells.born[None, :] + 1
    vectors: dict[str, NDArray[Any]] = {
        "ids": cells.ids, "status": cells.status, "snr": cells.snr, "r": cells.r, "size": cells.size,
        "overlap": cells.overlap,
    }  # fmt: skip
    for name, vector in vectors.items():
        group[name] = vector[None, :]
    texts = [json.dumps(reason) for reason in cells.reason]
    group.create_dataset("reason", data=texts, dtype=h5py.string_dtype(), shape=(len(texts),))
    causal = [layout.SPIKES_CAUSAL] if to == layout.CNMF else []
    for path in (layout.RAW, layout.CALCIUM, layout.SPIKES, *causal):
        dataset = group.create_dataset(path.rpartition("/")[2], (cells.count, cells.rows), "f4")
        for rows in task.blocks(cells.rows, BLOCK):
            dataset[:, rows] = cells.traces(path, rows.start, rows.stop).T
    _write_footprints(cells, shape, group.create_group("footprints"))


def _write_footprints(cells: RecordedCells, shape: tuple[int, int], group: h5py.Group) -> None:
    """Write the CSC group for ``reshape(A(:, k), H, W)``: linear indices from 1 run down the columns."""
    height, width = shape
    matrix = cells.footprints
    y, x = np.divmod(matrix.indices.astype(np.int64), width)
    turned = type(matrix)((matrix.data, x * height + y, matrix.indptr), matrix.shape)
    turned.sort_indices()
    group.attrs["shape"] = np.array(matrix.shape, np.int64)
    group["data"] = turned.data[None, :]
    group["indices"] = turned.indices[None, :].astype(np.int64) + 1
    group["indptr"] = turned.indptr[None, :].astype(np.int64) + 1


def _like(name: str, value: Any) -> Any:
    if name == "resolution":
        return np.array(value, np.int32)
    if name in ("frames_seen", "frames_dropped", "rows"):
        return layout.UNKNOWN if value is None else np.uint64(value)
    return np.uint8(bool(value)) if name == "complete" else value
