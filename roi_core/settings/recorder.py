"""Settings of what is written, and how safely."""

from __future__ import annotations

from typing import Literal

from roi_core.form import Block, field

__all__ = ["Recorder"]


class Recorder(Block):
    """What is written, and how safely."""

    folder: str = field("", "Where the window puts recordings; empty is ~/roi_stream.")
    movie: bool = field(
        False,
        "Write every frame to /movie (uint16, lossless), from the next recording on.",
    )
    compression: Literal["none", "lz4"] = field(
        "none",
        "Lossless compression of /movie, from the next recording on: none is read everywhere; lz4 halves the "
        "file and needs hdf5plugin wherever it is read.",
    )
    rows_per_chunk: int = field(
        240,
        "Rows in one HDF5 chunk of /time and /roi/means.",
        unit="rows",
        live=False,
        ge=1,
        le=10_000,
    )
    flush_period: float = field(
        0.25,
        "Longest time a row waits before it is safe from a crash, from the next recording on.",
        unit="s",
        gt=0,
        le=1.0,
    )
    queue: int = field(
        64,
        "Frames the recorder may be behind before the camera has to wait.",
        unit="frames",
        live=False,
        ge=2,
        le=4096,
    )
    disk_reserve: float = field(
        64.0,
        "A recording stops cleanly when less than this is free.",
        unit="MB",
        ge=1,
        le=1_000_000,
    )
