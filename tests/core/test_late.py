"""An analysis that is too slow for its camera leaves cells out of some frames, and the camera loses none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import endurance
from roi_core import analysis, arrivals
from roi_core.arrivals import LEAST, Arrivals
from roi_core.cnmf.online import OnlineCNMF
from roi_core.frame import Frame
from roi_core.ledger import Fate
from roi_core.recording import Recording
from roi_core.session import Session
from roi_core.stages import STAGES
from tests.cells import RATE, SETTINGS, agreement, film, run
from tests.checks import well
from tests.core.test_session import live
from tests.fakes import FakeCells, Ramp, fake_stages

PERIOD, CLOCK = 0.01, [0.0]
IMAGE = np.zeros((4, 4), np.uint16)


class Camera(Ramp):
    """A live source of 100 Hz."""

    live, counter, punctual = True, "camera", True


def asked(monkeypatch, works, source=None):
    """Return whether each frame was late, at 100 Hz, when source and worker take so long for each, s."""
    now = [0.0]
    monkeypatch.setattr(arrivals, "perf_counter", lambda: now[0])
    follows, told = Arrivals(source or Camera()), []
    for index, work in enumerate(works):
        now[0] = max(now[0], index * PERIOD)
        follows.hear()
        told.append(follows.late(Frame(IMAGE, index, index * PERIOD)))
        now[0] += work
    return told


@given(works=st.lists(st.floats(0, PERIOD), max_size=60))
def test_who_keeps_up_is_never_late(works):
    with pytest.MonkeyPatch.context() as patch:
        assert not any(asked(patch, works))


@given(stall=st.floats(5, 300), after=st.floats(0, 0.9))
def test_after_a_stall_frames_are_late_until_it_is_made_good(stall, after):
    works = [0.001] * 5 + [stall * PERIOD] + [after * PERIOD] * 400
    with pytest.MonkeyPatch.context() as patch:
        late = set(np.flatnonzero(asked(patch, works)))
    behind = PERIOD * ((stall - 1) - (1 - after) * np.arange(len(works) - 6))  # s, of each frame after it
    assert late >= set(6 + np.flatnonzero(behind > LEAST + 1e-6))
    assert late <= set(6 + np.flatnonzero(behind > LEAST - 1e-6))


def test_a_slow_camera_may_be_later(monkeypatch):
    slow = Camera()
    slow.rate = 10.0
    assert sum(asked(monkeypatch, [0.15, *[0.0] * 20], slow)) == 0
    assert sum(asked(monkeypatch, [0.25, *[0.0] * 20], slow)) > 0


@pytest.mark.parametrize("punctual", [False, None])
def test_of_a_source_with_times_of_its_own_nobody_knows(monkeypatch, punctual):
    source = Ramp()
    if punctual is not None:
        source.punctual = punctual
    assert not any(asked(monkeypatch, [0.1] * 20, source))


LEFT_OUT = {*range(500, 560), *range(700, 900, 4)}


@pytest.fixture(scope="module")
def hurried():
    """A film, a finder that had no time for some rows of it, and what it told."""
    movie = film(frames=900, seed=3)
    finder, told = OnlineCNMF(movie.pictures[0].shape, RATE, SETTINGS), []
    for row, picture in enumerate(movie.pictures):
        finder.doubt = Fate.LATE if row in LEFT_OUT else None
        told += run(finder, picture[None], first=row)
    well(finder)
    return movie, finder, told


def test_rows_left_out_are_missing_and_cost_nothing_else(hurried):
    movie, _, told = hurried
    for row in LEFT_OUT:
        assert told[row].fate is Fate.LATE
        assert np.isnan(told[row].raw).all()
        assert np.isfinite(told[row].calcium).all()
        assert told[row].ids == told[row - 1].ids
    assert told[-1].fate is Fate.ANALYSED
    assert agreement(movie, told, start=560).min() > 0.85


def test_what_is_remembered_of_the_past_keeps_its_rows(hurried):
    """Births and unions deconvolve it anew, and compare it with the frames of the ring."""
    census = hurried[1].census
    assert census.past.rows == census.ring.head == 900 - len(LEFT_OUT)
    in_ring = census.ring.rows(len(census.ring))
    spread = census._in_rows(in_ring.astype(np.float32))
    rows = np.arange(900 - len(spread), 900)
    assert len(spread) <= len(census.ring)
    np.testing.assert_array_equal(np.isnan(spread), [row in LEFT_OUT for row in rows])
    np.testing.assert_array_equal(spread[np.isfinite(spread)], [row for row in rows if row not in LEFT_OUT])


class Timed(Camera):
    """Each frame is there when it was taken, or when the worker asks for it, by the test's clock."""

    def frames(self):
        for frame in super().frames():
            CLOCK[0] = max(CLOCK[0], frame.time)
            yield frame


class Slow(FakeCells):
    """Takes 6.5 periods for row 20, and half a period for each row that is not left out."""

    def step(self, row, settings, rois):
        CLOCK[0] += 6.5 * PERIOD if row == 20 else 0.0 if self.doubt else PERIOD / 2
        return super().step(row, settings, rois)


def test_a_session_tells_of_frames_without_cells(tmp_path, monkeypatch, caplog, capsys):
    CLOCK[0] = 0.0
    monkeypatch.setattr(arrivals, "perf_counter", lambda: CLOCK[0])
    with fake_stages(monkeypatch), monkeypatch.context() as patch:
        patch.setitem(STAGES, "cnmf", "tests.core.test_late:Slow")
        session = Session(Timed(60), live("cnmf.enabled=true", "recorder.movie=true"))
        session.record(tmp_path / "a.h5", essential=True)
        session.start()
        session.wait()
    account = session.snapshot().account
    assert account.fates[Fate.LATE] == 3
    assert account.captured == account.measured == 60
    assert sum("cells are left out of some frames" in record.message for record in caplog.records) == 1
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.rows == 60
        assert [event.data["state"] for event in recording.events if event.kind == "cells_late"] == ["begin"]
    assert endurance.line(30, session.snapshot(), 0, 5).startswith("| 30 | 0 | 3 |")
    endurance.check(session)
    assert capsys.readouterr().out.endswith("0 lost, 3 without cells since they came late\n")


class Steered(Timed):
    """Lets the test do something just before each frame."""

    def __init__(self, count, act):
        super().__init__(count)
        self.act = act

    def frames(self):
        for frame in super().frames():
            self.act(frame.index)
            yield frame


def test_a_file_tells_of_the_episode_in_which_it_begins_and_of_its_end(tmp_path, monkeypatch):
    """Also when cell finding is switched off meanwhile, and nothing is analysed any more."""
    CLOCK[0] = 0.0
    settings = live("cnmf.enabled=true")

    def act(index):
        if index == 40:
            session.record(tmp_path / "a.h5")
        if index == 50:
            settings.edit("cnmf.enabled", False)

    monkeypatch.setattr(arrivals, "perf_counter", lambda: CLOCK[0])
    monkeypatch.setattr(analysis, "HASTE", 0.5)
    with fake_stages(monkeypatch), monkeypatch.context() as patch:
        patch.setitem(STAGES, "cnmf", "tests.core.test_late:Slow")
        session = Session(Steered(100, act), settings)
        session.start()
        session.wait()
    with Recording(tmp_path / "a.h5") as recording:
        told = [(event.frame, event.data) for event in recording.events if event.kind == "cells_late"]
    (begun, beginning), (ended, ending) = told
    assert (begun, beginning["state"], round(beginning["since"], 2)) == (40, "begin", 0.21)
    assert (ended > 60, ending["state"], ending["frames"]) == (True, "end", 3)
