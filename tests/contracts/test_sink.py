"""Every sink, on its lane: empty, slow, failing, closed twice."""

import numpy as np
import pytest

from roi_core.frame import FinishReason, Header, Sample, Summary
from roi_core.lanes import Lane
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
