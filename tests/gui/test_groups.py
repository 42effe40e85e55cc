"""Several regions at once: boxes and lassos, groups, corners, and regions that are not drawn."""

import pytest

from roi_core.rois import Circle, Polygon, RoiSet
from roi_stream_gui.editing import Editor
from roi_stream_gui.tools import Hand, Keys

REACH = 6.0
SQUARE = Polygon(((40, 50), (60, 50), (60, 70), (40, 70)))


@pytest.fixture
def editor():
    editor = Editor()
    for x in (20, 50, 80, 110):
        editor.add(Circle(x, 40, 8))
    editor.select()
    return editor


@pytest.fixture
def hand(editor):
    return Hand(editor)


def drag(hand, *points, keys=Keys()):  # noqa: B008
    hand.press(*points[0], REACH, keys)
    for point in points[1:]:
        hand.move(*point, REACH)
    hand.release(*points[-1], REACH)


class TestCatching:
    def test_a_box_from_beside_selects_what_it_holds(self, hand, editor):
        drag(hand, (5, 10), (40, 60), (65, 70))
        assert editor.selection == (1, 2)
        assert hand.line == ()
        assert not hand.busy

    def test_the_selection_follows_the_box_while_it_is_drawn(self, hand, editor):
        hand.press(5, 10, REACH)
        hand.move(95, 70, REACH)
        assert editor.selection == (1, 2, 3)
        hand.move(30, 70, REACH)
        assert editor.selection == (1,)

    def test_shift_adds_to_what_was_selected(self, hand, editor):
        editor.select(4)
        drag(hand, (5, 10), (65, 70), keys=Keys(shift=True))
        assert set(editor.selection) == {1, 2, 4}

    def test_a_lasso_leaves_out_what_its_line_goes_round(self, hand, editor):
        line = [(5, 20), (95, 20), (95, 60), (65, 60), (65, 30), (35, 30), (35, 60), (5, 60)]
        drag(hand, *line, keys=Keys(ctrl=True))
        assert editor.selection == (1, 3)

    def test_a_box_is_no_step_to_take_back(self, hand, editor):
        before = editor.journal.undo_name
        drag(hand, (5, 10), (65, 70))
        assert editor.journal.undo_name == before

    def test_a_click_beside_or_esc_selects_nothing(self, hand, editor):
        editor.select(1, 2)
        drag(hand, (5, 90))
        assert editor.selection == ()
        editor.select(1)
        hand.cancel()
        assert editor.selection == ()


