"""Files as the window plays them, without it: held, looked at, replayed; recordings and their results."""

import json
import logging
import math
import shutil

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.frame import FinishReason, Summary
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session, State
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import Played, Transport, open_source
from roi_stream_gui import health
from roi_stream_gui.controller import Controller
from roi_stream_gui.view import Phase
from tests.core.test_recorder_cells import record, samples
from tests.fakes import Ramp
from tests.gui.driver import within
from tests.gui.test_review import named

COUNT = 40


@pytest.fixture
def do(tmp_path, monkeypatch):
    start = Session.start

    def noted(session):
        session.begun = session.rois
        start(session)

    monkeypatch.setattr(Session, "start", noted)
    controller = Controller(Settings().with_value("recorder.folder", str(tmp_path / "out")))
    controller.log.install()
    yield controller
    controller.close()
    controller.log.remove()


def until(do, true, what):
    within(20, lambda: (do.tick(), true())[1], what, lambda: [m.text for m in do.log.messages()])


def connect(do, path):
    before = do.session
    do.connect(str(path))
    until(do, lambda: do.session is not before and do.view().phase is not Phase.CONNECTING, "connected")


def replay(do, path):
    """Open a recording and have it replayed."""
    connect(do, path)
    assert do.replay.side == "results"
    turn(do)


def turn(do):
    """Go to the replay of a recording, or back to its results."""
    before, side = do.session, do.replay.side
    do.replay.turn()
    until(do, lambda: do.session is not before, "the other side")
    assert {side, do.replay.side} == {"results", "replay"}


def said(do, text):
    return any(text in message.text for message in do.log.messages())


@pytest.fixture
def film(tmp_path):
    """A file whose frame k is k everywhere."""
    path = tmp_path / "film.npy"
    np.save(path, np.arange(COUNT, dtype=np.uint16)[:, None, None] * np.ones((16, 20), np.uint16))
    return path


def recording(path, movie, rois=None, source=None, note=""):
    settings = Settings().with_value("recorder.movie", movie)
    session = Session(source or Ramp(count=COUNT), LiveSettings(settings), rois)
    path = session.record(path)
    if note:
        session.note(note)
    session.start()
    session.wait()
    return path


def shown(do):
    """The value of the frame that is on screen."""
    shot = do.view().frames.latest()
    return shot and int(shot.image[0, 0])


def writable(path):
    """Tell whether nobody has a file open."""
    try:
        h5py.File(path, "r+").close()
    except OSError:
        return False
    return True


def marks(do):
    return [mark for cluster in do.timeline.marks.between(-1, 100, 1) for mark in cluster.marks]


def drawn(do):
    return [roi.name for roi in do.editor.rois]


def measured(do):
    """The regions that the session began with, if it has not got others since."""
    begun, now = ([roi.name for roi in rois] for rois in (do.session.begun, do.session.rois))
    return now if begun == now else (begun, now)


def seen(do):
    return do.session.snapshot().frames_seen


