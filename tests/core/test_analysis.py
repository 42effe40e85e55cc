"""Motion correction and cell finding in a session: on, off, in the making and broken, never in the way."""

import h5py
import numpy as np
import pytest

from roi_core import layout, take
from roi_core.analysis import NOTHING, Analysis
from roi_core.doubts import Doubts
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.stages import STAGES, Stage
from tests.core.test_recorder_cells import expected
from tests.core.test_session import live, wait_for
from tests.fakes import Ramp, SlowToMake, Stepped, fake_stages

SHAPE = (17, 21)
ROIS = RoiSet().add(Circle(8, 8, 2, name="a"))
ON = ("motion.enabled=true", "cnmf.enabled=true")
CELLS = ("cnmf.enabled=true",)


@pytest.fixture(autouse=True)
def _fakes():
    # a patch of its own, undone after that of the test: else the test's would put the fakes back for good
    with pytest.MonkeyPatch.context() as patch, fake_stages(patch):
        yield


def film(source, path, *texts, rois=ROIS):
    session = Session(source, live(*texts), rois)
    session.record(path, essential=True)
    session.start()
    session.wait()
    return session


def kinds(recording, *wanted):
    return [(event.kind, event.data) for event in recording.events if event.kind in wanted]


class Steps:
    """An analysis asked row by row."""

    def __init__(self, *texts, inline=True):
        self.analysis = Analysis(SHAPE, 100.0, inline)
        self.settings = Settings().with_texts(*texts)
        self.row = 0

    def __call__(self, value=1, **settings):
        for path, setting in settings.items():
            self.settings = self.settings.with_value(path.replace("__", "."), setting)
        image = np.full(SHAPE, value, np.uint16)
        seen = self.analysis.step(self.row, self.row / 100, image, self.settings, ROIS)
        self.row += 1
        return seen


def test_off_is_nothing_and_makes_nothing():
    steps = Steps()
    assert steps() is NOTHING
    assert steps.analysis._prepare.now is None
    assert steps.analysis.maps() == {}
    steps.analysis.close()


def test_everything_found_is_in_the_recording(tmp_path):
    session = film(Ramp(100, SHAPE), tmp_path / "a.h5", *ON)
    with Recording(tmp_path / "a.h5") as recording:
        cells = recording.cells
        assert cells.ids.tolist() == [1, 2, 3, 4, 5]
        raw, calcium, _, causal = (each.astype(np.float32) for each in expected(100, range(1, 6)))
        np.testing.assert_array_equal(cells.raw, raw)
        np.testing.assert_array_equal(cells.spikes_causal, causal)
        # the last rows were refined when the session ended
        calcium[97:, 1:] += 0.25
        np.testing.assert_array_equal(cells.calcium, calcium)
        assert [data["id"] for _, data in kinds(recording, "birth")] == [1, 2, 3, 4, 5]
        assert kinds(recording, "merge") == [("merge", {"id": 1, "into": 2})]
        # px of the analysed picture are two of the camera
        np.testing.assert_array_equal(recording.shifts, np.broadcast_to([2, -4], (100, 2)))
        assert sorted(recording.maps) == ["activity", "correlation", "max", "mean", "std"]
        mean = recording.maps["mean"]
        assert mean.shape == SHAPE
        assert np.isnan(mean[0]).all()
        assert np.isnan(mean[:, 0]).all()
        assert mean[1:, 1:] == pytest.approx(49.5)
    snapshot = session.snapshot()
    assert (snapshot.shift, snapshot.confidence, snapshot.flag) == ((2, -4), 0.9, "")
    assert snapshot.activity.components.ids.tolist() == [1, 2, 3, 4, 5]
    rows = snapshot.cells.since(0, [2, 5])
    np.testing.assert_array_equal(rows.raw[50:, 1], 5000 + np.arange(50, 100))
    assert np.isnan(rows.raw[:20]).all()


