"""Miniscope sessions: real ones, and made ones with the faults that real ones have."""

import json
from itertools import pairwise

import numpy as np
import pytest

from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from tests.contracts.test_source import SourceContract, collect
from tests.core.test_sources_files import opened, write_video

FRAMES = (np.arange(12)[:, None, None] * 20 + np.zeros((24, 32))).astype(np.uint8)


def write_session(folder, stamps=None, numbers=None, sizes=(5, 5, 2)):
    """Write a V4 session: FRAMES over several AVIs, and what the computer noted."""
    device = folder / "12_00_00" / "Miniscope"
    device.mkdir(parents=True)
    (device.parent / "metaData.json").write_text(json.dumps({"miniscopes": ["Miniscope"], "cameras": []}))
    (device / "metaData.json").write_text(json.dumps({"frameRate": "20FPS", "framesPerFile": 5}))
    edges = np.cumsum([0, *sizes])
    for number, (begin, end) in enumerate(pairwise(edges)):
        write_video(device / f"{number}.avi", FRAMES[begin:end], rate=60.0)
    stamps = np.arange(12) * 50 - 7 if stamps is None else stamps
    numbers = range(len(stamps)) if numbers is None else numbers
    rows = [f"{number},{stamp},0" for number, stamp in zip(numbers, stamps, strict=True)]
    (device / "timeStamps.csv").write_text("Frame Number,Time Stamp (ms),Buffer Index\n" + "\n".join(rows))
    return device.parent


def values(frames):
    return [int(frame.image[0, 0]) // 20 for frame in frames]


class TestMiniscope(SourceContract):
    def make(self, folder):
        return opened(write_session(folder))


def test_the_parts_are_played_in_the_order_of_their_numbers(tmp_path, caplog):
    source = opened(write_session(tmp_path, sizes=(1,) * 12))  # 10.avi sorts before 2.avi as text
    frames = collect(source)
    source.close()
    assert source.name == "12_00_00/Miniscope"
    assert (source.length, source.rate, source.counter) == (12, pytest.approx(20.0), "camera")
    assert values(frames) == list(range(12))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) * 0.05, atol=1e-9)
    told = "12_00_00/Miniscope: its time stamps give 20 frames/s and are used, though the AVI header says 60"
    assert caplog.messages == [told]


def test_gaps_in_the_frame_numbers_are_losses(tmp_path):
    numbers = [0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14]
    source = opened(write_session(tmp_path, stamps=np.array(numbers) * 50, numbers=numbers))
    assert [frame.index for frame in collect(source)] == numbers
    assert source.rate == pytest.approx(20.0)
    source.close()


def test_missing_stamps_are_continued_and_no_frame_is_lost(tmp_path, caplog):
    source = opened(write_session(tmp_path, stamps=np.arange(9) * 50))
    frames = collect(source)
    source.close()
    assert values(frames) == [frame.index for frame in frames] == list(range(12))
    np.testing.assert_allclose(np.diff([frame.time for frame in frames]), 0.05)
    assert "12_00_00/Miniscope has 9 time stamps for 12 frames" in caplog.messages


@pytest.mark.parametrize("wrong", ["nan", "1e300", "-1e300", "1e18", "1e12", "7.5", "3"])
def test_a_frame_number_that_is_none_costs_no_frame(tmp_path, caplog, wrong):
    source = opened(write_session(tmp_path, numbers=[*range(11), wrong]))
    frames = collect(source)
    source.close()
    assert values(frames) == [frame.index for frame in frames] == list(range(12))
    assert source.rate == pytest.approx(20.0)
    told = "its frame numbers go back or are no count; gaps cannot be known from them"
    assert f"12_00_00/Miniscope: {told}" in caplog.messages


def test_without_stamps_the_rate_of_the_metadata_holds(tmp_path):
    session = write_session(tmp_path)
    (session / "Miniscope" / "timeStamps.csv").unlink()
    source = opened(session)
    np.testing.assert_allclose([frame.time for frame in collect(source)], np.arange(12) / 20)
    source.close()


def test_a_clock_set_back_is_repaired_and_told(tmp_path, caplog):
    stamps = [0, 50, 100, 150, 200, 250, -3600, -3550, -3500, -3450, -3400, -3350]
    source = opened(write_session(tmp_path, stamps=stamps))
    np.testing.assert_allclose([frame.time for frame in collect(source)], np.arange(12) * 0.05)
    source.close()
    told = "12_00_00/Miniscope: time stamps: row 6: the clock is set back by 3.9 s and stays there"
    assert told in caplog.messages


def test_what_its_clock_did_is_in_the_recording(tmp_path):
    stamps = np.arange(12) * 50 + 300 * (np.arange(12) > 7)
    stamps[[0, 4]] = 1991184303, 3600_000
    source = opened(write_session(tmp_path, stamps=stamps))
    session = Session(source, LiveSettings(Settings()))
    path = session.record(tmp_path / "a.h5")
    session.start()
    session.wait()
    with Recording(path) as recording:
        told = [event.data["text"] for event in recording.events if event.kind == "warning"]
        np.testing.assert_allclose(np.diff(recording.time), [0.05] * 7 + [0.35] + [0.05] * 3, atol=1e-9)
    assert [text.partition("stamps: ")[2] for text in told][:3] == [
        "row 0: the first value is +1.99118e+06 s off: garbage",
        "row 4: the clock is off by +3599.8 s for 1 row and comes back",
        "row 8: 0.35 s after the row before: about 6 frames missing, or a pause",
    ]


def test_a_damaged_part_costs_only_its_own_frames(tmp_path, caplog):
    session = write_session(tmp_path)
    (session / "Miniscope" / "1.avi").write_bytes(b"not a video")
    source = opened(session)
    frames = collect(source)
    source.close()
    assert values(frames) == [frame.index for frame in frames] == [0, 1, 2, 3, 4, 10, 11]
    assert "12_00_00/Miniscope/1.avi is damaged: 0 of 5 frames could be read" in caplog.messages


def test_of_an_old_session_the_right_camera_of_two_is_taken(tmp_path):
    for number, begin in ((1, 0), (2, 6)):
        write_video(tmp_path / f"msCam{number}.avi", FRAMES[begin : begin + 6])
    rows = ["camNum\tframeNum\tsysClock\tbuffer", "0\t1\t1991184303\t1", "1\t1\t1991184325\t1"]
    for number in range(2, 13):
        rows += [f"0\t{number}\t{number * 40}\t1"] + ([f"1\t{number}\t{number * 40 + 22}\t1"] * (number < 9))
    (tmp_path / "timestamp.dat").write_text("\n".join(rows))
    source = opened(tmp_path)
    frames = collect(source)
    source.close()
    assert values(frames) == list(range(12))
    assert [frame.index for frame in frames] == list(range(1, 13))
    assert source.rate == pytest.approx(25.0)
    np.testing.assert_allclose(np.diff([frame.time for frame in frames]), 0.04)


@pytest.mark.parametrize("session", ["15_06_28", "15_03_28"])
def test_real_sessions(shared, session, caplog):
    folder = shared / "data" / "miniscope-v3-session" / "C6-J588_Disc5" / session
    source = opened(folder)
    frames = collect(source)
    source.close()
    assert source.name == f"{session}/Miniscope"
    assert source.rate == pytest.approx(15.0, rel=0.02)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert frames[0].time == 0.0
    assert frames[-1].time == pytest.approx(0.2665, abs=0.001)
    assert len(caplog.messages) == 1
    camera = opened(folder / "BehavCam_2")
    assert (camera.shape, len(collect(camera))) == ((720, 1280), 5)
    camera.close()
