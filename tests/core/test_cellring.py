"""The ring of cell traces: ids come and go, rows are whole or said to be gone."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cellring import WIDTH, CellRing


def push(ring, row, ids):
    raw = np.array([1000 * i + row for i in ids], np.float32)
    ring.push(row / 10, tuple(ids), raw, raw + 0.25, raw + 0.5)


histories = st.lists(st.sets(st.integers(0, 200), max_size=80), min_size=1, max_size=40)


@given(histories, st.integers(2, 12))
def test_every_value_is_that_of_its_row_and_cell(history, capacity):
    ring = CellRing(capacity)
    for row, ids in enumerate(history):
        push(ring, row, sorted(ids))
    everyone = sorted(set().union(*history)) + [999]
    rows = ring.since(0, everyone)
    assert rows.first == max(0, len(history) - capacity + 1)
    np.testing.assert_allclose(rows.times, np.arange(rows.first, len(history)) / 10)
    for n, ids in enumerate(history[rows.first :]):
        for k, cell in enumerate(everyone):
            value = 1000 * cell + rows.first + n if cell in ids else np.nan
            np.testing.assert_equal(rows.raw[n, k], np.float32(value))
            np.testing.assert_equal(rows.calcium[n, k], np.float32(value + 0.25))
            np.testing.assert_equal(rows.spikes[n, k], np.float32(value + 0.5))


def test_columns_of_the_long_dead_are_used_again():
    ring = CellRing(4)
    for row in range(2000):
        push(ring, row, [row, row + 1])
    assert len(ring._blocks) == 1
    assert ring.ids[-1] == 2000
    assert len(ring.ids) <= WIDTH


def test_a_reader_never_sees_a_torn_row():
    """The writer's rows end the test: with one core a reader hardly gets a turn before."""
    ring, last = CellRing(8), 5000

    def write():
        for row in range(last):
            push(ring, row, range(row // 50, row // 50 + 100))

    writer = threading.Thread(target=write)
    writer.start()
    torn, seen = [], 0
    while seen < last:
        ids = ring.ids
        rows = ring.since(seen, ids)
        row = np.arange(rows.first, rows.first + len(rows.times))[:, None]
        known = np.isfinite(rows.raw)
        expected = np.broadcast_to((1000 * np.array(ids, np.int64) + row).astype(np.float32), known.shape)
        torn += rows.raw[known][rows.raw[known] != expected[known]].tolist()
        seen = rows.first + len(rows.times)
    writer.join()
    assert not torn
