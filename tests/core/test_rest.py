"""Resting light of cells."""

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from roi_core.frame import Event
from roi_core.rest import flattened, rest


def test_it_is_what_a_footprint_holds_of_the_mean():
    chance = np.random.default_rng(0)
    dense = np.where(chance.random((30, 5)) < 0.3, chance.random((30, 5)), 0.0).astype(np.float32)
    dense[:, 2] = 0.0
    dense[0] = 0.0
    mean = (100 * chance.random((5, 6))).astype(np.float32)
    mean[0, 0] = np.nan
    a = csc_matrix(dense)
    found = rest(a.data, a.indices, a.indptr, mean)
    light = np.nan_to_num(mean.ravel())
    for k in (0, 1, 3, 4):
        assert found[k] == pytest.approx(dense[:, k] @ light / (dense[:, k] @ dense[:, k]), rel=1e-5)
    assert np.isnan(found[2]), "without a footprint there is none"
    assert np.isnan(rest(a.data, a.indices, a.indptr, -mean)).all(), "nor where there is no light"


@pytest.mark.parametrize(
    ("flatten", "preset", "edits", "flat"),
    [("auto", "2p", (), False), ("auto", "1p", (), True), ("off", "1p", (), False), ("on", "2p", (), True),
     ("off", "2p", ("prepare.flatten",), True), ("off", "2p", ("cnmf.min_snr",), False)],
)  # fmt: skip
def test_once_flattened_it_is_gone(flatten, preset, edits, flat):
    events = [Event(0.0, 0, "setting", {"path": path}) for path in edits]
    assert flattened(flatten, preset, events) is flat
