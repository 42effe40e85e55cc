"""The picture prepared for analysis: where its pixels lie, and what each remedy takes away and leaves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from roi_core import mend
from roi_core.errors import SettingsError
from roi_core.prepare import Prepare
from roi_core.settings import Settings
from tests import naive


def prepared(shape, **edits):
    """Return Prepare and its settings; edits are prepare__bin=2 and the like."""
    settings = Settings()
    for path, value in edits.items():
        settings = settings.with_value(path.replace("__", "."), value)
    return Prepare(shape, settings.prepare, settings.cnmf), settings


def step(prepare, settings, image):
    return prepare.step(image, settings.prepare, settings.cnmf)


def camera(shape, seed=0, top=65536):
    return np.random.default_rng(seed).integers(0, top, shape).astype(np.uint16)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 8), st.integers(0, 3), st.integers(0, 3))
def test_crop_and_bin_are_means_of_the_pixels_named(h, w, factor, y, x):
    crop = f"{x},{y},{w * factor + factor // 2},{h * factor}"
    image = camera((y + h * factor + 1, x + w * factor + factor))
    prepare, settings = prepared(image.shape, prepare__crop=crop, prepare__bin=factor)
    out = step(prepare, settings, image)
    assert (prepare.shape, prepare.origin, prepare.bin) == ((h, w), (y, x), factor)
    assert out.dtype == np.float32
    expected = naive.binned(image[y : y + h * factor, x : x + w * factor], factor)
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_large_pictures_are_binned_by_two_unless_told():
    assert prepared((720, 1280))[0].shape == (360, 640)
    assert prepared((512, 512))[0].shape == (512, 512)
    assert prepared((720, 1280), prepare__bin=1)[0].shape == (720, 1280)
    assert prepared((720, 1280), prepare__crop="10,20,300,200")[0].shape == (200, 300)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ({"prepare__crop": "60,0,41,10"}, "beyond the camera's 100x50 px"),
        ({"prepare__crop": "0,45,10,6"}, "beyond the camera's 100x50 px"),
        ({"prepare__crop": "0,0,10,3", "prepare__bin": 4}, "only 10x3 px"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(edits, said):
    with pytest.raises(SettingsError, match=said):
        prepared((50, 100), **edits)


# --- dead pixels


@given(st.integers(3, 12), st.integers(3, 12), st.integers(0, 10))
def test_strange_pixels_are_those_of_the_definition(h, w, limit):
    mean = camera((h, w), top=30).astype(np.float32)
    found = np.zeros((h * w, 2), np.int64)
    count = mend._strange(mean, (0, h), float(limit), found, 0)
    assert [tuple(place) for place in found[:count].tolist()] == naive.strange(mean, limit)


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10**6))
def test_what_is_usual_is_the_mean_step_between_pixels_without_the_largest(h, w, seed):
    mean = np.random.default_rng(seed).standard_t(1, (h, w)).astype(np.float32)
    steps = abs(np.diff(mean.astype(float), axis=1))
    expected = steps[steps <= 5 * steps.mean()].mean()
    assert mend._usual(mean) == pytest.approx(expected, rel=1e-4)


def test_dead_pixels_are_looked_for_in_the_mean_of_all_frames():
    images = np.random.default_rng(0).normal(100, 9, (40, 8, 9)).astype(np.float32)
    dead = mend.DeadPixels((8, 9))
    for image in images:
        dead.step(image.copy())
    np.testing.assert_allclose(dead._mean, images.mean(0), rtol=1e-5)


def test_dead_and_hot_pixels_are_mended_and_cells_are_not():
    rng = np.random.default_rng(0)
    cells = np.zeros((80, 90))
    cells[20, 30] = cells[40, 60] = cells[70, 10] = 4000
    still = 300 + gaussian_filter(cells, 1.2)
    bad = [(0, 0), (10, 11), (10, 12), (50, 89), (60, 33)]
    prepare, settings = prepared(still.shape, prepare__dead_pixels=True)
    for _ in range(120):
        image = rng.poisson(still).astype(np.uint16)
        for place, value in zip(bad, (0, 3000, 2500, 60000, 900), strict=True):
            image[place] = value
        out = step(prepare, settings, image)
    assert sorted(map(tuple, prepare._dead.places.tolist())) == bad
    for y, x in bad:
        assert abs(out[y, x] - still[y, x]) < 60
    others = np.ones(still.shape, bool)
    others[tuple(zip(*bad, strict=True))] = False
    assert (out[others] == image[others]).all()


def test_a_pixel_at_the_edge_takes_the_median_of_what_it_has():
    image = camera((5, 6)).astype(np.float32)
    expected = image.copy()
    expected[0, 0] = np.median([image[0, 1], image[1, 0], image[1, 1]])
    expected[2, 2] = np.median(np.delete(image[1:4, 1:4].reshape(-1), 4))
    mend._mended(image, np.array([[0, 0], [2, 2]]))
    np.testing.assert_allclose(image, expected, rtol=1e-6)


# --- line noise


def test_offsets_of_rows_are_those_of_the_definition():
    """The profile of clipped steps, less its mean over nine rows, less what is usual, if that is sure."""
    random, h, w = np.random.default_rng(0), 21, 40
    lines, step, usual, kept = mend.Lines((h, w)), 0.0, np.zeros(h), 0
    texture = random.normal(0, 20, (h, w))
    for frame in range(1, 50):
        image = (
            texture
            + random.normal(0, 5, (h, w))
            + random.normal(0, 6, (h, 1)) * (random.random((h, 1)) < 0.2)
        )
        image[random.integers(h), :9] += 500
        image = image.astype(np.float32)
        steps = np.diff(image.astype(float), axis=0)
        step = step or abs(steps).mean()
        clipped = steps.clip(-2.5 * step, 2.5 * step)
        step += 0.1 * (1.1 * abs(clipped).mean() - step)
        profile = np.concatenate([[0], np.cumsum(clipped.mean(1))])
        own = np.array([profile[y] - profile[max(y - 4, 0) : y + 5].mean() for y in range(h)])
        usual += (own - usual) / min(frame, 30)
        offsets = np.where(abs(own - usual) > 2 * 1.25 * step / np.sqrt(w), own - usual, 0)
        expected, kept = image - offsets[:, None], kept + (offsets == 0).sum()
        lines.step(image)
        np.testing.assert_allclose(image, expected, atol=1e-3)
    assert 50 < kept < 50 * h - 50


def test_row_offsets_go_and_structure_stays():
    rng = np.random.default_rng(0)
    texture = gaussian_filter(rng.standard_normal((128, 256)), 3)
    still = 1000 + 100 * texture / texture.std()
    still[40:52, 100:112] += 800
    dirty, settings = prepared(still.shape, prepare__line_noise=True)
    clean, _ = prepared(still.shape, prepare__line_noise=True)
    before, after, harm = [], [], []
    for _ in range(80):
        offsets = rng.normal(0, 15, 128)[:, None]
        noise = rng.normal(0, 20, still.shape)
        out = step(dirty, settings, np.rint(still + noise + offsets).astype(np.uint16))
        after.append((out - still - noise).mean(axis=1))
        before.append(offsets[:, 0])
        same = np.rint(still + noise).astype(np.uint16)
        harm.append(step(clean, settings, same) - same)
    quick = [np.diff(np.array(rows)[30:], axis=1).std() for rows in (before, after)]
    assert quick[1] < 0.3 * quick[0]
    assert np.std(harm[30:]) < 1


def test_a_flash_does_not_darken_its_rows():
    rng = np.random.default_rng(0)
    prepare, settings = prepared((100, 128), prepare__line_noise=True)
    for _ in range(60):
        image = rng.poisson(500, (100, 128)).astype(np.uint16)
        step(prepare, settings, image)
    image[40:50, 60:70] += 5000
    changed = step(prepare, settings, image) - image
    assert np.abs(changed).max() < 10


# --- flattening


def cell(shape, y, x, radius):
    """A soft disc of height 1."""
    yy, xx = np.indices(shape)
    return 1 / (1 + np.exp((np.hypot(yy - y, xx - x) - radius) / 0.8))


@pytest.mark.parametrize("radius", [3.0, 5.0, 6.0, 8.0, 12.0])
def test_a_cell_keeps_shape_and_height_and_the_glow_goes(radius):
    shape = (160, 170)
    rng = np.random.default_rng(0)
    glow = gaussian_filter(rng.standard_normal((300, 300)), 3.5 * radius)[60:220, 60:230]
    glow = 20000 + 3000 * glow / glow.std()
    spot = 2000 * cell(shape, 81.3, 77.8, radius)
    prepare, settings = prepared(shape, prepare__flatten="on", cnmf__cell_radius=radius)
    dark = step(prepare, settings, glow.astype(np.uint16)).copy()
    lit = step(prepare, settings, (glow + spot).astype(np.uint16)).copy() - dark
    inside = spot > 400
    assert lit[inside] @ spot[inside] / np.linalg.norm(lit[inside]) / np.linalg.norm(spot[inside]) > 0.95
    assert 0.65 < lit.max() / spot.max() < 0.95
    assert dark.std() < 0.3 * glow.std()


@pytest.mark.parametrize("shape", [(120, 122), (128, 120), (123, 120)])
def test_all_edges_are_flattened_alike(shape):
    """Also where the usual binning, in which the glow is found, would leave some rows over."""
    yy, xx = np.indices(shape)
    vignette = (20000 - 0.8 * ((yy - shape[0] / 2) ** 2 + (xx - shape[1] / 2) ** 2)).astype(np.uint16)
    prepare, settings = prepared(shape, prepare__flatten="on", cnmf__cell_radius=8.0)
    flat = step(prepare, settings, vignette).copy()
    turned = step(prepare, settings, np.ascontiguousarray(vignette[::-1, ::-1]))[::-1, ::-1]
    assert abs(flat - turned).max() < 0.01 * abs(flat).max()


def test_flattening_follows_the_preset_and_may_change_at_any_frame():
    image = camera((60, 70))
    prepare, settings = prepared(image.shape)
    assert (step(prepare, settings, image) == image).all()
    one_photon = settings.with_value("cnmf.preset", "1p")
    assert abs(step(prepare, one_photon, image).mean()) < 500
    wider = one_photon.with_value("cnmf.cell_radius", 20.0)
    assert abs(step(prepare, wider, image).mean()) < 1500
    off = one_photon.with_value("prepare.flatten", "off")
    assert (step(prepare, off, image) == image).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (9, 3), (40, 5)])
@pytest.mark.parametrize("radius", [1.0, 5.0, 64.0])
def test_the_smallest_pictures_stay_numbers(shape, radius):
    edits = {"prepare__dead_pixels": True, "prepare__line_noise": True, "prepare__flatten": "on"}
    prepare, settings = prepared(shape, cnmf__cell_radius=radius, **edits)
    for seed in range(90):
        assert np.isfinite(step(prepare, settings, camera(shape, seed))).all()


def test_constant_and_saturated_frames_stay_numbers():
    edits = {"prepare__dead_pixels": True, "prepare__line_noise": True, "prepare__flatten": "on"}
    prepare, settings = prepared((50, 60), **edits)
    for value in (0, 65535, 7, 0) * 20:
        out = step(prepare, settings, np.full((50, 60), value, np.uint16))
        assert np.isfinite(out).all()
        assert np.abs(out).max() < 0.1
