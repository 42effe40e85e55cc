"""The glow: block means, interpolation, the filter's least squares, and modes learned from the past."""

import numpy as np
import pytest

from roi_core.cnmf.background import LEAST_FREE, Glow, Grid
from tests import naive
from tests.cells import crowd, footprint


def glow_of(shape, radius=3.0):
    return Glow(shape, radius)


@pytest.mark.parametrize("shape", [(64, 64), (47, 53), (128, 40), (16, 16), (8, 8)])
def test_means_of_blocks(shape):
    random = np.random.default_rng(0)
    glow, picture = glow_of(shape), random.normal(5, 2, shape).astype(np.float32)
    cover = (random.random(shape) < 0.4).astype(np.int16)
    glow.measure(picture, cover)
    grid, blocks = glow.grid, glow._blocks
    np.testing.assert_allclose(glow._means, naive.part_means(picture, (grid.y, grid.x)), rtol=1e-4)
    np.testing.assert_allclose(grid.means(picture), glow._means.ravel(), rtol=1e-4)
    free = cover == 0
    for j, (a, b) in enumerate(zip(blocks.y[:-1], blocks.y[1:], strict=True)):
        for k, (c, d) in enumerate(zip(blocks.x[:-1], blocks.x[1:], strict=True)):
            assert glow._free[j, k] == free[a:b, c:d].sum()
            if free[a:b, c:d].sum() >= LEAST_FREE:
                assert glow._open[j, k] == pytest.approx(picture[a:b, c:d][free[a:b, c:d]].mean(), rel=1e-4)


def test_blocks_under_cells_take_the_mean_of_their_neighbours():
    glow = glow_of((60, 60))
    rows, columns = glow._blocks.shape
    picture = np.arange(3600, dtype=np.float32).reshape(60, 60)
    cover = np.zeros((60, 60), np.int16)
    y, x = glow._blocks.y, glow._blocks.x
    cover[y[1] : y[2], x[1] : x[2]] = 1
    glow.measure(picture, cover)
    around = [(j, k) for j in range(3) for k in range(3) if (j, k) != (1, 1) and j < rows and k < columns]
    means = [picture[y[j] : y[j + 1], x[k] : x[k + 1]] for j, k in around]
    expected = np.concatenate([part.ravel() for part in means]).mean()
    assert glow._open[1, 1] == pytest.approx(expected, rel=1e-5)
    glow.measure(picture, np.ones((60, 60), np.int16))
    np.testing.assert_array_equal(glow._open, 0)


@pytest.mark.parametrize("shape", [(64, 64), (47, 53), (16, 90)])
def test_the_grid_interpolates_linearly_between_the_middles_of_its_parts(shape):
    for grid in (Grid(shape, 9.0), Grid(shape, 12.0).halved()):
        assert grid.y[0] == grid.x[0] == 0
        assert (grid.y[-1], grid.x[-1]) == shape
        assert (np.diff(grid.y) > 0).all()
        assert grid.sizes.sum() == shape[0] * shape[1]
        nodes = np.random.default_rng(1).normal(0, 1, grid.shape)
        ylow, yfrac, xlow, xfrac = grid.pixels()
        t, s = yfrac[:, None], xfrac
        corner = [[nodes[np.ix_(ylow + j, xlow + k)] for k in (0, 1)] for j in (0, 1)]
        ours = (1 - t) * ((1 - s) * corner[0][0] + s * corner[0][1]) + t * (
            (1 - s) * corner[1][0] + s * corner[1][1]
        )
        pixels = [np.arange(size) for size in shape]
        np.testing.assert_allclose(ours, naive.between_nodes(nodes, grid.middles, pixels), atol=1e-5)


def modes(shape, number=3):
    """Smooth maps (number, rows, columns), fairly unlike each other."""
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    maps = [np.ones(shape), np.cos(np.pi * y), np.cos(np.pi * x), np.cos(np.pi * x) * np.cos(np.pi * y)]
    return np.array(maps[:number], np.float32)


def courses(frames, number, random):
    """Slow courses (frames, number) of unit power."""
    out = np.zeros((frames, number))
    for t in range(1, frames):
        out[t] = 0.97 * out[t - 1] + random.normal(0, np.sqrt(1 - 0.97**2), number)
    return out


def taught(shape=(64, 64), frames=900, power=2.0, noise=2.0, seed=0):
    """A glow that saw a movie of smooth modes; the movie's last part is returned for a test."""
    random, glow = np.random.default_rng(seed), glow_of(shape)
    maps, course = modes(shape), courses(frames, 3, random) * power
    cells, errors = crowd(0, shape)[0], []
    for k in range(frames):
        true = np.tensordot(course[k], maps, 1)
        picture = (true + random.normal(0, noise, shape)).astype(np.float32)
        glow.measure(picture, cells.cover)
        glow.solve(0, cells.t, 1)
        glow.remember()
        ours = naive.between_nodes(glow.nodes, glow.grid.middles, [np.arange(size) for size in shape])
        errors.append((np.mean((ours - true) ** 2), np.mean(true**2)))
        if k % 60 == 59:
            residual = picture - ours.astype(np.float32)
            glow.watch(residual.astype(np.float32), k, k + 1)
            glow.learn(3600.0)
    return glow, np.array(errors)


