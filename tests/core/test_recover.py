"""What `recover` leaves is what a clean stop at the last safe row would have left; at worst the old file."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from roi_core import draft, layout
from roi_core.draft import journal as journals
from roi_core.errors import RecordingError
from roi_core.frame import Event, FinishReason, Summary
from roi_core.offline import recover as module
from roi_core.offline.outside import Wishes, add
from roi_core.offline.recover import REASON, recover
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sinks import components
from roi_core.sinks.hdf5 import Recorder
from roi_core.sources import open_source
from tests.core.test_recorder import header, sample
from tests.core.test_recorder import record as record_rows

STOPPED = Summary(FinishReason.STOPPED)
REPO = Path(__file__).parents[2]
OTHERWISE = {"finish_reason", "start_iso8601", "end_iso8601"}
"""Attributes that tell when and why."""


def cut(recorder, copy):
    """Copy the file and its journal as they are: what a kill just now would leave."""
    shutil.copy(recorder.path, copy)
    shutil.copy(recorder.path.with_suffix(".jsonl"), copy.with_suffix(".jsonl"))


def contents(path):
    """Every dataset and attribute of a file, but those that tell when and why."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item[()]).tolist() if item.dtype.hasobject else item[()]
        found.update({f"{name}@{key}": value for key, value in item.attrs.items()})

    with h5py.File(path) as file:
        file.visititems(take)
        found.update({f"@{key}": value for key, value in file.attrs.items() if key not in OTHERWISE})
    *events, stop = found.pop("events")
    assert stop[2] == b"stop"
    return found | {"events": [tuple(event) for event in events], "stop": tuple(stop)[:2]}


def check_same(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)
        assert getattr(value, "dtype", None) == getattr(b[name], "dtype", None), name


TEXTS = (
    "recorder.movie=true", "recorder.disk_reserve=1", "recorder.disk_warning=0",
    "recorder.flush_period=0.02", "camera.rate=30",
    "motion.enabled=true", "cnmf.enabled=true", "cnmf.cell_radius=4", "roi.dff=true",
)  # fmt: skip


def run(path, source, frames, *more):
    live = LiveSettings(Settings().with_texts(*TEXTS, *more))
    rois = RoiSet().add(Circle(20, 20, 5)).add(Circle(40, 30, 3))
    session = Session(open_source(str(source), live), live, rois, max_frames=frames)
    session.note("the first words")
    session.record(path, essential=True)
    session.start()
    session.wait()


def cut_while(monkeypatch, path, source, frames, killed, when, *more):
    """Record, and leave in `killed` what a kill would have left after the last flush that `when` likes."""
    flush = Recorder.flush

    def flush_and_cut(recorder):
        flush(recorder)
        if when(recorder):
            cut(recorder, killed)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "flush", flush_and_cut)
        run(path, source, frames, *more)


def always_seen(shifts, shape):
    """Return the part of a map of which every moved frame showed all, neighbours included."""
    return tuple(
        slice(int(np.ceil(max(each.max(), 0))) + 1, size + int(np.floor(min(each.min(), 0))) - 1)
        for each, size in zip(shifts.T, shape, strict=True)
    )


def test_every_dataset_equals_that_of_a_clean_stop_at_the_same_row(tmp_path, movie, monkeypatch):
    """With cells, motion correction, dF/F, regions and the movie; the last spikes, too.

    All to the bit but the maps: stored shifts are 32 bit, and what a frame did not show is a guess.
    """
    np.save(tmp_path / "film.npy", np.asarray(movie.pictures[:450]).astype(np.uint16))
    monkeypatch.setattr(components, "PERIOD", 0.0)
    path, killed = tmp_path / "film.npy", tmp_path / "killed.h5"
    cut_while(monkeypatch, tmp_path / "a.h5", path, 450, killed, lambda one: 250 <= one.safe_rows < 440)
    found = recover(killed)
    assert (found.notes, found.cut) == ((), 0)
    assert 250 <= found.rows < 440
    run(tmp_path / "clean.h5", tmp_path / "film.npy", found.rows)
    recovered, clean = contents(killed), contents(tmp_path / "clean.h5")
    assert recovered["events"] == clean["events"]
    assert len(recovered["cnmf/ids"]) > 2
    seen = always_seen(recovered["motion/shifts"], recovered["maps/mean"].shape)
    assert recovered["maps/mean"][seen].size > 2000
    for name in ("mean", "max", "std", "correlation", "activity"):
        a, b = recovered.pop(f"maps/{name}"), clean.pop(f"maps/{name}")
        np.testing.assert_allclose(a[seen], b[seen], rtol=1e-4, atol=1e-4, err_msg=name)
        assert np.isfinite(a).all()
    check_same(recovered, clean)
    with h5py.File(killed) as file:
        assert file.attrs["finish_reason"].decode() == REASON


