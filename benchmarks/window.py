"""Does an open window cost frames? 1280x720 at 60 fps, 100 regions, recording, window under Xvfb.

Usage: ``python -m benchmarks.window [SECONDS]`` (60). Prints one table; needs Xvfb, openbox and xdotool.
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

FORMAT = "1280x720@60"


def main(seconds: float = 60.0) -> int:
    """Run the window with 100 regions for so long and tell what was lost."""
    screen = Screen()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(screen, Path(folder), seconds)
    finally:
        screen.close()


def _measure(screen: Screen, folder: Path, seconds: float) -> int:
    RoiSet.random(100, (1280, 720), 12.0).save(folder / "rois.json", (1280, 720))
    words = ["simulated", "--rois", str(folder / "rois.json"), "--set", f"camera.format={FORMAT}"]
    window = Window(screen, folder, *words)
    try:
        return _watch(window, seconds)
    finally:
        window.kill()


def _watch(window: Window, seconds: float) -> int:
    window.running(frames=60)
    before = window.ask()
    window.key("r")
    process = psutil.Process(window.process.pid)
    first = window.until(lambda s: s.recording and s.take["rows"] > 5, "recording")
    process.cpu_percent()
    memory = process.memory_info().rss
    rates: list[float] = []

    def enough(state: State) -> bool:
        rates.append(state.window_rate)
        return state.take["rows"] >= 60 * seconds

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
        "regions": len(last.rois),
    }
    for name, figure in table.items():
        print(f"{name:40} {figure}")
    return 0 if lost == 0 and whole and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2])))
