"""Recordings in several files: every frame once, each file whole, and all of them one recording."""

import logging
import shutil
import threading
from datetime import datetime

import numpy as np
import pytest

from roi_core import take
from roi_core.console import describe_recording
from roi_core.errors import RecorderError
from roi_core.frame import FinishReason
from roi_core.offline.recover import recover
from roi_core.recording import Recording, audit
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from tests.core.test_session import live, run, wait_for
from tests.fakes import Ramp, Stepped, fake_stages

SHAPE = (17, 21)
ROIS = RoiSet().add(Circle(8, 8, 2, name="a"))
SECOND = "recorder.split_minutes=0.0001"
"""Parts of the least length, one second: 100 rows of a ramp."""


def parts(session):
    status = session.snapshot().recording
    recordings = [Recording(path) for path in status.parts]
    assert sum(recording.rows for recording in recordings) == status.rows == status.safe
    assert status.account.check() == ()
    return recordings


def test_every_frame_is_in_one_part_and_each_is_a_recording(tmp_path):
    session = run(Ramp(350, SHAPE), tmp_path / "a.h5", ROIS, SECOND, "recorder.movie=true")
    found = parts(session)
    assert [each.path.name for each in found] == ["a.h5", "a_part2.h5", "a_part3.h5", "a_part4.h5"]
    assert np.concatenate([each.frame_index for each in found]).tolist() == list(range(350))
    assert np.concatenate([each.movie[:, 0, 0] for each in found]).tolist() == list(range(350))
    for number, each in enumerate(found, 1):
        known = each.attributes
        first = "" if number == 1 else "a.h5"
        assert (known["part"], known["first_part"], known["complete"]) == (number, first, 1)
        assert (known["rows"], each.time[0]) == (each.rows, 0.0)
        assert (each.events[0].kind, each.events[-1].kind) == ("start", "stop")
    assert [describe_recording(each).get("part") for each in found[:2]] == [None, "2 of a.h5"]
    reasons = [each.attributes["finish_reason"] for each in found]
    assert reasons[:3] == [f"completed: continued in a_part{n}.h5" for n in (2, 3, 4)]
    assert reasons[3] == "completed"
    assert session.snapshot().recording.path.name == "a.h5"
    assert session.snapshot().recording.seconds == pytest.approx(3.49)


def test_a_recording_that_is_not_split_is_its_own_only_part(tmp_path):
    run(Ramp(5), tmp_path / "a.h5")
    run(Ramp(5), tmp_path / "a.h5")
    with Recording(tmp_path / "a_2.h5") as recording:
        assert (recording.attributes["part"], recording.attributes["first_part"]) == (1, "")


