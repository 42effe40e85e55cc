"""Pictures and matrices of each stage into a folder beside the recording, now and then, while it runs."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.frame import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.frame import Components, Header, Sample, Summary

    Picture = NDArray[np.float32]

__all__ = ["Pictures", "footprint_picture", "shades"]

log = logging.getLogger(__name__)

ROOM: Final = 100e6
"""Bytes beyond the recorder's reserve that are left free: pictures never cost a recording its disk."""
COLOURS: Final = {Status.ACCEPTED: (90, 220, 90), Status.REJECTED: (70, 70, 230)}
"""Blue, green, red of a footprint; others are not drawn."""


class Pictures:
    """Writes what `collect` gives, and the footprints, for each sample that comes: its lane decides when.

    A failure is told once and costs the pictures only.
    """

    name = "pictures"

    def __init__(self, folder: Path, collect: Callable[[], dict[str, Picture]]) -> None:
        self.folder = folder
        self._collect = collect
        self._reserve = 0.0
        self._told = False

    def open(self, header: Header) -> None:
        """Take the recorder's disk reserve over."""
        self._reserve = header.settings.recorder.disk_reserve * 1e6

    def write(self, sample: Sample) -> None:
        """Write one set of pictures, named by the row."""
        try:
            self._write(sample)
        except Exception as error:
            if not self._told:
                log.warning("no pictures of the stages in %s: %s", self.folder, error)
                self._told = True

    def flush(self) -> None:
        """Nothing waits."""

    def close(self, summary: Summary) -> None:
        """Nothing is open."""

    def _write(self, sample: Sample) -> None:
        if shutil.disk_usage(self.folder.parent).free < self._reserve + ROOM:
            raise OSError("the disk is nearly full")
        self.folder.mkdir(exist_ok=True)
        pictures = self._collect()
        matrices: dict[str, Any] = dict(pictures)
        drawn = {name: shades(picture) for name, picture in pictures.items()}
        if sample.activity is not None:
            components = sample.activity.components
            under = pictures.get("mean", sample.image.astype(np.float32))
            drawn["footprints"] = footprint_picture(under, components)
            matrices |= {
                name: getattr(components, name) for name in ("ids", "status", "data", "indices", "indptr")
            }
        for name, picture in drawn.items():
            _save(self.folder / f"{name}_{sample.row:07d}.png", picture)
        np.savez(self.folder / f"stages_{sample.row:07d}.npz", **matrices)


def shades(picture: Picture) -> NDArray[np.uint8]:
    """Return 8-bit gray between the first and the 99.8th percentile; what is not known is black."""
    known = np.isfinite(picture)
    if not known.any():
        return np.zeros(picture.shape, np.uint8)
    low, high = np.percentile(picture[known], (1, 99.8))
    gray = (np.where(known, picture, low) - low) / max(high - low, 1e-9)
    shaded: NDArray[np.uint8] = (np.clip(gray, 0, 1) * 255).astype(np.uint8)
    return shaded


def footprint_picture(under: Picture, components: Components) -> NDArray[np.uint8]:
    """Return (H, W, 3) BGR: footprints in the colour of their status over a picture of the camera."""
    colour = np.repeat(shades(under).reshape(-1, 1), 3, axis=1).astype(np.float32) * 0.7
    for status, paint in COLOURS.items():
        cover = _cover(components, components.status == status, colour.shape[0])[:, None]
        colour = colour * (1 - 0.6 * cover) + 0.6 * cover * np.array(paint, np.float32)
    return colour.reshape(*under.shape, 3).astype(np.uint8)


def _cover(components: Components, chosen: NDArray[np.bool_], pixels: int) -> Picture:
    """Return (pixels,) 0..1: the highest of the chosen footprints at each, each up to its own peak."""
    cover = np.zeros(pixels, np.float32)
    for k in np.flatnonzero(chosen):
        column = slice(components.indptr[k], components.indptr[k + 1])
        weights = components.data[column]
        if weights.size and weights.max() > 0:
            np.maximum.at(cover, components.indices[column], weights / weights.max())
    return cover


def _save(path: Path, picture: NDArray[np.uint8]) -> None:
    import cv2

    done, data = cv2.imencode(".png", picture)
    if not done:
        raise OSError(f"{path.name} cannot be made a PNG")
    path.write_bytes(data.tobytes())
