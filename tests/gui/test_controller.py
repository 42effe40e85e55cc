"""The verbs of the user, without a window."""

import logging
import threading

import pytest

from roi_core.errors import SourceNotFound
from roi_core.recording import Recording
from roi_core.rois import Circle
from roi_core.session import Session
from roi_core.sinks.hdf5 import Recorder
from roi_core.sources.devices import Device
from roi_stream_gui import controller as module
from roi_stream_gui.controller import Controller
from roi_stream_gui.messages import MessageLog
from roi_stream_gui.shortcuts import ACTIONS, Chord, find
from roi_stream_gui.tools import Tool
from roi_stream_gui.view import Phase
from tests.fakes import Broken, Ramp, Stepped, Unplugged
from tests.gui.driver import within


@pytest.fixture
def make(tmp_path):
    """Make a controller whose sources are the given fakes, whose recordings go to tmp_path."""
    made = []

    def begin(*sources, **more):
        waiting = list(sources)

        def opener(text, _settings, *, realtime):
            assert not realtime, "a file waits for its analysis; its transport paces it"
            if not waiting:
                raise SourceNotFound(f"there is no source {text!r}")
            return waiting.pop(0)

        controller = Controller(opener=opener, **more)
        controller.edit("recorder.folder", str(tmp_path))
        controller.log.install()
        made.append((controller, sources))
        return controller

    yield begin
    for controller, sources in made:
        for source in sources:
            source.close()
        controller.close()
        controller.log.remove()


def reach(controller, phase):
    def there():
        controller.tick()
        return controller.view().phase is phase

    within(20, there, f"phase {phase}", lambda: str(controller.view()))


def texts(controller):
    return [message.text for message in controller.log.messages()]


