"""What goes once through all kernels of a stage, on little pictures, so that no frame meets the compiler.

Every option of a stage is on, so that none is compiled when it is switched on while a camera runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.maps import Maps
from roi_core.settings import Settings
from roi_core.stages import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["cells", "maps", "motion", "prepare"]

LITTLE: Final = 64
"""Side of the pictures, px."""
LARGER: Final = 304
"""Side from which motion correction works in another way, px."""
PATCH: Final = 32
"""Side of the patches of motion correction, px."""
SETTLED: Final = 40
"""Pictures after which patches and the search for dead pixels are at work."""
CENTRES: Final = ((20, 20), (22, 44), (44, 30))


def prepare() -> None:
    """Mend, bin and flatten a picture."""
    settings = Settings().with_texts(
        "prepare.dead_pixels=true", "prepare.line_noise=true", "prepare.flatten=on"
    )
    little = load("prepare")((LITTLE, LITTLE), settings.prepare, settings.cnmf)
    for _ in range(SETTLED):
        little.step(np.zeros((LITTLE, LITTLE), np.uint16), settings.prepare, settings.cnmf)


def motion() -> None:
    """Register small and larger pictures as a whole, then small ones in patches."""
    settings = Settings()
    for side in (LITTLE, LARGER):
        little = load("motion")((side, side), 30.0, 1)
        for target in targets(side):
            for picture in pictures(4, side):
                little.step(picture, settings.motion, target)
    patches = settings.with_value("motion.patch", PATCH).motion
    little = load("motion")((LITTLE, LITTLE), 30.0, 1)
    for picture in pictures(SETTLED):
        for target in targets():
            little.step(picture, patches, target)


def maps() -> None:
    """Add pictures to the summary maps."""
    for target in targets():
        Maps((LITTLE, LITTLE)).step(target)


def cells() -> None:
    """Let cells live and die."""
    getattr(load("cnmf"), "warm_up", bool)()


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
