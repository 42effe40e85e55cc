"""Traces in the real window: every mode, marks, and looking back over the whole session."""

import pytest

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


def point(window, name, x, y):
    """Move the mouse to a place in a named widget, in shares of its size."""
    left, top, width, height = window.ask().items[name]
    window._to(left + x * width, top + y * height)
    return window.settle(2)


def traces(state):
    assert "traces" in state.told, state.messages
    return state.told["traces"]


def with_six_regions(start):
    window = start("simulated:2p", "--set", "camera.format=256x256@30", "--set", "cnmf.enabled=false")
    window.running()
    window.key("c")
    for k in range(6):
        window.press(40 + 35 * k, 70 + 90 * (k % 2))
    return window


def test_modes_marks_and_the_way_back(start):
    window = with_six_regions(start)
    window.key("v")
    assert len(window.ask().rois) == 6
    window.key("r")
    window.until(lambda s: s.recording, "recording")
    window.key("n")
    window.type("drug on")
    window.key("Return")
    window.key("t")
    state = window.until(
        lambda s: {"notes", "edits"} <= {group for _, group, _ in traces(s)["marks"]},
        "marks of both",
    )
    assert any(text == "note: drug on" for _, _, text in traces(state)["marks"])

    # the labels hang in a line of their own, above all lanes
    lanes, labels = len(traces(state)["lanes"]), traces(state)["labels"]
    assert "drug on" in [text for text, _ in labels]
    for _, y in labels:
        assert (1 - lanes / y) * (state.items["traces"][3] - 26) > 15, "px between the lanes and the top"

    # words under the mouse
    at = next(time for time, group, _ in traces(state)["marks"] if group == "notes")
    window.key("x")
    state = window.until(lambda s: s.paused, "held")
    told = traces(state)
    whole = max(told["newest"], 20.0)
    point(window, "overview", at / whole, 0.5)
    window.until(lambda s: "drug on" in s.told["traces"]["overview"]["tip"], "the words of the mark")
    window.screenshot("traces_marks")

    # drag the window on the session back to its beginning, and return
    window.key("End")
    window.key("comma", "comma")
    window.until(lambda s: traces(s)["newest"] > 14 and not s.paused, "some seconds")
    state = window.ask()
    told = traces(state)
    whole = max(told["newest"], 5.0)
    assert told["end"] - told["start"] == 5.0
    point(window, "overview", (told["end"] - 1.0) / whole, 0.5)
    window._tool("mousedown", "1")
    window.settle(2)
    for share in (0.6, 0.4, 0.3):
        point(window, "overview", share, 0.5)
    window._tool("mouseup", "1")
    state = window.settle()
    assert state.paused
    assert traces(state)["end"] < told["end"] - 3
    window.screenshot("traces_back")
    window.key("End")
    window.until(lambda s: not s.paused and traces(s)["end"] == traces(s)["newest"], "live again")

    # what is marked is chosen
    assert any(group == "regions" for _, group, _ in traces(window.ask())["marks"]) is False, "long ago"
    window.click("marks")
    window.screenshot("traces_choose_marks")
    window.click("marks.edits")
    window.key("Escape")
    window.key("t", "t")
    assert not any(group == "edits" for _, group, _ in traces(window.settle(8))["marks"])

    # over each other; and all as a raster, of which a row is clicked
    window.key("shift+t")
    window.screenshot("traces_overlay")
    window.key("shift+t")
    state = window.until(lambda s: len(traces(s)["raster"]["lanes"]) == 6, "a raster")
    point(window, "traces", 0.5, 0.1)
    state = window.until(lambda s: "dF/F" in traces(s)["tip"], "a trace is told")
    window._tool("click", "1")
    state = window.until(lambda s: len(s.selection) == 1, "a row is chosen")
    window.screenshot("traces_raster")

    window.key("Home")
    window.until(lambda s: s.paused and traces(s)["start"] == 0, "the first seconds")
    window.screenshot("traces_raster_start")
    window.key("End")

    # more regions than lanes: pages by key, and a bar
    window.key("shift+t", "v", "ctrl+a", "ctrl+d", "ctrl+d", "ctrl+d")
    state = window.until(lambda s: traces(s)["count"] >= 24, "many lanes")
    window.key("Escape")
    for _ in range(9):
        window.key("shift+Prior")
    first = traces(window.ask())["lanes"]
    assert len(first) < traces(window.ask())["count"]
    window.key("shift+Next")
    window.until(lambda s: not set(traces(s)["lanes"]) & set(first), "the next page")
    window.screenshot("traces_page")
    width = window.ask().items["traces"][2]
    point(window, "traces", 1 + 7 / width, 0.4)  # the bar is beside the plot; its grip ends at the half
    window._tool("mousedown", "1")
    window.settle(2)
    point(window, "traces", 1 + 7 / width, 1.1)
    window._tool("mouseup", "1")
    state = window.until(lambda s: traces(s)["lanes"][-1] == s.rois[-1]["name"], "the last page")
    window.screenshot("traces_last_page")
    window.key("shift+t", "shift+t")

    # the session has ended: what there was stays, and can be looked through
    window.key("shift+r")
    with window.holding("record"):
        window.until(lambda s: not s.recording, "stopped")
    window.click("connect")
    window.until(lambda s: s.phase == "finished", "disconnected")
    window.key("shift+t", "Home")
    state = window.until(lambda s: s.paused, "held at the start")
    assert traces(state)["start"] == 0
    window.resize(1024, 700)
    window.screenshot("traces_small")
    assert window.terminate() == 0


def test_cells_in_every_mode(start):
    window = start("simulated:2p", "--set", "camera.format=256x256@30")
    window.running()
    window.until(lambda s: s.cells and len(s.cells["accepted"]) >= 12, "cells are found", 200)
    window.until(lambda s: any(group == "cells" for _, group, _ in traces(s)["marks"]), "births are marked")
    window.screenshot("traces_cells")
    window.key("shift+t", "shift+t")
    state = window.until(lambda s: len(traces(s)["raster"]["lanes"]) >= 12, "a raster of cells")
    point(window, "traces", 0.5, 0.3)
    window.until(lambda s: "cell" in traces(s)["tip"], "a cell is told")
    window._tool("click", "1")
    state = window.until(lambda s: s.cells["chosen"], "a cell is chosen")
    window.screenshot("traces_cells_raster")
    assert state.cells["chosen"][0] in state.cells["accepted"]
    assert window.terminate() == 0


def test_escape_closes_a_drop_down_list_and_no_key_acts_behind_it(start):
    window = start("simulated:tiny", "--as-set")
    window.running()
    window.click("mode")
    window.until(lambda s: "mode" not in s.items, "its list lies open")
    assert window.key("c").tool == "select"
    window.key("Escape")
    window.until(lambda s: "mode" in s.items, "it is closed")
    assert window.key("c").tool == "circle"
    window.click("tool.select")
    window.click("mode")
    window.click("tool.circle")
    assert window.key("v").tool == "select", "also when a click beside it has closed it"


def test_at_every_height_of_the_window_plot_and_strip_share_their_room_once(start):
    window = with_six_regions(start)
    for height in range(680, 721, 4):
        for before in (670, 800):
            window.resize(1280, before)
            window.resize(1280, height)
            window.settle(10)
            seen = {
                str((state.items["traces"], state.items.get("overview"), traces(state)["lanes"]))
                for state in (window.ask() for _ in range(10))
            }
            assert len(seen) == 1, (height, before)
