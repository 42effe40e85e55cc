"""Two results compared, and exports: what the window does, without it."""

import json
import logging
import shutil
from dataclasses import replace

import dearpygui.dearpygui as dpg
import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.cellring import CellRing
from roi_core.export import EXPORTS
from roi_core.frame import FinishReason, Status, Summary
from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_stream_gui import exporting, review, twosides
from roi_stream_gui.controller import Controller
from roi_stream_gui.menus import MENU
from roi_stream_gui.panels.base import Desk
from roi_stream_gui.panels.review import ReviewPanel
from roi_stream_gui.view import Phase
from tests.core.test_recorder_cells import SHAPE, record, samples
from tests.fakes import Ramp, fake_stages
from tests.gui.driver import within
from tests.gui.test_panels import built


@pytest.fixture
def our(tmp_path):
    controller = Controller(Settings().with_value("recorder.folder", str(tmp_path / "out")))
    controller.log.install()
    yield controller
    controller.close()
    controller.log.remove()


@pytest.fixture
def path(tmp_path):
    maps = {"mean": np.arange(48, dtype=np.float32).reshape(SHAPE)}
    return record(tmp_path / "a.h5", samples(range(70)), summary=Summary(FinishReason.COMPLETED, maps=maps))


def named(path, names):
    """Write into a recording that cells were given names."""
    with h5py.File(path, "r+") as file:
        events = file[layout.EVENTS]
        for cell, name in names:
            events.resize(len(events) + 1, axis=0)
            events[-1] = (0.5, 5, b"cell_named", json.dumps({"id": cell, "name": name}))


def until(our, true, what):
    within(20, lambda: (our.tick(), true())[1], what, lambda: [m.text for m in our.log.messages()])


def said(our, text):
    return any(text in message.text for message in our.log.messages())


def kept(snapshot, rows, capacity):
    """Return a ring of so many rows after these of the traces of the cells of a snapshot."""
    ids, ring = snapshot.activity.ids, CellRing(capacity)
    every = snapshot.cells.since(0, ids)
    for k in rows:
        ring.push(every.times[k], ids, every.raw[k], every.calcium[k], every.spikes[k])
    return ring


def labels(our):
    return [side.label for side in our.review.choices()]


def play(our, film):
    """Analyse a film of 70 frames to its end."""
    np.save(film, np.arange(70, dtype=np.uint16)[:, None, None] * np.ones((16, 20), np.uint16))
    our.edit("cnmf.enabled", True)
    our.connect(str(film))
    until(our, lambda: our.replay.transport is not None, "it plays")
    our.replay.set_speed(float("inf"))
    until(our, lambda: our.view().phase is Phase.FINISHED, "the end")


