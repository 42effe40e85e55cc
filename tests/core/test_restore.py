"""Whatever a hand does to components can be taken back and done again: the same cells, under the same ids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core.errors import ComponentError
from roi_core.frame import Order, Status, Verb
from roi_core.recording import Recording
from roi_core.rois import Circle
from tests.cells import run
from tests.checks import check, well
from tests.core.conftest import EARLY
from tests.core.test_byhand import begun, footprint_of, noise
from tests.core.test_cnmf_census import PLAIN, born, grown

KEPT = ("status", "rule", "verdict", "frozen", "born", "mean", "second", "tail", "swings", "peak", "power")


def state(finder):
    """What must be the same after a verb was taken back, by id."""
    census, t = finder.census, finder.census.cells.t
    ids = t.ids[: census.cells.count].tolist()
    return {
        cell: [footprint_of(finder, i), *(np.array(getattr(t, name)[i], float) for name in KEPT),
               census.deconvolver.baseline[i], census.deconvolver.noise[i]]
        for i, cell in enumerate(ids)
    }  # fmt: skip


def same(one, other):
    assert one.keys() == other.keys()
    for cell, values in one.items():
        for a, b in zip(values, other[cell], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5, err_msg=str(cell))


def obey(finder, verb, *ids, roi=None, row=100):
    return finder.obey(Order(verb, ids, roi), row)


CASES = [
    (Verb.ACCEPT, 1), (Verb.REJECT, 1), (Verb.AUTOMATIC, 1), (Verb.FREEZE, 1), (Verb.THAW, 1),
    (Verb.REMOVE, 2), (Verb.SPLIT, 1), (Verb.MERGE, 2, 3, 1), (Verb.PROMOTE,),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].value)
def test_every_verb_is_taken_back_and_done_again(case):
    finder, random = begun([(20, 16), (20, 20), (20, 24)])
    run(finder, noise(random, 20), PLAIN, 31)
    roi = Circle(32, 9, 3, id=4) if case[0] is Verb.PROMOTE else None
    before, seen = state(finder), finder.census.components()
    back = finder.obey(Order(case[0], case[1:], roi), 51)
    after = state(finder)
    for row in range(52, 55):
        forth = finder.obey(back, row)
        same(state(finder), before)
        check(finder.census.cells)
        back = finder.obey(forth, row)
        same(state(finder), after)
        check(finder.census.cells)
    finder.obey(back, 56)
    assert finder.census.next_id == (5 if case[0] in (Verb.SPLIT, Verb.PROMOTE) else 4)
    now = finder.census.components()
    assert now.ids[: len(before)].tolist() == sorted(before, key=now.ids.tolist().index)
    assert set(now.ids.tolist()) >= set(seen.ids.tolist())
    assert len(set(now.ids.tolist())) == len(now.ids), "nobody is both alive and dead"
    run(finder, noise(random, 60), PLAIN, 57)
    well(finder)


def test_what_is_taken_back_after_a_while_goes_on_as_the_same_cell():
    """A trace that blinks is followed again, from its baseline, some time after the cell was removed."""
    finder, random = begun([(20, 20)])
    still = PLAIN.with_texts("cnmf.shapes=false", "cnmf.min_snr=0")
    lit = noise(random, 400)
    course = 30 * (random.random(400) < 0.05).astype(np.float32)
    lit += course[:, None, None] * (footprint_of(finder, 0) / footprint_of(finder, 0).max()).astype(
        np.float32
    )
    obey(finder, Verb.ACCEPT, 1)
    run(finder, lit[:150], still, 31)
    t = finder.census.cells.t
    level, quiet = (
        float(v[0]) for v in (finder.census.deconvolver.baseline, finder.census.deconvolver.noise)
    )
    back = obey(finder, Verb.REMOVE, 1, row=181)
    assert run(finder, lit[150:200], still, 181)[-1].ids == ()
    finder.obey(back, 231)
    answers = run(finder, lit[200:], still, 231)
    assert answers[0].events == (
        ("restored", {"id": 1, "y": 20, "x": 20, "status": "accepted", "by_hand": True, "frozen": False}),
    )
    assert answers[-1].ids == (1,)
    assert t.born[0] == 30, "it is as old as it was"
    assert finder.census.deconvolver.baseline[0] == pytest.approx(level, abs=2 * quiet)
    raw = np.array([answer.raw[0] for answer in answers])
    assert np.isfinite(raw).all()
    assert np.corrcoef(raw, course[200:])[0, 1] > 0.95


def test_what_was_found_there_meanwhile_gives_way():
    finder, random = begun([(20, 20), (10, 30)])
    back = obey(finder, Verb.REMOVE, 1)
    run(finder, noise(random, 20), PLAIN, 100)
    assert born(finder, 20, 20, random, 120) is None, "that is what was removed"
    assert born(finder, 20, 22, random, 120) is not None, "far enough to be another, like enough to be a twin"
    (answer,) = run(finder, noise(random), PLAIN, 121)
    assert sorted(answer.ids) == [2, 3]
    forth = finder.obey(back, 122)
    (answer,) = run(finder, noise(random), PLAIN, 122)
    assert sorted(answer.ids) == [1, 2]
    assert ("removed", {"id": 3, "reason": "shadow of 1"}) in answer.events
    finder.obey(forth, 123)
    (answer,) = run(finder, noise(random), PLAIN, 123)
    assert sorted(answer.ids) == [2, 3], "done again, the other is back"
    check(finder.census.cells, whole=False)


def test_but_not_what_a_hand_has_touched():
    finder, random = begun([(20, 20)])
    back = obey(finder, Verb.REMOVE, 1)
    born(finder, 20, 22, random, 101)
    obey(finder, Verb.FREEZE, 2, row=102)
    obey(finder, Verb.THAW, 2, row=102)
    finder.obey(back, 103)
    assert sorted(finder.census.cells.t.ids[:2].tolist()) == [1, 2]


def test_fates_are_told_as_before_when_a_union_is_done_again():
    finder, random = begun([(20, 17), (20, 20)])
    back = obey(finder, Verb.MERGE, 1, 2)
    (answer,) = run(finder, noise(random), PLAIN, 100)
    fate = answer.components.status.tolist(), answer.components.reason
    finder.obey(finder.obey(back, 101), 101)
    (answer,) = run(finder, noise(random), PLAIN, 101)
    assert answer.ids == (1,)
    assert (answer.components.status.tolist(), answer.components.reason[1]) == (fate[0], fate[1][1])
    assert fate[0][1] == Status.MERGED


def test_the_judgement_of_one_that_is_no_more_cannot_be_taken_back():
    finder, _ = begun([(20, 20)])
    back = obey(finder, Verb.ACCEPT, 1)
    obey(finder, Verb.REMOVE, 1)
    with pytest.raises(ComponentError, match="component 1 is no more"):
        finder.obey(back, 102)
    assert finder.census.cells.count == 0


def test_boxes_of_another_size_by_then():
    """The radius was edited between a verb and its undoing."""
    finder, random = begun([(20, 20), (10, 30)])
    run(finder, noise(random, 20), PLAIN, 31)
    shape = footprint_of(finder, 0)
    for radius in ("5", "2"):
        back = obey(finder, Verb.REMOVE, 1)
        other = PLAIN.with_texts(f"cnmf.cell_radius={radius}")
        run(finder, noise(random, 30), other, 52)
        assert finder.field.radius == float(radius)
        finder.obey(back, 83)
        run(finder, noise(random, 3), other, 83)
        i = finder.census.place_of(1)
        assert (footprint_of(finder, i) * shape).sum() > 0.9
        well(finder)


@settings(max_examples=40)
@given(st.data())
def test_any_history_is_taken_back_to_its_beginning(data):
    """Verbs at random on cells at random, some taken back on the way: all undone, all done again."""
    finder, random = grown([(20, 16), (20, 20), (12, 30), (30, 9)])
    before, deeds = state(finder), []
    for step in range(data.draw(st.integers(1, 8))):
        verb = data.draw(st.sampled_from([*Verb]))
        alive = sorted(finder.census.cells.t.ids[: finder.census.cells.count].tolist())
        ids = tuple(data.draw(st.lists(st.sampled_from(alive), min_size=1, max_size=3, unique=True)))
        roi = Circle(*data.draw(st.tuples(st.integers(0, 43), st.integers(0, 39))), 3)
        about = {Verb.PROMOTE: ((), roi), Verb.SPLIT: (ids[:1],), Verb.REMOVE: (ids[: len(alive) - 1],)}
        try:
            if verb is not Verb.RESTORE:
                deeds.append(finder.obey(Order(verb, *about.get(verb, (ids,))), step))
            elif deeds:
                finder.obey(deeds.pop(), step)
        except ComponentError:
            continue
        check(finder.census.cells, whole=False)
        if data.draw(st.booleans()):
            finder.census.activity(0)
    after = state(finder)
    forth = [finder.obey(deed, 50) for deed in reversed(deeds)]
    same(state(finder), before)
    for deed in reversed(forth):
        finder.obey(deed, 51)
        check(finder.census.cells, whole=False)
    same(state(finder), after)
    ids = finder.census.components().ids.tolist()
    assert len(set(ids)) == len(ids)
    run(finder, noise(random, 12), PLAIN, 60)
    well(finder)


def test_undoing_reaches_the_file(running):
    """In a recording the same columns go on, with a gap where the cell was not."""
    hand, seen = running.session.cells, running.seen
    alive = seen.ids[seen.status <= Status.REJECTED].tolist()
    one, two = alive[:2]
    (removed,) = hand.remove(one)
    (split,) = hand.split(two)
    running.step()
    (part,) = set(running.seen.ids.tolist()) - set(seen.ids.tolist())
    running.step(19)
    back = [hand.undo(deed) for deed in (split, removed)]
    running.step(30)
    assert running.status(one) <= Status.REJECTED
    assert running.status(part) == Status.REMOVED
    hand.undo(back[0])
    running.step(30)
    assert running.status(part) <= Status.REJECTED
    assert running.session.snapshot().cells.since(0, [part]).raw[-25:].all()
    told = [(kind, data["id"]) for kind, data in running.events("removed", "split", "restored")]
    assert [each for each in told if each[1] in (one, two, part)] == [
        ("removed", one), ("split", two), ("removed", part), ("restored", two), ("restored", one),
        ("restored", part), ("restored", two),
    ]  # fmt: skip
    with Recording(running.path) as recording:
        cells = recording.cells
        assert len(set(cells.ids.tolist())) == cells.count
        column = {cell: k for k, cell in enumerate(cells.ids.tolist())}
        raw = cells.raw
        gap = np.isnan(raw[EARLY:, column[one]])
        assert gap[:20].all()
        assert not gap[20:].any()
        gap = np.isnan(raw[EARLY:, column[part]])
        assert not gap[:20].any()
        assert gap[20:50].all()
        assert not gap[50:].any()
        assert not np.isnan(raw[EARLY:, column[two]]).any()
        assert cells.status[column[part]] <= Status.REJECTED
        assert cells.footprints.getcol(column[one]).nnz


def test_what_could_not_be_done_cannot_be_undone_and_says_so(running):
    (deed,) = running.session.cells.accept(999)
    back = running.session.cells.undo(deed)
    running.step(2)
    assert isinstance(back.exception(), ComponentError)
    assert [data["text"] for _, data in running.events("warning")] == [
        "accept 999: there is no component 999",
        "undo: there is no component 999",
    ]
