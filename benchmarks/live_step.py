"""What one frame costs the worker: conversion, ROI means, dF/F, publication to both rings."""

from __future__ import annotations

import numpy as np

from benchmarks.paired import ratio, table
from roi_core.frame import Frame
from roi_core.pipeline import Pipeline
from roi_core.ring import FrameRing, TraceRing
from roi_core.rois import Circle, RoiSet
from roi_core.settings import Settings


def rois(count, shape, radius=12.0):
    """Return `count` circles spread evenly over the frame."""
    rng, found = np.random.default_rng(0), RoiSet()
    for _ in range(count):
        y, x = rng.uniform(radius, np.array(shape) - radius)
        found = found.add(Circle(float(x), float(y), radius))
    return found


def measure(image, count, settings):
    """Return (ms, ratio to a memcpy of the uint16 frame) of one whole live step."""
    shape = image.shape[:2]
    frames, regions = FrameRing(68, shape), rois(count, shape)
    traces = TraceRing(36_000, regions.ids)
    columns = traces.columns(regions.ids)
    pipeline = Pipeline(frames, 60.0)
    number = 0

    def step():
        nonlocal number
        sample = pipeline.step(Frame(image, number, number / 60), number / 60, settings, regions)
        frames.publish(sample.index, sample.time)
        traces.push(sample.time, sample.index, columns, sample.means, sample.dff)
        number += 1

    return ratio(step, np.zeros(shape, np.uint16))


def main():
    """Print the table."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (720, 1280, 3), np.uint8)
    deep = rng.integers(0, 65536, (512, 512), np.uint16)
    plain, dff = Settings(), Settings().with_texts("roi.dff=true")
    rows = []
    for count in (0, 100, 300):
        rows.append((f"1280x720 BGR uint8, {count} ROIs", measure(colour, count, plain)))
        rows.append((f"512x512 uint16, {count} ROIs", measure(deep, count, plain)))
    rows.append(("1280x720 BGR uint8, 100 ROIs, dF/F", measure(colour, 100, dff)))
    rows.append(("512x512 uint16, 100 ROIs, dF/F", measure(deep, 100, dff)))
    table("Whole live step (worker thread, one frame)", rows)


if __name__ == "__main__":
    main()
