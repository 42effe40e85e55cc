"""``roi_stream clock``: what is wrong with the time stamps of a recording, ours or another program's."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi_core.commands.base import positive

if TYPE_CHECKING:
    from roi_core.clock import Findings
    from roi_core.sources.tables import Stamps

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument(
        "file", help="a table (csv, txt, dat, also .gz), a Miniscope timestamp file, or a recording (.h5)"
    )
    parser.add_argument("--rate", type=positive, default=0.0, help="frames per second, for a short table")
    parser.add_argument("--unit", choices=("s", "ms", "us", "ns"), default="", help="of the times")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Tell of each clock in the file what was found."""
    from roi_core.clock import RULE, examine
    from roi_core.paths import expanded

    path = expanded(arguments.file)
    clocks = _clocks(path, arguments.unit)
    found = [examine(clock.times, arguments.rate, clock.numbers) for clock in clocks]
    if arguments.json:
        told = [_facts(*each) for each in zip(clocks, found, strict=True)]
        print(json.dumps({"file": str(path), "clocks": told, "rule": RULE}, indent=2))
        return 0
    for clock, findings in zip(clocks, found, strict=True):
        print(*_lines(clock, findings), sep="\n  ")
    if any(findings.found for findings in found):
        print(f"Rows count from 0, of each clock. When imported: {RULE}.")
    return 0


def _clocks(path: Path, unit: str) -> list[Stamps]:
    """Return the clocks of a table, or the one of a recording."""
    from roi_core.recording import Recording
    from roi_core.sources.tables import Stamps, read_clocks

    if path.suffix.lower() not in (".h5", ".hdf5"):
        return read_clocks(path, unit)
    with Recording(path) as recording:
        return [Stamps("/time", recording.time, recording.frame_index, "s")]


def _lines(clock: Stamps, findings: Findings) -> list[str]:
    """Return a title and what was found, a line each."""
    unit = f"{clock.unit} by the size of its steps" if clock.guessed else clock.unit
    steps = f"steps below 0: {findings.negative}, at 0: {findings.duplicates}"
    rate = "unknown" if findings.rate is None else f"{findings.rate:.6g} frames/s"
    title = f"{clock.name}, in {unit}: {findings.rows} rows, rate {rate}, {steps}"
    return [title, *(findings.notes() or ["nothing is wrong"])]


def _facts(clock: Stamps, findings: Findings) -> dict[str, Any]:
    return {
        "name": clock.name,
        "unit": clock.unit,
        "rows": findings.rows,
        "rate": findings.rate,
        "negative_steps": findings.negative,
        "duplicates": findings.duplicates,
        "missing": findings.missing,
        "findings": [
            {"kind": each.kind, "row": each.row, "rows": each.rows, "seconds": each.size,
             "missing": each.missing, "text": each.sentence}
            for each in findings.found
        ],
    }  # fmt: skip
