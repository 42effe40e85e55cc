"""A candidate beside a bright cell is one only if it is more than an error of that cell's footprint."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from roi_core.cnmf.detect import Candidate
from roi_core.cnmf.echo import ERROR, _error, beside, stands_alone
from tests.cells import add, empty

FRAMES = 200


def scene(faint, seed=0):
    """A bright cell that fires often, and a candidate 3 px beside it with the trace `faint` (its own)."""
    random, cells = np.random.default_rng(seed), empty((48, 52), 4.0)
    add(cells, random, (24, 26))
    t, side = cells.t, 2 * round(cells.field.radius / cells.field.factor) + 3
    past = 1000 * (np.arange(FRAMES) % 40 < 12).astype(np.float32)[:, None] + random.normal(0, 1, (FRAMES, 1))
    y, x = t.corners[0] + (len(t.patches[0]) - side) // 2
    grid = np.hypot(*np.mgrid[-(side // 2) : side // 2 + 1, -(side // 2) : side // 2 + 1])
    shape = np.exp(-(grid**2) / 4).astype(np.float32)
    trace = (faint + random.normal(0, 0.2, FRAMES)).astype(np.float32)
    return (
        Candidate(int(y), int(x) + 3 // cells.field.factor, shape, trace, FRAMES),
        cells,
        past.astype(np.float32),
    )


def test_what_follows_a_bright_neighbour_is_its_echo():
    echo = 8.0 * (np.arange(FRAMES) % 40 < 12)
    candidate, cells, past = scene(echo)
    assert not stands_alone(candidate, beside(candidate, 1, cells.t), cells.t, past, 5)
    assert stands_alone(candidate, np.zeros(0, np.int64), cells.t, past[:, :0], 5), "alone it is a cell"


def test_what_has_a_life_of_its_own_is_a_cell():
    own = 8.0 * (np.arange(FRAMES) % 40 > 25)
    candidate, cells, past = scene(own)
    assert stands_alone(candidate, beside(candidate, 1, cells.t), cells.t, past, 5)


@pytest.mark.parametrize("known", [0, 7])
def test_neighbours_without_a_past_say_nothing(known):
    candidate, cells, past = scene(8.0 * (np.arange(FRAMES) % 40 < 12))
    past[:] = np.nan
    assert stands_alone(candidate, beside(candidate, 1, cells.t), cells.t, past[:known], 5)


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (3, -2), (-4, 1), (12, 0), (0, -9), (-30, 40)])
def test_the_error_is_that_of_the_dilated_footprint(dy, dx):
    random, side, reach = np.random.default_rng(1), 12, 9
    patches = random.random((2, reach, reach)).astype(np.float32) - 0.2
    shape = random.random((side, side)).astype(np.float32)
    past = random.normal(0, 5, (40, 1)).astype(np.float32)
    past[:7] = np.nan
    wide = np.zeros((side + 120, side + 120), np.float32)
    wide[60 + dy : 60 + dy + reach, 60 + dx : 60 + dx + reach] = np.maximum(patches[1], 0)
    there = cv2.dilate(wide[60 : 60 + side, 60 : 60 + side].copy(), np.ones((3, 3), np.uint8))
    share = (there * shape).sum() / (shape**2).sum()
    expected = np.nan_to_num(ERROR * share * abs(past[:, 0] - np.nanmedian(past)))
    corners = np.array([[0, 0], [7 + dy, 5 + dx]])
    found = _error((7, 5), shape, np.array([1]), patches, corners, past)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_those_beside_are_all_whose_patch_it_could_touch():
    candidate, cells, _ = scene(np.zeros(FRAMES))
    reach = cells.t.patches.shape[1]
    for away, touches in ((reach - 1, 1), (reach, 0), (-reach, 0)):
        moved = replace(candidate, y=int(cells.t.corners[0, 0]) + away, x=int(cells.t.corners[0, 1]))
        assert len(beside(moved, cells.count, cells.t)) == touches
