"""Clocks as they are: what is wrong is found, what can be believed is kept, and times always increase."""

import gzip
import json

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.cli import main
from roi_core.clock import Finding, Kind, examine, repair
from roi_core.errors import SourceError
from roi_core.sources import tables
from roi_core.sources.tables import read_clocks, read_table

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
PERIOD = 0.05


def found(times, **more):
    """Return (kind, row, rows) of everything that is wrong."""
    return [(each.kind, each.row, each.rows) for each in examine(np.array(times, float), **more).found]


def ticking(rows, period=PERIOD, seed=0):
    """Return the times of a good camera with 10 % of jitter."""
    return np.arange(rows) * period + np.random.default_rng(seed).uniform(0, 0.1 * period, rows)


class TestAnyClock:
    @given(st.lists(ANY | st.integers(0, 20).map(float), max_size=80), st.floats(0, 1000))
    def test_gives_times_that_increase(self, raw, rate):
        times, findings = repair(np.array(raw, float), rate)
        assert len(times) == len(raw)
        assert np.isfinite(times).all()
        assert (np.diff(times) > 0).all()
        assert findings.period > 0
        assert all(finding.sentence for finding in findings.found)

    @given(st.lists(st.integers(1, 5), min_size=1, max_size=60), st.lists(ANY, min_size=60, max_size=60))
    def test_also_with_frame_numbers(self, steps, raw):
        times, _ = repair(np.array(raw[: len(steps)], float), 20.0, np.cumsum(steps))
        assert (np.diff(times) > 0).all()

    @given(st.integers(0, 400), st.floats(0.001, 2.0), st.integers(0, 9), st.floats(-1e9, 2e9))
    def test_that_is_clean_comes_back_as_it_is(self, rows, period, seed, start):
        raw = start + ticking(rows, period, seed)
        times, findings = repair(raw)
        np.testing.assert_array_equal(times, raw)
        assert findings.found == ()
        assert findings.believed.all()

    @given(st.dictionaries(st.integers(50, 250), st.integers(1, 40), max_size=6), st.integers(0, 9))
    def test_has_its_gaps_counted(self, holes, seed):
        """Frames are taken out of a good clock: so many are told to be missing, at these rows."""
        keep = np.ones(300, bool)
        for row, width in holes.items():
            keep[row : row + width] = False
        raw = ticking(300, seed=seed)[keep]
        numbers = np.flatnonzero(keep)
        findings = examine(raw)
        assert findings.missing == 300 - len(raw)
        assert [gap.row for gap in findings.of(Kind.GAP)] == (
            np.flatnonzero(np.diff(numbers) > 1) + 1
        ).tolist()
        assert len(findings.found) == len(findings.of(Kind.GAP))
        np.testing.assert_array_equal(repair(raw)[0], raw, "a gap stays a gap")
        counted = examine(raw, numbers=numbers)
        assert counted.found == counted.of(Kind.COUNT), "the camera's own count explains them"
        assert counted.missing == numbers[-1] + 1 - len(raw)

    @given(
        st.sets(st.integers(1, 58), max_size=9),
        st.floats(0.3, 4000) | st.floats(-4000, -0.3),
        st.integers(0, 9),
    )
    def test_that_strays_is_put_back(self, rows, off, seed):
        """Single stamps leave the line by seconds to an hour; they are put back on it."""
        true = ticking(300, seed=seed)
        raw, places = true.copy(), [5 * row for row in rows]
        raw[places] += off
        times, findings = repair(raw)
        np.testing.assert_allclose(times, true, atol=PERIOD)
        assert sorted(each.row for each in findings.found) == sorted(places)
        kind = Kind.JUMP if abs(off) > 60.1 else Kind.STRAY
        assert {each.kind for each in findings.found if not 59.9 < abs(off) < 60.1} <= {kind}

    @given(
        st.lists(st.integers(3, 60), min_size=1, max_size=4),
        st.floats(6, 59.9) | st.floats(60.1, 90_000) | st.floats(-59.9, -6) | st.floats(-90_000, -60.1),
        st.integers(0, 9),
    )
    def test_that_is_set_and_comes_back_is_put_back_however_long_it_takes(self, lengths, off, seed):
        true, row = ticking(400, seed=seed), 40
        raw, places = true.copy(), []
        for length in lengths:
            raw[row : row + length] += off
            places.append((row, length))
            row += length + 25
        times, findings = repair(raw)
        np.testing.assert_allclose(times, true, atol=PERIOD)
        assert [(each.row, each.rows) for each in findings.found] == places
        assert {each.kind for each in findings.found} == {Kind.JUMP if abs(off) >= 60 else Kind.STRAY}
        assert findings.missing == 0

    @given(st.integers(10, 290), st.floats(0.2, 5000), st.integers(0, 9))
    def test_that_is_set_back_goes_on(self, row, size, seed):
        true = ticking(300, seed=seed)
        raw = true.copy()
        raw[row:] -= size
        times, findings = repair(raw)
        np.testing.assert_allclose(times, true, atol=0.2 * PERIOD)
        assert [(each.kind, each.row) for each in findings.found] == [(Kind.BACK, row)]
        assert findings.found[0].size == pytest.approx(size, abs=0.2 * PERIOD)


