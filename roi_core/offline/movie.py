"""The movie of a recording, a frame at a time and as often as asked: prepared, moved into place, centred.

The frames come from ``/movie``, or from the file that was recorded; never more than a few are in memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from roi_core.errors import RecordingError, SourceError
from roi_core.gray import to_uint16_gray
from roi_core.jit import sums
from roi_core.motion.kernels import NOTHING, PAD, moved
from roi_core.paths import is_there
from roi_core.prepare import Prepare
from roi_core.settings import LiveSettings
from roi_core.sources import open_source
from roi_core.sources.arrays import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Field
    from roi_core.recording import Recording
    from roi_core.settings import Settings

__all__ = ["Movie", "Registered", "original"]

BATCH = 16
"""Frames read at once."""


class Movie:
    """The camera's frames (H, W) uint16 of the rows of a recording.

    Raises
    ------
    RecordingError
        There is no movie in the file and none beside it; the sentence tells what to do.
    """

    def __init__(self, recording: Recording, settings: Settings, text: str | None = None) -> None:
        self.path, self.rows, self.shape = recording.path, recording.rows, recording.shape
        self._settings, self._wanted = settings, recording.frame_index
        self._inside = recording.movie if text is None else None
        self.text = "/movie" if self._inside is not None else self._beside(recording, text)
        if self._inside is None:
            self._check()

    def frames(self, first: int = 0) -> Iterator[NDArray[np.uint16]]:
        """Yield the frames of the rows from ``first`` on; each is valid until the next."""
        return self._recorded(first) if self._inside is not None else self._sourced(first)

    def some(self, rows: list[int]) -> Iterator[NDArray[np.uint16]]:
        """Yield the frames of these rows, in rising order; each is valid until the next."""
        if self._inside is not None:
            yield from (self._inside[row] for row in rows)
            return
        frames, wanted = self._sourced(0), set(rows)
        yield from (frame for row, frame in enumerate(frames) if row in wanted)

    def _recorded(self, first: int) -> Iterator[NDArray[np.uint16]]:
        for start in range(first, self.rows, BATCH):
            try:
                batch = self._inside[start : min(start + BATCH, self.rows)]  # type: ignore[index]
            except (OSError, RuntimeError) as error:
                raise RecordingError(f"{self.path} is damaged: its movie ends near row {start}") from error
            yield from batch

    def _sourced(self, first: int) -> Iterator[NDArray[np.uint16]]:
        row, out = 0, np.zeros(self.shape, np.uint16)
        source = open_source(self.text, LiveSettings(self._settings))
        try:
            for frame in source.frames():
                if row == self.rows:
                    return
                if frame.index < self._wanted[row]:
                    continue
                if row >= first:
                    to_uint16_gray(frame.image, out=out, input_range=self._settings.camera.input_range)
                    yield out
                row += 1
        finally:
            source.close()
        if row < self.rows:
            raise RecordingError(
                f"{self.text} ends after {row} of the {self.rows} frames of {self.path}; "
                "name the movie it was recorded from with --movie"
            )

    def _beside(self, recording: Recording, text: str | None) -> str:
        """Return the file to read: the one given, or one of the source's name beside the recording."""
        if text is not None:
            return text
        beside = original(recording)
        if beside is not None:
            return beside
        name = str(recording.attributes.get("source", ""))
        raise RecordingError(
            f"{recording.path} has no movie in it and its source {name!r} is not beside it; "
            "name the movie with --movie, or record with recorder.movie=true"
        )

    def _check(self) -> None:
        try:
            source = open_source(self.text, LiveSettings(self._settings))
        except SourceError as error:
            raise RecordingError(f"the movie of {self.path} cannot be read: {error}") from error
        shape, live = source.shape, source.live
        source.close()
        if live:
            raise RecordingError(f"{self.text} is a camera; --movie takes a file")
        if shape != self.shape:
            seen, known = f"{shape[1]}x{shape[0]}", f"{self.shape[1]}x{self.shape[0]}"
            raise RecordingError(f"{self.text} has frames of {seen} px, {self.path} of {known} px")


