"""Small sources and sinks, each named after what is special about it."""

import threading
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from roi_core.errors import SourceLost
from roi_core.frame import Activity, Backfill, Components, Frame, Settled, Status
from roi_core.ledger import Fate


class Ramp:
    """Gives frames whose pixels all equal the camera's index, at once and in order."""

    name, live, counter, rate = "ramp", False, "file", 100.0

    def __init__(self, count=50, shape=(16, 20), indices=None):
        self.shape = shape
        self.indices = list(indices if indices is not None else range(count))
        self.closed = threading.Event()

    def image(self, index):
        return np.full(self.shape, index % 65536, np.uint16)

    def frames(self):
        for index in self.indices:
            if self.closed.is_set():
                return
            yield Frame(self.image(index), index, index / self.rate)

    def close(self):
        self.closed.set()


class Stepped(Ramp):
    """A live camera whose next frame comes when the test says so."""

    live, counter = True, "camera"

    def __init__(self, **more):
        super().__init__(**more)
        self._go = threading.Semaphore(0)

    def step(self, frames=1):
        self._go.release(frames)

    def frames(self):
        for frame in super().frames():
            self._go.acquire()
            if self.closed.is_set():
                return
            yield frame

    def close(self):
        super().close()
        self._go.release()


class Uncounted(Ramp):
    """A camera that cannot know what it lost."""

    counter = "unknown"


class Unplugged(Ramp):
    """Gives its frames and is then gone."""

    live, counter = True, "camera"

    def frames(self):
        yield from super().frames()
        raise SourceLost("camera 0 gave no frame for 5 s (last: 49)")


class Broken(Ramp):
    """Fails like a bug after its frames."""

    def frames(self):
        yield from super().frames()
        raise ZeroDivisionError("a bug in a stage")


class Listing:
    """A sink that remembers everything."""

    name = "listing"

    def __init__(self):
        self.samples, self.summaries, self.flushes = [], [], 0
        self.header = None

    def open(self, header):
        self.header = header

    def write(self, sample):
        self.samples.append((sample.row, int(sample.image[0, 0])))

    def flush(self):
        self.flushes += 1

    def close(self, summary):
        self.summaries.append(summary)


