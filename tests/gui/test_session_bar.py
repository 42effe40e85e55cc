"""Recordings by name and length, room on the disk, recent sources, recovery, the card: without a window."""

import json
import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg
import pytest

from roi_core.card import Card
from roi_core.recording import Recording
from roi_core.rois import Circle
from roi_stream_gui import health, words
from roi_stream_gui.card import CardDesk
from roi_stream_gui.disk import looked
from roi_stream_gui.messages import KEPT, MessageLog
from roi_stream_gui.panels.menu import Menu
from roi_stream_gui.recents import Choices, Recents
from roi_stream_gui.recovery import left_behind
from roi_stream_gui.shortcuts import Chord, find
from roi_stream_gui.taking import length_of
from tests.core.test_recover import unfinished
from tests.gui.driver import within


@pytest.fixture
def taking(do):
    """A running session of 100 Hz, its camera and its controller."""
    controller, sources = do
    controller.connect("running")
    within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
    return controller.taking, sources[-1], controller


def texts(controller):
    return [message.text for message in controller.log.messages()]


class TestLength:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("", None), ("30:00", 1800), ("1:02:03", 3723), ("90 s", 90), ("2.5 min", 150), ("2h", 7200),
         (" 0:05 ", 5)],
    )  # fmt: skip
    def test_what_can_be_typed(self, text, seconds):
        assert length_of(text) == seconds
        assert length_of(words.length(length_of(text))) == seconds, "what is shown can be typed"

    @pytest.mark.parametrize("text", ["soon", "90", "0 s", "1:60", "-5 s", "1e9 s", "٣ s", "999999 h"])
    def test_nonsense_is_refused_in_a_sentence(self, taking, text):
        verbs, _, controller = taking
        assert not verbs.last(text)
        assert verbs.length is None
        assert texts(controller)[-1] == words.NO_LENGTH % text

    def test_a_recording_ends_by_itself_and_is_told(self, taking):
        verbs, source, controller = taking
        verbs.last("0.2 s")
        verbs.start()
        source.step(30)
        within(20, lambda: (controller.tick(), not verbs.on)[1], "ended")
        within(20, lambda: (controller.tick(), "recorded 20 rows" in texts(controller)[-1])[1], "told")
        assert controller.view().running, "the picture goes on"

    def test_while_recording_only_what_lies_ahead_is_taken(self, taking, monkeypatch):
        verbs, _, controller = taking
        now = [100.0]
        monkeypatch.setattr("roi_stream_gui.taking.time.monotonic", lambda: now[0])
        verbs.start()
        now[0] = 160.0
        assert not verbs.last("30 s")
        assert "0:01:00 long already" in texts(controller)[-1]
        assert verbs.last("2 min")
        assert controller.view().snapshot.recording.length == 120
        assert verbs.last("")
        assert controller.view().snapshot.recording.length is None

    def test_the_clock_stands_while_the_camera_stalls_and_no_rows_come(self, taking):
        verbs, source, controller = taking
        verbs.start()
        source.step(3)

        def silence():
            controller.tick()
            return controller.view().snapshot.silence

        within(20, lambda: silence() > 1.05, "a stall")
        stood = controller.view().recorded
        assert stood < 0.9
        within(20, lambda: silence() > 1.3, "a longer one")
        assert controller.view().recorded == pytest.approx(stood, abs=0.05)
        source.step(1)
        within(20, lambda: silence() < 0.5, "frames again")
        assert controller.view().recorded > 1.2, "the gap is in the file, and on the clock"


