"""The catalogue is an index: whatever happened to it or to the files, a fresh scan says the same."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import h5py
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from roi_core.card import Card, LiveCard
from roi_core.catalogue import Catalogue, Query, State, place, read, remember
from roi_core.errors import CatalogueError, NotARecording
from roi_core.export import export
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated
from tests.test_cli import refused, roi_stream

NAMES = ("a.h5", "b.h5", "deep/c.h5")


def record(path, *fields, frames=20, texts=("recorder.disk_reserve=1",)):
    live = LiveSettings(Settings().with_texts(*texts))
    source = Simulated("tiny", live, paced=False, seed=3, length=frames)
    card = LiveCard(Card().with_texts(*fields))
    session = Session(source, live, RoiSet().add(Circle(20, 15, 4, name="soma")), card=card)
    session.record(path, essential=True)
    session.note("the lick spout was moved")
    session.start()
    session.wait()
    return path


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three recordings, the last in a folder below."""
    folder = tmp_path_factory.mktemp("three")
    record(folder / "a.h5", "subject.subject_id=m017", "imaging.indicator=GCaMP8m", "imaging.region=CA1")
    record(folder / "b.h5", "subject.subject_id=m018", "session.notes=100% awake", frames=30)
    record(folder / "deep" / "c.h5", "subject.subject_id=m017", texts=("recorder.movie=true",))
    return folder


@pytest.fixture
def files(three, tmp_path):
    return shutil.copytree(three, tmp_path / "files")


@pytest.fixture
def catalogue(tmp_path):
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue:
        yield catalogue


def names(found):
    return sorted(entry.path.rpartition("/")[2] for entry in found)


def test_a_line_tells_what_the_recording_does(files):
    entry = read(files / "b.h5")
    with h5py.File(files / "b.h5") as file:
        assert (entry.rows, entry.start) == (file.attrs["rows"], file.attrs["start_iso8601"].decode())
        assert entry.seconds == file["time"][-1, 0]
    assert (entry.state, entry.subject, entry.rois, entry.width, entry.height) == (
        "complete",
        "m018",
        1,
        64,
        48,
    )
    assert (entry.lost, entry.cells, entry.refined, entry.movie, entry.reason) == (
        0,
        None,
        None,
        False,
        "completed",
    )
    assert entry.text == "100% awake\nthe lick spout was moved"
    assert read(files / "deep" / "c.h5").movie


def test_what_is_none_of_ours_is_left_out(files, catalogue, caplog):
    export(files / "a.h5", "matlab")
    with h5py.File(files / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(NotARecording):
        read(files / "other.h5")
    assert catalogue.rebuild([files]) == 3
    assert catalogue.add([files / "other.h5"]) == []
    assert "other.h5 is not a recording" in caplog.text


def test_a_damaged_file_is_listed_as_such(files, catalogue):
    (files / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(4000))
    assert catalogue.rebuild([files]) == 3
    (damaged,) = catalogue.find(Query(unfinished=True))
    assert (damaged.state, damaged.rows, damaged.lost) == ("damaged", None, None)
    assert "a.h5" in damaged.reason


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), ["a.h5", "b.h5", "c.h5"]),
        (Query(subject="M017"), ["a.h5", "c.h5"]),
        (Query(("gcamp8M",)), ["a.h5"]),
        (Query(("spout", "ca1")), ["a.h5"]),
        (Query(("deep",)), ["c.h5"]),
        (Query(("100% AWAKE",)), ["b.h5"]),
        (Query(("100_",)), []),
        (Query(since="2026"), ["a.h5", "b.h5", "c.h5"]),
        (Query(since="2999-01"), []),
        (Query(until="2999"), ["a.h5", "b.h5", "c.h5"]),
        (Query(until="2020-12-31"), []),
        (Query(lost=True), []),
        (Query(unfinished=True), []),
    ],
)
def test_what_fits_is_found(three, tmp_path, query, found):
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue:
        catalogue.rebuild([three])
        assert names(catalogue.find(query)) == found


def test_newest_first_and_no_more_than_asked(files, catalogue):
    catalogue.rebuild([files])
    starts = [entry.start for entry in catalogue.find()]
    assert starts == sorted(starts, reverse=True)
    assert len(catalogue.find(Query(limit=2))) == 2


