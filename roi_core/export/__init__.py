"""Recordings into other people's formats: one word per format, imported when asked."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from roi_core.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.export.task import Wishes

__all__ = ["EXPORTS", "Format", "export"]


log = logging.getLogger(__name__)


class Format(NamedTuple):
    """The function ``module:name`` that writes it, the ending its file gets, and what it is, in words."""

    place: str
    ending: str
    what: str


EXPORTS: Final[dict[str, Format]] = {
    "csv": Format("roi_core.export.csv:write", ".csv", "a table of all traces"),
    "footprints": Format(
        "roi_core.export.footprints:write", "_footprints.csv", "a table of all their pixels"
    ),
    "photometry": Format(
        "roi_core.export.photometry:write", "_photometry.csv", "dF/F corrected by the reference channel"
    ),
    "matlab": Format("roi_core.export.matlab:write", "_matlab.h5", "the same file in MATLAB's orientation"),
    "nwb": Format("roi_core.export.nwb:write", ".nwb", "all of it as Neurodata Without Borders"),
    "suite2p": Format("roi_core.export.suite2p:write", "_suite2p", "a folder as Suite2p leaves it"),
    "caiman": Format("roi_core.export.caiman:write", "_caiman.hdf5", "cells as CaImAn saves them"),
    "tiff": Format("roi_core.export.tiff:write", ".tif", "the movie as a 16-bit stack"),
    "video": Format("roi_core.export.video:write", ".mp4", "a preview with outlines"),
}
"""A format by its word."""


def export(
    recording: str | Path,
    to: str,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    wishes: Wishes | None = None,
    progress: Callable[[int, int], None] | None = None,
    asked_to_stop: Callable[[], bool] | None = None,
) -> Path:
    """Write `recording` in the format `to` beside it (or at `out`) and return what was written.

    It is made in a folder ``NAME.*.part`` beside its place and moved there when it is whole; that folder
    goes in any case but that of a process that is killed. What exists is replaced only with `overwrite`,
    and another recording never.

    Parameters
    ----------
    progress
        Called with how much is done and how much there is.
    asked_to_stop
        Asked between two pieces of work; True ends it, and leaves nothing.

    Raises
    ------
    RecordingError
        The recording cannot be read or does not hold what the format needs, or the place cannot be written.
    Cancelled
        It was asked to stop.
    MissingExtra
        A package that the format needs is not installed.
    """
    from roi_core.export.place import Place, default
    from roi_core.export.task import Task, Wishes
    from roi_core.recording import Recording

    module, _, name = EXPORTS[to].place.partition(":")
    target = Path(out) if out else default(Path(recording), EXPORTS[to].ending)
    with Recording(recording) as source:
        if not source.rows:
            raise RecordingError(f"{recording} holds no rows, so there is nothing to export")
        if not source.complete:
            log.warning(
                "%s is not finished: its %d rows so far are exported (roi_stream recover finishes one that "
                "was cut short)", source.path, source.rows,
            )  # fmt: skip
        place = Place(target, source.path, overwrite)
        with place.making() as part:
            task = Task(part.parent, wishes or Wishes(), progress, asked_to_stop)
            getattr(import_module(module), name)(source, part, task)
        return place.target
