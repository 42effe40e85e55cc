"""EXTRACT's output: a MATLAB struct with ``spatial_weights`` (older: ``filters``), H x W x N in MATLAB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np

from roi_core.errors import RoiFileError
from roi_core.imports.build import readable, side, stacked
from roi_core.imports.found import Found
from roi_core.imports.hdf5 import opened, pictures

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]

KINDS = ("spatial_weights", "filters")


def read(path: Path) -> Found:
    """Read a ``.mat`` of version 7.3; EXTRACT keeps accepted cells only."""
    with readable(path, "EXTRACT result"), opened(path) as file:
        group, spatial = _spatial(path, file)
        # MATLAB's H x W x N is (N, W, H) here, or sparse: a group of data, ir and jc
        if isinstance(group[spatial], h5py.Group) or group[spatial].ndim != 3:
            raise RoiFileError(
                path, None, "keeps its footprints sparse; save them full: full(spatial_weights)"
            )
        weights = pictures(group, spatial)
        count, width, height = weights.shape
        shape = side(height), side(width)
        footprints = stacked((weights[k].T for k in range(count)), shape)
    names = tuple(f"extract{k + 1}" for k in range(count))
    return Found("extract", shape, footprints, names, np.ones(count, bool))


def _spatial(path: Path, file: h5py.File) -> tuple[h5py.Group, str]:
    """Return the struct and the name of its footprints."""
    for name, group in file.items():
        for kind in KINDS:
            if isinstance(group, h5py.Group) and not name.startswith("#") and kind in group:
                return group, kind
    raise RoiFileError(path, None, "holds neither spatial_weights nor filters of EXTRACT")
