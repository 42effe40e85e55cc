"""Drawing in the real window: the wand, corners, groups, locks, the list, files, and the fibre finder."""

import math

import numpy as np
import pytest

from roi_core.rois import RoiSet
from tests.gui.test_fibres import bundle

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

CELLS = ((150, 120, 14), (330, 140, 12), (480, 330, 16))
SHAPE = (480, 640)


@pytest.fixture
def cells(tmp_path):
    """A film of three round cells on a slanting background."""
    y, x = np.indices(SHAPE)
    picture = 1000 + 1.5 * x
    for xc, yc, r in CELLS:
        picture += 6000 / (1 + np.exp(np.hypot(x - xc, y - yc) - r))
    noise = np.random.default_rng(0).normal(0, 120, (8, *SHAPE))
    path = tmp_path / "cells.npy"
    np.save(path, np.tile((picture + noise).astype(np.uint16), (200, 1, 1)))
    return path


@pytest.fixture
def fibres(tmp_path):
    """A film of a bundle; (path, centres)."""
    picture, centres = bundle(gap=14, rows=(3, 4, 3))
    noise = np.random.default_rng(0).normal(0, 150, (8, *SHAPE))
    path = tmp_path / "fibres.npy"
    np.save(path, np.tile((picture + noise).clip(0, 65535).astype(np.uint16), (200, 1, 1)))
    return path, centres


def masks(state):
    """The runs of every region, byte by byte."""
    return {roi.id: roi.runs(SHAPE).tobytes() for roi in RoiSet.from_dicts(state.rois)}


def pixels(region):
    (roi,) = RoiSet.from_dicts([region])
    runs = roi.runs(SHAPE)
    return int((runs[:, 2] - runs[:, 1]).sum())


def newest(state):
    return max(state.rois, key=lambda roi: roi["id"])


def without_numbers(state):
    return [{k: v for k, v in roi.items() if k not in ("id", "version")} for roi in state.rois]


def test_drawing_and_editing(start, cells):
    window = start(str(cells), "--set", "cnmf.cell_radius=14")
    window.running()
    grow(window)
    zoomed_shapes(window)
    corners(window)
    moves_and_locks(window)
    groups_and_menu(window)
    the_list(window)
    assert window.terminate() == 0
    assert window.output() == ""


def test_files_and_fibres(start, cells, fibres, tmp_path):
    """A set saved, the window started again, the set loaded: it is the same. Then the fibre finder."""
    window = start(str(cells))
    window.running()
    window.key("c")
    window.drag((150, 120), (160, 120), (164, 120))
    window.key("e")
    window.drag((300, 250), (330, 270), (400, 310))
    window.key("ctrl+a", "ctrl+g", "ctrl+d", "l")
    state = save(window, tmp_path / "set.json", "save_rois")
    assert [(roi["kind"], roi["locked"], roi["group"]) for roi in state.rois] == [
        ("circle", False, 1), ("ellipse", False, 1), ("circle", True, 2), ("ellipse", True, 2),
    ]  # fmt: skip
    save(window, tmp_path / "set.zip", "save_imagej")
    assert window.terminate() == 0

    path, centres = fibres
    window = start(str(path))
    window.running()
    loaded = load(window, tmp_path / "set.json", "load_rois", len(state.rois))
    assert without_numbers(loaded) == without_numbers(state)
    assert list(masks(loaded).values()) == list(masks(state).values())
    window.screenshot("check_13_loaded")
    window.key("v")
    assert masks(window.drag((158, 128), (170, 140), (180, 150))) == masks(loaded), "a locked one stays"
    imported = load(window, tmp_path / "set.zip", "load_imagej", len(state.rois))
    assert [roi["name"] for roi in imported.rois] == [roi["name"] for roi in state.rois]
    find_fibres(window, centres)
    assert window.terminate() == 0
    assert window.output() == ""


