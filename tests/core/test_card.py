"""The session card: its rules, its YAML, and its way into a recording and back."""

import math
import threading

import h5py
import pytest

from roi_core import layout
from roi_core.card import NEEDED, Card, LiveCard
from roi_core.errors import SettingsError
from roi_core.form import describe
from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.settings import LiveSettings
from tests.fakes import Ramp, Stepped
from tests.gui.driver import within

FULL = Card().with_texts(
    "subject.subject_id=m017", "subject.species=Mus musculus", "subject.sex=F", "subject.age=P90D",
    "imaging.indicator=GCaMP8m", "imaging.region=CA1", "imaging.microscope=Miniscope v4",
    "imaging.excitation_nm=488", "imaging.emission_nm=525", "session.description=habituation",
)  # fmt: skip


class TestRules:
    @pytest.mark.parametrize(
        ("path", "value", "why"),
        [
            ("subject.species", "mouse", "write the Latin name"),
            ("subject.age", "90 days", "write a duration such as P90D"),
            ("subject.age", "P", "write a duration"),
            ("subject.sex", "female", "input should be"),
            ("imaging.um_per_px", 0.0, "greater than 0"),
            ("imaging.excitation_nm", math.nan, "finite number"),
            ("imaging.indicator", "x" * 201, "at most 200 characters"),
            ("subject.colour", "white", "no such setting; subject has subject_id"),
        ],
    )
    def test_a_refusal_is_a_sentence(self, path, value, why):
        with pytest.raises(SettingsError, match=why):
            Card().with_value(path, value)

    @pytest.mark.parametrize("age", ["P90D", "P12W", "P6M", "P1Y2M", "P90D/P120D"])
    def test_ages_that_archives_take(self, age):
        assert Card().with_value("subject.age", age).subject.age == age

    def test_names_of_fields_are_unique_and_needed_ones_exist(self):
        names = [setting.name for setting in describe(Card())]
        assert len(names) == len(set(names))
        assert all(Card().get(path) in ("", None) for path in NEEDED)

    def test_what_nwb_needs_is_told_until_it_is_there(self):
        assert Card().missing()[:2] == ("subject_id", "species")
        assert FULL.missing() == ()

    def test_yaml_and_back(self):
        card = FULL.with_value("session.notes", "two\nlines: #1").with_value("imaging.um_per_px", 0.8)
        assert Card.loads(card.to_yaml()) == card
        assert "Latin name" in Card().to_yaml()

    def test_a_card_of_other_rules_keeps_what_still_can_be(self):
        card = Card.of({"species": "mouse", "subject_id": "m1", "unheard_of": 3})
        assert card.flat() == Card().with_value("subject.subject_id", "m1").flat()


def recorded(path, source, card, meanwhile=lambda session: None):
    session = Session(source, LiveSettings(), card=card)
    path = session.record(path)
    session.start()
    meanwhile(session)
    session.wait(20)
    return path


class TestRecording:
    def test_the_card_is_in_the_file_as_attributes_and_comes_back(self, tmp_path):
        path = recorded(tmp_path / "a.h5", Ramp(count=5), LiveCard(FULL))
        with Recording(path) as recording:
            assert recording.card == FULL
        with h5py.File(path) as file:
            known = dict(file[layout.SESSION].attrs)
        assert set(known) == set(Card().flat())
        assert (known["subject_id"], known["excitation_nm"], known["strain"]) == (b"m017", 488.0, b"")
        assert math.isnan(known["um_per_px"])

    def test_an_edit_while_recording_is_an_event_and_the_final_value(self, tmp_path):
        source, card = Stepped(count=6), LiveCard(FULL)

        def edit(session):
            source.step(3)
            within(20, lambda: session.snapshot().frames_seen == 3, "three frames")
            card.edit("imaging.region", "CA3 — größer")
            source.step(2)
            within(20, lambda: session.snapshot().frames_seen == 5, "two more")
            card.edit("session.notes", "after the last frame")
            session.stop()

        path = recorded(tmp_path / "a.h5", source, card, edit)
        with Recording(path) as recording:
            told = [(e.frame, e.data["path"], e.data["old"]) for e in recording.events if e.kind == "card"]
            assert recording.card.imaging.region == "CA3 — größer"
            assert recording.card.session.notes == "after the last frame"
        assert told == [(3, "imaging.region", "CA1"), (4, "session.notes", "")]

    def test_a_file_without_a_card_still_opens(self, tmp_path):
        path = recorded(tmp_path / "a.h5", Ramp(count=5), LiveCard(FULL))
        with h5py.File(path, "r+") as file:
            del file[layout.SESSION]
        with Recording(path) as recording:
            assert recording.card == Card()