class TestSource:
    def test_idle_connecting_running_finished(self, make):
        source = Stepped(count=100)
        do = make(source)
        assert do.view().phase is Phase.IDLE
        do.connect("ramp")
        assert do.view().phase is Phase.CONNECTING
        reach(do, Phase.RUNNING)
        assert texts(do) == ["connected to ramp, 20 x 16 at 100 Hz"]
        do.disconnect()
        reach(do, Phase.FINISHED)
        assert texts(do)[-1] == "disconnected from ramp"

    def test_a_source_that_is_not_there_is_a_sentence(self, make):
        do = make()
        do.connect("nowhere")
        reach(do, Phase.IDLE)
        assert texts(do) == ["there is no source 'nowhere'"]

    def test_a_file_tells_that_it_ended(self, make):
        do = make(Ramp(count=7))
        do.connect("ramp")
        reach(do, Phase.FINISHED)
        assert texts(do)[-1] == "ramp ended after 7 frames"

    @pytest.mark.parametrize("kind", [Unplugged, Broken])
    def test_a_source_that_fails_is_told_once(self, make, kind):
        do = make(kind())
        do.connect("ramp")
        reach(do, Phase.FAILED)
        do.tick()
        errors = [m for m in do.log.messages() if m.level == logging.ERROR]
        assert len(errors) == 1
        assert errors[0].count == 1

    def test_another_source_takes_over_and_the_regions_stay(self, make):
        first, second = Stepped(count=9), Stepped(count=9, shape=(30, 40))
        do = make(first, second)
        do.connect("one")
        reach(do, Phase.RUNNING)
        do.editor.add(Circle(5, 5, 2))
        do.connect("two")
        within(20, lambda: (do.tick(), do.view().snapshot.shape == (30, 40))[1], "the second source")
        assert do.session.rois is do.editor.rois
        assert first.closed.is_set()

    def test_a_source_that_does_not_open_leaves_the_old_one_running(self, make):
        first = Stepped(count=9)
        do = make(first)
        do.connect("one")
        reach(do, Phase.RUNNING)
        do.connect("nowhere")
        do.record()
        assert "being opened" in texts(do)[-1]
        reach(do, Phase.RUNNING)
        assert texts(do)[-1] == "there is no source 'nowhere'"
        assert do.source == "one"
        first.step()
        within(20, lambda: do.view().snapshot.frames_seen == 1, "frames still flow")

    def test_the_same_source_is_closed_before_it_is_opened_again(self, make):
        first, second = Stepped(count=9), Stepped(count=9)
        do = make(first, second)
        do.connect("0")
        reach(do, Phase.RUNNING)
        open_, closed = do._opener, []
        do._opener = lambda *a, **more: (closed.append(first.closed.is_set()), open_(*a, **more))[1]
        do.connect("0 ")
        reach(do, Phase.RUNNING)
        assert closed == [True]

    def test_a_bug_while_opening_or_looking_is_told_and_the_window_lives(self, make, capsys):
        do = make(lister=lambda: 1 / 0)
        do._opener = lambda *_, **__: [][0]
        do.connect("one")
        do.find_cameras()
        reach(do, Phase.IDLE)
        within(20, lambda: (do.tick(), len(texts(do)) == 2)[1], "both are told")
        assert "IndexError: list index out of range" in texts(do)[0]
        assert texts(do)[1] == "cameras not listed: ZeroDivisionError: division by zero"

    def test_another_resolution_is_told_with_what_lies_outside(self, make):
        do = make(Stepped(shape=(40, 60)), Stepped(shape=(20, 30)))
        do.connect("one")
        reach(do, Phase.RUNNING)
        do.editor.add(Circle(5, 5, 2), Circle(50, 30, 2))
        assert do.editor.picture == (60, 40)
        do.connect("two")
        reach(do, Phase.RUNNING)
        assert texts(do)[-1].startswith("the picture was 60 x 40 and is 30 x 20")
        assert "1 of 2 lie outside" in texts(do)[-1]
        assert do.editor.picture == (30, 20)

    def test_cameras_are_looked_for_in_the_background(self, make):
        do = make(lister=lambda: [Device("2", "scope", "V4L2")])
        do.find_cameras()
        within(20, lambda: (do.tick(), ("2: scope", "2") in do.view().choices)[1], "the camera is a choice")

    def test_closing_while_a_slow_camera_opens_leaves_nothing_running(self, make):
        opened, go = Stepped(count=5), threading.Event()

        def opener(_text, _settings, *, realtime):
            assert not realtime, "a file waits for its analysis; its transport paces it"
            go.wait(10)
            return opened

        do = Controller(opener=opener)
        do.connect("slow")
        closer = threading.Thread(target=do.close)
        closer.start()
        go.set()
        closer.join(20)
        assert not closer.is_alive()
        assert opened.closed.is_set() or do.session is None


