"""What the second pass makes of a recording: scores online and refined, frames per second, memory.

Takes movies with known truth as `shared/bench/sim.py` writes them (dataset ``mov``); a name with "1p" in it
is a one-photon movie. Each is recorded headless into a temporary folder, and refined from the movie's file.

usage: python -m benchmarks.refine MOVIE.h5 ...
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import h5py
import numpy as np

SHARED = Path(os.environ.get("ROI_STREAM_SHARED", Path(__file__).parents[2] / "shared"))
MARKS = ("f1", "recall_dim", "corr_C", "corr_C_p10", "corr_C_full", "corr_S", "cos_A")


def record(movie: Path, out: Path, radius: float = 0.0, rate: float = 30.0) -> None:
    """Run the program on a movie with what a user would give: rate, cell radius (px; 0: the usual), preset.

    The movies of `shared/bench/sim.py` do not tell their rate.
    """
    preset, usual = ("1p", 6) if "1p" in movie.name else ("2p", 5)
    kind = f"cnmf.preset={preset}", f"cnmf.cell_radius={radius or usual:g}", f"camera.rate={rate:g}"
    given = ("motion.enabled=true", "cnmf.enabled=true", "recorder.disk_reserve=1", *kind)
    words = ["run", "--source", f"{movie}:mov", "--out", str(out)]
    program(*words, *(word for path in given for word in ("--set", path)))


def program(*words: str) -> tuple[float, float, float]:
    """Run one command; return its wall and CPU time in s and its largest memory in MB."""
    start = perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "roi_core.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, state, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(state)
    if child.returncode:
        sys.exit(f"roi_stream {' '.join(words)} ended with {child.returncode}")
    return perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def scores(group: h5py.Group, truth: dict[str, Any]) -> list[float]:
    """Return `MARKS` of the accepted components of a group, from the frame each has a value."""
    from scipy.sparse import csc_matrix
    from score import score  # type: ignore[import-not-found]

    parts, good = group["footprints"], group["status"][:] == 1
    arrays = tuple(parts[name][:] for name in ("data", "indices", "indptr"))
    a = csc_matrix(csc_matrix(arrays, tuple(parts.attrs["shape"]))[:, good])
    calcium, spikes, raw = (group[name][:][:, good].T for name in ("calcium", "spikes", "raw"))
    found = {"A_data": a.data, "A_indices": a.indices, "A_indptr": a.indptr, "A_shape": a.shape}
    found |= {"C": np.nan_to_num(calcium), "S": np.nan_to_num(spikes), "F": np.nan_to_num(raw)}
    found["added"] = np.isfinite(calcium).argmax(axis=1)
    marks = score(truth, found)
    return [float(marks[name] if marks[name] is not None else np.nan) for name in MARKS]


def main() -> None:
    """Print one line online and one refined for each movie."""
    sys.path.insert(0, str(SHARED / "bench"))
    from score import load_truth

    print(f"{'movie':14} {'':8}", *(f"{name:>11}" for name in MARKS), "  frames/s  frames/CPU s   MB")
    for movie in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "a.h5"
            record(movie, out)
            wall, cpu, memory = program("refine", str(out), "--movie", f"{movie}:mov")
            with h5py.File(out) as file:
                truth, frames = load_truth(str(movie)), len(file["time"])
                online, refined = scores(file["cnmf"], truth), scores(file["cnmf/refined"], truth)
        print(f"{movie.stem:14} online  ", *(f"{mark:11.3f}" for mark in online))
        speed = f"{frames / wall:10.0f} {frames / cpu:13.0f} {memory:6.0f}"
        print(f"{movie.stem:14} refined ", *(f"{mark:11.3f}" for mark in refined), speed, flush=True)


if __name__ == "__main__":
    main()
