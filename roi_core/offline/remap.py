"""The summary maps of a recording anew, from its movie and its settings as they were edited on the way.

Frames are moved by the shifts that were stored: so the maps lie where cells and regions were found, also in
a recording that began long after its session. What no frame showed yet is what its nearest pixel showed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.maps import Maps, on_camera
from roi_core.motion.kernels import PAD, moved
from roi_core.offline.movie import Movie
from roi_core.offline.warm import first_settings
from roi_core.stages import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roi_core.recording import Recording
    from roi_core.settings import Settings
    from roi_core.stages import Preparing

__all__ = ["remap"]


def remap(recording: Recording, progress: Callable[[int, int], None]) -> dict[str, NDArray[np.float32]]:
    """Return (H, W) pictures by name, as a session has them that saw only these frames."""
    settings, edits = first_settings(recording), _edits(recording)
    light, main = recording.channel, settings.channels.main
    chain, shifts = _Chain(recording.shape), recording.shifts
    frames = zip(recording.frame_index.tolist(), Movie(recording, settings).frames(), strict=True)
    for row, (index, image) in enumerate(frames):
        for path, value in edits.get(index, ()):
            settings = settings.with_value(path, value)
        if light is None or light[row] == main:
            chain.step(image, settings, None if shifts is None else shifts[row])
        progress(row + 1, recording.rows)
    return chain.pictures()


def _edits(recording: Recording) -> dict[int, list[tuple[str, Any]]]:
    """Return what was changed at each frame: paths and new values."""
    edits = defaultdict(list)
    for event in recording.events:
        if event.kind == "setting" and "path" in event.data:
            edits[event.frame].append((str(event.data["path"]), event.data.get("new")))
    return edits


class _Chain:
    """prepare -> move -> maps, each made when it is first wanted, as in `roi_core.analysis`."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._prepare: Preparing | None = None
        self._place: _Place | None = None
        self._maps: Maps | None = None

    def step(self, image: NDArray[np.uint16], settings: Settings, shift: NDArray[np.float32] | None) -> None:
        """Take a frame that was moved by `shift` (dy, dx) px of the camera, if anything is on."""
        if not (settings.motion.enabled or settings.cnmf.enabled):
            return
        self._prepare = self._prepare or load("prepare")(self._shape, settings.prepare, settings.cnmf)
        picture = self._prepare.step(image, settings.prepare, settings.cnmf)
        if shift is not None and np.isfinite(shift).all():
            u = -float(shift[0]) / self._prepare.bin, -float(shift[1]) / self._prepare.bin
            self._place = self._place or _Place(picture, u)
            picture = self._place.put(picture, u)
        self._maps = self._maps or Maps(self._prepare.shape)
        self._maps.step(picture)

    def pictures(self) -> dict[str, NDArray[np.float32]]:
        """Return the maps as pictures of the camera; none when nothing was on."""
        if self._prepare is None or self._maps is None:
            return {}
        place = self._shape, self._prepare.origin, self._prepare.bin
        return {name: on_camera(picture, *place) for name, picture in self._maps.pictures().items()}


class _Place:
    """Moves pictures as a whole; what one does not show is as in the mean of all, of which `first` is one."""

    def __init__(self, first: NDArray[np.float32], u: tuple[float, float]) -> None:
        y, x = (np.clip(np.arange(n) + round(part), 0, n - 1) for n, part in zip(first.shape, u, strict=True))
        self._mean, self._out = first[np.ix_(y, x)], np.zeros_like(first)
        self._line = np.zeros(first.shape[1] + 2 * PAD, np.float32)
        self._count = 0

    def put(self, picture: NDArray[np.float32], u: tuple[float, float]) -> NDArray[np.float32]:
        """Return the picture displaced by `u`; good until the next."""
        self._count += 1
        lesson = (1 / self._count, 0, 1, math.inf)
        flat, stride = self._out.reshape(-1), self._out.shape[1]
        moved(picture, u, self._mean, (1.0, 0.0), lesson, self._line, flat, stride)
        return self._out
