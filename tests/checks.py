"""What must be true of the state of `roi_core.cnmf` at any time."""

import numpy as np
import pytest

from tests import naive
from tests.cells import footprint


def check(cells, whole=True):
    """Everything that follows from the footprints and their places is as if made anew."""
    t, n, field = cells.t, cells.count, cells.field
    assert all(len(column) >= n for column in t)
    for name, column in zip(t._fields, t, strict=True):
        known = column[:n]
        assert np.isfinite(known[~np.isinf(known)] if name == "floor" else known).all(), name
    boxes = t.boxes[:n].astype(np.float64)
    assert (boxes >= 0).all()
    np.testing.assert_allclose((boxes**2).sum((1, 2)), 1, rtol=1e-5)
    at = np.arange(field.side) - field.reach
    moments = [boxes.sum((1, 2)), (boxes.sum(2) * at).sum(1), (boxes.sum(1) * at).sum(1)]
    if np.all(getattr(cells, "gain", 1) == 1):
        np.testing.assert_allclose(t.moments[:n], np.transpose(moments), atol=2e-3)
    _check_neighbours(cells, boxes)
    for squares, ends in ((t.boxes, t.rows), (t.patches, t.lines)):
        for square, (first, last) in zip(squares[:n], ends[:n], strict=True):
            rows = np.flatnonzero(square.any(1))
            assert (first, last) == (rows[0], rows[-1] + 1)
    expected = naive.covered(t.patches[:n], t.corners[:n], field.margin, field.binned)
    np.testing.assert_array_equal(cells.cover, expected)
    for i in range(n if whole else 0):
        binned = naive.binned(footprint(cells, i), field.factor)
        wide = np.zeros(np.array(field.binned) + 2 * field.margin + 1)
        y, x = t.corners[i]
        wide[y : y + field.patch, x : x + field.patch] = t.patches[i]
        m = field.margin
        np.testing.assert_allclose(wide[m:-m, m:-m][: len(binned), : binned.shape[1]], binned, atol=1e-6)


def _check_neighbours(cells, boxes):
    """`near` names exactly the cells whose box touches, on both sides, and `gram` their product."""
    t, n, field = cells.t, cells.count, cells.field
    wide = np.zeros((n, *np.array(field.shape) + 2 * field.side))
    for i, (y, x) in enumerate(t.centres[:n] + field.side - field.reach):
        wide[i, y : y + field.side, x : x + field.side] = boxes[i]
    for i in range(n):
        row = t.near[i]
        names = row[row >= 0]
        assert (row[len(names) :] == -1).all()
        apart = np.abs(t.centres[:n] - t.centres[i]).max(1)
        assert sorted(names) == [j for j in np.flatnonzero(apart < field.side) if j != i]
        for m, j in enumerate(names):
            assert i in t.near[j]
            expected = (wide[i] * wide[j]).sum()
            assert t.gram[i, m] == pytest.approx(expected, abs=1e-5)


def well(finder):
    """Check that all state is in step and nothing is NaN."""
    check(finder.census.cells, whole=False)
    assert finder.census.deconvolver.count == finder.census.cells.count
    for array in (
        finder._mean,
        finder._noise,
        finder._ring.slots,
        finder._glow.nodes,
        finder._detector._power,
    ):
        assert np.isfinite(array).all()