class TestTimedStop:
    def test_a_recording_ends_by_itself_after_its_length_of_data(self, tmp_path):
        source = Ramp(count=500)  # 100 Hz
        session = Session(source, LiveSettings())
        path = session.record(tmp_path / "a.h5", length=1.5)
        session.start()
        session.wait(20)
        assert session.snapshot().frames_seen == 500, "the session goes on"
        with Recording(path) as recording:
            assert recording.rows == 150
            assert recording.attributes["finish_reason"] == "completed: the 1.5 s asked for"

    def test_what_is_said_and_lost_in_a_gap_over_its_end_is_in_it(self, tmp_path):
        source = Stepped(indices=[*range(50), *range(550, 560)])  # 100 Hz; 5 s are missing
        session = Session(source, LiveSettings())
        path = session.record(tmp_path / "a.h5", length=1.0)
        session.start()
        source.step(50)
        within(20, lambda: session.snapshot().recording.rows == 50, "fifty rows")
        session.note("the animal got loose")
        session.mark()
        source.step(1)
        within(20, lambda: session.snapshot().recording.ended, "it ends")
        session.stop()
        session.wait(20)
        with Recording(path) as recording:
            assert (recording.rows, recording.attributes["frames_dropped"]) == (50, 50)
            reason = "completed: the 1 s asked for, though no frame came after 0.49 s"
            assert recording.attributes["finish_reason"] == reason
            kinds = [event.kind for event in recording.events]
            assert kinds == ["start", "gap", "note", "marker", "stop"]
            assert recording.events[1].data["lost"] == 500
        assert session.snapshot().recording.dropped == 50

    def test_the_length_can_be_changed_while_it_runs(self, tmp_path):
        source = Stepped(count=500)
        session = Session(source, LiveSettings())
        path = session.record(tmp_path / "a.h5", length=0.1)
        session.start()
        source.step(5)
        within(20, lambda: session.snapshot().recording.rows == 5, "five rows")
        session.stop_after(0.2)
        source.step(50)
        within(20, lambda: not session.snapshot().recording.closing and session.snapshot().frames_seen == 55,
               "it ended")  # fmt: skip
        session.stop()
        session.wait(20)
        with Recording(path) as recording:
            assert recording.rows == 20


class TestMarkers:
    def test_markers_are_numbered_from_one_in_each_recording(self, tmp_path):
        source = Stepped(count=50)
        session = Session(source, LiveSettings())
        first = session.record(tmp_path / "a.h5")
        session.start()
        assert [session.mark(), session.mark()] == [1, 2]
        source.step(2)
        within(20, lambda: session.snapshot().recording.rows == 2, "two rows")
        session.stop_recording()
        second = session.record(tmp_path / "b.h5")
        assert session.mark() == 1
        source.step(2)
        within(20, lambda: session.snapshot().recording.rows == 2, "two rows")
        session.stop()
        session.wait(20)
        for path, numbers in ((first, [1, 2]), (second, [1])):
            with Recording(path) as recording:
                assert [e.data["number"] for e in recording.events if e.kind == "marker"] == numbers
        _, told = session.snapshot().diary.since(0)
        assert [e.data["number"] for e in told if e.kind == "marker"] == [1, 2, 1]


def test_what_each_stage_costs_is_measured(tmp_path):
    source, done = Stepped(count=50), threading.Event()
    session = Session(source, LiveSettings())
    session.record(tmp_path / "a.h5")
    session.start()
    source.step(20)
    within(20, lambda: session.snapshot().recording.rows == 20, "rows")
    costs = session.snapshot().costs
    done.set()
    session.stop()
    session.wait(20)
    assert set(costs) == {"gray", "regions", "write"}
    assert all(ms > 0 for ms in costs.values())
    assert session.snapshot().behind is None
