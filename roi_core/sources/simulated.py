"""A microscope without a microscope: cells whose truth is known, paced like a camera.

``truth`` tells where every cell is and what it does, so tests can ask for it and the demo can draw on it.
Frame ``k`` depends on the preset, the size and the seed only, never on which frames were taken before it.

Image formation, in photons per pixel and frame::

    scene_t = bleach_t * (base * (1 + neuropil_t) + sum_k A_k * (f0_k + c_k[t]))
    frame_t = offset + gain * moved_t + N(0, read**2 + gain**2 * moved_t)

with ``moved_t`` the scene displaced by ``shifts[t] = (dy, dx)`` px, ``c_k`` calcium that rises and decays
after each spike, and the photon noise taken as Gaussian.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.errors import SourceNotFound
from roi_core.frame import Frame
from roi_core.sources.base import PATIENCE, Clock, asked
from roi_core.sources.fibres import Fibres
from roi_core.sources.knobs import WHOLE, Knob, Readout, Region, turn, wishes
from roi_core.sources.scene import Dynamics, Scene, draw, scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from roi_core.frame import Counter
    from roi_core.settings import LiveSettings

    Draw = Callable[[NDArray[np.uint16], int], None]

__all__ = ["PRESETS", "Simulated", "Truth"]

log = logging.getLogger(__name__)

TWO_PHOTON: dict[str, Any] = {
    "size": (512, 512), "rate": 30.0, "density": 620, "radius": 7.0, "nucleus": 0.55, "blur": 0.8,
    "base": 9.0, "f0": (1.0, 5.0), "peak": 20.0, "neuropil": 0.16, "vessels": 5, "vignette": 0.25,
    "rise": 0.05, "decay": 0.6, "burst": 0.12, "quiet": 0.08, "drift": 1.5, "jitter": 0.25,
    "bleach": 0.15, "gain": 55.0, "offset": 400.0, "read": 45.0,
}  # fmt: skip

PRESETS: dict[str, dict[str, Any]] = {
    "2p": TWO_PHOTON,
    "dense": TWO_PHOTON | {"density": 1900, "radius": 5.5, "peak": 18.0},
    "1p": TWO_PHOTON | {
        "size": (640, 480), "density": 330, "radius": 8.0, "nucleus": 0.0, "blur": 3.0, "base": 420.0,
        "f0": (10.0, 40.0), "peak": 150.0, "neuropil": 0.05, "vessels": 9, "vignette": 0.7,
        "gain": 14.0, "offset": 300.0, "read": 40.0,
    },
    "miniscope": TWO_PHOTON | {
        "size": (608, 608), "rate": 20.0, "density": 300, "radius": 9.0, "nucleus": 0.0, "blur": 3.5,
        "base": 380.0, "f0": (10.0, 40.0), "peak": 140.0, "neuropil": 0.06, "vessels": 11,
        "vignette": 0.9, "drift": 2.5, "jitter": 0.5, "gain": 16.0, "offset": 500.0, "read": 90.0,
    },
    "tiny": TWO_PHOTON | {"size": (64, 48), "density": 1900, "radius": 4.0, "vessels": 1},
    "photometry": {
        "size": (256, 192), "rate": 40.0, "radius": 20.0, "fibres": (4, 3), "base": 4.0, "f0": (60.0, 200.0),
        "peak": 0.12, "events": 0.12, "movements": 0.15, "bleach": 0.3, "gain": 60.0, "offset": 400.0,
    },
}  # fmt: skip
"""What each kind of preparation looks like.

``size`` (width, height) and ``radius`` ``blur`` ``drift`` ``jitter`` in px, ``rate`` in Hz, ``density`` in
cells per million px, ``base`` ``f0`` ``peak`` in photons, ``rise`` ``decay`` in s, ``burst`` ``quiet`` in
events per second and cell, ``gain`` ``offset`` ``read`` in camera counts, the rest as fractions. One with
``fibres`` (columns, rows) is another scene: see `roi_core.sources.fibres`.
"""


@dataclass(frozen=True)
class Truth:
    """What the simulated cells are and do. K cells; centres (K, 2) px (y, x); radii (K,) px."""

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    _scene: Scene
    _seed: int
    _part: Region | None = None

    @cached_property
    def footprints(self) -> csc_matrix:
        """(H*W, K) brightness of each cell, 1 at its brightest pixel, C-order pixels y*W + x, unmoved."""
        whole = self._scene.footprints()
        if self._part is None:
            return whole
        pixels = np.arange(whole.shape[0]).reshape(self._scene.shape)
        return whole[_of(pixels, self._part).ravel()]

    def circles(self) -> NDArray[np.float64]:
        """Return (K, 3) rows of xc, yc, r, as ROI files write them."""
        return np.column_stack([self.centres[:, ::-1], self.radii])

    def spikes(self, frames: int) -> NDArray[np.uint8]:
        """Return (frames, K) spike counts of the first frames."""
        return self._dynamics().first(frames).spikes

    def calcium(self, frames: int) -> NDArray[np.float32]:
        """Return (frames, K) calcium above rest, in photons at each cell's brightest pixel."""
        return self._dynamics().first(frames).calcium

    def shifts(self, frames: int) -> NDArray[np.float32]:
        """Return (frames, 2) displacement (dy, dx) px of the scene; undo it to register."""
        return self._dynamics().first(frames).shifts

    def part(self, region: Region) -> Truth:
        """Return the same of a part of the scene; cells beside it stay, with centres beside it."""
        corner = np.array([region.y, region.x])
        return Truth(self.centres - corner, self.radii, self._scene, self._seed, region)

    def _dynamics(self) -> Dynamics:
        return Dynamics(self._scene, self._seed)


