"""Lost frames of a live camera, known from its own count or from time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.sources.counting import EmbeddedCounter, ReadCounter, TimeCounter
from tests.cameras import picture

NO_IMAGE = np.empty((0, 0))


def count(times, reported=30.0, waited=None):
    """Return the losses that a `TimeCounter` sees in ``times`` (s)."""
    counter = TimeCounter(reported)
    waited = np.ones(len(times), bool) if waited is None else waited
    indices = [
        counter.step(NO_IMAGE, time, waited=bool(wait)) for time, wait in zip(times, waited, strict=True)
    ]
    assert np.all(np.diff(indices) > 0)
    return indices[-1] + 1 - len(times)


def kept(seed, frames, loss):
    """Return the numbers of the frames that survive; the last ones always do."""
    keep = np.random.default_rng(seed).random(frames) >= loss
    keep[0] = keep[-16:] = True
    return np.flatnonzero(keep)


def stalled(buffer, drain, frames=1200, stall=60.0, at=200):
    """Return when frames are read, in periods, if the computer looks away once; and how many were lost.

    ``buffer`` frames wait in the driver; ``drain`` periods pass between two reads of waiting frames.
    """
    now, made, lost = 0.0, 0, 0
    waiting, times = [], []
    while made < frames or waiting:
        while made < frames and made <= now:
            if len(waiting) < buffer:
                waiting.append(made)
            else:
                lost += 1
            made += 1
        if not waiting:
            now = float(made)
            continue
        waiting.pop(0)
        times.append(now)
        now += stall if len(times) == at else drain
    return np.array(times), lost


@pytest.mark.parametrize(
    ("loss", "jitter"),
    [(loss, jitter) for loss in (0.0, 0.02, 0.1) for jitter in (0.0, 0.1, 0.2)] + [(0.3, 0.0)],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_true_losses_are_counted_exactly(loss, jitter, seed):
    numbers = kept(seed, 2000, loss)
    noise = np.random.default_rng(seed).uniform(-jitter, jitter, len(numbers))
    assert count((numbers + noise) / 30) == 2000 - len(numbers)


@pytest.mark.parametrize("seed", range(6))
def test_thirty_percent_jitter_loses_nothing(seed):
    rng = np.random.default_rng(seed)
    assert count((np.arange(2000) + rng.uniform(-0.3, 0.3, 2000)) / 30) == 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loss", [0.02, 0.1])
def test_thirty_percent_jitter_and_losses_agree_within_a_tenth(seed, loss):
    numbers = kept(seed, 2000, loss)
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, len(numbers))
    lost = 2000 - len(numbers)
    assert abs(count((numbers + noise) / 30) - lost) <= 0.1 * lost + 1


@pytest.mark.parametrize(
    ("buffer", "drain"), [(1000, 0.05), (1000, 0.3), (1000, 0.6), (1000, 0.8), (4, 0.05), (4, 0.5), (1, 0.1)]
)
def test_a_stall_of_the_computer_loses_only_what_the_driver_could_not_keep(buffer, drain):
    times, lost = stalled(buffer, drain)
    assert abs(count(times / 30) - lost) <= (0 if buffer != 1 else 1)


@pytest.mark.parametrize("reported", [15.0, 60.0, 36.0, 25.0, 29.97])
def test_a_wrongly_reported_rate_is_found_out(reported):
    numbers = kept(3, 1500, 0.02)
    assert count(numbers / 30, reported) == 1500 - len(numbers)


def test_without_a_reported_rate_it_is_measured():
    numbers = np.delete(np.arange(1000), [500, 501, 700])
    assert count(numbers / 30, reported=0.0) == 3


def test_a_new_rate_is_told_once():
    counter = TimeCounter(60.0)
    notes = []
    for number in range(200):
        counter.step(NO_IMAGE, number / 30)
        notes += [counter.note] if counter.note else []
    assert notes == ["it gives 30 frames/s, not 60"]


def test_a_consumer_that_is_always_late_is_not_taken_for_a_slow_camera():
    # Never waited for: the driver always had one. 30 frames/s camera, 20 frames/s consumer, 60 s.
    times = np.arange(1200) / 20
    lost = count(times, waited=np.zeros(1200, bool))
    assert abs(lost - 600) <= 8


def test_a_gap_of_known_cause_is_booked_at_once():
    counter = TimeCounter(30.0)
    for number in range(50):
        counter.step(NO_IMAGE, number / 30)
    counter.resume()
    assert counter.step(NO_IMAGE, 49 / 30 + 4.0) == 49 + 120
    assert counter.step(NO_IMAGE, 49 / 30 + 4.0 + 1 / 30) == 49 + 121


@given(
    st.lists(st.floats(1e-4, 5.0), min_size=1, max_size=120),
    st.sampled_from([0.0, 1.0, 30.0, 200.0]),
    st.lists(st.booleans(), min_size=121, max_size=121),
)
def test_whatever_the_times_the_index_increases_and_stays_below_the_clock(intervals, reported, waited):
    times = np.r_[0.0, np.cumsum(intervals)]
    counter = TimeCounter(reported)
    last = -1
    for time, wait in zip(times, waited, strict=False):
        index = counter.step(NO_IMAGE, float(time), waited=wait)
        assert index > last
        last = index


@given(st.integers(0, 10**6), st.sets(st.integers(20, 180), max_size=40))
def test_a_perfect_clock_with_any_losses_is_counted_exactly(start, lost):
    # Runs of losses are short against the window, so that the rhythm can always be seen.
    numbers = np.array([number for number in range(240) if number not in lost])
    assert count(start + numbers / 30) == len(lost)


@pytest.mark.parametrize(
    ("counts", "indices"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([7, 8, 12, 13], [7, 8, 12, 13]),
        ([2**32 - 2, 2**32 - 1, 0, 3], [2**32 - 2, 2**32 - 1, 2**32, 2**32 + 3]),
    ],
)
def test_an_embedded_count_is_followed(counts, indices):
    counter = EmbeddedCounter(50.0)
    images = [picture(number, 16, 8) for number in counts]
    assert [counter.step(image, 0.02 * row) for row, image in enumerate(images)] == indices
    assert counter.note == ""


@pytest.mark.parametrize("after", [0, 5, 99])
def test_an_embedded_count_that_falls_back_is_bridged_by_time(after):
    counter = EmbeddedCounter(50.0)
    counter.step(picture(99, 16, 8), 10.0)
    assert counter.step(picture(after, 16, 8), 12.0) == 199
    assert counter.note == f"its embedded frame count went from 99 to {after}; the gap is an estimate"
    assert counter.step(picture(after + 2, 16, 8), 12.02) == 201


def test_an_embedded_count_is_read_from_the_first_channel_of_colour():
    colour = np.dstack([picture(260, 16, 8).astype(np.uint8)] * 3)
    counter = EmbeddedCounter(50.0)
    assert counter.step(colour, 0.0) == 260
    colour[0, 3] = 6
    assert counter.step(colour, 0.1) == 262


def test_without_a_counter_losses_are_unknown():
    counter = ReadCounter()
    counter.resume()
    assert [counter.step(NO_IMAGE, time) for time in (0.0, 5.0, 5.1)] == [0, 1, 2]
    assert counter.counter == "unknown"
