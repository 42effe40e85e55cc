"""Resting fluorescence of cells, which turns their traces into dF/F."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.export.units import setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.export.units import Cells
    from roi_core.recording import Recording

__all__ = ["resting"]

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
    """Return F0 (N,) of each cell in the unit of its traces; None when the recording cannot tell.

    ::

        F0 = <a, mean> / <a, a>

    is what its footprint a holds of the mean picture: cell and background, as in CaImAn's ``detrend_df_f``,
    on the whole. The mean stands for rest, as calcium is rarely high: the dF/F of a cell that often fires
    comes out too small by as much as it lifts its own mean, and that of all cells by the camera's dark level.
    NaN where F0 is not above 0. A picture without its glow (``prepare.flatten``, ever) or without a mean has
    no F0; a warning says so.
    """
    mean = recording.maps.get("mean")
    preset, flatten = (
        setting(recording, block, name, "") for block, name in (("cnmf", "preset"), ("prepare", "flatten"))
    )
    edited = {str(event.data.get("path")) for event in recording.events if event.kind == "setting"}
    flat = flatten == "on" or (flatten == "auto" and preset == "1p") or "prepare.flatten" in edited
    if mean is None or flat:
        log.warning(NONE, recording.path, FLAT if flat else UNFINISHED)
        return None
    a = cells.footprints
    whole = a.T @ np.nan_to_num(mean.reshape(-1).astype(np.float64))
    rest = whole / np.maximum(np.asarray(a.multiply(a).sum(0)).ravel(), 1e-12)
    if dark := int((rest <= 0).sum()):
        log.warning("%d cells have no dF/F: there is no light under their footprints", dark)
    return np.where(rest > 0, rest, np.nan).astype(np.float32)
