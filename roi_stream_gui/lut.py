"""Colours of the picture: what each shade looks like. Knows no toolkit.

A palette is (256, 3) float32: `SHADES` colours from black to white, then the colour of pixels at zero and
that of pixels at the camera's limit, so that marking them costs nothing while a picture is painted.
``viridis`` and ``inferno`` are matplotlib's (CC0), as OpenCV ships them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["DARK", "FULL", "NAMES", "SHADES", "palette"]

SHADES: Final = 254
"""Shades of a picture: as many as a screen of 8 bits can show beside the two marks."""
DARK: Final = 254
"""Index of the colour of pixels at zero."""
FULL: Final = 255
"""Index of the colour of pixels at the camera's limit."""
RED: Final = (1.0, 0.12, 0.10)
BLUE: Final = (0.16, 0.36, 1.0)
CYAN: Final = (0.0, 0.90, 1.0)
MAGENTA: Final = (1.0, 0.20, 0.90)

Curve = tuple[float, ...]
RAMPS: Final[dict[str, tuple[Curve, Curve, Curve]]] = {
    "gray": ((0, 1), (0, 1), (0, 1)),
    "inverted": ((1, 0), (1, 0), (1, 0)),
    "green": ((0, 0), (0, 1), (0, 0)),
    "red": ((0, 1), (0, 0), (0, 0)),
    "hot": ((0, 1, 1, 1), (0, 0, 1, 1), (0, 0, 0, 1)),
    "cyan hot": ((0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1)),
}
"""Red, green and blue at equal distances from the darkest to the brightest shade."""
MAPS: Final = {"inferno": cv2.COLORMAP_INFERNO, "viridis": cv2.COLORMAP_VIRIDIS}
NAMES: Final = ("gray", "inverted", "green", "red", "inferno", "viridis", "hot", "cyan hot")
MARKS: Final = {"red": (BLUE, CYAN), "hot": (BLUE, CYAN), "inferno": (BLUE, CYAN), "cyan hot": (MAGENTA, RED)}
"""Colours of (zero, limit) where blue and red would be lost among the shades."""


@cache
def palette(name: str) -> NDArray[np.float32]:
    """Return the palette (256, 3) float32 of a name."""
    out = np.empty((256, 3), np.float32)
    shades: Callable[[str], NDArray[np.float64]] = _published if name in MAPS else _ramp
    out[:SHADES] = shades(name)
    out[DARK], out[FULL] = MARKS.get(name, (BLUE, RED))
    return out


def _ramp(name: str) -> NDArray[np.float64]:
    at = np.linspace(0, 1, SHADES)
    return np.stack([np.interp(at, np.linspace(0, 1, len(curve)), curve) for curve in RAMPS[name]], axis=1)


def _published(name: str) -> NDArray[np.float64]:
    """Return the shades of one of OpenCV's tables of 256."""
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], MAPS[name])[:, 0, ::-1] / 255.0
    at = np.linspace(0, 255, SHADES)
    return np.stack([np.interp(at, np.arange(256), table[:, k]) for k in range(3)], axis=1)
