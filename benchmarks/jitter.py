"""Is the worker as punctual with the window as without? 1280x720 at 60 fps, 100 regions.

Both runs take turns, so they share their neighbours. Lateness is the moment a frame's results are in the
rings minus the moment the simulated camera owed the frame. In the busy run, the pointer shakes over the
picture all the time. Usage: ``python -m benchmarks.jitter [SECONDS]`` (15).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from roi_core.rois import RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source

FORMAT = "camera.format=1280x720@60"
WARM_UP = 60

SPY = """
import sys, atexit
from time import perf_counter
import numpy as np
from roi_core.session import Session
late, take_in = [], Session._take_in
def spied(self, frame):
    take_in(self, frame)
    late.append(perf_counter() - frame.time)
Session._take_in = spied
atexit.register(lambda: np.save({path!r}, late))
from roi_stream_gui.__main__ import main
code = main(sys.argv[1:])
sys.exit(code)
"""


def alone(rois: RoiSet, seconds: float) -> np.ndarray:
    """Return lateness (s) of each frame without a window."""
    live = LiveSettings(Settings().with_texts(FORMAT))
    session = Session(open_source("simulated", live), live, rois, max_frames=round(60 * seconds) + WARM_UP)
    late: list[float] = []
    take_in = session._take_in

    def spied(frame):
        take_in(frame)
        late.append(perf_counter() - frame.time)

    session._take_in = spied
    session.start()
    session.wait()
    return np.array(late[WARM_UP:])


def with_window(rois: RoiSet, seconds: float, *, busy: bool) -> np.ndarray:
    """Return lateness (s) of each frame with the window open under Xvfb."""
    from tests.gui.driver import Screen, Window

    screen = Screen()
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            rois.save(folder / "r.json", (1280, 720))
            code = SPY.format(path=str(folder / "late.npy"))
            words = ["simulated", "--rois", str(folder / "r.json"), "--set", FORMAT]
            window = Window(screen, folder, *words, code=code)
            window.running(WARM_UP)
            step, end = 0, perf_counter() + seconds
            while perf_counter() < end:
                step += 1
                if busy:
                    window.hover(300 + step % 200, 200 + step % 100)
                window.ask()
            window.terminate()
            return np.load(folder / "late.npy")[WARM_UP:]
    finally:
        screen.close()


def main(seconds: float = 15.0) -> None:
    """Print the table."""
    rois = RoiSet.random(100, (1280, 720), 12.0)
    runs: dict[str, list[np.ndarray]] = {"no window": [], "window open": [], "window busy": []}
    for _ in range(2):
        runs["no window"].append(alone(rois, seconds))
        runs["window open"].append(with_window(rois, seconds, busy=False))
        runs["window busy"].append(with_window(rois, seconds, busy=True))
    base = np.median(np.concatenate(runs["no window"]))
    print("\n### Lateness of results against the camera's schedule, 1280x720 at 60 fps, 100 ROIs\n")
    print("| run | frames | p50 ms | p99 ms | max ms | p50 / no window | later than a period |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, parts in runs.items():
        late = 1e3 * np.concatenate(parts)
        p50, p99 = np.percentile(late, [50, 99])
        over, times = int((late > 1000 / 60).sum()), p50 / base / 1e3
        print(f"| {name} | {late.size} | {p50:.2f} | {p99:.2f} | {late.max():.2f} | {times:.2f} | {over} |")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
