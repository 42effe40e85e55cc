"""When the frames of a file were taken, and whom they show: from the file into the recording and beyond."""

import json
from datetime import UTC, datetime, timedelta, timezone

import h5py
import numpy as np
import pytest
import tifffile

from roi_core import layout
from roi_core.card import Card, LiveCard
from roi_core.catalogue.entry import read
from roi_core.console import describe_recording
from roi_core.errors import TableError
from roi_core.export import export
from roi_core.export.nwb_light import is_one_photon
from roi_core.offline.outside import Wishes, add
from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import Played, Transport, open_source
from roi_core.sources.dates import of_miniscope
from tests.core.test_sources_files import MOVIE, opened
from tests.core.test_sources_miniscope import write_session
from tests.fakes import Ramp
from tests.test_cli import roi_stream

PACIFIC = timezone(timedelta(hours=-7))
BEGUN = datetime(2021, 10, 7, 15, 3, 28, 635000, PACIFIC)
START = {
    "year": 2021, "month": 10, "day": 7, "hour": 15, "minute": 3, "second": 28, "msec": 635,
    "msecSinceEpoch": 1633644208635,
}  # fmt: skip


def miniscope(folder):
    """Write a session whose first frame came 7 ms before its start."""
    session = write_session(folder)
    told = {"animalName": "m017", "researcherName": "Cajal", "miniscopes": ["Miniscope"]}
    (session / "metaData.json").write_text(json.dumps(told | {"recordingStartTime": START}))
    device = json.loads((session / "Miniscope" / "metaData.json").read_text())
    (session / "Miniscope" / "metaData.json").write_text(json.dumps(device | {"deviceType": "Miniscope_V3"}))
    return session


def recorded(source, path, *texts, card=None):
    live = LiveSettings(Settings().with_texts("recorder.disk_reserve=1", "recorder.movie=true", *texts))
    source = source if hasattr(source, "frames") else open_source(str(source), live)
    session = Session(source, live, card=card)
    session.record(path, essential=True)
    session.start()
    session.wait()
    return path


def told(path):
    """Return what is said of the beginning: the date, what it is, and the animal."""
    with Recording(path) as recording:
        known = recording.attributes
        start = datetime.fromisoformat(known["start_iso8601"])
        return start, known["start_is"], recording.card.subject.subject_id


@pytest.fixture
def first(tmp_path):
    """The session of a Miniscope as a recording."""
    return recorded(miniscope(tmp_path / "there"), tmp_path / "ms.h5")


@pytest.fixture
def undated(tmp_path):
    np.save(tmp_path / "a.npy", MOVIE)
    return recorded(tmp_path / "a.npy", tmp_path / "undated.h5")


class TestMiniscope:
    def test_a_recording_has_the_date_the_zone_and_the_animal_of_the_session(self, first):
        assert told(first) == (BEGUN - timedelta(milliseconds=7), layout.OF_SOURCE, "m017")
        with Recording(first) as recording:
            known, card = recording.attributes, recording.card
            assert known["start_iso8601"] == "2021-10-07T15:03:28.628-07:00"
            assert known["end_iso8601"] == "2021-10-07T15:03:29.178-07:00"
            assert (card.imaging.microscope, card.session.experimenter) == ("Miniscope V3", "Cajal")
            assert describe_recording(recording)["start_is"] == layout.OF_SOURCE

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({}, BEGUN),
            ({"hour": 17, "minute": 48}, BEGUN),  # a zone of quarters of an hour
            ({"year": None}, BEGUN),
            ({"year": 1}, BEGUN),
            ({"msecSinceEpoch": "x"}, BEGUN.replace(tzinfo=None)),
            ({"msecSinceEpoch": 1e300, "year": "x"}, None),
        ],
    )
    def test_what_it_may_say(self, change, expected):
        found = of_miniscope({"recordingStartTime": START | change})
        if found is not None and expected is not None and expected.tzinfo is None:
            found = found.replace(tzinfo=None)
        assert found == expected

    @pytest.mark.parametrize("session", [{}, {"recordingStartTime": 5}, {"recordingStartTime": {}}])
    def test_it_may_say_nothing(self, session):
        assert of_miniscope(session) is None

    def test_nothing_is_known_without_it(self, tmp_path):
        source = opened(write_session(tmp_path))
        assert (source.begun, source.card) == (None, None)
        source.close()

    def test_the_real_one(self, shared):
        source = opened(shared / "data" / "miniscope-v3-session" / "C6-J588_Disc5" / "15_03_28")
        assert source.begun == BEGUN - timedelta(milliseconds=24)
        source.close()


class TestReplay:
    def test_date_and_card_are_those_of_the_recording(self, first, tmp_path):
        again = recorded(first, tmp_path / "re.h5")
        assert told(again) == told(first)
        assert told(recorded(again, tmp_path / "third.h5")) == told(first)
        entry = read(again)
        assert (entry.start[:23], entry.subject) == ("2021-10-07T15:03:28.628", "m017")

    def test_a_part_begins_where_it_begins(self, first, tmp_path):
        played = Played(opened(first), Transport(speed=float("inf")), 4)
        start, _, _ = told(recorded(played, tmp_path / "part.h5"))
        assert start == BEGUN + timedelta(milliseconds=4 * 50 - 7)

    def test_at_its_own_speed_too(self, first, tmp_path):
        live = LiveSettings()
        assert told(recorded(open_source(str(first), live, realtime=True), tmp_path / "b.h5")) == told(first)

    def test_a_card_that_is_given_counts(self, first, tmp_path):
        card = LiveCard(Card().with_value("subject.subject_id", "m018"))
        assert told(recorded(first, tmp_path / "b.h5", card=card))[2] == "m018"

    def test_from_the_command_line_the_rest_of_the_card_is_that_of_the_recording(self, first, tmp_path):
        (tmp_path / "card.yaml").write_text("subject:\n  subject_id: m018\n")
        words = ["--source", first, "--out", tmp_path / "b.h5", "--card", tmp_path / "card.yaml"]
        done = roi_stream("run", *words)
        assert done.returncode == 0, done.stderr
        with Recording(tmp_path / "b.h5") as recording:
            card = recording.card
        assert (card.subject.subject_id, card.imaging.microscope) == ("m018", "Miniscope V3")


