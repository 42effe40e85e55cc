"""A recording that kept its movie, in the real window: its results first, its replay when it is asked for."""

import pytest

from roi_core.recording import Recording
from tests.exporting import FRAMES, recorded

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

NOTE = "note: the animal woke up"


def notes(state):
    return [text for _, group, text in state.told["traces"]["marks"] if group == "notes"]


def test_a_recording_with_its_movie_shows_what_is_in_it(start, tmp_path):
    path = recorded(tmp_path / "take.h5")
    with Recording(path) as recording:
        cells = recording.cells.count
        times = recording.time
    assert cells
    window = start(str(path))

    # opened: its results
    state = window.until(lambda s: s.told["transport"]["side"] == "RESULTS", "its results", 120)
    state = window.until(lambda s: NOTE in notes(s), "the note is marked")
    assert (state.phase, state.frames) == ("finished", FRAMES)
    assert state.cells["accepted"] or state.cells["rejected"]
    assert {"soma", "dendrite"} <= set(state.told["traces"]["lanes"]), "its regions have traces"
    window.until(lambda s: s.told["traces"]["newest"] == pytest.approx(times[-1]), "to their end")
    assert {"again", "position"} <= state.items.keys()
    assert not {"play", "speed", "results"} & state.items.keys(), "there is nothing to play"
    window.until(lambda s: s.chips["fps"] == "results", "so says the first chip")
    assert not state.told["quality"].get("active")
    window.aside()
    window.screenshot("results_1_opened")

    # a frame of the movie beside them
    x, y, width, height = state.items["position"]
    window._to(x + 0.5 * width, y + height / 2)
    window._tool("click", "1")
    state = window.until(lambda s: s.told["transport"]["looked"], "a frame is looked at")
    row = state.told["transport"]["row"]
    assert abs(row - 0.5 * FRAMES) < 0.05 * FRAMES
    assert state.told["traces"]["cursor"] == pytest.approx(times[row])
    window.aside()
    window.screenshot("results_2_a_frame")
    window.resize(1024, 700)
    window.screenshot("results_3_small")
    window.resize(1280, 800)

    # replayed, and back
    window.click("again")
    state = window.until(lambda s: s.told["transport"]["side"] == "REPLAY", "a replay", 60)
    window.until(lambda s: s.told["transport"]["analysed"] > 20, "its frames are analysed")
    state = window.click("play")
    assert {"play", "speed", "results"} <= state.items.keys()
    assert not notes(state), "what is in the recording is not what is found now"
    assert state.told["traces"]["cursor"] is None
    window.aside()
    window.screenshot("results_4_replay")
    window.resize(1024, 700)
    window.screenshot("results_5_replay_small")
    window.resize(1280, 800)
    window.click("results")
    window.until(lambda s: s.told["transport"]["side"] == "RESULTS" and NOTE in notes(s), "back", 60)
    window.key("F2")
    window.until(lambda s: s.told["transport"]["side"] == "REPLAY", "the key replays it too", 60)
    window.menu("File/Results or replay")
    state = window.until(lambda s: s.told["transport"]["side"] == "RESULTS", "the menu goes back", 60)
    assert window.terminate() == 0
    assert window.output() == ""
