"""Every sink, on its lane: empty, slow, failing, closed twice."""

import numpy as np
import pytest

from roi_core import publisher
from roi_core.frame import FinishReason, Header, Sample, Summary
from roi_core.lanes import Lane
from roi_core.ledger import Carried
from roi_core.publisher import Publisher
from roi_core.rois import Circle, RoiSet
from roi_core.settings import Settings
from roi_core.sinks.hdf5 import Recorder
from tests.fakes import Failing, Listing, Slow

SHAPE = (4, 5)
DONE = Summary(FinishReason.COMPLETED)


def header():
    settings = Settings().with_texts("recorder.disk_reserve=1")
    return Header("fake", SHAPE, 10.0, "camera", settings, RoiSet().add(Circle(1, 1, 1)))


def sample(row):
    head = header()
    return Sample(row, row, row / 10, np.full(SHAPE, row, np.uint16), head.rois, head.rois.ids,
                  np.array([row], np.float32), None)  # fmt: skip


class SinkContract:
    """Inherit, give `make` and `taken`, and a sink is tested."""

    def make(self, folder):
        raise NotImplementedError

    def taken(self, sink):
        raise NotImplementedError

    def test_everything_offered_is_taken_in_order(self, tmp_path):
        sink = self.make(tmp_path)
        lane = Lane(sink, 4, wait=True)
        lane.open(header())
        for row in range(50):
            lane.offer(sample(row))
        lane.finish(DONE)
        lane.join()
        assert lane.failure is None
        assert self.taken(sink) == list(range(50))

    def test_nothing_offered(self, tmp_path):
        sink = self.make(tmp_path)
        lane = Lane(sink, 4, wait=True)
        lane.open(header())
        lane.finish(DONE)
        lane.join()
        assert self.taken(sink) == []

    def test_closed_twice(self, tmp_path):
        sink = self.make(tmp_path)
        sink.open(header())
        sink.write(sample(0))
        sink.close(DONE)
        sink.close(Summary(FinishReason.FAILED, "again"))
        assert self.taken(sink) == [0]

    def test_flushed_before_any_sample(self, tmp_path):
        sink = self.make(tmp_path)
        sink.open(header())
        sink.flush()
        sink.close(DONE)
        assert self.taken(sink) == []


class TestRecorder(SinkContract):
    def make(self, folder):
        return Recorder(folder / "a.h5")

    def taken(self, sink):
        from roi_core.recording import Recording

        with Recording(sink.path) as recording:
            return recording.frame_index.tolist()


class TestListing(SinkContract):
    def make(self, folder):
        return Listing()

    def taken(self, sink):
        return [row for row, _ in sink.samples]


def test_a_waiting_lane_holds_the_writer_up_and_loses_nothing():
    sink = Slow()
    lane = Lane(sink, 2, wait=True)
    lane.open(header())
    for row in range(3):  # one in the sink's hands, two queued
        lane.offer(sample(row))
    sink.go.set()
    for row in range(3, 20):
        lane.offer(sample(row))
    lane.finish(DONE)
    lane.join()
    assert [row for row, _ in sink.samples] == list(range(20))
    assert lane.dropped == 0


def test_a_dropping_lane_never_waits_and_counts():
    sink = Slow()
    lane = Lane(sink, 2, wait=False)
    lane.open(header())
    image = np.zeros(SHAPE, np.uint16)
    for row in range(50):
        image[:] = row
        lane.offer(Sample(row, row, float(row), image, RoiSet(), (), np.zeros(0, np.float32), None))
    sink.go.set()
    lane.finish(DONE)
    lane.join()
    assert len(sink.samples) + lane.dropped == 50
    assert lane.dropped >= 47
    assert all(row == pixel for row, pixel in sink.samples), "a queued image was overwritten"


@pytest.mark.parametrize("wait", [True, False])
def test_a_failing_sink_ends_its_lane_only(wait):
    sink = Failing(at=3)
    lane = Lane(sink, 2, wait=wait)
    lane.open(header())
    for row in range(4):
        while wait is False and lane.queued == 2:
            pass
        lane.offer(sample(row))
    for row in range(4, 50):
        lane.offer(sample(row))
    lane.finish(DONE)
    lane.join()
    assert str(lane.failure) == "the network is gone"
    assert [row for row, _ in sink.samples] == [0, 1, 2]
    assert [(s.reason, s.detail) for s in sink.summaries] == [
        (FinishReason.FAILED, "OSError: the network is gone")
    ]


def test_a_lane_flushes_also_when_nothing_comes():
    import threading

    class Flushed(Listing):
        seen = threading.Event()

        def flush(self):
            self.seen.set()

    lane = Lane(Flushed(), 2, wait=True, flush_period=0.01)
    lane.open(header())
    assert Flushed.seen.wait(10)
    lane.finish(DONE)
    lane.join()


class Away(Listing):
    """A sink that fails at some rows, and for a while cannot be opened again."""

    def __init__(self, fails, closed_for=0):
        super().__init__()
        self.fails, self.closed_for, self.opened = set(fails), closed_for, 0

    def open(self, header):
        super().open(header)
        self.opened += 1
        if self.opened > 1 and self.closed_for > 0:
            self.closed_for -= 1
            raise OSError("nobody listens there")

    def write(self, sample):
        if sample.row in self.fails:
            self.fails.remove(sample.row)
            raise OSError("the network is gone")
        super().write(sample)


def publish(sink, rows):
    """Offer samples one by one to a publisher that tries again at once."""
    lane = Publisher(sink, 4)
    lane.open(header())
    for row in range(rows):
        lane.offer(sample(row))
        while lane.queued:
            pass
    lane.finish(DONE)
    lane.join()
    return lane


def test_a_publisher_that_failed_is_opened_again_and_the_missed_are_counted(monkeypatch, caplog):
    monkeypatch.setattr(publisher, "SHORTEST", 0.0)
    sink = Away(fails=(3, 7), closed_for=2)
    lane = publish(sink, 20)
    missed = {3, 4, 5, 7}
    assert [row for row, _ in sink.samples] == [row for row in range(20) if row not in missed]
    assert lane.failure is None
    assert (lane.failures, lane.carried) == (4, Carried(20, 16, 4, 0))
    assert sink.summaries[-1] is DONE
    assert [s.reason for s in sink.summaries[:-1]] == [FinishReason.FAILED] * 4
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told[0] == "listing failed, it is tried again in 0 s: OSError: the network is gone"
    assert "listing is back; 3 frames were not published" in told


def test_a_publisher_that_stays_away_is_tried_ever_more_seldom(monkeypatch):
    moment = [0.0]
    monkeypatch.setattr(publisher, "monotonic", lambda: moment[0])
    lane = Publisher(Away(fails=(0,), closed_for=10**6), 4)
    lane._header, lane.sink.opened, pauses = header(), 1, []
    lane._write(sample(0))
    for _ in range(12):
        pauses.append(lane._again - moment[0])
        moment[0] = lane._again - 0.01
        lane._write(sample(1))  # too early: it is not even tried
        moment[0] = lane._again
        lane._write(sample(1))
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert lane.failures == 13
    assert lane.carried.dropped == 25
