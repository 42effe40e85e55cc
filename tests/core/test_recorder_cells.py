"""What a recording holds of cells found on the way, dataset by dataset, however it began and ended."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.frame import FinishReason, Header, Sample, Status, Summary
from roi_core.rois import RoiSet
from roi_core.settings import Settings
from roi_core.sinks import components as sink
from roi_core.sinks.hdf5 import Recorder
from tests.fakes import FakeCells

SHAPE = (6, 8)
HEADER = Header("fake", SHAPE, 50.0, "camera", Settings().with_texts("recorder.disk_reserve=1"), RoiSet())
DONE = Summary(FinishReason.COMPLETED)


def samples(rows, cells=None, off=(), shift=True):
    """Samples of a session's rows; `off` are those at which cell finding was off."""
    cells, paused = cells or FakeCells(SHAPE, 50.0, None), False
    for row in rows:
        if row in off and not paused:
            cells.pause()
        paused = row in off
        activity = None if paused else cells.step(row, None, RoiSet())
        moved = (row / 10, -row / 10) if shift else None
        yield Sample(row, row, row / 50, np.zeros(SHAPE, np.uint16), RoiSet(), (), np.zeros(0, np.float32),
                     None, shift=moved, activity=activity)  # fmt: skip


def record(path, taken, every=7, summary=DONE, header=HEADER):
    recorder = Recorder(path)
    recorder.open(header)
    for n, each in enumerate(taken, 1):
        recorder.write(each)
        if n % every == 0:
            recorder.flush()
    recorder.close(summary)
    return path


def expected(rows, ids, first=0, lag=3, alive=None):
    """The four (rows, N) arrays as the fake's rule has them, its component k being born at row 10 k."""
    row = np.arange(rows)[:, None] + first
    born = 10 * np.arange(1, len(ids) + 1)
    lives = row >= born
    lives[:, 0] &= row[:, 0] < 60
    past = (row >= born - 7) & (row < born) & (row >= first)
    raw = np.where(lives | past, 1000.0 * np.array(ids) + row, np.nan)
    last = np.full(len(ids), first + rows - 1)
    last[0] = min(last[0], 59)
    settled = lives & (row <= last - lag)
    extra = np.where(past, 0.125, np.where(settled, 0.5, 0.25))
    return raw, raw + extra, raw + extra - 1000.0 * np.array(ids), np.where(lives, row + 0.25, np.nan)


def check(file, rows, ids, first=0):
    for path, values in zip(
        (layout.RAW, layout.CALCIUM, layout.SPIKES, layout.SPIKES_CAUSAL),
        expected(rows, ids, first),
        strict=True,
    ):
        assert file[path].shape == (rows, len(ids)), path
        np.testing.assert_array_equal(file[path][:], values.astype(np.float32), err_msg=path)


@pytest.mark.parametrize("every", [1, 7, 1000])
def test_every_dataset(tmp_path, every):
    path = record(tmp_path / "a.h5", samples(range(100)), every)
    with h5py.File(path) as file:
        check(file, 100, [1, 2, 3, 4, 5])
        assert file[layout.IDS][:].tolist() == [1, 2, 3, 4, 5]
        assert file[layout.BORN][:].tolist() == [10, 20, 30, 40, 50]
        assert file[layout.STATUS][:].tolist() == [3, 1, 2, 1, 1]
        assert file[layout.SNR][:].tolist() == [1, 2, 3, 4, 5]
        assert file[layout.SIZE][:].tolist() == [2, 4, 6, 8, 10]
        assert [json.loads(text) for text in file[layout.REASON][:]] == ["", "", "too dim", "", ""]
        assert file[layout.IDS].dtype == file[layout.BORN].dtype == np.int64
        assert file[layout.STATUS].dtype == np.uint8
        for path in (layout.RAW, layout.CALCIUM, layout.SPIKES, layout.SPIKES_CAUSAL):
            assert file[path].dtype == np.float32
            assert file[path].maxshape == (None, None)
            assert np.isnan(file[path].fillvalue)
        assert file[layout.CALCIUM].attrs["lag"] == file[layout.SPIKES].attrs["lag"] == 3
        shifts = np.arange(100)[:, None] * np.array([0.1, -0.1])
        np.testing.assert_allclose(file[layout.SHIFTS][:], shifts, rtol=1e-6)
        assert file[layout.SHIFTS].dtype == np.float32


