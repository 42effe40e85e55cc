"""The simulated camera: its pictures follow from its truth, its pace from the clock."""

import numpy as np
import pytest

from roi_core.sources import open_source
from roi_core.sources.scene import GRID
from roi_core.sources.simulated import PRESETS, Simulated
from tests.contracts.test_source import SourceContract, collect, live_settings
from tests.core.test_sources_files import Hands


def simulated(preset="tiny", length=None, seed=0, **camera):
    return Simulated(preset, live_settings(**camera), length=length, seed=seed, paced=False)


class TestSimulated(SourceContract):
    def make(self, folder):
        return open_source("simulated:tiny", live_settings(format="64x48@200"))


class TestFibres(SourceContract):
    def make(self, folder):
        return open_source("simulated:photometry", live_settings(format="64x48@200"))


class TestSimulatedUnpaced(SourceContract):
    def make(self, folder):
        return simulated()


def test_a_frame_depends_on_its_number_only():
    whole = collect(simulated(), 150)
    source = simulated()
    again = collect(source, 3) + collect(source, 150)
    for one, other in zip(whole, again[3:], strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_seeds_differ():
    first, second = (collect(simulated(seed=seed), 1)[0].image for seed in (0, 1))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.5


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_gives_its_size_and_16_bit(preset):
    source = simulated(preset)
    width, height = PRESETS[preset]["size"]
    image = collect(source, 1)[0].image
    assert image.shape == source.shape == (height, width)
    assert image.dtype == np.uint16
    assert image.max() < 65535


def test_size_and_rate_are_those_asked_for():
    source = simulated("2p", format="320x200@59.94")
    assert source.shape == (200, 320)
    assert source.rate == 59.94
    assert collect(source, 2)[1].time == pytest.approx(1 / 59.94)


def test_length_ends_it():
    assert len(collect(simulated(length=7))) == 7


def naive(source, index):
    """Return the expected (noise-free) picture, from the formula in the module's docstring."""
    scene, preset = source._scene, source._scene.preset
    stretch, row = source._dynamics.at(index)
    height, width = scene.base.shape
    coarse = 1 + np.tensordot(stretch.waves[row], scene.waves, 1)
    y, x = np.arange(height), np.arange(width)
    rows = np.stack([np.interp(y / GRID, np.arange(len(coarse)), column) for column in coarse.T], axis=1)
    level = np.stack([np.interp(x / GRID, np.arange(coarse.shape[1]), line) for line in rows])
    canvas = scene.base * level
    where = np.repeat(y, np.diff(scene.starts))
    light = (scene.rest + stretch.calcium[row])[scene.cells] * scene.values
    np.add.at(canvas, (where, scene.columns), light)
    canvas *= 1 - preset["bleach"] * (1 - np.exp(-index / preset["rate"] / 300))
    top, left = scene.pad - stretch.shifts[row].astype(float)
    grid = np.arange(source.shape[0]) + top, np.arange(source.shape[1]) + left
    moved = np.stack([np.interp(grid[0], y, column) for column in canvas.T], axis=1)
    return np.stack([np.interp(grid[1], x, line) for line in moved])


@pytest.mark.parametrize("index", [0, 70])
def test_the_kernel_draws_the_formula(index):
    source = simulated()
    source._scene.noise[:] = 0
    image = collect(source, index + 1)[-1].image
    preset = source._scene.preset
    expected = preset["offset"] + preset["gain"] * naive(source, index)
    np.testing.assert_allclose(image, expected, rtol=2e-4, atol=1.5)


def test_noise_has_the_variance_of_photons_and_camera():
    source = simulated(format="256x256", length=40)
    preset = source._scene.preset
    scores = []
    for frame in source.frames():
        photons = naive(source, frame.index)
        deviation = np.sqrt(preset["gain"] ** 2 * photons + preset["read"] ** 2)
        scores.append((frame.image - preset["offset"] - preset["gain"] * photons) / deviation)
    scores = np.array(scores)
    assert np.abs(scores.mean(0)).mean() < 0.2
    assert scores.std() == pytest.approx(1.0, abs=0.02)
    assert abs(np.corrcoef(scores[:, :, 1:].ravel(), scores[:, :, :-1].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(scores[1:].ravel(), scores[:-1].ravel())[0, 1]) < 0.01


def test_the_truth_is_seen_in_the_pictures():
    source = simulated("dense", format="128x96", length=300)
    truth = source.truth
    movie = np.stack([frame.image for frame in collect(source)]).astype(np.float32)
    footprints = truth.footprints
    weights = footprints / footprints.power(2).sum(0)
    traces = np.asarray(weights.T @ movie.reshape(300, -1).T).T
    calcium = truth.calcium(300)
    active = calcium.max(0) > 10
    scores = [np.corrcoef(traces[:, cell], calcium[:, cell])[0, 1] for cell in np.flatnonzero(active)]
    assert active.sum() > 5
    assert np.median(scores) > 0.9
    assert truth.spikes(300).shape == (300, len(truth.radii))
    assert truth.circles().shape == (len(truth.radii), 3)
    shifts = truth.shifts(300)
    assert 0.1 < shifts.std() < 3
    assert np.abs(shifts).max() <= source._scene.pad - 2


def test_circles_lie_on_the_cells():
    truth = simulated("2p", format="256x256").truth
    y, x = np.divmod(np.arange(256 * 256), 256)
    for cell, (xc, yc, radius) in enumerate(truth.circles()):
        footprint = truth.footprints[:, [cell]].toarray().ravel()
        inside = (x - xc) ** 2 + (y - yc) ** 2 <= (1.5 * radius) ** 2
        assert footprint[inside].sum() > 0.9 * footprint.sum()


def paced(rate=30.0):
    hands = Hands()
    source = Simulated("tiny", live_settings(format=f"64x48@{rate:g}"), clock=hands)
    return source, hands


def test_it_keeps_its_deadlines_and_never_drifts():
    source, hands = paced()
    for frame in source.frames():
        assert hands.time == pytest.approx(frame.time, abs=1e-6)
        hands.time += 0.02  # the consumer's own work
        if frame.index == 200:
            break
    assert frame.time - 100.0 == pytest.approx(200 / 30, abs=1e-9)


def test_a_consumer_up_to_four_frames_late_loses_nothing_and_a_later_one_what_it_missed():
    source, hands = paced()
    indices = []
    for frame in source.frames():
        indices.append(frame.index)
        hands.time += {10: 4.5 / 30, 40: 1.01}.get(frame.index, 0.0)
        if len(indices) == 60:
            break
    source.close()
    assert indices[:41] == list(range(41))
    assert indices[41] == 40 + 30
    assert indices[41:] == list(range(70, 89))


class TestCropped:
    def test_a_part_of_the_same_scene_is_sent(self):
        whole, part = simulated(), simulated(crop="10,5,32,24")
        assert part.shape == (24, 32)
        assert part.readout == (10, 5, 32, 24, 1)
        for one, other in zip(collect(whole, 5), collect(part, 5), strict=True):
            np.testing.assert_array_equal(one.image[5:29, 10:42], other.image)

    def test_its_truth_is_that_of_the_part(self):
        whole, part = simulated().truth, simulated(crop="10,5,32,24").truth
        np.testing.assert_array_equal(part.circles() + [10, 5, 0], whole.circles())
        of_whole = whole.footprints.toarray().T.reshape(-1, 48, 64)
        of_part = part.footprints.toarray().T.reshape(-1, 24, 32)
        np.testing.assert_array_equal(of_whole[:, 5:29, 10:42], of_part)
        np.testing.assert_array_equal(whole.calcium(5), part.calcium(5))

    def test_what_reaches_beyond_is_refused_like_by_a_camera(self, caplog):
        source = simulated(crop="40,5,32,24")
        assert source.shape == (48, 64)
        said = "it allows a part of 64x48 px; it stays at 64x48 at 0,0 px"
        assert caplog.messages == [f"simulated:tiny refused camera.crop 32x24 at 40,5: {said}"]

    def test_the_whole_is_the_whole(self, caplog):
        assert simulated(crop="whole").readout == (0, 0, 64, 48, 1)
        assert caplog.messages == []

    def test_fibres_have_no_part(self, caplog):
        source = simulated("photometry", crop="40,5,32,24")
        assert (source.shape, source.readout) == ((192, 256), None)
        assert any("ignored camera.crop" in text for text in caplog.messages)
