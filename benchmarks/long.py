"""Half an hour of a simulated 512x512 field, as fast as it goes: memory, time a frame, cells found and lost.

usage: python -m benchmarks.long [MINUTES] [PRESET] [WIDTHxHEIGHT] [HZ]
"""

from __future__ import annotations

import sys
from time import thread_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil

from roi_core.analysis import Analysis
from roi_core.frame import Status
from roi_core.rois import RoiSet
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator

PART = 3
"""Minutes a row."""


class Row(NamedTuple):
    """What is seen at the end of `PART` minutes; times are those of the frames' own thread in them."""

    minute: int
    mb: float
    median_ms: float
    p99_ms: float
    accepted: int
    found: int
    doubled: int
    ever: int


def main(minutes: int = 30, preset: str = "dense", size: str = "512x512", rate: int = 30) -> None:
    """Print a row for every `PART` minutes of the recording."""
    print("| minute | MB | median ms | p99 ms | accepted | of true cells | doubled | ids ever accepted |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    source, settings = camera(minutes, preset, size, rate)
    for row in watch(source, settings):
        print(
            f"| {row.minute} | {row.mb:.0f} | {row.median_ms:.2f} | {row.p99_ms:.2f} | {row.accepted} "
            f"| {row.found} of {len(source.truth.radii)} | {row.doubled} | {row.ever} |",
            flush=True,
        )


def camera(minutes: int, preset: str, size: str, rate: int) -> tuple[Simulated, Settings]:
    """Return a camera without a pace, and settings that know the size of its cells."""
    settings = Settings().with_texts(
        f"camera.format={size}@{rate}", "cnmf.enabled=true", "motion.enabled=true"
    )
    probe = Simulated(preset, LiveSettings(settings), length=1, paced=False, seed=7)
    settings = settings.with_texts(f"cnmf.cell_radius={np.median(probe.truth.radii):.1f}")
    source = Simulated(preset, LiveSettings(settings), length=minutes * 60 * rate, paced=False, seed=7)
    return source, settings


def watch(source: Simulated, settings: Settings) -> Iterator[Row]:
    """Analyse all frames and yield a row for every `PART` minutes."""
    part, me = round(PART * 60 * source.rate), psutil.Process()
    analysis, rois = Analysis(source.shape, source.rate), RoiSet()
    times: list[float] = []
    ever: set[int] = set()
    analysis.begin(settings)
    try:
        for row, frame in enumerate(source.frames()):
            begin = thread_time()
            seen = analysis.step(row, row / source.rate, frame.image, settings, rois)
            times.append(thread_time() - begin)
            if (row + 1) % part:
                continue
            components = seen.activity.components
            accepted = np.flatnonzero(components.status == Status.ACCEPTED)
            ever |= set(components.ids[accepted].tolist())
            median, late = np.percentile(times, [50, 99]) * 1e3
            minute, mb = (row + 1) // part * PART, me.memory_info().rss / 2**20
            yield Row(
                minute, mb, median, late, len(accepted), *matched(components, accepted, source), len(ever)
            )
            times.clear()
    finally:
        analysis.close()


def matched(components, accepted, source) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """Return how many true cells have an accepted component within half a radius, and how many have two."""
    width, middles = source.shape[1], []
    for k in accepted:
        part = slice(components.indptr[k], components.indptr[k + 1])
        pixels, weights = components.indices[part], components.data[part]
        middles.append([np.average(axis, weights=weights) for axis in np.divmod(pixels, width)])
    offset = np.median(source.truth.shifts(100), 0)
    places = np.array(middles).reshape(-1, 2) - offset
    far = np.hypot(*(source.truth.centres[:, None] - places).transpose(2, 0, 1))
    near = (far < source.truth.radii[:, None] / 2).sum(1)
    return int((near > 0).sum()), int((near > 1).sum())


if __name__ == "__main__":
    main(*(int(v) if v.isdigit() else v for v in sys.argv[1:]))  # type: ignore[arg-type]