def test_footprints_are_a_csc_matrix_and_the_dead_keep_theirs(tmp_path, monkeypatch):
    from scipy.sparse import csc_matrix

    monkeypatch.setattr(sink, "PERIOD", 0.0)
    with h5py.File(record(tmp_path / "a.h5", samples(range(100)))) as file:
        group = file[layout.FOOTPRINTS]
        assert group.attrs["shape"].tolist() == [48, 5]
        matrix = csc_matrix((group["data"], group["indices"], group["indptr"]), shape=group.attrs["shape"])
        assert matrix.nnz == 10
        dense = np.zeros((48, 5))
        for k in range(5):
            dense[[k + 1, k + 2], k] = [k + 1.5, k + 2.5]
        np.testing.assert_array_equal(matrix.toarray(), dense)
        assert group["data"].dtype == np.float32
        assert group["indices"].dtype == np.int32


def test_what_the_dead_keep_does_not_depend_on_when_the_file_is_written(tmp_path):
    """Footprints that change in every row, also in those in which nothing happens."""

    def growing():
        for n, each in enumerate(samples(range(100))):
            seen = each.activity.components
            seen = replace(seen, version=n, data=seen.data * np.float32(n))
            yield replace(each, activity=replace(each.activity, components=seen))

    for every in (1, 7, 1000):
        with h5py.File(record(tmp_path / f"{every}.h5", growing(), every)) as file:
            data, indptr = (file[layout.FOOTPRINTS][name][:] for name in ("data", "indptr"))
            np.testing.assert_array_equal(data[: indptr[1]], np.array([1.5, 2.5], np.float32) * 59)


def test_a_recording_that_begins_in_the_middle(tmp_path):
    taken = list(samples(range(100)))[25:]
    with h5py.File(record(tmp_path / "a.h5", taken)) as file:
        assert file[layout.IDS][:].tolist() == [1, 2, 3, 4, 5]
        assert file[layout.BORN][:].tolist() == [0, 0, 5, 15, 25]
        # rows before the recording are cut also from what was known of the past
        check(file, 75, [1, 2, 3, 4, 5], first=25)


def test_the_dead_of_before_the_recording_get_no_column(tmp_path):
    with h5py.File(record(tmp_path / "a.h5", list(samples(range(100)))[70:])) as file:
        assert file[layout.IDS][:].tolist() == [2, 3, 4, 5]


def test_finding_that_is_switched_off_and_on_again(tmp_path):
    taken = samples(range(60), off=range(25, 35))
    with h5py.File(record(tmp_path / "a.h5", taken)) as file:
        raw, calcium = file[layout.RAW][:], file[layout.CALCIUM][:]
        assert np.isnan(raw[25:35]).all()
        assert np.isfinite(raw[10:25, 0]).all()
        assert np.isfinite(raw[35:, 0]).all()
        # the rows just before the gap were never refined, and no refined value strays into the gap
        assert (calcium[:25, 0] % 1).tolist()[-4:] == [0.5, 0.25, 0.25, 0.25]
        # the third was found at row 40, but there is nothing to know of it before row 35
        assert np.flatnonzero(np.isfinite(raw[:, 2])).tolist() == list(range(35, 60))


def test_finding_that_begins_late(tmp_path):
    with h5py.File(record(tmp_path / "a.h5", samples(range(50), off=range(20)))) as file:
        assert file[layout.RAW].shape == (50, 2)
        assert file[layout.BORN][:].tolist() == [30, 40]
        assert np.flatnonzero(np.isfinite(file[layout.RAW][:, 0])).tolist() == list(range(23, 50))


