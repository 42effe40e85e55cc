"""The wand on pictures whose cells are known; the hand that holds it; the pictures it looks at."""

import numpy as np
import pytest

from roi_core.rois import Freehand
from roi_stream_gui.controller import Controller
from roi_stream_gui.editing import Editor
from roi_stream_gui.ground import Ground
from roi_stream_gui.tools import Hand, Tool
from roi_stream_gui.wand import LEAST, Wand, grow
from tests.fakes import Stepped
from tests.gui.driver import within

CELLS = ((40, 40, 6, 1.0), (54, 44, 6, 0.7), (90, 60, 6, 0.5), (3, 100, 6, 0.8), (120, 30, 5, 0.4))
"""x, y, radius, brightness."""


def mask(roi, shape):
    found = np.zeros(shape, bool)
    for y, first, end in roi.runs(shape):
        found[y, first:end] = True
    return found


@pytest.fixture(scope="module")
def field():
    """Cells with soft borders on a slanting background with noise; (picture, masks of the cells)."""
    y, x = np.indices((120, 160))
    picture = 100 + 0.3 * x + np.random.default_rng(0).normal(0, 4, x.shape)
    masks = []
    for xc, yc, r, bright in CELLS:
        away = np.hypot(x - xc, y - yc)
        masks.append(away <= r)
        picture += 100 * bright / (1 + np.exp(2 * (away - r)))
    return picture.astype(np.float32), masks


@pytest.mark.parametrize("number", range(len(CELLS)))
def test_a_click_beside_the_middle_finds_the_cell(field, number):
    picture, masks = field
    x, y, r, _ = CELLS[number]
    roi = grow(picture, (x + 1.4, y - 1.2), 0.5, r)
    assert isinstance(roi, Freehand)
    found = mask(roi, picture.shape)
    overlap = (found & masks[number]).sum() / (found | masks[number]).sum()
    assert overlap > 0.8
    others = np.any([m for k, m in enumerate(masks) if k != number], axis=0)
    assert not (found & others).any(), "touching cells stay apart"


def test_a_smaller_share_is_a_larger_region_that_holds_the_other(field):
    picture, _ = field
    small, large = (mask(grow(picture, (90, 60), share, 6.0), picture.shape) for share in (0.7, 0.3))
    assert large.sum() > small.sum()
    assert not (small & ~large).any()


def test_it_never_grows_beyond_two_radii_nor_keeps_a_hole():
    y, x = np.indices((80, 80))
    plain = np.where((abs(y - 40) < 5) & (abs(x - 40) < 30), 100, 0).astype(np.float32)
    plain[40:41, 43:45] = 0
    found = mask(grow(plain, (40, 40), 0.5, 5.0), plain.shape)
    y, x = np.nonzero(found)
    assert np.hypot(x - 40, y - 40).max() <= 2 * 5.0 + 1
    assert found[40, 44]


def test_nothing_grows_on_an_even_picture_or_where_nothing_was_analysed():
    assert grow(np.full((40, 40), 7, np.float32), (20, 20), 0.5, 5.0) is None
    assert grow(np.full((40, 40), np.nan, np.float32), (20, 20), 0.5, 5.0) is None
    assert grow(np.ones((40, 40), np.float32), (90, 20), 0.5, 5.0) is None


def test_a_border_that_was_not_analysed_is_no_cell():
    picture = np.full((40, 40), np.nan, np.float32)
    y, x = np.indices((40, 40))
    picture[4:36, 4:36] = np.exp(-(np.hypot(x - 8, y - 8) ** 2) / 18)[4:36, 4:36]
    found = mask(grow(picture, (8, 8), 0.5, 5.0), picture.shape)
    assert found[8, 8]
    assert not found[:3].any()


class TestInTheHand:
    @pytest.fixture
    def hand(self, field):
        editor = Editor()
        hand = Hand(editor, Wand())
        hand.wand.look_at("mean", field[0], 6.0)
        hand.take(Tool.WAND)
        return hand, editor

    def test_press_shows_release_draws(self, hand):
        hand, editor = hand
        hand.press(40, 40, 6)
        assert isinstance(hand.preview[0], Freehand)
        assert len(editor.rois) == 0
        hand.release(40, 40, 6)
        (roi,) = editor.rois
        assert roi.kind == "freehand"
        assert not hand.busy

    def test_the_wheel_changes_it_live_and_is_remembered(self, hand):
        hand, _ = hand
        hand.press(90, 60, 6)
        sizes = [hand.preview[0].area()]
        for _ in range(3):
            assert hand.scroll(1)
            sizes.append(hand.preview[0].area())
        assert sizes == sorted(sizes)
        assert sizes[-1] > 1.1 * sizes[0]
        hand.release(90, 60, 6)
        share = hand.wand.share
        assert not hand.scroll(1), "the wheel zooms again"
        assert hand.wand.share == share

    def test_dragging_outwards_grows_and_is_forgotten(self, hand):
        hand, editor = hand
        share = hand.wand.share
        hand.press(90, 60, 2)
        first = hand.preview[0].area()
        hand.move(99, 60, 2)
        assert hand.preview[0].area() > first
        hand.move(190, 60, 2)
        assert hand.wand.share == LEAST
        hand.release(190, 60, 2)
        assert hand.wand.share == share
        assert len(editor.rois) == 1

    def test_a_click_where_nothing_is_says_so(self, hand, caplog):
        hand, editor = hand
        caplog.set_level("INFO")
        hand.wand.look_at("mean", np.zeros((50, 50), np.float32), 6.0)
        hand.press(20, 20, 6)
        hand.release(20, 20, 6)
        assert len(editor.rois) == 0
        assert "stands out" in caplog.text

    def test_esc_drops_what_grows(self, hand):
        hand, editor = hand
        hand.press(40, 40, 6)
        hand.cancel()
        hand.release(40, 40, 6)
        assert len(editor.rois) == 0


def test_the_ground_is_fetched_while_it_is_wanted_and_only_then():
    source = Stepped(count=50)
    controller = Controller(opener=lambda *_, **__: source)
    try:
        controller.connect("any")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        source.step(20)
        within(20, lambda: controller.view().snapshot.frames_seen == 20, "frames")
        controller.tick()
        assert controller.ground.best() == ("", None)
        controller.take(Tool.WAND)
        within(20, lambda: (controller.tick(), controller.hand.wand.picture is not None)[1], "a picture")
        name, picture = controller.ground.best()
        assert name in ("correlation", "mean", "frames")
        assert picture.shape == controller.session.frames.shape
        # what motion correction has put in its place goes before a mean of frames that move
        controller.ground.pictures = {"frames": picture, "template": picture + 1}
        assert controller.ground.best()[0] == "template"
    finally:
        source.close()
        controller.close()


def test_a_closed_ground_has_no_thread():
    ground = Ground()
    assert ground.submit(lambda: 1).result(10) == 1
    ground.close()
    assert ground._worker is None
