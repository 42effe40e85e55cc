"""What recording costs its thread: a row of means, a row with a movie frame, a flush; and beside others."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks import writers
from benchmarks.live_step import rois
from benchmarks.paired import ratio, table
from roi_core.frame import FinishReason, Header, Sample, Summary
from roi_core.settings import Settings
from roi_core.sinks.hdf5 import Recorder

SHAPE = (720, 1280)


def measure(folder, name, movie, count, every):
    """Return (ms, ratio) of writing one row, with a flush every `every` rows."""
    regions = rois(count, SHAPE)
    settings = Settings().with_value("recorder.movie", movie)
    recorder = Recorder(folder / f"{name}.h5")
    recorder.open(Header("benchmark", SHAPE, 60.0, "camera", settings, regions))
    image, means = np.ones(SHAPE, np.uint16), np.zeros(count, np.float32)
    row = 0

    def write():
        nonlocal row
        recorder.write(Sample(row, row, row / 60, image, regions, regions.ids, means, None))
        row += 1
        if row % every == 0:
            recorder.flush()

    result = ratio(write, image, repeats=600 if not movie else 200)
    recorder.close(Summary(FinishReason.COMPLETED))
    return result


def main():
    """Print the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table(
            "Recorder, per row (against a memcpy of a 1280x720 uint16 frame)",
            [
                ("row of 100 means, waiting for its flush", measure(folder, "a", False, 100, 10**9)),
                ("row of 100 means, flushed every row", measure(folder, "b", False, 100, 1)),
                ("row of 1000 means, flushed every row", measure(folder, "c", False, 1000, 1)),
                ("row and 1280x720 movie frame, flushed every 15 rows", measure(folder, "d", True, 100, 15)),
            ],
        )
    print("\n### A movie on its way to the disk\n")
    writers.main()


if __name__ == "__main__":
    main()
