"""The reader of recordings."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np

from roi_core import layout
from roi_core.card import Card
from roi_core.codecs import make_readable
from roi_core.errors import NotARecording, RecordingError, brief
from roi_core.frame import Event
from roi_core.ledger import Account
from roi_core.recording import light
from roi_core.recording.alone import alone
from roi_core.recording.cells import RecordedCells
from roi_core.recording.numbers import check_numbers
from roi_core.recording.opening import DAMAGE, opened
from roi_core.recording.texts import check_texts
from roi_core.rois import RoiSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from numpy.typing import NDArray

__all__ = ["Recording"]


class Recording:
    """A recording opened for reading. Every array has the same ``rows``, also after a crash.

    Parameters
    ----------
    path
        The ``.h5`` file.
    file
        It, when it is open already; it is then closed with the recording.

    Raises
    ------
    RecordingError
        It is not there, not HDF5, or not a recording of ours; the sentence says which.
    """

    def __init__(self, path: str | Path, file: h5py.File | None = None) -> None:
        self.path = Path(path)
        self._file, self.being_written = opened(self.path) if file is None else (file, False)
        """Whether another process has it open for writing."""
        try:
            with self._sound():
                self._check(None if file is None else self.path)
                names = (
                    layout.TIME, layout.FRAME_INDEX, layout.CHANNEL, layout.MEANS, layout.DFF, layout.MOVIE,
                )  # fmt: skip
                self.rows: int = min(len(self._file[name]) for name in names if name in self._file)
                """Rows that every array holds."""
        except RecordingError:
            self._file.close()
            raise

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
        with self._sound():
            found = {name: _plain(value) for name, value in self._file.attrs.items()}
        if found.get("frames_dropped") == int(layout.UNKNOWN):
            found["frames_dropped"] = None
        return found

    @property
    def complete(self) -> bool:
        """False when the program ended before the file was finished."""
        return bool(self.attributes.get("complete", 0))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the frames in px."""
        with self._sound():
            width, height = (int(value) for value in self._file.attrs["resolution"])
        return height, width

    @property
    def time(self) -> NDArray[np.float64]:
        """(rows,) seconds since the first frame."""
        return np.asarray(self._read(layout.TIME, slice(self.rows), 0))

    @property
    def frame_index(self) -> NDArray[np.int64]:
        """(rows,) the camera's own count; a gap is a loss."""
        return np.asarray(self._read(layout.FRAME_INDEX, slice(self.rows)))

    @property
    def channel(self) -> NDArray[np.uint8] | None:
        """(rows,) number of the interleaved channel as it was recorded, or None when there is one only."""
        with self._sound():
            return light.numbers(self._file, self.rows)

    @property
    def channel_ahead(self) -> int:
        """By how many channels the light was further than `channel` says, from the first row on."""
        return light.ahead(self._file)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The interleaved channels by number; none when there is one only."""
        with self._sound():
            return light.names(self._file)

    def rows_of(self, channel: int | str) -> NDArray[np.intp]:
        """Return the rows that show an interleaved channel, by its number or name; see `light.rows_of`."""
        return light.rows_of(self, channel)

    def means_of(self, channel: int | str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return (n,) times in s and (n, K) means of the rows that show a channel; see `light.rows_of`."""
        rows = self.rows_of(channel)
        return self.time[rows], self.means[rows]

    @property
    def means(self) -> NDArray[np.float32]:
        """(rows, K) mean of each ROI; NaN where it did not exist."""
        return np.asarray(self._read(layout.MEANS, slice(self.rows)))

    @property
    def dff(self) -> NDArray[np.float32] | None:
        """(rows, K) dF/F, or None when it was not recorded."""
        return np.asarray(self._read(layout.DFF, slice(self.rows))) if layout.DFF in self._file else None

    @property
    def has_dff(self) -> bool:
        """Whether dF/F was recorded."""
        return layout.DFF in self._file

    def regions(self, path: str, rows: slice) -> NDArray[np.float32]:
        """Return (n, K) some rows of ``layout.MEANS`` or ``layout.DFF``, for recordings that are long."""
        first, last, _ = rows.indices(self.rows)
        return np.asarray(self._read(path, slice(first, last)))

    @property
    def circles(self) -> NDArray[np.float64]:
        """(K, 3) xc, yc, r in px, 0-based."""
        return np.asarray(self._read(layout.CIRCLES))

    @property
    def shapes(self) -> list[dict[str, Any]]:
        """(K) what each ROI was, with all its versions."""
        with self._sound():
            return [json.loads(_text(text)) for text in self._file[layout.SHAPES][:]]

    @property
    def rois(self) -> RoiSet:
        """The regions that were there at the end."""
        with self._sound():
            return RoiSet.from_dicts([shape for shape in self.shapes if shape.get("removed") is None])

    @property
    def names(self) -> list[str]:
        """(K) the name of each ROI column."""
        with self._sound():
            return [shape["name"] for shape in self.shapes]

    @property
    def shifts(self) -> NDArray[np.float32] | None:
        """(rows, 2) dy, dx in px by which each frame was moved, or None without motion correction.

        NaN where it was off.
        """
        with self._sound():
            if layout.SHIFTS not in self._file:
                return None
            found = self._file[layout.SHIFTS][: self.rows]
        return np.concatenate([found, np.full((self.rows - len(found), 2), np.nan, np.float32)])

    @property
    def cells(self) -> RecordedCells | None:
        """The cells found while recording, or None when none were looked for."""
        with self._sound():
            known = layout.IDS in self._file
        return RecordedCells(self._file, self.rows, self._sound) if known else None

    @property
    def refined(self) -> RecordedCells | None:
        """The cells of a second pass over the whole recording, or None when there was none."""
        with self._sound():
            known = f"{layout.REFINED}/ids" in self._file
        return RecordedCells(self._file, self.rows, self._sound, layout.REFINED) if known else None

    @property
    def maps(self) -> dict[str, NDArray[np.float32]]:
        """(H, W) summary pictures by name; empty when there are none."""
        with self._sound():
            group = self._file.get(layout.MAPS, {})
            return {str(name): np.asarray(picture[:]) for name, picture in group.items()}

    @property
    def events(self) -> list[Event]:
        """Everything that was noted, in order."""
        with self._sound():
            with alone:
                rows = self._file[layout.EVENTS][:]
            return [
                Event(float(time), int(frame), kind.decode(), dict(json.loads(_text(data))))
                for time, frame, kind, data in rows
            ]

    @property
    def settings(self) -> str:
        """The settings at the start, as YAML text."""
        return _text(self._read(layout.SETTINGS))

    @property
    def card(self) -> Card:
        """The session card as it was at the end; empty in a recording made before there was one."""
        with self._sound():
            known = self._file.get(layout.SESSION)
            return Card() if known is None else Card.kept(known.attrs)

    @property
    def dated(self) -> bool:
        """False when it is only known when its frames were processed, not when they were taken."""
        return self.attributes.get("start_is") != layout.OF_PROCESSING

    @property
    def has_movie(self) -> bool:
        """Whether the frames were recorded."""
        with self._sound():
            return layout.MOVIE in self._file

    @property
    def movie_rows(self) -> int:
        """Frames of the movie on the disk; 0 when it was not recorded."""
        with self._sound():
            return len(self._file[layout.MOVIE]) if layout.MOVIE in self._file else 0

    @property
    def counts(self) -> dict[str, int | None]:
        """``/accounting`` as it is written, sums and all; None is not known. Empty where there is none."""
        with self._sound():
            group = self._file.get(layout.ACCOUNTING)
            counts = {} if group is None else {name: int(count) for name, count in group.attrs.items()}
        unknown = int(layout.UNKNOWN)
        return {name: None if count == unknown else count for name, count in counts.items()}

    @property
    def account(self) -> Account | None:
        """What became of every frame; None in a recording made before that was counted."""
        counts = self.counts
        return Account.of(counts) if counts else None

    @property
    def movie(self) -> h5py.Dataset | None:
        """(rows, H, W) uint16 on the disk, or None when it was not recorded.

        A compressed one may need a package that is not here: a `MissingExtra` names it.
        """
        with self._sound():
            found = self._file.get(layout.MOVIE)
            if found is not None:
                make_readable(found)
        return found

    def _check(self, base: Path | None) -> None:
        check_numbers(self._file)
        found = _text(self._file.attrs.get("format"))
        if found != layout.FORMAT:
            raise NotARecording(f"{self.path} is not a recording: its format is {found!r}")
        if _text(self._file.attrs.get("orientation")) == "matlab":
            raise NotARecording(f"{self.path} is the MATLAB twin of a recording; use the original")
        for name in layout.ALWAYS:
            if name not in self._file:
                raise NotARecording(f"{self.path} is not a recording: {name} is missing")
        for name in (layout.SHAPES, layout.EVENTS, layout.SETTINGS):
            with alone:
                check_texts(self._file[name], base)

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Turn whatever HDF5 finds in a damaged file into a sentence."""
        try:
            yield
        except RecordingError:
            raise
        except DAMAGE as error:
            raise RecordingError(f"{self.path} is damaged: {brief(error)}") from error

    def _read(self, name: str, *where: Any) -> Any:
        with self._sound():
            return self._file[name][where or ()]


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, h5py.Empty):
        return None
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
