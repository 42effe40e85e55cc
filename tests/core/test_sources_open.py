"""What a user may type as a source, and the sentence for what cannot be opened."""

import errno
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from roi_core.errors import MissingExtra, SourceError, SourceNotFound
from roi_core.sources import SOURCES, open_source
from roi_core.sources.miniscope import NO_VIDEOS
from tests.contracts.test_source import live_settings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "empty.tif").touch()
    (tmp_path / "empty.npy").touch()
    # A header that leads to no page, as in a file that was cut before its end.
    (tmp_path / "nopage.tif").write_bytes(b"II*\x00" + (4096).to_bytes(4, "little") + bytes(100))
    (tmp_path / "header.npy").write_bytes(b"\x93NUMPY\x01\x00\x16\x00{'descr': '<u2', (((((\n")
    for name in ("broken.mp4", "broken.tif", "broken.npy", "broken.h5", "notes.txt"):
        (tmp_path / name).write_bytes(b"these are not the pixels you are looking for" * 100)
    np.save("flat.npy", np.zeros(5))
    np.save("pickled.npy", np.array([{}]))
    np.save("words.npy", np.array(["a", "b"]))
    with h5py.File("two.h5", "w") as file:
        file["a"] = np.zeros((3, 4, 5), np.uint16)
        file["b/c"] = np.zeros((3, 4, 5), np.float32)
        file["line"] = np.zeros(7)
    with h5py.File("none.h5", "w") as file:
        file["line"] = np.zeros(7)
    with h5py.File("traces.h5", "w") as file:
        file.attrs["format"] = np.bytes_("roi_stream")
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "12_00" / "Miniscope").mkdir(parents=True)
    (tmp_path / "folder" / "12_00" / "Miniscope" / "0.avi").touch()
    return tmp_path


ALLOWED = (
    "a source is a camera number, a file (avi mp4 mkv mov tif npy h5[:dataset]), a Miniscope folder, "
    "a URL, simulated[:preset], pylon:[SERIAL], genicam:PRODUCER.cti[#SERIAL] or micromanager:CONFIG.cfg"
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nope.mp4", "there is no file 'nope.mp4'"),
        ("nope.h5:data", "there is no file 'nope.h5'"),
        (r"C:\data\x.h5:data", r"there is no file 'C:\\data\\x.h5'"),
        ("nope", f"there is no source 'nope'; {ALLOWED}"),
        ("", f"no source was given; {ALLOWED}"),
        ("notes.txt", f"'notes.txt' is not a kind of file that is known; {ALLOWED}"),
        ("simulated:mars", "there is no preset 'mars'; there are 2p, dense, 1p, miniscope, tiny, photometry"),
        ("folder", "folder is not the folder of a Miniscope session; choose one of its folders: 12_00"),
        ("folder/inner", f"folder/inner is not the folder of a Miniscope session; {NO_VIDEOS}"),
        ("two.h5:x", "two.h5 has no dataset 'x'; write it as two.h5:DATASET with one of "
                     "/a (3 x 4 x 5 uint16), /b/c (3 x 4 x 5 float32)"),
        ("x" * 300, f"'{'x' * 77}...' cannot be opened: File name too long"),
        ("x" * 300 + ".tif", f"'{'x' * 77}...' cannot be opened: File name too long"),
        ("npy:folder/" + "x" * 300, f"'npy:folder/{'x' * 66}...' cannot be opened: File name too long"),
        ("x" * 300 + ".h5:data", f"'{'x' * 77}...' cannot be opened: File name too long"),
        ("a\0b.tif", f"there is no source 'a\\x00b.tif'; {ALLOWED}"),
        ("npy:a\0b", f"there is no source 'npy:a\\x00b'; {ALLOWED}"),
        ("9" * 5000, f"'{'9' * 77}...' cannot be opened: File name too long"),
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1 does not open: nothing answers there, "
                              "or it is no video stream"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_in_a_sentence(folder, text, sentence):
    with pytest.raises(SourceNotFound) as error:
        open_source(text, live_settings())
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("empty.mp4", "empty.mp4 is empty (0 bytes)"),
        ("empty.tif", "empty.tif is empty (0 bytes)"),
        ("empty.npy", "empty.npy is empty (0 bytes)"),
        ("broken.mp4", "broken.mp4 cannot be read as a video: it is damaged or of an unknown kind"),
        ("broken.tif", "broken.tif cannot be read as TIFF: *"),
        ("broken.npy", "broken.npy cannot be read as npy: the magic string is not correct*"),
        ("pickled.npy", "pickled.npy cannot be read as npy: *"),
        ("broken.h5", "broken.h5 cannot be read as HDF5: *"),
        ("nopage.tif", "nopage.tif cannot be read as TIFF: it holds no pages"),
        ("header.npy", "header.npy cannot be read as npy: *"),
        ("words.npy", "words.npy holds (2 <U1); a movie is (frames, height, width) numbers"),
        ("flat.npy", "flat.npy holds (5 float64); a movie is (frames, height, width) numbers"),
        ("two.h5", "which dataset of two.h5? write it as two.h5:DATASET with one of "
                   "/a (3 x 4 x 5 uint16), /b/c (3 x 4 x 5 float32)"),
        ("none.h5", "which dataset of none.h5? it holds no movie, that is (frames, height, width) numbers"),
        ("two.h5:line", "two.h5:line is (7 float64); a movie is (frames, height, width) numbers"),
        ("two.h5:b", "two.h5:b is a group; a movie is (frames, height, width) numbers"),
        ("traces.h5", "traces.h5 is a recording without a movie; record with recorder.movie=true"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_a_sentence(folder, capfd, text, sentence):
    with pytest.raises(SourceError) as error:
        open_source(text, live_settings())
    said = str(error.value)
    assert said == sentence or (sentence.endswith("*") and said.startswith(sentence[:-1]))
    assert "\n" not in said
    assert "allow_pickle" not in said
    assert capfd.readouterr().err == ""


def test_a_camera_that_is_not_there(monkeypatch):
    from roi_core.sources import opencv
    from roi_core.sources.devices import Device

    monkeypatch.setattr(opencv, "open_capture", lambda *_: None)
    monkeypatch.setattr(opencv, "list_devices", list)
    with pytest.raises(SourceNotFound, match=r"^no camera 3; found none$"):
        open_source("3", live_settings())
    found = [Device("0", "HD Webcam", "V4L2", ((1280, 720), (640, 480))), Device("2", "Mic", "V4L2")]
    monkeypatch.setattr(opencv, "list_devices", lambda: found)
    with pytest.raises(SourceNotFound, match=r"^no camera 3; found 0 \(HD Webcam, 1280x720\), 2 \(Mic\)$"):
        open_source("3", live_settings())
    with pytest.raises(SourceError, match=r"^camera 2 does not open; is another program using it\?$"):
        open_source("2", live_settings())


@pytest.mark.virtualcam
def test_a_real_camera_gives_pictures():
    try:
        source = open_source("2", live_settings())
    except SourceError as error:
        pytest.skip(str(error))
    frames = source.frames()
    assert next(frames).image.shape[:2] == source.shape
    assert next(frames).image.any()
    source.close()


def test_every_registered_word_names_a_class():
    import importlib

    for place in SOURCES.values():
        module, _, name = place.partition(":")
        with suppress(MissingExtra):
            assert hasattr(getattr(importlib.import_module(module), name), "frames")


def test_a_word_before_the_path_forces_the_kind(tmp_path):
    with open(tmp_path / "movie.bin", "wb") as file:
        np.save(file, np.zeros((4, 5, 6), np.uint16))
    source = open_source(f"npy:{tmp_path / 'movie.bin'}", live_settings())
    assert source.shape == (5, 6)
    source.close()


def test_file_urls_are_files(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 6), np.uint16))
    source = open_source((tmp_path / "a.npy").as_uri(), live_settings())
    assert source.counter == "file"
    source.close()


