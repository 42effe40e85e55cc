"""Minian's folder: ``A.zarr`` (unit_id, height, width) and ``C.zarr`` (unit_id, frame). Needs zarr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.errors import MissingExtra
from roi_core.imports.build import readable, side, stacked
from roi_core.imports.found import Found

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]


def read(path: Path) -> Found:
    """Read the folder; Minian keeps accepted units only."""
    try:
        import zarr
    except ImportError as error:
        raise MissingExtra("reading a result of Minian", "zarr", "minian") from error
    with readable(path, "Minian result"):
        a = zarr.open_array(path / "A.zarr" / "A", mode="r")
        count, height, width = a.shape
        shape = side(height), side(width)
        footprints = stacked((np.asarray(a[k]) for k in range(count)), shape)
        units = _values(zarr, path / "A.zarr" / "unit_id")
        traces = _values(zarr, path / "C.zarr" / "C")
    numbers = range(count) if units is None or len(units) != count else units.tolist()
    fits = traces is not None and traces.ndim == 2 and len(traces) == count
    rows = traces.T.astype(np.float32) if traces is not None and fits else None
    names = tuple(f"minian{number}" for number in numbers)
    return Found("minian", shape, footprints, names, np.ones(count, bool), rows)


def _values(zarr: Any, path: Path) -> Any:
    return np.asarray(zarr.open_array(path, mode="r")[:]) if path.is_dir() else None
