"""The ``/channel`` of a recording: which of the interleaved channels each row shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout

if TYPE_CHECKING:
    import h5py

    from roi_core.frame import Header, Sample

__all__ = ["Channel"]


class Channel:
    """Numbers of the rows that wait; without interleaved channels it does nothing."""

    def __init__(self, file: h5py.File, header: Header, chunk: int) -> None:
        self._waiting: list[int] = []
        self._dataset: h5py.Dataset | None = None
        names = header.settings.channels.names
        if names:
            self._dataset = file.create_dataset(
                layout.CHANNEL, (0,), "u1", maxshape=(None,), chunks=(max(chunk, 64),)
            )
            self._dataset.attrs["names"] = np.array([name.encode() for name in names])
            self._dataset.attrs["ahead"] = np.uint8(0)

    def begin(self, sample: Sample) -> None:
        """Note how far the light is ahead at the first row; later the events tell."""
        if self._dataset is not None:
            self._dataset.attrs.modify("ahead", np.uint8(sample.ahead))

    def follow(self, sample: Sample) -> None:
        """Take the channel of the next row."""
        self._waiting.append(sample.channel)

    def append(self, rows: int) -> None:
        """Bring the file to `rows` rows."""
        if self._dataset is not None:
            self._dataset.resize(rows, axis=0)
            self._dataset[rows - len(self._waiting) : rows] = self._waiting

    def clear(self) -> None:
        """Forget what waits: it is in the file."""
        self._waiting.clear()
