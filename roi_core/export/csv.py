"""A table any program opens: one row a frame, one column a region."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.recording import Recording

__all__ = ["write"]


def write(recording: Recording, path: Path) -> None:
    """Write time (s), camera frame index, the mean of each ROI and, when recorded, its dF/F."""
    names, dff = recording.names, recording.dff
    header = ["time_s", "frame_index", *names, *(f"{name} dF/F" for name in names if dff is not None)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(header)
        columns = [recording.means] if dff is None else [recording.means, dff]
        for row, (time, index) in enumerate(zip(recording.time, recording.frame_index, strict=True)):
            values = [f"{value:.8g}" for block in columns for value in block[row]]
            table.writerow([f"{time:.6f}", int(index), *values])
