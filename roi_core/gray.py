"""Any camera image as 16-bit gray, value for value as MATLAB's `to_uint16_gray`.

The recording, the masks and the cell finder all start here, so a number in our files can be compared with a
number from the MATLAB side. The camera formats of every day take one pass over the frame and no allocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["to_uint16_gray"]

# MATLAB's weights of red, green and blue; their sum is 1.0000000001.
RED, GREEN, BLUE = 0.2989360213, 0.5870430745, 0.1140209043


def to_uint16_gray(
    image: ArrayLike,
    out: NDArray[np.uint16] | None = None,
    *,
    input_range: tuple[float, float] | None = None,
) -> NDArray[np.uint16]:
    """Give `image` as (H, W) uint16; the result never shares memory with `image`.

    Without `input_range`: uint8 is stretched by 257, uint16 kept, bool becomes 0 or 65535. For every other
    type the largest value of the image (NaN left out) tells the scale: up to 1 it is stretched by 65535, up
    to 255 by 257, beyond that the values are kept. Gray = 0.2989360213 R + 0.5870430745 G + 0.1140209043 B
    in float64, rounded once, half away from zero; NaN and negatives give 0, values above 65535 give 65535.

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA with the fourth channel ignored; bool,
        integers or floats
    out : a C-contiguous (H, W) uint16 buffer to fill and return
    input_range : (low, high) of the input, mapped to 0 and 65535. The default looks at each image by itself,
        so a live float or int camera should set this; otherwise its scale jumps when the brightest pixel
        crosses 1 or 255.

    Raises
    ------
    ValueError
        When the image has another shape or type, or `out` or `input_range` do not fit.
    """
    pixels = _checked(np.asarray(image))
    out = _buffer(out, pixels.shape[:2])
    if pixels.size == 0:
        return out
    if input_range is None and pixels.dtype == np.uint16 and pixels.ndim == 2:
        np.copyto(out, pixels)
    elif input_range is None and pixels.dtype == np.uint8:
        stretch = _gray8 if pixels.ndim == 2 else _bgr8 if pixels.shape[2] == 3 else _bgra8
        stretch(np.ascontiguousarray(pixels).reshape(-1), out.reshape(-1))
    else:
        _by_scale(pixels, out, input_range)
    return out


def _by_scale(pixels: NDArray[Any], out: NDArray[np.uint16], span: tuple[float, float] | None) -> None:
    """Convert what no kernel of its own is for: look for the scale, unless it is given, then stretch."""
    colour = pixels.ndim == 3
    values = _native(pixels[:, :, :3] if colour else pixels).reshape(-1)
    low, scale = _span(values, pixels.dtype) if span is None else _given_span(span)
    (_stretch_bgr if colour else _stretch)(values, low, scale, out.reshape(-1))


def _checked(image: NDArray[Any]) -> NDArray[Any]:
    """Refuse what is not a picture; a single channel becomes (H, W)."""
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"an image of shape {image.shape} cannot become gray; "
            "(H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA is needed"
        )
    if image.dtype.kind not in "buif":
        raise ValueError(
            f"an image of type {image.dtype} cannot become gray; bool, integers or floats are needed"
        )
    return image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image


def _buffer(out: NDArray[np.uint16] | None, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    if out is None:
        return np.empty(shape, np.uint16)
    if out.shape != shape or out.dtype != np.uint16 or not out.flags.c_contiguous:
        order = "" if out.flags.c_contiguous else ", not C-contiguous"
        raise ValueError(
            f"out is {out.dtype} of shape {out.shape}{order}; "
            f"a C-contiguous uint16 buffer of shape {shape} is needed"
        )
    return out


def _native(pixels: NDArray[Any]) -> NDArray[Any]:
    """Give the pixels C-contiguous and in a type that the kernels read."""
    if pixels.dtype == np.bool_:
        return np.ascontiguousarray(pixels).view(np.uint8)
    dtype = pixels.dtype.newbyteorder("=")
    if dtype.kind == "f":
        dtype = np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return np.ascontiguousarray(pixels, dtype=dtype)


def _span(values: NDArray[Any], dtype: np.dtype[Any]) -> tuple[float, float]:
    """(value that becomes 0, factor) of an image that tells its own scale."""
    if dtype == np.bool_:
        return 0.0, 65535.0
    if dtype == np.uint16:
        return 0.0, 1.0
    largest = np.fmax.reduce(values)
    if largest <= 1:
        return 0.0, 65535.0
    return 0.0, 257.0 if largest <= 255 else 1.0


def _given_span(input_range: tuple[float, float]) -> tuple[float, float]:
    low, high = map(float, input_range)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(
            f"input_range = {input_range!r}: two finite numbers (low, high) with low < high are needed"
        )
    return low, 65535.0 / (high - low)


# 257 times the weights with 32 bits after the point, in two halves: uint32 lanes hold 257 * gray with 16 bits
# after the point, and the carry from the lower half makes it exact for all 2^24 colours (test_every_colour).
# Flat indices, because numba does not vectorise image[y, x, 0] (2.3 ms instead of 0.25 ms at 720p).
_R, _G, _B = (round(weight * 257 * 2**32) for weight in (RED, GREEN, BLUE))
_R_HIGH, _G_HIGH, _B_HIGH = np.uint32(_R >> 16), np.uint32(_G >> 16), np.uint32(_B >> 16)
_R_LOW, _G_LOW, _B_LOW = np.uint32(_R & 0xFFFF), np.uint32(_G & 0xFFFF), np.uint32(_B & 0xFFFF)
_HALF, _16 = np.uint32(1 << 15), np.uint32(16)


@kernel
def _gray_of(b: np.uint32, g: np.uint32, r: np.uint32) -> np.uint16:
    low = np.uint32(np.uint32(_R_LOW * r) + np.uint32(_G_LOW * g) + np.uint32(_B_LOW * b))
    high = np.uint32(np.uint32(_R_HIGH * r) + np.uint32(_G_HIGH * g) + np.uint32(_B_HIGH * b))
    return np.uint16(np.uint32(high + _HALF + np.uint32(low >> _16)) >> _16)


@kernel
def _bgr8(bgr: NDArray[np.uint8], out: NDArray[np.uint16]) -> None:
    for i in range(out.size):
        out[i] = _gray_of(np.uint32(bgr[3 * i]), np.uint32(bgr[3 * i + 1]), np.uint32(bgr[3 * i + 2]))


@kernel
def _bgra8(bgra: NDArray[np.uint8], out: NDArray[np.uint16]) -> None:
    for i in range(out.size):
        out[i] = _gray_of(np.uint32(bgra[4 * i]), np.uint32(bgra[4 * i + 1]), np.uint32(bgra[4 * i + 2]))


@kernel
def _gray8(gray: NDArray[np.uint8], out: NDArray[np.uint16]) -> None:
    for i in range(out.size):
        out[i] = np.uint16(gray[i]) * np.uint16(257)


@kernel
def _stretch(values: NDArray[Any], low: float, scale: float, out: NDArray[np.uint16]) -> None:
    for i in range(out.size):
        out[i] = _rounded((np.float64(values[i]) - low) * scale)


@kernel
def _stretch_bgr(bgr: NDArray[Any], low: float, scale: float, out: NDArray[np.uint16]) -> None:
    for i in range(out.size):
        b, g, r = np.float64(bgr[3 * i]), np.float64(bgr[3 * i + 1]), np.float64(bgr[3 * i + 2])
        out[i] = _rounded((RED * r + GREEN * g + BLUE * b - low) * scale)


@kernel
def _rounded(value: float) -> np.uint16:
    """Half away from zero; floor(value + 0.5) would lift 0.49999999999999994 to 1."""
    if not value > 0.0:
        return np.uint16(0)
    if value >= 65535.0:
        return np.uint16(65535)
    whole = np.int32(value)
    return np.uint16(whole + np.int32(value - whole >= 0.5))
