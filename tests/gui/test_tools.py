"""Drawing and editing with the mouse, without a window."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle, RoiSet
from roi_stream_gui import geometry
from roi_stream_gui.editing import Editor
from roi_stream_gui.geometry import turned
from roi_stream_gui.shortcuts import Chord, find
from roi_stream_gui.tools import Hand, Keys, Tool

REACH = 6.0
SHAPES = {
    "circle": Circle(50, 60, 10),
    "ellipse": Ellipse(50, 60, 20, 10, 30),
    "rectangle": Rectangle(40, 50, 60, 70),
    "polygon": Polygon(((40, 50), (60, 50), (60, 70), (40, 70))),
    "freehand": Freehand(tuple((50 + 9 * math.cos(t / 5), 60 + 9 * math.sin(t / 5)) for t in range(31))),
}


@pytest.fixture
def editor():
    return Editor()


@pytest.fixture
def hand(editor):
    return Hand(editor)


def drag(hand, *points, keys=Keys()):  # noqa: B008
    hand.press(*points[0], REACH, keys)
    for point in points[1:]:
        hand.move(*point, REACH)
    hand.release(*points[-1], REACH)


def click(hand, x, y, keys=Keys()):  # noqa: B008
    drag(hand, (x, y), keys=keys)


class TestDrawing:
    def test_a_circle_from_its_centre(self, hand, editor):
        hand.take(Tool.CIRCLE)
        drag(hand, (50, 60), (55, 60), (53, 64))
        (roi,) = editor.rois
        assert (roi.kind, roi.xc, roi.yc, roi.r) == ("circle", 50, 60, 5)
        assert editor.selection == (roi.id,)
        assert not hand.busy

    def test_a_click_repeats_the_last_circle(self, hand, editor):
        hand.take(Tool.CIRCLE)
        drag(hand, (50, 60), (50, 67))
        click(hand, 100, 100)
        assert [roi.r for roi in editor.rois] == [7, 7]

    @pytest.mark.parametrize(("tool", "kind"), [(Tool.ELLIPSE, Ellipse), (Tool.RECTANGLE, Rectangle)])
    def test_a_box_from_any_corner(self, hand, editor, tool, kind):
        hand.take(tool)
        drag(hand, (60, 80), (50, 70), (40, 50))
        (roi,) = editor.rois
        assert isinstance(roi, kind)
        assert roi.bounds() == (40, 50, 60, 80)

    @pytest.mark.parametrize("tool", [Tool.ELLIPSE, Tool.RECTANGLE, Tool.FREEHAND])
    def test_a_mere_click_draws_nothing(self, hand, editor, tool):
        hand.take(tool)
        click(hand, 50, 50)
        assert len(editor.rois) == 0
        assert not hand.busy

    @pytest.mark.parametrize("end", ["double click", "enter", "first corner"])
    def test_a_polygon_click_by_click(self, hand, editor, end):
        hand.take(Tool.POLYGON)
        for point in ((10, 10), (60, 10), (60, 60), (10, 60)):
            click(hand, *point)
            hand.move(30, 30, REACH)
        if end == "first corner":
            click(hand, 11, 12)
        elif end == "double click":
            click(hand, 10, 60)
            hand.double_click(10, 60, REACH)
        else:
            hand.finish()
        (roi,) = editor.rois
        assert roi.points == ((10, 10), (60, 10), (60, 60), (10, 60))

    def test_escape_drops_the_polygon_and_then_the_tool(self, hand, editor):
        hand.take(Tool.POLYGON)
        click(hand, 10, 10)
        click(hand, 60, 10)
        hand.cancel()
        assert (hand.line, hand.tool) == ((), Tool.POLYGON)
        hand.cancel()
        assert hand.tool is Tool.SELECT
        assert len(editor.rois) == 0

    def test_two_corners_are_no_polygon_and_this_is_said(self, hand, editor, caplog):
        hand.take(Tool.POLYGON)
        click(hand, 10, 10)
        click(hand, 60, 10)
        hand.finish()
        assert len(editor.rois) == 0
        assert "three corners" in caplog.text

    @pytest.mark.parametrize(("x", "kept"), [(-11.0, 0), (-9.0, 1), (109.0, 1), (111.0, 0)])
    def test_a_circle_beside_the_picture_is_refused(self, hand, editor, caplog, x, kept):
        editor.picture = (100, 80)
        hand.take(Tool.CIRCLE)
        click(hand, x, 40)
        assert len(editor.rois) == kept
        assert ("outside the picture" in caplog.text) is not bool(kept)

    def test_freehand_follows_the_hand(self, hand, editor):
        hand.take(Tool.FREEHAND)
        drag(hand, *((50 + 20 * math.cos(t / 10), 50 + 20 * math.sin(t / 10)) for t in range(63)))
        (roi,) = editor.rois
        assert isinstance(roi, Freehand)
        assert roi.area() == pytest.approx(math.pi * 400, rel=0.02)

    def test_nothing_is_measured_before_the_button_is_let_go(self, hand, editor):
        hand.take(Tool.CIRCLE)
        hand.press(50, 60, REACH)
        hand.move(60, 60, REACH)
        assert len(editor.rois) == 0
        assert hand.preview[0].r == 10


class TestChanging:
    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_move_is_one_undoable_step(self, hand, editor, shape):
        editor.add(shape)
        (before,) = editor.rois
        editor.select()
        drag(hand, (50, 60), (52, 60), (57, 63))
        (after,) = editor.rois
        assert after.geometry() == geometry.rounded(before.moved(7, 3)).geometry()
        assert (after.id, after.version) == (before.id, before.version + 1)
        editor.journal.undo()
        (back,) = editor.rois
        assert back.geometry() == before.geometry()

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_every_handle_follows_the_mouse(self, shape):
        for number, (x, y) in enumerate(geometry.handles(shape)):
            xc, yc = shape.centroid()
            target = xc + 1.4 * (x - xc), yc + 1.4 * (y - yc)
            changed = geometry.with_handle(shape, number, *target)
            assert geometry.handles(changed)[number] == pytest.approx(target, abs=0.05)

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_a_handle_never_makes_a_shape_that_cannot_be(self, shape):
        for number, (x, y) in enumerate(geometry.handles(shape)):
            for target in ((x, y), shape.centroid(), (shape.bounds()[0], y), (1e9, 1e9)):
                changed = geometry.with_handle(shape, number, *target)
                assert changed.area() >= 0

    def test_shift_drag_scales(self, hand, editor):
        editor.add(Circle(50, 60, 10))
        editor.select()
        drag(hand, (54, 60), (56, 60), (58, 60), keys=Keys(shift=True))
        assert next(iter(editor.rois)).r == pytest.approx(20)

    def test_shift_click_selects_more_and_moves_them_together(self, hand, editor):
        editor.add(Circle(20, 20, 5))
        editor.add(Circle(80, 80, 5))
        click(hand, 20, 20)
        click(hand, 80, 80, keys=Keys(shift=True))
        assert len(editor.selection) == 2
        drag(hand, (20, 20), (25, 20), (30, 20))
        assert [roi.xc for roi in editor.rois] == [30, 90]
        click(hand, 30, 20, keys=Keys(shift=True))
        assert editor.selection == (2,)

    def test_ctrl_click_adds_and_deletes_corners(self, hand, editor):
        editor.add(SHAPES["polygon"])
        click(hand, 51, 50, keys=Keys(ctrl=True))
        (roi,) = editor.rois
        assert roi.points == ((40, 50), (51, 50), (60, 50), (60, 70), (40, 70))
        click(hand, 60, 70, keys=Keys(ctrl=True))
        (roi,) = editor.rois
        assert roi.points == ((40, 50), (51, 50), (60, 50), (40, 70))

    def test_the_corners_of_a_freehand_outline_are_changed_like_those_of_a_polygon(self, hand, editor):
        editor.add(SHAPES["freehand"])  # its corners are closer to each other than the hand can tell
        first = SHAPES["freehand"].points
        assert hand.double_click(58.86, 60.9, REACH)  # between the first corner and the second
        (roi,) = editor.rois
        assert roi.kind == "freehand"
        assert roi.points == (first[0], (58.86, 60.9), *first[1:])
        click(hand, *first[5], keys=Keys(alt=True))
        hand.delete_corner(*first[10], REACH)
        (roi,) = editor.rois
        assert roi.points == (first[0], (58.86, 60.9), *first[1:5], *first[6:10], *first[11:])
        for _ in range(3):
            editor.journal.undo()
        assert next(iter(editor.rois)).points == first

    @pytest.mark.parametrize(("reach", "seen"), [(6.0, False), (0.5, True)])
    def test_a_corner_of_a_freehand_outline_is_dragged_where_its_handle_is_seen(
        self, hand, editor, reach, seen
    ):
        editor.add(SHAPES["freehand"])
        first = SHAPES["freehand"].points
        assert (first[8] in geometry.handles(SHAPES["freehand"], reach)) is seen
        hand.press(*first[8], reach)
        hand.move(50, 70, reach)
        hand.move(50, 72, reach)
        hand.release(50, 72, reach)
        (roi,) = editor.rois
        still = [new == pytest.approx(old, abs=0.01) for new, old in zip(roi.points, first, strict=True)]
        assert still == [seen and k != 8 for k in range(31)], "else the whole region is moved"

    def test_a_triangle_keeps_its_corners(self, hand, editor):
        editor.add(Polygon(((0, 0), (40, 0), (0, 40))))
        click(hand, 0, 0, keys=Keys(ctrl=True))
        assert len(next(iter(editor.rois)).points) == 3

    def test_a_locked_region_stays(self, hand, editor, caplog):
        editor.add(Circle(50, 60, 10))
        editor.lock()
        for start in ((50, 60), (60, 60)):
            drag(hand, start, (70, 70), (90, 90))
        editor.move(1, 0)
        editor.scale(2)
        editor.delete()
        (roi,) = editor.rois
        assert (roi.xc, roi.yc, roi.r) == (50, 60, 10)
        assert caplog.messages[-1] == "roi1 is locked; unlock it first (L)"
        editor.unlocked([roi, roi.with_(id=9, name="b")])
        assert caplog.messages[-1] == "roi1, b are locked; unlock them first (L)"

    @pytest.mark.parametrize("change", [Editor.lock, lambda editor: editor.journal.undo(), Editor.delete])
    @pytest.mark.parametrize("start", [(50, 60), (60, 60)], ids=["move", "reshape"])
    def test_what_changes_during_a_drag_stays_changed(self, hand, editor, change, start):
        editor.add(Circle(20, 20, 10))
        editor.replace(next(iter(editor.rois)).with_(xc=50, yc=60))
        hand.press(*start, REACH)
        hand.move(70, 70, REACH)
        change(editor)
        changed = editor.rois
        hand.move(80, 80, REACH)
        hand.release(80, 80, REACH)
        assert editor.rois is changed
        assert (hand.busy, hand.preview) == (False, ())

    @pytest.mark.parametrize("keys", [Keys(), Keys(shift=True)], ids=["move", "scale"])
    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_numbers_have_two_decimals(self, hand, editor, shape, keys):
        editor.add(shape)
        editor.select()
        drag(hand, (51, 61), (52, 60), (57.123456, 63.98765), keys=keys)
        editor.select_all()
        editor.scale(1.1)
        editor.duplicate()
        for roi in editor.rois:
            assert geometry.rounded(roi).geometry() == roi.geometry()

    def test_a_click_beside_everything_selects_nothing(self, hand, editor):
        editor.add(Circle(50, 60, 10))
        click(hand, 200, 200)
        assert editor.selection == ()


class TestEditor:
    def test_undo_and_redo_all_the_way(self, editor):
        editor.add(Circle(10, 10, 5))
        editor.move(5, 0)
        editor.rename(1, "soma")
        editor.delete()
        for _ in range(4):
            editor.journal.undo()
        assert len(editor.rois) == 0
        assert editor.journal.undo_name == ""
        editor.journal.undo()
        for _ in range(3):
            editor.journal.redo()
        (roi,) = editor.rois
        assert (roi.name, roi.xc, roi.id) == ("soma", 15, 1)

    def test_an_id_is_never_given_twice_even_after_undo(self, editor):
        editor.add(Circle(10, 10, 5))
        editor.journal.undo()
        editor.add(Circle(30, 30, 5))
        assert editor.rois.ids == (2,)

    def test_a_version_never_means_two_geometries(self, editor):
        editor.add(Circle(10, 10, 5))
        seen = {}
        for act in (
            lambda: editor.move(3, 0),
            editor.journal.undo,
            lambda: editor.move(0, 9),
            editor.journal.undo,
            editor.journal.redo,
        ):
            act()
            (roi,) = editor.rois
            assert seen.setdefault(roi.version, roi.geometry()) == roi.geometry()

    def test_a_new_change_ends_redo(self, editor):
        editor.add(Circle(10, 10, 5))
        editor.move(1, 0)
        editor.journal.undo()
        editor.move(2, 0)
        assert editor.journal.redo_name == ""

    def test_copies_lie_beside_their_original_under_new_names(self, editor):
        editor.add(Circle(10, 10, 5, name="soma", colour=(1, 2, 3)))
        editor.copy()
        editor.paste()
        editor.paste()
        assert [roi.xc for roi in editor.rois] == [10, 18, 26]
        assert len({roi.name for roi in editor.rois}) == 3

    def test_copies_stay_on_the_picture(self, editor):
        editor.picture = (100, 80)
        editor.add(Circle(90, 70, 5))
        editor.copy()
        for _ in range(6):
            editor.paste()
        assert not any(geometry.outside(roi, (100, 80)) for roi in editor.rois)
        last = editor.rois[editor.rois.ids[-1]]
        assert (last.xc, last.yc, last.r) == (94, 74, 5)

    def test_what_is_moved_off_the_picture_is_said_once(self, editor, caplog):
        editor.picture = (100, 80)
        editor.add(Circle(90, 70, 5, name="soma"), Circle(20, 20, 5))
        editor.move(5, 0)
        assert not caplog.messages
        editor.move(15, 0)
        editor.move(1, 0)
        (said,) = caplog.messages
        assert said.startswith("soma: wholly beside the picture now")
        editor.journal.undo()
        editor.journal.undo()
        assert not any(geometry.outside(roi, (100, 80)) for roi in editor.rois)

    def test_a_name_that_cannot_be_is_refused_in_a_sentence(self, editor, caplog):
        editor.add(Circle(10, 10, 5))
        editor.rename(1, "two\nlines")
        assert next(iter(editor.rois)).name == "roi1"
        assert "printable" in caplog.text

    def test_an_empty_name_is_refused(self, editor, caplog):
        editor.add(Circle(10, 10, 5, name="soma"))
        editor.rename(1, "  ")
        assert next(iter(editor.rois)).name == "soma"
        assert "soma keeps its own" in caplog.text

    def test_regions_of_a_file_never_take_the_id_of_another_cell(self, editor):
        editor.add(Circle(10, 10, 5, name="drawn"))
        editor.load(RoiSet([Circle(90, 90, 5, name="loaded", id=1, version=7)]))
        (loaded,) = editor.rois
        assert (loaded.id, loaded.version, loaded.name) == (2, 1, "loaded")
        editor.journal.undo()
        assert [(roi.id, roi.name) for roi in editor.rois] == [(1, "drawn")]
        editor.journal.redo()
        assert [(roi.id, roi.name) for roi in editor.rois] == [(2, "loaded")]

    def test_a_step_leaves_what_it_did_not_change_the_very_object(self, editor):
        for x in (10, 30, 50):
            editor.add(Circle(x, 10, 5))
        first = tuple(editor.rois)
        editor.select_all()
        editor.duplicate()
        editor.journal.undo()
        assert all(now is then for now, then in zip(editor.rois, first, strict=True))
        editor.journal.redo()
        assert all(now is then for now, then in zip(editor.rois, first, strict=False))
        editor.select(1)
        editor.move(3, 0)
        editor.journal.undo()
        assert [now is then for now, then in zip(editor.rois, first, strict=False)] == [False, True, True]
        assert [roi.version for roi in editor.rois][:3] == [3, 1, 1]

    def test_undo_has_no_end(self, editor):
        editor.add(Circle(0, 10, 5))
        for _ in range(1500):
            editor.move(1, 0)
        for _ in range(1500):
            editor.journal.undo()
        assert next(iter(editor.rois)).xc == 0
        for _ in range(1500):
            editor.journal.redo()
        assert next(iter(editor.rois)).xc == 1500

    def test_changes_that_change_nothing_are_not_steps(self, editor):
        editor.load(RoiSet().add(Circle(10, 10, 5)))
        steps = editor.journal.undo_name
        editor.select(1)
        editor.rename(1, next(iter(editor.rois)).name)
        editor.move(3, 3)
        editor.journal.undo()
        assert editor.journal.undo_name == steps

    def test_tab_goes_round(self, editor):
        for x in (10, 30, 50):
            editor.add(Circle(x, 10, 5))
        editor.select()
        for expected in (1, 2, 3, 1):
            editor.select_next()
            assert editor.selection == (expected,)
        editor.select_next(-1)
        assert editor.selection == (3,)


class TestTurning:
    @pytest.mark.parametrize(
        "roi",
        [
            Ellipse(20, 20, 9, 4, 30), Rectangle(10, 12, 30, 20), Freehand([(5, 5), (15, 6), (9, 14)]),
            Polygon([(5, 5), (15, 5), (15, 15)]),
        ],
    )  # fmt: skip
    def test_shapes_turn_clockwise_about_their_middle_and_back(self, roi):
        there = turned(roi, 40)
        assert there.centroid() == pytest.approx(roi.centroid())
        assert there.area() == pytest.approx(roi.area())
        angle = np.radians(40)
        x, y = (roi.outline() - roi.centroid()).T
        wanted = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], 1)
        np.testing.assert_allclose(there.outline() - there.centroid(), wanted, atol=1e-9)
        np.testing.assert_allclose(turned(there, -40).outline(), roi.outline(), atol=1e-9)

    def test_a_circle_is_the_same_from_all_sides(self):
        circle = Circle(5, 5, 3)
        assert turned(circle, 5) is circle

    def test_a_rectangle_that_is_turned_is_a_polygon_under_its_name_and_one_step(self):
        editor = Editor()
        editor.add(Rectangle(10, 12, 30, 20, name="box", colour=(1, 2, 3), group=4))
        editor.select(*editor.rois.ids)
        before = editor.selected()[0]
        find(Chord("]", shift=True)).run(SimpleNamespace(editor=editor))
        (now,) = editor.selected()
        assert isinstance(now, Polygon)
        assert (now.id, now.name, now.colour, now.group) == (before.id, "box", (1, 2, 3), 4)
        assert now.version == before.version + 1
        assert now.points[0][1] < now.points[1][1], "clockwise on the screen: the right goes down"
        find(Chord("[", shift=True)).run(SimpleNamespace(editor=editor))
        assert editor.rois[now.id].area() == pytest.approx(before.area(), rel=0.01)
        editor.journal.undo()
        editor.journal.undo()
        assert editor.selected()[0].geometry() == before.geometry()

    def test_what_is_locked_is_not_turned(self, caplog):
        editor = Editor()
        editor.add(Ellipse(10, 10, 6, 3, name="e", locked=True))
        editor.select(*editor.rois.ids)
        editor.turn(5)
        assert editor.selected()[0].angle == 0
        assert "e is locked" in caplog.text