@pytest.mark.parametrize(
    ("raw", "times", "told"),
    [
        ([], [], []),
        ([7], [7], []),
        ([0, 1, 2, 3], [0, 1, 2, 3], []),
        ([0, 1, 99, 3, 4], [0, 1, 2, 3, 4], [(Kind.JUMP, 2, 1)]),
        ([0, 1, 2, 3, 9, 10, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8], [(Kind.STRAY, 4, 2)]),
        ([9e6, 0, 1, 2, 3], [-1, 0, 1, 2, 3], [(Kind.FIRST, 0, 1)]),
        ([-9e6, 0, 1, 2, 3], [-1, 0, 1, 2, 3], [(Kind.FIRST, 0, 1)]),
        ([0, 1, 1, 2, 3], [0, 0.5, 1, 2, 3], [(Kind.DUPLICATE, 1, 1)]),
        ([7, 7, 7], [7 - 2 / 30, 7 - 1 / 30, 7], [(Kind.DUPLICATE, 0, 2)]),
        ([0, 1, 2, 2, 2, 3, 4], [0, 1, 4 / 3, 5 / 3, 2, 3, 4], [(Kind.DUPLICATE, 2, 2)]),
        ([0, 1, np.nan, 3, 4], [0, 1, 2, 3, 4], [(Kind.NUMBER, 2, 1)]),
        ([np.nan] * 3, [0, 1 / 30, 2 / 30], [(Kind.NUMBER, 0, 3)]),
        ([0, 1, 2, 50, 51, 52], [0, 1, 2, 50, 51, 52], [(Kind.GAP, 3, 1)]),
        ([5, 6, 7, 0, 1, 2], [5, 6, 7, 8, 9, 10], [(Kind.BACK, 3, 1)]),
        ([0, 1, 2, 5, 5.1, 5.2, 6, 7, 8], [0, 1, 2, 5, 5.1, 5.2, 6, 7, 8], [(Kind.LATE, 3, 1)]),
    ],
    ids=["none", "one", "good", "spike", "two ahead", "garbage first", "garbage before", "twice the same",
         "all the same", "thrice the same", "no number", "no numbers", "a pause", "set back",
         "late and caught up"],
)  # fmt: skip
def test_repairs_by_the_rule(raw, times, told):
    raw = np.array(raw, float)
    np.testing.assert_allclose(repair(raw)[0], times)
    assert found(raw) == told


def test_tells_each_of_a_few_and_the_worst_of_many():
    raw = ticking(400)
    raw[[50, 100]] += 5
    assert [note[:20] for note in examine(raw).notes("a.csv: ")] == [
        "a.csv: row 50: 1 row",
        "a.csv: row 100: 1 ro",
    ]
    raw[[150, 200, 250]] -= 7
    (note,) = examine(raw).notes()
    assert note.startswith("5 stamps off the line; the worst, row ")
    assert Finding(Kind.GAP, 7, 0.649, missing=12).sentence == (
        "row 7: 0.649 s after the row before: about 12 frames missing, or a pause"
    )


def test_what_the_cameras_own_count_misses_is_told():
    numbers = np.r_[0:50, 51:100, 149:200]
    findings = examine(numbers * PERIOD, numbers=numbers)
    assert findings.missing == 50
    assert findings.notes() == [
        "row 50: 1 frame missing before it by the camera's own count",
        "row 99: 49 frames missing before it by the camera's own count",
    ]


