"""The whole session so far: slices, pieces, memory; and which stretch of it is looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core.board import Board
from roi_core.frame import Event, Sample
from roi_core.rois import RoiSet
from roi_core.snapshot import State
from roi_stream_gui.history import FINEST, SIZE, History, thin
from roi_stream_gui.timeline import MEAN, Timeline


def slow(times, values, width, start, end):
    """Lowest and highest value of each slice of time between two moments."""
    found = {}
    for time, value in zip(times, values, strict=True):
        found.setdefault(int(time // width), []).append(value)
    slices = range(int(start // width), int(min(end, times[-1]) // width) + 1)
    nothing = [np.nan]
    return [(np.fmin.reduce(found.get(n, nothing)), np.fmax.reduce(found.get(n, nothing))) for n in slices]


class TestHistory:
    @pytest.mark.parametrize("pieces", [1, 9])
    def test_equals_its_slow_twin_however_the_rows_arrive(self, pieces):
        rng = np.random.default_rng(pieces)
        times = np.cumsum(rng.uniform(0.02, 0.6, 2000))
        values = rng.normal(size=(2000, 3)).astype(np.float32)
        history = History(["raw", "dff"])
        for part in np.array_split(np.arange(2000), pieces):
            history.take(times[part], (4, 7, 9), (values[part], -values[part]))
        for start, end in ((0, 1e9), (100.3, 250.9)):
            x, y = history.points("raw", 7, start, end)
            twin = slow(times, values[:, 1], FINEST, start, end)
            np.testing.assert_array_equal(y.reshape(-1, 2), twin)
            assert x[0] == (start // FINEST + 0.5) * FINEST
        assert history.points("dff", 7, 0, 50)[1].tolist() != history.points("raw", 7, 0, 50)[1].tolist()

    def test_what_dies_stays_where_it_was_and_what_is_new_begins_then(self):
        history = History(["raw"])
        early, late = np.arange(0, 200, 0.5), np.arange(200, 400, 0.5)
        history.take(early, (1, 2), [np.ones((400, 2), np.float32)])
        history.take(late, (2, 3), [np.full((400, 2), 5, np.float32)])
        seen = {one: history.points("raw", one, 0, 400) for one in (1, 2, 3, 77)}
        assert np.nanmax(seen[1][0][~np.isnan(seen[1][1])]) < 200
        assert not np.isnan(seen[2][1]).any()
        assert np.nanmin(seen[3][0][~np.isnan(seen[3][1])]) > 200
        assert np.isnan(seen[77][1]).all()

    def test_a_silence_leaves_a_hole(self):
        history = History(["raw"])
        for first in (0.0, 60.0):
            history.take(first + np.arange(0, 10, 0.1), (1,), [np.ones((100, 1), np.float32)])
        x, y = history.points("raw", 1, 0, 100)
        assert np.isnan(y[(x > 10.5) & (x < 59.5)]).all()
        assert not np.isnan(y[(x < 9.5) | (x > 60.5)]).any()

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 10**6), st.integers(3000, 12000))
    def test_hours_are_coarser_and_never_wrong(self, seed, rows):
        rng = np.random.default_rng(seed)
        times = np.arange(rows) * FINEST + 0.1
        if seed % 2:
            times[rows // 2 :] += 3000.0  # nobody was there for a while
        values = rng.normal(size=(rows, 2)).astype(np.float32)
        small = History(["raw"], budget=8 * 2 * SIZE * 16 * 4)
        for part in np.array_split(np.arange(rows), 300):
            small.take(times[part], (1, 2), [values[part]])
        assert small.bytes <= small._budget + 4 * small._pieces[-1].bytes
        assert all(a.end <= b.start for a, b in zip(small._pieces, small._pieces[1:], strict=False))
        assert small._pieces[0].width > FINEST
        for piece in small._pieces:
            twin = slow(times, values[:, 1], piece.width, piece.start, piece.end - 1e-9)
            mine = np.column_stack([piece.low[0, :, 1], piece.high[0, :, 1]])[: len(twin)]
            np.testing.assert_array_equal(mine, twin)

    @pytest.mark.parametrize(("width", "count"), [(0.25, 40), (0.5, 30), (3.0, 20)])
    def test_a_table_holds_the_highest_of_each_column(self, width, count):
        rng = np.random.default_rng(count)
        times = np.arange(0, 100, 0.05)
        values = rng.normal(size=(len(times), 2)).astype(np.float32)
        history = History(["raw"])
        history.take(times, (5, 6), [values])
        start = 12.0
        table = history.table("raw", (6, 99), start, width, count)
        assert np.isnan(table[1]).all()
        for k in range(count):
            first = (start + k * width) // FINEST * FINEST if width < FINEST else start + k * width
            inside = (times >= first - 1e-9) & (times < first + max(width, FINEST) - 1e-9)
            assert table[0, k] == values[inside, 1].max()

    def test_thin_keeps_the_extremes(self):
        x = np.repeat(np.arange(100) + 0.5, 2)
        y = np.arange(200.0)
        times, values = thin((x, y), 0.0, 10.0)
        assert times[::2].tolist() == [5 + 10 * k for k in range(10)]
        assert values.reshape(-1, 2).tolist() == [[20 * k, 20 * k + 19] for k in range(10)]


def sample(row, values, ids, time=None, events=()):
    values = np.asarray(values, np.float32)
    return Sample(
        row, row, row / 10 if time is None else time, None, RoiSet(), ids, values, values / 100, events
    )


class Playing:
    """A snapshot whose board the test fills."""

    state = State.RUNNING

    def __init__(self, rows=100):
        self.board = Board(2, (4, 4), rows, (1,))

    def show(self, *samples):
        for one in samples:
            self.board.frames.claim()
            self.board.publish(one)

    def __getattr__(self, name):
        return getattr(self.board, name)


class TestTimeline:
    def test_rows_that_left_the_ring_are_still_there(self):
        playing, timeline = Playing(rows=50), Timeline()
        for row in range(500):
            playing.show(sample(row, [row, 1], (1, 2)))
            if row % 20 == 19:
                timeline.tick(playing)
        x, y = timeline.regions.points("raw", 1, 0, 50)
        assert x[0] == 0.25
        assert y.reshape(-1, 2)[3].tolist() == [15, 19]
        assert timeline.regions.points("dff", 2, 0, 50)[1].tolist() == pytest.approx([0.01] * len(y))
        assert timeline.regions.points("raw", MEAN, 0, 50)[1][:2].tolist() == [0.5, 2.5]
        assert timeline.newest == 49.9

    def test_one_tick_takes_a_bounded_number_of_rows(self):
        playing, timeline = Playing(rows=5000), Timeline()
        playing.show(*(sample(row, [row], (1,)) for row in range(1000)))
        timeline.tick(playing)
        assert timeline.newest < 20
        for _ in range(10):
            timeline.tick(playing)
        assert timeline.newest == 99.9

    def test_what_is_over_is_taken_in_sooner(self):
        playing, timeline = Playing(rows=5000), Timeline()
        playing.state = State.FINISHED
        playing.show(*(sample(row, [row], (1,)) for row in range(2000)))
        timeline.tick(playing)
        assert 100 < timeline.newest < 150
        timeline.tick(playing)
        assert timeline.newest == 199.9

    def test_a_region_that_is_gone_costs_nothing_later(self):
        playing, timeline = Playing(rows=5000), Timeline()
        playing.show(*(sample(row, [row, 0], (1, 2)) for row in range(20)))
        playing.show(*(sample(row, [row], (1,)) for row in range(20, 4000)))
        for _ in range(50):
            timeline.tick(playing)
        assert 2 in timeline.regions._pieces[0].column
        assert 2 not in timeline.regions._pieces[-1].column

    def test_no_region_at_all_is_no_trouble(self):
        playing, timeline = Playing(), Timeline()
        playing.show(*(sample(row, [], ()) for row in range(20)))
        timeline.tick(playing)
        assert np.isnan(timeline.regions.points("raw", MEAN, 0, 2)[1]).all()

    def test_another_session_starts_over_live(self):
        playing, timeline = Playing(), Timeline()
        playing.show(*(sample(row, [row], (1,)) for row in range(50)))
        playing.show(sample(50, [1], (1,), events=(Event(5.0, 50, "note", {"text": "hm"}),)))
        timeline.tick(playing)
        timeline.toggle()
        assert timeline.held
        assert timeline.marks.between(0, 9, 0.1)
        timeline.tick(Playing())
        assert not timeline.held
        assert timeline.newest == 0
        assert not timeline.marks.between(0, 9, 0.1)

    def test_the_stretch_looked_at(self):
        playing, timeline = Playing(rows=2000), Timeline()
        assert timeline.stretch(20.0) == (0.0, 20.0)
        playing.show(*(sample(row, [row], (1,)) for row in range(1001)))
        for _ in range(10):
            timeline.tick(playing)
        assert timeline.stretch(20.0) == (80.0, 100.0)
        timeline.look(50.0, 20.0)
        assert timeline.stretch(20.0) == (30.0, 50.0)
        timeline.move(-100.0, 20.0)
        assert timeline.stretch(20.0) == (0.0, 20.0)
        timeline.move(1000.0, 20.0)
        assert timeline.stretch(20.0) == (80.0, 100.0)
        assert timeline.held
        timeline.go()
        assert not timeline.held
