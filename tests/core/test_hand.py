"""A user's hand on the cells of a running session: every verb is in the file, nothing stops a frame."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from roi_core.analysis import Analysis
from roi_core.cnmf.online import OnlineCNMF
from roi_core.errands import ENDED, NOBODY, Errands
from roi_core.errors import ComponentError
from roi_core.frame import Components, Order, Status, Verb
from roi_core.hand import outlined
from roi_core.masks import Masks
from roi_core.recording import Recording
from roi_core.rois import Circle, Polygon, RoiSet
from roi_core.session import Session
from roi_core.settings import Settings
from tests.core.conftest import EARLY
from tests.core.test_session import live, wait_for
from tests.fakes import Stepped, fake_stages


def test_verbs_are_done_at_the_next_frame_and_told_in_the_file(running):
    hand, before = running.session.cells, running.seen
    alive = before.ids[before.status <= Status.REJECTED].tolist()
    assert len(alive) >= 3
    one, two, three = alive[:3]
    hand.reject([one])
    hand.accept([two])
    hand.freeze([two])
    hand.remove([three])
    hand.promote(Circle(54, 6, 4, name="mine", id=9))
    running.step()
    new = int(running.seen.ids[running.seen.status <= Status.REJECTED][-1])
    assert new > max(alive)
    hand.split(two)
    hand.automatic([one])
    hand.thaw([two])
    running.step()
    part = max(running.seen.ids.tolist())
    assert part > new
    hand.merge([two, part])
    running.step(30)
    assert running.status(two) == Status.ACCEPTED
    kinds = ("accepted", "rejected", "automatic", "frozen", "thawed", "removed", "birth", "split", "merge")
    told = running.events(*kinds)
    start = told.index(("rejected", {"id": one, "reason": "by hand"}))
    mine = [each for each in told[start:] if each[1].get("reason") == "by hand" or each[0] in kinds[2:]]
    assert [(kind, data["id"]) for kind, data in mine][:10] == [
        ("rejected", one), ("accepted", two), ("frozen", two), ("removed", three), ("birth", new),
        ("split", two), ("birth", part), ("automatic", one), ("thawed", two), ("merge", two),
    ]  # fmt: skip
    with Recording(running.path) as recording:
        cells = recording.cells
        place = {cell: k for k, cell in enumerate(cells.ids.tolist())}
        assert cells.status[place[three]] == Status.REMOVED
        assert cells.status[place[part]] == Status.MERGED
        assert cells.reason[place[three]] == cells.reason[place[two]] == "by hand"
        assert np.isfinite(cells.raw[EARLY + 3 :, place[new]]).all()
        assert np.isfinite(cells.raw[EARLY - 50 :, place[two]]).all()


def test_a_verb_that_cannot_be_is_a_sentence_and_costs_nothing(running, caplog):
    running.session.cells.accept([999])
    running.session.cells.merge([998, 999])
    running.session.cells.demote([997])
    running.step(3)
    assert running.session.snapshot().stages["cnmf"] == "ready"
    assert np.isfinite(running.session.snapshot().activity.raw).all()
    told = [data["text"] for _, data in running.events("warning", "alert")]
    assert told == [
        "there is no component 997 to make a region of",
        "accept 999: there is no component 999",
        "merge 998, 999: there is no component 998",
    ]


def test_a_bug_in_a_verb_does_not_end_the_stage(running, monkeypatch):
    def broken(self, order, row):
        raise ZeroDivisionError("a bug in a verb")

    monkeypatch.setattr(OnlineCNMF, "obey", broken)
    for _ in range(5):
        running.session.cells.accept([1])
        running.step()
    assert running.session.snapshot().stages["cnmf"] == "ready"
    told = running.events("warning", "alert")
    assert told == [("warning", {"text": "accept 1: ZeroDivisionError: a bug in a verb"})] * 5


def test_a_component_becomes_a_fixed_region(running):
    seen = running.seen
    cell = int(seen.ids[seen.status == Status.ACCEPTED][0])
    running.session.cells.demote([cell, cell])
    running.session.cells.demote(cell)
    assert len(running.session.rois) == 1, "not before it is removed"
    running.step(5)
    assert running.status(cell) == Status.REMOVED
    (_, roi) = running.session.rois
    assert (roi.name, roi.id) == (f"cell{cell}", 2)
    running.session.cells.demote(cell)
    told = running.events("removed", "roi_added", "warning")
    assert ("roi_added", {"id": 2, "name": roi.name, "version": 1}) in told
    assert ("removed", {"id": cell, "reason": f"it is region 'cell{cell}' now"}) in told
    assert [data["text"] for kind, data in told if kind == "warning"] == [
        f"remove {cell}: component {cell} is no more: it is region 'cell{cell}' now",
        f"there is no component {cell} to make a region of",
    ]
    with Recording(running.path) as recording:
        assert np.isfinite(recording.means[EARLY + 1 :, 1]).all()
        assert np.isnan(recording.means[:EARLY, 1]).all()


def test_nothing_is_drawn_when_nobody_removes(running):
    cell = int(running.seen.ids[0])
    running.session.stop()
    running.session.wait()
    running.session.cells.demote(cell)
    assert len(running.session.rois) == 1
    assert set(running.session.snapshot().stages.values()) == {"off"}, "nothing failed"


def test_one_component_need_not_be_a_list(running):
    cell = running.seen.ids[0]
    running.session.cells.freeze(cell)
    running.session.cells.reject(int(cell))
    running.step()
    assert running.status(cell) == Status.REJECTED
    assert ("frozen", {"id": int(cell)}) in running.events("frozen")


def test_what_is_no_component_is_said_in_a_sentence(running):
    hand = running.session.cells
    hand.accept("ab")
    hand.merge(2.5)
    hand.demote(None)
    hand.split([None])
    hand.promote("x")
    hand.accept([])
    assert hand.what_if(None).silent == "None is no Settings"
    hand.merge([])
    hand.merge(998)
    running.step(2)
    assert [data["text"] for _, data in running.events("warning", "alert")] == [
        "accept: 'ab' is no id of a component, nor a list of them",
        "merge: 2.5 is no id of a component, nor a list of them",
        "demote: None is no id of a component, nor a list of them",
        "split: [None] is no id of a component, nor a list of them",
        "promote: 'x' is no region",
        "merge: no component is nothing to merge; name two or more",
        "merge 998: there is no component 998",
    ]


def components(mask):
    pixels = np.flatnonzero(mask).astype(np.int32)
    one, data = np.ones(1), np.ones(len(pixels), np.float32)
    status = np.ones(1, np.uint8)
    return Components(1, mask.shape, np.array([7]), np.array([0]), status, ("",), one, one, one, one,
                      data, pixels, np.array([0, len(pixels)]))  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_the_region_of_a_component_covers_its_pixels(seed):
    mask = np.hypot(*(np.mgrid[:30, :40] - np.array([14, 20])[:, None, None])) < 6 + seed
    mask[10:18, 20 + seed] = False
    mask[:20, 20 + seed] = False
    left = mask.copy()
    left[:, 21 + seed :] = False
    roi = outlined(components(left), 7)
    covered = Masks(RoiSet().add(roi), left.shape).means((left * 100).astype(np.uint16))
    assert isinstance(roi, Polygon)
    assert covered[0] == 100
    assert sum(last - first for _, first, last in roi.runs(left.shape)) == left.sum()


def test_a_line_of_pixels_is_a_circle_and_nothing_is_refused():
    mask = np.zeros((10, 12), bool)
    mask[4, 5] = True
    assert outlined(components(mask), 7) == Circle(5, 4, 0.5, name="cell7")
    for none, cell in ((components(mask), 8), (None, 7)):
        with pytest.raises(ComponentError, match=f"there is no component {cell}"):
            outlined(none, cell)


def test_nobody_to_ask(caplog):
    errands = Errands()
    assert isinstance(errands.ask(lambda *_: 1).exception(), ComponentError)
    errands.open()
    first, second = errands.ask(lambda *_: 1), errands.ask(lambda *_: 2)
    errands.do(None, 0)
    assert str(first.exception()) == str(second.exception()) == NOBODY
    later = errands.ask(lambda *_: 3)
    errands.close()
    errands.do("finder", 0)
    assert str(later.exception()) == ENDED


def test_a_question_that_nobody_answers_is_answered_in_a_sentence():
    source = Stepped(count=50)
    session = Session(source, live(), RoiSet())
    assert session.cells.what_if(Settings()).silent == NOBODY, "it does not run yet"
    session.start()
    assert session.cells.what_if(Settings(), timeout=0.01).silent == "no frame came within 0.01 s"
    session.cells.accept([1])
    source.step(5)
    wait_for(lambda: session.snapshot().frames_seen == 5)
    session.stop()
    session.wait()
    assert session.cells.what_if(Settings()).silent == ENDED, "it runs no more"


def test_what_waits_when_a_session_ends_is_answered():
    source = Stepped(count=50)
    session = Session(source, live(), RoiSet())
    session.start()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(session.cells.what_if, Settings(), 30.0)
        wait_for(lambda: session._pipeline.analysis.errands._waiting)
        session.stop()
        session.wait()
        assert answer.result().silent == ENDED


def test_what_if_tells_of_components_while_frames_flow(running):
    strict = running.settings.current.with_value("cnmf.min_skewness", 20.0)
    foresight = running.asked(lambda: running.session.cells.what_if(strict))
    assert not foresight.silent
    alive = running.seen.ids[running.seen.status <= Status.REJECTED].tolist()
    assert sorted(foresight.components) == sorted(alive)
    assert {status for status, _ in foresight.components.values()} == {Status.REJECTED}
    assert all("below" in why for _, why in foresight.components.values())
    assert Status.ACCEPTED in running.seen.status, "nothing was applied"


def test_verbs_reach_an_analysis_without_a_session(monkeypatch):
    """Also when cells are off: refused at the frame, not kept for later."""
    with fake_stages(monkeypatch):
        analysis = Analysis((17, 21), 100.0)
        analysis.errands.open()
        future = analysis.errands.ask(lambda finder, row: finder.obey(Order(Verb.ACCEPT, (1,)), row))
        analysis.step(0, 0.0, np.zeros((17, 21), np.uint16), Settings(), RoiSet())
        assert str(future.exception(0)) == NOBODY
        analysis.close()
