"""Results of other programs as footprints and regions: one word per program, imported when asked.

Nothing of a file is executed: Suite2p's pickles are read by `roi_core.imports.objects`, which runs none.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.errors import RoiFileError
from roi_core.imports.found import Found
from roi_core.imports.recognise import recognise
from roi_core.paths import expanded, unseen
from roi_core.rois import Loaded, RoiSet

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["IMPORTS", "Found", "load_rois", "read", "recognise"]

IMPORTS: Final[dict[str, str]] = {
    "suite2p": "roi_core.imports.suite2p:read",
    "caiman": "roi_core.imports.caiman:read",
    "minian": "roi_core.imports.minian:read",
    "extract": "roi_core.imports.extract:read",
    "nwb": "roi_core.imports.nwb:read",
    "roi_stream": "roi_core.imports.own:read",
}
"""A word -> the function that reads a path into a `Found`."""


def read(path: str | Path, program: str = "") -> Found:
    """Return the footprints in a result of `program`, or of whichever is recognised.

    Raises
    ------
    RoiFileError
        It is not there, not a result that is known, or damaged; the sentence says which.
    """
    path = expanded(path)
    word = program or recognise(path)
    if not word and (why := unseen(path)):
        raise RoiFileError(path, None, f"cannot be read: {why}")
    if word not in IMPORTS:
        allowed = "a Suite2p folder, CaImAn .hdf5, Minian folder, EXTRACT .mat, .nwb, or a recording of ours"
        raise RoiFileError(path, None, f"is no result that is known; give {allowed}")
    module, _, name = IMPORTS[word].partition(":")
    reader: Callable[[Path], Found] = getattr(import_module(module), name)
    return reader(path)


def load_rois(path: str | Path, size: tuple[int, int] | None = None) -> Loaded:
    """Return the regions of a ROI file, or those round the accepted cells of a result.

    For frames of `size` (W, H); a ROI file is rescaled to them, see `RoiSet.load`.

    Raises
    ------
    RoiFileError
        It cannot be used, or a result is of frames of another size.
    """
    place = expanded(path)
    if not recognise(place):
        return RoiSet.load(place, size)
    found = read(place)
    height, width = found.shape
    if size is not None and size != (width, height):
        why = f"its cells are of frames of {width}x{height} px, these have {size[0]}x{size[1]}"
        raise RoiFileError(place, None, why)
    return Loaded(found.rois(), found.notes)
