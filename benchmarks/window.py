"""Does an open window cost frames? Recording with regions, window under Xvfb.

Usage: ``python -m benchmarks.window [SECONDS] [plain | cells | full] [REGIONS]`` (60). Plain: 1280x720 at
60 fps, 100 regions. With ``cells``: 512x512 at 30 fps, motion correction on, cells found, outlined and
traced. ``full``: 1280x720 at 60 fps, 50 regions, up to 200 cells, while the window is kept busy, minimised
and resized. ``60 plain 200`` is the question of the plan: does it draw at least 15 times a second? Prints one
table, a histogram of how long the window's loop took while it was in sight, and what a drawn frame costs in
time of a core, which says something on a busy machine, too; needs Xvfb, openbox and xdotool.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from roi_core.recording import Recording
from roi_core.rois import RoiSet
from tests.gui.driver import Screen, State, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SCENES = {
    "plain": ("simulated", (1280, 720), 60, 100),
    "cells": ("simulated:2p", (512, 512), 30, 100),
    "full": ("simulated:2p", (1280, 720), 60, 50),
}
"""What is shown, how large it is (W, H), at how many frames per second, with how many regions."""
FULL = ("--set", "cnmf.max_cells=200")
WARM = 300.0
"""Seconds for which it is waited that every kernel is compiled."""
BORDERS = (0, 10, 20, 30, 40, 50, 70)
"""Where the buckets of a histogram of loop times begin, ms; the last has no end."""


def main(seconds: float = 60.0, scene: str = "plain", regions: int | None = None) -> int:
    """Run the window with a scene, or other `regions` on it, for so long and tell what was lost."""
    screen = Screen()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(screen, Path(folder), seconds, scene, regions)
    finally:
        screen.close()


def _measure(screen: Screen, folder: Path, seconds: float, scene: str, regions: int | None) -> int:
    source, size, rate, usual = SCENES[scene]
    RoiSet.random(usual if regions is None else regions, size, 12.0).save(folder / "rois.json", size)
    form = f"camera.format={size[0]}x{size[1]}@{rate}"
    more = FULL if scene == "full" else ()
    window = Window(screen, folder, source, "--rois", str(folder / "rois.json"), "--set", form, *more)
    os.nice(10)  # a real hand takes no processor from the window
    try:
        return _watch(window, seconds, rate, _torment if scene == "full" else None)
    finally:
        window.kill()


def _torment(window: Window, rate: int, seconds: float) -> list[State]:
    """Keep the window busy for a third of the time, resize it, minimise it; return its state after each."""
    ends = []

    def spend(act: Callable[[int], object]) -> None:
        end = window.ask().take["rows"] + rate * seconds / 3
        turn = 0
        while window.ask().take["rows"] < end:
            act(turn)
            turn += 1
        ends.append(window.ask())

    spend(lambda turn: window.drag((100, 100), (160 + turn % 40, 200)))
    spend(lambda turn: window.resize(*((1024, 700), (1600, 900), (1280, 800))[turn % 3]))
    window.minimise()
    spend(lambda _turn: time.sleep(0.5))
    window.restore()
    return ends


def _loop(counts: NDArray[np.int64]) -> str:
    """Return median, 99th percentile and longest of the loop, ms, and the share above 50 ms."""
    part = np.cumsum(counts) / counts.sum()
    middle, late = (int(np.searchsorted(part, q)) for q in (0.5, 0.99))
    return (
        f"{middle}, {late}, {int(np.flatnonzero(counts)[-1])}; {100 * counts[50:].sum() / counts.sum():.2f} %"
    )


def histogram(whole: NDArray[np.int64], own: NDArray[np.int64]) -> dict[str, str]:
    """Return how many loops took how long, with their share, by the counts for each ms: whole, own part."""
    names = [f"{low} to {high} ms" for low, high in pairwise(BORDERS)] + [f"{BORDERS[-1]} ms and more"]
    columns = [(np.add.reduceat(counts, BORDERS), max(counts.sum(), 1)) for counts in (whole, own)]
    return {
        f"  {name}": ", ".join(f"{sums[k]:7} = {100 * sums[k] / total:6.2f} %" for sums, total in columns)
        for k, name in enumerate(names)
    }


def _spent(pid: int) -> tuple[float, float]:
    """Return s of a core that the window's own thread has taken, and those of the software rasteriser."""
    own = raster = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
        seconds = sum(map(int, rest.split()[11:13])) / os.sysconf("SC_CLK_TCK")
        own += seconds * (int(task.name) == pid)
        raster += seconds * name.startswith("llvmpipe")
    return own, raster


