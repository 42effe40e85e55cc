"""Masks against the golden circles, against brute force, and on real recordings."""

import json
from itertools import pairwise

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from roi_core.gray import to_uint16_gray
from roi_core.masks import Masks
from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle, RoiSet
from tests import naive, strategies

RECORDINGS = {
    "2p-tolias-crop": "movie_300x112x112_i16.tif",
    "2p-thunder-mouse": "mouse_500x64x64_i16.tif",
    "scanimage": "sample_scanimage_version_3_8.tiff",
}
FIVE_POINT_STAR = ((50, 2), (78, 95), (2, 36), (98, 36), (22, 95))


@pytest.fixture
def golden(shared):
    return json.loads((shared / "golden" / "circle_masks.json").read_text())


def image(shape=strategies.FRAME, dtype=np.uint16):
    return np.random.default_rng(3).integers(0, 65536, shape).astype(dtype)


def bits(roi, shape=strategies.FRAME):
    """(H, W) bool, from the runs."""
    mask = np.zeros(shape, bool)
    for y, first, end in roi.runs(shape):
        assert not mask[y, first:end].any(), "a pixel counts twice"
        mask[y, first:end] = True
    return mask


def test_circles_have_the_golden_number_of_pixels(golden):
    for radius, npix in golden["npix_by_radius"].items():
        assert Masks([Circle(50, 50, float(radius))], (100, 100)).npix.tolist() == [npix]
    for case in golden["half_pixel_centre"]:
        assert Masks([Circle(*case["centre"], case["r"])], (30, 30)).npix.tolist() == [case["npix"]]
    for case in golden["clipped_on_20x20"]:
        assert Masks([Circle(*case["circle"])], (20, 20)).npix.tolist() == [case["npix"]]


def test_golden_means_and_the_empty_region(golden):
    frame = (10 * np.arange(10)[:, None] + np.arange(10)).astype(np.uint16)
    means = Masks([Circle(*golden["means"]["circle"]), Circle(29, 29, 3)], frame.shape).means(frame)
    assert means.dtype == np.float32
    assert means[0] == golden["means"]["mean"]
    assert np.isnan(means[1])


@given(strategies.rois)
def test_runs_are_the_pixels_of_the_definition(roi):
    turned = roi.kind == "ellipse" and roi.angle % 90
    mask = bits(roi)
    for y, x in np.ndindex(*mask.shape):
        excess = naive.excess(roi, x, y)
        # The boundary of a turned ellipse is irrational: float64 may put a pixel on either side of it.
        if not turned or abs(excess) > 1e-9:
            assert mask[y, x] == (excess <= 0), (y, x)


@given(strategies.rois)
def test_contains_is_the_same_definition(roi):
    mask = bits(roi)
    contained = [roi.contains(x, y) for y, x in np.ndindex(*mask.shape)]
    assert mask.reshape(-1).tolist() == contained


@given(strategies.circles.filter(lambda circle: circle.r > 0))
def test_a_round_ellipse_is_the_circle(circle):
    for angle in (0, 90, 180):
        ellipse = Ellipse(circle.xc, circle.yc, circle.r, circle.r, angle)
        np.testing.assert_array_equal(ellipse.runs(strategies.FRAME), circle.runs(strategies.FRAME))


@given(st.lists(st.tuples(*[st.floats(-20, 50)] * 2), min_size=3, max_size=30))
def test_polygons_off_the_grid(points):
    """Anywhere in float64, pixels further than a rounding error from every edge are decided alike."""
    roi = Polygon(points)
    wrong = np.argwhere(bits(roi) != naive.mask(roi, strategies.FRAME))
    assert all(_distance(pixel[::-1], points) < 1e-6 for pixel in wrong)


def _distance(point, points):
    """From a point to the nearest of the edges."""
    start, along = np.array(points), np.roll(points, -1, axis=0) - np.array(points)
    length = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip(((point - start) * along).sum(axis=1) / length, 0, 1)
    return np.sqrt((((start + share[:, None] * along) - point) ** 2).sum(axis=1)).min()


