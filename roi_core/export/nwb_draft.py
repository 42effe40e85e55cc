"""The containers of an NWB file, empty at first, and what fills each of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
from hdmf.common import VectorData, VectorIndex
from pynwb import TimeSeries
from pynwb.base import Images
from pynwb.event import EventsTable, TimestampVectorData
from pynwb.image import GrayscaleImage
from pynwb.ophys import (
    DfOverF,
    Fluorescence,
    ImageSegmentation,
    OnePhotonSeries,
    PlaneSegmentation,
    RoiResponseSeries,
    TwoPhotonSeries,
)

from roi_core import layout
from roi_core.export.frames import Frames
from roi_core.export.nwb_card import file_of, plane_of
from roi_core.export.nwb_fill import Clock, Later, fill_masks, fill_movie, fill_rows, in_words, packed
from roi_core.export.nwb_light import is_one_photon
from roi_core.export.resting import resting
from roi_core.export.units import (
    Cells,
    Light,
    Regions,
    cells_of,
    lights_of,
    picture,
    rate_of,
    regions_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.card import Card
    from roi_core.export.nwb_fill import Rows
    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["Draft"]

COUNTS: Final = "camera counts"
CHUNK: Final = 2**22
"""Bytes of a chunk of the movie, about."""


class Draft:
    """An NWB file in memory with nothing large in it."""

    def __init__(self, recording: Recording, card: Card, task: Task) -> None:
        self._recording, self._card = recording, card
        self._task = task
        self.file = file_of(recording, card)
        self._plane = plane_of(self.file, card, rate_of(recording))
        self._ophys = self.file.create_processing_module("ophys", "Regions, cells and their traces")
        lights = lights_of(recording)
        self._main, self._lights = lights[0].name, [light for light in lights if len(light.rows)]
        time = recording.time
        self._clocks = {
            light.name: Clock(time[light.rows], rate_of(recording, light)) for light in self._lights
        }
        self._clock = self._clocks.get("") or Clock(time, rate_of(recording))
        self._later: list[Later] = []
        self.file.add_scratch(recording.settings, name="settings", description="settings at the start, YAML")

    def add_movie(self) -> None:
        """Add the frames, if they were recorded, as one- or two-photon series."""
        if not self._recording.has_movie:
            return
        kind = OnePhotonSeries if is_one_photon(self._recording, self._card) else TwoPhotonSeries
        for light in self._lights:
            frames = Frames(self._recording, self._task, rows=light.rows)
            height, width = frames.shape
            chunk = min(len(frames), max(1, CHUNK // (2 * height * width)))
            clock = self._clocks[light.name]
            series = kind(
                name=self._named(kind.__name__, light),
                description=f"frames as the camera gave them{self._said(light)}",
                data=packed((len(frames), width, height), "u2", (chunk, width, height)),
                imaging_plane=self._plane, unit=COUNTS, **clock.fields,
            )  # fmt: skip
            clock.follow(series)
            self.file.add_acquisition(series)
            path = f"/acquisition/{series.name}/data"
            self._later.append(Later(path, len(frames), partial(fill_movie, frames, chunk)))

    def add_found(self) -> None:
        """Add regions and cells, their masks and traces."""
        regions, cells = regions_of(self._recording), cells_of(self._recording, self._task.wishes)
        self._segmentation, self._light, self._dff = ImageSegmentation(), Fluorescence(), DfOverF()
        if regions is not None or cells is not None:
            self._ophys.add(self._segmentation)
            self._ophys.add(self._light)
        if cells is not None:
            self._add_cells(cells)
        if regions is not None:
            self._add_regions(regions, "PlaneSegmentation" if cells is None else "Regions")

    def _add_cells(self, cells: Cells) -> None:
        source = "the second pass" if cells.refined else "online"
        table = self._table(
            "PlaneSegmentation", f"cells found by ROI Stream, {source}", cells.ids, cells.footprints
        )
        verdict = np.where(cells.accepted, "accepted", "rejected").tolist()
        said = [
            f"{word} by hand" if hand else word for word, hand in zip(verdict, cells.by_hand, strict=True)
        ]
        table.add_column("Accepted", "1 for a cell", data=cells.accepted.astype(np.uint8))
        table.add_column("Rejected", "1 for a candidate turned down", data=(~cells.accepted).astype(np.uint8))
        table.add_column("status", "the verdict, and whether it was given by hand", data=said)
        table.add_column("snr", "peak of the transients over the noise of the trace", data=cells.snr)
        table.add_column("r", "correlation of the mask with the picture of its transients", data=cells.r)
        for name, path, what in (
            (
                "RoiResponseSeries",
                layout.RAW,
                "demixed traces above their baseline, neighbours and neuropil out",
            ),
            ("Denoised", layout.CALCIUM, "denoised calcium"),
            ("Deconvolved", layout.SPIKES, "spikes, in the unit of the calcium they cause"),
        ):
            self._add_traces(self._light, name, what, table, partial(cells.traces, path), COUNTS)
        rest = resting(self._recording, cells)
        if rest is not None:
            self._ophys.add(self._dff)
            what = "dF/F: the demixed trace over the fluorescence of cell and background at rest"
            dff = partial(_over, rest, partial(cells.traces, layout.RAW))
            self._add_traces(self._dff, "RoiResponseSeries", what, table, dff, "dF/F")

    def _add_regions(self, regions: Regions, name: str) -> None:
        table = self._table(name, "regions drawn by hand, as they were last", regions.ids, regions.footprints)
        table.add_column("region_name", "its name in the window", data=regions.names)
        table.add_column("geometry", "its kind, and its numbers in px", data=regions.geometry)
        series = "RoiResponseSeries" if name == "PlaneSegmentation" else name
        means = partial(self._recording.regions, layout.MEANS)
        self._add_traces(self._light, series, "mean of each region", table, means, COUNTS)
        if self._recording.has_dff:
            if self._dff.name not in self._ophys.data_interfaces:
                self._ophys.add(self._dff)
            dff = partial(self._recording.regions, layout.DFF)
            self._add_traces(self._dff, series, "dF/F of each region", table, dff, "dF/F")

    def add_shifts(self) -> None:
        """Add what motion correction found."""
        shifts = self._recording.shifts
        if shifts is not None:
            what = "columns x, y: by how much each frame was moved to fit the template"
            fields = {"data": shifts[:, ::-1], "unit": "pixels", "description": what}
            self._ophys.add(TimeSeries(name="MotionShifts", **fields, **self._clock.fields))

    def add_pictures(self) -> None:
        """Add the summary pictures, [x][y]."""
        found = {name: picture(self._recording, name) for name in self._recording.maps}
        images = [
            GrayscaleImage(name=name, data=each.T, description=f"{name} of the frames, as analysed, [x][y]")
            for name, each in found.items()
            if each is not None
        ]
        if images:
            self._ophys.add(Images(name="SegmentationImages", images=images, description="summary pictures"))

    def add_events(self) -> None:
        """Add what was noted, in words."""
        events = sorted(self._recording.events, key=lambda event: event.time)
        if not events:
            return
        columns = {
            "kind": (
                "start, stop, note, marker, edit, gap, birth, alert ...",
                [each.kind for each in events],
            ),
            "frame": ("the camera's count, -1 before the first", [each.frame for each in events]),
            "annotation": ("what there is to say", [in_words(each.data) for each in events]),
        }
        times = TimestampVectorData(
            name="timestamp", description="s since the first frame", data=[each.time for each in events]
        )
        data = [VectorData(name=name, description=what, data=each) for name, (what, each) in columns.items()]
        text = "what happened while recording, at the time of the frame at which it counted"
        self.file.add_events_table(
            EventsTable(
                name="Events", description=text, columns=[times, *data], colnames=["timestamp", *columns]
            )
        )

    def fill(self, path: Path) -> None:
        """Put everything large into the file."""
        self._task.expect(sum(later.work for later in self._later))
        with h5py.File(path, "r+") as file:
            for later in self._later:
                later.fill(file[later.path])

    def _named(self, name: str, light: Light) -> str:
        """Return a name for a series of a channel; that of the main one is as if it were the only one."""
        return name if light.name == self._main else f"{name}_{light.name}"

    def _said(self, light: Light) -> str:
        return f", channel {light.name}" if light.name else ""

    def _table(
        self, name: str, description: str, ids: NDArray[np.int64], footprints: csc_matrix
    ) -> PlaneSegmentation:
        """Add a table of masks: as pictures, to be filled, and as lists of pixels."""
        (height, width), count = self._recording.shape, len(ids)
        pictures = packed((count, width, height), "f4", (1, width, height))
        y, x = np.divmod(footprints.indices.astype(np.int64), width)
        pixels = np.empty(len(x), [("x", "u4"), ("y", "u4"), ("weight", "f4")])
        pixels["x"], pixels["y"], pixels["weight"] = x, y, footprints.data
        mask = VectorData(name="image_mask", description="masks [roi][x][y]", data=pictures)
        sparse = VectorData(name="pixel_mask", description="pixels of each mask", data=pixels)
        ends = VectorIndex(
            name="pixel_mask_index", data=footprints.indptr[1:].astype(np.uint32), target=sparse
        )
        table = PlaneSegmentation(
            name=name, description=description, imaging_plane=self._plane, id=ids.tolist(),
            columns=[mask, sparse, ends], colnames=["image_mask", "pixel_mask"],
        )  # fmt: skip
        self._segmentation.add_plane_segmentation(table)
        path = f"/processing/ophys/ImageSegmentation/{name}/image_mask"
        fill = partial(fill_masks, footprints, self._recording.shape, self._task)
        self._later.append(Later(path, count, fill))
        return table

    def _add_traces(
        self, to: Any, name: str, what: str, table: PlaneSegmentation, source: Rows, unit: str
    ) -> None:
        """Add the (n, N) traces of a table, to be filled; those of each channel by themselves."""
        count = len(table.id)
        for light in self._lights:
            length, clock = len(light.rows), self._clocks[light.name]
            series = RoiResponseSeries(
                name=self._named(name, light), description=what + self._said(light), unit=unit,
                data=packed((length, count), "f4", (min(length, 1024), min(count, 64))),
                rois=table.create_roi_table_region("all", region=list(range(count))), **clock.fields,
            )  # fmt: skip
            clock.follow(series)
            to.add_roi_response_series(series)
            path = f"/processing/ophys/{to.name}/{series.name}/data"
            self._later.append(Later(path, length, partial(fill_rows, source, light.rows, self._task)))


def _over(rest: NDArray[np.float32], traces: Rows, rows: slice) -> NDArray[np.float32]:
    """Return rows of traces as shares of F0."""
    return np.asarray(traces(rows) / rest, np.float32)