def _watch(
    window: Window, seconds: float, rate: int, torment: Callable[[Window, int, float], list[State]] | None
) -> int:
    window.running(frames=60)
    if window.ask().settings["cnmf"]["enabled"]:
        window.until(lambda s: s.cells and len(s.cells["accepted"]) >= 50, "cells", WARM)
    before = window.ask()
    window.key("r")
    process = psutil.Process(window.process.pid)
    first = window.until(lambda s: s.recording and s.take["rows"] > 5, "recording")
    process.cpu_percent()
    memory, spent = process.memory_info().rss, _spent(process.pid)
    rates: list[float] = []

    def enough(state: State) -> bool:
        rates.append(state.window_rate)
        time.sleep(0.5)  # each answer takes the window ten ms
        return state.take["rows"] >= rate * seconds

    ends: list[State] = []
    if torment is not None:
        ends = torment(window, rate, seconds)
        seconds *= 2  # and as long again in peace
    last = window.until(enough, "the recording", 2 * seconds + 30)
    cpu, grown = process.cpu_percent(), process.memory_info().rss - memory
    drawn = sum(last.busy) - sum(before.busy)
    # minimised, Dear PyGui itself waits for events for a tenth of a second
    hidden = np.array(ends[2].busy) - np.array(ends[1].busy) if ends else 0
    loop = np.array(last.busy) - np.array(first.busy) - hidden
    own = np.array(last.made) - np.array(first.made)
    costs = [1e3 * (now - then) / drawn for now, then in zip(_spent(process.pid), spent, strict=True)]
    path = Path(first.take["path"])
    code = window.terminate()
    with Recording(path) as file:
        steps = np.diff(file.frame_index)
        rows, lost = len(file.time), int((steps - 1).sum())
        parts = [int((part - 1).sum()) for part in np.split(steps, [end.take["rows"] for end in ends])]
        whole = file.complete
    table = {
        "frames recorded": rows,
        "frames lost while recording": lost,
        "of these while busy, resized, minimised, let be": parts if ends else "-",
        "frames lost before": before.dropped,
        "file complete / exit code": f"{whole} / {code}",
        "window, draws per second (median, 5 %)": f"{np.median(rates):.1f}, {np.percentile(rates, 5):.1f}",
        "loop, ms (median, p99, longest; above 50)": _loop(loop),
        **_phases(first, ends, last),
        "of it before the frame is rasterised": _loop(own),
        "loops that took so long, and before rasterising": "",
        **histogram(loop, own),
        "CPU of a drawn frame, ms: window, rasteriser": "{:.1f}, {:.1f}".format(*costs),
        "process, % of a core": f"{cpu:.0f}",
        "memory growth, MB": f"{grown / 1e6:.1f}",
        "regions / cells accepted at the end": f"{len(last.rois)} / {_cells(last)}",
    }
    for name, figure in table.items():
        print(f"{name:48} {figure}")
    return 0 if lost == 0 and whole and code == 0 else 1


def _phases(first: State, ends: list[State], last: State) -> dict[str, str]:
    """Return the loop of each part of the torment by itself."""
    if not ends:
        return {}
    parts = {"busy": (first, ends[0]), "resized": (ends[0], ends[1]), "let be": (ends[2], last)}
    return {
        f"  while {name}": _loop(np.array(end.busy) - np.array(begin.busy))
        for name, (begin, end) in parts.items()
    }


def _cells(state: State) -> int:
    return len(state.cells["accepted"]) if state.cells else 0


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2]), *sys.argv[2:3], *map(int, sys.argv[3:4])))
