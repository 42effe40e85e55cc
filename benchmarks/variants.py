"""Movies unlike those of `benchmarks.cells`: other frame rates, kinetics, sizes, densities, brightness, glow.

Each is drawn by ``shared/bench/sim.py`` with one thing changed, recorded by the program with frame rate, cell
radius and preset only, and scored as in `benchmarks.cells`.

usage: python -m benchmarks.variants [NAME ...]
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

from benchmarks.cells import MARKS, marks
from benchmarks.refine import SHARED, record

SEED: Final = 11
SMALL: Final[dict[str, dict[str, Any]]] = {
    "3 Hz": {"fr": 3.0, "tau_decay": 2.0, "tau_rise": 0.2, "T": 900},
    "5 Hz": {"fr": 5.0, "tau_decay": 1.2, "tau_rise": 0.1, "T": 1000},
    "10 Hz": {"fr": 10.0, "T": 1500},
    "15 Hz, slow": {"fr": 15.0, "tau_decay": 1.5, "tau_rise": 0.12, "T": 2000},
    "30 Hz, slow": {"tau_decay": 2.0, "tau_rise": 0.2},
    "60 Hz, fast": {"fr": 60.0, "tau_decay": 0.25, "tau_rise": 0.02, "T": 4000},
    "30 s only": {"T": 900},
    "75 cells": {"K": 75},
    "10 cells": {"K": 10},
    "radius 3": {"radius": 3.0, "K": 60},
    "radius 8": {"radius": 8.0, "K": 18},
    "SNR 6": {"snr": 6.0},
    "SNR 30": {"snr": 30.0},
    "glow x4": {"bg_amp": 4.0},
}
SMALL1P: Final[dict[str, dict[str, Any]]] = {
    "1p, 15 Hz": {"fr": 15.0, "tau_decay": 1.0, "T": 1800},
    "1p, 50 cells": {"K": 50},
    "1p, radius 9": {"radius": 9.0, "K": 14},
    "1p, SNR 40": {"snr": 40.0},
    "1p, glow x3": {"bg_amp": 180.0},
}


def main(names: list[str]) -> None:
    """Print one table."""
    sys.path.insert(0, str(SHARED / "bench"))
    from sim import load_truth, simulate  # type: ignore[import-not-found]

    movies = {name: ("small", more) for name, more in SMALL.items()}
    movies |= {name: ("small1p", more) for name, more in SMALL1P.items()}
    print(f"| movie | {' | '.join(MARKS)} |\n|---|{'---:|' * len(MARKS)}")
    for name in names or movies:
        preset, more = movies[name]
        with tempfile.TemporaryDirectory() as folder:
            movie, out = Path(folder) / f"{preset}.h5", Path(folder) / "out.h5"
            with redirect_stdout(sys.stderr):
                simulate(preset, str(movie), seed=SEED, motion=1.5, **more)
            record(movie, out, more.get("radius", 0.0), more.get("fr", 30.0))
            found = marks(out, load_truth(movie))
        print(f"| {name} | {' | '.join(f'{v:.3f}' for v in found)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
