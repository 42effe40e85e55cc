"""Running sums and the footprints learned from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label
from scipy.signal import lfilter

from roi_core.cnmf import footprints, quality, statistics
from roi_core.cnmf.footprints import BINOMIAL, LEVEL, WIDEST, cleaned, own_image, smoothings, visit
from roi_core.cnmf.state import BODY
from tests import naive
from tests.cells import blob, crowd, empty, footprint, padded
from tests.checks import check

FRAMES = 12


def gathered(cells, random, still=False):
    """Run random frames; return pictures, traces, instruments as they count and glow planes."""
    n, t, shape = cells.count, cells.t, cells.field.shape
    pictures = random.normal(10, 5, (FRAMES, *shape)).astype(np.float32)
    traces, instruments = random.normal(3, 2, (2, FRAMES, n)).astype(np.float32)
    instruments[instruments < 2] = 0
    instruments[:, 0] *= 0.3
    glow = random.normal(0, 0 if still else 0.3, (FRAMES, n, 3)).astype(np.float32)
    rest = random.normal(-1, 0.5, (FRAMES, n)).astype(np.float32)
    for k in range(FRAMES):
        t.trace[:n], t.prediction[:n] = traces[k], instruments[k]
        statistics.gather(n, t, padded(pictures[k], cells.field.reach), glow[k], rest[k])
    fading = (instruments > 0) & (instruments + rest < 0)
    return pictures, traces, np.where(fading, instruments + rest, instruments), glow


@pytest.mark.parametrize(("shape", "radius"), [((40, 44), 2.0), ((30, 31), 5.0), ((16, 16), 4.0)])
def test_gather_equals_the_batch_sums(shape, radius):
    """W sums instrument times traces, M instrument times picture less glow, also at the edges."""
    cells, random = crowd(10, shape, radius)
    t, reach, n = cells.t, cells.field.reach, cells.count
    pictures, traces, z, glow = gathered(cells, random)
    weights = z.T.astype(np.float64) @ traces
    offset = np.arange(cells.field.side) - reach
    for i in range(n):
        total = np.zeros((cells.field.side,) * 2)
        for k in range(FRAMES):
            plane = glow[k, i, 0] + glow[k, i, 1] * offset[:, None] + glow[k, i, 2] * offset
            y, x = t.centres[i]
            box = np.pad(pictures[k], reach, constant_values=np.nan)
            total += z[k, i] * np.nan_to_num(
                box[y : y + cells.field.side, x : x + cells.field.side] - plane, nan=0.0
            )
        np.testing.assert_allclose(t.images[i], total, atol=2e-3)
        for m, j in enumerate(t.near[i][t.near[i] >= 0]):
            assert t.links[i, m] == pytest.approx(weights[i, j], abs=1e-3)
    np.testing.assert_allclose(t.power[:n], np.diag(weights), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(t.energy[:n], (z**2).sum(0), rtol=1e-5)


def test_reflect_equals_running_means():
    cells, random = crowd(6, (20, 20), 2.0)
    n, t, rate = cells.count, cells.t, 1 / 30 / statistics.MEMORY
    raw, calcium = random.normal(0, 3, (2, 200, n)).astype(np.float32)
    raw[50:60] = np.nan
    noise = np.full(n, 2, np.float32)
    smooth, first, second = np.zeros((3, n))
    sync, tail, loud = np.zeros((n, n)), np.zeros((n, 3)), np.zeros(n)
    for k in range(200):
        statistics.reflect(n, t, raw[k], calcium[k], noise, 1 / 30)
        c = np.where(calcium[k] > 1, calcium[k], 0).astype(float)
        np.testing.assert_array_equal(t.prediction[:n], c.astype(np.float32))
        smooth += np.where(np.isnan(raw[k]), 0, (raw[k] - smooth) / 30 / statistics.SMOOTH)
        first += rate * (c - first)
        second += rate * (c * c - second)
        loud = np.maximum(loud, second)
        sync += rate * (np.outer(c, c) - sync)
        tail += rate * (smooth[:, None] ** [1, 2, 3] - tail)
    np.testing.assert_allclose(t.smooth[:n], smooth, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(t.first[:n], first, rtol=1e-3)
    np.testing.assert_allclose(t.second[:n], second, rtol=1e-3)
    np.testing.assert_allclose(t.loud[:n], loud, rtol=1e-3)
    np.testing.assert_allclose(t.tail[:n], tail, rtol=2e-3, atol=1e-4)
    for i in range(n):
        for m, j in enumerate(t.near[i][t.near[i] >= 0]):
            assert t.sync[i, m] == pytest.approx(sync[i, j], rel=1e-3, abs=1e-6)
    fade = (1 - 1 / 30 / statistics.PEAK) ** np.arange(199, -1, -1.0)[:, None]
    np.testing.assert_allclose(t.peak[:n], np.maximum((calcium * fade).max(0), 0), rtol=1e-3)


def test_what_is_recalled_of_a_past_is_what_would_have_been_followed():
    cells, random = crowd(2, (20, 20), 2.0)
    t = cells.t
    raw, calcium = random.normal(0, 3, (2, 200)).astype(np.float32)
    raw[50:60] = np.nan
    for k in np.flatnonzero(np.isfinite(raw)):
        both = np.full(2, raw[k]), np.full(2, calcium[k])
        statistics.reflect(2, t, *both, np.ones(2, np.float32), 1 / 30)
    t.smooth[1] = t.peak[1] = 0
    t.tail[1] = 0
    statistics.recall(1, t, raw, calcium, 1 / 30)
    for name in ("smooth", "peak", "tail"):
        np.testing.assert_allclose(getattr(t, name)[1], getattr(t, name)[0], rtol=1e-5, err_msg=name)


def test_own_image_is_m_less_the_neighbours_over_w():
    cells, random = crowd(12, (24, 24), 2.0)
    gathered(cells, random)
    t, reach = cells.t, cells.field.reach
    for i in range(cells.count):
        if not t.power[i] > 0:
            continue
        out = np.empty_like(t.boxes[0])
        own_image(i, t, out)
        others = np.zeros(cells.field.shape)
        for m, j in enumerate(t.near[i][t.near[i] >= 0]):
            others += t.links[i, m] * footprint(cells, j)
        y, x = t.centres[i]
        box = np.pad(others, reach)[y : y + cells.field.side, x : x + cells.field.side]
        np.testing.assert_allclose(out, (t.images[i] - box) / t.power[i], atol=1e-3)


@given(st.integers(0, 10**6), st.floats(0, 0.4), st.floats(1, 6), st.integers(1, 5))
def test_cleaned_equals_its_definition(seed, noise, radius, most):
    random = np.random.default_rng(seed)
    image = blob(15, radius / 2, *random.uniform(-2, 2, 2)) + random.normal(0, 0.3, (15, 15))
    image = image.astype(np.float32)
    smooth, out = np.zeros((2, 15, 15), np.float32)
    size = cleaned(image, np.float32(noise), np.float32(radius), most, smooth, out)
    expected, smoothed = naive.kept(image, np.float32(noise), np.float32(radius), LEVEL, WIDEST, most)
    np.testing.assert_allclose(smooth, smoothed, atol=1e-5)
    np.testing.assert_allclose(out, expected, atol=1e-5)
    assert size == np.count_nonzero(out)
    assert (out >= 0).all()
    assert label(out)[1] <= 1
    y, x = np.nonzero(out)
    assert ((y - 7) ** 2 + (x - 7) ** 2 <= (WIDEST * radius) ** 2 + 1e-6).all()


@pytest.mark.parametrize("image", [np.zeros((9, 9)), np.full((9, 9), -1.0), np.full((9, 9), np.nan)])
def test_cleaned_leaves_nothing_of_nothing(image):
    smooth, out = np.ones((2, 9, 9), np.float32)
    assert cleaned(image.astype(np.float32), np.float32(0), np.float32(2), 3, smooth, out) == 0
    assert not out.any()


def test_the_noise_of_a_large_cell_does_not_break_it_to_pieces():
    """An image is smoothed as its cell is larger, but no more than its noise asks for; and never in 1p."""
    assert [smoothings(radius, "2p") for radius in (2.5, 5, 6, 8, 12)] == [1, 1, 1, 2, 5]
    assert smoothings(12, "1p") == 1
    random, radius = np.random.default_rng(0), 12.0
    shape = blob(47, radius / 2)
    body = shape > 0.2
    smooth, out = np.zeros((2, 47, 47), np.float32)
    shares, images = [], []
    for noise, most in ((0.8, 1), (0.8, 5), (0.01, 5)):
        image = (shape + random.normal(0, noise, shape.shape)).astype(np.float32)
        cleaned(image, np.float32(BINOMIAL * noise), np.float32(radius), most, smooth, out)
        shares.append((out[body] > 0).mean())
        images.append((image, smooth.copy()))
    assert shares[1] > 2 * shares[0]
    assert shares[2] > 0.99
    np.testing.assert_allclose(images[2][1], naive.binomial(images[2][0]), atol=1e-5)


def learned(cells, i, now=10, forget=0.0, noise=0.1):
    field = cells.field
    variance = np.full(field.binned, noise**2, np.float32)
    return visit(
        i, cells.t, now, forget, np.float32(field.radius), variance, np.full(cells.count, 1, np.float32),
        (field.factor, field.margin, cells.gain, 1), cells.cover,
    )  # fmt: skip


def seen(cells, i, image, power=100.0):
    """Let the sums of cell i say that this is its image on the picture."""
    t, reach, side = cells.t, cells.field.reach, cells.field.side
    y, x = t.centres[i]
    t.images[i] = np.pad(image, reach)[y : y + side, x : x + side] * power
    t.power[i] = t.energy[i] = power
    t.fresh[i] = 1


@pytest.mark.parametrize("grown", [0.6, 1.0, 1.5])
def test_a_footprint_grows_and_shrinks_to_the_image_of_its_cell(grown):
    cells = empty((40, 40), 4.0)
    i = cells.add(blob(cells.field.side, 2.2), (20, 21), 0, 0, 1)
    true = np.pad(blob(17, 2.2 * grown), ((12, 11), (13, 10)))
    seen(cells, i, true)
    assert learned(cells, i) > 10
    assert np.corrcoef(footprint(cells, i).ravel(), true.ravel())[0, 1] > 0.97
    assert cells.t.r[i] > 0.9
    check(cells)


def test_a_visit_forgets_by_the_frames_since_the_last():
    cells, random = crowd(5, (24, 24), 2.0)
    gathered(cells, random)
    t, before = (
        cells.t,
        {name: getattr(cells.t, name)[1].copy() for name in ("images", "links", "power", "energy")},
    )
    learned(cells, 1, now=30, forget=0.01)
    learned(cells, 1, now=70, forget=0.01)
    for name, old in before.items():
        np.testing.assert_allclose(getattr(t, name)[1], old * np.exp(-0.7), rtol=1e-4)
    assert t.visited[1] == 70


def test_what_is_no_image_leaves_the_footprint_as_it_was():
    cells = empty((40, 40), 4.0)
    i = cells.add(blob(cells.field.side, 2.2), (20, 20), 0, 0, 1)
    before = cells.t.boxes[i].copy()
    assert learned(cells, i) == 0  # nothing was gathered
    seen(cells, i, np.random.default_rng(0).normal(0, 0.01, (40, 40)).astype(np.float32), power=0.01)
    assert learned(cells, i, noise=5.0) < footprints.SMALLEST
    np.testing.assert_array_equal(cells.t.boxes[i], before)
    assert cells.t.r[i] == 0


@pytest.mark.parametrize("centre", [(1, 20), (38, 20), (20, 0), (39, 39)])
def test_a_footprint_never_lies_beyond_the_picture(centre):
    """Neither smoothing nor a dark surround puts weight on pixels that no camera sees."""
    cells = empty((40, 40), 4.0)
    side, reach = cells.field.side, cells.field.reach
    i = cells.add(blob(side, 2.2), centre, 0, 0, 1)
    y, x = np.mgrid[:40, :40]
    image = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 10) - 0.3
    seen(cells, i, image.astype(np.float32))
    assert learned(cells, i) > 4
    mask = np.zeros((side, side), bool)
    for v, u in np.ndindex(side, side):
        mask[v, u] = 0 <= centre[0] - reach + v < 40 and 0 <= centre[1] - reach + u < 40
    assert cells.t.boxes[i][~mask].max(initial=0) == 0


def test_tour_visits_in_turn_skips_the_frozen_and_tells_who_drifted():
    cells = empty((60, 60), 4.0)
    for k in range(4):
        cells.add(blob(cells.field.side, 2.2), (15 + 10 * k, 30), 0, 0, k)
        y, x = np.mgrid[:60, :60]
        off = 2 if k == 2 else 0
        seen(cells, k, np.exp(-((y - 15 - 10 * k - off) ** 2 + (x - 30) ** 2) / 9).astype(np.float32))
    cells.t.links[:] = 0
    cells.t.frozen[1] = 1
    field = cells.field
    args = (
        4, cells.t, 50, 0.0, np.float32(4), np.full(field.binned, 0.01, np.float32), np.ones(4, np.float32),
        (field.factor, field.margin, cells.gain, 1), cells.cover,
    )  # fmt: skip
    assert footprints.tour(3, 3, *args) == -1
    assert cells.t.visited[:4].tolist() == [50, 0, 0, 50]
    assert footprints.tour(2, 1, *args) == 2


@pytest.mark.parametrize("seed", range(8))
def test_a_tour_is_its_visits_one_by_one(seed):
    """And tells the last cell whose middle, weighed by its footprint, is more than a pixel off its box's."""
    (toured, random), (walked, again) = (crowd(9, (30, 33), 2.5, seed) for _ in range(2))
    for cells, source in ((toured, random), (walked, again)):
        gathered(cells, source)
        cells.t.frozen[:9] = np.arange(9) % 4 == 1
        for i in range(9):
            seen(cells, i, np.roll(footprint(cells, i), i % 3, i % 2).astype(np.float32))
            cells.t.links[i] = 0
    field, first, expected = toured.field, seed, -1
    noise, variance = np.ones(9, np.float32), np.full(field.binned, 0.01, np.float32)
    args = 50, 0.01, np.float32(2.5), variance, noise, (field.factor, field.margin, toured.gain, 1)
    found = footprints.tour(first, 5, 9, toured.t, *args, toured.cover)
    for i in [k % 9 for k in range(first, first + 5) if k % 9 % 4 != 1]:
        visit(i, walked.t, *args, walked.cover)
        y, x = walked.t.centres[i]
        light, (v, u) = footprint(walked, i), np.indices(field.shape)
        off = max(abs((light * (v - y)).sum()), abs((light * (u - x)).sum())) / light.sum()
        expected = i if off > footprints.DRIFT else expected
    assert found == expected
    for name, one, other in zip(toured.t._fields, toured.t, walked.t, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)
    assert (toured.t.visited[:9] == 50).sum() == len([k for k in range(first, first + 5) if k % 9 % 4 != 1])