def test_it_is_finished_though_nobody_waits_and_no_frame_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(take, "PATIENCE", 0.01)
    source = Stepped(count=90, shape=SHAPE)
    session = Session(source, live(*CELLS), ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(40)
    wait_for(lambda: session.snapshot().frames_seen == 40)
    session.stop_recording(wait=False)
    wait_for(lambda: not session.snapshot().recording.closing)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 40)
    session.stop()
    session.wait()


@pytest.mark.parametrize("more", [1, 2, 3, 9])
def test_a_recording_that_ends_in_mid_session_waits_for_its_last_rows_to_settle(tmp_path, monkeypatch, more):
    monkeypatch.setattr(take, "PATIENCE", 60)
    source = Stepped(count=90, shape=SHAPE)
    session = Session(source, live(*CELLS), ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(40)
    wait_for(lambda: session.snapshot().frames_seen == 40)
    session.stop_recording(wait=False)
    source.step(more)
    wait_for(lambda: session.snapshot().frames_seen == 40 + more)
    wait_for(lambda: session.snapshot().recording.rows == 40)
    path = session.record(tmp_path / "b.h5")
    source.step(10)
    wait_for(lambda: session.snapshot().recording.rows == 10)
    session.stop()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording, Recording(path) as other:
        assert (recording.rows, recording.complete, other.rows) == (40, True, 10)
        assert recording.attributes["finish_reason"] == "stopped"
        assert not [event for event in recording.events if event.frame > 39]
        for values in (recording.cells.calcium[:, 0], recording.cells.spikes[:, 0]):
            assert set((values[10:] % 1).tolist()) == {0.5}
        assert other.cells.ids.tolist()[:3] == [1, 2, 3]


def test_the_end_of_a_recording_does_not_wait_for_ever(tmp_path, monkeypatch):
    """No frame comes after its last one: the file is finished all the same, causal values at its end."""
    monkeypatch.setattr(take, "PATIENCE", 0.01)
    source = Stepped(count=90, shape=SHAPE)
    session = Session(source, live(*CELLS), ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(40)
    wait_for(lambda: session.snapshot().frames_seen == 40)
    session.stop_recording()
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.complete
        assert (recording.cells.calcium[:, 0] % 1).tolist()[-4:] == [0.5, 0.25, 0.25, 0.25]
    session.stop()
    session.wait()


def test_cells_that_are_switched_off_end_the_wait(tmp_path):
    source, settings = Stepped(count=90, shape=SHAPE), live(*CELLS)
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(40)
    wait_for(lambda: session.snapshot().frames_seen == 40)
    session.stop_recording(wait=False)
    settings.edit("cnmf.enabled", False)
    source.step(1)
    wait_for(lambda: not session.snapshot().recording.closing)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.complete) == (40, True)
    session.stop()
    session.wait()


def test_regions_follow_the_tissue_in_a_session(tmp_path):
    class Slope(Ramp):
        def image(self, index):
            return np.broadcast_to(np.arange(self.shape[1], dtype=np.uint16) * 10, self.shape).copy()

    film(Slope(20, SHAPE), tmp_path / "still.h5")
    film(Slope(20, SHAPE), tmp_path / "moved.h5", "motion.enabled=true")
    with Recording(tmp_path / "still.h5") as still, Recording(tmp_path / "moved.h5") as moved:
        np.testing.assert_array_equal(still.means, 80)
        np.testing.assert_array_equal(moved.means, 120)
        assert moved.cells is None


def test_a_stage_switched_off_and_on_again(tmp_path):
    source, settings = Stepped(count=60, shape=SHAPE), live(*ON)
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5")
    session.start()
    for frames, edit in ((25, ("cnmf.enabled", False)), (10, ("cnmf.enabled", True)), (25, None)):
        seen = session.snapshot().frames_seen
        source.step(frames)
        wait_for(lambda wanted=seen + frames: session.snapshot().frames_seen == wanted)
        # stages of a camera are made aside: here they take no time, so each is there for the first frame
        if edit:
            settings.edit(*edit)
    session.stop()
    session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        raw, ids = recording.cells.raw, recording.cells.ids.tolist()
        assert len(set(ids)) == len(ids)
        off = np.flatnonzero(np.isnan(raw[:, 0]) & (np.arange(60) >= 25))
        assert set(range(25, 35)) <= set(off.tolist())
        assert np.isfinite(raw[40:, 0]).all()
        np.testing.assert_array_equal(np.isfinite(recording.means), True)


@pytest.mark.parametrize(
    ("name", "text", "lost"), [("FailsOnce", "it is tried again", 1), ("FailsTwice", "it begins anew", 2)]
)
def test_a_failure_costs_its_row_only(tmp_path, monkeypatch, caplog, name, text, lost):
    with fake_stages(monkeypatch, cnmf=name):
        film(Ramp(100, SHAPE), tmp_path / "a.h5", *CELLS)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.complete) == (100, True)
        np.testing.assert_array_equal(recording.means[:, 0], np.arange(100))
        told = kinds(recording, "alert")
        assert len(told) == lost
        assert told[-1][1] == {
            "stage": "cnmf",
            "text": "ZeroDivisionError: a bug in the demixing",
            "then": text,
        }
        ids = recording.cells.ids.tolist()
        assert len(set(ids)) == len(ids)
        assert np.isnan(recording.cells.raw[25]).all()
        if lost == 1:
            assert np.isfinite(recording.cells.raw[26:60, 0]).all()
        else:
            assert max(ids) > 3
            assert np.isnan(recording.cells.raw[30:, 0]).all()
    assert "cnmf failed, it is tried again: ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("name", ["FailsAlways", "CannotBeMade"])
