"""Pictures to files: as shown, with outlines, and their numbers. Knows no toolkit.

What is kept is copied at once; it is drawn and written on a thread of its own, at the camera's full size
whatever part of it is on screen.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import tifffile

from roi_core.paths import is_there
from roi_stream_gui import words
from roi_stream_gui.cells import kinds, visible
from roi_stream_gui.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.frame import Components
    from roi_core.rois import RoiSet
    from roi_stream_gui.views import Canvas

    Colour = tuple[int, int, int]
    Line = tuple[NDArray[np.float64], Colour]

__all__ = ["Kept", "Snapshots", "write"]

log = logging.getLogger(__name__)

SIDE: Final = 1400
"""px; a smaller picture is enlarged to about this for its outlines to be fine."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A picture at one moment: canvas, shades and colours it is shown with, and what is outlined on it.

    Regions and ``components`` lie ``shift`` (dy, dx) px off on this picture; ``row`` and ``rate`` tell which
    are new.
    """

    canvas: Canvas
    table: NDArray[np.uint8]
    colours: NDArray[np.float32]
    rois: RoiSet
    components: Components | None = None
    layers: str = "all"
    shift: tuple[float, float] = (0.0, 0.0)
    row: int = 0
    rate: float = 1.0
    facts: Mapping[str, Any] | None = None


class Snapshots:
    """Writes pictures one after the other, and tells of each once it is there."""

    def __init__(self, kinds_: Mapping[int, Colour] | None = None) -> None:
        self.kinds: Mapping[int, Colour] = kinds_ or {}
        """Colours of cells by `cells.Kind`."""
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
        self._jobs: list[Future[Path]] = []

    def keep(self, kept: Kept, folder: Path) -> None:
        """Write a picture into `folder`, soon."""
        self._jobs.append(self._helper.submit(write, kept, folder, dict(self.kinds)))

    def collect(self) -> list[Path]:
        """Return the files that were finished since this was last asked; why one was not is told."""
        done = [job for job in self._jobs if job.done()]
        self._jobs = [job for job in self._jobs if job not in done]
        paths = []
        for job in done:
            try:
                paths.append(job.result())
            except OSError as error:
                log.error("the picture was not kept: %s: %s", error.filename, error.strerror)
            except Exception as error:
                log.exception("the picture was not kept: %s", error)
            else:
                log.info(words.SNAPSHOT_KEPT.format(paths[-1]))
        return paths

    def close(self) -> None:
        """Finish what is being written."""
        self._helper.shutdown(wait=True)
        self.collect()


def write(kept: Kept, folder: Path, kinds_: Mapping[int, Colour]) -> Path:
    """Write ``<time>_<view>.png``, ``.tif`` and ``_regions.png``; return the first, 8-bit colour as shown.

    The TIFF holds the numbers, one for each pixel of the canvas: uint16 of the camera, float32 of other
    views; ImageJ opens it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    canvas = kept.canvas
    path = _free(folder, f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{canvas.name}")
    shown = _shown(kept)
    data = canvas.codes if canvas.values is None else canvas.values.astype(np.float32)
    facts = {"view": words.VIEWS[canvas.name], "camera px per value": canvas.step, **(kept.facts or {})}
    info = "\n".join(f"{name}: {fact}" for name, fact in facts.items())
    tifffile.imwrite(path.with_suffix(".tif"), data, imagej=True, metadata={"axes": "YX", "Info": info})
    _png(path, shown)
    _png(path.with_name(f"{path.stem}_regions.png"), _outlined(kept, shown, kinds_))
    return path


def _free(folder: Path, name: str) -> Path:
    """Return a path in `folder` that is not taken."""
    path, number = folder / f"{name}.png", 1
    while is_there(path):
        number += 1
        path = folder / f"{name}_{number}.png"
    return path


def _png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) RGB; through a buffer, for OpenCV only says that it did not."""
    path.write_bytes(cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes())


def _shown(kept: Kept) -> NDArray[np.uint8]:
    """Return (h, w, 3) uint8 RGB as on screen."""
    palette = np.round(255 * kept.colours).astype(np.uint8)
    return palette[kept.table[kept.canvas.codes]]


def _outlined(kept: Kept, shown: NDArray[np.uint8], kinds_: Mapping[int, Colour]) -> NDArray[np.uint8]:
    """Return the picture with its outlines, enlarged so that they are fine."""
    step, larger = kept.canvas.step, max(1, SIDE // max(shown.shape[:2]))
    out = np.repeat(np.repeat(shown, larger, axis=0), larger, axis=1)
    zoom = larger / step
    for points, colour in _lines(kept, kinds_):
        cv2.polylines(out, [_on(points, zoom)], False, colour, 1, cv2.LINE_AA, shift=4)
    for roi in kept.rois:
        x0, y0, _, _ = roi.moved(-kept.shift[1], -kept.shift[0]).bounds()
        place = (int((x0 + 0.5) * zoom), max(int((y0 + 0.5) * zoom) - 4, 10))
        cv2.putText(
            out,
            roi.name[:16],
            place,
            cv2.FONT_HERSHEY_SIMPLEX,
            0.45,
            roi.colour,
            thickness=1,
            lineType=cv2.LINE_AA,
        )
    return out


def _on(points: NDArray[np.float64], zoom: float) -> NDArray[np.int32]:
    """Return camera px as places in the enlarged picture, in 1/16 px as OpenCV wants them."""
    return np.round(16 * ((points + 0.5) * zoom - 0.5)).astype(np.int32)


def _lines(kept: Kept, kinds_: Mapping[int, Colour]) -> Iterator[Line]:
    """Yield each outline, (n, 2) x, y in px of the camera, with its colour."""
    if kept.components is not None:
        made = outlines(kept.components)
        kind = kinds(kept.components, kept.row, kept.rate)
        for k in np.flatnonzero(visible(kind, kept.layers)):
            part = slice(made.first[k], max(made.first[k + 1] - 1, made.first[k]))  # without the NaN
            x, y = made.x[part] - kept.shift[1], made.y[part] - kept.shift[0]
            if x.size:
                yield np.stack([x, y], axis=1), kinds_.get(int(kind[k]), (255, 255, 255))
    for roi in kept.rois:
        points = np.asarray(roi.outline(64), float) - kept.shift[::-1]
        yield np.vstack([points, points[:1]]), roi.colour
