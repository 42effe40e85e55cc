"""The rings: what a reader accepts is whole, whatever the writer does meanwhile."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.jit import kernel
from roi_core.ring import FrameRing, TraceRing, _push

ITEMS = 10_000_000


def test_latest_is_none_before_the_first_frame():
    assert FrameRing(4, (2, 3)).latest() is None


def test_latest_returns_the_newest_frame_and_its_stamps():
    ring = FrameRing(3, (2, 2))
    for number in range(5):
        ring.claim()[:] = number
        ring.publish(index=10 * number, time=number / 2)
    shot = ring.latest()
    assert (shot.number, shot.index, shot.time) == (4, 40, 2.0)
    assert np.all(shot.image == 4)


def test_latest_copies_into_a_given_buffer():
    ring = FrameRing(2, (2, 2))
    ring.claim()[:] = 7
    ring.publish(0, 0.0)
    out = np.zeros((2, 2), np.uint16)
    assert ring.latest(out).image is out
    assert np.all(out == 7)


def test_a_ring_of_one_slot_is_refused():
    with pytest.raises(ValueError, match="depth 1 cannot be read safely"):
        FrameRing(1, (2, 2))


def test_absent_columns_are_nan():
    ring = TraceRing(8, (1, 2, 3))
    ring.push(0.5, 7, ring.columns((3, 1)), np.array([30, 10], np.float32), None)
    rows = ring.since(0)
    assert rows.times.tolist() == [0.5]
    assert rows.index.tolist() == [7]
    np.testing.assert_array_equal(rows.raw, [[10, np.nan, 30]])
    assert np.isnan(rows.dff).all()


def test_more_regions_keep_the_history():
    ring = TraceRing(8, (1,), columns=1)
    ring.push(0.0, 0, ring.columns((1,)), np.array([5], np.float32), np.array([0.5], np.float32))
    wider = ring.with_ids((1, 9))
    wider.push(1.0, 1, wider.columns((9,)), np.array([6], np.float32), None)
    np.testing.assert_array_equal(wider.since(0).raw, [[5, np.nan], [np.nan, 6]])
    np.testing.assert_array_equal(wider.since(0).dff, [[0.5, np.nan], [np.nan, np.nan]])
    assert wider.with_ids((9,)) is wider


@given(pushes=st.integers(0, 40), cursor=st.integers(0, 45), capacity=st.integers(2, 12))
def test_since_gives_every_row_that_is_left(pushes, cursor, capacity):
    ring = TraceRing(capacity, (1,), columns=1)
    column = ring.columns((1,))
    for number in range(pushes):
        ring.push(float(number), number, column, np.array([number], np.float32), None)
    rows = ring.since(cursor)
    oldest = max(0, pushes - capacity + 1)
    wanted = list(range(max(cursor, oldest), pushes))
    assert rows.index.tolist() == wanted
    assert rows.raw[:, 0].tolist() == wanted
    assert rows.first == min(max(cursor, oldest), pushes)


@kernel
def _flood(head, times, index, values, items, columns, raw):
    for number in range(items):
        raw[:] = number % 65536
        _push(head, times, index, values, float(number), number, columns, raw, raw)


class _Reader(threading.Thread):
    """Polls a ring until the writer is done and keeps count of what it saw."""

    def __init__(self, ring, done):
        super().__init__()
        self.ring, self.done = ring, done
        self.accepted = self.lapped = self.torn = 0

    def run(self):
        cursor = 0
        while not self.done.is_set():
            rows = self.ring.since(cursor)
            self.lapped += rows.first - cursor
            numbers = np.arange(rows.first, rows.first + rows.times.size)
            same = (rows.times == numbers) & (rows.index == numbers)
            for block in (rows.raw, rows.dff):
                same &= (block == (numbers % 65536)[:, None]).all(axis=1)
            self.torn += int((~same).sum())
            self.accepted += numbers.size
            cursor = rows.first + numbers.size


def test_three_readers_see_no_torn_row_of_ten_million():
    ring = TraceRing(256, tuple(range(32)))
    columns, raw = ring.columns(ring.ids), np.zeros(32, np.float32)
    state = (ring._head, ring._times, ring._index, ring._values)
    _flood(*state, 1, columns, raw)
    ring._head[0] = 0
    done = threading.Event()
    readers = [_Reader(ring, done) for _ in range(3)]
    for reader in readers:
        reader.start()
    _flood(*state, ITEMS, columns, raw)
    done.set()
    for reader in readers:
        reader.join()
    assert ring.head == ITEMS
    assert [reader.torn for reader in readers] == [0, 0, 0]
    assert all(reader.accepted > 0 for reader in readers)
    assert sum(reader.lapped for reader in readers) > 0, (
        "the writer never overtook a reader: no race was tried"
    )


def test_no_torn_frame_while_the_writer_runs():
    ring = FrameRing(4, (64, 64))
    done = threading.Event()

    def write():
        for number in range(20_000):
            ring.claim()[:] = number % 65536
            ring.publish(number, float(number))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while not done.is_set():
        shot = ring.latest()
        if shot is not None:
            assert np.all(shot.image == shot.number % 65536)
            assert shot.index == shot.number
            seen += 1
    writer.join()
    assert seen > 0
