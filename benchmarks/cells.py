"""What online CNMF finds while a movie with known truth is recorded: the figures of `shared/bench/score.py`.

Takes movies as `shared/bench/sim.py` writes them (dataset ``mov``); a name with "1p" in it is a one-photon
movie. Only cell radius and preset are given, as a user would.

usage: python -m benchmarks.cells MOVIE.h5 ...
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.refine import SHARED, record

MARKS = (
    *("f1", "precision", "recall_dim", "corr_C", "corr_C_p10", "corr_C_full", "corr_S"),
    *("det_latency", "shift_rmse"),
)


def marks(recording: Path, truth: dict[str, Any]) -> list[float]:
    """Return `MARKS` of the accepted components at the end of a recording."""
    from scipy.sparse import csc_matrix
    from score import score  # type: ignore[import-not-found]

    with h5py.File(recording) as file:
        group, parts = file["cnmf"], file["cnmf/footprints"]
        good = group["status"][:] == 1
        arrays = tuple(parts[name][:] for name in ("data", "indices", "indptr"))
        a = csc_matrix(csc_matrix(arrays, tuple(parts.attrs["shape"]))[:, good])
        found = {"A_data": a.data, "A_indices": a.indices, "A_indptr": a.indptr, "A_shape": a.shape}
        for name, path in (("C", "calcium"), ("S", "spikes"), ("F", "raw")):
            found[name] = np.nan_to_num(group[path][:][:, good].T)
        found |= {"added": group["born"][:][good], "shifts": np.nan_to_num(file["motion/shifts"][:])}
    result = score(truth, found)
    return [float(result[name]) if result.get(name) is not None else np.nan for name in MARKS]


def main(movies: list[str]) -> None:
    """Print one table."""
    sys.path.insert(0, str(SHARED / "bench"))
    from sim import load_truth  # type: ignore[import-not-found]

    print(f"| movie | {' | '.join(MARKS)} |\n|---|{'---:|' * len(MARKS)}")
    with tempfile.TemporaryDirectory() as folder:
        for movie in map(Path, movies):
            out = Path(folder) / f"{movie.stem}.h5"
            record(movie, out)
            print(
                f"| {movie.stem} | {' | '.join(f'{v:.3f}' for v in marks(out, load_truth(movie)))} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
