"""Where exports go: whole or not at all, one format as the other, from the command line as from Python."""

import fcntl
import itertools
import shutil
import signal
import subprocess
import sys
from collections import namedtuple

import h5py
import numpy as np
import pytest

from roi_core.errors import RecordingError
from roi_core.export import EXPORTS, export, place, task
from roi_core.export.task import Cancelled
from tests.conftest import REPO
from tests.test_cli import refused, roi_stream

WORDS = [word for word in EXPORTS if word != "photometry"]
"""The scene has one colour; `test_photometry.py` looks at the other."""
FAST = [word for word in WORDS if word not in ("video", "nwb")]


def inside(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def path(exported_from, tmp_path):
    shutil.copy(exported_from, tmp_path / "a.h5")
    return tmp_path / "a.h5"


@pytest.mark.parametrize("word", WORDS)
def test_it_can_be_stopped_anywhere_and_leaves_nothing(path, word):
    """Before the first piece of work, and after it."""
    for last in (1, 2):
        asked = itertools.count(1)
        with pytest.raises(Cancelled, match="nothing of it was kept"):
            export(path, word, asked_to_stop=lambda asked=asked, last=last: next(asked) == last)
        assert inside(path.parent) == {"a.h5"}


@pytest.mark.parametrize("word", WORDS)
def test_progress_only_rises_and_ends_at_the_end(path, word):
    told = []
    export(path, word, progress=lambda done, total: told.append((done, total)))
    done, totals = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert len(set(totals)) == 1
    assert done[-1] == totals[0]


@pytest.mark.parametrize("word", FAST)
def test_what_exists_stays_until_the_new_one_is_whole(path, word):
    written = export(path, word)
    before = inside(path.parent)
    with pytest.raises(RecordingError, match="exists; use --overwrite, or another name with --out"):
        export(path, word)
    with pytest.raises(Cancelled):
        export(path, word, overwrite=True, asked_to_stop=lambda: True)
    assert inside(path.parent) == before
    stamp = written.stat().st_ino
    assert export(path, word, overwrite=True) == written
    assert written.stat().st_ino != stamp
    assert inside(path.parent) == before


def test_a_folder_with_other_things_in_it_is_never_replaced(path):
    folder = path.with_name("mine")
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(RecordingError, match="mine holds other files, too"):
        export(path, "suite2p", folder, overwrite=True)
    with pytest.raises(RecordingError, match="mine is of another kind"):
        export(path, "csv", folder, overwrite=True)
    assert inside(path.parent) == {"a.h5", "mine", "mine/thesis.txt"}


@pytest.mark.parametrize("word", ["suite2p", "csv"])
@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_folder_without_a_name_is_refused(path, word, name, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(RecordingError, match="is a folder; give a name"):
        export(path, word, name, overwrite=True)


def test_the_recording_is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="is the recording itself"):
        export(path, "csv", path, overwrite=True)
    assert path.read_bytes() == before


def test_no_recording_is_ever_overwritten(path):
    """Nor one that another program writes, or whose end is missing."""
    other, torn = path.with_name("c.h5"), path.with_name("d.h5")
    shutil.copy(path, other)
    torn.write_bytes(path.read_bytes()[:5000])
    with other.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as HDF5 does for one who writes
        for target in (other, torn):
            with pytest.raises(RecordingError, match="is a recording, too; give another name"):
                export(path, "csv", target, overwrite=True)
    assert torn.stat().st_size == 5000
    twin = export(path, "matlab")
    assert export(path, "csv", twin, overwrite=True) == twin


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere/b.csv", "no such file or directory"),
        ("a.h5/b.csv", "not a directory"),
        ("x" * 300, "file name too"),
    ],
)
def test_a_place_that_cannot_be_is_a_sentence(path, name, why):
    with pytest.raises(RecordingError, match=f"cannot write .*: {why}"):
        export(path, "csv", path.parent / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.draft", "a.begun"])
def test_what_belongs_to_a_recording_is_never_replaced(path, name):
    """Recovery plays the journal again; a draft it would take for the recording's own."""
    for before in (None, b"mine"):
        if before is not None:
            (path.parent / name).write_bytes(before)
        with pytest.raises(RecordingError, match=r"belongs to the recording a\.h5; give another name"):
            export(path, "csv", path.parent / name, overwrite=True)
        assert inside(path.parent) == ({"a.h5", name} if before else {"a.h5"})
    assert (path.parent / name).read_bytes() == b"mine"
    (path.parent / "b.jsonl").write_bytes(b"whose")
    assert export(path, "csv", path.parent / "b.jsonl", overwrite=True).read_bytes() != b"whose"


def test_a_full_disk_is_a_sentence_and_leaves_nothing(path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(task.shutil, "disk_usage", lambda folder: usage(1e9, 9e8, 1e8))
    with pytest.raises(RecordingError, match="has 100 MB left and an export leaves 200 MB free"):
        export(path, "tiff")
    assert inside(path.parent) == {"a.h5"}


def test_two_at_once_do_not_meet(path, monkeypatch):
    """A second export of the same begins and ends while the first is under way."""
    second = []

    def progress(done, total):
        if not second:
            second.append(None)
            second[0] = export(path, "csv")

    with pytest.raises(RecordingError, match="exists"):
        export(path, "csv", progress=progress)
    assert second == [path.with_suffix(".csv")]
    assert inside(path.parent) == {"a.h5", "a.csv"}


def test_what_is_not_finished_is_told(path, caplog):
    export(path, "csv")
    assert "not finished" not in caplog.text
    with h5py.File(path, "r+") as file:
        file.attrs.modify("complete", np.uint8(0))
    export(path, "csv", overwrite=True)
    assert f"{path} is not finished: its 300 rows so far are exported" in caplog.text


def test_nothing_but_rows_is_exported_from_nothing(path):
    with h5py.File(path, "r+") as file:
        for name in ("time", "frame_index", "roi/means", "roi/dff", "movie"):
            file[name].resize(0, axis=0)
    with pytest.raises(RecordingError, match=r"a\.h5 holds no rows"):
        export(path, "csv")


def test_places_are_named_after_the_recording(path):
    assert place.default(path, "_suite2p").name == "a_suite2p"


def test_the_command_line(path):
    done = roi_stream("export", path, "--to", "suite2p", "--refined")
    assert done.stdout.strip() == str(path.with_name("a_suite2p"))
    assert done.stderr.count("warning: ") == done.stderr.count("was not refined") == 1
    assert "two numbers, the lower first" in refused(
        "export", path, "--to", "video", "--limits", "9,3", code=2
    )
    assert "not a number from 0.001 to" in refused("export", path, "--to", "video", "--speed", "0", code=2)
    assert "is not a number from 0.001 to 1000" in refused(
        "export", path, "--to", "video", "--speed", "1e-9", code=2
    )
    assert "No such file" in refused(
        "export", path, "--to", "nwb", "--card", path.with_name("c.yaml"), code=2
    )


def test_help_lists_every_format_and_loads_nothing_heavy():
    code = (
        "import sys; from roi_core.cli import main\n"
        "try: main(['export', '--help'])\n"
        "finally: print([name for name in ('h5py', 'numba', 'cv2', 'pynwb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, timeout=60)
    assert done.stdout.endswith("[]\n")
    assert all(f"{word} is {kind.what}" in " ".join(done.stdout.split()) for word, kind in EXPORTS.items())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_and_is_no_success(path, number):
    """A signal in the middle of a long export."""
    with h5py.File(path, "r+") as file:
        rows = 2_000_000
        for name in ("time", "frame_index", "roi/means", "roi/dff"):
            file[name].resize(rows, axis=0)
        file["time"][:, 0] = np.arange(rows) / 30
        del file["movie"]
    words = [sys.executable, "-m", "roi_core.cli", "export", str(path), "--to", "csv"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stderr=pipe, stdout=pipe, text=True, cwd=REPO) as running:
        bar = next(line for line in running.stderr if "rows" in line)
        assert f"/{rows}" in bar
        assert any(".part" in name for name in inside(path.parent))
        running.send_signal(number)
        out, errors = running.communicate(timeout=60)
    assert (running.returncode, out) == (1, "")
    assert "the export was stopped; nothing of it was kept" in errors
    assert inside(path.parent) == {"a.h5"}
