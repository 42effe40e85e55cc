"""What cells are called: given by hand, told to the recording, read back from what it says. No toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.frame import Event

__all__ = ["NAMED", "names_in"]

NAMED: Final = "cell_named"
"""Kind of the event that tells a name: ``{"id": ..., "name": ...}``; an empty one takes it away."""


def names_in(events: Iterable[Event]) -> dict[int, str]:
    """Return the last name of each cell that has one; an event of others that is called the same has none."""
    said = ((event.data.get("id"), event.data.get("name")) for event in events if event.kind == NAMED)
    told = {cell: name for cell, name in said if isinstance(cell, int) and isinstance(name, str)}
    return {cell: name for cell, name in told.items() if name}
