"""Lines with fewer points that look the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_stream_gui.slim import SEEN, corners, slim

heights = st.lists(st.floats(-50, 50) | st.just(float("nan")), min_size=1, max_size=60)


def parts(x, y):
    """The pieces of a broken line."""
    at = np.flatnonzero(np.isnan(y))
    pieces = zip(np.split(x, at), np.split(y, at), strict=True)
    return [(a[~np.isnan(b)], b[~np.isnan(b)]) for a, b in pieces if (~np.isnan(b)).any()]


@given(heights, st.floats(0.01, 5))
def test_no_point_is_further_away_than_allowed(values, away):
    x, y = np.arange(len(values), dtype=float), np.array(values)
    slimmed = slim(x, y, away)
    assert np.isnan(slimmed[1]).sum() == np.isnan(y).sum()
    before, after = parts(x, y), parts(*slimmed)
    assert len(before) == len(after)
    for (x0, y0), (x1, y1) in zip(before, after, strict=True):
        assert (x1[0], x1[-1]) == (x0[0], x0[-1])
        assert np.abs(np.interp(x0, x1, y1) - y0).max() <= away * (1 + 1e-9)


@given(heights, st.floats(0.01, 5))
def test_upright_pieces_keep_their_height(values, away):
    """Two points at each moment, the extremes of a column: none of their heights is lost."""
    y = np.repeat(np.array(values), 2)
    y[1::2] += 3.0
    x = np.repeat(np.arange(len(values), dtype=float), 2)
    at, kept = slim(x, y, away)
    assert set(np.column_stack([at, kept])[~np.isnan(kept)].ravel()) <= set(np.column_stack([x, y]).ravel())
    for value in y[~np.isnan(y)]:
        assert np.nanmin(np.abs(kept - value)) <= 2 * away + 3.0
    np.testing.assert_allclose(np.nanmax(kept, initial=-99), np.nanmax(y, initial=-99), atol=away)
    np.testing.assert_allclose(np.nanmin(kept, initial=99), np.nanmin(y, initial=99), atol=away)


def test_a_straight_line_is_two_points_and_a_step_four():
    x = np.arange(100.0)
    assert slim(x, 0.5 * x, 0.1)[0].tolist() == [0, 99]
    assert slim(x, np.where(x < 50, 0.0, 9.0), 0.1)[0].tolist() == [0, 49, 50, 99]


@pytest.mark.parametrize("radius", [0.0, 0.5, 4.6, 30.0, 90.0])
def test_a_circle_looks_round(radius):
    count = corners(radius)
    assert 12 <= count <= 48
    assert radius * (1 - np.cos(np.pi / count)) <= SEEN / 2 + 1e-9
