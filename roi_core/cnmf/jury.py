"""What is told of the components now: accepted or not, and why; by thresholds, or by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.cnmf import quality
from roi_core.frame import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells
    from roi_core.settings import Cnmf

__all__ = ["BY_HAND", "NEW", "Jury", "marks", "what_if"]

QUIET = 0.6
"""A cell that does less than this share of what it did once is judged by what it showed: silence is no
fault."""
NEW, BY_HAND = "it is too new to be judged", "by hand"


class Jury:
    """The last judgement; ``hopeless`` are the ids of those that showed that they are no cells."""

    def __init__(self) -> None:
        self.hopeless: set[int] = set()
        self._why: dict[int, str] = {}

    def judge(self, m: quality.Marks, cells: Cells, settings: Cnmf) -> list[tuple[int, str]]:
        """Judge all cells by their marks; return those whose status is another one now, and why."""
        t, n = cells.t, cells.count
        t.shown[:n] = np.stack(m, 1)
        status, t.rule[:n], hopeless = _verdicts(m, cells, settings, cells.field.area)
        self.hopeless = set(t.ids[:n][hopeless].tolist())
        words = _words(m, cells, settings, cells.field.area, t.rule[:n])
        self._why = dict(zip(t.ids[:n].tolist(), words, strict=True))
        changed = np.flatnonzero(status != t.status[:n]).tolist()
        t.status[:n] = status
        return [(i, words[i]) for i in changed]

    def why(self, cell: int) -> str:
        """Return why the component of this id is not accepted."""
        return self._why.get(cell, NEW)

    def reasons(self, ids: Sequence[int], cells: Cells) -> tuple[str, ...]:
        """Return why each component is not accepted, or that it is by hand."""
        t, n = cells.t, cells.count
        words = [""] * n
        for i in np.flatnonzero(t.status[:n] != Status.ACCEPTED).tolist():
            words[i] = self.why(ids[i])
        for i in np.flatnonzero(t.verdict[:n]).tolist():
            words[i] = BY_HAND
        return tuple(words)


def marks(
    cells: Cells, noise: NDArray[np.float32], hidden: tuple[float, float, float, float]
) -> quality.Marks:
    """Return what components are judged by; of one that is quiet, what it was when it last was not."""
    t, n = cells.t, cells.count
    now = quality.marks(n, t, noise, cells.field.shape, hidden)
    quiet = (t.status[:n] == Status.ACCEPTED) & (t.second[:n] < QUIET * t.loud[:n])
    quiet &= t.shown[:n].any(1)
    return quality.Marks(*np.where(quiet, t.shown[:n].T, np.stack(now)))


def what_if(m: quality.Marks, cells: Cells, settings: Cnmf, area: float) -> dict[int, tuple[Status, str]]:
    """Return what would become of each component under other thresholds, and why; changes nothing."""
    status, rules, _ = _verdicts(m, cells, settings, area)
    words = _words(m, cells, settings, area, rules)
    return {
        cell: (Status(s), "" if s == Status.ACCEPTED else why)
        for cell, s, why in zip(cells.t.ids[: cells.count].tolist(), status.tolist(), words, strict=True)
    }


def _verdicts(m: quality.Marks, cells: Cells, settings: Cnmf, area: float) -> tuple[Any, Any, Any]:
    """Return status, rule failed and hopelessness (N,); what was judged by hand stays."""
    t, n = cells.t, cells.count
    status, rules, hopeless = quality.judge(m, settings, area, t.status[:n])
    return np.where(t.verdict[:n] > 0, t.verdict[:n], status), rules, hopeless


def _words(
    m: quality.Marks, cells: Cells, settings: Cnmf, area: float, rules: NDArray[np.int64]
) -> list[str]:
    """Return which rule each fails, or that its status is by hand."""
    words = quality.reasons(m, settings, area, rules)
    for i in np.flatnonzero(cells.t.verdict[: len(rules)]).tolist():
        words[i] = BY_HAND
    return words
