"""All panels of the window: built each in its place, shown the view, taken out when they fail."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any, Final

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels import PANELS, panel_class
from roi_stream_gui.panels.base import Place, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from roi_stream_gui.panels.base import Desk, Panel
    from roi_stream_gui.view import View

__all__ = ["PanelBoard"]

log = logging.getLogger(__name__)

TABBED: Final = (Place.RIGHT, Place.BOTTOM)
"""Places that hold several panels, each in a tab."""


class PanelBoard:
    """A failure of one panel costs that panel, and is told where it stood."""

    def __init__(self, desk: Desk, places: Mapping[Place, int]) -> None:
        self._desk = desk
        self.panels: dict[str, Panel] = {}
        self._parents: dict[str, int] = {}
        self.behind = False
        """Whether some panels still wait for the last view."""
        for word in PANELS:
            try:
                self._build(word, places)
            except Exception as error:
                self._switch_off(word, error)

    def update(self, view: View, until: float = math.inf) -> None:
        """Show the view to every panel; one in a tab that is not open is spared.

        After the moment `until` (s, of `time.perf_counter`) the rest waits for the next view, which all see.
        """
        until, self.behind = math.inf if self.behind else until, False
        for word, panel in list(self.panels.items()):
            if time.perf_counter() > until:
                self.behind = True
                return
            if panel.place in TABBED and not self.is_open(word) and not getattr(panel, "always", False):
                continue
            try:
                panel.update(view)
            except Exception as error:
                self._switch_off(word, error)

    def is_open(self, word: str) -> bool:
        """Tell whether the tab of a panel is the one that is looked at."""
        parent = self._parents[word]
        chosen = dpg.get_value(dpg.get_item_parent(parent))
        return chosen in (parent, 0, None)

    def open(self, word: str) -> None:
        """Bring the tab of a panel to the front."""
        parent = self._parents.get(word)
        if parent is not None:
            dpg.set_value(dpg.get_item_parent(parent), parent)

    def opened(self) -> list[str]:
        """Return the words of the panels whose tabs are in front."""
        return [word for word, panel in self.panels.items() if panel.place in TABBED and self.is_open(word)]

    def reopen(self, words: Iterable[str]) -> None:
        """Bring these tabs to front again, as far as there are such panels."""
        for word in words:
            if word in self.panels and self.panels[word].place in TABBED:
                self.open(word)

    def tell(self) -> dict[str, Any]:
        """Return what the panels tell tests, by their words."""
        return {word: told(panel) for word, panel in self.panels.items()}

    def _build(self, word: str, places: Mapping[Place, int]) -> None:
        kind = panel_class(word)
        parent = places[kind.place]
        if kind.place in TABBED:
            parent = int(dpg.add_tab(label=kind.title, parent=parent))
            self._desk.named(f"tab.{word}", parent)
        self._parents[word] = parent
        self.panels[word] = kind(self._desk)
        self.panels[word].build(parent)

    def _switch_off(self, word: str, error: Exception) -> None:
        """Take a failed panel out; the others and the session live on."""
        panel = self.panels.pop(word, None)
        text = words.PANEL_OFF.format(title=panel.title if panel else word, error=error)
        log.error("%s", text, exc_info=error)
        if word in self._parents and (panel is None or panel.place is not Place.MENU):
            self._desk.text(text, "bad", parent=self._parents[word], wrap=0)
