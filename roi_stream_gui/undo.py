"""The way back and forth through what the hand did, without end. Knows no toolkit.

One journal for everything the hand does to regions and cells, so that Ctrl+Z takes back the last thing,
whatever it was. Parameters have a way back of their own: they act on the future, not on what is drawn.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Journal"]


class _Part(NamedTuple):
    back: Callable[[], object]
    forth: Callable[[], object]
    of: str


class _Step(NamedTuple):
    what: str
    parts: tuple[_Part, ...]


class Journal:
    """Steps that can be taken back, and those that were."""

    def __init__(self) -> None:
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self.waiting: list[tuple[str, Callable[[], object]]] = []
        """What was asked for and has not happened yet, the youngest last, and what calls it off."""

    def push(self, what: str, back: Callable[[], object], forth: Callable[[], object], of: str = "") -> None:
        """Remember a step that was just made; what was taken back before can no longer be done again.

        `of` is a word for `forget`.
        """
        self._past.append(_Step(what, (_Part(back, forth, of),)))
        self._future.clear()

    @contextmanager
    def as_one(self, what: str) -> Iterator[None]:
        """Make one step of all that are pushed within."""
        begin = len(self._past)
        yield
        parts = tuple(part for step in self._past[begin:] for part in step.parts)
        if parts:
            self._past[begin:] = [_Step(what, parts)]

    @property
    def undo_name(self) -> str:
        """What `undo` would take back; '' when there is nothing."""
        if self.waiting:
            return self.waiting[-1][0]
        return self._past[-1].what if self._past else ""

    @property
    def redo_name(self) -> str:
        """What `redo` would do again; '' when there is nothing."""
        return self._future[-1].what if self._future else ""

    def undo(self) -> None:
        """Take the last step back; what has not happened yet is called off first."""
        if self.waiting:
            _, call_off = self.waiting.pop()
            call_off()
        else:
            self.take_back()

    def take_back(self) -> None:
        """Take the last step back, whatever is asked for and has not happened yet."""
        if self._past:
            step = self._past.pop()
            self._future.append(step)
            for part in reversed(step.parts):
                part.back()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self._future:
            step = self._future.pop()
            self._past.append(step)
            for part in step.parts:
                part.forth()

    def place(self, back: Callable[[], object], done: bool) -> bool:
        """Put a part of a step, known by its way back, where it belongs; tell whether there is such a one.

        What is `done` can be taken back; what is not, done again.
        """
        wrong, right = (self._future, self._past) if done else (self._past, self._future)
        for k, step in enumerate(wrong):
            for part in step.parts:
                if part.back == back:
                    rest = tuple(other for other in step.parts if other is not part)
                    wrong[k : k + 1] = [_Step(step.what, rest)] if rest else []
                    right.append(_Step(step.what, (part,)))
                    return True
        return any(part.back == back for step in right for part in step.parts)

    def forget(self, of: str) -> None:
        """Drop what was pushed under this word: it can be taken back no more."""
        for steps in (self._past, self._future):
            left = [_Step(s.what, tuple(part for part in s.parts if part.of != of)) for s in steps]
            steps[:] = [step for step in left if step.parts]

    def clear(self) -> None:
        """Forget everything: there is nothing to take back yet."""
        self._past.clear()
        self._future.clear()
