"""Hypothesis strategies: regions and camera images, on bounded domains.

Coordinates lie on quarter pixels, where float64 is exact, so a region and its slow twin must agree on every
pixel.
"""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle, RoiSet

FRAME = (24, 31)
"""(height, width) of the frames that the regions below are drawn on; many reach beyond it."""

GRAY_DTYPES = ("bool", "u1", "i1", "u2", "i2", ">u2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">f4")


def quarters(low, high):
    return st.integers(low * 4, high * 4).map(lambda n: n / 4)


x, y = quarters(-10, 40), quarters(-10, 34)
radii = quarters(0, 20)
axes = quarters(1, 20)
# What a name may hold: printable, and one UTF-16 unit a sign, which is all that ImageJ can keep.
names = st.text(
    st.characters(codec="utf-8", max_codepoint=0xFFFF, categories=("L", "N", "P", "S", "Zs")), max_size=12
)
names = names.filter(str.isprintable)
colours = st.tuples(*[st.integers(0, 254)] * 3)
labels = {"name": names, "colour": colours, "locked": st.booleans(), "group": st.integers(0, 3)}

circles = st.builds(Circle, x, y, radii, **labels)
ellipses = st.builds(
    Ellipse, x, y, axes, axes, st.sampled_from([0.0, 17.5, 45.0, 90.0, 133.0, 180.0]), **labels
)
rectangles = st.builds(Rectangle, x, y, x, y, **labels)
points = st.lists(st.tuples(x, y), min_size=3, max_size=9).map(tuple)
polygons = st.builds(Polygon, points, **labels)
freehands = st.builds(Freehand, points, **labels)
rois = st.one_of(circles, ellipses, rectangles, polygons, freehands)


def roi_sets(shapes=rois, max_size=6):
    return st.lists(shapes, max_size=max_size).map(RoiSet)


@st.composite
def images(draw, dtypes=GRAY_DTYPES):
    """A small image of any type that a camera or a file may give; floats with NaN and infinities."""
    height, width = draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    shape = draw(
        st.sampled_from([(height, width), (height, width, 1), (height, width, 3), (height, width, 4)])
    )
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    return draw(arrays.arrays(dtype, shape, elements=_elements(draw, dtype)))


def _elements(draw, dtype):
    if dtype.kind == "b":
        return st.booleans()
    # Each of the three scales must come up: up to 1, up to 255, beyond.
    top = draw(st.sampled_from([1, 255, 65535, 10**6]))
    if dtype.kind == "f":
        top = float(min(top, 60000) if dtype.itemsize == 2 else top)
        return st.floats(-top, top, width=dtype.itemsize * 8) | st.sampled_from([np.nan, np.inf, -np.inf])
    limits = np.iinfo(dtype)
    return st.integers(max(limits.min, -top), min(limits.max, top))
