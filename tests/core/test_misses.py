"""What would have been found with other thresholds: of candidates refused, and components removed."""

import numpy as np
import pytest

from roi_core.analysis import Analysis
from roi_core.cnmf.misses import LATELY, USUAL, Floors
from roi_core.rois import RoiSet
from roi_core.settings import Settings
from tests.cells import FRAMES, SETTINGS, film, finder_for, run
from tests.core.test_cnmf_census import PLAIN, RATE, SHAPE, candidate, finder_of, grown


def test_the_floors_are_the_usual_ones_unless_less_is_asked_of_a_cell():
    assert Floors.of(Settings().cnmf) == USUAL
    edited = Settings().with_texts("cnmf.min_r=0.9", "cnmf.min_evidence=3", "cnmf.max_size=6").cnmf
    assert Floors.of(edited) == USUAL._replace(z=3.0, large=6.0)


@pytest.mark.parametrize(
    ("marks", "flaw"),
    [
        ({}, ""),
        ({"r": 0.4}, "correlate"),
        ({"r": np.nan}, "correlate"),
        ({"z": 4.0}, "evidence 4"),
        ({"area": 0.1}, "area"),
        ({"area": 9.0}, "area"),
    ],
)
def test_every_flaw_has_its_words(marks, flaw):
    finder = finder_of()
    proposed = candidate(finder, 20, 20, np.random.default_rng(0))
    given = {"r": 0.9, "z": 9.0, "area": 1.0} | marks
    told = USUAL.flaw(proposed.__class__(0, 0, proposed.shape, proposed.trace, 0, **given))
    assert (flaw in told) if flaw else told == ""


def found(finder, *texts):
    return finder.what_if(PLAIN.with_texts(*texts)).found


def test_a_candidate_that_fell_short_would_be_found_with_lower_floors():
    finder, random = grown([(30, 10)], bin=2, origin=(3, 5), camera_shape=(90, 100))
    whole = candidate(finder, 20, 22, random)
    dim = whole.__class__(whole.y, whole.x, whole.shape, whole.trace, whole.last, 0.9, 4.0, 1.0)
    for _ in range(3):  # seen again and again
        finder.census.miss(dim, 30, USUAL.flaw(dim))
    known = candidate(finder, 30, 10, random)
    finder.census.miss(known, 30, "it is there")
    assert found(finder) == ()
    (spot,) = found(finder, "cnmf.min_evidence=3")
    assert (spot.y, spot.x, spot.reason) == (43, 49, "evidence 4 is below 5")
    y, x = np.divmod(spot.pixels, 100)
    assert (y.mean(), x.mean()) == (pytest.approx(43.5, abs=1), pytest.approx(49.5, abs=1))
    assert len(spot.pixels) % 4 == 0, "a pixel of the picture is four of the camera"
    assert found(finder, "cnmf.min_evidence=4.5") == ()
    assert finder.census.cells.count == 1
    finder._row += round(LATELY * RATE) + 2
    assert found(finder, "cnmf.min_evidence=3") == (), "that was long ago"


def test_candidates_beyond_the_most_cells():
    finder, random = grown([(20, 20)])
    for place in ((10, 30), (30, 10)):
        assert finder.census.birth(candidate(finder, *place, random), 31, 1) is None
    assert found(finder, "cnmf.max_cells=1") == ()
    assert [(spot.y, spot.x) for spot in found(finder, "cnmf.max_cells=2")] == [(30, 10)]
    spots = found(finder, "cnmf.max_cells=3")
    assert [(spot.y, spot.x) for spot in spots] == [(30, 10), (10, 30)]
    assert spots[0].reason == "there are cnmf.max_cells = 1 already"


def test_a_component_removed_for_what_it_showed_would_be_found():
    finder, random = grown([(20, 20), (10, 30)])
    t = finder.census.cells.t
    t.size[:2], t.tail[:2] = finder.field.area, (0.0, 1.0, 0.0)
    strict = PLAIN.with_texts("cnmf.min_snr=50", "cnmf.min_r=0", "cnmf.shapes=false")
    run(finder, random.normal(50, 3, (200, *SHAPE)).astype(np.float32), strict, 30)
    assert finder.census.cells.count == 0
    lenient = [f"cnmf.{name}=0" for name in ("min_snr", "min_evidence", "min_r")] + [
        "cnmf.min_skewness=-5",
        "cnmf.min_asymmetry=-5",
    ]
    spots = found(finder, *lenient)
    assert sorted((spot.y, spot.x) for spot in spots) == [(10, 30), (20, 20)]
    assert all("is below" in spot.reason for spot in spots)
    assert found(finder, "cnmf.min_snr=40") == ()


def test_what_is_foretold_of_a_film_is_what_happens(movie):
    """No room for cells: foretold is what a finder with room finds; nothing is applied."""
    full = SETTINGS.with_texts("cnmf.max_cells=2")
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures, full)
    foresight = finder.what_if(SETTINGS)
    assert finder.census.cells.count == 2
    places = [(spot.y, spot.x) for spot in foresight.found]
    places += [tuple(centre) for centre in finder.census.cells.t.centres[:2].tolist()]
    far = np.hypot(*(np.array(places)[:, None] - movie.centres).transpose(2, 0, 1)).min(0)
    assert (far < 4).sum() >= len(movie.centres) - 1


def test_the_residual_is_what_is_not_explained():
    """A cell that may not be found glows in the residual; one that was found does not."""
    small = film(FRAMES // 2, np.array([[20, 20]]), shape=(41, 44))
    pictures, shown = small.pictures, {}
    for most in (0, 9):
        settings = SETTINGS.with_texts(f"cnmf.max_cells={most}")
        analysis = Analysis((41, 44), 30.0)
        for row, picture in enumerate(pictures[:-1].astype(np.uint16)):
            analysis.step(row, row / 30, picture, settings, RoiSet())
            if row == 0:
                analysis.pictures()
        lit = int(small.calcium[:, 0].argmax())
        for row, picture in enumerate(pictures[lit : lit + 20].astype(np.uint16), FRAMES):
            analysis.step(row, row / 30, picture, settings, RoiSet())
        shown[most] = analysis.pictures()["residual"]
        assert min(analysis._cells.now.census.cells.count, 1) == min(most, 1)
        analysis.close()
    assert shown[0].shape == (41, 44)
    assert np.isfinite(shown[0]).all()
    assert shown[0][20, 20] > 3 * np.median(shown[0])
    assert shown[9][20, 20] < 1.5 * np.median(shown[9])
