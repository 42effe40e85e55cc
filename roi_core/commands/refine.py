"""``roi_stream refine``: the second pass."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "A second pass over a recording with its cells as a start: better footprints, missed cells, and "
        "traces and spikes of every cell over all frames, written to /cnmf/refined. Stop it with Ctrl+C or "
        "kill it; the same command goes on where it was."
    )
    parser.add_argument("file")
    parser.add_argument("--movie", metavar="PATH", help="the movie, when the recording does not hold it")
    parser.add_argument("--set", action="append", metavar="path=value", help="change one setting; repeatable")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier refinement")


def run(arguments: argparse.Namespace) -> int:
    """Refine, with a bar."""
    from roi_core.catalogue import place, remember
    from roi_core.console import Signals
    from roi_core.offline.command import refine_file

    with Signals() as signals:
        signals.recording = True
        refine_file(
            Path(arguments.file), arguments.movie, tuple(arguments.set or ()), arguments.overwrite,
            lambda: bool(signals.asked),
        )  # fmt: skip
    remember(place(), Path(arguments.file))
    return 0
