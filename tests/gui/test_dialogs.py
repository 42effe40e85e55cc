"""The question for a file name: what it hands on, and what it asks once more, without a display."""

import dearpygui.dearpygui as dpg
import pytest

from roi_stream_gui.dialogs import AskFile
from roi_stream_gui.filing import named


@pytest.fixture
def ask(desk, monkeypatch):
    """Return a function that types a path for a kind of file and presses the button so many times."""
    monkeypatch.setattr(desk, "middle", lambda *_: [0, 0])  # there is no window to have a middle
    dialog, got = AskFile(desk), []

    def typed(what, path, *buttons):
        dialog.ask(what, got.append)
        dpg.set_value(desk.names["path"], str(path))
        for button in buttons:
            dpg.get_item_callback(desk.names[button])()
        return got

    return typed


def test_a_file_is_replaced_only_by_the_button_that_says_so(ask, desk, tmp_path):
    path = tmp_path / "set.json"
    path.write_text("eight regions")
    assert ask("save_rois", path, "path", "path") == [], "Enter never replaces"
    assert dpg.get_item_label(desk.names["path.ok"]) == "Replace"
    assert dpg.get_value(desk.names["path.there"]).startswith(f"{path} is there already: ")
    assert ask("save_rois", path, "path.ok") == [], "each question begins anew"
    assert ask("save_rois", path, "path.ok", "path.ok") == [str(path)]
    assert ask("save_settings", tmp_path / "new.yaml", "path.ok")[1:] == [str(tmp_path / "new.yaml")]
    assert dpg.get_item_label(desk.names["path.ok"]) == "Save"


def test_a_yes_holds_for_one_name_only(ask, desk, tmp_path):
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).touch()
    assert ask("save_imagej", tmp_path / "a.zip", "path.ok") == []
    dpg.set_value(desk.names["path"], str(tmp_path / "b.zip"))
    dpg.get_item_callback(desk.names["path.ok"])()
    assert str(tmp_path / "b.zip") in dpg.get_value(desk.names["path.there"])
    assert dpg.is_item_shown(desk.names["path.there"])


def test_opening_asks_nothing_more(ask, tmp_path):
    path = tmp_path / "set.json"
    path.touch()
    assert ask("load_rois", path, "path.ok") == [str(path)]
    assert ask("open", tmp_path / "miniscope", "path.ok")[1:] == [str(tmp_path / "miniscope")]


@pytest.mark.parametrize(
    ("typed", "like", "path"),
    [
        ("m017", "regions.json", "m017.json"),
        ("~/day 1/m017", "regions.zip", "~/day 1/m017.zip"),
        ("m017.csv", "regions.json", "m017.csv"),
        ("day.1/m017", "settings.yaml", "day.1/m017.yaml"),
        ("folder/", "regions.json", "folder/"),
    ],
)
def test_a_name_without_an_ending_gets_the_proposed_one(typed, like, path):
    assert named(typed, like) == path


def test_the_ending_counts_before_it_is_asked_what_is_there(ask, tmp_path):
    (tmp_path / "set.json").touch()
    assert ask("save_rois", tmp_path / "set", "path.ok") == []
    assert ask("save_rois", tmp_path / "other", "path.ok") == [str(tmp_path / "other.json")]
