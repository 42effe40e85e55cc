"""What was seen before Record was pressed: kept in bounded memory, written first, no camera held up."""

import threading
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core.frame import Sample
from roi_core.pretrigger import Backlog, Pretrigger, size_of
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import Settings
from roi_core.sinks.hdf5 import Recorder
from tests.core.test_session import live, wait_for
from tests.fakes import Stepped, fake_stages

SHAPE = (17, 21)
ROIS = RoiSet().add(Circle(8, 8, 2, name="a"))
HALF = "recorder.pretrigger=0.5"


class Bench:
    """A session whose frames come when the test says so."""

    def __init__(self, *texts, count=2000, indices=None):
        self.source, self.settings = Stepped(count=count, shape=SHAPE, indices=indices), live(*texts)
        self.session = Session(self.source, self.settings, ROIS)
        self.seen = 0

    def step(self, frames):
        self.source.step(frames)
        self.seen += frames
        wait_for(lambda: self.session.snapshot().frames_seen == self.seen)

    def end(self):
        self.session.stop()
        self.session.wait()


def trigger(recording):
    return [(e.frame, round(e.time, 6), e.data) for e in recording.events if e.kind == "trigger"]


@pytest.mark.parametrize("movie", ["false", "true"])
def test_the_half_second_before_record_comes_first(tmp_path, movie):
    bench = Bench(HALF, f"recorder.movie={movie}")
    bench.session.start()
    bench.step(200)
    path = bench.session.record(tmp_path / "a.h5")
    bench.step(300)
    bench.end()
    with Recording(path) as recording:
        assert recording.frame_index.tolist() == list(range(149, 500))
        assert (recording.time[0], recording.rows) == (0.0, 351)
        np.testing.assert_array_equal(recording.means[:, 0], np.arange(149, 500))
        assert trigger(recording) == [(200, 0.51, {"row": 51, "seconds": 0.51})]
        assert recording.events[0].kind == "start"
        account = bench.session.snapshot().recording.account
        assert (account.check(), account.measured) == ((), 351)
        if movie == "true":
            assert recording.movie[:, 3, 4].tolist() == list(range(149, 500))


def test_the_trigger_is_a_row_of_the_part_in_which_it_is(tmp_path):
    bench = Bench("recorder.pretrigger=1.5", "recorder.split_minutes=0.0001")
    bench.session.start()
    bench.step(200)
    bench.session.record(tmp_path / "a.h5")
    bench.step(30)
    bench.end()
    first, second = (Recording(path) for path in bench.session.snapshot().recording.parts)
    assert (first.rows, trigger(first)) == (100, [])
    assert trigger(second) == [(200, 0.51, {"row": 51, "seconds": 0.51})]
    assert second.frame_index[51] == 200


def test_off_is_as_before_and_on_with_nothing_yet_marks_the_first_row(tmp_path):
    for texts, wanted in (((), []), ((HALF,), [(0, 0.0, {"row": 0, "seconds": 0.0})])):
        bench = Bench(*texts)
        path = bench.session.record(tmp_path / "a.h5")
        bench.session.start()
        bench.step(5)
        bench.end()
        with Recording(path) as recording:
            assert (recording.rows, trigger(recording)) == (5, wanted)


def test_it_can_be_turned_on_and_off_while_frames_flow(tmp_path):
    bench = Bench()
    bench.session.start()
    bench.step(50)
    assert bench.session.snapshot().kept == (0.0, 0)
    bench.settings.edit("recorder.pretrigger", 0.2)
    bench.step(50)
    assert bench.session.snapshot().kept.seconds == pytest.approx(0.2)
    bench.settings.edit("recorder.pretrigger", 0.1)
    bench.step(1)
    assert bench.session.snapshot().kept.seconds == pytest.approx(0.1)
    bench.settings.edit("recorder.pretrigger", 0)
    bench.step(1)
    assert bench.session.snapshot().kept == (0.0, 0)
    bench.end()


def test_a_movie_begins_with_the_first_frame_that_has_its_picture(tmp_path):
    """Switched on just before Record: rows without a frame are left out, not made up."""
    bench = Bench(HALF)
    bench.session.start()
    bench.step(100)
    bench.settings.edit("recorder.movie", True)
    bench.step(20)
    path = bench.session.record(tmp_path / "a.h5")
    bench.step(5)
    bench.end()
    with Recording(path) as recording:
        assert recording.frame_index.tolist() == list(range(100, 125))
        assert recording.movie[:, 0, 0].tolist() == list(range(100, 125))


def test_its_length_counts_from_record(tmp_path):
    bench = Bench(HALF)
    bench.session.start()
    bench.step(100)
    path = bench.session.record(tmp_path / "a.h5", length=1.0)
    bench.step(150)
    bench.end()
    with Recording(path) as recording:
        assert recording.frame_index.tolist() == list(range(49, 200))
        assert recording.attributes["finish_reason"] == "completed: the 1 s asked for"