def test_modes_of_a_smooth_glow_are_learned():
    glow, errors = taught()
    assert 3 <= len(glow._filter.maps) <= 5
    error, power = errors[-300:].mean(0)
    assert error < 0.01 * power, "less than 1 % of the glow's power is missed"
    assert error < 0.5 * errors[:60, 0].mean(), "and less than before anything was learned"


def test_noise_alone_has_hardly_a_mode():
    glow, errors = taught(power=0.0)
    assert len(glow._filter.maps) <= 3
    block_noise = 4.0 / (glow.grid.sizes.mean())
    assert errors[-300:, 0].mean() < 0.2 * block_noise


def test_solve_equals_least_squares_with_a_ridge():
    """The courses are those of least |means - cells - maps' c|^2 + sum of noise / power c^2 (per node)."""
    glow, _ = taught(frames=600)
    cells, random = crowd(8, (64, 64))
    n, t = cells.count, cells.t
    t.trace[:n] = random.normal(5, 2, n)
    picture = random.normal(0, 2, (64, 64)).astype(np.float32)
    glow.measure(picture, cells.cover)
    glow.solve(n, t, 1)
    maps = glow._filter.maps.astype(np.float64)
    means = naive.part_means(picture, (glow.grid.y, glow.grid.x)).ravel()
    flat = means.copy()
    for i in range(n):
        for k in range(4):
            at = t.at[i, k]
            flat[at] -= t.trace[i] * t.moments[i, 0] * t.share[i, 0, k] / glow.grid.sizes.ravel()[at]
    # the ridge as `learn` set it: from the filter it made, solved back
    into = glow._filter.into.astype(np.float64)
    ridge = (maps @ np.linalg.pinv(into)) - maps @ maps.T
    np.testing.assert_allclose(
        ridge, np.diag(np.diag(ridge)), atol=2e-2 * np.abs(np.diag(ridge)).max() + 1e-3
    )
    assert (np.diag(ridge) > -1e-3).all()
    stacked = np.vstack([maps.T, np.sqrt(np.diag(np.maximum(np.diag(ridge), 0)))])
    best = np.linalg.lstsq(stacked, np.concatenate([flat, np.zeros(len(maps))]), rcond=None)[0]
    course = glow._courses[glow.seen % len(glow._courses), : len(maps)]
    np.testing.assert_allclose(course, best, rtol=5e-3, atol=5e-3)
    left = (glow._open.ravel() - best @ glow._filter.coarse) * glow._filter.local
    spread = naive.between_nodes(left.reshape(glow._blocks.shape), glow._blocks.middles, glow.grid.middles)
    np.testing.assert_allclose(glow.nodes, (best @ maps).reshape(glow.nodes.shape) + spread, atol=2e-2)


def test_cells_are_taken_out_of_the_means_in_full():
    """All that a cell puts into a picture leaves the means again, when its trace is right."""
    cells, _ = crowd(1, (64, 64))
    glow = glow_of((64, 64))
    cells.t.trace[0] = 7
    glow.measure((7 * footprint(cells, 0)).astype(np.float32), cells.cover)
    before = float((glow._means * glow.grid.sizes).sum())
    glow.solve(1, cells.t, 1)
    total = (glow._raw * glow._blocks.sizes).sum()
    assert before == pytest.approx(7 * cells.t.moments[0, 0], rel=1e-3)
    assert abs(total) < 0.05 * before, "blocks differ by a pixel in size"


def test_learning_from_too_little_changes_nothing():
    glow = glow_of((64, 64))
    before = glow._filter
    glow.learn(100.0)
    assert glow._filter is before


@pytest.mark.parametrize("picture", [np.zeros((64, 64)), np.full((64, 64), 3.0)])
def test_a_picture_without_noise_teaches_finite_things(picture):
    glow = glow_of((64, 64))
    cells, _ = crowd(0, (64, 64))
    for k in range(200):
        glow.measure(picture.astype(np.float32), cells.cover)
        glow.solve(0, cells.t, 1)
        glow.remember()
        if k % 50 == 49:
            glow.watch(picture.astype(np.float32), k - 9, k + 1)
            glow.learn(600.0)
    assert all(np.isfinite(part).all() for part in glow._filter)
    assert np.isfinite(glow.nodes).all()
