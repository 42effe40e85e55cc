"""An index of recordings, to find a session again: what it was of, how long, how many cells, what was lost.

It is never the truth: every line was read from a recording and can be read again, so a lost or broken
catalogue costs a scan and nothing else. It is made where recordings go, when it is first asked for.
"""

from __future__ import annotations

from roi_core.catalogue.entry import Entry, State, read
from roi_core.catalogue.query import Query
from roi_core.catalogue.store import Catalogue, place, remember

__all__ = ["Catalogue", "Entry", "Query", "State", "place", "read", "remember"]
