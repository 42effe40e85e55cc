"""The root attributes of a recording: what it is, when it was made, how much it holds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core import __version__, layout

if TYPE_CHECKING:
    from roi_core.frame import Header

__all__ = ["begin", "clock", "set_card", "set_text"]


def begin(file: h5py.File, header: Header, part: int, first_part: str) -> None:
    """Give a file every attribute as it is before the first frame; see `Recorder` for the parts."""
    height, width = header.shape
    file.attrs["resolution"] = np.array([width, height], np.int32)
    for name, value in _at_start(header, part, first_part).items():
        file.attrs.create(name, value, dtype=_text_dtype(name) if isinstance(value, bytes) else None)


def _at_start(header: Header, part: int, first_part: str) -> dict[str, Any]:
    return {
        "format": layout.FORMAT.encode(),
        "format_version": np.int32(layout.FORMAT_VERSION),
        "created_with": f"roi_stream {__version__}".encode(),
        "source": _cut("source", header.source),
        "start_iso8601": clock().encode(),
        "end_iso8601": clock().encode(),
        "start_is": header.start_is.encode(),
        "frames_seen": np.uint64(0),
        "frames_dropped": np.uint64(0),
        "rows": np.uint64(0),
        "elapsed_sec": np.float64(0),
        "avg_fps": np.float64(0),
        "frame_rate": np.float64(header.rate),
        "loss_basis": header.counter.encode(),
        "finish_reason": b"recording",
        "coord_origin": layout.COORD_ORIGIN.encode(),
        "part": np.int32(part),
        "first_part": _cut("first_part", first_part),
        "complete": np.uint8(0),
    }


def set_text(file: h5py.File, name: str, text: str) -> None:
    """Replace a text attribute in place, cut to its length."""
    file.attrs.modify(name, np.array(_cut(name, text), _text_dtype(name)))


def set_card(group: h5py.Group, name: str, value: str | float | None) -> None:
    """Put one field of the session card in place: text of its own length, or a number, NaN when not known."""
    if isinstance(value, str):
        text = value.encode(errors="replace")
        group.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", max(len(text), 1)))
    else:
        group.attrs.create(name, np.float64(np.nan if value is None else value))


def clock(wall: datetime | None = None) -> str:
    """Return a time on the clock on the wall, by default now, as ISO 8601 with ms and numeric offset."""
    return (wall or datetime.now().astimezone()).isoformat(timespec="milliseconds")


def _text_dtype(name: str) -> Any:
    """Return the fixed-length type of a text attribute."""
    return h5py.string_dtype("utf-8", layout.TEXT_BYTES[name])


def _cut(name: str, text: str) -> bytes:
    """Return as much of the text as the attribute holds, in whole characters."""
    return text.encode(errors="replace")[: layout.TEXT_BYTES[name]].decode(errors="ignore").encode()
