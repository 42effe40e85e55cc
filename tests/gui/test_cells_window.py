"""Cells in the real window: found on the simulated camera, outlined where they are, judged anew live."""

import cv2
import numpy as np
import pytest

from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated
from roi_stream_gui.theme import CELL, NEW, REJECTED

pytestmark = [pytest.mark.gui, pytest.mark.timeout(600)]

FORMAT = "camera.format=256x256@30"
PATIENCE = 300
"""Seconds: every kernel may have to be compiled first, on a machine that does other things too."""


@pytest.fixture(scope="module")
def truth():
    return Simulated("2p", LiveSettings(Settings().with_texts(FORMAT)), paced=False).truth


def cells_of(window, number):
    """Wait until so many cells are accepted, with the camera's frames flowing."""
    return window.until(lambda s: s.cells and len(s.cells["accepted"]) >= number, "cells are found", PATIENCE)


def painted(window, name, *colours):
    """Take a screenshot; return where on the picture these colours are, (n, 2) image px (y, x)."""
    shot = cv2.imread(str(window.screenshot(name)))[..., ::-1].astype(int)
    state = window.ask()
    left, top, width, height = (int(v) for v in state.items["picture"])
    part = shot[window.top + top :, window.left + left :][:height, :width]
    there = np.zeros(part.shape[:2], bool)
    for colour in colours:
        # a line is blended with the picture at its sides: look at the hue, not at the brightness
        tint = part / np.maximum(part.max(axis=2, keepdims=True), 1)
        there |= (np.abs(tint - np.array(colour) / max(colour)).max(axis=2) < 0.12) & (part.max(axis=2) > 120)
    rows, columns = np.nonzero(there)
    zoom, x, y = state.image["zoom"], state.image["x"], state.image["y"]
    return np.column_stack([(top + rows - y) / zoom, (left + columns - x) / zoom])


def around(points, centre, radius):
    """Tell in how many of twelve directions there are points about one radius away from a centre."""
    dy, dx = (points - centre).T
    near = np.abs(np.hypot(dy, dx) - radius) < 0.6 * radius
    return len(np.unique(np.floor(np.arctan2(dy[near], dx[near]) / (np.pi / 6))))


def test_cells_are_outlined_where_they_truly_are(start, truth):
    window = start("simulated:2p", "--set", FORMAT)
    window.running()
    state = cells_of(window, 20)
    assert state.settings["cnmf"]["cell_radius"] == 7.0, "a simulated preset asks for what it needs"
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    for _ in range(5):  # on a busy machine the field moves on before the screenshot is taken
        before = window.ask()
        points = painted(window, "cells_on_truth", CELL, NEW)
        frame = before.frames + before.dropped
        places = truth.centres + truth.shifts(frame + 30)[frame]
        enclosed = sum(around(points, at, r) >= 9 for at, r in zip(places, truth.radii, strict=True))
        if enclosed >= 0.6 * len(before.cells["accepted"]):
            break
    assert enclosed >= 0.6 * len(before.cells["accepted"]), "true cells have an outline around them"
    away = np.min([np.hypot(*(points - at).T) / r for at, r in zip(places, truth.radii, strict=True)], axis=0)
    assert (away < 2.2).mean() > 0.5, "most lines are there; what else is found is not the window's doing"

    # the picture hovered over and clicked: facts of the cell, and its trace
    for _ in range(5):  # the field moves: a late click lands beside the cell
        cell, place = hovered_cell(window, truth, places)
        state = window.press(*place[::-1])
        if state.cells["chosen"] == [cell] and "cell.tip" in state.items:
            break
    assert state.cells["chosen"] == [cell]
    assert "cell.tip" in state.items
    window.screenshot("cells_one_chosen")
    state = window.press(-40, 128)
    assert state.cells["chosen"] == [], "a click beside all cells shows the best again"

    # zoomed in, the ids are written; keys switch the outlines
    window.hover(*place[::-1])
    window._tool("click", "--repeat", "4", "--delay", "80", "4")
    window.settle(6)
    window.screenshot("cells_zoomed")
    assert window.key("k").settings["display"]["cells"] == "off"
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    assert len(painted(window, "cells_hidden", CELL, NEW)) < 0.05 * len(points)
    assert window.key("j").settings["display"]["cells"] == "all"
    assert window.terminate() == 0
    assert window.output() == ""


def hovered_cell(window, truth, places):
    """Move the mouse over true cells until the window says that one is there."""
    for place in sorted(places, key=lambda at: np.hypot(*(at - 128))):
        window.hover(*place[::-1])
        cell = window.settle(3).cells["hovered"]
        if cell is not None:
            return cell, place
    raise AssertionError("no cell is under the mouse where the true ones are")


def test_a_threshold_edited_live_changes_which_cells_are_accepted(start):
    window = start("simulated:2p", "--set", FORMAT)
    window.running()
    before = cells_of(window, 15)
    window.click("tab.parameters")
    window.fill("find", "min_snr")
    window.fill("set.cnmf.min_snr", "50")
    state = window.click("trial.apply")
    assert state.settings["cnmf"]["min_snr"] == 50.0
    old = [str(cell) for cell in before.cells["accepted"]]

    def dim(state):
        """Those accepted before, and now rejected for their SNR."""
        return [
            cell
            for cell in old
            if "SNR" in state.cells["reasons"].get(cell, "") and cell in state.cells["places"]
        ]

    state = window.until(dim, "a cell is rejected for its SNR", 120)
    window.until(
        lambda s: f"accepted, {len(s.cells['rejected'])} not" in s.told["chips"]["cells"][2], "the chip tells"
    )
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    for _ in range(10):  # a view of the footprints can be two seconds old, and the field moves
        lines = painted(window, "cells_min_snr_50", REJECTED)
        state = window.ask()
        red = [around(lines, np.array(state.cells["places"][cell]), 7.0) for cell in dim(state)]
        if max(red, default=0) >= 8:
            break
    assert max(red) >= 8, "it is outlined in red now"
    window.fill("set.cnmf.min_snr", "1.5")
    window.click("trial.apply")
    state = window.until(lambda s: not dim(s), "nothing is too dim any more", 120)
    assert window.terminate() == 0
    assert window.output() == ""
