"""kill -9 at random moments in all modes: every file opens, a second is lost at most, recover finishes it.

Plainly in h5py, too, unless the kill cut a flush short, whose rest then lies beside it.

A recording of a film is what a clean stop at the same frame leaves. 27 kills; ``ROI_STREAM_KILLS=100`` for
more.
"""

import json
import os
import random
import re
import signal
import sys
import time

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.beside import changes
from roi_core.offline.recover import REASON, recover
from roi_core.recording import Recording
from roi_core.recording.audit import audit
from roi_core.recording.sound import TRACES
from tests.cells import film
from tests.zygote import Zygote

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]
KILLS = int(os.environ.get("ROI_STREAM_KILLS", "27"))
RATE = 100
LINE = re.compile(r"\[ *[\d.]+s\] FPS: [\d.]+ frames=(\d+)")
CELLS = ("cnmf.enabled=true", "motion.enabled=true", "cnmf.cell_radius=4", "recorder.movie=true")
MODES = {
    "rows": (),
    "movie": ("recorder.movie=true",),
    "compressed": ("recorder.movie=true", "recorder.compression=lz4"),
    "cells": CELLS,
    "split": ("recorder.movie=true", "recorder.split_minutes=0.0167"),
    "closing": CELLS,
    "film": CELLS,
    "channels": ("motion.enabled=true", "recorder.movie=true", "channels.order=470,415"),
    "pretrigger": (*CELLS, "recorder.pretrigger=0.5"),
}
FILMED = ("film", "channels", "pretrigger")
"""Modes that play a film as fast as it goes: another run of it gives the same."""


@pytest.fixture(scope="module")
def zygote():
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.npy"
    np.save(path, film(2000).pictures.astype(np.uint16))
    return path


def command(folder, mode, movie, frames=0):
    """Return the words that record so many frames into a folder, 0 for all."""
    (folder / "r.csv").write_text("20,20,5\n40,40,3\n")
    out, texts = str(folder / "a.h5"), ("recorder.disk_reserve=1", *MODES[mode])
    if mode in FILMED:
        pressed = "100" if mode == "pretrigger" else "0"
        return ["play", str(movie), out, pressed, str(frames), *texts, f"camera.rate={RATE}"]
    words = ["run", "--source", "simulated:tiny", "--format", f"64x64@{RATE}", "--print-fps-period", "0.01"]
    words += ["--rois", str(folder / "r.csv"), "--out", out]
    words += [word for text in texts for word in ("--set", text)]
    return [*words, "--max-frames", str(frames)] if frames else words


def kill(zygote, folder, mode, chance, movie):
    """Start a recording and kill it at some moment; return how many frames it had told of."""
    log = folder / "log"
    log.touch()
    until = 10 + int(RATE * chance.random() ** 2)
    words = command(folder, mode, movie, until if mode == "closing" else 0)
    number = zygote.start(words, log)
    wanted = "closing" if mode == "closing" else f"frames={until}"

    def reached():
        text = log.read_text()
        return wanted in text or any(int(n) >= until for n in LINE.findall(text) if mode != "closing")

    while not reached():
        time.sleep(0.005)  # leave the processor to what is waited for
        assert os.path.exists(f"/proc/{number}"), log.read_text()
    time.sleep(chance.random() * (0.02 if mode == "closing" else 0.3))  # the fault itself: any moment
    os.kill(number, signal.SIGKILL)
    code = zygote.ended()
    assert code in (-signal.SIGKILL, 0), log.read_text()
    return max(int(n) for n in LINE.findall(log.read_text()))


def check(path):
    """Everything in a finished recording fits together; return its rows."""
    with h5py.File(path) as file:
        lengths = {name: len(file[name]) for name in (layout.TIME, layout.FRAME_INDEX, layout.MEANS)}
        lengths |= {
            name: len(file[name]) for name in (layout.MOVIE, layout.SHIFTS, layout.RAW) if name in file
        }
    with Recording(path) as recording:
        assert recording.complete
        assert set(lengths.values()) == {recording.rows}, lengths
        assert recording.attributes["rows"] == recording.rows
        assert audit(recording) == ()
        assert np.all(np.diff(recording.time) > 0)
        assert np.isfinite(recording.means).all()
        events = [(event.kind, event.frame) for event in recording.events]
        assert [kind for kind, _ in events].count("stop") == 1
        assert recording.cells is None or recording.cells.footprints.shape[1] == recording.cells.count
        if recording.rows == 0:  # a part that had just begun
            return 0
        if recording.movie is not None:
            y, x = np.mgrid[-5:6, -5:6]
            for row in {0, recording.rows - 1}:
                circle = recording.movie[row][15:26, 15:26]
                expected = circle[x * x + y * y <= 25].mean()
                # the region is measured where the picture was moved to
                assert recording.shifts is not None or recording.means[row, 0] == pytest.approx(expected)
        lines = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
        last = recording.frame_index[-1]
        whole = not recording.attributes["finish_reason"].startswith(REASON)  # a part, with the gap behind it
        told = [(line["kind"][:16], line["frame"]) for line in lines if whole or line["frame"] <= last]
        assert events[: len(told)] == told
        return recording.rows


def check_clean(zygote, folder, mode, movie):
    """The recovered file has the rows of a clean stop at its last one, to the bit."""
    twin = folder / "clean"
    twin.mkdir()
    with Recording(folder / "a.h5") as killed:
        if killed.rows == 0:
            return
        zygote.start(command(twin, mode, movie, int(killed.frame_index[-1]) + 1), twin / "log")
        assert zygote.ended() == 0, (twin / "log").read_text()
        with Recording(twin / "a.h5") as clean:
            for name in ("time", "frame_index", "means", "channel", "shifts", "movie"):
                np.testing.assert_array_equal(getattr(killed, name), getattr(clean, name), name)
            assert (killed.cells is None) == (clean.cells is None) == (mode == "channels")
            if killed.cells is None:
                return
            np.testing.assert_array_equal(killed.cells.ids, clean.cells.ids)
            for name in TRACES:
                np.testing.assert_array_equal(killed.cells.traces(name), clean.cells.traces(name), name)


def test_kills_at_random_moments(zygote, tmp_path, movie):
    """In turn in all modes; of each the rows that were told of a second before the kill are there."""
    chance, counts, losses = random.Random(5), dict.fromkeys(MODES, 0), []
    for number in range(KILLS):
        mode = list(MODES)[number % len(MODES)]
        folder = tmp_path / str(number)
        folder.mkdir()
        told, rows = kill(zygote, folder, mode, chance, movie), 0
        for path in sorted(folder.glob("*.h5")):
            with Recording(path) as recording:
                finished = recording.complete
            if not changes(path).exists():  # else a flush is half written, and `recover` has the rest of it
                with h5py.File(path) as file:  # opens plainly, without help
                    assert len(file[layout.TIME]) <= len(file[layout.MEANS])
            found = recover(path)
            assert found.cut == 0
            assert bool(found.notes) == finished, found.notes
            rows += check(path)
        counts[mode] += 1
        if mode in FILMED:  # how many of its frames are a second is not known
            check_clean(zygote, folder, mode, movie)
            continue
        losses.append(told - rows)
        assert told - rows <= RATE, f"{folder}: {told - rows} of {told} rows lost"
    print(f"\n{KILLS} kills {counts}: rows lost at most {max(losses)} of {RATE} a second", file=sys.stderr)
