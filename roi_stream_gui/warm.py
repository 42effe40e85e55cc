"""Every kernel compiled before a source is opened. Knows no toolkit."""

from __future__ import annotations

from roi_core import pipeline
from roi_stream_gui import outlines, picture, tracks

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compile the kernels of the measurement and of what the window draws."""
    pipeline.warm_up()
    picture.warm_up()
    outlines.warm_up()
    tracks.warm_up()
