"""The refined cells into the recording, as a `Draft`: no kill and no full disk harms what is in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core import __version__, layout
from roi_core.draft import Draft, locked
from roi_core.errors import RecorderError, RecordingError

if TYPE_CHECKING:
    from roi_core.offline.outcome import Outcome

__all__ = ["already_refined", "write"]

CHUNK = (1024, 32)
"""Rows and columns of a chunk of traces."""
SPARE = 2**26
"""Bytes that the disk must have to spare."""


def already_refined(path: Path) -> bool:
    """Tell whether a recording holds the result of a refinement."""
    with h5py.File(path, "r") as file:
        return layout.REFINED in file


def write(path: Path, outcome: Outcome, overwrite: bool) -> None:
    """Write an outcome to ``/cnmf/refined``; everything else in the file stays as it is."""
    size = 3 * outcome.raw.nbytes + 2 * outcome.components.data.nbytes + 2**20
    free = shutil.disk_usage(path.parent).free
    if free < size + SPARE:
        raise RecorderError(
            f"the disk of {path} has {free / 1e6:.0f} MB left; the refined cells need {size / 1e6:.0f} MB "
            f"and {SPARE / 1e6:.0f} MB to spare; nothing was written, the work done so far is kept"
        )
    try:
        with locked(path) as raw:
            draft = Draft(raw)
            with h5py.File(draft, "r+") as file:
                _fill(file, outcome, overwrite)
            draft.commit(path)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RecorderError | RecordingError):
            raise
        raise RecorderError(f"{path} cannot be written: {error}; it is as it was before") from error


def _fill(file: h5py.File, outcome: Outcome, overwrite: bool) -> None:
    found = outcome.components
    group = file.create_group(None)
    group.attrs["created_with"] = np.bytes_(f"roi_stream {__version__}")
    group.create_dataset("settings", data=outcome.settings, dtype=h5py.string_dtype())
    for name, dtype in (
        ("ids", "i8"),
        ("born", "i8"),
        ("status", "u1"),
        ("snr", "f4"),
        ("r", "f4"),
        ("size", "f4"),
        ("overlap", "f4"),
    ):
        group.create_dataset(name, data=getattr(found, name), dtype=dtype)
    _write_reasons(group, found.reason)
    footprints = group.create_group("footprints")
    for name in ("data", "indices", "indptr"):
        footprints[name] = getattr(found, name)
    pixels = found.shape[0] * found.shape[1]
    footprints.attrs["shape"] = np.array([pixels, len(found.ids)], np.int64)
    for name in ("raw", "calcium", "spikes"):
        _write_traces(group, name, getattr(outcome, name), len(found.ids))
    file.flush()
    if layout.REFINED in file:
        if not overwrite:
            raise RecordingError(f"{file.filename} was refined before; use --overwrite to replace that")
        del file[layout.REFINED]
    file[layout.REFINED] = group
    file.flush()


def _write_reasons(group: h5py.Group, reasons: tuple[str, ...]) -> None:
    import json

    texts = [json.dumps(text) for text in reasons]
    dataset = group.create_dataset("reason", (len(texts),), h5py.string_dtype())
    if texts:
        dataset[:] = texts


def _write_traces(group: h5py.Group, name: str, traces: Any, columns: int) -> None:
    """Write (rows, N) traces; components that are no more have NaN behind them."""
    rows, living = traces.shape
    chunks = (min(CHUNK[0], rows), max(1, min(CHUNK[1], columns)))
    out = group.create_dataset(
        name, (rows, columns), "f4", chunks=chunks if columns else None, fillvalue=np.nan
    )
    if columns:
        for first in range(0, rows, CHUNK[0]):
            out[first : first + CHUNK[0], :living] = traces[first : first + CHUNK[0]]
