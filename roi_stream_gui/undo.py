"""The way back and forth through what the hand did, without end. Knows no toolkit.

One journal for everything the hand does to regions and cells, so that Ctrl+Z takes back the last thing,
whatever it was, and tells what that was. Parameters have a way back of their own: they act on the future, not
on what is drawn; `Journal.aside` knows it only as long as they are the last thing that was changed.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Journal"]

log = logging.getLogger(__name__)


class _Part(NamedTuple):
    back: Callable[[], object]
    forth: Callable[[], object]
    of: str


class _Step(NamedTuple):
    what: str
    parts: tuple[_Part, ...]
    whom: str = ""
    """What it was done to, in words; '' where its name says it all."""

    def tell(self, sentence: str) -> None:
        log.info("%s", sentence.format(f"{self.what} ({self.whom})" if self.whom else self.what))


class Journal:
    """Steps that can be taken back, and those that were."""

    def __init__(self) -> None:
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self.waiting: list[tuple[str, Callable[[], object]]] = []
        """What was asked for and has not happened yet, the youngest last, and what calls it off."""
        self._beside: tuple[str, Callable[[], object]] | None = None

    def push(
        self,
        what: str,
        back: Callable[[], object],
        forth: Callable[[], object],
        of: str = "",
        whom: str = "",
    ) -> None:
        """Remember a step that was just made; what was taken back before can no longer be done again.

        `of` is a word for `forget`, `whom` tells what it was done to.
        """
        self._past.append(_Step(what, (_Part(back, forth, of),), whom))
        self._future.clear()
        self._beside = None

    def aside(self, what: str, back: Callable[[], object]) -> None:
        """Remember what is no step, but was the last thing done: only an `undo` right after calls `back`."""
        self._beside = what, back

    @contextmanager
    def as_one(self, what: str, whom: str = "") -> Iterator[None]:
        """Make one step of all that are pushed within."""
        begin = len(self._past)
        yield
        parts = tuple(part for step in self._past[begin:] for part in step.parts)
        if parts:
            self._past[begin:] = [_Step(what, parts, whom)]

    @property
    def undo_name(self) -> str:
        """What `undo` would take back; '' when there is nothing."""
        if self.waiting:
            return self.waiting[-1][0]
        if self._beside is not None:
            return self._beside[0]
        return self._past[-1].what if self._past else ""

    @property
    def redo_name(self) -> str:
        """What `redo` would do again; '' when there is nothing."""
        return self._future[-1].what if self._future else ""

    def holds(self, of: str) -> bool:
        """Tell whether anything that was pushed under this word can be taken back."""
        return any(part.of == of for step in self._past for part in step.parts)

    def undo(self) -> None:
        """Take the last step back; what has not happened yet is called off first."""
        if self.waiting:
            what, call_off = self.waiting.pop()
            call_off()
            log.info(words.CALLED_OFF.format(what))
        elif self._beside is not None:
            (_, back), self._beside = self._beside, None
            back()
        else:
            self.take_back()

    def take_back(self) -> None:
        """Take the last step back, whatever is asked for and has not happened yet."""
        if self._past:
            step = self._past.pop()
            self._future.append(step)
            for part in reversed(step.parts):
                part.back()
            step.tell(words.UNDONE)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._beside = None
        if self._future:
            step = self._future.pop()
            self._past.append(step)
            for part in step.parts:
                part.forth()
            step.tell(words.REDONE)

    def place(self, back: Callable[[], object], done: bool) -> bool:
        """Put a part of a step, known by its way back, where it belongs; tell whether there is such a one.

        What is `done` can be taken back; what is not, done again.
        """
        wrong, right = (self._future, self._past) if done else (self._past, self._future)
        for k, step in enumerate(wrong):
            for part in step.parts:
                if part.back == back:
                    rest = tuple(other for other in step.parts if other is not part)
                    wrong[k : k + 1] = [step._replace(parts=rest)] if rest else []
                    right.append(step._replace(parts=(part,)))
                    return True
        return any(part.back == back for step in right for part in step.parts)

    def forget(self, of: str) -> None:
        """Drop what was pushed under this word: it can be taken back no more."""
        for steps in (self._past, self._future):
            left = [s._replace(parts=tuple(part for part in s.parts if part.of != of)) for s in steps]
            steps[:] = [step for step in left if step.parts]

    def clear(self) -> None:
        """Forget everything: there is nothing to take back yet."""
        self._past.clear()
        self._future.clear()
        self._beside = None