class TestReview:
    def test_a_recording_is_added_compared_and_its_traces_shown(self, our, path):
        our.review.add(path)
        until(our, lambda: labels(our) == ["a.h5"], "it is offered")
        our.review.choose_side(0, "a.h5")
        our.review.choose_side(1, "a.h5")
        our.review.compare()
        until(our, lambda: our.review.lines is not None, "compared, and the first pair read")
        outcome = our.review.outcome
        assert [(row.a, row.b) for row in outcome.rows] == [(2, 2), (4, 4), (5, 5)]
        assert our.review.chosen == 0
        lines = our.review.lines
        np.testing.assert_array_equal(lines.a, lines.b)
        assert np.nanmean(lines.a) == pytest.approx(0, abs=1e-6)
        assert np.nanstd(lines.a) == pytest.approx(1, abs=1e-6)
        with Recording(path) as recording:
            np.testing.assert_array_equal(lines.x, recording.frame_index)
        our.review.choose(2)
        assert our.review.lines is None
        until(our, lambda: our.review.lines is not None and our.review.lines.row.a == 5, "the third pair")
        assert said(our, "3 of 3 cells in A and 3 in B are the same")

    def test_the_results_of_a_recording_are_no_run(self, our, path, tmp_path):
        our.connect(str(path))
        until(our, lambda: our.replay.reviewing, "its results")
        assert our.view().snapshot.activity is not None
        until(our, lambda: labels(our) == ["a.h5"], "it is offered as itself")
        np.save(tmp_path / "film.npy", np.zeros((5, 16, 20), np.uint16))
        our.connect(str(tmp_path / "film.npy"))
        until(our, lambda: our.replay.transport is not None, "another file")
        assert labels(our) == ["a.h5"]

    def test_what_cannot_be_compared_is_a_sentence(self, our, path, tmp_path):
        our.review.compare()
        assert said(our, "choose two results")
        our.review.add(tmp_path / "none.h5")
        until(our, lambda: said(our, "none.h5 is not there"), "a refusal")
        bare = record(tmp_path / "bare.h5", samples(range(5), off=range(5), shift=False))
        our.review.add(bare)
        until(our, lambda: said(our, "bare.h5 holds no cells"), "a refusal")
        assert labels(our) == []

    def test_online_and_refined_of_one_file_are_compared(self, our, path, tmp_path):
        with h5py.File(path, "r+") as file:
            file.copy(layout.CNMF, file, "copy")
            file.move("copy", layout.REFINED)
            file[f"{layout.REFINED}/status"][1] = Status.REJECTED
        our.review.add(path)
        until(our, lambda: labels(our) == ["a.h5", "a.h5, refined"], "both are offered")
        our.review.sides = ("a.h5", "a.h5, refined")
        our.review.compare()
        until(our, lambda: our.review.outcome is not None, "compared")
        assert our.review.outcome.found.only_a == (2,)
        assert len(our.review.outcome.found.pairs) == 2

    def test_two_files_of_one_name_are_told_apart(self, our, path, tmp_path):
        other = tmp_path / "there" / "a.h5"
        other.parent.mkdir()
        shutil.copy(path, other)
        for each in (path, other, path):
            our.review.add(each)
        until(our, lambda: len(labels(our)) == 2 and not our.review._adding, "both are offered")
        assert len(set(labels(our))) == 2

    def test_an_opened_recording_is_offered_and_proposed_as_a(self, our, path):
        our.connect(str(path))
        until(our, lambda: labels(our) == ["a.h5"], "it is offered")
        assert our.review.sides == ("a.h5", review.NOW)

    def test_a_run_is_compared_with_the_one_before_it(self, our, tmp_path, monkeypatch):
        with fake_stages(monkeypatch):
            play(our, tmp_path / "film.npy")
            first = our.session
            assert labels(our) == [review.NOW]
            our.replay.again()
            until(our, lambda: our.session is not first and our.view().phase is Phase.FINISHED, "again")
        assert labels(our) == [review.NOW, review.BEFORE]
        our.review.sides = (review.BEFORE, review.NOW)
        our.review.compare()
        until(our, lambda: our.review.lines is not None, "compared")
        found = our.review.outcome.found
        assert found.f1 == 1.0
        assert all(pair.r == pytest.approx(1.0) for pair in found.pairs), "the same file, the same result"

    def test_of_a_run_whose_first_traces_have_left_the_memory_it_says_so(
        self, our, tmp_path, monkeypatch, desk
    ):
        with fake_stages(monkeypatch):
            play(our, tmp_path / "film.npy")
        now = our.now
        first, last = (replace(now, cells=kept(now, rows, 20)) for rows in (range(10), range(70)))
        sides = (twosides.Side("this run", snapshot=first), twosides.Side("the run before", snapshot=last))
        outcome = twosides.compared(sides, 0.5)
        span = round(19 / now.rate)
        why = f"no frames in common: the run before keeps only its last 0:{span:02} of traces"
        assert outcome.found.why == why
        assert outcome.found.summary().endswith(why)

        panel = built("review", desk)
        desk.controller.review.outcome = outcome
        desk.controller.review.lines = twosides.traced(outcome, outcome.rows[0])
        desk.controller.review.version += 1
        panel.update(desk.controller.view())
        told = panel.tell()
        assert told["summary"].endswith(f", r -\n{why}")
        assert dpg.get_item_label(panel._rows[0][1][3]) == "-"
        assert not told["numbered"], "an empty plot has no axis"

    def test_long_traces_are_drawn_by_their_extremes(self):
        x = np.arange(100_000.0)
        line = np.zeros(100_000)
        line[54_321] = 7.0
        places, thin = twosides.thinned(x, line)
        assert len(places) == len(thin) == 2 * twosides.POINTS
        assert thin.max() == 7.0
        assert abs(places[thin.argmax()] - 54_321) <= 50


