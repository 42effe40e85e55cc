"""Bleaching: the texture of a fading picture is no cell, and its brightness is known."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.analysis import Analysis
from roi_core.cnmf.fading import Fading, Texture, brightened
from roi_core.cnmf.online import OnlineCNMF
from roi_core.cnmf.peaks import WIDE, blurred
from roi_core.frame import Status
from roi_core.rois import RoiSet
from roi_core.settings import Settings
from tests import naive
from tests.cells import padded

RATE = 20.0
NOISE = np.full((20, 22), 1e6, np.float32)


def texture_of(shape=(40, 44), factor=2, seed=0):
    mean = np.random.default_rng(seed).normal(300, 40, shape).astype(np.float32)
    return mean, Texture.of(mean, factor, 2.5)


def test_a_share_is_that_of_least_squares_and_smooth_light_has_none():
    mean, texture = texture_of()
    noise = np.random.default_rng(1).normal(0, 1, texture.band.shape).astype(np.float32)
    picture = 0.3 * texture.band + noise
    whole = naive.binned(mean, 2) - mean.mean()
    expected = float((picture * texture.band).sum() / ((texture.band**2).sum() + 0.01 * (whole**2).sum()))
    assert texture.share(padded(picture, 3), 3) == pytest.approx(expected, rel=1e-4)
    slope = np.linspace(0, 20, texture.band.shape[1], dtype=np.float32) + np.zeros_like(texture.band)
    assert abs(texture.share(slope)) < 0.05 * abs(slope.max() / texture.band.std())


def test_what_a_cell_does_counts_no_more_than_noise():
    _, texture = texture_of()
    picture = np.zeros_like(texture.band)
    picture[5, 6] = 1e5
    assert texture.share(picture, most=3.0) == pytest.approx(
        3 * texture.band[5, 6] / texture.weight, rel=1e-4
    )
    assert np.isnan(texture.share(picture * np.nan, most=3.0))


def test_a_picture_without_texture_has_a_share_of_nothing():
    black = Texture.of(np.zeros((30, 30), np.float32), 1, 4.0)
    assert black.share(np.ones((30, 30), np.float32)) == 0
    mean, _ = texture_of()
    wide = Texture.of(mean, 1, 60.0)
    assert abs(wide.share(mean - wide.level)) < 0.2, "cells as wide as the picture"


def everywhere(picture, itself, band):
    """The share that bright parts, dark parts and half of the blocks have alike, above one level; else 0."""
    bright, dark = np.maximum(band, 0), np.minimum(band, 0)
    where = (band < 0).astype(float)
    parts = [[(w * other).sum() for other in (np.ones_like(band), itself)] for w in (dark, where)]
    level, below = np.linalg.solve(parts, [(dark * picture).sum(), (where * picture).sum()])
    above = (bright * (picture - level)).sum() / (bright * itself).sum()
    height, width = band.shape
    rows, edges, blocks = np.arange(height) * 4 // height, np.arange(5) * width // 4, []
    for j, k in np.ndindex(4, 4):
        part = np.ix_(rows == j, range(edges[k], edges[k + 1]))
        texture = (band * itself)[part].sum()
        blocks += [(band * (picture - level))[part].sum() / texture] if texture > 0 else []
    shares = [below, above, np.median(blocks)]
    return max(min(shares), 0) + min(max(shares), 0)


@given(st.integers(0, 10**6))
def test_the_share_that_is_everywhere_is_that_of_its_definition(seed):
    random = np.random.default_rng(seed)
    shape = int(random.integers(16, 30)), int(random.integers(16, 30))
    mean, texture = texture_of(shape, 1, seed)
    around = mean - mean.mean()
    itself = mean - blurred(mean, WIDE * 2.5)
    picture = random.uniform(-0.5, 0.5) * around + random.normal(0, random.choice([1, 10]), shape)
    picture += random.normal(0, 20) * (np.arange(shape[1]) < shape[1] * random.random())
    picture = picture.astype(np.float32)
    most = float(random.uniform(1, 30))
    total, whole = texture.shares(padded(picture, 2), 2, most)
    band = texture.band.astype(float)
    assert whole == pytest.approx(everywhere(picture, itself, band), rel=2e-3, abs=1e-4)
    assert total == pytest.approx(
        (picture.clip(-most, most) * band).sum() / texture.weight, rel=1e-3, abs=1e-5
    )


@pytest.mark.parametrize("speed", [0.0, 0.01, -0.01])
def test_a_ramp_is_followed_without_a_lag(speed):
    mean, texture = texture_of()
    fading, model = Fading(RATE), 1.0
    fading.learn(mean, 2, 2.5, NOISE)
    for frame in range(round(60 * RATE)):
        true = np.exp(speed * frame / RATE)
        model *= 1 + fading.take()[0]
        fading.step((true - model) * texture.band, 0)
    assert model == pytest.approx(true, rel=5e-3)


def test_neither_odd_pictures_nor_missing_ones_take_it_away():
    mean, texture = texture_of()
    fading = Fading(RATE)
    fading.step(texture.band, 0)
    assert fading.take() == (0, False), "nothing is known yet"
    fading.learn(mean, 2, 2.5, NOISE)
    fading.step(np.full_like(texture.band, np.nan), 0)
    assert fading.take() == (0, False)
    for _ in range(1000):
        fading.step(1e6 * texture.band, 0)
    assert 0 < fading.take()[0] < 0.05 * 2 / RATE + 0.2
    fading.forget()
    assert (fading.take(), fading.level) == ((0, False), 0)


@pytest.mark.parametrize("share", [-0.5, -0.1, 0.1, 1.0])
def test_a_step_of_the_light_is_known_at_once(share):
    random, (mean, texture) = np.random.default_rng(1), texture_of(factor=1)
    fading = Fading(RATE)
    fading.learn(mean, 1, 2.5, NOISE)

    def residual(part):
        return part + random.normal(0, 2, mean.shape).astype(np.float32)

    assert not any(fading.step(residual(0 * mean), 0) for _ in range(50))
    active = np.where(texture.band > 0, 0.5 * texture.band, 0)
    assert not fading.step(residual(active), 0), "no cell is where it is dark"
    corner = np.where(np.add.outer(np.arange(40), np.arange(44)) < 30, mean - mean.mean(), 0)
    assert not fading.step(residual(np.float32(0.3) * corner), 0), "nor is it in a part of the field alone"
    assert fading.step(residual(np.float32(share) * (mean - mean.mean())), 0)
    told = fading.take()
    assert told == (pytest.approx(share, rel=0.15), True)
    assert abs(fading.take()[0]) < 0.01, "once"
    assert not fading.step(residual(0 * mean), 0)


def test_a_light_that_jumps_all_the_time_is_the_usual_one():
    mean, texture = texture_of(factor=1)
    fading = Fading(RATE)
    fading.learn(mean, 1, 2.5, NOISE)
    for _ in range(50):
        fading.step(0 * mean, 0)
    told = [fading.step((-1) ** k * texture.band, 0) for k in range(100)]
    assert 0 < sum(told) < 50


def test_the_brightness_of_a_recording_is_found_between_bad_rows():
    rows = np.arange(2000)
    true = 1.2 - 0.4 * rows / 2000
    shares = (true - 1 + np.random.default_rng(0).normal(0, 0.1, 2000)).astype(np.float32)
    good = rows % 7 > 0
    shares[~good] = 1e6
    found = brightened(np.ones(2000, np.float32), shares, good, RATE)
    inner = slice(200, -200)
    np.testing.assert_allclose(found[inner], true[inner], atol=0.02)
    assert found[good].mean() == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(brightened(found, shares, good & False, RATE), found)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.3])
def test_the_brightness_of_a_recording_steps_where_the_light_did(factor):
    rows = np.arange(2000)
    true = np.where(rows < 900, 1.0, factor) * (1 - rows / 20000)
    shares = (true - 1 + np.random.default_rng(0).normal(0, 0.02, 2000)).astype(np.float32)
    good = rows % 7 > 0
    found = brightened(np.ones(2000, np.float32), shares, good, RATE)
    far = abs(rows - 900) > 4
    np.testing.assert_allclose(found[far], (true / true[good].mean())[far], atol=0.015)


def faded(light, shape=(96, 96)):
    """Yield pictures (h, w) of a field without cells in such a light, under a glow that comes and goes."""
    random = np.random.default_rng(3)
    _, texture = texture_of(shape, 1, seed=5)
    still = np.maximum(300 + 80 * texture.band / texture.band.std(), 0)
    yy, xx = np.mgrid[: shape[0], : shape[1]] / shape[0]
    maps = (np.cos(3 * xx), 0.013), (np.sin(4 * yy), 0.021), (np.cos(3 * (yy - xx)), 0.034)
    for row, brightness in enumerate(light):
        glow = sum(5 * (1 + each * np.sin(speed * row)) for each, speed in maps)
        yield random.poisson(brightness * (still + glow)).astype(np.float32)


@pytest.mark.parametrize("follows", [True, False])
def test_the_residual_has_no_texture_of_what_fades(monkeypatch, follows):
    if not follows:  # or else this would prove nothing
        monkeypatch.setattr(Fading, "step", lambda *_: None)
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.cell_radius=5")
    finder = OnlineCNMF((96, 96), RATE, settings)
    for row, picture in enumerate(faded(np.linspace(1, 0.6, 800))):
        finder.input[:] = picture
        finder.step(row, settings)
    ring, field = finder._ring, finder.field
    last = ring.sum(ring.head - 20, ring.head) / 20
    share = Texture.of(finder._mean, field.factor, field.radius / field.factor).share(last)
    assert (abs(share) < 0.006) is follows


KNOBS = [*product(["2p", "1p"], [0.5, 0.8, 0.9, 1.3]), ("1p", 1.1)]
"""In a tenth more light the two-photon glow of this film, which is dim, cannot follow its level."""


@pytest.mark.parametrize(("preset", "factor"), KNOBS)
def test_a_step_of_the_light_makes_no_cells(preset, factor):
    """Such as somebody who turns the knob for ten seconds; there is no cell in these pictures."""
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.cell_radius=5", f"cnmf.preset={preset}")
    analysis = Analysis((96, 96), RATE)
    light = np.where((np.arange(800) >= 400) & (np.arange(800) < 600), factor, 1.0)
    for row, picture in enumerate(faded(light)):
        seen = analysis.step(row, row / RATE, picture.astype(np.uint16), settings, RoiSet())
    analysis.close()
    assert (seen.activity.components.status == Status.ACCEPTED).sum() == 0


def test_the_light_of_fibres_may_change_with_every_frame():
    """Two colours in turn, say: it is no step for them, and every frame is a lesson."""
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.cell_radius=5", "cnmf.preset=photometry")
    finder = OnlineCNMF((96, 96), RATE, settings)
    for row, picture in enumerate(faded([1.0] * 200 + [0.95, 1.0] * 20)):
        finder.input[:] = picture
        finder.step(row, settings)
    assert finder._ring.head == 240