def test_gaps_edits_and_regions_from_before_are_in_it(tmp_path):
    bench = Bench(HALF, indices=[*range(100), *range(110, 400)])
    bench.session.start()
    bench.step(90)
    bench.session.rois = ROIS.add(Circle(4, 4, 2, name="late"))
    bench.settings.edit("roi.dff", True)
    bench.step(30)
    path = bench.session.record(tmp_path / "a.h5")
    bench.step(10)
    bench.end()
    with Recording(path) as recording:
        first = recording.frame_index[0]
        assert first < 90
        assert recording.attributes["frames_dropped"] == 10
        assert [(e.kind, e.frame) for e in recording.events if e.kind in ("gap", "roi_added", "setting")] == [
            ("setting", 90), ("roi_added", 90), ("gap", 110),
        ]  # fmt: skip
        assert recording.names == ["a", "late"]
        assert np.flatnonzero(np.isfinite(recording.means[:, 1]))[0] == 90 - first
        assert "dff: false" in recording.settings
        assert [version["frame"] for version in recording.shapes[0]["versions"]] == [-1]


def test_the_zero_of_time_is_when_the_first_kept_frame_came(tmp_path):
    bench = Bench(HALF)
    bench.session.start()
    bench.step(20)
    before = datetime.now().astimezone()
    path = bench.session.record(tmp_path / "a.h5")
    bench.step(5)
    bench.end()
    with Recording(path) as recording:
        assert datetime.fromisoformat(recording.attributes["start_iso8601"]) <= before


def test_cells_of_the_kept_rows_are_those_of_the_whole_session(tmp_path, monkeypatch):
    """Births, back-fill and settled values fall on the rows that they would have fallen on."""
    on = ("cnmf.enabled=true", "motion.enabled=true", "recorder.memory=1200")
    with fake_stages(monkeypatch):
        whole, late = Bench(*on), Bench(*on, "recorder.pretrigger=1")
        paths = [whole.session.record(tmp_path / "whole.h5")]
        for bench in (whole, late):
            bench.session.start()
            bench.step(60)
        paths.append(late.session.record(tmp_path / "late.h5"))
        for bench in (whole, late):
            bench.step(40)
            bench.end()
    a, b = (Recording(path) for path in paths)
    assert a.rows == b.rows == 100
    for name in ("ids", "born", "status", "raw", "calcium", "spikes", "spikes_causal"):
        np.testing.assert_array_equal(getattr(a.cells, name), getattr(b.cells, name), name)
    np.testing.assert_array_equal(a.shifts, b.shifts)


def test_a_second_recording_holds_no_row_of_the_first(tmp_path):
    bench = Bench(HALF)
    bench.session.start()
    bench.step(100)
    first = bench.session.record(tmp_path / "a.h5")
    bench.step(50)
    bench.session.stop_recording()
    bench.step(20)
    second = bench.session.record(tmp_path / "b.h5")
    bench.step(10)
    bench.end()
    with Recording(first) as a, Recording(second) as b:
        assert a.frame_index.tolist() == list(range(49, 150))
        assert b.frame_index.tolist() == list(range(150, 180))


def test_a_disk_slow_to_open_a_file_costs_no_frame_and_no_wait(tmp_path, monkeypatch):
    """Far more frames than the queue holds come before the file is there."""
    go, open_ = threading.Event(), Recorder.open

    def slow(self, header):
        assert go.wait(30)
        open_(self, header)

    monkeypatch.setattr(Recorder, "open", slow)
    bench = Bench(HALF, "recorder.movie=true", "recorder.queue=4")
    bench.session.start()
    bench.step(100)
    asked = bench.session.record(tmp_path / "a.h5", wait=False)
    assert asked == tmp_path / "a.h5"
    bench.step(500)
    status = bench.session.snapshot().recording
    assert (status.opening, status.rows, status.backlog, status.failed) == (True, 0, 551, "")
    go.set()
    wait_for(lambda: bench.session.snapshot().recording.rows == 551)
    bench.step(10)
    bench.end()
    status = bench.session.snapshot().recording
    assert (status.opening, status.safe, status.backlog) == (False, 561, 0)
    with Recording(status.path) as recording:
        assert recording.frame_index.tolist() == list(range(49, 610))
        assert recording.movie[:, 0, 0].tolist() == list(range(49, 610))
        assert trigger(recording)[0][0] == 100


