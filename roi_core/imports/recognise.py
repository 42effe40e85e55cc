"""Whose result a path is, from its name and its first bytes; nothing is read that could be large."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from roi_core.paths import is_file, is_folder
from roi_core.recording.opening import DAMAGE

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

__all__ = ["plane_of", "recognise"]


def recognise(path: Path) -> str:
    """Return a word of `IMPORTS`, or '' when a path is no result."""
    if is_folder(path):
        if plane_of(path) is not None:
            return "suite2p"
        return "minian" if is_folder(path / "A.zarr") else ""
    if path.name in ("stat.npy", "ops.npy", "iscell.npy"):
        return "suite2p" if plane_of(path) is not None else ""
    if path.suffix.lower() not in (".h5", ".hdf5", ".mat", ".nwb") or not is_file(path):
        return ""
    from roi_core.imports.hdf5 import opened

    with suppress(*DAMAGE), opened(path) as file:
        return _of_hdf5(file)
    return ""


def plane_of(folder: Path) -> Path | None:
    """Return the folder of a Suite2p result with ``stat.npy``: itself, ``plane0``, or ``suite2p/plane0``.

    A file in it stands for it.
    """
    folder = folder.parent if is_file(folder) else folder
    for place in (folder, folder / "plane0", folder / "suite2p" / "plane0"):
        if is_file(place / "stat.npy"):
            return place
    return None


def _of_hdf5(file: h5py.File) -> str:
    if file.attrs.get("format") == b"roi_stream":
        return "roi_stream"
    if "estimates/A" in file:
        return "caiman"
    if "nwb_version" in file.attrs:
        return "nwb"
    return (
        "extract"
        if any(f"{name}/filters" in file for name in file) or "output/spatial_weights" in file
        else ""
    )
