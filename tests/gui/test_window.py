"""The real window: a process under Xvfb, used with mouse and keys, judged by its screen and its file."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from roi_core.recording import Recording
from roi_stream_gui import words
from roi_stream_gui.panels import PANELS
from roi_stream_gui.tools import Tool
from tests.gui.driver import Screen, Window, within

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

PANES = ("top", "chips", "left", "centre", "right", "bottom", "foot")


def file_of(window, state):
    """Wait until the file is finished and open it."""
    path = Path(state.take["path"])
    window.until(lambda s: not s.recording and not s.take["closing"], "the file is finished")
    return Recording(path)


def hold_stop(window):
    with window.holding("record"):
        return window.until(lambda s: not s.recording, "stopped by holding")


def near(window, x, y):
    """How far a hand at whole screen px may miss an image point."""
    return 1.0 / window.ask().image["zoom"] + 0.5


@pytest.fixture
def block(tmp_path):
    """A film with a bright block at x 300..319, y 120..139, three saturated pixels, and a slow ramp."""
    film = np.full((400, 240, 480), 2000, np.uint16)
    film[:, 120:140, 300:320] = 40000
    film[:, 20, 40:43] = 65535
    film[:, :, :] += np.arange(400, dtype=np.uint16)[:, None, None] * (film < 40000)
    path = tmp_path / "block.npy"
    np.save(path, film)
    return path


def test_a_first_session_from_start_to_file(start):
    window = start()
    first = window.running()
    assert first.state["source"] == "simulated"
    before = cv2.imread(str(window.screenshot("first_start")))
    window.until(lambda s: s.frames > first.frames + 10, "frames")
    x, y, width, height = (int(v) for v in first.items["picture"])
    after = cv2.imread(str(window.screenshot("first_start_later")))
    part = np.s_[window.top + y : window.top + y + height, window.left + x : window.left + x + width]
    assert np.abs(before[part].astype(int) - after[part]).mean() > 1, "the picture is alive"

    window.key("c")
    drawn = window.drag((200, 220), (210, 220), (225, 220))
    (roi,) = drawn.rois
    assert roi["kind"] == "circle"
    assert (roi["xc"], roi["yc"]) == pytest.approx((200, 220), abs=near(window, 0, 0))
    assert roi["r"] == pytest.approx(25, abs=2 * near(window, 0, 0))

    window.click("record")
    recording = window.until(lambda s: s.recording and s.take["rows"] > 20, "rows are recorded")
    assert Path(recording.take["path"]).parent == window.home / "roi_stream"
    window.click("note")
    window.type("drug on, record this")
    window.screenshot("check_23_typed")
    window.key("Return")
    window.click("record")
    assert window.settle(10).recording, "a short click does not stop"
    state = hold_stop(window)
    with file_of(window, state) as file:
        assert file.complete
        assert len(file.time) == state.take["rows"] or len(file.time) > 20
        assert (np.diff(file.frame_index) == 1).all()
        assert np.isfinite(file.means[:, 0]).all()
        assert [e.data["text"] for e in file.events if e.kind == "note"] == ["drug on, record this"]
    assert window.ask().tool == "circle", "typing in a field triggers no key"
    assert window.terminate() == 0
    assert window.output() == ""


def test_every_shape_move_undo_redo_rename_delete(start):
    window = start()
    window.running()
    window.key("e")
    window.drag((300, 100), (330, 120), (360, 140))
    window.click("tool.rectangle")
    window.drag((100, 100), (150, 130), (180, 160))
    window.key("p")
    for corner in ((60, 300), (160, 300), (160, 400)):
        window.press(*corner)
    window.press(60, 400, times=2)
    window.key("f")
    angle = np.linspace(0, 2 * np.pi, 25)
    window.drag(*zip(350 + 60 * np.cos(angle), 350 + 60 * np.sin(angle), strict=True))
    state = window.ask()
    shapes = {roi["kind"]: roi for roi in state.rois}
    slack = 2 * near(window, 0, 0)
    ellipse = shapes["ellipse"]
    assert [ellipse[k] for k in ("xc", "yc", "rx", "ry")] == pytest.approx([330, 120, 30, 20], abs=slack)
    rectangle = shapes["rectangle"]
    assert [rectangle[k] for k in ("x0", "y0", "x1", "y1")] == pytest.approx([100, 100, 180, 160], abs=slack)
    corners = [(60, 300), (160, 300), (160, 400), (60, 400)]
    np.testing.assert_allclose(shapes["polygon"]["points"], corners, atol=slack)
    outline = np.array(shapes["freehand"]["points"], np.float32)
    drawn = 12 * 60**2 * np.sin(np.pi / 12)  # 24 corners
    assert cv2.contourArea(outline) == pytest.approx(drawn, rel=0.02)

    window.key("v")
    moved = window.drag((140, 130), (150, 135), (170, 150))
    rectangle = next(roi for roi in moved.rois if roi["kind"] == "rectangle")
    assert [rectangle["x0"], rectangle["y0"]] == pytest.approx([130, 120], abs=2 * slack)
    back = window.key("ctrl+z")
    assert next(r for r in back.rois if r["kind"] == "rectangle")["x0"] == shapes["rectangle"]["x0"]
    again = window.key("ctrl+shift+z")
    assert next(r for r in again.rois if r["kind"] == "rectangle")["x0"] == rectangle["x0"]
    named = window.fill("name", "dendrite cr")
    assert next(r for r in named.rois if r["kind"] == "rectangle")["name"] == "dendrite cr"
    assert len(named.rois) == 4
    assert named.tool == "select"
    window.screenshot("every_shape")
    following = window.key("Next").selection
    assert following != named.selection
    assert window.key("Prior").selection == named.selection
    nudged = window.key("Right", "shift+Down", "shift+Down")
    now = next(roi for roi in nudged.rois if roi["kind"] == "rectangle")
    was = next(roi for roi in named.rois if roi["kind"] == "rectangle")
    assert (now["x0"], now["y0"]) == pytest.approx((was["x0"] + 1, was["y0"] + 20))
    larger = next(roi for roi in window.key("equal").rois if roi["kind"] == "rectangle")
    assert larger["x1"] - larger["x0"] == pytest.approx(1.1 * (now["x1"] - now["x0"]), abs=0.011)
    gone = window.key("Delete")
    assert len(gone.rois) == 3
    assert len(window.click("undo").rois) == 4


def test_handles_corners_menu_and_locks(start):
    window = start()
    window.running()
    window.key("c")
    window.drag((200, 200), (220, 200), (240, 200))
    window.key("v")
    reshaped = window.drag((240, 200), (250, 200), (260, 200))
    assert reshaped.rois[0]["r"] == pytest.approx(60, abs=3)
    window.key("ctrl+d")
    state = window.until(lambda s: len(s.rois) == 2, "a copy")
    window.key("l")
    x, y = state.rois[1]["xc"], state.rois[1]["yc"]
    state = window.drag((x, y), (x + 20, y), (x + 40, y))
    assert (state.rois[1]["xc"], state.rois[1]["locked"]) == (x, True)
    assert any("is locked" in text for _, text in state.messages)
    window.press(x, y, button=3)
    window.screenshot("context_menu")


def test_what_is_seen_is_what_is_measured(start, block):
    """Zoomed and panned, the block on the screen lies where the program says; its mean is the file's."""
    window = start(str(block), "--set", "display.auto_contrast=false", "--set", "display.high=40000")
    window.running()
    window.hover(310, 130)
    window._tool("click", "--repeat", "3", "--delay", "80", "4")
    zoomed = window.settle(6)
    assert zoomed.image["zoom"] > 1.2
    x, y = zoomed.image["x"] + zoomed.image["zoom"] * 310, zoomed.image["y"] + zoomed.image["zoom"] * 130
    for tool, dx in (("mousedown", 0), ("mousemove", 30), ("mousemove", 60), ("mouseup", 60)):
        if tool == "mousemove":
            window._to(x + dx, y + dx / 2)
        else:
            window._tool(tool, "2")
        window.settle(2)
    panned = window.settle(6)
    shot = cv2.imread(str(window.screenshot("zoomed_block")))
    left, top, width, height = (int(v) for v in panned.items["picture"])
    gray = shot[window.top + top :, window.left + left :][:height, :width].min(axis=2)
    rows, columns = np.nonzero(gray > 240)
    zoom = panned.image["zoom"]
    seen = (left + (columns.min() + columns.max()) / 2, top + (rows.min() + rows.max()) / 2)
    told = (panned.image["x"] + zoom * 309.5, panned.image["y"] + zoom * 129.5)
    assert seen == pytest.approx(told, abs=max(zoom, 1.5)), "within one image px"
    assert (columns.max() - columns.min() + 1) / zoom == pytest.approx(20, abs=1)

    window.key("q")
    state = window.drag((303, 123), (308, 128), (316, 136))
    assert state.rois[0]["x0"] == pytest.approx(303, abs=1)
    window.click("record")
    window.until(lambda s: s.recording and s.take["rows"] > 10, "rows")
    state = hold_stop(window)
    with file_of(window, state) as file:
        np.testing.assert_array_equal(file.means[:, 0], 40000.0)


