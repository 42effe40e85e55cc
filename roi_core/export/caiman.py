"""Cells as CaImAn saves them (``cnmf.save``): estimates and parameters in HDF5, pixels in Fortran order.

``C`` is our denoised calcium, ``C + YrA`` the demixed trace, ``S`` the spikes, all in the same unit (camera
counts where the footprint is 1). ``F_dff`` is the demixed trace over the fluorescence at rest. What we do
not keep (background, noise per pixel ...) is ``NoneType``, as CaImAn writes None. It cannot read NaN, so a
trace is 0 before its cell was found, and gaps in its life are filled, see `roi_core.export.gaps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
from scipy.sparse import csc_matrix

from roi_core import __version__, layout
from roi_core.export.gaps import Gaps
from roi_core.export.resting import resting
from roi_core.export.units import BLOCK, Cells, needed, picture, rate_of, setting

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["write"]

UNKNOWN: Final = (
    "R", "W", "b", "b0", "bl", "c1", "center", "cnn_preds", "coordinates", "discarded_components",
    "f", "g", "lam", "neurons_sn", "sn",
)  # fmt: skip
"""What CaImAn would know, and we do not."""


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write the file; refuse a recording without cells."""
    cells = needed(recording, task.wishes, "CaImAn's file")
    with h5py.File(path, "w") as file:
        file.attrs["created_with"] = f"roi_stream {__version__}"
        estimates = file.create_group("estimates")
        _write_footprints(estimates.create_group("A"), cells, recording.shape)
        _write_quality(estimates, cells)
        _write_params(file.create_group("params"), recording)
        file["dims"] = estimates["dims"] = np.array(recording.shape, np.int32)
        _put(estimates, "Cn", picture(recording, "correlation"))
        shifts = recording.shifts
        _put(estimates, "shifts", None if shifts is None else np.nan_to_num(shifts).astype(np.float64))
        for name in UNKNOWN:
            _put(estimates, name, None)
        rest = resting(recording, cells)
        if rest is None:
            _put(estimates, "F_dff", None)
        _write_traces(estimates, cells, recording, rest, task)


def _write_footprints(group: h5py.Group, cells: Cells, shape: tuple[int, int]) -> None:
    """Write the columns with pixel x * H + y, and CaImAn's types."""
    height, width = shape
    ours = cells.footprints
    y, x = np.divmod(ours.indices.astype(np.int64), width)
    matrix = csc_matrix((ours.data.astype(np.float64), x * height + y, ours.indptr), ours.shape)
    matrix.sort_indices()
    group["data"] = matrix.data
    group["indices"] = matrix.indices.astype(np.int32)
    group["indptr"] = matrix.indptr.astype(np.int32)
    group["shape"] = np.array(matrix.shape, np.int32)


def _write_quality(estimates: h5py.Group, cells: Cells) -> None:
    estimates["nr"] = np.int32(len(cells.ids))
    estimates["idx_components"] = np.flatnonzero(cells.accepted)
    estimates["idx_components_bad"] = np.flatnonzero(~cells.accepted)
    estimates["SNR_comp"] = cells.snr.astype(np.float64)
    estimates["r_values"] = cells.r.astype(np.float64)
    estimates["roi_stream_ids"] = cells.ids


def _write_params(group: h5py.Group, recording: Recording) -> None:
    """Write the parameters that mean the same in CaImAn, as they were at the start."""
    data, init = group.create_group("data"), group.create_group("init")
    data["fr"] = rate_of(recording)
    data["dims"] = np.array(recording.shape, np.int32)
    data["dxy"] = np.full(2, recording.card.imaging.um_per_px or 1.0)
    data["fnames"] = np.array([str(recording.path).encode()])
    _put(data, "decay_time", setting(recording, "cnmf", "decay", 0.0) or None)
    radius = setting(recording, "cnmf", "cell_radius", 5.0)
    init["gSig"] = np.full(2, max(1, round(radius / 2)), np.int32)


def _write_traces(
    estimates: h5py.Group, cells: Cells, recording: Recording, rest: NDArray[np.float32] | None, task: Task
) -> None:
    """Fill C, S, YrA and, where F0 is known, F_dff (N, rows): blocks of rows, then cell by cell."""
    count, rows, gaps = len(cells.ids), recording.rows, Gaps(recording)
    names = ("C", "S", "YrA") if rest is None else ("C", "S", "YrA", "F_dff")
    made = {name: estimates.create_dataset(name, (count, rows), "f8") for name in names}
    task.expect(rows + count)
    for block in task.blocks(rows, BLOCK):
        raw, denoised = gaps.traces(cells, block)
        made["C"][:, block] = denoised.T
        made["S"][:, block] = cells.still(layout.SPIKES, block).T
        made["YrA"][:, block] = raw.T
    for one in task.blocks(count, 1):
        k = one.start
        denoised, raw = gaps.bridged(made["C"][k]), gaps.bridged(made["YrA"][k])
        made["C"][k], made["YrA"][k] = denoised, raw - denoised
        if rest is not None:
            made["F_dff"][k] = np.nan_to_num(raw / rest[k])
    gaps.tell("CaImAn")


def _put(group: h5py.Group, name: str, value: Any) -> None:
    group.create_dataset(name, data="NoneType" if value is None else value)
