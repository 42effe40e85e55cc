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

    Tell = Callable[[str, dict[str, Any]], None]

__all__ = ["sound"]

PATIENCE: Final = 100
"""Frames in a row that may be flawed before the source is given up."""


def sound(source: Source, tell: Tell, lose: Callable[[int], None]) -> Iterator[Frame]:
    """Yield the frames of a source that are sound; a flawed one lacks in their count, so it is a lost one.

    ``tell`` gets the kind and the data of an event: ``corrupt`` for the first of several flawed frames in a
    row, ``clock`` when time goes back; the frames then go on one step after the last. ``lose`` gets the
    number of those that came behind the last sound frame, when there will be no more, however that comes
    about. Those before the first sound frame are told, not counted: frames count from there on.

    Raises
    ------
    SourceError
        There is nothing but flawed frames.
    """
    yield from _onward(_pictures(source, tell, lose), source.rate, tell)


def _pictures(source: Source, tell: Tell, lose: Callable[[int], None]) -> Iterator[Frame]:
    """Leave out the flawed frames."""
    index, flawed = -math.inf, 0
    try:
        for frame in source.frames():
            why = _flaw(frame, source.shape, index)
            if why:
                flawed += 1
                if flawed == 1:
                    tell("corrupt", {"text": why, "after": None if math.isinf(index) else index})
                if flawed == PATIENCE:
                    many = f"{PATIENCE} frames in a row that cannot be used"
                    raise SourceError(f"{source.name} gave {many}: {why}")
                continue
            if flawed:
                frame, flawed = replace(frame, cause=frame.cause or Cause.CORRUPT), 0
            index = frame.index
            yield frame
    finally:
        if flawed and math.isfinite(index):
            lose(flawed)


def _onward(frames: Iterator[Frame], rate: float, tell: Tell) -> Iterator[Frame]:
    """Set right a clock that goes back."""
    time, ahead = -math.inf, 0.0
    for frame in frames:
        if frame.time + ahead <= time:
            back = time - frame.time - ahead
            ahead += back + 1 / rate
            tell("clock", {"text": f"the camera's clock went back by {back:.6g} s", "back": round(back, 6)})
        time = frame.time + ahead
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