def test_what_always_fails_is_off_for_the_session(tmp_path, monkeypatch, name):
    with fake_stages(monkeypatch, cnmf=name):
        film(Ramp(100, SHAPE), tmp_path / "a.h5", *ON)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.complete) == (100, True)
        assert recording.attributes["finish_reason"] == "completed"
        told = kinds(recording, "alert")
        assert len(told) == 3
        assert told[-1][1]["then"] == "it is off for this session"
        assert np.isfinite(recording.shifts).all()
        assert kinds(recording, "warning")


def test_cells_go_on_without_a_broken_motion_correction(tmp_path, monkeypatch):
    with fake_stages(monkeypatch, motion="BadMotion"):
        film(Ramp(100, SHAPE), tmp_path / "a.h5", *ON)
    with Recording(tmp_path / "a.h5") as recording:
        assert np.isnan(recording.shifts).all()
        assert [data["stage"] for _, data in kinds(recording, "alert")] == ["motion"] * 3
        assert recording.cells.count == 5


def test_a_stage_that_is_not_there_is_an_alert(tmp_path, monkeypatch):
    monkeypatch.setitem(STAGES, "prepare", "roi_core.no_such_module:Prepare")
    film(Ramp(10, SHAPE), tmp_path / "a.h5", *ON)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.cells.count) == (10, 0)
        assert np.isnan(recording.shifts).all()
        assert "No module named" in kinds(recording, "alert")[0][1]["text"]


def test_frames_flow_while_a_stage_is_made(tmp_path, monkeypatch):
    SlowToMake.go.clear()
    with fake_stages(monkeypatch, cnmf="SlowToMake"):
        source, settings = Stepped(count=60, shape=SHAPE), live()
        session = Session(source, settings, ROIS)
        session.record(tmp_path / "a.h5")
        session.start()
        source.step(5)
        wait_for(lambda: session.snapshot().frames_seen == 5)
        settings.edit("cnmf.enabled", True)
        source.step(20)
        wait_for(lambda: session.snapshot().frames_seen == 25)
        assert session.snapshot().activity is None
        SlowToMake.go.set()
        for frame in range(26, 61):
            source.step(1)
            wait_for(lambda wanted=frame: session.snapshot().frames_seen == wanted)
            if session.snapshot().activity is not None:
                break
        assert session.snapshot().activity is not None
        session.stop()
        session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        np.testing.assert_array_equal(recording.means[:25, 0], np.arange(25))


