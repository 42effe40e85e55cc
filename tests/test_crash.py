"""Whole programs ended badly: killed, signalled, out of disk. The file always opens and tells the truth."""

import random
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from roi_core.recording import Recording

RATE = 100
MODES = ((), ("recorder.movie=true",), ("roi.dff=true",), ("recorder.movie=true", "recorder.compression=lz4"))
LINE = re.compile(r"\[ *([\d.]+)s\] FPS: [\d.]+ frames=(\d+)")


def start(folder, *more, program="roi_core.cli", **options):
    words = ["run", "--source", "simulated:tiny", "--format", f"64x64@{RATE}", "--print-fps-period", "0.02"]
    words += ["--set", "recorder.disk_reserve=1", "--set", "recorder.disk_warning=0"]
    words += ["--rois", str(folder / "r.csv"), *more]
    (folder / "r.csv").write_text("20,20,5\n40,40,3\n")
    command = [sys.executable, "-m", program, *words]
    options = {"cwd": Path(__file__).parents[1], **options}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def read_until(child, frames):
    """Read progress lines until `frames` were seen; return the last count."""
    for line in child.stdout:
        found = LINE.match(line)
        if found and int(found[2]) >= frames:
            return int(found[2])
    raise AssertionError(f"the program ended early: {child.stderr.read()}")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_9_while_cells_are_found(tmp_path):
    """Footprints are replaced at every flush here; a file killed at any moment holds whole ones."""
    chance = random.Random(3)
    on = ["--set", "cnmf.enabled=true", "--set", "motion.enabled=true"]
    for batch in range(5):
        children = []
        for number in range(4):
            folder = tmp_path / f"{batch}_{number}"
            folder.mkdir()
            out = folder / "a.h5"
            children.append((start(folder, "--out", str(out), *on, program="tests.with_fakes"), out))
        for child, out in children:
            read_until(child, chance.randint(30, 2 * RATE))
            child.kill()
            child.communicate()
            check_cells(out)


def check_cells(out):
    """Every value that a killed file tells is that of its cell and row."""
    with h5py.File(out) as file:  # opens plainly, without help
        assert file.attrs["complete"] == 0
        assert np.isfinite(file["roi/means"][:]).all()
        assert {"ids", "born", "status", "calcium", "raw", "spikes", "spikes_causal"} <= set(file["cnmf"])
    with Recording(out) as recording:
        cells, rows = recording.cells, np.arange(recording.rows)[:, None]
        np.testing.assert_array_equal(recording.shifts, np.broadcast_to([2, -4], (recording.rows, 2)))
        assert cells.ids.tolist() == list(range(1, cells.count + 1))
        assert cells.born.tolist() == (3 * cells.ids).tolist()
        begun = rows >= cells.born - 7
        raw = np.where(begun, 1000 * cells.ids + rows, np.nan)
        np.testing.assert_array_equal(cells.raw, np.where(rows < 0, np.nan, raw).astype(np.float32))
        assert (np.isfinite(cells.calcium) == begun).all()
        matrix = cells.footprints
        counts = np.diff(matrix.indptr)
        drawn = int((counts > 0).sum())
        assert counts.tolist() == [2] * drawn + [0] * (cells.count - drawn)
        assert drawn > 0
        assert (matrix.data % 1 == 0.5).all()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_finishes_the_file_and_exits_0(tmp_path, number):
    child = start(tmp_path, "--out", str(tmp_path / "a.h5"))
    read_until(child, 10)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, "")
    seen = int(LINE.findall(out)[-1][1])
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, seen)
        assert recording.attributes["finish_reason"] == f"stopped: {number.name}"


def test_an_impatient_ctrl_c_still_finishes_the_file(tmp_path):
    """The second and third come while the session winds up, or even before."""
    big = ["--format", "640x480@200", "--set", "recorder.movie=true"]
    child = start(tmp_path, "--out", str(tmp_path / "a.h5"), *big)
    read_until(child, 60)
    while child.poll() is None:
        child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, "")
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.complete
        assert recording.attributes["finish_reason"] == "stopped: SIGINT"


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 24 MB; skips where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


BIG = ["--format", "640x480@200", "--set", "recorder.movie=true", "--set", "recorder.flush_period=1"]


def check_finished(out):
    """Every row that is told has its time, its mean and its frame."""
    with Recording(out) as recording:
        assert recording.complete
        assert recording.attributes["finish_reason"].startswith("failed: the disk of ")
        assert recording.movie.shape[0] == recording.rows == recording.attributes["rows"] > 0
        for row in (0, recording.rows - 1):
            circle = recording.movie[row][15:26, 15:26]
            y, x = np.mgrid[-5:6, -5:6]
            assert circle.any()
            assert recording.means[row, 0] == pytest.approx(circle[x * x + y * y <= 25].mean(), rel=1e-6)


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_disk_that_fills_up_warns_and_ends_cleanly_in_time(tmp_path, small_disk, compression):
    more = ["--set", "recorder.disk_warning=1", "--set", f"recorder.compression={compression}"]
    child = start(tmp_path, "--out", str(small_disk / "a.h5"), *BIG, *more)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    warned = (
        r"warning: the disk has room for \d s more of this recording \(\d+ MB at \d+ MB/s\); it stops .*\n"
    )
    ended = r"roi_stream: the disk of \S+ has \d MB left, .* all \d+ rows are safe\n"
    assert re.fullmatch(warned + ended, err), err
    check_finished(small_disk / "a.h5")


def test_a_disk_that_fills_up_leaves_every_part_finished(tmp_path, small_disk):
    """Parts of one second; the last is there and true, or was never begun."""
    small = [
        "--format",
        "320x240@60",
        "--set",
        "recorder.movie=true",
        "--set",
        "recorder.split_minutes=0.001",
    ]
    child = start(tmp_path, "--out", str(small_disk / "a.h5"), *small)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert " MB left, less than " in err.splitlines()[-1]
    files = sorted(small_disk.glob("*.h5"))
    assert len(files) > 1
    rows = 0
    for number, path in enumerate(files, 1):
        with Recording(path) as recording:
            assert recording.complete
            assert recording.attributes["part"] == number
            assert len(recording.movie) == recording.rows > 0
            rows += recording.rows
    assert re.search(rf"^{rows} rows in \S+/a\.h5, \S+/a_part2\.h5.* \(failed", out, re.M), out


def test_a_frame_larger_than_the_reserve_never_meets_a_full_disk(tmp_path, small_disk):
    big = ["--format", "1600x1200@60", "--set", "recorder.movie=true"]
    child = start(tmp_path, "--out", str(small_disk / "a.h5"), *big)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert re.fullmatch(
        r"roi_stream: .* less than the 8 MB of two movie frames; all \d rows are safe\n", err
    ), err
    check_finished(small_disk / "a.h5")


def test_a_disk_that_somebody_else_fills_at_once(tmp_path, small_disk):
    """Not one byte is left when the recorder looks; what it held back is enough to finish."""
    child = start(tmp_path, "--out", str(small_disk / "a.h5"), "--set", "recorder.movie=true")
    read_until(child, 30)
    with (small_disk / "other").open("wb", buffering=0) as other, suppress(OSError):
        while other.write(bytes(2**20)):
            pass
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert re.search("has [01] MB left", err), err
    check_finished(small_disk / "a.h5")
