"""Where samples go: one word per sink, imported when asked."""

from __future__ import annotations

from typing import Final

__all__ = ["SINKS"]

SINKS: Final[dict[str, str]] = {"hdf5": "roi_core.sinks.hdf5:Recorder"}