def test_saturated_pixels_are_red_and_contrast_changes_no_data(start, block):
    window = start(str(block))
    state = window.running()
    shot = cv2.imread(str(window.screenshot("saturated"))).astype(int)
    blue, green, red = np.moveaxis(shot[window.top :, window.left :], 2, 0)
    rows, columns = np.nonzero((red > 120) & (green < 60) & (blue < 60))
    image = window.ask().image
    near_it = np.hypot(columns - image["x"] - 41 * image["zoom"], rows - image["y"] - 20 * image["zoom"]) < 5
    assert near_it.any()
    window.key("q")
    window.drag((100, 100), (110, 110), (130, 130))
    window.click("record")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    window.key("a", "s")
    state = window.drag_widget("low", 60)
    assert not state.settings["display"]["auto_contrast"]
    assert not state.settings["display"]["saturation"]
    assert state.settings["display"]["low"] > 0
    state = hold_stop(window)
    with file_of(window, state) as file:
        np.testing.assert_array_equal(file.means[:, 0], 2000.0 + file.frame_index)


def test_parameters_are_edited_while_running(start):
    window = start("--set", "roi.dff=true")
    window.running()
    window.click("tab.parameters")
    window.click("record")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    window.click("find")
    window.type("dff percentile"[:3])
    state = window.settle(5)
    assert "set.roi.dff_percentile" in state.items
    window.fill("set.roi.dff_percentile", "12.5")
    state = window.click("trial.apply")
    assert state.settings["roi"]["dff_percentile"] == 12.5
    state = window.fill("set.roi.dff_percentile", "77", end="Tab")
    assert state.settings["roi"]["dff_percentile"] == 12.5
    assert state.messages[-1][1].startswith("roi.dff_percentile = 77")
    window.screenshot("parameters")
    state = window.until(lambda s: s.take["rows"] > 30, "rows")
    state = hold_stop(window)
    with file_of(window, state) as file:
        edits = [(e.data["path"], e.data["old"], e.data["new"]) for e in file.events if e.kind == "setting"]
    assert edits == [("roi.dff_percentile", 8.0, 12.5)], "one edit, not one per keystroke"


