"""Motion correction: kernels against their twins, known shifts found, and nothing that ruins the template."""

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.ndimage import fourier_shift, gaussian_filter, map_coordinates

from roi_core import filters
from roi_core.motion import Motion, kernels, rigid
from roi_core.motion.patches import warped
from roi_core.settings import Settings
from tests import naive

MOTION = Settings().motion
SIDES = st.integers(1, 24)
AWAY = st.one_of(st.just(0.0), st.floats(-30, 30), st.integers(-3, 3).map(float))


def picture(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32) * 100


def scene(side=160, seed=0):
    """A field of blobs and texture, photons per px, wider than any frame cut from it."""
    rng = np.random.default_rng(seed)
    spots = np.zeros((side, side))
    spots[rng.integers(0, side, side), rng.integers(0, side, side)] = 1
    texture = gaussian_filter(rng.standard_normal((side, side)), 3)
    return 20 + 1000 * gaussian_filter(spots, 2.5) + 3 * texture / texture.std()


def frames(shifts, shape=(96, 96), noise=1.0, seed=0):
    """Yield the scene displaced by each (dy, dx), with photon noise."""
    field = np.fft.fft2(scene(seed=seed))
    rng = np.random.default_rng(seed + 1)
    y, x = (160 - shape[0]) // 2, (160 - shape[1]) // 2
    for shift in shifts:
        light = np.fft.ifft2(fourier_shift(field, shift)).real[y : y + shape[0], x : x + shape[1]]
        yield (light + noise * np.sqrt(light.clip(1)) * rng.standard_normal(shape)).astype(np.float32)


def walk(count, jitter=0.5, seed=0):
    rng = np.random.default_rng(seed)
    drift = 2 * np.sin(np.arange(count)[:, None] / 40 * [1, 0.7])
    return drift + jitter * rng.standard_normal((count, 2))


def run(images, motion=None, settings=MOTION):
    """Return (T, 2) shifts, confidences, flags; every result must be made of numbers."""
    out, shifts = None, []
    for image in images:
        motion = motion or Motion(image.shape, 30.0)
        out = np.empty(image.shape, np.float32) if out is None else out
        shifts.append(motion.step(image, settings, out))
        assert np.isfinite(out).all()
    where = np.array([(shift.dy, shift.dx) for shift in shifts])
    return where, np.array([shift.confidence for shift in shifts]), [shift.flag for shift in shifts]


def error(found, true, start=0):
    """Rms over axes of what is left when a constant offset is taken away, px."""
    left = (found + true)[start:]
    return float(np.sqrt(((left - np.median(left, axis=0)) ** 2).mean()))


# --- kernels


@given(SIDES, SIDES, AWAY, AWAY, st.floats(1, 100))
@hypothesis_settings(max_examples=50)
def test_moving_is_cubic_convolution_and_fills_from_the_template(h, w, y, x, most):
    image, mean = picture((h, w)), picture((h, w), 1)
    learned, out = mean.copy(), np.full((h, w + 3), -1, np.float32)
    line = np.zeros(w + 2 * kernels.PAD, np.float32)
    kernels.moved(image, (y, x), learned, (2.0, 5.0), (0.25, 1, 2, most), line, out.reshape(-1), w + 3)
    known = naive.displaced(image, (y, x))
    expected = np.where(np.isnan(known), 2 * mean + 5, known)
    np.testing.assert_allclose(out[:, :w], expected, rtol=1e-4, atol=1e-2)
    assert (out[:, w:] == -1).all()
    teaches = ~np.isnan(known) & (np.arange(h) % 2 == 1)[:, None]
    expected = np.where(teaches, mean + 0.25 * (np.nan_to_num(known) - mean).clip(-most, most), mean)
    np.testing.assert_allclose(learned, expected, rtol=1e-4, atol=1e-2)


@given(SIDES, SIDES, AWAY, AWAY)
@hypothesis_settings(max_examples=50)
def test_comparing_is_the_sums_of_its_definition(h, w, y, x):
    image, model, weights = picture((h, w)), picture((h, w), 1), picture((2, h, w), 2)
    sums, line = np.ones(6), np.zeros(w + 2 * kernels.PAD, np.float32)
    kernels.compared(image, (y, x), model, weights, 0.5, line, sums)
    v = naive.displaced(image, (y, x))
    known = ~np.isnan(v)
    r = (v - 0.5 * model)[known]
    parts = [weights[0][known] @ r, weights[1][known] @ r, model[known] @ r, v[known] @ v[known]]
    expected = [*parts, (model[known] ** 2).sum(), known.sum()]
    np.testing.assert_allclose(sums, expected, rtol=1e-3, atol=30)


