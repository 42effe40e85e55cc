"""Little pictures with blinking cells, on which a stage is compiled before it meets a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.rois import RoiSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_core.settings import Settings

__all__ = ["LARGER", "LITTLE", "pictures", "rehearse", "targets"]

LITTLE: Final = 64
"""Side of the pictures, px."""
LARGER: Final = 304
"""Side from which motion correction works in another way, px."""
RATE: Final = 10.0
"""Pictures per second of the little film; slow, so that everything that takes seconds comes soon."""
LENGTH: Final = 160
"""Pictures until cells were found, learned and judged."""
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


def rehearse(kind: Any, settings: Settings) -> None:
    """Let a finder of cells work through a little film, unless it knows itself how to warm up."""
    warm_up = getattr(kind, "warm_up", None)
    if warm_up is not None:
        warm_up()
        return
    plain = settings.with_texts("cnmf.cell_radius=4", "cnmf.buffer=5", "cnmf.lag=0.5", "cnmf.max_cells=100")
    finder = kind((LITTLE, LITTLE), RATE, plain)
    try:
        for row, picture in enumerate(pictures(LENGTH)):
            np.copyto(finder.input, picture)
            finder.step(row, plain, RoiSet())
        finder.pause()
        finder.step(LENGTH + 1, plain, RoiSet())
        finder.finish()
    finally:
        finder.close()