@pytest.mark.parametrize("wait", [True, False])
def test_a_refusal_reaches_who_asked_and_the_session_goes_on(tmp_path, wait, caplog):
    (tmp_path / "file").write_text("")
    bench = Bench()
    bench.session.start()
    bench.step(5)
    earlier = bench.session.record(tmp_path / "a.h5")
    bench.session.stop_recording()
    if wait:
        with pytest.raises(OSError, match=r"cannot write .*b\.h5: "):
            bench.session.record(tmp_path / "file" / "b.h5")
        assert bench.session.snapshot().recording.path == earlier
    else:
        bench.session.record(tmp_path / "file" / "b.h5", wait=False)
        wait_for(lambda: bench.session.snapshot().recording.refused)
        assert "b.h5: " in bench.session.snapshot().recording.failed
    bench.step(5)
    assert caplog.text == "", "told once, by whoever asked"
    if not wait:
        refused = bench.session.snapshot().recording.account
        assert (refused.check(), refused.lanes["recorder"].written) == ((), 0)
    bench.session.record(tmp_path / "c.h5")
    bench.step(5)
    bench.end()
    with Recording(tmp_path / "c.h5") as recording:
        assert recording.rows == 5


def test_an_essential_recording_is_refused_at_once_whatever_is_asked(tmp_path):
    bench = Bench()
    with pytest.raises(OSError, match="it is a folder"):
        bench.session.record(tmp_path, essential=True, wait=False)
    bench.session.stop()


# -- the two stores, alone ----------------------------------------------------------------------------------


def sample(row, seconds=0.0, movie="true", memory=16, image=(1000, 1000)):
    texts = (f"recorder.pretrigger={seconds}", f"recorder.movie={movie}", f"recorder.memory={memory}")
    means = np.zeros(1, np.float32)
    return Sample(row, row, row / 10, np.full(image, row, np.uint16), ROIS, (1,), means, None,
                  settings=Settings().with_texts(*texts))  # fmt: skip


def test_what_does_not_fit_is_told_once_and_the_newest_are_kept(caplog):
    kept = Pretrigger()
    for row in range(60):
        kept.keep(sample(row, 5))
    assert kept.kept.bytes == 7 * (2_000_000 + 4) <= 16e6
    assert kept.kept.seconds == pytest.approx(0.6)
    assert caplog.messages == [
        "of recorder.pretrigger = 5 s only 0.6 s are kept: more does not fit in recorder.memory = 16 MB"
    ]
    given = kept.give(movie=True)
    assert [each.row for each in given] == list(range(53, 60))
    assert all((each.image == each.row).all() for each in given)
    assert kept.kept == (0.0, 0)


def test_without_a_movie_no_image_is_kept():
    kept = Pretrigger()
    for row in range(60):
        kept.keep(sample(row, 5, movie="false"))
    assert kept.kept.bytes == 51 * 4
    assert kept.give(movie=True) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.3, 1.0, 5.0]), st.sampled_from(["true", "false"]))))
def test_memory_and_seconds_are_never_exceeded_and_the_count_is_true(asked):
    kept = Pretrigger()
    for row, (seconds, movie) in enumerate(asked):
        kept.keep(sample(row, seconds, movie))
        held = list(kept._samples)
        assert kept.kept.bytes == sum(map(size_of, held)) <= 16e6
        assert kept.kept.seconds <= seconds + 1e-6
        assert [each.row for each in held] == list(range(row + 1 - len(held), row + 1))
        assert bool(held) == (seconds > 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20), st.integers(0, 200), st.integers(1, 5))
def test_a_backlog_gives_all_in_order_whoever_is_faster(early, late, room):
    """One writer and one reader on their own threads; what is refused is for the queue, and all after it."""
    small = (4, 5)
    backlog = Backlog([sample(row, image=small) for row in range(early)], room * 44, movie=True)
    queued = []

    def write():
        queued.extend(
            row for row in range(early, early + late) if not backlog.offer(sample(row, image=small))
        )

    writer = threading.Thread(target=write)
    writer.start()
    taken = [each.row for each in backlog]
    writer.join()
    assert taken + queued == list(range(early + late))
    assert len(backlog) == 0


def test_nobody_waits_for_room_before_a_reader_that_is_gone():
    backlog = Backlog([sample(0)], 2_000_004, movie=True)
    assert backlog.offer(sample(1))
    waiting = threading.Thread(target=lambda: refused.append(not backlog.offer(sample(2))))
    refused = []
    waiting.start()
    backlog.close()
    waiting.join(10)
    assert refused == [True]
    assert list(backlog) == []


def test_what_is_read_makes_room_for_what_comes():
    backlog = Backlog([sample(0), sample(1)], 0, movie=True)
    reader = iter(backlog)
    assert next(reader).row == 0
    assert backlog.offer(sample(2)), "in the place of the first"
    waiting = threading.Thread(target=backlog.offer, args=(sample(3),))
    waiting.start()
    assert [each.row for each in reader][:2] == [1, 2]
    waiting.join(10)
    assert not waiting.is_alive()
