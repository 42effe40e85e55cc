"""The list of cells in the real window: linked with the picture, every verb by its key, each taken back."""

import pytest

from roi_stream_gui import words

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

FORMAT = "camera.format=256x256@30"


def of(state):
    return state.told["celltable"]


def status(state, cell):
    return next(
        (kind for kind in ("accepted", "rejected", "merged", "removed") if cell in state.cells[kind]), None
    )


@pytest.fixture
def window(start):
    window = start("simulated:2p", "--set", FORMAT)
    window.running()
    window.until(lambda s: s.cells and len(s.cells["accepted"]) >= 20, "cells are found", 200)
    window.click("tab.celltable")
    window.until(lambda s: len(of(s)["listed"]) >= 20, "cells are listed")
    return window


def accepted(window, state):
    """Accept the one cell that `state` says is chosen, which no rule removes then; None when it has gone."""
    chosen = state.cells["chosen"]
    if len(chosen) != 1:
        return None
    window.key("g")
    state = window.until(
        lambda s: s.cells["chosen"] != chosen or "accepted by hand" in of(s)["facts"], "it is accepted"
    )
    return chosen[0] if state.cells["chosen"] == chosen else None


def on_picture(window, cells):
    """Click the cells on the picture, one after the other, until one is chosen and stays; return its id."""
    for cell in cells:
        place = window.ask().cells["places"].get(str(cell))
        picked = place and accepted(window, window.press(*reversed(place)))
        if picked:
            return picked
    raise AssertionError(f"none of {cells} can be chosen on the picture")


def test_list_picture_and_verbs(window):
    for _ in range(8):  # live cells come and go
        before = of(window.ask())["listed"][2]
        state = window.click("cells.2")
        assert set(state.cells["chosen"]) <= {before, of(state)["listed"][2]}, "a line clicked is chosen"
        cell = accepted(window, state)
        if cell is not None:
            break
    assert cell is not None
    window.screenshot("cells_list")

    # sorted, narrowed
    state = window.click("cells.head.SNR")
    window.click("cells.head.id")
    state = window.click("cells.head.id")
    state = window.until(lambda s: of(s)["listed"] == sorted(of(s)["listed"], reverse=True), "youngest first")
    state = window.fill("cell.filter", f"{cell} acc")
    window.until(lambda s: cell in of(s)["listed"] and len(of(s)["listed"]) < 5, "narrowed")
    window.fill("cell.filter", " ")
    window.click("cells.head.id")
    state = window.until(lambda s: len(of(s)["listed"]) >= 20, "all again")

    # one on the picture, far down the list, is scrolled to
    youngest_first = [k for k in reversed(of(state)["listed"]) if k in state.cells["accepted"]]
    picked = on_picture(window, youngest_first[:8])
    state = window.until(
        lambda s: 0 <= of(s)["listed"].index(picked) - of(s)["first"] < of(s)["fit"], "it is in sight"
    )
    window.screenshot("cells_scrolled_to")

    # its name
    state = window.fill("cell.name", "soma")
    assert of(state)["names"] == {str(picked): "soma"}

    # every verb by its key, and back
    window.key("b")
    window.until(lambda s: status(s, picked) == "rejected", "rejected")
    window.until(lambda s: "rejected by hand" in of(s)["facts"], "it says so")
    window.key("ctrl+z")
    window.until(lambda s: status(s, picked) == "accepted", "taken back")
    before = window.ask().cells["accepted"]
    window.key("d")
    state = window.until(lambda s: len(s.cells["chosen"]) == 2, "split")
    part = max(state.cells["chosen"])
    assert part not in before
    window.key("u")
    window.until(lambda s: status(s, part) == "merged", "merged")
    window.screenshot("cells_merged")
    window.key("ctrl+z")
    window.until(lambda s: status(s, part) in ("accepted", "rejected"), "the part lives again")
    window.key("ctrl+z")
    window.until(lambda s: status(s, part) == "removed", "whole again")
    window.press(-40, 128)
    state = window.press(*reversed(window.ask().cells["places"][str(picked)]))
    assert state.cells["chosen"] == [picked]
    window.key("o")
    state = window.until(lambda s: [roi["name"] for roi in s.rois] == ["soma"], "it is a region now")
    assert status(state, picked) == "removed"
    window.key("ctrl+z")
    window.until(lambda s: not s.rois and status(s, picked) in ("accepted", "rejected"), "and a cell again")
    assert window.terminate() == 0
    assert window.output() == ""


