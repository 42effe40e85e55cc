"""The list of cells as lines: which are shown, in which order, and what is said of one. Knows no toolkit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from roi_core.frame import Status
from roi_core.hand import DEMOTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from roi_core.frame import Components

__all__ = ["SHOWN", "Cell", "Order", "cells_of", "counts", "deleted", "picked", "said", "shortfall"]

SHOWN: Final = ("all", "accepted", "rejected", "by hand", "named", "chosen")
"""What the list may be narrowed to."""
BY_HAND: Final = "by hand"
REGION: Final = DEMOTED.partition("{")[0]
"""How the reason begins of one that was made a region."""
LIMITS: Final = {
    "evidence": "cnmf.min_evidence", "SNR": "cnmf.min_snr", "spatial correlation": "cnmf.min_r",
    "skewness": "cnmf.min_skewness", "asymmetry of rise and fall": "cnmf.min_asymmetry",
    "size": "cnmf.min_size or cnmf.max_size",
}  # fmt: skip
"""The setting behind a reason."""
BELOW: Final = re.compile(r"(?P<what>.+) (?P<value>[-\d.e+]+) is below (?P<least>[-\d.e+]+)$")


class Cell(NamedTuple):
    """One living component; ``born`` in s since the first frame, ``rate`` in events per second."""

    id: int
    name: str
    status: str
    snr: float
    r: float
    size: float
    rate: float
    born: float
    reason: str
    frozen: bool

    @property
    def by_hand(self) -> bool:
        """True when a hand judged it."""
        return self.reason == BY_HAND


@dataclass(frozen=True, slots=True)
class Order:
    """What the list is sorted by and narrowed to."""

    key: str = "id"
    down: bool = False
    text: str = ""
    shown: str = "all"


def cells_of(
    components: Components, rate: float, names: Mapping[int, str], firing: Mapping[int, float]
) -> list[Cell]:
    """Return the living components in their order; `rate` is that of frames."""
    c = components
    return [
        Cell(cell, names.get(cell, ""), Status(status).name.lower(), snr, r, size, firing.get(cell, math.nan),
             born / max(rate, 1e-3), reason, cell in c.frozen)
        for cell, status, snr, r, size, born, reason in zip(
            c.ids.tolist(), c.status.tolist(), c.snr.tolist(), c.r.tolist(), c.size.tolist(),
            c.born.tolist(), c.reason, strict=True,
        )
        if status <= Status.REJECTED
    ]  # fmt: skip


def counts(cells: Sequence[Cell]) -> dict[str, int]:
    """Return how many there are of each status."""
    found = {"accepted": 0, "rejected": 0}
    for cell in cells:
        found[cell.status] += 1
    return found


def deleted(components: Components) -> bool:
    """Tell whether a hand deleted any of them, or made it a region."""
    gone = zip(components.status.tolist(), components.reason, strict=True)
    return any(status == Status.REMOVED and why.startswith((BY_HAND, REGION)) for status, why in gone)


def picked(cells: Iterable[Cell], order: Order, chosen: Sequence[int]) -> list[Cell]:
    """Return the cells to be listed, in order; what is not known comes last."""
    texts = order.text.lower().split()
    kept = [cell for cell in cells if _passes(cell, order.shown, chosen) and _holds(cell, texts)]
    known = [cell for cell in kept if not _unknown(getattr(cell, order.key))]
    known.sort(key=lambda cell: getattr(cell, order.key), reverse=order.down)
    return known + [cell for cell in kept if _unknown(getattr(cell, order.key))]


def shortfall(reason: str) -> str:
    """Return by how much a component missed its threshold, and which setting that is; '' for neither."""
    found = BELOW.match(reason)
    if found is None:
        return LIMITS["size"] if reason.startswith("size") else ""
    value, least = float(found["value"]), float(found["least"])
    setting = LIMITS.get(found["what"], "")
    if 0 <= value < least:
        part = f"{100 * (least - value) / least:.0f} % short"
        return f"{part} of {setting}" if setting else part
    return setting


def said(cell: Cell, now: float) -> str:
    """Return what is said of one cell `now` s after the first frame, beside what the list shows of it."""
    held = ", shape frozen" if cell.frozen else ""
    if cell.by_hand:
        return f"{cell.status} by hand{held}; found {_age(now - cell.born)} ago"
    if cell.status == "accepted":
        return f"accepted by the rules{held}; found {_age(now - cell.born)} ago"
    more = shortfall(cell.reason)
    return f"rejected{held}: {cell.reason}" + (f"\n({more})" if more else "")


def _passes(cell: Cell, shown: str, chosen: Sequence[int]) -> bool:
    tests = {"by hand": cell.by_hand, "named": bool(cell.name), "chosen": cell.id in chosen}
    return shown == "all" or tests.get(shown, cell.status == shown)


def _holds(cell: Cell, texts: Sequence[str]) -> bool:
    """Tell whether every text is somewhere in what is said of a cell; a number is its id, or in its name."""
    if not texts:
        return True
    name = cell.name.lower()
    whole = f"{name} {cell.status} {cell.reason}{' frozen' if cell.frozen else ''}".lower()
    return all(text == str(cell.id) or text in (name if text.isdigit() else whole) for text in texts)


def _unknown(value: float | str) -> bool:
    return value == "" or (isinstance(value, float) and math.isnan(value))


def _age(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
