"""What a movie costs on its way to the disk: ours beside the raw disk, Zarr, TIFF and CaImAn's memmap.

1280x720 uint16, a smooth background with shot noise; 60 of them a second are 111 MB. CPU is of the whole
process, so that threads of a compressor count; MB are of pixels, until the last byte is on the disk
(fdatasync).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from benchmarks.live_step import rois
from roi_core.frame import FinishReason, Header, Sample, Summary
from roi_core.settings import Settings
from roi_core.sinks.hdf5 import Recorder

SHAPE = (720, 1280)
KINDS = 12
"""Different pictures that take turns."""


def pictures():
    """Return (KINDS, H, W) uint16."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    light = 800 + 300 * np.sin(x / 300) * np.cos(y / 200)
    chance = np.random.default_rng(0)
    return np.stack([chance.poisson(light) for _ in range(KINDS)]).astype(np.uint16)


def raw(path, count):
    """Yield what writes a frame: bytes into a file."""
    with path.open("wb", buffering=0) as file:
        yield lambda row, image: file.write(image)


def ours(compression):
    """Return our recorder, with the means of 100 regions, flushed four times a second."""

    def open_(path, count):
        regions = rois(100, SHAPE)
        texts = ("recorder.movie=true", f"recorder.compression={compression}")
        recorder = Recorder(path.with_suffix(".h5"))
        settings = Settings().with_texts(*texts)
        recorder.open(Header("benchmark", SHAPE, 60.0, "camera", settings, regions))
        means = np.zeros(100, np.float32)

        def write(row, image):
            recorder.write(Sample(row, row, row / 60, image, regions, regions.ids, means, None))
            if row % 15 == 14:
                recorder.flush()

        yield write
        recorder.close(Summary(FinishReason.COMPLETED))

    return open_


def zarr_(compressor):
    """Return a Zarr array, one frame a chunk."""

    def open_(path, count):
        import zarr

        codec = None
        if compressor:
            codec = zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")
        array = zarr.create_array(
            path, shape=(count, *SHAPE), chunks=(1, *SHAPE), dtype="uint16", compressors=codec
        )

        def write(row, image):
            array[row] = image

        yield write

    return open_


def tiff(path, count):
    """Yield what writes a frame: a contiguous BigTIFF stack."""
    import tifffile

    with tifffile.TiffWriter(path.with_suffix(".tif"), bigtiff=True) as file:
        yield lambda row, image: file.write(image, contiguous=True)


def memmap(path, count):
    """Yield what writes a frame: float32, pixels by frames in Fortran order, each picture in it, too."""
    size = SHAPE[0] * SHAPE[1]
    array = np.memmap(path, np.float32, "w+", shape=(size, count), order="F")

    def write(row, image):
        array[:, row] = image.ravel(order="F")

    yield write
    array.flush()


WAYS = {
    "the raw disk: bytes into a file": raw,
    "ours, uncompressed": ours("none"),
    "ours, bitshuffle + LZ4": ours("lz4"),
    "Zarr, uncompressed": zarr_(False),
    "Zarr, Blosc bitshuffle + LZ4": zarr_(True),
    "TIFF, contiguous (tifffile)": tiff,
    "CaImAn's way: memmap, float32, order F": memmap,
}


def measure(folder, way, images, count):
    """Return (CPU ms a frame, MB/s, ms a frame at the median and the worst, ratio)."""
    writer = way(folder / "movie", count)
    write = next(writer)
    walls = np.zeros(count)
    write(0, images[0])
    begun, cpu = perf_counter(), process_time()
    for row in range(1, count):
        start = perf_counter()
        write(row, images[row % KINDS])
        walls[row] = perf_counter() - start
    next(writer, None)
    cpu = process_time() - cpu
    size = settle(folder)
    seconds = perf_counter() - begun
    mega = images[0].nbytes * count / 1e6
    return 1e3 * cpu / count, mega / seconds, 1e3 * np.median(walls), 1e3 * walls.max(), mega * 1e6 / size


def settle(folder):
    """Put every file on the disk; return their bytes."""
    size = 0
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fdatasync(file.fileno())
            size += path.stat().st_size
    return size


def main(count=400):
    """Print the table."""
    images = pictures()
    print(f"{count} frames of {SHAPE[1]}x{SHAPE[0]} uint16; 60 Hz need 111 MB/s and leave 16.7 ms for each\n")
    print("| way | CPU ms a frame | MB/s on the disk | wall ms, median | wall ms, worst | smaller |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, way in WAYS.items():
        folder = Path(tempfile.mkdtemp(prefix="writers"))
        try:
            cpu, speed, median, worst, ratio = measure(folder, way, images, count)
        finally:
            shutil.rmtree(folder)
        print(
            f"| {name} | {cpu:.2f} | {speed:.0f} | {median:.2f} | {worst:.0f} | {ratio:.2f} x |", flush=True
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