def test_past_longer_than_what_waits_goes_to_its_rows_in_the_file(tmp_path):
    cells = FakeCells(SHAPE, 50.0, None)
    cells._past, old = lambda new, first, row: old(new, 0, row), cells._past
    with h5py.File(record(tmp_path / "a.h5", samples(range(55), cells), every=2)) as file:
        raw, calcium = file[layout.RAW][:], file[layout.CALCIUM][:]
        row = np.arange(55)
        for k in range(5):
            np.testing.assert_array_equal(raw[:, k], 1000 * (k + 1) + row)
            assert set((calcium[: 10 * (k + 1), k] % 1).tolist()) == {0.125}


def test_the_last_rows_are_settled_when_the_session_ends(tmp_path):
    cells = FakeCells(SHAPE, 50.0, None)
    taken = list(samples(range(30), cells))
    summary = Summary(FinishReason.COMPLETED, settled=(cells.finish(),))
    with h5py.File(record(tmp_path / "a.h5", taken, summary=summary)) as file:
        assert set((file[layout.CALCIUM][10:, 0] % 1).tolist()) == {0.5}
        assert set((file[layout.SPIKES_CAUSAL][10:, 0] % 1).tolist()) == {0.25}
        assert (file[layout.CALCIUM][27:, 1] % 1).tolist() == [0.5, 0.5, 0.5]


def test_maps_are_written_at_the_end(tmp_path):
    maps = {"mean": np.full(SHAPE, 3, np.float32), "max": np.full(SHAPE, 9, np.float32)}
    summary = Summary(FinishReason.COMPLETED, maps=maps)
    with h5py.File(record(tmp_path / "a.h5", samples(range(5)), summary=summary)) as file:
        assert sorted(file[layout.MAPS]) == ["max", "mean"]
        assert file["maps/mean"].dtype == np.float32
        np.testing.assert_array_equal(file["maps/max"][:], maps["max"])


def test_without_motion_and_cells_nothing_is_there(tmp_path):
    with h5py.File(record(tmp_path / "a.h5", samples(range(9), off=range(9), shift=False))) as file:
        assert sorted(file) == ["accounting", "events", "frame_index", "roi", "session", "settings", "time"]


def test_no_cell_at_all_is_a_whole_group_too(tmp_path):
    with h5py.File(record(tmp_path / "a.h5", samples(range(9)))) as file:
        assert file[layout.RAW].shape == (9, 0)
        assert file[layout.FOOTPRINTS].attrs["shape"].tolist() == [48, 0]
        assert file[layout.FOOTPRINTS]["indptr"][:].tolist() == [0]


def test_hundreds_of_cells_that_come_and_go(tmp_path):
    """Each row has its own ids; every value lands in the column of its id."""
    random, taken = np.random.default_rng(1), []
    cells, born = FakeCells(SHAPE, 50.0, None), {}
    for row in range(150):
        first = max(0, row - 60)
        ids = [
            int(i) for i in sorted(random.choice(np.arange(first, 3 * row + 1), min(row, 40), replace=False))
        ]
        born.update({i: row for i in ids if i not in born})
        cells.born = {i: born[i] for i in ids}
        cells.components = cells._components()
        activity = cells._activity(row, [], [])
        taken.append(Sample(row, row, row / 50, np.zeros(SHAPE, np.uint16), RoiSet(), (),
                            np.zeros(0, np.float32), None, activity=activity))  # fmt: skip
    with h5py.File(record(tmp_path / "a.h5", taken, every=11)) as file:
        ids, raw = file[layout.IDS][:].tolist(), file[layout.RAW][:]
    assert ids == list(born)
    for row, each in enumerate(taken):
        alive = [ids.index(i) for i in each.activity.ids]
        np.testing.assert_array_equal(raw[row, alive], each.activity.raw)
        assert np.isfinite(raw[row]).sum() == len(alive)