class TestExports:
    def recorded(self, our, tmp_path):
        session = Session(Ramp(count=9), LiveSettings(Settings().with_value("recorder.movie", True)))
        path = session.record(tmp_path / "b.h5")
        session.start()
        session.wait()
        our.connect(str(path))
        until(our, lambda: our.exporting.recording == path, "it is at hand")
        return path

    @pytest.mark.parametrize("word", ["csv", "matlab", "nwb", "tiff", "video"])
    def test_the_menu_exports_the_recording_at_hand(self, our, tmp_path, word):
        entry = next(entry for entry in MENU if entry.path == f"File/Export/{word}")
        assert not entry.possible(our.view())
        path = self.recorded(our, tmp_path)
        assert entry.possible(our.view())
        desk = Desk(our, None, None)
        first = path.with_name("b" + EXPORTS[word].ending)
        for target in (first, path.with_name("b_2" + EXPORTS[word].ending)):
            entry.run(desk)
            until(our, lambda target=target: said(our, f"exported to {target}"), "exported")
            assert target.stat().st_size > 0
        assert not list(tmp_path.glob("*.part"))

    def test_every_format_is_in_the_menu(self):
        paths = [entry.path for entry in MENU]
        for word in EXPORTS:
            assert {f"File/Export/{word}", f"File/Export a file/{word} ..."} <= set(paths)

    def test_two_quick_ones_get_names_of_their_own(self, our, tmp_path, monkeypatch):
        monkeypatch.setattr(exporting, "PERIOD", 0.0)
        path = self.recorded(our, tmp_path)
        heard = our.log.total
        for _ in range(3):
            our.exporting.to("csv")
        for name in ("b.csv", "b_2.csv", "b_3.csv"):
            until(our, lambda name=name: said(our, f"exported to {path.with_name(name)}"), name)
        assert our.log.total >= heard + 9, "each is begun, told how far it is, and done"
        told = [
            message.text
            for message in our.log.messages()
            if "b.h5 to" in message.text or "exported" in message.text
        ]
        assert told == [f"exported to {path.with_name(name)}" for name in ("b.csv", "b_2.csv", "b_3.csv")]

    def test_one_is_stopped_and_the_next_goes_on(self, our, path):
        self.long(path)
        stop = next(entry for entry in MENU if entry.path == "File/Stop the export")
        assert not stop.possible(our.view())
        for word in ("csv", "matlab"):
            our.exporting.to(word, path)
        assert said(our, "exporting a.h5 to matlab: waits")
        assert stop.possible(our.view())
        stop.run(Desk(our, None, None))
        until(our, lambda: said(our, "the export of a.h5 to csv was stopped; nothing of it"), "stopped")
        until(our, lambda: said(our, f"exported to {path.with_name('a_matlab.h5')}"), "the next")
        assert {each.name for each in path.parent.iterdir()} == {"a.h5", "a.jsonl", "a_matlab.h5"}
        assert not stop.possible(our.view())
        assert not our.log.counts().get(logging.ERROR)
        our.exporting.stop()

    def long(self, path):
        """Give a recording so many rows that nobody has exported it before it is stopped."""
        with h5py.File(path, "r+") as file:
            for name in ("time", "frame_index", "roi/means"):
                file[name].resize(300_000, axis=0)
            file["time"][:, 0] = np.arange(300_000) / 30

    def test_closing_stops_what_is_being_written(self, our, path):
        self.long(path)
        our.exporting.to("csv", path)
        our.exporting.to("matlab", path)
        our.exporting.close()
        our.exporting.tick()
        assert {each.suffix for each in path.parent.iterdir()} == {".h5", ".jsonl"}
        assert not said(our, "exported to")

    def test_the_card_on_the_tab_goes_with_the_recording_that_is_shown(self, our, path, tmp_path):
        pytest.importorskip("pynwb")
        our.card.edit("subject.subject_id", "today")
        our.exporting.to("nwb", path)
        until(our, lambda: said(our, f"exported to {tmp_path / 'a.nwb'}"), "exported")
        assert said(our, "Open the recording, fill them in under Session and export again")
        shown = self.recorded(our, tmp_path)
        assert our.card.now.subject.subject_id == "", "that of the recording, not today's"
        our.exporting.to("nwb")
        until(our, lambda: said(our, f"exported to {tmp_path / 'b.nwb'}"), "exported")
        assert said(our, "refuse it. Fill them in under Session and export again")
        assert not said(our, "--card")
        our.card.edit("subject.subject_id", "m001")
        our.exporting.to("nwb", shown)
        until(our, lambda: said(our, f"exported to {tmp_path / 'b_2.nwb'}"), "exported")
        animals = []
        for name in ("a.nwb", "b.nwb", "b_2.nwb"):
            with h5py.File(tmp_path / name) as file:
                animals.append(file["general/subject/subject_id"][()].decode())
        assert animals == ["unknown", "unknown", "m001"]

    def test_a_file_that_is_asked_for_is_exported(self, our, path):
        entry = next(entry for entry in MENU if entry.path == "File/Export a file/csv ...")
        desk = Desk(our, None, None)
        desk.ask_file = lambda what, then: then(str(path)) if what == "export" else None
        entry.run(desk)
        until(our, lambda: said(our, f"exported to {path.with_suffix('.csv')}"), "exported")

    def test_refusals_are_sentences(self, our, tmp_path):
        our.exporting.to("csv")
        assert said(our, "there is no recording yet to export")
        our.exporting.to("csv", tmp_path / "none.h5")
        until(our, lambda: said(our, "not exported"), "a refusal")


def test_the_panel_shows_pairs_and_lets_one_be_chosen(desk, path):
    our = desk.controller
    panel = built("review", desk)
    assert isinstance(panel, ReviewPanel)
    named(path, [(2, "soma")])
    our.review.add(path)
    until(our, lambda: labels(our) == ["a.h5"], "it is offered")
    our.review.sides = ("a.h5", "a.h5")
    our.review.compare()
    until(our, lambda: our.review.lines is not None, "compared")
    panel.update(our.view())
    told = panel.tell()
    assert [pair[:2] for pair in told["pairs"]] == [[2, 2], [4, 4], [5, 5]]
    assert told["drawn"] == 70
    assert [dpg.get_item_label(cells[0]) for _, cells in panel._rows] == ["2 soma", "4", "5"]
    assert "same: 3 of 3 in A" in told["summary"]
