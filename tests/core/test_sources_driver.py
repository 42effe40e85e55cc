"""What cameras behind a maker's driver share, on a driver that does what a test says."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.errors import SourceError, SourceLost
from roi_core.ledger import Cause
from roi_core.sources import driver
from roi_core.sources.counting import HardwareCounter
from roi_core.sources.driver import Driven
from roi_core.sources.handle import Shot, buffers
from roi_core.sources.knobs import Knob, Region, turn
from roi_core.sources.stamps import DeviceClock
from tests.contracts.test_source import SourceContract, collect, live_settings

GRAY = np.zeros((16, 20), np.uint16)
RATE = 500.0


class Pulled(Exception):
    """What this driver raises."""


class Scripted:
    """A camera that gives what was put into it: shots, errors, None for nothing yet; then nothing more."""

    errors = (Pulled,)

    def __init__(self, *script, wrap=0, rate=RATE, knobs=None, full=4095):
        self.shape, self.rate, self.full, self.wrap = GRAY.shape, rate, full, wrap
        self.script = list(script)
        self.values = {}
        self.closed = threading.Event()
        self.running = False
        self._knobs = knobs or {}

    def knobs(self):
        return self._knobs

    def start(self):
        self.running = True

    def stop(self):
        self.running = False

    def grab(self):
        assert self.running, "asked for a picture before the start"
        found = self.script.pop(0) if self.script else None
        if isinstance(found, Exception):
            raise found
        return found

    def close(self):
        self.closed.set()


class Endless(Scripted):
    """Counts without end, 2 ms a frame."""

    number = 0

    def grab(self):
        threading.Event().wait(0.002)
        self.number += 1
        return Shot(GRAY, self.number, self.number / RATE)


class Made(Driven):
    """A source on devices given in advance, one for each time it connects."""

    word = "made"
    devices = ()

    def connect(self):
        device = self.devices.pop(0)
        if isinstance(device, Exception):
            raise device
        return device


def shots(*numbers, stamped=True):
    return [Shot(GRAY, number, number / RATE if stamped else None) for number in numbers]


LOOK = shots(0, 1)
"""What is looked at while the camera is opened."""


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(driver, "FIRST_PAUSE", 0.01)
    sources = []

    def make(*devices, **camera):
        monkeypatch.setattr(Made, "devices", list(devices))
        source = Made("x", live_settings(**{"timeout": 0.2, "retry_for": 0.5, **camera}))
        sources.append(source)
        return source

    yield make
    for source in sources:
        source.close()


class TestDriven(SourceContract):
    def make(self, folder):
        Made.devices = [Endless()]
        return Made("x", live_settings())


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({}, None),
        ({"crop": Region(3, 5, 20, 16)}, (3, 5, 20, 16, 1)),
        ({"crop": Region(3, 5, 20, 16), "binning": "2x2"}, (3, 5, 20, 16, 2)),
        ({"crop": Region(3, 5, 20, 16), "binning": 4.0}, (3, 5, 20, 16, 4)),
    ],
)
def test_the_part_of_the_sensor_is_told_as_far_as_the_driver_does(made, knobs, told):
    offered = {name: Knob(lambda value=value: value, None, str) for name, value in knobs.items()}
    assert made(Scripted(*LOOK, knobs=offered)).readout == told


@pytest.mark.parametrize("broken", ["crop", "binning"])
def test_a_camera_that_cannot_tell_its_part_opens_all_the_same(made, broken):
    def refuse():
        raise Pulled

    knobs = {name: Knob(lambda: Region(0, 0, 20, 16), None, str) for name in ("crop", "binning")}
    knobs[broken] = Knob(refuse, None, str)
    source = made(Scripted(*LOOK, *shots(0, 1), knobs=knobs))
    assert source.readout is None
    assert indices(source, 2) == [0, 1]


def indices(source, count):
    return [frame.index for frame in collect(source, count)]


def test_losses_are_steps_of_the_drivers_numbers(made):
    source = made(Scripted(*LOOK, *shots(0, 1, 2, 7, 8)))
    assert (source.counter, source.rate, source.full) == ("camera", RATE, 4095)
    assert indices(source, 5) == [0, 1, 2, 7, 8]


def test_numbers_that_wrap_go_on(made):
    numbers = [65_533, 65_535, 1, 4]
    taken = [Shot(GRAY, number) for number in numbers]
    source = made(Scripted(*LOOK, *taken, wrap=65_535))
    assert indices(source, 4) == [65_533, 65_535, 65_536, 65_539]


def test_a_driver_without_numbers_is_counted_by_time(made):
    plain = [Shot(GRAY, None, number / RATE) for number in range(6)]
    source = made(Scripted(*plain))
    assert source.counter == "time"
    assert indices(source, 4) == [0, 1, 2, 3]


def test_the_embedded_count_is_read_when_asked(made):
    image = GRAY.copy()
    image[0, 3] = 9
    source = made(Scripted(*LOOK, Shot(image, 1), Shot(GRAY, 2)), counter="embedded")
    assert next(source.frames()).index == 9


def test_the_rate_is_measured_where_it_is_not_told(made, caplog):
    source = made(Scripted(*shots(*range(8)), rate=None), format="20x16@60")
    assert source.rate == RATE
    assert "made:x was asked for 60 frames/s and gives 500" in caplog.messages


def test_the_rate_asked_for_is_taken_where_none_can_be_measured(made):
    source = made(Scripted(rate=None), format="20x16@60", trigger="external")
    assert source.rate == 60


def test_the_camera_is_idle_between_opening_and_the_first_frame(made):
    device = Scripted(*LOOK, *shots(5, 6))
    source = made(device)
    assert not device.running
    assert indices(source, 2) == [5, 6]


def test_a_camera_that_gives_nothing_does_not_open(made):
    device = Scripted()
    with pytest.raises(SourceError, match=r"^made:x opens but gave no picture in 0\.2 s$"):
        made(device)
    assert device.closed.is_set()


def test_a_camera_that_fails_at_its_first_picture_does_not_open(made):
    device = Scripted(Pulled("cable : thrown in node 7"))
    with pytest.raises(SourceError, match=r"^made:x opens but gives no picture: cable$"):
        made(device)
    assert device.closed.is_set()


@pytest.mark.parametrize("error", [SourceError("gives what nobody can read"), SourceLost("is gone")])
def test_a_camera_whose_pictures_cannot_be_read_does_not_open(made, error):
    device = Scripted(error)
    with pytest.raises(SourceError, match=f"^made:x {error}$"):
        made(device)
    assert device.closed.is_set()


def test_a_camera_that_was_pulled_out_comes_back(made, caplog):
    first, second = Scripted(*LOOK, *shots(0, 1), Pulled("gone")), Endless()
    source = made(first, SourceError("not yet"), second)
    found = collect(source, 4)
    assert first.closed.is_set()
    gap = (found[2].time - found[1].time) * RATE
    assert found[2].index - found[1].index == pytest.approx(gap, abs=1)
    assert found[3].index == found[2].index + 1
    assert [frame.cause for frame in found] == [None, None, Cause.AWAY, None]
    lost = found[2].index - found[1].index - 1
    assert caplog.messages[0] == "made:x is gone; reconnecting"
    assert caplog.messages[1].endswith(f"s; about {lost} frames were lost")


def test_a_camera_that_falls_silent_is_opened_anew(made, caplog):
    first = Scripted(*LOOK, *shots(0, 1))
    source = made(first, Endless())
    assert len(collect(source, 3)) == 3
    assert first.closed.is_set()
    assert caplog.messages[0] == "made:x gave no frame for 0.2 s; reconnecting"


def test_a_camera_that_stays_away_ends_in_a_sentence(made):
    source = made(Scripted(*LOOK, *shots(0, 1), Pulled("gone")), *[SourceError("no")] * 20)
    with pytest.raises(SourceLost, match=r"^made:x is gone \(last: 1\)$"):
        collect(source)


def test_a_triggered_camera_may_be_silent(made):
    device = Scripted(*shots(0, 1))
    source = made(device, trigger="external", timeout=0.1)
    frames = source.frames()
    assert [next(frames).index, next(frames).index] == [0, 1]
    timer = threading.Timer(0.3, lambda: device.script.extend(shots(2)))
    timer.start()
    assert next(frames).index == 2
    timer.join()
    assert not device.closed.is_set()


def test_frames_of_another_size_are_refused(made):
    wide = Shot(np.zeros((16, 40), np.uint16), 1)
    source = made(Scripted(*LOOK, *shots(0), wide))
    with pytest.raises(
        SourceLost, match=r"changed its frames from 20x16 uint16 to 40x16 uint16 \(last: 0\)$"
    ):
        collect(source)


def test_close_is_prompt_while_the_camera_is_silent(made):
    source = made(Scripted(*LOOK), timeout=60)
    consumer = threading.Thread(target=lambda: list(source.frames()))
    consumer.start()
    source.close()
    consumer.join(2)
    assert not consumer.is_alive()


def knob(low, high, unit="", value=0.0):
    held = [value]

    def write(wish):
        if not low <= wish <= high:
            raise Pulled("out of range")
        held[0] = wish

    return Knob(lambda: held[0], write, lambda: f"{low:g} to {high:g}", unit)


def test_gain_and_exposure_follow_while_frames_flow(made, caplog):
    gain, binning = knob(0, 24, "dB"), knob(1, 4, value=1)
    device = Endless(knobs={"gain": gain, "binning": binning})
    source = made(device, gain=3.0)
    assert gain.read() == 3.0
    frames = source.frames()
    next(frames)
    source._settings.edit("camera.gain", 6.0)
    next(frames)
    assert gain.read() == 6.0
    for wish in (99.0, 5.0, 99.0):
        source._settings.edit("camera.gain", wish)
        next(frames)
    source._settings.edit("camera.exposure", 4.0)
    next(frames)
    assert gain.read() == 5.0
    stays = "made:x refused camera.gain 99: it allows 0 to 24 dB; it stays at"
    assert caplog.messages == [
        f"{stays} 6 dB",
        f"{stays} 5 dB",
        "made:x ignored camera.exposure 4: its driver offers nothing of the kind",
    ]


def test_what_was_set_is_set_again_after_a_break(made):
    again = knob(0, 24)
    first = Scripted(*LOOK, *shots(0), Pulled("gone"), knobs={"gain": knob(0, 24)})
    source = made(first, Endless(knobs={"gain": again}), gain=7.0)
    assert len(collect(source, 2)) == 2
    assert again.read() == 7.0


@pytest.mark.parametrize(
    ("wish", "given", "said"),
    [
        (2.0, 2.0, ""),
        (2.0, 2.01, ""),
        (2.0, 2.5, "was asked for camera.gain 2 and took 2.5 dB"),
        ("12", "Mono12", ""),
        (Region(None, None, 640, 480), Region(32, 16, 640, 480), ""),
        (Region(0, 0, 640, 480), Region(32, 16, 640, 480),
         "was asked for camera.gain 640x480 at 0,0 and took 640x480 at 32,16 dB"),
    ],
)  # fmt: skip
def test_what_a_camera_makes_of_a_wish_is_told(wish, given, said):
    assert turn("gain", Knob(lambda: given, lambda _: None, str, "dB"), wish, ()) == said


def test_free_running_is_nothing_to_ask_of_a_camera_without_trigger():
    assert turn("trigger", None, "free", ()) == ""
    assert turn("trigger", None, "external", ()).startswith("ignored camera.trigger external")


@pytest.mark.parametrize(("size", "kept"), [(0, 64), (2**22, 64), (2**24, 16), (2**30, 8)])
def test_buffers_are_few_of_large_frames(size, kept):
    assert buffers(size) == kept


@given(st.lists(st.integers(0, 300), min_size=1, max_size=60), st.integers(0, 70_000), st.booleans())
def test_losses_are_exact_across_any_number_of_wraps(lost, first, gige):
    steps = [first, *(more + 1 for more in lost)]
    whole = np.cumsum(steps).tolist()
    counter = HardwareCounter(100.0, 65_535 if gige else 0)
    given = [(one - 1) % 65_535 + 1 if gige else one for one in whole]
    found = [counter.step(number, at / 100.0) for number, at in zip(given, whole, strict=True)]
    assert np.diff(found).tolist() == steps[1:]
    assert counter.note == ""


@given(st.integers(1, 60_000), st.integers(0, 50), st.floats(0.02, 100))
def test_a_count_that_begins_anew_is_bridged_by_time(before, after, away):
    counter = HardwareCounter(100.0, 65_535)
    counter.step(before - 1, 0.0)
    last = counter.step(before, 0.01)
    counter.resume()
    assert counter.step(after, 0.01 + away) - last == max(1, round(100 * away))


def test_a_number_farther_ahead_than_time_allows_is_not_believed():
    counter = HardwareCounter(100.0, 65_535)
    counter.step(40_000, 0.0)
    assert counter.step(1, 0.5) == 40_050
    assert counter.note == "its frame number went from 40000 to 1; the gap is an estimate"


def stalled(seconds, buffers=64, rate=100.0, first=200, woken=False):
    """Return (number, time, waited) of frames taken before, in and behind a stall of a camera without stamps.

    The driver kept the first frames of the stall and lost the others. A stall of the whole program may come
    while it waits (`woken`): then the first frame that was kept looks like one that was waited for.
    """
    taken = [(number, number / rate, True) for number in range(first)]
    resumed = first / rate + seconds
    numbers = range(first, first + buffers)
    taken += [(number, resumed + 1e-4 * k, woken and k == 0) for k, number in enumerate(numbers)]
    newest = round(resumed * rate) + 1
    return taken + [(newest + k, (newest + k) / rate, True) for k in range(first)]


@given(st.floats(2, 60), st.floats(0.5, 2), st.booleans())
def test_what_was_lost_in_a_stall_is_counted_by_the_cameras_numbers(seconds, told, woken):
    taken = stalled(seconds, woken=woken)
    counter = HardwareCounter(told * 100.0)
    for _ in range(2):  # the second stall: the first must not have spoilt the pace
        found = [(counter.step(number, at, waited=waited), counter.note) for number, at, waited in taken]
        steps = np.diff([index for index, _ in found]).tolist()
        assert steps == np.diff([number for number, _, _ in taken]).tolist()
        assert not any(note for _, note in found)
        last, end, _ = taken[-1]
        taken = [(last + 1 + n, end + 0.01 + at, waited) for n, at, waited in stalled(seconds, woken=woken)]


def test_a_number_from_nowhere_is_not_believed_in_a_burst_either():
    counter = HardwareCounter(100.0, 65_535)
    for number, at, waited in stalled(4)[:220]:
        index = counter.step(number, at, waited=waited)
    assert counter.step(40_000, 6.1, waited=False) - index == pytest.approx(391, abs=5)
    assert counter.note == "its frame number went from 219 to 40000; the gap is an estimate"


@given(st.floats(-2e-4, 2e-4), st.floats(0, 1e6), st.lists(st.floats(0, 0.05), min_size=50, max_size=50))
def test_a_clock_that_drifts_is_followed_and_its_steps_stay_even(drift, start, late):
    clock, error, steps = DeviceClock(), [], []
    for frame in range(6000):
        now = frame * 0.05
        arrival = now + late[frame % len(late)]
        time = clock.step(start + now * (1 + drift), arrival)
        error.append(time - now)
        steps.append(time)
    settled = np.array(error[2000:])
    assert np.abs(settled - min(late)).max() < 0.006
    assert np.abs(np.diff(steps) - 0.05).max() < 1.3e-3 * 0.05 + 1e-6


@pytest.mark.parametrize(
    "late",
    [lambda frame: 0.8 * (frame == 0), lambda frame: max(0.8 - 0.05 * frame, 0)],
    ids=["the first frame", "a burst"],
)
def test_what_came_late_at_first_does_not_shift_all_the_rest(late):
    clock = DeviceClock()
    times = [clock.step(7.0 + 0.05 * k, 0.05 * k + late(k) + 0.003 * (k % 5)) for k in range(1200)]
    assert np.diff(times).min() >= 0.024, "and no two frames come at once"
    assert np.abs(np.array(times) - 0.05 * np.arange(1200))[50:].max() < 0.02


def test_a_camera_without_numbers_loses_nothing_while_its_clock_is_mended(made, monkeypatch, caplog):
    now = 5.0
    monkeypatch.setattr(driver, "perf_counter", lambda: now)
    taken = [Shot(GRAY, None, number / RATE) for number in range(1000)]
    late = (taken[0], *(shot for one in taken[1:] for shot in (None, one)))  # each is waited for
    source = made(Scripted(*taken[:2], *late), timeout=60)
    found = []
    for frame in source.frames():
        found.append(frame.index)
        now = 5.0 + max((len(found) / RATE) - 0.3, 0.0)
        if len(found) == len(taken):
            break
    assert found == list(range(len(taken)))
    assert caplog.messages == []


def test_a_clock_that_was_set_back_begins_anew():
    clock = DeviceClock()
    assert clock.step(100.0, 5.0) == 5.0
    assert clock.step(0.0, 6.0) == 6.0
    assert clock.step(0.1, 6.2) == pytest.approx(6.1)
    assert clock.step(50.0, 6.3) == pytest.approx(6.3), "a stamp from the future is no stamp"
