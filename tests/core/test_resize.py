"""The size of cells is edited while frames flow: what depends on it is made aside, and nothing is lost."""

import threading

import numpy as np
import pytest

from roi_core.cnmf.ground import Ground, Shapes, fitted
from roi_core.cnmf.state import Field
from roi_core.frame import Order, Status, Verb
from roi_core.recording import Recording
from roi_core.rois import Circle
from tests.cells import SETTINGS, blob, crowd, finder_for, footprint, run, trace
from tests.checks import check, well
from tests.core.test_cnmf_census import PLAIN, SHAPE, grown

WIDER = SETTINGS.with_value("cnmf.cell_radius", 7.0)


@pytest.fixture
def gate(monkeypatch):
    """Grounds are made when the test lets them."""
    go, made, under = threading.Event(), [], Ground.under

    def slow(*arguments):
        assert go.wait(60)
        made.append(arguments[1].radius)
        return under(*arguments)

    monkeypatch.setattr(Ground, "under", slow)
    yield go, made
    go.set()


def until_moved(finder, pictures, settings, row):
    """Step until the new size is in use; the answers on the way."""
    answers, radius = [], settings.cnmf.cell_radius
    while finder.field.radius != radius:
        answers += run(finder, [pictures[row + len(answers)]], settings, row + len(answers))
        if finder._builder.busy:
            finder._builder._thread.join(0.001)
    return answers


@pytest.mark.parametrize("radius", [2.0, 3.0, 4.5])
def test_cells_on_another_ground_are_where_they_were(radius):
    cells, _ = crowd(12)
    ground, shares = Ground.under(Shapes.of(cells), Field(cells.field.shape, radius), 10.0, PLAIN.cnmf)
    check(ground.cells)
    for i in range(cells.count):
        old, new = footprint(cells, i), footprint(ground.cells, i)
        kept = np.where(new > 0, old, 0)
        np.testing.assert_allclose(np.sqrt((kept**2).sum()), shares[i], rtol=1e-5)
        np.testing.assert_allclose(new * shares[i], kept, atol=1e-6)
    assert (shares == 1).all() if radius >= 3 else (shares < 1).any()
    assert Shapes.of(cells).still_of(ground.cells)


def test_frames_go_on_while_the_ground_is_made(movie, gate):
    go, made = gate
    finder, pictures = finder_for(movie.pictures, inline=False), movie.pictures
    while finder.census.cells.count < 3:
        run(finder, [pictures[finder._row + 1]], SETTINGS, finder._row + 1)
        finder._aside._thread.join(0.001)
    row = finder._row + 1
    before, first = finder.census.cells.t.ids[: finder.census.cells.count].tolist(), finder._ring
    answers = run(finder, pictures[row : row + 20], WIDER, row)
    assert finder._ring is first
    assert (finder.field.radius, made) == (5.0, [])
    assert all(list(answer.ids) == before for answer in answers)
    finder.obey(Order(Verb.PROMOTE, roi=Circle(8, 40, 4)), row + 20)
    go.set()
    answers += until_moved(finder, pictures, WIDER, row + 20)
    assert made[-1] == 7.0
    assert len(made) == 2, "once more, for a cell came by hand"
    assert answers[-1].ids == (*before, max(before) + 1)
    assert len(finder.census.cells.t.boxes[0]) == finder.field.side
    well(finder)
    finder.close()


def test_traces_go_on_over_the_change(movie):
    finder, pictures = finder_for(movie.pictures), movie.pictures
    answers = run(finder, pictures[:400], SETTINGS)
    t = finder.census.cells.t
    t.verdict[0] = t.status[0] = Status.REJECTED
    mean, one = finder._mean.copy(), int(t.ids[1])
    answers += run(finder, pictures[400:401], WIDER, 400)
    assert finder.field.radius == 7.0
    np.testing.assert_allclose(finder._mean, mean, atol=2)
    assert finder.census.cells.t.verdict[0] == Status.REJECTED
    answers += run(finder, pictures[401:], WIDER, 401)
    raw, settled = trace(answers, one, "raw"), trace(answers, one, "settled_calcium")
    assert np.isfinite(raw[400:]).all()
    assert np.isfinite(settled[400:]).all(), "also what settles"
    steps = np.abs(np.diff(raw[360:440]))
    assert steps[40] < 5 * np.median(steps), "no jump"
    here = [k for k in movie.found(answers[-1].components) if k > 0]
    assert len(here) >= 4
    for true, k in zip(movie.calcium.T, movie.found(answers[-1].components), strict=True):
        if k > 0:
            ours = trace(answers, int(answers[-1].components.ids[k]))
            assert np.corrcoef(ours[401:], true[401:])[0, 1] > 0.85
    well(finder)


