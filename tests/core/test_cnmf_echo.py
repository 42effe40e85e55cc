"""A candidate beside a bright cell is one only if it is more than an error of that cell's footprint."""

import numpy as np
import pytest

from roi_core.cnmf.detect import Candidate
from roi_core.cnmf.echo import _shown, stands_alone
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
    assert not stands_alone(candidate, cells.count, cells.t, past, 5)
    assert stands_alone(candidate, 0, cells.t, past, 5), "alone it is a cell"


def test_what_has_a_life_of_its_own_is_a_cell():
    own = 8.0 * (np.arange(FRAMES) % 40 > 25)
    candidate, cells, past = scene(own)
    assert stands_alone(candidate, cells.count, cells.t, past, 5)


@pytest.mark.parametrize("known", [0, 7])
def test_neighbours_without_a_past_say_nothing(known):
    candidate, cells, past = scene(8.0 * (np.arange(FRAMES) % 40 < 12))
    past[:] = np.nan
    assert stands_alone(candidate, cells.count, cells.t, past[:known], 5)


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (3, -2), (-4, 1), (12, 0), (0, -9), (-30, 40)])
def test_a_patch_is_shown_where_it_lies(dy, dx):
    patch, side = np.random.default_rng(1).random((9, 9)).astype(np.float32) - 0.2, 12
    expected = np.zeros((side, side), np.float32)
    for y in range(side):
        for x in range(side):
            if 0 <= y - dy < 9 and 0 <= x - dx < 9:
                expected[y, x] = max(patch[y - dy, x - dx], 0)
    np.testing.assert_array_equal(_shown(patch, dy, dx, side), expected)
