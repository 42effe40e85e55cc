"""Lines over a stretch of time: from the ring as fine as the screen, before it from the history; gaps."""

import numpy as np
import pytest

from roi_core.cellring import CellRing
from roi_core.ring import TraceRing
from roi_stream_gui.history import FINEST, History
from roi_stream_gui.timeline import CELL_KINDS, REGION_KINDS
from roi_stream_gui.tracks import Scale, Stretch, Tracks, ticks

RATE = 20.0
SCALE = Scale(4.0, 40, RATE)
NONE = np.zeros(0)


class Feed:
    """A ring and a history that got the same rows of three cells."""

    def __init__(self, rows, capacity=1000, ids=(3, 8, 5), times=None):
        self.ids, self.ring, self.history = ids, CellRing(capacity), History(CELL_KINDS)
        self.times = np.arange(rows) / RATE if times is None else times
        self.values = np.random.default_rng(0).random((rows, 3, len(ids))).astype(np.float32)
        for time, row in zip(self.times, self.values, strict=True):
            self.ring.push(time, ids, *row)
        self.history.take(self.times, ids, [self.values[:, k] for k in (1, 0, 2)])

    def shown(self, ids, kinds=("calcium", "spikes"), scale=SCALE, end=None, gaps=NONE, tracks=None):
        tracks = tracks or Tracks()
        last = self.times[-1] if end is None else end
        stretch = Stretch(last - scale.seconds, last, end, np.asarray(gaps, float))
        for _ in range(100):
            tracks.update(self.ring, self.history, ids, kinds, scale, stretch)
        return tracks


class TestTracks:
    def test_the_cells_asked_for_are_read_whatever_else_lives(self):
        feed = Feed(70)
        tracks = feed.shown((5, 3))
        _, y = tracks.line("calcium", 5)
        pairs = y.reshape(-1, 2)
        columns = (feed.times // 0.1).astype(int)
        for k, column in enumerate(np.unique(columns)):
            assert pairs[k].max() == feed.values[columns == column, 1, 2].max()
            assert pairs[k].min() == feed.values[columns == column, 1, 2].min()
        times, heights = tracks.spikes(3)
        assert heights.max() == 1.0
        assert len(times) == len(heights) > 30

    def test_what_the_ring_no_longer_holds_comes_from_the_history(self):
        feed = Feed(2000, capacity=40)
        x, y = feed.shown((8,)).line("calcium", 8)
        fresh = x > feed.times[-1] - 1.9
        assert np.diff(np.unique(x[fresh])).max() < FINEST / 2, "as fine as the screen"
        old = ~fresh
        assert old.sum() > 4
        assert np.nanmin(x) < feed.times[-1] - 3.5
        assert not np.isnan(y).any()
        slices = feed.values[:, 1, 1].reshape(-1, int(FINEST * RATE))
        assert set(y[:4]) <= set(np.column_stack([slices.min(1), slices.max(1)]).ravel())

    def test_another_stretch_and_back_to_now(self):
        feed = Feed(800)
        tracks = feed.shown((3,), end=20.0)
        x, y = tracks.line("calcium", 3)
        assert 15.7 < x.min() < x.max() < 20.2
        assert not tracks.busy
        assert np.nanmax(y) == pytest.approx(feed.values[(feed.times > 16) & (feed.times <= 20), 1, 0].max())
        feed.shown((3,), tracks=tracks)
        assert tracks.line("calcium", 3)[0].max() > 39.7

    def test_a_long_stretch_comes_from_the_history_alone(self):
        feed = Feed(20_000, capacity=400)
        x, _ = feed.shown((5,), scale=Scale(900.0, 300, RATE)).line("raw", 5)
        assert x.max() - x.min() > 890
        assert len(x) <= 2 * 302

    def test_cells_that_come_go_on_without_reading_anew(self):
        feed = Feed(300)
        tracks = feed.shown((3, 8))
        before = tracks._thinned["calcium"]
        feed.shown((3, 8, 5), tracks=tracks)
        assert tracks._thinned["calcium"] is before
        feed.shown((8, 5), tracks=tracks)
        assert tracks._thinned["calcium"] is not before

    def test_of_a_cell_that_just_came_nothing_was_read_yet(self):
        feed = Feed(300)
        tracks = feed.shown((3, 8))
        assert feed.shown((3, 8, 99), tracks=tracks).line("calcium", 99)[0].size
        assert tracks.spikes(99)[0].size == 0

    def test_no_ring_no_cells_and_unknown_cells_are_no_trouble(self):
        feed = Feed(30)
        tracks = Tracks()
        stretch = Stretch(0.0, 4.0, 4.0, NONE)
        tracks.update(None, History(CELL_KINDS), (1,), ("calcium",), SCALE, stretch)
        assert tracks.line("calcium", 1)[0].size == 0
        assert feed.shown(()).line("calcium", 3)[0].size == 0
        tracks = feed.shown((77,))
        assert np.isnan(tracks.line("calcium", 77)[1]).all()
        assert tracks.spikes(77)[0].size == 0

    def test_a_line_is_broken_where_frames_are_missing(self):
        times = np.arange(80) / RATE
        times[40:] += 0.1  # two frames lost: told by an event, too short to be seen in the rows
        feed = Feed(80, times=times)
        x, y = feed.shown((3,), gaps=[2.0]).line("calcium", 3)
        broken = x[np.isnan(y)]
        assert len(broken) == 1
        assert 1.8 < broken[0] < 2.1
        assert not np.isnan(feed.shown((3,)).line("calcium", 3)[1]).any()

    def test_a_silence_breaks_it_too(self):
        times = np.arange(80) / RATE
        times[40:] += 1.0
        x, y = Feed(80, times=times).shown((3,)).line("calcium", 3)
        at = int(np.flatnonzero(np.isnan(y))[0])
        assert x[at + 1] - x[at - 1] > 0.9

    @pytest.mark.parametrize("capacity", [1000, 30])
    def test_the_table_of_all(self, capacity):
        feed = Feed(120, capacity=capacity)
        tracks = feed.shown((3, 8, 5))
        table = tracks.table("calcium", 20, 40)
        assert table.shape == (3, 40)
        column = (feed.times // 0.1).astype(int)
        for k in range(45, 59):
            assert table[1, k - 20] == feed.values[column == k, 1, 1].max()
        assert not np.isnan(table).any()

    def test_regions_too(self):
        ring, history = TraceRing(500, (1, 2)), History(REGION_KINDS)
        for row in range(100):
            ring.push(row / RATE, row, ring.columns((1, 2)), np.float32([row, -row]), None)
        tracks = Tracks()
        for _ in range(5):
            stretch = Stretch(1.0, 4.95, None, NONE)
            tracks.update(ring, history, (2, 1, 9), ("raw",), SCALE, stretch)
        assert tracks.line("raw", 2)[1][-1] == -99
        assert tracks.line("raw", 1)[1][-1] == 99
        assert np.isnan(tracks.line("raw", 9)[1]).all()


def test_ticks_stand_upright_and_apart():
    x, y = ticks(np.array([1.0, 2.0]), np.array([1.0, 0.5]), 3.0, 0.2)
    assert x.tolist() == [1, 1, 1, 2, 2, 2]
    np.testing.assert_array_equal(y, [3.0, 3.2, np.nan, 3.0, 3.1, np.nan])
