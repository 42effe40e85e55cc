"""``roi_stream import``: cells that another program found, as regions."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "Write a file of regions round the cells that another program found: a Suite2p folder, CaImAn .hdf5, "
        "Minian folder, EXTRACT .mat, .nwb, or a recording of ours. 'run --rois' takes a result directly."
    )
    parser.add_argument("path")
    parser.add_argument("--from", dest="program", default="", metavar="WORD", help="say whose result it is")
    parser.add_argument("--out", default="rois.json", metavar="F", help="file to write (rois.json)")
    parser.add_argument("--all", action="store_true", help="also components that were not accepted")
    parser.add_argument("--transpose", action="store_true", help="exchange the axes of the picture")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Write it and tell what was read."""
    from roi_core.errors import RoiFileError, SettingsError
    from roi_core.imports import IMPORTS, read
    from roi_core.paths import is_there
    from roi_core.terminal import complain, say

    if arguments.program and arguments.program not in IMPORTS:
        raise SettingsError("--from", arguments.program, f"one of {' '.join(IMPORTS)} is needed")
    out = Path(arguments.out)
    if is_there(out) and not arguments.overwrite:
        raise RoiFileError(out, None, "it exists; use --overwrite or another name")
    found = read(arguments.path, arguments.program)
    for note in found.notes:
        complain(note)
    if arguments.transpose:
        found = found.transposed()
    rois = found.rois(rejected=arguments.all)
    height, width = found.shape
    rois.save(out, (width, height))
    accepted, every = int(found.accepted.sum()), len(found.names)
    say(
        f"{len(rois)} regions for {width}x{height} in {out} ({found.program}: {accepted} of {every} accepted)"
    )
    return 0
