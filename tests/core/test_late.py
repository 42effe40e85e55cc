"""An analysis that is too slow for its camera leaves cells out of some frames, and the camera loses none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core import arrivals
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

    live, counter = True, "camera"


def asked(monkeypatch, plan, source=None):
    """Return whether each frame was late; a plan of (taken, there, source's work, our work), s."""
    now = [0.0]
    monkeypatch.setattr(arrivals, "perf_counter", lambda: now[0])
    follows, told = Arrivals(source or Camera()), []
    for index, (taken, there, drawn, work) in enumerate(plan):
        now[0] = max(now[0] + drawn, there)
        arrival = follows.hear()
        told.append(follows.late(Frame(IMAGE, index, taken)))
        now[0] += work
        follows.done(arrival)
    return told


def steady(works, clock=0.0, drawn=0.0):
    """Frames of 100 Hz, by a clock of their own, there 3 ms after they were taken or once `drawn`."""
    return [(k * PERIOD + clock, k * PERIOD + 0.003, drawn, work) for k, work in enumerate(works)]


@given(works=st.lists(st.floats(0, PERIOD), max_size=60), clock=st.floats(-1e6, 1e6))
def test_who_keeps_up_is_never_late(works, clock):
    with pytest.MonkeyPatch.context() as patch:
        assert not any(asked(patch, steady(works, clock)))


@given(stall=st.floats(5, 300), after=st.floats(0, 0.8), clock=st.floats(-1e4, 1e4))
def test_after_a_stall_frames_are_late_until_it_is_made_good(stall, after, clock):
    works = [0.001] * 5 + [stall * PERIOD] + [after * PERIOD] * 1800
    with pytest.MonkeyPatch.context() as patch:
        told = asked(patch, steady(works, clock))
    # seconds that each next frame is behind; in 18 s the clocks may run apart by 18 ms
    behind = PERIOD * ((stall - 1) - (1 - after) * np.arange(len(works) - 6))
    apart = 1.5e-3 * PERIOD * (stall + np.arange(len(works) - 6)) + 1e-4
    late = set(np.flatnonzero(told))
    assert late >= set(6 + np.flatnonzero(behind > LEAST + apart))
    assert late <= set(6 + np.flatnonzero(behind > LEAST - 1e-4))


def test_what_a_source_itself_takes_counts(monkeypatch):
    told = asked(monkeypatch, steady([0.6 * PERIOD] * 100, drawn=0.6 * PERIOD))
    assert not any(told[:10])
    assert all(told[30:])


def test_a_file_is_never_late(monkeypatch):
    assert not any(asked(monkeypatch, steady([0.1] * 20), Ramp()))


@pytest.mark.parametrize("jump", [-3600.0, -1.0, 1.0, 3600.0])
def test_a_clock_that_was_set_makes_nothing_late(monkeypatch, jump):
    plan = steady([0.001] * 40)
    plan[20:] = [(taken + jump, *rest) for taken, *rest in plan[20:]]
    assert not any(asked(monkeypatch, plan))


def test_rows_left_out_are_missing_and_cost_nothing_else():
    movie = film(frames=900, seed=3)
    some = OnlineCNMF(movie.pictures[0].shape, RATE, SETTINGS)
    left_out = set(range(500, 560)) | set(range(700, 900, 4))
    told = []
    for row, picture in enumerate(movie.pictures):
        some.doubt = Fate.LATE if row in left_out else None
        told += run(some, picture[None], first=row)
    well(some)
    for row in left_out:
        assert told[row].fate is Fate.LATE
        assert np.isnan(told[row].raw).all()
        assert np.isfinite(told[row].calcium).all()
        assert told[row].ids == told[row - 1].ids
    assert told[-1].fate is Fate.ANALYSED
    assert agreement(movie, told, start=560).min() > 0.85


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


def test_a_session_tells_of_frames_without_cells(tmp_path, monkeypatch, caplog):
    CLOCK[0] = 0.0
    monkeypatch.setattr(arrivals, "perf_counter", lambda: CLOCK[0])
    with fake_stages(monkeypatch):
        monkeypatch.setitem(STAGES, "cnmf", "tests.core.test_late:Slow")
        session = Session(Timed(60), live("cnmf.enabled=true"))
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
