"""The ``/roi`` group of a recording: one column per region that ever lived, and what it looked like when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Header, Sample
    from roi_core.rois import Roi, RoiSet

__all__ = ["Regions"]


class Regions:
    """Keeps means, dF/F, circles and shapes; columns are only ever added, in the order of appearance."""

    def __init__(self, file: h5py.File, header: Header, rows: int) -> None:
        self._file = file
        self._rows = rows
        self._rois: RoiSet | None = None
        self._ids: tuple[int, ...] = ()
        self._places = np.zeros(0, np.intp)
        self._columns: dict[int, int] = {}
        self._shapes: list[dict[str, Any]] = []
        self._circles: list[tuple[float, float, float]] = []
        # HDF5 never gives back the room of a string that is replaced: a drag is written once a flush
        self._changed: set[int] = set()
        width = len(header.rois) or 8
        self._means = np.full((rows, width), np.nan, np.float32)
        self._dff = np.full((rows, width), np.nan, np.float32)
        self._filled = 0
        self._create(layout.MEANS, width)
        self._rule = header.settings.roi.baseline
        if header.settings.roi.dff:
            self._create_dff(header.settings.roi.baseline)
        file.create_dataset(layout.CIRCLES, (0, 3), "f8", maxshape=(None, 3), chunks=(64, 3))
        file.create_dataset(layout.SHAPES, (0,), h5py.string_dtype(), maxshape=(None,), chunks=(64,))
        self._follow_rois(header.rois, -1)
        self._write_changed()

    def follow(self, sample: Sample) -> None:
        """Take one sample into the waiting rows, and note which regions changed."""
        if sample.rois is not self._rois:
            self._follow_rois(sample.rois, sample.index)
        if sample.ids != self._ids:
            self._ids = sample.ids
            self._places = np.array([self._columns[i] for i in sample.ids], np.intp)
        self._means[self._filled, self._places] = sample.means
        if sample.dff is not None:
            self._dff[self._filled, self._places] = sample.dff
            self._state_rule(sample)
        self._filled += 1

    def append(self, first: int, count: int) -> None:
        """Move the waiting rows into the file at row `first`, and what changed about the regions."""
        self._write_changed()
        for path, waiting in ((layout.MEANS, self._means), (layout.DFF, self._dff)):
            if path in self._file:
                dataset = self._file[path]
                dataset.resize((first + count, len(self._columns)))
                dataset[first:] = waiting[:count, : len(self._columns)]

    def clear(self) -> None:
        """Forget the waiting rows: they are in the file."""
        self._means[: self._filled] = np.nan
        self._dff[: self._filled] = np.nan
        self._filled = 0
        self._changed.clear()

    def _follow_rois(self, rois: RoiSet, frame: int) -> None:
        before = {} if self._rois is None else {roi.id: roi for roi in self._rois}
        now = {roi.id: roi for roi in rois}
        for roi in now.values():
            if roi != before.get(roi.id):
                self._put(roi, frame)
        for lost in before.keys() - now.keys():
            self._shapes[self._columns[lost]]["removed"] = frame
            self._changed.add(self._columns[lost])
        self._rois = rois

    def _write_changed(self) -> None:
        circles, shapes = self._file[layout.CIRCLES], self._file[layout.SHAPES]
        circles.resize(len(self._shapes), axis=0)
        shapes.resize(len(self._shapes), axis=0)
        for column in self._changed:
            circles[column] = self._circles[column]
            shapes[column] = json.dumps(self._shapes[column])

    def _put(self, roi: Roi, frame: int) -> None:
        column = self._columns.setdefault(roi.id, len(self._columns))
        if column == len(self._shapes):
            self._shapes.append({"versions": []})
            self._circles.append((0.0, 0.0, 0.0))
            if column == self._means.shape[1]:
                self._means, self._dff = _twice_as_wide(self._means), _twice_as_wide(self._dff)
        known = self._shapes[column]
        known.update(roi.to_dict(), removed=None)
        known["versions"].append({"frame": frame, **roi.to_dict()})
        self._circles[column] = roi.circle()
        self._changed.add(column)

    def _create(self, path: str, width: int) -> None:
        self._file.create_dataset(
            path, (0, 0), "f4", maxshape=(None, None), chunks=(self._rows, width), fillvalue=np.nan
        )

    def _create_dff(self, rule: str) -> None:
        self._create(layout.DFF, self._means.shape[1])
        self._rule = rule
        self._file[layout.DFF].attrs["baseline"] = np.bytes_(rule.encode())

    def _state_rule(self, sample: Sample) -> None:
        """Keep the file true about its baseline, also when the rule is edited on the way."""
        rule = sample.settings.roi.baseline if sample.settings else self._rule
        if layout.DFF not in self._file:
            self._create_dff(rule)
        elif rule != self._rule:
            self._rule = rule
            stated = self._file[layout.DFF].attrs["baseline"].decode()
            text = f"{stated}; from frame {sample.index} on: {self._rule}"
            self._file[layout.DFF].attrs["baseline"] = np.bytes_(text.encode())


def _twice_as_wide(waiting: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.hstack([waiting, np.full_like(waiting, np.nan)])