def test_importing_sources_is_light():
    heavy = "[name for name in ('cv2', 'numba', 'h5py', 'tifffile', 'scipy') if name in sys.modules]"
    code = f"import sys, roi_core.sources; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, []),
        ({"format": "640x480", "exposure": 3.0}, ["a.npy ignores camera.format and camera.exposure: *"]),
        ({"counter": "embedded"}, ["a.npy ignores camera.counter: *"]),
    ],
)
@pytest.mark.parametrize("realtime", [False, True])
def test_what_a_file_ignores_is_told(tmp_path, caplog, asked, said, realtime):
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 6), np.uint16))
    source = open_source(str(tmp_path / "a.npy"), live_settings(rate=20.0, **asked), realtime=realtime)
    source.close()
    assert source.notes == (), "a message, no alarm in every replay"
    assert caplog.messages == [text.replace("*", "only a camera can follow") for text in said]


def test_the_simulated_camera_follows_the_format_only(caplog):
    asked = {"format": "32x32@50", "exposure": 3.0, "counter": "none"}
    open_source("simulated:tiny", live_settings(**asked)).close()
    told = "simulated:tiny ignores camera.exposure and camera.counter: only a camera can follow"
    assert caplog.messages == [told]


def test_a_file_that_may_not_be_read_is_told_by_the_system(folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Unable to synchronously open file (unable to open file: name")

    monkeypatch.setattr(h5py, "File", refuse)
    with pytest.raises(SourceError, match=r"^two\.h5 cannot be read as HDF5: Permission denied$"):
        open_source("two.h5:a", live_settings())


def test_a_file_in_a_locked_folder_is_told_by_the_system(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(SourceNotFound, match=r"^'two\.h5' cannot be opened: Permission denied$"):
        open_source("two.h5", live_settings())
