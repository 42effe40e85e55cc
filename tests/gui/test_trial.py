"""Pending edits, what they would lead to, earlier sets and presets: without a window."""

import logging
from types import SimpleNamespace

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from roi_core.board import Diary
from roi_core.frame import Components, Event, Foresight, Spot, Status
from roi_core.settings import LiveSettings, Settings
from roi_stream_gui import forecast as cast
from roi_stream_gui.changes import Changes
from roi_stream_gui.forecast import Fate
from roi_stream_gui.panels.foresight import ForesightOverlay
from roi_stream_gui.presets import BUILT_IN, Presets, difference
from roi_stream_gui.trial import Trial
from roi_stream_gui.undo import Journal


@pytest.fixture
def live():
    return LiveSettings()


@pytest.fixture
def trial(live):
    trial = Trial(live)
    yield trial
    trial.close()


def run(live):
    live.running = True


class TestPending:
    def test_while_nothing_runs_an_edit_acts_at_once(self, trial, live):
        assert trial.edit("cnmf.min_snr", 3.0)
        assert live.current.cnmf.min_snr == 3.0
        assert trial.pending == {}

    def test_while_frames_flow_what_is_measured_waits_and_the_rest_does_not(self, trial, live):
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.edit("display.rate", 10.0)
        trial.edit("camera.timeout", 2.0)
        assert trial.pending == {"cnmf.min_snr": 3.0}
        assert (live.current.display.rate, live.current.camera.timeout) == (10.0, 2.0)
        assert live.current.cnmf.min_snr == 1.5
        assert trial.wanted.cnmf.min_snr == trial.value("cnmf.min_snr") == 3.0

    @pytest.mark.parametrize("running", [True, False])
    def test_undo_right_after_apply_brings_back_the_values_before(self, live, running, caplog):
        caplog.set_level(logging.INFO)
        journal, said = Journal(), []
        trial = Trial(live, journal)
        journal.push("move", lambda: said.append("back"), lambda: said.append("forth"), whom="roi6")
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.edit("cnmf.min_r", 0.5)
        trial.apply()
        assert journal.undo_name == "Apply"
        live.running = running
        trial.edit("cnmf.min_size", 0.5)
        journal.undo()
        assert trial.value("cnmf.min_snr") == 1.5
        assert (live.current.cnmf.min_snr == 3.0) is running, "in force only after Apply, while frames flow"
        assert trial.value("cnmf.min_size") == 0.5
        assert said == []
        assert "cnmf.min_snr = 1.5, cnmf.min_r = 0.7" in caplog.messages[-1]
        journal.undo()
        assert said == ["back"]
        assert caplog.messages[-1] == "undone: move (roi6)"
        trial.close()

    def test_after_another_step_undo_leaves_the_parameters(self, live):
        journal, said = Journal(), []
        trial = Trial(live, journal)
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.apply()
        journal.push("move", lambda: said.append("back"), lambda: None)
        journal.undo()
        journal.undo()
        assert (said, trial.value("cnmf.min_snr"), journal.undo_name) == (["back"], 3.0, "")
        trial.close()

    def test_all_count_from_one_frame(self, trial, live):
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.edit("roi.dff", True)
        assert live.at_frame()[1] == ()
        assert trial.apply()
        assert [edit.path for edit in live.at_frame()[1]] == ["cnmf.min_snr", "roi.dff"]
        assert trial.pending == {}
        assert not trial.apply(), "nothing is left to apply"

    @pytest.mark.parametrize(("path", "value"), [("cnmf.min_snr", 99.0), ("cnmf.preset", "1p")])
    def test_what_is_refused_is_told_and_changes_nothing(self, trial, live, caplog, path, value):
        run(live)
        trial.edit("cnmf.min_r", 0.5)
        assert not trial.edit(path, value)
        assert caplog.messages[-1].startswith(f"{path} = {value!r}: ")
        assert trial.pending == {"cnmf.min_r": 0.5}

    def test_an_edit_back_to_what_is_in_force_is_none(self, trial, live):
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.edit("cnmf.min_snr", 1.5)
        assert trial.pending == {}

    def test_one_that_is_made_elsewhere_is_pending_no_more(self, trial, live):
        run(live)
        trial.edit("roi.dff", True)
        trial.edit("cnmf.min_snr", 3.0)
        live.edit("roi.dff", True)
        trial.tick(None)
        assert trial.pending == {"cnmf.min_snr": 3.0}

    def test_discarding_one_keeps_the_others(self, trial, live):
        run(live)
        trial.edit("roi.dff", True)
        trial.edit("cnmf.min_snr", 3.0)
        trial.discard("roi.dff")
        assert trial.pending == {"cnmf.min_snr": 3.0}
        trial.discard()
        assert trial.pending == {}

    def test_edits_left_when_the_session_ended_can_still_be_applied(self, trial, live):
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        live.running = False
        trial.edit("cnmf.min_r", 0.5)
        assert trial.pending == {"cnmf.min_snr": 3.0}
        trial.edit("cnmf.min_snr", 4.0)
        assert trial.pending == {}, "the later word counts, at once"
        assert live.current.cnmf.min_snr == 4.0

    def test_a_preview_without_a_session_says_so(self, trial, live):
        run(live)
        trial.preview()
        assert not trial.previewing, "there is nothing to preview"
        trial.edit("cnmf.min_snr", 3.0)
        trial.preview()
        trial.tick(None)
        trial._asked[0].result(10)
        trial.tick(None)
        assert "connect" in trial.forecast.silent
        trial.apply()
        assert not trial.previewing

    def test_an_old_answer_is_not_shown_for_new_edits(self, trial, live):
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.preview()
        trial.tick(None)
        trial._asked[0].result(10)
        trial.edit("cnmf.min_snr", 4.0)
        trial._collect()
        assert trial.forecast is None

    def test_what_nobody_can_foresee_is_told(self, trial, live, caplog):
        caplog.set_level("INFO")
        run(live)
        trial.edit("cnmf.min_snr", 3.0)
        trial.edit("motion.max_shift", 5.0)
        trial.preview()
        for _ in range(3):
            trial.tick(None)
            trial._asked[0].result(10)
            trial._due = 0.0
        told = [text for text in caplog.messages if "foresee" in text]
        assert len(told) == 1
        assert "motion.max_shift" in told[0]
        assert "min_snr" not in told[0]