def test_swing_equals_the_moments_of_all_changes():
    cells, random = crowd(4, (20, 20), 2.0)
    n, t, frames, share = cells.count, cells.t, 64, 0.01
    trace = random.gamma(2, 5, (150, n)).astype(np.float32)
    trace[40:43, 1] = np.nan
    past, lengths = np.zeros((frames, n + 3), np.float32), np.array([2, 7, 40])
    moments = np.zeros((n, len(lengths), 4))
    for head in range(1, len(trace) + 1):
        past[(head - 1) % frames, :n] = trace[head - 1]
        statistics.swing(past, np.array([head]), lengths, 0, n, t, share)
        for i in range(n):
            for k, length in enumerate(lengths[:2]):  # a change over 80 frames is not in a ring of 64
                change = naive.changes(trace[:, i], head, length)
                if change is not None and np.isfinite(change):
                    moments[i, k] += share * (change ** np.arange(4) - moments[i, k])
    np.testing.assert_allclose(t.swings[:n], moments, rtol=2e-3, atol=1e-3)


def test_calcium_rises_faster_than_it_falls_and_glow_does_not():
    """The mark tells them apart whatever the sign and size of what is slow."""
    cells, random = crowd(3, (20, 20), 2.0)
    t, frames = cells.t, 9000
    spikes = (random.random(frames) < 0.01) * 20.0
    calcium = lfilter([1.0], [1.0, -0.94], spikes)
    glow = np.convolve(random.normal(0, 5, frames + 60), np.hanning(61), "valid")
    trace = (np.array([calcium, glow, -calcium]).T + random.normal(0, 2, (frames, 3))).astype(np.float32)
    for head in range(1, frames + 1):
        statistics.swing(trace, np.array([head]), np.array([5, 10, 21]), 0, 3, t, 1 / frames)
    found = quality.marks(3, t, np.ones(3, np.float32), (20, 20), (0.0,) * 4).asymmetry
    assert found[0] > 1
    assert abs(found[1]) < 0.25
    assert found[2] <= 0


