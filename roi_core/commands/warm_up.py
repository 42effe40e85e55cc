"""``roi_stream warm-up``: compile everything once. The program starts itself with it: `roi_core.compiler`."""

from __future__ import annotations

import argparse
import sys
from time import perf_counter

from roi_core.terminal import live_under, say

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give it the words with which the program starts itself."""
    parser.add_argument("parts", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--aside", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Compile the parts asked for, or all."""
    from roi_core.compiler import PARTS, compile_here

    if arguments.aside:
        live_under(sys.stdin)
    for part in arguments.parts or PARTS:
        begun = perf_counter()
        compile_here(part)
        say(f"{part} is compiled ({perf_counter() - begun:.1f} s)")
    return 0
