import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_stream_gui.display import Region, to_rgba, visible_region
from roi_stream_gui.lut import DARK, FULL, palette
from roi_stream_gui.tone import Tone


def slow_rgba(image, region, table, colours, full, dark):
    """What `to_rgba` says it does, one pixel at a time."""
    out = np.zeros((region.rows, region.columns, 3))
    for y in range(region.rows):
        for x in range(region.columns):
            top, left = region.y + y * region.step, region.x + x * region.step
            block = image[top : top + region.step, left : left + region.step].astype(int)  # may be cut
            if full is not None and (block >= full).any():
                out[y, x] = colours[FULL]
            elif dark and (block == 0).any():
                out[y, x] = colours[DARK]
            else:
                out[y, x] = colours[table[block.sum() // block.size]]
    return out


@pytest.mark.parametrize(("full", "dark"), [(None, False), (65_535, False), (60_000, True)])
@pytest.mark.parametrize("region", [Region(0, 0, 24, 32, 1), Region(3, 5, 8, 9, 1), Region(3, 6, 7, 9, 3)])
def test_rgba_equals_its_slow_twin(region, full, dark):
    image = np.random.default_rng(1).integers(1, 65536, (24, 32)).astype(np.uint16)
    image[4, 6] = image[10, 20] = 65535
    image[5, 9] = image[11, 13] = 0
    out = np.ones((30, 40, 4), np.float32)
    table, colours = Tone().between(1000, 50000, 0.7, full, dark), palette("viridis")
    to_rgba(image, region, table, colours, out, full, dark)
    twin = slow_rgba(image, region, table, colours, full, dark)
    np.testing.assert_array_equal(out[: region.rows, : region.columns, :3], twin.astype(np.float32))
    assert (out[..., 3] == 1).all()


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


@pytest.mark.parametrize(("zoom", "step"), [(4.0, 1), (1.0, 1), (0.6, 1), (0.5, 2), (0.38, 2), (0.3, 3)])
def test_no_more_pixels_are_painted_than_the_screen_has(zoom, step):
    region = visible_region((720, 1280), (-0.5, -0.5, 1279.5, 719.5), (816, 1280), zoom)
    assert (region.step, region.rows, region.columns) == (step, -(-720 // step), -(-1280 // step))


def test_zoomed_in_every_pixel_of_a_large_camera_is_shown():
    assert visible_region((2048, 2048), (-0.5, -0.5, 2047.5, 2047.5), (816, 1280)).step == 3
    assert visible_region((2048, 2048), (1000, 1000, 1300, 1200), (816, 1280)).step == 1
