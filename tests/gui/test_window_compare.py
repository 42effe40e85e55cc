"""Two results of one file compared in a window as small as a laptop's beside the microscope."""

import h5py
import pytest

from roi_core import layout
from roi_core.frame import Status
from tests.core.test_recorder_cells import record, samples

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


def test_the_traces_can_be_read_in_a_small_window(start, tmp_path):
    path = record(tmp_path / "a.h5", samples(range(70)))
    with h5py.File(path, "r+") as file:
        file.copy(layout.CNMF, file, "copy")
        file.move("copy", layout.REFINED)
        file[f"{layout.REFINED}/status"][1] = Status.REJECTED
    window = start(str(path))
    window.until(lambda s: "tab.review" in s.items, "the window is drawn", 60)
    window.click("tab.review")
    window.until(lambda s: len(s.told["review"]["choices"]) == 2, "both results are offered", 60)
    x, y, _, height = window.ask().items["review.b"]
    window.click("review.b")
    window._to(x + 30, y + 2.6 * height)
    window._tool("click", "1")
    window.until(lambda s: s.told["review"]["sides"] == ["a.h5", "a.h5, refined"], "B is chosen")
    window.click("compare")
    state = window.until(lambda s: s.told["review"]["drawn"], "the first pair is drawn", 60)
    assert not state.told["review"]["folded"], "there is room for everything"
    assert state.items["review.plot"][3] >= 100
    window.screenshot("compare_wide")
    window.resize(1024, 700)
    state = window.until(lambda s: s.told["review"]["folded"], "the traces take the room of the choices")
    window.settle()
    window.click("review.row1")
    window.settle(8)
    window.screenshot("compare_small")
    assert window.ask().items["review.plot"][3] >= 100
    window.click("review.fold")
    window.until(lambda s: not s.told["review"]["folded"], "the choices are back")
    window.screenshot("compare_small_choices")
    window.click("review.fold")
    window.until(lambda s: s.told["review"]["folded"], "and away")
    window.resize(1280, 800)
    window.until(lambda s: not s.told["review"]["folded"], "room again")
    assert window.terminate() == 0
