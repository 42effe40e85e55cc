"""Demixing against general solvers, and what is derived from footprints for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cnmf import traces
from tests import naive
from tests.cells import add, blob, crowd, empty, footprint, glow_of, padded


def shapes_of(cells):
    return np.array([footprint(cells, i) for i in range(cells.count)])


def products_with(cells, image):
    out = np.empty(cells.count, np.float32)
    traces.project(cells.count, cells.t, padded(image, cells.field.reach), out)
    return out


@pytest.mark.parametrize(("shape", "radius"), [((40, 44), 2.0), ((47, 53), 4.0), ((30, 31), 6.5)])
def test_project_is_the_product_of_footprint_and_picture(shape, radius):
    cells, random = crowd(20, shape, radius)
    image = random.normal(100, 20, shape).astype(np.float32)
    expected = np.tensordot(shapes_of(cells), image.astype(np.float64), 2)
    np.testing.assert_allclose(products_with(cells, image), expected, rtol=2e-5)


@pytest.mark.parametrize("radius", [2.0, 5.0])
def test_planes_are_the_glow_and_its_slopes_under_each_cell(radius):
    """A glow that is a plane: its value and rise per px at the middle of every box."""
    cells, _ = crowd(20, (60, 66), radius)
    glow, q = glow_of(cells.field), cells.field.factor
    y, x = np.meshgrid(*glow.grid.middles, indexing="ij")
    nodes = (2 + 0.5 * y - 0.25 * x).astype(np.float32)
    planes = np.empty((cells.count, 3), np.float32)
    traces.planes(cells.count, cells.t, nodes.reshape(-1), planes)
    inner = [slice(a[0], a[-1]) for a in glow.grid.middles]
    for i, (cy, cx) in enumerate(cells.t.centres[: cells.count]):
        by, bx = (cy + 0.5) / q - 0.5, (cx + 0.5) / q - 0.5
        if inner[0].start <= by <= inner[0].stop and inner[1].start <= bx <= inner[1].stop:
            assert planes[i] == pytest.approx([2 + 0.5 * by - 0.25 * bx, 0.5 / q, -0.25 / q], abs=1e-4)


def demixed(cells, image, floor, start=0.0, calls=40):
    t, n = cells.t, cells.count
    t.trace[:n], t.floor[:n] = start, floor
    products = products_with(cells, image)
    for _ in range(calls):
        if traces.demix(n, products, t.near, t.gram, t.floor, t.trace, np.float32(1e-6)) < traces.SWEEPS:
            break
    return t.trace[:n].copy()


@given(st.integers(0, 10**6), st.integers(1, 14), st.booleans())
def test_demixing_equals_nnls_on_overlapping_groups(seed, number, general):
    """At the optimum of scipy's NNLS (floor 0) and of its bounded least squares (any floor)."""
    random, cells = np.random.default_rng(seed), empty((36, 36), 3.0)
    for _ in range(number):
        add(cells, random, tuple(random.integers(8, 28, 2)))
    shapes = shapes_of(cells)
    image = np.tensordot(random.normal(2, 6, number), shapes, 1) + random.normal(0, 0.5, (36, 36))
    image = image.astype(np.float32)
    floor = random.normal(0, 3, number).astype(np.float32) if general else np.zeros(number, np.float32)
    ours = demixed(cells, image, floor, start=random.normal(0, 9, number), calls=400)
    best = naive.bounded_least_squares(shapes, image, floor)
    assert (ours >= floor - 1e-6).all()
    cost, least = (((image - np.tensordot(c, shapes, 1)) ** 2).sum() for c in (ours, best))
    assert cost <= least * (1 + 1e-4) + 1e-3
    if np.linalg.cond(shapes.reshape(number, -1)) < 30:
        np.testing.assert_allclose(ours, best, atol=0.02)


def pair(overlap):
    """Two footprints whose product is just about so much."""
    for away in np.arange(0.05, 6, 0.05):
        cells, y = empty((40, 40), 3.0), away / 2
        for side in (-y, y):
            cells.add(blob(cells.field.side, 1.8, side), (20, 20), 0, 0, 1)
        if cells.t.gram[0, 0] <= overlap:
            return cells
    raise AssertionError


