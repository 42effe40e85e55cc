"""The whole of online CNMF on little films whose truth is known."""

import copy

import numpy as np
import pytest

from roi_core.cnmf.online import OnlineCNMF
from roi_core.frame import Order, Status, Verb
from roi_core.settings import Cnmf
from tests.cells import FRAMES, RATE, SETTINGS, agreement, beside, finder_for, middles_of, run
from tests.checks import well

NAMES = ("raw", "calcium", "spikes", "settled_calcium", "settled_spikes")


@pytest.fixture(scope="module")
def done(movie):
    """The film seen once: the finder, and what it answered."""
    finder = finder_for(movie.pictures)
    return finder, run(finder, movie.pictures)


def test_all_cells_are_found_with_their_traces(movie, done):
    finder, answers = done
    components = answers[-1].components
    assert sorted(movie.found(components)) == sorted(set(movie.found(components)) - {-1})
    assert (components.status == 1).sum() == len(movie.centres), "and nothing else"
    r = agreement(movie, answers)
    assert np.median(r) > 0.95
    assert r.min() > 0.85
    well(finder)


def test_footprints_are_those_of_the_cells(movie, done):
    components = done[1][-1].components
    for true, k in zip(movie.footprints, movie.found(components), strict=True):
        at = slice(components.indptr[k], components.indptr[k + 1])
        ours = np.zeros(true.size)
        ours[components.indices[at]] = components.data[at]
        assert np.corrcoef(ours, true.ravel())[0, 1] > 0.9


def test_what_a_user_removed_is_not_found_again_unless_it_is_put_back(movie):
    finder = finder_for(movie.pictures)
    (last,) = run(finder, movie.pictures)[-1:]
    cell = int(last.components.ids[movie.found(last.components)[0]])
    back = finder.obey(Order(Verb.REMOVE, (cell,), why="by hand"), FRAMES)
    again = run(finder, movie.pictures, first=FRAMES)[-1]
    assert movie.found(again.components)[0] == -1
    finder.obey(back, 2 * FRAMES)
    put_back = run(finder, movie.pictures[:1], first=2 * FRAMES)[-1]
    assert int(put_back.components.ids[movie.found(put_back.components)[0]]) == cell
    assert finder.census._is_unwanted(finder.census.unwanted[cell]) is False


def test_the_past_before_a_birth_is_told(movie, done):
    """Backfill ends with the row before the first answer, and follows the true calcium."""
    _, answers = done
    components = answers[-1].components
    true = dict(zip(components.ids[movie.found(components)].tolist(), movie.calcium.T, strict=True))
    past = {part.id: (row, part) for row, answer in enumerate(answers) for part in answer.backfill}
    assert set(true) <= set(past)
    for cell, (row, part) in past.items():
        assert part.row + len(part.raw) == row == min(r for r, a in enumerate(answers) if cell in a.ids)
        assert cell not in true or np.corrcoef(part.raw, true[cell][part.row : row])[0, 1] > 0.5


def same(one, other):
    assert [answer.ids for answer in one] == [answer.ids for answer in other]
    for a, b in zip(one, other, strict=True):
        for name in NAMES:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert a.events == b.events
    for name in ("data", "indices", "indptr", "status", "snr"):
        np.testing.assert_array_equal(*(getattr(each[-1].components, name) for each in (one, other)))


def test_inline_twice_is_the_same_to_the_bit(movie, done):
    same(run(finder_for(movie.pictures), movie.pictures), done[1])


def test_a_copy_goes_on_to_the_bit(movie, done):
    finder = finder_for(movie.pictures)
    first = run(finder, movie.pictures[:333])
    twin = copy.deepcopy(finder)
    rest = run(twin, movie.pictures[333:], first=333)
    same(first + rest, done[1])
    same(run(finder, movie.pictures[333:], first=333), rest)


def test_to_look_teaches_nothing(movie, done):
    finder, answers = finder_for(movie.pictures), []
    for row, picture in enumerate(movie.pictures[:400]):
        if row % 7 == 0:
            np.copyto(finder.input, movie.pictures[-row])
            finder.shift = (3.0, -2.0)
            assert len(finder.look()) == finder.census.cells.count
            finder.shift = (0.0, 0.0)
        answers += run(finder, [picture], first=row)
    same(answers[:-1], done[1][:399])


def test_with_the_detectors_thread_the_same_cells_are_found(movie):
    finder = finder_for(movie.pictures, inline=False)
    try:
        answers = beside(finder, movie.pictures)
    finally:
        finder.close()
    found = movie.found(answers[-1].components)
    assert -1 not in found
    extra = (answers[-1].components.status == 1).sum() - len(movie.centres)
    assert extra <= 1, (
        "which frames a look sees depends on the machine: one doubtful cell may be judged otherwise"
    )
    assert np.median(agreement(movie, answers)) > 0.95


