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


class _Step(NamedTuple):
    what: str
    back: Callable[[], object]
    forth: Callable[[], object]


class Journal:
    """Steps that can be taken back, and those that were."""

    def __init__(self) -> None:
        self._past: list[_Step] = []
        self._future: list[_Step] = []

    def push(self, what: str, back: Callable[[], object], forth: Callable[[], object]) -> None:
        """Remember a step that was just made; what was taken back before can no longer be done again."""
        self._past.append(_Step(what, back, forth))
        self._future.clear()

    @contextmanager
    def as_one(self, what: str) -> Iterator[None]:
        """Make one step of all that are pushed within."""
        begin = len(self._past)
        yield
        steps = self._past[begin:]
        if steps:
            del self._past[begin:]
            self.push(
                what,
                lambda: [step.back() for step in reversed(steps)],
                lambda: [step.forth() for step in steps],
            )

    @property
    def undo_name(self) -> str:
        """What `undo` would take back; '' when there is nothing."""
        return self._past[-1].what if self._past else ""

    @property
    def redo_name(self) -> str:
        """What `redo` would do again; '' when there is nothing."""
        return self._future[-1].what if self._future else ""

    def undo(self) -> None:
        """Take the last step back."""
        if self._past:
            step = self._past.pop()
            self._future.append(step)
            step.back()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self._future:
            step = self._future.pop()
            self._past.append(step)
            step.forth()

    def clear(self) -> None:
        """Forget everything: there is nothing to take back yet."""
        self._past.clear()
        self._future.clear()
