"""Rows in which cells were left out: filled where NaN cannot be, NaN where it can, and told."""

import csv

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.export import export
from roi_core.recording import Recording
from tests.core.test_recorder_cells import record, samples

LATE, LOST = slice(62, 66), slice(55, 58)
"""Rows without raw; rows without raw and calcium, as after a birth whose past holds rows left out."""


@pytest.fixture
def hurried(tmp_path):
    """Cells of which rows are missing: born before that, in it, or with a past in it."""
    path = record(tmp_path / "a.h5", samples(range(70)))
    with h5py.File(path, "r+") as file:
        file[layout.RAW][LATE] = file[layout.RAW][LOST] = file[layout.CALCIUM][LOST] = np.nan
        file[layout.SPIKES][LOST] = np.nan
        file[layout.TIME][56:] += 0.5  # a line in time is none in rows
    return path


def filled(path):
    """What is to stand for raw and calcium (N, rows), one by one."""
    with Recording(path) as recording:
        time, cells = recording.time, recording.cells
        kept = [1, 2, 3, 4]
        raw, calcium = (each[:, kept].T.astype(float) for each in (cells.raw, cells.calcium))
    raw[:, LATE] = calcium[:, LATE]
    for traces in (raw, calcium):
        for trace in traces:
            for row in range(LOST.start, LOST.stop):
                share = (time[row] - time[54]) / (time[58] - time[54])
                trace[row] = trace[54] + share * (trace[58] - trace[54])
    return np.nan_to_num(raw), np.nan_to_num(calcium)


def test_suite2p_has_no_zeros_in_a_life(hurried, tmp_path, caplog):
    plane = export(hurried, "suite2p", tmp_path / "s") / "plane0"
    found, stat = np.load(plane / "F.npy"), np.load(plane / "stat.npy", allow_pickle=True)
    raw, _ = filled(hurried)
    np.testing.assert_allclose(found, raw, rtol=1e-6)
    for trace, each in zip(raw, stat, strict=True):
        life = trace[each["born"] :]
        assert (life > 0).all()
        assert not trace[: each["born"]].any()
        assert each["std"] == pytest.approx(life.std(), rel=1e-3)
    assert "7 of 70 rows" in caplog.text
    assert "Suite2p cannot read NaN" in caplog.text
    assert not np.load(plane / "spks.npy")[:, LOST].any()


def test_caiman_has_no_zeros_in_a_life(hurried, tmp_path, caplog):
    with h5py.File(export(hurried, "caiman", tmp_path / "c.hdf5")) as file:
        denoised, residual = file["estimates/C"][:], file["estimates/YrA"][:]
    raw, calcium = filled(hurried)
    np.testing.assert_allclose(denoised, calcium, rtol=1e-6)
    np.testing.assert_allclose(denoised + residual, raw, rtol=1e-6)
    assert not residual[:, LATE].any()
    assert "7 of 70 rows" in caplog.text


def test_who_can_read_nan_gets_it(hurried, tmp_path, caplog):
    with h5py.File(export(hurried, "matlab", tmp_path / "m.h5")) as file:
        assert np.isnan(file["cnmf/raw"][:, LATE]).all()
        assert np.isfinite(file["cnmf/calcium"][1, LATE]).all()
    with export(hurried, "csv", tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        column = [row["cell_2"] for row in csv.DictReader(file)]
    assert set(column[LOST]) == {"nan"}
    assert "rows of" not in caplog.text


def test_a_recording_without_gaps_is_told_nothing(tmp_path, caplog):
    export(record(tmp_path / "a.h5", samples(range(70))), "suite2p")
    assert caplog.text == ""
