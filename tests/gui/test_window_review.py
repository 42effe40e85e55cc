"""Replay and review in the real window: a session recorded with its movie, replayed with other parameters,
both compared, the table exported."""

import csv
import math
import shutil

import h5py
import pytest

from roi_core import layout

pytestmark = [pytest.mark.gui, pytest.mark.timeout(480)]

PATIENCE = 240
"""Seconds: kernels may have to be compiled first, on a machine that does other things too."""


def found(state):
    return len(state.cells["accepted"]) if state.cells else 0


def test_a_recording_is_replayed_and_compared(start, tmp_path):
    path = tmp_path / "take.h5"
    settings = ["--set", "camera.format=192x192@30", "--set", "recorder.movie=true"]
    window = start("simulated:2p", *settings, "--record", str(path))
    window.until(lambda s: s.recording and found(s) >= 8, "cells are found", PATIENCE)
    window.until(lambda s: s.take["rows"] >= 450, "15 s are recorded", PATIENCE)
    assert not window.ask().told["transport"]["shown"], "a camera has no transport"
    with window.holding("record"):
        window.until(lambda s: not s.recording, "stopped")
    window.until(lambda s: s.take and not s.take["closing"], "finished", 60)

    # opened: what was found is shown; replayed: held, looked at, stepped, played on
    window.fill("source", str(path))
    state = window.until(lambda s: s.told["transport"]["side"] == "RESULTS", "its results", PATIENCE)
    assert found(state) >= 8
    window.screenshot("review_0_results")
    window.click("again")
    state = window.until(lambda s: s.told["transport"]["side"] == "REPLAY", "it is replayed", PATIENCE)
    rows = state.told["transport"]["last"] + 1
    assert rows >= 450
    window.click("play")
    state = window.until(lambda s: not s.told["transport"]["plays"], "held")
    analysed = state.told["transport"]["analysed"]
    x, y, width, height = state.items["position"]
    window._to(x + 0.75 * width, y + height / 2)
    window._tool("click", "1")
    state = window.until(lambda s: s.told["transport"]["looking"], "another frame is looked at")
    assert abs(state.told["transport"]["row"] - 0.75 * rows) < 0.05 * rows
    assert state.told["transport"]["analysed"] <= analysed + 1
    window.screenshot("review_1_looking")
    row = state.told["transport"]["row"]
    state = window.key("Left")
    assert state.told["transport"]["row"] == row - 1
    state = window.click("back")
    assert not state.told["transport"]["looking"]
    state = window.key("Right")
    window.until(lambda s: s.told["transport"]["analysed"] > analysed, "a step")

    # again, with another parameter, as fast as it goes
    window.click("tab.parameters")
    window.fill("find", "min_snr")
    window.fill("set.cnmf.min_snr", "4")
    window.key("ctrl+Return")
    window.until(lambda s: s.settings["cnmf"]["min_snr"] == 4.0, "it is in force")
    state = window.key("ctrl+Up", "ctrl+Up", "ctrl+Up", "ctrl+Up")
    assert state.told["transport"]["speed"] == math.inf
    window.click("again")
    window.until(lambda s: s.told["transport"]["ended"], "the replay ends", PATIENCE)
    window.screenshot("review_2_replayed")

    # compared: online (A) with the replay (B)
    window.click("tab.review")
    state = window.until(lambda s: "take.h5" in s.told["review"]["choices"], "the recording is offered")
    assert state.told["review"]["sides"] == ["take.h5", "this run"]
    assert not state.told["review"]["numbered"], "there is nothing to measure yet"
    window.click("compare")
    state = window.until(lambda s: s.told["review"]["drawn"], "pairs are found and the first is drawn", 60)
    told = state.told["review"]
    assert told["numbered"]
    assert told["chosen"] == 0
    assert len(told["pairs"]) >= 4
    assert all(overlap >= 0.5 for _, _, overlap in told["pairs"])
    assert f"same: {len(told['pairs'])} of" in told["summary"]
    window.screenshot("review_3_compared")
    state = window.click("review.row1")
    assert state.told["review"]["chosen"] == 1
    window.until(lambda s: s.told["review"]["drawn"], "its traces are drawn", 60)
    window.resize(1024, 700)
    window.screenshot("review_4_small")

    # exported, as the menu does it
    window.resize(1280, 800)
    window.key("ctrl+e")
    table = path.with_suffix(".csv")
    window.until(lambda s: any(f"exported to {table}" in text for _, text in s.messages), "exported", 60)
    with table.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header[:2] == ["time_s", "frame_index"]
    assert len(lines) == rows

    # one without a movie is looked at: its mean picture, cells and traces
    bare = tmp_path / "bare.h5"
    shutil.copy(path, bare)
    with h5py.File(bare, "r+") as file:
        del file[layout.MOVIE]
    window.click("tab.traces")
    window.fill("source", str(bare))
    said = "bare.h5 holds no movie and the file it was made from is not beside it"
    state = window.until(lambda s: any(said in text for _, text in s.messages), "it is looked at", 60)
    state = window.until(
        lambda s: not s.told["transport"]["shown"] and found(s) >= 8, "its cells are shown", 60
    )
    assert (state.phase, state.frames) == ("finished", rows)
    window.screenshot("review_5_looked_at")
    assert window.terminate() == 0
    assert window.output() == ""
