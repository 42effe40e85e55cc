"""A folder as Suite2p leaves it: ``plane0`` with F, Fneu, spks, iscell, stat and ops.

What differs from Suite2p's own numbers, and is said in ``ops["roi_stream"]``, too:

- Our traces are demixed and above their baseline: neighbours and neuropil are already out of ``F``. So
  ``Fneu`` is 0 and ``ops["neucoeff"]`` is 0, and ``F - neucoeff * Fneu`` is what it should be.
- Before a cell was found nothing is known of it; Suite2p cannot read NaN, so it is 0 there, and ``born`` of
  its ``stat`` is the frame from which its trace is known. Gaps in its life are filled, see
  `roi_core.export.gaps`; ``std`` and ``skew`` are those of its life.
- The second column of ``iscell`` is the verdict again: there is no classifier's probability.

``stat`` and ``ops`` are pickles, because Suite2p's are; they are written here and never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core import layout
from roi_core.export.gaps import Gaps, life
from roi_core.export.units import BLOCK, Cells, needed, picture, rate_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.export.task import Task
    from roi_core.recording import Recording

__all__ = ["write"]

NOTE: Final = (
    "written by ROI Stream: F is demixed and above its baseline, so Fneu and neucoeff are 0; a trace is 0 "
    "before the frame 'born' of its stat; where it was not measured later F is the denoised calcium, or a "
    "straight line, and spks is 0; iscell[:, 1] repeats the verdict"
)
PICTURES: Final = {"mean": "meanImg", "max": "max_proj", "correlation": "Vcorr"}
"""Summary maps by our name and by Suite2p's."""


def write(recording: Recording, path: Path, task: Task) -> None:
    """Write the folder `path` with ``plane0`` inside; refuse a recording without cells."""
    cells = needed(recording, task.wishes, "a Suite2p folder")
    plane = path / "plane0"
    plane.mkdir(parents=True)
    shape = (len(cells.ids), recording.rows)
    raw, spikes, _ = (
        np.lib.format.open_memmap(plane / name, "w+", np.float32, shape)
        for name in ("F.npy", "spks.npy", "Fneu.npy")
    )
    gaps = Gaps(recording)
    task.expect(recording.rows + shape[0])
    for rows in task.blocks(recording.rows, BLOCK):
        raw[:, rows] = gaps.traces(cells, rows)[0].T
        spikes[:, rows] = cells.still(layout.SPIKES, rows).T
    lives = [life(trace) for trace in raw]
    for one in task.blocks(shape[0], 1):
        raw[one.start] = gaps.bridged(raw[one.start])
    gaps.tell("Suite2p")
    raw.flush()
    spikes.flush()
    np.save(plane / "iscell.npy", np.repeat(cells.accepted[:, None], 2, axis=1).astype(np.float64))
    stat = np.array(_stat(cells, recording.shape, raw, lives), dtype=object)
    np.save(plane / "stat.npy", stat, allow_pickle=True)
    np.save(plane / "ops.npy", np.array(_ops(recording)), allow_pickle=True)


def _stat(
    cells: Cells, shape: tuple[int, int], raw: NDArray[np.float32], lives: list[slice]
) -> list[dict[str, Any]]:
    """Return what Suite2p keeps of each cell; pixels that several cells share are ``overlap``."""
    matrix = cells.footprints
    shared = np.bincount(matrix.indices, minlength=matrix.shape[0]) > 1
    counts = np.diff(matrix.indptr)
    found = []
    for k, (first, last) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)):
        pixels = matrix.indices[first:last]
        y, x = np.divmod(pixels.astype(np.int64), shape[1])
        known = raw[k, lives[k]].astype(np.float64)
        found.append({
            "ypix": y, "xpix": x, "lam": matrix.data[first:last].astype(np.float32),
            "med": [int(np.median(y)), int(np.median(x))], "npix": len(pixels),
            "npix_norm": float(len(pixels) / counts.mean()), "radius": float(np.sqrt(len(pixels) / np.pi)),
            "overlap": shared[pixels], "std": float(known.std()) if len(known) else 0.0,
            "skew": _skewness(known), "snr": float(cells.snr[k]), "r": float(cells.r[k]),
            "id": int(cells.ids[k]), "born": int(lives[k].start),
        })  # fmt: skip
    return found


def _skewness(trace: NDArray[np.float64]) -> float:
    centred = trace - trace.mean() if len(trace) else trace
    spread = centred.std() if len(trace) else 0.0
    return float((centred**3).mean() / spread**3) if spread > 0 else 0.0


def _ops(recording: Recording) -> dict[str, Any]:
    """Return Suite2p's options: those that others ask for, the summary pictures, the shifts.

    Suite2p moves a frame by ``-yoff``, whole pixels; our shifts are what a frame was moved by.
    """
    height, width = recording.shape
    ops: dict[str, Any] = {
        "Ly": height, "Lx": width, "yrange": [0, height], "xrange": [0, width], "fs": rate_of(recording),
        "nframes": recording.rows, "nplanes": 1, "nchannels": 1, "functional_chan": 1, "neucoeff": 0.0,
        "roi_stream": NOTE, "filelist": [str(recording.path)],
    }  # fmt: skip
    if recording.shifts is not None:
        offsets = -np.rint(np.nan_to_num(recording.shifts)).astype(np.int32)
        ops |= {"yoff": offsets[:, 0], "xoff": offsets[:, 1]}
    maps = {theirs: picture(recording, ours) for ours, theirs in PICTURES.items()}
    return ops | {name: each for name, each in maps.items() if each is not None}
