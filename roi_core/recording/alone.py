"""HDF5 for one thread at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from h5py._objects import phil

__all__ = ["alone"]

alone: Final[AbstractContextManager[object]] = phil
"""Keeps every other thread out of h5py: the lock that it takes for each single call, held for several.

A dataset that two have open is one for HDF5. If its rows end with texts, it looks for those in the file
through which it was opened first, also when that one is closed: whoever reads on then reads where there is
nothing, and the process dies (https://github.com/h5py/h5py/issues/2920; HDF5 2.0 to 2.2). So such a dataset
is opened, read and let go before another thread can open it.
"""
