"""What a user does to components, verb by verb, on the real finder."""

import numpy as np
import pytest

from roi_core.cnmf.byhand import halves
from roi_core.cnmf.merge import likest
from roi_core.errors import ComponentError
from roi_core.frame import Order, Status, Verb
from roi_core.rois import Circle
from tests.cells import blob, footprint, run
from tests.checks import check
from tests.core.test_cnmf_census import PLAIN, RATE, SHAPE, grown


def noise(random, rows=1):
    return random.normal(50, 3, (rows, *SHAPE)).astype(np.float32)


def begun(places):
    """A finder with cells whose births are told."""
    finder, random = grown(places)
    run(finder, noise(random), PLAIN, 30)
    return finder, random


def footprint_of(finder, i):
    return footprint(finder.census.cells, i)


def told(finder, random, *order, roi=None, settings=PLAIN, row=100):
    """The events of the first frame after an order, and its answer."""
    finder.obey(Order(order[0], order[1:], roi), row)
    (answer,) = run(finder, noise(random), settings, row)
    check(finder.census.cells, whole=False)
    return list(answer.events), answer


def test_verdicts_stay_until_they_are_withdrawn():
    finder, random = begun([(20, 20), (10, 30)])
    strict = PLAIN.with_value("cnmf.min_snr", 50.0)
    run(finder, noise(random, 20), strict, 31)
    events, answer = told(finder, random, Verb.ACCEPT, 1, 2, settings=strict)
    assert events == [("accepted", {"id": k, "reason": "by hand"}) for k in (1, 2)]
    assert answer.components.status.tolist() == [1, 1]
    assert answer.components.reason == ("by hand", "by hand")
    assert run(finder, noise(random, 200), strict, 101)[-1].components.status.tolist() == [1, 1]
    events, answer = told(finder, random, Verb.REJECT, 1, settings=strict, row=301)
    assert (events, answer.components.reason[0]) == (
        [("rejected", {"id": 1, "reason": "by hand"})],
        "by hand",
    )
    assert run(finder, noise(random, 200), strict, 302)[-1].ids == (1, 2), "nor is it removed"
    events, answer = told(finder, random, Verb.AUTOMATIC, 2, settings=strict, row=502)
    assert [kind for kind, _ in events] == ["automatic", "rejected"]
    assert "SNR" in events[1][1]["reason"]
    assert run(finder, noise(random, 200), strict, 503)[-1].ids == (1, 2), "only a hand removes it now"


def test_what_is_removed_is_no_more_and_cannot_be_judged():
    finder, random = begun([(20, 20), (10, 30)])
    events, answer = told(finder, random, Verb.REMOVE, 1)
    assert events[0] == ("removed", {"id": 1, "reason": "by hand"})
    assert answer.ids == (2,)
    assert answer.components.status.tolist()[-1] == Status.REMOVED
    with pytest.raises(ComponentError, match="component 1 is no more: by hand"):
        finder.obey(Order(Verb.ACCEPT, (1,)), 102)
    with pytest.raises(ComponentError, match="there is no component 77"):
        finder.obey(Order(Verb.ACCEPT, (2, 77)), 102)
    assert finder.census.cells.t.verdict[0] == 0, "whole or not at all"


def test_three_are_merged_under_the_id_of_the_first():
    finder, random = begun([(20, 16), (20, 20), (20, 24)])
    before = sum(footprint_of(finder, k) > 0 for k in range(3)) > 0
    still = PLAIN.with_value("cnmf.shapes", False)
    events, answer = told(finder, random, Verb.MERGE, 2, 3, 1, settings=still)
    assert events == [("merge", {"id": 2, "from": k, "reason": "by hand"}) for k in (3, 1)]
    assert answer.ids == (2,)
    assert (footprint_of(finder, 0) > 0).sum() > 0.85 * before.sum()


def test_merging_what_is_far_apart_or_alone_is_refused():
    finder, _ = begun([(20, 8), (20, 34)])
    with pytest.raises(ComponentError, match="component 2 is too far from component 1"):
        finder.obey(Order(Verb.MERGE, (1, 2)), 100)
    with pytest.raises(ComponentError, match="component 1 alone"):
        finder.obey(Order(Verb.MERGE, (1, 1)), 100)
    assert finder.census.cells.count == 2


def test_halves_are_two_spots():
    one, other = blob(21, 1.5, -1, -4), blob(21, 1.5, 2, 4)
    parts = sorted(halves(one + other), key=lambda part: part[:, :10].sum(), reverse=True)
    np.testing.assert_allclose(parts[0] + parts[1], one + other)
    assert parts[0][:, 11:].sum() == parts[1][:, :9].sum() == 0
    empty = halves(np.zeros((5, 5), np.float32))
    assert not np.any(empty)