def test_unknown_losses_are_never_none(files, catalogue):
    with h5py.File(files / "a.h5", "r+") as file:
        file.attrs.modify("frames_dropped", 2**64 - 1)
    with h5py.File(files / "b.h5", "r+") as file:
        file.attrs.modify("frames_dropped", 3)
    catalogue.rebuild([files])
    found = {entry.path.rpartition("/")[2]: entry.lost for entry in catalogue.find(Query(lost=True))}
    assert found == {"a.h5": None, "b.h5": 3}


def test_what_was_away_is_known_and_comes_back(files, catalogue):
    catalogue.rebuild([files])
    (files / "a.h5").rename(files / "a.away")
    assert catalogue.refresh() == 1
    (gone,) = [entry for entry in catalogue.find() if entry.state is State.MISSING]
    assert gone.subject == "m017"
    (files / "a.away").rename(files / "a.h5")
    assert catalogue.refresh() == 1
    assert all(entry.state is State.COMPLETE for entry in catalogue.find())
    assert catalogue.refresh() == 0
    (files / "a.h5").unlink()
    catalogue.refresh()
    assert catalogue.forget_missing() == 1
    assert names(catalogue.find()) == ["b.h5", "c.h5"]


def test_a_folder_that_is_away_forgets_nothing(files, catalogue):
    catalogue.rebuild([files])
    with pytest.raises(CatalogueError, match="there is no folder"):
        catalogue.rebuild([files / "gone"])
    assert len(catalogue.find()) == 3


def test_a_folder_does_not_forget_its_namesake(files, catalogue):
    shutil.copytree(files, files.with_name("files2"))
    catalogue.rebuild([files.parent])
    shutil.rmtree(files)
    files.mkdir()
    assert catalogue.rebuild([files]) == 0
    assert [entry.state for entry in catalogue.find() if entry.path.startswith(f"{files}/")] == [
        "missing"
    ] * 3
    assert catalogue.forget_missing() == 3
    assert len(catalogue.find()) == 3


@given(steps=st.lists(st.tuples(st.sampled_from(["copy", "unlink", "mark", "add", "refresh", "rebuild"]),
                                st.sampled_from(NAMES)), max_size=12))  # fmt: skip
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happened_a_fresh_scan_says_the_same(three, tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("any")
    files = folder / "files"
    (files / "deep").mkdir(parents=True)
    with Catalogue(folder / "old.sqlite") as old, Catalogue(folder / "new.sqlite") as new:
        for number, (step, name) in enumerate(steps):
            _do(step, files / name, three / name, old, files, number)
        for name in NAMES:
            if (files / name).exists():
                old.add([files / name])
        old.refresh()
        old.forget_missing()
        new.rebuild([files])
        assert old.find() == new.find()


def _do(step, file, original, catalogue, folder, number):
    if step == "copy":
        shutil.copy(original, file)
    elif step == "unlink":
        file.unlink(missing_ok=True)
    elif step == "mark" and file.exists():
        with h5py.File(file, "r+") as opened:
            opened["session"].attrs["subject_id"] = f"m{number}"
    elif step == "add" and file.exists():
        catalogue.add([file])
    elif step == "refresh":
        catalogue.refresh()
    elif step == "rebuild":
        catalogue.rebuild([folder])


@pytest.mark.parametrize("content", [b"this is no database" * 300, None])
def test_one_that_is_no_use_is_set_aside_and_told(tmp_path, files, caplog, content):
    path = tmp_path / "catalogue.sqlite"
    if content is None:
        with sqlite3.connect(path) as base:
            base.execute("PRAGMA user_version = 99")
            base.execute("CREATE TABLE recording (path)")
        base.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with Catalogue(path) as catalogue:
        assert catalogue.find() == []
        assert len(catalogue.add([files / "a.h5"])) == 1
    assert (tmp_path / "catalogue.sqlite.old").read_bytes() == before
    assert "--rebuild FOLDER" in caplog.text


def test_a_program_that_holds_it_is_told_of(tmp_path, files, monkeypatch):
    monkeypatch.setattr("roi_core.catalogue.store.PATIENCE", 0.05)
    path = tmp_path / "catalogue.sqlite"
    with Catalogue(path) as catalogue:
        holder = sqlite3.connect(path)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogueError, match="another program holds it"):
            catalogue.add([files / "a.h5"])
        holder.close()
        assert len(catalogue.add([files / "a.h5"])) == 1


def test_two_programs_at_once(tmp_path, files):
    path, there = tmp_path / "catalogue.sqlite", [str(files / name) for name in NAMES]
    words = [sys.executable, "-m", "roi_core.cli", "catalogue", "--catalogue", str(path), "--add", *there]
    programs = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    with Catalogue(path) as catalogue:
        assert names(catalogue.find()) == ["a.h5", "b.h5", "c.h5"]


