"""The recorder: what is in the file, attribute by attribute, and what a bad end leaves behind."""

import json
import re
import shutil

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.errors import RecorderError, RecordingError
from roi_core.frame import Event, FinishReason, Header, Sample, Summary
from roi_core.recording import Recording
from roi_core.rois import Circle, Freehand, Polygon, RoiSet
from roi_core.settings import Settings
from roi_core.sinks import hdf5
from roi_core.sinks.hdf5 import Recorder

SHAPE = (6, 8)
ROIS = RoiSet().add(Circle(2, 2, 1, name="a")).add(Polygon(((1, 1), (5, 1), (5, 4)), name="b"))


def header(rois=ROIS, counter="camera", **values):
    settings = Settings().with_texts(
        "recorder.disk_reserve=1", *(f"{k.replace('__', '.')}={v}" for k, v in values.items())
    )
    return Header("fake", SHAPE, 50.0, counter, settings, rois)


def sample(row, rois=ROIS, index=None, events=(), dff=False, lost=0):
    means = np.array([10.0 * row + roi.id for roi in rois], np.float32)
    image = np.full(SHAPE, row, np.uint16)
    return Sample(row, row if index is None else index, 2.0 + row / 50, image, rois, rois.ids, means,
                  means / 2 if dff else None, tuple(events), lost=lost)  # fmt: skip


def record(path, samples, head=None, summary=None):
    recorder = Recorder(path)
    recorder.open(head or header())
    for each in samples:
        recorder.write(each)
    recorder.close(summary or Summary(FinishReason.COMPLETED))
    return recorder.path


def test_every_attribute_and_dataset(tmp_path):
    path = record(tmp_path / "a.h5", [sample(row) for row in range(500)])
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
        for name, length in layout.TEXT_BYTES.items():
            assert file.attrs.get_id(name).dtype == np.dtype(f"S{length}"), name
        assert all(re.fullmatch(r"[A-Za-z]\w{0,62}", name) for name in attributes)
        assert attributes["format"] == b"roi_stream"
        assert attributes["resolution"].tolist() == [8, 6]
        assert attributes["resolution"].dtype == np.int32
        for name in ("frames_seen", "frames_dropped", "rows"):
            assert attributes[name].dtype == np.uint64
        assert (attributes["frames_seen"], attributes["rows"], attributes["frames_dropped"]) == (500, 500, 0)
        assert attributes["elapsed_sec"] == pytest.approx(499 / 50)
        assert attributes["avg_fps"] == pytest.approx(50)
        assert attributes["frame_rate"] == 50.0
        assert attributes["finish_reason"] == b"completed"
        assert attributes["complete"] == 1
        stamp = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
        assert re.fullmatch(stamp, attributes["start_iso8601"])
        assert re.fullmatch(stamp, attributes["end_iso8601"])
        assert file["time"].shape == (500, 1)
        assert file["time"].chunks == (240, 1)
        assert np.all(np.diff(file["time"][:, 0]) > 0)
        assert file["time"][0, 0] == 0
        assert file["frame_index"][:].tolist() == list(range(500))
        assert file["roi/means"].dtype == np.float32
        assert file["roi/means"].maxshape == (None, None)
        assert file["roi/means"].chunks[0] == 240
        np.testing.assert_array_equal(file["roi/means"][:, 0], 10.0 * np.arange(500) + 1)
        assert file["roi/circles"][0].tolist() == [2, 2, 1]
        assert "dff" not in file["roi"]
        assert "movie" not in file
        assert json.loads(file["roi/shapes"][1])["kind"] == "polygon"
        assert Settings.loads(file["settings"][()].decode()) == header().settings


def test_the_movie_is_the_pixels(tmp_path):
    path = record(tmp_path / "a.h5", [sample(row) for row in range(20)], header(recorder__movie="true"))
    with Recording(path) as recording:
        assert recording.movie.chunks == (1, *SHAPE)
        assert recording.movie.dtype == np.uint16
        np.testing.assert_array_equal(recording.movie[:], np.arange(20)[:, None, None] * np.ones(SHAPE))


