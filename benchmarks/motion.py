"""What preparing and moving a picture costs, and how well shifts are found where they are known.

The second table needs movies made by ``shared/bench/sim.py PRESET FILE --motion 1.5``: give their paths.
"""

from __future__ import annotations

import sys
from functools import partial
from itertools import cycle
from pathlib import Path

import h5py
import numpy as np
from scipy.ndimage import fourier_shift, gaussian_filter

from benchmarks.paired import ratio, table
from roi_core.motion import Motion
from roi_core.prepare import Prepare
from roi_core.settings import Settings

SHAPES = ((128, 128), (256, 256), (512, 512), (600, 600), (720, 1280))


def shaken(shape, count=16):
    """Return that many uint16 frames of a textured field, displaced by .8 px from one to the next."""
    rng = np.random.default_rng(0)
    field = np.fft.fft2(gaussian_filter(rng.standard_normal(shape), 2) * 40 + 15)
    light = (np.fft.ifft2(fourier_shift(field, rng.normal(0, 0.55, 2))).real for _ in range(count))
    return [(120 + 12 * rng.poisson(image.clip(0))).astype(np.uint16) for image in light]


def motion(shape, patch=0):
    """Return the cost of one frame from the camera's uint16 to the moved float32 picture."""
    settings = Settings().with_value("motion.patch", patch)
    frames = shaken(shape)
    stage = Prepare(shape, settings.prepare, settings.cnmf)
    moving, out, turn = Motion(stage.shape, 30.0, stage.bin), np.empty(stage.shape, np.float32), cycle(frames)

    def work():
        image = stage.step(next(turn), settings.prepare, settings.cnmf)
        moving.step(image, settings.motion, out)

    for _ in range(200):
        work()
    return ratio(work, frames[0], 300)


def prepare(shape, **edits):
    """Return the cost of one picture with these settings."""
    settings = Settings()
    for path, value in edits.items():
        settings = settings.with_value(path.replace("__", "."), value)
    frame = shaken(shape, 1)[0]
    stage = Prepare(shape, settings.prepare, settings.cnmf)
    for _ in range(100):
        stage.step(frame, settings.prepare, settings.cnmf)
    return ratio(partial(stage.step, frame, settings.prepare, settings.cnmf), frame)


def found(path):
    """Return the rms error of shifts (px), the share flagged, and the lowest confidence after 1 s."""
    with h5py.File(path) as file:
        movie, true = file["mov"], file["shifts"][:]
        settings = Settings().with_value("cnmf.preset", "1p" if "1p" in path.name else "2p")
        settings = settings.with_value("cnmf.cell_radius", 6.0 if "1p" in path.name else 5.0)
        stage = Prepare(movie.shape[1:], settings.prepare, settings.cnmf)
        moving, out = Motion(stage.shape, 30.0, stage.bin), np.empty(stage.shape, np.float32)
        shifts = [
            moving.step(stage.step(movie[t], settings.prepare, settings.cnmf), settings.motion, out)
            for t in range(len(movie))
        ]
    left = np.array([(shift.dy, shift.dx) for shift in shifts]) + true
    left -= np.median(left, axis=0)
    flagged = np.mean([shift.flag != "" for shift in shifts])
    return float(np.sqrt((left**2).mean())), float(flagged), min(s.confidence for s in shifts[30:])


def main():
    """Print the tables."""
    table(
        "Prepare and motion: from uint16 to the moved float32; memcpy of the uint16 frame",
        [
            *((f"{h}x{w}", motion((h, w))) for h, w in SHAPES),
            ("512x512, patches of 64 px", motion((512, 512), 64)),
        ],
    )
    kinds = {
        "uint16 to float32": {},
        "bin 2": {"prepare__bin": 2},
        "flatten": {"prepare__flatten": "on"},
        "dead pixels": {"prepare__dead_pixels": True},
        "line noise": {"prepare__line_noise": True},
    }
    table(
        "Prepare, 512x512; memcpy of the uint16 frame",
        [(kind, prepare((512, 512), **edits)) for kind, edits in kinds.items()],
    )
    print("\n| movie | shift error, px rms | flagged | lowest confidence |\n|---|---:|---:|---:|")
    for path in map(Path, sys.argv[1:]):
        rms, flagged, lowest = found(path)
        print(f"| {path.stem} | {rms:.4f} | {flagged:.4f} | {lowest:.2f} |", flush=True)


if __name__ == "__main__":
    main()
