"""The movie as a 16-bit TIFF stack with its times.

Up to 4 GB it is an ImageJ stack (``T`` axis, frame interval, pixel size, a label ``TIME s, frame INDEX`` on
every slice, with its channel where several take turns); beyond what plain TIFF holds it is a BigTIFF with OME
metadata (time of every plane), which Bio-Formats opens in ImageJ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.export.frames import Frames
from roi_core.export.units import lit, rate_of

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["write"]

PLAIN: Final = 2**32 - 2**26
"""Bytes of pixels, labels and headers that plain TIFF holds for sure."""
LABEL: Final = 128
"""Bytes that a slice takes beside its pixels, at most."""


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write the stack, a few frames in memory at a time; ``corrected`` moves them into place."""
    import tifffile

    frames = Frames(recording, task, task.wishes.corrected)
    height, width = frames.shape
    small = len(frames) * (2 * height * width + LABEL) < PLAIN
    side = recording.card.imaging.um_per_px
    kinds: dict[str, Any] = {"imagej": True} if small else {"ome": True, "bigtiff": True}
    metadata = _for_imagej(recording, side) if small else _for_ome(recording, side)
    with tifffile.TiffWriter(path, **kinds) as file:
        file.write(
            (frame for _, frame in frames.all()),
            shape=(len(frames), height, width),
            dtype=np.uint16,
            photometric="minisblack",
            metadata=metadata,
            resolution=(1 / side, 1 / side) if side and small else None,
        )


def _for_imagej(recording: Recording, side: float | None) -> dict[str, Any]:
    rate = rate_of(recording)
    clock = zip(recording.time, recording.frame_index, strict=True)
    labels = [f"{time:.6f} s, frame {index}" for time, index in clock]
    shown = lit(recording)
    if shown is not None:
        labels = [f"{label}, channel {name}" for label, name in zip(labels, shown, strict=True)]
    known = {"axes": "TYX", "fps": rate, "finterval": 1 / rate, "Labels": labels}
    return known | ({"unit": "um"} if side else {})


def _for_ome(recording: Recording, side: float | None) -> dict[str, Any]:
    times = recording.time.tolist()
    planes = {"DeltaT": times, "DeltaTUnit": ["s"] * len(times)}
    known = {
        "axes": "TYX",
        "TimeIncrement": 1 / rate_of(recording),
        "TimeIncrementUnit": "s",
        "Plane": planes,
    }
    sides = {"PhysicalSizeX": side, "PhysicalSizeY": side}
    units = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    return known | (sides | units if side else {})
