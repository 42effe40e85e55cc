"""A result in an HDF5 file, believed only as far as the file itself goes.

Such a file can name others: an external link, storage outside, a virtual dataset. Opened by whoever got it
from a stranger, it would wait for a pipe or show what is in a private file. And a dataset of which nothing
was written may be of any size, since the file only says what fills it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core.imports.build import believable, bounded
from roi_core.paths import is_special
from roi_core.recording.texts import check_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["opened", "pictures", "values"]


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading; one with a link to another file is refused (ValueError)."""
    if is_special(path):
        raise ValueError("it is a pipe, a socket or a device")
    with h5py.File(path, "r") as file:
        away = file.id.links.visit(_leads_away, info=True)
        if away:
            raise ValueError(f"{away.decode(errors='replace')} is a link to another file")
        yield file


def values(group: h5py.Group, name: str) -> NDArray[Any]:
    """Return all of a dataset that is really in the file (ValueError)."""
    found = _inside(group, name)
    believable(name, found.nbytes, found.id.get_storage_size())
    return np.asarray(found[()])


def pictures(group: h5py.Group, name: str) -> h5py.Dataset:
    """Return a dataset (N, ., .) to be read one by one; more than anybody has is refused (ValueError)."""
    found = _inside(group, name)
    bounded(found.shape)
    return found


def _inside(group: h5py.Group, name: str) -> h5py.Dataset:
    found = group[name]
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{name} is no dataset")
    if found.external or found.is_virtual:
        raise ValueError(f"the numbers of {name} are in another file")
    if found.dtype.kind == "O" and h5py.check_ref_dtype(found.dtype) is None:
        check_texts(found)
    return found


def _leads_away(name: bytes, info: Any) -> bytes | None:
    """Return a name, which ends the visit, of whatever is neither in the file nor another name for it."""
    return None if info.type in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT) else name