class TestEarlier:
    def test_every_set_is_kept_with_its_frame(self):
        live, diary = LiveSettings(), Diary()
        changes = Changes(live.current)
        live.edit_many({"cnmf.min_snr": 3.0, "display.rate": 10.0})
        assert changes.follow(live.current, diary) == ()
        diary.add([Event(1.0, 41, "note"), Event(1.0, 41, "setting", _data("cnmf.min_snr", 1.5, 3.0))])
        (known,) = changes.follow(live.current, diary)
        assert (known.frame, known.text) == (41, "cnmf.min_snr 1.5 -> 3")
        live.edit("cnmf.min_snr", 4.0)
        changes.follow(live.current, diary)
        assert [change.frame for change in changes.made] == [None, 41, None]

    def test_what_is_only_shown_is_no_set(self):
        live = LiveSettings()
        changes = Changes(live.current)
        live.edit("display.rate", 10.0)
        changes.follow(live.current, None)
        assert len(changes.made) == 1

    def test_another_session_has_another_diary(self):
        live, first, second = LiveSettings(), Diary(), Diary()
        changes = Changes(live.current)
        first.add([Event(0.0, n, "gap") for n in range(5)])
        changes.follow(live.current, first)
        live.edit("roi.dff", True)
        second.add([Event(0.0, 7, "setting", _data("roi.dff", False, True))])
        (known,) = changes.follow(live.current, second)
        assert (known.frame, known.text) == (7, "roi.dff off -> on")

    def test_an_event_dates_one_change_and_none_made_while_idle(self):
        live, diary = LiveSettings(), Diary()
        changes = Changes(live.current)
        for value in (3.0, 2.5):
            live.edit("cnmf.min_snr", value)
            changes.follow(live.current, None)
        changes.follow(live.current, diary)
        for value in (3.0, 2.5, 3.0):
            live.edit("cnmf.min_snr", value)
            changes.follow(live.current, diary)
        diary.add([Event(1.0, 50, "setting", _data("cnmf.min_snr", 2.5, 3.0))])
        changes.follow(live.current, diary)
        assert [change.frame for change in changes.made] == [None, None, None, None, None, 50]

    def test_one_is_brought_back_as_pending(self, trial, live):
        live.edit_many({"cnmf.min_snr": 3.0, "camera.timeout": 2.0, "cnmf.preset": "1p"})
        trial.tick(None)
        run(live)
        trial.edit("cnmf.min_r", 0.5)
        trial.restore(trial.changes.made[0])
        assert trial.pending == {"cnmf.min_snr": 1.5}, "and nothing else: that is the set"
        assert live.current.camera.timeout == 5.0, "which acts at once"
        assert live.current.cnmf.preset == "1p", "which cannot change now"


