"""A recording cut short between any two writes to the disk: they are logged and done again one by one."""

import io
import os
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from roi_core import draft
from roi_core.draft import guarded
from roi_core.frame import FinishReason, Summary
from roi_core.offline import recover as recover_
from roi_core.offline.recover import recover
from roi_core.recording import Recording
from roi_core.sinks import components, hdf5
from tests.core.test_recorder_cells import HEADER, SHAPE, samples
from tests.fakes import FakeCells


class SomeCells(FakeCells):
    """Finds a cell every eighth row; none dies."""

    every, until = 8, 10**9


class Log(io.BytesIO):
    """A file in memory that remembers every write, and what happens to the journal of its changes."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, data):
        self.writes.append((self.tell(), bytes(data)))
        return super().write(data)

    def truncate(self, size=None):
        self.writes.append((size, None))
        return super().truncate(size)


class Logged(draft.Guarded):
    """A file of the recorder whose writes go to a `Log`."""

    log = None

    def __init__(self, path, overwrite):
        self._path, self._failure, self._begun = path, None, None
        self._handed = self._told = 0
        draft.Draft.__init__(self, self.log)


@contextmanager
def logged(log):
    """Let recorders write to `log`."""
    journal = SimpleNamespace(unlink=lambda: log.writes.append(("journal", ())))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Logged, "log", log)
        patch.setattr(hdf5, "Guarded", Logged)
        patch.setattr(components, "PERIOD", 0.0)
        patch.setattr(guarded, "beside", SimpleNamespace(changes=lambda path: journal))
        patch.setattr(guarded.journals, "write", lambda _, new, sync: log.writes.append(("journal", new)))
        yield


WRITE = guarded.journals.write


def torn(log, first, last, copy, every=1):
    """Yield the number of each write from `first` to `last`, with the file and its journal as just then."""
    contents, changes = bytearray(), ()
    for number, (place, data) in enumerate(log.writes[:last]):
        if place == "journal":
            changes = data
        else:
            length = place if data is None else max(len(contents), place + len(data))
            contents.extend(bytes(max(length - len(contents), 0)))
            contents[place : length if data is None else place + len(data)] = data or b""
        if number >= first and number % every == 0:
            copy.write_bytes(contents)
            copy.with_suffix(".draft").unlink(missing_ok=True)
            if changes:
                WRITE(copy.with_suffix(".draft"), changes, sync=False)
            yield number


def record(path, texts, rows, off=()):
    """Record `rows` rows; return the log, and how far it was after each flush."""
    log, flushed = Log(), []
    with logged(log):
        recorder = hdf5.Recorder(path)
        recorder.open(replace(HEADER, settings=HEADER.settings.with_texts(*texts)))
        for each in samples(range(rows), SomeCells(SHAPE, 50.0, None), off=off):
            each.image[:] = each.row + 1
            recorder.write(each)
            if each.row % 5 == 4:
                recorder.flush()
                flushed.append(len(log.writes))
        recorder.close(Summary(FinishReason.COMPLETED))
    return log, flushed


def opens_plainly(path):
    """Tell whether whoever knows nothing of us can list what is in a file, and how long it is."""
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, item: getattr(item, "shape", None))
    except (OSError, RuntimeError, KeyError):
        return False
    return True


@pytest.mark.parametrize("early", [True, False])
def test_every_moment_leaves_a_file_that_opens_with_whole_footprints(tmp_path, early):
    """Also while `/cnmf` is made in the middle of a recording; the bytes of one flush may be under way."""
    texts = f"cnmf.enabled={early}", f"motion.enabled={early}"
    log, flushed = record(tmp_path / "a.h5", texts, 45, off=range(9))
    found = plainly = tried = 0
    for _ in torn(log, flushed[0], flushed[-1], tmp_path / "copy.h5"):
        tried, plainly = tried + 1, plainly + opens_plainly(tmp_path / "copy.h5")
        with Recording(tmp_path / "copy.h5") as recording:
            if recording.cells is None or recording.cells.count == 0:
                continue
            matrix = recording.cells.footprints
            assert set(np.diff(matrix.indptr)) <= {0, 2}
            assert (matrix.data % 1 == 0.5).all()
            found += matrix.nnz > 0
    assert found > 100
    assert plainly >= tried - (0 if early else 4), "only the naming of a late group has a moment"


def test_what_recover_leaves_of_every_moment_is_right(tmp_path, monkeypatch):
    """Every row that was flushed, each with its values; the indexes of the movie are split on the way."""
    texts = "cnmf.enabled=true", "motion.enabled=true", "recorder.movie=true", "recorder.rows_per_chunk=8"
    log, flushed = record(tmp_path / "a.h5", texts, 150)
    copy, tried = tmp_path / "a_copy.h5", 0
    journal = (tmp_path / "a.jsonl").read_bytes()
    monkeypatch.setattr(recover_, "remap", lambda *_: {})
    for number in torn(log, flushed[0], flushed[-1], copy, every=23):
        copy.with_suffix(".jsonl").write_bytes(journal)
        rows, tried = recover(copy).rows, tried + 1
        assert rows >= 5 * sum(number >= end - 1 for end in flushed)
        with Recording(copy) as recording:
            assert (recording.complete, recording.rows) == (True, rows)
            np.testing.assert_allclose(recording.time, np.arange(rows) / 50)
            assert recording.movie[:, 0, 0].tolist() == list(range(1, rows + 1))
            np.testing.assert_allclose(recording.shifts[:, 0], np.arange(rows) / 10, rtol=1e-6)
            cells, row = recording.cells, np.arange(rows)[:, None]
            raw = np.where(row >= cells.born - 7, 1000.0 * cells.ids + row, np.nan)
            np.testing.assert_array_equal(cells.raw, raw)
            assert set(np.diff(cells.footprints.indptr)) <= {0, 2}
    assert tried > 50


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system is not told what it need not keep")
def test_the_disk_is_told_of_every_byte_twice_and_of_none_that_is_not_there(tmp_path, monkeypatch):
    """First it begins to write, then it lets go of the memory: nothing piles up to be written at once."""
    told, path = [], tmp_path / "a.h5"

    def advise(number, first, length, advice):
        assert advice == os.POSIX_FADV_DONTNEED
        assert first + length <= os.fstat(number).st_size
        told.append((first, first + length))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    monkeypatch.setattr(guarded, "WORTH", 15_000)  # a flush of five frames is not worth it alone
    frames = np.random.default_rng(0).integers(0, 65536, (40, 32, 32), np.uint16)
    guard = draft.Guarded(path, overwrite=False)
    with h5py.File(guard, "w", driver="fileobj", fileobj=guard) as file:
        movie = file.create_dataset("movie", frames.shape, "u2", chunks=(1, 32, 32))
        for row, frame in enumerate(frames):
            movie[row] = frame
            if row % 5 == 4:
                file.flush()
    guard.close()
    times = np.zeros(told[-2][1], int)
    for first, last in told:
        times[first:last] += 1
    assert times.min() >= 2
    assert 3 <= len(told) < 6
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["movie"][:], frames)