def test_regions_come_go_and_change_while_recording(tmp_path):
    third = ROIS.add(Circle(4, 4, 1, name="c"))
    moved = third.replace(third[1].moved(1, 0)).remove(2)
    sets = [ROIS, third, moved]
    path = record(tmp_path / "a.h5", [sample(row, sets[row // 10], index=100 + row) for row in range(30)])
    with Recording(path) as recording:
        assert recording.means.shape == (30, 3)
        assert np.isfinite(recording.means).sum(axis=0).tolist() == [30, 20, 20]
        assert np.isnan(recording.means[:10, 2]).all()
        assert np.isnan(recording.means[20:, 1]).all()
        first, second, last = recording.shapes
        assert [version["frame"] for version in first["versions"]] == [-1, 120]
        assert second["removed"] == 120
        assert last["versions"][0]["frame"] == 110
        assert recording.circles[0].tolist() == [3, 2, 1]
        assert recording.rois == moved
        assert recording.names == ["a", "b", "c"]


def test_many_regions_added_one_by_one(tmp_path):
    rois, samples = RoiSet(), []
    for row in range(40):
        rois = rois.add(Circle(row % 8, 2, 1))
        samples.append(sample(row, rois))
    path = record(tmp_path / "a.h5", samples, header(RoiSet()))
    with Recording(path) as recording:
        np.testing.assert_array_equal(np.isfinite(recording.means).sum(axis=0), np.arange(40, 0, -1))


def test_a_long_drag_keeps_every_version_and_a_small_file(tmp_path):
    outline = tuple((4 + 3 * np.cos(a), 3 + 2 * np.sin(a)) for a in np.linspace(0, 6.2, 500))
    rois, samples = RoiSet().add(Freehand(outline)), []
    for row in range(200):
        rois = rois.replace(rois[1].moved(0.01, 0))
        samples.append(sample(row, rois))
    path = record(tmp_path / "a.h5", samples, header(rois, recorder__rows_per_chunk=50))
    with Recording(path) as recording:
        assert [version["frame"] for version in recording.shapes[0]["versions"]] == [-1, *range(200)]
    assert path.stat().st_size < 40e6


def test_dff_is_there_when_enabled_and_states_its_baseline(tmp_path):
    path = record(tmp_path / "a.h5", [sample(r, dff=True) for r in range(5)], header(roi__dff="true"))
    with Recording(path) as recording:
        np.testing.assert_array_equal(recording.dff, recording.means / 2)
    with h5py.File(path) as file:
        assert b"running 8 % percentile of the last 30 s" in file["roi/dff"].attrs["baseline"]


def test_dff_switched_on_late_is_nan_before(tmp_path):
    path = record(tmp_path / "a.h5", [sample(row, dff=row >= 300) for row in range(400)])
    with Recording(path) as recording:
        assert np.isnan(recording.dff[:300]).all()
        assert np.isfinite(recording.dff[300:]).all()


def test_events_are_in_the_file_and_in_the_journal(tmp_path):
    note = Event(2.1, 5, "note", {"text": "licked → rewarded"})
    path = record(tmp_path / "a.h5", [sample(row, events=[note] if row == 5 else []) for row in range(9)])
    with Recording(path) as recording:
        assert [event.kind for event in recording.events] == ["start", "note", "stop"]
        assert recording.events[1].data == note.data
        assert recording.events[1].time == pytest.approx(0.1)
    lines = [json.loads(line) for line in path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines] == ["start", "note", "stop"]
    assert lines[1] == {"time": 0.1, "frame": 5, "kind": "note", "data": note.data}


@pytest.mark.parametrize(("counter", "lost", "told"), [("camera", 3, 3), ("unknown", None, None)])
def test_losses_are_counted_or_unknown(tmp_path, counter, lost, told):
    rows = [sample(0, lost=0), sample(1, index=4, lost=lost)]
    with Recording(record(tmp_path / "a.h5", rows, header(counter=counter))) as recording:
        assert recording.attributes["frames_dropped"] == told
        assert recording.attributes["loss_basis"] == counter


def test_a_kind_of_event_that_a_file_would_cut_short_is_a_mistake():
    assert Event(0.0, 1, "k" * 16).kind == "k" * 16
    with pytest.raises(ValueError, match="16 letters"):
        Event(0.0, 1, "k" * 17)


def test_losses_before_the_first_row_are_not_this_recordings(tmp_path):
    with Recording(record(tmp_path / "a.h5", [sample(0, lost=7), sample(1)])) as recording:
        assert recording.attributes["frames_dropped"] == 0


def test_an_existing_recording_is_never_overwritten(tmp_path):
    names = [record(tmp_path / "a.h5", [sample(0)]).name for _ in range(3)]
    assert names == ["a.h5", "a_2.h5", "a_3.h5"]


def test_nothing_recorded_is_a_whole_file_too(tmp_path):
    with Recording(record(tmp_path / "a.h5", [])) as recording:
        assert (recording.rows, recording.complete, recording.means.shape) == (0, True, (0, 2))


def test_an_unfinished_file_opens_and_says_so(tmp_path):
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(header(recorder__movie="true"))
    for row in range(300):
        recorder.write(sample(row))
    recorder.flush()
    recorder.write(sample(300))
    copy = tmp_path / "copy.h5"
    copy.write_bytes(recorder.path.read_bytes())
    recorder.close(Summary(FinishReason.STOPPED))
    with Recording(copy) as recording:
        assert (recording.complete, recording.rows) == (False, 300)
        assert recording.attributes["finish_reason"] == "recording"
        np.testing.assert_array_equal(recording.means[:, 0], 10.0 * np.arange(300) + 1)


def test_closing_twice_is_once(tmp_path):
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(header())
    recorder.close(Summary(FinishReason.FAILED, "why"))
    recorder.close(Summary(FinishReason.COMPLETED))
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.attributes["finish_reason"] == "failed: why"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecorderError, match=r"cannot write .*a\.h5: "):
        Recorder(tmp_path / "file" / "a.h5").open(header())


def test_too_little_disk_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(RecorderError, match=r"recorder\.disk_reserve = 1e\+06 MB; nothing was started"):
        Recorder(tmp_path / "a.h5").open(header(recorder__disk_reserve="1000000"))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_with_room_only_for_what_is_held_back_is_refused_before_anything_is_made(
    tmp_path, monkeypatch
):
    usage = shutil.disk_usage(tmp_path)
    left = iter([3_000_000, 900_000])  # before and after `reserve`
    monkeypatch.setattr(hdf5.shutil, "disk_usage", lambda _: usage._replace(free=next(left)))
    monkeypatch.setattr(Recorder, "_claim", lambda _: pytest.fail("a file is made"))
    recorder = Recorder(tmp_path / "a.h5")
    with pytest.raises(RecorderError, match=r"recorder\.disk_reserve = 1 MB; nothing was started"):
        recorder.open(header())
    assert recorder._reserve.closed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not hdf5 at all", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_reading_something_else_is_one_sentence(tmp_path, content):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.h5 cannot be opened: it is not an HDF5 file"):
        Recording(tmp_path / "a.h5")


def test_reading_a_foreign_hdf5_file_is_one_sentence(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(RecordingError, match="is not a recording: its format is 'None'"):
        Recording(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = np.bytes_(b"roi_stream")
    with pytest.raises(RecordingError, match="is not a recording: /time is missing"):
        Recording(tmp_path / "a.h5")
    with pytest.raises(RecordingError, match=r"none\.h5 is not there"):
        Recording(tmp_path / "none.h5")
