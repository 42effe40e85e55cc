"""Twins in the other half, from the menu."""

import pytest

from roi_core.rois import Circle
from roi_stream_gui.halves import add_twins
from roi_stream_gui.menus import MENU
from roi_stream_gui.panels.base import Desk
from tests.gui.driver import within

ENTRY = next(entry for entry in MENU if entry.path == "Edit/Twins in the other half")


@pytest.fixture
def split(do):
    """A running camera of 16 x 20 px, split in two."""
    controller, _ = do
    controller.edit("channels.split", "left-right")
    controller.connect("running")
    controller.editor.add(Circle(3, 8, 2, name="a"))
    controller.editor.add(Circle(5, 3, 2, name="b"))
    within(20, lambda: (controller.tick(), controller.session is not None)[1], "connected")
    return controller


def names(controller):
    return [roi.name for roi in controller.editor.rois]


def test_the_selected_region_gets_a_twin_and_undo_takes_it_away(split):
    split.editor.select(1)
    assert ENTRY.possible(split.view())
    ENTRY.run(Desk(split, None, None))
    assert names(split) == ["a", "b", "a right"]
    assert split.editor.rois[3].geometry() == ("circle", 13.0, 8.0, 2.0)
    split.journal.undo()
    assert names(split) == ["a", "b"]


def test_all_get_one_when_none_is_selected_and_nobody_two(split):
    split.editor.select()
    add_twins(split)
    add_twins(split)
    assert names(split) == ["a", "b", "a right", "b right"]


def test_a_picture_that_is_not_split_has_no_twins(split):
    split.edit("channels.split", "none")
    assert not ENTRY.possible(split.view())
    add_twins(split)
    assert names(split) == ["a", "b"]
