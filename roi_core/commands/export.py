"""``roi_stream export``: a recording in another format."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from roi_core.export import EXPORTS
from roi_core.export.options import OPTIONS, OUT, OVERWRITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.export.options import Option

__all__ = ["add_arguments", "add_option", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    formats = "; ".join(f"{word} is {kind.what}" for word, kind in EXPORTS.items())
    parser.description = (
        f"Write a recording in another format, beside it or at --out. {formats}. Ctrl+C stops it and leaves "
        "nothing behind."
    )
    parser.add_argument("file")
    parser.add_argument("--to", required=True, choices=tuple(EXPORTS), help="format")
    parser.add_argument(
        "--card", metavar="C", help="nwb: YAML card that fills in what the recording's misses"
    )
    for option in (OUT, OVERWRITE, *OPTIONS):
        add_option(parser, option, ", ".join(option.formats))


def add_option(parser: argparse.ArgumentParser, option: Option, whose: str = "") -> None:
    """Add one option, `whose` (of which formats) it is before what it does."""
    flag, help_ = f"--{option.name}", f"{whose}: {option.what}" if whose else option.what
    if option.read is None:
        parser.add_argument(flag, action="store_true", help=help_)
    elif option.choices:
        parser.add_argument(flag, choices=option.choices, default=option.default, help=help_)
    else:
        parser.add_argument(
            flag, type=_told(option.read), default=option.default, metavar=option.shape, help=help_
        )


def _told(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Have argparse say what is wrong with a text."""

    def told(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return told


def run(arguments: argparse.Namespace) -> int:
    """Export, with a bar."""
    from roi_core.card import Card
    from roi_core.console import Signals
    from roi_core.export.command import export_file
    from roi_core.export.task import Wishes

    card = Card.load(arguments.card) if arguments.card else Card()
    wishes = Wishes(card=card, **{option.name: getattr(arguments, option.name) for option in OPTIONS})
    with Signals() as signals:
        signals.recording = True
        written = export_file(
            arguments.file, arguments.to, arguments.out, arguments.overwrite, wishes,
            lambda: bool(signals.asked),
        )  # fmt: skip
    return 0 if written else 1
