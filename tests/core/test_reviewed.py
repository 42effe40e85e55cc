"""A recording in the place of a session: everything that was measured can be looked at."""

import logging

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.cellring import ROWS
from roi_core.errors import RecorderError, RecordingError
from roi_core.frame import FinishReason, Summary
from roi_core.recording import Recording
from roi_core.reviewed import Reviewed
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session, State
from roi_core.settings import LiveSettings, Settings
from tests.core.test_recorder_cells import SHAPE, expected, record, samples
from tests.fakes import Ramp

MAPS = {"mean": np.arange(48, dtype=np.float32).reshape(SHAPE) * 10}


def reviewed(path):
    with Recording(path) as recording:
        return Reviewed(recording, LiveSettings(Settings()))


def timed(path, times):
    """Make a recording whose rows have these times."""
    record(path, samples(range(len(times))))
    with h5py.File(path, "r+") as file:
        file[layout.TIME][:, 0] = times
    return path


def steady(changes, rows=40):
    """Return times at 30 Hz, some of them changed."""
    times = np.arange(rows) / 30
    for row, time in changes.items():
        times[row] = time
    return times


@pytest.fixture
def cells(tmp_path):
    path = record(tmp_path / "a.h5", samples(range(70)), summary=Summary(FinishReason.COMPLETED, maps=MAPS))
    return reviewed(path)


def test_its_cells_and_their_traces_are_there(cells):
    snapshot = cells.snapshot()
    raw, calcium, spikes, _ = (each.astype(np.float32) for each in expected(70, range(1, 6)))
    assert snapshot.activity.ids == (2, 3, 4, 5), "what was merged is gone"
    assert snapshot.activity.components.ids.tolist() == [1, 2, 3, 4, 5]
    rows = snapshot.cells.since(0, (2, 5))
    assert rows.first == 0
    np.testing.assert_array_equal(rows.raw, raw[rows.first :, [1, 4]])
    np.testing.assert_array_equal(rows.calcium, calcium[rows.first :, [1, 4]])
    np.testing.assert_array_equal(rows.spikes, spikes[rows.first :, [1, 4]])
    assert snapshot.diary.head > 0
    assert snapshot.frames_seen == 70


def test_cells_of_a_long_recording_have_all_their_rows(tmp_path):
    rows = ROWS + 100
    past = reviewed(record(tmp_path / "a.h5", samples(range(rows)), every=1000))
    found = past.snapshot().cells.since(0, (2,), rows)
    assert (found.first, len(found.times)) == (0, rows)
    np.testing.assert_array_equal(found.raw[:, 0], expected(rows, range(1, 6))[0][:, 1].astype(np.float32))


def test_its_mean_picture_stands_for_the_frames(cells):
    shot = cells.snapshot().frames.latest()
    np.testing.assert_array_equal(shot.image, MAPS["mean"])
    np.testing.assert_array_equal(cells.pictures()["mean"], MAPS["mean"])


def test_its_regions_and_their_traces_are_there(tmp_path):
    rois = RoiSet().add(Circle(5, 5, 2, name="a")).add(Circle(9, 9, 3, name="b"))
    session = Session(Ramp(count=40), LiveSettings(Settings().with_value("roi.dff", True)), rois)
    path = session.record(tmp_path / "a.h5")
    session.start()
    session.wait()
    past = reviewed(path)
    snapshot = past.snapshot()
    assert [roi.name for roi in past.rois] == ["a", "b"]
    rows = snapshot.traces.since(0)
    assert rows.first == 0
    with Recording(path) as recording:
        np.testing.assert_array_equal(rows.raw, recording.means[rows.first :])
        np.testing.assert_array_equal(rows.dff, recording.dff[rows.first :])
        np.testing.assert_array_equal(rows.index, recording.frame_index[rows.first :])
    assert (snapshot.state, snapshot.reason) == (State.FINISHED, FinishReason.COMPLETED)
    assert snapshot.rate == pytest.approx(Ramp.rate, rel=1e-3)
    assert not snapshot.frames.latest().image.any(), "there was no summary picture"


def test_what_wants_to_measure_is_refused(cells, tmp_path):
    cells.start()
    cells.stop()
    assert cells.wait(1)
    with pytest.raises(RecorderError, match="connect again"):
        cells.record(tmp_path / "b.h5")
    cells.note("too late")
    cells.stop_recording()


def test_a_refinement_is_read_like_the_cells(tmp_path):
    path = record(tmp_path / "a.h5", samples(range(70)), summary=Summary(FinishReason.COMPLETED, maps=MAPS))
    with h5py.File(path, "r+") as file:
        group = file.create_group("copy")
        for name in file[layout.CNMF]:
            file.copy(f"{layout.CNMF}/{name}", group)
        group["raw"][:] = 7.0
        file.move("copy", layout.REFINED)
    with Recording(path) as recording:
        assert recording.refined.ids.tolist() == recording.cells.ids.tolist()
        assert (recording.refined.raw == 7.0).all()
        assert recording.refined.components(SHAPE).shape == SHAPE


def test_it_listens_to_nobodys_warnings(cells, tmp_path):
    before = list(logging.getLogger("roi_core").handlers)
    reviewed(cells.path)
    assert logging.getLogger("roi_core").handlers == before


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (np.zeros(40), "more than 8 rows from row 0 on have one time"),
        (np.r_[np.zeros(20), np.arange(20, 40) / 30], "more than 8 rows from row 0 on have one time"),
        (np.r_[np.arange(20) / 30, np.zeros(20)], "after row 19 its times go from 0.633333 s back to 0 s"),
        (steady({7: np.nan}), "row 7 has a time of nan s"),
        (steady({39: np.inf}), "row 39 has a time of inf s"),
        (steady({39: 1e200}), "row 39 has a time of 1e+200 s"),
        (steady({0: -1e200}), "row 0 has a time of -1e+200 s"),
        (np.frombuffer(np.random.default_rng(1).bytes(320)), " has a time of "),
    ],
    ids=["zeros", "zeros-first", "zeros-last", "nan", "inf", "far", "far-back", "random"],
)
def test_times_that_are_none_are_told(tmp_path, times, why):
    with pytest.raises(RecordingError, match="damaged") as told:
        reviewed(timed(tmp_path / "a.h5", times))
    assert "a.h5 is damaged: " in str(told.value)
    assert why in str(told.value)
    assert "times are seconds that rise from frame to frame; use an earlier copy" in str(told.value)


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([], 1.0),
        ([0.0], 1.0),
        ([0.0, 0.1], 10.0),
        ([0.0, 0.0], 1.0),
        (steady({8: 7 / 30, 9: 7 / 30}), 30.0),
        (np.repeat(np.arange(10) / 10, 4), 1.0),
    ],
    ids=["none", "one", "two", "two-alike", "some-alike", "most-alike"],
)
def test_times_as_cameras_give_them_are_shown(tmp_path, times, rate):
    snapshot = reviewed(timed(tmp_path / "a.h5", times)).snapshot()
    assert snapshot.rate == pytest.approx(rate)
    assert snapshot.frames_seen == len(times)
