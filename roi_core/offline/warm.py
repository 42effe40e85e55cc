"""The warm start: what a recording knows of its cells, its motion and its settings."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import yaml

from roi_core.cnmf.state import Cells, Table
from roi_core.errors import RecordingError, SettingsError
from roi_core.frame import Status
from roi_core.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.background import Grid
    from roi_core.cnmf.state import Field
    from roi_core.prepare import Prepare
    from roi_core.recording import RecordedCells, Recording

__all__ = ["Known", "first_settings", "known_cells", "last_settings", "restored", "start", "table_state"]

log = logging.getLogger(__name__)

BY_HAND = "by hand"
"""The reason of a status that a user gave."""
BLOCKS = ("prepare", "motion", "cnmf", "camera")
"""Settings that matter to a refinement."""


class Known(NamedTuple):
    """The components of a recording, each (N,); ``footprints`` are CSC."""

    ids: NDArray[np.int64]
    born: NDArray[np.int64]
    status: NDArray[np.uint8]
    reason: list[str]
    footprints: Any


def last_settings(recording: Recording, changes: tuple[str, ...]) -> Settings:
    """Return the settings in force at the end of a recording, with some changed as path=value.

    What this version of the program does not know, or refuses, keeps its default and is told in a warning.
    """
    wanted = _tree(recording)
    for event in recording.events:
        if event.kind == "setting":
            wanted[str(event.data.get("path"))] = event.data.get("new")
    return _known(recording, wanted).with_texts(*changes)


def first_settings(recording: Recording) -> Settings:
    """Return the settings in force at the start of a recording, as far as they are known here."""
    return _known(recording, _tree(recording))


def _known(recording: Recording, wanted: dict[str, Any]) -> Settings:
    settings, refused = Settings(), []
    for path, value in wanted.items():
        if path.split(".")[0] in BLOCKS:
            try:
                settings = settings.with_value(path, value)
            except SettingsError:
                refused.append(path)
    if refused:
        log.warning("%s has settings that are not known here: %s", recording.path, ", ".join(refused))
    return settings


def _tree(recording: Recording) -> dict[str, Any]:
    """Return the settings at the start by their dotted paths, those that only go together as one."""
    try:
        tree = yaml.safe_load(recording.settings)
        wanted = {f"{block}.{name}": value for block, part in tree.items() for name, value in part.items()}
    except (yaml.YAMLError, AttributeError) as error:
        raise RecordingError(f"{recording.path} is damaged: its settings cannot be read") from error
    return wanted


def known_cells(recording: Recording) -> Known:
    """Return the components that were found while recording; none is an error in a sentence."""
    cells: RecordedCells | None = recording.cells
    if cells is None:
        raise RecordingError(
            f"{recording.path} has no cells to start from; record with cnmf.enabled=true, or run it again: "
            f"roi_stream run --source {recording.path} --set cnmf.enabled=true --out NEW.h5"
        )
    return Known(cells.ids, cells.born, cells.status, cells.reason, cells.footprints)


def start(known: Known, field: Field, grid: Grid, prepare: Prepare, shapes: bool) -> Cells:
    """Return the living components on the picture that is analysed, but those without a footprint.

    Without ``shapes`` footprints stay as they are.
    """
    cells = none(field, grid)
    for k in np.flatnonzero(np.isin(known.status, (Status.ACCEPTED, Status.REJECTED))):
        column = known.footprints[:, k]
        found = _boxed(column.indices, column.data, field, prepare)
        if found is not None:
            i = cells.add(found[0], found[1], 0, 0, int(known.ids[k]))
            cells.t.status[i] = known.status[k]
            cells.t.frozen[i] = not shapes
            cells.t.verdict[i] = known.status[k] if known.reason[k] == BY_HAND else 0
    return cells


def table_state(cells: Cells) -> dict[str, Any]:
    """Return everything about the cells as arrays."""
    parts = {f"cells_{name}": array for name, array in cells.t._asdict().items()}
    return parts | {"cells_count": np.int64(cells.count), "cells_cover": cells.cover}


def restored(state: dict[str, Any], field: Field, grid: Grid) -> Cells:
    """Return the cells of a state."""
    cells = none(field, grid)
    cells.t = Table(*(state[f"cells_{name}"] for name in Table._fields))
    cells.count, cells.cover = int(state["cells_count"]), state["cells_cover"]
    return cells


def restored_shifts(recording: Recording) -> NDArray[np.float32]:
    """Return (rows, 2) px of the camera by which frames were moved; zero where they were not."""
    shifts = recording.shifts
    return np.zeros((recording.rows, 2), np.float32) if shifts is None else np.nan_to_num(shifts)


def none(field: Field, grid: Grid) -> Cells:
    """Return no cells."""
    return Cells(field, grid, np.ones(field.binned, np.float32))


def _boxed(
    indices: NDArray[np.int32], data: NDArray[np.float32], field: Field, prepare: Prepare
) -> tuple[NDArray[np.float32], tuple[int, int]] | None:
    """Return the box (S, S) of a footprint on the camera's pixels, and its centre on the analysed picture."""
    y, x = (
        (place - origin) // prepare.bin
        for place, origin in zip(np.divmod(indices, prepare.camera[1]), prepare.origin, strict=True)
    )
    inside = (y >= 0) & (x >= 0) & (y < field.shape[0]) & (x < field.shape[1]) & (data > 0)
    y, x, data = y[inside], x[inside], data[inside].astype(np.float64)
    if len(data) == 0:
        return None
    centre = tuple(round(float((place * data).sum() / data.sum())) for place in (y, x))
    box = np.zeros((field.side, field.side), np.float32)
    v, u = y - centre[0] + field.reach, x - centre[1] + field.reach
    fits = (v >= 0) & (u >= 0) & (v < field.side) & (u < field.side)
    np.add.at(box, (v[fits], u[fits]), data[fits].astype(np.float32) / prepare.bin**2)
    return (box, (centre[0], centre[1])) if box.any() else None


def text_of(settings: Settings) -> str:
    """Return the settings that matter, as one line that tells two sets apart."""
    return json.dumps({name: getattr(settings, name).model_dump() for name in BLOCKS}, sort_keys=True)
