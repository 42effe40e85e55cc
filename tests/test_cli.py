"""The command line as a newcomer meets it: the promised run, and every refusal in one sentence."""

import json
import os
import random
import subprocess
import sys

import cv2
import h5py
import numpy as np
import pytest

from roi_core.gray import to_uint16_gray
from roi_core.recording import Recording


def roi_stream(*words, env=None):
    command = [sys.executable, "-m", "roi_core.cli", *map(str, words)]
    environment = {**os.environ, **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def refused(*words, code=1, **more):
    """Run, expect a refusal, and return its one sentence."""
    done = roi_stream(*words, **more)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("roi_stream"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("320,240,60\n900,400,35\n")
    return path


@pytest.mark.offline
def test_the_promised_run(tmp_path, video, two):
    done = roi_stream("run", "--source", video, "--rois", two, "--out", tmp_path / "t.h5")
    assert done.returncode == 0, done.stderr
    assert f"900 rows in {tmp_path / 't.h5'} (completed)" in done.stdout
    assert "900/900" in done.stderr
    capture, wanted = cv2.VideoCapture(str(video)), []
    y, x = np.mgrid[:720, :1280]
    masks = [(x - xc) ** 2 + (y - yc) ** 2 <= r * r for xc, yc, r in [(320, 240, 60), (900, 400, 35)]]
    for _ in range(900):
        gray = to_uint16_gray(capture.read()[1])
        wanted.append([gray[mask].mean(dtype=float) for mask in masks])
    with h5py.File(tmp_path / "t.h5") as file:
        assert file["time"].shape == (900, 1)
        np.testing.assert_allclose(np.diff(file["time"][:, 0]), 1 / 60, rtol=1e-6)
        assert file["roi/means"].shape == (900, 2)
        np.testing.assert_allclose(file["roi/means"][:], wanted, rtol=1e-6)
        assert file["roi/circles"][:].tolist() == [[320, 240, 60], [900, 400, 35]]
        assert file.attrs["resolution"].tolist() == [1280, 720]
        assert file.attrs["frames_seen"] == file.attrs["rows"] == 900
        assert file.attrs["frames_dropped"] == 0
        assert file.attrs["frame_rate"] == file.attrs["avg_fps"] == pytest.approx(60)
        assert file.attrs["elapsed_sec"] == pytest.approx(899 / 60)
        assert file.attrs["complete"] == 1


@pytest.mark.offline
def test_run_is_the_default_command(tmp_path, video):
    done = roi_stream("--source", video, "--max-frames", 30, "--out", tmp_path / "t.h5")
    assert (done.returncode, "30 rows" in done.stdout) == (0, True)


@pytest.mark.offline
def test_a_real_two_photon_stack(tmp_path, shared):
    stack = shared / "data" / "2p-tolias-crop" / "movie_300x112x112_i16.tif"
    (tmp_path / "r.csv").write_text("56,56,8\n")
    done = roi_stream("run", "--source", stack, "--rois", tmp_path / "r.csv", "--out", tmp_path / "t.h5",
                      "--set", "roi.dff=true", "--set", "camera.rate=15")  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Recording(tmp_path / "t.h5") as recording:
        assert (recording.rows, recording.attributes["frame_rate"]) == (300, 15)
        assert np.isfinite(recording.dff).all()


def test_a_camera_prints_lines(tmp_path):
    done = roi_stream(
        "--source", "simulated:tiny", "--format", "64x64@100", "--max-frames", 60, "--print-fps-period", 0.1
    )
    assert done.returncode == 0
    assert "dropped=" in done.stdout
    assert "frames=60" in done.stdout
    assert "nothing is recorded; give --out FILE.h5" in done.stderr


def test_bad_sources(tmp_path, video):
    assert "nowhere.avi" in refused("--source", tmp_path / "nowhere.avi")
    (tmp_path / "zero.avi").touch()
    assert "zero.avi" in refused("--source", tmp_path / "zero.avi")
    (tmp_path / "bad.mp4").write_bytes(os.urandom(5000))
    assert "bad.mp4" in refused("--source", tmp_path / "bad.mp4")
    (tmp_path / "bad.tif").write_bytes(b"II*\x00" + os.urandom(200))
    assert "bad.tif" in refused("--source", tmp_path / "bad.tif")
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY" + bytes(30))
    assert "bad.npy" in refused("--source", tmp_path / "bad.npy")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["flat"] = np.zeros(3)
    assert "nothing" in refused("--source", f"{tmp_path / 'a.h5'}:nothing")
    assert "flat" in refused("--source", f"{tmp_path / 'a.h5'}:flat")
    assert "no camera 97" in refused("--source", 97)
    assert "there is no preset 'nonsense'" in refused("--source", "simulated:nonsense")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,2\n", "line 1"),
        ("10,10,5\n20,nan,5\n", "line 2"),
        ("10,10,-5\n", "line 1"),
        ("xc,yc,r\n1,2,three\n", "line 2"),
        ("9000,9000,5\n", "line 1"),
    ],
)
def test_bad_roi_rows_name_file_and_line(tmp_path, text, reason):
    (tmp_path / "r.csv").write_text(text)
    sentence = refused("--source", "simulated:tiny", "--rois", tmp_path / "r.csv", "--out", tmp_path / "t.h5")
    assert f"r.csv {reason}" in sentence
    assert not (tmp_path / "t.h5").exists()


