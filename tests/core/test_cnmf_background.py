"""The glow: block means, interpolation, the Wiener filter, modes and texture learned from the past."""

import numpy as np
import pytest

from roi_core.cnmf.background import LEAST_KNOWN, Glow, Grid, _agree
from tests import naive

COVERED = 0.1


def glow_of(shape, radius=3.0):
    return Glow(shape, radius, COVERED)


def free(shape):
    return np.zeros(shape, np.int16)


@pytest.mark.parametrize("shape", [(64, 64), (47, 53), (128, 40), (16, 16), (8, 8)])
def test_means_of_blocks_weigh_covered_pixels_less(shape):
    random = np.random.default_rng(0)
    glow, picture = glow_of(shape), random.normal(5, 2, shape).astype(np.float32)
    cover = (random.random(shape) < 0.4).astype(np.int16)
    cover[: shape[0] // 2] = 1
    glow.step(picture, cover)
    blocks, weight = glow._blocks, np.where(cover == 0, 1, COVERED)
    for j, (a, b) in enumerate(zip(blocks.y[:-1], blocks.y[1:], strict=True)):
        for k, (c, d) in enumerate(zip(blocks.x[:-1], blocks.x[1:], strict=True)):
            expected = np.average(picture[a:b, c:d], weights=weight[a:b, c:d])
            assert glow._raw[j, k] == pytest.approx(expected, rel=1e-4)
    grid = glow.grid
    np.testing.assert_allclose(
        grid.means(picture), naive.part_means(picture, (grid.y, grid.x)).ravel(), rtol=1e-4
    )


def test_suspects_do_not_count_and_their_blocks_are_bridged():
    shape, random = (64, 70), np.random.default_rng(2)
    glow, picture = glow_of(shape), random.normal(5, 2, shape).astype(np.float32)
    glow.suspects = np.zeros(shape, bool)
    glow.suspects[10:40, 12:50] = True
    picture[glow.suspects] += 1e6
    glow.step(picture, free(shape))
    blocks, expected = glow._blocks, np.zeros(glow._raw.shape)
    for j, (a, b) in enumerate(zip(blocks.y[:-1], blocks.y[1:], strict=True)):
        for k, (c, d) in enumerate(zip(blocks.x[:-1], blocks.x[1:], strict=True)):
            known = ~glow.suspects[a:b, c:d]
            few = known.mean() <= LEAST_KNOWN
            expected[j, k] = np.nan if few else picture[a:b, c:d][known].mean()
    assert 0 < np.isnan(expected).sum() < expected.size
    np.testing.assert_allclose(glow._raw, naive.bridged(expected), rtol=1e-4)
    glow.suspects[:] = True
    glow.step(picture, free(shape))
    np.testing.assert_array_equal(glow._raw, 0)


@pytest.mark.parametrize("shape", [(64, 64), (47, 53), (16, 90)])
def test_the_grid_interpolates_linearly_between_the_middles_of_its_parts(shape):
    for grid in (Grid(shape, 9.0), Grid(shape, 6.0)):
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


def taught(shape=(64, 64), frames=900, power=2.0, noise=2.0, seed=0, texture=1.0, cell=None, suspected=900):
    """Return a glow that saw a movie of smooth modes, and (error, power) of what it made of each frame.

    A ``cell`` (rows, columns), unknown but in so many frames ``suspected``, shines as the first of them does.
    """
    random, glow = np.random.default_rng(seed), glow_of(shape)
    maps, course = modes(shape), courses(frames, 3, random) * power
    pixels, errors = [np.arange(size) for size in shape], []
    residuals = np.zeros((5, *shape), np.float32)
    for k in range(frames):
        true = np.tensordot(course[k], maps, 1) * texture
        picture = (true + random.normal(0, noise, shape)).astype(np.float32)
        if cell is not None:
            glow.suspects = (cell > 0) & (k < suspected)
            picture += (cell * abs(course[k, 0])).astype(np.float32)
        glow.step(picture, free(shape))
        glow.remember()
        ours = glow.gain * naive.between_nodes(glow.nodes, glow.grid.middles, pixels)
        errors.append((np.mean((ours - true) ** 2), np.mean(true**2)))
        residuals[k % 5] = picture - ours
        if k % 5 == 4:
            glow.watch(residuals.mean(0), k - 4, k + 1)
        if k % 60 == 59:
            glow.learn(3600.0, noise**2 / 5)
    return glow, np.array(errors)


def test_modes_of_a_smooth_glow_are_learned():
    glow, errors = taught()
    assert 3 <= len(glow._filter.maps) <= 5
    error, power = errors[-300:].mean(0)
    assert error < 0.02 * power, "less than 2 % of the glow's power is missed"
    assert error < 0.5 * errors[:60, 0].mean(), "and less than before anything was learned"


def test_a_pixel_that_follows_the_glow_less_is_found_out():
    texture = np.ones((64, 64))
    texture[30:33] = 0.4
    glow, _ = taught(texture=texture, frames=1800)
    assert glow.gain[31, 10:50].mean() < 0.7
    assert glow.gain[10:20].mean() == pytest.approx(1, abs=0.05)


def test_a_cell_that_is_still_to_join_leaves_no_imprint_on_the_glow():
    cell = np.zeros((64, 64))
    cell[26:37, 26:37] = 30.0
    kept, _ = taught(cell=cell)
    bent, _ = taught(cell=cell, suspected=0)
    plain, _ = taught()
    there, far = (slice(28, 35), slice(28, 35)), (slice(0, 16), slice(0, 16))
    assert abs(kept.gain[there] - 1).max() < 0.1
    assert abs(bent.gain[there] - 1).max() > 0.3, "this light is one that leaves an imprint"
    assert kept.gain[far].std() == pytest.approx(plain.gain[far].std(), abs=0.05)


def test_what_was_suspected_wrongly_is_learned_when_it_no_longer_is():
    """Else a vessel that was taken for a cell in the first seconds would never be found out."""
    vessel = np.zeros((64, 64))
    vessel[26:37, 26:37] = 1e-6
    texture = np.where(vessel > 0, 0.4, 1.0)
    glow, _ = taught(texture=texture, cell=vessel, suspected=450)
    plain, _ = taught(texture=texture, frames=450)
    there = (slice(28, 35), slice(28, 35))
    assert glow.gain[there].mean() < plain.gain[there].mean() + 0.02


def test_noise_alone_has_hardly_a_mode():
    glow, errors = taught(power=0.0)
    assert len(glow._filter.maps) <= 3
    assert errors[-300:, 0].mean() < 0.2 * 4.0 / glow._blocks.sizes.mean()


def test_the_filter_is_modes_shrunk_plus_what_they_leave():
    glow, _ = taught(frames=600)
    picture = np.random.default_rng(2).normal(0, 2, (64, 64)).astype(np.float32)
    glow.step(picture, free((64, 64)))
    f = glow._filter
    raw = glow._raw.ravel().astype(np.float64)
    course = f.into @ raw
    left = ((raw - course @ f.back) * f.local).reshape(glow._blocks.shape)
    spread = naive.between_nodes(left, glow._blocks.middles, glow.grid.middles)
    expected = ((f.gains * course) @ f.maps).reshape(glow.nodes.shape) + spread
    np.testing.assert_allclose(glow.nodes, expected, rtol=1e-3, atol=1e-3)
    assert ((f.gains > 0) & (f.gains < 1)).all()
    assert ((f.local >= 0) & (f.local <= 1)).all()


def test_learning_from_too_little_changes_nothing():
    glow = glow_of((64, 64))
    before = glow._filter
    glow.learn(100.0, 1.0)
    assert glow._filter is before


@pytest.mark.parametrize("picture", [np.zeros((64, 64)), np.full((64, 64), 3.0)])
def test_a_picture_without_noise_teaches_finite_things(picture):
    glow = glow_of((64, 64))
    for k in range(200):
        glow.step(picture.astype(np.float32), free((64, 64)))
        glow.remember()
        if k % 50 == 49:
            glow.watch(picture.astype(np.float32), k - 9, k + 1)
            glow.learn(600.0, 0.0)
    assert all(np.isfinite(part).all() for part in glow._filter)
    assert np.isfinite(glow.nodes).all()
    assert np.isfinite(glow.gain).all()


def test_the_gain_is_learned_from_what_each_pixel_shares_with_the_glow_of_its_place():
    """Least squares of residual and what the gain took already, over all looks; suspects say nothing."""
    random = np.random.default_rng(0)
    gain, sums = random.uniform(0.5, 1.5, (12, 14)).astype(np.float32), np.zeros((2, 12, 14), np.float32)
    looks = random.normal(0, 2, (9, 2, 12, 14)).astype(np.float32)
    suspects = random.random((9, 12, 14)) < 0.2
    for (residual, glow), no in zip(looks, suspects, strict=True):
        _agree(residual, glow, gain, no, *sums)
    known = np.where(suspects, 0, looks[:, 1])
    np.testing.assert_allclose(sums[1], (known**2).sum(0), rtol=1e-4)
    np.testing.assert_allclose(sums[0], ((looks[:, 0] + gain * known) * known).sum(0), rtol=1e-3, atol=1e-3)
    for y, x in [(0, 0), (5, 7), (11, 13)]:
        seen = looks[:, 0, y, x] + gain[y, x] * known[:, y, x]
        best = np.linalg.lstsq(known[:, y, x, None], seen, rcond=None)[0][0]
        assert sums[0, y, x] / sums[1, y, x] == pytest.approx(best, rel=1e-3)
