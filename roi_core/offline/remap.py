"""The summary maps of a recording anew, from its movie and its settings as they were edited on the way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.maps import Maps, on_camera
from roi_core.offline.movie import Movie
from roi_core.offline.warm import first_settings
from roi_core.stages import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roi_core.recording import Recording
    from roi_core.settings import Settings
    from roi_core.stages import Moving, Preparing

__all__ = ["remap"]


def remap(recording: Recording, progress: Callable[[int, int], None]) -> dict[str, NDArray[np.float32]]:
    """Return (H, W) pictures by name, as a session on these frames has them at its end."""
    settings, edits = first_settings(recording), _edits(recording)
    light, main = recording.channel, settings.channels.main
    every = max(len(recording.channel_names), 1)
    chain = _Chain(recording.shape, float(recording.attributes["frame_rate"]) / every)
    frames = zip(recording.frame_index.tolist(), Movie(recording, settings).frames(), strict=True)
    for row, (index, image) in enumerate(frames):
        for path, value in edits.get(index, ()):
            settings = settings.with_value(path, value)
        if light is None or light[row] == main:
            chain.step(image, settings)
        progress(row + 1, recording.rows)
    return chain.pictures()


def _edits(recording: Recording) -> dict[int, list[tuple[str, Any]]]:
    """Return what was changed at each frame: paths and new values."""
    edits = defaultdict(list)
    for event in recording.events:
        if event.kind == "setting":
            edits[event.frame].append((str(event.data["path"]), event.data["new"]))
    return edits


class _Chain:
    """prepare -> motion -> maps, each made when it is first wanted, as in `roi_core.analysis`."""

    def __init__(self, shape: tuple[int, int], rate: float) -> None:
        self._shape, self._rate = shape, rate
        self._prepare: Preparing | None = None
        self._motion: Moving | None = None
        self._maps: Maps | None = None

    def step(self, image: NDArray[np.uint16], settings: Settings) -> None:
        """Take a frame, if anything is on."""
        if not (settings.motion.enabled or settings.cnmf.enabled):
            return
        if self._prepare is None:
            self._prepare = load("prepare")(self._shape, settings.prepare, settings.cnmf)
            self._moved = np.zeros(self._prepare.shape, np.float32)
        picture = self._prepare.step(image, settings.prepare, settings.cnmf)
        if settings.motion.enabled:
            if self._motion is None:
                self._motion = load("motion")(self._prepare.shape, self._rate, self._prepare.bin)
            self._motion.step(picture, settings.motion, self._moved)
            picture = self._moved
        self._maps = self._maps or Maps(self._prepare.shape)
        self._maps.step(picture)

    def pictures(self) -> dict[str, NDArray[np.float32]]:
        """Return the maps as pictures of the camera; none when nothing was on."""
        if self._prepare is None or self._maps is None:
            return {}
        place = self._shape, self._prepare.origin, self._prepare.bin
        return {name: on_camera(picture, *place) for name, picture in self._maps.pictures().items()}