def test_wrong_usage_is_exit_2():
    assert "camera.rat = '3': no such setting" in refused(
        "--source", "simulated", "--set", "camera.rat=3", code=2
    )
    assert "greater than 0" in refused("--source", "simulated", "--set", "camera.rate=-3", code=2)
    assert "WxH@FPS" in refused("--source", "simulated", "--format", "huge", code=2)
    assert "--max-frames" in refused("--source", "simulated", "--max-frames", "0", code=2)
    assert "--source" in refused("run", code=2)
    assert "invalid choice" in refused("fly", code=2)
    assert "--to" in refused("export", "a.h5", "--to", "papyrus", code=2)
    assert "No such file" in refused("--source", "simulated", "--settings", "/none.yaml", code=2)


def test_bad_outputs(tmp_path):
    (tmp_path / "file").touch()
    assert "cannot write" in refused("--source", "simulated:tiny", "--out", tmp_path / "file" / "t.h5")
    assert "none.h5 is not there" in refused("info", tmp_path / "none.h5")
    assert "it is not an HDF5 file" in refused("info", tmp_path / "file")
    assert "is not there" in refused("export", tmp_path / "none.h5", "--to", "csv")


@pytest.fixture
def recorded(tmp_path):
    (tmp_path / "r.csv").write_text("20,20,5,soma\n40,40,3\n")
    words = [
        "--source",
        "simulated:tiny",
        "--format",
        "64x64@200",
        "--rois",
        tmp_path / "r.csv",
        "--set",
        "roi.dff=true",
    ]
    assert roi_stream(*words, "--max-frames", 40, "--out", tmp_path / "t.h5").returncode == 0
    return tmp_path / "t.h5"


def test_an_existing_name_gets_a_suffix_unless_overwritten(tmp_path, recorded):
    again = ["--source", "simulated:tiny", "--format", "64x64@200", "--max-frames", 9, "--out", recorded]
    assert "t_2.h5" in roi_stream(*again).stdout
    assert "t.h5" in roi_stream(*again, "--overwrite").stdout
    with Recording(recorded) as recording:
        assert recording.rows == 9


def test_info_and_exports(tmp_path, recorded):
    told = roi_stream("info", recorded).stdout
    assert "complete" in told
    assert "rows             40\n" in told
    assert roi_stream("export", recorded, "--to", "csv").returncode == 0
    table = np.genfromtxt(tmp_path / "t.csv", delimiter=",", names=True, deletechars="")
    assert table.dtype.names[:4] == ("time_s", "frame_index", "soma", "roi2")
    assert "t.csv exists; use --overwrite" in refused("export", recorded, "--to", "csv")
    assert roi_stream("export", recorded, "--to", "matlab").returncode == 0
    with Recording(recorded) as recording, h5py.File(tmp_path / "t_matlab.h5") as twin:
        np.testing.assert_allclose(table["soma"], recording.means[:, 0], rtol=1e-6)
        assert twin["time"].shape == (1, 40)
        np.testing.assert_array_equal(twin["roi/means"][:], recording.means.T)
        np.testing.assert_array_equal(twin["roi/circles"][:], (recording.circles + [1, 1, 0]).T)
        assert twin.attrs["frames_dropped"].dtype == np.uint64


@pytest.mark.offline
def test_nothing_of_the_users_is_overwritten(tmp_path, video, recorded):
    film, rois = tmp_path / "v.mp4", tmp_path / "r.csv"
    film.write_bytes(video.read_bytes())
    before = {path: path.read_bytes() for path in (film, rois, recorded)}
    for out in (film, rois):
        assert "a recording is named NAME.h5" in refused("--source", film, "--out", out, "--overwrite")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["mov"] = np.zeros((3, 20, 20), np.uint16)
        file["mov"].attrs["fr"] = 20.0
    before[tmp_path / "other.h5"] = (tmp_path / "other.h5").read_bytes()
    sentence = refused("--source", tmp_path / "other.h5", "--out", tmp_path / "other.h5", "--overwrite")
    assert "is not a recording of ours; only those are overwritten" in sentence
    sentence = refused("export", recorded, "--to", "csv", "--out", recorded, "--overwrite")
    assert "is the recording itself" in sentence
    assert {path: path.read_bytes() for path in before} == before


