"""Suite2p's ``plane0``: ``stat.npy`` and ``ops.npy`` are pickles and read as data only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.imports.build import readable, side, sparse
from roi_core.imports.found import Found
from roi_core.imports.objects import array_of, read_objects
from roi_core.imports.recognise import plane_of
from roi_core.paths import is_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read"]


def read(path: Path) -> Found:
    """Read a folder that holds ``stat.npy``, or the one above it; ``iscell.npy`` tells the cells."""
    folder = plane_of(path) or path
    with readable(folder, "Suite2p result"):
        cells: list[dict[str, Any]] = read_objects(folder / "stat.npy")
        options = read_objects(folder / "ops.npy")
        height, width = side(options["Ly"]), side(options["Lx"])
        footprints = sparse((_pixels(cell, height, width) for cell in cells), (height, width))
        iscell = _numbers(folder / "iscell.npy")
        accepted = np.ones(len(cells), bool) if iscell is None else iscell.reshape(len(cells), -1)[:, 0] > 0
    names = tuple(f"suite2p{k}" for k in range(len(cells)))
    note = () if iscell is not None else ("Suite2p's iscell.npy is not there; all components are taken",)
    return Found("suite2p", (height, width), footprints, names, accepted, note)


def _pixels(cell: dict[str, Any], height: int, width: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return pixels and weights; one outside the picture is refused by whoever builds the matrix."""
    y, x = (array_of(cell[name]).astype(np.int64) for name in ("ypix", "xpix"))
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return np.where(inside, y * width + x, -1), array_of(cell["lam"])


def _numbers(path: Path) -> NDArray[Any] | None:
    if not is_file(path):
        return None
    with path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)
