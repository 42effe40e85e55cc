"""The refined cells into the recording, so that no kill and no full disk harms what is in it.

HDF5 changes a few bytes of what is there (the file's head, the list of names in ``/cnmf``) and appends the
rest. It is made to work on a `Draft`: what it appends goes to the file, behind everything that counts; what
it changes is kept in memory. When all is written and on the disk, the changes go into a journal of their
own, then into the file. A kill before the journal is whole leaves the old file; after that the next reader
who asks (`mend`) finishes the job.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import h5py
import numpy as np

from roi_core import __version__, layout
from roi_core.errors import RecorderError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_core.offline.outcome import Outcome

__all__ = ["Draft", "already_refined", "mend", "write"]

CHUNK = (1024, 32)
"""Rows and columns of a chunk of traces."""
SPARE = 2**26
"""Bytes that the disk must have to spare."""
MAGIC = b"roi_stream journal 1\n"


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
        with _locked(path) as raw:
            draft = Draft(raw)
            with h5py.File(draft, "r+") as file:
                _fill(file, outcome, overwrite)
            draft.commit(_journal(path))
    except (OSError, RuntimeError) as error:
        if isinstance(error, RecorderError | RecordingError):
            raise
        raise RecorderError(f"{path} cannot be written: {error}; it is as it was before") from error


def mend(path: Path) -> None:
    """Finish what a kill left half done."""
    journal = _journal(path)
    if journal.exists():
        with path.open("r+b") as raw:
            Draft(raw).replay(journal)


class Draft:
    """A file for HDF5 that is not changed before `commit`, except behind its end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._place = raw, 0
        self._first = self._end = raw.seek(0, os.SEEK_END)
        self._changes: list[tuple[int, bytes]] = []

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def truncate(self, size: int | None = None) -> int:
        """Take note of a new end; the file is never cut below what was there."""
        self._end = self._place if size is None else size
        if self._end > self._raw.seek(0, os.SEEK_END):
            self._raw.truncate(self._end)
        return self._end

    def flush(self) -> None:
        """Do nothing: what counts is `commit`."""

    def readinto(self, buffer: Any) -> int:
        """Read what is there, with all changes."""
        view, place = memoryview(buffer).cast("B"), self._place
        self._raw.seek(place)
        data = self._raw.read(len(view))
        view[: len(data)] = data
        view[len(data) :] = bytes(len(view) - len(data))
        for start, change in self._changes:
            low, high = max(start, place), min(start + len(change), place + len(view))
            if low < high:
                view[low - place : high - place] = change[low - start : high - start]
        self._place += len(view)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read so many bytes; h5py asks for files that can."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def write(self, data: Any) -> int:
        """Append to the file, or remember a change to what is there."""
        data, place = bytes(data), self._place
        inside = max(0, min(len(data), self._first - place))
        if inside:
            self._change(place, data[:inside])
        if inside < len(data):
            self._raw.seek(place + inside)
            self._raw.write(data[inside:])
        self._place += len(data)
        self._end = max(self._end, self._place)
        return len(data)

    def _change(self, place: int, data: bytes) -> None:
        """Remember a change behind all others, and forget those that it covers."""
        end = place + len(data)
        kept = [(start, old) for start, old in self._changes if start < place or start + len(old) > end]
        self._changes = [*kept, (place, data)]

    def commit(self, journal: Path) -> None:
        """Put everything on the disk, and only then change what was there."""
        self._raw.flush()
        os.fsync(self._raw.fileno())
        new = journal.with_suffix(".new")
        with new.open("wb") as file:
            file.write(MAGIC)
            for place, data in self._changes:
                file.write(struct.pack("<qq", place, len(data)) + data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, journal)
        self.replay(journal)

    def replay(self, journal: Path) -> None:
        """Make the changes of a journal, as often as need be."""
        data = journal.read_bytes()
        if not data.startswith(MAGIC):
            raise RecordingError(f"{journal} is not a journal of a refinement; move it away")
        at = len(MAGIC)
        while at < len(data):
            place, size = struct.unpack_from("<qq", data, at)
            self._raw.seek(place)
            self._raw.write(data[at + 16 : at + 16 + size])
            at += 16 + size
        self._raw.flush()
        os.fsync(self._raw.fileno())
        journal.unlink()


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.stem}.refine-journal")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing while no one else does; on systems without locks, just open it."""
    with path.open("r+b") as raw:
        try:
            import fcntl
        except ImportError:
            yield raw
            return
        try:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RecordingError(
                f"{path} is open in another program; close it and run the same command again"
            ) from error
        yield raw


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
