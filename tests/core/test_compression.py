"""Movies compressed without loss: written, killed, read by every reader, and without the package."""

import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from roi_core import codecs
from roi_core.errors import MissingExtra, RecordingError
from roi_core.frame import FinishReason, Header, Sample, Summary
from roi_core.offline.movie import Movie
from roi_core.recording import Recording
from roi_core.rois import RoiSet
from roi_core.settings import LiveSettings, Settings
from roi_core.sinks.hdf5 import Recorder
from roi_core.sources import open_source

pytest.importorskip("hdf5plugin", reason="lz4 needs the extra `compress`")

SHAPE = (30, 41)
LZ4 = ("recorder.disk_reserve=1", "recorder.movie=true", "recorder.compression=lz4")


def picture(row, shape=SHAPE):
    noise = np.random.default_rng(row).poisson(500, shape)
    return (noise + row).astype(np.uint16)


def record(path, rows=12, *texts):
    head = Header("fake", SHAPE, 50.0, "camera", Settings().with_texts(*LZ4, *texts), RoiSet())
    recorder = Recorder(path)
    recorder.open(head)
    for row in range(rows):
        recorder.write(Sample(row, row, row / 50, picture(row), RoiSet(), (), np.zeros(0, np.float32), None))
    recorder.close(Summary(FinishReason.COMPLETED))
    return path


@pytest.fixture(params=["before HDF5", "by HDF5"])
def path(request, tmp_path, monkeypatch):
    """A recording whose frames were compressed in either way."""
    if request.param == "by HDF5":
        monkeypatch.setattr("roi_core.sinks.movie.compressor", lambda shape: None)
    else:
        assert codecs.compressor(SHAPE) is not None
    return record(tmp_path / "a.h5")


def test_every_reader_gives_the_pixels(path):
    wanted = np.stack([picture(row) for row in range(12)])
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["movie"][:], wanted)
        assert file["movie"].id.get_storage_size() < 0.8 * wanted.nbytes
        said = file["movie"].attrs["compression"]
        assert said.startswith(b"bitshuffle + LZ4, HDF5 filter 32008")
        assert file["movie"].attrs.get_id("compression").dtype.kind == "S"
    with Recording(path) as recording:
        np.testing.assert_array_equal(recording.movie[:], wanted)
        np.testing.assert_array_equal(list(Movie(recording, Settings()).frames()), wanted)
    source = open_source(str(path), LiveSettings())
    np.testing.assert_array_equal([frame.image for frame in source.frames()], wanted)
    source.close()


def test_an_uncompressed_movie_says_so(tmp_path):
    path = record(tmp_path / "a.h5", 2, "recorder.compression=none")
    with h5py.File(path) as file:
        assert file["movie"].attrs["compression"] == b"none: every HDF5 program reads it"
        assert file["movie"].id.get_create_plist().get_nfilters() == 0


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint16, st.tuples(st.integers(1, 90), st.integers(1, 90))))
def test_a_chunk_of_ours_is_what_hdf5_would_have_made(image):
    """Also of pictures smaller than a block, or with a rest that is in none."""
    chunk = codecs.compressor(image.shape)
    with h5py.File("x", "w", driver="core", backing_store=False) as file:
        ours, theirs = (
            file.create_dataset(name, image.shape, "u2", chunks=image.shape, **codecs.bitshuffle())
            for name in ("ours", "theirs")
        )
        ours.id.write_direct_chunk((0, 0), chunk(image))
        theirs[:] = image
        np.testing.assert_array_equal(ours[:], image)
        assert ours.id.read_direct_chunk((0, 0))[1] == theirs.id.read_direct_chunk((0, 0))[1]


def without_package(*words):
    """Run our program where hdf5plugin is not installed."""
    program = "import sys; sys.modules['hdf5plugin'] = None; from roi_core.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_without_the_package_nothing_is_begun_and_one_sentence_told(tmp_path):
    options = [word for text in LZ4 for word in ("--set", text)]
    done = without_package("run", "--source", "simulated:tiny", "--out", tmp_path / "a.h5", *options)
    assert done.returncode == 1
    needs = 'needs hdf5plugin: pip install "roi-stream[compress]"'
    assert done.stderr == f"roi_stream: recorder.compression = lz4 {needs}\n"
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_all_but_the_movie_can_be_read(tmp_path):
    path = record(tmp_path / "a.h5")
    assert "movie" in without_package("info", path).stdout
    done = without_package("run", "--source", path, "--max-frames", 1)
    assert done.returncode == 1
    assert "is compressed; reading it needs hdf5plugin: pip install" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_package_is_asked_for_only_when_it_is_needed(tmp_path):
    path = record(tmp_path / "a.h5", 2, "recorder.compression=none")
    assert without_package("run", "--source", path, "--max-frames", 1).returncode == 0


def test_a_filter_that_nobody_knows_is_one_sentence(tmp_path, monkeypatch):
    path = record(tmp_path / "a.h5", 2)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: False)
    with Recording(path) as recording, pytest.raises(RecordingError, match="with HDF5 filter 32008, which"):
        _ = recording.movie


def test_a_missing_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with pytest.raises(MissingExtra, match="needs hdf5plugin"):
        codecs.bitshuffle()


def test_kill_9_leaves_every_frame_that_returned(tmp_path):
    """Frames smaller than HDF5's cache, never flushed: the file's own flush makes them findable."""
    program = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.core.test_compression import *
recorder = Recorder({str(tmp_path / "a.h5")!r})
recorder.open(Header("fake", SHAPE, 50.0, "camera", Settings().with_texts(*LZ4), RoiSet()))
for row in range(100):
    recorder.write(Sample(row, row, row / 50, picture(row), RoiSet(), (), np.zeros(0, np.float32), None))
    if row == 70:
        recorder.flush()
os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.complete) == (71, False)
        for row in range(71):
            np.testing.assert_array_equal(recording.movie[row], picture(row))
