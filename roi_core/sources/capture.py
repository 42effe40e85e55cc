"""The one place that imports OpenCV for input: quiet, and with the depth that the pixels really have."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

# OpenCV and FFmpeg print to stderr what a user can do nothing about; both read these on import.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# A V4L2 read that finds nothing gives up after this many seconds, so that silence is noticed in time.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")

import cv2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Capture", "cv2", "keep_depth", "open_capture", "open_options"]

Capture = cv2.VideoCapture

logger = logging.getLogger(__name__)

GRAY8 = {b"Y800", b"GREY", b"Y8  "}
GRAY16 = {b"Y1\x00\x10", b"Y16 "}


def open_capture(target: str | int, api: int, params: Sequence[int] = ()) -> Any | None:
    """Return an open `Capture`, or None when there is nothing to open."""
    if os.environ["OPENCV_LOG_LEVEL"] == "SILENT":
        # OpenCV read the variable too early if somebody imported it before us.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = Capture(target, api, list(params))
    except cv2.error:
        return None
    if not capture.isOpened():
        capture.release()
        return None
    return capture


@contextmanager
def open_options(options: str) -> Iterator[None]:
    """Pass FFmpeg options to the captures opened inside; a user's own environment wins."""
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    if name in os.environ:
        yield
        return
    os.environ[name] = options
    try:
        yield
    finally:
        os.environ.pop(name, None)


def keep_depth(capture: Any, name: str) -> None:
    """Ask for gray pixels as they are; without this OpenCV silently turns 16 bits into 8-bit colour.

    Only for plain gray: with a planar colour format OpenCV would hand out the luma plane as if it were
    the picture.
    """
    native = _tag(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT))
    if native in GRAY8 or native in GRAY16 or _tag(capture.get(cv2.CAP_PROP_FOURCC)) in GRAY16:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    elif native[:2] in {b"Y1", b"Y3", b"Y4"} and native[3] in range(9, 17):
        logger.warning("%s has %d-bit pixels, of which OpenCV gives only 8 bits", name, native[3])


def _tag(value: float) -> bytes:
    return (int(value) & 0xFFFFFFFF).to_bytes(4, "little")
