"""Time and memory of a stream of frames, without a change to what processes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psutil

from roi_core.metrics import Meter
from roi_core.ml.chain import movie

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Features = dict[Any, Any]

__all__ = ["Monitored"]


class Monitored:
    """Anything with River's `learn_one` and `transform_one`, and what its last `size` frames cost.

    ``for x in Monitored(pipeline).process(stream): ...`` is all it takes.
    """

    def __init__(self, pipeline: Any, size: int = 256) -> None:
        self.pipeline = pipeline
        self.meter = Meter(size)
        self._process = psutil.Process()

    def step(self, x: Features) -> Features:
        """Learn from ``x``, and return what the pipeline makes of it."""
        begin = time.perf_counter()
        self.pipeline.learn_one(x)
        out: Features = self.pipeline.transform_one(x)
        self.meter.add(begin, time.perf_counter() - begin)
        return out

    def initialize(self, frames: Any) -> None:
        """Learn from frames (n, height, width) that came before the stream: numpy's, or of xarray."""
        for frame in movie(frames):
            self.pipeline.learn_one({"frame": frame})

    def process(self, stream: Iterable[Features]) -> Iterator[Features]:
        """Yield what the pipeline makes of each frame of a stream."""
        return map(self.step, stream)

    def report(self) -> dict[str, float]:
        """Return how many ``frames``, their ``rate`` (Hz), percentiles of their ms, and ``memory`` (MB)."""
        ms = {f"ms_p{share}": 1e3 * self.meter.cost(share) for share in (50, 95, 99, 100)}
        rate = self.meter.rate(time.perf_counter())
        return {
            "frames": self.meter.count,
            "rate": rate,
            **ms,
            "memory": self._process.memory_info().rss / 1e6,
        }
