"""``roi_stream card``: a session card to fill in."""

from __future__ import annotations

import argparse
import sys

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument("--card", metavar="C", help="YAML session card to begin with")
    parser.add_argument("--set", action="append", metavar="path=value", help="fill in one field; repeatable")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    from roi_core.card import Card

    card = Card.load(arguments.card) if arguments.card else Card()
    sys.stdout.write(card.with_texts(*(arguments.set or ())).to_yaml())
    return 0