class TestRealClocks:
    """Numbers found by hand, with numpy.diff and a look at each place."""

    @pytest.fixture
    def folder(self, shared):
        return shared / "data" / "test-only" / "timestamps"

    def test_two_cameras_in_one_table(self, folder):
        clocks = read_clocks(folder / "caflow_v3_timestamp.dat.gz")
        assert [(clock.name, clock.unit, len(clock.times)) for clock in clocks] == [
            ("camera 0 sysClock", "ms", 41183),
            ("camera 1 sysClock", "ms", 41186),
        ]
        for clock, duplicates, long in zip(clocks, (1, 0), (35, 51), strict=True):
            times, findings = repair(clock.times, numbers=clock.numbers)
            assert (findings.negative, findings.duplicates) == (1, duplicates)
            assert findings.of(Kind.FIRST)[0].size == pytest.approx(1991184.3, abs=0.2)
            assert (~findings.believed).sum() == 1 + duplicates
            assert len(findings.of(Kind.GAP)) + len(findings.of(Kind.LATE)) == pytest.approx(long, abs=1)
            assert max(each.size for each in findings.found[1:]) == pytest.approx(0.386)
            assert (np.diff(times) > 0).all()
            np.testing.assert_array_equal(
                times[1:][findings.believed[1:]], clock.times[1:][findings.believed[1:]]
            )

    @pytest.mark.parametrize(
        ("name", "negative", "strays", "gaps", "missing"),
        [("1d", (11, 164), (11, 161), 42, 63), ("2d", (1, 48), (1, 47), 1, 1)],
    )
    def test_two_clocks_of_one_camera_agree_once_repaired(
        self, folder, name, negative, strays, gaps, missing
    ):
        """First and last line of each frame, 45 ms apart: the one clock fails often, the other seldom."""
        clocks = read_clocks(folder / f"placecell_{name}_neural_timestamp.csv.gz")
        assert [clock.name for clock in clocks] == ["timestamp_first", "timestamp_last"]
        both = [repair(clock.times, numbers=clock.numbers) for clock in clocks]
        assert tuple(findings.negative for _, findings in both) == negative
        for (times, findings), stray in zip(both, strays, strict=True):
            assert (np.diff(times) > 0).all()
            assert len(findings.of(Kind.STRAY) + findings.of(Kind.JUMP)) == stray
            assert (len(findings.of(Kind.GAP)), findings.missing) == (gaps, missing)
            assert findings.of(Kind.BACK) == ()
        apart = both[1][0] - both[0][0]
        assert np.abs(apart - np.median(apart)).max() < PERIOD, "nowhere by a frame"
        assert np.percentile(np.abs(apart - np.median(apart)), 99) < 0.2 * PERIOD

    def test_are_told_on_the_command_line(self, folder, capsys):
        assert main(["clock", str(folder / "caflow_v3_timestamp.dat.gz")]) == 0
        told = capsys.readouterr().out
        assert "camera 0 sysClock, in ms: 41183 rows" in told
        assert "the first value is +1.99118e+06 s off: garbage" in told
        assert main(["clock", str(folder / "placecell_1d_neural_timestamp.csv.gz"), "--json"]) == 0
        clocks = json.loads(capsys.readouterr().out)["clocks"]
        assert [(clock["negative_steps"], clock["missing"]) for clock in clocks] == [(11, 63), (164, 63)]


