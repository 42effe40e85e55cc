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

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.recording import RecordedCells, Recording

__all__ = ["write"]

BLOCK: Final = 4096
"""Rows of cell traces in memory at a time."""


def write(recording: Recording, path: Path) -> None:
    """Write time, frame index, means, dF/F and circles transposed, and the root attributes."""
    circles = recording.circles + np.array([1.0, 1.0, 0.0])
    arrays = {
        layout.TIME: recording.time[None, :],
        layout.FRAME_INDEX: recording.frame_index[None, :],
        layout.MEANS: recording.means.T,
        layout.DFF: None if recording.dff is None else recording.dff.T,
        layout.CIRCLES: circles.T,
    }
    with h5py.File(path, "w") as file:
        for name, value in recording.attributes.items():
            file.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else _like(name, value)
        file.attrs["orientation"] = np.bytes_(b"matlab")
        file.attrs["coord_origin"] = np.bytes_(b"1-based, pixel centre, top left")
        for name, array in arrays.items():
            if array is not None:
                file[name] = np.ascontiguousarray(array)
        _write_shifts_and_maps(recording, file)
        if recording.cells is not None:
            _write_cells(recording.cells, recording.shape, file)


def _write_shifts_and_maps(recording: Recording, file: h5py.File) -> None:
    if recording.shifts is not None:
        file[layout.SHIFTS] = np.ascontiguousarray(recording.shifts.T)
    for name, picture in recording.maps.items():
        file[f"{layout.MAPS}/{name}"] = np.ascontiguousarray(picture.T)


def _write_cells(cells: RecordedCells, shape: tuple[int, int], file: h5py.File) -> None:
    """Write vectors as (1, N), traces as (N, rows), births from 1, pixels as MATLAB numbers them."""
    file[layout.BORN] = cells.born[None, :] + 1
    vectors: dict[str, NDArray[Any]] = {
        layout.IDS: cells.ids,
        layout.STATUS: cells.status,
        layout.SNR: cells.snr,
    }
    vectors |= {layout.CORRELATION: cells.r, layout.SIZE: cells.size}
    for path, vector in vectors.items():
        file[path] = vector[None, :]
    texts = [json.dumps(reason) for reason in cells.reason]
    file.create_dataset(layout.REASON, data=texts, dtype=h5py.string_dtype(), shape=(len(texts),))
    for path in (layout.RAW, layout.CALCIUM, layout.SPIKES, layout.SPIKES_CAUSAL):
        dataset = file.create_dataset(path, (cells.count, cells.rows), "f4")
        for first in range(0, cells.rows, BLOCK):
            dataset[:, first : first + BLOCK] = cells.traces(path, first, first + BLOCK).T
    _write_footprints(cells, shape, file)


def _write_footprints(cells: RecordedCells, shape: tuple[int, int], file: h5py.File) -> None:
    """Write the CSC group for ``reshape(A(:, k), H, W)``: linear indices from 1 run down the columns."""
    height, width = shape
    matrix = cells.footprints
    y, x = np.divmod(matrix.indices.astype(np.int64), width)
    turned = type(matrix)((matrix.data, x * height + y, matrix.indptr), matrix.shape)
    turned.sort_indices()
    group = file.create_group(layout.FOOTPRINTS)
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
