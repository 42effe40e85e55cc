"""How many frames a second a file tells of itself, where it does.

Each function returns pages or pictures per second as they lie in the file: a file with two channels holds
two for every frame of the microscope. What is damaged beside a movie is no reason to refuse the movie.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final

import numpy as np

__all__ = ["FASTEST", "of_hdf5", "of_tiff"]

FASTEST: Final = 10_000.0
"""Hz; what is told beyond it is an error."""
NUMBER: Final = r"\s*=\s*([\d.]+(?:[eE][+-]?\d+)?)"
FRAMES: Final = re.compile(rf"(?:scanFrameRate|state\.acq\.frameRate){NUMBER}")
AVERAGED: Final = re.compile(rf"(?:logAverageFactor|state\.acq\.numAvgFramesSave){NUMBER}")
SAVED: Final = re.compile(r"channels?Save\s*=\s*(\[[^\]]*\]|\d+)")
CHANNELS: Final = re.compile(rf"state\.acq\.numberOfChannelsSave{NUMBER}")
OME: Final = re.compile(r"<(?:\w+:)?Pixels\b[^>]*>")
SECONDS: Final = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "µs": 1e-6, "us": 1e-6, "min": 60.0}
ATTRIBUTES: Final = ("frame_rate", "framerate", "fps", "fr", "sampling_rate")
"""Names under which HDF5 movies tell it, of CaImAn (``fr``) and others."""


def of_tiff(file: Any) -> float | None:
    """Return what ImageJ, OME-XML or ScanImage (3.8 and later) wrote into an open TIFF."""
    with contextlib.suppress(Exception):
        said = str(file.pages[0].description)
        return _of_imagej(file.imagej_metadata or {}) or _of_ome(said) or _of_scanimage(file, said)
    return None


def of_hdf5(movie: Any) -> float | None:
    """Return what the attributes of a movie or of its file tell, or what NWB keeps beside it."""
    with contextlib.suppress(Exception):
        return _of_attributes(movie) or _of_nwb(movie)
    return None


def _of_attributes(movie: Any) -> float | None:
    for told in (movie.attrs, movie.file.attrs):
        for name in ATTRIBUTES:
            if name in told and (rate := _sane(told[name])):
                return rate
    return None


def _of_nwb(movie: Any) -> float | None:
    start, stamps = (movie.parent.get(name) for name in ("starting_time", "timestamps"))
    if start is not None and "rate" in start.attrs:
        return _sane(start.attrs["rate"])
    if getattr(stamps, "shape", None) == movie.shape[:1] and len(movie) > 1:
        return _per(np.median(np.diff(np.asarray(stamps, float))))
    return None


def _of_imagej(told: dict[str, Any]) -> float | None:
    pages = _pages(told.get("channels"), told.get("slices"), told.get("frames"))
    interval = _number(told.get("finterval")) * SECONDS.get(str(told.get("tunit", "s")).strip(), 1.0)
    return _per(interval, pages) or _sane(pages * _number(told.get("fps")))


def _of_ome(said: str) -> float | None:
    found = OME.search(said)
    if found is None:
        return None
    told = dict(re.findall(r'(\w+)="([^"]*)"', found[0]))
    pages = _pages(told.get("SizeC"), told.get("SizeZ"), told.get("SizeT"))
    unit = SECONDS.get(told.get("TimeIncrementUnit", "s"), 0.0)
    return _per(_number(told.get("TimeIncrement")) * unit, pages)


def _of_scanimage(file: Any, said: str) -> float | None:
    """ScanImage tells it beside the first page, in its Software tag, or in the head of the file."""
    if not file.is_scanimage:
        return None
    software = file.pages[0].tags.get("Software")
    said += "\n" + str(getattr(software, "value", ""))
    head = (file.scanimage_metadata or {}).get("FrameData") or {}
    said += "".join(f"\n{name} = {value}" for name, value in head.items())
    found, averaged = FRAMES.search(said), AVERAGED.search(said)
    if found is None:
        return None
    return _sane(_number(found[1]) * _channels(said) / (_count(averaged[1]) if averaged else 1))


def _channels(said: str) -> int:
    if found := CHANNELS.search(said):
        return _count(found[1])
    found = SAVED.search(said)
    return max(1, len(re.findall(r"\d+", found[1]))) if found else 1


def _pages(channels: Any, planes: Any, frames: Any) -> int:
    """Return how many pages a frame has; a plain stack calls its frames planes."""
    return _count(channels) * (_count(planes) if _count(frames) > 1 else 1)


def _count(value: Any) -> int:
    number = _number(value)
    return int(number) if 1 <= number <= 1_000 else 1


def _number(value: Any) -> float:
    """Return a number or the first of an array as it was told; 0 for what is none."""
    try:
        return float(np.ravel(value)[0])
    except (TypeError, ValueError, IndexError):
        return 0.0


def _per(seconds: float, pages: int = 1) -> float | None:
    return _sane(pages / seconds) if seconds > 0 else None


def _sane(value: Any) -> float | None:
    number = _number(value)
    return number if 0 < number <= FASTEST else None
