"""The optional stages between a picture and its cells, and what keeps a broken one from stopping a session.

Each is made when it is first wanted and kept until the end; nothing of it is imported or compiled before.
"""

from __future__ import annotations

import logging
import threading
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from roi_core.errors import SettingsError, sentence
from roi_core.metrics import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from roi_core import settings
    from roi_core.frame import Activity, Foresight, Order, Settled
    from roi_core.ledger import Fate
    from roi_core.rois import RoiSet

__all__ = ["STAGES", "Finding", "Moving", "Preparing", "Shift", "Stage", "load"]

log = logging.getLogger(__name__)

STAGES: Final = {
    "prepare": "roi_core.prepare:Prepare",
    "motion": "roi_core.motion:Motion",
    "cnmf": "roi_core.cnmf.online:OnlineCNMF",
}
"""What does the work of each stage: module and class, imported when wanted."""

T = TypeVar("T")
R = TypeVar("R")


class Preparing(Protocol):
    """Makes the picture that is analysed: ``shape`` (h, w) of it, from px ``origin`` on, `bin` px to one."""

    shape: tuple[int, int]
    origin: tuple[int, int]
    bin: int

    def step(
        self, image: NDArray[np.uint16], settings: settings.Prepare, cnmf: settings.Cnmf
    ) -> NDArray[np.float32]:
        """Return the (h, w) picture; valid until the next step."""
        ...


class Shift(Protocol):
    """What motion correction says of a frame; ``dy`` ``dx`` in px of the analysed picture."""

    dy: float
    dx: float
    confidence: float
    flag: str


class Moving(Protocol):
    """Moves pictures to fit a template."""

    template: NDArray[np.float32]

    def step(
        self, picture: NDArray[np.float32], settings: settings.Motion, out: NDArray[np.float32]
    ) -> Shift:
        """Write the moved picture into `out`."""
        ...


class Finding(Protocol):
    """Finds cells. ``input`` (h, w) is where the picture of the next step is written.

    ``shift`` (dy, dx) px by which that picture was moved: as much of its edges was not seen by the camera.
    From a picture in ``doubt``, moved who knows where or a copy of the last, nothing is learned, and one that
    is late is left out; the fate of the activity tells.
    ``behind`` frames were not searched for new cells yet.
    """

    behind: int
    input: NDArray[np.float32]
    shift: tuple[float, float]
    doubt: Fate | None

    def step(self, row: int, settings: settings.Settings, rois: RoiSet) -> Activity:
        """Return what the cells do in row `row`."""
        ...

    def obey(self, order: Order, row: int) -> Order:
        """Do what a user asks of the components, before row `row`; raise when it cannot be.

        Return the order that takes it back.
        """
        ...

    def what_if(self, settings: settings.Settings) -> Foresight:
        """Return what other settings would lead to, and apply nothing."""
        ...

    def pause(self) -> None:
        """Rows will be missing from now: forget what takes rows for consecutive, keep the cells."""
        ...

    def finish(self) -> Settled | None:
        """Return the refined values of the last rows; no step follows."""
        ...

    def close(self) -> None:
        """End every thread and process."""
        ...


