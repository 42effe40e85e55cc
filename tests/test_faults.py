"""One test for each fault of the table in the README that no other file tests, named like its line."""

import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from roi_core.errors import SourceError
from roi_core.frame import Frame
from roi_core.recording import Recording
from roi_core.session import Session, State
from roi_core.sinks.hdf5 import Recorder
from tests.core.test_session import ROIS, live, run, wait_for
from tests.fakes import Ramp, Stepped, fake_stages
from tests.test_crash import LINE, read_until, start

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


class Corrupt(Ramp):
    """Every tenth frame is not what a camera sees."""

    live, counter = True, "camera"
    flaws = (None, np.zeros((3, 3), np.uint8), np.zeros((16, 20, 7), np.uint8), np.array(["x"], object))

    def frames(self):
        for number, frame in enumerate(super().frames()):
            if number % 10 == 7:
                yield Frame(self.flaws[number // 10 % 4], frame.index, frame.time)
            else:
                yield frame


def events(recording, *kinds):
    return [event for event in recording.events if event.kind in kinds]


def test_corrupt_frames(tmp_path):
    run(Corrupt(80), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 72)
        assert recording.frame_index.tolist() == [index for index in range(80) if index % 10 != 7]
        assert recording.attributes["frames_dropped"] == 8
        assert [event.data["lost"] for event in events(recording, "gap")] == [1] * 8
        told = [event.data["text"] for event in events(recording, "corrupt")]
        assert told[:3] == [
            "a NoneType instead of a picture",
            "a picture of shape (3, 3) instead of (16, 20)",
            "a picture of shape (16, 20, 7) instead of (16, 20)",
        ]


def test_nothing_but_corrupt_frames(tmp_path):
    class Hopeless(Ramp):
        def image(self, index):
            return np.zeros((16, 21), np.uint16) if index >= 5 else super().image(index)

    with pytest.raises(SourceError, match=r"ramp gave 100 frames in a row that cannot be used: a picture of"):
        run(Hopeless(500), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 5)


def test_a_clock_that_jumps(tmp_path):
    class Jumps(Ramp):
        live, counter = True, "camera"

        def frames(self):
            for frame in super().frames():
                off = -7.0 if frame.index >= 60 else 3600.0 if frame.index >= 30 else 0.0
                yield Frame(frame.image, frame.index, frame.time + off)

    run(Jumps(90), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        step = np.diff(recording.time)
        assert recording.rows == 90
        assert step[29] == pytest.approx(3600.01)
        np.testing.assert_allclose(np.delete(step, 29), 0.01, atol=1e-6)
        (gap,) = events(recording, "gap")
        assert gap.data["seconds"] == pytest.approx(3600.01)
        (clock,) = events(recording, "clock")
        assert clock.data["back"] == pytest.approx(3606.99)


@pytest.mark.parametrize("stage", ["prepare", "motion", "cnmf"])
def test_no_memory_in_a_stage(tmp_path, monkeypatch, stage):
    class Hungry:
        def __init__(self, *arguments, **more):
            raise MemoryError("no room for the buffers")

    monkeypatch.setattr("tests.fakes.Hungry", Hungry, raising=False)
    with fake_stages(monkeypatch, **{stage: "Hungry"}):
        session = Session(Ramp(80), live("motion.enabled=true", "cnmf.enabled=true"), ROIS)
        session.record(tmp_path / "a.h5", essential=True)
        session.start()
        session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 80)
        assert np.isfinite(recording.means).all()
        told = [event.data for event in events(recording, "alert") if event.data.get("stage") == stage]
        assert told[-1] == {
            "stage": stage,
            "text": "MemoryError: no room for the buffers",
            "then": "it is off for this session",
        }


def test_a_bug_in_the_maps(tmp_path, monkeypatch):
    def broken(*_):
        raise IndexError("a bug in the maps")

    monkeypatch.setattr("roi_core.maps.Maps.step", broken)
    with fake_stages(monkeypatch):
        session = Session(Ramp(80), live("motion.enabled=true", "cnmf.enabled=true"), ROIS)
        session.record(tmp_path / "a.h5", essential=True)
        session.start()
        session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 80)
        assert recording.cells.count > 0
        assert [event.data["stage"] for event in events(recording, "alert")] == ["maps"] * 3


def test_a_bug_in_the_quality_charts(tmp_path, monkeypatch):
    def broken(*_):
        raise IndexError("a bug in the charts")

    monkeypatch.setattr("roi_core.quality.alarms.Alarms.step", broken)
    run(Ramp(30), tmp_path / "a.h5")
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 30)
        assert "not followed any more" in events(recording, "error")[0].data["text"]


