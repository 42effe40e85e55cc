"""What happens around the program: pipes that close, full terminals, nohup, signals at the wrong moment."""

import os
import signal
import subprocess
import sys

import pytest

from roi_core.recording import Recording
from tests.test_crash import read_until, start

RUN = [sys.executable, "-m", "roi_core.cli", "--source", "simulated:tiny", "--format", "64x64@200"]


def recorded(tmp_path, tail, frames=100):
    out = tmp_path / "a.h5"
    words = [*RUN, "--max-frames", str(frames), "--print-fps-period", "0.05", "--out", str(out)]
    line = f"{subprocess.list2cmdline(words)} {tail}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60, check=False)
    with Recording(out) as recording:
        assert (recording.complete, recording.rows) == (True, frames), done.stderr
    return done


@pytest.mark.parametrize("tail", ["| head -1", ">/dev/full", "2>&-", ">&-", "2>/dev/full", ">&- 2>&-"])
def test_a_terminal_that_is_gone_never_ends_a_recording(tmp_path, tail):
    done = recorded(tmp_path, tail)
    assert "Traceback" not in done.stderr


def test_a_file_source_without_a_terminal(tmp_path, video):
    out = tmp_path / "a.h5"
    line = subprocess.list2cmdline([*RUN[:4], str(video), "--max-frames", "20", "--out", str(out)])
    for tail in ("2>&-", "2>/dev/full"):
        subprocess.run(
            f"{line} --overwrite {tail}", shell=True, timeout=60, check=True, stdout=subprocess.DEVNULL
        )
        with Recording(out) as recording:
            assert (recording.complete, recording.rows) == (True, 20)


def test_a_terminal_that_cannot_show_the_name(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    words = [*RUN, "--max-frames", "5", "--out", str(tmp_path / "µ☃.h5")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_nohup_is_respected(tmp_path):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    child = start(tmp_path, "--out", str(tmp_path / "a.h5"), "--max-frames", "150", preexec_fn=ignore)
    read_until(child, 10)
    child.send_signal(signal.SIGHUP)
    child.communicate(timeout=30)
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.attributes["finish_reason"]) == (150, "completed")


def test_a_signal_the_moment_the_file_appears(tmp_path):
    out = tmp_path / "a.h5"
    child = start(tmp_path, "--out", str(out))
    while not out.exists():
        assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert child.returncode == 0
    with Recording(out) as recording:
        assert recording.complete


def test_a_file_being_recorded_says_so(tmp_path):
    child = start(tmp_path, "--out", str(tmp_path / "a.h5"))
    read_until(child, 60)
    words = [sys.executable, "-m", "roi_core.cli", "info", str(tmp_path / "a.h5")]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "being recorded right now" in told
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
