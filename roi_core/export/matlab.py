"""The twin in MATLAB's orientation, for older viewers: (1, N), (K, N), (3, K) on disk, 1-based circles.

A program in C order (h5py) sees the axes of our recording swapped; MATLAB sees them as its own
``h5create('/roi/means', [N K])`` would have made them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.recording import Recording

__all__ = ["write"]


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


def _like(name: str, value: Any) -> Any:
    if name == "resolution":
        return np.array(value, np.int32)
    if name in ("frames_seen", "frames_dropped", "rows"):
        return layout.UNKNOWN if value is None else np.uint64(value)
    return np.uint8(bool(value)) if name == "complete" else value