def test_remembering_makes_none_unless_asked_and_never_fails(tmp_path, files, caplog):
    path = tmp_path / "own" / "catalogue.sqlite"
    remember(path, files / "a.h5")
    assert not path.parent.exists()
    remember(path, files / "a.h5", make=True)
    with Catalogue(path) as catalogue:
        assert names(catalogue.find()) == ["a.h5"]
    (tmp_path / "file").touch()
    remember(tmp_path / "file" / "catalogue.sqlite", files / "a.h5", make=True)
    assert "cannot be used" in caplog.text


def test_where_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv("ROI_STREAM_CATALOGUE")
    assert place(str(tmp_path)) == tmp_path / "catalogue.sqlite"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert place() == tmp_path / "home" / "roi_stream" / "catalogue.sqlite"
    monkeypatch.chdir(tmp_path)
    assert place("data") == tmp_path / "home" / "data" / "catalogue.sqlite", "wherever it was started"
    monkeypatch.setenv("ROI_STREAM_CATALOGUE", str(tmp_path / "x"))
    assert place("elsewhere") == tmp_path / "x"


def test_from_the_command_line(tmp_path, files):
    env = {"ROI_STREAM_CATALOGUE": str(tmp_path / "catalogue.sqlite")}
    assert "there is no catalogue" in roi_stream("catalogue", env=env).stdout
    made = roi_stream("catalogue", "--rebuild", files, env=env)
    assert (made.returncode, made.stderr) == (0, f"3 recordings in {files}\n")
    head, *lines = made.stdout.splitlines()
    assert head.split() == ["start", "length", "subject", "cells", "lost", "state", "file"]
    assert len(lines) == 3
    assert max(map(len, made.stdout.splitlines())) <= 100
    out = tmp_path / "new.h5"
    assert roi_stream("--source", "simulated:tiny", "--max-frames", 20, "--out", out, env=env).returncode == 0
    known = json.loads(roi_stream("catalogue", "new.h5", "--json", env=env).stdout)
    assert [entry["rows"] for entry in known] == [20]
    assert "no recording fits" in roi_stream("catalogue", "nothing of that", env=env).stdout
    assert "no date" in refused("catalogue", "--since", "yesterday", code=2, env=env)
    assert "there is no folder" in refused("catalogue", "--rebuild", tmp_path / "gone", env=env)


def test_an_entry_is_what_was_put_in(files, catalogue):
    (put,) = catalogue.add([files / "a.h5"])
    assert catalogue.find() == [put]
    assert replace(put, state=State.COMPLETE) == put


@pytest.mark.parametrize("kind", ["recording", "database", "text"])
def test_a_file_of_another_kind_stays_as_it_is(tmp_path, files, kind):
    path = files / "a.h5"
    if kind == "database":
        path = tmp_path / "notes.db"
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE notes (text)")
            base.execute("PRAGMA user_version = 1")
        base.close()
    elif kind == "text":
        path = tmp_path / "notes.txt"
        path.write_text("of the day\n" * 300, encoding="utf-8")
    before = path.read_bytes()
    there = sorted(path.parent.iterdir())
    told = f"roi_stream: {path} is no catalogue and stays as it is; give another file"
    assert refused("catalogue", "--catalogue", path) == told
    assert (path.read_bytes(), sorted(path.parent.iterdir())) == (before, there)


def test_one_of_another_name_is_known_by_its_mark_when_it_is_damaged(tmp_path, files):
    path = tmp_path / "mine.index"
    with Catalogue(path) as catalogue:
        catalogue.add([files / "a.h5"])
    path.write_bytes(path.read_bytes()[:4096] + b"x" * 4096)
    with Catalogue(path) as catalogue:
        assert catalogue.find() == []
    assert (tmp_path / "mine.index.old").exists()


@pytest.mark.parametrize(
    ("word", "subject"), [("MÜNCHEN", "münchen"), ("strasse", "Straße"), ("é", "E\u0301")]
)
def test_words_are_found_in_every_alphabet(tmp_path, catalogue, word, subject):
    record(tmp_path / "a.h5", f"subject.subject_id={subject}")
    catalogue.add([tmp_path / "a.h5"])
    assert len(catalogue.find(Query((word,)))) == 1
    assert len(catalogue.find(Query(subject=word))) == 1


