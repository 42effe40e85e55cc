"""``roi_stream export``: a recording in another format."""

from __future__ import annotations

import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument("file")
    parser.add_argument("--to", required=True, choices=("csv", "matlab"), help="format")
    parser.add_argument("--out", metavar="F", help="file to write (beside the recording)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Write it and print the new file's name."""
    from roi_core.export import export

    print(export(arguments.file, arguments.to, arguments.out, overwrite=arguments.overwrite))
    return 0
