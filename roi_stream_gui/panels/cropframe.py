"""The dashed frame round what is analysed, or what the camera is to send; amber while it waits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import dearpygui.dearpygui as dpg
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from roi_stream_gui.crop import Crop, Rectangle

__all__ = ["CropFrame", "dashes", "fitting"]

DASH: Final = 7.0
"""Screen px of a dash, and of the gap after it."""
INK: Final = (235, 240, 248)
WAITS: Final = (240, 170, 48)
LABEL: Final = 12.0
"""Screen px; height of the word in the frame."""
MARGIN: Final = 3


class CropFrame:
    """One line series with gaps, and a word when it waits."""

    def __init__(
        self, theme_line: tuple[int, int], plot: int, axis: int, labels: Mapping[bool, tuple[str, ...]]
    ) -> None:
        self._labels = labels
        self._line = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
        theme, self._ink = theme_line
        dpg.bind_item_theme(self._line, theme)
        with dpg.draw_layer(parent=plot):
            self._label = dpg.draw_text([0, 0], "crop", size=1, show=False, color=(*WAITS, 255))
        self._shown: tuple[object, ...] | None = None

    def update(self, crop: Crop, zoom: float) -> None:
        """Draw the crop; `zoom` is screen px per camera px."""
        rectangle = crop.shown
        state = (rectangle, crop.waits, round(zoom, 3))
        if state == self._shown:
            return
        self._shown = state
        dpg.configure_item(self._line, show=rectangle is not None)
        dpg.configure_item(self._label, show=rectangle is not None and not crop.busy)
        if rectangle is None:
            return
        x, y = dashes(rectangle, DASH / max(zoom, 1e-6))
        dpg.set_value(self._line, [x, y])
        dpg.set_value(self._ink, [*(WAITS if crop.waits else INK), 255])
        dpg.configure_item(
            self._label, pos=[rectangle[0] + MARGIN / zoom, rectangle[1] + 2 / zoom], size=LABEL / zoom,
            text=fitting(self._labels[crop.waits], rectangle[2] * zoom - 2 * MARGIN, _width),
            color=(*(WAITS if crop.waits else INK), 255),
        )  # fmt: skip


def fitting(texts: tuple[str, ...], room: float, width: Callable[[str], float]) -> str:
    """Return the first text that is no wider than the room there is; '' when none is."""
    return next((text for text in texts if width(text) <= room), "")


def _width(text: str) -> float:
    """Return how wide a text of the label is, screen px."""
    size = dpg.get_text_size(text)
    return LABEL * size[0] / size[1] if size and size[1] else 0.6 * LABEL * len(text)


def dashes(rectangle: Rectangle, length: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of the dashes round (x, y, width, height), with NaN between them, camera px."""
    x, y, w, h = rectangle
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], float) - 0.5
    parts = []
    for start, end in pairwise(corners):
        side = float(np.hypot(*(end - start)))
        count = max(int(side / (2 * length)), 1)
        at = (np.arange(count)[:, None] + (0.0, 0.55)) / count
        points = start + at[..., None] * (end - start)
        parts.append(np.concatenate([points, np.full((count, 1, 2), np.nan)], axis=1).reshape(-1, 2))
    line = np.concatenate(parts)
    return np.ascontiguousarray(line[:, 0]), np.ascontiguousarray(line[:, 1])
