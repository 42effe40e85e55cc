"""The session: states, reasons, counts, live edits, and a file that is finished however it ends."""

import logging
import threading

import numpy as np
import pytest

from roi_core.errors import RecorderError, SettingsError, SourceLost
from roi_core.frame import FinishReason
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session, State
from roi_core.settings import LiveSettings, Settings
from tests.fakes import Broken, Failing, Listing, Ramp, Slow, Stepped, Uncounted, Unplugged

ROIS = RoiSet().add(Circle(5, 5, 2, name="a"))


def live(*texts):
    return LiveSettings(Settings().with_texts("recorder.disk_reserve=1", *texts))


def run(source, path=None, rois=ROIS, *texts):
    session = Session(source, live(*texts), rois)
    if path:
        session.record(path, essential=True)
    session.start()
    session.wait()
    return session


def wait_for(condition, seconds=20):
    """Wait until `condition` holds; a deadline, not a pace."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.002)):
        if condition():
            return
        pause.wait(0.002)
    raise AssertionError(f"never became true: {condition}")


def test_a_file_runs_to_its_end(tmp_path):
    session = run(Ramp(50), tmp_path / "a.h5")
    snapshot = session.snapshot()
    assert (snapshot.state, snapshot.reason) == (State.FINISHED, FinishReason.COMPLETED)
    assert (snapshot.frames_seen, snapshot.frames_dropped) == (50, 0)
    assert snapshot.frames.latest().image[0, 0] == 49
    np.testing.assert_array_equal(snapshot.traces.since(0).raw[:, 0], np.arange(50))
    with Recording(tmp_path / "a.h5") as recording:
        np.testing.assert_array_equal(recording.means[:, 0], np.arange(50))
        np.testing.assert_allclose(recording.time, np.arange(50) / 100)
        assert recording.attributes["finish_reason"] == "completed"


def test_gaps_in_the_cameras_index_are_losses(tmp_path):
    session = run(Ramp(indices=[5, 6, 9, 10, 20]), tmp_path / "a.h5")
    assert session.snapshot().frames_dropped == 11
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.frame_index.tolist() == [5, 6, 9, 10, 20]
        assert recording.attributes["frames_dropped"] == 11
        gaps = [event.data for event in recording.events if event.kind == "gap"]
        assert [(gap["lost"], gap["first"], gap["last"]) for gap in gaps] == [(2, 7, 8), (9, 11, 19)]


def test_losses_that_cannot_be_known_are_unknown(tmp_path):
    assert run(Uncounted(9), tmp_path / "a.h5").snapshot().frames_dropped is None
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.attributes["frames_dropped"] is None


def test_a_lost_source_finishes_the_file_and_is_raised(tmp_path):
    with pytest.raises(SourceLost, match="gave no frame for 5 s"):
        run(Unplugged(50), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 50)
        assert recording.attributes["finish_reason"].startswith("failed: camera 0 gave no frame")


def test_a_bug_finishes_the_file_and_keeps_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError, match="a bug in a stage") as caught:
        run(Broken(50), tmp_path / "a.h5")
    assert any(entry.name == "frames" for entry in caught.traceback)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 50)
        assert recording.attributes["finish_reason"] == "failed: ZeroDivisionError: a bug in a stage"


def test_an_essential_recorder_that_fails_ends_the_session(tmp_path, monkeypatch):
    from roi_core.sinks.hdf5 import Recorder

    write = Recorder.write

    def full(self, sample):
        if sample.row == 20:
            raise RecorderError("disk full after row 20")
        write(self, sample)

    monkeypatch.setattr(Recorder, "write", full)
    with pytest.raises(RecorderError, match="disk full after row 20"):
        run(Ramp(5000), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.rows == 20
        assert recording.attributes["finish_reason"] == "failed: disk full after row 20"


def test_another_recorder_that_fails_ends_itself_only(tmp_path, monkeypatch, caplog):
    from roi_core.sinks.hdf5 import Recorder

    def full(self, sample):
        raise RecorderError("disk full after row 0")

    monkeypatch.setattr(Recorder, "write", full)
    source = Stepped(count=200)
    session = Session(source, live(), ROIS)
    session.start()
    session.record(tmp_path / "a.h5")
    source.step(1)
    wait_for(lambda: session.snapshot().recording.failed)
    source.step(100)
    wait_for(lambda: session.snapshot().frames_seen == 101)
    assert session.state is State.RUNNING
    assert "disk full after row 0" in caplog.text
    session.stop()
    session.wait()


def test_recording_begins_and_ends_while_running(tmp_path):
    source = Stepped(count=100)
    session = Session(source, live(), ROIS)
    session.start()
    source.step(10)
    wait_for(lambda: session.snapshot().frames_seen == 10)
    path = session.record(tmp_path / "a.h5")
    with pytest.raises(RecorderError, match="already recording to"):
        session.record(tmp_path / "b.h5")
    source.step(30)
    wait_for(lambda: session.snapshot().recording.rows == 30)
    session.stop_recording()
    source.step(10)
    wait_for(lambda: session.snapshot().frames_seen == 50)
    second = session.record(tmp_path / "a.h5")
    session.stop()
    session.wait()
    assert second.name == "a_2.h5"
    with Recording(path) as recording:
        assert recording.frame_index.tolist() == list(range(10, 40))
        assert recording.time[0] == 0
        assert recording.attributes["finish_reason"] == "stopped"
    with Recording(second) as recording:
        assert (recording.rows, recording.complete) == (0, True)


def test_edits_regions_and_notes_count_from_the_next_frame(tmp_path):
    source = Stepped(count=100)
    settings = live()
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 5)
    settings.edit("roi.dff", True)
    session.rois = ROIS.replace(ROIS[1].moved(3, 0)).add(Circle(9, 9, 1, name="b"))
    session.note("stimulus on")
    logging.getLogger("roi_core.sources").warning("camera 0 is shy")
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 10)
    session.rois = session.rois.remove(1)
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 15)
    session.stop()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        told = [(event.frame, event.kind) for event in recording.events]
        assert (5, "setting") in told
        assert (5, "roi_changed") in told
        assert (5, "roi_added") in told
        assert (5, "note") in told
        assert (5, "warning") in told
        assert (10, "roi_removed") in told
        assert np.isfinite(recording.means).sum(axis=0).tolist() == [10, 10]
        assert np.isfinite(recording.dff).sum(axis=0).tolist() == [5, 10]
        assert recording.shapes[0]["removed"] == 10


def test_a_region_that_is_as_it_was_is_no_edit(tmp_path):
    source = Stepped(count=100)
    session = Session(source, live(), ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 5)
    session.rois = RoiSet(roi.with_() for roi in ROIS).add(Circle(9, 9, 1, name="b"))
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 10)
    session.stop()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        kinds = [event.kind for event in recording.events]
        assert ("roi_changed" in kinds, kinds.count("roi_added")) == (False, len(ROIS) + 1)
        assert [len(shape["versions"]) for shape in recording.shapes] == [1] * (len(ROIS) + 1)


def test_what_cannot_change_while_running_says_so():
    source = Stepped(count=9)
    settings = live()
    session = Session(source, settings)
    session.start()
    with pytest.raises(SettingsError, match="cannot change while running"):
        settings.edit("camera.rate", 10)
    session.stop()
    session.wait()
    settings.edit("camera.rate", 10)


def test_time_never_stands_still(tmp_path):
    class Stuck(Ramp):
        def frames(self):
            from dataclasses import replace

            for frame in super().frames():
                yield replace(frame, time=min(frame.time, 0.1))

    run(Stuck(30), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert np.all(np.diff(recording.time) > 0)


def test_stopping_before_the_start_and_twice():
    session = Session(Ramp(5), live())
    session.stop()
    session.stop()
    assert session.wait()
    assert session.snapshot().state is State.FINISHED


def test_a_recording_begun_and_stopped_before_the_start_is_finished(tmp_path):
    session = Session(Ramp(5), live())
    session.record(tmp_path / "a.h5")
    session.stop()
    assert session.snapshot().state is State.FINISHED
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.attributes["finish_reason"] == "stopped"


def test_a_session_lives_once(tmp_path):
    session = run(Ramp(5))
    with pytest.raises(RuntimeError, match="this session is finished; make a new one"):
        session.start()
    with pytest.raises(RecorderError, match="this session is finished; connect again to record"):
        session.record(tmp_path / "a.h5")
    assert not session.settings.running


def test_last_words_reach_the_recording(tmp_path):
    class Damaged(Ramp):
        def frames(self):
            yield from super().frames()
            logging.getLogger("roi_core.sources").warning("it is damaged: 9 of 20 frames could be read")

    session = Session(Damaged(9), live(), ROIS)
    session.record(tmp_path / "a.h5", essential=True)
    logging.getLogger("roi_core.sources").warning("before the first frame")
    session.start()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        told = [event.data["text"] for event in recording.events if event.kind == "warning"]
    assert told == ["before the first frame", "it is damaged: 9 of 20 frames could be read"]


def test_a_note_in_a_silence_is_in_the_recording(tmp_path):
    source = Stepped(count=20)
    session = Session(source, live(), ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(5)
    wait_for(lambda: session.snapshot().recording.rows == 5)
    session.note("bubble under the lens")
    session.stop_recording()
    session.stop()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        assert [event.kind for event in recording.events][-2:] == ["note", "stop"]


def test_the_disk_reserve_can_be_raised_while_recording(tmp_path):
    source, settings = Stepped(count=20), live()
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(5)
    wait_for(lambda: session.snapshot().recording.rows == 5)
    assert session.snapshot().recording.disk_free > 1e6
    settings.edit("recorder.disk_reserve", 1e6)
    source.step(1)
    wait_for(lambda: session.snapshot().recording.failed)
    assert (
        "less than recorder.disk_reserve = 1e+06 MB; all 5 rows are safe"
        in session.snapshot().recording.failed
    )
    session.stop()
    session.wait()


def test_what_was_odd_at_opening_is_in_the_recording(tmp_path):
    from roi_core.sources import open_source

    source = open_source("simulated:photometry", live("camera.exposure=3"))
    session = Session(source, live(), ROIS, max_frames=5)
    session.record(tmp_path / "a.h5", essential=True)
    session.start()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        told = [event.data["text"] for event in recording.events if event.kind == "warning"]
    assert told == [f"{source.name} shows 470 and 415 nm in turn: set channels.order to 470,415"]


def test_the_baseline_stated_is_the_one_in_force(tmp_path):
    source, settings = Stepped(count=20), live()
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    settings.edit("roi.dff_baseline", "fixed")
    settings.edit("roi.dff", True)
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 5)
    settings.edit("roi.dff_fixed", 2.0)
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 10)
    session.stop()
    session.wait()
    import h5py

    with h5py.File(tmp_path / "a.h5") as file:
        stated = file["roi/dff"].attrs["baseline"].decode()
    assert stated.startswith("F0 = mean of the first 5 s")
    assert "from frame 5 on: F0 = mean of the first 2 s" in stated


def test_sinks_beside_the_recorder_never_hold_it_up():
    listing, slow, failing = Listing(), Slow(), Failing(at=3)
    session = Session(Ramp(2000), live("recorder.queue=4"), ROIS, sinks=[listing, slow, failing])
    session.start()
    wait_for(lambda: session.snapshot().frames_seen == 2000)
    slow.go.set()
    session.wait()
    assert session.snapshot().reason is FinishReason.COMPLETED
    assert listing.header.source == "ramp"
    assert all(row == pixel for row, pixel in (*listing.samples, *slow.samples))
    assert len(slow.samples) < 2000
    assert failing.summaries[0].reason is FinishReason.FAILED
    assert [row for row, _ in failing.samples[:3]] == [0, 1, 2]


def test_max_frames():
    session = Session(Ramp(50), live(), max_frames=7)
    session.start()
    session.wait()
    assert session.snapshot().frames_seen == 7