def test_a_session_that_ends_while_a_stage_is_made_closes_it(monkeypatch):
    SlowToMake.go.clear()
    with fake_stages(monkeypatch, cnmf="SlowToMake"):
        source = Stepped(count=60, shape=SHAPE)
        session = Session(source, live(), ROIS)
        session.start()
        source.step(5)
        wait_for(lambda: session.snapshot().frames_seen == 5)
        session.settings.edit("cnmf.enabled", True)
        source.step(20)
        wait_for(lambda: session.snapshot().frames_seen == 25)
        session.stop()
        SlowToMake.go.set()
        session.wait()


def test_the_first_frame_of_a_camera_already_has_its_stages():
    source = Stepped(count=9, shape=SHAPE)
    session = Session(source, live(*ON), ROIS)
    session.start()
    source.step(1)
    wait_for(lambda: session.snapshot().frames_seen == 1)
    assert session.snapshot().activity is not None
    assert session.snapshot().shift == (2, -4)
    session.stop()
    session.wait()


def test_finder_of_cells_knows_what_it_is_given():
    steps = Steps(*ON)
    steps(4)
    finder = steps.analysis._cells.now
    assert (finder.shape, finder.origin, finder.bin, finder.input.shape) == (SHAPE, (1, 1), 2, (8, 10))
    assert finder.seen == [4.0]
    assert finder.shift == (1.0, -2.0)
    assert finder.inline
    steps.analysis.close()
    assert finder.closed


def test_jumps_are_told_once_an_episode():
    steps = Steps("motion.enabled=true")
    values = [1] * 10 + [7] * 5 + [1] * 20 + [7] * 3 + [1] * 150 + [7] * 2
    told = [(row, *news) for row, value in enumerate(values) for news in steps(value).news]
    assert told == [
        (10, "motion_jump", {"state": "begin"}),
        (137, "motion_jump", {"state": "end", "frames": 8, "seconds": 0.27}),
        (188, "motion_jump", {"state": "begin"}),
    ]
    assert steps(7).flag == "jump"
    steps.analysis.close()


def test_doubts_of_two_kinds_are_two_episodes():
    doubts = Doubts()
    told = [doubts.step(flag, time) for time, flag in enumerate(["jump", "unsure", "", "", ""])]
    assert [[kind for kind, _ in each] for each in told] == [
        ["motion_jump"],
        ["motion_jump", "motion_unsure"],
        ["motion_unsure"],
        [],
        [],
    ]


def test_pictures_of_each_stage_lie_on_the_camera():
    steps = Steps(*ON)
    for _ in range(5):
        steps(3)
    pictures = steps.analysis.pictures()
    assert {"template", "mean", "max", "correlation"} <= set(pictures)
    assert {picture.shape for picture in pictures.values()} == {SHAPE}
    assert np.nanmin(pictures["template"]) == np.nanmax(pictures["template"]) == 5
    steps.analysis.close()


def test_failures_long_ago_are_forgiven():
    class Works:
        pass

    stage = Stage("test", Works, inline=True)

    def fail(_):
        raise ValueError

    for _ in range(5):
        assert stage.at_work(True)
        stage.run(fail)
        for _ in range(Stage.FORGIVEN):
            assert stage.at_work(True)
            stage.run(bool)
    assert not stage.broken
    stage.close()


def test_two_runs_of_a_file_are_the_same_to_the_bit(tmp_path):
    def arrays(path):
        found = {}
        with h5py.File(path) as file:
            file.visititems(
                lambda name, node: found.update({name: node[()]}) if hasattr(node, "shape") else None
            )
        return {name: value for name, value in found.items() if name not in ("settings", "events")}

    for name in ("a.h5", "b.h5"):
        film(Ramp(80, SHAPE), tmp_path / name, *ON)
    one, two = arrays(tmp_path / "a.h5"), arrays(tmp_path / "b.h5")
    assert one.keys() == two.keys()
    assert layout.CALCIUM[1:] in one
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_numbers_of_numpy_in_an_event_do_not_hurt(tmp_path, monkeypatch):
    from tests.fakes import FakeCells

    plain = FakeCells._activity
    events = (("birth", {"id": np.int64(3), "centre": np.array([1.0, 2.0]), "why": ValueError("x")}),)

    def activity(self, row, past, _events):
        return plain(self, row, past, events if row == 5 else [])

    monkeypatch.setattr(FakeCells, "_activity", activity)
    film(Ramp(10, SHAPE), tmp_path / "a.h5", *CELLS)
    with Recording(tmp_path / "a.h5") as recording:
        assert kinds(recording, "birth") == [("birth", {"id": 3, "centre": [1, 2], "why": "x"})]


