"""Shapes and sets as values: geometry, refusals, ids and versions."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from roi_core.errors import RoiGeometryError
from roi_core.rois import (
    KINDS,
    UNCOLOURED,
    Circle,
    Ellipse,
    Freehand,
    Polygon,
    Rectangle,
    RoiSet,
    from_dict,
)
from tests import strategies

TRIANGLE = ((0, 0), (6, 0), (0, 6))
ONE_OF_EACH = (
    Circle(10, 10, 4),
    Ellipse(10, 10, 6, 3, 30),
    Rectangle(4, 5, 9, 15),
    Polygon(TRIANGLE),
    Freehand(TRIANGLE),
)


@pytest.fixture(params=ONE_OF_EACH, ids=lambda roi: roi.kind)
def roi(request):
    return request.param


# --- shapes


def test_there_is_one_of_each():
    assert [roi.kind for roi in ONE_OF_EACH] == list(KINDS)


def test_a_shape_is_a_value(roi):
    assert roi == roi.with_()
    assert hash(roi) == hash(roi.with_())
    assert roi != roi.moved(1, 0)
    with pytest.raises(AttributeError):
        roi.name = "other"
    with pytest.raises(TypeError):
        roi.with_(nonsense=1)


def test_a_freehand_shape_is_not_a_polygon():
    assert Freehand(TRIANGLE) != Polygon(TRIANGLE)


def test_moving_moves_everything(roi):
    moved = roi.moved(3, -2)
    assert np.subtract(moved.centroid(), roi.centroid()) == pytest.approx((3, -2))
    assert np.subtract(moved.bounds(), roi.bounds()) == pytest.approx((3, -2, 3, -2))
    assert moved.area() == pytest.approx(roi.area())


def test_scaling_keeps_the_centroid(roi):
    scaled = roi.scaled(1.5)
    assert scaled.centroid() == pytest.approx(roi.centroid())
    assert scaled.area() == pytest.approx(2.25 * roi.area())


@pytest.mark.parametrize("factor", [0, -1, math.nan, math.inf])
def test_a_shape_cannot_be_scaled_by_nothing(roi, factor):
    with pytest.raises(RoiGeometryError, match="use a number above 0"):
        roi.scaled(factor)
    with pytest.raises(RoiGeometryError, match="use a number above 0"):
        roi.rescaled(1, factor)


def test_rescaling_goes_with_the_frame(roi):
    wide = roi.rescaled(2, 1.5)
    assert wide.centroid() == pytest.approx(np.multiply(roi.centroid(), (2, 1.5)))
    assert wide.area() == pytest.approx(roi.area() * (2.25 if roi.kind == "circle" else 3))


@given(strategies.ellipses, st.floats(0.3, 3), st.floats(0.3, 3))
def test_a_rescaled_ellipse_has_the_rescaled_outline(ellipse, sx, sy):
    wide = ellipse.rescaled(sx, sy)
    assert wide.bounds() == pytest.approx(np.multiply(ellipse.bounds(), (sx, sy, sx, sy)), abs=1e-6)
    cos, sin = math.cos(math.radians(wide.angle)), math.sin(math.radians(wide.angle))
    dx, dy = (ellipse.outline() * (sx, sy) - wide.centroid()).T
    u, v = (dx * cos + dy * sin) / wide.rx, (dy * cos - dx * sin) / wide.ry
    np.testing.assert_allclose(u * u + v * v, 1, atol=1e-6)


def test_the_circle_of_equal_area(roi):
    xc, yc, r = roi.circle()
    assert (xc, yc) == roi.centroid()
    assert math.pi * r * r == pytest.approx(roi.area())


@given(strategies.rois)
def test_outline_and_bounds_belong_together(roi):
    outline = roi.outline(400)
    assert outline.dtype == np.float64
    ends = (*outline.min(axis=0), *outline.max(axis=0))
    assert ends == pytest.approx(roi.bounds(), abs=0.01)
    x0, y0, x1, y1 = roi.bounds()
    x, y = roi.centroid()
    assert x0 - 1e-9 <= x <= x1 + 1e-9
    assert y0 - 1e-9 <= y <= y1 + 1e-9


def test_areas_and_centroids():
    assert Rectangle(9, 15, 4, 5) == Rectangle(4, 5, 9, 15), "any two opposite corners"
    assert Rectangle(4, 5, 9, 15).area() == 50
    assert Polygon(TRIANGLE).area() == 18
    assert Polygon(TRIANGLE).centroid() == (2, 2)
    assert Polygon(TRIANGLE[::-1]).area() == 18, "either way round"
    assert Polygon(((0, 0), (4, 0), (2, 0))).centroid() == (2, 0), "no area: the mean of the vertices"
    assert Ellipse(0, 0, 6, 3, 30).area() == pytest.approx(18 * math.pi)


@given(strategies.rois)
def test_to_dict_and_back(roi):
    assert from_dict(roi.to_dict()) == roi
    assert type(roi).from_dict(roi.to_dict()) == roi


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Circle(1, 2, -4, name="c7"), "circle 'c7': r = -4.0: a radius is 0 or more"),
        (lambda: Circle(math.nan, 2, 1), "circle: xc = nan: a finite number"),
        (lambda: Circle(1, math.inf, 1), "circle: yc = inf: a finite number"),
        (lambda: Circle(1, 2, 10**400), "at most 1000000 from 0"),
        (lambda: Circle("1", 2, 3), "circle: xc = '1': a number is needed"),
        (lambda: Circle(True, 2, 3), "circle: xc = True: a number is needed"),
        (lambda: Ellipse(1, 2, 0, 3), "ellipse: rx = 0.0: a half axis is above 0"),
        (lambda: Rectangle(1, 2, None, 3), "rectangle: x1 = None: a number is needed"),
        (lambda: Polygon(TRIANGLE[:2], name="c7"), "polygon 'c7' has 2 points; 3 or more are needed"),
        (lambda: Polygon(()), "polygon has 0 points; 3 or more are needed"),
        (lambda: Polygon(((1, 2), (3, 4), (5,))), "the points must be pairs of numbers"),
        (lambda: Polygon("abc"), "the points must be pairs of numbers"),
        (lambda: Polygon((("1", "2"),) * 3), "the points must be pairs of numbers"),
        (lambda: Freehand((*TRIANGLE, (1, math.nan))), r"freehand: point 4 = \(1.0, nan\): finite numbers"),
        (lambda: Circle(1, 2, 3, name="a\nb"), "one line of printable text"),
        (lambda: Circle(1, 2, 3, name=7), "one line of printable text"),
        (lambda: Circle(1, 2, 3, colour=(1, 2, 256)), "colour = .*three whole numbers from 0 to 255"),
        (lambda: Circle(1, 2, 3, colour="red"), "colour = 'red': three whole numbers"),
        (lambda: Circle(1, 2, 3, id=-1), "id = -1: a whole number, 0 or more"),
        (lambda: Circle(1, 2, 3, version=0), "version = 0: a whole number, 1 or more"),
        (lambda: Circle(1, 2, 3, locked="no"), "locked = 'no': true or false"),
        (lambda: from_dict({"kind": "line"}), "kind = 'line': one of circle, ellipse"),
        (lambda: from_dict({"kind": ["circle"]}), "kind = .*: one of circle, ellipse"),
        (lambda: from_dict({"kind": "circle", "xc": 1}), "circle without yc; its geometry is xc, yc, r"),
        (lambda: from_dict({"kind": "circle", "x": 1}), "circle has no field 'x'"),
    ],
)
def test_bad_geometry_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(RoiGeometryError, match=sentence):
        make()


def test_an_ellipse_may_leave_out_its_angle():
    assert from_dict({"kind": "ellipse", "xc": 1, "yc": 2, "rx": 3, "ry": 4}) == Ellipse(1, 2, 3, 4)


def test_numpy_numbers_become_plain_ones():
    circle = Circle(np.float32(1.5), np.int64(2), 3)
    assert [type(value) for value in circle.circle()] == [float] * 3
    assert Polygon(np.array(TRIANGLE, np.float32)) == Polygon(TRIANGLE)


# --- sets


def test_a_new_region_gets_id_name_and_colour():
    rois = RoiSet().add(Circle(1, 2, 3)).add(Circle(4, 5, 6, name="soma", colour=(1, 2, 3)))
    assert rois.ids == (1, 2)
    assert rois[1].name == "roi1"
    assert rois[1].colour != UNCOLOURED
    assert (rois[2].name, rois[2].colour) == ("soma", (1, 2, 3))


def test_a_copy_is_a_new_region():
    rois = RoiSet([Circle(1, 2, 3)])
    rois = rois.replace(rois[1].moved(1, 0))
    pasted = rois.add(rois[1])
    assert pasted.ids == (1, 2)
    assert (pasted[1].version, pasted[2].version) == (2, 1)


def test_the_version_follows_the_geometry():
    rois = RoiSet([Circle(1, 2, 3)])
    assert rois.replace(rois[1].with_(name="soma", locked=True))[1].version == 1
    assert rois.replace(rois[1].moved(0, 1))[1].version == 2
    assert rois.replace(Polygon(TRIANGLE, id=1))[1].version == 2, "another shape under the same id"


def test_an_id_is_never_used_again():
    rois = RoiSet([Circle(1, 2, 3), Circle(4, 5, 6)]).remove(2).add(Circle(7, 8, 9))
    assert rois.ids == (1, 3)


@given(strategies.roi_sets(), st.data())
def test_many_at_once_are_the_same_as_one_after_the_other(rois, data):
    some = data.draw(st.lists(st.sampled_from(rois.ids), unique=True)) if len(rois) else []
    new = [roi.with_(id=0) for roi in rois][:3]
    moved = [rois[i].moved(1, 0) if i % 2 else rois[i].with_(name="other") for i in some]
    slowly = rois
    for roi in moved:
        slowly = slowly.replace(roi)
    assert rois.replace(*moved) == slowly
    for roi in new:
        slowly = slowly.add(roi)
    for i in some:
        slowly = slowly.remove(i)
    together = rois.replace(*moved).add(*new).remove(*some)
    assert together == slowly
    assert together.next_id == slowly.next_id


def test_a_click_finds_the_topmost_region():
    rois = RoiSet([Circle(10, 10, 5), Rectangle(12, 8, 30, 12)])
    assert rois.at(13, 10).id == 2
    assert rois.at(8, 10).id == 1
    assert rois.at(50, 50) is None


def test_unknown_and_double_ids_are_refused():
    rois = RoiSet([Circle(1, 2, 3)])
    with pytest.raises(KeyError, match="no region has id 9"):
        rois[9]
    with pytest.raises(KeyError, match="no region has id 9"):
        rois.remove(9)
    with pytest.raises(KeyError, match="no region has id 9"):
        rois.replace(Circle(1, 2, 3, id=9))
    with pytest.raises(RoiGeometryError, match="two regions have id 4"):
        RoiSet([Circle(1, 2, 3, id=4)] * 2)


def test_equal_sets():
    rois = RoiSet([Circle(1, 2, 3)])
    assert rois == RoiSet(list(rois))
    assert hash(rois) == hash(RoiSet(list(rois)))
    assert rois != rois.add(Circle(1, 2, 3))
    assert rois != [*rois]
    assert "Circle" in repr(rois)


edits = st.one_of(
    st.tuples(st.just("add"), strategies.rois),
    st.tuples(st.sampled_from(["move", "rename", "remove"]), st.integers(0, 9)),
)


@given(strategies.roi_sets(), st.lists(edits, max_size=12))
def test_ids_stay_unique_and_versions_rise(rois, edits):
    seen = set(rois.ids)
    for verb, what in edits:
        before = rois
        if verb == "add":
            rois = rois.add(what)
            assert not seen & {rois.ids[-1]}
            seen.add(rois.ids[-1])
            continue
        assume(len(rois) > 0)
        roi_id = rois.ids[what % len(rois)]
        if verb == "remove":
            rois = rois.remove(roi_id)
            assert roi_id not in rois
        else:
            old = before[roi_id]
            rois = rois.replace(old.moved(1, 0) if verb == "move" else old.with_(name="other"))
            assert rois.ids == before.ids
            assert rois[roi_id].version == old.version + (verb == "move")
        assert all(rois[other.id] is other for other in before if other.id != roi_id)
    assert len(set(rois.ids)) == len(rois) == len(list(rois))


def test_from_dicts_reads_what_a_recording_holds():
    rois = RoiSet(ONE_OF_EACH)
    shapes = [{**roi.to_dict(), "removed": None, "versions": [roi.to_dict()]} for roi in rois]
    assert RoiSet.from_dicts(shapes) == rois


def test_random_circles_lie_inside_the_frame_and_repeat():
    rois = RoiSet.random(200, (100, 60), 12.0, seed=5)
    assert len(rois) == 200
    for roi in rois:
        x0, y0, x1, y1 = roi.bounds()
        assert min(x0, y0) >= -1e-9
        assert x1 <= 99 + 1e-9
        assert y1 <= 59 + 1e-9
    assert rois == RoiSet.random(200, (100, 60), 12.0, seed=5)
    assert rois != RoiSet.random(200, (100, 60), 12.0, seed=6)
    assert RoiSet.random(1, (100, 20), 40.0)[1].yc == 9.5, "too large: in the middle"
    with pytest.raises(RoiGeometryError, match=r"^seed = -1: a whole number of 0 or more is needed$"):
        RoiSet.random(1, (100, 60), 12.0, seed=-1)


def test_importing_the_shapes_is_light():
    script = "import sys, roi_core.rois; print({'numba', 'cv2', 'roifile', 'scipy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
