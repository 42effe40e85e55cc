"""Frames from stacks of numbers: TIFF, HDF5 datasets (our own recordings too) and npy arrays.

Colour in these files is taken as RGB, as MATLAB and numpy programs write it, and handed on as BGR.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core import layout
from roi_core.card import Card
from roi_core.clock import LARGEST, repair
from roi_core.codecs import make_readable
from roi_core.draft import pending
from roi_core.errors import MissingExtra, RecordingError, SourceError, SourceNotFound, brief
from roi_core.paths import is_special
from roi_core.sources import rates
from roi_core.sources.dates import of_recording, of_tiff
from roi_core.sources.files import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.settings import LiveSettings

__all__ = ["Hdf5", "Npy", "Tiff", "split"]

logger = logging.getLogger(__name__)

BLOCK = 64 * 2**20
"""Bytes read from a chunked dataset at once, so that each chunk is decompressed only once."""


@contextlib.contextmanager
def _opening(source: Stack, path: str, kind: str, *telling: type[Exception]) -> Iterator[None]:
    """Close a file that cannot be used and say why; only ``telling`` exceptions have words for it."""
    if is_special(path):
        raise SourceError(f"{source.name} cannot be read as {kind}: it is a pipe, a socket or a device")
    try:
        yield
    except (SourceError, MissingExtra):
        source.release()
        raise
    except RecordingError as error:
        source.release()
        raise SourceError(str(error)) from error
    except Exception as error:  # damaged bytes raise whatever they meet first
        source.release()
        why = _reason(error) if isinstance(error, (OSError, *telling)) else "it is damaged"
        raise SourceError(f"{source.name} cannot be read as {kind}: {why}") from error


class Tiff(Stack):
    """A TIFF stack (also BigTIFF, ImageJ, ScanImage, OME), one page at a time."""

    def __init__(self, path: str, settings: LiveSettings) -> None:
        import tifffile

        super().__init__(path, settings.current.camera.rate)
        self._file: Any = None
        self._map: NDArray[Any] | None = None
        self._breaks = _Breaks()
        logging.getLogger("tifffile").addHandler(self._breaks)
        with _opening(self, path, "TIFF", tifffile.TiffFileError):
            self._file = tifffile.TiffFile(path)
            if not self._file.series:
                raise SourceError(f"{self.name} cannot be read as TIFF: it holds no pages")
            self._describe(max(self._file.series, key=lambda series: len(series.pages)))
        if self._breaks.seen:
            logger.warning("%s is damaged: %d frames can be read", self.name, self.length)

    def _describe(self, series: Any) -> None:
        page = series.keyframe
        self.shape = page.imagelength, page.imagewidth
        # Writers that are not told better store 3 or 4 gray frames as the colour planes of one page.
        self._planes = page.planarconfig == 2 and len(series.pages) == 1
        self._colour = page.samplesperpixel in (3, 4) and not self._planes
        self._pages = series.pages
        size = int(np.prod(page.shape)) // (page.samplesperpixel if self._planes else 1)
        self.length = series.size // size
        if self._breaks.seen and len(self._file.pages) > self.length:
            # The series of a file cut short falls back to its first page; the others are still there.
            self._pages, self.length = self._file.pages, len(self._file.pages)
        else:
            self._map = self._mapped(series, page)
        while self._breaks.seen and self._map is None and self.length and not self._whole(self.length - 1):
            self.length -= 1
        if not self.length:
            raise SourceError(f"{self.name} holds no frame that can be read")
        self.take_rate(rates.of_tiff(self._file))
        self.begun = of_tiff(self._file)

    def _mapped(self, series: Any, page: Any) -> NDArray[Any] | None:
        """Map pixels that lie in one piece; ImageJ puts more than 4 GB behind a single page."""
        if series.dataoffset is None:
            return None
        dtype = np.dtype(page.dtype).newbyteorder(self._file.byteorder)
        frame = page.shape[int(self._planes) :]
        there = self._file.filehandle.size - series.dataoffset
        rows = min(self.length or 0, there // (int(np.prod(frame)) * dtype.itemsize))
        try:
            pages: NDArray[Any] = self._file.filehandle.memmap_array(dtype, (rows, *frame), series.dataoffset)
        except (OSError, ValueError):
            return None
        self._breaks.seen |= rows != self.length
        self.length = rows
        return pages

    def _whole(self, row: int) -> bool:
        """Tell whether the file reaches to the end of a page."""
        try:
            page = self._pages[row]
            ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=True))
            return bool(max(ends) <= self._file.filehandle.size)
        except Exception:  # what describes the page is cut as well
            return False

    def read(self, row: int) -> NDArray[Any] | None:
        """Read one page in the machine's byte order."""
        if row >= (self.length or 0):
            return None
        try:
            page = self._page(row) if self._map is None else self._map[row]
            if self._colour and page.shape[-1] not in (3, 4):
                page = np.moveaxis(page, 0, -1)
            return _picture(page.reshape(*self.shape, -1) if self._colour else page.reshape(self.shape))
        except Exception:  # each decoder has exceptions of its own
            self.stopped_early()
            return None

    def _page(self, row: int) -> NDArray[Any]:
        image: NDArray[Any] = self._pages[0].asarray()[row] if self._planes else self._pages[row].asarray()
        return image

    def release(self) -> None:
        """Close the file."""
        logging.getLogger("tifffile").removeHandler(self._breaks)
        self._map = None
        if self._file is not None:
            self._file.close()


