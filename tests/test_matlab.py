"""The MATLAB side, run in GNU Octave: its own tests, its style, and files going both ways."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

MATLAB = Path(__file__).parents[1] / "matlab"
VIDEO = MATLAB / "test_circle_1280x720_60fps.mp4"
ONE_BASED = np.array([1, 1, 0])
ISO8601 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"

needs_octave = pytest.mark.skipif(shutil.which("octave") is None, reason="GNU Octave is not on the PATH")


@pytest.fixture(scope="module")
def own_tests():
    """The run of all Octave tests; it also builds the HDF5 shim for those below."""
    script = MATLAB / "tests" / "run_octave_tests.sh"
    return subprocess.run([script], capture_output=True, text=True, timeout=110)


class Octave:
    """Runs MATLAB code, with matlab/ and the shim on the path, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, code):
        shim = MATLAB / "tests" / "octave"
        script = self.folder / "script.m"
        script.write_text(f"addpath('{MATLAB}'); addpath('{shim}', '{shim / 'build'}', '-end');\n{code}")
        command = ["octave", "--no-gui", "--norc", "--quiet", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def octave(own_tests, tmp_path):
    return Octave(tmp_path)


@needs_octave
def test_octave_tests_pass(own_tests):
    counts = re.search(r"(\d+) passed, (\d+) failed", own_tests.stdout)
    assert counts, own_tests.stdout + own_tests.stderr
    assert own_tests.returncode == 0, own_tests.stdout
    assert int(counts[1]) > 50
    assert int(counts[2]) == 0


@pytest.mark.parametrize("tool", ["mh_lint", "mh_style"])
def test_miss_hit_finds_nothing(tool):
    program = Path(sys.executable).with_name(tool)
    done = subprocess.run([program, "--single", MATLAB], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout
    assert "everything seems fine" in done.stdout


@needs_octave
def test_video_follows_the_law_of_motion(octave):
    octave.run("[~, centres] = bouncing_disc(0:899); dlmwrite('law.csv', centres, 'precision', 12);\n")
    law = np.loadtxt(octave.folder / "law.csv", delimiter=",") - 1
    assert law[0].tolist() == [320, 240]
    assert np.abs(np.diff(law, axis=0)).max(axis=0) == pytest.approx([7, 5.39])
    assert len(law) == 900
    frames = _decoded()
    assert len(frames) == 900
    for k, (x, y, area, brightest) in frames.items():
        assert np.hypot(x - law[k, 0], y - law[k, 1]) < 0.25, k
        assert area == pytest.approx(np.pi * 60**2, rel=0.01), k
        assert brightest > 250, k


def _decoded():
    video = cv2.VideoCapture(str(VIDEO))
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_WIDTH)) == (60, 1280)
    frames = {}
    while (read := video.read())[0]:
        gray = read[1][:, :, 1]
        moments = cv2.moments((gray > 127).astype(np.uint8), binaryImage=True)
        area = moments["m00"]
        frames[len(frames)] = (moments["m10"] / area, moments["m01"] / area, area, gray.max())
    video.release()
    return frames


# --- Python to MATLAB


