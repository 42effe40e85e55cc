"""The pictures that can be looked at: the camera's, its relative change, and what the stages see.

Knows no toolkit. The raw picture is painted as it comes. All others are made on one helper thread and lie in
the template's place: motion correction has moved what they show.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from roi_core.jit import kernel
from roi_stream_gui import running, words
from roi_stream_gui.running import Running
from roi_stream_gui.tone import TOP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.ring import FrameRing
    from roi_core.session import Session
    from roi_core.snapshot import Snapshot

__all__ = ["RAW", "Canvas", "Views", "coded", "missing", "warm_up"]

log = logging.getLogger(__name__)

RAW: Final = "raw"
DFF: Final = "dff"
CHANGES: Final = (-1.0, 9.0)
"""The dF/F that can be shown; fixed, so that its limits never jump."""
LEARN: Final = 0.2
"""Seconds between two frames that are learned from while nobody looks at dF/F."""
LOOK: Final = 0.5
"""Seconds between two looks at the pictures of the stages: each takes some ms."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A picture as it is painted: (h, w) uint16 codes, one for `step` x `step` px of the camera.

    ``value = zero + scale * code``; with ``holes``, code 0 stands for no value. ``values`` is the picture
    itself where it is not made of the camera's own numbers.
    """

    name: str
    codes: NDArray[np.uint16]
    step: int = 1
    zero: float = 0.0
    scale: float = 1.0
    values: NDArray[np.float32] | None = None
    number: int = 0

    @property
    def holes(self) -> bool:
        """Tell whether code 0 stands for no value."""
        return self.values is not None

    def code(self, value: float) -> float:
        """Return the code of a value, between codes where need be."""
        return (value - self.zero) / self.scale

    def value(self, code: float) -> float:
        """Return the value of a code."""
        return self.zero + self.scale * code

    def at(self, row: int, column: int) -> float:
        """Return the value at a pixel of the camera; NaN where there is none."""
        y, x = row // self.step, column // self.step
        if not (0 <= y < self.codes.shape[0] and 0 <= x < self.codes.shape[1]):
            return float("nan")
        return float(self.codes[y, x] if self.values is None else self.values[y, x])


def coded(
    name: str, values: NDArray[np.float32], step: int, number: int, span: tuple[float, float] | None = None
) -> Canvas | None:
    """Return a float picture as a canvas; its span is that of its finite values, if not given.

    None when it has none.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return None
    low, high = span or (float(values.min(where=finite, initial=np.inf)),
                         float(values.max(where=finite, initial=-np.inf)))  # fmt: skip
    scale = max(high - low, 1e-6 * max(abs(high), 1e-6)) / (TOP - 1)
    codes = np.empty(values.shape, np.uint16)
    _code(np.ascontiguousarray(values, np.float32), np.float32(low), np.float32(1 / scale), codes)
    return Canvas(name, codes, step, low - scale, scale, values, number)


def missing(name: str, snapshot: Snapshot) -> str:
    """Return why there is no such picture, and what to switch on."""
    stage = words.VIEW_STAGE.get(name, "")
    if not stage:
        return words.VIEW_SOON
    state = snapshot.stages.get(stage, "off")
    return words.VIEW_WAITS[state].format(view=words.VIEWS[name], stage=words.STAGES[stage], setting=stage)


class Views:
    """Keeps the picture that is looked at up to date, a job at a time on a thread of its own."""

    def __init__(self) -> None:
        self.canvas: Canvas | None = None
        """The newest picture of the view that was asked for last; None while there is none, and for raw."""
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="views")
        self._job: Future[Canvas | None] | None = None
        self._wanted = RAW
        self._frames: FrameRing | None = None
        self._running: Running | None = None
        self._pictures: dict[str, NDArray[np.float32]] = {}
        self._learned = self._looked = -np.inf
        self._seen = self._number = 0
        self._failed = False

    def follow(self, session: Session, name: str) -> None:
        """Ask for what is new of view `name`, and take what was made; called for every drawn frame."""
        if self._job is not None:
            if not self._job.done():
                return
            self._take(self._job)
        if session.frames is not self._frames or name != self._wanted:
            self._turn(session, name)
        now = time.monotonic()
        fresh = session.frames.newest + 1 != self._seen and (name == DFF or now - self._learned >= LEARN)
        stale = name not in (RAW, DFF) and now - self._looked >= LOOK
        if (fresh or stale) and not self._failed:
            self._job = self._helper.submit(self.work, session, name, now)

    def work(self, session: Session, name: str, now: float) -> Canvas | None:
        """Learn from the newest frame and return the picture `name`; on the helper thread."""
        self._learn(session, now)
        if name == RAW or self._running is None:
            return None
        self._number += 1
        if name == DFF:
            return coded(DFF, self._running.dff(), self._running.step, self._number, CHANGES)
        if now - self._looked >= LOOK:
            self._looked = now
            # the stages' own pictures when there are any; the last ones when their session has ended
            self._pictures |= session.pictures() or self._running.pictures()
        picture = self._pictures.get(name)
        if picture is None:
            return None
        return coded(name, picture, max(1, round(session.frames.shape[1] / picture.shape[1])), self._number)

    def close(self) -> None:
        """End the thread."""
        self._helper.shutdown(wait=True, cancel_futures=True)

    def _turn(self, session: Session, name: str) -> None:
        """Look at something else."""
        if session.frames is not self._frames:
            self._frames, self._running = session.frames, Running(session.frames.shape)
            self._image = np.zeros(session.frames.shape, np.uint16)
            self._pictures, self._seen, self._failed = {}, 0, False
            self._learned = -np.inf
        self._wanted, self.canvas, self._looked = name, None, -np.inf

    def _take(self, job: Future[Canvas | None]) -> None:
        self._job = None
        try:
            canvas = job.result()
        except Exception as error:
            self._failed = True
            log.exception("there are no pictures but the raw one for this session: %s", error)
            return
        self.canvas = canvas if canvas is not None and canvas.name == self._wanted else None

    def _learn(self, session: Session, now: float) -> None:
        if session.frames.newest + 1 == self._seen or self._running is None:
            return
        shift = session.snapshot().shift or (0.0, 0.0)
        shot = session.frames.latest(self._image)
        if shot is not None:
            self._seen, self._learned = shot.number + 1, now
            self._running.learn(shot.image, shot.time, shift)


def warm_up() -> None:
    """Compile the kernels."""
    running.warm_up()
    coded("", np.zeros((2, 2), np.float32), 1, 0)


@kernel
def _code(values: NDArray[np.float32], low: np.float32, factor: np.float32, out: NDArray[np.uint16]) -> None:
    """Write codes 1 to 65535 of the values from `low` on; 0 for those that are not finite."""
    most = np.float32(65_534)
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            code = (values[y, x] - low) * factor
            if np.isfinite(code):
                out[y, x] = np.uint16(min(max(code, np.float32(0)), most) + np.float32(1.5))
            else:
                out[y, x] = np.uint16(0)
