"""The figures on the health chips."""

import threading

import pytest

from roi_core.metrics import Meter


def test_nothing_yet():
    assert (Meter().rate(now=0.0), Meter().cost()) == (0.0, 0.0)


def test_rate_and_cost_of_the_last_frames():
    meter = Meter(size=64)
    for frame in range(1000):
        meter.add(frame / 50, 0.001 * (frame % 10))
    assert meter.rate(now=20.1) == pytest.approx(50)
    assert meter.rate(now=30.0) == 0
    assert meter.cost(0) == 0
    assert meter.cost(100) == pytest.approx(0.009)


def test_a_reader_never_sees_an_impossible_rate():
    meter, done = Meter(size=16), threading.Event()

    def write():
        for frame in range(200_000):
            meter.add(frame / 100, 0.0)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert 0 <= meter.rate(now=0.0) <= 101
    writer.join()
