"""The journal beside a recording: one JSON line an event, on the disk before the next is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        self._file.write(event.line())

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()
