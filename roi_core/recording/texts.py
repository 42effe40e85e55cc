"""Texts of any length in HDF5, and what damage to them does to who reads them."""

from __future__ import annotations

import math
import struct
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_texts"]

REFERENCE: Final = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
"""How a text stands in its dataset: by the heap that holds it and its number there."""
POINTER: Final = 8
"""Bytes of a text in memory, where its dtype is that of a pointer."""
HEAD: Final = 16
"""Bytes before the first object of a heap, and before each object's own."""


def check_texts(dataset: h5py.Dataset, base: Path | None = None) -> None:
    """Refuse a dataset that should hold texts, or rows that end with one, and cannot be read as that.

    To be asked before such a dataset is read. All was found by fuzzing: where damage has made lists of
    numbers of the texts, or a part of a row reach into the next one, h5py reads where there is nothing, and
    the process dies; where it has made an object of no size in a heap of texts, HDF5 goes on from there to
    there for ever. ``base`` is the file on the disk
    under one that is open as changed in memory.

    Raises
    ------
    ValueError
        They are no texts, or their heap has no end.
    """
    dtype = dataset.dtype
    kind = h5py.check_string_dtype(dtype[dtype.names[-1]] if dtype.names else dtype)
    if kind is None or _overlap(dtype):
        raise ValueError(f"{dataset.name} holds no texts")
    path = base or Path(dataset.file.filename)
    if kind.length is None and path.is_file() and _plain(dataset):
        with path.open("rb") as file:
            for heap in _heaps(dataset, path):
                file.seek(heap)
                head = file.read(HEAD)
                if head[:4] == b"GCOL":
                    size = min(struct.unpack("<Q", head[8:])[0], path.stat().st_size)
                    _walk(head + file.read(max(size - HEAD, 0)), dataset.name)


def _overlap(dtype: np.dtype[Any]) -> bool:
    """Return whether parts of a row share bytes."""
    fields = sorted((offset, offset + part.itemsize) for part, offset, *_ in (dtype.fields or {}).values())
    return any(end > start for (_, end), (start, _) in pairwise(fields))


def _plain(dataset: h5py.Dataset) -> bool:
    """Return whether its bytes are on the disk as they are read, with addresses of eight bytes."""
    plist = dataset.id.get_create_plist()
    return bool(plist.get_nfilters() == 0 and dataset.file.id.get_create_plist().get_sizes() == (8, 8))


def _heaps(dataset: h5py.Dataset, path: Path) -> set[int]:
    """Return where the heaps of its texts are."""
    found: set[int] = set()
    number = math.prod(dataset.chunks or dataset.shape)
    size = number * (dataset.dtype.itemsize - POINTER + REFERENCE.itemsize)
    for stored in _stored(dataset, path, size):
        rows = np.frombuffer(stored, np.uint8).reshape(number, -1)
        last = np.ascontiguousarray(rows[:, -REFERENCE.itemsize :]).view(REFERENCE)
        found |= {heap for heap in last["heap"].ravel().tolist() if heap < 2**63}
    return found


def _stored(dataset: h5py.Dataset, path: Path, size: int) -> Iterator[bytes]:
    """Yield the bytes of a dataset as they are on the disk, `size` at a time.

    Where damage tells another size, HDF5 writes beyond what was made for it, and the process dies.
    """
    one = dataset.id
    chunks = [one.get_chunk_info(k) for k in range(one.get_num_chunks())] if dataset.chunks else []
    plain = not dataset.chunks and one.get_offset() is not None
    if any(chunk.size != size for chunk in chunks) or (plain and one.get_storage_size() != size):
        raise ValueError(f"{dataset.name} holds no texts")
    for chunk in chunks:
        yield one.read_direct_chunk(chunk.chunk_offset)[1]
    if plain:
        with path.open("rb") as file:
            file.seek(one.get_offset())
            yield file.read(size)


def _walk(heap: bytes, name: str) -> None:
    """Go through the objects of a heap as HDF5 does: number 0 is the rest, whose size tells its head, too."""
    at = HEAD
    while at + HEAD <= len(heap):
        number, _, _, size = struct.unpack_from("<HHIQ", heap, at)
        step = HEAD + -(-size // 8) * 8 if number else size
        if step == 0:
            raise ValueError(f"the texts of {name} have no end")
        at += step
