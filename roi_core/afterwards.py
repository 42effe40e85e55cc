"""What can still be done to cells when no frame comes any more: judge them, remove them, name them.

What is said goes into the finished recording at once and is told there; see `roi_core.recording.amend`. What
needs frames (shapes, traces, the thresholds) is refused in a sentence.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from roi_core.errands import answer
from roi_core.errors import ComponentError, sentence
from roi_core.frame import Event, Foresight, Memo, Order, Status, Verb
from roi_core.recording.amend import amend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from roi_core.board import Board
    from roi_core.frame import Activity, Components

    Verdict = tuple[Status, str]

__all__ = ["Afterwards"]

log = logging.getLogger(__name__)

R = TypeVar("R")

BY_HAND: Final = "by hand"
VERDICTS: Final = {
    Verb.ACCEPT: (Status.ACCEPTED, "accepted"),
    Verb.REJECT: (Status.REJECTED, "rejected"),
    Verb.REMOVE: (Status.REMOVED, "removed"),
}
"""Verbs that need no frames: what they make of a component, and what is told."""
PATIENCE: Final = 3.0
"""Seconds from the wish on that one who reads the file is waited for: all wishes of one key wait together."""
NO_FRAMES: Final = "that takes frames, and none come any more"
NOT_BACK: Final = (
    "that changed shapes or traces, so it can be taken back only while frames come, and none come any more"
)


class Afterwards:
    """The components of a session that has ended, on a thread that is there while there is something to do.

    ``files`` are those of its recording by now; without any, what is said lasts as long as the session is
    looked at. ``time`` s and ``frame`` are the last of the session. Takes the place of the finder of cells
    where `Hand` asks for one.
    """

    def __init__(
        self, board: Board, files: Callable[[], Sequence[Path]], time: float = 0.0, frame: int = -1
    ) -> None:
        self._board, self._at = board, (time, frame)
        self._whole: Activity | None = None
        """The last word of the session itself: one that was removed since may come back."""
        self.files = files
        self._waiting: deque[tuple[float, Callable[[Any, int], Any], Future[Any]]] = deque()
        self._until = 0.0
        self._lock, self._busy = Lock(), False

    def ask(self, work: Callable[[Any, int], R]) -> Future[R]:
        """Have `work` done with this object; the row there would be next means nothing."""
        future: Future[R] = Future()
        with self._lock:
            self._waiting.append((monotonic() + PATIENCE, work, future))
            if not self._busy:
                self._busy = True
                Thread(target=self._work, name="afterwards").start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                self._busy = bool(self._waiting)
                if not self._busy:
                    return
                self._until, work, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                answer(future, work, self, 0)

    def tell(self, kind: str, data: dict[str, Any]) -> Future[None]:
        """Have an event of a component, whose ``id`` is in the data, told in the recording."""
        future = self.ask(lambda _, __: self._keep({}, [(kind, data)]))
        future.add_done_callback(_complain)
        return future

    def obey(self, order: Order, _row: int) -> Order:
        """Carry out a verb; return the order that takes it back.

        Raises
        ------
        ComponentError
            It takes frames, or there is no such component.
        RecordingError
            It cannot be written into the recording; see `amend`. Else nothing was done.
        """
        restores = order.verb is Verb.RESTORE
        if not restores and order.verb not in VERDICTS:
            raise ComponentError(NO_FRAMES)
        components = self._components()
        verdicts = (
            {memo.id: _before(memo) for memo in order.memos}
            if restores
            else {cell: (VERDICTS[order.verb][0], _why(order)) for cell in order.ids}
        )
        places = {cell: _place(components, cell, dead=restores) for cell in verdicts}
        now = {cell: (Status(int(components.status[k])), components.reason[k]) for cell, k in places.items()}
        news = [_told(cell, verdict, restores) for cell, verdict in verdicts.items()]
        self._keep(verdicts, news)
        self._show(components, {places[cell]: verdict for cell, verdict in verdicts.items()})
        return Order(Verb.RESTORE, why="undone", memos=tuple(Memo(cell, 0, was) for cell, was in now.items()))

    def what_if(self, _settings: object) -> Foresight:
        """Say that there is no answer."""
        return Foresight(silent="no frames come any more")

    def _components(self) -> Components:
        if self._board.activity is None:
            raise ComponentError("no cells were looked for")
        self._whole = self._whole or self._board.activity
        return self._board.activity.components

    def _keep(self, verdicts: dict[int, Verdict], news: list[tuple[str, dict[str, Any]]]) -> None:
        """Write into every part of the recording, then into the diary."""
        amend(self.files(), verdicts, news, self._until)
        self._board.diary.add(Event(*self._at, kind, data) for kind, data in news)

    def _show(self, components: Components, verdicts: dict[int, Verdict]) -> None:
        """Let onlookers see other components."""
        status, reason = components.status.copy(), list(components.reason)
        for k, (verdict, why) in verdicts.items():
            status[k], reason[k] = verdict, why
        judged = replace(components, version=components.version + 1, status=status, reason=tuple(reason))
        self._board.activity = _of_living(self._whole, judged) if self._whole is not None else None


def _of_living(whole: Activity, components: Components) -> Activity:
    """Return what the last frame told of those components that are alive."""
    alive = set(components.ids[components.status <= Status.REJECTED].tolist())
    known = np.array([cell in alive for cell in whole.ids], bool)
    return replace(
        whole, ids=tuple(cell for cell in whole.ids if cell in alive),
        raw=whole.raw[known], calcium=whole.calcium[known], spikes=whole.spikes[known],
        settled_calcium=whole.settled_calcium[known], settled_spikes=whole.settled_spikes[known],
        components=components, events=(), backfill=(), tail=None,
    )  # fmt: skip


def _complain(done: Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.warning("%s", sentence(error))


def _place(components: Components, cell: int, dead: bool) -> int:
    """Return the place of a component; one that is no more counts only if `dead` ones do."""
    for k in np.flatnonzero(components.ids == cell).tolist():
        if dead or components.status[k] <= Status.REJECTED:
            return int(k)
    raise ComponentError(f"there is no component {cell}")


def _why(order: Order) -> str:
    return order.why if order.verb is Verb.REMOVE else BY_HAND


def _before(memo: Memo) -> Verdict:
    """Return what a component was, also by the memo of a verb that was obeyed while frames came."""
    if memo.box is not None:
        raise ComponentError(NOT_BACK)
    if memo.fate is not None:
        return memo.fate
    status = Status(int(memo.marks["status"]))
    by_rules = "" if status is Status.ACCEPTED else "by the thresholds"
    return status, BY_HAND if memo.marks["verdict"] else by_rules


def _told(cell: int, verdict: Verdict, restores: bool) -> tuple[str, dict[str, Any]]:
    """Return an event as it would be told while frames come."""
    status, why = verdict
    if restores and status <= Status.REJECTED:
        return "restored", {"id": cell, "status": status.name.lower(), "by_hand": why == BY_HAND}
    kinds = dict(VERDICTS.values())
    return kinds.get(status, "removed"), {"id": cell, "reason": why}
