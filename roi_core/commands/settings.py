"""``roi_stream settings``: every setting as YAML."""

from __future__ import annotations

import argparse
import sys

from roi_core.commands.base import add_settings, settings_of

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    sys.stdout.write(settings_of(arguments).to_yaml())
    return 0
