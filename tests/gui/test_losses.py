"""A camera that really drops, seen in the window: the chip, the file and the camera tell the same number."""

import os
import re
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from roi_core.recording import Recording, audit
from tests.cameras import Y4mCamera, picture

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

WIDTH, HEIGHT, RATE = 320, 240, 60
LIVE = ("--set", "camera.counter=embedded", "--set", "recorder.movie=true", "--record", "a.h5")


def test_a_frozen_window_tells_what_the_camera_dropped(start):
    with Y4mCamera(WIDTH, HEIGHT, RATE) as camera:
        window = start(camera.url, *LIVE)
        window.until(lambda s: s.recording and s.take["rows"] > 30, "rows", 60)
        os.kill(window.process.pid, signal.SIGSTOP)
        threading.Event().wait(1.5)  # the fault itself: a program that stands still
        os.kill(window.process.pid, signal.SIGCONT)
        after = window.until(lambda s: s.dropped, "losses are told")
        state = window.until(lambda s: s.frames > after.frames + 60, "frames flow again")
        state = window.until(lambda s: s.chips["lost"] == f"lost {s.dropped}", "the chip tells them")
        window.point("chip.lost")
        window.settle(30)
        window.screenshot("losses_on_the_chip")
        path = window.home / state.take["path"]
        assert window.terminate() == 0
        with Recording(path) as file:
            index = file.frame_index
            missing = sorted(set(range(index[0], index[-1] + 1)) - set(index.tolist()))
            assert missing == [count for count in camera.report().dropped if index[0] < count < index[-1]]
            assert len(missing) == file.attributes["frames_dropped"] > 20
            assert audit(file) == ()
            assert len(missing) >= int(re.sub(r"\D", "", state.chips["lost"])) > 20
            for row in range(0, file.rows, 7):
                np.testing.assert_array_equal(file.movie[row], picture(int(index[row]), WIDTH, HEIGHT))


def test_a_camera_that_is_unplugged_comes_back(start):
    with Y4mCamera(WIDTH, HEIGHT, RATE) as camera:
        window = start(camera.url, *LIVE, "--set", "camera.timeout=2")
        window.until(lambda s: s.recording and s.take["rows"] > 30, "rows", 60)
        camera.stall(5)
        window.until(lambda s: s.chips["fps"].startswith("stalled"), "the chip tells of the stall")
        window.screenshot("camera_stalled")
        state = window.until(lambda s: s.chips["fps"].endswith("fps"), "it is back", 60)
        rows = state.take["rows"]
        camera.unplug(2)
        window.until(lambda s: any("is back after" in text for _, text in s.messages), "it is back again", 60)
        state = window.until(lambda s: s.take["rows"] > rows + 60, "rows flow", 60)
        assert state.phase == "running"
        path = window.home / Path(state.take["path"])
        assert window.terminate() == 0
    with Recording(path) as file:
        assert file.complete
        assert any(event.kind == "gap" and event.data["lost"] for event in file.events)
        assert np.all(np.diff(file.time) > 0)