def test_a_pause_keeps_cells_and_begins_their_traces_anew(movie, done):
    """Rows 300 to 399 are missing, as when cell finding was switched off and on."""
    finder = finder_for(movie.pictures)
    first = run(finder, movie.pictures[:300])
    before = {int(i) for i, s in zip(first[-1].ids, first[-1].components.status, strict=False) if s == 1}
    finder.pause()
    well(finder)
    rest = run(finder, movie.pictures[400:], first=400)
    well(finder)
    assert len(before - set(rest[-1].ids)) <= 1, "of two that overlap, one may be found anew"
    assert -1 not in movie.found(rest[-1].components)
    assert all(np.isfinite(answer.calcium).all() for answer in rest)
    assert np.median(agreement(movie, rest, start=60)) > 0.9
    assert np.isnan(rest[0].settled_calcium).all(), "nothing from before the pause is told as of after it"


def test_at_the_end_the_last_rows_are_settled(movie, done):
    finder, answers = done
    settled = finder.finish()
    assert (settled.row, settled.ids) == (FRAMES - answers[-1].lag, answers[-1].ids)
    assert settled.calcium.shape == settled.spikes.shape == (answers[-1].lag, len(settled.ids))
    assert np.isfinite(settled.calcium).all()
    longer = answers[settled.row + 0]
    assert longer.lag == 15
    r = [np.corrcoef(settled.calcium[:, k], [a.calcium[a.ids.index(i)] for a in answers[settled.row :]])[0, 1]
         for k, i in enumerate(settled.ids) if np.ptp(settled.calcium[:, k]) > 10]  # fmt: skip
    assert np.all(np.array(r) > 0.8)


@pytest.mark.parametrize("frames", [0, 1, 7, 20])
def test_what_is_settled_at_the_end_never_reaches_into_a_pause(movie, frames):
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures[:300])
    finder.pause()
    run(finder, movie.pictures[300 : 300 + frames], first=400)
    settled = finder.finish()
    if settled is not None:
        assert settled.row >= 400
        assert settled.row + len(settled.calcium) == 400 + frames


def test_what_is_settled_at_the_end_of_odd_frames_is_of_their_rows(movie):
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures[:300])
    run(finder, np.zeros((10, 64, 64), np.float32), first=300)
    settled = finder.finish()
    assert settled.row + len(settled.calcium) == 310


@pytest.mark.parametrize("inline", [True, False])
def test_another_size_of_cells_in_mid_session(movie, inline):
    """Cells and their ids stay, whatever the detector was about to say."""
    finder = finder_for(movie.pictures, inline=inline)
    ever, answers = set(), []
    try:
        for row, picture in enumerate(movie.pictures):
            radius = 5.0 if row < 250 else (4.0, 3.0, 6.0, 5.0)[row // 10 % 4] if row < 290 else 5.0
            settings = SETTINGS.with_value("cnmf.cell_radius", radius)
            answers += run(finder, [picture], settings, row)
            ever |= set(answers[-1].ids)
            if row % 30 == 0:
                well(finder)
        while finder._aside.busy and not finder._aside._done:
            pass
        answers += run(finder, [picture], settings, row + 1)
    finally:
        finder.close()
    assert not [event for answer in answers for event in answer.events if event[0] == "alert"]
    births = [data["id"] for answer in answers for kind, data in answer.events if kind == "birth"]
    assert len(births) == len(set(births))
    old = set(answers[249].ids) - set(answers[-1].components.ids[answers[-1].components.status > 2].tolist())
    assert old <= set(answers[-1].ids)
    assert finder._detector.done <= finder._ring.head, "the detector goes on"
    if inline:
        assert movie.found(answers[-1].components).count(-1) <= 1


def edges():
    """Every live number of the block at both of its bounds."""
    for name, spec in Cnmf.model_fields.items():
        bounds = [getattr(each, "ge", getattr(each, "le", None)) for each in spec.metadata]
        yield from ((name, bound) for bound in bounds if bound is not None)
    yield from (("detect", False), ("shapes", False), ("order", "1"), ("cell_radius", 20.0))


@pytest.mark.parametrize(("name", "value"), list(edges()))
def test_every_number_at_its_bounds(movie, name, value):
    settings = SETTINGS.with_value(f"cnmf.{name}", value)
    pictures = movie.pictures[:240, 8:40, :32]
    finder = OnlineCNMF(pictures.shape[1:], RATE, settings)
    answers = run(finder, pictures, settings)
    well(finder)
    assert all(np.isfinite(answer.calcium).all() for answer in answers)


@pytest.mark.parametrize("radius", [1.0, 64.0])
def test_cells_survive_an_edit_of_their_size_to_its_bounds_and_back(movie, radius):
    finder = finder_for(movie.pictures)
    known = set(run(finder, movie.pictures[:300])[-1].ids)
    (*_, tried) = run(finder, movie.pictures[300:330], SETTINGS.with_value("cnmf.cell_radius", radius), 300)
    assert finder.field.radius == radius
    well(finder)
    (*_, last) = run(finder, movie.pictures[330:], first=330)
    assert finder.field.radius == SETTINGS.cnmf.cell_radius
    well(finder)
    for answer in (tried, last):
        assert np.isfinite(answer.calcium).all()
        assert len(known & set(answer.ids)) >= 6


@pytest.mark.parametrize("shift", [(0.0, 0.0), (9.6, -4.2)])
def test_an_odd_picture_leaves_the_mean_as_it_was(movie, shift):
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures[:100])
    before = finder._mean.copy()
    finder.shift = shift
    (answer,) = run(finder, [np.zeros((64, 64), np.float32)], first=100)
    assert np.isnan(answer.raw).all()
    np.testing.assert_allclose(finder._mean, before, atol=1e-3)


