"""Cost of the whole analysis of a live frame: motion correction and online CNMF, the detector on its thread.

Takes one 512x512 movie with known truth as `shared/bench/sim.py` writes it (dataset ``mov``); its first half
finds the cells, its second half is measured, frame by frame beside a memcpy of the same uint16 frame.

usage: python -m benchmarks.cells_step MOVIE.h5 [RATE]
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter, sleep

import h5py
import numpy as np

from roi_core.cnmf.online import OnlineCNMF
from roi_core.motion import Motion
from roi_core.settings import Settings


def main(path: str, rate: float = 60.0) -> None:
    """Print one table; frames come ``rate`` times a second."""
    settings = Settings().with_texts("motion.enabled=true", "cnmf.enabled=true", "cnmf.cell_radius=5")
    with h5py.File(path) as file:
        movie = file["mov"]
        shape = movie.shape[1:]
        motion, finder = Motion(shape, 30.0), OnlineCNMF(shape, 30.0, settings, inline=False)
        picture, copy = np.zeros(shape, np.float32), np.zeros(shape, np.uint16)
        costs: dict[str, list[float]] = {"motion": [], "cells": [], "both": [], "copy": []}
        for row in range(len(movie)):
            frame, begin = movie[row], perf_counter()
            np.copyto(copy, frame)
            copied = perf_counter()
            picture[:] = frame
            shift = motion.step(picture, settings.motion, finder.input)
            moved = perf_counter()
            finder.shift = (shift.dy, shift.dx)
            finder.step(row, settings)
            end = perf_counter()
            if row >= len(movie) // 2:
                times = (moved - copied, end - moved, end - copied, copied - begin)
                for name, cost in zip(costs, times, strict=True):
                    costs[name].append(cost * 1e3)
            sleep(max(0.0, 1 / rate - (perf_counter() - begin)))
        finder.close()
    memcpy = float(np.median(costs.pop("copy")))
    print(f"{shape[0]}x{shape[1]}, {finder.census.cells.count} components; memcpy {memcpy:.4f} ms\n")
    print("| stage | median ms | x memcpy | p99 / median | max / median |\n|---|---:|---:|---:|---:|")
    for name, values in costs.items():
        middle = float(np.median(values))
        tail, most = np.percentile(values, 99) / middle, max(values) / middle
        print(f"| {name} | {middle:.3f} | {middle / memcpy:.1f} | {tail:.1f} | {most:.1f} |")
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:3]))
