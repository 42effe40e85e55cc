"""Interleaved channels in exports: each by itself, the main one where there is room for one only."""

import csv

import cv2
import numpy as np
import pytest
import tifffile

from roi_core.errors import RecordingError
from roi_core.export import export
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

ON = (
    "channels.order=415,470", "channels.reference=415", "roi.dff=true", "recorder.movie=true",
    "recorder.disk_reserve=1", "camera.format=64x48@40", "cnmf.preset=photometry",
)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    live = LiveSettings(Settings().with_texts(*ON))
    source = Simulated("photometry", live, paced=False, seed=3, length=80)
    session = Session(source, live, RoiSet().add(Circle(20, 15, 4, name="fibre")))
    path = session.record(tmp_path_factory.mktemp("channels") / "a.h5", essential=True)
    session.start()
    session.wait()
    return path


@pytest.fixture(scope="module")
def ours(path):
    with Recording(path) as recording:
        assert recording.channel_names == ("415", "470")
        rows = {name: recording.rows_of(name) for name in recording.channel_names}
        return rows, recording.means, recording.dff, recording.movie[:], recording.time


def test_nwb_has_series_for_each(path, tmp_path, ours):
    pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed")
    written = export(path, "nwb", tmp_path / "a.nwb")
    assert pynwb.validate(path=str(written)) == []
    rows, means, dff, movie, time = ours
    with pynwb.NWBHDF5IO(str(written), "r") as file:
        nwb = file.read()
        ophys = nwb.processing["ophys"]
        for name, ending in (("470", ""), ("415", "_415")):
            frames = nwb.acquisition[f"OnePhotonSeries{ending}"]
            np.testing.assert_array_equal(frames.data[:].transpose(0, 2, 1), movie[rows[name]])
            assert frames.rate == pytest.approx(20)
            assert frames.starting_time == pytest.approx(time[rows[name][0]])
            assert f"channel {name}" in frames.description
            for group, expected in (("Fluorescence", means), ("DfOverF", dff)):
                series = ophys[group][f"RoiResponseSeries{ending}"]
                np.testing.assert_array_equal(series.data[:], expected[rows[name]])


def test_roiextractors_reads_the_main_one(path, tmp_path, ours):
    extractors = pytest.importorskip("roiextractors", reason="roiextractors is not installed")
    found = extractors.NwbSegmentationExtractor(export(path, "nwb", tmp_path / "a.nwb"))
    rows, means, *_ = ours
    np.testing.assert_array_equal(found.get_traces(name="raw"), means[rows["470"]])
    assert found.get_sampling_frequency() == pytest.approx(20)


def test_a_video_does_not_flicker(path, tmp_path):
    film = cv2.VideoCapture(str(export(path, "video", tmp_path / "a.mp4")))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(20)
    film.release()


def first_frame(path, *texts):
    live = LiveSettings(Settings().with_texts(*ON, *texts))
    session = Session(
        Simulated("photometry", live, paced=False, seed=3, length=1), live, RoiSet([Circle(20, 15, 4)])
    )
    session.record(path, essential=True)
    session.start()
    session.wait()
    return path


@pytest.mark.parametrize(("order", "ending"), [("415,470", "_415"), ("470,415", "")])
def test_rows_of_one_channel_only(tmp_path, order, ending):
    pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed")
    path = first_frame(tmp_path / "a.h5", f"channels.order={order}", "motion.enabled=true")
    with pynwb.NWBHDF5IO(str(export(path, "nwb")), "r") as file:
        nwb = file.read()
        assert [*nwb.acquisition] == [f"OnePhotonSeries{ending}"]
        assert [*nwb.processing["ophys"]["Fluorescence"].roi_response_series] == [
            f"RoiResponseSeries{ending}"
        ]
    if ending:
        with pytest.raises(RecordingError, match=r"no row of .* shows 470, its main channel"):
            export(path, "video")
    else:
        export(path, "video")


def test_a_stack_and_a_table_say_which_each_row_shows(path, tmp_path, ours):
    rows, *_ = ours
    shown = ["415" if row in rows["415"] else "470" for row in range(80)]
    with tifffile.TiffFile(export(path, "tiff", tmp_path / "a.tif")) as file:
        labels = file.imagej_metadata["Labels"]
    assert [label.rpartition(" ")[2] for label in labels] == shown
    with export(path, "csv", tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert [row["channel"] for row in csv.DictReader(file)] == shown
