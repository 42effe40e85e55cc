"""Centring, binning and explaining a picture: each pass against its definition."""

from itertools import pairwise

import numpy as np
import pytest

from roi_core.cnmf import picture
from tests import naive
from tests.cells import crowd, footprint, glow_of, padded

MARGIN = 7


def centred(image, mean, rate, seen, factor, share=0.0, level=0.0, cap=np.inf):
    """What `centre` leaves: padded picture, mean, binned picture and sum of squares."""
    h, w = image.shape
    wide, mean, line = padded(image, MARGIN), mean.copy(), np.zeros(w, np.float32)
    binned = np.full((h // factor, w // factor), np.nan, np.float32)
    fade = np.float32(share), np.float32(level)
    power = picture.centre(wide, MARGIN, mean, rate, fade, seen, factor, line, binned, np.float32(cap))
    return wide, mean, binned, power


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("shape", [(24, 30), (25, 31), (16, 17), (6, 7)])
@pytest.mark.parametrize("hidden", [(0, 0, 0, 0), (1, 0, 0, 2), (0, 2, 1, 0), (2, 2, 2, 2)])
def test_centre_equals_its_definition(factor, shape, hidden):
    random = np.random.default_rng(factor)
    image, mean = random.normal(100, 30, (2, *shape)).astype(np.float32)
    seen = (hidden[0], shape[0] - hidden[1], hidden[2], shape[1] - hidden[3])
    wide, now, binned, power = centred(image, mean, 0.1, seen, factor)
    inner = np.s_[seen[0] : seen[1], seen[2] : seen[3]]
    deviation = naive.clipped(image - mean, seen)
    expected = mean.copy()
    expected[inner] += 0.1 * (image - mean)[inner]
    middle = wide[MARGIN:-MARGIN, MARGIN:-MARGIN]
    # what is not binned is only looked at on the side that was hidden
    np.testing.assert_allclose(middle, deviation, atol=1e-4)
    np.testing.assert_allclose(now, expected, atol=1e-4)
    np.testing.assert_allclose(binned, naive.binned(deviation, factor), atol=1e-4)
    assert power == pytest.approx((naive.binned(deviation, factor) ** 2).sum(), rel=1e-5)
    wide[MARGIN:-MARGIN, MARGIN:-MARGIN] = 0
    assert not wide.any(), "the margin stays zero"


@pytest.mark.parametrize("seen", [(0, 24, 0, 30), (3, 20, 1, 29)])
def test_contrast_is_the_deviation_of_what_is_looked_at(seen):
    image = np.random.default_rng(0).normal(30_000, 7, (24, 30)).astype(np.float32)
    y0, y1, x0, x1 = seen
    expected = image[y0:y1:4, x0:x1:4].astype(float).std()
    assert picture.contrast(padded(image, MARGIN), MARGIN, seen, 4) == pytest.approx(expected, rel=1e-4)
    image[8:12] = np.nan
    assert np.isnan(picture.contrast(padded(image, MARGIN), MARGIN, (0, 24, 0, 30), 4))


def test_of_each_binned_pixel_no_more_than_a_cap_counts():
    image, mean = np.random.default_rng(0).normal(0, 1, (2, 20, 22)).astype(np.float32)
    power = centred(image, mean, 0.1, (0, 20, 0, 22), 2, cap=0.5)[3]
    squares = naive.binned(image - mean, 2) ** 2
    assert power == pytest.approx(np.minimum(squares, 0.5).sum(), rel=1e-5)
    assert power < 0.9 * squares.sum()


def test_a_rate_of_nothing_leaves_the_mean():
    image, mean = np.random.default_rng(0).normal(0, 1, (2, 20, 20)).astype(np.float32)
    np.testing.assert_array_equal(centred(image, mean, 0.0, (3, 20, 0, 18), 2)[1], mean)


@pytest.mark.parametrize("seen", [(0, 20, 0, 20), (3, 20, 0, 18), (0, 17, 2, 20)])
@pytest.mark.parametrize("factor", [1, 2])
def test_the_mean_fades_about_a_level_where_it_is_seen_and_where_not(seen, factor):
    image, mean = np.random.default_rng(0).normal(100, 5, (2, 20, 20)).astype(np.float32)
    faded = mean + np.float32(-0.2) * (mean - 90)
    now, then = centred(image, mean, 0.1, seen, factor, -0.2, 90.0), centred(image, faded, 0.1, seen, factor)
    for part, expected in zip(now, then, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-4, atol=1e-4)


def explained(cells, random, seen):
    """What `explain` fills, and what the definition says."""
    field, t = cells.field, cells.t
    t.trace[: cells.count] = random.normal(0, 3, cells.count) * (random.random(cells.count) < 0.8)
    binned = random.normal(0, 1, field.binned).astype(np.float32)
    glow = glow_of(field)
    glow.gain[:] = random.uniform(0.5, 1.5, field.binned)
    nodes = random.normal(0, 1, glow.grid.shape).astype(np.float32)
    out = np.full(np.array(field.binned) + 2 * field.margin, np.nan, np.float32)
    args = binned, field.margin, nodes, glow.gain, glow.grid.pixels(), cells.count, t, seen, field.factor
    out[:] = 0
    picture.explain(*args, out)
    pixels = [np.arange(size) for size in field.binned]
    expected = binned - glow.gain * naive.between_nodes(nodes, glow.grid.middles, pixels)
    for i in range(cells.count):
        # a footprint on half a bin at an odd edge counts there as zero beyond
        expected -= t.trace[i] * naive.binned(footprint(cells, i), field.factor)
    q, shown = field.factor, np.zeros(field.binned, bool)
    shown[-(-seen[0] // q) : seen[1] // q, -(-seen[2] // q) : seen[3] // q] = True
    return out, np.pad(np.where(shown, expected, 0), field.margin)


@pytest.mark.parametrize(("shape", "radius"), [((40, 44), 2.0), ((48, 52), 5.0), ((47, 53), 4.0)])
@pytest.mark.parametrize("hidden", [(0, 0, 0, 0), (3, 0, 0, 5), (0, 4, 1, 0)])
def test_explain_equals_its_definition(shape, radius, hidden):
    cells, random = crowd(12, shape, radius)
    seen = (hidden[0], shape[0] - hidden[1], hidden[2], shape[1] - hidden[3])
    out, expected = explained(cells, random, seen)
    np.testing.assert_allclose(out, expected, atol=2e-5)


def test_explain_overwrites_what_was_left_of_an_older_frame():
    cells, random = crowd(3)
    field = cells.field
    glow, seen = glow_of(field), (2, 40, 1, 52)
    binned = random.normal(0, 1, field.binned).astype(np.float32)
    outs = [np.full(np.array(field.binned) + 2 * field.margin, value, np.float32) for value in (0, 9)]
    for out in outs:
        if out[0, 0]:
            out[[0, -1]] = 0  # nothing writes the margin but its own cells
            out[: field.margin] = out[-field.margin :] = out[:, : field.margin] = out[:, -field.margin :] = 0
        picture.explain(
            binned,
            field.margin,
            glow.nodes,
            glow.gain,
            glow.grid.pixels(),
            3,
            cells.t,
            seen,
            field.factor,
            out,
        )
    np.testing.assert_array_equal(*outs)


def test_without_cells_takes_every_cell_out():
    cells, random = crowd(8)
    field, picture_ = cells.field, random.normal(0, 1, cells.field.binned).astype(np.float32)
    out = np.zeros(np.array(field.binned) + 2 * field.margin, np.float32)
    traces = random.normal(0, 3, cells.count).astype(np.float32)
    picture.without_cells(picture_, field.margin, cells.count, cells.t, traces, out)
    expected = picture_ - sum(
        traces[i] * naive.binned(footprint(cells, i), field.factor) for i in range(cells.count)
    )
    m = field.margin
    np.testing.assert_allclose(out[m:-m, m:-m], expected, atol=2e-5)


def test_track_noise_is_half_the_squared_step_forgotten_exponentially():
    random = np.random.default_rng(0)
    frames = random.normal(0, 2, (400, 12, 14)).astype(np.float32)
    variance, expected = np.zeros((2, 12, 14), np.float32)
    for before, now in pairwise(frames):
        picture.track_noise(padded(now, 3), padded(before, 3), 0.02, 3, variance)
        expected += np.float32(0.02) * ((now - before) ** 2 / 2 - expected)
    np.testing.assert_allclose(variance, expected, rtol=1e-4)
    assert variance.mean() == pytest.approx(4, rel=0.1)
