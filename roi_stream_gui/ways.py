"""What the hand asked for and waits for, and the way back and forth through it. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.hand import Deed, Deeds, Hand

__all__ = ["Asked", "Way", "failed"]


@dataclass(slots=True, eq=False)
class Asked:
    """A verb that was asked for, and what is to be done here for each deed that has happened."""

    what: str
    deeds: Deeds
    follow: Callable[[tuple[Deed, ...]], object]
    whom: str
    unwanted: bool = False

    def call_off(self) -> None:
        """Let nothing of it happen; what has happened already is to be taken back."""
        self.unwanted = True
        for deed in self.deeds:
            deed.cancel()


class Way:
    """The way back and forth through the deeds of a step; one that was refused can be tried again."""

    def __init__(self, what: str, hand: Hand, deeds: Deeds, under_way: list[Way]) -> None:
        self.what = what
        self._hand, self._under_way = hand, under_way
        self._trails = [[deed] for deed in deeds]
        """What happened, what took it back, what did it again ..."""

    def back(self) -> None:
        """Take back whatever is done."""
        self._under_way.append(self)
        for trail in reversed(self._trails):
            if is_done(trail):
                trail.append(self._hand.undo(trail[-1]))

    def forth(self) -> None:
        """Do again whatever was taken back."""
        self._under_way.append(self)
        for trail in self._trails:
            if not is_done(trail):
                trail.append(self._hand.undo(trail[-1]))

    @property
    def waits(self) -> bool:
        """True while something is still to be answered."""
        return not all(trail[-1].done() for trail in self._trails)

    @property
    def done(self) -> bool:
        """True while there is anything to take back."""
        return any(is_done(trail) for trail in self._trails)


def failed(deed: Deed) -> bool:
    """Tell whether a deed was refused or called off."""
    return deed.cancelled() or (deed.done() and deed.exception() is not None)


def is_done(trail: list[Deed]) -> bool:
    """Tell whether the first deed of a trail is in force; those that were refused at its end are dropped."""
    while failed(trail[-1]):
        trail.pop()
    return len(trail) % 2 == 1