class TestPlaying:
    def test_every_frame_of_a_file_is_analysed_at_any_speed(self, do, film):
        connect(do, film)
        do.replay.set_speed(math.inf)
        until(do, lambda: do.session.state is State.FINISHED, "the end")
        assert (seen(do), do.session.snapshot().frames_dropped) == (COUNT, 0)
        assert do.replay.row == do.replay.last == COUNT - 1

    def test_it_is_held_and_goes_on_where_it_was(self, do, film):
        connect(do, film)
        do.replay.toggle()
        do.replay.step(1)
        count = seen(do)
        do.replay.step(1)
        until(do, lambda: seen(do) > count, "a step")
        assert do.session.state is State.RUNNING
        assert health.camera(do.view()).text == "held"
        assert do.session.snapshot().silence == 0.0, "a file that is held has not stalled"
        do.replay.set_speed(math.inf)
        do.replay.toggle()
        until(do, lambda: seen(do) == COUNT, "the rest")

    def test_a_frame_is_looked_at_without_analysis(self, do, film):
        connect(do, film)
        do.replay.step(1)
        until(do, lambda: do.replay.transport.row >= 0, "a first frame")
        do.replay.look(30)
        until(do, lambda: shown(do) == 30, "frame 30")
        analysed = do.replay.transport.row
        assert analysed < 30
        do.replay.step(-1)
        until(do, lambda: shown(do) == 29, "the frame before")
        do.replay.look(1000)
        until(do, lambda: shown(do) == COUNT - 1, "the last frame")
        assert do.replay.peek.time == pytest.approx((COUNT - 1) / 30)
        until(do, lambda: seen(do) == do.replay.transport.row + 1, "the worker is at rest")
        do.replay.leave()
        assert shown(do) == do.replay.transport.row, "the analysis did not move"
        do.replay.set_speed(math.inf)
        do.replay.toggle()
        until(do, lambda: seen(do) == COUNT, "all frames in their order")
        rows = do.session.snapshot().traces.since(0)
        np.testing.assert_array_equal(rows.index, np.arange(COUNT))

    def test_of_many_wishes_the_last_is_shown(self, do, film):
        connect(do, film)
        for row in range(COUNT):
            do.replay.look(row)
        do.replay.look(7)
        until(do, lambda: do.replay.frames is not None and shown(do) == 7, "the last wish")

    def test_again_and_from_here_are_new_analyses_that_keep_the_numbers_of_the_file(self, do, film):
        connect(do, film)
        do.replay.set_speed(math.inf)
        until(do, lambda: do.session.state is State.FINISHED, "the end")
        first = do.session
        do.replay.toggle()
        until(do, lambda: do.session is not first and do.session.state is State.FINISHED, "again")
        assert seen(do) == COUNT
        assert do.replay.speed == math.inf, "the speed stays"
        do.replay.look(25)
        second = do.session
        do.replay.from_here()
        until(do, lambda: do.session is not second and do.session.state is State.FINISHED, "from there")
        rows = do.session.snapshot().traces.since(0)
        np.testing.assert_array_equal(rows.index, np.arange(25, COUNT))
        assert rows.times[0] == 0.0
        assert not do.replay.looking

    def test_what_is_recorded_of_a_replay_tells_where_it_began(self, do, film):
        connect(do, film)
        do.replay.look(25)
        do.settings.edit("recorder.movie", True)
        before = do.session
        do.replay.from_here()
        until(do, lambda: do.session is not before, "from there")
        do.replay.transport.pause()
        do.record()
        do.tick()
        do.replay.set_speed(math.inf)
        do.replay.toggle()
        until(do, lambda: do.session.state is State.FINISHED, "the end")
        with Recording(do.session.snapshot().recording.path) as found:
            index = found.frame_index
            np.testing.assert_array_equal(index, np.arange(index[0], COUNT))
            assert index[0] >= 25
            np.testing.assert_array_equal(found.movie[:, 0, 0], index)
            assert any("analysed from its frame 25 on" in str(event.data) for event in found.events)
            do.tick()
            seconds = found.time[-1] - found.time[0]
            assert do.taking.seconds == pytest.approx(seconds), "the clock is that of the file at any speed"

    def test_nothing_is_begun_anew_under_a_recording(self, do, film):
        connect(do, film)
        do.record()
        session = do.session
        do.replay.again()
        do.tick()
        assert said(do, "stop the recording first")
        assert do.session is session

    def test_a_camera_has_no_transport(self, do):
        connect(do, "simulated:tiny")
        assert do.replay.transport is None
        for verb in (do.replay.toggle, do.replay.again, do.replay.leave, lambda: do.replay.look(3)):
            verb()
        assert do.replay.frames is None
        assert do.view().running


