"""The hand on the chosen cells, in a real session without a window: what happened can be taken back."""

from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest

from roi_core.board import Diary
from roi_core.cnmf.online import OnlineCNMF
from roi_core.errands import Errands
from roi_core.errors import RecordingError
from roi_core.frame import Memo, Order, Status, Verb
from roi_core.hand import Hand
from roi_core.recording import Recording
from roi_core.rois import Circle
from roi_core.snapshot import State
from roi_core.sources.simulated import PRESETS, Simulated
from roi_stream_gui import words
from roi_stream_gui.cells import Choice
from roi_stream_gui.controller import Controller
from roi_stream_gui.editing import Editor
from roi_stream_gui.keeper import Keeper
from roi_stream_gui.shortcuts import Chord, find
from roi_stream_gui.undo import Journal
from tests.core.conftest import EARLY, ON
from tests.fakes import Held
from tests.gui.driver import within


class Finder:
    """Three cells that can be removed and restored."""

    def __init__(self):
        self.alive = {1, 2, 3}

    def obey(self, order, row):
        cell = order.ids[0] if order.ids else order.memos[0].id
        self.alive ^= {cell}
        return Order(Verb.RESTORE, why="undone", memos=(Memo(cell, row),))


class Bench:
    """The keeper with a finder of which each frame is stepped by hand, and may be refused."""

    def __init__(self):
        self.finder, self.errands, self.row = Finder(), Errands(), 0
        self.errands.open()
        components = SimpleNamespace(frozen=frozenset())
        shot = SimpleNamespace(activity=SimpleNamespace(components=components), recording=None, diary=Diary())
        hand = Hand(self.errands, SimpleNamespace(activity=None), lambda _: None)
        session = SimpleNamespace(
            cells=hand, snapshot=lambda: shot, tell=lambda *_: None, state=State.RUNNING
        )
        self.journal = Journal()
        self.do = SimpleNamespace(
            journal=self.journal,
            cells=Choice(),
            editor=Editor(journal=self.journal),
            session=session,
            now=shot,
        )
        self.keeper = Keeper(self.do)
        self.keeper.tick()

    def frame(self, analysed=True):
        self.row += 1
        self.errands.do(self.finder if analysed else None, self.row)
        self.keeper.tick()

    def remove(self, *cells):
        self.do.cells.choose(cells)
        self.keeper.remove()

    @property
    def names(self):
        return self.journal.undo_name, self.journal.redo_name


class Lab:
    """A controller with some cells found on the simulated camera, stepped frame by frame."""

    def __init__(self, folder):
        self.do = Controller(opener=self._open)
        for text in ON:
            path, _, value = text.partition("=")
            self.do.settings.edit(path, {"true": True}.get(value) or float(value))
        self.do.edit("recorder.folder", str(folder))
        self.do.connect("still")
        within(60, lambda: (self.do.tick(), self.do.view().running)[1], "connected")
        self.step(EARLY)

    def _open(self, _text, settings, *, realtime):
        self.source = Held(Simulated("still", settings, paced=False, seed=3))
        return self.source

    def step(self, frames=1):
        wanted = self.do.session.snapshot().frames_seen + frames
        self.source.step(frames)
        within(120, lambda: self.do.session.snapshot().frames_seen == wanted, "frames")
        self.do.tick()
        self.do.cells.traced(self.do.session.snapshot(), 4)

    def end(self):
        """End the session; its recording is whole then."""
        self.do.session.stop()
        self.do.session.wait()

    def press(self, *chord, frames=2):
        find(Chord(*chord)).run(self.do)
        self.step(frames)

    @property
    def seen(self):
        return self.do.session.snapshot().activity.components

    @property
    def alive(self):
        return self.seen.ids[self.seen.status <= Status.REJECTED].tolist()

    def status(self, cell):
        return Status(int(self.seen.status[self.seen.ids.tolist().index(cell)]))

    def shape(self, cell):
        k = self.seen.ids.tolist().index(cell)
        part = slice(self.seen.indptr[k], self.seen.indptr[k + 1])
        out = np.zeros(self.seen.shape, np.float32)
        out.reshape(-1)[self.seen.indices[part]] = self.seen.data[part]
        return out


