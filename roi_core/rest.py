"""Resting light of cells, F0, over which their traces are dF/F: in recordings and while frames come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roi_core.frame import Event

__all__ = ["flattened", "rest"]


def rest(
    data: NDArray[np.float32],
    indices: NDArray[np.int32],
    indptr: NDArray[np.int64],
    mean: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return F0 (N,) of each cell in the unit of its traces, from the mean picture (H, W).

    ::

        F0 = <a, mean> / <a, a>

    is what its footprint a (a column of `data`, `indices`, `indptr`, as in `Components`) holds of the mean:
    cell and background, as in CaImAn's ``detrend_df_f``, on the whole. The mean stands for rest, as calcium
    is rarely high: the dF/F of a cell that often fires comes out too small by as much as it lifts its own
    mean, and that of all cells by the camera's dark level. NaN where F0 is not above 0.
    """
    count = len(indptr) - 1
    cell, a = np.repeat(np.arange(count), np.diff(indptr)), data.astype(np.float64)
    light = np.nan_to_num(mean.reshape(-1)[indices].astype(np.float64))
    whole, norm = (np.bincount(cell, a * other, count) for other in (light, a))
    found = whole / np.maximum(norm, 1e-12)
    return np.where(found > 0, found, np.nan).astype(np.float32)


def flattened(flatten: str, preset: str, events: Iterable[Event]) -> bool:
    """Tell whether the glow of the pictures was ever taken away, and the rest of cells with it.

    `flatten` is ``prepare.flatten``, `preset` ``cnmf.preset``; an edit of the former may have done it.
    """
    edited = any(event.kind == "setting" and event.data.get("path") == "prepare.flatten" for event in events)
    return flatten == "on" or (flatten == "auto" and preset == "1p") or edited
