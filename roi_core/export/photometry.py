"""Isosbestic-corrected dF/F of a recording in two colours: interleaved, or side by side on one chip."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.errors import RecordingError, SettingsError
from roi_core.export.units import titles
from roi_core.photometry import Rules, correct
from roi_core.recording.light import main_rows, rules_of
from roi_core.rois.twins import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.export.task import Task, Wishes
    from roi_core.photometry import Correction
    from roi_core.recording import Recording
    from roi_core.settings import Channels

    Trace = NDArray[np.float64]

__all__ = ["Asked", "Corrected", "corrected", "write"]

BLOCK: Final = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """Which channel, or half, is corrected by which; empty takes what the recording's settings say."""

    signal: str = ""
    reference: str = ""
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def by(cls, wishes: Wishes) -> Asked:
        """Return what the options of an export ask for."""
        rules = Rules(wishes.fit == "robust", wishes.bleaching == "own", wishes.lowpass)
        return cls(wishes.signal, wishes.reference, rules)


@dataclass(frozen=True, slots=True)
class Corrected:
    """One region: its name, those of both traces, the rows and (n,) times of the signal, the result."""

    name: str
    signal_name: str
    reference_name: str
    rows: NDArray[np.intp]
    time: Trace
    signal: Trace
    result: Correction


def corrected(recording: Recording, asked: Asked | None = None) -> list[Corrected]:
    """Return the correction of each region, or of each pair of regions in the two halves.

    Raises
    ------
    RecordingError
        The recording does not show the channel or half that was asked for, or no region has a twin.
    SettingsError
        The low-pass is not below half the rate of the signal.
    """
    asked = asked or Asked()
    light = rules_of(recording)
    reference = asked.reference or light.reference
    there = (*recording.channel_names, *light.halves)
    if len(there) < 2:
        raise RecordingError(
            f"{recording.path} was recorded in one colour: there is nothing to correct it by"
        )
    for name in filter(None, (asked.signal, reference)):
        if name not in there:
            raise RecordingError(f"{recording.path} shows no {name!r}; there are {', '.join(there)}")
    if not reference:
        raise RecordingError(f"say which is the reference: --reference, one of {', '.join(there)}")
    if asked.signal == reference:
        others = ", ".join(name for name in there if name != reference)
        raise RecordingError(f"signal and reference are both {reference}; name another: {others}")
    by_halves = reference in light.halves
    return [*(_by_halves if by_halves else _by_channels)(recording, light, reference, asked)]


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write a table: time (s), frame index; of each region both traces and the corrected dF/F."""
    table(corrected(recording, Asked.by(task.wishes)), recording, path, task)


def table(found: list[Corrected], recording: Recording, path: Path, task: Task) -> None:
    """Write the table of what was `found`, a row for each frame of the signal."""
    header, columns = ["time_s", "frame_index"], []
    for one in found:
        header += [f"{one.name} {one.signal_name}", f"{one.name} {one.reference_name}", f"{one.name} dF/F"]
        columns += [one.signal, one.result.reference, one.result.dff]
    index, values = recording.frame_index[found[0].rows], np.column_stack(columns)
    with path.open("w", newline="", encoding="utf-8") as file:
        sheet = csv.writer(file)
        sheet.writerow(header)
        for rows in task.blocks(len(index), BLOCK):
            clock = zip(found[0].time[rows], index[rows].tolist(), values[rows].tolist(), strict=True)
            sheet.writerows([f"{t:.6f}", i, *(f"{value:.8g}" for value in row)] for t, i, row in clock)


def _by_channels(recording: Recording, _light: Channels, reference: str, asked: Asked) -> Iterator[Corrected]:
    signal = asked.signal or next(name for name in recording.channel_names if name != reference)
    _refuse_half(recording, signal, recording.channel_names, reference)
    rows, (beside, dim) = recording.rows_of(signal), recording.means_of(reference)
    time, bright = recording.time[rows], recording.means[rows].astype(np.float64)
    _refuse_nothing(recording, bright)
    _refuse_fast(asked.rules.lowpass, time, signal)
    for k, name in enumerate(titles(recording)):
        result = correct(time, bright[:, k], beside, dim[:, k].astype(np.float64), asked.rules)
        yield Corrected(name, signal, reference, rows, time, bright[:, k], result)


def _by_halves(recording: Recording, light: Channels, reference: str, asked: Asked) -> Iterator[Corrected]:
    signal = asked.signal or next(name for name in light.halves if name != reference)
    _refuse_half(recording, signal, light.halves, reference)
    rows = main_rows(recording)
    time, means = recording.time[rows], recording.means[rows].astype(np.float64)
    _refuse_nothing(recording, means)
    _refuse_fast(asked.rules.lowpass, time, signal)
    found = pairs(recording.circles, light.shift(recording.shape))
    if not found:
        raise RecordingError(
            f"{recording.path} has no region with a twin in the other half: draw them "
            f"{light.shift(recording.shape)} px apart, or have run and the window add them"
        )
    names = titles(recording)
    for first, second in found:
        one, other = (second, first) if reference == light.halves[0] else (first, second)
        result = correct(time, means[:, one], time, means[:, other], asked.rules)
        yield Corrected(names[one], signal, reference, rows, time, means[:, one], result)


def _refuse_half(recording: Recording, signal: str, there: tuple[str, ...], reference: str) -> None:
    if signal not in there:
        raise RecordingError(
            f"{recording.path}: {signal} cannot be corrected by {reference}: one is a channel, one a half"
        )


def _refuse_fast(lowpass: float, time: Trace, signal: str) -> None:
    """Refuse to smooth a trace by what is not slower than half its rate: that would leave it as it is."""
    limit = 0.5 / float(np.median(np.diff(time))) if len(time) > 1 else np.inf
    if lowpass >= limit:
        raise SettingsError(
            "--lowpass", lowpass, f"below {limit:.4g} Hz, half the rate of {signal}, or left out"
        )


def _refuse_nothing(recording: Recording, means: Trace) -> None:
    if not means.size:
        raise RecordingError(f"{recording.path} has no regions, or no rows: there is nothing to correct")
