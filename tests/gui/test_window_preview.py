"""The picture in the real window: views, colours, limits dragged in the histogram, crop, pictures kept."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from roi_core.recording import Recording
from tests.gui.driver import within

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


@pytest.fixture
def film(tmp_path):
    """A film of a 12-bit camera: noise about 600, a cell that lights up, 5 pixels at 4095, 4 at zero."""
    rng = np.random.default_rng(0)
    film = rng.normal(600, 20, (900, 240, 320)).astype(np.uint16)
    film[:, 20, 40:45] = 4095
    film[:, 30, 40:44] = 0
    for k in range(0, 900, 60):
        film[k : k + 30, 100:120, 200:220] += 600
    path = tmp_path / "film.npy"
    np.save(path, film)
    return path


def shown(window, name):
    """Return the picture on screen, (H, W, 3) RGB."""
    state = window.ask()
    shot = cv2.imread(str(window.screenshot(name)))[:, :, ::-1]
    x, y, width, height = (int(v) for v in state.items["picture"])
    return shot[window.top + y : window.top + y + height, window.left + x : window.left + x + width]


def around(window, picture, x, y, far=3):
    """Return the colours around a camera pixel on screen, (n, n, 3)."""
    state = window.ask()
    left, top = state.items["picture"][:2]
    image = state.image
    column = round(image["x"] + image["zoom"] * x - left)
    row = round(image["y"] + image["zoom"] * y - top)
    return picture[row - far : row + far + 1, column - far : column + far + 1].astype(int)


def at(window, picture, x, y):
    """Return the colour of a camera pixel on screen."""
    return around(window, picture, x, y, 0)[0, 0]


def looked_at(window, name):
    return window.until(lambda s: s.told["preview"]["view"] == name, f"the view {name}")


def drag(window, start, end):
    """Drag in window px."""
    window._to(*start)
    window.settle(2)
    window._tool("mousedown", "1")
    window.settle(2)
    for part in (0.4, 1.0):
        window._to(*(a + part * (b - a) for a, b in zip(start, end, strict=True)))
        window.settle(2)
    window._tool("mouseup", "1")
    return window.settle(4)


def at_rest(window):
    """Wait until the lines of the histogram stand still: they ease towards the picture's own range."""
    lines = {}

    def stands(state):
        before, now = lines.get("now"), state.told["preview"]["lines"]
        lines["now"] = now
        window.settle(12)
        return before is not None and all(abs(now[k][1] - before[k][1]) < 0.5 for k in now)

    return window.until(stands, "the lines stand still").told["preview"]["lines"]


def test_views_colours_and_limits(start, film):
    window = start(str(film), "--set", "display.colours=viridis")
    window.running(30)
    state = window.until(lambda s: s.told["preview"]["ends"][0] == 5, "the limit of 12 bits is found")
    window.key("s")
    for key, name in zip("23456", ("dff", "mean", "max", "std", "correlation"), strict=True):
        window.key(key)
        looked_at(window, name)
        if name == "dff":
            window.until(
                lambda s: s.told["preview"]["limits"][1] > 0.2, "the cell is brighter than its baseline"
            )
    picture = shown(window, "preview_correlation")
    assert at(window, picture, 210, 110)[1] > at(window, picture, 100, 180)[1] + 40, "what goes together"
    for key, setting in (("7", "cnmf.enabled"), ("8", "motion.enabled")):
        window.key(key)
        state = window.until(lambda s: s.told["preview"]["view"] is None, "nothing to show")
        state = window.until(lambda s, word=setting: word in s.told["preview"]["notice"], "what to switch on")
    window.screenshot("preview_nothing_yet")

    window.key("1")
    looked_at(window, "raw")
    window.key("a")
    state = window.until(lambda s: not s.settings["display"]["auto_contrast"], "limits are held")
    lines = at_rest(window)
    before = window.ask().told["preview"]["limits"]
    state = drag(window, lines["high"], (lines["high"][0], lines["high"][1] + 12))
    after = state.told["preview"]["limits"]
    assert after[1] < before[1] - 20, (lines, before, state.told["preview"], state.items["histogram"])
    assert state.settings["display"]["high"] == pytest.approx(after[1], abs=1)
    window._tool("click", "--repeat", "2", "--delay", "60", "1")
    state = window.until(lambda s: s.settings["display"]["auto_contrast"], "a double click: automatic again")
    window.until(lambda s: s.told["preview"]["limits"][1] != after[1], "the picture's own limits")

    window.key("s")
    window.click("dark")
    picture = shown(window, "preview_marks")
    red, green, blue = np.moveaxis(around(window, picture, 42, 20), 2, 0)
    assert (red - green).max() > 80, "a line one pixel high, mixed with those beside it"
    red, green, blue = np.moveaxis(around(window, picture, 41.5, 30), 2, 0)
    assert (blue - green).max() > 80
    red, _, blue = at(window, picture, 250, 200)
    assert blue > red + 20, "viridis, not gray"
    window.resize(1024, 700)
    window.key("2")
    looked_at(window, "dff")
    window.screenshot("preview_1024")
    inside = window.ask().items
    for name in ("snapshot", "crop", "high", "low", "dark", "histogram", "gamma"):
        x, y, width, height = inside[name]
        left, top, wide, high = inside["pane.centre"]
        assert left <= x, name
        assert x + width <= left + wide, name
        assert top <= y, name
        assert y + height <= top + high, name
    assert window.terminate() == 0
    assert window.output() == ""


