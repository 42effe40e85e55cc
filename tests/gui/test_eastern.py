"""Letters that the shipped font has not: noticed where text is shown, a font of the system is looked for."""

import shutil
from pathlib import Path

import dearpygui.dearpygui as dpg
import pytest

from roi_stream_gui import eastern, looks, theme
from roi_stream_gui.eastern import Finder, find, scripts
from roi_stream_gui.looks import Looks
from roi_stream_gui.memory import Memory
from roi_stream_gui.safe import FONTS, shown
from roi_stream_gui.shipped import asset


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mouse_01 µm Δ Ελλ кот ▲", set()),
        ("小鼠 01", {"han"}),
        ("マウス", {"kana"}),
        ("쥐 이름", {"hangul"}),
        ("神経のデータ、쥐", {"han", "kana", "hangul"}),
        ("ｆｕｌｌ", {"kana"}),
        ("𠮷", {"han"}),
    ],
)
def test_scripts_are_told_by_their_letters(text, found):
    assert scripts(text) == found


def test_a_font_is_looked_for_once_a_script_and_then_for_all_of_them(monkeypatch):
    asked, finder = [], Finder()
    monkeypatch.setattr(eastern, "find", lambda wanted: asked.append(wanted) or Path(f"{len(asked)}.ttc"))
    for text in ("mouse µ", "小鼠", "小鼠 again", "쥐"):
        finder.note(text)
        finder.wait()
    assert asked == [{"han"}, {"han", "hangul"}]
    assert finder.font == Path("2.ttc")


def test_without_a_font_it_is_said_and_the_one_there_was_stays(monkeypatch, caplog):
    caplog.set_level("INFO")
    finder = Finder()
    monkeypatch.setattr(eastern, "find", lambda wanted: None)
    finder.note("小鼠")
    finder.wait()
    assert finder.font is None
    assert "no font of this system" in caplog.text


def test_places_of_systems_without_fontconfig(monkeypatch, tmp_path):
    one, two = tmp_path / "han.ttc", tmp_path / "all.ttf"
    places = ((str(one), "han kana"), (str(two), "han kana hangul"), ("/nowhere.ttc", "hangul"))
    monkeypatch.setattr(eastern.sys, "platform", "plan9")
    monkeypatch.setitem(eastern.PLACES, "plan9", places)
    assert find(frozenset({"han"})) is None
    one.touch()
    assert find(frozenset({"han"})) == one
    assert find(frozenset({"han", "hangul"})) == one, "one of both is better than none"
    two.touch()
    assert find(frozenset({"han", "hangul"})) == two


def test_fontconfig_gives_a_font_in_any_case_which_is_not_taken_at_its_word(monkeypatch):
    monkeypatch.setattr(eastern.sys, "platform", "linux")
    monkeypatch.setattr(eastern.shutil, "which", lambda name: name)
    has = {"4e2d": ["/noto.ttc", "/serif.ttc"], "4e2d ac00": []}
    monkeypatch.setattr(
        eastern, "_said",
        lambda name, pattern: ["/noto.ttc"] if name == "fc-match" else has.get(pattern.split("=")[1], []),
    )  # fmt: skip
    assert find(frozenset({"han"})) == Path("/noto.ttc")
    assert find(frozenset({"hangul"})) is None
    assert find(frozenset({"han", "hangul"})) == Path("/noto.ttc")


def test_all_text_is_drawn_in_the_font_that_was_found_in_any_size(desk, monkeypatch, tmp_path):
    other = Path(shutil.copy(asset("DejaVuSans.ttf"), tmp_path / "other.ttf"))
    monkeypatch.setattr(eastern, "find", lambda wanted: other)
    fonts = Finder()
    for module in (theme, looks):
        monkeypatch.setattr(module, "FONTS", fonts)
    bound = []
    monkeypatch.setattr(theme.dpg, "bind_font", bound.append)
    outer, display = Looks(desk, Memory(), 1.0), desk.controller.settings.current.display
    outer.update(display)
    assert bound == []
    fonts.note("小鼠")
    fonts.wait()
    outer.update(display)
    outer.update(display)
    assert desk.theme.font == other
    assert len(bound) == 1
    outer.update(display.model_copy(update={"scale": 1.5}))
    assert desk.theme.font == other
    assert dpg.get_item_type(bound[-1]).endswith("mvFont")


def test_what_is_shown_is_noted(monkeypatch):
    noted = []
    monkeypatch.setattr(FONTS, "note", noted.append)
    assert shown("plain") == "plain"
    assert shown("小鼠") == "小鼠"
    assert noted == ["小鼠"]