class TestName:
    def test_the_name_is_that_of_the_file_and_never_overwrites(self, taking, tmp_path):
        verbs, source, controller = taking
        assert verbs.call("m017 day 1.h5")
        for name in ("m017 day 1.h5", "m017 day 1_2.h5"):
            verbs.start()
            source.step(2)
            within(20, lambda: controller.view().snapshot.recording.rows == 2, "rows")
            assert controller.view().snapshot.recording.path == tmp_path / name
            verbs.stop()
            within(20, lambda: not controller.view().snapshot.recording.closing, "finished")

    @pytest.mark.parametrize("name", ["a/b", "..", ".hidden", 'a"b', "a\nb"])
    def test_a_name_that_is_none_is_refused(self, taking, name):
        verbs, _, controller = taking
        assert not verbs.call(name)
        assert verbs.name == ""
        assert "is no name for a file" in texts(controller)[-1]

    def test_a_name_that_is_too_long_is_told_how_many_letters_it_may_have(self, taking):
        verbs, _, controller = taking
        assert verbs.call("x" * 100)
        assert not verbs.call("y" * 300)
        assert verbs.name == "x" * 100
        assert texts(controller)[-1] == f"a name has at most 100 letters; this one, {'y' * 17}..., has 300"

    def test_what_the_disk_will_call_it(self, tmp_path):
        (tmp_path / "a.h5").touch()
        room = looked(tmp_path / "a.h5")
        assert room.path == tmp_path / "a_2.h5"
        assert room.free > 0
        assert looked(tmp_path / "not" / "there" / "a.h5").free > 0

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
    @pytest.mark.parametrize("ending", ["", "/not there/yet"])
    def test_a_folder_that_takes_no_files_is_told_when_it_is_chosen(self, taking, tmp_path, ending):
        controller = taking[2]
        (tmp_path / "file").touch()
        for folder, why in (
            ("/proc", "/proc takes no files"), (tmp_path / "file", f"{tmp_path / 'file'} is no folder")
        ):  # fmt: skip
            controller.edit("recorder.folder", f"{folder}{ending}")
            said = f"nothing can be recorded in {folder}{ending} ({why}"

            def told(said=said):
                controller.tick()
                controller.view()
                return said in texts(controller)[-1]

            within(20, told, "it is said")
            assert controller.log.messages()[-1].count == 1
        number = len(texts(controller))
        controller.edit("recorder.folder", f"{tmp_path}/new")
        within(20, lambda: controller.view().next_take.parent == tmp_path / "new", "another is looked at")
        controller.tick()
        assert len(texts(controller)) == number
        assert not (tmp_path / "new").exists(), "nothing is made before Record"


class TestMarks:
    def test_markers_are_counted_and_in_the_file(self, taking):
        verbs, source, controller = taking
        verbs.start()
        find(Chord("M")).run(controller)
        verbs.mark()
        source.step(2)
        within(20, lambda: controller.view().snapshot.recording.rows == 2, "rows")
        path = controller.view().snapshot.recording.path
        assert [text[:8] for text in texts(controller)[-2:]] == ["marker 1", "marker 2"]
        controller.close()
        with Recording(path) as file:
            assert [e.data["number"] for e in file.events if e.kind == "marker"] == [1, 2]

    def test_without_a_recording_there_is_nothing_to_mark(self, taking):
        verbs, _, controller = taking
        verbs.mark()
        assert texts(controller)[-1] == words.MARK_LOST


class TestRoom:
    def test_hours_are_told_before_anything_is_recorded(self, taking):
        _, _, controller = taking
        view = replace(controller.view(), disk_free=10**9 + 64 * 10**6)
        rate = health.growth(view)
        assert rate == pytest.approx(100 * 16)
        chip = health.disk(view)
        assert chip.text == "1.1 GB · movie off"
        assert "There is room for > 4 days." in chip.tip
        assert "switch recorder.movie on" in chip.tip
        controller.edit("recorder.movie", True)
        view = replace(controller.view(), disk_free=64 * 10**6 + 3700 * 100 * (16 + 2 * 16 * 20))
        assert health.disk(view)[:2] == ("307 MB · 1 h 01 · movie", "warn")
        assert "Record keeps the pictures too" in health.disk(view).tip

    def test_a_length_that_does_not_fit_is_red(self, taking):
        verbs, _, controller = taking
        verbs.last("2 h")
        view = replace(controller.view(), disk_free=64 * 10**6 + 3600 * 1600)
        assert health.disk(view).level == "bad"

    def test_no_room_is_red(self, taking):
        assert health.disk(replace(taking[2].view(), disk_free=10**6)).level == "bad"
        assert health.disk(replace(taking[2].view(), disk_free=None))[:2] == ("disk ...", "idle")