class Simulated:
    """The camera: endless unless ``length`` frames are asked for; ``paced=False`` gives them at once."""

    def __init__(
        self, text: str, settings: LiveSettings, *, seed: int = 0, length: int | None = None,
        paced: bool = True, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        preset = PRESETS.get(text or "2p")
        if preset is None:
            raise SourceNotFound(f"there is no preset {text!r}; there are {', '.join(PRESETS)}")
        wish = asked(settings.current.camera.format)
        width, height = (wish.width, wish.height) if wish else preset["size"]
        self.name = f"simulated:{text or '2p'}"
        self.shape = (height, width)
        self.rate: float = (wish.rate if wish else None) or preset["rate"]
        self.live = paced
        self.counter: Counter = "camera" if paced else "file"
        self.length = length
        self.punctual = paced and clock is None
        self._clock = clock or Clock()
        self._closed = threading.Event()
        self.truth: Truth | Fibres
        """What is there to be found."""
        self._draw = self._look_at(preset | {"rate": self.rate}, seed)
        if "fibres" in preset and not settings.current.channels.order:
            log.warning("%s shows 470 and 415 nm in turn: set channels.order to 470,415", self.name)
        self.readout = None if isinstance(self.truth, Fibres) else Readout(0, 0, width, height)
        self._crop(wishes(settings.current.camera).get("crop"))
        self._image = np.empty(self.shape, np.uint16)
        self._draw(self._image, 0)

    def frames(self) -> Iterator[Frame]:
        """Yield frames at their deadlines; a consumer more than `PATIENCE` frames late loses some."""
        start = self._clock.now() if self.live else 0.0
        index = 0
        while not self._closed.is_set():
            if self.live:
                late = (self._clock.now() - start) * self.rate - index
                index += int(late) if late > PATIENCE else 0
            if self.length is not None and index >= self.length:
                return
            # Drawn ahead of its deadline, so that the frame is not late by what drawing costs.
            self._draw(self._image, index)
            due = start + index / self.rate
            early = due - self._clock.now() if self.live else 0.0
            if early > 0 and self._clock.wait(self._closed, early):
                return
            yield Frame(self._image, index, due)
            index += 1

    def close(self) -> None:
        """Stop at the next frame boundary, also from within the wait."""
        self._closed.set()

    def _crop(self, wish: Region | None) -> None:
        """Show a part of the scene, as a camera reads out a part of its sensor; tell what cannot be."""
        offer = "a part of {1}x{0}".format(*self.shape)
        knob = Knob(lambda: Region(*(self.readout or WHOLE)[:4]), self._cut, lambda: offer, "px")
        said = turn("crop", knob if self.readout else None, wish, ()) if wish is not None else ""
        if said:
            log.warning("%s %s", self.name, said)

    def _cut(self, wish: Region) -> None:
        if wish == WHOLE:
            return
        whole, draw_whole = np.empty(self.shape, np.uint16), self._draw
        part = _of(whole, wish)
        if part.shape != (wish.height, wish.width):
            raise ValueError(wish)

        def draw_part(image: NDArray[np.uint16], index: int) -> None:
            draw_whole(whole, index)
            image[:] = part

        self._draw, self.shape = draw_part, part.shape
        self.readout = Readout(wish.x or 0, wish.y or 0, wish.width, wish.height)
        if isinstance(self.truth, Truth):
            self.truth = self.truth.part(wish)

    def _look_at(self, preset: dict[str, Any], seed: int) -> Draw:
        """Make the scene and the truth about it; return what draws frame k of it into a picture."""
        if "fibres" in preset:
            self.truth = fibres = Fibres(preset, self.shape, seed)
            return fibres.draw
        self._scene = grown = scene(preset, self.shape, seed)
        self._dynamics = dynamics = Dynamics(grown, seed)
        self.truth = Truth(grown.centres, grown.radii, grown, seed)
        return lambda image, index: draw(image, grown, dynamics, index)


def _of(picture: NDArray[Any], part: Region) -> NDArray[Any]:
    """Return what a region shows of a picture; less where it reaches beyond."""
    x, y = part.x or 0, part.y or 0
    return picture[y : y + part.height, x : x + part.width]
