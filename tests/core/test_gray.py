"""to_uint16_gray against MATLAB's own answers, against its slow twin, and at its edges."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.gray import to_uint16_gray
from tests import naive, strategies

VALUES = {"NaN": np.nan, "Inf": np.inf, "-Inf": -np.inf}


@pytest.fixture
def golden(shared):
    return json.loads((shared / "golden" / "to_uint16_gray.json").read_text())


def test_gray_as_matlab(golden):
    for case in golden["gray"]:
        image = np.array([[VALUES.get(value, value) for value in case["in"]]]).astype(case["dtype"])
        assert to_uint16_gray(image)[0].tolist() == case["out"], case


def test_colour_as_matlab(golden):
    for case in golden["colour"]:
        image = np.array([[case["rgb"][::-1]]]).astype(case["dtype"])
        assert to_uint16_gray(image).tolist() == [[case["out"]]], case


def test_every_colour():
    """All 2^24 uint8 colours, one value of red at a time."""
    bgr = np.empty((256, 256, 3), np.uint8)
    bgr[:, :, 0] = np.arange(256)
    bgr[:, :, 1] = np.arange(256)[:, None]
    gray = np.empty((256, 256), np.uint16)
    for red in range(256):
        bgr[:, :, 2] = red
        np.testing.assert_array_equal(to_uint16_gray(bgr, gray), naive.to_uint16_gray(bgr))


# Only numpy, when the compiler is switched off for coverage, warns of inf - inf.
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@given(strategies.images())
def test_agrees_with_its_twin(image):
    gray = to_uint16_gray(image)
    assert gray.dtype == np.uint16
    assert gray.shape == image.shape[:2]
    np.testing.assert_array_equal(gray, naive.to_uint16_gray(image))


@given(strategies.images().filter(lambda image: image.size > 0 and image.ndim == 2))
def test_brighter_never_becomes_darker(image):
    known = np.where(np.isnan(image), 0, image) if image.dtype.kind == "f" else image
    order = np.argsort(known, axis=None)
    assert (np.diff(to_uint16_gray(image).reshape(-1)[order].astype(int)) >= 0).all()


@given(strategies.images(), st.floats(-1e3, 1e3), st.floats(1e-3, 1e5))
def test_input_range_maps_low_to_black_and_high_to_white(image, low, span):
    gray = to_uint16_gray(image, input_range=(low, low + span))
    ends = np.array([[low, low + span, low - 1, low + span + 1, np.nan]])
    assert gray.shape == image.shape[:2]
    assert to_uint16_gray(ends, input_range=(low, low + span)).tolist() == [[0, 65535, 0, 65535, 0]]


def test_input_range_does_not_look_at_the_image():
    steady = [to_uint16_gray(np.array([[0.5, top]]), input_range=(0, 2))[0, 0] for top in (0.9, 1.1, 300.0)]
    jumping = [to_uint16_gray(np.array([[0.5, top]]))[0, 0] for top in (0.9, 1.1, 300.0)]
    assert steady == [16384] * 3
    assert jumping == [32768, 129, 1]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3), (6, 7, 4)])
def test_any_memory_layout(dtype, shape):
    image = np.random.default_rng(1).integers(0, 200, shape).astype(dtype)
    expected = naive.to_uint16_gray(image)
    frozen = image.copy()
    frozen.flags.writeable = False
    for same in (np.asfortranarray(image), np.repeat(image, 2, axis=1)[:, ::2], image[::-1][::-1], frozen):
        np.testing.assert_array_equal(to_uint16_gray(same), expected)


@pytest.mark.parametrize("dtype", ["bool", "u1", "u2", "f4"])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3)])
def test_the_buffer_is_filled_and_returned(dtype, shape):
    image = np.random.default_rng(2).integers(0, 2, shape).astype(dtype)
    out = np.empty((6, 7), np.uint16)
    assert to_uint16_gray(image, out) is out
    np.testing.assert_array_equal(out, naive.to_uint16_gray(image))


def test_a_gray_uint16_image_is_copied():
    image = np.arange(6, dtype=np.uint16).reshape(2, 3)
    for gray in (to_uint16_gray(image), to_uint16_gray(image, np.empty_like(image))):
        assert not np.shares_memory(gray, image)
        np.testing.assert_array_equal(gray, image)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (0, 5, 3), (5, 0, 4)])
def test_an_empty_image_stays_empty(shape):
    assert to_uint16_gray(np.empty(shape, np.float32)).shape == shape[:2]


def test_a_half_minus_a_hair_is_black():
    assert to_uint16_gray(np.array([[np.nextafter(0.5, 0), 0.5, 300.0]])).tolist() == [[0, 1, 300]]


@pytest.mark.parametrize("shape", [(5,), (5, 5, 2), (5, 5, 5), (2, 5, 5, 3), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"cannot become gray; \(H, W\)"):
        to_uint16_gray(np.zeros(shape))


@pytest.mark.parametrize("image", [[["a"]], np.zeros((2, 2), complex), np.zeros((2, 2), object)])
def test_other_types_are_refused(image):
    with pytest.raises(ValueError, match="bool, integers or floats"):
        to_uint16_gray(image)


@pytest.mark.parametrize(
    "out",
    [np.empty((3, 2), np.uint16), np.empty((2, 3), np.int16), np.empty((3, 2), np.uint16).T],
    ids=["shape", "type", "order"],
)
def test_a_buffer_that_does_not_fit_is_refused(out):
    with pytest.raises(ValueError, match=r"C-contiguous uint16 buffer of shape \(2, 3\)"):
        to_uint16_gray(np.zeros((2, 3)), out)


@pytest.mark.parametrize("span", [(1, 1), (2, 1), (np.nan, 1), (0, np.inf)])
def test_an_empty_input_range_is_refused(span):
    with pytest.raises(ValueError, match="low < high"):
        to_uint16_gray(np.zeros((2, 2)), input_range=span)
