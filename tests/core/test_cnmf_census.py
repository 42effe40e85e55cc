"""Births, judgements, unions and deaths, one by one; what is told of them is true."""

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from roi_core.cnmf.census import SURE
from roi_core.cnmf.detect import Candidate
from roi_core.cnmf.merge import Pair
from roi_core.cnmf.online import OnlineCNMF
from roi_core.cnmf.residual import steadied
from roi_core.cnmf.view import View
from roi_core.frame import Order, Status, Verb
from tests.cells import SETTINGS, blob, run

SHAPE, RATE = (40, 44), 10.0
PLAIN = SETTINGS.with_texts("cnmf.cell_radius=3", "cnmf.buffer=2", "cnmf.detect=false")


def finder_of(settings=PLAIN, **more):
    return OnlineCNMF(SHAPE, RATE, settings, **more)


def candidate(finder, y, x, random, frames=12, height=5, z=10.0):
    """A round cell at px (y, x) of the picture, as the detector would propose it."""
    field, ring = finder.field, finder._ring
    shape = blob(2 * round(1.9 * field.radius / field.factor) + 1, 0.6 * field.radius / field.factor)
    half = len(shape) // 2
    frames = min(frames, ring.head, len(ring))
    trace = random.normal(0, 2, frames).astype(np.float32)
    trace[frames // 2 :] += 4 * height
    corner = [round((v + 0.5) / field.factor - 0.5) + field.margin - half for v in (y, x)]
    return Candidate(*corner, shape, trace, ring.head, z=z)


def born(finder, y, x, random, row=0, **more):
    return finder.census.birth(candidate(finder, y, x, random, **more), row, 2000)


def grown(places, rows=30, **more):
    """A finder with cells at places, after some frames."""
    random = np.random.default_rng(0)
    finder = finder_of(**more)
    picture = random.normal(50, 3, (rows, *SHAPE)).astype(np.float32)
    run(finder, picture, PLAIN)
    for place in places:
        assert born(finder, *place, random, rows) is not None
    return finder, random


def test_a_twin_is_not_born_and_neither_is_what_motion_hides_nor_one_too_many():
    finder, random = grown([(20, 20)])
    assert born(finder, 20, 20, random) is None
    assert born(finder, 21, 20, random) is None
    assert born(finder, 1, 20, random) is None
    assert finder.census.birth(candidate(finder, 10, 30, random), 31, 1) is None
    finder.census.hidden = (8.0, 0.0, 0.0, 8.0)
    assert born(finder, 8, 20, random) is None
    assert born(finder, 20, 35, random) is None
    finder.census.hidden = (0.0,) * 4
    assert born(finder, 8, 20, random) is not None


@pytest.mark.parametrize("late", [5, 12, 19, 20, 21, 55])
def test_a_birth_of_a_detector_that_was_late(late):
    """The trace is that of the ring's last frames, whatever was overwritten meanwhile."""
    finder, random = grown([])
    proposed, ring = candidate(finder, 20, 22, random, frames=18, height=20), finder._ring
    run(finder, random.normal(50, 3, (late, *SHAPE)).astype(np.float32), PLAIN, 30)
    side, energy = len(proposed.shape), (proposed.shape**2).sum()
    rows, columns = slice(proposed.y, proposed.y + side), slice(proposed.x, proposed.x + side)
    older = dict(zip(range(12, 30), proposed.trace, strict=True))
    frames = range(max(12, 30 + late - len(ring)), 30 + late)
    expected = [
        older[k] if k in older else (ring.slots[k % len(ring), rows, columns] * proposed.shape).sum() / energy
        for k in frames
    ]
    born = finder.census.birth(proposed, 30 + late, 99)
    np.testing.assert_allclose(born.trace, expected, rtol=1e-3, atol=1e-3)
    assert born.last == ring.head
    (answer,) = run(finder, [random.normal(50, 3, SHAPE).astype(np.float32)], PLAIN, 30 + late)
    assert answer.backfill[0].row == frames[0]
    assert answer.backfill[0].row + len(answer.backfill[0].raw) == 30 + late


@pytest.mark.parametrize("sure", [False, True])
def test_a_birth_takes_its_cell_out_of_the_ring_and_tells_its_past(sure):
    """Of a sure one, above the mean of today, and it is judged by its past from the first."""
    finder, random = grown([])
    proposed = candidate(finder, 20, 22, random, frames=12, z=SURE if sure else SURE - 1)
    ring, late = finder._ring, 3
    before = ring.slots.copy()
    run(finder, random.normal(50, 3, (late, *SHAPE)).astype(np.float32), PLAIN, 30)
    whole = finder.census.birth(proposed, 33, 99)
    assert (finder.census.cells.t.tail[0, 1] > 0) == sure
    told = steadied(whole.trace, ring.paces(18, 33)) if sure else whole.trace
    (answer,) = run(finder, [random.normal(50, 3, SHAPE).astype(np.float32)], PLAIN, 33)
    (past,) = answer.backfill
    assert past.id == answer.ids[0]
    assert (past.row, len(past.raw)) == (30 - 12, 12 + late)
    assert np.isfinite(past.raw).all()
    assert np.corrcoef(past.raw, told)[0, 1] > 0.999
    side = len(proposed.shape)
    for k in range(18, 30):
        slot = np.s_[k % len(ring), proposed.y : proposed.y + side, proposed.x : proposed.x + side]
        expected = before[slot] - proposed.trace[k - 18] * proposed.shape
        np.testing.assert_allclose(ring.slots[slot], expected, atol=1e-4)
    assert [kind for kind, _ in answer.events] == ["birth"]
    assert answer.events[0][1] == {"id": 1, "y": 20, "x": 22}


@pytest.mark.parametrize("verb", [Verb.MERGE, Verb.SPLIT])
def test_a_union_or_split_is_seen_as_it_is_whenever_it_was_done(verb):
    """Also just after a judgement, when nothing is analysed any more: a finished file keeps the last view."""
    finder, random = grown([(20, 18), (20, 23)])
    census = finder.census
    census.components()
    for row in range(30, 60):
        run(finder, [random.normal(50, 3, SHAPE).astype(np.float32)], PLAIN, row)
        if census.past.rows - census._tidied <= 1:
            break
    ids = tuple(census.cells.t.ids[: census.cells.count].tolist())
    finder.obey(Order(verb, ids if verb is Verb.MERGE else ids[:1]), row + 1)
    seen, cells = census.components(), census.cells
    nothing = np.zeros(cells.count)
    true = View(census.view.camera).of(cells, nothing.astype(np.uint8), ("",) * cells.count, nothing)
    np.testing.assert_array_equal(seen.data[: len(true.data)], true.data)
    np.testing.assert_array_equal(seen.indptr[: len(true.indptr)], true.indptr)


def test_a_newborn_counts_for_its_neighbours_as_if_it_had_always_been_there():
    """What a cell taught its neighbour, frame by frame, is what its whole course is said to have taught."""
    finder, random = grown([(20, 18), (20, 21)], rows=60)
    census, t = finder.census, finder.census.cells.t
    spots = np.zeros((2, *SHAPE), np.float32)
    for spot, x in zip(spots, (18, 21), strict=True):
        spot[16:25, x - 4 : x + 5] = blob(9, 1.8)
    before, course = float(t.links[0, 0]), []
    for k in range(15):
        light = 60.0 * spots[0] * (k % 5 < 3) + 40.0 * spots[1] * (k % 4 < 2)
        run(finder, [(50 + light + random.normal(0, 1, SHAPE)).astype(np.float32)], PLAIN, 60 + k)
        course.append(t.trace[1])
    summed = float(t.links[0, 0]) - before
    taught = census.past.taught(np.array(course, np.float32), np.array([0]))[0]
    assert abs(summed) > 100
    assert taught == pytest.approx(summed, rel=0.05)
    census._account(1, np.array(course, np.float32))
    assert t.links[0, 0] == pytest.approx(taught)


def test_ids_count_on_from_the_first_and_places_are_those_of_the_camera():
    finder, _ = grown([(20, 20)], first_id=40, bin=2, origin=(3, 5), camera_shape=(90, 100))
    (answer,) = run(finder, [np.full(SHAPE, 50, np.float32)], PLAIN, 30)
    assert answer.ids == (40,)
    assert answer.events[0][1] == {"id": 40, "y": 43, "x": 45}
    assert answer.components.shape == (90, 100)


def test_a_verdict_by_hand_stays_whatever_the_thresholds():
    finder, random = grown([(20, 20), (10, 30), (30, 10)])
    t = finder.census.cells.t
    t.verdict[:2] = Status.ACCEPTED, Status.REJECTED
    t.frozen[2] = 1  # its shape, not its verdict
    for least in (0.0, 50.0):
        strict = PLAIN.with_value("cnmf.min_snr", least)
        answers = run(finder, random.normal(50, 3, (20, *SHAPE)).astype(np.float32), strict, 60)
        assert answers[-1].components.status.tolist() == [1, 2, 2]
    run(finder, random.normal(50, 3, (200, *SHAPE)).astype(np.float32), strict, 100)
    assert {1, 2, 3} <= set(t.ids[: finder.census.cells.count].tolist()), "nor does its cell die"


def test_what_if_tells_what_the_next_judgement_would_say_and_changes_nothing():
    finder, random = grown([(20, 20), (10, 30), (30, 10), (31, 34)])
    pictures = random.normal(50, 3, (40, *SHAPE)).astype(np.float32)
    run(finder, pictures, PLAIN, 60)
    census, t = finder.census, finder.census.cells.t
    t.verdict[0], t.frozen[1] = Status.REJECTED, 1
    t.status[2] = Status.ACCEPTED
    for text in ("cnmf.min_snr=1.2", "cnmf.min_r=0.2", "cnmf.min_evidence=0", "cnmf.min_skewness=-5"):
        edited = PLAIN.with_texts(text, "cnmf.min_evidence=1").cnmf
        before = [column.copy() for column in t]
        foretold = census.what_if(edited, census.cells.field.area)
        for old, now in zip(before, t, strict=True):
            np.testing.assert_array_equal(old, now)
        status = t.status[: census.cells.count].copy()
        census._judge(edited)
        told = {int(i): Status(s) for i, s in zip(t.ids, t.status[: census.cells.count], strict=False)}
        assert {i: s for i, (s, _) in foretold.items()} == told
        t.status[: census.cells.count] = status


def test_what_cannot_be_foreseen_is_named_and_cells_are_measured_by_the_new_size():
    finder, random = grown([(20, 20), (10, 30)])
    run(finder, random.normal(50, 3, (40, *SHAPE)).astype(np.float32), PLAIN, 60)
    t = finder.census.cells.t
    t.verdict[:], t.tail[:2] = 0, (0.0, 1.0, 0.0)
    assert finder.what_if(PLAIN).unforeseen == ()
    lax = (
        "cnmf.min_snr=0",
        "cnmf.min_r=0",
        "cnmf.min_evidence=0",
        "cnmf.min_skewness=-5",
        "cnmf.min_asymmetry=-5",
    )
    small = PLAIN.with_texts(*lax, "cnmf.cell_radius=1.5", "cnmf.merge_r=0.05", "motion.enabled=true")
    foresight = finder.what_if(small)
    assert set(foresight.unforeseen) == {"cnmf.cell_radius", "cnmf.merge_r"}
    assert all("size" in why for _, why in foresight.components.values()), "too large for such small cells"


def test_overlap_is_the_cosine_with_the_nearest_footprint():
    finder, random = grown([(20, 20), (20, 24), (8, 40)])
    found = run(finder, random.normal(50, 3, (1, *SHAPE)).astype(np.float32), PLAIN, 60)[-1].components
    pictures = csc_matrix((found.data, found.indices, found.indptr), (SHAPE[0] * SHAPE[1], 3)).toarray().T
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    cosines = pictures @ pictures.T - np.eye(3)
    np.testing.assert_allclose(found.overlap, cosines.max(1), atol=1e-4)
    assert found.overlap.max() > 0.2
    assert found.overlap.min() == 0


def test_the_view_is_the_same_object_while_nothing_changed():
    finder, random = grown([(20, 20)])
    still = PLAIN.with_value("cnmf.shapes", False)
    answers = run(finder, random.normal(50, 3, (60, *SHAPE)).astype(np.float32), still, 30)
    versions = [answer.components.version for answer in answers]
    assert len(set(map(id, (answer.components for answer in answers)))) == len(set(versions)) < 8
    assert versions == sorted(versions)


@pytest.mark.parametrize("join", [True, False])
def test_a_union_is_told_and_remembered(join):
    finder, random = grown([(20, 20), (20, 23)])
    finder.census.unite(Pair(0, 1, join))
    (answer,) = run(finder, [random.normal(50, 3, SHAPE).astype(np.float32)], PLAIN, 30)
    assert answer.ids == (1,)
    kind, data = answer.events[-1]
    seen = answer.components
    if join:
        assert (kind, data) == ("merge", {"id": 1, "from": 2})
        assert (seen.status[1], seen.reason[1]) == (Status.MERGED, "part of 1")
    else:
        assert (kind, data["id"]) == ("removed", 2)
        assert (seen.status[1], seen.reason[1]) == (Status.REMOVED, "shadow of 1")


def test_a_union_adds_the_traces():
    """Two halves of one cell: the whole has their sums, in the past and on."""
    finder, _ = grown([(20, 20), (20, 23)])
    census, t = finder.census, finder.census.cells.t
    census.past._values[:, :2] = np.arange(1, 3)
    pictures = np.full((3, *SHAPE), 50, np.float32)
    run(finder, pictures, PLAIN, 30)
    gram = float(t.gram[0, 0])
    t.second[:2] = 1
    t.trace[:2] = 3, 5
    census._join(0, 1)
    scale = (1 + gram) / np.sqrt(2 + 2 * gram)
    assert t.trace[0] == pytest.approx(8 * scale, rel=1e-3)
    assert (t.boxes[0] ** 2).sum() == pytest.approx(1, rel=1e-4)


def test_what_is_remembered_of_a_cell_stays_with_it_when_others_go():
    """Baseline and past fluorescence, told apart by their level, follow the ids through every removal."""
    finder, random = grown([])
    census, field = finder.census, finder.field
    for k in range(20):
        place, level = (int(v) for v in random.integers(4, 36, 2)), 10.0 * (k + 1)
        i = census._enter(blob(field.side, 1.5), tuple(place), np.full(10, level, np.float32), 30)
        census.past._values[:, i] = level

    def levels():
        n = census.cells.count
        ids = census.cells.t.ids[:n].tolist()
        baselines, past = census.deconvolver.baseline, census.past._values[0]
        return {cell: (baselines[k], past[k]) for k, cell in enumerate(ids)}

    assert levels() == {cell: pytest.approx((10.0 * cell, 10.0 * cell)) for cell in range(1, 21)}
    while census.cells.count:
        before, i = levels(), int(random.integers(census.cells.count))
        dead = int(census.cells.t.ids[i])
        census.remove(i, Status.REMOVED)
        assert levels() == {cell: level for cell, level in before.items() if cell != dead}
