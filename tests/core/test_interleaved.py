"""A whole session in two colours: from the camera to per-channel traces, with losses and slips."""

import csv
import json
import logging
from itertools import islice

import h5py
import numpy as np
import pytest

from roi_core.cli import main
from roi_core.errors import RecordingError
from roi_core.export import export
from roi_core.figures import METRICS
from roi_core.frame import Frame
from roi_core.offline.recover import recover
from roi_core.photometry import correct
from roi_core.recording import Recording
from roi_core.reviewed import Reviewed
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source
from roi_core.sources.simulated import Simulated
from tests.fakes import Ramp, fake_stages

TWO = ("channels.order=470,415", "channels.reference=415", "recorder.disk_reserve=1")


class Two(Ramp):
    """Bright and dim frames in turn, as ``light`` says; the camera counts those it knows of."""

    def __init__(self, light, **more):
        self.light = list(light)
        super().__init__(**{"count": len(self.light)} | more)

    def frames(self):
        for frame, light in zip(super().frames(), self.light, strict=True):
            image = frame.image
            image[:] = (1000, 800)[light % 2] + np.arange(image.size).reshape(image.shape) % 7 + light % 3
            yield Frame(image, frame.index, frame.time)


class Leaky:
    """A source that loses frames, counted or not."""

    live, counter = False, "camera"

    def __init__(self, source, lost, counted):
        self.name, self.shape, self.rate = source.name, source.shape, source.rate
        self._source, self._lost, self._counted = source, lost, counted

    def frames(self):
        kept = (frame for frame in self._source.frames() if frame.index not in self._lost)
        for number, frame in enumerate(kept):
            yield frame if self._counted else Frame(frame.image, number, number / self.rate)

    def close(self):
        self._source.close()


def run(source, path, *texts, rois=None):
    rois = rois or RoiSet([Circle(8, 8, 4, name="a")])
    session = Session(source, LiveSettings(Settings().with_texts(*TWO, *texts)), rois)
    session.record(path, essential=True)
    session.start()
    session.wait()
    return session