@pytest.mark.parametrize("overlap", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("true", [(10.0, 0.0), (10.0, 10.0), (3.0, 12.0)])
def test_two_cells_that_overlap_by_95_percent_are_told_apart(overlap, true):
    cells = pair(overlap)
    assert cells.t.gram[0, 0] == pytest.approx(overlap, abs=0.03)
    image = np.tensordot(true, shapes_of(cells), 1).astype(np.float32)
    np.testing.assert_allclose(demixed(cells, image, np.zeros(2)), true, atol=0.02)
    # one call, as in a frame, from the last frame's solution: nearly there
    assert demixed(cells, image, np.zeros(2), start=np.add(true, 1), calls=1) == pytest.approx(true, abs=1.0)


def test_no_cell_and_no_floor():
    cells = empty()
    assert len(demixed(cells, np.ones(cells.field.shape), np.zeros(0))) == 0
    cells, random = crowd(5)
    image = random.normal(-50, 1, cells.field.shape).astype(np.float32)
    free = demixed(cells, image, -np.inf)
    expected = naive.bounded_least_squares(shapes_of(cells), image, np.full(5, -1e9))
    np.testing.assert_allclose(free, expected, rtol=1e-3)


def test_bound_is_four_sigma_below_the_baseline_when_noise_is_known():
    cells, _ = crowd(3)
    t = cells.t
    t.mean[:3] = 5
    exact = traces.bound(3, t, np.array([20, 7, 1], np.float32), np.array([2, 0.5, 0], np.float32))
    assert t.floor[:3].tolist() == [20 - 8 - 5, 7 - 2 - 5, -np.inf]
    assert exact == 0


def test_solve_takes_the_glow_out_first():
    """Cells on a plane of glow, whose nodes are given: their traces are exact."""
    cells = empty((60, 60), 3.0)
    random = np.random.default_rng(3)
    for _ in range(6):
        add(cells, random, tuple(random.integers(15, 45, 2)))
    glow = glow_of(cells.field)
    y, x = np.meshgrid(*glow.grid.middles, indexing="ij")
    v, u = np.mgrid[:60, :60]
    true = random.uniform(1, 9, 6)
    image = np.tensordot(true, shapes_of(cells), 1) + 3 + 0.2 * v - 0.1 * u
    planes, room = np.empty((6, 3), np.float32), np.empty(6, np.float32)
    nodes = (3 + 0.2 * y - 0.1 * x).astype(np.float32).reshape(-1)
    cells.t.floor[:6] = 0
    traces.solve(6, cells.t, products_with(cells, image), nodes, np.float32(1e-6), planes, room)
    np.testing.assert_allclose(cells.t.trace[:6], true, atol=0.02)


def test_follow_shows_what_a_fixed_reference_would():
    """The mean moves under the pixels; trace and mean together do not show it."""
    cells, _ = crowd(1)
    t, out, reference, mean = cells.t, np.empty(1, np.float32), [], 0.0
    truth = 50 + 10 * np.sin(np.arange(200) / 9)
    for value in truth:
        t.trace[0] = value - mean  # the pixels' running mean, by the same rate
        traces.follow(1, t, 0.05, out)
        reference.append(out[0])
        mean += 0.05 * (value - mean)
    np.testing.assert_allclose(reference, truth, rtol=1e-5)


def test_a_frame_is_demixed_in_one_call():
    """The traces over the running mean and the glow, none below its floor; and the mean that follows them."""
    cells = empty((60, 60), 3.0)
    random, t = np.random.default_rng(3), cells.t
    for _ in range(6):
        add(cells, random, tuple(random.integers(15, 45, 2)))
    glow, (v, u) = glow_of(cells.field), np.mgrid[:60, :60]
    y, x = np.meshgrid(*glow.grid.middles, indexing="ij")
    image = np.tensordot([9, 7, -20, 5, -20, 3], shapes_of(cells), 1) + random.normal(0, 0.1, (60, 60))
    baseline, noise, mean = random.uniform(1, 5, (3, 6)).astype(np.float32)
    t.mean[:6] = mean
    floor = baseline - traces.FLOOR * noise - mean
    expected = naive.bounded_least_squares(shapes_of(cells), image, floor)
    assert 0 < (expected < floor + 1e-3).sum() < 6
    planes, rooms = np.empty((6, 3), np.float32), np.empty((2, 6), np.float32)
    nodes = (3 + 0.2 * y - 0.1 * x).astype(np.float32).reshape(-1)
    picture = padded(image + 3 + 0.2 * v - 0.1 * u, cells.field.reach)
    for _ in range(20):
        traces.demixed(6, t, picture, nodes, baseline, noise, 0.0, planes, rooms)
    np.testing.assert_allclose(t.trace[:6], expected, atol=0.05)
    np.testing.assert_allclose(rooms[1], expected + mean, atol=0.05)
    traces.demixed(6, t, picture, nodes, baseline, noise, 0.1, planes, rooms)
    np.testing.assert_allclose(t.mean[:6], mean + 0.1 * expected, atol=0.01)