class Slow(Listing):
    """A sink that waits for the test before it takes anything."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def write(self, sample):
        self.go.wait()
        super().write(sample)


class Failing(Listing):
    """A sink that fails at one sample."""

    def __init__(self, at=3):
        super().__init__()
        self.at = at

    def write(self, sample):
        if sample.row == self.at:
            raise OSError("the network is gone")
        super().write(sample)


class FakeCells:
    """Stands in for online CNMF: every value tells its component, its row and how it became known.

    Component k is found at row 10 k with its past back to row 10 k - 7; at row 60 the first is merged into
    the second; the third is rejected. raw = 1000 id + row; causal calcium raw + .25, settled + .5, of the
    past + .125; spikes the same with the row alone.
    """

    lag, every, until, behind, doubt = 3, 10, 60, 0, None

    def __init__(
        self,
        shape,
        rate,
        settings,
        *,
        camera_shape=None,
        origin=(0, 0),
        bin=1,
        inline=True,
        apart=False,
        first_id=1,
    ):
        self.input = np.zeros(shape, np.float32)
        self.shape, self.bin, self.origin = camera_shape or shape, bin, origin
        self.first_id, self.inline = first_id, inline
        self.closed, self.paused = False, 0
        self.rows, self.start, self.born = [], None, {}
        self.dead = {}
        self.version = 0
        self.components = None
        self.seen = []

    def step(self, row, settings, rois):
        self.start = row if self.start is None else self.start
        age, events, past = row - self.start, [], []
        self.rows.append(row)
        self.seen.append(float(self.input.mean()))
        if age and age % self.every == 0 and age < self.until:
            new = self.first_id + len(self.born)
            self.born[new] = row
            past.append(self._past(new, max(row - 7, self.rows[0]), row))
            events.append(("birth", {"id": new}))
        if age == self.until:
            self.dead[self.first_id] = row
            events.append(("merge", {"id": self.first_id, "into": self.first_id + 1}))
        if events or self.components is None:
            self.components = self._components()
        return self._activity(row, past, events)

    @staticmethod
    def warm_up():
        """There is nothing to compile."""

    def pause(self):
        self.paused += 1
        self.rows = []

    def finish(self):
        rows = self.rows[-self.lag :]
        ids = tuple(i for i in self.born if i not in self.dead)
        value = np.array([[1000.0 * i + row for i in ids] for row in rows], np.float32).reshape(-1, len(ids))
        alive = np.array([[row >= self.born[i] for i in ids] for row in rows]).reshape(-1, len(ids))
        settled = np.where(alive, value + 0.5, np.nan)
        of_rows = np.where(alive, np.array(rows)[:, None] + 0.5, np.nan) + 0 * value
        return Settled(rows[0], ids, settled.astype(np.float32), of_rows.astype(np.float32)) if rows else None

    def close(self):
        self.closed = True

    def _past(self, new, first, row):
        rows = np.arange(first, row, dtype=np.float32)
        return Backfill(new, first, 1000 * new + rows, 1000 * new + rows + 0.125, rows + 0.125)

    def _activity(self, row, past, events):
        ids = tuple(i for i in self.born if i not in self.dead)
        each = np.array(ids, np.float32)
        then = row - self.lag
        was = np.array([then >= self.born[i] and then in self.rows for i in ids], bool)
        settled = np.where(was, 1000 * each + then + 0.5, np.nan).astype(np.float32)
        spikes = np.where(was, then + 0.5, np.nan).astype(np.float32)
        raw = 1000 * each + row
        causal = np.full(len(ids), row + 0.25, np.float32)
        return Activity(ids, raw, raw + np.float32(0.25), causal, self.lag, settled, spikes, self.components,
                        tuple(past), tuple(events), self.doubt or Fate.ANALYSED)  # fmt: skip

    def _components(self):
        self.version += 1
        ids = np.array(list(self.born), np.int64)
        status = [Status.MERGED if i in self.dead else Status.ACCEPTED for i in self.born]
        status = [Status.REJECTED if k == 2 else s for k, s in enumerate(status)]
        reason = tuple("too dim" if k == 2 else "" for k in range(len(ids)))
        each, counts = ids.astype(np.float32), [0 if i in self.dead else 2 for i in self.born]
        pixels = [p for i, n in zip(self.born, counts, strict=True) for p in range(i, i + n)]
        return Components(self.version, self.shape, ids, np.array(list(self.born.values()), np.int64),
                          np.array(status, np.uint8), reason, each, each / 10, each * 2, each / 20,
                          np.array(pixels, np.float32) + 0.5, np.array(pixels, np.int32),
                          np.cumsum([0, *counts]))  # fmt: skip


class FakePrepare:
    """Leaves out the first row and column and averages 2 x 2 px."""

    def __init__(self, shape, settings, cnmf):
        self.shape, self.origin, self.bin = ((shape[0] - 1) // 2, (shape[1] - 1) // 2), (1, 1), 2

    def step(self, image, settings, cnmf):
        height, width = self.shape
        part = image[1 : 1 + 2 * height, 1 : 1 + 2 * width].astype(np.float32)
        return part.reshape(height, 2, width, 2).mean(axis=(1, 3))


class FakeShift(NamedTuple):
    dy: float
    dx: float
    confidence: float
    flag: str = ""


class FakeMotion:
    """Says that every frame moved by (1, -2) px of its picture; pictures of mean 7 are jumps."""

    def __init__(self, shape, rate, scale):
        self.scale, self.template = scale, np.full(shape, 5, np.float32)

    def step(self, picture, settings, out):
        np.copyto(out, picture)
        return FakeShift(1.0, -2.0, 0.9, "jump" if picture.mean() == 7 else "")


@contextmanager
def fake_stages(monkeypatch, **more):
    """Put the fakes in the place of the real stages."""
    from roi_core.stages import STAGES

    places = {"prepare": "FakePrepare", "motion": "FakeMotion", "cnmf": "FakeCells"} | more
    with monkeypatch.context() as patch:
        for stage, name in places.items():
            patch.setitem(STAGES, stage, f"tests.fakes:{name}")
        yield


class ManyCells(FakeCells):
    """Finds a cell every third row, for ever; none dies."""

    every, until = 3, 10**9


class FailsOnce(FakeCells):
    """Fails at row 25, once; the row is lost, the cells are not."""

    fails = (25,)

    def step(self, row, settings, rois):
        if row in self.fails:
            raise ZeroDivisionError("a bug in the demixing")
        return super().step(row, settings, rois)


class FailsTwice(FailsOnce):
    """Fails at two rows: a new one takes its place."""

    fails = (25, 30)


class FailsAlways(FailsOnce):
    """Fails from row 25 on."""

    fails = range(25, 10**6)


class CannotBeMade:
    """Fails already when it is made."""

    def __init__(self, *arguments, **more):
        raise MemoryError("no room for the buffers")


class SlowToMake(FakeCells):
    """Takes as long to make as the test wants, as if it were compiled."""

    go = threading.Event()

    def __init__(self, *arguments, **more):
        self.go.wait(20)
        super().__init__(*arguments, **more)


class BadMotion(FakeMotion):
    """Always fails."""

    def step(self, picture, settings, out):
        raise FloatingPointError("a bug in the template")


class Held:
    """Another source, whose next frames come when the test says so."""

    def __init__(self, source):
        self._source = source
        self._go = threading.Semaphore(0)

    def __getattr__(self, name):
        return getattr(self._source, name)

    def step(self, frames=1):
        self._go.release(frames)

    def frames(self):
        for frame in self._source.frames():
            self._go.acquire()
            yield frame

    def close(self):
        self._source.close()
        self._go.release()
