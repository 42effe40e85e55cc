"""The one place that chooses numba flags.

Every kernel is compiled ``nogil`` (the window keeps drawing while the worker computes) and cached on disk
(the second start is fast). Never ``parallel``: fork/join costs 5-8 ms on a busy machine and two threads
calling parallel kernels abort the process under the workqueue layer. Never blanket ``fastmath``: it changes
what NaN means, and an empty ROI is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import types
from numba.extending import intrinsic

__all__ = ["fence", "kernel", "part", "sums"]

F = TypeVar("F", bound="Callable[..., object]")


def kernel(function: F) -> F:
    """Compile `function` for the hot path: nogil, cached on disk, one thread, IEEE arithmetic."""
    try:
        return cast("F", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # neither the package's folder nor the user's can be written: compile at each start
        return cast("F", numba.njit(nogil=True)(function))


def part(function: F) -> F:
    """Compile like `kernel`, and write it into every kernel that uses it, for a call costs 9 ns."""
    try:
        return cast("F", numba.njit(nogil=True, cache=True, inline="always")(function))
    except RuntimeError:
        return cast("F", numba.njit(nogil=True, inline="always")(function))


def sums(function: F) -> F:
    """Compile like `kernel`, but take float sums in any order, so that they vectorise; NaN stays NaN."""
    flags = {"reassoc", "contract"}
    try:
        return cast("F", numba.njit(nogil=True, cache=True, fastmath=flags)(function))
    except RuntimeError:
        return cast("F", numba.njit(nogil=True, fastmath=flags)(function))


@intrinsic
def _fence(_typing: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.none(), generate


fence: Callable[[], None] = cast("Any", _fence)
"""Inside a kernel: keep stores and loads before this point before it, in compiler and processor."""
