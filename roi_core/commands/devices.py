"""``roi_stream devices``: the cameras of this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roi_core.sources.devices import Device

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument(
        "--behind",
        choices=("genicam", "micromanager", "pylon"),
        help="ask one driver in this process, and print what it finds as JSON",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each camera."""
    from roi_core.sources.survey import answer, every_device

    if arguments.behind:
        print(answer(arguments.behind))
        return 0
    devices = every_device()
    if not devices:
        print("no camera found; 'simulated' is always there: roi_stream run --source simulated")
    for device in devices:
        print(_line(device))
    return 0


def _line(device: Device) -> str:
    line = f"{device.source}  {device.name}  [{device.backend}]"
    if not device.source.isdigit():  # what lies behind a driver is known only once it is open
        return line
    sizes = " ".join(f"{width}x{height}" for width, height in device.sizes) or "sizes unknown"
    rates = " ".join(f"{rate:g}" for rate in device.rates) or "unknown"
    return f"{line}  {sizes}  rates (Hz): {rates}"
