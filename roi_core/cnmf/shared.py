"""Memory that two processes see: what the one writes, the other reads at once."""

from __future__ import annotations

import math
import mmap
import os
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.calm import there

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Zeros = Callable[[Any, Any], NDArray[Any]]

__all__ = ["Shared", "zeros"]


class Shared:
    """Arrays one after the other in a file of memory (Linux: memfd, so /dev/shm may be as small as it likes).

    Whoever is given the number of the ``file`` and asks for the same arrays in the same order sees those of
    the first. An `OSError` says that there is no memory; `possible` says where there is no such thing. The
    file ends with this object, its arrays do not.
    """

    def __init__(self, file: int | None = None) -> None:
        self._mine, self._end = file is None, 0
        self.file = os.memfd_create("roi_stream") if file is None else file
        weakref.finalize(self, os.close, self.file)

    @staticmethod
    def possible() -> bool:
        """Return whether this system has files of memory."""
        return hasattr(os, "memfd_create")

    def zeros(self, shape: Any, kind: Any) -> NDArray[Any]:
        """Return the next array: of zeros, all there already; or what the first made of it since."""
        size = math.prod(np.atleast_1d(shape).tolist()) * np.dtype(kind).itemsize
        begin = self._end
        self._end += -(-size // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        if self._mine:
            os.ftruncate(self.file, self._end)
        array = np.frombuffer(mmap.mmap(self.file, size, offset=begin), kind).reshape(shape)
        return there(array) if self._mine else array


def zeros(shape: Any, kind: Any) -> NDArray[Any]:
    """Return an array of this process alone, all there already."""
    return there(np.empty(shape, kind))
