"""What cells cost beside finding them: following the tissue, summary maps, the ring, the recorder."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.live_step import rois
from benchmarks.paired import ratio, table
from roi_core.cellring import CellRing
from roi_core.frame import Activity, Components, FinishReason, Header, Sample, Summary
from roi_core.maps import Maps
from roi_core.masks import Masks
from roi_core.rois import RoiSet
from roi_core.settings import Settings
from roi_core.sinks.hdf5 import Recorder

SHAPE = (512, 512)
SIDE = 12
"""Side of a footprint, px."""


def components(count):
    """Return `count` square footprints spread over the frame."""
    rng = np.random.default_rng(0)
    corner = rng.integers(0, SHAPE[0] - SIDE, (count, 2))
    y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
    pixels = (corner[:, :1] + y) * SHAPE[1] + corner[:, 1:] + x
    ids, ones = np.arange(1, count + 1), np.ones(count, np.float32)
    return Components(1, SHAPE, ids, ids * 0, np.ones(count, np.uint8), ("",) * count, ones, ones, ones, ones,
                      np.ones(pixels.size, np.float32), pixels.ravel().astype(np.int32),
                      np.arange(count + 1) * SIDE * SIDE)  # fmt: skip


def recorder(folder, count, every):
    """Return (ms, ratio) of writing one row of `count` cells, with a flush every `every` rows."""
    settings = Settings().with_texts("motion.enabled=true", "cnmf.enabled=true")
    sink = Recorder(folder / f"{count}_{every}.h5")
    sink.open(Header("benchmark", SHAPE, 30.0, "camera", settings, RoiSet()))
    image, none = np.ones(SHAPE, np.uint16), np.zeros(0, np.float32)
    found, values = components(count), np.ones(count, np.float32)
    activity = Activity(tuple(found.ids), values, values, values, 15, values, values, found)
    row = 0

    def write():
        nonlocal row
        sink.write(
            Sample(row, row, row / 30, image, RoiSet(), (), none, None, shift=(0.5, 0.5), activity=activity)
        )
        row += 1
        if row % every == 0:
            sink.flush()

    result = ratio(write, image, repeats=600)
    sink.close(Summary(FinishReason.COMPLETED))
    return result


def ring(count):
    """Return (ms, ratio) of showing one row of `count` cells."""
    cells, ids, values = CellRing(18_000), tuple(range(count)), np.ones(count, np.float32)
    return ratio(lambda: cells.push(0.0, ids, values, values, values), np.ones(SHAPE, np.uint16))


def main():
    """Print the table."""
    image, picture = np.ones(SHAPE, np.uint16), np.ones(SHAPE, np.float32)
    masks, maps = Masks(rois(300, SHAPE), SHAPE), Maps(SHAPE)
    rows = [
        ("means of 300 ROIs, no shift", ratio(lambda: masks.means(image), image)),
        (
            "means of 300 ROIs, following the tissue",
            ratio(lambda: masks.means(image, offset=(3.2, -1.7)), image),
        ),
        ("summary maps", ratio(lambda: maps.step(picture), image)),
    ]
    rows += [(f"ring of {count} cells", ring(count)) for count in (50, 400, 2000)]
    with tempfile.TemporaryDirectory() as place:
        for count in (50, 400, 2000):
            rows.append((f"recorder: row of {count} cells, waiting", recorder(Path(place), count, 10**9)))
            rows.append(
                (f"recorder: row of {count} cells, flushed every row", recorder(Path(place), count, 1))
            )
    table("Round motion correction and CNMF (512x512)", rows)


if __name__ == "__main__":
    main()
