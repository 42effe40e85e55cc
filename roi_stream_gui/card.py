"""The session card in the user's hands: filled in, kept for the next start, saved and chosen as presets.

Knows no toolkit.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from roi_core.card import Card, LiveCard
from roi_core.errors import RoiError
from roi_core.form import describe
from roi_stream_gui import words

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
        self.live = LiveCard(_read(self._kept))

    @property
    def now(self) -> Card:
        """The card in force."""
        return self.live.current

    def edit(self, path: str, typed: str | None) -> bool:
        """Fill in one field as it was typed; a refusal is told and changes nothing."""
        setting = next(setting for setting in describe(self.now) if setting.path == path)
        try:
            self.live.edit(path, _value(setting, typed or ""))
        except RoiError as error:
            log.warning("%s", error)
            return False
        self._keep()
        return True

    def begin(self, card: Card) -> None:
        """Start with another card, before anything is recorded."""
        self.live.current = card

    def presets(self) -> tuple[str, ...]:
        """Return the names of the presets, in order."""
        try:
            return tuple(sorted(path.stem for path in self._presets.glob("*.yaml")))
        except OSError:
            return ()

    def save(self, name: str) -> bool:
        """Keep what is filled in under a name; the same name again replaces it."""
        name = name.strip()
        if not name or name.startswith(".") or len(name) > LONGEST or REFUSED & set(name):
            log.warning(words.NO_PRESET, name[:LONGEST])
            return False
        try:
            self._presets.mkdir(parents=True, exist_ok=True)
            (self._presets / f"{name}.yaml").write_text(self.now.to_yaml(), encoding="utf-8")
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
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            self._kept.write_text(self.now.to_yaml(), encoding="utf-8")
        except OSError:  # a home that cannot be written is no reason to complain
            return


def _read(path: Path) -> Card:
    """Return the card of last time; one that cannot be read counts as empty."""
    try:
        return Card.load(path)
    except RoiError:
        return Card()


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
