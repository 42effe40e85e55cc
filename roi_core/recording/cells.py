"""The cells of a recording, read when asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core import layout
from roi_core.errors import RecordingError
from roi_core.frame import Components, Status
from roi_core.recording.texts import check_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import h5py
    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

__all__ = ["RecordedCells"]


class RecordedCells:
    """N components over the `rows` of a recording; every array has the same N, also after a crash.

    A column of a trace is one component; NaN before its (back-filled) beginning and after its end, and in
    rows that were left out as late: ``raw`` in all of them, the others in those before it was found.
    """

    def __init__(
        self,
        file: h5py.File,
        rows: int,
        sound: Callable[[], AbstractContextManager[None]],
        group: str = layout.CNMF,
    ) -> None:
        self._file = file
        self._sound = sound
        self._group = group
        self.rows = rows
        with sound():
            self.count = int(self._found(layout.IDS).shape[0])

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) never used twice."""
        return self._vector(layout.IDS, np.int64, -1)

    @property
    def born(self) -> NDArray[np.int64]:
        """(N,) row at which each was found; a back-filled trace begins earlier."""
        return self._vector(layout.BORN, np.int64, 0)

    @property
    def status(self) -> NDArray[np.uint8]:
        """(N,) `Status` numbers."""
        return self._vector(layout.STATUS, np.uint8, int(Status.REMOVED))

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """(N,) True for the cells."""
        return np.asarray(self.status == Status.ACCEPTED)

    @property
    def snr(self) -> NDArray[np.float32]:
        """(N,) peak over noise."""
        return self._vector(layout.SNR, np.float32, np.nan)

    @property
    def r(self) -> NDArray[np.float32]:
        """(N,) correlation of the footprint with the picture of its transients."""
        return self._vector(layout.CORRELATION, np.float32, np.nan)

    @property
    def size(self) -> NDArray[np.float32]:
        """(N,) px of the camera."""
        return self._vector(layout.SIZE, np.float32, np.nan)

    @property
    def overlap(self) -> NDArray[np.float32]:
        """(N,) cosine of the footprint and the one it shares most with; NaN in older files."""
        with self._sound():
            known = self._path(layout.OVERLAP) in self._file
        unknown = np.full(self.count, np.nan, np.float32)
        return self._vector(layout.OVERLAP, np.float32, np.nan) if known else unknown

    @property
    def reason(self) -> list[str]:
        """(N,) why a component is not accepted."""
        with self._sound():
            found = self._found(layout.REASON)
            check_texts(found)
            texts = [json.loads(text) if text else "" for text in found[: self.count]]
        return texts + [""] * (self.count - len(texts))

    @property
    def raw(self) -> NDArray[np.float32]:
        """(rows, N) demixed traces above their baselines."""
        return self.traces(layout.RAW)

    @property
    def calcium(self) -> NDArray[np.float32]:
        """(rows, N) denoised traces."""
        return self.traces(layout.CALCIUM)

    @property
    def spikes(self) -> NDArray[np.float32]:
        """(rows, N) spikes, refined by what came after."""
        return self.traces(layout.SPIKES)

    @property
    def spikes_causal(self) -> NDArray[np.float32]:
        """(rows, N) spikes as they were known at their own frame."""
        return self.traces(layout.SPIKES_CAUSAL)

    def traces(self, path: str, first: int = 0, last: int | None = None) -> NDArray[np.float32]:
        """Return (n, N) rows `first` to `last` of one kind of trace, such as ``layout.CALCIUM``."""
        last = self.rows if last is None else min(last, self.rows)
        out = np.full((max(last - first, 0), self.count), np.nan, np.float32)
        with self._sound():
            found = self._found(path)[first:last, : self.count]
        out[: found.shape[0], : found.shape[1]] = found
        return out

    @property
    def footprints(self) -> csc_matrix:
        """(H * W, N) float32 footprints; pixel y * W + x."""
        from scipy.sparse import csc_matrix

        with self._sound():
            group = self._found(layout.FOOTPRINTS)
            data, indices, indptr = group["data"][:], group["indices"][:], group["indptr"][:]
            pixels, count = int(group.attrs["shape"][0]), len(indptr) - 1
            if not len(data) == len(indices) == indptr[-1]:
                raise RecordingError(f"{self._file.filename} is damaged: its footprints do not fit together")
            kept = min(count, self.count)
            # cells found after the last writing of footprints have none yet
            indptr = np.concatenate([indptr[: kept + 1], np.full(self.count - kept, indptr[kept])])
            matrix = csc_matrix((data[: indptr[-1]], indices[: indptr[-1]], indptr), (pixels, self.count))
            matrix.check_format()
        return matrix

    def components(self, shape: tuple[int, int]) -> Components:
        """Return everything but the traces, for frames of `shape` (H, W), as a session tells it."""
        a = self.footprints
        return Components(
            0, shape, self.ids, self.born, self.status, tuple(self.reason), self.snr, self.r, self.size,
            self.overlap,
            a.data.astype(np.float32), a.indices.astype(np.int32), a.indptr.astype(np.int64),
        )  # fmt: skip

    def _found(self, path: str) -> Any:
        """Return the dataset or group that stands in our group as `path` does in ``/cnmf``."""
        return self._file[self._path(path)]

    def _path(self, path: str) -> str:
        return self._group + path.removeprefix(layout.CNMF)

    def _vector(self, path: str, dtype: Any, unknown: float) -> NDArray[Any]:
        out = np.full(self.count, unknown, dtype)
        with self._sound():
            found = self._found(path)[: self.count]
        out[: len(found)] = found
        return out
