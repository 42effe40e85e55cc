"""CaImAn's estimates: ``estimates/A`` (CSC), whose pixels run down the columns of the picture."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from roi_core.imports.build import readable, side, sparse
from roi_core.imports.found import Found
from roi_core.imports.hdf5 import opened, values

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

__all__ = ["read"]


def read(path: Path) -> Found:
    """Read ``.hdf5`` as ``CNMF.save`` writes it; without ``idx_components`` every component is accepted."""
    with readable(path, "CaImAn result"), opened(path) as file:
        estimates = file["estimates"]
        dims = values(estimates if "dims" in estimates else file, "dims")
        height, width = (side(value) for value in dims[:2])
        group = estimates["A"]
        data, indices, indptr = (values(group, name) for name in ("data", "indices", "indptr"))
        if indptr[-1] != len(data) or len(indices) != len(data) or (np.diff(indptr) < 0).any():
            raise ValueError("its footprints do not fit together")
        x, y = np.divmod(indices.astype(np.int64), height)
        pixels = np.where((indices >= 0) & (x < width), y * width + x, -1)
        parts = [slice(*pair) for pair in pairwise(indptr.tolist())]
        footprints = sparse(((pixels[part], data[part]) for part in parts), (height, width))
        count = len(parts)
        accepted, note = _accepted(estimates, count)
    names = tuple(f"caiman{k}" for k in range(count))
    return Found("caiman", (height, width), footprints, names, accepted, note)


def _accepted(estimates: h5py.Group, count: int) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return which components the program accepted; None is saved as the text ``NoneType``."""
    found = values(estimates, "idx_components") if "idx_components" in estimates else np.array(0)
    if found.shape == ():
        return np.ones(count, bool), ("CaImAn judged no component; all are taken",)
    accepted = np.zeros(count, bool)
    accepted[found.astype(int)] = True
    return accepted, ()
