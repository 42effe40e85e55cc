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
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from roi_core.calm import ASIDE, BEGUN, step_back
from roi_core.cnmf.detect import MISSED, Candidate, Detector, step_of
from roi_core.cnmf.misses import USUAL, Floors
from roi_core.cnmf.residual import Ring
from roi_core.cnmf.shared import Shared
from roi_core.itself import command, environment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.shared import Zeros
    from roi_core.cnmf.state import Field

__all__ = ["Distant", "Lost", "looked_at", "serve"]

LATE = 1.0
"""Seconds after which a look on an idle processor came late: the next takes its share of a busy machine."""
BUSY, SOON = 3.0, 0.05
"""A machine is busy where that one takes so many times as long as it computes, and so many seconds."""
LIMIT = 120.0
"""Seconds after which a process that gives no answer is given up."""


class Lost(RuntimeError):
    """There is no process that looks for cells, and why."""


class Begin(NamedTuple):
    """What is looked at: cells of a field at ``rate`` Hz, in a ring of so many ``frames``.

    ``begun`` is the niceness that the program was started with that asks.
    """

    field: Field
    rate: float
    frames: int
    begun: int


class Question(NamedTuple):
    """Skip to a frame, forget what became cells, then look at what came up to the last."""

    skipped: int
    born: list[Candidate]
    last: int
    floors: Floors


class Answer(NamedTuple):
    """What `Detector` has after a look."""

    found: list[Candidate]
    missed: list[Candidate]
    suspects: NDArray[np.bool_]
    done: int


def looked_at(frames: int, field: Field, zeros: Zeros) -> tuple[Ring, NDArray[np.float32]]:
    """Return a ring and the noise of its pixels in memory of ``zeros``: the same to both who share that."""
    return Ring(frames, field, zeros), zeros(field.binned, np.float32)


class Distant:
    """A `Detector` in another process, which begins with the first look and ends with this object.

    What is `looked_at` was made in ``shared``; who waits for a look does so without the interpreter. It
    raises `Lost` when the process cannot be started, was killed or gives no answer. If the program forks and
    is killed, the process lives as long as the fork.
    """

    def __init__(self, field: Field, rate: float, frames: int, shared: Shared) -> None:
        self.step = step_of(rate)
        self.suspects = np.zeros(field.binned, np.bool_)
        self.done = 1
        self.missed: list[Candidate] = []
        self._born: list[Candidate] = []
        self._begin, self._shared = Begin(field, rate, frames, BEGUN), shared
        self._lock, self._closed = threading.Lock(), False
        self._wire: Connection[Any, Any] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def skip(self, frame: int) -> None:
        """Go on at this frame; what lies between is not looked at."""
        self.done = max(self.done, frame)

    def look(
        self, ring: Ring, last: int, noise: NDArray[np.float32], floors: Floors = USUAL
    ) -> list[Candidate]:
        """Return the candidates of the newest look, best first; raise what went wrong there."""
        born, self._born = self._born, []
        answer = self._answer(Question(self.done, born, last, floors))
        if isinstance(answer, Exception):
            raise answer
        self.suspects, self.done = answer.suspects, answer.done
        self.missed = [*self.missed, *answer.missed][-MISSED:]
        return answer.found

    def forget(self, candidate: Candidate, noise: NDArray[np.float32]) -> None:
        """Take a candidate that became a cell out of the sums, with the next look."""
        self._born.append(candidate)

    def close(self) -> None:
        """End the process, from any thread; a look in hand raises `Lost`."""
        with self._lock:
            self._closed = True
        if self._process is not None:
            _end(self._process)

    def _answer(self, question: Question) -> Answer | Exception:
        try:
            wire = self._wire or self._started()
            wire.send(question)
            if not wire.poll(LIMIT):
                raise Lost(f"the process that looks for cells gave no answer for {LIMIT:g} s")
            answer: Answer | Exception = wire.recv()
        except (OSError, EOFError) as error:
            raise Lost(self._fate(error)) from error
        return answer

    def _started(self) -> Connection[Any, Any]:
        with self._lock:
            if self._closed:
                raise OSError("closed")
            self._wire, theirs = Pipe()
            with theirs:
                files = theirs.fileno(), self._shared.file
                self._process = subprocess.Popen(
                    command("search", *map(str, files)), pass_fds=files, env=environment(),
                    process_group=0, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                )  # fmt: skip
            weakref.finalize(self, _end, self._process)
        self._wire.send(self._begin)
        return self._wire

    def _fate(self, error: Exception) -> str:
        """Return why there is no process."""
        if self._process is None:
            return f"no process can be started that looks for cells: {error}"
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.returncode
        how = "" if code is None else f" by signal {-code}" if code < 0 else f" with exit code {code}"
        return f"the process that looks for cells was ended{how}"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


# -- the other process -------------------------------------------------------------------------------------


def serve(wire: int, memory: int) -> None:
    """Look for cells until nobody asks any more; given are the numbers of two files that were inherited."""
    cv2.setNumThreads(1)  # others would be born of the idle thread, and hurried looks would wait for them
    with suppress(EOFError, OSError), Connection(wire) as asked:
        begin: Begin = asked.recv()
        step_back(ASIDE, begin.begun)
        ring, noise = looked_at(begin.frames, begin.field, Shared(memory).zeros)
        look = Looking(Detector(begin.field, begin.rate), ring, noise)
        with ThreadPoolExecutor(1, initializer=_idle) as idle:
            hurried = True  # the first look loads what was compiled
            while True:
                question, began = asked.recv(), monotonic()
                answer, spent = (
                    look.answer(question) if hurried else idle.submit(look.answer, question).result()
                )
                hurried = _hurries(hurried, monotonic() - began, spent)
                asked.send(answer)


def _hurries(hurried: bool, took: float, spent: float) -> bool:
    """Return whether the next look takes its share, after one that took and spent so many seconds."""
    return took > BUSY * spent + SOON if hurried else took > LATE


def _idle() -> None:
    """Let this thread have a processor when nobody else wants it; for a thread there is no way back."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Looking(NamedTuple):
    """What answers, on any thread."""

    detector: Detector
    ring: Ring
    noise: NDArray[np.float32]

    def answer(self, question: Question) -> tuple[Answer | Exception, float]:
        """Return the answer, and the seconds of a processor that it took."""
        began = thread_time()
        try:
            answer: Answer | Exception = self._answer(question)
        except Exception as error:
            error.add_note(traceback.format_exc())
            answer = error
        return answer, thread_time() - began

    def _answer(self, question: Question) -> Answer:
        detector = self.detector
        for candidate in question.born:
            detector.forget(candidate, self.noise)
        detector.skip(question.skipped)
        found = detector.look(self.ring, question.last, self.noise, question.floors)
        missed, detector.missed = detector.missed, []
        return Answer(found, missed, detector.suspects, detector.done)
