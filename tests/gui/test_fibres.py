"""The fibre finder on bundles whose fibres are known, and the proposal the user sees."""

import numpy as np
import pytest

from roi_core.rois import Circle
from roi_stream_gui.bundle import Bundle
from roi_stream_gui.editing import Editor
from roi_stream_gui.fibres import find, in_rows
from roi_stream_gui.ground import Ground
from tests.gui.driver import within


def bundle(radius=22, gap=1.0, rows=(3, 4, 5, 4, 3), noise=200.0, dim=0.3, turn=0.05, seed=0):
    """A bundle as a camera sees it: (picture, centres in the order of reading); it is dim on the left."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((480, 640)).astype(float)
    picture, centres = np.full(x.shape, 1500.0), []
    pitch = 2 * radius + gap
    for row, count in enumerate(rows):
        for place in range(count):
            dx, dy = (place - (count - 1) / 2) * pitch, (row - (len(rows) - 1) / 2) * pitch * 0.866
            centres.append(
                (320 + dx * np.cos(turn) - dy * np.sin(turn), 240 + dx * np.sin(turn) + dy * np.cos(turn))
            )
    for xc, yc in centres:
        away = np.hypot(x - xc, y - yc)
        shape = (1 - 0.3 * (away / radius) ** 2).clip(0.2, 1) / (1 + np.exp((away - radius) / 1.5))
        picture += rng.uniform(dim, 1) * 8000 * shape
    picture = picture * (0.5 + x / 640) + rng.normal(0, noise, x.shape)
    return picture.clip(0, 65535).astype(np.float32), np.array(centres)


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({"gap": 20}, 1.0),
        ({"gap": 3, "radius": 16}, 0.94),
        ({}, 0.89),
        ({"noise": 600.0}, 0.89),
        ({"radius": 40, "rows": (3, 4, 3)}, 1.0),
        ({"radius": 30, "rows": (1,)}, 1.0),
        ({"gap": 0, "seed": 4}, 0.75),
    ],
    ids=["apart", "close", "touching", "noisy", "large", "one fibre", "overlapping light"],
)
@pytest.mark.parametrize("known", [True, False], ids=["radius known", "radius unknown"])
def test_fibres_are_found_in_order_and_nothing_else(options, share, known):
    picture, centres = bundle(**options)
    radius = options.get("radius", 22)
    found = find(picture, *((0.6 * radius, 1.6 * radius) if known else (8, 60)))
    away = np.hypot(*(np.array([[c.xc, c.yc] for c in found])[:, None] - centres).T)
    nearest = away.argmin(axis=0)
    true = away.min(axis=0) < radius / 3
    assert true.sum() >= share * len(centres)
    assert (~true).sum() <= (0 if options.get("gap", 1) > 1 else 1)
    assert len(set(nearest[true])) == true.sum(), "none is found twice"
    assert list(nearest[true]) == sorted(nearest[true]), "row by row, left to right"
    assert np.median([c.r for c in found]) == pytest.approx(radius, abs=0.1 * radius + 0.5)


def test_noise_and_an_even_picture_hold_no_fibres():
    noise = np.random.default_rng(1).normal(1000, 50, (480, 640)).astype(np.float32)
    assert find(noise, 10, 40) == ()
    assert find(np.full((100, 120), 5, np.float32), 5, 20) == ()


def test_rows_are_read_like_lines():
    lines = [(10, 12), (30, 10), (50, 9), (11, 31), (29, 33)]
    circles = [Circle(x, y, 8) for x, y in reversed(lines)]
    assert [(c.xc, c.yc) for c in in_rows(circles)] == lines


class TestProposal:
    @pytest.fixture
    def proposal(self):
        editor, ground = Editor(), Ground()
        picture, centres = bundle(gap=20, rows=(2, 3))
        ground.pictures = {"frames": picture}
        bundled = Bundle(editor, ground)
        bundled.begin()
        within(20, lambda: (bundled.tick(), not bundled.searching)[1], "found")
        yield bundled, editor, centres
        ground.close()

    def test_nothing_is_a_region_before_it_is_accepted(self, proposal):
        bundled, editor, centres = proposal
        assert len(bundled.proposed) == len(centres)
        assert len(editor.rois) == 0
        bundled.cancel()
        assert (bundled.open, bundled.proposed, len(editor.rois)) == (False, (), 0)

    def test_accepted_fibres_are_named_in_order_in_one_step(self, proposal):
        bundled, editor, centres = proposal
        bundled.accept()
        assert [roi.name for roi in editor.rois] == [f"fiber{k + 1}" for k in range(len(centres))]
        np.testing.assert_allclose([[roi.xc, roi.yc] for roi in editor.rois], centres, atol=2)
        assert {roi.kind for roi in editor.rois} == {"circle"}
        assert not bundled.open
        editor.journal.undo()
        assert len(editor.rois) == 0

    def test_a_dropped_one_is_left_out_and_the_numbers_close_up(self, proposal):
        bundled, editor, centres = proposal
        assert bundled.drop(*centres[1])
        assert not bundled.drop(5, 5)
        bundled.accept()
        assert [roi.name for roi in editor.rois] == ["fiber1", "fiber2", "fiber3", "fiber4"]

    def test_a_second_bundle_goes_on_counting(self, proposal):
        bundled, editor, _ = proposal
        editor.add(Circle(5, 5, 3, name="fiber7"))
        bundled.accept()
        assert [roi.name for roi in editor.rois][1] == "fiber8"

    def test_other_radii_find_others(self, proposal, caplog):
        caplog.set_level("INFO")
        bundled, _, _ = proposal
        bundled.look(90, 60)
        assert bundled.radii == (60, 90)
        within(20, lambda: (bundled.tick(), not bundled.searching)[1], "found")
        assert bundled.proposed == ()
        assert "no fibres" in caplog.text
