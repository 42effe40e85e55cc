"""Cells whose truth is known: crowds for the kernels of `roi_core.cnmf`, little films for the whole of it."""

from typing import NamedTuple

import numpy as np

from roi_core.cnmf.background import Glow
from roi_core.cnmf.online import OnlineCNMF
from roi_core.cnmf.state import Cells, Field
from roi_core.settings import Settings

RATE = 30.0
FRAMES = 600
"""Length of the film that most tests see (`movie`)."""


def blob(side, width, y=0.0, x=0.0):
    """A (side, side) Gaussian spot, cut off where it is faint, its middle (y, x) px off that of the box."""
    v, u = np.mgrid[:side, :side] - side // 2
    spot = np.exp(-((v - y) ** 2 + (u - x) ** 2) / (2 * width**2))
    return np.where(spot > 0.1, spot, 0).astype(np.float32)


def inside(box, centre, shape):
    """The box, zero where it lies beyond the picture."""
    reach = len(box) // 2
    out = box.copy()
    for axis in (0, 1):
        place = centre[axis] - reach + np.arange(len(box))
        beyond = (place < 0) | (place >= shape[axis])
        out[(beyond, slice(None)) if axis == 0 else (slice(None), beyond)] = 0
    return out


def empty(shape=(48, 52), radius=3.0):
    field = Field(shape, radius)
    glow = glow_of(field)
    return Cells(field, glow.grid, glow.gain)


def glow_of(field):
    """A glow for a field, that nothing is known of."""
    return Glow(field.binned, field.radius / field.factor, 0.1)


def add(cells, random, centre=None, born=0):
    """A cell of random width, anywhere."""
    shape = cells.field.shape
    if centre is None:
        centre = tuple(int(random.integers(size)) for size in shape)
    width = max(1.0, cells.field.radius * random.uniform(0.4, 0.7))
    box = inside(blob(cells.field.side, width, *random.uniform(-1, 1, 2)), centre, shape)
    return cells.add(box * np.float32(random.uniform(0.1, 50)), centre, born, 0, 100 + cells.count)


def crowd(number, shape=(48, 52), radius=3.0, seed=0):
    """Cells thrown on a field at random, so that many overlap; also at the edges."""
    random, cells = np.random.default_rng(seed), empty(shape, radius)
    for _ in range(number):
        add(cells, random)
    return cells, random


def footprint(cells, i):
    """The (H, W) float64 footprint of cell i on the picture."""
    field, side = cells.field, cells.field.side
    wide = np.zeros(np.array(field.shape) + 2 * field.reach)
    y, x = cells.t.centres[i]
    wide[y : y + side, x : x + side] = cells.t.boxes[i]
    return wide[field.reach : -field.reach, field.reach : -field.reach]


def padded(picture, margin):
    return np.pad(np.asarray(picture, np.float32), margin)


class Film(NamedTuple):
    """(T, H, W) float32 pictures, and the centres (K, 2), footprints (K, H, W) and calcium (T, K) in them."""

    pictures: np.ndarray
    centres: np.ndarray
    footprints: np.ndarray
    calcium: np.ndarray

    def found(self, components, reach=3.0):
        """For each true cell the index of the accepted component whose middle lies within reach, or -1."""
        middles, accepted = middles_of(components), components.status == 1
        out = []
        for centre in self.centres:
            far = np.where(accepted, np.hypot(*(middles - centre).T), np.inf) if len(middles) else [np.inf]
            out.append(int(np.argmin(far)) if np.min(far) <= reach else -1)
        return out


def middles_of(components):
    """The centres of mass (N, 2) of all footprints; NaN of those that are no more."""
    out = np.full((len(components.ids), 2), np.nan)
    for k, (a, b) in enumerate(zip(components.indptr[:-1], components.indptr[1:], strict=True)):
        if b > a:
            place = np.array(np.divmod(components.indices[a:b], components.shape[1]))
            out[k] = (place * components.data[a:b]).sum(1) / components.data[a:b].sum()
    return out


CENTRES = np.array([[14, 14], [14, 44], [32, 30], [33, 36], [50, 14], [49, 48], [30, 52]])
"""Two of them overlap."""


def film(frames=600, centres=CENTRES, shape=(64, 64), width=2.4, peak=60.0, noise=8.0, seed=0):
    """Cells that blink now and then over a still picture with a slow glow and noise."""
    random, number = np.random.default_rng(seed), len(centres)
    y, x = np.mgrid[: shape[0], : shape[1]]
    spots = [np.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * width**2)) for v, u in centres]
    footprints = np.array(spots, np.float32).reshape(number, *shape)
    spikes = (random.random((frames, number)) < 0.6 / RATE) * random.uniform(0.6, 1.4, (frames, number))
    calcium, now = np.zeros((frames, number), np.float32), np.zeros(number)
    for t in range(frames):
        now = now * np.exp(-1 / (0.5 * RATE)) + peak * spikes[t]
        calcium[t] = now
    still = 400 + 40 * np.sin(y / 7.0) * np.cos(x / 9.0)
    glow = 6 * np.sin(np.arange(frames) / 41.0)[:, None, None] * np.cos(y / 40.0)
    lit = np.tensordot(calcium, footprints, 1) if number else 0.0
    pictures = still + glow + lit + random.normal(0, noise, (frames, *shape))
    return Film(pictures.astype(np.float32), np.asarray(centres), footprints, calcium)


SETTINGS = Settings().with_texts("cnmf.enabled=true", "cnmf.cell_radius=5", "cnmf.buffer=5")


def run(finder, pictures, settings=SETTINGS, first=0):
    """Step through pictures; what each step answered."""
    answers = []
    for row, picture in enumerate(pictures, first):
        np.copyto(finder.input, picture)
        answers.append(finder.step(row, settings))
    return answers


def trace(answers, cell, name="calcium"):
    """One component's values (T,) of an array of the answers, NaN where it was not."""
    out = np.full(len(answers), np.nan)
    for row, answer in enumerate(answers):
        if cell in answer.ids:
            out[row] = getattr(answer, name)[answer.ids.index(cell)]
    return out


def finder_for(pictures, settings=SETTINGS, **more):
    return OnlineCNMF(pictures.shape[1:], RATE, settings, **more)


def beside(finder, pictures, settings=SETTINGS, every=6):
    """Step like a camera slower than the detector's thread: every few frames it is done."""
    answers = []
    for row, picture in enumerate(pictures):
        answers += run(finder, [picture], settings, row)
        while row % every == 0 and finder._aside.busy and not finder._aside._done:
            pass
    return answers


def agreement(movie, answers, start=0):
    """Correlation of each true cell's calcium with that of the component found for it, since birth."""
    components, out = answers[-1].components, []
    for true, k in zip(movie.calcium.T, movie.found(components), strict=True):
        assert k >= 0, "a cell was not found"
        ours = trace(answers, int(components.ids[k]))
        known = np.isfinite(ours) & (np.arange(len(ours)) >= start)
        out.append(np.corrcoef(ours[known], true[-len(ours) :][known])[0, 1])
    return np.array(out)
