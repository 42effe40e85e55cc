"""The one picture that is uploaded to the graphics card.

Dear PyGui checks nothing: a buffer that is too small is read out of bounds and the process dies, one of
another dtype shows noise, and a deleted texture leaks its transfer buffer. So: one raw texture, allocated
once, written in place, and everything checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROOM", "Texture"]

ROOM = (816, 1280)
"""(height, width) px. Just below 2**20 px: above it a drawn frame took 21 instead of 13 ms (llvmpipe)."""


class Texture:
    """A raw RGBA float32 texture and the array behind it. Every render uploads it, so there is only one."""

    def __init__(self, room: tuple[int, int] = ROOM) -> None:
        self.room = room
        self.pixels = self._checked(np.zeros((*room, 4), np.float32))
        self.pixels[..., 3] = 1.0
        with dpg.texture_registry():
            self.id: int = dpg.add_raw_texture(
                room[1], room[0], self.pixels, format=dpg.mvFormat_Float_rgba, tag=dpg.generate_uuid()
            )

    def corners(self, rows: int, columns: int) -> tuple[list[float], list[float]]:
        """Return (uv_min, uv_max) of the top left `rows` x `columns`, for a plot whose y axis points down."""
        return [0.0, rows / self.room[0]], [columns / self.room[1], 0.0]

    def _checked(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if pixels.dtype != np.float32 or not pixels.flags.c_contiguous or pixels.shape != (*self.room, 4):
            raise TypeError(f"a texture of {self.room} needs a contiguous float32 array, not {pixels.shape}")
        return pixels