class TestRecordings:
    @pytest.fixture
    def soma(self, tmp_path):
        """A recording with a movie and one region."""
        return recording(tmp_path / "soma.h5", True, RoiSet().add(Circle(5, 5, 2, name="soma")))

    def test_one_with_a_movie_is_replayed_with_its_regions(self, do, tmp_path):
        path = recording(tmp_path / "a.h5", True, RoiSet().add(Circle(5, 5, 2, name="soma")))
        replay(do, path)
        assert [roi.name for roi in do.editor.rois] == ["soma"]
        do.replay.set_speed(math.inf)
        until(do, lambda: seen(do) == COUNT, "all frames")
        with Recording(path) as found:
            rows = do.session.snapshot().traces.since(0)
            np.testing.assert_array_equal(rows.raw, found.means)

    def test_what_is_on_screen_is_measured_in_the_replay_and_own_regions_come_back_after_it(
        self, do, tmp_path, soma, film
    ):
        do.editor.add(Circle(8, 8, 3, name="mine"))
        connect(do, soma)
        assert said(do, "1 region of yours put aside while a recording is shown; back with the next source")
        do.editor.add(Circle(12, 8, 2, name="late"))
        turn(do)
        assert drawn(do) == measured(do) == ["soma", "late"]
        do.journal.undo()
        assert drawn(do) == ["soma"], "the step can still be taken back"
        do.journal.redo()
        connect(do, film)
        assert drawn(do) == measured(do) == ["mine"]
        assert said(do, "2 regions as you left them on the recording gave way to other ones; Ctrl+Z brings")
        do.journal.undo()
        assert drawn(do) == ["soma", "late"]
        assert not do.journal.undo_name

    def test_what_was_drawn_in_the_replay_comes_back_with_it(self, do, soma):
        do.editor.add(Circle(8, 8, 3, name="mine"))
        replay(do, soma)
        do.editor.add(Circle(12, 8, 2, name="late"))
        for _ in range(2):
            turn(do)
            assert drawn(do) == ["soma"], "traces belong to the regions of the recording"
            turn(do)
            assert drawn(do) == measured(do) == ["soma", "late"]
        turn(do)
        connect(do, soma)
        turn(do)
        assert drawn(do) == ["soma", "late"], "also when the results were opened anew"
        turn(do)
        connect(do, "simulated:tiny")
        assert drawn(do) == measured(do) == ["mine"]

    def test_what_is_drawn_over_results_after_a_replay_is_measured_and_the_rest_is_not_lost(self, do, soma):
        replay(do, soma)
        do.editor.add(Circle(12, 8, 2, name="late"))
        turn(do)
        do.editor.add(Circle(8, 8, 3, name="later"))
        turn(do)
        assert drawn(do) == measured(do) == ["soma", "later"]
        do.journal.undo()
        do.journal.undo()
        assert drawn(do) == ["soma", "late"]

    def test_regions_of_a_replay_are_those_of_the_next_source_where_there_were_none(
        self, do, tmp_path, soma, film
    ):
        replay(do, soma)
        do.editor.add(Circle(12, 8, 2, name="late"))
        connect(do, recording(tmp_path / "b.h5", True, RoiSet().add(Circle(8, 8, 3, name="its own"))))
        assert drawn(do) == ["its own"]
        assert said(do, "2 regions of yours put aside")
        connect(do, film)
        assert drawn(do) == measured(do) == ["soma", "late"]

    def test_all_regions_deleted_over_results_stay_so_in_the_replay(self, do, soma):
        connect(do, soma)
        do.editor.select_all()
        do.editor.delete()
        turn(do)
        assert drawn(do) == measured(do) == []

    def test_a_replay_that_is_not_begun_changes_no_regions(self, do, soma, film):
        connect(do, soma)
        do.editor.add(Circle(12, 8, 2, name="late"))
        before = do.session
        do.connect(str(film))
        do.replay.again()  # while another one opens
        until(do, lambda: do.session is not before, "the other one")
        assert drawn(do) == measured(do) == []
        do.journal.undo()
        assert drawn(do) == ["soma", "late"]

    def test_its_results_are_opened_first_and_come_back(self, do, tmp_path):
        path = recording(tmp_path / "a.h5", True, RoiSet().add(Circle(5, 5, 2, name="soma")), note="woke up")
        for _ in range(2):
            connect(do, path)
            view = do.view()
            assert (view.phase, view.side, view.playable) == (Phase.FINISHED, "results", True)
            with Recording(path) as found:
                np.testing.assert_array_equal(view.snapshot.traces.since(0).raw, found.means)
            until(do, lambda: any("woke up" in mark.text for mark in marks(do)), "the note is marked")
            assert health.camera(view).text == "results"
            turn(do)
            assert do.replay.transport is not None
            assert not any("woke up" in mark.text for mark in marks(do))
            turn(do)
            assert do.replay.transport is None
        assert not said(do, "put aside"), "they are those of the recording"

    def test_a_frame_is_looked_at_beside_the_results(self, do, tmp_path):
        source = Ramp(count=300)
        path = recording(tmp_path / "a.h5", True, RoiSet().add(Circle(5, 5, 2)), source)
        connect(do, path)
        before = do.session
        assert do.replay.cursor is None
        do.edit("display.trace_window", 1.0)
        until(do, lambda: do.timeline.newest > 2.9, "the traces are there")
        do.replay.look(120)
        until(do, lambda: shown(do) == 120, "frame 120")
        with Recording(path) as found:
            time = found.time
        assert do.replay.cursor == time[120]
        assert do.timeline.stretch(1.0) == pytest.approx((time[120] - 0.5, time[120] + 0.5))
        do.replay.step(1)
        until(do, lambda: shown(do) == 121, "the next")
        until(do, lambda: writable(path), "verdicts on cells can be written into it")
        do.replay.leave()
        assert do.replay.cursor is None
        assert do.session is before
        assert not do.view().looked
        do.replay.look(30)
        do.replay.from_here()
        until(do, lambda: do.session is not before, "from there")
        assert do.replay.film.first == 30

    def test_a_frame_of_the_file_beside_is_that_of_the_row(self, do, tmp_path, film):
        settings = Settings().with_value("camera.rate", 100.0)
        source = Played(open_source(str(film), LiveSettings(settings)), Transport(speed=math.inf), 10)
        path = recording(tmp_path / "a.h5", False, source=source)
        connect(do, path)
        do.replay.look(5)
        until(do, lambda: shown(do) == 15, "row 5 is frame 15 of the file")
        assert do.replay.last == COUNT - 11
        before = do.session
        do.replay.from_here()
        until(do, lambda: do.session is not before, "from there")
        assert do.replay.film.first == 15

    def test_results_that_are_damaged_do_not_hide_the_movie(self, do, tmp_path):
        path = recording(tmp_path / "a.h5", True, RoiSet().add(Circle(5, 5, 2)))
        with h5py.File(path, "r+") as file:
            file[layout.EVENTS].resize(1, axis=0)
            file[layout.EVENTS][0] = (0.1, 1, b"note", "{no JSON")
        connect(do, path)
        assert said(do, "of a.h5 only the movie can be shown")
        assert do.replay.side == "replay"

    @pytest.mark.parametrize("times", [0.0, math.nan, 1e200, -1e200])
    def test_times_that_are_damaged_do_not_hide_the_movie(self, do, tmp_path, times):
        path = recording(tmp_path / "a.h5", True, RoiSet().add(Circle(5, 5, 2)))
        with h5py.File(path, "r+") as file:
            file[layout.TIME][10:] = times
        connect(do, path)
        assert said(do, "of a.h5 only the movie can be shown")
        assert do.replay.side == "replay"
        do.replay.set_speed(math.inf)
        until(do, lambda: seen(do) == COUNT, "all frames")

    def test_times_that_are_damaged_are_told_where_there_is_no_movie(self, do, tmp_path):
        path = recording(tmp_path / "a.h5", False)
        with h5py.File(path, "r+") as file:
            file[layout.TIME][:] = 0.0
        do.connect(str(path))
        until(do, lambda: said(do, "more than 8 rows from row 0 on have one time"), "a refusal")
        assert do.session is None

    def test_one_without_any_rows_has_nothing_to_look_at(self, do, tmp_path, film):
        source = open_source(str(film), LiveSettings(Settings()))
        source.seek(COUNT)
        path = recording(tmp_path / "a.h5", False, RoiSet().add(Circle(5, 5, 2, name="soma")), source)
        connect(do, path)
        assert said(do, "a.h5 ended before its first frame")
        assert not said(do, "its frames are those of the file it was made from")
        assert (do.replay.side, do.replay.playable) == ("results", False)
        assert [roi.name for roi in do.editor.rois] == ["soma"]
        do.replay.look(0)
        do.replay.turn()
        do.tick()
        assert (do.replay.looking, do.replay.cursor) == (False, None)

    def test_what_is_to_be_recorded_or_measured_at_once_is_played(self, do, tmp_path):
        path = recording(tmp_path / "a.h5", True)
        do.record_wanted = tmp_path / "b.h5"
        connect(do, path)
        assert do.replay.side == "replay"
        until(do, lambda: do.record_wanted is None, "it is recorded")
        do.stop_recording()
        until(do, lambda: not do.recording(), "stopped")
        connect(do, path)
        assert do.replay.side == "results"
        do.rois_wanted = tmp_path / "rois.json"
        do.rois_wanted.write_text("[]")
        connect(do, path)
        assert do.replay.side == "replay"

    def test_an_alert_of_then_is_a_mark_and_no_news(self, do, tmp_path):
        path = recording(tmp_path / "a.h5", True)
        with h5py.File(path, "r+") as file:
            events = file[layout.EVENTS]
            events.resize(len(events) + 1, axis=0)
            data = {"metric": "lost", "text": "lost 15 /min. Close other programs.", "state": "begin"}
            events[-1] = (0.2, 20, b"alert", json.dumps(data))
        connect(do, path)
        until(do, lambda: any(mark.short == "lost 15 /min" for mark in marks(do)), "it is marked")
        assert not said(do, "Close other programs")
        assert do.log.counts().get(logging.WARNING, 0) == 0
        assert not do.view().snapshot.alarms.active

    def test_one_without_a_movie_replays_the_file_it_was_made_from(self, do, tmp_path, film):
        settings = LiveSettings(Settings())
        path = recording(tmp_path / "a.h5", False, source=open_source(str(film), settings))
        replay(do, path)
        assert said(do, f"its frames are those of the file it was made from: {film}")
        do.replay.set_speed(math.inf)
        until(do, lambda: seen(do) == COUNT, "all frames")
        assert do.replay.film.recording == path

    def test_one_without_any_frames_is_looked_at(self, do, tmp_path):
        maps = {"mean": np.arange(48, dtype=np.float32).reshape(6, 8) * 3}
        path = record(
            tmp_path / "a.h5", samples(range(70)), summary=Summary(FinishReason.COMPLETED, maps=maps)
        )
        named(path, [(2, "axon"), (5, "x"), (2, "soma"), (5, "")])
        do.editor.add(Circle(3, 3, 1, name="mine"))
        connect(do, path)
        assert said(do, "holds no movie and the file it was made from is not beside it")
        view = do.view()
        assert view.phase is Phase.FINISHED
        np.testing.assert_array_equal(view.frames.latest().image, maps["mean"])
        assert len(view.snapshot.activity.ids) == 4
        assert not view.settings.cnmf.enabled
        assert health.cells(view).text == "3 cells", "they were found then"
        do.tick()
        assert do.keeper.names == {2: "soma"}
        assert do.replay.transport is None
        assert not view.playable
        do.replay.turn()
        do.replay.look(3)
        assert not do.replay.looking, "there are no frames"
        assert len(do.editor.rois) == 0, "traces belong to the regions of the recording"
        assert said(do, "1 region of yours put aside")
        do.record()
        assert said(do, "connect a camera or open a file first")
        connect(do, "simulated:tiny")
        assert [roi.name for roi in do.editor.rois] == ["mine"]

    def test_regions_that_were_only_looked_at_are_measured_on_no_camera(self, do, tmp_path, film):
        looked = recording(tmp_path / "a.h5", False, RoiSet().add(Circle(5, 5, 2, name="theirs")))
        connect(do, looked)
        assert do.replay.reviewing
        assert [roi.name for roi in do.editor.rois] == ["theirs"]
        assert not said(do, "put aside"), "there were none"
        connect(do, film)
        assert drawn(do) == measured(do) == []
        connect(do, looked)
        replay(do, recording(tmp_path / "b.h5", True, RoiSet().add(Circle(8, 8, 3, name="its own"))))
        assert [roi.name for roi in do.editor.rois] == ["its own"], "as with no regions drawn"

    def test_another_file_is_opened_as_before(self, do, tmp_path):
        do.connect(str(tmp_path / "none.h5"))
        until(do, lambda: said(do, "there is no file"), "a refusal")
        (tmp_path / "bad.h5").write_bytes(b"nothing")
        do.connect(str(tmp_path / "bad.h5"))
        until(do, lambda: said(do, "bad.h5 cannot be read"), "a refusal")

    def test_a_frame_that_cannot_be_read_is_told(self, do, film, tmp_path):
        connect(do, film)
        shutil.move(film, tmp_path / "gone.npy")
        do.replay.look(3)
        until(do, lambda: said(do, "frame 3 cannot be shown"), "a sentence")

    def test_of_two_that_cannot_be_read_each_is_told_by_its_number(self, do, film, tmp_path):
        connect(do, film)
        shutil.move(film, tmp_path / "gone.npy")
        peek = do.replay.peek
        peek.look(3)
        peek.wanted = 5  # wished while the first is being read
        until(do, lambda: said(do, "frame 5 cannot be shown"), "the second")
        assert said(do, "frame 3 cannot be shown")
        shutil.move(tmp_path / "gone.npy", film)
        peek.look(7)
        until(do, lambda: peek.ring.head == 1, "the file is back")