class Registered:
    """The movie as cells are looked for in it: prepared and moved by ``shifts`` (rows, 2), px of the camera.

    After each row of `rows`, ``padded`` holds the picture (h, w) inside a margin of the boxes' reach, less
    ``mean``, whose deviation from its level has the ``brightness`` of that row; ``binned`` the same binned;
    ``seen`` the part (y0, y1, x0, x1) that the camera saw.
    """

    def __init__(
        self, movie: Movie, prepare: Prepare, settings: Settings, field: Field, shifts: NDArray[np.float32]
    ) -> None:
        self.movie, self.field, self.shape = movie, field, prepare.shape
        self._settings = settings
        self._u = -np.nan_to_num(shifts).astype(np.float64) / prepare.bin
        h, w = self.shape
        reach = field.reach
        self.mean = np.zeros(self.shape, np.float32)
        self.brightness = np.ones(movie.rows, np.float32)
        self.padded = np.zeros((h + 2 * reach, w + 2 * reach), np.float32)
        self.picture = self.padded[reach : reach + h, reach : reach + w]
        self.binned = np.zeros(field.binned, np.float32)
        self.seen = (0, h, 0, w)
        self._line, self._buffer = np.zeros(w, np.float32), np.zeros(w + 2 * PAD, np.float32)
        self._stride = self.padded.shape[1]
        self._flat = as_strided(self.picture, ((h - 1) * self._stride + w,), (self.padded.itemsize,))

    def rows(self, first: int = 0) -> Iterator[tuple[int, float]]:
        """Yield each row and the mean square of its picture."""
        level = np.float32(self.mean.mean())
        for row, image in self._prepared(first):
            self.move(image, row)
            power = centred(
                self.padded, self.field.reach, self.mean, (self.brightness[row] - np.float32(1), level),
                self.seen, self.field.factor, self._line, self.binned,
            )  # fmt: skip
            yield row, float(power) / self.binned.size

    def some(self, rows: list[int]) -> NDArray[np.float32]:
        """Return the moved pictures (n, h, w) of a few rows; what was not seen is the mean."""
        settings, out = self._settings, np.empty((len(rows), *self.shape), np.float32)
        prepare = Prepare(self.movie.shape, settings.prepare, settings.cnmf)
        for k, image in enumerate(self.movie.some(rows)):
            self.move(prepare.step(image, settings.prepare, settings.cnmf), rows[k])
            out[k] = self.picture
        return out

    def move(self, image: NDArray[np.float32], row: int) -> None:
        """Move one prepared picture into place; what the camera did not see is the mean."""
        u = (float(self._u[row, 0]), float(self._u[row, 1]))
        moved(image, u, self.mean, (1.0, 0.0), NOTHING, self._buffer, self._flat, self._stride)
        h, w = self.shape
        top, bottom, left, right = (
            int(min(np.ceil(max(v, 0.0)), size // 2 - 1))
            for v, size in ((-u[0], h), (u[0], h), (-u[1], w), (u[1], w))
        )
        self.seen = (top, h - bottom, left, w - right)

    def _prepared(self, first: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Prepare every row; a stage that learns from frame to frame also sees those before ``first``."""
        settings = self._settings
        prepare = Prepare(self.movie.shape, settings.prepare, settings.cnmf)
        learns = settings.prepare.dead_pixels or settings.prepare.line_noise
        start = 0 if learns else first
        for row, image in enumerate(self.movie.frames(start), start):
            prepared = prepare.step(image, settings.prepare, settings.cnmf)
            if row >= first:
                yield row, prepared


def original(recording: Recording) -> str | None:
    """Return what a recording was made from, if that is a file that is there: beside it, or where we are."""
    name = str(recording.attributes.get("source", ""))
    for path in (recording.path.parent / name, Path(name)):
        file = Path(split(str(path))[0])
        if name and is_there(file) and file.resolve() != recording.path.resolve():
            return str(path)
    return None


@sums
def centred(
    padded: Any, margin: Any, mean: Any, fade: Any, seen: Any, factor: Any, line: Any, binned: Any
) -> Any:
    """Take the mean off a picture (h, w) inside a margin, and bin it; return the sum of squares of that.

    The mean's deviation from a level is larger by a share: ``fade`` (share, level). Where the camera did not
    see the picture (outside ``seen``: y0, y1, x0, x1) it gets the value of the nearest pixel that was seen,
    as in `roi_core.cnmf.picture.centre`. ``line`` (w,) is room to work in.
    """
    height, width = mean.shape
    y0, y1, x0, x1 = seen
    for y in range(y0, y1):
        d, m = padded[margin + y, margin : margin + width], mean[y]
        for x in range(width):
            d[x] -= m[x] + fade[0] * (m[x] - fade[1])
        d[:x0] = d[x0]
        d[x1:] = d[x1 - 1]
    for y in range(height):
        if y < y0 or y >= y1:
            nearest = margin + min(max(y, y0), y1 - 1)
            padded[margin + y, margin : margin + width] = padded[nearest, margin : margin + width]
    scale, total = np.float32(1 / (factor * factor)), np.float32(0)
    for row in range(binned.shape[0]):
        line[:] = 0
        for k in range(factor):
            line += padded[margin + row * factor + k, margin : margin + width]
        out = binned[row]
        for x in range(binned.shape[1]):
            value = np.float32(0)
            for k in range(factor):
                value += line[x * factor + k]
            out[x] = value * scale
            total += out[x] * out[x]
    return total
