"""The catalogue in the window, without a display: it is asked on a thread and told in sentences."""

import threading
from contextlib import closing

import dearpygui.dearpygui as dpg
import pytest

from roi_core.catalogue import Catalogue, Entry, State, store
from roi_core.recording import Recording
from roi_stream_gui.library import Library, line
from roi_stream_gui.panels.library import LibraryWindow, about
from roi_stream_gui.recovery import Recovery
from tests.core.test_catalogue import record
from tests.core.test_recover import unfinished
from tests.core.test_session import wait_for


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("ROI_STREAM_CATALOGUE")
    record(tmp_path / "takes" / "a.h5", "subject.subject_id=m017")
    record(tmp_path / "takes" / "b.h5", "subject.subject_id=m018")
    return tmp_path / "takes"


@pytest.fixture
def opened():
    return []


@pytest.fixture
def recovery(tmp_path):
    return Recovery(tmp_path / "config")


@pytest.fixture
def library(folder, opened, recovery):
    library = Library(lambda: folder, opened.append, recovery.finish)
    yield library
    library.close()


def answered(library):
    def done():
        library.tick()
        return not library.busy

    wait_for(done, 20)
    return [entry.path.rpartition("/")[2] for entry in library.found]


def test_what_is_there_is_found_when_it_is_first_asked(library, folder):
    library.refresh()
    assert sorted(answered(library)) == ["a.h5", "b.h5"]
    library.look("M018")
    assert answered(library) == ["b.h5"]
    assert (folder / "catalogue.sqlite").is_file()


def test_a_finished_recording_is_remembered(library, folder):
    library.remember(folder / "a.h5")
    assert answered(library) == ["a.h5"]


def test_a_scan_finds_what_others_put_there(library, folder, caplog):
    library.remember(folder / "a.h5")
    answered(library)
    caplog.set_level("INFO")
    library.rescan()
    assert len(answered(library)) == 2
    assert "2 recordings in" in caplog.text


def test_one_is_chosen_and_opened(library, folder, opened, caplog):
    assert not library.open()
    assert "choose a recording" in caplog.text
    library.refresh()
    names = answered(library)
    library.choose(names.index("b.h5"))
    library.look("")
    answered(library)
    assert library.open()
    assert opened == [str(folder / "b.h5")]
    (folder / "b.h5").unlink()
    library.refresh()
    answered(library)
    assert not library.open()
    assert "is its drive connected?" in caplog.text


def test_one_that_a_crash_cut_short_is_finished(library, folder, recovery, caplog):
    library.finish()
    assert "choose a recording" in caplog.text
    cut = unfinished(folder)
    library.refresh()
    names = answered(library)
    library.choose(names.index("a.h5"))
    library.finish()
    assert "needs no finishing: it is complete" in caplog.text
    library.choose(names.index(cut.name))
    assert library.unfinished
    library.finish()
    library.finish()
    assert "wait until it is" in caplog.text or not recovery.working, "one at a time"
    wait_for(lambda: (recovery.collect(), not recovery.working and not recovery._finished)[1], 20)
    answered(library)
    assert library.chosen.path == str(cut)
    assert library.chosen.state is State.COMPLETE
    with Recording(cut) as recording:
        assert recording.complete


def test_trouble_is_a_sentence(tmp_path, opened, monkeypatch, caplog):
    monkeypatch.delenv("ROI_STREAM_CATALOGUE")
    (tmp_path / "file").touch()
    library = Library(lambda: tmp_path / "file" / "below", opened.append, print)
    library.refresh()
    assert answered(library) == []
    assert "cannot be used" in caplog.text
    library.close()


def test_what_is_not_known_is_not_shown_as_none():
    entry = Entry("/x/a.h5", State.DAMAGED, 1, 1, reason="a.h5 is damaged: no table")
    assert line(entry) == ("", "", "", "", "", "damaged", "a.h5")
    assert about(entry) == "/x/a.h5\na.h5 is damaged: no table"
    assert line(Entry("/x/a.h5", State.COMPLETE, 1, 1, rows=5))[4] == "?"


def test_the_window_shows_a_thousand_as_it_does_ten(desk):
    panel = LibraryWindow(desk)
    with dpg.window() as parent:
        panel.build(parent)
    desk.controller.library.found = tuple(
        Entry(f"/x/{k}.h5", State.COMPLETE, 1, 1, rows=k, lost=0) for k in range(1000)
    )
    dpg.configure_item(desk.names["library.window"], show=True)
    before = len(dpg.get_all_items())
    panel.update(None)
    assert len(dpg.get_all_items()) - before < 300
    assert len(panel.tell()["found"]) == 1000


class Slow:
    """Reads a file when it may, so that a scan is where a test wants it."""

    def __init__(self, monkeypatch):
        self.begun, self.go, self.read = threading.Event(), threading.Event(), []
        self._real = store.read
        monkeypatch.setattr(store, "read", self)

    def __call__(self, path):
        self.begun.set()
        assert self.go.wait(20)
        self.read.append(path)
        return self._real(path)


def test_a_search_does_not_wait_for_a_scan(library, folder, monkeypatch):
    library.remember(folder / "a.h5")
    answered(library)
    slow = Slow(monkeypatch)
    library.rescan()
    assert slow.begun.wait(20)
    library.look("m018")
    wait_for(lambda: (library.tick(), library.found == ())[1], 20)
    assert not slow.read
    slow.go.set()
    assert answered(library) == ["b.h5"], "the scan found it, and the words are still those of the search"


def test_only_one_scan_waits_for_another(library, folder, monkeypatch):
    slow = Slow(monkeypatch)
    library.rescan()
    assert slow.begun.wait(20)
    for _ in range(5):
        library.rescan()
    slow.go.set()
    assert len(answered(library)) == 2
    assert len(slow.read) == 4


def test_closing_ends_a_scan_at_the_next_file(library, folder, monkeypatch):
    slow = Slow(monkeypatch)
    library.rescan()
    assert slow.begun.wait(20)
    ending = threading.Thread(target=library.close)
    ending.start()
    wait_for(library._closed.is_set, 20)
    slow.go.set()
    ending.join(20)
    assert len(slow.read) == 1
    with closing(Catalogue(folder / "catalogue.sqlite")) as catalogue:
        assert len(catalogue.find()) == 1, "what was read is kept"
