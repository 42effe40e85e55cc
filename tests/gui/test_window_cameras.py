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


@pytest.mark.skipif(find_spec("mm_test_adapters") is None, reason="needs pip install '.[test-cameras]'")
def test_what_a_camera_sends_is_drawn_on_its_picture(start):
    off = ("--set", "cnmf.enabled=false", "--set", "motion.enabled=false", "--set", "camera.exposure=10")
    part = ("--set", "camera.binning=2", "--set", "camera.crop=40,20,160,120")
    window = start("micromanager:demo", *off, *part)
    window.running()
    window.click("tool.circle")
    (region,) = window.drag((60, 60), (70, 60)).rois
    window.key("shift+h")
    state = window.drag((30, 20), (60, 60), (130, 100))
    x, y, w, h = state.told["preview"]["sensor"]
    assert (x, y, w, h) == pytest.approx((30, 20, 100, 80), abs=3)
    assert f"{w} x {h} px from x {40 + x}, y {20 + y} of its sensor" in state.messages[-1][1]
    window.screenshot("camera_crop_waits")
    window.key("ctrl+r")
    asked = f"{40 + x},{20 + y},{w},{h}"
    window.until(lambda s: s.settings["camera"]["crop"] == asked, "it is asked of the camera", 60)
    joined = f"connected to micromanager:demo, {w} x {h} at"
    state = window.until(lambda s: any(joined in text for _, text in s.messages), "its picture", 60)
    state = window.until(lambda s: s.told["preview"]["sensor"] is None and s.rois, "nothing waits")
    window.screenshot("camera_crop")
    window.click("record")
    window.until(lambda s: s.recording and s.take["rows"] > 10, "rows")
    state = hold_stop(window)
    with file_of(window, state) as file:
        assert file.shape == (h, w)
        assert file.circles[0][:2].tolist() == pytest.approx([region["xc"] - x, region["yc"] - y])
