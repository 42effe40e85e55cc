"""The search for cells in a process of its own, so that it has neither our interpreter nor our processor.

A thread that searches holds the interpreter every now and then, and while it is put off everybody waits for
it. A process can be put off as long as the machine has anything better to do (`SCHED_IDLE`): no frame and no
picture of the window comes later for it. It sees the ring and the noise in shared memory; what it is asked
and what it found are pickled.
"""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from roi_core.calm import ASIDE, step_back
from roi_core.cnmf.detect import MISSED, Candidate, Detector, step_of
from roi_core.cnmf.misses import USUAL, Floors
from roi_core.cnmf.residual import Ring
from roi_core.cnmf.shared import Shared
from roi_core.itself import command, environment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Field

__all__ = ["Distant", "Lost", "serve"]

LATE, HURRIED = 1.0, 20
"""Seconds after which a look came late, and looks after it that take their share of a busy machine."""


class Lost(RuntimeError):
    """The process that looked for cells is no more."""


class Begin(NamedTuple):
    """What is looked at: cells of a field at ``rate`` Hz, in a ring of so many ``frames``."""

    field: Field
    rate: float
    frames: int


class Look(NamedTuple):
    """What is asked: skip to a frame, forget what became cells, look at what came up to the last."""

    skipped: int
    born: list[Candidate]
    last: int
    floors: Floors


class Seen(NamedTuple):
    """What is answered; see `Detector`."""

    found: list[Candidate]
    missed: list[Candidate]
    suspects: NDArray[np.bool_]
    done: int


class Distant:
    """A `Detector` in another process; who waits for its look does so without the interpreter.

    The ring and the noise were made in ``shared``, in this order. An `OSError` says that no process can be
    started, `Lost` that it ended. It ends with this object at the latest.
    """

    def __init__(self, field: Field, rate: float, frames: int, shared: Shared) -> None:
        self.step = step_of(rate)
        self.suspects = np.zeros(field.binned, np.bool_)
        self.done = 1
        self.missed: list[Candidate] = []
        self._born: list[Candidate] = []
        self._wire, theirs = Pipe()
        with theirs:
            files = theirs.fileno(), shared.file
            self._process = subprocess.Popen(
                command("search", *map(str, files)), pass_fds=files, env=environment(),
                process_group=0, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        self.close = weakref.finalize(self, _end, self._process)
        self._wire.send(Begin(field, rate, frames))

    def skip(self, frame: int) -> None:
        """Go on at this frame; what lies between is not looked at."""
        self.done = max(self.done, frame)

    def look(
        self, ring: Ring, last: int, noise: NDArray[np.float32], floors: Floors = USUAL
    ) -> list[Candidate]:
        """Return the candidates of the newest look, best first; raise what went wrong there."""
        born, self._born = self._born, []
        try:
            self._wire.send(Look(self.done, born, last, floors))
            answer: Seen | Exception = self._wire.recv()
        except (OSError, EOFError) as error:
            self.close()
            raise Lost(f"its process ended, exit code {self._process.wait()}") from error
        if isinstance(answer, Exception):
            raise answer
        self.suspects, self.done = answer.suspects, answer.done
        self.missed = [*self.missed, *answer.missed][-MISSED:]
        return answer.found

    def forget(self, candidate: Candidate, noise: NDArray[np.float32]) -> None:
        """Take a candidate that became a cell out of the sums, with the next look."""
        self._born.append(candidate)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


# -- the other process -------------------------------------------------------------------------------------


def serve(wire: int, memory: int) -> None:
    """Look for cells until nobody asks any more; given are the numbers of two files that were inherited."""
    step_back(ASIDE)
    asked, shared = Connection(wire), Shared(memory)
    with suppress(EOFError, ConnectionError), ThreadPoolExecutor(1, initializer=_idle) as idle:
        begin: Begin = asked.recv()
        ring = Ring(begin.frames, begin.field, shared.zeros)
        noise = shared.zeros(begin.field.binned, np.float32)
        detector, hurried = Detector(begin.field, begin.rate), 0
        while True:
            look, began = asked.recv(), monotonic()
            if hurried:
                hurried -= 1
                answer = _answer(detector, look, ring, noise)
            else:
                answer = idle.submit(_answer, detector, look, ring, noise).result()
                hurried = HURRIED if monotonic() - began > LATE else 0
            asked.send(answer)


def _idle() -> None:
    """Let this thread have a processor when nobody else wants it; for a thread there is no way back."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _answer(detector: Detector, look: Look, ring: Ring, noise: NDArray[np.float32]) -> Seen | Exception:
    try:
        for candidate in look.born:
            detector.forget(candidate, noise)
        detector.skip(look.skipped)
        found = detector.look(ring, look.last, noise, look.floors)
        missed, detector.missed = detector.missed, []
        return Seen(found, missed, detector.suspects, detector.done)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return error