def test_each_row_says_which_channel_it_shows(tmp_path):
    session = run(Two(range(60)), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["channel"].dtype == np.uint8
        assert list(file["channel"].attrs["names"]) == [b"470", b"415"]
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.channel.tolist() == [0, 1] * 30
        assert recording.channel_names == ("470", "415")
        time, means = recording.means_of("415")
        np.testing.assert_allclose(time, np.arange(1, 60, 2) / 100)
        assert means.shape == (30, 1)
        assert (abs(means - 804) < 4).all()
        np.testing.assert_array_equal(recording.means_of(0)[1][:, 0], recording.means[::2, 0])
        with pytest.raises(RecordingError, match="no channel '488'; its channels are 470, 415"):
            recording.means_of("488")
    # the window sees the main channel only
    rows = session.snapshot().traces.since(0)
    assert rows.index.tolist() == list(range(0, 60, 2))
    assert session.frames.latest().index == 58


def test_without_channels_there_is_no_such_thing_in_the_file(tmp_path):
    run(Ramp(5), tmp_path / "a.h5", "channels.reference=", "channels.order=")
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.channel is None
        assert recording.channel_names == ()
        with pytest.raises(RecordingError, match="one only, without a name"):
            recording.means_of(0)


def test_exports_tell_the_channel(tmp_path):
    run(Two(range(6)), tmp_path / "a.h5")
    lines = export(tmp_path / "a.h5", "csv").read_text().splitlines()
    assert lines[0] == "time_s,frame_index,channel,a"
    assert [line.split(",")[2] for line in lines[1:]] == ["470", "415"] * 3
    with h5py.File(export(tmp_path / "a.h5", "matlab")) as file:
        assert file["channel"][:].tolist() == [[0, 1, 0, 1, 0, 1]]
        assert list(file["channel"].attrs["names"]) == [b"470", b"415"]


def test_a_channel_without_a_name_is_damage(tmp_path):
    run(Two(range(6)), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["channel"][3] = 200
    with Recording(tmp_path / "a.h5") as recording, pytest.raises(RecordingError, match="channel 200"):
        recording.means_of("470")


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_frames_that_are_counted_swap_nothing(tmp_path, lost):
    there = [*range(101), *range(101 + lost, 200)]
    run(Two(there, indices=there), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.means[:, 0] > 900).tolist() == (recording.channel == 0).tolist()
        assert not [event for event in recording.events if event.kind == "channels"]


@pytest.mark.parametrize("follow", [True, False])
def test_a_slip_is_put_right_or_told(tmp_path, follow, caplog):
    caplog.set_level(logging.WARNING)
    light = [*range(101), *range(102, 301)]
    run(Two(light), tmp_path / "a.h5", f"channels.follow={follow}")
    with Recording(tmp_path / "a.h5") as recording:
        told = [event for event in recording.events if event.kind == "channels"]
        assert [(event.data["since"], event.data["followed"]) for event in told] == [(101, follow)]
        assert told[0].frame < 120
        right = recording.channel == np.array(light) % 2
        assert right[:101].all()
        assert right[told[0].frame :].all() == follow
        # whatever was recorded, what is read back is right or left out
        for name, bright in (("470", True), ("415", False)):
            time, means = recording.means_of(name)
            assert ((means[:, 0] > 900) == bright).all()
            assert len(time) > 120
    # as is what the exports say that do not carry the events
    with export(tmp_path / "a.h5", "csv").open(encoding="utf-8") as file:
        lines = [(row["channel"], float(row["a"]) > 900) for row in csv.DictReader(file)]
    assert {line for line in lines if line[0]} == {("470", True), ("415", False)}
    with h5py.File(export(tmp_path / "a.h5", "matlab")) as file:
        names = {0: "470", 1: "415", 255: ""}
        assert [names[number] for number in file["channel"][0].tolist()] == [name for name, _ in lines]
    assert "the light has slipped" in caplog.text


SLIPPED = np.delete(np.arange(320), 150)
"""What each frame shows when one was lost and not counted."""


def judged(path, light):
    """Return how many rows are read as another channel than they show, and how many are left out."""
    with Recording(path) as recording:
        rows = [recording.rows_of(number) for number in (0, 1)]
        shows = [light[recording.frame_index[each]] % 2 for each in rows]
        wrong = int((shows[0] != 0).sum() + (shows[1] != 1).sum())
        return wrong, recording.rows - sum(map(len, rows))


class During(Two):
    """Does something just before a frame."""

    def __init__(self, light, at, act):
        super().__init__(light)
        self._at, self._act = at, act

    def frames(self):
        for frame in super().frames():
            if frame.index == self._at:
                self._act()
            yield frame


@pytest.mark.parametrize("follow", [True, False])
def test_every_part_knows_of_a_slip_before_it(tmp_path, follow):
    run(Two(SLIPPED), tmp_path / "a.h5", f"channels.follow={follow}", "recorder.split_minutes=0.0001")
    paths = [tmp_path / "a.h5", *(tmp_path / f"a_part{n}.h5" for n in (2, 3, 4))]
    assert [judged(path, SLIPPED) for path in paths] == [(0, 0), (0, 9), (0, 0), (0, 0)]
    with h5py.File(paths[2]) as file:
        assert file["channel"].attrs["ahead"] == (not follow)


def test_a_file_that_does_not_tell_how_far_the_light_is_ahead_is_still_read(tmp_path):
    run(Two(SLIPPED), tmp_path / "a.h5", "channels.follow=false")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        table = file["events"][:]
        (k,) = np.flatnonzero(table["kind"] == b"channels")
        data = json.loads(table["data"][k])
        del data["ahead"], file["channel"].attrs["ahead"]
        table["data"][k] = json.dumps(data)
        file["events"][:] = table
    assert judged(tmp_path / "a.h5", SLIPPED) == (0, 9)


def test_a_slip_that_is_noticed_after_the_split_is_told_in_both_parts(tmp_path):
    light = np.delete(np.arange(320), 194)
    run(Two(light), tmp_path / "a.h5", "recorder.split_minutes=0.0001")
    assert judged(tmp_path / "a_part2.h5", light) == (0, 6)
    assert judged(tmp_path / "a_part3.h5", light) == (0, 3)


def test_recovery_knows_of_a_slip_that_was_told_after_the_last_row(tmp_path):
    run(Two(SLIPPED), tmp_path / "a.h5", "recorder.rows_per_chunk=16")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.attrs.modify("complete", np.uint8(0))
        file["frame_index"].resize(154, axis=0)
    assert recover(tmp_path / "a.h5").rows == 154
    assert judged(tmp_path / "a.h5", SLIPPED) == (0, 4)


@pytest.mark.parametrize("length", [1.55, 10])
def test_a_slip_that_is_noticed_after_the_end_is_still_told(tmp_path, length):
    live = LiveSettings(Settings().with_texts(*TWO))
    session = Session(Two(SLIPPED), live, RoiSet([Circle(8, 8, 4, name="a")]))
    session.record(tmp_path / "a.h5", length=length)
    session.start()
    session.wait()
    assert judged(tmp_path / "a.h5", SLIPPED) == (0, min(round(length * 100) - 150, 9))


@pytest.mark.parametrize("at", [148, 155, 200])
def test_a_recording_that_is_begun_after_a_slip_knows_of_it(tmp_path, at):
    live = LiveSettings(Settings().with_texts(*TWO, "channels.follow=false"))
    source = During(SLIPPED, at, lambda: session.record(tmp_path / "a.h5"))
    session = Session(source, live, RoiSet([Circle(8, 8, 4, name="a")]))
    session.start()
    session.wait()
    assert judged(tmp_path / "a.h5", SLIPPED) == (0, {148: 9, 155: 4, 200: 0}[at])


@pytest.mark.parametrize("first", [True, False])
def test_follow_may_be_turned_after_a_slip(tmp_path, first):
    live = LiveSettings(Settings().with_texts(*TWO, f"channels.follow={first}"))
    source = During(SLIPPED, 200, lambda: live.edit("channels.follow", not first))
    session = Session(source, live, RoiSet([Circle(8, 8, 4, name="a")]))
    session.record(tmp_path / "a.h5")
    session.start()
    session.wait()
    assert judged(tmp_path / "a.h5", SLIPPED) == (0, 9)


def test_an_order_that_is_wrong_from_the_start_is_put_right(tmp_path):
    run(Two(range(1, 200)), tmp_path / "a.h5", "channels.brightest=470")
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.means_of("470")[1] > 900).all()
        assert (recording.channel[30:] == (np.arange(30, 199) + 1) % 2).all()


def test_dff_never_mixes_channels(tmp_path):
    run(Two(range(200)), tmp_path / "a.h5", "roi.dff=true", "roi.dff_percentile=50")
    with Recording(tmp_path / "a.h5") as recording:
        assert np.abs(recording.dff).max() < 0.01


def test_the_stages_see_the_main_channel_only(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        fake_stages(patch)
        run(Two(range(60)), tmp_path / "a.h5", "motion.enabled=true")
    with Recording(tmp_path / "a.h5") as recording:
        assert len(recording.shifts) == 60
        np.testing.assert_array_equal(recording.shifts[::2], recording.shifts[1::2])
        assert (recording.maps["mean"] > 900).all(), "the dim channel would pull it down"


def test_the_window_may_show_another_channel(tmp_path):
    session = run(Two(range(20)), tmp_path / "a.h5", "channels.shown=415")
    assert session.snapshot().traces.since(0).index.tolist() == list(range(1, 20, 2))
    assert session.frames.latest().index == 19


def test_the_quality_of_the_picture_is_that_of_the_main_channel(tmp_path):
    session = run(Two(range(600)), tmp_path / "a.h5")
    bright = session.alarms.chart().values[:, list(METRICS).index("brightness")]
    assert len(bright) > 5
    assert (bright > 900).all()


@pytest.mark.parametrize("counted", [True, False])
def test_transients_of_the_simulated_fibres_come_back(tmp_path, counted):
    """100 s at 40 Hz, 3 frames lost in the middle: movements and bleaching go, transients stay."""
    settings = LiveSettings(Settings().with_value("camera.format", "128x96@40"))
    lost = {2001, 2002, 2003}
    camera = Simulated("photometry", settings, length=4000, paced=False)
    rois = RoiSet(Circle(*circle) for circle in camera.truth.circles()[:4].tolist())
    run(Leaky(camera, lost, counted), tmp_path / "a.h5", rois=rois)
    there = np.array([k for k in range(4000) if k not in lost])
    truth, shared = camera.truth.first(4000)
    with Recording(tmp_path / "a.h5") as recording:
        rows = recording.rows_of("470")
        times = recording.time[rows]
        assert (there[rows] % 2 == 0).all()
        (time, signal), (beside, reference) = recording.means_of("470"), recording.means_of("415")
    for k in range(4):
        found = correct(time, signal[:, k].astype(float), beside, reference[:, k].astype(float))
        true = truth[there[rows], k]
        assert np.corrcoef(found.dff, true)[0, 1] > 0.95
        raw = signal[:, k] / np.median(signal[:, k]) - 1
        assert np.abs(found.dff - true).mean() < 0.3 * np.abs(raw - true).mean()
    assert len(times) > 1950
    assert shared.min() < 0.7


def test_the_simulated_camera_shows_the_same_frame_again():
    one, two = (Simulated("photometry", LiveSettings(), length=400, paced=False) for _ in range(2))
    kept = {frame.index: frame.image.copy() for frame in islice(one.frames(), 380)}
    np.testing.assert_array_equal(next(iter(two.frames())).image, kept[0])
    assert kept[0].mean() > 1.2 * kept[1].mean()


def test_the_command_prints_the_fit_and_writes_the_table(tmp_path, capsys):
    rois = RoiSet([Circle(8, 8, 4, name="a"), Circle(99, 99, 1, name="off")])
    run(Two(range(60)), tmp_path / "a.h5", rois=rois)
    assert main(["photometry", str(tmp_path / "a.h5")]) == 0
    said = capsys.readouterr()
    assert "470 corrected by 415, 30 frames" in said.out
    assert str(tmp_path / "a_photometry.csv") in said.out
    assert "off: there are too few frames to correct it" in said.err
    header, first, *_ = (tmp_path / "a_photometry.csv").read_text().splitlines()
    assert header == "time_s,frame_index,a 470,a 415,a dF/F,off 470,off 415,off dF/F"
    assert first.startswith("0.000000,0,")
    assert main(["photometry", str(tmp_path / "a.h5")]) == 1
    assert "exists; use --overwrite" in capsys.readouterr().err
    assert main(["photometry", str(tmp_path / "a.h5"), "--lowpass", "500", "--overwrite"]) == 2
    assert "--lowpass = 500.0: below 25 Hz, half the rate of 470, or left out" in capsys.readouterr().err
    assert main(["photometry", str(tmp_path / "a.h5"), "--signal", "415", "--overwrite"]) == 1
    assert "signal and reference are both 415; name another: 470" in capsys.readouterr().err


def test_the_table_is_empty_where_a_region_did_not_exist(tmp_path):
    def draw():
        session.rois = session.rois.add(Circle(12, 8, 3, name="late"))

    source = During(range(120), 61, draw)
    session = Session(source, LiveSettings(Settings().with_texts(*TWO)), RoiSet([Circle(8, 8, 4, name="a")]))
    session.record(tmp_path / "a.h5")
    session.start()
    session.wait()
    with export(tmp_path / "a.h5", "photometry").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name, there in (("a", 60), ("late", 29)):
        for column in (f"{name} 470", f"{name} 415", f"{name} dF/F"):
            numbers = np.array([float(row[column]) for row in rows])
            assert np.isnan(numbers).tolist() == [True] * (60 - there) + [False] * there, column


def test_recovery_keeps_the_channels_and_maps_the_main_one(tmp_path):
    run(Two(range(40)), tmp_path / "a.h5", "motion.enabled=true", "recorder.movie=true")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        maps = {name: file["maps"][name][:] for name in file["maps"]}
        file.attrs.modify("complete", np.uint8(0))
        del file["maps"]
    assert recover(tmp_path / "a.h5").rows == 40
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.channel.tolist() == [0, 1] * 20
        # at the edges, where a moved frame showed nothing, both are guesses
        np.testing.assert_allclose(recording.maps["mean"], maps["mean"], rtol=1e-3)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.attrs.modify("complete", np.uint8(0))
        file["channel"].resize(33, axis=0)
    assert recover(tmp_path / "a.h5").rows == 33
    with Recording(tmp_path / "a.h5") as recording:
        assert len(recording.means_of("470")[0]) == 17


def test_a_reviewed_recording_shows_the_main_channel(tmp_path):
    run(Two(range(40)), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        reviewed = Reviewed(recording, LiveSettings())
    rows = reviewed.snapshot().traces.since(0)
    assert rows.index.tolist() == list(range(0, 40, 2))
    assert (rows.raw > 900).all()


def test_a_movie_of_two_channels_is_not_taken_for_one_in_silence(tmp_path, caplog):
    run(Two(range(10)), tmp_path / "a.h5", "recorder.movie=true")
    open_source(str(tmp_path / "a.h5"), LiveSettings()).close()
    assert "a.h5 shows channels in turn: set channels.order to 470,415" in caplog.text


def test_a_torn_event_is_damage(tmp_path):
    run(Two([*range(41), *range(42, 99)]), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        table = file["events"][:]
        (k,) = np.flatnonzero(table["kind"] == b"channels")
        table["data"][k] = '{"state": "swapped", "by": "x"}'
        file["events"][:] = table
    with Recording(tmp_path / "a.h5") as recording, pytest.raises(RecordingError, match="kind channels"):
        recording.means_of("470")
