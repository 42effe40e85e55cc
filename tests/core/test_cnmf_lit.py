"""Whether there is light: what is dark, what is a flash, and what is the new normal."""

import numpy as np
import pytest

from roi_core.cnmf.lit import Lit

RATE = 10.0


def told(contrasts, found=True):
    """Whether each picture had light, and the rows with which another light began."""
    lit, out, anew = Lit(RATE), [], []
    for row, contrast in enumerate(contrasts):
        out.append(lit.step(contrast, found))
        if lit.anew:
            anew.append(row)
    return np.array(out), anew


def spans(*parts):
    """Contrasts in spans of (seconds, contrast)."""
    return np.concatenate([np.full(round(seconds * RATE), contrast) for seconds, contrast in parts])


def test_a_light_that_is_off_is_dark_and_back_at_once():
    out, anew = told(spans((60, 50), (10, 0), (5, 50), (10, 3), (5, 50)))
    assert (out == spans((60, 1), (10, 0), (5, 1), (10, 0), (5, 1))).all()
    assert anew == [0]


def test_the_first_light_counts_at_once_after_blackness_and_soon_after_noise():
    out, anew = told(spans((10, 0), (5, 50)))
    assert out.all()
    assert anew == [100], "nothing is darker than nothing: the mean begins anew with the light"
    out, anew = told(spans((10, 2), (5, 50)), found=False)
    assert out.argmin() == 100
    assert out[130:].all()
    assert anew == [0, 129]


@pytest.mark.parametrize("seconds", [0.1, 1, 4])
def test_a_flash_at_first_is_not_what_is_usual(seconds):
    out, anew = told(spans((seconds, 5000), (20, 50)))
    assert out.sum() == len(out) - round(seconds * RATE)
    assert len(anew) == 2


def test_a_light_that_was_off_early_is_back_at_once():
    """Nobody knows then whether it was a flash; but cells were found in it."""
    out, anew = told(spans((5, 50), (9, 3), (5, 50)))
    assert out[140:].all()
    assert anew == [0, 100, 140]


def test_a_flash_in_between_is_dark_and_forgotten():
    out, anew = told(spans((60, 50), (5, 5000), (20, 50)))
    assert (out == spans((60, 1), (5, 0), (20, 1))).all()
    assert anew == [0]


def test_a_long_one_is_a_new_light_and_so_is_the_end_of_it():
    out, anew = told(spans((60, 50), (60, 5000), (20, 50)))
    assert (~out[600:1200]).sum() < 100
    assert (~out[1200:]).sum() == 30
    assert len(anew) == 3


def test_eyes_get_used_to_the_dark():
    out, _ = told(spans((60, 50), (200, 5)))
    assert out[:600].all()
    assert not out[600:900].any()
    assert out[-1]


def test_what_is_not_a_number_changes_nothing():
    out, anew = told([50.0, np.nan, 50.0, 5.0, 50.0])
    assert out.tolist() == [True, True, True, False, True]
    assert anew == [0]
