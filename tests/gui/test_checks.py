"""The acceptance checks of the window (GUI.md 3.3) that no other file has.

Where the others are: 2 `test_window_desktop`; 3 `test_start`; 7, 8 `test_losses`; 10-14 `test_window_tools`
and `test_window`; 16, 17 `test_window`, `test_window_preview`; 18 `test_window_session`; 20, 23
`test_window`; 22 `test_window_params`; the soak of 25 `test_leaks`. That nothing is dropped (6, 19, 21) no
test can promise on a machine that does other things too: here every loss is counted, `benchmarks.window`
asks for none. Each that has a window leaves its pictures in ``artifacts/``.
"""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from roi_core import layout
from roi_core.ledger import Fate
from roi_core.masks import Masks
from roi_core.recording import Recording
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated
from tests.cameras import Y4mCamera, picture
from tests.gui.driver import within

pytestmark = [pytest.mark.gui, pytest.mark.timeout(400)]

WIDTH, HEIGHT, RATE = 320, 240, 50
PATIENCE = 300
"""Seconds: kernels may have to be compiled first, on a machine that does other things too."""


def picture_of(window, name):
    """Take a screenshot; return the part that shows the camera's picture."""
    shot = cv2.imread(str(window.screenshot(name)))
    x, y, width, height = (int(v) for v in window.ask().items["picture"])
    return shot[window.top + y :, window.left + x :][:height, :width].astype(int)


def finished(window, path):
    """End the window; open the file it leaves."""
    assert window.terminate() == 0
    return Recording(path)


def test_01_a_cold_start_shows_the_first_frame_under_a_title_and_an_icon(start):
    window = start()
    window.running(frames=1)
    window.screenshot("check_01_start")
    told = subprocess.run(
        ["xprop", "-id", window.xid], env=window.env, capture_output=True, text=True, check=True
    )
    assert 'WM_NAME(STRING) = "ROI Stream"' in told.stdout or "ROI Stream" in told.stdout
    assert "_NET_WM_ICON" in told.stdout
    assert "Traceback" not in window.output()


def test_04_05_06_a_camera_is_shown_moving_counted_and_recorded_to_the_bit(start):
    with Y4mCamera(WIDTH, HEIGHT, RATE) as camera:
        words = ("--set", "camera.counter=embedded", "--set", "recorder.movie=true", "--record", "a.h5")
        window = start(camera.url, *words)
        first = window.running(frames=10)
        before = picture_of(window, "check_04_camera")
        window.until(lambda s: s.frames > first.frames + 10, "more frames")
        assert np.abs(picture_of(window, "check_04_camera_later") - before).mean() > 1, "it moves"
        state = window.until(lambda s: s.frames > first.frames + 10 * RATE, "ten seconds", 60)
        assert float(state.chips["fps"].split()[0]) == pytest.approx(RATE, rel=0.05)
        window.screenshot("check_06_rate")
        path = window.home / state.take["path"]
        with finished(window, path) as file:
            index = file.frame_index
            for row in range(file.rows):
                np.testing.assert_array_equal(file.movie[row], picture(int(index[row]), WIDTH, HEIGHT))
            missing = set(range(index[0], index[-1] + 1)) - set(index.tolist())
        assert missing == {count for count in camera.report().dropped if index[0] < count < index[-1]}


def test_09_15_a_drawn_circle_measures_its_pixels_from_the_next_frame_on(start):
    window = start("simulated", "--set", "recorder.movie=true", "--record", "a.h5")
    window.until(lambda s: s.recording and s.take["rows"] > 5, "rows", 60)
    window.key("c")
    state = window.drag((200, 220), (215, 220), (225, 220))
    (roi,) = state.rois
    drawn = state.frames + state.dropped
    state = window.until(lambda s: s.take["rows"] > state.take["rows"] + 40, "it is measured")
    window.screenshot("check_09_circle")
    with finished(window, window.home / state.take["path"]) as file:
        assert file.rois.ids == (roi["id"],)
        y, x = np.mgrid[: file.movie.shape[1], : file.movie.shape[2]]
        mask = (x - roi["xc"]) ** 2 + (y - roi["yc"]) ** 2 <= roi["r"] ** 2
        seen = np.zeros(mask.shape, bool)
        seen.reshape(-1)[Masks(file.rois, mask.shape).indices(0)] = True
        assert np.abs(seen ^ mask).sum() <= 2 * np.pi * roi["r"], "equal to a px at the rim"
        means = file.means[:, 0]
        (added,) = (event for event in file.events if event.kind == "roi_added")
        first = int(np.searchsorted(file.frame_index, added.frame))
        known = int(np.searchsorted(file.frame_index, drawn))
        assert 0 < first <= known + 1, "with the next frame; one may have been on its way"
        measured = np.flatnonzero(np.isfinite(means))
        assert measured.tolist() == list(range(first, file.rows)), "without a hole from there on"
        assert measured.size > 40
        for row in measured[::5]:
            assert means[row] == pytest.approx(file.movie[row][seen].mean(), rel=1e-4)


