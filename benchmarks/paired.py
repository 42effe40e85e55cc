"""Cost of a piece of work as a ratio to one memcpy of the same frame, measured in the same loop.

These machines are shared, so absolute times mean little; the copy runs right before each measured call and
suffers the same neighbours. Medians of at least 100 pairs.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["ratio", "table"]


def ratio(work: Callable[[], object], frame: NDArray[np.generic], repeats: int = 200) -> tuple[float, float]:
    """Return (median ms of `work`, median of work / memcpy of `frame`)."""
    target = np.empty_like(frame)
    costs, ratios = np.empty(repeats), np.empty(repeats)
    for _ in range(5):
        work()
    for i in range(repeats):
        begin = perf_counter()
        np.copyto(target, frame)
        middle = perf_counter()
        work()
        end = perf_counter()
        costs[i] = end - middle
        ratios[i] = (end - middle) / (middle - begin)
    return float(np.median(costs)) * 1e3, float(np.median(ratios))


def table(title: str, rows: list[tuple[str, tuple[float, float]]]) -> None:
    """Print a Markdown table of named (ms, ratio) pairs."""
    print(f"\n### {title}\n\n| what | median ms | x memcpy |\n|---|---:|---:|")
    for name, (cost, times) in rows:
        print(f"| {name} | {cost:.4f} | {times:.2f} |")
