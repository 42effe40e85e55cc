"""The fine picture: the most telling pixels of the full frame, where the sub-pixel displacement comes from.

A displacement is seen where the template is steep: on the outlines of cells and vessels. In the simulated
512x512 field, 30 % of the pixels in blocks of 4 x 16 hold 75 % of what all of them know about it, at 30 % of
the cost; binning by two, at about the same cost, keeps half.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from roi_core.filters import high_passed, room
from roi_core.motion.kernels import BLOCK, blinded, energies, gathered, matched, sloped
from roi_core.motion.newton import solved

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Fine"]

PIXELS = 128_000
"""At most so many pixels are looked at in a step, whatever the size of the field."""
REACH = 8
"""Half side of the box that the high-pass subtracts from the template, px: neuropil must not pull."""
STEPS, SMALL = 3, 0.25
"""Gauss-Newton ends after so many steps or with one this small, px: what it leaves is about its square."""
LONGEST, NUDGE = 1.0, 0.25
"""A step is cut to the first, the response of the template measured by the second, px."""
NUDGES = (NUDGE, 0.0), (-NUDGE, 0.0), (0.0, NUDGE), (0.0, -NUDGE)
"""Up, down, right and left."""


class Fine:
    """Registers frames of `shape` on the blocks of pixels that tell most."""

    def __init__(self, shape: tuple[int, int]) -> None:
        h, w = shape
        # One pixel at the edges has no slope.
        grid = max(0, (h - 2) // BLOCK[0]), max(0, (w - 2) // BLOCK[1])
        self._corner = (h - grid[0] * BLOCK[0]) // 2, (w - grid[1] * BLOCK[1]) // 2
        count = min(grid[0] * grid[1], PIXELS // (BLOCK[0] * BLOCK[1]))
        self._energy = np.zeros(grid, np.float32)
        self._flat, self._room = np.zeros((h, w), np.float32), room(w, REACH)
        self._slopes = np.zeros((2, h, w), np.float32)
        self._next, self._now = Blocks(count), Blocks(count)
        self._sums = np.zeros(7)

    def teach(self, mean: NDArray[np.float32]) -> list[Callable[[], None]]:
        """Return parts of similar cost, to be called in turn, that take the template's mean picture."""
        h = len(mean)
        return [
            partial(self._flatten, mean, (0, h // 2)),
            partial(self._flatten, mean, (h // 2, h)),
            self._slope,
            self._measure,
            self._choose,
            partial(self._model, mean),
            self._level,
            partial(self._gather, 0),
            partial(self._gather, 1),
            self._blind,
            *(partial(self._respond, mean, nudge) for nudge in range(len(NUDGES))),
            self._turn,
        ]

    def _flatten(self, mean: NDArray[np.float32], rows: tuple[int, int]) -> None:
        high_passed(mean, REACH, rows, self._room, self._flat)

    def _slope(self) -> None:
        sloped(self._flat, self._slopes)

    def _measure(self) -> None:
        energies(self._slopes, self._corner, self._room[0], self._energy)

    def _choose(self) -> None:
        self._next.places[:] = self._chosen()

    def _model(self, mean: NDArray[np.float32]) -> None:
        gathered(mean, self._next.places, self._next.model)

    def _level(self) -> None:
        blocks = self._next
        blocks.centre = float(blocks.model.mean(dtype=np.float64)) if blocks.model.size else 0.0
        blocks.model -= np.float32(blocks.centre)

    def _gather(self, axis: int) -> None:
        gathered(self._slopes[axis], self._next.places, self._next.weights[axis])

    def _blind(self) -> None:
        blinded(self._next.weights, self._next.model, self._next.facts)

    def _respond(self, mean: NDArray[np.float32], nudge: int) -> None:
        """Measure the sums when the template is displaced by one of the `NUDGES`.

        The mean learns on between two of them, which is in their difference: 1 % of it at most.
        """
        blocks = self._next
        blocks.sums[nudge] = self._weigh(blocks, mean, NUDGES[nudge])
        blocks.responses[nudge] = blocks.pulls

    def _turn(self) -> None:
        """Use from now on what was learned."""
        up, down, right, left = self._next.sums
        (a, c), (b, d) = ((up - down) / (2 * NUDGE)).tolist(), ((right - left) / (2 * NUDGE)).tolist()
        self._next.hessian = (a, b), (c, d)
        self._next, self._now = self._now, self._next

    def refine(
        self, image: NDArray[np.float32], u: tuple[float, float], gain: float, offset: float
    ) -> tuple[float, float]:
        """Return the displacement of the image near `u`, which must be good to about half a pixel."""
        y, x = u
        blocks = self._now
        for _ in range(STEPS):
            sy, sx = self._weigh(blocks, image, (y, x))
            _, _, my, mx, oney, onex, inside = self._sums.tolist()
            level = offset + gain * blocks.centre
            pull = sy - gain * my - level * oney, sx - gain * mx - level * onex
            share = gain * inside / max(1, len(blocks.places))
            dy, dx = solved(blocks.hessian, pull, share, LONGEST)
            y, x = y - dy, x - dx
            if max(abs(dy), abs(dx)) < SMALL:
                break
        return y, x

    def votes(
        self, image: NDArray[np.float32], u: tuple[float, float], gain: float, offset: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return where the blocks lie (R, 2), their pulls away from `u` (R, 2), their Hessians (R, 2, 2)."""
        blocks = self._now
        self._weigh(blocks, image, u)
        level, inside = offset + gain * blocks.centre, blocks.pulls[:, 2:]
        pulls = blocks.pulls[:, :2] - inside * (gain * blocks.facts[:, :2] + level * blocks.facts[:, 2:])
        up, down, right, left = blocks.responses[:, :, :2]
        hessians = np.stack([up - down, right - left], axis=2) / (2 * NUDGE)
        return blocks.places, pulls / max(gain, 0.05), hessians * inside[:, :, None]

    def _weigh(
        self, blocks: Blocks, image: NDArray[np.float32], u: tuple[float, float]
    ) -> tuple[float, float]:
        matched(image, u, blocks.places, blocks.weights, blocks.facts, blocks.pulls, self._sums)
        return float(self._sums[0]), float(self._sums[1])

    def _chosen(self) -> NDArray[np.int64]:
        """Return the (y, x) of the steepest blocks, in memory order."""
        count, energy = len(self._next.places), self._energy.reshape(-1)
        if count == 0:
            return self._next.places
        best = np.sort(np.argpartition(energy, energy.size - count)[energy.size - count :])
        places = np.stack(np.divmod(best, self._energy.shape[1]), axis=1) * BLOCK + self._corner
        return places.astype(np.int64, copy=False)


class Blocks:
    """Where the blocks begin, their weights, model and facts (see `matched`, `blinded`), and the Hessian."""

    def __init__(self, count: int) -> None:
        self.places = np.zeros((count, 2), np.int64)
        self.weights = np.zeros((2, count, *BLOCK), np.float32)
        self.model = np.zeros((count, *BLOCK), np.float32)
        self.facts = np.zeros((count, 4))
        self.pulls = np.zeros((count, 3))
        self.responses = np.zeros((4, count, 3))
        self.centre = 0.0
        self.sums = np.zeros((4, 2))
        self.hessian = ((0.0, 0.0), (0.0, 0.0))