def test_regions_survive_save_delete_load(start, tmp_path):
    window = start()
    window.running()
    window.key("c")
    window.drag((200, 200), (210, 200), (220, 200))
    window.click("swatch.4")
    before = window.ask().rois
    window.click("save_rois")
    window.screenshot("save_dialog")
    window.fill("path", str(tmp_path / "set.json"))
    within(10, (tmp_path / "set.json").exists, "the file is written")
    window.key("Escape", "Delete")
    window.until(lambda s: not s.rois, "deleted")
    window.click("load_rois")
    window.fill("path", str(tmp_path / "set.json"))
    after = window.until(lambda s: s.rois, "loaded").rois
    strip = [{k: v for k, v in roi.items() if k not in ("id", "version")} for roi in (*before, *after)]
    assert strip[0] == strip[1]
    assert after[0]["id"] != before[0]["id"], "an id is never given twice"
    assert strip[0]["colour"] == [64, 134, 222]
    json.loads((tmp_path / "set.json").read_text())

    window.key("c")
    window.drag((300, 300), (310, 300), (320, 300))
    window.click("save_rois")
    state = window.fill("path", str(tmp_path / "set"))
    assert "path.there" in state.items, "it asks before it replaces a file"
    window.screenshot("save_replace")
    assert len(json.loads((tmp_path / "set.json").read_text())["rois"]) == 1
    window.click("path.ok")
    window.until(lambda s: any("2 regions saved" in text for _, text in s.messages), "replaced")


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (1280, 800), (1600, 900)])
def test_nothing_is_clipped_or_overlaps(start, width, height):
    window = start()
    window.running()
    window.key("c")
    window.press(200, 200)
    window.click("record")
    window.until(lambda s: s.recording, "recording")
    window.resize(width, height)
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    items = window.settle(8).items
    window.screenshot(f"window_{width}x{height}")
    panes = {name: items.pop(f"pane.{name}") for name in PANES}
    assert _apart(panes) == []
    outside = []
    for name, (x, y, w, h) in items.items():
        inside = [p for p in panes.values() if p[0] <= x and p[1] <= y and x + w <= p[0] + p[2] + 1]
        if not any(y + h <= p[1] + p[3] + 1 for p in inside) and not name.startswith(
            ("set.", "back.", "row.", "block.")
        ):
            outside.append((name, (x, y, w, h)))
    assert [one for one in outside if not one[0].startswith("split.")] == []
    assert items["picture"][3] > 0.38 * height, "it is what the window is for"
    for x, y, w, h in panes.values():
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
    buttons = {
        k: v
        for k, v in items.items()
        if not k.startswith(("split.", "tab.", "row.", "block.", "set.", "back."))
    }
    assert _apart(buttons) == []