def test_the_maps_of_a_recording_that_began_late_lie_where_its_cells_are(tmp_path, movie, monkeypatch):
    """A second part: the field had drifted by 4 px when it began, its maps are in the place of the first."""
    drifting = [np.roll(picture, min(row // 30, 4), 1) for row, picture in enumerate(movie.pictures[:300])]
    film, killed = tmp_path / "film.npy", tmp_path / "killed.h5"
    np.save(film, np.asarray(drifting).astype(np.uint16))
    split = "recorder.split_minutes=0.1"  # 180 rows
    cut_while(
        monkeypatch, tmp_path / "a.h5", film, 300, killed,
        lambda one: one.path.stem == "a_part2" and 60 <= one.safe_rows < 110, split,
    )  # fmt: skip
    rows = recover(killed).rows
    means = []
    for end in (180, 180 + rows):
        run(tmp_path / f"{end}.h5", film, end)
        with Recording(tmp_path / f"{end}.h5") as recording:
            means.append(recording.maps["mean"].astype(float))
    live = ((180 + rows) * means[1] - 180 * means[0]) / rows  # of the same frames, as the session moved them
    with Recording(killed) as recording:
        assert recording.shifts[:, 1].max() < -3
        seen = always_seen(recording.shifts, live.shape)
        np.testing.assert_allclose(recording.maps["mean"][seen], live[seen], rtol=1e-4)


def unfinished(folder, rows=40, safe=30, name="a.h5", **more):
    """A recording with two events a row and `rows` of which `safe` were flushed, as a kill leaves it."""
    recorder = Recorder(folder / name)
    recorder.open(header(**more))
    for row in range(rows):
        events = [Event(2 + row / 50, row, "marker", {"number": row}), Event(2 + row / 50, row, "alert", {})]
        recorder.write(sample(row, events=events if row % 10 == 5 else ()))
        if row == safe - 1:
            recorder.flush()
    killed = folder / f"killed_{name}"
    cut(recorder, killed)
    recorder.close(STOPPED)
    return killed


def test_events_of_safe_rows_are_told_once_and_words_of_lost_rows_at_the_last(tmp_path):
    killed = unfinished(tmp_path)
    with killed.with_suffix(".jsonl").open("ab") as journal:
        journal.write(b'{"time": 0.7, "frame": 36, "kind": "note", "data": {"text": "she moved"}}\n')
        journal.write(b'{"time": 0.7, "frame": 37, "ki')
    assert recover(killed).replayed == 2
    with Recording(killed) as recording:
        assert recording.complete
        told = [(event.kind, event.frame, event.data) for event in recording.events]
        assert [event.time for event in recording.events[-3:]] == [recording.time[-1]] * 3
    assert told == [
        ("start", 0, {}),
        *[each for row in (5, 15, 25) for each in (("marker", row, {"number": row}), ("alert", row, {}))],
        ("marker", 29, {"number": 35}),
        ("note", 29, {"text": "she moved"}),
        ("stop", 29, {"reason": REASON}),
    ]


def test_events_that_the_last_flush_missed_come_from_the_journal(tmp_path):
    killed = unfinished(tmp_path, safe=40)
    whole = tmp_path / "whole.h5"
    shutil.copy(killed, whole)
    shutil.copy(killed.with_suffix(".jsonl"), whole.with_suffix(".jsonl"))
    with h5py.File(killed, "r+") as file:
        file[layout.EVENTS].resize(3, axis=0)
    assert recover(killed).replayed == 6
    assert recover(whole).replayed == 0
    check_same(contents(killed), contents(whole))


def test_a_journal_of_another_recording_is_left_out_and_said(tmp_path):
    killed = unfinished(tmp_path)
    killed.with_suffix(".jsonl").write_text('{"time": 0, "frame": 3, "kind": "note", "data": {}}\n')
    found = recover(killed)
    assert found.replayed == 0
    assert found.notes == (f"{killed.with_suffix('.jsonl')} does not fit the file: its events were left out",)


def test_without_a_journal_the_rows_are_finished(tmp_path):
    killed = unfinished(tmp_path)
    killed.with_suffix(".jsonl").unlink()
    assert recover(killed).rows == 30


def test_a_file_killed_in_its_last_moment_has_one_stop(tmp_path):
    """The stop, and the maps, may be there before the file is complete."""
    path = record_rows(tmp_path / "a.h5", [sample(row) for row in range(5)])
    with h5py.File(path, "r+") as file:
        file.attrs.modify("complete", np.uint8(0))
    recover(path)
    with Recording(path) as recording:
        assert [event.kind for event in recording.events] == ["start", "stop"]
        assert recording.attributes["finish_reason"] == f"{REASON} (completed)"


def test_a_card_edit_of_the_journal_is_on_the_card(tmp_path):
    killed = unfinished(tmp_path, safe=30)
    with killed.with_suffix(".jsonl").open("ab") as journal:
        edit = {"path": "subject.subject_id", "old": "", "new": "mouse 7"}
        journal.write(json.dumps({"time": 0.1, "frame": 29, "kind": "card", "data": edit}).encode() + b"\n")
    recover(killed)
    with Recording(killed) as recording:
        assert recording.card.flat()["subject_id"] == "mouse 7"


def test_counts_are_those_of_the_rows(tmp_path):
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(header())
    for row in range(10):
        recorder.write(sample(row, index=row if row < 6 else row + 3, lost=3 if row == 6 else 0))
    recorder.flush()
    cut(recorder, tmp_path / "killed.h5")
    with h5py.File(tmp_path / "killed.h5", "r+") as file:
        file[layout.TIME].resize(8, axis=0)  # a torn flush
    found = recover(tmp_path / "killed.h5")
    assert (found.rows, found.cut) == (8, 2)
    assert found.notes == ("its account did not fit the rows and was left out",)
    with Recording(tmp_path / "killed.h5") as recording:
        known = recording.attributes
        assert (known["rows"], known["frames_seen"], known["frames_dropped"]) == (8, 8, 3)
        assert known["elapsed_sec"] == pytest.approx(7 / 50)
        assert known["avg_fps"] == pytest.approx(50)
    with h5py.File(tmp_path / "killed.h5") as file:
        assert {len(file[name]) for name in (layout.TIME, layout.MEANS, layout.FRAME_INDEX)} == {8}
    recorder.close(STOPPED)


def test_unknown_losses_stay_unknown_and_no_rows_are_no_trouble(tmp_path):
    killed = unfinished(tmp_path, rows=0, counter="unknown")
    assert recover(killed).rows == 0
    with Recording(killed) as recording:
        assert recording.attributes["frames_dropped"] is None
        assert [event.kind for event in recording.events] == ["stop"]


def test_rows_without_a_place_in_the_file_are_cut(tmp_path):
    """A flush writes lengths and chunks in any order: a row whose chunk is not known reads as nothing."""
    killed = unfinished(tmp_path, safe=40, recorder__movie="true", recorder__rows_per_chunk=4)
    with h5py.File(killed, "r+") as file:
        for name in (layout.TIME, layout.FRAME_INDEX, layout.MEANS, layout.MOVIE):
            file[name].resize(44, axis=0)  # makes room, but no chunk
        file[layout.MOVIE].resize(38, axis=0)
        file[layout.MOVIE].resize(44, axis=0)
    assert recover(killed).rows == 38
    with Recording(killed) as recording:
        assert recording.movie[:, 0, 0].tolist() == list(range(38))


def test_a_file_that_is_finished_stays_as_it_is(tmp_path):
    path = record_rows(tmp_path / "a.h5", [sample(row) for row in range(5)])
    before = path.read_bytes()
    assert recover(path).notes == ("it was finished already: nothing was changed",)
    assert path.read_bytes() == before


def test_an_empty_file_stays_empty(tmp_path):
    empty, table = tmp_path / "a.h5", tmp_path / "ttl.csv"
    empty.touch()
    table.write_text("time\n1\n")
    for change in (recover, lambda path: add(path, table, Wishes())):
        with pytest.raises(RecordingError, match=r"a\.h5 is empty, so it is not a recording"):
            change(empty)
    assert empty.stat().st_size == 0


def test_a_file_that_is_being_written_is_left_alone(tmp_path):
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(header())
    recorder.write(sample(0))
    recorder.flush()
    with pytest.raises(RecordingError, match="is open in another program"):
        recover(recorder.path)
    with pytest.raises(RecordingError, match="is open in another program"):
        recover(recorder.path, tmp_path / "b.h5")
    recorder.write(sample(1))
    recorder.close(STOPPED)
    with Recording(recorder.path) as recording:
        assert (recording.rows, recording.complete) == (2, True)


def test_a_file_that_somebody_reads_is_left_alone(tmp_path):
    killed = unfinished(tmp_path)
    with Recording(killed), pytest.raises(RecordingError, match="is open in another program"):
        recover(killed)


BESIDE = (".h5", ".draft", ".jsonl")


def half_flushed(folder, rows=40, safe=30, **more):
    """A recording killed when half the changes of its last flush were made: not all its rows count yet."""
    recorder, make = Recorder(folder / "a.h5"), draft.Guarded._make
    recorder.open(header(recorder__movie="true", recorder__rows_per_chunk=16, **more))

    def make_half(guard, changes):
        make(guard, changes[: len(changes) // 2])
        for suffix in BESIDE:
            shutil.copy(recorder.path.with_suffix(suffix), folder / f"killed{suffix}")
        make(guard, changes)

    for row in range(rows):
        recorder.write(sample(row))
        if row == safe - 1:
            recorder.flush()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft.Guarded, "_make", make_half)
        recorder.flush()
    recorder.close(STOPPED)
    return folder / "killed.h5"


def test_a_copy_has_the_rows_of_a_flush_that_was_cut_short(tmp_path):
    killed = half_flushed(tmp_path)
    before = [killed.with_suffix(suffix).read_bytes() for suffix in BESIDE]
    with h5py.File(killed) as file:
        assert len(file[layout.TIME]) < 40
    assert recover(killed, tmp_path / "b.h5").rows == 40
    assert [killed.with_suffix(suffix).read_bytes() for suffix in BESIDE] == before
    assert not (tmp_path / "b.draft").exists()
    recover(killed)
    check_same(contents(tmp_path / "b.h5"), contents(killed))


def test_a_copy_takes_no_name_under_which_another_flush_waits(tmp_path):
    killed, stale = half_flushed(tmp_path), tmp_path / "b.draft"
    shutil.copy(killed.with_suffix(".draft"), stale)
    with pytest.raises(RecordingError, match=r"b\.draft is there already, left of another b\.h5; give"):
        recover(killed, tmp_path / "b.h5")
    assert stale.exists()
    assert not (tmp_path / "b.h5").exists()


def test_a_copy_that_could_not_be_finished_is_not_left_behind(tmp_path, monkeypatch):
    killed = half_flushed(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_check", lambda *_: (_ for _ in ()).throw(OSError("the disk is gone")))
        with pytest.raises(RecordingError, match="the disk is gone"):
            recover(killed, tmp_path / "b.h5")
    assert recover(killed, tmp_path / "b.h5").rows == 40


def test_a_recording_cut_short_plays_every_row_that_it_tells_of(tmp_path):
    killed = half_flushed(tmp_path)
    with Recording(killed) as recording:
        assert recording.rows == 40
    source = open_source(str(killed), LiveSettings(Settings()))
    assert [int(frame.image[0, 0]) for frame in source.frames()] == list(range(40))
    source.close()


FOREIGN = r"killed\.draft holds changes of another file than killed\.h5.*move it away"


def test_changes_of_another_file_are_refused_and_it_reads_as_it_is(tmp_path):
    """A healthy recording got the name of one that a kill cut short."""
    killed = half_flushed(tmp_path)
    healthy = record_rows(tmp_path / "healthy.h5", [sample(row) for row in range(35)])
    healthy.replace(killed)
    before = [killed.with_suffix(suffix).read_bytes() for suffix in (".h5", ".draft")]
    with Recording(killed) as recording:
        assert (recording.complete, recording.rows) == (True, 35)
    with pytest.raises(RecordingError, match=FOREIGN):
        recover(killed)
    with pytest.raises(RecordingError, match=FOREIGN):
        recover(killed, tmp_path / "b.h5")
    assert [killed.with_suffix(suffix).read_bytes() for suffix in (".h5", ".draft")] == before
    assert not (tmp_path / "b.h5").exists()


def test_changes_of_the_same_file_at_another_time_are_refused(tmp_path):
    """It looks the same, but its last flush was made long ago: it was recovered under another name."""
    killed = half_flushed(tmp_path)
    recover(killed, tmp_path / "b.h5")
    (tmp_path / "b.h5").replace(killed)
    before = killed.read_bytes()
    with pytest.raises(RecordingError, match=FOREIGN):
        recover(killed)
    assert killed.read_bytes() == before


def test_a_change_that_was_torn_itself_is_finished(tmp_path):
    killed = half_flushed(tmp_path)
    changes = journals.read(killed.with_suffix(".draft"))
    change = next(one for one in reversed(changes) if sum(map(int.__ne__, one.data, one.before)) > 1)
    half = next(k for k, (a, b) in enumerate(zip(change.data, change.before, strict=True)) if a != b) + 1
    with killed.open("r+b") as raw:
        raw.seek(change.place)
        raw.write(change.data[:half])
    assert recover(killed).rows == 40


def of_an_earlier_version(journal):
    """Write a journal as it was written before it told what its changes replace."""
    parts = [change.place.to_bytes(8, "little") + len(change.data).to_bytes(8, "little") + change.data
             for change in journals.read(journal)]  # fmt: skip
    journal.write_bytes(journals.OLDER + b"".join(parts))


def test_changes_of_an_earlier_version_are_made_if_the_length_of_the_file_fits(tmp_path):
    killed = half_flushed(tmp_path)
    of_an_earlier_version(killed.with_suffix(".draft"))
    healthy = record_rows(tmp_path / "healthy.h5", [sample(row) for row in range(35)])
    shutil.copy(killed.with_suffix(".draft"), healthy.with_suffix(".draft"))
    before = healthy.read_bytes()
    with pytest.raises(RecordingError, match="holds changes of another file"):
        recover(healthy)
    assert healthy.read_bytes() == before
    assert recover(killed).rows == 40


@pytest.mark.parametrize("end", [-1, -20])
def test_half_a_journal_is_refused(tmp_path, end):
    killed = half_flushed(tmp_path)
    journal = killed.with_suffix(".draft")
    journal.write_bytes(journal.read_bytes()[:end])
    with pytest.raises(RecordingError, match=r"killed\.draft is damaged; move it away"):
        recover(killed)


def test_a_copy_is_finished_and_the_file_stays(tmp_path):
    killed = unfinished(tmp_path)
    before = killed.read_bytes()
    assert recover(killed, tmp_path / "b.h5").rows == 30
    assert killed.read_bytes() == before
    with Recording(tmp_path / "b.h5") as recording:
        assert recording.complete
    with pytest.raises(RecordingError, match="exists already"):
        recover(killed, tmp_path / "b.h5")


@pytest.mark.parametrize("step", ["_finish_cells", "_write_events", "_write_counts", "_check"])
def test_what_fails_on_the_way_changes_nothing(tmp_path, monkeypatch, step):
    killed = unfinished(tmp_path, cnmf__enabled="true")
    before = killed.read_bytes()

    def fails(*_):
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(module, step, fails)
        with pytest.raises(RecordingError, match="beyond repair and was not changed: the disk is gone"):
            recover(killed)
    assert killed.read_bytes()[: len(before)] == before
    assert recover(killed).rows == 30


KILLED_WHILE = """
import os, signal, sys
from pathlib import Path
from roi_core.offline.recover import recover
from roi_core import draft

class Kills:
    def __init__(self, raw): self.raw, self.left = raw, int(sys.argv[2])
    def __getattr__(self, name): return getattr(self.raw, name)
    def write(self, data):
        if self.left == 0: os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        count = self.raw.write(data); self.raw.flush(); return count

begin = draft.Draft.__init__
draft.Draft.__init__ = lambda self, raw: begin(self, Kills(raw))
if sys.argv[2] == "0":
    os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
recover(Path(sys.argv[1]))
"""


def test_a_recovery_that_is_killed_itself_is_finished_by_the_next(tmp_path):
    """At every write that changes the file, and just before the changes are agreed on."""
    done = unfinished(tmp_path, name="done.h5", recorder__movie="true")
    expected = recover(done) and contents(done)
    for number in range(100):
        killed = unfinished(tmp_path, name=f"{number}.h5", recorder__movie="true")
        command = [sys.executable, "-c", KILLED_WHILE, str(killed), str(number)]
        child = subprocess.run(
            command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
        )
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL, child.stderr
        recover(killed)
        check_same(contents(killed), expected)
    assert number > 3
