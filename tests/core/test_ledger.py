"""Every frame's fate, counted where it happens, adds up: in the session, in each lane and in the file."""

import shutil
from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import patch

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core import layout
from roi_core.errors import RecorderError, SourceLost
from roi_core.frame import FinishReason, Frame, Summary
from roi_core.lanes import Lane
from roi_core.ledger import RECORDER, Account, Carried, Cause, Fate, Ledger
from roi_core.pipeline import Pipeline
from roi_core.recording import Recording, audit
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sinks.hdf5 import Recorder
from roi_core.sources.base import Paced
from tests.contracts.test_sink import DONE, header, sample
from tests.fakes import Broken, Failing, Listing, Ramp, Slow, Uncounted, fake_stages

ON = ("cnmf.enabled=true", "motion.enabled=true", "motion.max_shift=2")

steps = st.one_of(
    st.tuples(st.just("take"), st.sampled_from(Fate), st.integers(0, 9), st.sampled_from(Cause)),
    st.tuples(st.just("fail"), st.integers(0, 9), st.sampled_from(Cause)),
)


def kept(counter, moves):
    ledger = Ledger(counter)
    for verb, *words in moves:
        getattr(ledger, verb)(*words)
    return ledger.account


class TestTheSums:
    @given(st.lists(steps), st.sampled_from(["camera", "time", "file"]), st.integers(0, 5))
    def test_hold_whatever_happens(self, moves, counter, after):
        ledger = Ledger(counter)
        for verb, *words in moves:
            getattr(ledger, verb)(*words)
        ledger.lose(after, Cause.COUNT, after=True)
        account = ledger.account
        assert account.check() == ()
        lost = sum(words[-2] for words in moves[1:]) + after
        assert (account.all_lost, account.after) == (lost, after)
        assert account.made == len(moves) + lost
        assert account.measured == sum(verb == "take" for verb, *_ in moves)
        for fate in Fate:
            assert account.fates.get(fate, 0) == sum(
                words[0] == "take" and words[1] == fate for words in moves
            )

    @given(st.lists(steps))
    def test_of_what_cannot_be_known_stay_unknown(self, moves):
        account = kept("unknown", moves)
        assert account.lost is account.made is account.all_lost is None
        assert account.captured == len(moves)
        assert account.lines()["made"] == account.lines()["lost"] == "unknown"

    def test_one_unknown_loss_makes_the_sum_unknown(self):
        ledger = Ledger("camera")
        ledger.take(Fate.OFF)
        ledger.take(Fate.OFF, 3)
        ledger.take(Fate.OFF, None)
        ledger.take(Fate.OFF, 3)
        assert ledger.account.lost is None

    @given(st.lists(steps), st.lists(steps))
    def test_of_two_stretches_are_those_of_the_whole(self, one, other):
        second = Ledger("camera", begun=bool(one))
        for verb, *words in other:
            getattr(second, verb)(*words)
        assert (kept("camera", one) + second.account).flat() == kept("camera", one + other).flat()

    @given(st.lists(steps), st.integers(0, 4))
    def test_survive_being_written_down(self, moves, refused):
        account = kept("camera", moves)
        lane = Carried(
            account.measured, max(account.measured - refused, 0), 0, min(refused, account.measured)
        )
        account = replace(account, lanes={RECORDER: lane}, movie=lane.written)
        assert Account.of(account.flat()).flat() == account.flat()
        assert account.check() == ()

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"captured": 8}, "8 captured, but 7 measured and 0 failed"),
            ({"fates": {Fate.OFF: 6}}, "7 measured, but 6 analysed, watched or not analysed"),
            ({"lanes": {"x": Carried(6, 6)}}, "7 measured, but 6 offered to the x"),
            ({"lanes": {"x": Carried(7, 3, 2, 1)}}, "7 offered to the x, but 6 written, dropped or refused"),
            ({"lanes": {RECORDER: Carried(7, 7)}, "movie": 5}, "7 rows written, but 5 frames of the movie"),
        ],
    )
    def test_that_are_wrong_are_told(self, wrong, told):
        right = Account(captured=7, measured=7, fates={Fate.OFF: 7})
        assert right.check() == ()
        assert replace(right, **wrong).check() == (told,)


def recorded(folder, source, *texts, sinks=(), **more):
    """Run a source to its end; return the session and the file."""
    live = LiveSettings(Settings().with_texts("recorder.disk_reserve=1", *texts))
    session = Session(source, live, sinks=sinks)
    path = session.record(folder / "a.h5", **more)
    session.start()
    session.wait()
    return session, path