def test_what_is_finished_while_a_scan_runs_is_kept(tmp_path, files, catalogue):
    def finish(_):
        shutil.copy(files / "a.h5", files / "aaa.h5")
        remember(catalogue.path, files / "aaa.h5")

    catalogue.rebuild([files], progress=finish)
    assert names(catalogue.find()) == ["a.h5", "aaa.h5", "b.h5", "c.h5"]


def test_an_emptied_mount_point_forgets_nothing(files, catalogue):
    catalogue.rebuild([files])
    shutil.rmtree(files)
    files.mkdir()
    catalogue.rebuild([files])
    assert {(entry.state, entry.rows is None) for entry in catalogue.find()} == {(State.MISSING, False)}
    assert len(catalogue.find(Query(subject="m017"))) == 2


def test_a_file_is_listed_once_whatever_it_is_called(files, catalogue):
    (files / "link").symlink_to(files / "deep")
    (files / "again.h5").symlink_to(files / "a.h5")
    (files / "loop.h5").symlink_to(files / "loop.h5")
    catalogue.add(
        [files / "a.h5", files / "deep" / ".." / "a.h5", files / "again.h5", files / "link" / "c.h5"]
    )
    assert names(catalogue.find()) == ["a.h5", "c.h5"]
    assert catalogue.rebuild([files / "deep" / ".."]) == 4
    assert [entry.state for entry in catalogue.find() if entry.path.endswith("loop.h5")] == [State.MISSING]


def test_what_is_no_file_is_not_added(tmp_path, files):
    env = {"ROI_STREAM_CATALOGUE": str(tmp_path / "catalogue.sqlite")}
    for name in (files / "nope.h5", files):
        assert "--add takes files" in refused("catalogue", "--add", files / "a.h5", name, env=env)


def test_a_pipe_is_not_waited_for(files, catalogue):
    os.mkfifo(files / "pipe.h5")
    assert catalogue.rebuild([files]) == 3


def test_a_file_that_became_another_is_listed_no_more(files, catalogue):
    catalogue.rebuild([files])
    with h5py.File(files / "a.h5", "w") as file:
        file["x"] = 1
    catalogue.refresh()
    assert names(catalogue.find()) == ["b.h5", "c.h5"]


@pytest.mark.parametrize(
    "name", ["frames_dropped", "frame_rate", "part", "start_iso8601", "source", "resolution"]
)
@pytest.mark.parametrize("value", [[1, 2, 3], 2**64 - 1, b"m\xff", float("nan"), h5py.Empty("f4")])
def test_one_odd_file_does_not_end_a_scan(files, catalogue, name, value):
    with h5py.File(files / "a.h5", "r+") as file:
        file.attrs[name] = value
    assert catalogue.rebuild([files]) == 3
    assert len(catalogue.find()) == 3
    assert catalogue.find(Query(("nothing of that",))) == []


def test_a_name_that_is_no_text_is_told(files, catalogue, caplog):
    (files / "a.h5").rename(files / os.fsdecode(b"bad\xff.h5"))
    assert catalogue.rebuild([files]) == 2
    assert r"bad\udcff.h5' is no text; rename it" in caplog.text


def test_a_table_shows_no_control_characters(tmp_path, files):
    with h5py.File(files / "a.h5", "r+") as file:
        file.attrs["start_iso8601"] = b"2026\x1b[2J\n01"
    env = {"ROI_STREAM_CATALOGUE": str(tmp_path / "catalogue.sqlite")}
    shown = roi_stream("catalogue", "--add", files / "a.h5", env=env).stdout
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2
    assert "no recording fits" in roi_stream("catalogue", os.fsdecode(b"\xff"), env=env).stdout
    assert "no date" in refused("catalogue", "--since", "2026-99", code=2, env=env)


@pytest.mark.parametrize(("column", "value"), [("state", "\0omplete"), ("path", "a\0.h5")])
def test_a_line_with_damaged_text_is_no_traceback(tmp_path, column, value):
    path = record(tmp_path / "a.h5")
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue:
        catalogue.add([path])
    with closing(sqlite3.connect(tmp_path / "catalogue.sqlite")) as base, base:
        base.execute(f"UPDATE recording SET {column} = ?", (value,))
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue:
        if column == "state":
            with pytest.raises(CatalogueError, match=r"a line is damaged; make it anew with --rebuild"):
                catalogue.find()
        else:
            assert (catalogue.refresh(), catalogue.find()[0].state) == (1, "missing")
