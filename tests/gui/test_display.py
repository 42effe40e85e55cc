import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.settings import Display
from roi_stream_gui import display
from roi_stream_gui.display import Contrast, Region, Tone, to_rgba, visible_region


def slow_rgba(image, region, low, high, red):
    """What `to_rgba` says it does, one pixel at a time."""
    out = np.zeros((region.rows, region.columns, 3))
    for y in range(region.rows):
        for x in range(region.columns):
            top, left = region.y + y * region.step, region.x + x * region.step
            block = image[top : top + region.step, left : left + region.step].astype(int)  # may be cut
            if red and (block == 65535).any():
                out[y, x] = (1.0, 0.12, 0.10)
            else:
                out[y, x] = np.clip((block.sum() // block.size - low) / (high - low), 0, 1)
    return out


@pytest.mark.parametrize("red", [True, False])
@pytest.mark.parametrize("region", [Region(0, 0, 24, 32, 1), Region(3, 5, 8, 9, 1), Region(3, 6, 7, 9, 3)])
def test_rgba_equals_its_slow_twin(region, red):
    image = np.random.default_rng(1).integers(0, 65536, (24, 32)).astype(np.uint16)
    image[4, 6] = image[10, 20] = 65535
    out = np.ones((30, 40, 4), np.float32)
    to_rgba(image, region, Tone().between(1000, 50000), red, out)
    twin = slow_rgba(image, region, 1000, 50000, red)
    np.testing.assert_allclose(out[: region.rows, : region.columns, :3], twin, atol=1e-5)
    assert (out[..., 3] == 1).all()


def test_saturated_pixels_are_counted_exactly():
    image = np.full((50, 60), 65534, np.uint16)
    image[3, 4:9] = 65535
    assert display.saturated(image) == 5


corner = st.floats(-3000, 6000)


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    corner, corner, st.floats(1, 5000), st.floats(1, 5000),
)  # fmt: skip
def test_visible_region_is_inside_the_frame_and_fits_the_texture(shape, x, y, width, height):
    region = visible_region(shape, (x, y, x + width, y + height), (816, 1280))
    assert 1 <= region.rows <= 816
    assert 1 <= region.columns <= 1280
    for first, blocks, size in ((region.y, region.rows, shape[0]), (region.x, region.columns, shape[1])):
        assert first >= 0
        assert first + (blocks - 1) * region.step < size


def test_zoomed_in_every_pixel_of_a_large_camera_is_shown():
    assert visible_region((2048, 2048), (-0.5, -0.5, 2047.5, 2047.5), (816, 1280)).step == 3
    assert visible_region((2048, 2048), (1000, 1000, 1300, 1200), (816, 1280)).step == 1


class TestContrast:
    def test_manual_limits_are_taken_as_they_are(self):
        shown = Display(auto_contrast=False, low=100, high=900)
        assert Contrast().follow(np.zeros((8, 8), np.uint16), shown, 0.0) == (100.0, 900.0)

    def test_limits_that_cross_never_divide_by_zero(self):
        shown = Display(auto_contrast=False, low=900, high=100)
        low, high = Contrast().follow(np.zeros((8, 8), np.uint16), shown, 0.0)
        assert high > low

    def test_auto_takes_the_first_frame_at_once_and_then_eases(self):
        contrast, shown = Contrast(), Display()
        image = np.random.default_rng(0).integers(1000, 2000, (64, 64)).astype(np.uint16)
        first = contrast.follow(image, shown, 0.0)
        assert first == pytest.approx((1000, 2000), abs=30)
        assert contrast.follow(image * 2, shown, 0.01) == first
        low, high = contrast.follow(image * 2, shown, 1.0)
        assert first[1] < high < 3900
        for k in range(60):
            low, high = contrast.follow(image * 2, shown, 2.0 + k)
        assert (low, high) == pytest.approx((2000, 4000), abs=60)
