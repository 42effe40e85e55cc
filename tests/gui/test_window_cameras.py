"""A camera behind a maker's driver in the real window: found, chosen, adjusted, refused, recorded."""

from importlib.util import find_spec

import pytest

from roi_stream_gui.panels.session import FIND
from tests.gui.test_window import file_of, hold_stop

pytestmark = [
    pytest.mark.gui,
    pytest.mark.timeout(240),
    pytest.mark.skipif(find_spec("pypylon") is None, reason="needs pip install '.[test-cameras]'"),
]


ROW = 20
"""px between two lines of the list."""


def choose(window, label):
    x, y, _, height = window.ask().items["choices"]
    window.click("choices")
    labels = [*window.ask().told["session"]["choices"], FIND]
    window._to(x - 60, y + height / 2 + 25 + ROW * labels.index(label))
    window.settle(2)
    window._tool("mousedown", "1")
    window.settle(2)
    window._tool("mouseup", "1")
    return window.settle()


def test_an_emulated_camera_is_found_chosen_and_recorded(start):
    off = ("--set", "cnmf.enabled=false", "--set", "motion.enabled=false")
    asked = (
        "--set",
        "camera.pixel_format=12",
        "--set",
        "camera.format=640x480@30",
        "--set",
        "camera.gain=99",
    )
    window = start("simulated:tiny", *off, *asked, PYLON_CAMEMU="1")
    window.running()
    choose(window, FIND)
    camera = "pylon: Emulation (0815-0000)"
    window.until(lambda s: camera in s.told["session"]["choices"], "the camera is a choice", 60)
    choose(window, camera)
    joined = "connected to pylon:0815-0000, 640 x 480 at 30 Hz"
    state = window.until(lambda s: joined in [text for _, text in s.messages], "its picture", 60)
    refusal = "pylon:0815-0000 refused camera.gain 99: it allows 0 to 48 dB; it stays at 0 dB"
    assert refusal in [text for _, text in state.messages]
    window.click("record")
    window.until(lambda s: s.recording and s.take["rows"] > 10, "rows")
    window.screenshot("camera_pylon")
    state = hold_stop(window)
    with file_of(window, state) as file:
        assert file.attributes["source"] == "pylon:0815-0000"
        assert file.attributes["loss_basis"] == "camera"
