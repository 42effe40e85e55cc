"""``roi_stream recover``: finish what a crash cut short."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "Finish a recording whose program was killed: all parts end with the last row that is safe in every "
        "one, events that only the journal beside it holds join the others, and the summary maps are made "
        "from the movie. The file is changed as a whole or not at all; kill it, and the same command begins "
        "anew."
    )
    parser.add_argument("file")
    parser.add_argument("--out", metavar="F", help="leave the file as it is and finish a copy")


def run(arguments: argparse.Namespace) -> int:
    """Finish it and tell what it holds."""
    from roi_core.catalogue import place, remember
    from roi_core.offline.command import recover_file

    recover_file(Path(arguments.file), Path(arguments.out) if arguments.out else None)
    remember(place(), Path(arguments.out or arguments.file))
    return 0