class TestGroups:
    def test_a_group_is_selected_and_moved_together(self, hand, editor):
        editor.select(1, 3)
        editor.group()
        editor.select()
        drag(hand, (20, 40), (25, 50), (30, 55))
        assert set(editor.selection) == {1, 3}
        assert [(roi.xc, roi.yc) for roi in editor.rois] == [(30, 55), (50, 40), (90, 55), (110, 40)]

    def test_the_one_that_was_named_stays_last(self, editor):
        editor.select(1, 3)
        editor.group()
        editor.select(1)
        assert editor.selection == (3, 1)
        editor.select_next()
        assert editor.selection == (2,)

    def test_grouping_is_undone_and_done_again(self, editor):
        editor.select(1, 2)
        editor.group()
        editor.journal.undo()
        assert [roi.group for roi in editor.rois] == [0, 0, 0, 0]
        editor.journal.redo()
        assert [roi.group for roi in editor.rois] == [1, 1, 0, 0]
        editor.ungroup()
        assert editor.journal.undo_name == "ungroup"
        editor.select(1)
        assert editor.selection == (1,)

    def test_a_second_group_is_another(self, editor):
        editor.select(1, 2)
        editor.group()
        editor.select(3, 4)
        editor.group()
        editor.select(4)
        assert set(editor.selection) == {3, 4}
        editor.toggle(1)
        assert set(editor.selection) == {1, 2, 3, 4}
        editor.toggle(2)
        assert set(editor.selection) == {3, 4}

    def test_one_region_makes_no_group(self, editor, caplog):
        editor.select(1)
        editor.group()
        assert "two regions" in caplog.text
        assert not any(roi.group for roi in editor.rois)

    def test_a_copied_group_is_a_group_of_its_own(self, editor):
        editor.select(1, 2)
        editor.group()
        editor.duplicate()
        first, copies = {1, 2}, set(editor.selection)
        assert copies == {5, 6}
        editor.select(5)
        assert set(editor.selection) == copies
        editor.select(1)
        assert set(editor.selection) == first

    def test_a_file_keeps_groups_locks_and_colours(self, editor, tmp_path):
        editor.select(1, 3)
        editor.group()
        editor.select(2)
        editor.lock()
        editor.recolour((1, 2, 3))
        editor.rois.save(tmp_path / "set.json", (200, 100))
        assert RoiSet.load(tmp_path / "set.json", (200, 100)).rois == editor.rois
        text = (tmp_path / "set.json").read_text()
        assert text.count('"group"') == 2, "a region without a group says nothing of it"

    def test_a_file_from_before_there_were_groups_is_read(self, tmp_path):
        path = tmp_path / "old.json"
        path.write_text(
            '{"format": "roi_stream_rois", "format_version": 1, "resolution": [100, 100], "next_id": 2,'
            ' "rois": [{"kind": "circle", "name": "a", "colour": [1, 2, 3], "id": 1, "version": 1,'
            ' "locked": false, "xc": 5.0, "yc": 5.0, "r": 2.0}]}'
        )
        (roi,) = RoiSet.load(path).rois
        assert roi.group == 0


class TestCorners:
    @pytest.fixture
    def square(self):
        editor = Editor()
        editor.add(SQUARE)
        return Hand(editor), editor

    def points(self, editor):
        return next(iter(editor.rois)).points

    def test_a_double_click_on_the_line_puts_a_corner_there(self, square):
        hand, editor = square
        for _ in range(2):
            drag(hand, (50, 48))
        hand.press(50, 48, REACH)
        assert hand.double_click(50, 48, REACH)
        hand.release(50, 48, REACH)
        assert self.points(editor) == ((40, 50), (50, 48), (60, 50), (60, 70), (40, 70))
        assert editor.selection == (1,), "the line is of the region, also a little outside"

    def test_a_double_click_inside_or_on_a_corner_does_nothing(self, square):
        hand, editor = square
        assert not hand.double_click(50, 60, 2.0)
        assert not hand.double_click(40, 50, REACH)
        assert len(self.points(editor)) == 4

    def test_a_corner_is_deleted_where_the_hand_is(self, square):
        hand, editor = square
        assert hand.on_corner(61, 51, REACH)
        hand.delete_corner(61, 51, REACH)
        assert self.points(editor) == ((40, 50), (60, 70), (40, 70))
        hand.delete_corner(41, 51, REACH)
        assert len(self.points(editor)) == 3, "a triangle stays one"

    def test_alt_does_what_ctrl_does(self, square):
        hand, editor = square
        drag(hand, (50, 50), keys=Keys(alt=True))
        assert len(self.points(editor)) == 5
        drag(hand, (50, 50), keys=Keys(alt=True))
        assert self.points(editor) == SQUARE.points

    def test_a_locked_polygon_keeps_its_corners(self, square, caplog):
        hand, editor = square
        editor.lock()
        hand.double_click(50, 50, REACH)
        hand.delete_corner(40, 50, REACH)
        assert self.points(editor) == SQUARE.points
        assert "locked" in caplog.text


class TestHidden:
    def test_what_is_not_drawn_is_not_in_the_way(self, hand, editor):
        editor.show(False, 2)
        drag(hand, (50, 40), (70, 60))
        assert 2 not in editor.selection
        assert editor.rois[2].xc == 50
        editor.select(2)
        drag(hand, (58, 40), (70, 40))
        assert editor.rois[2].r == 8, "its handles are not drawn either"
        editor.show(True, 2)
        assert editor.at(50, 40).id == 2
