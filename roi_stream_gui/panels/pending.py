"""The bar below the parameters: how many edits are pending, what they lead to, and what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import then

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.panels.sets import EarlierWindow, PresetWindow

__all__ = ["PendingBar"]


class PendingBar:
    """Two lines of words, three buttons for the pending edits, three for whole sets."""

    HEIGHT: ClassVar[int] = 96

    def __init__(self, desk: Desk, presets: PresetWindow, earlier: EarlierWindow) -> None:
        self._desk = desk
        self._trial = trial = desk.controller.trial
        dpg.add_separator()
        with dpg.group(horizontal=True) as line:
            self._count = desk.named("pending", desk.text(words.NO_EDITS, "dim"))
            self._outcome = desk.text("", "dim")
        desk.tip(line, "pending")
        with dpg.group(horizontal=True):
            self._preview = self._button("trial.preview", "Preview", trial.preview, "preview")
            self._apply = self._button("trial.apply", "Apply", trial.apply, "apply")
            self._discard = self._button("trial.discard", "Discard", trial.discard, "discard")
        with dpg.group(horizontal=True):
            self._button("presets", "Presets ...", presets.show, "presets")
            self._button("earlier", "Earlier ...", earlier.show, "earlier")
            self._button("save_settings", "Save ...", self._save, "save_settings")
        self._presets, self._earlier = presets, earlier
        self._shown: tuple[bool, bool] | None = None

    def update(self) -> None:
        """Show what is pending and what is known of it."""
        trial = self._trial
        count, forecast = len(trial.pending), trial.forecast
        say = self._desk.say
        say(self._count, words.PENDING.format(count) if count else words.NO_EDITS, "warn" if count else "dim")
        if not trial.previewing:
            say(self._outcome, trial.applied if not count else "", "dim")
        elif forecast is None:
            say(self._outcome, words.FORESEEING, "dim")
        else:
            text = words.NO_PREVIEW_SHORT if forecast.silent else forecast.text
            say(self._outcome, text, "warn" if forecast.silent else "text")
        state = (bool(count), trial.previewing)
        if state != self._shown:
            self._shown = state
            theme = self._desk.theme
            for item in (self._preview, self._apply, self._discard):
                dpg.configure_item(item, enabled=state[0])
            dpg.bind_item_theme(self._preview, theme.tool if state[1] else theme.plain)
            dpg.bind_item_theme(self._apply, theme.primary if state[0] else theme.plain)
        self._presets.update()
        self._earlier.update()

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        trial = self._trial
        return {
            "pending": dict(trial.pending),
            "previewing": trial.previewing,
            "forecast": None if trial.forecast is None else trial.forecast.text,
            "applied": trial.applied,
            "changes": [[change.frame, change.text] for change in trial.changes.made],
            "sets": {"presets": self._presets.tell(), "earlier": self._earlier.tell()},
        }

    def _button(self, name: str, label: str, action: Callable[[], object], tip: str) -> int:
        item: int = dpg.add_button(label=label, width=88, callback=then(action))
        return self._desk.tip(self._desk.named(name, item), tip)

    def _save(self) -> None:
        self._desk.ask_file("save_settings", self._desk.controller.save_settings)