def test_what_motion_hides_is_not_looked_at(movie):
    """However wild the pixels are that come from beyond the camera's picture."""
    random, shift = np.random.default_rng(0), (6.5, -3.5)
    one, other = (finder_for(movie.pictures) for _ in range(2))
    answers = [[], []]
    for row, picture in enumerate(movie.pictures[:300]):
        junk = picture.copy()
        junk[:6], junk[:, -3:] = random.uniform(0, 9e4, 2)
        for k, (finder, image) in enumerate(((one, picture), (other, junk))):
            finder.shift = shift if row else (0.0, 0.0)
            answers[k] += run(finder, [image if row else picture], first=row)
    same(*answers)
    hidden = np.array(one.census.hidden)
    assert (np.abs(hidden - [7, 0, 0, 4]) < 1).all()


@pytest.mark.parametrize("rate", [2.0, 5.0, 10.0])
def test_a_few_frames_a_second_are_enough(rate):
    """Volumes are scanned so slowly: noise must be known before the first look, births get their frames."""
    random, calcium = np.random.default_rng(5), np.zeros((400, 3))
    fade = np.exp(-1 / (1.2 * rate))
    for t in range(1, 400):
        calcium[t] = calcium[t - 1] * fade + 90 * (random.random(3) < 0.04)
    y, x = np.mgrid[:48, :48]
    spots = [np.exp(-((y - v) ** 2 + (x - u) ** 2) / 12) for v, u in ((14, 14), (16, 34), (34, 22))]
    pictures = 400 + np.tensordot(calcium, spots, 1) + random.normal(0, 8, (400, 48, 48))
    finder = OnlineCNMF((48, 48), rate, SETTINGS)
    answers = run(finder, pictures.astype(np.float32))
    components = answers[-1].components
    middles = middles_of(components)[components.status == 1]
    far = np.hypot(*(np.array([(14, 14), (16, 34), (34, 22)])[:, None] - middles).transpose(2, 0, 1))
    assert far.min(1).max() < 2
    assert len(middles) <= 4


def test_a_slow_camera_forgets_no_more_from_frame_to_frame_than_one_of_15_hz():
    """Below that, seconds have too few frames to know noise from a dim cell by."""
    random, settings = np.random.default_rng(3), SETTINGS.with_texts("cnmf.memory=5", "cnmf.detect=false")
    pictures = 400 + np.linspace(0, 40, 200)[:, None, None] + random.normal(0, 8, (200, 32, 32))
    means = {}
    for rate in (3.0, 15.0, 60.0):
        finder = OnlineCNMF((32, 32), rate, settings)
        run(finder, pictures.astype(np.float32), settings)
        means[rate] = finder._mean.copy()
    assert np.abs(means[3.0] - means[15.0]).max() < 0.2
    assert np.median(means[15.0] - means[60.0]) > 1, "a faster one has more frames in the same seconds"


def test_a_threshold_that_is_tried_for_a_moment_costs_no_cell(movie):
    finder = finder_for(movie.pictures)
    known = set(run(finder, movie.pictures[:420])[-1].ids)
    strict = SETTINGS.with_texts("cnmf.min_snr=50", "cnmf.min_skewness=20")
    (*_, tried) = run(finder, movie.pictures[420:480], strict, first=420)
    assert not (tried.components.status == Status.ACCEPTED).any()
    (*_, last) = run(finder, movie.pictures[480:600], first=480)
    assert known <= set(last.ids)
    assert -1 not in movie.found(last.components)


def test_where_nobody_looks_nothing_is_suspected(movie):
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures[:60])
    finder._glow.suspects[:] = True
    run(finder, movie.pictures[60:80], SETTINGS.with_value("cnmf.detect", False), first=60)
    assert not finder._glow.suspects.any()
