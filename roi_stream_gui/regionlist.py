"""Which regions the list shows, in which order, and what it says of each. Knows no toolkit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from roi_stream_gui.search import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from roi_core.rois import Roi, RoiSet
    from roi_core.snapshot import Snapshot

__all__ = ["Latest", "Sizes", "latest", "listed"]

MOST: Final = 16
"""Regions whose pixels are counted at one go: of 300 new ones each drawn frame counts a part."""


class Latest(NamedTuple):
    """The newest values of a region; NaN where there is none."""

    mean: float = math.nan
    dff: float = math.nan


class Sizes:
    """Numbers of pixels on frames of one shape, counted once for each geometry."""

    def __init__(self) -> None:
        self._shape: tuple[int, int] | None = None
        self._known: dict[tuple[int, int], int] = {}

    def of(self, rois: Iterable[Roi], shape: tuple[int, int]) -> dict[int, int]:
        """Return the pixels of each region on an (H, W) frame by id; of those not yet counted, a few."""
        if shape != self._shape:
            self._shape, self._known = shape, {}
        new, found, before = 0, {}, self._known
        self._known = {}
        for roi in rois:
            key = (roi.id, roi.version)
            if key not in before and new < MOST:
                new += 1
                runs = roi.runs(shape)
                before[key] = int((runs[:, 2] - runs[:, 1]).sum())
            if key in before:
                self._known[key] = found[roi.id] = before[key]
        return found


def latest(snapshot: Snapshot) -> dict[int, Latest]:
    """Return the newest values of all regions that are measured, by id."""
    traces = snapshot.traces
    rows = traces.since(traces.head - 1)
    if not len(rows.times):
        return {}
    dff = rows.dff[-1] if rows.dff.shape[1] else np.full(rows.raw.shape[1], np.nan)
    values = zip(traces.ids, rows.raw[-1].tolist(), dff.tolist(), strict=False)
    return {roi_id: Latest(mean, change) for roi_id, mean, change in values}


def listed(
    rois: RoiSet,
    wanted: str = "",
    column: str = "",
    down: bool = False,
    sizes: Mapping[int, int] | None = None,
    values: Mapping[int, Latest] | None = None,
    hidden: frozenset[int] = frozenset(),
) -> list[Roi]:
    """Return the regions whose name or kind holds `wanted`, sorted by a column; unknown numbers come last."""
    found = [roi for roi in rois if holds(f"{roi.name} {roi.kind}", wanted)]
    sizes, values = sizes or {}, values or {}
    keys: dict[str, Callable[[Roi], object]] = {
        "show": lambda roi: roi.id in hidden,
        "kind": lambda roi: roi.kind,
        "name": lambda roi: natural(roi.name),
        "px": lambda roi: sizes.get(roi.id, math.nan),
        "mean": lambda roi: values.get(roi.id, Latest()).mean,
        "dF/F": lambda roi: values.get(roi.id, Latest()).dff,
    }
    if column not in keys:
        return found
    key = keys[column]
    known = [roi for roi in found if key(roi) == key(roi)]
    known.sort(key=key, reverse=down)  # type: ignore[arg-type]  # one column holds one kind of values
    return [*known, *(roi for roi in found if key(roi) != key(roi))]


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Return what sorts names as people do: fiber2 before fiber10."""
    parts: list[str] = []
    for letter in name.lower():
        if parts and parts[-1][-1].isdecimal() == letter.isdecimal():
            parts[-1] += letter
        else:
            parts.append(letter)
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
