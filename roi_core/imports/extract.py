"""EXTRACT's output: a MATLAB struct with ``spatial_weights`` (older: ``filters``), H x W x N in MATLAB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core.errors import RoiFileError
from roi_core.imports.build import readable, side, stacked
from roi_core.imports.found import Found

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]

KINDS = (("spatial_weights", "temporal_weights"), ("filters", "traces"))


def read(path: Path) -> Found:
    """Read a ``.mat`` of version 7.3; EXTRACT keeps accepted cells only."""
    with readable(path, "EXTRACT result"), h5py.File(path, "r") as file:
        spatial, temporal = _parts(path, file)
        # MATLAB's H x W x N is (N, W, H) here, or sparse: a group of data, ir and jc
        if isinstance(spatial, h5py.Group) or spatial.ndim != 3:
            raise RoiFileError(
                path, None, "keeps its footprints sparse; save them full: full(spatial_weights)"
            )
        count, width, height = spatial.shape
        shape = side(height), side(width)
        footprints = stacked((spatial[k].T for k in range(count)), shape)
        traces = None if temporal is None or temporal.ndim != 2 else _rows(temporal, count)
    names = tuple(f"extract{k + 1}" for k in range(count))
    return Found("extract", shape, footprints, names, np.ones(count, bool), traces)


def _parts(path: Path, file: h5py.File) -> tuple[Any, Any]:
    for name, group in file.items():
        for spatial, temporal in KINDS:
            if isinstance(group, h5py.Group) and not name.startswith("#") and spatial in group:
                return group[spatial], group.get(temporal)
    raise RoiFileError(path, None, "holds neither spatial_weights nor filters of EXTRACT")


def _rows(temporal: h5py.Dataset, count: int) -> Any:
    """Return (rows, N); EXTRACT has had both orders."""
    values = temporal[:].astype(np.float32)
    return values if values.shape[1] == count else values.T
