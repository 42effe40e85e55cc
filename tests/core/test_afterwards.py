"""Cells judged when the session is over: verdicts are in the finished file, what takes frames is refused."""

import json
import threading
from time import monotonic

import h5py
import numpy as np
import pytest

from roi_core import afterwards, layout
from roi_core.errors import ComponentError, RecordingError
from roi_core.frame import Status
from roi_core.recording import Recording, amend
from roi_core.reviewed import Reviewed
from roi_core.settings import LiveSettings
from roi_core.sources.simulated import PRESETS
from tests.core.test_recorder_cells import record, samples
from tests.core.test_session import wait_for


def read(path):
    """Status and reason of each cell in a file, and what was told after its end."""
    with Recording(path) as recording:
        cells = recording.cells
        judged = dict(
            zip(cells.ids.tolist(), zip(cells.status.tolist(), cells.reason, strict=True), strict=True)
        )
        return judged, [event for event in recording.events if "after_end" in event.data]


@pytest.fixture
def reviewed(tmp_path):
    """Five cells: the first is merged, the third rejected."""
    path = record(tmp_path / "a.h5", samples(range(70)))
    with Recording(path) as recording:
        return Reviewed(recording, LiveSettings())


def test_verdicts_after_the_end_are_in_the_file_and_can_be_taken_back(running):
    hand, alive = running.session.cells, running.seen.ids[running.seen.status <= Status.REJECTED].tolist()
    one, two, three = alive[:3]
    (before,) = hand.accept(one)
    (gone,) = hand.remove(three)
    running.step(2)
    running.session.stop()
    running.session.wait()
    whole = running.path.read_bytes()
    _, (removed,) = hand.reject(two), hand.remove(one)
    assert removed.result(20).memos[0].fate == (Status.ACCEPTED, "by hand")
    assert (running.status(two), running.status(one)) == (Status.REJECTED, Status.REMOVED)
    judged, told = read(running.path)
    assert judged[two] == (Status.REJECTED, "by hand")
    assert judged[one] == (Status.REMOVED, "by hand")
    assert [(e.kind, e.data["id"]) for e in told] == [("rejected", two), ("removed", one)]
    with Recording(running.path) as recording:
        assert (told[0].time, told[0].frame) == (recording.time[-1], recording.frame_index[-1])
        assert recording.complete
    lines = [json.loads(line) for line in running.path.with_suffix(".jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines[-2:]] == ["rejected", "removed"]
    assert [e.kind for e in running.session.snapshot().diary.since(0)[1][-2:]] == ["rejected", "removed"]
    back = hand.undo(removed)
    again = hand.undo(back)
    back.result(20)
    again.result(20)
    assert running.status(one) == Status.REMOVED
    hand.undo(again).result(20)
    hand.undo(before).result(20)
    assert read(running.path)[0][one][0] == running.status(one) <= Status.REJECTED, "as before the first"
    assert isinstance(hand.undo(gone).exception(20), ComponentError), "its traces are no more"
    assert len(running.path.read_bytes()) > len(whole) * 0.9, "all else stays"


def test_what_takes_frames_is_refused_in_a_sentence(reviewed, caplog):
    hand = reviewed.cells
    deeds = (*hand.merge([2, 4]), *hand.split(4), *hand.freeze(4), *hand.automatic(4), *hand.accept(1))
    assert all(isinstance(deed.exception(20), ComponentError) for deed in deeds)
    wait_for(lambda: len(caplog.messages) == len(deeds))
    assert caplog.messages == [
        *(f"{what}: that takes frames, and none come any more"
          for what in ("merge 2, 4", "split 4", "freeze 4", "automatic 4")),
        "accept 1: there is no component 1",
    ]  # fmt: skip
    assert read(reviewed.path)[1] == []
    assert hand.what_if(reviewed.settings.current).silent == "no frames come any more"


def test_a_recording_that_is_looked_at_is_judged_and_named(reviewed):
    hand = reviewed.cells
    version = reviewed.snapshot().activity.components.version
    for deed in (*hand.accept(3), *hand.reject([2, 4])):
        deed.result(20)
    reviewed.tell("cell_named", {"id": 3, "name": "Anna"})
    hand.undo(deed).result(20)
    seen = reviewed.snapshot().activity.components
    assert seen.status.tolist() == [3, 2, 1, 1, 1]
    assert seen.version == version + 4
    judged, told = read(reviewed.path)
    assert [status for status, _ in judged.values()] == [3, 2, 1, 1, 1]
    assert [reason for _, reason in judged.values()] == ["", "by hand", "by hand", "", ""]
    assert [e.kind for e in told] == ["accepted", "rejected", "rejected", "cell_named", "restored"]
    assert told[-2].data["name"] == "Anna"
    assert told[-1].data["status"] == "accepted"


def test_a_file_that_is_read_or_cut_short_stays_as_it_is(reviewed, monkeypatch, caplog):
    monkeypatch.setattr(afterwards, "PATIENCE", 0.0)
    with h5py.File(reviewed.path):
        (deed,) = reviewed.cells.reject(2)
        assert isinstance(deed.exception(20), RecordingError)
    wait_for(lambda: any("a.h5 is being read" in text for text in caplog.messages))
    with h5py.File(reviewed.path, "r+") as file:
        file.attrs["complete"] = np.uint8(0)
    (deed,) = reviewed.cells.reject(2)
    assert isinstance(deed.exception(20), RecordingError)
    wait_for(lambda: len(caplog.messages) == 2)
    assert caplog.messages[-1] == "reject 2: a.h5 was cut short; recover it before its cells are judged"
    assert reviewed.snapshot().activity.components.status.tolist() == [3, 1, 2, 1, 1], "the eye sees the file"
    assert read(reviewed.path)[0][2] == (Status.ACCEPTED, "")


def test_a_reader_that_is_soon_done_is_waited_for(reviewed):
    with h5py.File(reviewed.path):
        (deed,) = reviewed.cells.reject(2)
    deed.result(20)
    assert read(reviewed.path)[0][2] == (Status.REJECTED, "by hand")


def test_without_a_recording_verdicts_last_as_long_as_the_session(running_unrecorded):
    run = running_unrecorded
    cell = int(run.seen.ids[run.seen.status <= Status.REJECTED][0])
    run.session.stop()
    run.session.wait()
    assert run.session.cells.afterwards.files() == ()
    run.session.cells.reject(cell)[0].result(20)
    assert run.status(cell) == Status.REJECTED


def test_every_part_of_a_recording_is_judged(tmp_path):
    paths = [record(tmp_path / f"{name}.h5", samples(range(70))) for name in "ab"]
    with Recording(paths[0]) as recording:
        whole = Reviewed(recording, LiveSettings())
    whole.cells.afterwards.files = lambda: tuple(paths)
    whole.cells.reject(2)[0].result(20)
    assert [read(path)[0][2][0] for path in paths] == [Status.REJECTED] * 2


def test_of_a_recording_in_parts_all_or_none_is_changed(tmp_path):
    paths = [record(tmp_path / f"{name}.h5", samples(range(70))) for name in "ab"]
    with Recording(paths[0]) as recording:
        whole = Reviewed(recording, LiveSettings())
    whole.cells.afterwards.files = lambda: tuple(paths)
    away = paths[1].rename(tmp_path / "away.h5")
    before = paths[0].read_bytes()
    assert isinstance(whole.cells.reject(2)[0].exception(20), RecordingError)
    assert paths[0].read_bytes() == before
    away.rename(paths[1])
    with h5py.File(paths[1], "r+") as file:
        file[layout.IDS][:] += 10
    whole.cells.reject(2)[0].result(20)
    assert read(paths[0])[0][2][0] == Status.REJECTED
    assert read(paths[1])[1] == [], "a part is told of its own cells only"


def test_a_cell_that_the_file_does_not_know_is_not_judged(reviewed):
    with h5py.File(reviewed.path, "r+") as file:
        file[layout.IDS][1] = 99
    before = reviewed.path.read_bytes()
    (deed,) = reviewed.cells.reject(2)
    assert str(deed.exception(20)) == "cell 2 is not in a.h5: it was found after the end of that recording"
    assert reviewed.path.read_bytes() == before


def test_only_what_is_told_of_a_component_goes_into_a_finished_file(reviewed):
    before = reviewed.path.read_bytes()
    assert reviewed.tell("snapshot", {"path": "a.png"}) is None
    assert reviewed.path.read_bytes() == before
    reviewed.tell("cell_named", {"id": 3, "name": "Anna"}).result(20)
    assert [event.kind for event in read(reviewed.path)[1]] == ["cell_named"]


def test_all_wishes_wait_together_for_one_who_reads(reviewed, monkeypatch):
    """However long the first one waits, the others wait no longer than from when they were asked for."""
    clock, asked, untils = [0.0], threading.Event(), []

    def waits(_paths, _verdicts, _news, until):
        asked.wait(20)
        untils.append(until)
        clock[0] += 100.0

    monkeypatch.setattr(afterwards, "monotonic", lambda: clock[0])
    monkeypatch.setattr(afterwards, "amend", waits)
    deeds = reviewed.cells.reject([2, 4, 5])
    asked.set()
    for deed in deeds:
        deed.result(20)
    assert untils == [afterwards.PATIENCE] * 3


def test_ids_and_reasons_need_not_be_there(tmp_path):
    path = record(tmp_path / "a.h5", samples(range(70)))
    with h5py.File(path, "r+") as file:
        file[layout.REASON].resize(1, axis=0)
    amend.amend([path], {2: (Status.REJECTED, "by hand")}, [], monotonic())
    judged, told = read(path)
    assert (judged[2], judged[3], told) == ((Status.REJECTED, "by hand"), (Status.REJECTED, ""), [])


@pytest.fixture
def running_unrecorded(tmp_path, monkeypatch, _compiled):
    from tests.core.conftest import Run

    monkeypatch.setitem(PRESETS, "still", PRESETS["tiny"] | {"drift": 0.0, "jitter": 0.0})
    run = Run(None)
    yield run
    run.session.stop()
    run.session.wait()
