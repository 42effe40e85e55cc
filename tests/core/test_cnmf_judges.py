"""Which components are one, which are cells, and what onlookers see of them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cnmf import merge, quality
from roi_core.cnmf.merge import HALVES, closest, joined, likest
from roi_core.cnmf.view import Camera, Fate, View
from roi_core.frame import Status
from roi_core.settings import Settings
from tests.cells import add, blob, crowd, empty, footprint, inside, padded

PLAIN = Settings().cnmf


def two(away, r, moments=((1.0, 5.0), (1.0, 5.0)), power=(9.0, 5.0), born=0, size=10):
    """Two small cells so many px apart whose calcium has these first and second moments and correlation r."""
    cells = empty((40, 40), 3.0)
    for k in (0, 1):
        cells.add(blob(cells.field.side, 1.5), (20, 16 + k * away), born, 0, k + 1)
    t = cells.t
    t.first[:2], t.second[:2] = np.transpose(moments)
    t.power[:2], t.size[:2] = power, size
    spread = np.prod([s - f * f for f, s in moments])
    if t.near[0, 0] >= 0:
        t.sync[0, 0] = t.sync[1, 0] = moments[0][0] * moments[1][0] + r * np.sqrt(spread)
    return cells


def asked(cells, now=1000, merge_r=0.85):
    return likest(cells.count, cells.t, now, 30.0, cells.field.radius, merge_r)


@pytest.mark.parametrize(
    ("away", "r", "answer"),
    [
        (0, 0.9, (0, 1, True)),  # one place, one course
        (0, 0.2, (0, 1, False)),  # one place, another course: a shadow
        (2, 0.8, (0, 1, True)),  # much overlap asks for less correlation
        (2, 0.3, None),
        (4, 0.99, (0, 1, True)),  # two that touch and do the same, small enough to be halves
        (4, 0.85, None),  # neighbours that only touch
        (20, 1.0, None),
    ],
)
def test_who_is_one(away, r, answer):
    assert asked(two(away, r)) == answer


def test_two_whole_cells_that_do_the_same_side_by_side_stay_two():
    assert asked(two(4, 0.99, size=30)) is None


def test_the_stronger_stays_and_the_young_are_let_alone():
    assert asked(two(0, 0.9, power=(1.0, 5.0))) == (1, 0, True)
    assert asked(two(0, 0.9, born=990)) is None
    assert asked(two(0, 0.9, born=940 - 1)) == (0, 1, True)
    assert asked(empty()) is None


def test_of_one_place_the_skewed_trace_stays():
    cells = two(0, 0.1)
    cells.t.evidence[:2] = 50, 10
    cells.t.tail[0] = 0.0, 1.0, 0.1  # hardly skewed: glow
    cells.t.tail[1] = 0.0, 1.0, 3.0
    assert asked(cells) == (1, 0, False)
    cells.t.tail[0] = 0.0, 1.0, 3.0  # both are calcium: evidence decides
    assert asked(cells) == (0, 1, False)


@pytest.mark.parametrize(
    ("away", "r", "power", "answer"),
    [
        (4, 0.6, 0.9, (0, 1, False)),  # it does the same with less light than a footprint errs by
        (4, 0.6, 3.0, None),
        (4, 0.2, 0.9, None),  # dim, with a life of its own
        (2, 0.4, 9.0, (0, 1, False)),  # where both overlap, more is passed on
        (2, 0.4, 40.0, None),
        (7, 0.9, 0.9, None),  # another place
    ],
)
def test_what_does_the_same_as_a_bright_neighbour_in_little_light_is_its_error(away, r, power, answer):
    bright, faint = (0.0, 100.0), (0.0, power)
    cells = two(away, r, (bright, faint), power=(100.0, power), size=30)
    cells.t.status[:2] = Status.ACCEPTED
    assert asked(cells) == answer
    cells.t.born[1] = 900
    assert asked(cells) is None, "it is young: it did as much as that in a tenth of the time"
    cells.t.born[1], cells.t.verdict[1] = 0, Status.ACCEPTED
    assert asked(cells) is None, "a user says it is a cell"
    cells.t.verdict[1], cells.t.status[0] = 0, Status.REJECTED
    assert asked(cells) is None, "what is no cell itself has no errors"


def merit(t, k):
    """Of two at one place a trace that is hardly skewed, glow, is worth less than any calcium."""
    first, second, third = t.tail[k].astype(float)
    spread = second - first**2
    skewness = (third - 3 * first * spread - first**3) / spread**1.5
    return skewness if skewness < merge.CALCIUM else merge.CALCIUM + t.evidence[k]


def reference(cells, radius, merge_r, now=0):
    """All pairs that may be one, by their definition, as (score, who stays, who goes, join)."""
    t, out = cells.t, []
    for i in range(cells.count):
        for m, j in enumerate(t.near[i]):
            if j < i or max(t.born[i], t.born[j]) > now - 60:
                continue
            if t.frozen[i] or t.frozen[j] or (t.verdict[i] and t.verdict[j]):
                continue
            shape = float((footprint(cells, i) * footprint(cells, j)).sum())
            spread = (t.second[i] - t.first[i] ** 2) * (t.second[j] - t.first[j] ** 2)
            time = (t.sync[i, m] - t.first[i] * t.first[j]) / np.sqrt(max(spread, 1e-12))
            far = np.hypot(*(t.centres[i] - t.centres[j]))
            same = shape > merge.SAME or (far < merge.NEAR * radius and shape > merge.LITTLE)
            parts = shape > merge.MUCH and time > merge_r * max(1 - shape, merge.ALIKE)
            halves = shape >= HALVES and time > max(merge.TOGETHER, merge_r)
            parts |= halves and t.size[i] + t.size[j] < merge.WHOLE * np.pi * radius**2
            less, more = sorted((i, j), key=lambda k: t.power[k])
            least = (merge.ERROR + shape / 2) ** 2
            known = [1 - np.exp((t.born[k] - now) / (merge.MEMORY * 30.0)) for k in (less, more)]
            error = far < merge.BESIDE * radius and time > merge.APART * (1 - shape)
            error &= t.power[less] < least * t.power[more] and t.status[more] == Status.ACCEPTED
            error &= t.second[less] / known[0] < least * t.second[more] / known[1] and not t.verdict[less]
            join = parts or (same and time >= merge.APART)
            stays, goes = (more, less) if join or error else sorted((i, j), key=lambda k: -merit(t, k))
            if t.verdict[goes]:
                stays, goes = goes, stays
            if same or parts or error:
                out.append((shape + time, stays, goes, join))
    return max(out, key=lambda pair: pair[0], default=None)


@given(st.integers(0, 10**6))
def test_likest_equals_its_definition(seed):
    cells, random = crowd(12, (24, 24), 3.0, seed)
    n, t = cells.count, cells.t
    t.born[:n] = -(random.integers(1, 99, n) ** 2)
    t.frozen[:n], t.verdict[:n] = random.random((2, n)) < 0.1
    t.evidence[:n] = random.uniform(0, 20, n)
    skewed = random.gamma(random.uniform(0.5, 40, n), 1, (50, n))
    t.tail[:n] = np.transpose([(skewed**k).mean(0) for k in (1, 2, 3)])
    t.second[:n] = random.uniform(0.1, 2, n) ** 4
    t.first[:n] = np.sqrt(t.second[:n]) * random.uniform(0, 0.9, n)
    t.power[:n], t.status[:n] = random.uniform(0.01, 1, n) ** 4, random.choice([1, 2], n)
    for i in range(n):
        for m, j in enumerate(t.near[i][t.near[i] >= 0]):
            t.sync[i, m] = random.uniform(0, 1) * np.sqrt(t.second[i] * t.second[j])
            t.sync[j, list(t.near[j]).index(i)] = t.sync[i, m]
    ours, expected = asked(cells, 0), reference(cells, 3.0, 0.85)
    assert (ours is None) == (expected is None)
    if ours is not None:
        assert ours == expected[1:]


def test_joined_is_the_weighed_sum_of_two():
    cells = two(3, 0.9, moments=((0.0, 4.0), (0.0, 1.0)))
    box, a, b = joined(cells.t, 0, 1)
    one, other = footprint(cells, 0), footprint(cells, 1)
    whole = 2 * one + other
    whole /= np.sqrt((whole**2).sum())
    np.testing.assert_allclose(box, whole[14:27, 10:23], atol=1e-5)
    assert (a, b) == pytest.approx(((whole * one).sum(), (whole * other).sum()), abs=1e-5)


def test_the_closest_known_footprint():
    cells, random = crowd(12)
    for place in ((0, 0), (20, 51), *random.integers(0, 48, (20, 2)).tolist()):
        box = cells.t.boxes[int(random.integers(12))].copy()
        wide = padded(np.zeros((48, 52), np.float32), 6)
        wide[place[0] : place[0] + 13, place[1] : place[1] + 13] = box
        expected = max((wide[6:-6, 6:-6] * footprint(cells, j)).sum() for j in range(12))
        found = closest(inside(box, place, (48, 52)), tuple(place), 12, cells.t)
        assert found == pytest.approx(max(expected, 0), abs=1e-5)
    assert closest(box, (20, 20), 0, cells.t) == 0


# -- quality


def marks_of(**changes):
    """Marks of one cell that passes everything, with changes."""
    area = np.pi * 25
    good = {"snr": 5, "evidence": 20, "r": 0.9, "skewness": 2, "asymmetry": 1, "room": 20, "size": area}
    good |= {"contrast": 1}
    return quality.Marks(**{k: np.array([v], np.float32) for k, v in (good | changes).items()}), area


def judged(settings=PLAIN, before=None, **changes):
    marks, area = marks_of(**changes)
    status, rule, hopeless = quality.judge(marks, settings, area, before)
    return Status(status[0]), quality.reasons(marks, settings, area, rule)[0], bool(hopeless[0])


NO = Status.REJECTED


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, (Status.ACCEPTED, "", False)),
        ({"snr": 1.4}, (NO, "SNR 1.4 is below 1.5", False)),
        ({"evidence": 3}, (NO, "evidence 3 is below 8", True)),
        ({"r": -0.5}, (NO, "spatial correlation -0.5 is below 0.7", True)),
        ({"skewness": 0.2}, (NO, "skewness 0.2 is below 0.3", False)),
        ({"asymmetry": 0.1}, (NO, "asymmetry of rise and fall 0.1 is below 0.3", False)),
        ({"contrast": 0.5}, (NO, "contrast to its rim 0.5 is below 0.6", False)),
        ({"size": 300}, (NO, "size 300 px is above 2.5 x 79 px", False)),
        ({"size": 15}, (NO, "size 15 is below 19.6", False)),
        ({"size": 0}, (NO, "size 0 is below 19.6", True)),
        ({"snr": np.nan}, (NO, "SNR 0 is below 1.5", True)),
    ],
)
def test_verdicts_and_their_reasons(changes, answer):
    settings = Settings().with_texts("cnmf.min_r=0.7", "cnmf.min_skewness=0.3").cnmf
    assert judged(settings, **changes) == answer


def test_close_to_the_edge_is_no_cell():
    status, reason, _ = judged(room=0.5)
    assert status is NO
    assert reason.startswith("distance from the edge 0.5 is below")


def test_once_accepted_a_cell_does_not_flicker():
    accepted = np.array([Status.ACCEPTED], np.uint8)
    assert judged(snr=1.3)[0] is NO
    assert judged(snr=1.3, before=accepted)[0] is Status.ACCEPTED
    assert judged(snr=1.1, before=accepted)[0] is NO


@pytest.mark.parametrize(
    "path", ["min_snr", "min_evidence", "min_r", "min_skewness", "min_asymmetry", "min_size"]
)
@given(st.floats(-1, 1, width=32), st.data())
def test_a_stricter_threshold_never_accepts_more(path, value, data):
    """Also where marks and thresholds are zero or less."""
    low, high = sorted(
        data.draw(st.floats(-2 if path in ("min_skewness", "min_asymmetry") else 0, 1)) for _ in range(2)
    )
    name = path.removeprefix("min_")
    results = [
        judged(
            Settings().with_value(f"cnmf.{path}", least).cnmf,
            **{name: max(value, 0) if name == "size" else value},
        )
        for least in (low, high)
    ]
    assert not (results[0][0] is NO and results[1][0] is Status.ACCEPTED)
    assert results[0][2] <= results[1][2]


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_skewness_is_reached_or_not(value, least):
    value, least = value / 4, least / 4
    status = judged(Settings().with_value("cnmf.min_skewness", least).cnmf, skewness=value)[0]
    assert (status is Status.ACCEPTED) == (value >= least)


def test_marks_are_what_the_table_says():
    cells, random = crowd(6)
    n, t = cells.count, cells.t
    samples = random.gamma(2, 1, (n, 5000))
    t.tail[:n] = np.transpose([(samples**k).mean(1) for k in (1, 2, 3)])
    t.contrast[:n], t.peak[:n] = 0.7, np.arange(n)
    t.centres[:n] = random.integers(5, 40, (n, 2))
    noise = np.array([2, 2, 2, 2, 2, 0], np.float32)
    marks = quality.marks(n, t, noise, cells.field.shape, (1.0, 2.0, 3.0, 4.0))
    np.testing.assert_allclose(marks.snr[:5], np.arange(5) / 2)
    expected = ((samples - samples.mean(1)[:, None]) ** 3).mean(1) / samples.std(1) ** 3
    np.testing.assert_allclose(marks.skewness, expected, rtol=2e-3)
    np.testing.assert_allclose(marks.contrast, 0.7, rtol=1e-6)
    h, w = cells.field.shape
    for i, (y, x) in enumerate(t.centres[:n]):
        assert marks.room[i] == min(y - 1, h - 3 - y, x - 3, w - 5 - x)


def skewness(moments):
    """The skewness that follows from the means of the first three powers."""
    first, second, third = np.asarray(moments, float)
    spread = max(second - first**2, 1e-12)
    return (third - 3 * first * spread - first**3) / spread**1.5


@given(st.integers(0, 10**6))
def test_marks_equal_their_definitions(seed):
    cells, random = crowd(6, seed=seed)
    n, t = cells.count, cells.t
    for name in ("evidence", "r", "contrast", "size", "peak"):
        getattr(t, name)[:n] = random.uniform(0, 9, n)
    samples = random.gamma(2, 1, (n, 4, 60)) * random.choice([-1, 1], (n, 4, 1))
    t.tail[:n] = np.transpose([(samples[:, 3] ** k).mean(1) for k in (1, 2, 3)])
    weights = random.choice([0, 0.2, 1], (n, 3))
    t.swings[:n] = weights[..., None] * np.stack([(samples[:, :3] ** k).mean(2) for k in range(4)], 2)
    noise = random.uniform(0.1, 2, n).astype(np.float32)
    marks = quality.marks(n, t, noise, cells.field.shape, (0.0,) * 4)
    for i in range(n):
        scales = [skewness(s[1:] / s[0]) for s in t.swings[i] if s[0] > 0]
        assert marks.skewness[i] == pytest.approx(skewness(t.tail[i]), rel=1e-3, abs=1e-3)
        expected = max([skewness(t.tail[i]) / quality.RARE, *scales, *[0.0] * (3 - len(scales))])
        assert marks.asymmetry[i] == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert marks.snr[i] == pytest.approx(t.peak[i] / noise[i])
        for name in ("evidence", "r", "contrast", "size"):
            assert getattr(marks, name)[i] == getattr(t, name)[i]


@given(st.integers(0, 10**6))
def test_a_verdict_names_the_first_rule_that_is_not_met(seed):
    """By a share of 1, of .8 by who is a cell already; less than half of what lasts is hopeless."""
    random, area = np.random.default_rng(seed), 50.0
    edge = quality.EDGE * np.sqrt(area / np.pi)
    s = PLAIN.model_copy(update={"min_skewness": float(random.choice([-1, 0, 0.5]))})
    least = (s.min_evidence, s.min_snr, s.min_r, s.min_skewness, s.min_asymmetry, quality.CONTRAST, edge)
    least = np.array([*least, s.min_size * area, 1 / (s.max_size * area)])
    shares = random.choice([-1, 0.3, 0.7, 0.9, 1.1, 3], (8, 5), p=[0.05, 0.05, 0.05, 0.1, 0.25, 0.5])
    values = np.where(least == 0, 1, abs(least))[:8, None] * shares
    order = ("evidence", "snr", "r", "skewness", "asymmetry", "contrast", "room", "size")
    marks = quality.Marks(**{name: row.astype(np.float32) for name, row in zip(order, values, strict=True)})
    values = np.array([*(getattr(marks, name) for name in order), 1 / np.maximum(marks.size, 1e-9)], float)
    before = random.choice([Status.ACCEPTED, Status.REJECTED], 5).astype(np.uint8)
    status, rules, hopeless = quality.judge(marks, s, area, before)
    for i in range(5):
        enough = 0.8 if before[i] == Status.ACCEPTED else 1.0
        met = [v >= enough * a if a > 0 else v >= a for v, a in zip(values[:, i], least, strict=True)]
        lost = [a > 0 and v < 0.5 * a for v, a in zip(values[:, i], least, strict=True)]
        assert rules[i] == (-1 if all(met) else met.index(False))
        assert (status[i] == Status.ACCEPTED) == all(met)
        assert hopeless[i] == any(lost[:4] + lost[5:8]), "neither by asymmetry nor by being too large"


# -- the view


@pytest.mark.parametrize(
    ("camera", "radius"),
    [
        (Camera((48, 52)), 3.0),
        (Camera((60, 70), (7, 11)), 3.0),
        (Camera((97, 106), (1, 2), 2), 4.0),
        (Camera((144, 156), (0, 0), 3), 5.0),
    ],
)
def test_footprints_on_the_camera(camera, radius):
    """CSC columns: the footprint of the analysed picture, enlarged, moved to its place and scaled to 1."""
    cells, random = crowd(12, (48, 52), radius)
    for place in ((0, 0), (47, 51), (0, 25)):
        add(cells, random, place)
    n = cells.count
    seen = View(camera).of(cells, np.ones(n, np.uint8), ("",) * n, np.ones(n, np.float32))
    assert seen.indptr[0] == 0
    assert seen.indptr[-1] == len(seen.data) == len(seen.indices)
    for k in range(n):
        column = np.zeros(camera.shape[0] * camera.shape[1])
        at = seen.indices[seen.indptr[k] : seen.indptr[k + 1]]
        assert (np.diff(at) > 0).all()
        column[at] = seen.data[seen.indptr[k] : seen.indptr[k + 1]]
        picture = np.kron(footprint(cells, k), np.ones((camera.bin,) * 2))
        whole = np.zeros(camera.shape)
        y, x = camera.origin
        whole[y : y + len(picture), x : x + picture.shape[1]] = picture / cells.t.boxes[k].max()
        np.testing.assert_allclose(column, whole.ravel(), atol=1e-6)
        assert seen.size[k] == cells.t.size[k] * camera.bin**2


def test_those_that_are_no_more_stand_behind_the_living():
    cells, _ = crowd(2)
    view = View(Camera((48, 52)))
    view.gone[7] = Fate(33, Status.MERGED, "part of 1")
    for version in (1, 2):
        seen = view.of(cells, np.array([1, 2], np.uint8), ("", "dim"), np.ones(2, np.float32))
        assert seen.version == version
    assert seen.ids.tolist() == [*cells.t.ids[:2], 7]
    assert seen.born.tolist() == [0, 0, 33]
    assert seen.status.tolist() == [1, 2, 3]
    assert seen.reason == ("", "dim", "part of 1")
    assert np.isnan(seen.r[2])
    assert np.isnan(seen.size[2])
    assert np.isnan(seen.snr[2])
    assert seen.indptr[2] == seen.indptr[3]
    view.gone[5] = Fate(34, Status.REMOVED, "dim")
    later = view.of(cells, np.array([1, 2], np.uint8), ("", "dim"), np.ones(2, np.float32))
    assert later.ids.tolist() == [*seen.ids, 5]
    assert (later.born[3], later.status[3], later.reason[2:]) == (34, 4, ("part of 1", "dim"))
    cells.t.ids[0] = 999
    assert 999 not in seen.ids, "a view does not change"
    empty_view = View(Camera((48, 52))).of(empty(), np.zeros(0, np.uint8), (), np.zeros(0, np.float32))
    assert empty_view.indptr.tolist() == [0]


def test_a_view_goes_on_without_a_cell_as_if_drawn_anew():
    """Whichever cell goes, drawn already or not: the last one has its place."""
    for gone, late in itertools.product((0, 3, 5), (False, True)):
        cells, random = crowd(5 if late else 6)
        view, ones = View(Camera((48, 52))), np.ones(6, np.float32)
        if late:
            view.of(cells, np.ones(5, np.uint8), ("",) * 5, ones[:5])
            add(cells, random, (20, 20))
        else:
            view.of(cells, np.ones(6, np.uint8), ("",) * 6, ones)
        cells.remove(gone)
        view.drop(gone, 6)
        seen, anew = (
            each.of(cells, np.ones(5, np.uint8), ("",) * 5, ones[:5]) for each in (view, View(view.camera))
        )
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(seen, name), getattr(anew, name))
