"""The one place that chooses numba flags.

Every kernel is compiled ``nogil`` (the window keeps drawing while the worker computes) and cached on disk
(the second start is fast). Never ``parallel``: fork/join costs 5-8 ms on a busy machine and two threads
calling parallel kernels abort the process under the workqueue layer. Never blanket ``fastmath``: it changes
what NaN means, and an empty ROI is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
from numba.core import types
from numba.extending import intrinsic

__all__ = ["KERNELS", "fence", "kernel", "lean", "lean_sums", "part", "sums"]

F = TypeVar("F", bound="Callable[..., object]")

KERNELS: Final[list[Any]] = []
"""Every kernel of the modules imported so far."""


def kernel(function: F) -> F:
    """Compile `function` for the hot path: nogil, cached on disk, one thread, IEEE arithmetic."""
    return _compiled(function)


def part(function: F) -> F:
    """Compile like `kernel`, and write it into every kernel that uses it, for a call costs 9 ns."""
    return _compiled(function, inline="always")


def sums(function: F) -> F:
    """Compile like `kernel`, but take float sums in any order, so that they vectorise; NaN stays NaN."""
    return _compiled(function, fastmath={"reassoc", "contract"})


def lean(function: F) -> F:
    """Compile like `kernel` what makes no array and returns none: then nobody counts references.

    Numba counts every view, ``a = picture[y]``, by two atomic operations of 6 ns; where the compiler cannot
    cancel them they cost more than the work on a row. What a lean kernel calls does not count what it is
    given either, and may make arrays. Numba refuses to make one in it; no lean kernel may return a view, nor
    call what returns an array: nobody would release that.
    """
    return _compiled(function, _nrt=False)


def lean_sums(function: F) -> F:
    """Compile like `sums` and `lean`."""
    return _compiled(function, _nrt=False, fastmath={"reassoc", "contract"})


def _compiled(function: F, **flags: Any) -> F:
    flags = {"_nrt": True, **flags}  # said in any case: what is not said would be the caller's
    try:
        made = numba.njit(nogil=True, cache=True, **flags)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written: compile at each start
        made = numba.njit(nogil=True, **flags)(function)
    KERNELS.append(made)
    return cast("F", made)


@intrinsic
def _fence(_typing: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.none(), generate


fence: Callable[[], None] = cast("Any", _fence)
"""Inside a kernel: keep stores and loads before this point before it, in compiler and processor."""