def test_a_silent_cell_keeps_its_footprint():
    """What noise and neighbours do meanwhile is no reason to draw it anew; its sums are still forgotten."""
    cells, _ = crowd(1, (40, 40), 4.0)
    t, before = cells.t, cells.t.boxes[0].copy()
    seen(cells, 0, np.random.default_rng(0).random((40, 40)).astype(np.float32))
    t.fresh[0] = 0
    learned(cells, 0, now=100, forget=0.01)
    np.testing.assert_array_equal(t.boxes[0], before)
    assert t.power[0] == pytest.approx(100 * np.exp(-1), rel=1e-5)
    t.fresh[0] = 1
    learned(cells, 0, now=101)
    assert not np.array_equal(t.boxes[0], before)
    assert t.fresh[0] == 0


@given(st.integers(0, 10**6))
def test_a_visit_learns_the_footprint_of_its_definition(seed):
    """The image of the cell alone, levelled at its rim, cleaned, cut at the picture's edge, and its marks."""
    cells, random = crowd(7, (26, 29), 2.0 + seed % 3, seed)
    gathered(cells, random)
    t, field, n = cells.t, cells.field, cells.count
    i, power, radius, factor = seed % n, random.uniform(20, 200), field.radius, field.factor
    height, level, noise = random.uniform(-1, 8), random.uniform(-3, 3), random.uniform(0.2, 2)
    image = height * footprint(cells, i) + level + random.normal(0, 0.1, field.shape)
    seen(cells, i, image.astype(np.float32), power)
    t.energy[i] = power * random.uniform(0.5, 2)
    t.links[i] *= power / 50
    variance = random.uniform(0, 0.3, field.binned).astype(np.float32)
    others = sum(t.links[i, m] * footprint(cells, j) for m, j in enumerate(t.near[i][t.near[i] >= 0]))
    (y, x), side, before = t.centres[i], field.side, t.boxes[i].copy()
    others = np.pad(others + np.zeros(field.shape), field.reach)[y : y + side, x : x + side]
    alone = (t.images[i].astype(np.float64) - others) / power
    far = np.hypot(*np.mgrid[-field.reach : field.reach + 1, -field.reach : field.reach + 1])
    rim = np.median(alone[far > footprints.RIM * radius])
    v, u = (min(c // factor, size - 1) for c, size in zip((y, x), field.binned, strict=True))
    pixel = np.sqrt(variance[v, u]) * factor * np.sqrt(float(t.energy[i])) / power
    box, _ = naive.kept(alone - rim, footprints.BINOMIAL * pixel, radius, LEVEL, WIDEST)
    box[t.images[i] == 0] = 0
    noises = np.full(n, noise, np.float32)
    size = visit(
        i, t, 9, 0.0, np.float32(radius), variance, noises, (factor, field.margin, cells.gain, 1), cells.cover
    )
    assert size == np.count_nonzero(box)
    assert t.evidence[i] == pytest.approx(power / (noise * np.sqrt(t.energy[i])), rel=1e-4)
    if size < footprints.SMALLEST:
        np.testing.assert_array_equal(t.boxes[i], before)
        assert t.r[i] == 0
        return
    np.testing.assert_allclose(t.boxes[i], box / np.sqrt((box**2).sum()), atol=1e-4)
    inner = far <= WIDEST * radius
    r = np.corrcoef(naive.binomial(alone - rim)[inner], box[inner])[0, 1]
    assert t.r[i] == pytest.approx(r, abs=1e-4)
    assert t.contrast[i] == pytest.approx(box.max() / (box.max() + max(rim, 0)), rel=1e-3)
    assert t.size[i] == np.count_nonzero(box > BODY * box.max())