def _recording(path, rows=700, count=3):
    """A recording as the contract has it, by h5py alone."""
    random = np.random.default_rng(5)
    time = np.cumsum(random.uniform(0.01, 0.02, rows))
    means = random.uniform(0, 65535, (rows, count)).astype(np.float32)
    means[: rows // 3, -1] = np.nan
    circles = random.uniform(1, 50, (count, 3))
    with h5py.File(path, "w") as file:
        file.create_dataset("/time", data=time[:, None] - time[0], maxshape=(None, 1), chunks=(240, 1))
        file.create_dataset("/frame_index", data=np.arange(rows) * 2, maxshape=(None,), chunks=(240,))
        file.create_dataset("/roi/means", data=means, maxshape=(None, None), chunks=(240, count))
        file["/roi/circles"] = circles
        shapes = [json.dumps({"kind": "circle", "name": f"soma {k}, µ"}) for k in range(count)]
        file.create_dataset("/roi/shapes", data=shapes, dtype=h5py.string_dtype())
        file.create_dataset("/settings", data="camera:\n  rate: 60\n", dtype=h5py.string_dtype())
        events = np.array([(0.0, 0, b"start", "{}")], EVENT)
        file.create_dataset("/events", data=events)
        for name, value in ATTRIBUTES.items():
            file.attrs[name] = value
        file.attrs["rows"] = file.attrs["frames_seen"] = np.uint64(rows)
    return time - time[0], means, circles


EVENT = np.dtype([("time", "f8"), ("frame", "i8"), ("kind", "S16"), ("data", h5py.string_dtype())])
ATTRIBUTES = {
    "format": np.bytes_(b"roi_stream"),
    "format_version": np.int32(1),
    "created_with": np.bytes_(b"test"),
    "source": np.bytes_(b"none"),
    "resolution": np.array([64, 48], np.int32),
    "start_iso8601": np.bytes_(b"2026-01-31T14:05:06.789+01:00"),
    "end_iso8601": np.bytes_(b"2026-01-31T14:05:16.789+01:00"),
    "frames_dropped": np.uint64(2**64 - 1),
    "elapsed_sec": 1.0,
    "avg_fps": 60.0,
    "frame_rate": 60.0,
    "loss_basis": np.bytes_(b"unknown"),
    "finish_reason": np.bytes_(b"completed"),
    "coord_origin": np.bytes_(b"0-based, pixel centre, top left"),
    "complete": np.uint8(1),
}

LOOK = """
traces = h5_traces_read('{file}');
h5_traces_export_csv(traces, 'seen.csv');
dlmwrite('circles.csv', traces.circles, 'precision', 17);
printf('%s|%d|%s|%d\\n', traces.orientation, traces.complete, mat2str(traces.resolution), ...
       traces.attributes.frames_dropped == intmax('uint64'));
"""


def _table(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return rows[0], np.array(rows[1:], float)


@needs_octave
@pytest.mark.parametrize(("rows", "count"), [(700, 3), (5, 5), (3, 3), (1, 1), (2, 9)])
def test_octave_reads_a_recording_of_h5py(octave, rows, count):
    path = octave.folder / "python.h5"
    time, means, circles = _recording(path, rows, count)
    assert octave.run(LOOK.format(file=path)).strip() == "python|1|[64 48]|1"
    header, table = _table(octave.folder / "seen.csv")
    assert header == ["time_s", "frame_index", *(f"soma {k}, µ" for k in range(count))]
    assert table[:, 0] == pytest.approx(time, abs=1e-6)
    assert table[:, 1].tolist() == list(range(0, 2 * rows, 2))
    np.testing.assert_allclose(table[:, 2:], means, rtol=1e-7)
    seen = np.loadtxt(octave.folder / "circles.csv", delimiter=",", ndmin=2)
    np.testing.assert_allclose(seen, circles + ONE_BASED, rtol=1e-14)


@needs_octave
def test_octave_reads_what_export_wrote(octave):
    from roi_core.export import export

    path = octave.folder / "python.h5"
    _, means, circles = _recording(path, 50, 4)
    table_of_python = export(path, "csv")
    octave.run(LOOK.format(file=path))
    assert (octave.folder / "seen.csv").read_bytes() == table_of_python.read_bytes()

    twin = export(path, "matlab")
    with h5py.File(twin) as file:
        assert file["/time"].shape == (1, 50)
        assert file["/roi/means"].shape == (4, 50)
        assert file["/roi/circles"].shape == (3, 4)
    assert octave.run(LOOK.format(file=twin)).strip() == "matlab|1|[64 48]|1"
    _, table = _table(octave.folder / "seen.csv")
    np.testing.assert_allclose(table[:, 2:], means, rtol=1e-7)
    seen = np.loadtxt(octave.folder / "circles.csv", delimiter=",", ndmin=2)
    np.testing.assert_allclose(seen, circles + ONE_BASED, rtol=1e-14)


CELLS = """
traces = h5_traces_read('{file}');
printf('%s|', mat2str(traces.cells.ids), mat2str(traces.cells.status), mat2str(size(traces.cells.spikes)));
calcium = traces.cells.calcium;
calcium(isnan(calcium)) = -1;
dlmwrite('calcium.csv', calcium, 'precision', 9);
"""


@needs_octave
def test_octave_reads_cells_of_a_recording_and_of_its_twin(octave):
    from roi_core.export import export
    from roi_core.recording import Recording
    from tests.core.test_recorder_cells import record, samples

    path = record(octave.folder / "cells.h5", samples(range(70)))
    with Recording(path) as recording:
        calcium = np.nan_to_num(recording.cells.calcium, nan=-1)
    for file in (path, export(path, "matlab")):
        assert octave.run(CELLS.format(file=file)) == "[1 2 3 4 5]|[3 1 2 1 1]|[70 5]|"
        seen = np.loadtxt(octave.folder / "calcium.csv", delimiter=",")
        np.testing.assert_allclose(seen, calcium, rtol=1e-7)


@needs_octave
def test_both_sides_measure_the_same_disc(octave):
    rois, path = octave.folder / "rois.csv", octave.folder / "disc.h5"
    rois.write_text("xc,yc,r\n320,240,60\n700,500,90\n")
    program = [sys.executable, "-c", "import sys; from roi_core.cli import main; sys.exit(main())"]
    command = ["run", "--source", VIDEO, "--rois", rois, "--out", path, "--max-frames", "120"]
    subprocess.run([*program, *command], check=True, capture_output=True, timeout=100, cwd=MATLAB.parent)
    octave.run(
        "traces = h5_traces_read('disc.h5');\n"
        "indices = roi_build_circle_indices(traces.circles, fliplr(traces.resolution));\n"
        "means = nan(size(traces.means));\n"
        "for k = 1:size(means, 1)\n"
        "    means(k, :) = roi_compute_means(to_uint16_gray(bouncing_disc(k - 1)), indices);\n"
        "end\n"
        "dlmwrite('both.csv', [traces.means means], 'precision', 9);\n"
    )
    both = np.loadtxt(octave.folder / "both.csv", delimiter=",")
    assert both.shape == (120, 4)
    assert both[:, 2:].max(axis=0).min() > 20000, "the disc crosses both circles"
    # the video is lossy along the edge of the disc
    np.testing.assert_allclose(both[:, :2], both[:, 2:], atol=0.005 * 65535)


@needs_octave
def test_octave_reads_a_recording_without_rois(octave):
    path = octave.folder / "python.h5"
    _recording(path, 20, 1)
    with h5py.File(path, "r+") as file:
        del file["/roi/means"], file["/roi/circles"], file["/roi/shapes"]
        file.create_dataset("/roi/means", (20, 0), "f4", maxshape=(None, None), chunks=(240, 8))
        file.create_dataset("/roi/circles", (0, 3), "f8", maxshape=(None, 3), chunks=(64, 3))
        file.create_dataset("/roi/shapes", (0,), h5py.string_dtype(), maxshape=(None,), chunks=(64,))
    assert octave.run(LOOK.format(file=path)).strip() == "python|1|[64 48]|1"
    header, table = _table(octave.folder / "seen.csv")
    assert header == ["time_s", "frame_index"]
    assert table.shape == (20, 2)


# --- MATLAB to Python


WRITE = """
source = FakeSource(500, 'Lost', [100 101 102], 'Rate', 60);
run = roi_stream(source, [64 36 8; 20 20 5.5; 500 500 3], 'octave.h5', 'UseTimer', false);
"""


@needs_octave
def test_h5py_reads_a_recording_of_octave(octave):
    octave.run(WRITE)
    index = np.setdiff1d(np.arange(500), [100, 101, 102])
    with h5py.File(octave.folder / "octave.h5") as file:
        assert file["/time"].shape == (1, 497)
        assert file["/time"].maxshape == (1, None)
        assert file["/roi/means"].chunks == (3, 240)
        assert file["/roi/means"].dtype == np.float32
        assert file["/roi/circles"][:].tolist() == [[64, 20, 500], [36, 20, 500], [8, 5.5, 3]]
        assert file["/frame_index"].dtype == np.int64
        assert file["/frame_index"][:].tolist() == index.tolist()
        np.testing.assert_allclose(file["/time"][0], index / 60, rtol=1e-14)
        means = file["/roi/means"][:]
        assert np.isnan(means[2]).all()
        assert 0 < np.nanmax(means[:2]) <= 65535
        _check_attributes(dict(file.attrs))


def _check_attributes(attributes):
    expected = {
        "format": b"roi_stream",
        "source": b"fake",
        "loss_basis": b"camera",
        "finish_reason": b"completed",
        "coord_origin": b"1-based, pixel centre, top left",
        "orientation": b"matlab",
    }
    assert {name: bytes(attributes[name]) for name in expected} == expected
    assert attributes["created_with"].startswith(b"roi_stream")
    assert attributes["format_version"] == 1
    assert attributes["resolution"].tolist() == [128, 72]
    assert attributes["resolution"].dtype == np.int32
    counts = {name: int(attributes[name]) for name in ("frames_seen", "frames_dropped", "rows")}
    assert counts == {"frames_seen": 497, "frames_dropped": 3, "rows": 497}
    assert all(attributes[name].dtype == np.uint64 for name in counts)
    assert attributes["elapsed_sec"] == pytest.approx(499 / 60)
    assert attributes["avg_fps"] == pytest.approx(496 / (499 / 60))
    assert attributes["frame_rate"] == 60
    assert attributes["complete"] == 1
    for name in ("start_iso8601", "end_iso8601"):
        assert re.fullmatch(ISO8601, attributes[name].decode())
    assert all(name.isidentifier() for name in attributes)


# --- the same arithmetic


@needs_octave
def test_roi_files_give_the_same_circles(octave):
    from roi_core.rois import RoiSet

    path = octave.folder / "rois.csv"
    text = "\ufeff# resolution: 1280x720\nxc,yc,r,name\n100,200,30.5,a\n\n# no\n7.25,9,3,b\n"
    path.write_text(text, "utf-8")
    for width, height in ((1280, 720), (640, 480), (1920, 1080)):
        octave.run(f"dlmwrite('c.csv', roi_read_circles('rois.csv', [{width} {height}]), 'precision', 17);")
        seen = np.loadtxt(octave.folder / "c.csv", delimiter=",")
        rois = RoiSet.load(path, (width, height)).rois
        np.testing.assert_allclose(seen, [np.array(roi.circle()) + ONE_BASED for roi in rois], rtol=1e-14)


@needs_octave
def test_gray_is_the_same_on_both_sides(octave):
    from roi_core.gray import to_uint16_gray

    pictures = _pictures()
    with h5py.File(octave.folder / "in.h5", "w") as file:
        for name, picture in pictures.items():
            file[name] = picture.T  # MATLAB sees H x W x 3
    octave.run(
        "info = h5info('in.h5');\n"
        "for k = 1:numel(info.Datasets)\n"
        "    path = ['/' info.Datasets(k).Name];\n"
        "    gray = to_uint16_gray(h5read('in.h5', path));\n"
        "    h5create('out.h5', path, size(gray), 'Datatype', 'uint16');\n"
        "    h5write('out.h5', path, gray);\n"
        "end\n"
    )
    with h5py.File(octave.folder / "out.h5") as file:
        for name, picture in pictures.items():
            bgr = picture[:, :, ::-1] if picture.ndim == 3 else picture
            np.testing.assert_array_equal(file[name][:].T, to_uint16_gray(bgr), err_msg=name)


def _pictures():
    """Gray and colour (R, G, B) of every class, at each of the three scales, with NaN and infinity."""
    random = np.random.default_rng(11)
    pictures = {}
    for shape in ((31, 17), (13, 21, 3)):
        for dtype in ("uint8", "uint16", "int8", "int16", "int32", "uint32", "int64"):
            for top in (2, 256, 70000):
                low = 0 if dtype[0] == "u" else -5
                high = min(top, int(np.iinfo(dtype).max) + 1)
                pictures[f"{dtype}_{top}_{len(shape)}"] = random.integers(low, high, shape).astype(dtype)
        for dtype in ("float32", "float64"):
            for top in (1, 255, 70000):
                picture = random.uniform(-0.2 * top, top, shape).astype(dtype)
                picture[3, 4] = np.nan
                pictures[f"{dtype}_{top}_{len(shape)}"] = picture
                endless = picture.copy()
                endless[5, 6] = np.inf
                endless[7, 8] = -np.inf
                pictures[f"{dtype}_{top}_{len(shape)}_endless"] = endless
    return pictures