@pytest.fixture(scope="module")
def truth():
    words = "camera.format=256x256@30"
    return Simulated("2p", LiveSettings(Settings().with_texts(words)), paced=False).truth


def test_19_21_cells_are_found_while_it_records_also_when_minimised(start, truth):
    window = start("simulated:2p", "--set", "camera.format=256x256@30", "--record", "a.h5")
    state = window.until(lambda s: s.cells and len(s.cells["accepted"]) > 5, "the first cells", PATIENCE)
    window.minimise()
    here = window.ask()
    window.until(lambda s: s.frames > here.frames + 10 * 30, "ten seconds", 60)
    there = window.ask()
    window.restore()
    window.screenshot("check_19_restored")
    window.until(lambda s: s.frames > here.frames + 50 * 30, "fifty more", 120)
    window.screenshot("check_21_cells")
    state = window.ask()
    with finished(window, window.home / state.take["path"]) as file:
        missing = (np.diff(file.frame_index) - 1).sum()
        assert missing == file.attributes["frames_dropped"], "none on a free machine: benchmarks.window"
        mine = masks(file.cells.footprints[:, file.cells.accepted])
        holes = rows_without_cells(file, here.take["rows"])
        late = file.account.fates.get(Fate.LATE, 0)
    away = there.take["rows"] - here.take["rows"]
    assert away > 0
    assert (holes < away).sum() < away / 2, "cells were followed while it was minimised"
    assert holes.size <= late, "what is missing was left out as late, and counted"
    best = overlaps(mine, masks(truth.footprints)).max(axis=0)
    assert (best >= 0.5).mean() >= 0.8, f"{(best >= 0.5).sum()} of {best.size}"


def rows_without_cells(file, first):
    """Return which rows from `first` on have no trace of a cell that lived all along, counted from there."""
    raw = file.cells.traces(layout.RAW, first)
    old = (file.cells.born < first) & file.cells.accepted
    assert old.any()
    return np.flatnonzero(~np.isfinite(raw[:, old]).all(axis=1))


def masks(footprints):
    """Return (K, H, W) where each column of (H * W, K) is above a fifth of its peak."""
    dense = footprints.toarray().T.reshape(-1, 256, 256)
    return dense > 0.2 * dense.max(axis=(1, 2), keepdims=True)


def overlaps(mine, theirs):
    """Return (K, L) intersection over union, the template's place on the tissue being free to 6 px."""
    theirs = theirs.reshape(len(theirs), -1).astype(np.float32)
    best = np.zeros((len(mine), len(theirs)), np.float32)
    for dy in range(-6, 7):
        for dx in range(-6, 7):
            moved = np.roll(mine, (dy, dx), (1, 2)).reshape(len(mine), -1).astype(np.float32)
            both = moved @ theirs.T
            iou = both / (moved.sum(axis=1)[:, None] + theirs.sum(axis=1) - both)
            best = max(best, iou, key=lambda one: (one.max(axis=0) >= 0.5).sum())
    return best


def test_24_a_disk_with_no_room_is_refused_in_a_sentence(start):
    window = start("simulated", "--set", "recorder.disk_reserve=1000000")
    window.running()
    window.key("r")
    window.until(
        lambda s: any(level >= 30 and "nothing was started" in text for level, text in s.messages),
        "a refusal",
    )
    window.screenshot("check_24_no_room")
    assert not window.ask().recording
    assert window.terminate() == 0


def test_24_a_disk_that_fills_ends_the_recording_with_a_file_that_opens(start):
    """What must stay free is raised while it records: to the recorder, that is a disk that fills."""
    window = start("simulated", "--record", "a.h5")
    window.until(lambda s: s.recording and s.take["rows"] > 20, "rows", 60)
    window.click("tab.parameters")
    window.fill("find", "disk_reserve")
    window.fill("set.recorder.disk_reserve", "1000000")
    state = window.until(lambda s: not s.recording and s.take["failed"], "it stops by itself")
    window.until(
        lambda s: any(level >= 40 and "rows are safe" in text for level, text in s.messages), "it says so"
    )
    window.screenshot("check_24_full")
    assert window.ask().phase == "running", "the camera goes on"
    with finished(window, window.home / state.take["path"]) as file:
        assert f"all {file.rows} rows are safe" in state.take["failed"]
        assert file.rows > 20
        assert (np.diff(file.frame_index) > 0).all()


def test_25_a_killed_window_leaves_a_file_up_to_the_last_second(start):
    window = start("simulated", "--record", "a.h5")
    state = window.until(lambda s: s.recording and s.take["rows"] > 60, "rows", 60)
    window.screenshot("check_25_before_the_kill")
    state = window.ask()
    window.kill()
    path = window.home / Path(state.take["path"])
    with within(20, lambda: Recording(path), "it opens") as file:
        assert len(file.time) >= state.take["rows"] - 30
        assert not file.complete
