"""``roi_stream devices``: the cameras of this machine."""

from __future__ import annotations

import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Take none."""


def run(_arguments: argparse.Namespace) -> int:
    """Print a line for each camera."""
    from roi_core.sources.devices import list_devices

    devices = list_devices()
    if not devices:
        print("no camera found; 'simulated' is always there: roi_stream run --source simulated")
    for device in devices:
        sizes = " ".join(f"{width}x{height}" for width, height in device.sizes) or "sizes unknown"
        rates = " ".join(f"{rate:g}" for rate in device.rates) or "unknown"
        print(f"{device.index}  {device.name}  [{device.backend}]  {sizes}  rates (Hz): {rates}")
    return 0
