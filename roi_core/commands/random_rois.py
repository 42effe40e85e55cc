"""``roi_stream random-rois``: circles to try things with."""

from __future__ import annotations

import argparse
from pathlib import Path

from roi_core.commands.base import count, positive
from roi_core.errors import RoiFileError, SettingsError
from roi_core.paths import is_there

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument("--count", "-n", type=count, default=10, help="how many (10)")
    parser.add_argument(
        "--resolution", "--size", default="1280x720", metavar="WxH", help="frame size (1280x720)"
    )
    parser.add_argument("--radius", type=positive, default=20.0, metavar="PX", help="radius (20)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same circles (0)")
    parser.add_argument("--out", default="rois.csv", metavar="F", help="file to write (rois.csv)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Write the file."""
    from roi_core.rois import RoiSet

    width, height = _size(arguments.resolution)
    rois = RoiSet.random(arguments.count, (width, height), arguments.radius, arguments.seed)
    path = Path(arguments.out)
    if is_there(path) and not arguments.overwrite:
        raise RoiFileError(path, None, "it exists; use --overwrite or another name")
    rois.save(path, (width, height))
    print(f"{len(rois)} circles for {width}x{height} in {path}")
    return 0


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not all(number.isdecimal() and 0 < int(number) < 100_000 for number in (width, height)):
        raise SettingsError("--resolution", text, "write it as WxH, such as 1280x720")
    return int(width), int(height)
