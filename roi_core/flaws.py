"""Frames that cannot be what a camera saw are left out and told; a clock that goes back is set right."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.errors import SourceError
from roi_core.ledger import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roi_core.frame import Frame
    from roi_core.sources.base import Source

__all__ = ["sound"]

PATIENCE: Final = 100
"""Frames in a row that may be flawed before the source is given up."""


def sound(source: Source, tell: Callable[[str, dict[str, Any]], None]) -> Iterator[Frame]:
    """Yield the frames of a source that are sound; each lacks in the count, so it is a lost one there.

    ``tell`` gets the kind and the data of an event: ``corrupt`` for the first of several flawed frames in a
    row, ``clock`` when time goes back; the frames then go on one step after the last.

    Raises
    ------
    SourceError
        There is nothing but flawed frames.
    """
    index, time, ahead, flawed = -math.inf, -math.inf, 0.0, 0
    for frame in source.frames():
        why = _flaw(frame, source.shape, index)
        if why:
            flawed += 1
            if flawed == 1:
                tell("corrupt", {"text": why, "after": None if math.isinf(index) else index})
            if flawed == PATIENCE:
                raise SourceError(f"{source.name} gave {PATIENCE} frames in a row that cannot be used: {why}")
            continue
        if flawed:
            frame, flawed = replace(frame, cause=frame.cause or Cause.CORRUPT), 0
        if frame.time + ahead <= time:
            back = time - frame.time - ahead
            ahead += back + 1 / source.rate
            tell("clock", {"text": f"the camera's clock went back by {back:.6g} s", "back": round(back, 6)})
        index, time = frame.index, frame.time + ahead
        yield replace(frame, time=time) if ahead else frame


def _flaw(frame: Frame, shape: tuple[int, int], index: float) -> str:
    """Return why a frame cannot be used; '' when it can."""
    image = frame.image
    if not isinstance(image, np.ndarray):
        return f"a {type(image).__name__} instead of a picture"
    if image.dtype.kind not in "buif":
        return f"pixels of type {image.dtype}"
    if image.shape[:2] != shape or image.ndim > 3 or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        return f"a picture of shape {image.shape} instead of {shape}"
    if not frame.index > index:
        return f"number {frame.index} after number {index}"
    return "" if math.isfinite(frame.time) else f"a time of {frame.time} s"
