"""Parameters in the real window: pending, previewed on the picture, applied at one frame, brought back."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from roi_core.recording import Recording
from roi_stream_gui.theme import LOST

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

FORMAT = "camera.format=256x256@30"
PATIENCE = 200


def reddish(window, name):
    """Take a screenshot; return how many px of the picture have the colour of lost cells."""
    shot = cv2.imread(str(window.screenshot(name)))[..., ::-1].astype(int)
    left, top, width, height = (int(v) for v in window.ask().items["picture"])
    part = shot[window.top + top :, window.left + left :][:height, :width]
    tint = part / np.maximum(part.max(axis=2, keepdims=True), 1)
    near = np.abs(tint - np.array(LOST) / max(LOST)).max(axis=2) < 0.1
    return int((near & (part.max(axis=2) > 150)).sum())


def panel(state):
    return state.told["parameters"]


def settings_edits(path):
    with Recording(path) as file:
        return [(e.frame, e.data) for e in file.events if e.kind == "setting"]


def test_an_edit_is_previewed_applied_at_a_frame_and_taken_back(start, tmp_path):
    path = tmp_path / "tuned.h5"
    window = start("simulated:2p", "--set", FORMAT, "--record", str(path))
    window.running()
    before = window.until(lambda s: s.cells and len(s.cells["accepted"]) >= 15, "cells are found", PATIENCE)
    window.click("tab.parameters")
    window.screenshot("params_quiet")
    window.fill("find", "cnmf.min_s")

    state = window.fill("set.cnmf.min_snr", "7.5")
    assert panel(state)["pending"] == {"cnmf.min_snr": 7.5}
    assert state.settings["cnmf"]["min_snr"] == 1.5, "nothing counts before Apply"
    assert panel(state)["marks"]["cnmf.min_snr"] == "pending"
    state = window.fill("set.cnmf.min_snr", "99")
    assert any("cnmf.min_snr = 99" in text for _, text in state.messages), "refused, with path and rule"
    assert panel(state)["pending"] == {"cnmf.min_snr": 7.5}, "and the value before it stays"

    window.fill("set.cnmf.min_skewness", "20")
    state = window.click("trial.preview")
    assert state.told["parameters"]["previewing"]
    state = window.until(lambda s: "cells (+" in (panel(s)["forecast"] or ""), "the preview is there", 60)
    now, _, then = panel(state)["forecast"].partition(" -> ")
    assert int(then.split()[0]) < int(now)
    assert state.settings["cnmf"]["min_snr"] == 1.5
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    dashed = reddish(window, "params_preview")
    assert dashed > 200, "the cells that would be lost are dashed on the picture"
    window.resize(1024, 700)
    window.screenshot("params_preview_small")
    window.resize(1280, 800)

    state = window.click("trial.apply")
    assert panel(state)["pending"] == {}
    state = window.until(
        lambda s: any("in force from frame" in t for _, t in s.messages), "the frame is told"
    )
    assert (state.settings["cnmf"]["min_snr"], state.settings["cnmf"]["min_skewness"]) == (7.5, 20.0)
    frame, text = panel(state)["changes"][-1]
    assert panel(state)["applied"] == f"in force since frame {frame}"
    assert text == "cnmf.min_snr 1.5 -> 7.5, cnmf.min_skewness 0.75 -> 20"
    window.until(lambda s: len(s.cells["accepted"]) < len(before.cells["accepted"]) / 2, "fewer cells", 60)
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    assert reddish(window, "params_applied") < dashed / 4

    # the first set of all is brought back
    window.click("earlier")
    state = window.until(lambda s: len(panel(s)["sets"]["earlier"]["entries"]) == 2, "two sets")
    x, y, width, _ = state.items["earlier.list"]
    window._to(x + width / 2, y + 34)
    window._tool("click", "1")
    state = window.until(lambda s: panel(s)["sets"]["earlier"]["chosen"] == "the first set", "chosen")
    window.screenshot("params_earlier")
    state = window.click("restore")
    assert panel(state)["pending"] == {"cnmf.min_snr": 1.5, "cnmf.min_skewness": 0.75}
    window.click("earlier")
    window.key("ctrl+p")
    state = window.until(lambda s: "cells (+" in (panel(s)["forecast"] or ""), "the preview is there", 60)
    assert "(+0" not in panel(state)["forecast"], "cells would be there again"
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    window.screenshot("params_preview_back")
    state = window.key("ctrl+Return")
    window.until(lambda s: s.settings["cnmf"]["min_snr"] == 1.5, "as it was at the start")
    window.until(lambda s: panel(s)["changes"][-1][0] is not None, "its frame is known")
    assert window.terminate() == 0
    assert window.output() == ""
    edits = [(f, d["path"], d["old"], d["new"]) for f, d in settings_edits(path) if "cnmf" in d["path"]]
    assert edits[:2] == [
        (frame, "cnmf.min_snr", 1.5, 7.5),
        (frame, "cnmf.min_skewness", 0.75, 20.0),
    ], "both at the frame that was told, each once"
    assert [edit[1:] for edit in edits[2:]] == [
        ("cnmf.min_snr", 7.5, 1.5),
        ("cnmf.min_skewness", 20.0, 0.75),
    ]


def test_presets_are_compared_loaded_saved_and_deleted(start):
    window = start()
    window.running()
    window.click("tab.parameters")
    window.click("presets")
    state = window.until(lambda s: "presets.list" in s.items, "the presets are shown")
    assert panel(state)["sets"]["presets"]["names"] == ["2p", "1p", "photometry"]
    x, y, width, _ = state.items["presets.list"]
    window._to(x + width / 2, y + 52)
    window._tool("click", "1")
    state = window.until(lambda s: panel(s)["sets"]["presets"]["chosen"] == "photometry", "chosen")
    window.screenshot("params_presets")
    window.resize(1024, 700)
    window.screenshot("params_presets_small")
    window.resize(1280, 800)
    state = window.click("preset.load")
    assert panel(state)["pending"] == {"cnmf.enabled": True, "roi.dff": True}
    assert any("cnmf.preset = 'photometry'" in t and "disconnect" in t for _, t in state.messages)
    state = window.fill("preset.name", "fibre rig")
    state = window.click("preset.save")
    assert "fibre rig" in panel(state)["sets"]["presets"]["names"]
    (file,) = Path(window.home).rglob("fibre rig.yaml")
    assert "dff: true" in file.read_text()
    state = window.click("trial.discard")
    assert panel(state)["pending"] == {}
    window.click("preset.delete")
    window.screenshot("params_preset_delete")
    assert file.exists()
    state = window.click("preset.delete")
    assert not file.exists()
    assert panel(state)["sets"]["presets"]["names"] == ["2p", "1p", "photometry"]
    window.menu("View/Theme/Light")
    window.menu("View/Size/125 %")
    window.screenshot("params_light_presets")
    assert "presets.list" not in window.key("Escape").items
    window.fill("find", "max")
    window.fill("set.motion.max_shift", "4")
    window.screenshot("params_light")
    assert window.terminate() == 0
    assert window.output() == ""


def test_the_tooltip_of_a_search_field_keeps_away_while_one_types(start):
    window = start()
    window.running()
    window.click("tab.parameters")
    window.point("find")
    window.until(lambda s: "find.tip" in s.items, "it explains itself")
    window.click("find")
    window.type("snr threshold")
    assert not any("find.tip" in window.ask().items for _ in range(40)), "it would cover what is found"
    window.key("Return")
    window.aside()
    window.point("find")
    window.until(lambda s: "find.tip" in s.items, "it is there again")