class TestChips:
    def test_what_each_stage_costs_is_in_the_tooltip(self, taking):
        _, source, controller = taking
        source.step(5)
        within(20, lambda: controller.view().snapshot.frames_seen == 5, "frames")
        chip = health.cost(controller.view())
        assert chip.text.endswith("of 10 ms")
        assert "regions and dF/F" in chip.tip

    @pytest.mark.parametrize(
        ("behind", "text", "level"),
        [(5, "search in time", "good"), (120, "search in time", "good"),
         (300, "search 3.0 s late", "warn"), (600, "search 6.0 s late", "bad")],
    )  # fmt: skip
    def test_a_late_search_is_told(self, taking, behind, text, level):
        _, _, controller = taking
        controller.edit("cnmf.enabled", True)
        view = controller.view()
        view = replace(view, snapshot=replace(view.snapshot, behind=behind))
        assert health.lag(view)[:2] == (text, level)

    def test_messages_are_counted_by_severity(self, taking):
        view = replace(taking[2].view(), said={logging.INFO: 9})
        assert health.messages(view)[:2] == ("no warnings", "idle")
        view = replace(view, said={logging.WARNING: 2})
        assert health.messages(view)[:2] == ("2 warn", "warn")
        view = replace(view, said={logging.WARNING: 2, logging.ERROR: 1})
        assert health.messages(view)[:2] == ("1 error, 2 warn", "bad")


def test_a_storm_of_news_buries_no_error():
    heard = MessageLog()
    heard.handle(logging.makeLogRecord({"msg": "the error", "levelno": logging.ERROR}))
    for k in range(3 * KEPT):
        heard.handle(logging.makeLogRecord({"msg": f"news {k}", "levelno": logging.INFO}))
    found = heard.messages()
    assert found[0].text == "the error"
    assert len(found) == KEPT + 1
    assert heard.counts() == {logging.ERROR: 1, logging.INFO: 3 * KEPT}, "counts stay"


class TestRecents:
    def test_the_last_ten_newest_first_also_after_a_restart(self, tmp_path):
        recents = Recents(tmp_path)
        for k in range(12):
            recents.add(f"http://camera/{k}")
        recents.add("http://camera/5")
        recents.add("simulated")
        again = Recents(tmp_path).sources
        assert len(again) == 10
        assert again[:2] == ("http://camera/5", "http://camera/11")

    def test_a_password_is_neither_kept_nor_shown(self, tmp_path):
        recents, url = Recents(tmp_path), "rtsp://bob:hunter2@10.0.0.5/x?pwd=hunter2&channel=1"
        recents.add("rtsp://10.0.0.5/x?pwd=***&channel=1")
        recents.add(url)
        assert recents.sources == (url,), "until the window is closed it opens with a click"
        assert "hunter2" not in (tmp_path / "recent.json").read_text(encoding="utf-8")
        assert Choices(recents).all()[-1][0] == "recent: rtsp://10.0.0.5/x?pwd=***&channel=1"
        assert Recents(tmp_path).sources == ("rtsp://10.0.0.5/x?pwd=***&channel=1",)

    def test_a_file_is_found_from_anywhere_and_listed_by_its_name(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "film.npy").touch()
        recents = Recents(tmp_path)
        recents.add("a/film.npy")
        assert Choices(recents).all()[-1] == ("recent: a/film.npy", str(tmp_path / "a" / "film.npy"))
        recents.add("b/film.npy")
        labels = [label for label, _ in Choices(recents).all()]
        assert len(set(labels)) == len(labels)

    def test_the_menu_opens_them_again(self, desk, tmp_path, monkeypatch):
        controller, asked = desk.controller, []
        for k in range(3):
            controller.recents.add(f"http://camera/{k}")
        menu = Menu(desk)
        with dpg.window(menubar=True), dpg.menu_bar() as bar:
            menu.build(int(bar))
        menu.update(controller.view())
        entries = [desk.names[f"menu.File/Open recent/{k + 1}"] for k in range(4)]
        assert [dpg.get_item_label(item) for item in entries[:3]] == [f"http://camera/{k}" for k in (2, 1, 0)]
        assert [dpg.is_item_shown(item) for item in entries] == [True, True, True, False]
        monkeypatch.setattr(controller, "connect", asked.append)
        dpg.get_item_callback(entries[1])()
        assert asked == ["http://camera/1"]

    @pytest.mark.parametrize("text", ["", "{", "[1, null]", '{"a": 1}', "[" * 3000])
    def test_a_broken_list_is_an_empty_one(self, tmp_path, text):
        (tmp_path / "recent.json").write_text(text)
        assert Recents(tmp_path).sources == ()

    def test_what_was_connected_is_there_at_the_next_start(self, do, config):
        controller, _ = do
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        assert json.loads((config / "recent.json").read_text()) == ["running"]


