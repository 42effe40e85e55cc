"""Settings of what is written, and how safely."""

from __future__ import annotations

from typing import Literal

from roi_core.form import Block, field

__all__ = ["Recorder"]


class Recorder(Block):
    """What is written, and how safely."""

    folder: str = field(
        "", "Where the window puts recordings, in your home unless it is a whole path; empty is ~/roi_stream."
    )
    movie: bool = field(
        False,
        "Write every frame to /movie (uint16, lossless), from the next recording on.",
    )
    compression: Literal["none", "lz4"] = field(
        "none",
        "Lossless compression of /movie, from the next recording on: none is read everywhere; lz4 halves the "
        "file and needs hdf5plugin wherever it is read.",
    )
    pretrigger: float = field(
        0.0,
        "Time before Record is pressed that a recording begins with; 0 begins with the next frame.",
        unit="s",
        ge=0,
        le=600,
    )
    memory: float = field(
        1200.0,
        "Most memory for what is kept before Record; with a movie 10 s of 1280x720 at 60 Hz take 1106 MB.",
        unit="MB",
        ge=16,
        le=1_000_000,
    )
    split_minutes: float = field(
        0.0,
        "Length after which a recording goes on in a new file; 0 never splits.",
        unit="min",
        ge=0,
        le=10_000,
    )
    split_gb: float = field(
        0.0,
        "Size after which a recording goes on in a new file; 0 never splits.",
        unit="GB",
        ge=0,
        le=100_000,
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
    disk_warning: float = field(
        10.0,
        "A warning is told when the disk has room for less than this at the present rate; 0 never warns.",
        unit="min",
        ge=0,
        le=10_000,
    )