def _data(path, old, new):
    return {"path": path, "old": old, "new": new}


class TestPresets:
    @pytest.fixture
    def presets(self, tmp_path):
        return Presets(tmp_path / "presets")

    def test_those_built_in_are_allowed_and_leave_the_optics_alone(self, presets):
        assert presets.names() == ("2p", "1p", "photometry")
        for name in BUILT_IN:
            values = presets.read(name)
            assert Settings().with_values(values).cnmf.preset == name
            assert "cnmf.cell_radius" not in values

    def test_one_that_is_saved_is_read_back(self, presets):
        settings = Settings().with_values({"cnmf.min_snr": 3.0, "display.rate": 10.0})
        assert presets.save(" bright cells ", settings)
        assert presets.names()[-1] == "bright cells"
        values = presets.read("bright cells")
        assert [edit.path for edit in difference(Settings(), values)] == ["cnmf.min_snr"]
        assert presets.delete("bright cells")
        assert presets.names() == tuple(BUILT_IN)

    def test_a_file_by_hand_changes_what_it_names(self, presets):
        presets.folder.mkdir()
        (presets.folder / "mine.yaml").write_text("cnmf:\n  min_snr: 3\nroi: {dff: true}\n")
        assert presets.read("mine") == {"cnmf.min_snr": 3.0, "roi.dff": True}

    @pytest.mark.parametrize("text", ["cnmf: {min_snr: -1}", "cnmf: [", "- 1", "soup: {a: 1}", "\0"])
    def test_a_broken_file_is_a_sentence(self, presets, caplog, text):
        presets.folder.mkdir()
        (presets.folder / "broken.yaml").write_text(text)
        assert presets.read("broken") is None
        assert caplog.messages[-1].startswith("preset 'broken' cannot be used: ")

    @pytest.mark.parametrize("name", ["", " ", "../x", "a/b", ".x", "2p", "x" * 99, 'a"b'])
    def test_a_name_that_cannot_be_is_a_sentence(self, presets, caplog, name):
        assert not presets.save(name, Settings())
        assert len(caplog.messages) == 1
        assert not presets.folder.exists()

    def test_what_cannot_be_written_or_deleted_is_a_sentence(self, tmp_path, caplog):
        (tmp_path / "file").write_text("")
        presets = Presets(tmp_path / "file")
        assert presets.names() == tuple(BUILT_IN)
        assert not presets.save("mine", Settings())
        assert not presets.delete("mine")
        assert not presets.delete("2p")
        assert len(caplog.messages) == 3

    def test_loading_one_while_frames_flow_tells_what_stays(self, presets, trial, live, caplog):
        run(live)
        trial.edit_many(presets.read("1p"))
        assert trial.pending == {"cnmf.enabled": True, "motion.enabled": True}
        assert "cnmf.preset = '1p'" in caplog.messages[-1]
        live.running = False
        trial.edit_many(presets.read("1p"))
        assert live.current.cnmf.preset == "1p"
        assert trial.pending == {}


def squares(*corners, shape=(40, 50)):
    """Components that are 4 x 4 px squares at these corners (y, x), ids from 1 on, all accepted."""
    n = len(corners)
    grid = np.add.outer(np.arange(4) * shape[1], np.arange(4)).ravel()
    indices = np.concatenate([grid + y * shape[1] + x for y, x in corners]).astype(np.int32)
    none = np.zeros(n, np.float32)
    return Components(
        1, shape, np.arange(1, n + 1), np.zeros(n, np.int64), np.full(n, Status.ACCEPTED, np.uint8),
        ("",) * n, none, none, none, none, np.ones(indices.size, np.float32), indices,
        16 * np.arange(n + 1, dtype=np.int64),
    )  # fmt: skip