class _Breaks(logging.Handler):
    """Hears of damage, which tifffile only logs; also keeps that off the screen."""

    seen = False

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Note that something was wrong, whatever it was."""
        self.seen = True


class Npy(Stack):
    """An array (T, H, W) or (T, H, W, 3|4) in an npy file, mapped into memory."""

    def __init__(self, path: str, settings: LiveSettings) -> None:
        super().__init__(path, settings.current.camera.rate)
        with _opening(self, path, "npy", ValueError, EOFError):
            array = np.lib.format.open_memmap(path, mode="r")  # np.load advises to load a stranger's pickle
        if not _is_movie(array):
            raise SourceError(f"{self.name} holds {_seen(array)}; a movie is (frames, height, width) numbers")
        self._array: NDArray[Any] | None = array
        self.shape = array.shape[1:3]
        self.length = len(array)
        self.take_rate(None)

    def read(self, row: int) -> NDArray[Any] | None:
        """Copy one picture out of the map."""
        if self._array is None or row >= len(self._array):
            return None
        return _picture(self._array[row])

    def release(self) -> None:
        """Let go of the map."""
        self._array = None


class Hdf5(Stack):
    """A dataset (T, H, W) or (T, H, W, 3|4) in an HDF5 file, written ``file.h5:dataset``.

    Without a dataset it is the movie of a recording of ours, or else the only movie in the file. A
    recording, finished or not, brings its own times and frame indices, its date and its session card.
    """

    def __init__(self, text: str, settings: LiveSettings) -> None:
        path, name = split(text)
        super().__init__(path, settings.current.camera.rate)
        self._file: Any = None
        with _opening(self, path, "HDF5"):
            self._file = self._opened()
            self._describe(name)
            self._tell_channels(settings.current.channels.order)
        if name:
            self.name += f":{name}"

    def _tell_channels(self, order: str) -> None:
        """Warn when a recording of interleaved channels would be measured as one."""
        if not order and self._movie.name == layout.MOVIE and layout.CHANNEL in self._file:
            names = b",".join(self._file[layout.CHANNEL].attrs["names"]).decode()
            logger.warning("%s shows channels in turn: set channels.order to %s", self.name, names)

    def _opened(self) -> Any:
        import h5py

        try:
            file = h5py.File(self._path, "r")
            half_done = pending(Path(self._path))
            if half_done is None:
                return file
            file.close()
            return h5py.File(half_done, "r")
        except BlockingIOError:
            # another process is writing it: look without asking for the lock
            with contextlib.suppress(OSError):
                return h5py.File(self._path, "r", locking=False)
            why = "is being written right now; try again when it is finished"
            raise SourceError(f"{self.name} {why}") from None

    def _describe(self, name: str) -> None:
        self._movie = self._named(name) if name else self._only()
        make_readable(self._movie)
        self.shape = self._movie.shape[1:3]
        self.length = len(self._movie)
        self._times: NDArray[np.float64] | None = None
        self._indices: NDArray[np.int64] | None = None
        if self._is_recording() and self._movie.name == layout.MOVIE:
            self._read_clock()
            self.begun = of_recording(self._file.attrs)
            self.card = Card.kept(self._file[layout.SESSION].attrs) if layout.SESSION in self._file else None
        else:
            self.take_rate(rates.of_hdf5(self._movie))
        if self.length == 0:
            raise SourceError(f"{self.name}:{self._movie.name} holds no frames")
        frame = self._movie[:0].nbytes or int(np.prod(self._movie.shape[1:])) * self._movie.dtype.itemsize
        self._step = min((self._movie.chunks or (1,))[0], max(1, BLOCK // frame))
        self._block: NDArray[Any] = np.empty(0)
        self._first = -1

    def _read_clock(self) -> None:
        """Take times and indices from the recording; of one cut short, the rows that are whole."""
        columns = [self._file.get(key) for key in (layout.TIME, layout.FRAME_INDEX)]
        if any(column is None for column in columns):
            return
        time, index = (np.asarray(column).ravel() for column in columns)
        self.length = rows = min(len(self._movie), len(time), len(index))
        self._times, self._indices = time[:rows], index[:rows]
        self.counter = "camera"
        if (np.abs(self._times) <= LARGEST).all() and (np.diff(self._times) > 0).all():
            self.rate = float(1 / np.median(np.diff(self._times))) if rows > 1 else self.rate
            return
        self._times, found = repair(self._times, self.rate)  # not by us
        self.rate = 1 / found.period
        for note in found.notes(f"{self.name}: /time: "):
            logger.warning("%s", note)

    def _named(self, name: str) -> Any:
        dataset = self._file.get(name)
        if dataset is None:
            raise SourceNotFound(f"{self.name} has no dataset {name!r}; {self._offer()}")
        if not _is_movie(dataset):
            raise SourceError(
                f"{self.name}:{name} is {_seen(dataset)}; a movie is (frames, height, width) numbers"
            )
        return dataset

    def _only(self) -> Any:
        if self._is_recording():
            if layout.MOVIE in self._file:
                return self._named(layout.MOVIE)
            raise SourceError(f"{self.name} is a recording without a movie; record with recorder.movie=true")
        movies = self._movies()
        if len(movies) != 1:
            raise SourceError(f"which dataset of {self.name}? {self._offer()}")
        return movies[0]

    def _is_recording(self) -> bool:
        word = self._file.attrs.get("format", b"")
        return (word.decode() if isinstance(word, bytes) else str(word)) == layout.FORMAT

    def _movies(self) -> list[Any]:
        found: list[Any] = []
        self._file.visititems(lambda _, item: found.append(item) if _is_movie(item) else None)
        return found

    def _offer(self) -> str:
        movies = self._movies()
        if not movies:
            return "it holds no movie, that is (frames, height, width) numbers"
        known = ", ".join(f"{movie.name} {_seen(movie)}" for movie in movies[:8])
        return f"write it as {self.name}:DATASET with one of {known}"

    def read(self, row: int) -> NDArray[Any] | None:
        """Read one picture; compressed chunks are read once each."""
        if row >= (self.length or 0):
            return None
        at = row % self._step
        if row - at != self._first:
            try:
                self._block = self._movie[row - at : row - at + self._step]
                self._first = row - at
            except Exception:  # a wrong byte is an OSError, RuntimeError or KeyError, whatever it hits
                self.stopped_early()
                return None
        return _picture(self._block[at])

    def stamp(self, row: int) -> tuple[int, float]:
        """Return what was recorded, or the row and its time at the rate."""
        if self._times is None or self._indices is None:
            return super().stamp(row)
        return int(self._indices[row]), float(self._times[row])

    def release(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def split(text: str) -> tuple[str, str]:
    r"""Split ``C:\x.h5:group/data`` at the colon behind the file's ending."""
    parts = re.fullmatch(r"(.*\.(?:h5|hdf5))(?::(.*))?", text, re.IGNORECASE | re.DOTALL)
    return (parts[1], parts[2] or "") if parts else (text, "")


def _is_movie(data: Any) -> bool:
    shape = getattr(data, "shape", None)
    if shape is None or getattr(data.dtype, "kind", "") not in "uifb":
        return False
    plain = len(shape) == 3 or (len(shape) == 4 and shape[3] in (3, 4))
    return plain and all(side > 0 for side in shape)


def _seen(data: Any) -> str:
    if not hasattr(data, "shape"):
        return "a group"
    return f"({' x '.join(map(str, data.shape))} {data.dtype})"


def _picture(image: NDArray[Any]) -> NDArray[Any]:
    """Return memory of our own, in the machine's byte order, colour as BGR."""
    if image.dtype.kind == "b":
        image = image.view(np.uint8)
    if image.ndim == 3:
        image = image[..., [2, 1, 0, 3][: image.shape[2]]]
    return np.array(image, dtype=image.dtype.newbyteorder("="), order="C")


def _reason(error: Exception) -> str:
    """Return what the system says, or the first line of a library's message without its full stop."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return brief((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))
