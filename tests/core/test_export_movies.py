"""Movies in files that other programs play, read back by them and by our own sources."""

import fcntl
import json
import shutil

import cv2
import h5py
import numpy as np
import pytest
import tifffile
from scipy.ndimage import shift

from roi_core import layout
from roi_core.errors import RecordingError
from roi_core.export import export, overlay, tiff, video
from roi_core.export.task import Wishes
from roi_core.recording import Recording
from roi_core.settings import LiveSettings
from roi_core.sources import open_source
from tests.core.test_recorder_cells import record, samples
from tests.exporting import recorded


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


def played(path, *rows):
    """The rate of a video, how many pictures there are, and some of them."""
    film, pictures, count = cv2.VideoCapture(str(path)), [], 0
    while True:
        good, picture = film.read()
        if not good:
            return film.get(cv2.CAP_PROP_FPS), count, pictures
        if count in rows:
            pictures.append(picture)
        count += 1


def drawn(recording, row, offset=(0.0, 0.0), zoom=8):
    """Where regions and where cells are drawn on a row."""
    picture = np.zeros((48 * zoom, 64 * zoom, 3), np.uint8)
    overlay.Overlay(recording, Wishes(), zoom).draw(picture, int(recording.frame_index[row]), offset)
    return (picture == (0, 159, 230)).all(axis=-1), (picture == overlay.CELL).all(axis=-1)


def test_regions_and_cells_are_drawn_where_and_when_they_are(exported_from):
    with Recording(exported_from) as recording:
        region, cell = drawn(recording, 0)
        away = np.argwhere(region)[:, ::-1] - 8 * np.array([20.5, 15.5])
        ring = away[np.abs(np.hypot(*away.T) - 32) < 3]
        assert len(ring) > 150, "a circle of 4 px at (20, 15), eight times as large"
        assert not cell.any(), "cells are not drawn before they are born"
        cells = drawn(recording, 299)[1]
        accepted = recording.cells.footprints[:, np.flatnonzero(recording.cells.accepted)]
        cover = accepted.max(axis=1).toarray().reshape(48, 64) > 0
        y, x = np.argwhere(cells).T // 8
        near = np.pad(cover, 1)[y[:, None] + [0, 1, 2, 1, 1], x[:, None] + [1, 1, 1, 0, 2]].any(axis=1)
        assert near.mean() > 0.7, "but for their names"
        moved = drawn(recording, 0, (2.0, -3.0))[0]
        np.testing.assert_array_equal(moved[16:, :-24], region[:-16, 24:])


def test_a_region_is_drawn_as_it_was_at_the_frame(tmp_path):
    path = recorded(tmp_path / "a.h5", "cnmf.enabled=false", "motion.enabled=false", frames=10)
    with h5py.File(path, "r+") as file:
        shape = json.loads(file[layout.SHAPES][0])
        shape["versions"] = [
            shape["versions"][0] | {"frame": 2},
            shape["versions"][0] | {"frame": 4, "xc": 50},
        ]
        file[layout.SHAPES][0] = json.dumps(shape | {"removed": 8})
    with Recording(path) as recording:
        places = [np.argwhere(drawn(recording, row)[0])[:, 1] for row in (1, 2, 3, 4, 7, 8)]
    assert [len(each) > 0 for each in places] == [False, True, True, True, True, False]
    assert places[2].max() < 300 < places[3].min()


def test_a_video_shows_frames_outlines_and_the_time(exported_from, tmp_path, movie):
    limits = float(movie.min()), float(movie.max())
    path = export(exported_from, "video", tmp_path / "a.avi", wishes=Wishes(limits=limits))
    rate, count, (first, last) = played(path, 0, 299)
    assert (count, first.shape) == (300, (384, 512, 3))
    assert rate == pytest.approx(30)
    assert ((first.max(axis=2).astype(int) - first.min(axis=2)) > 60).sum() > 200, "something is in colour"
    corner = np.s_[4:18, 6:120]
    assert (first[corner] > 240).sum() > 50
    assert (first[corner] != last[corner]).any()
    inside = np.s_[40:46, 4:30]  # nothing is drawn there
    seen = first.mean(axis=2).reshape(48, 8, 64, 8).mean(axis=(1, 3))[inside]
    expected = 255 * (movie[0][inside] - limits[0]) / (limits[1] - limits[0])
    assert seen == pytest.approx(expected, abs=6)


def test_a_fast_video_leaves_frames_out(exported_from, tmp_path):
    wishes = Wishes(speed=4, corrected=True)
    rate, count, _ = played(export(exported_from, "video", tmp_path / "a.mp4", wishes=wishes))
    assert (rate, count) == (pytest.approx(60), 150)


def test_without_a_codec_it_is_an_avi(exported_from, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(video.CODECS, ".mp4", "zzzz")
    path = export(exported_from, "video", tmp_path / "a.mp4")
    assert (path.name, played(path)[1]) == ("a.avi", 300)
    assert "no codec for a.mp4 here; it is written as a.avi" in caplog.text
    with pytest.raises(RecordingError, match=r"a\.avi exists"):
        export(exported_from, "video", tmp_path / "a.mp4")


def test_other_endings_are_refused(exported_from, tmp_path):
    with pytest.raises(RecordingError, match=r"NAME\.mp4 or NAME\.avi, not a\.gif"):
        export(exported_from, "video", tmp_path / "a.gif")


@pytest.mark.parametrize("word", ["tiff", "video"])
def test_correcting_needs_shifts(tmp_path, word):
    path = recorded(tmp_path / "a.h5", "cnmf.enabled=false", "motion.enabled=false", frames=10)
    with pytest.raises(RecordingError, match="without motion correction; export it as it is"):
        export(path, word, wishes=Wishes(corrected=True))


def test_a_movie_that_is_still_being_written_is_not_called_damaged(exported_from, tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    shutil.copy(exported_from, path)

    class Torn:
        def __getitem__(self, rows):
            raise OSError("a chunk is not there yet")

    monkeypatch.setattr(Recording, "movie", Torn())
    with pytest.raises(RecordingError, match=r"a\.h5 is damaged: its movie ends near row 0"):
        export(path, "tiff")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as HDF5 does for one who writes
        with pytest.raises(RecordingError, match=r"a\.h5 is still being written: its movie ends near row 0"):
            export(path, "tiff")


@pytest.mark.parametrize("word", ["tiff", "video", "nwb"])
def test_a_damaged_movie_is_a_sentence(exported_from, tmp_path, word):
    """A chunk of the movie is not where the file says."""
    path = tmp_path / "a.h5"
    shutil.copy(exported_from, path)
    with h5py.File(path, "r") as file:
        offset = file["movie"].id.get_chunk_info(200).byte_offset
    path.write_bytes(path.read_bytes()[: offset + 10])
    with pytest.raises(RecordingError, match=r"a\.h5 (is damaged|cannot be opened)"):
        export(path, word)
    assert [each.name for each in tmp_path.iterdir()] == ["a.h5"]
