"""The cells that an export takes, and their traces, block by block."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import yaml

from roi_core.errors import RecordingError
from roi_core.frame import Status
from roi_core.recording.light import seen
from roi_core.rois import RoiSet

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.export.task import Wishes
    from roi_core.recording import RecordedCells, Recording

__all__ = [
    "BLOCK",
    "Cells",
    "Light",
    "Regions",
    "cells_of",
    "chosen",
    "lights_of",
    "lit",
    "needed",
    "picture",
    "rate_of",
    "regions_of",
    "setting",
    "titles",
]

log = logging.getLogger(__name__)

BLOCK: Final = 4096
"""Rows of traces in memory at a time."""


@dataclass(frozen=True)
class Cells:
    """The N components that were cells, or candidates that were turned down, at the end of a recording.

    Those that were merged or removed are left out, for they have no trace at the end. ``footprints`` are
    (H * W, N), pixel y * W + x.
    """

    ids: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    by_hand: NDArray[np.bool_]
    snr: NDArray[np.float32]
    r: NDArray[np.float32]
    footprints: csc_matrix
    refined: bool
    _recorded: RecordedCells
    _columns: NDArray[np.intp]

    def traces(self, path: str, rows: slice) -> NDArray[np.float32]:
        """Return (n, N) rows of one kind, such as ``layout.RAW``; NaN before a cell's birth and in gaps."""
        return self._recorded.traces(path, rows.start, rows.stop)[:, self._columns]

    def still(self, path: str, rows: slice) -> NDArray[np.float32]:
        """Return the same with 0 in place of NaN, for programs that cannot read one."""
        return np.nan_to_num(self.traces(path, rows), nan=0.0)


def chosen(recording: Recording, wishes: Wishes) -> RecordedCells | None:
    """Return what was found online, or, if wished and there is one, by the second pass."""
    if wishes.refined and recording.refined is None:
        log.warning("%s was not refined; the cells found online are exported", recording.path)
    return (recording.refined if wishes.refined else None) or recording.cells


def cells_of(recording: Recording, wishes: Wishes) -> Cells | None:
    """Return the cells that have a footprint, or None when there is not one."""
    recorded = chosen(recording, wishes)
    if recorded is None:
        return None
    status, footprints = recorded.status, recorded.footprints
    alive = np.isin(status, (Status.ACCEPTED, Status.REJECTED))
    shaped = np.diff(footprints.indptr) > 0
    if lost := int((alive & ~shaped).sum()):
        log.warning("%d cells have no footprint in %s and are left out", lost, recording.path)
    columns = np.flatnonzero(alive & shaped)
    if not len(columns):
        return None
    hand = np.array([reason == "by hand" for reason in recorded.reason], bool)
    return Cells(
        recorded.ids[columns], status[columns] == Status.ACCEPTED, hand[columns], recorded.snr[columns],
        recorded.r[columns], footprints[:, columns], wishes.refined and recording.refined is not None,
        recorded, columns,
    )  # fmt: skip


def needed(recording: Recording, wishes: Wishes, what: str) -> Cells:
    """Return the cells, or refuse a recording without."""
    cells = cells_of(recording, wishes)
    if cells is None:
        raise RecordingError(
            f"{recording.path} holds no cells, and {what} is made of them; its regions go --to csv or nwb, "
            "and cnmf.enabled=true finds cells while recording"
        )
    return cells


@dataclass(frozen=True)
class Regions:
    """The K regions that were ever drawn, as they were last; ``footprints`` (H * W, K) are 0 or 1."""

    ids: NDArray[np.int64]
    names: list[str]
    geometry: list[str]
    footprints: csc_matrix


def regions_of(recording: Recording) -> Regions | None:
    """Return the regions, or None when there is not one."""
    from scipy.sparse import csc_matrix

    shapes = [next(iter(RoiSet.from_dicts([shape]))) for shape in recording.shapes]
    if not shapes:
        return None
    (height, width), pixels = recording.shape, []
    for shape in shapes:
        runs = shape.runs((height, width)).astype(np.int64)
        rows = (np.arange(first, end) + y * width for y, first, end in runs)
        pixels.append(np.concatenate([np.zeros(0, np.int64), *rows]))
    ends = np.cumsum([0, *map(len, pixels)])
    indices = np.concatenate(pixels)
    matrix = csc_matrix((np.ones(len(indices), np.float32), indices, ends), (height * width, len(shapes)))
    said = [" ".join(map(str, shape.geometry())) for shape in shapes]
    return Regions(np.array([shape.id for shape in shapes]), [each.name for each in shapes], said, matrix)


def titles(recording: Recording, taken: Collection[str] = ()) -> list[str]:
    """Return (K) what the column of each region is called in a table: its name, with its id if it must be.

    Regions of one name may have lived one after the other, and a name may be one of those `taken`.
    """
    shapes = recording.shapes
    found = [str(shape["name"]) for shape in shapes]
    places = [str(k) for k in range(len(shapes))]
    ids = [str(shape.get("id", place)) for shape, place in zip(shapes, places, strict=True)]
    for more in (ids, ids, places):
        count = Counter([*found, *taken])
        pairs = zip(found, more, strict=True)
        found = [f"{name}-{part}" if count[name] > 1 else name for name, part in pairs]
    return found


def picture(recording: Recording, name: str) -> NDArray[Any] | None:
    """Return a summary map (H, W) float32; what was not analysed is as dark as the darkest pixel."""
    found = recording.maps.get(name)
    if found is None or not np.isfinite(found).any():
        return None
    return np.nan_to_num(found, nan=float(np.nanmin(found)))


def rate_of(recording: Recording, light: Light | None = None) -> float:
    """Return the usual number of frames per second, or of a channel's frames.

    Of a single frame it is what the camera was asked for.
    """
    time = recording.time
    steps = np.diff(time if light is None else time[light.rows])
    return float(1 / np.median(steps)) if len(steps) else float(recording.attributes["frame_rate"])


def setting(recording: Recording, block: str, name: str, otherwise: Any) -> Any:
    """Return a setting as it was at the start, also in a file of a version with other rules."""
    found: Any = yaml.safe_load(recording.settings)
    for key in (block, name):
        found = found.get(key) if isinstance(found, dict) else None
    return otherwise if found is None else found


class Light(NamedTuple):
    """An interleaved channel: its name and the (n,) rows that show it."""

    name: str
    rows: NDArray[np.intp]


def lights_of(recording: Recording) -> list[Light]:
    """Return the interleaved channels, the main one first; where there is one only, it has no name.

    Rows of which nobody knows what they show are in none.
    """
    names = recording.channel_names
    if not names:
        return [Light("", np.arange(recording.rows))]
    reference = setting(recording, "channels", "reference", "")
    ordered = sorted(names, key=lambda name: name == str(reference))
    return [Light(name, recording.rows_of(name)) for name in ordered]


def lit(recording: Recording) -> list[str] | None:
    """Return what each row shows, '' where that is in doubt, or None when there is one channel only."""
    if not recording.channel_names:
        return None
    names = (*recording.channel_names, "")  # -1, in doubt, finds the last
    return [names[number] for number in seen(recording).tolist()]