def test_names_that_are_no_files(tmp_path):
    for out in (tmp_path, "/", ".", "..", tmp_path / "x.jsonl", tmp_path / "x"):
        assert "cannot write" in refused("--source", "simulated:tiny", "--out", out)
    assert refused("info", "x" * 300)
    assert refused("info", tmp_path)


def test_the_matlab_twin_is_not_taken_for_a_recording(tmp_path, recorded):
    assert roi_stream("export", recorded, "--to", "matlab").returncode == 0
    assert "is the MATLAB twin of a recording" in refused("info", tmp_path / "t_matlab.h5")


def test_a_damaged_recording_is_a_sentence(tmp_path, recorded):
    data, chance = recorded.read_bytes(), random.Random(1)
    for number in range(12):
        bad = bytearray(data)
        for _ in range(40):
            bad[chance.randrange(100, len(bad))] = chance.randrange(256)
        path = tmp_path / f"bad{number}.h5"
        path.write_bytes(bad)
        done = roi_stream("info", path)
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 1)


def test_the_window_refuses_what_it_does_not_have():
    assert "the window has no such option" in refused("--source", "0", "--gui", "--max-frames", 3, code=2)


def test_random_rois_are_used_by_run(tmp_path):
    out = tmp_path / "r.csv"
    assert (
        roi_stream(
            "random-rois", "--count", 7, "--resolution", "64x64", "--radius", 4, "--out", out
        ).returncode
        == 0
    )
    assert "it exists" in refused("random-rois", "--out", out)
    done = roi_stream(
        "--source",
        "simulated:tiny",
        "--format",
        "64x64@200",
        "--rois",
        out,
        "--max-frames",
        5,
        "--out",
        tmp_path / "t.h5",
    )
    assert done.returncode == 0, done.stderr
    with Recording(tmp_path / "t.h5") as recording:
        assert recording.means.shape == (5, 7)


def test_devices_answers_without_cameras():
    done = roi_stream("devices")
    assert done.returncode == 0
    assert done.stdout


def test_settings_are_a_file_that_can_be_used(tmp_path):
    (tmp_path / "s.yaml").write_text(roi_stream("settings", "--set", "camera.rate=12").stdout)
    assert "rate: 12.0" in roi_stream("settings", "--settings", tmp_path / "s.yaml").stdout


def test_the_demo_without_a_display_tells_what_it_found(tmp_path):
    none = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    done = roi_stream("demo", "--seconds", 1, "--out", tmp_path / "demo.h5", env=none)
    assert done.returncode == 0, done.stderr
    assert "largest dF/F" in done.stdout
    assert "cells found" in done.stdout
    assert f"written to {tmp_path / 'demo.h5'}" in done.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys, roi_core.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = ('cv2', 'numba', 'h5py', 'dearpygui', 'numpy', 'pydantic')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_session_card_goes_from_yaml_into_the_recording(tmp_path):
    filled = roi_stream("card", "--set", "subject.subject_id=m017", "--set", "imaging.excitation_nm=920")
    (tmp_path / "card.yaml").write_text(filled.stdout)
    out = tmp_path / "t.h5"
    roi_stream(
        "run", "--source", "simulated:tiny", "--max-frames", 5, "--out", out, "--card", tmp_path / "card.yaml"
    )
    told = json.loads(roi_stream("info", out, "--json").stdout)
    assert (told["subject_id"], told["excitation_nm"]) == ("m017", 920.0)
    assert "species" not in told, "what is not known is not told"
    (tmp_path / "card.yaml").write_text("subject: {species: mouse}")
    assert "subject.species = 'mouse': write the Latin name" in refused(
        "run", "--source", "simulated:tiny", "--card", tmp_path / "card.yaml", code=2
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3"), ({"OMP_NUM_THREADS": "2"}, "None")],
)
def test_linear_algebra_is_told_to_use_one_thread_before_it_is_loaded(given, told):
    """Its own second thread would not step back for the camera's; who asks for more is heeded."""
    tell = "print(os.environ.get('OPENBLAS_NUM_THREADS'), 'numpy' in sys.modules)"
    code = (
        "import os, sys; from roi_core.cli import main; "
        "sys.stdout = sys.stderr; main([]); sys.stdout = sys.__stdout__; " + tell
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment | given, timeout=120,
        check=True,
    )  # fmt: skip
    assert done.stdout.split() == [told, "False"]


def test_a_film_in_which_cells_could_not_be_learned_is_told_of(tmp_path):
    still = tmp_path / "still.npy"
    np.save(still, np.full((40, 32, 32), 7, np.uint16))
    told = roi_stream("run", "--source", still, "--out", tmp_path / "a.h5", "--set", "cnmf.enabled=true")
    assert told.returncode == 0, told.stderr
    assert "40 rows in" in told.stdout
    (line,) = (line for line in told.stdout.splitlines() if line.startswith("cells"))
    assert " of 40 frames only; only followed in " in line
    assert "a copy of the last" in line
