"""A pipe that is called like a file is refused at once: to open it for reading may wait for ever."""

import os

import pytest

from roi_core import beside
from roi_core.errors import RecordingError, RoiFileError, SourceError
from roi_core.imports import read
from roi_core.paths import is_special
from roi_core.recording import Recording
from roi_core.rois import RoiSet
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source


@pytest.fixture
def pipe(tmp_path):
    """A pipe somebody writes to, so that one who opens it after all gets nonsense, and no test hangs."""
    path = tmp_path / "a.h5"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR)
    os.write(end, bytes(64))
    yield path
    os.close(end)


def test_a_pipe_is_special_and_files_folders_and_nothing_are_not(tmp_path, pipe):
    (tmp_path / "b.h5").touch()
    assert is_special(pipe)
    assert not any(is_special(path) for path in (tmp_path, tmp_path / "b.h5", tmp_path / "none"))


def test_a_pipe_is_no_recording(pipe):
    with pytest.raises(RecordingError, match="it is no file, but a pipe, a socket or a device"):
        Recording(pipe)


@pytest.mark.parametrize("kind", ["hdf5", "tiff", "npy"])
def test_a_pipe_is_no_source(pipe, kind):
    with pytest.raises(SourceError, match=r"a\.h5 cannot be read as \w+: it is a pipe, a socket or a device"):
        open_source(f"{kind}:{pipe}", LiveSettings(Settings()))


@pytest.mark.parametrize("program", ["caiman", "extract", "nwb", "roi_stream"])
def test_a_pipe_is_no_result_of_another_program(pipe, program):
    with pytest.raises((RoiFileError, RecordingError), match="a pipe, a socket or a device"):
        read(pipe, program)


def test_a_pipe_holds_no_regions(pipe, tmp_path):
    with pytest.raises(RoiFileError, match="a pipe, a socket or a device"):
        RoiSet.load(pipe.rename(tmp_path / "rois.json"))


def test_nobody_waits_to_learn_whether_a_pipe_may_be_replaced(pipe, monkeypatch):
    monkeypatch.setattr(beside.h5py, "File", lambda *_: pytest.fail("it is opened"))
    assert not beside.is_recording(pipe)
