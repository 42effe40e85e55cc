"""The end of a refinement: traces deconvolved as a whole, and every component judged by the usual rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from roi_core.cnmf import quality
from roi_core.cnmf.deconvolve import Deconvolver, time_constants
from roi_core.cnmf.view import Camera, Fate, View
from roi_core.frame import Status
from roi_core.offline.levels import levels, noise_of, swings, tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells
    from roi_core.frame import Components
    from roi_core.offline.scratch import Scratch
    from roi_core.offline.warm import Known
    from roi_core.prepare import Prepare
    from roi_core.settings import Cnmf, Settings

__all__ = ["Outcome", "judged"]

VALUES = 2**22
"""Values of traces in memory at once."""
LAG = 0.5
"""Seconds of what comes later that revise a spike; more let bursts and glow be taken for each other."""
SHOWN = 1e6
"""Asymmetry and skewness of a trace that showed them before: enough for any threshold."""
SLACK = 0.25
"""Part of a pixel that may be hidden and still counts as seen."""


class Outcome(NamedTuple):
    """What a refinement found. Traces are (rows, N), N being the first N of ``components``: the living.

    ``settings`` is YAML text.
    """

    components: Components
    raw: NDArray[np.float32]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]
    settings: str

    @property
    def found(self) -> int:
        """Cells that are accepted."""
        return int((self.components.status == Status.ACCEPTED).sum())


def judged(
    cells: Cells,
    traces: NDArray[np.float32],
    good: NDArray[np.bool_],
    known: Known,
    fates: dict[int, Status],
    settings: Settings,
    rate: float,
    prepare: Prepare,
    shifts: NDArray[np.float32],
    scratch: Scratch,
) -> Outcome:
    """Deconvolve all traces (rows, N), and judge the components."""
    rows, n = traces.shape
    out = [scratch.array(name, (rows, n), True) for name in ("raw", "calcium", "spikes")]
    noise = np.zeros(n, np.float32)
    at_once = max(1, VALUES // rows)
    for first in range(0, n, at_once):
        some = slice(first, min(first + at_once, n))
        part = above_baseline(np.asarray(traces[:, some]), good, rate, settings.cnmf.baseline)
        raw, calcium, spikes = deconvolved(part, rate, settings.cnmf)
        cells.t.peak[some] = np.nanmax(calcium, axis=1, initial=0)
        cells.t.tail[some] = tails(raw, rate)
        cells.t.swings[some] = swings(raw, rate)
        noise[some] = noise_of(raw.T, good)
        for array, values in zip(out, (raw, calcium, spikes), strict=True):
            array[:, some] = values.T
    dy, dx = shifts.T / prepare.bin
    top, bottom, left, right = (
        float(np.sqrt((np.ceil(np.maximum(part - SLACK, 0)) ** 2).mean())) for part in (dy, -dy, dx, -dx)
    )
    found = _components(cells, noise, (top, bottom, left, right), known, fates, settings, prepare)
    raw, calcium, spikes = out
    return Outcome(found, raw, calcium, spikes, settings.to_yaml())


def above_baseline(
    traces: NDArray[np.float32], good: NDArray[np.bool_], rate: float, seconds: float
) -> NDArray[np.float32]:
    """Return traces (N, rows) above a baseline that looks to both sides, NaN in rows that are not good."""
    found = levels(traces, good, rate, seconds)
    middles = (np.arange(len(found.base)) + 0.5) * found.length - 0.5
    rows = np.arange(len(traces))
    out = np.ascontiguousarray(traces.T, np.float32)
    for trace, base in zip(out, found.base.T, strict=True):
        trace -= np.interp(rows, middles, base).astype(np.float32)
    out[:, ~good] = np.nan
    return out


def deconvolved(
    traces: NDArray[np.float32], rate: float, cnmf: Cnmf
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return raw, calcium and spikes (N, rows) of traces without drift; time constants are learned first."""
    decays, learned = time_constants(traces, rate, cnmf)
    rise = cnmf.rise or learned
    out = np.full((3, *traces.shape), np.nan, np.float32)
    whole = {"rise": rise, "baseline": max(cnmf.baseline, traces.shape[1] / rate)}
    for i, trace in enumerate(traces):
        one = Deconvolver(rate, round(LAG * rate))
        one.step(np.zeros(0, np.float32), cnmf.model_copy(update={"decay": float(decays[i]), **whole}))
        out[:, i] = np.stack(one.append(trace[None]))[:, 0]
    return out[0], out[1], out[2]


def _components(
    cells: Cells,
    noise: NDArray[np.float32],
    hidden: tuple[float, float, float, float],
    known: Known,
    fates: dict[int, Status],
    settings: Settings,
    prepare: Prepare,
) -> Components:
    n, t, cnmf, area = cells.count, cells.t, settings.cnmf, cells.field.area
    marks = quality.marks(n, t, noise, cells.field.shape, hidden)
    # what was taken for a cell showed calcium then, though it was silent for most of the recording
    before = dict(zip(known.ids.tolist(), known.status.tolist(), strict=True))
    shown = [before.get(cell) == Status.ACCEPTED for cell in t.ids[:n].tolist()]
    marks = marks._replace(
        asymmetry=np.where(shown, np.float32(SHOWN), marks.asymmetry),
        skewness=np.where(shown, np.float32(SHOWN), marks.skewness),
    )
    status, rule, _ = quality.judge(marks, cnmf, area, t.status[:n])
    status = np.where(t.verdict[:n] > 0, t.verdict[:n], status).astype(np.uint8)
    words = quality.reasons(marks, cnmf, area, rule)
    reasons = tuple("by hand" if t.verdict[i] else words[i] for i in range(n))
    born = dict(zip(known.ids.tolist(), known.born.tolist(), strict=True))
    t.born[:n] = [born.get(int(cell), 0) for cell in t.ids[:n]]
    view = View(Camera(prepare.camera, prepare.origin, prepare.bin))
    living = set(t.ids[:n].tolist())
    for k, cell in enumerate(known.ids.tolist()):
        if cell not in living:
            fate = fates.get(cell, Status(int(known.status[k])))
            lost = fate in (Status.ACCEPTED, Status.REJECTED)
            reason = "it has no footprint" if lost else known.reason[k] if cell not in fates else ""
            view.gone[cell] = Fate(born[cell], Status.REMOVED if lost else fate, reason)
    return view.of(cells, status, reasons, marks.snr)
