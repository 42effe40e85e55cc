"""A session of the UCLA Miniscope software: numbered AVI files, with the true times beside them.

The AVI headers always say 60 frames/s and ``metaData.json`` says what was asked for: the time stamps decide.
Both layouts are known: V4 (``0.avi``, ``timeStamps.csv``) and V3 (``msCam1.avi``, ``timestamp.dat``).
"""

from __future__ import annotations

import bisect
import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from roi_core.clock import repair
from roi_core.errors import SourceError, SourceNotFound
from roi_core.sources.capture import cv2, keep_depth, open_capture
from roi_core.sources.dates import of_miniscope, shown_by_miniscope
from roi_core.sources.files import Stack
from roi_core.sources.tables import counted, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.frame import Counter
    from roi_core.settings import LiveSettings

__all__ = ["Miniscope", "Stamps"]

logger = logging.getLogger(__name__)

NO_VIDEOS = (
    "it holds no 0.avi, 1.avi ... or msCam1.avi ..., nor a folder with them; choose one that does, or a file"
)


START = "recordingStartTime"
"""What a ``metaData.json`` calls the moment from which the time stamps count."""
FIRST = 60.0
"""Seconds from there within which the first frame's stamp is believed."""


class Stamps(NamedTuple):
    """What the computer noted for each frame: the camera's frame number, as it stands, and the time in s."""

    numbers: NDArray[np.float64]
    times: NDArray[np.float64]


class Miniscope(Stack):
    """One camera of a session: its Miniscope, unless the folder of another camera is given."""

    counter: Counter = "camera"

    def __init__(self, path: str, settings: LiveSettings) -> None:
        folder = _device(Path(path))
        super().__init__(str(folder), settings.current.camera.rate)
        self.name = f"{folder.parent.name}/{folder.name}"
        self._meta = _read_json(folder / "metaData.json")
        self._files = _videos(folder)
        self._starts, header_rate = self._measure()
        self.length: int = self._starts[-1]
        self._file = -1
        self._capture: Any | None = None
        self._first: NDArray[Any] | None = None
        first = self.read(0)
        if first is None:
            raise SourceError(f"{self.name} holds no frame that can be read")
        self._first, self.shape = first, first.shape[:2]
        stamps = _read_stamps(folder, self.length)
        self._stamps = self._complete(stamps, header_rate)
        session = self._meta if START in self._meta else _read_json(folder.parent / "metaData.json")
        self.begun, self.card = of_miniscope(session), shown_by_miniscope(session, self._meta)
        before = float(stamps.times[0]) if len(stamps.times) else 0.0
        if self.begun is not None and abs(before) < FIRST:
            self.begun += timedelta(seconds=before)

    def read(self, row: int) -> NDArray[Any] | None:
        """Decode the next picture; a damaged file costs its frames, not those of the files behind it."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        while row < self.length:
            if self._file < 0 or row >= self._starts[self._file + 1]:
                self._open(self._file + 1)
            good, image = self._capture.read() if self._capture is not None else (False, None)
            if good:
                return image
            row = self._row = self._skip(row)
        return None

    def turn_to(self, row: int) -> None:
        """Open the file that holds a row and go to its place in it."""
        self._first = None
        self._open(max(bisect.bisect_right(self._starts, row, hi=len(self._files)) - 1, 0))
        if self._capture is not None:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, row - self._starts[self._file])

    def stamp(self, row: int) -> tuple[int, float]:
        """Return the camera's frame number and the time since the first frame."""
        return int(self._stamps.numbers[row]), float(self._stamps.times[row])

    def release(self) -> None:
        """Close the file being read."""
        if self._capture is not None:
            self._capture.release()

    def _open(self, file: int) -> None:
        self.release()
        self._file = file
        self._capture = open_capture(str(self._files[file]), cv2.CAP_FFMPEG)
        if self._capture is not None:
            keep_depth(self._capture, self.name)

    def _skip(self, row: int) -> int:
        """Warn of a file that ends early; return the row at which the next one begins."""
        begin, end = self._starts[self._file : self._file + 2]
        name = f"{self.name}/{self._files[self._file].name}"
        logger.warning("%s is damaged: %d of %d frames could be read", name, row - begin, end - begin)
        return end

    def _measure(self) -> tuple[list[int], float]:
        """Return the row at which each file begins (and the last ends), and the rate the headers tell."""
        starts, rate = [0], 0.0
        for file in self._files:
            capture = open_capture(str(file), cv2.CAP_FFMPEG)
            count = int(self._meta.get("framesPerFile", 1000)) if file != self._files[-1] else 0
            if capture is not None:
                count, rate = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), capture.get(cv2.CAP_PROP_FPS)
                capture.release()
            starts.append(starts[-1] + max(0, count))
        return starts, rate

    def _complete(self, stamps: Stamps, header_rate: float) -> Stamps:
        """Return one stamp for each frame, strictly increasing, and set the rate from them."""
        count = len(stamps.times)
        told = re.match(r"\s*(\d+\.?\d*)", str(self._meta.get("frameRate", "")))
        self.rate = float(told[1]) if told and float(told[1]) else self.rate
        if count != self.length:
            logger.warning("%s has %d time stamps for %d frames", self.name, count, self.length)
        numbers = counted(stamps.numbers)
        if numbers is None:
            logger.warning(
                "%s: its frame numbers go back or are no count; gaps cannot be known from them", self.name
            )
            numbers = np.arange(count)
        stamps = stamps._replace(numbers=numbers.astype(np.float64))
        if count > 1:
            times, found = repair(stamps.times, self.rate, numbers)
            stamps = stamps._replace(times=times)
            for note in found.notes(f"{self.name}: time stamps: "):
                logger.warning("%s", note)
            self._trust(stamps, {"metaData.json": told and self.rate, "the AVI header": header_rate})
        more = np.arange(1, max(0, self.length - count) + 1)
        number, time = (stamps.numbers[-1], stamps.times[-1]) if count else (-1, -1 / self.rate)
        numbers = np.r_[stamps.numbers, number + more]
        times = np.r_[stamps.times, time + more / self.rate]
        return Stamps(numbers, times - times[0])

    def _trust(self, stamps: Stamps, told: dict[str, float | None]) -> None:
        self.rate = float(1 / np.median(np.diff(stamps.times) / np.diff(stamps.numbers)))
        wrong = [f"{who} says {rate:g}" for who, rate in told.items() if rate and _differs(rate, self.rate)]
        if wrong:
            known = f"its time stamps give {self.rate:.3g} frames/s and are used"
            logger.warning("%s: %s, though %s", self.name, known, " and ".join(wrong))