@pytest.fixture(scope="module")
def _compiled():
    OnlineCNMF.warm_up()


@pytest.fixture
def lab(tmp_path, monkeypatch, _compiled):
    monkeypatch.setitem(PRESETS, "still", PRESETS["tiny"] | {"drift": 0.0, "jitter": 0.0})
    lab = Lab(tmp_path)
    yield lab
    lab.do.close()


def test_one_key_each_and_one_way_back(lab):
    do = lab.do
    one, two, three = lab.alive[:3]
    before = {cell: lab.status(cell) for cell in lab.alive}
    do.cells.choose([one, two])
    lab.press("B")
    assert [lab.status(cell) for cell in (one, two)] == [Status.REJECTED] * 2
    assert do.journal.undo_name == "reject", "two cells are one step"
    lab.press("G")
    assert [lab.status(cell) for cell in (one, two)] == [Status.ACCEPTED] * 2
    lab.press("F", False, True)
    assert lab.seen.frozen == {one, two}
    assert do.keeper.all_frozen()
    lab.press("F", False, True)
    assert lab.seen.frozen == frozenset()
    do.cells.choose([three])
    shape = lab.shape(three)
    lab.press("D")
    part = lab.alive[-1]
    assert part > max(before)
    assert set(do.cells.chosen) == {three, part}, "both halves are chosen, to be united again"
    lab.press("U")
    assert lab.status(part) is Status.MERGED
    lab.press("Del")
    assert three not in lab.alive
    assert do.journal.undo_name == "delete"
    for _ in range(4):
        lab.press("Z", True)
    assert lab.seen.frozen == {one, two}, "thawing was the fourth from behind"
    now = lab.shape(three)
    assert (now * shape).sum() > 0.9 * np.linalg.norm(now) * np.linalg.norm(shape), (
        "and it follows the data on"
    )
    for _ in range(3):
        lab.press("Z", True)
    assert do.journal.undo_name == ""
    assert [lab.status(cell) for cell in (one, two)] == [before[one], before[two]], (
        "the third is judged by rules"
    )
    for _ in range(7):
        lab.press("Y", True)
    assert three not in lab.alive
    assert part not in lab.alive
    assert lab.status(part) is Status.MERGED
    assert [lab.status(cell) for cell in (one, two)] == [Status.ACCEPTED] * 2


def test_cells_and_regions_become_each_other(lab):
    do = lab.do
    do.record()
    lab.step(2)
    cell, place = lab.alive[0], np.argwhere(lab.shape(lab.alive[0]) > 0.5).mean(0)
    do.keeper.rename(cell, " soma ")
    do.cells.choose([cell])
    lab.press("O")
    (roi,) = do.editor.rois
    assert roi.name == "soma"
    assert np.hypot(*(np.array(roi.centroid())[::-1] - place)) < 2
    assert cell not in lab.alive
    assert do.journal.undo_name == "demote"
    lab.step(3)
    assert do.session.rois.ids == (roi.id,), "it is measured"
    lab.press("Z", True)
    assert len(do.editor.rois) == 0
    assert cell in lab.alive, "one step for both"
    lab.press("Y", True)
    assert cell not in lab.alive
    assert len(do.editor.rois) == 1
    do.editor.select(do.editor.rois.ids[0])
    lab.press("I")
    new = lab.alive[-1]
    assert do.cells.chosen == (new,)
    assert do.journal.undo_name == "promote"
    assert lab.shape(new)[tuple(place.astype(int))] > 0.5
    lab.press("Z", True)
    assert lab.status(new) is Status.REMOVED
    do.stop_recording()
    path = do.session.snapshot().recording.path
    lab.end()
    with Recording(path) as recording:
        named = [e.data for e in recording.events if e.kind == "cell_named"]
        assert named == [{"id": cell, "name": "soma"}]
        assert {"removed", "restored", "birth"} <= {e.kind for e in recording.events}
        column = recording.cells.ids.tolist().index(cell)
        assert recording.cells.reason[column].startswith("it is region 'soma'")


