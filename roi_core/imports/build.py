"""What readers of results share: sparse footprints from pictures or pixels, and damage as a sentence."""

from __future__ import annotations

from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.errors import RoiError, RoiFileError, brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

__all__ = ["MOST", "believable", "bounded", "readable", "side", "sparse", "stacked"]

MOST: Final = 32_768
"""px; a picture is not larger in either direction, whatever a damaged file says."""
MOST_PICTURES: Final = 2**32
"""px of all footprints written as pictures: 16 384 cells in frames of 512 x 512."""
ROOM: Final = 2**26
"""Bytes that numbers may have whatever is stored of them."""
SQUEEZED: Final = 1100
"""Times that deflate shortens at most, with a little room."""
MOST_WEIGHTS: Final = 2**25
"""px that belong to footprints: 16 384 cells of 2048 px."""


@contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a damaged result raises into a sentence."""
    try:
        yield
    except RoiError:
        raise
    except FileNotFoundError as error:
        missing = error.filename or path
        raise RoiFileError(path, None, f"is no whole {what}: {missing} is not there") from error
    except Exception as error:  # damaged bytes make NumPy, HDF5, zarr and zlib raise whatever they like
        raise RoiFileError(path, None, f"is no {what}, or damaged: {brief(error)}") from error


def side(value: Any) -> int:
    """Return a height or width, refusing what no picture has."""
    number = int(value)
    if not 1 <= number <= MOST:
        raise ValueError(f"a picture with a side of {number} px")
    return number


def bounded(shape: tuple[int, ...]) -> None:
    """Refuse pictures (N, H, W) of which there are more than anybody has: a few bytes can say so."""
    if prod(shape) > MOST_PICTURES:
        raise ValueError(f"pictures of {' x '.join(map(str, shape))}")


def believable(name: str, size: int, stored: int) -> None:
    """Refuse numbers of `size` bytes of which so few are stored that nobody wrote them."""
    if size > ROOM + SQUEEZED * stored:
        raise ValueError(f"{name} says it is larger than its file")


def sparse(columns: Iterable[tuple[NDArray[Any], NDArray[Any]]], shape: tuple[int, int]) -> csc_matrix:
    """Return (H * W, N) footprints of (pixels, weights) of each component; a pixel twice counts twice."""
    from scipy.sparse import csc_matrix

    pairs, together = [], 0
    for column, heights in columns:
        pixels, weights = np.asarray(column, np.int64), _weights(heights)
        together += len(pixels)
        if together > MOST_WEIGHTS:
            raise ValueError(f"footprints of more than {MOST_WEIGHTS} px together")
        if len(pixels) != len(weights) or (
            len(pixels) and not 0 <= pixels.min() <= pixels.max() < shape[0] * shape[1]
        ):
            raise ValueError("a footprint that does not lie on the picture")
        pairs.append((pixels, weights))
    indptr = np.cumsum([0, *(len(pixels) for pixels, _ in pairs)])
    indices = np.concatenate([np.zeros(0, np.int64), *(pixels for pixels, _ in pairs)])
    data = np.concatenate([np.zeros(0, np.float32), *(weights for _, weights in pairs)])
    matrix = csc_matrix((data, indices, indptr), (shape[0] * shape[1], len(pairs)))
    matrix.sum_duplicates()
    return matrix


def stacked(pictures: Iterable[NDArray[Any]], shape: tuple[int, int]) -> csc_matrix:
    """Return (H * W, N) footprints of pictures (H, W), one after the other."""

    def columns() -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for picture in pictures:
            flat = _weights(picture).reshape(-1)
            if flat.size != shape[0] * shape[1]:
                raise ValueError("a footprint of another size than the picture")
            pixels = np.flatnonzero(flat > 0)
            yield pixels, flat[pixels]

    return sparse(columns(), shape)


def _weights(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return finite float32; what is none, or too large for it, is 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(np.asarray(values, np.float32), posinf=0.0, neginf=0.0)
