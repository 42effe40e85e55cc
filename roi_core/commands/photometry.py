"""``roi_stream photometry``: dF/F corrected by an isosbestic reference."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core.commands.export import add_option
from roi_core.export.options import of

if TYPE_CHECKING:
    from roi_core.export.photometry import Corrected

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "Correct each region's trace by its reference channel (interleaved), or by its twin in the other "
        "half of the picture: dF/F = (F - fitted) / fitted, where the fit is a line through the reference. "
        "Prints the fit of each region and writes both traces and dF/F as a table."
    )
    parser.add_argument("file")
    for option in of("photometry"):
        add_option(parser, option)
    parser.add_argument("--out", metavar="F", help="table to write (FILE_photometry.csv)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing table")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each region, and write the table."""
    from roi_core.export import EXPORTS
    from roi_core.export.photometry import Asked, corrected, table
    from roi_core.export.place import Place, default
    from roi_core.export.task import Task, Wishes
    from roi_core.recording import Recording

    wishes = Wishes(**{option.name: getattr(arguments, option.name) for option in of("photometry")})
    out = arguments.out or default(Path(arguments.file), EXPORTS["photometry"].ending)
    with Recording(arguments.file) as recording:
        found = corrected(recording, Asked.by(wishes))
        place = Place(Path(out), recording.path, arguments.overwrite)
        with place.making() as part:
            table(found, recording, part, Task(part.parent, wishes))
    _tell(found)
    print(place.target)
    return 0


def _tell(found: list[Corrected]) -> None:
    import numpy as np

    from roi_core.terminal import complain

    one = found[0]
    print(f"{one.signal_name} corrected by {one.reference_name}, {len(one.time)} frames")
    print(f"{'region':16} {'slope':>9} {'intercept':>10} {'r':>6} {'weight':>7} {'99 % dF/F':>10}")
    for one in found:
        fit, dff = one.result.fit, one.result.dff
        peak = np.nanpercentile(dff, 99) if np.isfinite(dff).any() else np.nan
        line = f"{fit.slope:9.4g} {fit.intercept:10.4g} {fit.r:6.3f} {fit.used:7.2f} {peak:10.3f}"
        print(f"{one.name:16} {line}")
        if fit.slope != fit.slope:
            complain(f"{one.name}: there are too few frames to correct it")
        elif fit.slope <= 0:
            complain(
                f"{one.name}: the reference does not rise with the signal (slope {fit.slope:.3g}), so it "
                "corrects nothing; is it in the right channel?"
            )