@given(strategies.rois)
def test_runs_are_sorted_apart_and_inside_the_frame(roi):
    runs = roi.runs(strategies.FRAME)
    assert runs.dtype == np.int32
    assert runs.shape[1:] == (3,)
    for y, first, end in runs.tolist():
        assert 0 <= y < strategies.FRAME[0]
        assert 0 <= first < end <= strategies.FRAME[1]
    for (y, _, end), (next_y, first, _) in pairwise(runs.tolist()):
        assert (next_y, first) > (y, end)


@pytest.mark.parametrize(
    ("points", "npix"),
    [
        (((2, 2), (6, 2), (4, 2)), 5),
        (((2, 2), (6, 6), (4, 4)), 5),
        (((3, 3), (3, 3), (3, 3)), 1),
        (((2.5, 2.5), (2.5, 2.5), (2.5, 2.5)), 0),
        (((2, 2), (6, 2), (6, 6), (2, 6)), 25),
        (((2, 2), (6, 6), (6, 2), (2, 6)), 17),
        (((-9, -9), (99, -9), (99, 99), (-9, 99)), 24 * 31),
    ],
    ids=["horizontal", "diagonal", "point", "between pixels", "square", "bow tie", "whole frame"],
)
def test_degenerate_polygons(points, npix):
    assert bits(Polygon(points)).sum() == npix == naive.mask(Polygon(points), strategies.FRAME).sum()


def test_the_heart_of_a_star_is_outside():
    star = Polygon(FIVE_POINT_STAR)
    assert not star.contains(50, 50)
    assert star.contains(50, 20)


@given(strategies.roi_sets(), st.sampled_from([np.uint16, np.float32]))
def test_means_are_brute_force(rois, dtype):
    frame = image(dtype=dtype)
    masks = Masks(rois, frame.shape)
    by_hand = [bits(roi) for roi in rois]
    assert masks.ids == rois.ids
    assert masks.npix.tolist() == [mask.sum() for mask in by_hand]
    np.testing.assert_allclose(masks.means(frame), naive.means(by_hand, frame), rtol=1e-6)
    for k, mask in enumerate(by_hand):
        np.testing.assert_array_equal(masks.indices(k), np.flatnonzero(mask))


def test_a_pixel_counts_in_every_region_that_holds_it():
    masks = Masks([Rectangle(0, 0, 5, 5)] * 3, (10, 10))
    assert masks.npix.tolist() == [36] * 3
    assert masks.means(np.full((10, 10), 7, np.uint16)).tolist() == [7.0] * 3


def test_a_full_frame_of_the_brightest_pixels_does_not_overflow():
    shape = (3, 65536)
    whole = Masks([Rectangle(0, 0, shape[1] - 1, shape[0] - 1)], shape)
    assert whole.means(np.full(shape, 65535, np.uint16)).tolist() == [65535.0]


def test_nan_pixels_stay_in_their_region():
    frame = np.zeros((10, 10), np.float32)
    frame[2, 2] = np.nan
    means = Masks([Circle(2, 2, 1), Circle(7, 7, 1)], frame.shape).means(frame)
    assert np.isnan(means[0])
    assert means[1] == 0


@pytest.mark.parametrize("name", RECORDINGS)
def test_means_on_real_frames(shared, name):
    path = shared / "data" / name / RECORDINGS[name]
    if not path.exists():
        pytest.skip(f"{path} is not here")
    frame = to_uint16_gray(tifffile.imread(path, key=5))
    height, width = frame.shape
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    blob = np.stack([np.cos(turn) * (9 + np.sin(5 * turn)), np.sin(turn) * (9 + np.sin(5 * turn))], axis=1)
    rois = [
        Circle(width / 2, height / 2, 7.3),
        Circle(0, 0, 12),
        Ellipse(width / 3, height / 3, 9, 4, 30),
        Rectangle(3.5, 4.5, 20.2, 11),
        Polygon(np.array(FIVE_POINT_STAR) * width / 100),
        Freehand(blob + np.array([width * 0.6, height * 0.4])),
    ]
    expected = naive.means([naive.mask(roi, frame.shape) for roi in rois], frame)
    np.testing.assert_allclose(Masks(rois, frame.shape).means(frame), expected, rtol=1e-6)