@pytest.mark.parametrize("essential", [True, False])
def test_a_bug_in_the_recorder(tmp_path, monkeypatch, essential):
    write = Recorder.write

    def broken(recorder, sample):
        if sample.row == 20:
            raise ZeroDivisionError("a bug in the recorder")
        write(recorder, sample)

    monkeypatch.setattr(Recorder, "write", broken)
    source = Stepped(count=100)
    session = Session(source, live(), ROIS)
    session.record(tmp_path / "a.h5", essential=essential)
    session.start()
    source.step(60)
    wait_for(lambda: session.snapshot().recording.failed)
    if essential:
        source.step(1)  # a session looks at its recorder when a frame comes
        with pytest.raises(ZeroDivisionError):
            session.wait()
    else:
        wait_for(lambda: session.snapshot().frames_seen == 60)
        assert session.state is State.RUNNING
        assert "a bug in the recorder" in session.snapshot().recording.failed
        session.stop()
        session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.complete, recording.rows) == (True, 20)
        assert recording.attributes["finish_reason"].startswith("failed: ZeroDivisionError")


def test_a_folder_that_cannot_be_written(tmp_path):
    """Refused before the first frame; chmod keeps no root out, a file in the way does."""
    folder = tmp_path / "there"
    if ROOT:
        folder.write_text("a file")
    else:
        folder.mkdir(mode=0o500)
    child = start(tmp_path, "--out", str(folder / "a.h5"))
    out, err = child.communicate(timeout=60)
    assert (child.returncode, LINE.findall(out)) == (1, [])
    assert err.startswith(f"roi_stream: cannot write {folder / 'a.h5'}: ")
    assert err.count("\n") == 1


def test_a_folder_that_vanishes(tmp_path):
    """The open file outlives its name: what was written cannot be saved, but the program says so and ends."""
    folder = tmp_path / "gone"
    child = start(tmp_path, "--out", str(folder / "a.h5"))
    read_until(child, 30)
    folder.rename(tmp_path / "elsewhere")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert re_line(err)
    with Recording(tmp_path / "elsewhere" / "a.h5") as recording:
        assert recording.rows > 0


def re_line(err):
    """One sentence, no traceback."""
    return err.startswith("roi_stream: ") and "Traceback" not in err and "safe" in err


def test_a_file_that_may_not_grow(tmp_path):
    """A quota: the system refuses to write more than 4 MB into any file."""
    limit = (8 * 2**20, 8 * 2**20)

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    words = ["--format", "320x240@200", "--set", "recorder.movie=true"]
    child = start(tmp_path, "--out", str(tmp_path / "a.h5"), *words, preexec_fn=limited)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert re_line(err), err
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.rows > 0
        assert np.isfinite(recording.means).all()


def test_a_program_that_is_killed_is_recovered_by_the_command(tmp_path):
    child = start(tmp_path, "--out", str(tmp_path / "a.h5"), "--set", "recorder.movie=true")
    read_until(child, 60)
    command = [sys.executable, "-m", "roi_core.cli", "recover", str(tmp_path / "a.h5")]
    busy = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (busy.returncode, busy.stdout) == (1, "")
    assert "is open in another program, which may be recording to it" in busy.stderr
    child.kill()
    child.communicate()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" events from its journal\n")
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.complete
        assert recording.attributes["finish_reason"].startswith("recovered: ")
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "it was finished already: nothing was changed" in again.stderr
