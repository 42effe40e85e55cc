"""Every set of parameters of this sitting, from the first on, and at which frame each came into force.

What the window shows, warns of and records is no parameter of a measurement and is left out. Knows no
toolkit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from roi_core.settings import Edit, describe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.board import Diary
    from roi_core.frame import Event
    from roi_core.settings import Settings

__all__ = ["Change", "Changes", "differences", "said", "text_of"]

BESIDE: Final = ("recorder", "quality", "display")
"""Blocks that measure nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """``edits`` made together at a ``clock`` (s since 1970) and the ``settings`` that they led to.

    ``frame`` is the camera's count of the first frame measured with them; None as long as there was none.
    """

    clock: float
    edits: tuple[Edit, ...]
    settings: Settings
    frame: int | None = None

    @property
    def text(self) -> str:
        """What was changed, in a line."""
        return ", ".join(map(said, self.edits)) or "the first set"

    @property
    def names(self) -> str:
        """What was changed, as short as can be."""
        return ", ".join(edit.path.rpartition(".")[2] for edit in self.edits) or self.text


class Changes:
    """All changes, the oldest first; ``made`` is replaced whole."""

    def __init__(self, settings: Settings) -> None:
        self.made: tuple[Change, ...] = (Change(time.time(), (), settings),)
        self._seen = settings
        self._diary: Diary | None = None
        self._cursor = 0
        self._first = 1
        """The first change made since there is this diary: those before it never met a frame."""

    def follow(self, settings: Settings, diary: Diary | None) -> tuple[Change, ...]:
        """Take in the settings in force and the session's diary; return the changes now known to count."""
        if diary is not self._diary:
            self._diary, self._cursor, self._first = diary, 0, len(self.made)
        if settings is not self._seen:
            edits = differences(self._seen, settings)
            self._seen = settings
            if edits:
                self.made = (*self.made, Change(time.time(), edits, settings))
        if diary is None or diary.head == self._cursor:
            return ()
        self._cursor, events = diary.since(self._cursor)
        return self._date([event for event in events if event.kind == "setting"])

    def _date(self, events: list[Event]) -> tuple[Change, ...]:
        """Write down from which frame on changes count; an event tells of one, the newest that it can."""
        made, dated = list(self.made), set()
        for event in reversed(events):
            for k in range(len(made) - 1, self._first - 1, -1):
                if made[k].frame in (None, event.frame) and _tells(event, made[k].edits):
                    if made[k].frame is None:
                        made[k] = replace(made[k], frame=event.frame)
                        dated.add(k)
                    break
        if dated:
            self.made = tuple(made)
        return tuple(made[k] for k in sorted(dated))


def differences(old: Settings, new: Settings) -> tuple[Edit, ...]:
    """Return what is measured otherwise with `new` settings than with `old` ones."""
    blocks = [name for name in type(new).model_fields if name not in BESIDE]
    changed = [name for name in blocks if getattr(old, name) != getattr(new, name)]
    settings = [setting for name in changed for setting in describe(new, name)]
    found = (Edit(setting.path, old.get(setting.path), setting.value) for setting in settings)
    return tuple(edit for edit in found if edit.old != edit.new)


def said(edit: Edit) -> str:
    """Return an edit as it is said: path, old and new value."""
    return f"{edit.path} {text_of(edit.old)} -> {text_of(edit.new)}"


def _tells(event: Event, edits: Iterable[Edit]) -> bool:
    return any(event.data["path"] == edit.path and event.data["new"] == edit.new for edit in edits)


def text_of(value: Any) -> str:
    """Return a value as it is said."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
