"""What the tests of both faces look at: a little simulated movie, its truth, and a stand-in for xarray."""

from typing import NamedTuple

import numpy as np

from roi_core.settings import LiveSettings
from roi_core.sources.simulated import Simulated

RATE, RADIUS, FRAMES = 30.0, 4.0, 500


class Movie(NamedTuple):
    frames: np.ndarray
    shape: tuple
    footprints: np.ndarray
    calcium: np.ndarray
    shifts: np.ndarray


def tiny():
    source = Simulated("tiny", LiveSettings(), length=FRAMES, paced=False)
    frames = np.array([frame.image.copy() for frame in source.frames()])
    assert source.rate == RATE
    truth = source.truth
    return Movie(
        frames, source.shape, truth.footprints.toarray(), truth.calcium(FRAMES), truth.shifts(FRAMES)
    )


def likeness(footprints, movie):
    """Return (true cells, found cells) cosines, at the best common place of the template."""
    found = footprints.toarray()
    found /= np.linalg.norm(found, axis=0)
    true = movie.footprints / np.linalg.norm(movie.footprints, axis=0)
    picture = true.reshape(*movie.shape, -1)
    places = [(dy, dx) for dy in range(-3, 4) for dx in range(-3, 4)]
    tables = [np.roll(picture, place, (0, 1)).reshape(true.shape).T @ found for place in places]
    return max(tables, key=lambda table: table.max(1).sum())


class DataArray:
    """As much of xarray's as is looked at."""

    def __init__(self, values, dims):
        self.values, self.dims = values, dims

    @property
    def shape(self):
        return self.values.shape

    def transpose(self, *dims):
        order = [self.dims.index(dim) for dim in dims]
        return DataArray(self.values.transpose(order), dims)
