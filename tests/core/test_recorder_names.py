"""Each recording has a name of its own, whoever asks for the same at once; nothing else loses its name."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from roi_core.draft import guarded, locks
from roi_core.errors import RecorderError, RecordingError
from roi_core.frame import FinishReason, Summary
from roi_core.offline.recover import recover
from roi_core.sinks.hdf5 import Recorder
from tests.core.test_recorder import header, sample

REPO = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="a file has its name from the beginning here")


def record(path, rows, **how):
    recorder = Recorder(path, **how)
    recorder.open(header())
    for row in range(rows):
        recorder.write(sample(row))
    recorder.close(Summary(FinishReason.STOPPED))
    return recorder.path


def rows_of(path):
    with h5py.File(path) as file:
        return len(file["time"])


def test_what_is_named_like_a_journal_stays(tmp_path):
    """Also the journal of a crashed recording that was moved away for a moment."""
    mine = {tmp_path / name: name.encode() for name in ("a.draft", "a.new", "a_2.new", "b.draft.txt")}
    for path, text in mine.items():
        path.write_bytes(text)
    assert record(tmp_path / "a.h5", 3).name == "a_2.h5"
    assert {path: path.read_bytes() for path in mine} == mine


def test_nothing_is_overwritten_beside_which_something_else_waits(tmp_path):
    path = record(tmp_path / "a.h5", 3)
    path.with_suffix(".draft").write_text("a letter")
    with pytest.raises(RecorderError, match=r"a\.draft does not hold changes of a recording; move it away"):
        record(path, 5, overwrite=True)
    path.unlink()
    with pytest.raises(RecorderError, match=r"a\.draft is there already, left of another a\.h5"):
        record(path, 5, overwrite=True)
    assert path.with_suffix(".draft").read_text() == "a letter"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_differs_only_in_its_ending_shares_a_journal_and_is_refused(tmp_path):
    """Also with --overwrite: that is said of the file that is named, not of what lies beside it."""
    record(tmp_path / "a.h5", 3)
    before = contents(tmp_path)
    for name in ("a.hdf5", "a.HDF5"):
        with pytest.raises(
            RecorderError, match=r"a\.h5 is a recording beside it, and both would write a\.jsonl"
        ):
            record(tmp_path / name, 5, overwrite=True)
    with pytest.raises(RecordingError, match=r"a\.h5 is a recording beside it"):
        recover(tmp_path / "a.h5", tmp_path / "a.hdf5")
    assert contents(tmp_path) == before
    (tmp_path / "a.jsonl").unlink()
    assert record(tmp_path / "a.hdf5", 5).name == "a_2.hdf5"


def test_while_one_is_recorded_no_other_of_its_stem_begins(tmp_path):
    recorder = Recorder(tmp_path / "a.h5")
    recorder.open(header())
    recorder.write(sample(0))
    for name, why in (("a.hdf5", "both would write"), ("a.h5", "is open in another program")):
        with pytest.raises(RecorderError, match=why):
            record(tmp_path / name, 5, overwrite=True)
    assert record(tmp_path / "a.hdf5", 5).name == "a_2.hdf5"
    recorder.write(sample(1))
    recorder.close(Summary(FinishReason.STOPPED))
    assert rows_of(tmp_path / "a.h5") == 2


def test_a_name_that_would_be_too_long_later_is_refused_at_once(tmp_path):
    """Once it ended a recording at its first flush, or a part kept the next from beginning."""
    most = 255 if os.name == "nt" else os.pathconf(tmp_path, "PC_NAME_MAX")
    longest = "l" * (most - len("_99_part999.draft.new"))
    for stem in (f"{longest}l", "l" * 250, "é" * (len(longest) // 2 + 1)):
        for path in (tmp_path / f"{stem}.h5", tmp_path / "new" / f"{stem}.h5"):
            with pytest.raises(RecorderError, match="its name is too long by"):
                record(path, 3)
    assert not list(tmp_path.iterdir())
    assert [record(tmp_path / f"{longest}.h5", 3).stem for _ in range(2)] == [longest, f"{longest}_2"]
    part = tmp_path / f"{longest}_2_part999.h5"
    assert record(part, 3, part=999, first_part=f"{longest}_2.h5") == part


def test_a_movie_of_that_stem_is_no_recording(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as movie:
        movie["images"] = [1, 2, 3]
    for rows in (3, 5):
        assert record(tmp_path / "a.hdf5", rows, overwrite=True).name == "a.hdf5"
        assert rows_of(tmp_path / "a.hdf5") == rows


def test_events_of_a_recording_that_was_moved_away_stay(tmp_path):
    record(tmp_path / "a.h5", 3).unlink()
    before = contents(tmp_path)
    with pytest.raises(RecorderError, match=r"a\.jsonl is there already, left of another a\.h5"):
        record(tmp_path / "a.h5", 5, overwrite=True)
    assert contents(tmp_path) == before
    (tmp_path / "a.jsonl").write_bytes(b"")  # of one that was killed before its file had a name
    assert record(tmp_path / "a.h5", 5, overwrite=True).name == "a.h5"


@posix
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_stem_that_was_taken_meanwhile_is_left_to_who_has_it(tmp_path, monkeypatch, overwrite):
    made = guarded._made

    def late(path, flags):
        monkeypatch.setattr(guarded, "_made", made)
        record(tmp_path / "a.h5", 7)
        return made(path, flags)

    monkeypatch.setattr(guarded, "_made", late)
    if overwrite:
        with pytest.raises(RecorderError, match="both would write"):
            record(tmp_path / "a.hdf5", 3, overwrite=True)
    else:
        assert record(tmp_path / "a.hdf5", 3).name == "a_2.hdf5"
    assert rows_of(tmp_path / "a.h5") == 7
    assert not list(tmp_path.glob("*.begun"))


@posix
def test_a_stem_under_which_another_begins_is_left_to_it(tmp_path):
    with (tmp_path / "a.begun").open("wb") as begun:
        locks.lock(begun)
        with pytest.raises(RecorderError, match="is open in another program"):
            record(tmp_path / "a.hdf5", 3, overwrite=True)


@posix
def test_a_name_that_was_taken_meanwhile_is_left_to_who_has_it(tmp_path, monkeypatch):
    """Another recording begins and ends between the look at what is there and the beginning of this one."""
    made = guarded._made

    def late(path, flags):
        monkeypatch.setattr(guarded, "_made", made)
        assert record(tmp_path / "a.h5", 7).name == "a.h5"
        return made(path, flags)

    monkeypatch.setattr(guarded, "_made", late)
    assert record(tmp_path / "a.h5", 3).name == "a_2.h5"
    assert (rows_of(tmp_path / "a.h5"), rows_of(tmp_path / "a_2.h5")) == (7, 3)
    assert not list(tmp_path.glob("*.begun"))


@posix
def test_a_name_under_which_another_begins_is_left_to_it(tmp_path):
    """Until it has it; what only a kill left behind keeps no name."""
    with (tmp_path / "a.begun").open("wb") as begun:
        locks.lock(begun)
        assert record(tmp_path / "a.h5", 3).name == "a_2.h5"
    assert record(tmp_path / "a.h5", 3).name == "a.h5"
    assert not list(tmp_path.glob("*.begun"))


@posix
def test_what_was_begun_and_is_named_meanwhile_is_not_begun_again(tmp_path, monkeypatch):
    """It was opened as what it was, and locked when it had become a recording."""
    lock, path = locks.lock, tmp_path / "a.h5"

    def late(raw):
        monkeypatch.setattr(locks, "lock", lock)
        (tmp_path / "a.begun").unlink()
        record(path, 7)
        lock(raw)

    monkeypatch.setattr(locks, "lock", late)
    assert record(path, 3).name == "a_2.h5"
    assert rows_of(path) == 7


@posix
def test_a_disk_without_links_will_do(tmp_path, monkeypatch):
    def refuses(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuses)
    assert [record(tmp_path / "a.h5", 3).name for _ in range(2)] == ["a.h5", "a_2.h5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "a.jsonl", "a_2.h5", "a_2.jsonl"]


@posix
def test_a_file_that_appears_under_the_name_at_the_last_moment_stays(tmp_path, monkeypatch):
    link = os.link

    def late(begun, path):
        path.write_bytes(b"not ours")
        link(begun, path)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(RecorderError, match=r"a\.h5: file exists"):
        record(tmp_path / "a.h5", 3)
    assert (tmp_path / "a.h5").read_bytes() == b"not ours"
    assert not list(tmp_path.glob("*.begun"))


TOGETHER = """
import sys
from pathlib import Path
from tests.core.test_recorder_names import record
print("ready", flush=True)
sys.stdin.readline()
print(record(Path(sys.argv[1]), 3).name, flush=True)
"""


def test_programs_that_begin_at_once_each_get_a_name(tmp_path):
    command = [sys.executable, "-c", TOGETHER, str(tmp_path / "a.h5")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": REPO}
    programs = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for program in programs:
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.stdin.write("now\n")
        program.stdin.flush()
    names = sorted(program.communicate("", timeout=60)[0].strip() for program in programs)
    assert names == sorted(path.name for path in tmp_path.glob("*.h5"))
    assert len(names) == 4
    assert {rows_of(tmp_path / name) for name in names} == {3}