class TestASession:
    @settings(max_examples=20, deadline=None)
    @given(
        gaps=st.lists(st.integers(1, 4), min_size=1, max_size=60),
        cells=st.sampled_from(["FakeCells", "FailsOnce", "FailsTwice", "FailsAlways", "CannotBeMade"]),
        on=st.sampled_from([(), ON[:1], ON]),
        refusing=st.integers(0, 80),
        failing=st.integers(0, 80),
        movie=st.booleans(),
    )
    def test_accounts_for_every_frame(self, tmp_path_factory, gaps, cells, on, refusing, failing, movie):
        """Frames are lost, stages and sinks fail at random; the counts agree with what was really seen."""
        listing, write, taken = Listing(), Recorder.write, []

        def refuse(recorder, row):
            if row.row == refusing:
                raise RecorderError("the disk is gone")
            write(recorder, row)
            taken.append(row.row)

        index = np.cumsum(gaps).tolist()
        folder, texts = tmp_path_factory.mktemp("ledger"), (*on, f"recorder.movie={movie}".lower())
        with pytest.MonkeyPatch.context() as monkeypatch, fake_stages(monkeypatch, cnmf=cells):
            with patch.object(Recorder, "write", refuse):
                session, path = recorded(
                    folder, Ramp(indices=index), *texts, sinks=[Failing(failing), listing]
                )
        account = session.snapshot().account
        assert account.check() == ()
        assert (account.captured, account.all_lost) == (len(gaps), sum(gaps[1:]) - len(gaps[1:]))
        assert account.lanes["listing"].written + account.lanes["listing"].dropped == len(gaps)
        take = session.snapshot().recording
        assert take.account.check() == ()
        assert take.account.lanes[RECORDER].written == len(taken) == take.rows
        with Recording(path) as recording:
            assert audit(recording) == ()
            assert recording.account.flat() == take.account.flat()
            assert recording.rows == len(taken)

    def test_tells_what_became_of_each_frame(self, tmp_path, monkeypatch):
        """Cell finding is on from frame 5, fails at row 25, and meets two jumps and, at the end, copies."""
        live = LiveSettings(Settings().with_texts(*ON[1:]))

        class Eventful(Ramp):
            def image(self, index):
                if index == 5:
                    live.edit("cnmf.enabled", True)
                return np.full((16, 20), 7 if index in (8, 30) else min(100 + index, 136), np.uint16)

        with fake_stages(monkeypatch, cnmf="FailsOnce"):
            session = Session(Eventful(40), live)
            session.start()
            session.wait()
        account = session.snapshot().account
        assert account.check() == ()
        counts = {fate.value: count for fate, count in account.fates.items()}
        assert counts == {"off": 5, "jump": 2, "failed": 1, "frozen": 3, "analysed": 29}
        assert account.lines()["watched"] == "5 (3 a copy of the last, 2 a jump)"

    def test_counts_the_frame_that_was_its_end(self, monkeypatch):
        step = Pipeline.step

        def fail(pipeline, frame, *more):
            return 1 / 0 if frame.index == 6 else step(pipeline, frame, *more)

        monkeypatch.setattr(Pipeline, "step", fail)
        session = Session(Ramp(indices=[0, 1, 6]), LiveSettings(Settings()))
        session.start()
        with pytest.raises(ZeroDivisionError):
            session.wait()
        account = session.snapshot().account
        assert (account.captured, account.measured, account.failed, account.all_lost) == (3, 2, 1, 4)
        assert account.check() == ()

    def test_counts_what_was_no_picture_as_lost(self, tmp_path):
        class Odd(Ramp):
            def image(self, index):
                return np.zeros((7, 9) if index in (3, 4) else (16, 20), np.uint16)

        session, path = recorded(tmp_path, Odd(9))
        assert session.snapshot().account.lost == {Cause.CORRUPT: 2}
        with Recording(path) as recording:
            assert recording.account.flat()["lost_corrupt"] == 2
            assert audit(recording) == ()

    @pytest.mark.parametrize(
        ("bad", "lost", "after"),
        [({7, 8}, 2, 2), ({3, 7, 8}, 3, 2), ({0, 1, 5}, 1, 0), ({0, 1, 8}, 1, 1)],
    )
    @pytest.mark.parametrize("broken", [False, True])
    def test_counts_what_was_no_picture_at_its_end(self, tmp_path, bad, lost, after, broken):
        """Those before the first picture do not count, as nothing before it does."""

        class Odd(Ramp):
            def frames(self):
                yield from super().frames()
                if broken:
                    raise SourceLost("the cable")

            def image(self, index):
                return np.zeros((7, 9) if index in bad else (16, 20), np.uint16)

        live = LiveSettings(Settings().with_texts("recorder.disk_reserve=1"))
        session = Session(Odd(9), live)
        path = session.record(tmp_path / "a.h5")
        session.start()
        with pytest.raises(SourceLost) if broken else nullcontext():
            session.wait()
        account = session.snapshot().account
        assert (account.lost, account.after, account.check()) == ({Cause.CORRUPT: lost}, after, ())
        assert account.made == (9 if 0 not in bad else 7)
        with Recording(path) as recording:
            assert audit(recording) == ()
            assert (recording.account.lost[Cause.CORRUPT], recording.account.after) == (lost, after)
            assert recording.account.made == account.made

    def test_that_fails_between_frames_loses_none(self, tmp_path):
        session = Session(Broken(9), LiveSettings(Settings()))
        session.start()
        with pytest.raises(ZeroDivisionError):
            session.wait()
        account = session.snapshot().account
        assert (account.captured, account.failed, account.check()) == (9, 0, ())

    def test_knows_where_frames_were_lost(self, tmp_path):
        class Away(Ramp):
            def frames(self):
                for frame in super().frames():
                    yield replace(frame, cause=Cause.AWAY) if frame.index == 20 else frame

        session, path = recorded(tmp_path, Away(indices=[3, 5, 20, 22]))
        assert session.snapshot().account.lost == {Cause.COUNT: 2, Cause.AWAY: 14}
        with Recording(path) as recording:
            flat = recording.account.flat()
        assert (flat["lost_away"], flat["lost_count"], flat["made"]) == (14, 2, 20)
        timed = Ramp(indices=[3, 5])
        timed.counter = "time"
        session, _ = recorded(tmp_path, timed)
        assert session.snapshot().account.lost == {Cause.TIME: 1}

    def test_of_which_nobody_can_know_the_losses_says_so_in_the_file(self, tmp_path):
        _, path = recorded(tmp_path, Uncounted(9))
        with h5py.File(path) as file:
            told = dict(file["accounting"].attrs)
        assert {name for name, count in told.items() if count == layout.UNKNOWN} == {
            "made", "lost", "lost_count", "lost_time", "lost_away", "lost_skipped", "lost_corrupt",
        }  # fmt: skip
        assert all(count.dtype == np.uint64 for count in told.values())
        with Recording(path) as recording:
            assert audit(recording) == ()
            assert recording.account.lost is None


