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
    up, down = weigh((nudge, 0.0)), weigh((-nudge, 0.0))
    right, left = weigh((0.0, nudge)), weigh((0.0, -nudge))
    scale = 1 / (2 * nudge)
    return (
        ((up[0] - down[0]) * scale, (right[0] - left[0]) * scale),
        ((up[1] - down[1]) * scale, (right[1] - left[1]) * scale),
    )


def solved(hessian: Hessian, pull: tuple[float, float], share: float, longest: float) -> tuple[float, float]:
    """Return (share * hessian)^-1 pull, each part cut to +-longest; nothing where the template is flat."""
    (a, b), (c, d) = hessian
    det = a * d - b * c
    if not det > 1e-6 * (a + d) ** 2 or not share > 0:
        return 0.0, 0.0
    scale = 1 / (det * share)
    dy, dx = (d * pull[0] - b * pull[1]) * scale, (a * pull[1] - c * pull[0]) * scale
    return max(-longest, min(longest, dy)), max(-longest, min(longest, dx))