@pytest.mark.parametrize(
    ("width", "height", "scale", "drawn"),
    [
        (940, 640, 1, 1),
        (1024, 640, 1, 1),
        (1280, 800, 1.25, 1.25),
        (1280, 800, 1.5, 1.5),
        (1280, 800, 2, 1.5),
    ],
)
def test_with_a_file_open_every_button_has_its_place(start, video, width, height, scale, drawn):
    window = start(str(video), "--set", f"display.scale={scale}")
    window.until(lambda s: s.items.get("position", (0,) * 4)[2], "the strip is shown", 60)
    window.key("m")  # there is nothing to mark: a second message
    window.resize(width, height)
    state = window.settle(8)
    items, said = state.items, state.told["messages"]
    window.screenshot(f"file_{width}x{height}_{scale}")
    assert said["height"] % said["step"] == 0, "no message is cut"
    assert 0 < items["pane.foot"][3] - said["height"] < said["step"] + 13 * drawn, (
        "and there is room for no more"
    )
    assert abs(items["record"][2] - 104 * drawn) < 3, "no larger than the window has room for"
    top, left, centre, strip, foot = (
        items[f"pane.{name}"] for name in ("top", "left", "centre", "strip", "foot")
    )
    for pane, names in (
        (top, "source connect record length take chip.disk note mark"),
        (centre, "view colours outlines fit snapshot crop picture"),
        (strip, "again play speed from_here back position transport.facts"),
        (foot, "messages.info messages.warning messages.error"),
        (left, " ".join(f"tool.{tool.value}" for tool in Tool)),
        (left, "undo redo duplicate delete"),
    ):
        for name in names.split():
            assert _within(items[name], pane), name
            assert _within(items[name], (0, 0, width, height)), name
    assert items["picture"][3] > 0.2 * height


@pytest.mark.parametrize("width", [1024, 1600])
def test_what_the_transport_tells_of_a_long_file_is_not_cut(start, tmp_path, width):
    path = tmp_path / "long.npy"
    np.save(path, np.random.default_rng(0).integers(0, 999, (12_000, 16, 16), np.uint16))
    window = start(str(path))
    window.until(lambda s: s.items.get("position", (0,) * 4)[2], "the strip is shown", 60)
    window.resize(width, 880)
    window.click("position")
    window.until(lambda s: s.told["transport"]["looking"], "it tells most while one looks elsewhere")
    items = window.settle(3).items
    window.screenshot(f"file_long_{width}")
    for name in ("position", "transport.facts"):
        assert _within(items[name], items["pane.strip"]), name
    assert items["position"][2] >= 80


def _within(one, other):
    return (
        other[0] <= one[0]
        and other[1] <= one[1]
        and one[0] + one[2] <= other[0] + other[2] + 1
        and one[1] + one[3] <= other[1] + other[3] + 1
    )


def _apart(rectangles):
    """Return the pairs that overlap by more than a px."""
    names = list(rectangles)
    pairs = []
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            (ax, ay, aw, ah), (bx, by, bw, bh) = rectangles[one], rectangles[other]
            if ax + aw > bx + 1 and bx + bw > ax + 1 and ay + ah > by + 1 and by + bh > ay + 1:
                pairs.append((one, other))
    return pairs


def test_a_minimised_window_records_every_frame(start):
    window = start()
    window.running()
    window.key("c")
    window.press(200, 200)
    window.key("r")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    window.minimise()
    here = window.ask()
    there = window.until(lambda s: s.take["rows"] > here.take["rows"] + 90, "rows while minimised")
    assert there.dropped == 0
    window.restore()
    state = window.until(lambda s: s.take["rows"] > there.take["rows"] + 10, "rows after")
    state = hold_stop(window)
    with file_of(window, state) as file:
        assert (np.diff(file.frame_index) == 1).all()


def test_closing_while_recording_asks_and_a_second_close_finalises(start):
    window = start()
    window.running()
    window.key("c")
    window.press(200, 200)
    window.key("r")
    state = window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    window.close_button()
    window.until(lambda s: "quit.keep" in s.items, "the question")
    items = window.settle().items
    for name in ("quit.text", "quit.stop", "quit.keep"):
        assert _within(items[name], items["quit"]), "nothing of the question is cut off"
    assert len(window.key("Delete").rois) == 1, "no key acts behind the question"
    window.screenshot("asks_before_closing")
    state = window.click("quit.keep")
    assert state.recording
    window.close_button()
    window.until(lambda s: "quit.stop" in s.items, "the question again")
    path = Path(window.ask().take["path"])
    window.close_button()
    assert window.ended() == 0
    with Recording(path) as file:
        assert file.complete
        assert len(file.time) > 5
    assert window.output() == ""