@given(st.floats(-9, 9), st.floats(-9, 9))
@hypothesis_settings(max_examples=30)
def test_matching_is_the_sums_over_the_blocks_inside(y, x):
    image, weights, facts = picture((24, 40)), picture((2, 5, *kernels.BLOCK), 1), picture((5, 4), 2)
    places = np.array([[1, 1], [1, 20], [8, 3], [15, 23], [19, 10]])
    sums, expected, pulls = np.ones(7), np.zeros(7), np.ones((5, 3))
    kernels.matched(image, (y, x), places, weights, facts.astype(np.float64), pulls, sums)
    np.testing.assert_allclose(pulls.sum(axis=0), sums[[0, 1, 6]])
    v = naive.displaced(image, (y, x))
    for r, (top, left) in enumerate(places):
        corner = top + int(np.floor(y)) - 1, left + int(np.floor(x)) - 1
        if corner[0] < 0 or corner[1] < 0 or corner[0] + 7 > 24 or corner[1] + 19 > 40:
            continue
        block = v[top : top + 4, left : left + 16]
        expected += [*(weights[:, r] * block).sum(axis=(1, 2)), *facts[r], 1]
    np.testing.assert_allclose(sums, expected, rtol=1e-3, atol=1)


@given(SIDES, SIDES)
@hypothesis_settings(max_examples=30)
def test_slopes_energies_and_blocks_are_their_definitions(h, w):
    image, out = picture((h, w)), np.full((2, h, w), 7, np.float32)
    kernels.sloped(image, out)
    np.testing.assert_allclose(out, naive.slopes(image), atol=1e-3)
    corner = (h % 4 // 2, w % 16 // 2)
    grid = h // 4, w // 16
    energy = np.zeros(grid, np.float32)
    kernels.energies(out, corner, np.zeros(w, np.float32), energy)
    blocks = [(corner[0] + 4 * r, corner[1] + 16 * c) for r, c in np.ndindex(grid)]
    copies = np.zeros((len(blocks), 4, 16), np.float32)
    kernels.gathered(image, np.array(blocks, np.int64).reshape(-1, 2), copies)
    for place, (y, x) in enumerate(blocks):
        part = np.s_[y : y + 4, x : x + 16]
        assert energy.reshape(-1)[place] == pytest.approx(
            (out[0][part] ** 2 + out[1][part] ** 2).sum(), rel=1e-4
        )
        assert (copies[place] == image[part]).all()


def test_blinded_weights_share_nothing_with_light_or_contrast():
    weights, model, facts = picture((2, 6, 4, 16)), picture((6, 4, 16), 1), np.zeros((6, 4))
    model -= model.mean()
    basis, flat = np.stack([model.ravel(), np.ones(model.size)], 1).astype(float), weights.reshape(2, -1).T
    left = flat - basis @ np.linalg.lstsq(basis, flat, rcond=None)[0]
    kernels.blinded(weights, model, facts)
    np.testing.assert_allclose(weights.reshape(2, -1).T, left, atol=1e-2)
    np.testing.assert_allclose(facts.sum(axis=0), 0, atol=2)
    np.testing.assert_allclose(facts[:, 0], (weights[0] * model).sum(axis=(1, 2)), rtol=1e-3, atol=0.5)
    np.testing.assert_allclose(facts[:, 3], weights[1].sum(axis=(1, 2)), rtol=1e-3, atol=0.1)


@given(SIDES, SIDES, st.integers(0, 12))
def test_wide_means_are_their_definitions(h, w, reach):
    image, out = picture((h, w)), np.zeros((h, w), np.float32)
    for rows in ((0, h // 3), (h // 3, h)):
        filters.high_passed(image, reach, rows, filters.room(w, reach), out)
    np.testing.assert_allclose(out, naive.high_passed(image, reach), atol=1e-2)
    assert filters.mean_of(image) == pytest.approx(image.mean(dtype=np.float64), rel=1e-5)


@given(SIDES, SIDES, st.integers(1, 5))
def test_binning_and_its_way_back(h, w, factor):
    image = picture((h * factor + factor // 2, w * factor))
    small = np.zeros((h, w), np.float32)
    filters.binned(image, factor, small)
    np.testing.assert_allclose(small, naive.binned(image, factor), rtol=1e-5)
    if factor == 4:
        filters.binned_by_4(image, small)
        np.testing.assert_allclose(small, naive.binned(image, 4), rtol=1e-5)
    lines = np.zeros((h + 1, image.shape[1] + 2 * factor), np.float32)
    expected = image - naive.stretched(small, factor, image.shape)
    filters.unglowed(small, factor, lines, image)
    np.testing.assert_allclose(image, expected, atol=1e-3)


# --- finding shifts


@pytest.mark.parametrize(
    ("shape", "most"), [((96, 96), 0.05), ((64, 80), 0.06), ((48, 120), 0.08), ((40, 40), 0.12)]
)
def test_known_shifts_are_found(shape, most):
    true = walk(150)
    found, confidence, flags = run(frames(true, shape))
    assert error(found, true, 30) < most
    assert not any(flags)
    assert confidence[30:].min() > 0.7


def test_a_large_field_is_matched_on_chosen_blocks():
    rng = np.random.default_rng(0)
    wide = np.fft.fft2(gaussian_filter(rng.standard_normal((400, 400)), 2) * 60)
    true = walk(40)
    light = (20 + np.fft.ifft2(fourier_shift(wide, shift)).real[20:380, 20:380] for shift in true)
    images = ((image + 4 * rng.standard_normal(image.shape)).astype(np.float32) for image in light)
    found, _, flags = run(images)
    assert error(found, true, 10) < 0.03
    assert not any(flags)


def test_the_moved_picture_fits_the_template():
    true, motion = walk(60, seed=3), Motion((96, 96), 30.0)
    images = list(frames(true, noise=0.3))
    out = np.empty((96, 96), np.float32)
    for image in images:
        motion.step(image, MOTION, out)
        edge = np.abs(np.diff(out, axis=1)).max()
        assert edge < 1.5 * np.abs(np.diff(image, axis=1)).max(), "a step at the border of what is known"
    left = out - motion.template
    assert left.std() < 0.5 * (images[-1] - motion.template).std()


def test_rows_apart_give_the_same_picture():
    images = list(frames(walk(10)))
    plain, wide = np.zeros((96, 96), np.float32), np.zeros((110, 130), np.float32)
    one, two = Motion((96, 96), 30.0), Motion((96, 96), 30.0)
    for image in images:
        assert one.step(image, MOTION, plain) == two.step(image, MOTION, wide[5:101, 7:103])
    assert (wide[5:101, 7:103] == plain).all()
    assert wide[:5].sum() == wide[:, :7].sum() == wide[101:].sum() == wide[:, 103:].sum() == 0


def test_the_template_does_not_walk():
    rng, settings = np.random.default_rng(0), Settings().with_value("motion.template", 0.5).motion
    true = rng.uniform(-2, 2, (16, 2))
    light, turns = list(frames(true, (64, 64), noise=0)), rng.integers(0, 16, 2500)
    noisy = (light[k] + 5 * rng.standard_normal((64, 64), np.float32) for k in turns)
    found, _, _ = run(noisy, settings=settings)
    left = found + true[turns]
    assert np.abs(left[500:800].mean(axis=0) - left[-300:].mean(axis=0)).max() < 0.02


def test_settings_are_in_camera_pixels():
    true = np.concatenate([np.zeros((40, 2)), np.full((5, 2), 7.0)])
    images = list(frames(true))
    _, _, flags = run(images, Motion((96, 96), 30.0, scale=1))
    assert not any(flags)
    _, _, flags = run(images, Motion((96, 96), 30.0, scale=2))
    assert flags[40:] == ["jump"] * 5


def test_brightness_is_not_motion():
    true = walk(200)
    light = 1 + 0.6 * np.sin(np.arange(200) / 15)
    images = (120 + factor * image for factor, image in zip(light, frames(true), strict=True))
    found, _, flags = run(image.astype(np.float32) for image in images)
    assert error(found, true, 30) < 0.08
    assert not any(flags)


@pytest.mark.parametrize("jump", [(5, -6), (-20, 9), (0, 30)])
def test_a_jump_within_range_is_followed_at_once(jump):
    true = walk(80, 0.3)
    true[50:] += jump
    found, _, flags = run(frames(true), settings=Settings().with_value("motion.max_shift", 40.0).motion)
    assert error(found, true, 30) < 0.1
    assert np.abs(found[50] + true[50] - np.median(found + true, axis=0)).max() < 0.3
    assert not any(flags)


def test_a_jump_beyond_range_is_flagged_and_held_and_forgotten():
    true = walk(100, 0.3)
    true[50:60] += (25, 0)
    found, _, flags = run(frames(true))
    assert all(flags[50:60])
    assert not any(flags[:50] + flags[60:])
    assert (found[50:60] == found[49]).all()
    there = np.r_[30:50, 60:100]
    assert error(found[there], true[there]) < 0.08


def test_a_knock_for_good_is_followed_once_it_was_seen_twice():
    """As far as a quarter of the picture: the template stays, so cells and regions stay where they are."""
    true = walk(300, 0.3)
    true[100:] += (18, -15)
    found, _, flags = run(frames(true))
    assert flags.index("") == 0
    assert all(flags[100:159])
    assert not any(flags[:100] + flags[165:])
    assert error(found[np.r_[30:100, 165:300]], true[np.r_[30:100, 165:300]]) < 0.1


def test_a_slow_drift_is_followed_farther_than_the_range():
    true = np.c_[np.linspace(0, 16, 800), np.linspace(0, -6, 800)] + walk(800, 0.3)
    found, _, flags = run(frames(true, noise=0.5))
    assert not any(flags)
    assert error(found, true, 30) < 0.15


def test_the_range_is_not_counted_from_the_first_frame():
    """That one may have been at the far end: after a second the range lies round where the scene is."""
    true = walk(240, 0.3)
    true[0] -= (8, 8)
    true[120:] += (6, 6)
    found, _, flags = run(frames(true))
    assert not any(flags)
    assert error(found, true, 30) < 0.1


def test_a_scene_that_goes_and_comes_moves_no_range():
    """Each look is a second after the last: a minute of jumps that never stay so long is only flagged."""
    true = walk(400, 0.3)
    for start in range(60, 360, 60):
        true[start : start + 35] += (25, 0)
    found, _, flags = run(frames(true))
    away = true[:, 0] > 15
    assert [flag != "" for flag in flags] == away.tolist()
    assert np.abs(found).max() < 10


def test_a_drift_past_half_of_the_picture_is_a_new_scene():
    """Less than half of a side in common is no fit, however well that little correlates."""
    rng, wide = np.random.default_rng(0), scene(320)[:128]
    places = (np.arange(1500) / 8).astype(int)
    images = (wide[:, x : x + 128] + rng.standard_normal((128, 128), np.float32) for x in places)
    found, _, flags = run(image.astype(np.float32) for image in images)
    assert 50 < np.abs(found).max() <= 64.5
    assert "jump" in flags


@pytest.mark.parametrize("seed", range(3))
def test_another_scene_is_not_found_in_a_strip_of_the_old_one(seed):
    rng = np.random.default_rng(seed)
    scenes = [scene(256, seed + k)[:32] for k in (0, 100)]
    images = (scenes[t >= 200] + 8 * rng.standard_normal((32, 256)) for t in range(600))
    found, _, flags = run(image.astype(np.float32) for image in images)
    assert np.abs(found[:, 0]).max() <= 16.5
    assert "jump" in flags
    assert not any(flags[-100:])


def test_a_bright_thing_that_passes_slowly_is_neither_followed_nor_learned():
    """A bubble, twenty times as bright as a cell: a pixel of it teaches no more than noise could."""
    rng, still = np.random.default_rng(0), scene(128)
    y, x = np.mgrid[:128, :128]
    top = 20 * np.percentile(still, 99)

    def film():
        for t in range(1800):
            thing = top * np.exp(-((y - 64) ** 2 + (x + 24 - (t - 300) / 7) ** 2) / 128)
            yield (still + thing * (300 <= t < 1500) + 3 * rng.standard_normal(still.shape)).astype(
                np.float32
            )

    found, _, flags = run(film())
    assert np.abs(found).max() < 3
    assert np.abs(found[1500:]).max() < 0.2
    assert not any(flags[1500:])


# --- patches


@given(SIDES, SIDES, st.floats(-3, 3), st.floats(-3, 3), st.integers(1, 3), st.integers(1, 3))
@hypothesis_settings(max_examples=30)
def test_warping_is_cubic_convolution_at_bilinear_displacements(h, w, y, x, rows, columns):
    image, mean = picture((h, w)), picture((h, w), 1)
    field = picture((rows, columns, 2), 2) / 50 - 1
    learned, out = mean.copy(), np.zeros((h, w), np.float32)
    warped(image, (y, x), field, learned, (1.0, 0.0), (0.25, 1, 2, 20.0), out.reshape(-1), w)
    taught = np.where(np.arange(h)[:, None] % 2 == 1, mean + 0.25 * (out - mean).clip(-20, 20), mean)
    np.testing.assert_allclose(learned, taught, rtol=1e-5, atol=1e-2)
    for j, i in np.ndindex(h, w):
        places = (i // 8 * 8 + 4) * columns / w - 0.5, (j + 0.5) * rows / h - 0.5
        lines = ([np.interp(places[0], np.arange(columns), row[:, k]) for row in field] for k in range(2))
        uy, ux = (np.interp(places[1], np.arange(rows), line) for line in lines)
        expected = naive.at(image, j + y + uy, i + x + ux)
        at_edge = min(abs(j + y + uy - edge) for edge in (0, h - 1)) < 1e-3
        if not at_edge and min(abs(i + x + ux - edge) for edge in (0, w - 1)) > 1e-3:
            expected = mean[j, i] if np.isnan(expected) else expected
            assert out[j, i] == pytest.approx(expected, rel=1e-3, abs=0.05)


def sheared(count, most=2.0):
    """Yield frames whose left and right parts move against each other, in y, by up to `most` px each way."""
    field = scene()[32:128, 32:128]
    rng = np.random.default_rng(9)
    yy, xx = np.indices(field.shape)
    for t in range(count):
        bend = most * np.sin(t / 10) * np.cos(np.pi * xx / 95)
        light = map_coordinates(field, [yy - bend, xx], order=3, mode="nearest")
        yield (light + np.sqrt(light.clip(1)) * rng.standard_normal(field.shape)).astype(np.float32)


def test_patches_follow_what_the_whole_cannot():
    images = list(sheared(200))
    left = {}
    for patch in (0, 32):
        settings, motion = Settings().with_value("motion.patch", patch).motion, Motion((96, 96), 30.0)
        out, errors = np.empty((96, 96), np.float32), []
        still = scene()[32:128, 32:128]
        for image in images:
            motion.step(image, settings, out)
            errors.append(
                np.sqrt(((gaussian_filter(out, 1) - gaussian_filter(still, 1))[8:-8, 8:-8] ** 2).mean())
            )
        left[patch] = np.mean(errors[100:])
    assert left[32] < 0.8 * left[0]


def test_patches_do_no_harm_where_all_moves_alike():
    true = walk(120)
    settings = Settings().with_value("motion.patch", 32).motion
    found, _, flags = run(frames(true), settings=settings)
    assert error(found, true, 40) < 0.08
    assert not any(flags)


# --- what must not ruin it


@pytest.mark.parametrize("kind", ["black", "noise", "white", "nan", "flat"])
def test_a_light_that_is_off_for_ten_seconds_comes_back_at_once(kind):
    rng, true = np.random.default_rng(0), walk(120)
    images = list(frames(true))
    fill = {"black": 0, "white": 65535, "nan": np.nan, "flat": 17}
    dark = (
        np.full((96, 96), fill[kind], np.float32)
        if kind in fill
        else rng.standard_normal((300, 96, 96)).astype(np.float32)
    )
    off = list(dark) if kind == "noise" else [dark] * 300
    found, confidence, flags = run(images[:60] + off + images[60:])
    assert set(flags[60:360]) == {"unsure"}
    assert confidence[60:360].max() < 0.3
    assert not any(flags[:60] + flags[360:])
    there = np.r_[30:60, 360:420]
    assert error(found[there], np.concatenate([true[30:60], true[60:]])) < 0.08


@pytest.mark.parametrize("level", [0, 100])
def test_a_light_that_comes_late_starts_the_template(level):
    rng, true = np.random.default_rng(0), walk(90)
    dark = [(level + (level > 0) * rng.standard_normal((96, 96))).astype(np.float32) for _ in range(60)]
    found, _, flags = run(dark + list(frames(true)))
    assert not any(flags[65:])
    assert error(found[90:], true[30:]) < 0.08


@pytest.mark.parametrize("level", [0.7, 1234, 65535])
def test_a_flat_first_picture_is_no_template(level):
    """Such as a saturated one: rounding is all that it has in common with another."""
    true = walk(90)
    found, _, flags = run([np.full((96, 96), level, np.float32), *frames(true)])
    assert flags == ["unsure"] + 90 * [""]
    assert error(found[31:], true[30:]) < 0.08


BROKEN = {
    "noise": lambda image: np.random.default_rng(0).integers(0, 65536, image.shape),
    "half saturated": lambda image: np.where(np.arange(len(image))[:, None] < 48, 65535, 0 * image),
    "blazing pixel": lambda image: np.where(np.arange(image.size).reshape(image.shape) == 999, 65535, image),
}


@pytest.mark.parametrize("number", [1, 9])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_first_pictures_are_no_template_for_long(kind, number):
    """However high their contrast: beside it every good picture looks as if the light were off."""
    true = walk(150)
    images = list(frames(true))
    found, _, flags = run([BROKEN[kind](images[0]).astype(np.float32)] * number + images)
    settled = number + 40
    assert not any(flags[settled:])
    assert error(found[settled + 30 :], true[settled - number + 30 :]) < 0.08


def test_a_first_picture_of_few_photons_is_a_template():
    """Nine tenths of its pixels are 0: those that are not do not blaze."""
    image = np.random.default_rng(0).poisson(0.05, (96, 96)).astype(np.float32)
    shift = Motion(image.shape, 30.0).step(image, MOTION, image.copy())
    assert (shift.flag, shift.confidence) == ("", 1)


def test_another_scene_becomes_the_template_in_the_end(caplog):
    old, new = list(frames(walk(60))), list(frames(walk(150, seed=1), seed=5))
    _, _, flags = run(old + new)
    assert all(flags[60:120])
    assert flags.count("jump") >= 1
    assert not any(flags[-60:])
    assert [record.getMessage() for record in caplog.records] == [rigid.LOST]


def test_pixels_that_are_not_numbers_are_taken_from_the_template():
    true = walk(60)
    images = list(frames(true))
    images[40][10:20, 30:40] = np.nan
    images[41][5, 5] = np.inf
    found, _, flags = run(images)
    assert not any(flags)
    assert error(found, true, 30) < 0.08


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3), (8, 8), (5, 40), (17, 16)])
def test_the_smallest_pictures_do_not_crash(shape):
    found, _, _ = run([picture(shape, seed) for seed in range(20)])
    assert np.abs(found).max() <= 10


def test_the_same_frames_give_the_same_bits():
    images = list(frames(walk(50)))
    assert (run(images)[0] == run(images)[0]).all()


def test_reset_begins_anew():
    images, motion = list(frames(walk(30))), Motion((96, 96), 30.0)
    first = run(images, motion)[0]
    motion.reset()
    assert (run(images, motion)[0] == first).all()


def test_settings_may_change_at_any_frame():
    rng, motion = np.random.default_rng(0), Motion((64, 64), 30.0)
    out = np.empty((64, 64), np.float32)
    for image in frames(walk(200), (64, 64)):
        settings = Settings().with_value("motion.max_shift", float(rng.choice([1, 5, 64])))
        settings = settings.with_value("motion.template", float(rng.choice([0.5, 10, 600])))
        settings = settings.with_value("motion.min_confidence", float(rng.choice([0, 0.3, 1])))
        settings = settings.with_value("motion.patch", int(rng.choice([0, 1, 32, 512])))
        motion.step(image, settings.motion, out)
        assert np.isfinite(out).all()
    assert np.isfinite(motion.template).all()


# --- real pictures


@pytest.mark.parametrize(
    ("name", "still", "moved"),
    [
        ("2p-tolias-crop/movie_300x112x112_i16.tif", 0.2, 0.06),
        ("2p-thunder-mouse/mouse_500x64x64_i16.tif", 0.1, 0.06),
    ],
)
def test_real_movies_stay_and_come_back(shared, name, still, moved):
    movie = tifffile.imread(shared / "data" / name)[:200].astype(np.float32)
    there, _, flags = run(movie)
    assert np.sqrt((there**2).mean()) < still
    assert not any(flags)
    true = walk(len(movie), 0.4)
    shaken = []
    for image, shift in zip(movie, true, strict=True):
        wide = np.fft.fft2(np.pad(image, 16, mode="reflect"))
        shaken.append(np.fft.ifft2(fourier_shift(wide, shift)).real[16:-16, 16:-16].astype(np.float32))
    found, _, flags = run(shaken)
    assert error(found - there, true, 20) < moved
    assert not any(flags)