def test_unchanged_regions_keep_their_runs():
    rois = RoiSet([Circle(5, 5, 2), Ellipse(9, 9, 3, 2), Circle(20, 5, 1)])
    before = Masks(rois, strategies.FRAME)
    moved = rois.replace(rois[2].moved(1, 0)).remove(3).replace(rois[1].with_(name="soma"))
    after = Masks(moved, strategies.FRAME, before)
    assert after.ids == (1, 2)
    assert after.masks[0].runs is before.masks[0].runs
    assert after.masks[1].runs is not before.masks[1].runs
    np.testing.assert_array_equal(after.means(image()), Masks(moved, strategies.FRAME).means(image()))


def test_runs_are_not_kept_where_they_do_not_fit():
    circle = Circle(5, 5, 3, id=1)
    before = Masks([circle], (8, 8))
    assert Masks([circle], (20, 20), before).npix.tolist() == [29]
    other_session = Masks([circle.with_(r=1)], (8, 8), before)  # the same id and version by chance
    assert other_session.npix.tolist() == [5]
    unnumbered = Masks([Circle(5, 5, 1), Circle(5, 5, 0)], (8, 8), Masks([Circle(5, 5, 2)], (8, 8)))
    assert unnumbered.npix.tolist() == [5, 1]


def test_no_regions():
    masks = Masks([], (8, 8))
    assert masks.means(np.zeros((8, 8), np.uint16)).shape == (0,)
    assert masks.npix.shape == (0,)


def test_the_buffer_is_filled_and_returned():
    masks = Masks([Circle(5, 5, 3)], (8, 8))
    out = np.empty(1, np.float32)
    assert masks.means(np.full((8, 8), 3, np.uint16), out) is out
    assert out.tolist() == [3.0]


@pytest.mark.parametrize("frame", [np.zeros((8, 9), np.uint16), np.zeros((8, 8), np.uint8), np.zeros((8, 8))])
def test_other_images_are_refused(frame):
    with pytest.raises(ValueError, match=r"uint16 or float32 of shape \(8, 8\)"):
        Masks([], (8, 8)).means(frame)


@pytest.mark.parametrize("out", [np.empty(2, np.float32), np.empty(1)])
def test_a_buffer_that_does_not_fit_is_refused(out):
    with pytest.raises(ValueError, match=r"float32 of shape \(1,\)"):
        Masks([Circle(5, 5, 3)], (8, 8)).means(np.zeros((8, 8), np.uint16), out)


@given(
    strategies.roi_sets(), st.floats(-40, 40), st.floats(-40, 40), st.sampled_from([np.uint16, np.float32])
)
def test_regions_follow_the_tissue(rois, dy, dx, dtype):
    frame = image(dtype=dtype)
    masks = [naive.mask(roi, frame.shape) for roi in rois]
    expected = naive.moved_means(masks, frame, (dy, dx))
    np.testing.assert_allclose(Masks(rois, frame.shape).means(frame, offset=(dy, dx)), expected, rtol=1e-6)


def test_a_moved_picture_is_measured_as_if_it_had_not_moved():
    frame, masks = image(), Masks([Circle(15, 12, 5), Rectangle(5, 5, 9, 9)], strategies.FRAME)
    seen = np.roll(frame, (3, -2), (0, 1))
    np.testing.assert_array_equal(masks.means(seen, offset=(-3.2, 2.4)), masks.means(frame))
    np.testing.assert_array_equal(masks.means(frame, offset=(0.4, -0.4)), masks.means(frame))
    assert np.isnan(masks.means(frame, offset=(100, 0))).all()
