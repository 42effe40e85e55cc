"""The session bar, chips, card and recovery in the real window."""

import json
import signal

import pytest

from roi_core.recording import Recording
from tests.gui.driver import within
from tests.gui.test_window import file_of, hold_stop

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


def test_a_named_timed_take_with_notes_markers_and_a_card(start):
    window = start("simulated:tiny", "--set", "cnmf.enabled=false", "--set", "motion.enabled=false")
    window.running()
    window.resize(1600, 960)
    window.click("tab.card")
    window.fill("card.subject.subject_id", "m017")
    window.fill("card.subject.species", "mouse", end="Tab")
    state = window.settle(4)
    assert state.messages[-1][1].startswith("subject.species = 'mouse': write the Latin name")
    assert state.told["card"]["card"]["species"] == ""
    window.fill("card.subject.species", "Mus musculus", end="Tab")
    window.fill("card.imaging.excitation_nm", "488", end="Tab")
    window.fill("take", "m017 day 1")
    state = window.fill("length", "1:30")
    assert state.told["session"]["length"] == "1:30"
    state = window.fill("length", "soon")
    assert "is no length" in state.messages[-1][1]
    assert state.told["session"]["length"] == "1:30"

    window.click("record")
    state = window.until(lambda s: s.recording and s.take["rows"] > 5, "rows")
    window.fill("note", "drug on")
    window.key("m")
    window.click("mark")
    window.fill("card.imaging.region", "CA1", end="Tab")
    window.screenshot("session_card_recording")
    state = window.until(lambda s: s.told["chips"]["cost"][2].count("writing") == 1, "what writing costs")
    window.resize(1024, 700)
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    window.settle(8)
    window.screenshot("session_recording_1024")
    window.resize(1280, 800)
    window._tool("mousemove", str(window.left + 5), str(window.top + 5))
    window.settle(8)
    window.screenshot("session_recording_1280")
    minutes, seconds = map(int, window.ask().told["session"]["clock"].split(":")[1:])
    window.fill("length", f"{60 * minutes + seconds + 6} s")
    window.minimise()
    state = window.until(lambda s: not s.recording, "it ends by itself, though nobody looks", 60)
    window.restore()
    with file_of(window, state) as file:
        assert file.path.name == "m017 day 1.h5"
        assert file.attributes["finish_reason"].startswith("completed: the ")
        kinds = [event.kind for event in file.events]
        assert [kinds.count(kind) for kind in ("note", "marker", "card")] == [1, 2, 1]
        assert file.card.flat() | {"subject_id": "m017", "region": "CA1", "excitation_nm": 488.0} == (
            file.card.flat()
        )

    window.click("record")
    state = window.until(lambda s: s.recording, "again under the same name")
    hold_stop(window)
    assert state.take["path"].endswith("m017 day 1_2.h5"), "nothing is overwritten"
    told = window.ask().told["session"]
    assert "simulated" not in json.dumps({key: value for key, value in told.items() if key != "choices"})
    window.click("chip.messages")
    state = window.settle(4)
    assert state.told["messages"]["least"] == 30
    bad = [text for level, text in state.messages if level >= 30]
    assert state.told["messages"]["lines"] == bad[::-1]
    window.screenshot("session_warnings_only")
    assert window.terminate() == 0


def test_after_a_kill_the_next_start_tells_what_is_safe(start, tmp_path):
    first = start("simulated:tiny", "--set", "recorder.movie=true", "--record", "taken.h5")
    state = first.until(lambda s: s.recording and s.take["rows"] > 40, "rows")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(20)
    first.kill()
    (tmp_path / "socket").unlink()
    path = tmp_path / "taken.h5"
    with Recording(path) as recording:
        assert not recording.complete
        rows = recording.rows
    assert rows >= state.take["rows"] - 40

    second = start("simulated:tiny", "--set", "recorder.movie=true")
    state = second.until(lambda s: "recovery.open" in s.items, "the notice", 60)
    assert state.told["recovery"]["text"] == (
        f"The last session ended unexpectedly: {rows} rows are safe in {path}"
    )
    second.running()
    assert "recovery.finish" in state.items
    second.screenshot("session_recovery")
    state = second.click("recovery.open")
    second.until(
        lambda s: s.source == str(path) and s.phase == "finished" and s.frames == rows, "its results", 60
    )
    assert "recovery.open" not in second.ask().items
    second.screenshot("session_recovered")
    second.click("again")
    second.until(lambda s: s.told["transport"]["side"] == "REPLAY" and s.frames > 0, "it plays", 60)
    second.click("results")
    second.until(lambda s: s.told["transport"]["side"] == "RESULTS" and s.frames == rows, "and back", 60)
    assert second.terminate() == 0
    assert not list((tmp_path / "config" / "roi_stream" / "unfinished").glob("*"))
    (tmp_path / "socket").unlink(missing_ok=True)
    third = start("simulated:tiny")
    state = third.running()
    assert third.settle(20).told["recovery"]["text"] == ""
    assert json.loads((tmp_path / "config" / "roi_stream" / "recent.json").read_text())[0] in (
        str(path), "simulated:tiny"
    )  # fmt: skip
    within(5, lambda: third.ask().told["session"]["name"] == "", "the name begins anew")
