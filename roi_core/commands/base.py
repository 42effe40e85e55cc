"""What commands share: kinds of numbers, and the settings."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roi_core.settings import Settings

__all__ = ["add_settings", "assignments", "become_window", "count", "positive", "settings_of", "share"]


def count(text: str) -> int:
    """Read a whole number of 1 or more."""
    if not text.isdecimal() or len(text) > 15 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def share(text: str) -> float:
    """Read a number above 0 and up to 1."""
    value = positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and up to 1")
    return value


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add ``--settings`` and ``--set``."""
    parser.add_argument("--settings", metavar="Y", help="YAML settings file")
    parser.add_argument("--set", action="append", metavar="path=value", help="change one setting; repeatable")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings that a command was given."""
    from roi_core.settings import Settings

    settings = Settings.load(arguments.settings) if arguments.settings else Settings()
    return settings.with_texts(*assignments(arguments))


def assignments(arguments: argparse.Namespace) -> list[str]:
    """Return what --set and the options of their own say, as path=value."""
    flags = {
        "camera.format": "format",
        "recorder.rows_per_chunk": "frames_per_chunk",
        "display.trace_buffer": "trace_buffer_sec",
    }
    given = {path: getattr(arguments, flag, None) for path, flag in flags.items()}
    own = [f"{path}={value}" for path, value in given.items() if value is not None]
    return [*(arguments.set or ()), *own]


def become_window(words: list[str]) -> int:
    """Become the window's program, so that signals reach it; the core never imports it."""
    command = [sys.executable, "-m", "roi_stream_gui", *words]
    if os.name == "posix":
        os.execv(sys.executable, command)
    return subprocess.call(command)