class Hurried:
    """A clock that is 1 s late from the third look on."""

    looks = 0

    def now(self):
        self.looks += 1
        return 100.0 + (self.looks > 3)

    def wait(self, event, seconds):
        return False


def test_what_pacing_skips_is_told_as_such():
    frames = list(Paced(Ramp(200), Hurried()).frames())
    causes = [frame.cause for frame in frames]
    skipped = causes.index(Cause.SKIPPED)
    assert causes.count(Cause.SKIPPED) == 1
    assert frames[skipped].index - frames[skipped - 1].index > 90
    assert isinstance(frames[0], Frame)


class TestARecording:
    def test_is_accounted_for_at_every_append_for_a_kill_may_come(self, tmp_path):
        recorder = Recorder(tmp_path / "a.h5")
        recorder.open(header())
        for row in range(7):
            recorder.write(sample(row))
        recorder.flush()
        recorder.write(sample(7))
        shutil.copy(tmp_path / "a.h5", tmp_path / "killed.h5")
        recorder.close(DONE)
        with Recording(tmp_path / "killed.h5") as recording:
            assert recording.account.lanes[RECORDER].written == 7
            assert audit(recording) == ()
        with Recording(tmp_path / "a.h5") as recording:
            assert recording.account.lanes[RECORDER].written == 8
            assert audit(recording) == ()

    def test_counts_what_was_lost_behind_its_end(self, tmp_path):
        _, path = recorded(tmp_path, Ramp(indices=[*range(50), *range(550, 560)]), length=1.0)
        with Recording(path) as recording:
            assert (recording.account.all_lost, recording.account.after) == (50, 50)
            assert audit(recording) == ()

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (("", "frames_dropped", 0), "lost 3, but frames_dropped says 0"),
            (("accounting", "watched_jump", 2), "6 measured, but 8 analysed"),
            (("accounting", "captured", 9), "captured 9, but frames_seen says 6"),
            (("accounting", "made", 999), "made is 9 by its parts, but /accounting says 999"),
            (("accounting", "lost", 999), "lost is 3 by its parts, but /accounting says 999"),
            (("accounting", "watched", 9), "watched is 0 by its parts, but /accounting says 9"),
            (("accounting", "not_analysed", 1), "not_analysed is 6 by its parts, but /accounting says 1"),
            (("frame_index", [0, 1, 2, 3, 4, 5]), "3 frames told lost, but /frame_index misses 0"),
            (("frame_index", [0, 1, 5, 5, 6, 7]), "goes from 5 to 5 at row 3"),
            (("movie", 4), "6 movie frames written, but /movie holds 4"),
        ],
    )
    def test_that_was_tampered_with_does_not_add_up(self, tmp_path, spoil, told):
        _, path = recorded(tmp_path, Ramp(indices=[0, 1, 5, 6, 7, 8]), "recorder.movie=true")
        with Recording(path) as recording:
            assert audit(recording) == ()
        with h5py.File(path, "r+") as file:
            if spoil[0] == "movie":
                file["movie"].resize(spoil[1], axis=0)
            elif spoil[0] == "frame_index":
                file["frame_index"][:] = spoil[1]
            else:
                file[f"/{spoil[0]}"].attrs.modify(spoil[1], np.uint64(spoil[2]))
        with Recording(path) as recording:
            assert any(told in sentence for sentence in audit(recording)), audit(recording)

    @pytest.mark.parametrize("refusing", [10**9, 30, 150, 260])
    def test_in_several_files_is_accounted_for_in_each_and_as_a_whole(self, tmp_path, monkeypatch, refusing):
        """Of 300 frames each tenth is lost, also at the borders; the recorder may fail in any part."""
        write = Recorder.write

        def refuse(recorder, row):
            if row.row == refusing:
                raise RecorderError("the disk is gone")
            write(recorder, row)

        monkeypatch.setattr(Recorder, "write", refuse)
        kept = [index for index in range(333) if index % 10]
        session, _ = recorded(
            tmp_path, Ramp(indices=kept), "recorder.split_minutes=0.0001", "recorder.movie=true"
        )
        take = session.snapshot().recording
        assert take.account.check() == ()
        assert len(take.parts) == {30: 1, 150: 2, 260: 3}.get(refusing, 4)
        if refusing > len(kept):
            assert take.account.made == 332
        whole = Account()
        for path in take.parts:
            with Recording(path) as recording:
                assert audit(recording) == ()
                whole += recording.account
        assert whole.flat() == take.account.flat()

    def test_that_began_before_record_was_pressed_is_accounted_for(self, tmp_path):
        class Pressed(Ramp):
            def image(self, index):
                if index == 150:
                    session.record(tmp_path / "a.h5")
                return super().image(index)

        live = LiveSettings(Settings().with_texts("recorder.disk_reserve=1", "recorder.pretrigger=0.5"))
        session = Session(Pressed(indices=[*range(120), *range(130, 300)]), live)
        session.start()
        session.wait()
        account = session.snapshot().recording.account
        assert account.check() == ()
        with Recording(tmp_path / "a.h5") as recording:
            assert audit(recording) == ()
            assert recording.account.flat() == account.flat()
            assert (recording.account.all_lost, recording.rows) == (10, 300 - recording.frame_index[0] - 10)

    def test_from_before_there_was_an_account_has_none(self, tmp_path):
        _, path = recorded(tmp_path, Ramp(5))
        with h5py.File(path, "r+") as file:
            del file["accounting"]
        with Recording(path) as recording:
            assert recording.account is None
            assert [sentence[:21] for sentence in audit(recording)] == ["it has no account: it"]


class TestALane:
    def test_that_fails_refuses_what_was_offered_and_counts_it(self):
        lane = Lane(Failing(at=3), 8, wait=True)
        lane.open(header())
        for row in range(9):
            lane.offer(replace(sample(row), lost=2))
        lane.finish(Summary(FinishReason.COMPLETED))
        lane.join()
        assert lane.carried == Carried(9, 3, 0, 6)
        assert lane.refused.all_lost == 12

    def test_does_not_count_what_comes_after_its_end(self):
        lane = Lane(Listing(), 8, wait=True)
        lane.open(header())
        lane.offer(sample(0))
        lane.finish(DONE)
        lane.offer(sample(1))
        lane.join()
        assert lane.carried == Carried(1, 1)

    def test_tells_what_waits(self):
        sink = Slow()
        lane = Lane(sink, 2, wait=False)
        lane.open(header())
        while lane.carried.dropped < 3:
            lane.offer(sample(0))
        assert lane.carried.waiting in (2, 3)
        sink.go.set()
        lane.finish(DONE)
        lane.join()
        assert lane.carried.waiting == 0
