"""Texts of any length in HDF5."""

from __future__ import annotations

import h5py

__all__ = ["check_texts"]


def check_texts(dataset: h5py.Dataset) -> None:
    """Refuse a dataset that should hold texts, or rows that end with one, and holds something else.

    To be asked before such a dataset is read: where damage has made lists of numbers of the texts, h5py reads
    where there is nothing, and the process dies (found by fuzzing).

    Raises
    ------
    ValueError
        They are no texts.
    """
    dtype = dataset.dtype
    if h5py.check_string_dtype(dtype[dtype.names[-1]] if dtype.names else dtype) is None:
        raise ValueError(f"{dataset.name} holds no texts")
