"""How often the quality of a recording was not good enough, and in what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.frame import Event

__all__ = ["alerts_of"]


def alerts_of(events: Iterable[Event]) -> dict[str, int]:
    """Return the alerts that began, or were on when the recording did, by figure; the most frequent first."""
    begun = (e.data for e in events if e.kind == "quality" and e.data.get("state") == "begin")
    return dict(Counter(str(data.get("metric", "unknown")) for data in begun).most_common())