def _device(path: Path) -> Path:
    """Return the folder with the videos: ``path`` itself, or the Miniscope of that session."""
    if _videos(path):
        return path
    folders = [folder for folder in _folders(path) if _videos(folder)]
    listed = _read_json(path / "metaData.json").get("miniscopes", [])
    names = {str(name).replace(" ", "_") for name in listed} | {str(name) for name in listed}
    chosen = [folder for folder in folders if folder.name in names] or folders
    if not chosen:
        inside = [folder.name for folder in _folders(path) if any(map(_videos, _folders(folder)))]
        hint = f"choose one of its folders: {', '.join(inside[:8])}" if inside else NO_VIDEOS
        raise SourceNotFound(f"{path} is not the folder of a Miniscope session; {hint}")
    if len(chosen) > 1:
        others = ", ".join(folder.name for folder in chosen[1:])
        logger.warning("%s: opening %s; there are also %s", path.name, chosen[0].name, others)
    return chosen[0]


def _folders(path: Path) -> list[Path]:
    """Return the folders in a folder; none in one that may not be read."""
    try:
        return sorted(folder for folder in path.iterdir() if folder.is_dir())
    except OSError:
        return []


def _videos(folder: Path) -> list[Path]:
    """Return ``0.avi 1.avi ...`` or ``msCam1.avi ...`` in the order of their numbers."""
    found: dict[int, Path] = {}
    for file in folder.glob("*.avi"):
        number = re.fullmatch(r"(?:msCam)?(\d+)", file.stem)
        if number:
            found[int(number[1])] = file
    return [found[number] for number in sorted(found)]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _read_stamps(folder: Path, frames: int) -> Stamps:
    """Return what ``timeStamps.csv`` (V4) or ``timestamp.dat`` (V3) says, as it says it."""
    for name in ("timeStamps.csv", "timestamp.dat"):
        rows = read_table(folder / name).rows if (folder / name).is_file() else np.empty((0, 3))
        if rows.shape[1] < (2 if name.endswith(".csv") else 3):
            continue
        if len(rows) and name.endswith(".csv"):
            return Stamps(rows[:, 0], rows[:, 1] / 1000)
        if len(rows):
            # V3 interleaves all cameras; ours is the one with as many rows as there are frames.
            cameras = [rows[rows[:, 0] == camera] for camera in np.unique(rows[:, 0])]
            ours = min(cameras, key=lambda some: abs(len(some) - frames))
            return Stamps(ours[:, 1], ours[:, 2] / 1000)
    return Stamps(np.empty(0), np.empty(0))


def _differs(told: float, measured: float) -> bool:
    return abs(told - measured) > 0.1 * measured
