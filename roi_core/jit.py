"""The one place that chooses numba flags.

Every kernel is compiled ``nogil`` (the window keeps drawing while the worker computes) and cached on disk
(the second start is fast). Never ``parallel``: fork/join costs 5-8 ms on a busy machine and two threads
calling parallel kernels abort the process under the workqueue layer. Never blanket ``fastmath``: it changes
what NaN means, and an empty ROI is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kernel"]

F = TypeVar("F", bound="Callable[..., object]")


def kernel(function: F) -> F:
    """Compile `function` for the hot path: nogil, cached on disk, one thread, IEEE arithmetic."""
    compiled: F = numba.njit(nogil=True, cache=True)(function)
    return compiled
