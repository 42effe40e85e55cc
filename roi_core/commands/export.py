"""``roi_stream export``: a recording in another format."""

from __future__ import annotations

import argparse

from roi_core.commands.base import positive
from roi_core.export import EXPORTS

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    formats = "; ".join(f"{word} is {kind.what}" for word, kind in EXPORTS.items())
    parser.description = (
        f"Write a recording in another format, beside it or at --out. {formats}. Ctrl+C stops it and leaves "
        "nothing behind."
    )
    parser.add_argument("file")
    parser.add_argument("--to", required=True, choices=tuple(EXPORTS), help="format")
    parser.add_argument("--out", metavar="F", help="file or folder to write (beside the recording)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file or folder")
    parser.add_argument("--refined", action="store_true", help="the cells of refine, if there are any")
    parser.add_argument("--corrected", action="store_true", help="tiff, video: frames moved into place")
    parser.add_argument(
        "--card", metavar="C", help="nwb: YAML card that fills in what the recording's misses"
    )
    parser.add_argument(
        "--speed", type=speed, default=1.0, metavar="X", help="video: so many times as fast (0.001 to 1000)"
    )
    parser.add_argument(
        "--limits", type=limits, metavar="LOW,HIGH", help="video: counts that are black, white"
    )


def speed(text: str) -> float:
    """Read how many times as fast."""
    value = positive(text)
    if not 0.001 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0.001 to 1000")
    return value


def limits(text: str) -> tuple[float, float]:
    """Read two numbers, the lower first."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not -1e6 < low < high < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not LOW,HIGH: two numbers, the lower first")
    return low, high


def run(arguments: argparse.Namespace) -> int:
    """Export, with a bar."""
    from roi_core.card import Card
    from roi_core.console import Signals
    from roi_core.export.command import export_file
    from roi_core.export.task import Wishes

    card = Card.load(arguments.card) if arguments.card else Card()
    wishes = Wishes(arguments.refined, arguments.corrected, arguments.speed, arguments.limits, card)
    with Signals() as signals:
        signals.recording = True
        written = export_file(
            arguments.file, arguments.to, arguments.out, arguments.overwrite, wishes,
            lambda: bool(signals.asked),
        )  # fmt: skip
    return 0 if written else 1
