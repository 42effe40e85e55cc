"""The list of cells without a window: what is listed, in which order, what is said; how often cells fire."""

import math
import time

import numpy as np
import pytest

from roi_core.cellring import CellRing
from roi_core.frame import Status
from roi_stream_gui.cellrates import BIN, BINS, MOST, Rates
from roi_stream_gui.cellrows import Order, cells_of, counts, picked, said, shortfall
from tests.gui.test_cells import components, disc


@pytest.fixture
def cells():
    status = [Status.ACCEPTED, Status.REJECTED, Status.MERGED, Status.ACCEPTED, Status.REJECTED]
    c = components(
        *[disc(10, 10, 3)] * 5, status=status, snr=[3, math.nan, 0, 9, 1], born=[0, 300, 5, 30, 60]
    )
    return cells_of(c, 30.0, {4: "soma", 2: "axon"}, {1: 0.5, 4: 0.25})


def ids(cells):
    return [cell.id for cell in cells]


def test_only_the_living_are_listed(cells):
    assert ids(cells) == [1, 2, 4, 5]
    assert counts(cells) == {"accepted": 2, "rejected": 2}
    assert [cell.born for cell in cells] == [0, 10, 1, 2]
    assert [cell.rate for cell in cells][:1] == [0.5]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order(), [1, 2, 4, 5]),
        (Order("id", True), [5, 4, 2, 1]),
        (Order("snr", True), [4, 1, 5, 2]),
        (Order("snr"), [5, 1, 4, 2]),
        (Order("rate"), [4, 1, 2, 5]),
        (Order("name"), [2, 4, 1, 5]),
        (Order("status"), [1, 4, 2, 5]),
        (Order(text="SOM"), [4]),
        (Order(text="reject dim"), [2, 5]),
        (Order(shown="accepted"), [1, 4]),
        (Order(shown="named", key="id", down=True), [4, 2]),
        (Order(shown="chosen"), [5]),
        (Order(shown="by hand"), []),
        (Order(text="nothing"), []),
        (Order(text="2"), [2]),
        (Order(text="2 acc"), []),
    ],
)
def test_sorted_and_narrowed(cells, order, expected):
    assert ids(picked(cells, order, (5,))) == expected


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        ("SNR 1.25 is below 2.5", "50 % short of cnmf.min_snr"),
        ("spatial correlation 0.6 is below 0.8", "25 % short of cnmf.min_r"),
        ("contrast to its rim 0.3 is below 0.6", "50 % short"),
        ("skewness -1.2 is below 0.75", "cnmf.min_skewness"),
        ("asymmetry of rise and fall -3e-05 is below 0.25", "cnmf.min_asymmetry"),
        ("size 300 px is above 3 x 78 px", "cnmf.min_size or cnmf.max_size"),
        ("it is too new to be judged", ""),
        ("by hand", ""),
    ],
)
def test_a_shortfall_is_told_in_parts_of_the_limit(reason, more):
    assert shortfall(reason) == more


def test_reasons_of_the_core_are_understood():
    """The words come from `cnmf.quality`; every threshold of it is found again here."""
    from roi_core.cnmf import quality
    from roi_core.settings import Settings

    one = np.full(1, 1e-3, np.float32)
    for rule, name in enumerate(quality.NAMES):
        marks = quality.Marks(*[one] * len(quality.Marks._fields))
        (reason,) = quality.reasons(marks, Settings().cnmf, 100.0, np.array([rule]))
        assert reason.startswith(name)
        assert "short" in shortfall(reason)


def test_what_is_said_of_one(cells):
    one, two = cells[0], cells[1]
    assert said(one, 12.0) == "accepted by the rules; found 12 s ago"
    assert (
        said(one._replace(reason="by hand", frozen=True), 200.0)
        == "accepted by hand, shape frozen; found 3 min ago"
    )
    assert said(two, 0.0) == "rejected: too dim"
    assert (
        said(two._replace(reason="SNR 1 is below 2"), 0)
        == "rejected: SNR 1 is below 2\n(50 % short of cnmf.min_snr)"
    )


class TestRates:
    RATE = 30.0

    def filled(self, seconds, *firing, noise=1.0, size=12.0, seed=0):
        """A ring with a transient of some noises every 1 / firing s, its spike spread over three frames."""
        random, n = np.random.default_rng(seed), int(seconds * self.RATE)
        spikes = np.zeros((n, len(firing)), np.float32)
        for k, rate in enumerate(firing):
            starts = (np.arange(0.7, seconds, 1 / rate) * self.RATE).astype(int) if rate else []
            for part, share in enumerate((0.6, 0.3, 0.1)):
                spikes[np.minimum(np.array(starts, int) + part, n - 1), k] += share * size
        calcium = np.zeros_like(spikes)
        for t in range(1, n):
            calcium[t] = 0.93 * calcium[t - 1] + spikes[t]
        raw = (calcium + random.normal(0, noise, calcium.shape)).astype(np.float32)
        spikes += np.maximum(random.normal(-2, 1, spikes.shape), 0).astype(np.float32) * noise
        return raw, calcium, spikes

    def run(self, rates, ring, ids, *traces, every=15, first=0):
        for row, values in enumerate(zip(*traces, strict=True), first):
            ring.push(row / self.RATE, ids, *values)
            if row % every == 0:
                rates.follow(ring, ids, self.RATE)
        for _ in range(len(traces[0]) // MOST + 2):
            rates.follow(ring, ids, self.RATE)

    def test_transients_are_counted(self):
        ring, rates, ids = CellRing(8000), Rates(), (5, 9, 2)
        self.run(rates, ring, ids, *self.filled(70, 0.5, 0.0, 2.0))
        slow, none, fast = rates.of()
        assert slow == pytest.approx(0.5, abs=0.05)
        assert none < 0.05
        assert fast == pytest.approx(2.0, abs=0.15)

    def test_only_the_last_minute_counts_and_what_was_not_followed_is_made_up(self):
        ring, rates, ids = CellRing(8000), Rates(), (1,)
        loud = self.filled(60, 1.0)
        self.run(rates, ring, ids, *loud, every=10**9)
        assert rates.of()[0] == pytest.approx(1.0, abs=0.1)
        self.run(rates, ring, ids, *self.filled(BIN * BINS + BIN, 0.0), first=1800)
        assert rates.of()[0] < 0.05

    def test_cells_come_and_go(self):
        ring, rates = CellRing(8000), Rates()
        self.run(rates, ring, (1, 2), *self.filled(30, 1.0, 0.5))
        self.run(rates, ring, (3, 2), *self.filled(0.5, 1.0, 0.5), first=900)
        assert np.isnan(rates.of()[0]), "nothing is known of it yet"
        assert rates.of()[1] == pytest.approx(0.5, abs=0.1)
        rates.follow(None, (), self.RATE)
        assert rates.of().size == 0

    def test_five_hundred_cells_are_a_bounded_piece_of_work(self):
        ring, rates, ids = CellRing(4000), Rates(), tuple(range(500))
        values = np.random.default_rng(0).random((3, 500)).astype(np.float32)
        for row in range(3000):
            ring.push(row / self.RATE, ids, *values)
        cursor = []
        for _ in range(3):
            rates.follow(ring, ids, self.RATE)
            cursor.append(rates._cursor)
        assert np.diff(cursor).tolist() == [MOST, MOST]
        began = time.perf_counter()
        rates.follow(ring, ids, self.RATE)
        print(f"{1e3 * (time.perf_counter() - began):.2f} ms for {MOST} rows of 500 cells")
