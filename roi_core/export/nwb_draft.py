"""The containers of an NWB file, empty at first, and what fills each of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import h5py
import numpy as np
from hdmf.backends.hdf5.h5_utils import H5DataIO
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
from roi_core.export.units import BLOCK, Cells, Regions, cells_of, picture, rate_of, regions_of, setting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.card import Card
    from roi_core.export.task import Task
    from roi_core.recording import Recording

    Rows = Callable[[slice], NDArray[np.float32]]

__all__ = ["Draft"]

COUNTS: Final = "camera counts"
EVEN: Final = 1e-6
"""Times are those of a constant rate when none is further from it, s."""
CHUNK: Final = 2**22
"""Bytes of a chunk of the movie, about."""


class Later(NamedTuple):
    """A dataset of the file that is filled once the containers are written; ``work`` counts its rows."""

    path: str
    work: int
    fill: Callable[[h5py.Dataset], None]


class Draft:
    """An NWB file in memory with nothing large in it."""

    def __init__(self, recording: Recording, card: Card, task: Task) -> None:
        self._recording = recording
        self._task = task
        self._rate = rate_of(recording)
        self.file = file_of(recording, card)
        self._plane = plane_of(self.file, card, self._rate)
        self._ophys = self.file.create_processing_module("ophys", "Regions, cells and their traces")
        self._clock = self._regular() or {"timestamps": recording.time}
        self._later: list[Later] = []
        self.file.add_scratch(recording.settings, name="settings", description="settings at the start, YAML")

    def add_movie(self) -> None:
        """Add the frames, if they were recorded, as one- or two-photon series as the preset says."""
        if not self._recording.has_movie:
            return
        frames = Frames(self._recording, self._task)
        height, width = frames.shape
        preset = setting(self._recording, "cnmf", "preset", "2p")
        kind = TwoPhotonSeries if preset == "2p" else OnePhotonSeries
        chunk = min(frames.rows, max(1, CHUNK // (2 * height * width)))
        data = _packed((frames.rows, width, height), "u2", (chunk, width, height))
        series = kind(
            name=kind.__name__, description="frames as the camera gave them", data=data,
            imaging_plane=self._plane, unit=COUNTS, **self._clock,
        )  # fmt: skip
        self._shared(series)
        self.file.add_acquisition(series)
        path = f"/acquisition/{series.name}/data"
        self._later.append(Later(path, frames.rows, partial(_fill_movie, frames, chunk)))

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
            ("Deconvolved", layout.SPIKES, "spikes, as a share of the calcium they cause"),
        ):
            self._add_traces(self._light, name, what, table, partial(cells.traces, path))

    def _add_regions(self, regions: Regions, name: str) -> None:
        table = self._table(name, "regions drawn by hand, as they were last", regions.ids, regions.footprints)
        table.add_column("region_name", "its name in the window", data=regions.names)
        table.add_column("geometry", "its kind, and its numbers in px", data=regions.geometry)
        series = "RoiResponseSeries" if name == "PlaneSegmentation" else name
        means = partial(self._recording.regions, layout.MEANS)
        self._add_traces(self._light, series, "mean of each region", table, means)
        if self._recording.has_dff:
            self._ophys.add(self._dff)
            dff = partial(self._recording.regions, layout.DFF)
            self._add_traces(self._dff, series, "dF/F of each region", table, dff, "dF/F")

    def add_shifts(self) -> None:
        """Add what motion correction found."""
        shifts = self._recording.shifts
        if shifts is not None:
            self._ophys.add(
                TimeSeries(
                    name="MotionShifts",
                    data=shifts[:, ::-1],
                    unit="pixels",
                    **self._clock,
                    description="columns x, y: by how much each frame was moved to fit the template",
                )
            )

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
        said = [_in_words(event.data) for event in events]
        columns = {
            "kind": (
                "start, stop, note, marker, edit, gap, birth, alert ...",
                [each.kind for each in events],
            ),
            "frame": ("the camera's count, -1 before the first", [each.frame for each in events]),
            "annotation": ("what there is to say", said),
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

    def _regular(self) -> dict[str, Any] | None:
        """Return the rate, if the frames came at a constant one."""
        time = self._recording.time
        if len(time) < 2:
            return {"rate": self._rate, "starting_time": float(time[0])}
        period = (time[-1] - time[0]) / (len(time) - 1)
        off = np.abs(time - time[0] - period * np.arange(len(time))).max()
        return {"rate": float(1 / period), "starting_time": float(time[0])} if off <= EVEN else None

    def _shared(self, series: TimeSeries) -> None:
        """Let the series that follow point to the times of the first one."""
        if "timestamps" in self._clock:
            self._clock = {"timestamps": series}

    def _table(
        self, name: str, description: str, ids: NDArray[np.int64], footprints: csc_matrix
    ) -> PlaneSegmentation:
        """Add a table of masks: as pictures, to be filled, and as lists of pixels."""
        (height, width), count = self._recording.shape, len(ids)
        pictures = _packed((count, width, height), "f4", (1, width, height))
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
        fill = partial(_fill_masks, footprints, self._recording.shape, self._task)
        self._later.append(Later(path, count, fill))
        return table

    def _add_traces(
        self, to: Any, name: str, what: str, table: PlaneSegmentation, rows: Rows, unit: str = COUNTS
    ) -> None:
        count, length = len(table.id), self._recording.rows
        chunk = (min(length, 1024), min(count, 64))
        series = RoiResponseSeries(
            name=name, description=what, data=_packed((length, count), "f4", chunk), unit=unit,
            rois=table.create_roi_table_region("all", region=list(range(count))), **self._clock,
        )  # fmt: skip
        self._shared(series)
        to.add_roi_response_series(series)
        path = f"/processing/ophys/{to.name}/{name}/data"
        self._later.append(Later(path, length, partial(_fill_rows, rows, length, self._task)))


def _in_words(data: dict[str, Any]) -> str:
    """Return an event's own fields as text; with braces it would be taken for a dictionary not unpacked."""
    said = ", ".join(f"{name}: {value}" for name, value in data.items())
    return said.translate(str.maketrans("{}", "()"))


def _packed(shape: tuple[int, ...], dtype: str, chunks: tuple[int, ...]) -> H5DataIO:
    """Return an empty dataset, compressed with what every HDF5 reader knows."""
    return H5DataIO(
        shape=shape,
        dtype=np.dtype(dtype),
        chunks=chunks,
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )


def _fill_movie(frames: Frames, chunk: int, dataset: h5py.Dataset) -> None:
    height, width = frames.shape
    waiting = np.empty((chunk, width, height), np.uint16)
    for row, frame in frames.all():
        place = row % chunk
        waiting[place] = frame.T
        if place == chunk - 1 or row == frames.rows - 1:
            dataset[row - place : row + 1] = waiting[: place + 1]


def _fill_rows(rows: Rows, length: int, task: Task, dataset: h5py.Dataset) -> None:
    for block in task.blocks(length, BLOCK):
        dataset[block] = rows(block)


def _fill_masks(footprints: csc_matrix, shape: tuple[int, int], task: Task, dataset: h5py.Dataset) -> None:
    for block in task.blocks(footprints.shape[1], 1):
        mask = footprints[:, block].toarray().reshape(shape)
        dataset[block] = mask.T[None]
