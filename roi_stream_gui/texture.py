"""The picture as it is uploaded to the graphics card: only what the screen can show, only when it is new.

Dear PyGui checks nothing: a buffer that is too small is read out of bounds and the process dies, one of
another dtype shows noise, and a deleted texture leaks its transfer buffer. So: raw textures of a few sizes,
allocated once, written in place, and everything checked here.

Every render uploads every texture of a registry, new or not: 5 ms for one of the largest size. In a stage a
texture keeps what it shows and costs nothing, so that is where it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROOMS", "Sheet", "Texture"]

ROOMS: Final = ((204, 320), (408, 640), (612, 960), (816, 1280))
"""(height, width) px. Just below 2**20 px: above it a drawn frame took 21 instead of 13 ms (llvmpipe)."""
RENDERS: Final = 2
"""Until an upload is seen: the first render fills the transfer buffer, the next one copies it."""


class Sheet:
    """A raw RGBA float32 texture and the array behind it; it shows one render late what was written."""

    def __init__(self, room: tuple[int, int]) -> None:
        self.room = room
        self.pixels = self._checked(np.zeros((*room, 4), np.float32))
        self.pixels[..., 3] = 1.0
        self._left = 0
        with dpg.texture_registry() as self._work:
            pass
        with dpg.stage() as self._rest:
            self.id: int = dpg.add_raw_texture(
                room[1], room[0], self.pixels, format=dpg.mvFormat_Float_rgba, tag=dpg.generate_uuid()
            )

    def written(self) -> None:
        """Upload at the next renders: something was written."""
        if not self._left:
            dpg.move_item(self.id, parent=self._work)
        self._left = RENDERS + 1

    def tick(self) -> None:
        """Let it rest once it is seen; called for every drawn frame, before anything is written."""
        if self._left:
            self._left -= 1
            if not self._left:
                dpg.move_item(self.id, parent=self._rest)

    @property
    def busy(self) -> bool:
        """Tell whether the next render uploads it."""
        return self._left > 0

    def corners(self, rows: int, columns: int) -> tuple[list[float], list[float]]:
        """Return (uv_min, uv_max) of the top left `rows` x `columns`, for a plot whose y axis points down."""
        return [0.0, rows / self.room[0]], [columns / self.room[1], 0.0]

    def _checked(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if pixels.dtype != np.float32 or not pixels.flags.c_contiguous or pixels.shape != (*self.room, 4):
            raise TypeError(f"a texture of {self.room} needs a contiguous float32 array, not {pixels.shape}")
        return pixels


class Texture:
    """The sheets of the picture, the smallest first, and those that others have made."""

    def __init__(self) -> None:
        self.sheets = tuple(map(Sheet, ROOMS))
        self._all = list(self.sheets)

    @property
    def room(self) -> tuple[int, int]:
        """(height, width) of the largest of the picture, px."""
        return self.sheets[-1].room

    def sheet(self, rows: int, columns: int) -> Sheet:
        """Return the smallest sheet of the picture that holds so much."""
        fits = (sheet for sheet in self.sheets if sheet.room[0] >= rows and sheet.room[1] >= columns)
        return next(fits, self.sheets[-1])

    def make(self, room: tuple[int, int]) -> Sheet:
        """Return a sheet for something else than the picture."""
        self._all.append(Sheet(room))
        return self._all[-1]

    def tick(self) -> None:
        """Let those rest that are seen; once per drawn frame."""
        for sheet in self._all:
            sheet.tick()
