"""Pictures of each stage beside the recording: there when asked for, never in the way."""

import cv2
import numpy as np
import pytest

from roi_core.recording import Recording
from roi_core.sinks import pictures
from roi_core.sinks.pictures import Pictures, footprint_picture, shades
from tests.core.test_analysis import ON, SHAPE, film
from tests.core.test_recorder_cells import HEADER, samples
from tests.fakes import FakeCells, Ramp, fake_stages


@pytest.fixture(autouse=True)
def _fakes(monkeypatch):
    monkeypatch.setattr(pictures, "ROOM", 0.0)
    with fake_stages(monkeypatch):
        yield


def test_a_set_of_pictures_now_and_then(tmp_path):
    film(Ramp(100, SHAPE), tmp_path / "a.h5", *ON, "cnmf.pictures=0.5")
    folder = tmp_path / "a_stages"
    # the lane lets a sample go when it is late, but the first never is
    matrices = np.load(folder / "stages_0000000.npz")
    names = {"mean", "max", "std", "correlation", "activity", "template"}
    assert names | {"ids", "status", "data", "indices", "indptr"} == set(matrices)
    assert matrices["template"].shape == SHAPE
    for name in (*names, "footprints"):
        picture = cv2.imread(str(folder / f"{name}_0000000.png"))
        assert picture.shape == (*SHAPE, 3)
    assert {path.name[-11:-4] for path in folder.glob("*.png")} <= {"0000000", "0000050"}


@pytest.mark.parametrize("texts", [(*ON,), ("cnmf.pictures=0.1",)])
def test_none_when_not_asked_for_or_nothing_is_analysed(tmp_path, texts):
    film(Ramp(30, SHAPE), tmp_path / "a.h5", *texts)
    assert not (tmp_path / "a_stages").exists()


def test_a_folder_that_cannot_be_made_is_told_once(tmp_path, caplog):
    (tmp_path / "a_stages").write_text("in the way")
    film(Ramp(100, SHAPE), tmp_path / "a.h5", *ON, "cnmf.pictures=0.05")
    assert caplog.text.count("no pictures of the stages") == 1
    with Recording(tmp_path / "a.h5") as recording:
        assert (recording.rows, recording.complete) == (100, True)


def test_a_nearly_full_disk_is_left_to_the_recording(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(pictures, "ROOM", 1e18)
    sink = Pictures(tmp_path / "a_stages", dict)
    sink.open(HEADER)
    for sample in samples(range(3)):
        sink.write(sample)
    assert caplog.text.count("the disk is nearly full") == 1
    assert not sink.folder.exists()


def test_footprints_are_painted_by_status():
    cells = FakeCells((6, 8), 50.0, None)
    for row in range(70):
        cells.step(row, None, None)
    drawn = footprint_picture(np.ones((6, 8), np.float32), cells.components).reshape(-1, 3)
    green, red = drawn[:, 1] > drawn[:, 2] + 20, drawn[:, 2] > drawn[:, 1] + 20
    # 1 is merged; 2 covers 2 and 3, 3 is rejected and covers 3 and 4, 4 and 5 cover 4, 5 and 6
    assert np.flatnonzero(green).tolist() == [2, 5, 6]
    assert np.flatnonzero(red).tolist() == [3, 4]


def test_shades():
    ramp = np.linspace(0, 1, 1000, dtype=np.float32).reshape(20, 50)
    ramp[0, 0] = np.nan
    gray = shades(ramp)
    assert (gray[0, 0], gray[-1, -1]) == (0, 255)
    assert np.all(np.diff(gray.ravel()[20:].astype(int)) >= 0)
    assert not shades(np.full((2, 2), np.nan, np.float32)).any()
    assert not shades(np.full((2, 2), 7, np.float32)).any()