def test_settings_that_are_off_leave_the_file_as_it_was(tmp_path):
    film(Ramp(30, SHAPE), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert sorted(file) == ["accounting", "events", "frame_index", "roi", "session", "settings", "time"]
    assert LiveSettings().current.cnmf.enabled is False


def test_the_real_prepare_and_motion(tmp_path, monkeypatch):
    """A drifting picture, through the stages as they are; the cells are still the fake's."""
    random = np.random.default_rng(0)
    scene = np.kron(random.gamma(1, 2000, (30, 34)), np.ones((4, 4)))
    kernel = np.hanning(7) / np.hanning(7).sum()
    for axis in (0, 1):
        scene = np.apply_along_axis(np.convolve, axis, scene, kernel, mode="same")
    path = np.cumsum(random.integers(-1, 2, (60, 2)), axis=0).clip(-5, 5)
    path[0] = 0

    class Drift(Ramp):
        def image(self, index):
            y, x = 10 + path[index]
            return scene[y : y + 96, x : x + 112].astype(np.uint16)

    monkeypatch.setitem(STAGES, "prepare", "roi_core.prepare:Prepare")
    monkeypatch.setitem(STAGES, "motion", "roi_core.motion:Motion")
    rois = RoiSet().add(Circle(50, 50, 6))
    film(Drift(60, (96, 112)), tmp_path / "a.h5", *ON, rois=rois)
    with Recording(tmp_path / "a.h5") as recording:
        assert not kinds(recording, "alert", "warning")
        np.testing.assert_allclose(recording.shifts, path, atol=0.2)
        # what is drawn stays on the tissue: its mean does not change with the drift
        assert np.ptp(recording.means) < 1e-3 * recording.means.mean()


def test_a_crop_that_cannot_be_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setitem(STAGES, "prepare", "roi_core.prepare:Prepare")
    film(Ramp(10, SHAPE), tmp_path / "a.h5", *ON, "prepare.crop=0,0,500,500")
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.rows == 10
        (alert,) = kinds(recording, "alert")
        assert alert[1]["then"] == "it is off for this session"
        assert alert[1]["text"].startswith("prepare.crop = '0,0,500,500'")


def test_a_cameras_first_frame_does_not_wait_for_a_compiler(monkeypatch):
    import roi_core.analysis

    SlowToMake.go.clear()
    monkeypatch.setattr(roi_core.analysis, "PATIENCE", 0.01)
    with fake_stages(monkeypatch, cnmf="SlowToMake"):
        steps = Steps(*CELLS, inline=False)
        steps.analysis.begin(steps.settings)
        while (maker := steps.analysis._cells._maker) is None:  # the stages before it may take a moment
            assert steps().activity is None
        SlowToMake.go.set()
        maker.join()
        assert steps().activity is not None
        steps.analysis.close()


def test_what_is_not_in_its_place_or_was_seen_already_is_not_to_be_trusted(monkeypatch):
    monkeypatch.setattr("roi_core.doubts.UNMOVED", 0.05)
    steps = Steps(*ON)

    def trusted(value, **settings):
        steps(value, **settings)
        return steps.analysis._cells.now.doubt is None

    assert trusted(1)
    assert not trusted(1), "the camera hangs"
    assert trusted(2)
    assert not trusted(7), "a jump"
    assert trusted(2)
    off = [trusted(k, motion__enabled=False) for k in range(10, 20)]
    assert off == [False] * 5 + [True] * 5, "0.05 s at 100 Hz"
    assert trusted(3, motion__enabled=True)
    steps.analysis.close()
    alone = Steps(*CELLS)
    alone(1)
    assert alone.analysis._cells.now.doubt is None, "motion correction was never on"
    alone.analysis.close()
