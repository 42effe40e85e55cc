"""``roi_stream demo``: the simulated camera, in the window or without one."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from roi_core.commands.base import become_window, positive

__all__ = ["add_arguments", "run"]

SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument("--out", default="demo.h5", help="where the headless demo records (default demo.h5)")
    parser.add_argument("--seconds", type=positive, default=SECONDS, help="length of the headless demo")


def run(arguments: argparse.Namespace) -> int:
    """Open the window; without a display, run headless and print what was found."""
    display = not sys.platform.startswith("linux") or os.environ.get("DISPLAY")
    if display and importlib.util.find_spec("dearpygui"):
        return become_window(["simulated:2p"])
    from roi_core.console import run_demo

    run_demo(Path(arguments.out), arguments.seconds)
    return 0
