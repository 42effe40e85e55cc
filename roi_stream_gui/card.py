"""The session card in the user's hands: filled in, kept for the next start, saved and chosen as presets.

Knows no toolkit.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from roi_core.card import Card, LiveCard
from roi_core.errors import RoiError
from roi_core.form import describe
from roi_stream_gui import words
from roi_stream_gui.home import kept_names, put_aside, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.form import Setting

__all__ = ["CardDesk"]

log = logging.getLogger(__name__)

REFUSED: Final = frozenset('/\\:*?"<>|')
LONGEST: Final = 60


class CardDesk:
    """The card in force and the presets of it; what cannot be done is told in a sentence.

    A preset fills in what it holds and leaves the rest: one of a microscope goes with any animal.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "card.yaml"
        self._presets = folder / "cards"
        self._safe = True
        """Whether what is filled in may be kept for the next start."""
        self._odd: tuple[str, ...] = ()
        self._given = False
        self._own: Card | None = None
        """The user's card, while that of a recording is in force."""
        self._lent: tuple[str, Card] | None = None
        """Which file the card in force is of, and what it said."""
        self.live = LiveCard(self._last())

    def tell(self) -> None:
        """Say what could not be read of the card of last time, once there is somebody to hear it."""
        for sentence in self._odd:
            log.warning("%s", sentence)
        self._odd = ()

    @property
    def now(self) -> Card:
        """The card in force."""
        return self.live.current

    def edit(self, path: str, typed: str | None) -> bool:
        """Fill in one field as it was typed; a refusal is told and changes nothing, a hint only told."""
        hints = self.now.hints()
        setting = next(setting for setting in describe(self.now) if setting.path == path)
        try:
            self.live.edit(path, _value(setting, typed or ""))
        except RoiError as error:
            log.warning("%s", error)
            return False
        for hint in self.now.hints():
            if hint not in hints:
                log.info("%s", hint)
        self._keep()
        return True

    def begin(self, card: Card) -> None:
        """Start with a card for this time, before anything is recorded; that of last time stays as it is."""
        self._safe, self._given = False, True
        self.live.current = card

    @property
    def lent(self) -> bool:
        """Tell whether the card is that of the file that is shown."""
        return self._own is not None

    def lend(self, theirs: Card | None, of: str = "") -> None:
        """Put the card `of` a file that is shown in force, until None brings back the user's own.

        One that was given at the start stays. What is filled in meanwhile is not kept for the next start; an
        export of the file takes it.
        """
        lent = None if theirs is None else (of, theirs)
        if self._given or lent == self._lent:
            return
        if theirs is not None:
            log.info("%s", words.CARD_LENT)
        own = self.now if self._own is None else self._own
        self.live.at_frame()  # what was filled in before is no edit of this card
        self.live.current, self._lent = theirs or own, lent
        self._own = None if theirs is None else own

    def presets(self) -> tuple[str, ...]:
        """Return the names of the presets, in order."""
        return kept_names(self._presets)

    def save(self, name: str) -> bool:
        """Keep what is filled in under a name; the same name again replaces it."""
        name = name.strip()
        if not name or name.startswith(".") or len(name) > LONGEST or REFUSED & set(name):
            log.warning(words.NO_PRESET, name[:LONGEST])
            return False
        try:
            write_whole(self._presets / f"{name}.yaml", self.now.to_yaml())
        except OSError as error:
            log.error("preset not saved: %s", error.strerror)
            return False
        log.info("card saved as preset %s", name)
        return True

    def choose(self, name: str) -> bool:
        """Fill in what a preset holds."""
        try:
            chosen = Card.load(self._presets / f"{name}.yaml")
        except RoiError as error:
            log.warning("preset not used: %s", error)
            return False
        filled = {one.path: one.value for one in describe(chosen) if one.value not in ("", None)}
        self.live.edit_many(filled)
        self._keep()
        log.info("card filled in from preset %s", name)
        return True

    def clear(self) -> None:
        """Empty the card."""
        self.live.edit_many({setting.path: setting.value for setting in describe(Card())})
        self._keep()

    def _keep(self) -> None:
        if self._safe and self._own is None:
            with suppress(OSError):  # a home that cannot be written is no reason to complain
                write_whole(self._kept, self.now.to_yaml())

    def _last(self) -> Card:
        """Return what still can be read of the card of last time; one that cannot be read is put aside."""
        if not os.path.lexists(self._kept):
            return Card()
        try:
            card, refused = Card.salvage(self._kept)
        except RoiError as error:
            self._odd = (words.CARD_BAD.format(error, self._put_aside()),)
            return Card()
        self._odd = tuple(words.CARD_FIELD.format(sentence) for sentence in refused)
        return card

    def _put_aside(self) -> Path:
        """Rename the card of last time; where that cannot be, it is left alone and nothing is kept."""
        aside = put_aside(self._kept)
        self._safe = aside != self._kept
        return aside


def _value(setting: Setting, typed: str) -> Any:
    """Return what was typed as the field's kind; nonsense is passed on and refused by the rules."""
    typed = typed.strip()
    if setting.kind is str:
        return typed
    if not typed:
        return None
    try:
        return float(typed.replace(",", "."))
    except ValueError:
        return typed