class TestATable:
    def write(self, folder, text, name="a.csv"):
        (folder / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return folder / name

    @pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.txt"])
    @pytest.mark.parametrize(
        ("text", "unit"),
        [
            ("Frame Number,Time Stamp (ms),Buffer Index\n0,0,1\n1,50,1\n2,100,1\n", "ms"),
            ("frame;t_stamp_us\n0;0\n1;50000\n2;100000", "us"),
            ("0 0.0\n1 0.05\n2 0.1\n", "s"),
            ("\ufeff0\n50\n100\nend\n", "ms"),
            ("frame,time\n0,0\n1,50000000\n2,100000000\n7,\n", "ns"),
            ("frame;time (s)\n0;0,00\n1;0,05\n2;0,10\n", "s"),
            ("camera_timestamp,ttl\n0,0\n50,1\n100,0\n", "ms"),
        ],
    )
    def test_is_read_in_its_unit(self, tmp_path, name, text, unit):
        (clock,) = read_clocks(self.write(tmp_path, text, name))
        np.testing.assert_allclose(clock.times, [0, 0.05, 0.1])
        assert clock.unit == unit
        assert clock.numbers is None or clock.numbers.tolist() == [0, 1, 2]

    @pytest.mark.parametrize("torn", [0, 5, 9])
    @pytest.mark.parametrize("header", ["", "frame,time (s)\n"])
    def test_with_a_torn_line_keeps_the_places_of_the_others(self, tmp_path, torn, header):
        lines = [f"{k},{k * PERIOD:.2f}" for k in range(12)]
        lines[torn] = f"{torn}"
        (clock,) = read_clocks(self.write(tmp_path, header + "\n".join(lines)))
        times, findings = repair(clock.times, numbers=clock.numbers)
        np.testing.assert_allclose(times, np.arange(12) * PERIOD, atol=1e-9)
        assert [(each.kind, each.row) for each in findings.found] == [(Kind.NUMBER, torn)]

    def test_tells_the_lines_it_leaves_out(self, tmp_path, caplog):
        read_table(self.write(tmp_path, "0 1\n1 2\nwhat\n2 3\n3 4 5\n7\n"))
        read_table(self.write(tmp_path, "time\n1\n2\nend\n"))
        assert caplog.messages == [
            "a.csv: 3 lines, the first is 3, are no row of 2 numbers and left out",
            "a.csv: line 4 is no row of 1 number and left out",
        ]

    def test_keeps_the_rows_of_no_camera(self, tmp_path):
        clocks = read_clocks(self.write(tmp_path, "camNum,time (s)\nnan,0\nnan,1\n1,0\n1,1\n"))
        assert [(clock.name, len(clock.times)) for clock in clocks] == [
            ("camera 1 time (s)", 2),
            ("camera nan time (s)", 2),
        ]

    @pytest.mark.parametrize(
        ("text", "name", "told"),
        [
            ("", "a.csv", "holds no time stamps"),
            ("frame,time\n", "a.csv", "holds no time stamps"),
            ("what a day\n", "a.csv", "holds no time stamps"),
            ("II*\0\1\0 1 2 3\n", "a.tif", "is no text"),
            ("frame,x,y\n0,1,2\n", "a.csv", "has no column of times; its columns are frame, x, y"),
        ],
    )
    def test_that_is_none_is_refused(self, tmp_path, text, name, told):
        with pytest.raises(SourceError, match=told):
            read_clocks(self.write(tmp_path, text, name))

    def test_that_is_far_too_long_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tables, "MOST", 3)
        assert len(read_table(self.write(tmp_path, "0\n1\n2\n")).rows) == 3
        with pytest.raises(SourceError, match="has more than 3 lines: that is no table of time stamps"):
            read_table(self.write(tmp_path, "0\n1\n2\n3\n"))

    def test_that_cannot_be_read_is_refused(self, tmp_path):
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0 1\n" * 5000)[:-20])
        for name, told in {
            "a.csv.gz": "it is damaged",
            "none.csv": "is not there",
            "": "is a directory",
        }.items():
            with pytest.raises(SourceError, match=told):
                read_table(tmp_path / name)

    @given(st.binary(max_size=300), st.booleans())
    def test_of_any_bytes_is_read_or_refused(self, tmp_path_factory, data, zipped):
        path = tmp_path_factory.mktemp("any") / ("a.gz" if zipped else "a.csv")
        path.write_bytes(data)
        try:
            clocks = read_clocks(path)
        except SourceError:
            return
        for clock in clocks:
            times, _ = repair(clock.times, numbers=clock.numbers)
            assert (np.diff(times) > 0).all()

    @given(st.lists(st.lists(st.floats() | st.integers(), min_size=1, max_size=4), max_size=30))
    def test_of_any_numbers_is_read_or_refused(self, tmp_path_factory, rows):
        path = tmp_path_factory.mktemp("any") / "a.csv"
        path.write_text("\n".join(",".join(map(str, row)) for row in rows))
        try:
            clocks = read_clocks(path)
        except SourceError:
            return
        for clock in clocks:
            assert (np.diff(repair(clock.times, numbers=clock.numbers)[0]) > 0).all()


def test_a_recording_whose_times_were_changed_is_played_with_increasing_ones(tmp_path, caplog):
    from tests.core.test_ledger import recorded
    from tests.core.test_sources_files import opened
    from tests.fakes import Ramp

    _, path = recorded(tmp_path, Ramp(20), "recorder.movie=true")
    assert main(["clock", str(path)]) == 0
    with h5py.File(path, "r+") as file:
        file["time"][7] = 99.0
    source = opened(path)
    np.testing.assert_allclose([frame.time for frame in source.frames()], np.arange(20) / 100)
    source.close()
    assert "a.h5: /time: row 7: the clock is off by +98.93 s for 1 row and comes back" in caplog.messages