def test_sigterm_finalises_at_once(start):
    window = start("--record", "now.h5")
    state = window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    path = window.home / state.take["path"]
    assert window.terminate() == 0
    with Recording(path) as file:
        assert file.complete


def test_a_slip_of_the_hand_costs_neither_name_nor_recording(start):
    window = start()
    window.running()
    window.key("c")
    window.press(150, 150)
    window.press(350, 300)
    window.key("v")
    window.press(150, 150)
    window.click("name")
    window.key("ctrl+a")
    window.type("soma")
    window.press(350, 300)
    state = window.until(lambda s: s.rois[0]["name"] == "soma", "the name is kept without Enter")
    assert state.rois[1]["name"] == "roi2"
    assert state.selection == [2]
    window.click("record")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    for slip in (lambda: window.fill("source", "simulated:tiny"), lambda: window.click("connect")):
        state = slip()
        assert state.recording
        assert state.messages[-1][1] == words.STOP_FIRST
    assert state.source == "simulated"
    window._tool("keydown", "shift")
    window._tool("keydown", "r")
    state = window.until(lambda s: not s.recording, "stopped by the keys")
    window._tool("keyup", "shift")
    assert not window.settle(30).recording, "R alone, still held, is no new recording"
    window._tool("keyup", "r")
    assert window.settle().take["path"] == state.take["path"]
    assert window.terminate() == 0


def test_a_display_that_dies_costs_no_recording(tmp_path):
    own = Screen()
    try:
        window = Window(own, tmp_path, "--record", "now.h5")
        state = window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    finally:
        own.close()
    assert window.ended() == 1
    with Recording(window.home / state.take["path"]) as file:
        assert file.complete
        assert len(file.time) > 5
    assert words.DISPLAY_LOST in window.output()


def test_a_folder_that_cannot_be_written_is_a_message(start, tmp_path):
    (tmp_path / "taken").write_text("a file")
    window = start("--set", f"recorder.folder={tmp_path}/taken/below")
    window.running()
    state = window.click("record")
    assert not state.recording
    assert state.messages[-1][1].startswith("not recording: ")
    window.until(lambda s: s.frames > state.frames + 10, "frames still flow")


def test_a_broken_panel_costs_itself_only(start):
    code = (
        "import sys, roi_stream_gui.panels as p; p.PANELS['broken'] = 'tests.gui.broken_panel:Broken'; "
        "p.PANELS['gone'] = 'no_such:Panel'; "
        "from roi_stream_gui.__main__ import main; sys.exit(main())"
    )
    window = start(code=code)
    window.running()
    state = window.until(lambda s: "broken" not in s.panels, "the panel is off")
    assert set(state.panels) == set(PANELS)
    assert any("a bug in a panel" in text for _, text in state.messages)
    assert any("no_such" in text for _, text in state.messages), "nor does one that cannot be imported"
    assert "ZeroDivisionError" in window.output()
    assert window.terminate() == 0


def test_a_source_that_is_not_there_leaves_a_window_that_works(start):
    window = start("nowhere.avi")
    state = window.until(lambda s: s.phase == "idle" and s.messages, "a sentence")
    assert "nowhere.avi" in state.messages[-1][1]
    window.fill("source", "simulated:tiny")
    state = window.running()
    assert state.shape == [48, 64]
    state = window.click("connect")
    window.until(lambda s: s.phase == "finished", "disconnected")
    window.click("connect")
    window.running()


def test_traces_page_pause_and_select(start):
    window = start()
    window.running()
    window.key("c")
    for k in range(12):
        window.press(60 + 70 * (k % 6), 100 + 200 * (k // 6))
    state = window.ask()
    assert len(state.rois) == 12
    window.click("pause")
    assert window.ask().paused
    window.click("pause")
    x, y, width, _ = state.items["traces"]
    window._to(x + width / 2, y + 12)
    window.settle(2)
    window._tool("click", "1")
    state = window.settle(4)
    assert len(state.selection) == 1
    window.key("period")
    assert window.ask().settings["display"]["trace_window"] == 30
    window.key("t")
    assert window.ask().settings["roi"]["dff"]
    window.until(lambda s: s.trace_rows > 300, "some traces")
    window.screenshot("traces")
