"""Interpreter, processor and memory while a camera runs: nothing may let the worker wait for long."""

from __future__ import annotations

import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = TypeVar("Array", bound=NDArray[Any])

__all__ = ["ASIDE", "DRAWING", "SWITCH", "WRITING", "calm", "start", "starter", "step_back", "there"]

SWITCH: Final = 0.0002
"""s; with Python's own 5 ms the camera's thread waits 11 ms for the window's (p99), with this 1.9 ms."""

WRITING, DRAWING, ASIDE = 2, 5, 10
"""How far those step back that write (they have a queue), draw (nobody dies of a late picture) and search for
cells (they may leave frames out). With two cores, all busy, the worker's p99 fell from 22 to 15 ms."""
BEGUN: Final = os.getpriority(os.PRIO_PROCESS, 0) if sys.platform == "linux" else 0
"""What the program was started with (`nice`)."""


def step_back(niceness: int, begun: int = BEGUN) -> None:
    """Let the camera's thread, of a program that began with some niceness, go before this one.

    That is for when there are too few cores.

    On Linux, where priorities belong to threads; those that this thread starts inherit it. Only who may set
    priorities (``CAP_SYS_NICE``) could step forward again.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(begun + niceness, 19))


_starters: Final[list[ThreadPoolExecutor]] = []


def starter() -> None:
    """Let a thread that never steps back start those of `start` from now on.

    For whoever is to step back and asked afterwards for threads that may not be as far back.
    """
    if not _starters:
        thread = ThreadPoolExecutor(1, thread_name_prefix="starter")
        thread.submit(int).result()  # it begins with its first task
        _starters.append(thread)


def start(thread: threading.Thread) -> None:
    """Start a thread as near to the front as the program began, also for one that stepped back."""
    if _starters:
        _starters[0].submit(thread.start).result()
    else:
        thread.start()


@contextmanager
def calm() -> Iterator[None]:
    """Let threads hand over soon, and the collector pass over all that was made before the first frame.

    A walk through the half million objects of the libraries takes 65 ms, and every thread waits for it.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(SWITCH, before))
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


def there(array: Array) -> Array:
    """Fill an array with zeros and return it: its memory is there now, not page by page as frames need it.

    The first touch of 2 MB can take 5 ms. Other threads go on meanwhile.
    """
    _zero(array.reshape(-1).view(np.uint8))
    return array


@kernel
def _zero(values: NDArray[np.uint8]) -> None:
    values[:] = 0