class TestForecast:
    def test_each_fate_has_its_outlines_and_numbers(self):
        components = squares((5, 5), (5, 20), (20, 5), (30, 30))
        components.status[2:] = Status.REJECTED
        verdicts = dict(zip((1, 2, 3, 4), (1, 2, 1, 2), strict=True))
        spot = Spot(22, 22, "", np.array([22 * 50 + 22, 22 * 50 + 23], np.int32))
        foresight = Foresight({k: (Status(v), "") for k, v in verdicts.items()}, (spot,))
        made = cast.forecast(foresight, components)
        assert made.text == "2 -> 3 cells (+2 -1)"
        middles = {fate: np.nanmean(np.stack(xy), axis=1).round() for fate, xy in made.lines.items()}
        np.testing.assert_allclose(middles[Fate.STAYS], [6, 6], atol=1)
        np.testing.assert_allclose(middles[Fate.LOST], [22, 6], atol=1)
        assert np.isnan(made.lines[Fate.NEW][0]).sum() == 2, "one accepted now, one found"

    def test_one_that_nobody_was_asked_about_has_no_fate(self):
        made = cast.forecast(Foresight({1: (Status.ACCEPTED, "")}), squares((5, 5), (9, 9)))
        assert made.text == "1 -> 1 cells (+0 -0)"

    def test_no_answer_is_a_sentence(self):
        assert cast.forecast(Foresight(silent="nobody is there"), None).text == "nobody is there"
        assert "no cells" in cast.forecast(Foresight(), None).text

    @pytest.mark.parametrize("length", [1, 2, 5])
    def test_dashes_begin_anew_with_each_line_and_have_gaps(self, length):
        x = np.r_[np.arange(10.0), np.nan, np.arange(20.0), np.nan]
        dashes, same = cast.dashed((x, x), length)
        np.testing.assert_array_equal(dashes, same)
        pieces = [piece[~np.isnan(piece)] for piece in np.split(dashes, np.flatnonzero(np.isnan(dashes)))]
        pieces = [piece.tolist() for piece in pieces if piece.size]
        first, second = (
            [[n for n in range(k, k + length + 1) if n < end] for k in range(0, end, 2 * length + 1)]
            for end in (10, 20)
        )
        assert pieces == [*first, *second]

    def test_no_line_has_no_dashes(self):
        empty = np.zeros(0)
        assert cast.dashed((empty, empty), 2)[0].size == 0


class TestOverlay:
    def test_lines_follow_the_shift_and_go_with_the_preview(self, desk, do):
        with dpg.window(), dpg.plot() as plot:
            dpg.add_plot_axis(dpg.mvXAxis)
            axis = dpg.add_plot_axis(dpg.mvYAxis)
        overlay, trial = ForesightOverlay(desk, plot, axis), do[0].trial
        components = squares((5, 5), (5, 20))
        verdicts = {1: (Status.ACCEPTED, ""), 2: (Status.REJECTED, "dim")}
        trial.forecast, trial.previewing = cast.forecast(Foresight(verdicts), components), True
        view = SimpleNamespace(snapshot=SimpleNamespace(shift=(2.0, -3.0)))
        overlay.update(view, (0, 0, 50, 40), 4.0)
        shown = {fate: dpg.is_item_shown(item) for fate, item in overlay._series.items()}
        assert shown == {Fate.STAYS: True, Fate.LOST: True, Fate.NEW: False}
        x, y = np.array(dpg.get_value(overlay._series[Fate.LOST])[:2])
        assert (np.nanmean(x), np.nanmean(y)) == pytest.approx((21.5 + 3, 6.5 - 2), abs=0.5)
        texts = {fate: dpg.get_item_configuration(item)["text"] for fate, item in overlay._texts.items()}
        assert texts == {Fate.STAYS: "1 stay", Fate.LOST: "1 lost", Fate.NEW: "0 new"}
        trial.previewing = False
        overlay.update(view, (0, 0, 50, 40), 4.0)
        assert not any(dpg.is_item_shown(item) for item in (*overlay._series.values(), overlay._layer))
