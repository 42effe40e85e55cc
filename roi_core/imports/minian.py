"""Minian's folder: ``A.zarr`` (unit_id, height, width) and ``C.zarr`` (unit_id, frame). Needs zarr."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.errors import MissingExtra, RoiFileError
from roi_core.imports.build import believable, bounded, readable, side, stacked
from roi_core.imports.found import Found
from roi_core.paths import is_file, is_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]

CODECS: Final = frozenset({"blosc", "zlib", "gzip", "lz4", "zstd", "bytes", "crc32c"})
"""What only unpacks bytes; others that zarr knows, such as pickle, run what a file tells them to."""
NUMBERS: Final = re.compile(r"[<>|][biuf]\d+|bool|u?int\d+|float\d+")
"""The types of values that Minian writes, as zarr 2 and zarr 3 call them."""
LONGEST: Final = 2**20
"""Bytes of a description; a real one has some hundred."""


def read(path: Path) -> Found:
    """Read the folder; Minian keeps accepted units only."""
    try:
        import zarr
    except ImportError as error:
        raise MissingExtra("reading a result of Minian", "zarr", "minian") from error
    with readable(path, "Minian result"):
        a = _array(zarr, path / "A.zarr" / "A")
        count, height, width = a.shape
        shape = side(height), side(width)
        bounded(a.shape)
        footprints = stacked((np.asarray(a[k]) for k in range(count)), shape)
        units = _values(zarr, path / "A.zarr" / "unit_id")
        numbers = range(count) if units is None or units.shape != (count,) else units.tolist()
    names = tuple(f"minian{number}" for number in numbers)
    return Found("minian", shape, footprints, names, np.ones(count, bool))


def _values(zarr: Any, path: Path) -> Any:
    """Return all of an array, None where there is none."""
    if not is_folder(path):
        return None
    array = _array(zarr, path)
    believable(path.name, array.nbytes, sum(file.stat().st_size for file in path.rglob("*")))
    return np.asarray(array[:])


def _array(zarr: Any, path: Path) -> Any:
    """Open an array that holds plain numbers; any other is refused before zarr sees it."""
    found = [file for file in (path / ".zarray", path / "zarr.json") if is_file(file)]
    if len(found) != 1:
        raise RoiFileError(path, None, "is no array of zarr: it has no .zarray or zarr.json, or both")
    with found[0].open("rb") as file:
        told = json.loads(file.read(LONGEST))
    number = told["zarr_format"]
    if number != (2 if found[0].name == ".zarray" else 3):
        raise RoiFileError(found[0], None, f"tells of zarr {number!r}, which is described elsewhere")
    kind, codecs = _described(told)
    strange = sorted({str(codec) for codec in codecs} - CODECS)
    if strange:
        raise RoiFileError(found[0], None, f"is packed with {', '.join(strange)}, which is not read")
    if not isinstance(kind, str) or NUMBERS.fullmatch(kind) is None:
        raise RoiFileError(found[0], None, f"holds {kind!r}, no plain numbers")
    return zarr.open_array(path, mode="r", zarr_format=number)


def _described(told: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Return type and codecs of an array, as the description of zarr 2 or 3 names them."""
    if told["zarr_format"] == 3:
        return told["data_type"], [codec["name"] for codec in told["codecs"]]
    used = [told["compressor"], *(told["filters"] or ())]
    return told["dtype"], [codec["id"] for codec in used if codec is not None]
