"""Regions that belong together: they carry the same number, and what is done to one is done to all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roi_core.rois import Roi

__all__ = ["companions", "fresh_number", "regrouped"]


def companions(rois: Iterable[Roi], ids: Iterable[int]) -> tuple[int, ...]:
    """Return the ids of these regions and of all in a group with one of them, in the order of the set."""
    rois, ids = tuple(rois), set(ids)
    groups = {roi.group for roi in rois if roi.id in ids and roi.group}
    return tuple(roi.id for roi in rois if roi.id in ids or roi.group in groups)


def fresh_number(rois: Iterable[Roi]) -> int:
    """Return a group number that none of the regions has."""
    return max((roi.group for roi in rois), default=0) + 1


def regrouped(copies: Sequence[Roi], first: int) -> tuple[Roi, ...]:
    """Return copies in groups of their own, numbered from `first`; one that came alone is in none."""
    groups = [roi.group for roi in copies]
    shared = sorted({group for group in groups if group and groups.count(group) > 1})
    new = {group: first + k for k, group in enumerate(shared)}
    return tuple(roi.with_(group=new.get(roi.group, 0)) for roi in copies)