def begin(verbs, controller):
    """Start a recording and wait until its file is there and told."""

    def begun():
        controller.tick()
        return sum("recording to" in text for text in texts(controller))

    before = begun()
    verbs.start()
    within(20, lambda: begun() > before, "it is open")


class TestNothing:
    """A recording of neither regions nor cells nor pictures is a file of times."""

    def test_it_is_said_once_of_each_recording(self, taking):
        verbs, source, controller = taking
        for _ in range(2):
            begin(verbs, controller)
            source.step(3)
            within(20, lambda: controller.view().snapshot.recording.rows == 3, "rows")
            verbs.stop()
            within(20, lambda: (controller.tick(), "recorded 3" in texts(controller)[-1])[1], "told")
        said = [message for message in controller.log.messages() if message.text == words.ONLY_TIMES]
        assert [message.level for message in said] == [logging.WARNING] * 2

    @pytest.mark.parametrize("there", ["region", "cnmf.enabled", "recorder.movie"])
    def test_with_any_of_the_three_nothing_is_said_and_the_chip_is_calm(self, taking, there):
        verbs, _, controller = taking
        chip = health.disk(replace(controller.view(), disk_free=10**12))
        assert (chip.level, "only times" in chip.tip) == ("warn", True)
        if there == "region":
            controller.editor.add(Circle(5, 5, 2))
            controller.tick()
        else:
            controller.edit(there, True)
        chip = health.disk(replace(controller.view(), disk_free=10**12))
        assert (chip.level, "only times" in chip.tip) == ("good", False)
        begin(verbs, controller)
        assert words.ONLY_TIMES not in texts(controller)

    def test_without_a_source_nobody_worries(self, do):
        assert health.disk(replace(do[0].view(), disk_free=10**12)).level == "good"