def test_a_part_begins_on_the_clock_when_its_first_frame_came(tmp_path):
    source = Stepped(count=300, shape=SHAPE)
    session = Session(source, live(SECOND), ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(100)
    wait_for(lambda: session.snapshot().frames_seen == 100)
    between = datetime.now().astimezone()
    source.step(50)
    wait_for(lambda: session.snapshot().frames_seen == 150)
    session.stop()
    session.wait()
    first, second = parts(session)
    start, end = (datetime.fromisoformat(first.attributes[f"{key}_iso8601"]) for key in ("start", "end"))
    then = datetime.fromisoformat(second.attributes["start_iso8601"])
    assert start <= end <= between <= then or (then - between).total_seconds() > -0.001


def test_parts_by_size_stay_below_it(tmp_path):
    settings = ("recorder.split_gb=0.005", "recorder.movie=true")
    session = run(Ramp(900, (60, 80)), tmp_path / "a.h5", RoiSet(), *settings)
    found = parts(session)
    sizes = [each.path.stat().st_size for each in found]
    assert len(found) == 2
    assert 4e6 < sizes[0] <= 5.1e6
    assert np.concatenate([each.frame_index for each in found]).tolist() == list(range(900))


def test_what_lies_there_already_is_never_overwritten(tmp_path):
    (tmp_path / "a_part2.h5").write_text("somebody's")
    session = run(Ramp(150, SHAPE), tmp_path / "a.h5", ROIS, SECOND)
    assert [path.name for path in session.snapshot().recording.parts] == ["a.h5", "a_part2_2.h5"]
    assert (tmp_path / "a_part2.h5").read_text() == "somebody's"


def again(path, frames):
    """Record once more under the same name, to replace it."""
    session = Session(Ramp(frames, SHAPE), live(SECOND), ROIS)
    session.record(path, overwrite=True, essential=True)
    session.start()
    session.wait()
    return [each.path.name for each in parts(session)]


def test_parts_of_a_recording_that_is_replaced_are_replaced_too(tmp_path, caplog):
    run(Ramp(350, SHAPE), tmp_path / "a.h5", ROIS, SECOND)
    run(Ramp(150, SHAPE), tmp_path / "a_part1.h5", ROIS, SECOND)
    (tmp_path / "a_part4.h5").unlink()
    (tmp_path / "a_part4.h5").write_text("somebody's")
    before = {path: path.read_bytes() for path in tmp_path.glob("*_part1*.h5")}
    assert again(tmp_path / "a.h5", 150) == ["a.h5", "a_part2.h5"]
    assert "a_part3.h5 of an earlier a.h5 still lie beside the new one" in caplog.text
    assert again(tmp_path / "a.h5", 350) == ["a.h5", "a_part2.h5", "a_part3.h5", "a_part4_2.h5"]
    assert caplog.text.count("still lie beside") == 1
    assert (tmp_path / "a_part4.h5").read_text() == "somebody's"
    assert {path: path.read_bytes() for path in before} == before


def test_parts_whose_first_is_elsewhere_are_kept_and_told(tmp_path, caplog):
    run(Ramp(150, SHAPE), tmp_path / "a.h5", ROIS, SECOND)
    (tmp_path / "a.h5").rename(tmp_path / "b.h5")
    (tmp_path / "a.jsonl").unlink()
    kept = (tmp_path / "a_part2.h5").read_bytes()
    assert again(tmp_path / "a.h5", 150) == ["a.h5", "a_part2_2.h5"]
    assert (tmp_path / "a_part2.h5").read_bytes() == kept
    assert "a_part2.h5 of an earlier a.h5" in caplog.text


@pytest.mark.parametrize("at", [100, 101, 130])
def test_a_gap_at_the_border_is_counted_once(tmp_path, at):
    indices = [*range(at), *range(at + 7, 220)]
    session = run(Ramp(shape=SHAPE, indices=indices), tmp_path / "a.h5", ROIS, SECOND)
    found = parts(session)
    assert sum(each.attributes["frames_dropped"] for each in found) == 7
    assert session.snapshot().recording.dropped == 7
    gaps = [(each.path.name, event.frame) for each in found for event in each.events if event.kind == "gap"]
    assert gaps == [("a.h5" if at == 100 else "a_part2.h5", at + 7)]


def test_a_gap_at_the_border_survives_a_kill_while_the_part_waits_for_its_cells(tmp_path, monkeypatch):
    with fake_stages(monkeypatch):
        source = Stepped(shape=SHAPE, indices=[*range(100), *range(109, 300)])
        session = Session(source, live(SECOND, "cnmf.enabled=true"), ROIS)
        session.record(tmp_path / "a.h5")
        session.start()
        source.step(101)
        wait_for(lambda: session.snapshot().recording.rows == 101)
        for name in ("a.h5", "a.jsonl"):  # as a kill just now would leave them
            shutil.copy(tmp_path / name, tmp_path / f"killed{name[1:]}")
        session.stop()
        session.wait()
    recover(tmp_path / "killed.h5")
    for name in ("a.h5", "killed.h5"):
        with Recording(tmp_path / name) as each:
            assert (each.account.made, each.rows, each.attributes["frames_dropped"]) == (109, 100, 9)
            assert [event.frame for event in each.events if event.kind == "gap"] == [109]
            assert audit(each) == ()


def test_regions_settings_and_card_of_a_part_are_those_at_its_beginning(tmp_path):
    source, settings = Stepped(count=300, shape=SHAPE), live(SECOND)
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(50)
    wait_for(lambda: session.snapshot().frames_seen == 50)
    settings.edit("roi.dff", True)
    session.card.edit("subject.subject_id", "m017")
    session.rois = ROIS.add(Circle(4, 4, 2, name="other")).remove(1)
    source.step(100)
    wait_for(lambda: session.snapshot().frames_seen == 150)
    session.stop()
    session.wait()
    first, second = parts(session)
    assert (first.names, second.names) == (["a", "other"], ["other"])
    assert np.isfinite(second.means).all()
    assert "dff: false" in first.settings
    assert "dff: true" in second.settings
    assert first.card.subject.subject_id == second.card.subject.subject_id == "m017"


@pytest.mark.parametrize("more", [0, 1, 2, 40])
def test_the_last_rows_of_a_part_are_settled_by_what_follows(tmp_path, monkeypatch, more):
    """Whether many frames follow, or the session ends before there are enough of them."""
    cells = ("cnmf.enabled=true", "motion.enabled=true")
    with fake_stages(monkeypatch):
        run(Ramp(101 + more, SHAPE), tmp_path / "whole.h5", ROIS, *cells)
        session = run(Ramp(101 + more, SHAPE), tmp_path / "a.h5", ROIS, SECOND, *cells)
    first, second = parts(session)
    assert first.rows == 100
    with Recording(tmp_path / "whole.h5") as whole:
        for name in ("calcium", "spikes", "raw", "spikes_causal"):
            wanted = getattr(whole.cells, name)
            np.testing.assert_array_equal(getattr(first.cells, name), wanted[:100], name)
            there = [whole.cells.ids.tolist().index(cell) for cell in second.cells.ids.tolist()]
            np.testing.assert_array_equal(getattr(second.cells, name), wanted[100:, there], name)
    assert sorted(first.maps) == ["activity", "correlation", "max", "mean", "std"]


def test_the_maps_of_a_part_are_those_at_its_border_however_late_the_recorder_is(tmp_path, monkeypatch):
    from roi_core.sinks.hdf5 import Recorder

    class Whole(Ramp):
        ended = threading.Event()

        def frames(self):
            yield from super().frames()
            self.ended.set()

    def late(self, header, open_=Recorder.open):
        assert self.path.name == "a.h5" or Whole.ended.wait(60)
        open_(self, header)

    with fake_stages(monkeypatch):
        run(Ramp(101, SHAPE), tmp_path / "whole.h5", ROIS, "motion.enabled=true")
        monkeypatch.setattr(Recorder, "open", late)
        session = run(Whole(150, SHAPE), tmp_path / "a.h5", ROIS, SECOND, "motion.enabled=true")
    first, second = parts(session)
    with Recording(tmp_path / "whole.h5") as whole:
        for name, picture in whole.maps.items():
            np.testing.assert_array_equal(first.maps[name], picture, name)
    assert np.nanmax(second.maps["mean"]) > np.nanmax(first.maps["mean"]) + 20


def test_a_timed_recording_ends_by_its_whole_length(tmp_path):
    session = Session(Ramp(900, SHAPE), live(SECOND), ROIS)
    session.record(tmp_path / "a.h5", length=2.5)
    session.start()
    session.wait()
    found = parts(session)
    assert [each.rows for each in found] == [100, 100, 50]
    assert found[-1].attributes["finish_reason"] == "completed: the 2.5 s asked for"


def test_the_end_of_a_recording_settles_a_part_that_just_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(take, "PATIENCE", 60)
    with fake_stages(monkeypatch):
        source = Stepped(count=300, shape=SHAPE)
        session = Session(source, live(SECOND, "cnmf.enabled=true"), ROIS)
        session.record(tmp_path / "a.h5")
        session.start()
        source.step(101)
        wait_for(lambda: session.snapshot().frames_seen == 101)
        session.stop_recording(wait=False)
        source.step(9)
        wait_for(lambda: session.snapshot().frames_seen == 110)
        wait_for(lambda: not session.snapshot().recording.closing)
        session.stop()
        session.wait()
    for each in parts(session):
        assert each.complete
        alive = each.cells.status == 1
        assert (each.cells.calcium[-3:, alive] % 1 == 0.5).all()


def test_where_no_next_part_can_be_begun_the_present_one_goes_on(tmp_path, monkeypatch, caplog):
    from roi_core.sinks.hdf5 import Recorder

    open_ = Recorder.open

    def refusing(self, header):
        if "part2" in self.path.name:
            raise RecorderError(f"cannot write {self.path}: permission denied")
        open_(self, header)

    monkeypatch.setattr(Recorder, "open", refusing)
    with caplog.at_level(logging.WARNING):
        session = run(Ramp(350, SHAPE), tmp_path / "a.h5", ROIS, SECOND)
    (found,) = parts(session)
    assert (found.rows, session.snapshot().reason) == (350, FinishReason.COMPLETED)
    assert caplog.text.count("a.h5 grows beyond what was asked for: cannot write") == 1


def test_a_part_that_cannot_be_finished_does_not_end_the_next(tmp_path, monkeypatch, caplog):
    from roi_core.sinks.hdf5 import Recorder

    close = Recorder.close

    def failing(self, summary):
        close(self, summary)
        if self.path.name == "a.h5":
            raise RecorderError("a.h5 could not be finished: input/output error; rows up to 100 are safe")

    monkeypatch.setattr(Recorder, "close", failing)
    session = run(Ramp(150, SHAPE), tmp_path / "a.h5", ROIS, SECOND)
    assert [each.rows for each in parts(session)] == [100, 50]
    assert "could not be finished: input/output error" in caplog.text
