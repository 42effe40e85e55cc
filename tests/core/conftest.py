"""Films that several tests look at, and a session in which cells were found."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from roi_core.cnmf.online import OnlineCNMF
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.sources.simulated import PRESETS, Simulated
from tests.cells import FRAMES, film
from tests.core.test_session import live, wait_for
from tests.fakes import Held

ON = ("cnmf.enabled=true", "cnmf.cell_radius=4", "cnmf.buffer=5")
EARLY = 450


class Run:
    """A session on the simulated camera, frame by frame, with some cells found."""

    def __init__(self, path, *texts, early=EARLY):
        self.settings = live(*ON, *texts)
        self.source = Held(Simulated("still", self.settings, paced=False, seed=3))
        self.session = Session(self.source, self.settings, RoiSet().add(Circle(20, 20, 5, name="a")))
        self.path = self.session.record(path, essential=True) if path is not None else None
        self.session.start()
        self.step(early)

    def step(self, frames=1):
        wanted = self.session.snapshot().frames_seen + frames
        self.source.step(frames)
        wait_for(lambda: self.session.snapshot().frames_seen == wanted, 120)

    @property
    def seen(self):
        return self.session.snapshot().activity.components

    def status(self, cell):
        return int(self.seen.status[self.seen.ids.tolist().index(cell)])

    def events(self, *kinds):
        """What the recording tells, but for the quality of the picture."""
        self.session.stop()
        self.session.wait()
        with Recording(self.path) as recording:
            return [(e.kind, e.data) for e in recording.events if e.kind in kinds and "metric" not in e.data]

    def asked(self, ask):
        """The answer to a question that waits for the next frame."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(ask)
            wait_for(lambda: self.step() or future.done())
            return future.result()


@pytest.fixture(scope="session")
def _compiled():
    OnlineCNMF.warm_up()


@pytest.fixture
def running(tmp_path, monkeypatch, _compiled):
    monkeypatch.setitem(PRESETS, "still", PRESETS["tiny"] | {"drift": 0.0, "jitter": 0.0})
    run = Run(tmp_path / "a.h5")
    yield run
    run.session.stop()
    run.session.wait()


@pytest.fixture(scope="session")
def movie():
    """Seven cells, two of which overlap, for 20 s."""
    return film(FRAMES)


@pytest.fixture(scope="session")
def exported_from(tmp_path_factory):
    """A recording with everything in it, for exports to read."""
    from tests.exporting import recorded

    return recorded(tmp_path_factory.mktemp("export") / "a.h5")