def grow(window):
    """The wand: the wheel makes it larger while the button is held, and does not zoom."""
    window.key("w")
    x, y, r = CELLS[0]
    window.press(x, y)
    state = window.until(lambda s: len(s.rois) == 1, "a region grew")
    area = pixels(state.rois[0])
    assert area == pytest.approx(math.pi * r**2, rel=0.2)
    x, y, _ = CELLS[1]
    zoom = window.ask().image
    window.hover(x, y)
    window._tool("mousedown", "1")
    first = window.until(lambda s: s.told["tools"]["growing"], "it is shown").told["tools"]["growing"]
    window._tool("click", "4")
    window._tool("click", "4")
    larger = window.until(lambda s: s.told["tools"]["growing"] > first, "it grows").told["tools"]
    window.screenshot("tools_wand")
    window._tool("mouseup", "1")
    state = window.until(lambda s: len(s.rois) == 2, "the larger one is drawn")
    assert pixels(newest(state)) == pytest.approx(larger["growing"], rel=0.15)
    assert window.settle(3).image == zoom, "the wheel was the wand's"


def zoomed_shapes(window):
    """Zoomed in and panned, what is drawn lies where the hand was."""
    x, y, r = CELLS[2]
    window.hover(x - 60, y - 80)
    window._tool("click", "--repeat", "2", "--delay", "80", "4")
    window.settle(6)
    window._tool("mousedown", "2")
    for _ in range(2):
        window._tool("mousemove_relative", "--", "-30", "-20")
        window.settle(2)
    window._tool("mouseup", "2")
    slack = 1.0 / window.settle(6).image["zoom"]
    window.key("c")
    circle = newest(window.drag((x, y), (x + r / 2, y), (x + r, y)))
    assert math.hypot(circle["xc"] - x, circle["yc"] - y) <= 1.0
    assert circle["r"] == pytest.approx(r, abs=2 * slack)
    window.key("e")
    box = newest(window.drag((300, 250), (330, 270), (400, 310)))
    assert pixels(box) == pytest.approx(math.pi * box["rx"] * box["ry"], rel=0.02)
    assert (box["rx"], box["ry"]) == pytest.approx((50, 30), abs=2 * slack)
    window.key("p")
    left, top, right, bottom = 439.5, 219.5, 540.5, 280.5  # between pixels: each is either in it or not
    for corner in ((left, top), (right, top), (right, bottom)):
        window.press(*corner)
    polygon = newest(window.press(left, bottom, times=2))
    assert polygon["kind"] == "polygon"
    assert pixels(polygon) == pytest.approx(101 * 61, rel=0.02)
    (shape,) = RoiSet.from_dicts([polygon])
    assert shape.area() == pytest.approx(101 * 61, rel=0.02)
    window.key("f")
    angle = np.linspace(0, 2 * np.pi, 40)
    drawn = window.drag(*zip(380 + 40 * np.cos(angle), 360 + 40 * np.sin(angle), strict=True))
    assert newest(drawn)["kind"] == "freehand"
    assert pixels(newest(drawn)) == pytest.approx(math.pi * 40**2, rel=0.02)
    window.key("v", "0")
    window.settle(6)


def corners(window):
    """A double click on the line puts a corner there; a double right click takes it away."""
    before = masks(twice(window, 1, 5))
    twice(window, 3, 4)
    window.key("ctrl+z")
    assert masks(window.ask()) == before
    window.key("ctrl+shift+z")


def twice(window, button, corners):
    """Double-click the upper side of the polygon until it has so many corners.

    Dear ImGui takes two clicks for a double one within 0.3 s only: a window that draws at 6 Hz hears one.
    """
    for _ in range(6):
        for _ in range(2):  # the first closes a menu that a single right click has opened
            window.press(490, 250)
        state = window.press(490, 220, times=2, button=button)
        if len(next(roi for roi in state.rois if roi["kind"] == "polygon")["points"]) == corners:
            return state
    raise AssertionError(f"no double click of button {button} made {corners} corners of {state.rois}")


