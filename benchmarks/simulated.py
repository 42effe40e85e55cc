"""What a simulated frame costs, and whether the camera keeps its deadlines at 1280x720 and 60 frames/s."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from benchmarks.paired import ratio, table
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

CASES = (("2p", "1280x720@60"), ("2p", "512x512@30"), ("dense", "512x512@30"), ("miniscope", "608x608@20"))


def camera(preset: str, asked: str, *, length: int | None = None, paced: bool = False) -> Simulated:
    """Return the camera of a preset at the size and rate asked for."""
    live = LiveSettings(Settings().with_value("camera.format", asked))
    return Simulated(preset, live, length=length, paced=paced)


def lateness(seconds: int = 5) -> tuple[float, float, int]:
    """Return median and 99th percentile of how late frames come (ms), and how many were lost."""
    source = camera("2p", "1280x720@60", length=60 * seconds, paced=True)
    seen = [(frame.index, perf_counter() - frame.time) for frame in source.frames()]
    late = 1e3 * np.array([delay for _, delay in seen])
    return float(np.median(late)), float(np.percentile(late, 99)), seen[-1][0] + 1 - len(seen)


def main() -> None:
    """Print the table and one line about the pace."""
    rows = []
    for preset, asked in CASES:
        source = camera(preset, asked)
        frames = source.frames()
        cells = len(source.truth.radii)
        image = np.empty(source.shape, np.uint16)
        cost = ratio(lambda frames=frames: next(frames), image)
        rows.append((f"{preset} {asked}, {cells} cells", cost))
    table("A simulated frame (against a memcpy of the same uint16 frame)", rows)
    middle, worst, lost = lateness()
    pace = f"{middle:.2f} ms after the deadline (99 %: {worst:.2f} ms), {lost} frames lost"
    print(f"\n1280x720@60 for 5 s: {pace}")


if __name__ == "__main__":
    main()