def test_a_wrong_answer_of_cell_finding_costs_the_cells_only(tmp_path, caplog):
    from dataclasses import replace

    taken = list(samples(range(30)))
    broken = replace(taken[25].activity, raw=np.zeros(7, np.float32))
    taken[25] = replace(taken[25], activity=broken)
    with h5py.File(record(tmp_path / "a.h5", taken)) as file:
        assert file.attrs["complete"] == 1
        assert file["time"].shape == (30, 1)
        assert file[layout.RAW].shape == (30, 2)
        assert np.isfinite(file[layout.RAW][10:25, 0]).all()
    assert "cells are no longer recorded, everything else is" in caplog.text


def test_a_file_killed_at_any_row_has_values_in_every_row(tmp_path):
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(HEADER)
    for row, each in enumerate(samples(range(60))):
        recorder.write(each)
        recorder.flush()
        (tmp_path / "copy.h5").write_bytes(recorder.path.read_bytes())
        with h5py.File(tmp_path / "copy.h5") as file:
            assert file[layout.RAW].shape[0] == row + 1
            if row >= 10:
                calcium = expected(row + 1, range(1, len(file[layout.IDS]) + 1))[1]
                np.testing.assert_array_equal(file[layout.CALCIUM][:], calcium.astype(np.float32))
    recorder.close(DONE)


def test_footprints_are_whole_at_every_step_of_their_replacement(tmp_path, monkeypatch):
    """A copy is made at each write to the disk; the old or the new footprints are in it."""
    monkeypatch.setattr(sink, "PERIOD", 0.0)
    copies, flush = [], h5py.File.flush

    def copied(file):
        flush(file)
        copies.append(tmp_path / f"copy{len(copies)}.h5")
        copies[-1].write_bytes((tmp_path / "a.h5").read_bytes())

    monkeypatch.setattr(h5py.File, "flush", copied)
    record(tmp_path / "a.h5", samples(range(70)), every=1)
    monkeypatch.undo()
    seen = 0
    for copy in copies:
        with h5py.File(copy) as file:
            if layout.CNMF not in file:
                continue
            group = file[layout.FOOTPRINTS]
            data, indptr = group["data"][:], group["indptr"][:]
            assert len(data) == len(group["indices"]) == indptr[-1]
            assert group.attrs["shape"][1] == len(indptr) - 1
            np.testing.assert_array_equal(data % 1, 0.5)
            seen += 1
            assert file["time"].shape[0] <= file[layout.RAW].shape[0]
    assert seen > 10


def test_status_names_are_the_contracts():
    assert [status.name.lower() for status in Status] == ["accepted", "rejected", "merged", "removed"]


def test_wrong_components_cost_the_cells_only_whenever_they_are_looked_at(tmp_path, caplog):
    from dataclasses import replace

    taken = list(samples(range(30)))
    found = replace(taken[25].activity.components, status=np.zeros(9, np.uint8), version=99)
    taken[25] = replace(taken[25], activity=replace(taken[25].activity, components=found))
    with h5py.File(record(tmp_path / "a.h5", taken, every=1)) as file:
        assert file.attrs["complete"] == 1
        assert file["time"].shape == (30, 1)
        assert file[layout.RAW].shape == (30, 2)
    assert caplog.text.count("cells are no longer recorded, everything else is") == 1


def test_enabled_groups_are_there_from_the_beginning(tmp_path):
    from dataclasses import replace

    settings = HEADER.settings.with_texts("cnmf.enabled=true", "motion.enabled=true")
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(replace(HEADER, settings=settings))
    for each in samples(range(9), off=range(9), shift=False):
        recorder.write(each)
    recorder.close(DONE)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file[layout.RAW].shape == (9, 0)
        assert np.isnan(file[layout.SHIFTS][:]).all()
        assert file[layout.SHIFTS].shape == (9, 2)
