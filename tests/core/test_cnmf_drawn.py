"""Drawn regions as components: seeds of cells, and the fibres of photometry."""

import numpy as np

from roi_core.cnmf.drawn import seed
from roi_core.cnmf.online import OnlineCNMF
from roi_core.cnmf.state import Field
from roi_core.cnmf.view import Camera
from roi_core.frame import Status
from roi_core.rois import Circle, Rectangle, RoiSet
from roi_core.settings import Settings
from tests.checks import check

SHAPE = (60, 80)


def fibres(frames=400, rate=30.0):
    """Two fibres whose light follows two courses, on a dark picture."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    discs = [np.hypot(y - 30, x - c) <= 14 for c in (20, 58)]
    light = np.zeros((frames, 2))
    for k in range(1, frames):
        light[k] = light[k - 1] * np.exp(-1 / (0.6 * rate)) + 40 * (random.random(2) < 0.02)
    pictures = 500 + sum(np.multiply.outer(200 + light[:, i], disc) for i, disc in enumerate(discs))
    return (pictures + random.normal(0, 8, pictures.shape)).astype(np.float32), light


def test_photometry_gives_each_drawn_region_a_trace_and_looks_for_no_cells():
    pictures, light = fibres()
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.preset=photometry")
    rois = RoiSet().add(Circle(20, 30, 14)).add(Circle(58, 30, 14))
    finder, raw = OnlineCNMF(SHAPE, 30.0, settings), []
    for row, picture in enumerate(pictures):
        finder.input[:] = picture
        activity = finder.step(row, settings, rois)
        raw.append(activity.raw)
    assert len(activity.ids) == 2
    assert (activity.components.status == Status.ACCEPTED).all()
    traces = np.array(raw[50:])
    assert [np.corrcoef(traces[:, i], light[50:, i])[0, 1] > 0.94 for i in (0, 1)] == [True, True]
    finder.input[:] = pictures[-1]
    less = rois.remove(next(iter(rois)).id)
    activity = finder.step(len(pictures), settings, less)
    assert len(activity.ids) == 1
    assert any(kind == "removed" for kind, _ in activity.events)


def watched(pictures, rois_of):
    """A finder of fibres and its answers, with the regions `rois_of` a row."""
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.preset=photometry")
    finder, answers = OnlineCNMF(SHAPE, 30.0, settings), []
    for row, picture in enumerate(pictures):
        finder.input[:] = picture
        answers.append(finder.step(row, settings, rois_of(row)))
    return finder, answers


def test_a_region_that_is_dragged_keeps_its_component():
    """From the first fibre to the second, over a part of its neighbour."""
    pictures, light = fibres()
    drawn = RoiSet().add(Circle(20, 30, 9)).add(Circle(70, 30, 9))
    steps = [drawn]
    for x in range(21, 59):
        steps.append(steps[-1].replace(drawn[1].with_(xc=float(x))))
    finder, answers = watched(pictures, lambda row: steps[min(max(row - 60, 0), len(steps) - 1)])
    assert {answer.ids for answer in answers} == {(1, 2)}
    assert [kind for answer in answers for kind, _ in answer.events] == ["birth", "birth"]
    check(finder.census.cells, whole=False)
    end = 60 + len(steps)
    raw = np.array([answer.raw[0] for answer in answers[end + 20 :]])
    assert np.corrcoef(raw, light[end + 20 :, 1])[0, 1] > 0.94
    last = answers[-1].components
    seen = np.unravel_index(last.indices[: last.indptr[1]], SHAPE)
    assert np.mean(seen, 1).round().tolist() == [30, 58]
    assert (last.status == Status.ACCEPTED).all()


def test_a_region_that_changes_its_name_only_keeps_its_trace():
    pictures, _ = fibres(60)
    rois = RoiSet().add(Circle(20, 30, 14))
    named = rois.replace(rois[1].with_(name="left"))
    _, before = watched(pictures, lambda _: rois)
    _, after = watched(pictures, lambda row: named if row > 30 else rois)
    np.testing.assert_array_equal([a.raw for a in before], [a.raw for a in after])


def test_a_region_that_leaves_the_picture_and_comes_back_has_another_component():
    pictures, _ = fibres(30)
    rois = RoiSet().add(Circle(20, 30, 9))
    away = rois.replace(rois[1].with_(xc=-50.0))
    _, answers = watched(pictures, lambda row: away if 10 <= row < 20 else rois)
    assert [len(answers[row].ids) for row in (9, 10, 19, 20)] == [1, 0, 0, 1]
    assert answers[20].ids == (2,)


def test_a_seed_is_the_region_on_the_analysed_picture():
    field, camera = Field((20, 30), 3.0), Camera((50, 70), (4, 6), 2)
    box, (y, x) = seed(Rectangle(20, 14, 29, 23), field, camera)
    assert (y, x) == (7, 9)
    assert box.shape == (field.side, field.side)
    assert box.sum() == 25
    assert seed(Circle(3, 3, 2), field, camera) is None


def test_a_promoted_region_becomes_a_cell_that_learns():
    pictures, _ = fibres()
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.cell_radius=14", "cnmf.detect=false")
    finder = OnlineCNMF(SHAPE, 30.0, settings)
    cell = finder.census.promote(Circle(22, 31, 10), 0)
    for row, picture in enumerate(pictures):
        finder.input[:] = picture
        activity = finder.step(row, settings, RoiSet())
    assert activity.ids == (cell,)
    assert finder.census.cells.t.size[0] > 1.3 * np.pi * 100
