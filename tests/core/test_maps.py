"""Running summary maps against numpy over all frames."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import roi_core.maps
from roi_core.maps import Maps, on_camera
from tests import naive


@pytest.fixture(autouse=True)
def _parts_of_a_few_rows(monkeypatch):
    monkeypatch.setattr(roi_core.maps, "PIXELS", 24)


def run(pictures):
    maps = Maps(pictures.shape[1:])
    for picture in pictures:
        maps.step(picture)
    return maps


def check(pictures):
    maps = run(pictures)
    with np.errstate(all="ignore"):
        expected = naive.maps(pictures, maps._edges)
    for name, picture in maps.pictures().items():
        np.testing.assert_allclose(picture, expected[name], rtol=2e-3, atol=2e-3, err_msg=name)
        assert picture.dtype == np.float32


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.integers(8, 20), st.integers(2, 9), st.integers(60, 200))
def test_maps_are_those_of_all_frames(seed, height, width, frames):
    random = np.random.default_rng(seed)
    shared = random.gamma(0.5, 300, (frames, 1, 1))
    check((1000 + shared + random.normal(0, 100, (frames, height, width))).astype(np.float32))


@pytest.mark.parametrize("shape", [(3, 7), (1, 5), (2, 200), (7, 1)])
def test_pictures_of_odd_sizes(shape):
    check(np.random.default_rng(0).normal(500, 9, (300, *shape)).astype(np.float32))


def test_what_was_not_seen_yet_is_not_known():
    for picture in Maps((16, 4)).pictures().values():
        assert np.isnan(picture).all()
    first = run(np.ones((1, 16, 4), np.float32)).pictures()
    assert first["mean"][:5].tolist() == [[1] * 4] * 5
    assert np.isnan(first["mean"][5:]).all()


def test_a_cell_stands_out():
    random = np.random.default_rng(2)
    movie = random.normal(1000, 20, (800, 24, 24)).astype(np.float32)
    movie[:, 10:14, 10:14] += np.where(random.random(800) < 0.05, 300, 0)[:, None, None]
    maps = run(movie).pictures()
    for name in ("max", "std", "correlation", "activity"):
        inside, outside = maps[name][10:14, 10:14], np.delete(maps[name], np.s_[9:15], axis=0)
        assert inside.min() > outside.max(), name


def test_many_frames_keep_their_precision():
    random = np.random.default_rng(1)
    movie = (60000 + random.normal(0, 30, (20_000, 8, 2))).astype(np.float32)
    maps = run(movie).pictures()
    np.testing.assert_allclose(maps["mean"], movie.astype(float).mean(axis=0), atol=0.3)
    np.testing.assert_allclose(maps["std"], movie.astype(float).std(axis=0), rtol=0.01)


def test_maps_lie_where_the_camera_saw_them():
    picture = np.array([[1, 2], [3, 4]], np.float32)
    seen = on_camera(picture, (6, 7), (1, 2), 2)
    assert seen[1:5, 2:6].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert np.isnan(seen).sum() == 42 - 16
    np.testing.assert_array_equal(on_camera(picture, (2, 2), (0, 0), 1), picture)