def test_what_is_refused_is_said_and_is_no_step(lab, caplog):
    do = lab.do
    lab.press("G")
    assert words.CHOOSE_CELL in caplog.text
    do.cells.choose(lab.alive[:1])
    lab.press("U")
    assert words.CHOOSE_CELLS in caplog.text
    lab.press("I")
    assert words.SELECT_REGION in caplog.text
    far = sorted(lab.alive, key=lambda cell: np.argwhere(lab.shape(cell) > 0)[0].tolist())
    do.cells.choose([far[0], far[-1]])
    lab.press("U")
    assert "too far from component" in caplog.text
    assert do.journal.undo_name == ""
    do.cells.choose([far[0]])
    do.session.stop()
    do.session.wait()
    find(Chord("D")).run(do)
    do.tick()
    assert words.CELLS_ENDED in caplog.text
    assert do.journal.undo_name == ""


def test_names_are_told_to_a_recording_that_begins_later(lab):
    do = lab.do
    first, second = lab.alive[:2]
    do.keeper.rename(first, "a")
    do.keeper.rename(second, "b")
    do.keeper.rename(second, "")
    do.journal.undo()
    assert (do.keeper.label(second), do.keeper.label(first)) == ("b", "a")
    lab.step(2)
    do.record()
    lab.step(4)
    path = do.session.snapshot().recording.path
    lab.end()
    with Recording(path) as recording:
        named = [e.data for e in recording.events if e.kind == "cell_named"]
    assert named == [{"id": first, "name": "a"}, {"id": second, "name": "b"}]


def test_cells_of_an_earlier_session_are_left_alone(lab):
    do = lab.do
    do.editor.add(Circle(10, 10, 3))
    do.cells.choose(lab.alive[:1])
    do.keeper.rename(lab.alive[0], "mine")
    lab.press("B")
    do.connect("still")
    old = do.session
    within(60, lambda: (do.tick(), do.session is not old and do.view().running)[1], "connected again")
    do.tick()
    assert (do.keeper.names, do.cells.chosen) == ({}, ())
    assert do.journal.undo_name == "draw", "what was done to cells is no step of another session's"
    do.journal.undo()
    assert (do.journal.redo_name, len(do.editor.rois)) == ("draw", 0)


@pytest.fixture
def bench():
    return Bench()


def test_a_way_that_was_refused_can_be_tried_again(bench):
    bench.remove(2)
    bench.frame()
    assert (bench.finder.alive, bench.names) == ({1, 3}, ("delete", ""))
    bench.journal.undo()
    bench.frame(analysed=False)
    assert (bench.finder.alive, bench.names) == ({1, 3}, ("delete", "")), "refused: it is still deleted"
    bench.journal.undo()
    bench.frame()
    assert (bench.finder.alive, bench.names) == ({1, 2, 3}, ("", "delete"))
    bench.journal.redo()
    bench.frame(analysed=False)
    assert (bench.finder.alive, bench.names) == ({1, 2, 3}, ("", "delete"))
    bench.journal.redo()
    bench.journal.undo()
    bench.frame()
    assert (bench.finder.alive, bench.names) == ({1, 2, 3}, ("", "delete"))


def test_refused_steps_keep_their_order_also_when_something_new_was_done(bench):
    for cell in (1, 2):
        bench.remove(cell)
        bench.frame()
    bench.journal.undo()
    bench.journal.undo()
    bench.frame(analysed=False)
    assert bench.names == ("delete", "")
    bench.journal.undo()
    bench.frame()
    assert bench.finder.alive == {2, 3}, "the last one first"
    bench.journal.redo()
    bench.frame()
    bench.journal.undo()
    bench.keeper.rename(3, "new")
    bench.frame(analysed=False)
    for _ in range(3):
        bench.journal.undo()
        bench.frame()
    assert (bench.finder.alive, bench.keeper.names, bench.journal.undo_name) == ({1, 2, 3}, {}, "")


