"""Cost of the whole analysis of a live frame: motion correction and online CNMF, the detector on its thread.

Takes one 512x512 movie with known truth as `shared/bench/sim.py` writes it (dataset ``mov``). Its first half
finds the cells, at 60 Hz; its second half, in which others are still born, and then its first half again are
measured at RATE (``inf``: one after the other, as from a file), frame by frame beside a memcpy of the same
uint16 frame: cold as it comes from the camera, and hot when it is copied at once again. Wall time is what a
frame waits; time of the thread is what of it is our own work, so the difference is other programs, page
faults of the file, and the detector where it holds the interpreter.

usage: python -m benchmarks.cells_step MOVIE.h5 [RATE]
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter, sleep, thread_time
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from roi_core.calm import calm
from roi_core.cnmf.online import OnlineCNMF
from roi_core.motion import Motion
from roi_core.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

STAGES = "motion", "cells", "both"
FINDING = 60.0
"""Frames a second while cells are found."""


def main(path: str, rate: float = 60.0) -> None:
    """Print one table; frames come ``rate`` times a second."""
    OnlineCNMF.warm_up()
    with h5py.File(path) as file, calm():
        shape, (copies, wall, own), finder = file["mov"].shape[1:], *measured(file["mov"], rate)
    cold, hot = np.median(copies, 0)
    cells = finder.census.cells.count
    print(f"{shape[0]}x{shape[1]}, {cells} components, {len(wall)} frames at {rate:g} Hz;")
    print(f"memcpy cold {cold * 1e3:.4f} ms, hot {hot * 1e3:.4f} ms\n")
    print("| stage | median ms | x cold | x hot | p99 / max over median, wall | the same, of the thread |")
    print("|---|---:|---:|---:|---:|---:|")
    for k, name in enumerate(STAGES):
        middle = np.median(wall[:, k])
        ratios = f"{middle / cold:.1f} | {middle / hot:.0f}"
        print(f"| {name} | {middle * 1e3:.3f} | {ratios} | {tails(wall[:, k])} | {tails(own[:, k])} |")
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def measured(movie: Any, rate: float) -> tuple[tuple[NDArray[np.float64], ...], OnlineCNMF]:
    """Return seconds of both copies (n, 2), of the stages by the wall and of the thread (n, 3) each."""
    settings = Settings().with_texts("motion.enabled=true", "cnmf.enabled=true", "cnmf.cell_radius=5")
    shape, frames = movie.shape[1:], len(movie)
    motion, finder = Motion(shape, 30.0), OnlineCNMF(shape, 30.0, settings, inline=False, apart=True)
    picture, copy = np.zeros(shape, np.float32), np.zeros(shape, np.uint16)
    rows: list[list[tuple[float, ...]]] = []
    for row in range(frames + frames // 2):
        frame, begin = movie[row % frames], perf_counter()
        copied = [begin]
        for _ in range(2):
            np.copyto(copy, frame)
            copied.append(perf_counter())
        clocks = [(perf_counter(), thread_time())]
        picture[:] = frame
        shift = motion.step(picture, settings.motion, finder.input)
        clocks.append((perf_counter(), thread_time()))
        finder.shift = (shift.dy, shift.dx)
        finder.step(row, settings)
        clocks.append((perf_counter(), thread_time()))
        if row >= frames // 2:
            wall, own = ((b - a, c - b, c - a) for a, b, c in zip(*clocks, strict=True))
            rows.append([tuple(np.diff(copied)), wall, own])
        pace = rate if row >= frames // 2 else FINDING
        sleep(max(0.0, 1 / pace - (perf_counter() - begin)))
    finder.close()
    return tuple(np.array(column) for column in zip(*rows, strict=True)), finder


def tails(seconds: NDArray[np.float64]) -> str:
    middle = np.median(seconds)
    return f"{np.percentile(seconds, 99) / middle:.1f} / {seconds.max() / middle:.1f}"


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:3]))
