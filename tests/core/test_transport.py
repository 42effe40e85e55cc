"""Files that are played: at their speed, faster, held still, a frame at a time, from any row on."""

import math
import threading

import numpy as np
import pytest
import tifffile

from roi_core.sources import Played, Transport
from roi_core.sources.base import Clock
from tests.contracts.test_source import SourceContract, collect
from tests.core.test_sources_files import MOVIE, opened, write_recording, write_video
from tests.core.test_sources_miniscope import write_session
from tests.gui.driver import within


class Hands(Clock):
    """A clock that stands still but for the waits."""

    def __init__(self):
        self.time = 100.0

    def now(self):
        return self.time

    def wait(self, event, seconds):
        self.time += seconds
        return True


def played(folder, speed=1.0, **more):
    np.save(folder / "a.npy", MOVIE)
    hands = Hands()
    return Played(opened(folder / "a.npy", rate=10.0), Transport(speed=speed, clock=hands), **more), hands


class TestPlayed(SourceContract):
    def make(self, folder):
        np.save(folder / "a.npy", MOVIE)
        return Played(opened(folder / "a.npy", rate=1000.0), Transport())


@pytest.mark.parametrize(("speed", "period"), [(1.0, 0.1), (5.0, 0.02), (math.inf, 0.0)])
def test_frames_come_at_the_speed_that_was_asked_for(tmp_path, speed, period):
    source, hands = played(tmp_path, speed)
    for row, frame in enumerate(source.frames()):
        assert (frame.index, frame.time) == (row, pytest.approx(row / 10)), "index and time are the file's"
        assert hands.time == pytest.approx(100.0 + row * period)
        assert (source.transport.row, source.transport.time) == (row, frame.time)
    source.close()


def test_a_late_consumer_gets_every_frame_and_no_rush(tmp_path):
    source, hands = played(tmp_path)
    came = []
    for frame in source.frames():
        came.append(hands.time)
        hands.time += {2: 0.15, 5: 3.0}.get(frame.index, 0.0)
    source.close()
    assert len(came) == len(MOVIE)
    assert came[3:5] == pytest.approx([100.35, 100.4]), "a little delay is made up for"
    assert np.diff(came[6:]) == pytest.approx(np.full(3, 0.1)), "a long one is not"


def test_the_speed_can_be_changed_on_the_way(tmp_path):
    source, hands = played(tmp_path)
    came = []
    for frame in source.frames():
        came.append(hands.time)
        if frame.index == 4:
            source.transport.speed = 2.0
    source.close()
    assert np.diff(came)[:4] == pytest.approx(np.full(4, 0.1))
    assert np.diff(came)[5:] == pytest.approx(np.full(4, 0.05))
    with pytest.raises(ValueError, match="more than 0"):
        source.transport.speed = 0.0


def test_a_file_held_still_gives_a_frame_for_each_step_until_it_is_closed(tmp_path):
    np.save(tmp_path / "a.npy", MOVIE)
    transport = Transport(playing=False, speed=math.inf)
    source, seen = Played(opened(tmp_path / "a.npy", rate=10.0), transport), []

    consumer = threading.Thread(target=lambda: seen.extend(frame.index for frame in source.frames()))
    consumer.start()
    for steps in (1, 2):
        transport.step()
        within(10, lambda steps=steps: len(seen) == steps, "a step")
    assert not transport.playing
    assert seen == [0, 1]
    transport.play()
    within(10, lambda: len(seen) == len(MOVIE), "the rest")
    source.close()
    consumer.join(10)
    assert not consumer.is_alive()


def files(folder):
    np.save(folder / "a.npy", MOVIE)
    tifffile.imwrite(folder / "a.tif", MOVIE)
    write_recording(folder / "a.h5", 8, [0, 1, 2, 5, 6, 7, 8, 9])
    write_video(folder / "a.avi", MOVIE)
    write_video(folder / "a.mkv", MOVIE)
    return [folder / name for name in ("a.npy", "a.tif", "a.h5", "a.avi", "a.mkv")] + [write_session(folder)]


@pytest.mark.parametrize("which", range(6))
def test_every_kind_of_file_can_be_looked_at_and_played_from_any_row(tmp_path, which):
    path = files(tmp_path)[which]
    whole = opened(path)
    expected = collect(whole)
    whole.close()
    looked = opened(path)
    for row in (0, 5, 6, 2, 7, 0, 1):
        frame = looked.at(row)
        assert (frame.index, frame.time) == (expected[row].index, pytest.approx(expected[row].time, abs=1e-3))
        np.testing.assert_array_equal(frame.image, expected[row].image)
    assert looked.at(len(expected)) is None
    looked.close()
    assert looked.at(0) is None
    for first in (1, 6):
        source = Played(opened(path), Transport(speed=math.inf), first)
        rest = collect(source)
        source.close()
        assert [frame.index for frame in rest] == [frame.index for frame in expected[first:]]
        np.testing.assert_array_equal(rest[0].image, expected[first].image)
        assert source.transport.row == len(expected) - 1


def test_an_mp4_is_looked_at_to_the_frame():
    path = "matlab/test_circle_1280x720_60fps.mp4"
    whole = opened(path)
    expected = {frame.index: frame.image[::8, ::8].copy() for frame in whole.frames()}
    whole.close()
    looked = opened(path)
    for row in (0, len(expected) - 1, 17, 18, 16, 100, 1):
        np.testing.assert_array_equal(looked.at(row).image[::8, ::8], expected[row])
    looked.close()
