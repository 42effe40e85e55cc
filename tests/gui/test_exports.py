"""The window of exports: its fields are the options of the command line, its refusals name them."""

import argparse
import shutil

import cv2
import dearpygui.dearpygui as dpg
import pytest

from roi_core.commands import export as command
from roi_core.export import EXPORTS
from roi_core.export.options import OPTIONS, OUT, OVERWRITE, in_words, of
from roi_core.export.task import Wishes
from roi_stream_gui.exporting import read
from roi_stream_gui.menus import MENU
from roi_stream_gui.words import EXPORT_MENU
from tests.exporting import recorded
from tests.gui.test_panels import built
from tests.gui.test_review import said, until


@pytest.fixture(scope="module")
def exported_from(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("export") / "a.h5")


@pytest.fixture
def our(do):
    return do[0]


@pytest.fixture
def window(desk, our):
    desk.middle = lambda *_: [0, 0]
    panel = built("export", desk)
    next(entry for entry in MENU if entry.path == "File/Export/with options ...").run(desk)
    panel.update(our.view())
    return panel


def choose(window, word, path, **fields):
    dpg.set_value(window._source, str(path))
    dpg.set_value(window._format, word)
    window._choose(word)
    for name, value in fields.items():
        dpg.set_value(window._fields[name], value)
    window.update(None)


def test_each_format_has_the_options_of_the_command_line_with_their_defaults(window):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    asked = vars(parser.parse_args(["a.h5", "--to", "csv"]))
    known = {"file", "to", "card", "out", "overwrite"}
    assert asked.keys() - known == {option.name for option in OPTIONS}
    assert {word: [o.name for o in of(word)] for word in ("matlab", "tiff", "video")} == {
        "matlab": [],
        "tiff": ["corrected"],
        "video": ["refined", "corrected", "speed", "limits"],
    }
    for word in EXPORTS:
        window._choose(word)
        assert window.tell()["options"] == [option.name for option in (*of(word), OUT, OVERWRITE)]
        given = {name: dpg.get_value(field) for name, field in window._fields.items()}
        wishes = Wishes(**read(word, given))
        assert {o.name: getattr(wishes, o.name) for o in OPTIONS} == {o.name: asked[o.name] for o in OPTIONS}


def test_what_is_asked_is_done(window, our, exported_from, tmp_path):
    out = tmp_path / "slow.avi"
    choose(window, "video", exported_from, speed="0.5", limits="10,900", corrected=True, out=str(out))
    window._start()
    until(our, lambda: said(our, f"exported to {out}"), "exported")
    film = cv2.VideoCapture(str(out))
    slow = film.get(cv2.CAP_PROP_FPS)
    film.release()
    choose(window, "video", exported_from, speed="", overwrite=True)
    window._start()
    until(our, lambda: not our.exporting.busy, "replaced")
    film = cv2.VideoCapture(str(out))
    assert slow == pytest.approx(0.5 * film.get(cv2.CAP_PROP_FPS), rel=0.01)
    film.release()


def test_a_field_that_cannot_be_read_is_named_and_nothing_is_begun(window, our, exported_from):
    choose(window, "video", exported_from, speed="0")
    window._start()
    assert window.tell()["no"] == "Speed: '0' is not a number from 0.001 to 1000"
    choose(window, "video", exported_from, speed="1", limits="9,1")
    window._start()
    assert window.tell()["no"] == "Black, white: '9,1' is not LOW,HIGH: two numbers, the lower first"
    assert not our.exporting.busy
    choose(window, "csv", exported_from)
    assert window.tell()["no"] == ""


def test_refusals_name_the_fields_of_the_window(window, our, exported_from, tmp_path):
    out = tmp_path / "a.csv"
    out.write_text("mine")
    choose(window, "csv", exported_from, out=str(out))
    window._start()
    until(
        our, lambda: said(our, "a.csv exists; use 'Replace what is there', or another name with"), "a refusal"
    )
    assert said(our, "another name with 'Written to'")
    assert out.read_text() == "mine"
    choose(window, "csv", exported_from, overwrite=True)
    window._start()
    until(our, lambda: said(our, f"exported to {out}"), "replaced")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("say which: --reference, one of a, b", "say which: 'Reference', one of a, b"),
        ("export it as it is, without --corrected", "export it as it is, without 'Moved into place'"),
        ("export its traces: --to csv", "export its traces: File/Export/csv"),
        ("/data/--out/a.h5 is damaged", "/data/--out/a.h5 is damaged"),
        ("--lowpass = 9.0: below 5 Hz", "'Low-pass' = 9.0: below 5 Hz"),
    ],
)  # fmt: skip
def test_a_sentence_for_the_terminal_is_one_for_the_window(told, shown):
    assert in_words(told, EXPORT_MENU) == shown


def hint(window):
    window.update(None)
    return dpg.get_item_configuration(window._fields["out"])["hint"]


def test_what_is_at_hand_and_where_it_goes_is_said_in_the_fields(window, our, exported_from):
    choose(window, "suite2p", exported_from)
    there = str(exported_from.with_name(exported_from.stem + "_suite2p"))
    until(our, lambda: hint(window) == there, "where it goes")
    assert dpg.get_item_configuration(window._source)["hint"] == "the path of a recording (.h5)"


@pytest.fixture
def theirs(exported_from, tmp_path):
    """A recording whose csv is there already."""
    shutil.copy(exported_from, tmp_path / "theirs.h5")
    (tmp_path / "theirs.csv").write_text("old")
    return tmp_path / "theirs.h5"


def test_what_is_there_is_replaced_also_under_the_usual_name(window, our, theirs):
    written, beside = theirs.with_suffix(".csv"), theirs.with_name("theirs_2.csv")
    choose(window, "csv", theirs)
    until(our, lambda: hint(window) == str(beside), "the name that is free")
    dpg.set_value(window._fields["overwrite"], True)
    until(our, lambda: hint(window) == str(written), "the name that is taken")
    window._start()
    until(our, lambda: not our.exporting.busy, "exported")
    assert said(our, f"exported to {written}")
    assert written.read_text() != "old"
    assert not beside.exists()
    dpg.set_value(window._fields["overwrite"], False)
    window._start()
    until(our, lambda: said(our, f"exported to {beside}"), "beside it")
    until(our, lambda: hint(window) == str(theirs.with_name("theirs_3.csv")), "the next")


@pytest.mark.parametrize("typed", ["rel.csv", "tables/rel.csv"])
def test_a_name_alone_is_meant_beside_the_recording_and_told_in_full(window, our, theirs, monkeypatch, typed):
    elsewhere = theirs.with_name("elsewhere")
    for folder in (elsewhere, theirs.with_name("tables")):
        folder.mkdir()
    monkeypatch.chdir(elsewhere)
    choose(window, "csv", theirs, out=typed)
    window._start()
    until(our, lambda: not our.exporting.busy, "exported")
    assert said(our, f"exported to {theirs.parent / typed}")
    assert (theirs.parent / typed).exists()
    assert not list(elsewhere.iterdir())


def test_of_a_recording_typed_in_short_the_place_is_told_in_full(window, our, theirs, monkeypatch):
    monkeypatch.chdir(theirs.parent)
    choose(window, "csv", theirs.name)
    beside = theirs.with_name("theirs_2.csv")
    until(our, lambda: hint(window) == str(beside), "the name that is free")
    window._start()
    until(our, lambda: said(our, f"exported to {beside}"), "told")
