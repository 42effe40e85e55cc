"""Cells read back, exported and told of; whole files and damaged ones."""

import csv
import struct
import subprocess
import sys

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.console import describe_recording
from roi_core.errors import RecordingError
from roi_core.export import export
from roi_core.frame import FinishReason, Summary
from roi_core.offline.recover import recover
from roi_core.recording import Recording
from tests.core.test_recorder_cells import SHAPE, expected, record, samples

MAPS = {"mean": np.arange(48, dtype=np.float32).reshape(SHAPE)}


@pytest.fixture
def path(tmp_path):
    return record(tmp_path / "a.h5", samples(range(70)), summary=Summary(FinishReason.COMPLETED, maps=MAPS))


def test_everything_is_read_back(path):
    raw, calcium, spikes, causal = (each.astype(np.float32) for each in expected(70, range(1, 6)))
    with Recording(path) as recording:
        cells = recording.cells
        assert cells.ids.tolist() == [1, 2, 3, 4, 5]
        assert cells.born.tolist() == [10, 20, 30, 40, 50]
        assert cells.status.tolist() == [3, 1, 2, 1, 1]
        assert cells.accepted.tolist() == [False, True, False, True, True]
        assert cells.reason == ["", "", "too dim", "", ""]
        assert cells.snr.tolist() == [1, 2, 3, 4, 5]
        np.testing.assert_allclose(cells.r, np.arange(1, 6) / 10, rtol=1e-6)
        assert cells.size.tolist() == [2, 4, 6, 8, 10]
        np.testing.assert_allclose(cells.overlap, np.arange(1, 6) / 20, rtol=1e-6)
        np.testing.assert_array_equal(cells.raw, raw)
        np.testing.assert_array_equal(cells.calcium, calcium)
        np.testing.assert_array_equal(cells.spikes, spikes)
        np.testing.assert_array_equal(cells.spikes_causal, causal)
        np.testing.assert_array_equal(cells.traces(layout.RAW, 30, 40), raw[30:40])
        assert cells.footprints.shape == (48, 5)
        assert cells.footprints.getcol(1).nonzero()[0].tolist() == [2, 3]
        assert recording.shifts.shape == (70, 2)
        np.testing.assert_array_equal(recording.maps["mean"], MAPS["mean"])


def test_an_older_recording_does_not_tell_the_overlap(path):
    with h5py.File(path, "r+") as file:
        del file[layout.OVERLAP]
        file.attrs["complete"] = 0
    recover(path)
    with Recording(path) as recording:
        assert recording.attributes["complete"]
        assert np.isnan(recording.cells.overlap).all()
        assert recording.cells.components(SHAPE).overlap.shape == (5,)


def test_a_recording_without_cells(tmp_path):
    path = record(tmp_path / "a.h5", samples(range(5), off=range(5), shift=False))
    with Recording(path) as recording:
        assert (recording.cells, recording.shifts, recording.maps) == (None, None, {})
        assert not [fact for fact in describe_recording(recording) if fact.startswith(("cells", "motion"))]


def test_info_tells_cells_and_motion(path):
    with Recording(path) as recording:
        facts = describe_recording(recording)
    assert (facts["cells_accepted"], facts["cells_rejected"], facts["cells_merged"]) == (3, 1, 1)
    shifts = np.arange(70)[:, None] * np.array([0.1, -0.1])
    rms = np.sqrt((((shifts - np.median(shifts, axis=0)) ** 2).sum(axis=1)).mean())
    assert facts["motion_rms_px"] == pytest.approx(rms, abs=1e-3)


def test_csv_holds_the_accepted_cells(path):
    with export(path, "csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[2:] == ["cell_2", "cell_4", "cell_5", "cell_2 spikes", "cell_4 spikes", "cell_5 spikes"]
    table = np.array(rows, float)[:, 2:]
    _, calcium, spikes, _ = expected(70, range(1, 6))
    np.testing.assert_allclose(table, np.hstack([calcium[:, [1, 3, 4]], spikes[:, [1, 3, 4]]]), rtol=1e-6)


def test_the_matlab_twin_is_turned(path):
    with h5py.File(export(path, "matlab")) as file, Recording(path) as recording:
        cells = recording.cells
        assert file[layout.IDS].shape == (1, 5)
        np.testing.assert_array_equal(file[layout.CALCIUM][:], cells.calcium.T)
        np.testing.assert_array_equal(file[layout.BORN][0], cells.born + 1)
        np.testing.assert_array_equal(file[layout.SHIFTS][:], recording.shifts.T)
        np.testing.assert_array_equal(file["maps/mean"][:], MAPS["mean"].T)
        group, height = file[layout.FOOTPRINTS], SHAPE[0]
        dense = np.zeros((48, 5))
        for k in range(5):
            at = slice(group["indptr"][0, k] - 1, group["indptr"][0, k + 1] - 1)
            dense[group["indices"][0, at] - 1, k] = group["data"][0, at]
        for k in range(5):  # as MATLAB's reshape(A(:, k), H, W) fills columns
            picture = dense[:, k].reshape(-1, height).T
            np.testing.assert_array_equal(picture.ravel(), cells.footprints.toarray()[:, k])


def damage(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    return Recording(path)


def test_a_torn_file_is_padded_with_what_is_not_known(path):
    def tear(file):
        file[layout.CALCIUM].resize((60, 4))
        file[layout.STATUS].resize((4,))
        file[layout.SHIFTS].resize(50, axis=0)

    with damage(path, tear) as recording:
        assert recording.rows == 70
        assert recording.cells.calcium.shape == (70, 5)
        assert np.isnan(recording.cells.calcium[60:]).all()
        assert recording.cells.status[4] == 4
        assert np.isnan(recording.shifts[50:]).all()


def test_footprints_of_fewer_cells_than_there_are(path):
    def cut(file):
        group = file[layout.FOOTPRINTS]
        kept = {name: group[name][:count] for name, count in (("indptr", 4), ("data", 6), ("indices", 6))}
        for name, values in kept.items():
            del group[name]
            group[name] = values

    with damage(path, cut) as recording:
        matrix = recording.cells.footprints
        assert matrix.shape == (48, 5)
        assert np.diff(matrix.indptr).tolist() == [2, 2, 2, 0, 0]


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        (lambda file: file.__delitem__(layout.CALCIUM), lambda r: r.cells.calcium),
        (lambda file: file[layout.FOOTPRINTS].attrs.__delitem__("shape"), lambda r: r.cells.footprints),
        (lambda file: file[layout.FOOTPRINTS]["indices"].__setitem__(0, 9999), lambda r: r.cells.footprints),
        (lambda file: file[layout.FOOTPRINTS]["indptr"].__setitem__(5, 3), lambda r: r.cells.footprints),
        (lambda file: file[layout.REASON].__setitem__(0, "{"), lambda r: r.cells.reason),
        (lambda file: lists_for_texts(file, layout.REASON), lambda r: r.cells.reason),
    ],
)
def test_damage_is_one_sentence(path, change, ask):
    with damage(path, change) as recording, pytest.raises(RecordingError, match=r"a\.h5 is damaged: "):
        ask(recording)


