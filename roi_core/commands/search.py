"""``roi_stream search``: look for cells for the process that started this one. See `roi_core.cnmf.apart`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give it the numbers of two files that it inherited."""
    parser.add_argument("wire", type=int, help="where questions come from")
    parser.add_argument("memory", type=int, help="what is looked at")


def run(arguments: argparse.Namespace) -> int:
    """Look until nobody asks any more."""
    from roi_core.cnmf.apart import serve

    serve(arguments.wire, arguments.memory)
    return 0
