"""Compressed pictures in HDF5: what a reader needs for them, and how one is compressed for a recording.

The filter is bitshuffle with LZ4 (HDF5 filter 32008, github.com/kiyo-masui/bitshuffle). It comes in the
wheel of hdf5plugin and is imported only when a dataset or a recording asks for it.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.errors import MissingExtra, RecordingError

if TYPE_CHECKING:
    from collections.abc import Callable

    import h5py
    from numpy.typing import NDArray

__all__ = ["NEEDS", "bitshuffle", "compressor", "make_readable"]

NEEDS: Final = {
    "none": "none: every HDF5 program reads it",
    "lz4": "bitshuffle + LZ4, HDF5 filter 32008: Python needs hdf5plugin, MATLAB needs HDF5_PLUGIN_PATH",
}
"""What `recorder.compression` asks of a reader, as the file says it."""


def make_readable(dataset: h5py.Dataset) -> None:
    """See to it that `dataset` can be read, by importing what its filters need.

    Raises
    ------
    MissingExtra
        hdf5plugin is needed and not installed.
    RecordingError
        It is of no use: nobody here knows the filter.
    """
    import h5py

    filters = dataset.id.get_create_plist()
    codes = [filters.get_filter(k)[0] for k in range(filters.get_nfilters())]
    if all(map(h5py.h5z.filter_avail, codes)):
        return
    _plugins(f"{dataset.name} of {dataset.file.filename} is compressed; reading it")
    unknown = [code for code in codes if not h5py.h5z.filter_avail(code)]
    if unknown:
        raise RecordingError(
            f"{dataset.name} of {dataset.file.filename} cannot be read: it is compressed with HDF5 filter "
            f"{unknown[0]}, which hdf5plugin does not know"
        )


def bitshuffle() -> Any:
    """Return the words with which a dataset is created; a missing package is one sentence."""
    return _plugins("recorder.compression = lz4").Bitshuffle(cname="lz4")


def compressor(shape: tuple[int, int]) -> Callable[[NDArray[np.uint16]], NDArray[np.uint8]] | None:
    """Return what makes the chunk of a (H, W) uint16 picture; what it gives is valid until the next.

    It holds neither Python's lock nor h5py's, so that readers in the same process need not wait: beside a
    writer of 1280x720 px a small read took 0.3 ms, and 180 ms when HDF5 itself compressed, at the same cost
    (1.7 ms). None where the library does not show the function (Windows): then HDF5 has to.
    """
    try:
        path = _plugins("recorder.compression = lz4").get_config().registered_filters["bshuf"]
        library = ctypes.CDLL(path)
        bound, compress = library.bshuf_compress_lz4_bound, library.bshuf_compress_lz4
        usual = library.bshuf_default_block_size
    except (OSError, AttributeError, KeyError, TypeError):
        return None
    size = ctypes.c_size_t
    for function, words, answer in ((usual, 1, size), (bound, 3, size), (compress, 3, ctypes.c_int64)):
        function.argtypes, function.restype = [size] * words, answer
    compress.argtypes = [ctypes.c_void_p, ctypes.c_void_p, size, size, size]
    count, width = shape[0] * shape[1], 2
    block = usual(width)
    # as HDF5's filter begins a chunk: the bytes of the picture and of a block, highest first
    head = (count * width).to_bytes(8, "big") + (block * width).to_bytes(4, "big")
    out = np.zeros(len(head) + bound(count, width, block), np.uint8)
    out[: len(head)] = np.frombuffer(head, np.uint8)

    def chunk(image: NDArray[np.uint16]) -> NDArray[np.uint8]:
        image = np.ascontiguousarray(image)
        there = out.ctypes.data + len(head)
        taken = compress(image.ctypes.data, there, count, width, block)
        if taken < 0:
            raise OSError(f"bitshuffle could not compress a picture (error {taken})")
        return out[: len(head) + taken]

    return chunk


def _plugins(what: str) -> Any:
    try:
        import hdf5plugin
    except ImportError as error:
        raise MissingExtra(what, "hdf5plugin", "compress") from error
    return hdf5plugin
