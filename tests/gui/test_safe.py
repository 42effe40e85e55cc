"""Names that are no text: shown as they can be, never the end of the window."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from roi_stream_gui import words
from roi_stream_gui.home import kept_names
from roi_stream_gui.recents import Choices, Recents
from roi_stream_gui.safe import is_text, shown

BAD = "b\udcffd"
SEEN = "b\\udcffd"


@pytest.mark.parametrize("text", ["", "plain", "µm, naïve, 神経, 🧠"])
def test_what_is_text_is_shown_as_it_is(text):
    assert shown(text) == text
    assert is_text(text)


def test_what_is_no_text_is_shown_by_its_bytes():
    assert shown(os.fsdecode(b"b\xffd \xc2\xb5m")) == f"{SEEN} µm"
    assert not is_text(BAD)


def test_every_way_to_give_dear_pygui_a_text_is_safe():
    """In a process of its own: what is not caught ends it."""
    code = f"""
import dearpygui.dearpygui as dpg
from roi_stream_gui import safe
safe.install(); safe.install()
dpg.create_context()
dpg.create_viewport(title={BAD!r})
with dpg.window(label={BAD!r}, tag={BAD!r}):
    text = dpg.add_text({BAD!r}, user_data={BAD!r})
    combo = dpg.add_combo(("1", {BAD!r}), default_value={BAD!r})
    listed = dpg.add_listbox([{BAD!r}])
    with dpg.plot():
        axis = dpg.add_plot_axis(dpg.mvXAxis, label={BAD!r})
        dpg.set_axis_ticks(axis, (({BAD!r}, 1.0), ("2", 2.0)))
        line = dpg.add_line_series([1.0, 2.0], [3.0, 4.0], label={BAD!r}, parent=axis)
dpg.set_value(text, {BAD!r} + "!")
dpg.configure_item(combo, items=[{BAD!r}], label={BAD!r})
assert dpg.get_value(text) == {SEEN + "!"!r}
assert dpg.get_item_user_data(text) == {BAD!r}
assert dpg.get_item_configuration(combo)["items"] == [{SEEN!r}]
assert dpg.get_item_label(axis) == {SEEN!r}
assert list(dpg.get_value(line)[1]) == [3.0, 4.0]
assert dpg.does_item_exist({BAD!r})
dpg.destroy_context()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_recent_source_whose_name_is_no_text_is_found_by_what_is_shown(tmp_path):
    path = f"/tmp/{BAD}.npy"
    (tmp_path / "recent.json").write_text(json.dumps([path]))
    choices = dict(Choices(Recents(tmp_path)).all())
    assert choices[f"recent: tmp/{SEEN}.npy"] == path


def test_a_preset_whose_name_is_no_text_is_left_out_and_told(tmp_path, caplog):
    for name in ("a", BAD):
        (tmp_path / f"{name}.yaml").touch()
    assert kept_names(tmp_path) == ("a",)
    assert caplog.messages == [words.NO_TEXT % (tmp_path / f"{BAD}.yaml")]
    assert kept_names(tmp_path / "none") == ()


def test_the_window_lives_with_names_that_are_no_text(start, config, tmp_path):
    for folder in ("presets", "cards"):
        (config / folder).mkdir(parents=True)
        (config / folder / f"{BAD}.yaml").write_text("{}")
    (config / "recent.json").write_text(json.dumps([f"/tmp/a{BAD}.npy"]))
    (config / "window.json").write_text('{"toured": true}')
    np.save(tmp_path / f"{BAD}.npy", np.zeros((300, 64, 64), np.uint8))
    window = start(f"{BAD}.npy")
    window.running()
    window.click("record")
    window.until(lambda s: s.recording, "it records")
    window.click("tab.parameters")
    window.click("presets")
    window.until(lambda s: "presets.list" in s.items, "the presets are shown")
    window.until(lambda s: any("is left out" in text for _, text in s.messages), "what is left out is told")
    window.screenshot("safe_presets")
    window.key("Escape")
    window.click("tab.card")
    window.until(lambda s: "card.presets" in s.items, "the card is shown")
    window.click("choices")
    window.screenshot("safe_choices")
    window.key("Escape")
    assert window.terminate() == 0
