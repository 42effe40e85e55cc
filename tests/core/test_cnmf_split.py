"""Two cells that fire together are found as one, and told apart when they no longer do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cnmf import split
from roi_core.cnmf.merge import APART, OLD
from roi_core.cnmf.online import OnlineCNMF
from roi_core.frame import Status
from tests.cells import RATE, SETTINGS, add, blob, crowd, empty, middles_of, run
from tests.checks import well

TOGETHER, FRAMES = 700, 1500


def two(apart, seed):
    """Two cells at a distance whose spikes are the same at first."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :56]
    centres = np.array([(24, 28 - apart / 2), (24, 28 + apart / 2)])
    spots = [np.exp(-((y - v) ** 2 + (x - u) ** 2) / 11.5) for v, u in centres]
    spikes = (random.random((FRAMES, 2)) < 0.6 / RATE) * random.uniform(0.6, 1.4, (FRAMES, 2))
    spikes[:TOGETHER, 1] = spikes[:TOGETHER, 0]
    calcium = np.zeros((FRAMES, 2))
    for t in range(1, FRAMES):
        calcium[t] = calcium[t - 1] * np.exp(-2 / RATE) + 60 * spikes[t]
    still = 400 + 40 * np.sin(y / 7.0) * np.cos(x / 9.0)
    lit = np.tensordot(calcium, spots, 1)
    return (still + lit + random.normal(0, 8, (FRAMES, 48, 56))).astype(np.float32), centres


@pytest.mark.parametrize(("apart", "seed"), [(6.0, 1), (7.0, 0), (8.0, 1)])
def test_one_that_holds_two_is_split(apart, seed):
    pictures, centres = two(apart, seed)
    finder = OnlineCNMF(pictures.shape[1:], RATE, SETTINGS)
    answers = run(finder, pictures[:TOGETHER])
    fused = answers[-1].components
    assert (fused.status == Status.ACCEPTED).sum() == 1, "nothing tells them apart yet"
    answers += run(finder, pictures[TOGETHER:], first=TOGETHER)
    well(finder)
    events = [data for answer in answers for kind, data in answer.events if kind == "split"]
    assert events
    assert events[0]["id"] == fused.ids[fused.status == Status.ACCEPTED][0], "the one keeps its id"
    last = answers[-1].components
    middles = middles_of(last)[last.status == Status.ACCEPTED]
    far = np.hypot(*(centres[:, None] - middles).transpose(2, 0, 1))
    assert far.shape == (2, 2)
    assert far.min(1).max() < 1.5


def pair(size, apart):
    """A table with one cell of two spots and one of the first spot only; both old, both accepted."""
    random, cells = np.random.default_rng(0), empty((48, 52), 6.0)
    for _ in range(2):
        add(cells, random, (24, 26))
    t, side = cells.t, cells.field.side
    one, other = blob(side, size, 0, -apart / 2), blob(side, size, 0, apart / 2)
    for k, box in enumerate((one + other, one)):
        t.boxes[k] = box / np.sqrt((box**2).sum())
        t.size[k] = (box > 0.2 * box.max()).sum()
        cells.settle(k)
    t.status[:2] = Status.ACCEPTED
    return cells, one, other


def test_what_is_left_is_the_other_cell():
    cells, _, other = pair(2.0, 7)
    assert split.fused(2, cells.t, 1000, RATE, 60.0) == (0, 1)
    rest = split.rest_of(cells.t, 0, 1)
    assert (rest * other).sum() / np.sqrt((rest**2).sum() * (other**2).sum()) > 0.97


def test_what_is_no_pair_stays_whole():
    cells, _, _ = pair(2.0, 7)
    t = cells.t
    for name, value in (("frozen", 1), ("verdict", Status.ACCEPTED), ("born", 999)):
        column = getattr(t, name)
        column[0], before = value, column[0]
        assert split.fused(2, t, 1000, RATE, 60.0) is None, name
        column[0] = before
    t.status[1] = Status.REJECTED
    assert split.fused(2, t, 1000, RATE, 60.0) is None, "what is in it is no cell"
    t.status[1], t.size[1] = Status.ACCEPTED, t.size[0]
    assert split.fused(2, t, 1000, RATE, 60.0) is None, "neither is larger"


def test_too_little_is_left_of_one_cell():
    cells, one, _ = pair(2.0, 7)
    cells.t.boxes[0] = one / np.sqrt((one**2).sum())
    assert split.rest_of(cells.t, 0, 1) is None


def holding(t, count, oldest, area):
    """All pairs of a component and a part of it, by the definition of `fused`."""
    known = [t.size[k] for k in range(count) if t.status[k] == Status.ACCEPTED]
    usual = np.median(known) if len(known) >= split.ENOUGH else area
    out = []
    for i, m in np.ndindex(count, t.near.shape[1]):
        j = t.near[i, m]
        if j < 0 or t.frozen[i] or t.verdict[i] or t.status[j] != Status.ACCEPTED:
            continue
        old = max(t.born[i], t.born[j]) <= oldest and t.born[i] <= t.born[j]
        large = t.size[i] >= split.USUAL * usual and t.size[i] >= split.LARGER * t.size[j]
        sd = np.sqrt(t.second[[i, j]] - t.first[[i, j]] ** 2)
        together = (t.sync[i, m] - t.first[i] * t.first[j]) / (sd[0] * sd[1])
        if old and large and t.gram[i, m] >= split.INSIDE and together < APART:
            out.append((i, int(j)))
    return out


@given(st.integers(0, 10**6))
def test_fused_equals_its_definition(seed):
    cells, random = crowd(12, (20, 22), 3.0, seed)
    n, t = cells.count, cells.t
    t.size[:n], t.born[:n] = random.uniform(5, 60, n), random.integers(0, 110, n)
    t.status[:n] = random.choice([Status.ACCEPTED, Status.REJECTED], n, p=[0.7, 0.3])
    t.frozen[:n], t.verdict[:n] = random.random((2, n)) < 0.25
    t.first[:n] = random.uniform(0, 1, n)
    t.second[:n] = t.first[:n] ** 2 + random.uniform(0.1, 2, n)
    sd = np.sqrt(t.second[:n] - t.first[:n] ** 2)
    for i in range(n):
        for m, j in enumerate(t.near[i][t.near[i] >= 0]):
            t.sync[i, m] = t.first[i] * t.first[j] + random.uniform(0, 1) * sd[i] * sd[j]
    pairs = holding(t, n, 100, 25.0)
    assert split.fused(n, t, 100 + round(OLD * RATE), RATE, 25.0) == (pairs[0] if pairs else None)
