"""Movies in files that other programs play, read back by them and by our own sources."""

import numpy as np
import pytest
import tifffile
from scipy.ndimage import shift

from roi_core.errors import RecordingError
from roi_core.export import export, tiff
from roi_core.export.task import Wishes
from roi_core.recording import Recording
from roi_core.settings import LiveSettings
from roi_core.sources import open_source
from tests.core.test_recorder_cells import record, samples


@pytest.fixture(scope="module")
def movie(exported_from):
    with Recording(exported_from) as recording:
        return recording.movie[:]


def sourced(path):
    source = open_source(str(path), LiveSettings())
    frames = np.array([frame.image for frame in source.frames()])
    source.close()
    return source, frames


def test_a_stack_is_what_imagej_writes(exported_from, tmp_path, movie):
    path = export(exported_from, "tiff", tmp_path / "a.tif")
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert file.series[0].axes == "TYX"
        assert file.imagej_metadata["finterval"] == pytest.approx(1 / 30)
        assert file.imagej_metadata["Labels"][2] == "0.066667 s, frame 2"
        assert file.pages[0].tags["XResolution"].value == pytest.approx((2, 3))
        np.testing.assert_array_equal(file.asarray(), movie)
    source, frames = sourced(path)
    assert source.rate == pytest.approx(30)
    np.testing.assert_array_equal(frames, movie)


def test_a_stack_beyond_plain_tiff_is_ome(exported_from, tmp_path, movie, monkeypatch):
    monkeypatch.setattr(tiff, "PLAIN", 1000)
    path = export(exported_from, "tiff", tmp_path / "a.tif")
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert file.is_ome
        assert file.series[0].axes == "TYX"
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        assert pixels["PhysicalSizeX"] == 1.5
        assert [plane["DeltaT"] for plane in pixels["Plane"]][:2] == pytest.approx([0, 1 / 30])
        np.testing.assert_array_equal(file.asarray(), movie)
    np.testing.assert_array_equal(sourced(path)[1], movie)


def test_frames_are_moved_as_motion_correction_did(exported_from, tmp_path, movie):
    path = export(exported_from, "tiff", tmp_path / "a.tif", wishes=Wishes(corrected=True))
    moved = tifffile.imread(path).astype(float)
    with Recording(exported_from) as recording:
        shifts = recording.shifts
    row = int(np.argmax(np.abs(shifts).max(axis=1)))
    dy, dx = shifts[row]
    expected = shift(movie[row].astype(float), (dy, dx), order=3, mode="nearest")
    inside = np.s_[4:-4, 4:-4]
    assert np.corrcoef(moved[row][inside].ravel(), expected[inside].ravel())[0, 1] > 0.995
    # what is still lies still
    assert moved[100:].std(axis=0)[inside].mean() < movie[100:].std(axis=0)[inside].mean()


def test_what_was_not_recorded_is_refused(tmp_path):
    path = record(tmp_path / "a.h5", samples(range(5), off=range(5), shift=False))
    with pytest.raises(RecordingError, match=r"a\.h5 holds no movie; record one with recorder\.movie=true"):
        export(path, "tiff")
    assert {each.name for each in tmp_path.iterdir()} == {"a.h5", "a.jsonl"}