@pytest.mark.parametrize("radius", [3.0, 12.0])
def test_the_usual_deviation_is_that_of_the_new_binning(movie, radius):
    """No picture is odd because it is binned in another way."""
    finder, pictures = finder_for(movie.pictures), movie.pictures
    run(finder, pictures[:200], SETTINGS)
    settings = SETTINGS.with_value("cnmf.cell_radius", radius)
    for row in range(200, 230):
        run(finder, [pictures[row]], settings, row)
        assert finder._odd == 0
    assert finder._pictures == 230


def test_a_ground_that_cannot_be_made_leaves_the_size_as_it_was(monkeypatch, caplog):
    finder, random = grown([(20, 20)])
    under = Ground.under

    def failing(shapes, field, *rest):
        if field.radius == 4.0:
            raise MemoryError("no room for the ring")
        return under(shapes, field, *rest)

    monkeypatch.setattr(Ground, "under", failing)
    pictures = random.normal(50, 3, (9, *SHAPE)).astype(np.float32)
    run(finder, pictures, PLAIN.with_value("cnmf.cell_radius", 4.0), 30)
    assert finder.field.radius == 3.0
    assert caplog.text.count("cells keep their size: MemoryError: no room for the ring") == 1
    run(finder, pictures, PLAIN.with_value("cnmf.cell_radius", 5.0), 40)
    assert finder.field.radius == 5.0
    assert finder.census.cells.count == 1


def test_a_footprint_that_is_cut_takes_its_share_of_the_trace():
    finder, random = grown([])
    finder.census._enter(blob(finder.field.side, 4.0), (20, 20), np.zeros(0, np.float32), 30)
    still = PLAIN.with_value("cnmf.shapes", False)
    run(finder, random.normal(50, 3, (20, *SHAPE)).astype(np.float32), still, 30)
    mean, box = float(finder.census.cells.t.mean[0]), finder.census.cells.t.boxes[0].copy()
    finder._follow(PLAIN.with_value("cnmf.cell_radius", 2.0))
    rim = (len(box) - finder.field.side) // 2
    share = np.sqrt((box[rim:-rim, rim:-rim] ** 2).sum())
    assert share < 0.95
    assert finder.census.cells.t.mean[0] == pytest.approx(mean * share, rel=1e-4)


def test_a_ring_of_a_footprint_is_a_pixel_in_a_box_that_holds_none_of_it():
    ring = np.zeros((25, 25), np.float32)
    ring[3, 5:20] = 0.2
    inside = fitted(ring, 7)
    assert (inside[3, 3], inside.sum()) == (1, 1)
    assert fitted(ring, 31).sum() == ring.sum()


def test_in_a_session_everything_is_inherited_and_every_row_is_there(running):
    cell = running.session.snapshot().activity.ids[0]
    running.session.cells.reject([cell])
    running.step()
    for radius in (6.0, 3.0):
        alive = running.session.snapshot().activity.ids
        running.settings.edit("cnmf.cell_radius", radius)
        running.step()
        assert running.session._pipeline.analysis._cells.now.field.radius == radius
        assert set(alive) <= set(running.session.snapshot().activity.ids)
        running.step(40)
    assert running.status(cell) == Status.REJECTED
    assert not running.events("alert", "warning", "gap")
    with Recording(running.path) as recording:
        k = recording.cells.ids.tolist().index(cell)
        for name in ("raw", "calcium", "spikes"):
            assert np.isfinite(getattr(recording.cells, name)[-100:, k]).all()
