"""Resting fluorescence of cells, which turns their traces into dF/F."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.export.units import setting
from roi_core.rest import flattened, rest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.export.units import Cells
    from roi_core.recording import Recording

__all__ = ["is_flat", "resting"]

log = logging.getLogger(__name__)

NONE: Final = "cells of %s get no dF/F: %s"
FLAT: Final = (
    "the glow of their pictures was taken away, and their rest with it (prepare.flatten; auto does so with "
    "cnmf.preset=1p); record with prepare.flatten=off, or draw regions, whose dF/F comes with roi.dff=true"
)
UNFINISHED: Final = (
    "it holds no mean picture, which is written at its end; of a recording that was cut short roi_stream "
    "recover makes it from the movie"
)
"""Why not, and what to do."""


def resting(recording: Recording, cells: Cells) -> NDArray[np.float32] | None:
    """Return F0 (N,) of each cell, see `roi_core.rest.rest`; None when the recording cannot tell.

    A picture without its glow (``prepare.flatten``, ever) or without a mean has no F0; a warning says so.
    """
    mean, flat = recording.maps.get("mean"), is_flat(recording)
    if mean is None or flat:
        log.warning(NONE, recording.path, FLAT if flat else UNFINISHED)
        return None
    a = cells.footprints
    found = rest(a.data, a.indices, a.indptr, mean)
    if dark := int(np.isnan(found).sum()):
        log.warning("%d cells have no dF/F: there is no light under their footprints", dark)
    return found


def is_flat(recording: Recording) -> bool:
    """Tell whether the glow of a recording's pictures was ever taken away."""
    flatten, preset = setting(recording, "prepare", "flatten", ""), setting(recording, "cnmf", "preset", "")
    return flattened(flatten, preset, recording.events)
