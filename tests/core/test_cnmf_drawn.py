"""Drawn regions as components: seeds of cells, and the fibres of photometry."""

import numpy as np

from roi_core.cnmf.drawn import seed
from roi_core.cnmf.online import OnlineCNMF
from roi_core.cnmf.state import Field
from roi_core.cnmf.view import Camera
from roi_core.frame import Status
from roi_core.rois import Circle, Rectangle, RoiSet
from roi_core.settings import Settings

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
