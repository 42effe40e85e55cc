"""How traces are put beside each other, and what tells their units; rows of the raster."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.rois.roiset import given_colour
from roi_stream_gui import heat, words
from roi_stream_gui.heights import Heights, bar, clock_ticks, limits_of, nice, value_ticks
from roi_stream_gui.lineup import ALIKE, LANES, Lane, Lineup, _apart, told_apart

ROI, ROI2, CELL = Lane(1, "a", (0, 0, 0)), Lane(2, "b", (0, 0, 0)), Lane(5, "cell 5", (0, 0, 0), True)


@pytest.mark.parametrize("own", [True, False])
def test_stacked_traces_stay_in_their_lanes(own):
    lanes, ranges = [ROI, ROI2, CELL], [(0.0, 10.0), (100.0, 104.0), (-1.0, 3.0)]
    places = Heights().stacked(lanes, ranges, own, 0.3)
    for k, (place, (low, high)) in enumerate(zip(places, ranges, strict=True)):
        y = place.y(np.array([low, high]))
        assert len(lanes) - k - 1 < y[0] < y[1] < len(lanes) - k
    assert (places[0].gain == places[1].gain) == (not own)


def test_a_shared_scale_stays_until_the_hand_changes_it():
    heights = Heights()
    first = heights.stacked([ROI], [(0.0, 10.0)], False, 0.3)[0]
    assert heights.stacked([ROI], [(0.0, 50.0)], False, 0.3)[0].gain == first.gain
    heights.scale(2.0)
    assert heights.stacked([ROI], [(0.0, 50.0)], False, 0.3)[0].gain == first.gain / 2
    heights.forget()
    assert heights.stacked([ROI], [(0.0, 50.0)], False, 0.3)[0].gain == first.gain / 5


def test_overlaid_by_one_scale_equal_values_are_at_equal_heights():
    a, b = Heights().overlaid([ROI, ROI2], [(0.0, 10.0), (5.0, 8.0)], False)
    assert a.y(np.array(7.0)) == b.y(np.array(7.0))
    ticks = value_ticks(a)
    assert 3 <= len(ticks) <= 8
    assert all(a.y(np.array(float(label))) == pytest.approx(y) for label, y in ticks)


@given(st.floats(1e-6, 1e9))
def test_nice_numbers(value):
    size = nice(value)
    assert size <= value * (1 + 1e-6)
    assert value < 2.5 * size * (1 + 1e-6)
    assert f"{size:.0e}"[0] in "125"


def test_bars_of_nothing_are_none():
    assert bar(0.0) == bar(1e9) == bar(-1.0) == nice(0.0) == 0.0
    assert bar(0.01) == 50.0
    assert limits_of(np.array([np.nan])) == (0.0, 0.0)


def test_ticks_of_time():
    assert clock_ticks(0, 20, 1000) == tuple(
        (f"0:{s:02}", s) for s in (0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
    )
    labels = [label for label, _ in clock_ticks(7150, 7270, 500)]
    assert labels == ["1:59:30", "2:00:00", "2:00:30", "2:01:00"]
    assert [label for label, _ in clock_ticks(0, 1, 300)] == ["0:00.0", "0:00.5", "0:01.0"]
    assert words.moment(59.96, 0.1) == "1:00.0"


class TestToldApart:
    REGIONS = tuple(Lane(k, f"roi{k}", given_colour(k)) for k in (1, 2, 3))

    def test_no_two_traces_of_one_axis_look_alike(self):
        lanes = told_apart([*self.REGIONS, *(Lane(k, "", (0, 0, 0), True) for k in (6, 8, 16, 22))])
        colours = [lane.colour for lane in lanes]
        assert colours[:3] == [lane.colour for lane in self.REGIONS], "regions keep theirs"
        for k, colour in enumerate(colours):
            assert _apart(colour, colours[:k]) > ALIKE

    def test_as_many_as_are_drawn_at_most_are_told_apart(self):
        lanes = told_apart([*self.REGIONS, *(Lane(k, "", (0, 0, 0), True) for k in range(LANES - 3))])
        colours = [lane.colour for lane in lanes]
        assert min(_apart(colour, colours[:k]) for k, colour in enumerate(colours)) > 0.8 * ALIKE

    def test_a_colour_that_was_chosen_stays_one_that_comes_back_does_not(self):
        first, again = Lane(1, "a", given_colour(1)), Lane(8, "b", given_colour(8))
        assert first.colour == again.colour
        one, other = told_apart([first, again])
        assert one == first
        assert other.colour != one.colour
        chosen = Lane(2, "c", given_colour(1))
        assert told_apart([chosen, Lane(3, "d", given_colour(1))])[1].colour == given_colour(1)


class TestLineup:
    LANES = tuple(Lane(k, str(k), (0, 0, 0)) for k in range(30))

    def test_a_new_selection_is_brought_onto_the_page(self):
        lineup = Lineup()
        assert [lane.id for lane in lineup.choose(self.LANES, 5, (), ())] == [0, 1, 2, 3, 4]
        assert 20 in [lane.id for lane in lineup.choose(self.LANES, 5, (20,), ())]
        lineup.page(-1)
        assert 20 not in [lane.id for lane in lineup.choose(self.LANES, 5, (20,), ())]

    def test_pages_end_at_the_ends(self):
        lineup = Lineup()
        lineup.choose(self.LANES, 8, (), ())
        for _ in range(9):
            lineup.page(1)
            lineup.choose(self.LANES, 8, (), ())
        assert [lane.id for lane in lineup.shown] == list(range(22, 30))
        lineup.scroll(-100)
        assert lineup.choose(self.LANES, 8, (), ())[0].id == 0


class TestHeat:
    def test_each_row_is_by_its_own_range(self):
        table = np.float32([[0, 5, 10], [np.nan, 100, 300]])
        out = np.zeros((4, 3, 4), np.float32)
        limits = heat.paint(table, np.array([1, 0]), 2, out)
        assert limits.tolist() == [[0, 10], [100, 300]]
        np.testing.assert_array_equal(out[0, 2, :3], heat.COLOURS[255])
        np.testing.assert_array_equal(out[1, 0, :3], heat.COLOURS[0])
        np.testing.assert_array_equal(out[1, 1, :3], heat.COLOURS[127])
        assert out[0, 0].tolist() == [0, 0, 0, 0], "unknown is not dark, but nothing"

    def test_more_traces_than_rows_lose_no_peak(self):
        table = np.zeros((100, 50), np.float32)
        for k in range(100):
            table[k, k // 2] = 1
        out = np.zeros((10, 50, 4), np.float32)
        heat.paint(table, np.arange(100), 10, out)
        for k in range(100):
            np.testing.assert_array_equal(out[k // 10, k // 2, :3], heat.COLOURS[255])
            assert k in heat.rows_of(k // 10, 10, 100)

    def test_order(self):
        table = np.float32([[0, 0, 9], [9, 0, 0], [np.nan] * 3, [0, 9, 0]])
        assert heat.arranged("id", [1, 2, 3, 4], table).tolist() == [0, 1, 2, 3]
        assert heat.arranged("snr", [1, 2, 3, 4], table).tolist() == [3, 2, 1, 0]
        assert heat.arranged("peak", [1, 2, 3, 4], table).tolist() == [1, 3, 0, 2]
