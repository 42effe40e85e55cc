"""A folder that one may not enter, and names that are too long: a sentence from every command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from roi_core import cli, paths
from roi_core.catalogue import Catalogue, State
from roi_core.errors import refused, sentence
from tests.core.test_recorder_names import record

REPO = Path(__file__).parents[2]
ALL = """
import contextlib, io, json, sys
from roi_core.cli import main
told = []
for words in json.loads(sys.stdin.read()):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        code = main(words)
    told.append((code, said.getvalue().strip().splitlines()[-1:]))
print(json.dumps(told))
"""


def without_rights(commands, folder):
    """Run commands as one whom a closed folder keeps out, also where root runs the tests."""
    command, words = [sys.executable, "-c", ALL], json.dumps(commands)
    if os.geteuid() == 0:
        rights = "-dac_override,-dac_read_search"
        without = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]
        if shutil.which("setpriv") is None or subprocess.run([*without, "true"], check=False).returncode:
            pytest.skip("setpriv is needed to be kept out as root")
        command = [*without, *command]
    place = {**os.environ, "PYTHONPATH": str(REPO), "ROI_STREAM_CATALOGUE": str(folder / "none.sqlite")}
    done = subprocess.run(
        command,
        input=words,
        capture_output=True,
        text=True,
        cwd=folder,
        env=place,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(code, *said) for code, said in json.loads(done.stdout)]


@pytest.fixture
def closed(tmp_path):
    """Give a folder with a recording and, in it, ``p`` with more that nobody may enter."""
    record(tmp_path / "t.h5", 3)
    for name in ("p", "ok"):
        (tmp_path / name).mkdir()
        shutil.copy(tmp_path / "t.h5", tmp_path / name / "t.h5")
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        catalogue.add([tmp_path / "p" / "t.h5", tmp_path / "ok" / "t.h5"])
    for name in ("p/s.nwb", "p/r.csv", "p/c.sqlite"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "p").chmod(0)
    yield tmp_path
    (tmp_path / "p").chmod(0o700)


posix = pytest.mark.skipif(os.name != "posix", reason="folders are not closed like that here")


@posix
def test_a_folder_one_may_not_enter_is_a_sentence(closed):
    run = ["run", "--source", "simulated:tiny"]
    wanted = {
        ("p/b.h5", "permission denied"): [*run, "--out", "p/b.h5"],
        ("p/r.csv", "Permission denied"): [*run, "--rois", "p/r.csv"],
        ("p/t.h5", "cannot be changed: permission denied"): ["recover", "p/t.h5"],
        ("p/t.h5", "cannot be opened: permission denied"): ["refine", "p/t.h5"],
        ("p/s.h5", "cannot be copied"): ["recover", "t.h5", "--out", "p/s.h5"],
        ("p/t.h5", "cannot be read: permission denied"): ["recover", "p/t.h5", "--out", "q.h5"],
        ("p/s.nwb", "cannot be read: permission denied"): ["import", "p/s.nwb"],
        ("p:", "cannot be read: permission denied"): ["import", "p"],
        ("t.h5", "holds no cells"): ["import", "t.h5", "--out", "p/s.json"],
        ("p/t.h5", "cannot be added: permission denied"): ["catalogue", "--add", "p/t.h5"],
        ("p/c.sqlite", "unable to open"): ["catalogue", "--catalogue", "p/c.sqlite"],
        ("p/s.csv", "Permission denied"): ["random-rois", "--out", "p/s.csv"],
        ("/p cannot be looked into", "permission denied"): ["catalogue", "--rebuild", "p"],
    }
    for words, (code, *said) in zip(wanted, without_rights(list(wanted.values()), closed), strict=True):
        assert code == 1
        assert said
        assert said[0].startswith("roi_stream: ")
        assert all(word in said[0] for word in words), said


@posix
def test_what_may_not_be_looked_at_is_missing_and_not_forgotten(closed):
    index = ["catalogue", "--catalogue", "c.sqlite"]
    ways = [index, [*index, "--rebuild", "ok"], [*index, "--forget-missing"], [*index, "--rebuild", "."]]
    told = without_rights(ways, closed)
    assert [code for code, *_ in told] == [0, 0, 0, 0]
    assert told[2][1] == "0 missing files forgotten"
    with Catalogue(closed / "c.sqlite") as catalogue:
        states = {Path(entry.path).parent.name: entry.state for entry in catalogue.find()}
        assert states["p"] is State.MISSING
        assert states["ok"] is State.COMPLETE
        (closed / "p").chmod(0o700)
        catalogue.refresh()
        assert {entry.state for entry in catalogue.find()} == {State.COMPLETE}
        (closed / "p" / "t.h5").unlink()
        catalogue.refresh()
        assert catalogue.forget_missing() == 1


def test_a_folder_and_a_name_too_long_are_sentences(tmp_path):
    long = f"{'l' * 300}.h5"
    run = ["run", "--source", "simulated:tiny"]
    record(tmp_path / "t.h5", 3)
    wanted = [
        ("cannot be changed: is a directory", ["recover", "."]),
        ("cannot be opened: is a directory", ["refine", "."]),
        ("cannot be opened: is a directory", ["export", ".", "--to", "csv"]),
        ("is too long", [*run, "--out", long]),
        ("ile name too long", [*run, "--rois", f"{'l' * 300}.csv"]),
        ("file name too long", ["recover", long]),
        ("file name too long", ["recover", "t.h5", "--out", long]),
        ("file name too long", ["refine", long]),
        ("file name too long", ["import", long]),
        ("file name too long", ["catalogue", "--add", long]),
        ("ile name too long", ["random-rois", "--out", f"{'l' * 300}.csv"]),
    ]
    told = without_rights([words for _, words in wanted], tmp_path)
    for (why, _), (code, *said) in zip(wanted, told, strict=True):
        assert code == 1
        assert said
        assert why in said[0]


def test_what_the_system_refuses_is_a_sentence_and_a_bug_is_none(tmp_path, monkeypatch, capsys):
    from roi_core.commands import settings

    def fails(error):
        def run(_arguments):
            raise error

        monkeypatch.setattr(settings, "run", run)

    monkeypatch.setattr(cli, "_warn_on_stderr", lambda: None)
    fails(PermissionError(13, "Permission denied", str(tmp_path)))
    assert cli.main(["settings"]) == 1
    assert capsys.readouterr().err == f"roi_stream: {tmp_path}: permission denied\n"
    for bug in (OSError("Can't decrement id ref count"), KeyError("x"), OSError(9, "Bad file descriptor", 7)):
        fails(bug)
        with pytest.raises(type(bug)):
            cli.main(["settings"])
        assert refused(bug) == ""
    assert sentence(KeyError("x")) == "KeyError: 'x'"


def test_what_is_there_is_asked_without_a_raise(tmp_path):
    for name in ("x" * 300, "a\0b"):
        path = tmp_path / name
        asked = (paths.is_there, paths.is_file, paths.is_folder)
        assert not any(ask(path) for ask in asked)
        assert paths.unseen(path)
    assert paths.unseen(tmp_path) == ""
    assert paths.is_gone(tmp_path / "no")
    assert not paths.is_gone(tmp_path)
