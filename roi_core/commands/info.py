"""``roi_stream info``: what is in a recording."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument("file")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each fact."""
    from roi_core.console import account_lines, describe_recording
    from roi_core.recording import Recording

    with Recording(arguments.file) as recording:
        facts, account = describe_recording(recording), account_lines(recording)
    if arguments.json:
        print(json.dumps(facts, indent=2, default=str))
        return 0
    for name, value in facts.items():
        if name == "accounting":
            print(name, *account, sep="\n")
        else:
            print(f"{name:16} {_shown(value)}")
    return 0


def _shown(value: Any) -> str:
    """Return a fact in words; counts as their sum and each, such as ``3: gap 2, lost 1``."""
    if not isinstance(value, dict):
        return "unknown" if value is None else str(value)
    each = ", ".join(f"{name} {count}" for name, count in value.items())
    return f"{sum(value.values())}: {each}" if each else "none"
