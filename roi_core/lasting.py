"""What lasts while frames come: alerts and episodes that began, by their events, and are not over yet.

A file may begin in the middle of one, and then its first row tells of the beginning.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from roi_core.frame import Event, Sample

__all__ = ["Lasting"]


class Lasting:
    """Follows the events of a session whose ``state`` is ``begin`` or ``end``; for the worker alone."""

    def __init__(self) -> None:
        self._on: dict[Hashable, Event] = {}
        self._told: tuple[Event, ...] = ()
        """The same for all samples between two changes."""

    def follow(self, sample: Sample) -> Sample:
        """Return a sample that knows what began before it and still lasts."""
        known = replace(sample, lasting=self._told) if self._told else sample
        news = [event for event in sample.events if event.data.get("state") in ("begin", "end")]
        for event in news:
            if event.data["state"] == "begin":
                self._on[_subject(event)] = event
            else:
                self._on.pop(_subject(event), None)
        if news:
            self._told = tuple(self._on.values())
        return known


def _subject(event: Event) -> Hashable:
    """Return what an event is about: two alerts of one rule are about different regions."""
    data = event.data
    return event.kind, data.get("metric"), data.get("rule"), tuple(data.get("rois", ()))