def test_a_split_gives_each_half_its_own_light():
    """Two spots under one footprint: from the split on each half follows its spot, and stays beside it."""
    finder, random = grown([])
    census, field = finder.census, finder.field
    spots = [blob(field.side, 1.2, 0, dx) for dx in (-3, 3)]
    census._enter(spots[0] + spots[1], (20, 20), np.zeros(0, np.float32), 30)
    course, where = random.random((2, 300)) * 60, np.zeros((2, *SHAPE), np.float32)
    reach = field.reach
    for k in (0, 1):
        where[k, 20 - reach : 21 + reach, 20 - reach : 21 + reach] = spots[k]
    still = PLAIN.with_texts("cnmf.merge_r=0", "cnmf.min_snr=0", "cnmf.shapes=false")
    lit = [noise(random)[0] + np.tensordot(course[:, t], where, 1).astype(np.float32) for t in range(300)]
    run(finder, lit[:100], still, 30)
    finder.obey(Order(Verb.ACCEPT, (1,)), 130)
    finder.obey(Order(Verb.SPLIT, (1,)), 130)
    check(census.cells, whole=False)
    answers = run(finder, lit[100:], still, 130)
    assert [kind for kind, _ in answers[0].events] == ["accepted", "split", "birth"]
    assert answers[0].events[1][1] == {"id": 1, "into": 2, "reason": "by hand"}
    assert answers[-1].ids == (1, 2), "they are not joined again"
    raw = np.array([answer.raw for answer in answers]).T
    r = np.corrcoef(raw, course[:, 100:])[:2, 2:]
    assert np.sort(r.max(1))[0] > 0.95
    assert r.argmax(1).tolist() in ([0, 1], [1, 0])
    assert answers[-1].components.status.tolist() == [1, 1]


def test_the_halves_share_the_trace_at_once():
    finder, random = begun([(20, 20)])
    run(finder, noise(random, 30), PLAIN, 31)
    census = finder.census
    whole, trace = footprint_of(finder, 0), float(census.cells.t.trace[0])
    past = census.past._values[:, 0].copy()
    finder.obey(Order(Verb.SPLIT, (1,)), 60)
    t = census.cells.t
    parts = [footprint_of(finder, k) for k in (0, 1)]
    np.testing.assert_allclose(sum(t.trace[k] * parts[k] for k in (0, 1)), trace * whole, atol=1e-4)
    shares = [float((part * whole).sum()) for part in parts]
    np.testing.assert_allclose(census.past._values[:, :2], np.outer(past, shares), rtol=1e-4)


def test_halves_are_judged_as_the_whole_was():
    for verb, verdict in ((None, 0), (Verb.REJECT, Status.REJECTED)):
        finder, _ = begun([(20, 20)])
        if verb:
            finder.obey(Order(verb, (1,)), 60)
        status = finder.census.cells.t.status[0]
        finder.obey(Order(Verb.SPLIT, (1,)), 60)
        t = finder.census.cells.t
        assert t.verdict[:2].tolist() == [verdict] * 2, "what no hand judged is left to the rules"
        assert t.status[:2].tolist() == [status] * 2


def test_what_is_too_small_is_not_split():
    finder, _ = grown([])
    box = np.zeros((finder.field.side,) * 2, np.float32)
    box[6, 6:9] = 1
    finder.census._enter(box, (20, 20), np.zeros(0, np.float32), 30)
    with pytest.raises(ComponentError, match="too small to be two"):
        finder.obey(Order(Verb.SPLIT, (1,)), 31)
    assert finder.census.cells.count == 1


def test_a_frozen_footprint_stays_until_it_is_thawed():
    finder, random = begun([(20, 20)])
    events, _ = told(finder, random, Verb.FREEZE, 1)
    assert events == [("frozen", {"id": 1})]
    before = finder.census.cells.t.boxes[0].copy()
    bright = noise(random, 240)
    for age in range(4):
        bright[age::24, 17:24, 18:26] += 25 * 0.7**age
    run(finder, bright[:120], PLAIN, 101)
    np.testing.assert_array_equal(finder.census.cells.t.boxes[0], before)
    events, _ = told(finder, random, Verb.THAW, 1, row=221)
    assert events == [("thawed", {"id": 1})]
    run(finder, bright[120:], PLAIN, 222)
    assert not np.array_equal(finder.census.cells.t.boxes[0], before)


def test_a_region_is_promoted_once_and_only_inside():
    finder, random = grown([])
    events, answer = told(finder, random, Verb.PROMOTE, roi=Circle(20, 18, 3, id=4))
    assert events == [("birth", {"id": 1, "y": 18, "x": 20, "roi": 4})]
    assert answer.ids == (1,)
    refused = (
        (Circle(20, 18, 3), "a cell at its place"),
        (Circle(-30, -30, 3), "outside of the analysed picture"),
    )
    for roi, why in refused:
        with pytest.raises(ComponentError, match=why):
            finder.obey(Order(Verb.PROMOTE, roi=roi), 101)
    assert finder.census.cells.count == 1


def alike(finder):
    """Two cells on one place that do the same."""
    t = finder.census.cells.t
    t.second[:2], t.first[:2], t.tail[:2] = 2, 1, (1, 2, 5)
    t.sync[0, 0] = t.sync[1, 0] = 2
    return t


@pytest.mark.parametrize("row", [0, 1])
def test_rules_neither_join_nor_drop_what_was_judged_by_hand(row):
    finder, _ = grown([(20, 20), (20, 23)])
    t = alike(finder)
    assert likest(2, t, 10**6, RATE, 3.0, 0.5) is not None
    t.verdict[row] = Status.ACCEPTED
    assert likest(2, t, 10**6, RATE, 3.0, 0.5).keep == row
    t.verdict[:2] = Status.ACCEPTED, Status.REJECTED
    assert likest(2, t, 10**6, RATE, 3.0, 0.5) is None
    t.verdict[:2], t.frozen[row] = 0, 1
    assert likest(2, t, 10**6, RATE, 3.0, 0.5) is None
