"""The table of cells: neighbours, products, patches and cover, however cells come, move and go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cnmf.neighbours import overlap
from roi_core.cnmf.state import NEIGHBOURS, Field, shifted
from tests import naive
from tests.cells import add, crowd, empty, footprint
from tests.checks import check


@pytest.mark.parametrize("radius", [1.0, 3.0, 4.0, 6.5])
@pytest.mark.parametrize("shape", [(40, 44), (47, 53), (16, 16)])
def test_a_crowd_is_consistent(radius, shape):
    check(crowd(25, shape, radius)[0])


@pytest.mark.parametrize("number", [NEIGHBOURS, NEIGHBOURS + 2, 70])
def test_more_neighbours_and_cells_than_there_was_room_for(number):
    """All in one heap; sums with neighbours survive the growth of the table."""
    cells, random = crowd(NEIGHBOURS, (12, 12), 3.0)
    cells.t.links[: cells.count] = random.random(cells.t.links[: cells.count].shape)
    before = cells.t.links[:NEIGHBOURS, : NEIGHBOURS - 1].copy()
    while cells.count < number:
        add(cells, random)
    check(cells)
    np.testing.assert_array_equal(cells.t.links[:NEIGHBOURS, : NEIGHBOURS - 1], before)


@given(st.data())
def test_any_history_is_consistent(data):
    seed = data.draw(st.integers(0, 999))
    cells, random = crowd(
        data.draw(st.integers(0, 20)), (30, 33), data.draw(st.sampled_from([2.0, 4.0])), seed
    )
    labels = {}
    for _ in range(data.draw(st.integers(1, 12))):
        verb = data.draw(st.sampled_from(["add", "remove", "move", "settle"]))
        if verb == "add" or cells.count == 0:
            i = add(cells, random)
            cells.t.ids[i] = 1000 + len(labels)
            labels[int(cells.t.ids[i])] = 1
            continue
        i = data.draw(st.integers(0, cells.count - 1))
        if verb == "remove":
            ids = cells.t.ids[: cells.count].copy()
            order = cells.remove(i)
            np.testing.assert_array_equal(cells.t.ids[: cells.count], ids[order])
        elif verb == "move":
            dy, dx = (data.draw(st.integers(-3, 3)) for _ in range(2))
            y, x = cells.t.centres[i]
            if 0 <= y + dy < 30 and 0 <= x + dx < 33:
                before = footprint(cells, i)
                cells.move(i, dy, dx)
                after, kept = footprint(cells, i), footprint(cells, i) > 0
                if after.any():  # where it did not leave its box it lies where it lay, scaled
                    ratio = after[kept] / before[kept]
                    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
        else:
            cells.t.boxes[i] *= np.float32(random.uniform(0.1, 9))
            cells.t.boxes[i, random.integers(cells.field.side)] = 0
            if cells.t.boxes[i].any():
                cells.settle(i)
        if not all(box.any() for box in cells.t.boxes[: cells.count]):
            return
        check(cells)


def shared(cells):
    """What each pair of neighbours shares, by ids."""
    t = cells.t
    return {
        (int(t.ids[i]), int(t.ids[t.near[i, m]])): (t.links[i, m], t.sync[i, m])
        for i in range(cells.count)
        for m in range(t.near.shape[1])
        if t.near[i, m] >= 0
    }


def sharing(number, shape=(20, 20)):
    """Cells with sums that they share with their neighbours; ``sync`` is one of both."""
    cells, random = crowd(number, shape, 2.0)
    t, n = cells.t, cells.count
    t.links[:n] = random.random(t.links[:n].shape)
    for i in range(n):
        for m, j in enumerate(t.near[i][t.near[i] >= 0]):
            t.sync[i, m] = i * j
    return cells, random


def test_sums_with_neighbours_stay_with_their_pair_when_others_go():
    """`links` and `sync` of the cells that stay are those of the same two cells as before."""
    cells, random = sharing(14)
    while cells.count > 1:
        before, gone = shared(cells), int(random.integers(cells.count))
        dead = int(cells.t.ids[gone])
        cells.remove(gone)
        assert shared(cells) == {key: value for key, value in before.items() if dead not in key}


def test_who_is_moved_keeps_what_it_shares_with_those_that_stay_its_neighbours():
    cells, random = sharing(14, (30, 30))
    for dy, dx in random.integers(-2, 3, (20, 2)):
        before, i = shared(cells), int(random.integers(cells.count))
        y, x = np.clip(cells.t.centres[i] + (dy, dx), 0, 29) - cells.t.centres[i]
        cells.move(i, int(y), int(x))
        after = shared(cells)
        assert after == {key: before.get(key, (0, 0)) for key in after}
        assert all(int(cells.t.ids[i]) in key for key in set(before) ^ set(after))


def test_who_goes_takes_its_light_out_of_its_neighbours_images():
    cells, random = sharing(8)
    t, side = cells.t, cells.field.side
    t.images[: cells.count] = random.random((cells.count, side, side))
    gone, before, links = 3, t.images[: cells.count].copy(), shared(cells)
    light, ids = footprint(cells, gone), t.ids[: cells.count].tolist()
    cells.remove(gone)
    reach = cells.field.reach
    wide = np.pad(light, reach)
    for i in range(cells.count):
        cell, (y, x) = int(t.ids[i]), t.centres[i]
        weight = links.get((cell, ids[gone]), (0.0,))[0]
        expected = before[ids.index(cell)] - weight * wide[y : y + side, x : x + side]
        np.testing.assert_allclose(t.images[i], expected, atol=1e-5)


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 99))
def test_shifted_and_overlap_equal_their_definition(dy, dx, seed):
    a, b = np.random.default_rng(seed).random((2, 7, 7)).astype(np.float32)
    wide = np.zeros((27, 27), np.float32)
    wide[10 + dy : 17 + dy, 10 + dx : 17 + dx] = b
    np.testing.assert_array_equal(shifted(b, dy, dx), wide[10:17, 10:17])
    assert overlap(a, b, dy, dx) == pytest.approx((a * wide[10:17, 10:17]).sum(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("radius", [0.25, 1.0, 3.9, 4.0, 5.0, 64.0])
@pytest.mark.parametrize("shape", [(16, 16), (33, 47), (4, 4), (5, 40)])
def test_no_box_leaves_its_margins(shape, radius):
    """The farthest centres of any picture, even one smaller than a cell."""
    field = Field(shape, radius)
    cells = empty(shape, radius) if radius < 64 else None
    corners = [(0, 0), (0, shape[1] - 1), (shape[0] - 1, 0), (shape[0] - 1, shape[1] - 1)]
    for y, x in corners:
        first = [(c - field.reach) // field.factor + field.margin for c in (y, x)]
        assert min(first) >= 0
        for k in (0, 1):
            assert first[k] + field.patch <= field.binned[k] + 2 * field.margin
        if cells is not None:
            add(cells, np.random.default_rng(0), (y, x))
    if cells is not None:
        check(cells)


def test_shares_of_the_nodes_are_those_of_the_grid():
    cells = empty((60, 66), 5.0)
    nodes = np.random.default_rng(0).normal(0, 1, cells.grid.shape)
    for y, x in [(1, 1), (30, 33), (59, 65), (17, 2), (0, 65)]:
        i = add(cells, np.random.default_rng(0), (y, x))
        place = [[(y + 0.5) / 2 - 0.5], [(x + 0.5) / 2 - 0.5]]
        value = cells.t.share[i, 0] @ nodes.ravel()[cells.t.at[i]]
        assert value == pytest.approx(naive.between_nodes(nodes, cells.grid.middles, place)[0, 0], abs=1e-5)


@pytest.mark.parametrize("radius", [3.0, 5.0])
def test_moments_weigh_each_pixel_by_how_much_it_follows_the_glow(radius):
    """Also at the edges, where a box reaches beyond the picture."""
    cells, random = crowd(12, (31, 34), radius)
    t, field = cells.t, cells.field
    cells.gain[:] = random.uniform(0.2, 2, field.binned)
    wide = np.kron(cells.gain, np.ones((field.factor,) * 2))
    wide = np.pad(
        wide, [(0, size - have) for size, have in zip(field.shape, wide.shape, strict=True)], "edge"
    )
    for i in range(cells.count):
        cells.settle(i)
        part = footprint(cells, i) * wide
        off = np.indices(field.shape) - t.centres[i][:, None, None]
        expected = [part.sum(), (part * off[0]).sum(), (part * off[1]).sum()]
        np.testing.assert_allclose(t.moments[i], expected, rtol=1e-4, atol=1e-3)
