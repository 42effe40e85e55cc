"""What it costs to make a camera image 16-bit gray, beside OpenCV's 8-bit gray and its scaling."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from benchmarks.paired import ratio, table
from roi_core.gray import to_uint16_gray

SIZES = {"1280x720": (720, 1280), "512x512": (512, 512)}


def image(shape, dtype, channels=0):
    """Return noise: the slowest case for a branch, the same as any other for the kernels."""
    top = 256 if dtype == np.uint8 else 4096
    whole = (*shape, channels) if channels else shape
    return np.random.default_rng(0).integers(0, top, whole).astype(dtype)


def opencv(bgr, gray, out):
    """Return 8 bits stretched to 16: what OpenCV offers for the same work, already rounded to 8 bits."""
    cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY, dst=gray)
    np.multiply(gray, 257, out=out, dtype=np.uint16)


def rows(name, shape):
    """Return one row per camera format of this size."""
    out, gray = np.empty(shape, np.uint16), np.empty(shape, np.uint8)
    colour = image(shape, np.uint8, 3)
    formats = {
        "BGR uint8": colour,
        "gray uint8": image(shape, np.uint8),
        "gray uint16": image(shape, np.uint16),
        "gray int16": image(shape, np.int16),
        "gray float32": image(shape, np.float32),
        "BGRA uint8": image(shape, np.uint8, 4),
        "BGR uint16": image(shape, np.uint16, 3),
    }
    works = {f"{name} {kind}": partial(to_uint16_gray, pixels, out) for kind, pixels in formats.items()}
    works[f"{name} gray int16, input_range given"] = partial(
        to_uint16_gray, formats["gray int16"], out, input_range=(-2048, 2047)
    )
    works[f"{name} BGR uint8, cv2.cvtColor alone (8 bits)"] = partial(
        cv2.cvtColor, colour, cv2.COLOR_BGR2GRAY, dst=gray
    )
    works[f"{name} BGR uint8, cv2.cvtColor and x257"] = partial(opencv, colour, gray, out)
    return [(kind, ratio(work, out)) for kind, work in works.items()]


def main():
    """Print the tables."""
    cv2.setNumThreads(1)
    for name, shape in SIZES.items():
        table(f"Conversion to 16-bit gray, {name}; memcpy of the uint16 frame", rows(name, shape))


if __name__ == "__main__":
    main()
