"""The regions of a session, as one immutable value.

The window makes a new set for each edit and the worker takes it whole at a frame boundary, so neither needs a
lock and no frame is measured with half an edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.errors import RoiGeometryError
from roi_core.rois import files
from roi_core.rois.shape import UNCOLOURED
from roi_core.rois.shapes import KINDS, Circle, Roi, from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Loaded", "RoiSet"]

# Okabe and Ito's colours, which stay apart for colour-blind eyes; the picture is dark, so black is left out
# and the dark blue is lighter.
COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (64, 134, 222),
    (213, 94, 0),
    (204, 121, 167),
)


class Loaded(NamedTuple):
    """What a ROI file held, and what was changed to make it fit, in sentences."""

    rois: RoiSet
    notes: tuple[str, ...]


class RoiSet:
    """Regions in the order they were drawn, each with an id that is never given twice.

    A region without id gets the next one, and with it a name and a colour if it has none. Two sets are equal
    when they hold equal regions in the same order.
    """

    __slots__ = ("_by_id", "_next_id")

    def __init__(self, rois: Iterable[Roi] = (), next_id: int = 1) -> None:
        rois = tuple(rois)
        self._by_id: dict[int, Roi] = {}
        self._next_id = max([next_id, *(roi.id + 1 for roi in rois)])
        for roi in rois:
            numbered = roi if roi.id else self._labelled(roi)
            if numbered.id in self._by_id:
                raise RoiGeometryError(f"two regions have id {roi.id}; each needs its own")
            self._by_id[numbered.id] = numbered

    @property
    def ids(self) -> tuple[int, ...]:
        """The id of each region, in order."""
        return tuple(self._by_id)

    @property
    def next_id(self) -> int:
        """The id that the next new region gets."""
        return self._next_id

    def add(self, *rois: Roi) -> RoiSet:
        """Return the set with `rois` on top, under new ids, as their first versions."""
        return RoiSet((*self, *(roi.with_(id=0, version=1) for roi in rois)), self._next_id)

    def replace(self, *rois: Roi) -> RoiSet:
        """Return the set with the regions of the same ids changed; a version rises with its geometry."""
        changed = {roi.id: self._next_version(roi) for roi in rois}
        return RoiSet((changed.get(roi.id, roi) for roi in self), self._next_id)

    def remove(self, *ids: int) -> RoiSet:
        """Return the set without these regions; their ids are not used again."""
        gone = {self[roi_id].id for roi_id in ids}
        return RoiSet((roi for roi in self if roi.id not in gone), self._next_id)

    def at(self, x: float, y: float) -> Roi | None:
        """Return the topmost region at (x, y) px, None where there is none."""
        return next((roi for roi in reversed(self._by_id.values()) if roi.contains(x, y)), None)

    def save(self, path: str | Path, resolution: tuple[int, int]) -> None:
        """Write the set for frames of `resolution` (W, H); .json keeps all, see `roi_core.rois.files`.

        Raises
        ------
        RoiFileError
            When the format cannot hold the set, or the file cannot be written.
        """
        files.write(Path(path), tuple(self), self._next_id, resolution)

    @staticmethod
    def load(path: str | Path, resolution: tuple[int, int] | None = None) -> Loaded:
        """Read a .csv .json .roi .zip file, rescaled to frames of `resolution` (W, H) if it says another.

        Raises
        ------
        RoiFileError
            With file, line and reason, when any region in it cannot be used; never a part of the file.
        """
        rois, next_id, notes = files.read(Path(path), resolution)
        return Loaded(RoiSet(rois, next_id), notes)

    @staticmethod
    def from_dicts(values: Iterable[Mapping[str, Any]]) -> RoiSet:
        """Return the regions that `to_dict` described; what else the descriptions hold is left out."""
        return RoiSet(from_dict(_own_fields(value)) for value in values)

    @staticmethod
    def random(count: int, resolution: tuple[int, int], radius: float, seed: int = 0) -> RoiSet:
        """Return `count` circles of `radius` px, inside frames of `resolution` (W, H) where they fit."""
        if seed < 0:
            raise RoiGeometryError(f"seed = {seed}: a whole number of 0 or more is needed")
        places = np.random.default_rng(seed).random((count, 2))
        span = np.array(resolution) - 1.0
        margin = np.minimum(radius, span / 2)
        centres = np.round(margin + places * (span - 2 * margin), 2)
        return RoiSet(Circle(x, y, radius) for x, y in centres.tolist())

    def __iter__(self) -> Iterator[Roi]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, roi_id: object) -> bool:
        return roi_id in self._by_id

    def __getitem__(self, roi_id: int) -> Roi:
        try:
            return self._by_id[roi_id]
        except KeyError:
            raise KeyError(f"no region has id {roi_id!r}; there are {list(self._by_id)}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RoiSet) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(self.ids)

    def __repr__(self) -> str:
        return f"RoiSet({list(self)!r}, next_id={self._next_id})"

    def _next_version(self, roi: Roi) -> Roi:
        old = self[roi.id]
        version = old.version + (roi.geometry() != old.geometry())
        return roi if roi.version == version else roi.with_(version=version)

    def _labelled(self, roi: Roi) -> Roi:
        roi_id = self._next_id
        self._next_id += 1
        colour = given_colour(roi_id) if roi.colour == UNCOLOURED else roi.colour
        return roi.with_(id=roi_id, name=roi.name or f"roi{roi_id}", colour=colour)


def given_colour(roi_id: int) -> tuple[int, int, int]:
    """Return the colour of a region that was drawn without one."""
    return COLOURS[(roi_id - 1) % len(COLOURS)]


def _own_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    shape = KINDS.get(values.get("kind", ""))
    known = {"kind", *(shape.__dataclass_fields__ if shape else ())}
    return {part: value for part, value in values.items() if part in known}
