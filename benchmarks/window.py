"""Does an open window cost frames? Recording with 100 regions, window under Xvfb.

Usage: ``python -m benchmarks.window [SECONDS] [cells]`` (60). Plain: 1280x720 at 60 fps. With ``cells``:
512x512 at 30 fps, motion correction on, cells found, outlined and traced. Prints one table; needs Xvfb,
openbox and xdotool.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil

from roi_core.recording import Recording
from roi_core.rois import RoiSet
from tests.gui.driver import Screen, State, Window

SCENES = {"plain": ("simulated", (1280, 720), 60), "cells": ("simulated:2p", (512, 512), 30)}
"""What is shown, how large it is (W, H), and at how many frames per second."""
WARM = 300.0
"""Seconds for which it is waited that every kernel is compiled."""


def main(seconds: float = 60.0, scene: str = "plain") -> int:
    """Run the window with 100 regions for so long and tell what was lost."""
    screen = Screen()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(screen, Path(folder), seconds, scene)
    finally:
        screen.close()


def _measure(screen: Screen, folder: Path, seconds: float, scene: str) -> int:
    source, size, rate = SCENES[scene]
    RoiSet.random(100, size, 12.0).save(folder / "rois.json", size)
    form = f"camera.format={size[0]}x{size[1]}@{rate}"
    window = Window(screen, folder, source, "--rois", str(folder / "rois.json"), "--set", form)
    try:
        return _watch(window, seconds, rate)
    finally:
        window.kill()


def _watch(window: Window, seconds: float, rate: int) -> int:
    window.running(frames=60)
    if window.ask().settings["cnmf"]["enabled"]:
        window.until(lambda s: s.cells and len(s.cells["accepted"]) >= 50, "cells", WARM)
    before = window.ask()
    window.key("r")
    process = psutil.Process(window.process.pid)
    first = window.until(lambda s: s.recording and s.take["rows"] > 5, "recording")
    process.cpu_percent()
    memory = process.memory_info().rss
    rates: list[float] = []

    def enough(state: State) -> bool:
        rates.append(state.window_rate)
        return state.take["rows"] >= rate * seconds

    last = window.until(enough, "the recording", 2 * seconds + 30)
    cpu, grown = process.cpu_percent(), process.memory_info().rss - memory
    path = Path(first.take["path"])
    code = window.terminate()
    with Recording(path) as file:
        steps = np.diff(file.frame_index)
        rows, lost = len(file.time), int((steps - 1).sum())
        whole = file.complete
    table = {
        "frames recorded": rows,
        "frames lost while recording": lost,
        "frames lost before": before.dropped,
        "file complete / exit code": f"{whole} / {code}",
        "window, draws per second (median, 5 %)": f"{np.median(rates):.1f}, {np.percentile(rates, 5):.1f}",
        "process, % of a core": f"{cpu:.0f}",
        "memory growth, MB": f"{grown / 1e6:.1f}",
        "regions / cells accepted at the end": f"{len(last.rois)} / {_cells(last)}",
    }
    for name, figure in table.items():
        print(f"{name:40} {figure}")
    return 0 if lost == 0 and whole and code == 0 else 1


def _cells(state: State) -> int:
    return len(state.cells["accepted"]) if state.cells else 0


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2]), *sys.argv[2:3]))
