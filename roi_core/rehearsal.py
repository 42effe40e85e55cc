"""Little pictures with blinking cells, on which a stage is compiled before it meets a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["LARGER", "LITTLE", "pictures", "targets"]

LITTLE: Final = 64
"""Side of the pictures, px."""
LARGER: Final = 304
"""Side from which motion correction works in another way, px."""
CENTRES: Final = ((20, 20), (22, 44), (44, 30))


def pictures(number: int, side: int = LITTLE) -> Iterator[NDArray[np.float32]]:
    """Yield (side, side) pictures in which cells blink in turn, the same ones each time."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    cells = [np.exp(-((y - v) ** 2 + (x - u) ** 2) / 18.0) for v, u in CENTRES]
    still = 1000.0 + 100.0 * np.sin(y / 5.0) * np.cos(x / 4.0)
    glow = np.zeros(len(cells))
    for n in range(number):
        glow *= 0.8
        glow[n // 7 % len(cells)] += 300.0 if n % 7 == 3 else 0.0
        lit = sum(g * cell for g, cell in zip(glow, cells, strict=True))
        yield (still + lit + random.normal(0, 10, still.shape)).astype(np.float32)


def targets(side: int = LITTLE) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return both kinds of arrays that pictures are written to: whole ones, and parts of wider ones."""
    wider = np.zeros((side + 2, side + 2), np.float32)
    return np.zeros((side, side), np.float32), wider[1:-1, 1:-1]
