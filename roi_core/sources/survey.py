"""Which cameras there are, also behind makers' drivers, each asked in a process of its own.

A driver that crashes or hangs takes that process with it, and its cameras are not listed. Only those whose
package is installed are asked.
"""

from __future__ import annotations

import json
import logging
import subprocess
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter

from roi_core.itself import command, environment
from roi_core.sources.devices import Device, list_devices

__all__ = ["DRIVERS", "answer", "every_device"]

logger = logging.getLogger(__name__)

DRIVERS = {"genicam": "harvesters", "micromanager": "pymmcore_plus", "pylon": "pypylon"}
"""A word of `SOURCES` -> the module that must be there for it."""
PATIENCE = 20.0
"""Seconds that all drivers together may take."""


def every_device() -> list[Device]:
    """Return the cameras of this computer, those of the system first."""
    asked = {word: _ask(word) for word, module in DRIVERS.items() if find_spec(module) is not None}
    limit = perf_counter() + PATIENCE
    found = list_devices()
    for word, child in asked.items():
        found += [Device(source, name, word) for source, name in _heard(word, child, limit)]
    return found


def answer(word: str) -> str:
    """Return what a driver finds, as a line of JSON; runs in the process of its own."""
    found: list[tuple[str, str]] = import_module(f"roi_core.sources.{word}").found()
    return json.dumps(found)


def _ask(word: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("devices", "--behind", word),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", errors="replace", env=environment(),
    )  # fmt: skip


def _heard(word: str, child: subprocess.Popen[str], limit: float) -> list[tuple[str, str]]:
    """Return (source, name) of what the process found; why it found nothing is a warning."""
    with child:
        try:
            out, complaint = child.communicate(timeout=max(limit - perf_counter(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            logger.warning("the cameras of %s are not listed: its driver gave no answer in time", word)
            return []
    try:
        # Drivers print what they like; the answer comes last.
        lines: list[tuple[str, str]] = json.loads(out.splitlines()[-1])
        return [(str(source), str(name)) for source, name in lines]
    except (LookupError, TypeError, ValueError):
        last = (complaint.splitlines() or [f"its driver ended with {child.returncode}"])[-1]
        logger.warning("the cameras of %s are not listed: %s", word, last)
        return []