class Stage(Generic[T]):
    """One stage: off, in the making, at work, or given up.

    Made on the caller's thread with `inline`, else on one of its own, so that no frame waits for a compiler.
    What fails is asked again at the next frame, then made anew, then given up for the session; a thousand
    good frames forgive a failure. A setting that cannot be is not tried again.
    """

    LIVES: Final = 3
    FORGIVEN: Final = 1000

    def __init__(self, name: str, make: Callable[[], T], inline: bool) -> None:
        self.name = name
        self.broken = self._closed = False
        self.meter = Meter()
        """What its work on a frame costs."""
        self._make = make
        self._inline = inline
        self._object: T | None = None
        self._made: list[T | Exception] = []
        self._maker: threading.Thread | None = None
        self._failures = self._good = 0
        self._paused = True
        self._alerts: list[dict[str, Any]] = []

    @property
    def now(self) -> T | None:
        """What does the work, if it was made, also while the stage is off."""
        return self._object

    @property
    def state(self) -> str:
        """``off``, ``making`` (read from disk or compiled), ``ready`` or ``given up``; from any thread."""
        if self.broken:
            return "given up"
        if self._object is not None:
            return "ready"
        return "off" if self._maker is None else "making"

    def at_work(self, wanted: bool) -> bool:
        """Return whether the stage can work on this frame; makes it when it is wanted for the first time."""
        if not wanted:
            self.rest()
            return False
        if self._object is None and not self._over:
            self._begin()
        if self._made:
            self._take(self._made.pop())
        return self._object is not None

    def begin(self, patience: float) -> bool:
        """Make the stage before the first frame; wait at most `patience` s for one that is made aside."""
        end = perf_counter() + patience
        while not self.at_work(True) and not self._over:
            if self._maker is not None:
                self._maker.join(max(end - perf_counter(), 0.0))
                if self._maker.is_alive():
                    return False
        return not self._over

    def run(self, work: Callable[[T], R]) -> R | None:
        """Let the stage do `work`, or return None when it fails."""
        if self._object is None:
            return None
        self._paused = False
        begun = perf_counter()
        try:
            result = work(self._object)
        except Exception as error:
            self._fail(error)
            return None
        self.meter.add(begun, perf_counter() - begun)
        self._good += 1
        if self._good == self.FORGIVEN:
            self._failures = 0
        return result

    def rest(self) -> None:
        """Tell the stage once that frames will be missing."""
        pause = getattr(self._object, "pause", None)
        if self._paused or pause is None:
            return
        self._paused = True
        try:
            pause()
        except Exception as error:
            self._fail(error)

    @property
    def alerted(self) -> bool:
        """True when there is something to tell."""
        return bool(self._alerts)

    def alerts(self) -> list[dict[str, Any]]:
        """Return what failed since this was last asked."""
        told, self._alerts = self._alerts, []
        return told

    def close(self) -> None:
        """End the stage and its threads, whatever happens; it is off then, and not made again."""
        self._closed = True
        if self._maker is not None:
            self._maker.join()
            self._maker = None
        while self._made:
            self._end(self._made.pop())
        self._drop()

    @property
    def _over(self) -> bool:
        return self.broken or self._closed

    def _begin(self) -> None:
        if self._inline:
            self._build()
        elif self._maker is None:
            self._maker = threading.Thread(target=self._build, name=f"maker of {self.name}", daemon=True)
            self._maker.start()

    def _build(self) -> None:
        try:
            self._made.append(self._make())
        except Exception as error:
            self._made.append(error)

    def _take(self, made: T | Exception) -> None:
        self._maker = None
        if isinstance(made, Exception):
            self._fail(made)
        else:
            self._object = made

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self._good = 0
        made = self._object is not None
        if self._failures >= self.LIVES or isinstance(error, SettingsError):
            self.broken, then = True, "it is off for this session"
        elif made and self._failures == 1:
            then = "it is tried again"
        else:
            then = "it begins anew"
        log.warning("%s failed, %s: %s", self.name, then, sentence(error))
        log.debug("%s", self.name, exc_info=error)
        self._alerts.append({"stage": self.name, "text": sentence(error), "then": then})
        if then == "it is tried again":
            self.rest()
        else:
            self._drop()

    def _drop(self) -> None:
        gone, self._object, self._paused = self._object, None, True
        self._end(gone)

    def _end(self, gone: object) -> None:
        try:
            getattr(gone, "close", bool)()
        except Exception as error:
            log.warning("%s did not end well: %s", self.name, sentence(error))


def load(name: str) -> Any:
    """Return the class that does the work of a stage."""
    module, _, kind = STAGES[name].partition(":")
    return getattr(import_module(module), kind)