class TestRecording:
    def test_every_row_is_in_the_file(self, make, tmp_path):
        source = Stepped(count=100)
        do = make(source)
        do.editor.add(Circle(5, 5, 2, name="soma"))
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        source.step(5)
        within(20, lambda: do.view().snapshot.frames_seen == 5, "five frames")
        do.record()
        assert do.recording()
        path = do.view().snapshot.recording.path
        assert path.parent == tmp_path
        do.taking.note("drug on")
        source.step(10)
        within(20, lambda: do.view().snapshot.frames_seen == 15, "ten more")
        do.stop_recording()
        assert not do.recording()
        within(20, lambda: not do.view().snapshot.recording.closing, "the file is finished")
        with Recording(path) as recording:
            assert recording.complete
            assert len(recording.time) == 10
        do.tick()
        assert texts(do)[-1].startswith("recorded 10 rows")

    @pytest.mark.parametrize("verb", [lambda do: do.connect("two"), Controller.disconnect])
    def test_a_recording_is_not_ended_by_the_way(self, make, verb):
        do = make(Stepped(count=100), Stepped(count=100))
        do.connect("one")
        reach(do, Phase.RUNNING)
        do.record()
        verb(do)
        assert texts(do)[-1] == "stop the recording first (hold Stop)"
        assert do.recording()
        assert do.source == "one"
        do.stop_recording()
        verb(do)
        assert not do.view().running

    def test_the_clock_runs_while_no_frame_comes_and_stands_after_the_end(self, make, monkeypatch):
        do = make(Stepped(count=100))
        do.connect("one")
        reach(do, Phase.RUNNING)
        now = [100.0]
        monkeypatch.setattr("roi_stream_gui.taking.time.monotonic", lambda: now[0])
        do.record()
        now[0] = 107.0
        assert do.view().recorded == 7.0
        do.stop_recording()
        now[0] = 120.0
        assert do.view().recorded == 7.0

    def test_without_a_source_nothing_is_recorded(self, make):
        do = make()
        do.record()
        assert texts(do) == ["connect a camera or open a file first, then record"]

    def test_a_folder_that_cannot_be_written_is_a_sentence_and_costs_nothing(self, make, tmp_path):
        source = Stepped(count=100)
        do = make(source)
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        (tmp_path / "file").write_text("in the way")
        do.edit("recorder.folder", str(tmp_path / "file" / "below"))
        do.record()
        within(20, lambda: (do.tick(), "file" in texts(do)[-1])[1], "it is refused")
        assert texts(do)[-1].startswith("not recording: cannot write ")
        assert not do.recording()
        source.step(3)
        within(20, lambda: do.view().snapshot.frames_seen == 3, "frames still flow")

    def test_a_second_start_is_refused_and_the_first_goes_on(self, make):
        source = Stepped(count=100)
        do = make(source)
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        do.record()
        path = do.view().snapshot.recording.path
        do.record()
        assert do.recording()
        assert do.view().snapshot.recording.path == path
        assert "already recording" in texts(do)[-1]

    def test_a_note_without_a_recording_is_told(self, make):
        do = make()
        do.taking.note("lost?")
        assert "not kept" in texts(do)[-1]

    def test_closing_finalises(self, make):
        source = Stepped(count=100)
        do = make(source)
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        do.record()
        source.step(4)
        within(20, lambda: do.view().snapshot.recording.rows == 4, "four rows")
        path = do.view().snapshot.recording.path
        do.close()
        with Recording(path) as recording:
            assert recording.complete
            assert len(recording.time) == 4

    def test_regions_drawn_while_recording_reach_the_file(self, make):
        source = Stepped(count=100)
        do = make(source)
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        do.record()
        source.step(2)
        within(20, lambda: do.view().snapshot.recording.rows == 2, "two rows")
        do.editor.add(Circle(5, 5, 2))
        do.tick()
        source.step(2)
        within(20, lambda: do.view().snapshot.recording.rows == 4, "four rows")
        path = do.view().snapshot.recording.path
        do.close()
        with Recording(path) as recording:
            means = recording.means[:, 0]
        assert [value != value for value in means] == [True, True, False, False]


class TestSettings:
    def test_a_refused_edit_is_told_with_path_value_and_rule(self, make):
        do = make()
        assert not do.edit("roi.dff_percentile", 80)
        assert texts(do) == ["roi.dff_percentile = 80: input should be less than or equal to 50"]
        assert do.settings.current.roi.dff_percentile == 8.0

    def test_dff_is_switched_on_when_it_is_to_be_seen(self, make):
        do = make()
        do.show_traces("dff")
        assert do.settings.current.roi.dff
        assert do.settings.current.display.trace_kind == "dff"

    def test_settings_are_saved_as_yaml(self, make, tmp_path):
        do = make()
        do.save_settings(tmp_path / "s.yaml")
        assert type(do.settings.current).load(tmp_path / "s.yaml") == do.settings.current
        do.save_settings(tmp_path / "new" / "s.yaml")
        assert (tmp_path / "new" / "s.yaml").exists()
        do.save_settings(tmp_path / "s.yaml" / "s.yaml")
        assert texts(do)[-1].startswith("settings not saved: ")

    def test_a_proposed_name_is_never_that_of_a_file(self, make, tmp_path):
        do = make()
        for name in ("regions.json", "regions_2.json", "regions_3.json"):
            assert do.taking.proposal("regions.json") == tmp_path / name
            (tmp_path / name).touch()


