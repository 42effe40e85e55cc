"""``roi_stream compare``: which cells two results share."""

from __future__ import annotations

import argparse

from roi_core.commands.base import share

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "Tell which accepted cells of two results are the same, and how alike their traces are. Cells are "
        "matched one to one so that the sum of their overlaps (IoU) is largest."
    )
    for name in ("a", "b"):
        parser.add_argument(name, help="recording FILE.h5, or FILE.h5:refined for its second pass")
    parser.add_argument("--iou", type=share, default=0.5, metavar="X", help="least overlap of a pair (0.5)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print what they share."""
    from roi_core.offline.command import compare_files

    compare_files(arguments.a, arguments.b, arguments.iou, arguments.json)
    return 0
