"""What the simulated camera looks at: how it was grown, how it lives, and the kernels that draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, zoom
from scipy.signal import lfilter
from scipy.sparse import csc_matrix

from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["Dynamics", "Scene", "Stretch", "draw", "scene"]

GRID = 16
"""Pixels between the points at which the smooth neuropil is computed."""
WAVES = 4
"""Neuropil components."""
POOL = 1 << 18
"""Normal numbers to draw noise from; fresh ones for every pixel would cost ten times the frame."""
STRETCH = 64
"""Frames whose cell activity is computed at once; longer stretches would be felt as a late frame."""


@dataclass(frozen=True)
class Scene:
    """The unmoving part, on a canvas with ``pad`` px of margin to move in; K cells, their pixels by row."""

    preset: dict[str, Any]
    shape: tuple[int, int]
    pad: int
    base: NDArray[np.float32]
    waves: NDArray[np.float32]
    """(WAVES, rows, columns) neuropil maps at every `GRID` px of the canvas."""
    starts: NDArray[np.int64]
    """Where each canvas row begins in the three arrays below; (rows + 1,)."""
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    cells: NDArray[np.int32]
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    rest: NDArray[np.float32]
    """(K,) photons at the brightest pixel of a silent cell."""
    peak: NDArray[np.float32]
    """(K,) photons that one spike adds there."""
    noise: NDArray[np.float32]
    seed: int

    def footprints(self) -> csc_matrix:
        """Return (H*W, K) footprints without the margin."""
        height, width = self.shape
        rows = np.repeat(np.arange(len(self.base)), np.diff(self.starts)) - self.pad
        columns = self.columns - self.pad
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        pixels = rows[inside] * width + columns[inside]
        size = height * width, len(self.radii)
        return csc_matrix((self.values[inside], (pixels, self.cells[inside])), shape=size)


def scene(preset: dict[str, Any], shape: tuple[int, int], seed: int) -> Scene:
    """Grow a scene (H, W) px."""
    rng = np.random.default_rng((seed, *shape))
    height, width = shape
    pad = int(np.ceil(3 * (preset["drift"] + preset["jitter"]))) + 2
    canvas = height + 2 * pad, width + 2 * pad
    count = max(1, round(preset["density"] * height * width / 1e6))
    centres = _places(rng, count, shape, preset["radius"])
    cells = [_cell(rng, centre + pad, canvas, preset) for centre in centres]
    rows = np.concatenate([row for row, _, _, _ in cells])
    order = np.argsort(rows, kind="stable")
    grid = canvas[0] // GRID + 3, canvas[1] // GRID + 3
    waves = np.stack([_smooth(rng, grid, 3.0) for _ in range(WAVES)])
    return Scene(
        preset=preset, shape=shape, pad=pad, base=_background(rng, canvas, preset),
        waves=waves.astype(np.float32),
        starts=np.searchsorted(rows[order], np.arange(canvas[0] + 1)),
        columns=np.concatenate([column for _, column, _, _ in cells])[order].astype(np.int32),
        values=np.concatenate([value for _, _, value, _ in cells])[order].astype(np.float32),
        cells=np.repeat(np.arange(count), [len(row) for row, _, _, _ in cells])[order].astype(np.int32),
        centres=centres, radii=np.array([radius for _, _, _, radius in cells]),
        rest=_float32(rng.uniform(preset["f0"][0], preset["f0"][1], count)),
        peak=(preset["peak"] * rng.lognormal(-0.1, 0.4, count)).astype(np.float32),
        noise=rng.standard_normal(POOL + width, np.float32), seed=seed,
    )  # fmt: skip


def _places(rng: Generator, count: int, shape: tuple[int, int], radius: float) -> NDArray[np.float64]:
    """Scatter centres (K, 2): most apart, one in five close enough to overlap, fewer rules when crowded."""
    margin = min(1.2 * radius, min(shape) / 3)
    found = np.empty((0, 2))
    apart = 2.1 * radius
    while len(found) < count:
        for place in rng.uniform(margin, np.subtract(shape, margin), (count, 2)):
            limit = apart * (0.55 if rng.random() < 0.2 else 1.0)
            if not len(found) or np.hypot(*(found - place).T).min() > limit:
                found = np.vstack([found, place])
        apart *= 0.9
    return found[:count]


def _cell(
    rng: Generator, centre: NDArray[np.float64], canvas: tuple[int, int], preset: dict[str, Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], float]:
    """Return (rows, columns, values, radius) of one soma: an uneven outline, a dim nucleus, peak 1."""
    radius = preset["radius"] * rng.uniform(0.8, 1.2)
    reach = int(np.ceil(1.6 * radius + 2 * preset["blur"])) + 1
    first = np.maximum(centre.astype(int) - reach, 0)
    last = np.minimum(centre.astype(int) + reach + 1, canvas)
    y, x = np.mgrid[first[0] : last[0], first[1] : last[1]]
    angle = np.arctan2(y - centre[0], x - centre[1])
    distance = np.hypot(y - centre[0], x - centre[1])
    outline = np.full(angle.shape, radius)
    for lobes in (2, 3, 4):
        outline *= 1 + rng.normal(0, 0.14 / lobes) * np.cos(lobes * angle + rng.uniform(0, 2 * np.pi))
    values = 1 / (1 + np.exp(np.clip((distance - outline) / 0.4, -30, 30)))
    values *= 1 - preset["nucleus"] * np.exp(-((distance / (0.5 * radius)) ** 2))
    values *= 1 + 0.1 * _smooth(rng, angle.shape, 1.5)
    values = gaussian_filter(values, preset["blur"])
    values /= values.max()
    keep = values > 0.02
    return y[keep], x[keep], values[keep], radius


def _background(rng: Generator, canvas: tuple[int, int], preset: dict[str, Any]) -> NDArray[np.float32]:
    """Return resting light (rows, columns) in photons: texture, dark winding vessels, dimmer corners."""
    height, width = canvas
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = 1 + sum(depth * _smooth(rng, canvas, grain) for depth, grain in ((0.1, 1.5), (0.1, 5), (0.12, 40)))
    for _ in range(preset["vessels"]):
        angle, where = rng.uniform(0, np.pi), rng.uniform(-0.45, 0.45) * min(canvas)
        along = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle)
        across = (y - height / 2) * np.cos(angle) - (x - width / 2) * np.sin(angle) - where
        bend = 18 * np.sin(along / rng.uniform(45, 110) + rng.uniform(0, 6)) + 5 * np.sin(along / 17)
        base *= 1 - rng.uniform(0.25, 0.6) * np.exp(-(((across - bend) / rng.uniform(2, 6)) ** 2))
    off = ((y - height / 2) / height) ** 2 + ((x - width / 2) / width) ** 2
    base *= 1 - preset["vignette"] * 2 * off
    return _float32(preset["base"] * np.maximum(base, 0.1))


def _smooth(rng: Generator, shape: tuple[int, ...], sigma: float) -> NDArray[np.float64]:
    """Return a random field of unit variance that is smooth over ``sigma`` px; coarse ones are enlarged."""
    step = max(1, int(sigma / 3))
    small = tuple(side // step + 2 for side in shape)
    field = gaussian_filter(rng.standard_normal(small), sigma / step, mode="reflect")
    if step > 1:
        field = zoom(field, step, order=1)
    field = field[tuple(slice(side) for side in shape)]
    deviation = field.std()
    return np.asarray((field - field.mean()) / (deviation or 1))


class Stretch(NamedTuple):
    """What moves, over n frames."""

    spikes: NDArray[np.uint8]
    calcium: NDArray[np.float32]
    """(n, K) photons at the brightest pixel, above rest."""
    shifts: NDArray[np.float32]
    waves: NDArray[np.float32]
    """(n, WAVES) neuropil amplitudes."""


class Dynamics:
    """The moving part, computed a stretch at a time; going back starts over, so any frame can be had."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._preset = scene.preset
        self._peak = scene.peak
        self._seed = seed
        rng = np.random.default_rng((seed, 1))
        self._restless = rng.lognormal(0, 0.5, len(scene.peak))
        self._phases = rng.uniform(0, 2 * np.pi, (3, 2))
        self._limit = scene.pad - 2
        self._now: Stretch
        self._restart()

    def at(self, index: int) -> tuple[Stretch, int]:
        """Return the stretch that holds a frame, and the frame's row in it."""
        number, row = divmod(index, STRETCH)
        if number < self._number:
            self._restart()
        while self._number < number:
            self._number += 1
            self._now = self._compute(self._number)
        return self._now, row

    def first(self, frames: int) -> Stretch:
        """Return everything about the first frames."""
        parts = [self.at(start)[0] for start in range(0, max(frames, 1), STRETCH)]
        return Stretch(*(np.concatenate(column)[:frames] for column in zip(*parts, strict=True)))

    def _restart(self) -> None:
        cells = len(self._peak)
        self._number = -1
        self._drive = np.zeros((1, cells))
        self._light = np.zeros((2, cells))
        self._shake = np.zeros((1, 2))
        self._wave = np.zeros((1, WAVES))

    def _compute(self, number: int) -> Stretch:
        rng = np.random.default_rng((self._seed, 2, number))
        time = (number * STRETCH + np.arange(STRETCH)) / self._preset["rate"]
        spikes = self._spikes(rng)
        return Stretch(spikes, self._calcium(spikes), self._shifts(rng, time), self._waves(rng, time))

    def _spikes(self, rng: Generator) -> NDArray[np.uint8]:
        """Return counts of bursting Poisson cells: each burst adds spikes for about 0.3 s."""
        rate, fade = self._preset["rate"], np.exp(-1 / (0.3 * self._preset["rate"]))
        size = STRETCH, len(self._peak)
        bursts = rng.random(size) < self._preset["burst"] * self._restless / rate
        strength = bursts * rng.exponential(2.5, size) * (1 - fade)
        drive, self._drive = lfilter([1.0], [1, -fade], strength, axis=0, zi=self._drive)
        quiet = self._preset["quiet"] * self._restless / rate
        return np.asarray(np.minimum(rng.poisson(drive + quiet), 255), np.uint8)

    def _calcium(self, spikes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the response to spikes, AR(2): up within ``rise`` s, down within ``decay`` s, peak 1."""
        rate = self._preset["rate"]
        down, up = (np.exp(-1 / (rate * self._preset[name])) for name in ("decay", "rise"))
        filter_ = [1, -(down + up), down * up]
        height = lfilter([1.0], filter_, np.r_[1.0, np.zeros(int(rate) + 8)]).max()
        light, self._light = lfilter([1 / height], filter_, spikes, axis=0, zi=self._light)
        return _float32(light * self._peak)

    def _shifts(self, rng: Generator, time: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return slow drift plus a short-lived shake, never beyond the margin."""
        noise = rng.standard_normal((STRETCH, 2))
        shake, self._shake = lfilter([1.0], [1, -0.6], noise, axis=0, zi=self._shake)
        turns = np.array([1 / 23.0, 1 / 61.0, 1 / 7.3])[:, None, None] * time[:, None]
        sway = np.array([0.6, 0.9, 0.15]) @ np.sin(2 * np.pi * turns + self._phases[:, None]).reshape(3, -1)
        drift = self._preset["drift"] * sway.reshape(-1, 2)
        shifts = drift + 0.8 * self._preset["jitter"] * shake
        return _float32(np.clip(shifts, -self._limit, self._limit))

    def _waves(self, rng: Generator, time: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return slow waves that follow one another, plus quick common activity."""
        fade = np.exp(-1 / (0.8 * self._preset["rate"]))
        noise = rng.standard_normal((STRETCH, WAVES)) * np.sqrt(1 - fade**2)
        quick, self._wave = lfilter([1.0], [1, -fade], noise, axis=0, zi=self._wave)
        slow = np.sin(2 * np.pi * (time[:, None] / 9.0 + np.arange(WAVES) / WAVES))
        return _float32(self._preset["neuropil"] * (0.6 * slow + 0.5 * quick))


def _float32(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def draw(image: NDArray[np.uint16], scene: Scene, dynamics: Dynamics, index: int) -> None:
    """Fill ``image`` (H, W) with frame ``index``."""
    stretch, row = dynamics.at(index)
    preset = scene.preset
    seconds = index / preset["rate"]
    bleach = 1 - preset["bleach"] * (1 - np.exp(-seconds / 300.0))
    level = 1 + np.tensordot(stretch.waves[row], scene.waves, 1)
    light = scene.rest + stretch.calcium[row]
    # Row by row from another place in the pool, so no pattern repeats from frame to frame.
    places = np.random.default_rng((scene.seed, 3, index)).integers(0, POOL, len(image))
    _draw(
        image, scene.base, level.astype(np.float32), scene.starts, scene.columns, scene.values, scene.cells,
        (light * bleach).astype(np.float32), np.float32(bleach), scene.pad - stretch.shifts[row],
        scene.noise, places, np.array([preset["offset"], preset["gain"], preset["read"]], np.float32),
    )  # fmt: skip


@kernel
def _draw(
    image: NDArray[np.uint16], base: NDArray[np.float32], level: NDArray[np.float32],
    starts: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float32],
    cells: NDArray[np.int32], light: NDArray[np.float32], bleach: np.float32, origin: NDArray[np.float32],
    noise: NDArray[np.float32], places: NDArray[np.int64], camera: NDArray[np.float32],
) -> None:  # fmt: skip
    height, width = image.shape
    top, left = int(origin[0]), int(origin[1])
    down, right = np.float32(origin[0] - top), np.float32(origin[1] - left)
    canvas = np.empty(base.shape[1], np.float32)
    above, below = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(top, top + height + 1):
        above, below = below, above
        _light_row(canvas, y, base, level, bleach)
        for pixel in range(starts[y], starts[y + 1]):
            canvas[columns[pixel]] += values[pixel] * light[cells[pixel]]
        for x in range(width):
            below[x] = canvas[left + x] + right * (canvas[left + x + 1] - canvas[left + x])
        if y > top:
            place = places[y - top - 1]
            _expose(image[y - top - 1], above, below, down, noise[place : place + width], camera)


@kernel
def _light_row(
    canvas: NDArray[np.float32], y: int, base: NDArray[np.float32], level: NDArray[np.float32],
    bleach: np.float32,
) -> None:  # fmt: skip
    """Write one row of resting light times the neuropil level, linear between grid points."""
    at, part = y // GRID, np.float32((y % GRID) / GRID)
    for block in range((len(canvas) + GRID - 1) // GRID):
        start = bleach * (level[at, block] + part * (level[at + 1, block] - level[at, block]))
        end = bleach * (level[at, block + 1] + part * (level[at + 1, block + 1] - level[at, block + 1]))
        slope = (end - start) * np.float32(1 / GRID)
        first = block * GRID
        for x in range(min(GRID, len(canvas) - first)):
            canvas[first + x] = base[y, first + x] * (start + slope * np.float32(x))


@kernel
def _expose(
    row: NDArray[np.uint16], above: NDArray[np.float32], below: NDArray[np.float32], down: np.float32,
    noise: NDArray[np.float32], camera: NDArray[np.float32],
) -> None:  # fmt: skip
    """Turn photons into counts, with the photons' own noise and the camera's."""
    offset, gain, read = camera[0], camera[1], camera[2]
    square, floor, roof = gain * gain, np.float32(0), np.float32(65535)
    for x in range(len(row)):
        photons = above[x] + down * (below[x] - above[x])
        count = offset + gain * photons + np.sqrt(square * photons + read * read) * noise[x]
        row[x] = np.uint16(np.int32(min(max(count, floor), roof)))
