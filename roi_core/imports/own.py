"""The cells of a recording of ours: those of the second pass where there was one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_core.errors import RecordingError, RoiFileError
from roi_core.imports.found import Found
from roi_core.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]


def read(path: Path) -> Found:
    """Read the accepted cells; one without cells is refused."""
    try:
        with Recording(path) as recording:
            cells = recording.refined or recording.cells
            if cells is None:
                raise RoiFileError(path, None, "holds no cells: none were looked for")
            names = tuple(f"cell{number}" for number in cells.ids.tolist())
            return Found("roi_stream", recording.shape, cells.footprints, names, cells.accepted)
    except RecordingError as error:
        raise RoiFileError(path, None, str(error)) from error