def test_crop_contrast_of_a_region_and_a_picture_kept_while_recording(start, film):
    window = start(str(film), "--set", "motion.enabled=true")
    window.running(10)
    window.click("tool.rectangle")
    window.drag((196, 96), (205, 105), (224, 124))
    window.key("v", "shift+a")
    state = window.until(lambda s: not s.settings["display"]["auto_contrast"], "limits of the region")
    assert state.settings["display"]["low"] > 450
    assert state.settings["display"]["high"] < 1400

    window.key("h")
    assert window.ask().told["preview"]["crop"] is None
    state = window.drag((60, 40), (100, 80), (260, 200))
    crop = state.told["preview"]["crop"]
    assert crop == pytest.approx([60, 40, 200, 160], abs=4)
    assert state.settings["prepare"]["crop"] == ""
    assert "next connection" in state.messages[-1][1]
    window.screenshot("preview_crop_waits")
    window.key("ctrl+r")
    state = window.until(lambda s: s.settings["prepare"]["crop"], "the crop is in force")
    assert state.settings["prepare"]["crop"] == ",".join(map(str, crop))
    window.running(10)
    window.key("8")
    window.until(lambda s: s.stages.get("motion") == "ready", "motion correction", 200)
    looked_at(window, "template")
    picture = shown(window, "preview_template")
    assert at(window, picture, 20, 20).max() < 30, "nothing was analysed there"

    window.key("r")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    window.click("snapshot")
    state = window.until(lambda s: "picture kept" in s.messages[-1][1], "a picture")
    window.until(lambda s: s.take["rows"] > state.take["rows"] + 5, "rows")
    recording = Path(state.take["path"])
    assert window.terminate() == 0
    with Recording(recording) as file:
        (event,) = [event for event in file.events if event.kind == "snapshot"]
    png = Path(event.data["path"])
    assert png.parent == recording.parent
    numbers = tifffile.imread(png.with_suffix(".tif"))
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers[crop[1] + 2 : crop[1] + 100, crop[0] + 2 : crop[0] + 100]).all()
    assert np.isnan(numbers[:20, :20]).all()
    assert cv2.imread(str(png.with_name(f"{png.stem}_regions.png"))) is not None
    within(1, lambda: window.output() == "", "no complaint", window.output)


def test_what_a_file_holds_cannot_be_cropped_by_a_camera_but_the_simulated_one_sends_a_part(start, film):
    window = start(str(film), "--set", "cnmf.enabled=false", "--set", "motion.enabled=false")
    window.running(5)
    state = window.key("shift+h")
    assert "always sends its whole picture" in state.messages[-1][1]
    window.fill("source", "simulated:tiny")
    window.until(lambda s: s.shape == [48, 64] and s.phase == "running", "it is there")
    window.running(5)
    window.menu("View/Crop the camera")
    state = window.drag((10, 8), (20, 20), (50, 40))
    x, y, w, h = state.told["preview"]["sensor"]
    window.key("ctrl+r")
    window.until(lambda s: s.settings["camera"]["crop"] == f"{x},{y},{w},{h}", "it is asked of the camera")
    window.until(lambda s: s.shape == [h, w] and s.phase == "running", "it is sent")
    window.menu("View/Remove crop of the camera")
    window.key("ctrl+r")
    window.until(lambda s: s.shape == [48, 64] and s.phase == "running", "the whole is sent")
    window.running(5)
    assert window.terminate() == 0
    assert window.output() == ""
