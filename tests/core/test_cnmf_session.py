"""Cells of the simulated camera in a session: what is recorded is what was found, nothing else changes."""

import numpy as np
import pytest

from roi_core import layout
from roi_core.analysis import Analysis
from roi_core.cnmf.apart import Distant
from roi_core.cnmf.detect import Detector
from roi_core.cnmf.online import OnlineCNMF
from roi_core.cnmf.shared import Shared
from roi_core.frame import Status
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import Settings
from roi_core.sinks.columns import NUMBER
from roi_core.sources.simulated import PRESETS, Simulated
from tests.cells import film, middles_of
from tests.checks import check
from tests.core.test_session import live, wait_for
from tests.fakes import Held

ON = ("cnmf.enabled=true", "cnmf.cell_radius=4", "cnmf.buffer=5", "recorder.disk_reserve=1")
FRAMES = 900
ROIS = RoiSet().add(Circle(20, 20, 5, name="a")).add(Circle(40.5, 12, 3, name="b"))


def recorded(path, *texts):
    settings = live(*texts)
    source = Simulated("still", settings, length=FRAMES, paced=False, seed=3)
    session = Session(source, settings, ROIS)
    session.record(path, essential=True)
    session.start()
    session.wait()
    return source


@pytest.fixture(scope="module", autouse=True)
def _a_field_that_does_not_move():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "still", PRESETS["tiny"] | {"drift": 0.0, "jitter": 0.0})
        yield


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A recording with cells, what the finder answered row by row, and the truth."""
    OnlineCNMF.warm_up()  # a camera does not wait for a compiler
    path, answers = tmp_path_factory.mktemp("cells") / "a.h5", {}
    step, finish = OnlineCNMF.step, OnlineCNMF.finish

    def listen(self, row, settings, rois=None):
        answer = step(self, row, settings, rois)
        if self.field.shape == (48, 64):
            answers[row] = answer
        return answer

    def end(self):
        answers["settled"] = finish(self)
        return answers["settled"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnlineCNMF, "step", listen)
        patch.setattr(OnlineCNMF, "finish", end)
        source = recorded(path, *ON)
    return path, answers, source.truth


def told(answers, name, settled="", past=""):
    """What was told of every component at every row, as (rows, N) of all ids: the best that is known."""
    rows = range(FRAMES)
    ids = sorted({int(i) for row in rows for i in answers[row].components.ids})
    out, column = np.full((FRAMES, len(ids)), np.nan, np.float32), {cell: k for k, cell in enumerate(ids)}
    for row in rows:
        answer = answers[row]
        at = np.array([column[i] for i in answer.ids], int)
        for part in answer.backfill if past else ():
            values = getattr(part, past)
            out[part.row : part.row + len(values), column[part.id]] = values
        out[row, at] = getattr(answer, name)
        if settled and row >= answer.lag:
            better = getattr(answer, settled)
            known = np.isfinite(better)
            out[row - answer.lag, at[known]] = better[known]
    end = answers["settled"]
    if settled:
        at = [column[i] for i in end.ids]
        block = out[end.row : end.row + len(end.calcium), at]
        better = getattr(end, settled.removeprefix("settled_"))
        out[end.row : end.row + len(end.calcium), at] = np.where(np.isnan(block), block, better)
    return np.array(ids), out


def test_cells_of_the_simulated_camera_are_found(taken):
    _, answers, truth = taken
    components = answers[FRAMES - 1].components
    accepted = components.status == Status.ACCEPTED
    far = np.hypot(*(middles_of(components)[accepted][:, None] - truth.centres).transpose(2, 0, 1))
    active = truth.spikes(FRAMES).sum(0) >= 3
    y, x = truth.centres.T
    inner = (y > 6) & (y < 42) & (x > 6) & (x < 58) & active
    assert inner.sum() >= 2
    assert (far.min(0)[inner] < 4).all(), "every active cell off the edge"


def test_the_recording_holds_what_was_told(taken):
    path, answers, _ = taken
    with Recording(path) as recording:
        cells = recording.cells
        ids, raw = told(answers, "raw", past="raw")
        place = np.argsort(cells.ids)  # columns stand in the order in which they became known
        np.testing.assert_array_equal(cells.ids[place], ids)
        np.testing.assert_array_equal(cells.traces(layout.RAW, 0, FRAMES)[:, place], raw)
        np.testing.assert_array_equal(cells.spikes_causal[:, place], told(answers, "spikes")[1])
        for name in ("calcium", "spikes"):
            expected = told(answers, name, f"settled_{name}", name)[1]
            np.testing.assert_array_equal(getattr(cells, name)[:, place], expected)
        last = answers[FRAMES - 1].components
        order = np.argsort(last.ids)[np.argsort(place)]
        np.testing.assert_array_equal(cells.ids, last.ids[order])
        np.testing.assert_array_equal(cells.status, last.status[order])
        np.testing.assert_array_equal(cells.born, last.born[order])
        found, said = ([NUMBER.sub("#", why) for why in whys] for whys in (cells.reason, last.reason))
        assert found == [said[k] for k in order], "but for numbers, which are those of when it became so"
        for column, k in enumerate(order):
            a, b = last.indptr[k], last.indptr[k + 1]
            kept = cells.footprints.getcol(column)
            if b > a:
                np.testing.assert_array_equal(kept.indices, last.indices[a:b])
                np.testing.assert_array_equal(kept.data, last.data[a:b])
            assert kept.nnz > 0, "also of those that are no more"


def test_events_tell_every_birth_and_death_in_its_row(taken):
    path, answers, _ = taken
    expected = [(row, kind, data["id"]) for row in range(FRAMES) for kind, data in answers[row].events]
    with Recording(path) as recording:
        kinds = {kind for _, kind, _ in expected}
        seen = [(e.frame, e.kind, e.data["id"]) for e in recording.events if e.kind in kinds]
    assert "birth" in kinds
    assert seen == expected


def test_drawn_regions_do_not_notice_that_cells_are_looked_for(taken, tmp_path):
    recorded(tmp_path / "off.h5", "recorder.disk_reserve=1")
    with Recording(taken[0]) as on, Recording(tmp_path / "off.h5") as off:
        np.testing.assert_array_equal(on.means, off.means)
        np.testing.assert_array_equal(on.time, off.time)
        assert off.cells is None
        assert on.shifts is None


def test_the_same_recording_twice(tmp_path):
    small = *ON, "cnmf.cell_radius=3"  # so that parts of cells are found, and joined
    for name in ("one", "again"):
        recorded(tmp_path / f"{name}.h5", *small)
    with Recording(tmp_path / "one.h5") as one, Recording(tmp_path / "again.h5") as other:
        for name in ("ids", "born", "status", "calcium", "spikes", "raw"):
            np.testing.assert_array_equal(getattr(one.cells, name), getattr(other.cells, name))
        assert (one.cells.status > Status.REJECTED).any(), "also the footprints of those that are no more"
        for name in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(*(getattr(each.cells.footprints, name) for each in (one, other)))


def test_a_recording_that_ends_early_holds_what_a_longer_one_holds_of_its_rows(taken, tmp_path):
    settings = live(*ON)
    source = Held(Simulated("still", settings, length=FRAMES, paced=False, seed=3))
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5", essential=True)
    session.start()
    source.step(600)
    wait_for(lambda: session.snapshot().frames_seen == 600, 120)
    session.stop_recording(wait=False)
    source.step(FRAMES)
    assert session.wait(120)
    with Recording(taken[0]) as long, Recording(tmp_path / "a.h5") as short:
        assert (short.rows, short.complete) == (600, True)
        columns = [long.cells.ids.tolist().index(cell) for cell in short.cells.ids.tolist()]
        assert len(columns) > 2
        for name in ("raw", "calcium", "spikes", "spikes_causal"):
            values = getattr(long.cells, name)[:600, columns]
            np.testing.assert_array_equal(getattr(short.cells, name), values, err_msg=name)


def test_off_and_on_again_in_mid_session():
    """The stage as it is in a session, with the real finder: cells and ids stay, their traces begin anew."""
    small = film(700, shape=(40, 48), centres=np.array([[12, 12], [28, 26], [20, 38]]))
    settings = Settings().with_texts("cnmf.enabled=true", "cnmf.buffer=5", "cnmf.cell_radius=5")
    analysis, seen = Analysis((40, 48), 30.0, inline=True), []
    pictures = small.pictures.astype(np.uint16)
    for row, picture in enumerate(pictures):
        on = not 300 <= row < 340
        seen.append(analysis.step(row, row / 30, picture, settings.with_value("cnmf.enabled", on), RoiSet()))
    assert all(each.activity is None for each in seen[300:340])
    before, after = seen[299].activity, seen[340].activity
    assert set(before.ids) == set(after.ids)
    assert np.isnan(after.settled_calcium).all()
    last = seen[-1].activity.components
    found = small.found(last)
    assert -1 not in found
    old = set(before.components.ids[before.components.status == Status.ACCEPTED].tolist())
    assert old <= set(last.ids[last.status == Status.ACCEPTED].tolist())
    check(analysis._cells.now.census.cells, whole=False)
    assert not [event for each in seen for event in each.news if event[0] == "alert"]
    analysis.close()


class Hurried:
    """A clock that never waits: a camera as fast as the machine."""

    def now(self):
        return 0.0

    def wait(self, stopped, seconds):
        return stopped.is_set()


@pytest.mark.parametrize("kind", [Detector, Distant])
def test_live_with_a_detector_that_fails(tmp_path, monkeypatch, kind):
    """On a thread or in a process: frames, regions, traces and recording go on, and the file tells of it."""
    failed = []

    def look(self, ring, last, noise, floors):
        failed.append(last)
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(kind, "look", look)
    monkeypatch.setattr(Shared, "possible", lambda: kind is Distant)
    monkeypatch.setattr(OnlineCNMF, "warm_up", lambda: None)  # its finders would fail, too
    settings = live(*ON)
    source = Simulated("still", settings, length=FRAMES, paced=True, clock=Hurried(), seed=3)
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5", essential=True)
    session.start()
    assert session.wait(60)
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.rows == FRAMES
        assert np.isfinite(recording.means).all()
        alerts = [event.data for event in recording.events if event.kind == "alert"]
        assert 1 <= len(failed) <= 3
        assert all(alert["stage"] == "detector" and "injected" in alert["text"] for alert in alerts)
        assert len(alerts) >= len(failed) - 1, "the last may come after the last frame"
        assert recording.cells is not None


def test_live_the_recording_is_whole_and_the_thread_ends(tmp_path):
    settings = live(*ON)
    source = Simulated("still", settings, length=FRAMES, paced=True, clock=Hurried(), seed=3)
    session = Session(source, settings, ROIS)
    session.record(tmp_path / "a.h5", essential=True)
    session.start()
    assert session.wait(60)
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.rows == FRAMES
        assert not [event for event in recording.events if event.kind == "alert"]
        cells = recording.cells
        assert len(set(cells.ids.tolist())) == len(cells.ids)
        for k in np.flatnonzero(cells.status <= Status.REJECTED):
            assert np.isfinite(cells.calcium[cells.born[k] :, k]).all()