def test_what_waits_for_its_frame_is_called_off_before_anything_is_taken_back(bench, caplog):
    bench.keeper.rename(1, "first")
    bench.remove(3)
    assert bench.journal.undo_name == "delete"
    bench.journal.undo()
    bench.frame()
    assert (bench.finder.alive, bench.keeper.names, bench.names) == (
        {1, 2, 3}, {1: "first"}, ("name a cell", "")
    )  # fmt: skip
    bench.remove(3)
    bench.errands.do(bench.finder, 9)  # it has happened, and the window does not know yet
    bench.journal.undo()
    bench.frame()
    bench.frame()
    assert (bench.finder.alive, bench.names) == ({1, 2, 3}, ("name a cell", "delete"))
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_each_undo_tells_what_it_was_and_to_whom(bench, caplog):
    caplog.set_level("INFO")
    editor = Editor(journal=bench.journal)
    editor.add(Circle(10, 10, 3), Circle(30, 10, 3))
    editor.rename(2, "soma")
    bench.keeper.rename(1, "first")
    bench.remove(3)
    bench.frame()
    for _ in range(4):
        bench.journal.undo()
    bench.frame()
    bench.journal.redo()
    bench.remove(2)
    bench.journal.undo()
    assert caplog.messages == [
        "undone: delete (cell 3)", "undone: name a cell (cell 1)", "undone: rename (roi2)",
        "undone: draw (roi1, roi2)", "done again: draw (roi1, roi2)", "called off: delete",
    ]  # fmt: skip


def test_a_name_that_could_not_be_written_is_not_what_the_cell_is_called(bench):
    """When no frames come any more each name goes into the finished file, which somebody may have open."""
    answers = [Future(), Future()]
    waiting = iter(answers)
    bench.do.session.tell = lambda *_: next(waiting)
    bench.keeper.rename(1, "kept")
    bench.keeper.rename(2, "lost")
    answers[0].set_result(None)
    answers[1].set_exception(RecordingError("a.h5 is being read"))
    bench.keeper.tick()
    assert bench.keeper.names == {1: "kept"}


def test_several_steps_are_one():
    journal, said = Journal(), []
    with journal.as_one("both"):
        for word in "ab":
            journal.push(word, lambda w=word: said.append(f"-{w}"), lambda w=word: said.append(f"+{w}"))
    with journal.as_one("none"):
        pass
    assert journal.undo_name == "both"
    journal.undo()
    journal.redo()
    assert said == ["-b", "-a", "+a", "+b"]
    assert SimpleNamespace(name=journal.redo_name).name == ""


def test_when_the_movie_is_over_its_recording_is_judged_and_named(lab, caplog):
    caplog.set_level("INFO")
    do = lab.do
    do.record()
    within(20, lambda: (lab.step(), do.recording())[1], "it records")
    lab.step(30)
    one, two = lab.alive[:2]
    path = do.session.snapshot().recording.path
    lab.end()
    do.tick()
    do.cells.choose([one])
    do.keeper.reject()
    within(20, lambda: (do.tick(), not do.journal.waiting)[1], "the verdict is a step")
    assert words.JUDGED_INTO.format(path.name) in caplog.messages
    do.cells.choose([two])
    do.keeper.demote()
    within(20, lambda: (do.tick(), not do.journal.waiting)[1], "a region")
    assert [roi.name for roi in do.editor.rois] == [f"cell{two}"]
    do.keeper.rename(one, "Anna")
    within(20, lambda: _told(path)[-1:] == ["cell_named"], "the name is in the file")
    assert _told(path) == ["rejected", "removed", "cell_named"]
    do.journal.undo()
    do.journal.undo()
    within(20, lambda: (do.tick(), _told(path)[-1] == "restored")[1], "it is back")
    assert not len(do.editor.rois)
    assert lab.status(two) <= Status.REJECTED
    do.keeper.merge()
    assert caplog.messages[-1] == words.CELLS_ENDED
    with Recording(path) as recording:
        judged = dict(zip(recording.cells.ids.tolist(), recording.cells.status.tolist(), strict=True))
    assert judged[one] == Status.REJECTED == lab.status(one)
    assert judged[two] == lab.status(two)


def _told(path):
    """What was done after the end; nothing that is known while it is being written."""
    try:
        with Recording(path) as recording:
            return [event.kind for event in recording.events if "after_end" in event.data]
    except RecordingError:
        return [""]
