"""Rules about regions that are not there: a name that was mistyped would never alarm, and never say why."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.rois import RoiSet
    from roi_core.rules import Rule

__all__ = ["Missed", "strangers"]

log = logging.getLogger(__name__)

SHOWN: Final = 8
"""Regions that are listed; the others are counted."""


def strangers(rules: Iterable[Rule], rois: RoiSet) -> tuple[str, ...]:
    """Return the names that rules are about and that no region has."""
    names = {roi.name for roi in rois}
    return tuple(dict.fromkeys(rule.roi for rule in rules if rule.roi and rule.roi not in names))


class Missed:
    """Warns of each name once, and again when a region that had it is gone."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def follow(self, rules: Iterable[Rule], rois: RoiSet) -> None:
        """Compare the rules in force with the regions that are measured now."""
        missed = strangers(rules, rois)
        if new := [name for name in missed if name not in self._names]:
            which = f"no region is called {', '.join(new)}: a rule in quality.rules waits for it"
            log.warning("%s; %s", which, _there(rois))
        self._names = set(missed)


def _there(rois: RoiSet) -> str:
    known = [roi.name for roi in rois]
    if not known:
        return "there are no regions"
    more = len(known) - SHOWN
    return f"the regions are {', '.join(known[:SHOWN])}" + (f" and {more} more" if more > 0 else "")