class TestUndated:
    def test_it_is_said_and_stays_so_in_a_replay(self, undated, tmp_path):
        assert told(undated)[1] == layout.OF_PROCESSING
        assert told(recorded(undated, tmp_path / "b.h5"))[1] == layout.OF_PROCESSING

    def test_dates_of_events_are_refused_and_seconds_are_not(self, undated, tmp_path):
        table = tmp_path / "ttl.csv"
        table.write_text("time\n0.1\n")
        with pytest.raises(TableError, match="does not tell when its frames were taken"):
            add(undated, table, Wishes(clock="epoch"))
        assert len(add(undated, table, Wishes()).events) == 1

    def test_nwb_says_that_its_date_is_none_of_the_frames(self, undated, first, caplog):
        pytest.importorskip("pynwb", reason="pynwb is not installed")
        export(undated, "nwb")
        said = f"{undated} does not tell when its frames were taken: session_start_time in NWB is when they"
        assert any(message.startswith(said) for message in caplog.messages)
        caplog.clear()
        export(first, "nwb")
        assert "frames were taken" not in caplog.text

    def test_a_camera_is_dated_by_the_clock_on_the_wall(self, tmp_path):
        before = datetime.now(UTC) - timedelta(milliseconds=1)  # the file keeps whole ones
        start, kind, _ = told(recorded(Ramp(), tmp_path / "live.h5"))
        assert before <= start <= datetime.now(UTC)
        assert kind == layout.LIVE


def test_events_on_the_clock_of_the_world_meet_their_frames(first, tmp_path):
    zero = (BEGUN - timedelta(milliseconds=7)).timestamp()
    table = tmp_path / "epoch.csv"
    table.write_text(f"time\n{zero + 0.25}\n")
    (event,) = add(first, table, Wishes(clock="epoch")).events
    assert (event.time, event.frame) == (pytest.approx(0.25, abs=1e-6), 5)


class TestTiff:
    def test_ome(self, tmp_path):
        dated = {"axes": "TYX", "AcquisitionDate": "2020-02-03T04:05:06+01:00"}
        tifffile.imwrite(tmp_path / "a.ome.tif", MOVIE, ome=True, metadata=dated)
        source = opened(tmp_path / "a.ome.tif")
        assert source.begun == datetime(2020, 2, 3, 3, 5, 6, tzinfo=UTC)
        source.close()

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ("[2020  2  3  4  5 6.5]", datetime(2020, 2, 3, 4, 5, 16, 750000)),
            ("[2020,2,3,4,5,6.5]", datetime(2020, 2, 3, 4, 5, 16, 750000)),
            ("[2020 2 3]", None),
            ("[2020 2 3 4 5 x]", None),
            ("[2020 20 3 4 5 6]", None),
        ],
    )
    def test_scanimage(self, tmp_path, said, expected):
        text = f"frameNumbers = 1\nframeTimestamps_sec = 10.25\nepoch = {said}\n"
        tifffile.imwrite(tmp_path / "a.tif", MOVIE, description=text, metadata=None, photometric="minisblack")
        source = opened(tmp_path / "a.tif")
        assert source.begun == (None if expected is None else expected.astimezone())
        source.close()


class TestLight:
    """Which series of NWB the frames are."""

    @pytest.mark.parametrize(
        ("texts", "card", "expected"),
        [
            (("channels.order=470,415",), {}, True),
            (("cnmf.preset=1p",), {"imaging.excitation_nm": 920.0}, True),
            (("cnmf.preset=photometry",), {}, True),
            ((), {"imaging.excitation_nm": 488.0}, True),
            ((), {"imaging.excitation_nm": 920.0}, False),
            ((), {"imaging.microscope": "UCLA Miniscope v4"}, True),
            ((), {"imaging.microscope": "two-photon miniscope"}, False),
            ((), {"imaging.microscope": "a widefield of our own"}, True),
        ],
    )
    def test_what_is_known_decides(self, tmp_path, caplog, texts, card, expected):
        np.save(tmp_path / "a.npy", MOVIE)
        path = recorded(tmp_path / "a.npy", tmp_path / "a.h5", *texts)
        with Recording(path) as recording:
            assert is_one_photon(recording, Card().with_values(card)) is expected
        assert "photon" not in caplog.text

    def test_nobody_chose_the_usual_preset(self, undated, caplog):
        with Recording(undated) as recording:
            assert not is_one_photon(recording, recording.card)
        assert caplog.messages[-1].startswith(f"{undated} does not tell whether its light was of one photon")

    def test_a_miniscope_in_nwb(self, first):
        pytest.importorskip("pynwb", reason="pynwb is not installed")
        with h5py.File(export(first, "nwb")) as file:
            assert [*file["acquisition"]] == ["OnePhotonSeries"]
            assert file["session_start_time"][()].decode() == "2021-10-07T15:03:28.628000-07:00"
