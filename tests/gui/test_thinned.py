"""Traces thinned to the columns of a screen."""

import numpy as np
import pytest

from roi_core.ring import Rows
from roi_stream_gui.thinned import Thinned


def rows_of(times, values):
    values = np.asarray(values, np.float32)
    return Rows(0, np.asarray(times, float), np.arange(len(times)), values, values)


def slow_thin(times, values, width):
    out = {}
    for time, value in zip(times, values, strict=True):
        out.setdefault(int(time // width), []).append(value)
    return [(n, np.nanmin(v), np.nanmax(v)) for n, v in sorted(out.items())]


class TestThinned:
    @pytest.mark.parametrize("pieces", [1, 7, 400])
    def test_equals_its_slow_twin_however_the_rows_arrive(self, pieces):
        rng = np.random.default_rng(pieces)
        times = np.cumsum(rng.uniform(0.005, 0.03, 800))
        values = rng.normal(size=(800, 3)).astype(np.float32)
        thinned = Thinned(5.0, 60, 60.0)
        for part in np.array_split(np.arange(800), pieces):
            thinned.take(rows_of(times[part], values[part]), values[part])
        twin = slow_thin(times, values[:, 1], thinned.width)[-thinned.count :]
        shown = thinned.lane(1).reshape(-1, 2)
        kept = min(len(twin), len(shown))
        assert kept >= 60
        np.testing.assert_array_equal(shown.min(axis=1)[-kept:], [low for _, low, _ in twin[-kept:]])
        np.testing.assert_array_equal(shown.max(axis=1)[-kept:], [high for _, _, high in twin[-kept:]])
        np.testing.assert_allclose(thinned.times()[::2][-1], (twin[-1][0] + 0.5) * thinned.width)

    def test_a_new_column_begins_now_and_the_others_stay(self):
        thinned = Thinned(2.0, 20, 10.0)
        thinned.take(rows_of([0.05, 0.15], [[1], [2]]), np.array([[1], [2]], np.float32))
        wider = np.array([[3, 9]], np.float32)
        thinned.take(rows_of([0.25], wider), wider)
        assert thinned.lane(0).tolist() == [1, 1, 2, 2, 3, 3]
        assert np.isnan(thinned.lane(1)[:4]).all()
        assert thinned.lane(1)[4:].tolist() == [9, 9]

    def test_the_two_values_of_a_column_are_in_the_order_they_came(self):
        thinned = Thinned(2.0, 10, 10.0)
        values = np.array([[5], [1], [2], [7]], np.float32)
        thinned.take(rows_of([0.05, 0.15, 0.25, 0.35], values), values)
        assert thinned.lane(0).tolist() == [5, 1, 2, 7]

    def test_a_region_that_is_gone_leaves_a_hole(self):
        thinned = Thinned(2.0, 20, 10.0)
        values = np.array([[1], [np.nan], [3]], np.float32)
        thinned.take(rows_of([0.05, 0.15, 0.25], values), values)
        assert np.isnan(thinned.lane(0)[2:4]).all()

    def test_a_slow_camera_leaves_no_holes(self):
        thinned = Thinned(20.0, 600, 7.0)
        times = np.arange(140) / 7.0
        values = np.ones((140, 1), np.float32)
        thinned.take(rows_of(times, values), values)
        assert not np.isnan(thinned.lane(0)).any()

    def test_nothing_yet_is_an_empty_line(self):
        assert Thinned(5.0, 100, 30.0).times().size == 0
