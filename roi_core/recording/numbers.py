"""Numbers in HDF5 that cannot be read as they say they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_numbers"]


def check_numbers(file: h5py.File) -> None:
    """Refuse a file with a number that has more bits than bytes for them.

    To be asked before anything in the file is read. Found by fuzzing: where damage has made such a type, HDF5
    writes beyond what was made for its value, and the process dies.

    Raises
    ------
    ValueError
        There is one.
    """
    _check("", file)
    file.visititems(_check)


def _check(name: str, item: h5py.HLObject) -> None:
    one = item.id
    types = [h5py.h5a.open(one, index=k).get_type() for k in range(h5py.h5a.get_num_attrs(one))]
    if isinstance(one, h5py.h5d.DatasetID):
        types.append(one.get_type())
    if any(_overflows(part) for kind in types for part in _parts(kind)):
        raise ValueError(f"the numbers of /{name} have more bits than there are")


def _parts(kind: Any) -> Iterator[Any]:
    """Yield a type, or those of the parts of a row."""
    if isinstance(kind, h5py.h5t.TypeCompoundID):
        yield from (kind.get_member_type(k) for k in range(kind.get_nmembers()))
    else:
        yield kind


def _overflows(kind: Any) -> bool:
    if not isinstance(kind, h5py.h5t.TypeIntegerID | h5py.h5t.TypeFloatID):
        return False
    return bool(kind.get_offset() + kind.get_precision() > 8 * kind.get_size())