def moves_and_locks(window):
    """Moved, scaled, undone, done again: the same pixels; a locked region stays."""
    original = masks(window.ask())
    moved = masks(window.drag((490, 250), (500, 255), (505, 265)))
    assert moved != original
    scaled = masks(window.drag((500, 265), (515, 272), (525, 280), keys=("shift",)))
    assert scaled != moved
    for keys, expected in (
        ("ctrl+z", moved),
        ("ctrl+z", original),
        ("ctrl+shift+z", moved),
        ("ctrl+z", original),
    ):
        assert masks(window.key(keys)) == expected
    window.key("l")
    assert masks(window.drag((490, 250), (500, 260), (520, 270))) == original
    assert any("is locked" in text for _, text in window.ask().messages)
    window.key("l")


def groups_and_menu(window):
    """A box catches two; grouped, they move together; the menu names and colours them."""
    caught = window.drag((110, 80), (200, 150), (380, 190))
    assert len(caught.selection) == 2
    window.key("ctrl+g")
    window.key("Escape")
    assert window.settle().selection == []
    x, y, _ = CELLS[0]
    before = masks(window.ask())
    state = window.drag((x, y), (x + 5, y + 5), (x + 10, y + 8))
    assert len(state.selection) == 2
    after = masks(state)
    shifted = [roi for roi in state.rois if after[roi["id"]] != before[roi["id"]]]
    assert sorted(roi["id"] for roi in shifted) == sorted(state.selection)
    assert {roi.get("group") for roi in shifted} == {1}
    window.press(x + 10, y + 8, button=3)
    window.settle(3)
    window.screenshot("tools_menu")
    window.fill("menu.name", "axon")
    assert "axon" in [roi["name"] for roi in window.until(lambda s: not s.typing, "entered").rois]
    window.key("Escape")


def the_list(window):
    """The filter and the ticks of the list hide, and change nothing."""
    count = len(window.ask().rois)
    window.fill("regions.filter", "axon", end="Tab")
    state = window.until(lambda s: s.told["regions"]["listed"] == ["axon"], "filtered")
    window.click("row.0.show")
    hidden = window.until(lambda s: s.told["regions"]["hidden"], "hidden").told["regions"]["hidden"]
    assert [roi["name"] for roi in state.rois if roi["id"] in hidden] == ["axon"]
    window.screenshot("tools_filter")
    window.click("row.0.show")
    window.fill("regions.filter", " ", end="Tab")
    window.until(lambda s: len(s.told["regions"]["listed"]) == count, "all again")
    window.key("Escape")
    window.screenshot("tools_list")


def save(window, path, button):
    window.click(button)
    window.fill("path", str(path))
    state = window.until(
        lambda s: any("saved to" in text and path.name in text for _, text in s.messages), "saved"
    )
    assert path.exists()
    return state


def load(window, path, button, count):
    window.click(button)
    window.fill("path", str(path))
    return window.until(
        lambda s: len(s.rois) == count and any(f"loaded from {path}" in text for _, text in s.messages),
        "loaded",
    )


def find_fibres(window, centres):
    window.key("ctrl+a", "Delete")
    window.click("fibres")
    state = window.until(
        lambda s: len(s.told["regions"]["fibres"]["proposed"]) == len(centres), "fibres found", 40
    )
    assert state.rois == []
    window.screenshot("tools_fibres")
    window.resize(1024, 700)
    window.screenshot("tools_fibres_small")
    window.press(*centres[2])
    window.until(lambda s: len(s.told["regions"]["fibres"]["proposed"]) == len(centres) - 1, "one is dropped")
    state = window.click("fibres.accept")
    assert [roi["name"] for roi in state.rois] == [f"fiber{k + 1}" for k in range(len(centres) - 1)]
    places = [[roi["xc"], roi["yc"]] for roi in state.rois]
    np.testing.assert_allclose(places, np.delete(centres, 2, axis=0), atol=2.5)
    window.screenshot("tools_accepted_small")