class TestRegionFiles:
    def test_saved_and_loaded_are_the_same(self, make, tmp_path, caplog):
        caplog.set_level("INFO")
        do = make(Stepped(count=5))
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        do.editor.add(Circle(5, 5, 2, name="soma"))
        do.save_rois(tmp_path / "r.json")
        before = do.editor.rois
        do.editor.delete()
        do.load_rois(tmp_path / "r.json")
        assert [roi.geometry() for roi in do.editor.rois] == [roi.geometry() for roi in before]
        assert [roi.name for roi in do.editor.rois] == ["soma"]
        assert [message.partition(" to ")[0].partition(" from ")[0] for message in caplog.messages[-2:]] == [
            "1 region saved", "1 region loaded",
        ]  # fmt: skip

    def test_a_file_that_cannot_be_used_changes_nothing(self, make, tmp_path):
        (tmp_path / "bad.csv").write_text("1,2,-4\n")
        do = make()
        do.editor.add(Circle(5, 5, 2))
        do.load_rois(tmp_path / "bad.csv")
        do.load_rois(tmp_path / "none.csv")
        assert len(do.editor.rois) == 1
        assert all(text.startswith("regions not loaded: ") for text in texts(do))

    def test_what_another_program_found_is_read_on_the_helper(self, make, shared):
        do = make()
        do.load_rois(shared / "data" / "results-import" / "suite2p" / "plane0" / "stat.npy")

        def there():
            do.tick()
            return len(do.editor.rois)

        within(20, there, "regions")
        assert [roi.name for roi in do.editor.rois][:2] == ["suite2p0", "suite2p1"]
        do.journal.undo()
        assert not len(do.editor.rois)

    def test_saving_needs_the_size_of_the_frames(self, make, tmp_path):
        do = make()
        do.save_rois(tmp_path / "r.json")
        assert not (tmp_path / "r.json").exists()


class TestKeys:
    def test_no_chord_means_two_things(self):
        chords = [chord for action in ACTIONS for chord in action.chords]
        assert len(chords) == len(set(chords))

    def test_every_action_runs_on_an_empty_window(self, make):
        do = make()
        for action in ACTIONS:
            action.run(do)

    @pytest.mark.parametrize(("key", "tool"), list(zip("VCEQPFW", Tool, strict=True)))
    def test_tools_have_letters(self, make, key, tool):
        do = make()
        find(Chord(key)).run(do)
        assert do.hand.tool is tool

    def test_window_length_steps_and_stops_at_the_ends(self, make):
        do = make()
        for _ in range(20):
            find(Chord(".")).run(do)
        assert do.settings.current.display.trace_window == 14_400
        find(Chord(",")).run(do)
        assert do.settings.current.display.trace_window == 7200


