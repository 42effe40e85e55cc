"""A recording cut short between any two writes to the disk: they are logged and done again one by one."""

import io
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from roi_core.errors import RecordingError
from roi_core.frame import FinishReason, Summary
from roi_core.recording import Recording
from roi_core.sinks import components, hdf5
from tests.core.test_recorder_cells import HEADER, SHAPE, samples
from tests.fakes import ManyCells


class Log(io.BytesIO):
    """A file in memory that remembers every write."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, data):
        self.writes.append((self.tell(), bytes(data)))
        return super().write(data)

    def truncate(self, size=None):
        self.writes.append((size, None))
        return super().truncate(size)


def redo(contents, place, data):
    """Do one write, or one change of length when there is no data."""
    length = place if data is None else max(len(contents), place + len(data))
    contents.extend(bytes(max(length - len(contents), 0)))
    if data is None:
        del contents[place:]
    else:
        contents[place : place + len(data)] = data


@pytest.mark.parametrize("early", [True, False])
def test_every_moment_leaves_a_file_that_opens_with_whole_footprints(tmp_path, monkeypatch, early):
    """Also while `/cnmf` is made in the middle of a recording; the bytes of one flush may be under way."""
    monkeypatch.setattr(components, "PERIOD", 0.0)
    log = Log()
    files = SimpleNamespace(File=lambda path, mode: h5py.File(log, "w"), string_dtype=h5py.string_dtype)
    monkeypatch.setattr(hdf5, "h5py", files)
    settings = HEADER.settings.with_texts(f"cnmf.enabled={early}", f"motion.enabled={early}")
    recorder = hdf5.Recorder(tmp_path / "a.h5")
    recorder.open(replace(HEADER, settings=settings))
    taken, first = list(samples(range(45), ManyCells(SHAPE, 50.0, None), off=range(9))), 0
    for each in taken:
        recorder.write(each)
        if each.row % 5 == 4:
            recorder.flush()
            first = first or len(log.writes)
    last = len(log.writes)
    recorder.close(Summary(FinishReason.COMPLETED))
    contents, copy, opened, found = bytearray(), tmp_path / "copy.h5", 0, 0
    for number, write in enumerate(log.writes[:last]):
        redo(contents, *write)
        if number < first:
            continue
        copy.write_bytes(contents)
        try:
            recording = Recording(copy)
        except RecordingError:
            continue
        opened += 1
        with recording:
            if recording.cells is None or recording.cells.count == 0:
                continue
            matrix = recording.cells.footprints
            assert set(np.diff(matrix.indptr)) <= {0, 2}
            assert (matrix.data % 1 == 0.5).all()
            found += matrix.nnz > 0
    assert found > 100
    assert opened >= last - first - (0 if early else 8), "only the naming of a late group has a moment"
