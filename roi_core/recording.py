"""Read a recording back: ours from Python, whole or cut short by a crash."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np

from roi_core import layout
from roi_core.errors import RecordingError
from roi_core.frame import Event
from roi_core.rois import RoiSet

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

__all__ = ["Recording"]


class Recording:
    """A recording opened for reading. Every array has the same ``rows``, also after a crash.

    Parameters
    ----------
    path
        The ``.h5`` file.

    Raises
    ------
    RecordingError
        It is not there, not HDF5, or not a recording of ours; the sentence says which.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        if _text(self._file.attrs.get("format")) != layout.FORMAT:
            self._refuse(f"its format is {_text(self._file.attrs.get('format'))!r}, not {layout.FORMAT!r}")
        missing = [name for name in (layout.TIME, layout.FRAME_INDEX, layout.MEANS) if name not in self._file]
        if missing:
            self._refuse(f"{missing[0]} is missing")
        names = (layout.TIME, layout.FRAME_INDEX, layout.MEANS, layout.DFF, layout.MOVIE)
        self.rows: int = min(len(self._file[name]) for name in names if name in self._file)
        """Rows that every array holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    @property
    def attributes(self) -> dict[str, Any]:
        """The root attributes as plain Python values; unknown losses are None."""
        found = {name: _plain(value) for name, value in self._file.attrs.items()}
        if found.get("frames_dropped") == int(layout.UNKNOWN):
            found["frames_dropped"] = None
        return found

    @property
    def complete(self) -> bool:
        """False when the program ended before the file was finished."""
        return bool(self._file.attrs.get("complete", 0))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the frames in px."""
        width, height = (int(value) for value in self._file.attrs["resolution"])
        return height, width

    @property
    def time(self) -> NDArray[np.float64]:
        """(rows,) seconds since the first frame."""
        return np.asarray(self._file[layout.TIME][: self.rows, 0])

    @property
    def frame_index(self) -> NDArray[np.int64]:
        """(rows,) the camera's own count; a gap is a loss."""
        return np.asarray(self._file[layout.FRAME_INDEX][: self.rows])

    @property
    def means(self) -> NDArray[np.float32]:
        """(rows, K) mean of each ROI; NaN where it did not exist."""
        return np.asarray(self._file[layout.MEANS][: self.rows])

    @property
    def dff(self) -> NDArray[np.float32] | None:
        """(rows, K) dF/F, or None when it was not recorded."""
        return np.asarray(self._file[layout.DFF][: self.rows]) if layout.DFF in self._file else None

    @property
    def circles(self) -> NDArray[np.float64]:
        """(K, 3) xc, yc, r in px, 0-based."""
        return np.asarray(self._file[layout.CIRCLES][:])

    @property
    def shapes(self) -> list[dict[str, Any]]:
        """(K) what each ROI was, with all its versions."""
        return [json.loads(_text(text)) for text in self._file[layout.SHAPES][:]]

    @property
    def rois(self) -> RoiSet:
        """The regions that were there at the end."""
        return RoiSet.from_dicts([shape for shape in self.shapes if shape.get("removed") is None])

    @property
    def names(self) -> list[str]:
        """(K) the name of each ROI column."""
        return [shape["name"] for shape in self.shapes]

    @property
    def events(self) -> list[Event]:
        """Everything that was noted, in order."""
        return [
            Event(float(time), int(frame), kind.decode(), json.loads(_text(data)))
            for time, frame, kind, data in self._file[layout.EVENTS][:]
        ]

    @property
    def settings(self) -> str:
        """The settings at the start, as YAML text."""
        return _text(self._file[layout.SETTINGS][()])

    @property
    def movie(self) -> h5py.Dataset | None:
        """(rows, H, W) uint16 on the disk, or None when it was not recorded."""
        return self._file.get(layout.MOVIE)

    def _refuse(self, why: str) -> None:
        self._file.close()
        raise RecordingError(f"{self.path} is not a recording: {why}")


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise RecordingError(f"{path} is not there" if not path.exists() else f"{path} is not a file")
    try:
        return h5py.File(path, "r")
    except BlockingIOError:
        # another process is writing it: look without asking for the lock
        with suppress(OSError):
            return h5py.File(path, "r", locking=False)
        raise RecordingError(f"{path} is being written right now; try again when it is finished") from None
    except OSError as error:
        raise RecordingError(f"{path} is not an HDF5 file that can be opened: {error}") from error


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _text(value)
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