def lists_for_texts(file, name):
    """Put lists of numbers, of which h5py may die, where texts should be."""
    count = len(file[name])
    del file[name]
    file.create_dataset(name, (count,), h5py.vlen_dtype(np.uint8))


@pytest.mark.parametrize("name", [layout.SHAPES, layout.SETTINGS])
def test_what_are_no_texts_is_not_read(path, name):
    with h5py.File(path, "r+") as file:
        if file[name].shape == ():
            del file[name]
            file[name] = 5
        else:
            lists_for_texts(file, name)
    with pytest.raises(RecordingError, match=rf"a\.h5 is damaged: {name} holds no texts"):
        Recording(path)


def test_texts_in_more_bytes_than_there_are_is_not_read(path):
    """HDF5 would write them beyond what was made for them, and the process die: found by fuzzing."""
    with h5py.File(path) as file:
        chunk = file[layout.EVENTS].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    at = data.find(struct.pack("<IIQQQ", chunk.size, 0, 0, 0, chunk.byte_offset))
    data[at : at + 4] = struct.pack("<I", 7 * chunk.size)
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=r"a\.h5 is damaged: /events holds no texts"):
        Recording(path)


def test_rows_whose_parts_overlap_are_not_read(path):
    """HDF5 tells such a type, of which h5py dies: found by fuzzing."""
    data = bytearray(path.read_bytes())
    at = data.find(bytes.fromhex("400034 0b0034 ff030000") + b"frame")
    assert at > 0
    data[at + 6] = 0xFD  # the bias of the exponent of the time: no float of eight bytes has it
    path.write_bytes(data)
    with h5py.File(path) as file:
        assert file[layout.EVENTS].dtype["time"].itemsize == 16
    with pytest.raises(RecordingError, match=r"a\.h5 is damaged"):
        Recording(path)


@pytest.mark.parametrize("read", [Recording, recover])
def test_numbers_of_more_bits_than_bytes_are_not_read(path, read):
    """HDF5 would write them beyond what was made for them, and the process die: found by fuzzing."""
    data = bytearray(path.read_bytes())
    precision = data.find(b"elapsed_sec\0") + 26
    assert data[precision : precision + 2] == bytes([64, 0])
    data[precision + 1] = 4
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="the numbers of / have more bits than there are"):
        read(path)


def endless_texts(path):
    """Make the rest of every heap of texts an object without a size, from which HDF5 does not come back."""
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data) - 3) if data[at : at + 4] == b"GCOL"]
    assert starts
    for at in starts:
        first = 16 + int.from_bytes(data[at + 24 : at + 32], "little") // 8 * 8 + 16
        end = at + int.from_bytes(data[at + 8 : at + 16], "little")
        data[at + first : end] = bytes(end - at - first)
    path.write_bytes(data)


@pytest.mark.parametrize("read", [Recording, recover])
def test_a_heap_of_texts_without_an_end_is_not_read(path, read):
    """HDF5 itself goes on for ever: found by fuzzing."""
    with h5py.File(path, "r+") as file:
        del file[layout.SETTINGS]
        file.create_dataset(layout.SETTINGS, data="a: 1", dtype=h5py.string_dtype())
    endless_texts(path)
    with pytest.raises(RecordingError, match=r"a\.h5 is damaged: the texts of /\w+(/\w+)? have no end"):
        read(path)


READERS = """
import sys
from threading import Thread
from roi_core.recording import Recording

def read():
    for _ in range(200):
        with Recording(sys.argv[1]) as recording:
            assert [event.kind for event in recording.events] == ["start", "stop"]

sys.setswitchinterval(1e-6)
threads = [Thread(target=read) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("all read")
"""


def test_threads_read_one_file(path):
    """HDF5 reads texts of a file that another thread has closed, and the process dies (h5py issue 2920)."""
    done = subprocess.run([sys.executable, "-c", READERS, path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "all read\n"), done.stderr