class TestMessages:
    def test_a_traceback_goes_to_stderr_and_a_sentence_to_the_list(self, capsys):
        heard = MessageLog()
        heard.install()
        try:
            raise ZeroDivisionError("a bug")
        except ZeroDivisionError as error:
            logging.getLogger("roi_stream_gui").exception("that did not work: %s", error)
        logging.getLogger("roi_stream_gui").error("only a sentence")
        heard.remove()
        told = capsys.readouterr().err
        assert [m.text for m in heard.messages()] == ["that did not work: a bug", "only a sentence"]
        assert "Traceback" in told
        assert "only a sentence" not in told

    def test_the_same_sentence_counts_up(self, make):
        do = make()
        for _ in range(3):
            do.tell("again")
        do.tell("else")
        assert [(m.text, m.count) for m in do.log.messages()] == [("again", 3), ("else", 1)]

    def test_of_a_topic_only_the_last_word_is_kept(self, make):
        do, speak = make(), logging.getLogger("roi_stream_gui").info
        for text, topic in (("a: 0 %", "a"), ("b: 0 %", "b"), ("else", ""), ("a: 9 %", "a"), ("b: 0 %", "b")):
            speak(text, extra={"topic": topic})
        assert texts(do) == ["else", "a: 9 %", "b: 0 %"]
        assert do.log.counts() == {logging.INFO: 3}

    def test_the_core_is_heard_from_any_thread(self, make):
        do = make()
        threads = [
            threading.Thread(target=logging.getLogger("roi_core.sources").warning, args=("lost %d", k))
            for k in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(texts(do)) == [f"lost {k}" for k in range(8)]


def test_a_drawn_frame_looks_at_the_session_twice_only(make, monkeypatch):
    controller = make(Stepped(count=100))
    controller.connect("ramp")
    reach(controller, Phase.RUNNING)
    looks, look = [], Session.snapshot
    monkeypatch.setattr(Session, "snapshot", lambda self: looks.append(self) or look(self))
    controller.tick()
    assert controller.view().snapshot is controller.now
    assert len(looks) == 2


def test_a_folder_of_somebody_without_a_home_ends_nothing(do):
    controller, _ = do
    controller.edit("recorder.folder", "~nobody-is-here/x")
    assert controller.view().folder is not None
    controller.connect("~nobody-is-here/x.avi")


def test_a_folder_that_is_no_whole_path_is_in_the_users_home(do, tmp_path, monkeypatch):
    controller, _ = do
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder, place in (
        ("data/rig 2", "home/data/rig 2"), ("~/data", "home/data"), ("", "home/roi_stream"),
        (str(tmp_path / "out"), "out"),
    ):  # fmt: skip
        controller.edit("recorder.folder", folder)
        for cwd in ("/", tmp_path):
            monkeypatch.chdir(cwd)
            assert controller.taking.folder == tmp_path / place, folder
            assert controller.taking.target().parent == tmp_path / place, "which the tip tells in full"


class Deaf(Stepped):
    """A camera whose driver hangs: it does not hear that it is to close."""

    def close(self):
        pass


class TestClosing:
    def recorded(self, make, source):
        do = make(source)
        do.connect("ramp")
        reach(do, Phase.RUNNING)
        do.record()
        source.step(20)
        within(20, lambda: do.session.snapshot().frames_seen == 20, "20 frames")
        return do, do.session.snapshot().recording.path

    def test_it_waits_for_a_slow_disk_as_long_as_it_takes(self, make, monkeypatch):
        monkeypatch.setattr(module, "PATIENCE", 0.01)
        disk, write, waits, wait = threading.Event(), Recorder.write, [], Session.wait
        monkeypatch.setattr(Recorder, "write", lambda self, row: (disk.wait(), write(self, row)))
        monkeypatch.setattr(Session, "wait", lambda self, s=None: (waits.append(s), wait(self, s))[1])
        do, path = self.recorded(make, Stepped(count=100))
        closing = threading.Thread(target=do.close, daemon=True)
        closing.start()
        try:
            within(20, lambda: len(waits) > 3, "it has waited beyond its patience")
        finally:
            disk.set()
        closing.join(20)
        with Recording(path) as recording:
            assert (recording.complete, recording.rows) == (True, 20)

    def test_a_camera_that_does_not_answer_is_given_up_with_the_file_finished(self, make, monkeypatch):
        monkeypatch.setattr(module, "PATIENCE", 0.01)
        source = Deaf(count=100)
        do, path = self.recorded(make, source)
        do.close()
        with Recording(path) as recording:
            assert (recording.complete, recording.rows) == (True, 20)
        source.step(80)
        assert do.session.wait(20)

    def test_the_recording_is_finished_whatever_else_fails(self, make, monkeypatch):
        do, path = self.recorded(make, Stepped(count=100))
        close = do.ground.close
        monkeypatch.setattr(do.ground, "close", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            do.close()
        monkeypatch.setattr(do.ground, "close", close)
        with Recording(path) as recording:
            assert (recording.complete, recording.rows) == (True, 20)
