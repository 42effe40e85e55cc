"""A preview that any player shows: 8 bit, limits of contrast, outlines, time and frame on the picture.

Of interleaved channels it shows the main one, else it would flicker. For looking only: shades are cut at the
limits and compressed with loss.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.errors import RecordingError
from roi_core.export.frames import Frames
from roi_core.export.overlay import Overlay
from roi_core.export.units import lights_of, rate_of
from roi_core.sources.capture import cv2

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["write"]

log = logging.getLogger(__name__)

CODECS: Final = {".mp4": "mp4v", ".avi": "MJPG"}
"""A file's ending and the codec inside; the second is in every build of OpenCV."""
FASTEST: Final = 60.0
"""Pictures per second at most; of faster recordings some frames are left out."""
WIDTH: Final = 480
"""Pixels across that a picture is enlarged to, at least."""
SAMPLE: Final = 32
"""Frames that the limits of contrast are taken from."""
PERCENTILES: Final = (1.0, 99.8)


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write an mp4, or an avi when that is asked for by name or OpenCV cannot write mp4 here."""
    wishes = task.wishes
    if path.suffix.lower() not in CODECS:
        raise RecordingError(f"a video is named NAME.mp4 or NAME.avi, not {path.name}")
    light = lights_of(recording)[0]
    if not len(light.rows):
        raise RecordingError(
            f"no row of {recording.path} shows {light.name}, its main channel, so there is nothing to see"
        )
    frames = Frames(recording, task, wishes.corrected, light.rows)
    rate = rate_of(recording, light) * wishes.speed
    step = math.ceil(rate / FASTEST - 1e-6)
    zoom = math.ceil(WIDTH / frames.shape[1])
    shades = _shades(frames.some(SAMPLE), wishes.limits)
    overlay = Overlay(recording, wishes, zoom)
    times, indices = recording.time.tolist(), recording.frame_index.tolist()
    offsets = _offsets(recording, wishes.corrected)
    height, width = (zoom * side + zoom * side % 2 for side in frames.shape)
    made, film = _opened(path, rate / step, (width, height))
    count = 0
    try:
        for row, frame in frames.all(step):
            picture = _enlarged(shades[frame], zoom, (height, width))
            overlay.draw(picture, indices[row], offsets[row])
            _write_text(picture, f"{times[row]:.3f} s   frame {indices[row]}")
            film.write(picture)
            count += 1
    finally:
        film.release()
    _check(made, count)


def _shades(sample: NDArray[np.uint16], limits: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Return the (65536,) 8-bit gray of every count."""
    low, high = limits or np.percentile(sample, PERCENTILES)
    ramp = (np.arange(65536) - low) / max(high - low, 1.0)
    return np.asarray(np.rint(255 * np.clip(ramp, 0, 1)), np.uint8)


def _offsets(recording: Recording, corrected: bool) -> list[tuple[float, float]]:
    """Return where outlines lie on each row's frame, (dy, dx) px: they are drawn on the template."""
    shifts = recording.shifts
    if shifts is None or corrected:
        return [(0.0, 0.0)] * recording.rows
    return [(-dy, -dx) for dy, dx in np.nan_to_num(shifts).tolist()]


def _enlarged(gray: NDArray[np.uint8], zoom: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a BGR picture of `shape`, a pixel wider or higher than the frame where that is odd."""
    large = np.repeat(np.repeat(gray, zoom, axis=0), zoom, axis=1)
    edges = [(0, whole - part) for whole, part in zip(shape, large.shape, strict=True)]
    return np.ascontiguousarray(np.repeat(np.pad(large, edges, mode="edge")[..., None], 3, axis=2))


def _write_text(picture: NDArray[np.uint8], text: str) -> None:
    """Write white letters with a dark rim into the upper left corner."""
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(
            picture, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA
        )  # fmt: skip


def _opened(path: Path, rate: float, size: tuple[int, int]) -> tuple[Path, Any]:
    """Return the file and its writer, open; an avi where there is no codec for what was asked."""
    wanted = path.suffix.lower()
    for ending in dict.fromkeys((wanted, ".avi")):
        made = path.with_suffix(ending) if ending != wanted else path
        film = cv2.VideoWriter(str(made), cv2.VideoWriter.fourcc(*CODECS[ending]), rate, size)
        if film.isOpened():
            if made is not path:
                log.warning("OpenCV has no codec for %s here; it is written as %s", path.name, made.name)
            return made, film
        made.unlink(missing_ok=True)
    raise RecordingError("OpenCV can write no video on this machine: neither mp4 nor avi")


def _check(made: Path, count: int) -> None:
    """Refuse a file that does not hold every picture: OpenCV does not say when writing fails."""
    film = cv2.VideoCapture(str(made))
    found = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    film.release()
    if found != count:
        raise RecordingError(f"only {found} of {count} pictures are in {made.name}; nothing of it was kept")
