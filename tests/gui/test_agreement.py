"""Drawn regions against cells: overlap, distance and correlation are those of their definition."""

from types import SimpleNamespace

import numpy as np
import pytest

from roi_core.cellring import CellRing
from roi_core.frame import Status
from roi_core.ring import TraceRing
from roi_core.rois import Circle, Rectangle, RoiSet
from roi_stream_gui.agreement import ENOUGH, FOUND, Agreement, agree, pairs
from roi_stream_gui.outlines import CUT
from tests.gui.driver import within
from tests.gui.test_cells import components, disc

SHAPE = (40, 50)


def drawn(*rois):
    out = RoiSet()
    for roi in rois:
        out = out.add(roi)
    return out


def naive_overlap(circle, footprint):
    """By whole masks, after the definition of a circle."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    one = (x - circle.xc) ** 2 + (y - circle.yc) ** 2 <= circle.r**2
    other = footprint > CUT * footprint.max()
    return (one & other).sum() / (one | other).sum()


def test_each_region_has_the_component_that_overlaps_it_most():
    spots = disc(10, 10, 5), disc(12, 14, 5), disc(30, 40, 6), disc(5, 40, 3), disc(33, 8, 4)
    status = [1, 1, 2, 1, 4]
    c = components(*spots, status=[Status(s) for s in status])
    rois = drawn(Circle(13, 12, 4), Circle(41, 30, 5), Circle(9, 33, 4), Rectangle(42, 8, 46, 12))
    found = {pair.region: pair for pair in pairs(rois, c) if pair.region}
    assert found[1].cell == 2
    assert found[1].overlap == pytest.approx(naive_overlap(rois[1], spots[1]))
    assert found[1].far == pytest.approx(1.0, abs=0.3)
    assert (found[2].cell, found[2].kind, found[2].accepted) == (3, "found", False), "one that was rejected"
    assert (found[3].kind, found[3].overlap) == ("missed", 0.0), "what is dead is not there"
    assert found[4].overlap < FOUND
    assert (found[4].kind, found[4].cell) == ("missed", 4), "the nearest is told"
    overlap = naive_overlap(rois[1], spots[0])
    extra = [pair.cell for pair in pairs(rois, c) if pair.kind == "extra"]
    assert extra == ([4] if overlap >= FOUND else [1, 4]), "neither rejected ones nor those under a region"


def test_nothing_drawn_or_nothing_found():
    c = components(disc(10, 10, 5))
    assert pairs(RoiSet(), c) == [], "all cells would be extra"
    none = components(np.zeros(SHAPE, np.float32), status=[Status.REMOVED])
    (pair,) = pairs(drawn(Circle(9, 9, 3)), none)
    assert (pair.cell, pair.kind) == (None, "missed")
    beside = pairs(drawn(Circle(-90, 9, 3)), c)
    assert [(pair.region, pair.kind) for pair in beside] == [(1, "missed"), (None, "extra")]


@pytest.fixture
def rings():
    """Regions 1 and 2 for 300 rows; cells 1 and 2 from row 100 on, of which the first does as region 2."""
    random, traces, cells = np.random.default_rng(0), TraceRing(1000, (1, 2)), CellRing(1000)
    values = random.random((300, 2)).astype(np.float32)
    for row, two in enumerate(values):
        traces.push(row / 10, row, np.array([0, 1]), 100 + two, None)
        if row >= 100:
            cells.push(row / 10, (1, 2), two[::-1].copy(), two, two)
    return traces, cells, values


def test_traces_are_compared_where_both_are_known(rings):
    traces, cells, values = rings
    c = components(disc(10, 10, 5), disc(30, 40, 6))
    one, two = agree(drawn(Circle(10, 10, 4), Circle(40, 30, 5)), c, traces, cells, 10.0)
    expected = np.corrcoef(values[100:].T)[0, 1]
    assert one.r == pytest.approx(expected, abs=1e-4)
    assert two.r == pytest.approx(expected, abs=1e-4)
    swapped = agree(drawn(Circle(40, 30, 5), Circle(10, 10, 4)), c, traces, cells, 10.0)
    assert [pair.r for pair in swapped] == [pytest.approx(1.0, abs=1e-5)] * 2
    few = agree(drawn(Circle(10, 10, 4)), c, traces, cells, (ENOUGH - 1) / 120)
    assert np.isnan(few[0].r)


def test_the_worst_come_first_and_the_extra_ones_last(rings):
    traces, cells, _ = rings
    c = components(disc(10, 10, 5), disc(30, 40, 6), disc(30, 10, 4))
    rois = drawn(Circle(10, 10, 5), Circle(40, 30, 3), Circle(25, 20, 3))
    assert [pair.kind for pair in agree(rois, c, traces, cells, 10.0)] == [
        "missed",
        "found",
        "found",
        "extra",
    ]


def test_a_comparison_is_made_aside_and_a_failure_is_said(rings, caplog):
    traces, cells, _ = rings
    c = components(disc(10, 10, 5))
    seen = SimpleNamespace(
        activity=SimpleNamespace(components=c), cells=cells, traces=traces, rate=10.0
    )  # fmt: skip
    agreement = Agreement()
    agreement.follow(seen, drawn(Circle(10, 10, 4)))
    within(10, lambda: (agreement.follow(seen, RoiSet()), agreement.pairs)[1], "compared")
    assert [pair.kind for pair in agreement.of("found")] == ["found"]
    seen.traces = None
    agreement._due = 0.0
    agreement.follow(seen, drawn(Circle(10, 10, 4)))
    within(10, lambda: (agreement.follow(seen, RoiSet()), "were not compared" in caplog.text)[1], "said")
    assert agreement.pairs, "the last one stays"
    agreement.close()
