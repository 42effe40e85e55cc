"""Small sources and sinks, each named after what is special about it."""

import threading

import numpy as np

from roi_core.errors import SourceLost
from roi_core.frame import Frame


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