class TestParts:
    def test_every_file_is_told_and_marked_until_all_are_finished(
        self, taking, config, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("roi_core.sinks.parts.SHORTEST", 0.1)
        verbs, source, controller = taking
        controller.settings.edit("recorder.split_minutes", 0.001)
        verbs.call("long")
        begin(verbs, controller)
        source.step(15)
        within(20, lambda: controller.view().snapshot.recording.rows == 15, "15 rows")
        controller.tick()
        assert texts(controller)[-1] == f"the recording goes on in {tmp_path / 'long_part2.h5'}"
        assert len(list((config / "unfinished").glob("*.json"))) == 2
        verbs.stop()
        within(20, lambda: (controller.tick(), not list((config / "unfinished").glob("*.json")))[1], "gone")
        assert (
            texts(controller)[-1] == f"recorded 15 rows (0:00:00) to {tmp_path / 'long.h5'} and 1 more part"
        )

    def test_of_a_failed_recording_the_rows_that_are_safe_are_told(self, taking, monkeypatch):
        from roi_core.sinks.hdf5 import Recorder

        def broken(self):
            raise OSError("the disk is gone")

        verbs, source, controller = taking
        begin(verbs, controller)
        source.step(5)
        within(20, lambda: controller.view().snapshot.recording.safe == 5, "flushed")
        monkeypatch.setattr(Recorder, "_append", broken)
        source.step(10)
        within(20, lambda: (source.step(1), controller.tick(), not verbs.on)[2], "it failed")
        within(20, lambda: (controller.tick(), "recorded 5 rows" in texts(controller)[-1])[1], "told")
        take = controller.view().snapshot.recording
        assert take.safe == 5 < take.rows


class TestTwoInARow:
    def test_of_each_it_is_told_what_is_in_it_and_marks_stay_while_one_is_on(self, taking, config, tmp_path):
        verbs, source, controller = taking
        for name in "abc":
            verbs.call(name)
            if name == "a":
                begin(verbs, controller)
            else:
                verbs.stop()
                verbs.start()  # before anyone could look whether the one before is finished
            within(20, lambda: not controller.view().snapshot.recording.opening, "it is open")
            source.step(3)
            within(20, lambda: controller.view().snapshot.recording.rows == 3, "three rows")
        said = {f"recorded 3 rows (0:00:00) to {tmp_path / name}.h5" for name in "ab"}
        within(20, lambda: (controller.tick(), said <= set(texts(controller)))[1], "both are told")
        assert verbs.on
        assert list((config / "unfinished").glob("*.json")), "that of the one that is on"
        verbs.stop()
        within(20, lambda: (controller.tick(), not list((config / "unfinished").glob("*.json")))[1], "gone")
        told = [text for text in texts(controller) if text.startswith("recorded")]
        assert sorted(text.rpartition("/")[2] for text in told) == ["a.h5", "b.h5", "c.h5"], "each once"


class TestRecovery:
    def test_a_clean_end_leaves_nothing(self, taking, config):
        verbs, source, controller = taking
        begin(verbs, controller)
        assert len(list((config / "unfinished").glob("*.json"))) == 1
        source.step(3)
        verbs.stop()
        within(20, lambda: (controller.tick(), not list((config / "unfinished").glob("*.json")))[1], "gone")

    def test_closing_the_window_is_a_clean_end(self, taking, config):
        verbs, _, controller = taking
        begin(verbs, controller)
        controller.close()
        assert not list((config / "unfinished").glob("*.json"))

    def test_a_recording_under_way_is_not_told(self, taking, config):
        verbs, source, controller = taking
        begin(verbs, controller)
        source.step(3)
        (config / "unfinished" / "bad.json").write_text("[" * 5000)
        controller.recovery.search(controller._helper.submit)
        within(20, lambda: (controller.tick(), controller.recovery._search is None)[1], "searched")
        assert controller.recovery.found == ()
        assert len(list((config / "unfinished").glob("*.json"))) == 1, "only that of the open one is left"

    def test_one_on_a_drive_that_is_not_there_is_told_and_kept_until_dismissed(self, do, config, tmp_path):
        controller, _ = do
        mark = config / "unfinished" / f"{os.getpid()}-1.json"  # the number was another program's, before
        mark.parent.mkdir(parents=True)
        mark.write_text(json.dumps({"path": str(tmp_path / "usb" / "a.h5")}))
        controller.recovery.search(controller._helper.submit)
        within(20, lambda: (controller.tick(), controller.recovery.found)[1], "found")
        assert controller.recovery.found[0].text.endswith(f"{tmp_path / 'usb' / 'a.h5'} is not there")
        controller.recovery.open(lambda path: None)
        assert (len(controller.recovery.found), mark.exists()) == (1, True), "it was not opened"
        controller.recovery.opened(str(tmp_path / "usb" / "a.h5"))
        assert (controller.recovery.found, mark.exists()) == ((), False)

    @pytest.mark.parametrize("damaged", [False, True])
    def test_one_is_finished_beside_everything_else(self, do, config, tmp_path, damaged):
        controller, _ = do
        path = unfinished(tmp_path)
        (config / "unfinished").mkdir(parents=True)
        (config / "unfinished" / "1-1.json").write_text(json.dumps({"path": str(path)}))
        controller.recovery.search(controller._helper.submit)
        within(20, lambda: (controller.tick(), controller.recovery.found)[1], "found")
        if damaged:
            path.write_bytes(b"no recording any more")
        controller.recovery.finish_first()
        within(20, lambda: (controller.tick(), not controller.recovery.working)[1], "finished")
        controller.tick()
        if damaged:
            assert "could not be finished" in texts(controller)[-1]
            assert len(controller.recovery.found) == 1
            return
        assert f"finished: 30 rows are in {path}" in texts(controller)
        assert controller.recovery.found == ()
        with Recording(path) as recording:
            assert recording.complete

    def test_the_mark_of_a_recording_outlives_the_beginning_of_the_next(self, do, config, tmp_path):
        recovery = do[0].recovery
        recovery.begin(tmp_path / "a.h5")
        recovery.begin(tmp_path / "b.h5")
        assert len(list((config / "unfinished").glob("*.json"))) == 2
        recovery.end()
        assert not list((config / "unfinished").glob("*.json"))

    def test_what_is_left_of_a_crash_is_found_told_and_dismissed(self, taking, config, tmp_path):
        verbs, source, controller = taking
        begin(verbs, controller)
        source.step(3)
        within(20, lambda: controller.view().snapshot.recording.rows == 3, "three rows")
        mine = set((config / "unfinished").glob("*.json"))
        path, left = controller.view().snapshot.recording.path, tmp_path / "left.h5"

        def crashed():
            """Take the file as a kill at this moment would leave it."""
            shutil.copy(path, left)
            (config / "unfinished" / "1-1.json").write_text(json.dumps({"path": str(left)}))
            return [found.rows for found in left_behind(config / "unfinished", mine)] == [3]

        within(20, crashed, "three rows are safe")
        controller.recovery.search(controller._helper.submit)
        within(20, lambda: (controller.tick(), controller.recovery.found)[1], "found")
        controller.recovery.open(controller.connect)
        assert texts(controller)[-1] == words.STOP_FIRST
        assert len(controller.recovery.found) == 1, "it was not opened"
        controller.recovery.dismiss()
        assert controller.recovery.found == ()
        assert left_behind(config / "unfinished", mine) == (), "it is told once"
        assert left.exists()

    def test_one_without_a_movie_is_looked_at_and_told_of_until_then(self, do, config, tmp_path):
        controller, _ = do
        path = unfinished(tmp_path)
        mark = config / "unfinished" / "1-1.json"
        mark.parent.mkdir(parents=True)
        mark.write_text(json.dumps({"path": str(path)}))
        controller.recovery.search(controller._helper.submit)
        within(20, lambda: (controller.tick(), controller.recovery.found)[1], "found")
        controller.recovery.open(controller.connect)
        within(20, lambda: (controller.tick(), controller.replay.reviewing)[1], "it is looked at")
        assert controller.session.snapshot().frames_seen == 30
        assert (controller.recovery.found, mark.exists()) == ((), False)


class TestCard:
    def test_what_is_filled_in_is_there_at_the_next_start_and_in_the_file(self, taking, config):
        verbs, source, controller = taking
        assert controller.card.edit("subject.subject_id", " m017 ")
        assert controller.card.edit("imaging.excitation_nm", "488,5")
        verbs.start()
        source.step(2)
        within(20, lambda: controller.view().snapshot.recording.rows == 2, "rows")
        path = controller.view().snapshot.recording.path
        controller.card.edit("session.notes", "woke up")
        controller.close()
        with Recording(path) as file:
            assert (file.card.subject.subject_id, file.card.imaging.excitation_nm) == ("m017", 488.5)
            assert file.card.session.notes == "woke up"
        assert CardDesk(config).now == controller.card.now

    @pytest.mark.parametrize(
        ("path", "typed"),
        [("subject.species", "mouse"), ("imaging.um_per_px", "tiny"), ("imaging.um_per_px", "-1")],
    )
    def test_a_refusal_is_told_and_changes_nothing(self, do, path, typed):
        controller, _ = do
        before = controller.card.now
        assert not controller.card.edit(path, typed)
        assert controller.card.now is before
        assert texts(controller)[-1].startswith(f"{path} = ")

    def test_a_preset_fills_in_what_it_holds(self, do):
        card = do[0].card
        card.edit("imaging.indicator", "GCaMP8m")
        assert card.save("rig 2")
        card.clear()
        card.edit("subject.subject_id", "m018")
        assert card.presets() == ("rig 2",)
        assert card.choose("rig 2")
        assert (card.now.subject.subject_id, card.now.imaging.indicator) == ("m018", "GCaMP8m")
        assert not card.save("a/b")
        assert not card.choose("none")

    def test_a_card_given_for_one_start_replaces_none_that_is_kept(self, config):
        CardDesk(config).edit("subject.subject_id", "m017")
        given = CardDesk(config)
        given.begin(Card().with_value("session.lab", "theirs"))
        given.edit("session.notes", "woke up")
        assert (given.now.session.lab, given.now.session.notes) == ("theirs", "woke up")
        again = CardDesk(config).now
        assert (again.subject.subject_id, again.session.lab, again.session.notes) == ("m017", "", "")

    def test_a_name_that_archives_want_otherwise_is_kept_and_told_once(self, config, caplog):
        caplog.set_level("INFO")
        card = CardDesk(config)
        assert card.edit("session.experimenter", "Jane Doe; Cajal, Santiago")
        assert card.edit("session.lab", "Lab")
        (told,) = caplog.messages
        assert "Last, First" in told
        assert "'Jane Doe'" in told
        assert "Cajal" not in told
        assert card.now.session.experimenter == "Jane Doe; Cajal, Santiago"
        assert card.edit("session.experimenter", "Doe, Jane")
        assert len(caplog.messages) == 1

    def test_the_card_of_a_file_that_is_played_is_lent(self, config):
        theirs = Card().with_value("subject.subject_id", "m001")
        card = CardDesk(config)
        card.edit("subject.subject_id", "m017")
        card.lend(theirs)
        assert card.live.at_frame()[1] == ()
        card.edit("session.notes", "seen again")
        card.lend(theirs)  # as when it is analysed from another frame on
        assert (card.now.subject.subject_id, card.now.session.notes) == ("m001", "seen again")
        assert CardDesk(config).now.subject.subject_id == "m017"
        card.lend(theirs.with_value("subject.subject_id", "m002"))
        assert card.now.subject.subject_id == "m002"
        card.lend(Card(), "a.h5")
        card.edit("subject.subject_id", "m003")
        card.lend(Card(), "b.h5")
        assert card.now == Card(), "what was filled in for one recording is not of another"
        card.lend(None)
        assert (card.now.subject.subject_id, card.now.session.notes) == ("m017", "")

    def test_a_card_given_at_the_start_is_that_of_a_file_too(self, config):
        card = CardDesk(config)
        card.begin(Card().with_value("session.lab", "theirs"))
        card.lend(Card().with_value("session.lab", "old"))
        assert card.now.session.lab == "theirs"

    def test_a_broken_card_of_last_time_is_put_aside_told_and_never_overwritten(self, config, caplog):
        config.mkdir(parents=True)
        for number, name in enumerate(("card.yaml.bad", "card.yaml.bad2")):
            (config / "card.yaml").write_text(f"subject: [ # {number}")
            card = CardDesk(config)
            card.tell()
            assert card.now == Card()
            assert caplog.messages[-1].endswith(f"it begins empty, and the old one is in {config / name}")
            card.edit("session.lab", "L")
            assert (config / name).read_text() == f"subject: [ # {number}"
            assert CardDesk(config).now.session.lab == "L"

    def test_of_a_card_of_another_version_all_that_is_known_is_kept(self, config, caplog):
        config.mkdir(parents=True)
        text = "subject:\n  subject_id: m017\n  sexx: M\n  sex: X\nrig: 3\nsession:\n  lab: L\n"
        (config / "card.yaml").write_text(text)
        card = CardDesk(config)
        card.tell()
        assert (card.now.subject.subject_id, card.now.session.lab) == ("m017", "L")
        assert len(caplog.messages) == 3
        assert caplog.messages[0].startswith("left out of the session card of last time: subject.sexx = 'M'")

    @pytest.mark.parametrize("failing", ["write_text", "replace"])
    def test_a_write_that_fails_leaves_the_card_whole(self, config, monkeypatch, failing):
        card = CardDesk(config)
        card.edit("subject.subject_id", "m017")
        before = (config / "card.yaml").read_text()

        def fail(path, *rest, **more):
            if failing == "write_text":
                with open(path, "w") as file:
                    file.write("subj")
            raise OSError(28, "No space left on device")

        where = Path if failing == "write_text" else os
        monkeypatch.setattr(where, failing, fail)
        card.edit("session.notes", "woke up")
        assert not card.save("rig")
        assert (config / "card.yaml").read_text() == before
        assert [path.name for path in config.glob("card*.*")] == ["card.yaml"]
