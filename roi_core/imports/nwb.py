"""The footprints of an NWB file: ``image_mask`` or ``pixel_mask`` of its first PlaneSegmentation.

Read with h5py alone. NWB's masks are [x][y]. Some programs write [y][x] all the same, and a square picture
does not tell: that is said in a note, and ``--transpose`` helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core.errors import RoiFileError
from roi_core.imports.build import readable, side, sparse, stacked
from roi_core.imports.found import Found
from roi_core.imports.hdf5 import opened, pictures, values

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read"]

ORDER = (
    "NWB's masks were read as [x][y], as its schema says; if regions lie mirrored at the diagonal, transpose"
)


def read(path: Path) -> Found:
    """Read ``.nwb``; a column ``Accepted`` or ``accepted`` tells which are cells, else all are."""
    with readable(path, "NWB file"), opened(path) as file:
        plane = _plane(path, file)
        if "image_mask" in plane:
            masks = pictures(plane, "image_mask")
            count, width, height = masks.shape
            shape = side(height), side(width)
            footprints = stacked((masks[k].T for k in range(count)), shape)
        else:
            count = len(plane["id"])
            shape, footprints = _pixels(path, file, plane)
        ids = values(plane, "id") if "id" in plane else np.arange(count)
        if ids.shape != (count,):
            raise ValueError(f"{ids.size} ids for {count} masks")
        names = tuple(f"nwb{number}" for number in ids.tolist())
        accepted = _accepted(plane, count)
    return Found("nwb", shape, footprints, names, accepted, (ORDER,))


def _accepted(plane: h5py.Group, count: int) -> NDArray[np.bool_]:
    """Return which are cells: all, where no column of that length tells."""
    name = next((name for name in ("Accepted", "accepted") if name in plane), None)
    told = None if name is None else values(plane, name).astype(bool)
    return np.ones(count, bool) if told is None or told.shape != (count,) else told


def _of_type(file: h5py.File, kind: str) -> list[Any]:
    """Return the groups of an NWB type, in the order of the file."""
    found: list[Any] = []

    def look(_name: str, thing: Any) -> None:
        if isinstance(thing, h5py.Group) and _text(thing.attrs.get("neurodata_type")) == kind:
            found.append(thing)

    file.visititems(look)
    return found


def _plane(path: Path, file: h5py.File) -> h5py.Group:
    for plane in _of_type(file, "PlaneSegmentation"):
        if "image_mask" in plane or "pixel_mask" in plane:
            return plane
    raise RoiFileError(path, None, "holds no PlaneSegmentation with image_mask or pixel_mask")


def _pixels(path: Path, file: h5py.File, plane: h5py.Group) -> tuple[tuple[int, int], Any]:
    """Return shape and footprints of a table of (x, y, weight), whose ends are in ``pixel_mask_index``."""
    size = next((values(movie, "dimension")[:2] for kind in ("TwoPhotonSeries", "OnePhotonSeries")
                 for movie in _of_type(file, kind) if "dimension" in movie), None)  # fmt: skip
    if size is None:
        raise RoiFileError(path, None, "has pixel masks only and does not say how large the picture is")
    width, height = side(size[0]), side(size[1])
    table, ends = values(plane, "pixel_mask"), values(plane, "pixel_mask_index")
    x, y = table["x"].astype(np.int64), table["y"].astype(np.int64)
    pixels = np.where((x >= 0) & (x < width) & (y >= 0) & (y < height), y * width + x, -1)
    parts = [slice(*pair) for pair in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]
    return (height, width), sparse(((pixels[part], table["weight"][part]) for part in parts), (height, width))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