def test_regions_agree_with_cells_and_missed_ones_are_seeded(window):
    state = window.ask()
    places = [state.cells["places"][str(cell)] for cell in state.cells["accepted"][:2]]
    window.key("c")
    for y, x in places:
        window.drag((x, y), (x + 7, y))
        window.key("c")
    free = next(
        (x, y) for y in range(40, 220, 9) for x in range(40, 220, 9)
        if min((y - v) ** 2 + (x - u) ** 2 for v, u in state.cells["places"].values()) > 17**2
    )  # fmt: skip
    window.drag(free, (free[0] + 6, free[1]))
    window.key("v")
    assert len(window.click("pairs.fold").rois) == 3

    def kinds(state):
        return [pair[-1] for pair in of(state)["pairs"]]

    state = window.until(
        lambda s: kinds(s)[:3] == ["missed", "found", "found"] and of(s)["pairs"][1][3] > 0.5, "compared", 40
    )
    assert kinds(state).count("extra") >= 10
    for _ in range(8):  # live cells come and go
        region, cell = of(window.ask())["pairs"][1][:2]
        state = window.click("pairs.1")
        assert state.selection == [region]
        if accepted(window, state) == cell:
            break
    assert window.ask().cells["chosen"] == [cell], "both are shown"
    window.screenshot("cells_agreement")
    window.resize(1024, 700)
    window.screenshot("cells_agreement_1024x700")
    names = {"cell.split", "cell.demote", "pairs.seed", "cell.filter"}
    items = window.until(lambda s: names <= s.items.keys(), "all of it has found room").items
    for name in names:
        x, y, width, height = items[name]
        left, top, wide, high = items["pane.right"]
        assert left <= x, name
        assert x + width <= left + wide, name
        assert y + height <= top + high, name
    window.click("pairs.seed")
    state = window.until(lambda s: "missed" not in kinds(s) and len(kinds(s)) > 3, "it is a cell now", 120)
    window.key("ctrl+z")
    window.until(lambda s: kinds(s)[0] == "missed", "taken back", 40)
    assert window.terminate() == 0
    assert window.output() == ""


def test_in_a_small_window_the_list_has_the_room(window):
    window.resize(1280, 720)
    window.press(-40, 128)
    state = window.until(lambda s: not s.cells["chosen"] and "cell.split" not in s.items, "nothing is chosen")
    assert of(state)["fit"] >= 6
    window.screenshot("cells_none_1280x720")
    for _ in range(8):  # live cells come and go
        cell = accepted(window, window.click("cells.5"))
        if cell is not None:
            break
    state = window.until(
        lambda s: 0 <= of(s)["listed"].index(cell) - of(s)["first"] < of(s)["fit"], "it stays in sight"
    )
    assert of(state)["fit"] >= 4
    _, top, _, high = state.items["pane.right"]
    for name in ("cell.name", "cell.split", "cell.demote"):
        _, y, _, height = state.items[name]
        assert y + height <= top + high, name
    state = window.click("pairs.fold")
    assert "cells.0" not in state.items, "there is no room for two lists"
    assert of(state)["heading"] == words.PAIRS_ALONE, "and it says how to come back"
    state = window.click("pairs.fold")
    assert "cells.0" in state.items
    assert of(state)["heading"] == words.PAIRS
    window.resize(1600, 900)
    state = window.click("pairs.fold")
    assert of(state)["fit"] >= 4
    assert "cells.0" in state.items
    assert of(state)["heading"] == words.PAIRS
    window.screenshot("cells_both_1600x900")
    assert window.terminate() == 0
