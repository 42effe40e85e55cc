"""The two lines of algebra that both registrations share: a measured Hessian, and a step with it.

Gauss-Newton (Lucas & Kanade 1981), inverse compositional (Baker & Matthews 2004): slopes and Hessian are the
template's, made once and not in every step. The Hessian is measured by moving the template itself, not
summed from products of slopes: those are too flat by what the slope filter and the interpolation take from
fine structure, and steps would overshoot by a third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Hessian", "response", "solved"]

Hessian = tuple[tuple[float, float], tuple[float, float]]


def response(weigh: Callable[[tuple[float, float]], tuple[float, float]], nudge: float) -> Hessian:
    """Return how the weighed sums (y, x) of the template change per px that it is displaced in y and in x."""
    (a, c), (b, d) = (change(weigh, nudge, axis) for axis in (0, 1))
    return (a, b), (c, d)


def change(
    weigh: Callable[[tuple[float, float]], tuple[float, float]], nudge: float, axis: int
) -> tuple[float, float]:
    """Return the column of the response that belongs to one axis."""
    y, x = (nudge, 0.0) if axis == 0 else (0.0, nudge)
    ahead, back = weigh((y, x)), weigh((0.0 - y, 0.0 - x))
    return (ahead[0] - back[0]) / (2 * nudge), (ahead[1] - back[1]) / (2 * nudge)


def solved(hessian: Hessian, pull: tuple[float, float], share: float, longest: float) -> tuple[float, float]:
    """Return (share * hessian)^-1 pull, each part cut to +-longest; nothing where the template is flat."""
    (a, b), (c, d) = hessian
    det = a * d - b * c
    if not det > 1e-6 * (a + d) ** 2 or not share > 0:
        return 0.0, 0.0
    scale = 1 / (det * share)
    dy, dx = (d * pull[0] - b * pull[1]) * scale, (a * pull[1] - c * pull[0]) * scale
    return max(-longest, min(longest, dy)), max(-longest, min(longest, dx))
