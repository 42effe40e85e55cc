"""The journal beside a recording: one JSON line an event, on the disk before the next is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from roi_core.frame import plain

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.frame import Event

__all__ = ["Journal"]


class Journal:
    """Appends events to ``<name>.jsonl``, unbuffered: a killed process loses no line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb", buffering=0)

    def write(self, event: Event) -> None:
        """Append one line: time (s), frame (camera's count), kind, data."""
        line = {"time": round(event.time, 6), "frame": event.frame, "kind": event.kind, "data": event.data}
        self._file.write(json.dumps(line, default=plain).encode() + b"\n")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
