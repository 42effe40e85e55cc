"""Events and pulses that other programs wrote down, beside a recording."""

import json
from datetime import timedelta

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core import layout
from roi_core.cli import main
from roi_core.errors import RecordingError, TableError
from roi_core.offline.outside import Wishes, add
from roi_core.offline.pulses import match, sentences
from roi_core.offline.tables import read, start_of
from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from tests.fakes import Ramp


@pytest.fixture
def path(tmp_path):
    """100 frames of 10 ms, of which the camera counts 40 to 44 as lost."""
    there = [*range(40), *range(45, 100)]
    session = Session(
        Ramp(indices=there), LiveSettings(Settings().with_texts("recorder.disk_reserve=1"))
    )  # fmt: skip
    session.record(tmp_path / "a.h5", essential=True)
    session.start()
    session.wait()
    return tmp_path / "a.h5"


def table(path, text):
    path = path.with_name("ttl.csv")
    path.write_text(text)
    return path


def everything(path):
    """Return what is in a file, but for its events."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, it: found.update({name: str(it[()])}) if hasattr(it, "shape") else None)
        found.update({name: str(value) for name, value in file.attrs.items()})
    return {name: value for name, value in found.items() if name != "events"}


def imported(path, text, **wishes):
    found = add(path, table(path, text), Wishes(**wishes))
    with Recording(path) as recording:
        last = recording.events[-1 - len(found.events) :]
    assert [event.kind for event in last] == [*[wishes.get("kind", "ttl")] * len(found.events), "imported"]
    return last[:-1]


def test_events_are_added_and_nothing_else_changes(path):
    before = everything(path)
    with Recording(path) as recording:
        old = recording.events
    events = imported(path, "time,what\n0.5,lick\n0.125,tone\n", kind="behaviour")
    assert [(round(event.time, 6), event.frame) for event in events] == [(0.125, 12), (0.5, 50)]
    assert events[0].data == {"file": "ttl.csv", "line": 3, "original": "0.125", "row": {"what": "tone"}}
    assert everything(path) == before
    with Recording(path) as recording:
        assert recording.events[: len(old)] == old
        assert recording.complete
        assert recording.events[-1].data["events"] == 2
    lines = path.with_suffix(".jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines[-3:]] == ["behaviour", "behaviour", "imported"]
    assert not list(path.parent.glob("*.draft*"))


def test_the_same_table_is_not_imported_twice(path):
    imported(path, "0.1\n0.2\n")
    with pytest.raises(TableError, match=r"imported already, on 2.*: 2 events of kind ttl; nothing is added"):
        add(path, path.with_name("ttl.csv"), Wishes(offset=1.0))
    imported(path, "0.1\n0.2\n0.3\n")


def test_a_table_of_two_kinds_is_imported_in_two_goes(path):
    text = "t,type\n0.1,lick\n0.2,reward\n0.3,lick\n"
    assert len(imported(path, text, where="type=lick", kind="lick")) == 2
    assert len(imported(path, text, where="type=reward", kind="reward")) == 1
    with pytest.raises(TableError, match="2 events of kind lick; nothing is added"):
        add(path, path.with_name("ttl.csv"), Wishes(where="type=lick", kind="other"))


@pytest.mark.parametrize(
    ("clock", "text", "offset", "wanted"),
    [
        ("seconds", "0.2\n0.4\n", 0.1, [0.3, 0.5]),
        ("ms", "t;x\n200;1\n400.5;0\n", 0.0, [0.2, 0.4005]),
        ("frame", "frame\tx\n0\t1\n39\t1\n42\t1\n99\t1\n", 0.0, [0.0, 0.39, 0.42, 0.99]),
        ("frame", "-10\n110\n", 0.0, [-0.1, 1.1]),
        ("seconds", "0,15;a\n0,25;b\n", 0.0, [0.15, 0.25]),
        ("seconds", "0,15\ta, b, c\n0,25\td\n", 0.0, [0.15, 0.25]),
        ("seconds", '# Ort; Tag\n0.15,"a; b"\n0.25,c\n', 0.0, [0.15, 0.25]),
    ],
)
def test_clocks(path, clock, text, offset, wanted):
    events = imported(path, text, clock=clock, offset=offset)
    np.testing.assert_allclose([event.time for event in events], wanted, atol=1e-9)


def test_dates_are_counted_from_the_start_of_the_recording(path):
    with Recording(path) as recording:
        start = start_of(recording)
    first, second = start + timedelta(seconds=0.25), start + timedelta(seconds=0.75)
    elsewhere = second.astimezone(tz=None).isoformat()
    text = f"when\n{first.replace(tzinfo=None).isoformat()}\n{elsewhere}\n"
    events = imported(path, text, clock="iso")
    np.testing.assert_allclose([event.time for event in events], [0.25, 0.75], atol=1e-6)
    (late,) = imported(path, f"{(start.timestamp() + 5):.6f}\n", clock="epoch")
    assert late.time == pytest.approx(5.0, abs=1e-5)
    assert late.frame == 99


def test_columns_and_lines_can_be_chosen(path):
    text = "# by Bonsai\nstate,Time (s)\n1,0.1\n0,0.2\n\n1,0.3\n"
    rising = imported(path, text, column="Time (s)", where="state=1")
    assert [event.data["line"] for event in rising] == [3, 6]
    text = "1,0.1\n0,0.2\n"
    (falling,) = imported(path, text, column="2", where="1=0")
    assert falling.data["row"] == {"column1": "0"}


@pytest.mark.parametrize(
    ("text", "wishes", "why"),
    [
        ("0.1\nx\n", {}, "line 2: 'x' is not a time: seconds since the first frame"),
        ("0.1\nnan\n", {}, "line 2: 'nan' is not a time"),
        ("0.1\n1_000\n", {}, "line 2: '1_000' is not a time"),
        ("1.234,5;a\n", {}, "line 1: '1.234,5' is not a time"),
        ('"1,234"\n', {}, "line 1: '1,234' is not a time"),
        (
            "t,type\n1,a\n",
            {"where": "type"},
            "'type' does not say which lines: COLUMN=VALUE, such as state=1",
        ),
        ("t,type\n1,a\n", {"where": "type==a"}, "no line has type==a"),
        ("t,type\n1,a\n", {"where": "type=b"}, "no line has type=b"),
        ("0.1\n1e300\n", {}, "line 2: '1e300' is not a time"),
        ("a,b\n1,2\n", {"column": "c"}, "it has no column 'c'; it has a, b"),
        ("a,b\n1,2\n", {"where": "c=1"}, "it has no column 'c'"),
        ("a,b\n1,2\n3\n", {"column": "b"}, "line 3: it has no b"),
        ("time\n", {}, "it holds no times"),
        ("", {}, "it holds no times"),
        ("yesterday\nnow\n", {"clock": "iso"}, "'now' is not a time: date and time, such as"),
        ("0.1\n", {"kind": "gap"}, "cannot be called 'gap'"),
        ("0.1\n", {"kind": "cell_named"}, "cannot be called 'cell_named'"),
        ("0.1\n", {"kind": "quality"}, "cannot be called 'quality'"),
        ("0.1\n", {"kind": "two words"}, "1 to 16 small letters"),
        ("\0\xff\n", {}, "is not a time|not a table|no times"),
    ],
)
def test_what_cannot_be_imported_is_told_and_changes_nothing(path, text, wishes, why):
    before = path.read_bytes()
    with pytest.raises(TableError, match=why):
        add(path, table(path, text), Wishes(**wishes))
    with Recording(path) as recording:
        assert recording.events[-1].kind == "stop"
    assert path.read_bytes()[: len(before)] == before


def test_files_that_are_no_tables_are_refused(path, tmp_path):
    for bad in (tmp_path / "none.csv", tmp_path, path):
        with pytest.raises(TableError):
            add(path, bad, Wishes())


def test_a_recording_being_written_or_unfinished_is_left_alone(path):
    ttl = table(path, "0.1\n")
    with h5py.File(path, "r+"), pytest.raises(RecordingError, match="open in another program"):
        add(path, ttl, Wishes())
    with h5py.File(path, "r+") as file:
        file.attrs.modify("complete", np.uint8(0))
    with pytest.raises(RecordingError, match="is not finished: run roi_stream recover"):
        add(path, ttl, Wishes())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("t") / "x.csv"
    path.write_bytes(data)
    try:
        for line in read(path):
            assert line.time
    except TableError:
        pass


def frames(n=2000, period=0.025, seed=0, jitter=0.002):
    time = period * np.arange(n) + jitter * np.random.default_rng(seed).uniform(-1, 1, n)
    return time - time[0]


def found(time, index, pulses, **more):
    match_ = match("ttl.csv", time, index, pulses, **more)
    return match_, list(sentences(match_, time, index, len(pulses), "ttl.csv"))


@settings(max_examples=25)
@given(
    start=st.floats(-1e4, 1e4), ppm=st.floats(-200, 200), lost=st.integers(0, 9), at=st.integers(20, 1980),
    counted=st.booleans(), jitter=st.floats(0, 0.004),
)  # fmt: skip
def test_lost_frames_are_found_whatever_the_clocks(start, ppm, lost, at, counted, jitter):
    ideal = 0.025 * np.arange(2000)
    pulses = start + ideal / (1 + 1e-6 * ppm)
    kept = np.r_[0:at, min(at + lost, 1990) : 2000]
    index = kept if counted else np.arange(len(kept))
    result, said = found(frames(jitter=jitter)[kept], index, pulses)
    np.testing.assert_array_equal(result.pulse, kept)
    missing = 2000 - len(kept)
    assert [(hole.row, hole.pulses, hole.counted) for hole in result.holes] == (
        [(at - 1, missing, missing * counted)] if missing else []
    )
    assert result.speed == pytest.approx(ppm, abs=20)
    if missing:
        assert (f"counted {missing} lost, too" if counted else "went unnoticed") in said[-1]
    else:
        assert said[-1] == "every row has its pulse, and every pulse in between its row"


def test_the_three_counts_are_told():
    kept = np.r_[0:500, 503:1000]
    _, said = found(frames(1000)[kept], kept + 7, 0.025 * np.arange(1002))
    assert (
        said[0]
        == "the camera counted 1000 frames (7 to 1006), the file holds 997 rows, ttl.csv has 1002 pulses"
    )
    assert "2 pulses after the last row" in said
    assert said[-1].startswith("between frames 506 and 510 (at 12.4")
    assert said[-1].endswith("3 pulses have no row; the camera counted 3 lost, too")


def test_a_pulse_that_was_not_logged_is_told():
    pulses = np.delete(0.025 * np.arange(1000), 600)
    result, said = found(frames(1000), np.arange(1000), pulses)
    assert result.alone.tolist() == [600]
    assert said[-1].startswith("row 600 (frame 600, at 1")


def test_a_log_that_began_earlier_is_shifted_when_a_gap_tells():
    kept = np.r_[0:500, 503:1000]
    pulses = np.delete(0.025 * (np.arange(1010) - 6), slice(506, 509))
    result, said = found(frames(1000)[kept], np.arange(len(kept)), pulses)
    assert (result.before, result.after) == (6, 4)
    assert result.unique
    assert "6 pulses before the first row" in said


@pytest.mark.parametrize("lacking", [3, 100, 298])
def test_a_log_that_began_long_before_is_told_by_its_dates(lacking):
    """300 rows; the log has 200 pulses more before, 210 after, and lacks one in between."""
    pulses = np.delete(0.025 * (np.arange(710) - 200) + 0.009, 200 + lacking)
    result, said = found(frames(300), np.arange(300), pulses, dated=True)
    assert (result.before, result.after, result.alone.tolist()) == (200, 210, [lacking])
    assert result.unique
    assert said[-1].startswith(f"row {lacking} ")
    guess, said = found(frames(300), np.arange(300), pulses)
    assert not guess.unique
    assert "all that follows is a guess: only --clock iso or epoch" in said[2]
    assert not said[-1].startswith("every row has its pulse")


def test_a_log_that_began_long_before_is_shifted_when_a_gap_tells():
    kept = np.r_[0:500, 503:1000]
    pulses = np.delete(0.025 * (np.arange(1500) - 300), slice(800, 803))
    result, _ = found(frames(1000)[kept], np.arange(len(kept)), pulses)
    assert (result.before, result.after) == (300, 200)
    assert result.unique


def test_a_log_that_began_long_after_leaves_rows_alone():
    result, said = found(frames(1000), np.arange(1000), 0.025 * np.arange(300, 1000), dated=True)
    assert result.alone.tolist() == list(range(300))
    assert result.unique
    assert "row 299 (frame 299, at 7.4" in said[-1]


def test_clocks_that_cannot_both_be_right_are_told():
    kept = np.r_[0:500, 503:1000]
    pulses = 0.025 * kept + 0.25
    result, said = found(frames(1000)[kept], np.arange(len(kept)), pulses, dated=True)
    assert not result.unique
    assert "other beginnings would fit better: are both clocks right?" in said[2]
    with pytest.raises(TableError, match=r"outside the recording .*: are --clock and --offset right"):
        found(frames(1000), np.arange(1000), pulses + 3600, dated=True)


@pytest.mark.parametrize(
    ("pulses", "why"),
    [
        (0.05 * np.arange(500), "pulses come every 50 ms and frames every 2.* ms; one pulse a frame"),
        (0.025 * np.arange(5), "5 pulses and 1000 rows are too few"),
        (np.r_[0.025 * np.arange(50), 0.1], "pulse 51 does not come after"),
        (np.cumsum(np.random.default_rng(0).exponential(0.036, 900)), "do not fit the frames"),
    ],
)
def test_pulses_that_are_none_of_these_frames_are_refused(pulses, why):
    with pytest.raises(TableError, match=why):
        found(frames(1000), np.arange(1000), pulses)


def test_the_command(path, capsys):
    ttl = table(path, "t,state\n" + "".join(f"{1000 + 10 * k},1\n{1003 + 10 * k},0\n" for k in range(100)))
    words = ["events", str(path)]
    pulses = ["--pulses", str(ttl), "--clock", "ms", "--where", "state=1"]
    assert main([*words, *pulses]) == 0
    said = capsys.readouterr().out.splitlines()
    assert (
        said[0] == "the camera counted 100 frames (0 to 99), the file holds 95 rows, ttl.csv has 100 pulses"
    )
    assert (
        "between frames 39 and 45 (at 0.390 s): 5 pulses have no row; the camera counted 5 lost, too" in said
    )
    assert main([*words, *pulses, "--offset", "-0.9"]) == 0
    said = capsys.readouterr().out
    assert "are both clocks right?" in said
    assert "row 0 (frame 0, at 0.000 s) has no pulse" in said
    assert main([*words, "--pulses", str(ttl), "--clock", "ms"]) == 1
    assert "one pulse a frame is needed" in capsys.readouterr().err
    assert main([*words, "--pulses", str(ttl), "--clock", "frame"]) == 2
    capsys.readouterr()
    more = ["--import", str(ttl), "--clock", "ms", "--offset", "-1", "--where", "state=1", "--kind", "led"]
    assert main([*words, *more, "--dry-run"]) == 0
    assert "100 events would be added to" in capsys.readouterr().out
    assert main([*words, *more]) == 0
    assert f"100 events added to {path}: 0.000 s to 0.990 s" in capsys.readouterr().out
    assert main([*words, "--kind", "led"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 21
    assert said[-1] == "... and 80 more (--all)"
    assert main(["info", str(path)]) == 0


def test_every_kind_that_a_recording_tells_is_known_as_its_own(exported_from):
    with Recording(exported_from) as recording:
        kinds = {event.kind for event in recording.events}
    assert {"birth", "note", "stop"} <= kinds
    assert kinds <= layout.OUR_EVENTS | {"note", "marker"}
