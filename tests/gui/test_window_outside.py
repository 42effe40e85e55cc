"""The window is ended from outside, loses its display or a key: the recording is finished and tells why."""

import signal

import pytest

from roi_core.recording import Recording
from tests.gui.driver import Screen, Window

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


def by_keys(window):
    window.close_button()
    window.until(lambda s: "quit.stop" in s.items, "the question")
    window.close_button()


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda window: window.process.send_signal(signal.SIGTERM), "SIGTERM"),
        (lambda window: window.process.send_signal(signal.SIGINT), "SIGINT"),
        (by_keys, "window closed"),
    ],
)
def test_a_recording_tells_why_the_window_ended(start, end, reason):
    window = start("simulated:tiny", "--record", "a.h5")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows", 60)
    end(window)
    assert window.ended() == 0
    with Recording(window.home / "a.h5") as recording:
        assert (recording.complete, recording.attributes["finish_reason"]) == (True, f"stopped: {reason}")


@pytest.mark.usefixtures("screen")  # what a screen needs is there
def test_the_x_server_dies_while_recording(tmp_path):
    screen = Screen()
    window = Window(screen, tmp_path, "simulated:tiny", "--record", "a.h5")
    try:
        state = window.until(lambda s: s.recording and s.take["rows"] > 30, "rows", 60)
        screen.close()
        assert window.ended() == 1
    finally:
        window.kill()
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.complete
        assert recording.rows >= state.take["rows"]
        assert recording.attributes["finish_reason"] == "stopped: the display is gone"
    assert "display" in window.output()


def test_a_note_is_kept_after_the_window_manager_kept_the_release_of_alt(start):
    window = start("simulated:tiny", "--record", "a.h5")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows", 60)
    for way, key in (("keydown", "alt"), ("keydown", "F4"), ("keyup", "alt"), ("keyup", "F4")):
        window._tool(way, key)
        window.settle(2)
    window.until(lambda s: "quit.keep" in s.items, "the question")
    window.click("quit.keep")
    window.click("note")
    window.type("drug on")
    state = window.key("Return")
    assert state.messages[-1][1] == "note: drug on"
    assert not state.typing
    assert window.terminate() == 0
