"""One NWB file: movie, regions, cells, traces, shifts, pictures, events and the session card.

The containers are written empty and then filled with h5py, a few frames, rows or masks at a time.

Axes are NWB's: a movie is [frame][x][y] and a mask [roi][x][y], that is, transposed from our pictures;
validation passes either way, but readers take the first for the width.

Names are those that roiextractors looks for. ``PlaneSegmentation`` holds the cells (accepted and rejected,
see its columns) with ``RoiResponseSeries`` (demixed traces above their baseline), ``Denoised`` and
``Deconvolved``, and dF/F where F0 is known (`roi_core.export.resting`); drawn regions are in ``Regions``.
Without cells it holds the regions, their means are ``RoiResponseSeries`` and so is their dF/F. A trace is NaN
where its cell or region was not there.

Of interleaved channels each has series of its own; those of the main one have the plain names, those of
the others end in the name of the channel.

nwbinspector takes a recording of fewer frames than the picture is wide, or than there are cells, for one that
is turned the wrong way; it is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_core.export.nwb_library import library

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["write"]


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write the file.

    Raises
    ------
    MissingExtra
        pynwb is not installed.
    """
    pynwb = library()
    from roi_core.export.nwb_card import card_of, tell_missing
    from roi_core.export.nwb_draft import Draft

    card = card_of(recording, task.wishes)
    tell_missing(recording, card, task.wishes.remedy)
    draft = Draft(recording, card, task)
    draft.add_movie()
    draft.add_found()
    draft.add_shifts()
    draft.add_pictures()
    draft.add_events()
    with pynwb.NWBHDF5IO(str(path), "w") as file:
        file.write(draft.file)
    draft.fill(path)
