"""What the window remembers between starts: its place, its panes, its tabs, and how it shows things.

Kept as JSON in the user's configuration. Whatever in it is broken, missing or of another version counts as
the default; a home that cannot be written is no reason to complain. Knows no toolkit.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from roi_core.errors import SettingsError
from roi_stream_gui.home import config_folder, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.settings import Display, Settings
    from roi_stream_gui.monitor import Monitor

__all__ = ["LEAST", "Memory"]

LEAST: Final = (940, 640)
"""Width and height of the window at least, px; one of negative size ends the program."""
MOST: Final = 16_384
"""px; of a screen that is not known."""

CONTRAST: Final = {"auto_contrast", "low", "high"}
"""Display settings that belong to a camera, not to a person: they begin anew."""


@dataclass
class Memory:
    """How the window stood.

    ``left`` and ``top`` are None until it was somewhere; ``right`` and ``bottom`` are the panes that can be
    dragged, px at 100 %; ``tabs`` the words of the panels whose tabs are open; ``display`` what was
    changed of the display settings; ``toured`` whether the first-run tour was seen.
    """

    width: int = 1280
    height: int = 800
    left: int | None = None
    top: int | None = None
    right: int = 352
    bottom: int = 241
    tabs: list[str] = field(default_factory=list)
    display: dict[str, Any] = field(default_factory=dict)
    toured: bool = False

    @classmethod
    def kept(cls) -> Memory:
        """Return what was remembered, or the first start's."""
        try:
            known = json.loads(_file().read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            known = None
        first = cls()
        if isinstance(known, dict):
            for one in fields(cls):
                new, default = known.get(one.name), getattr(first, one.name)
                kind = int if default is None else type(default)
                if type(new) is kind:
                    setattr(first, one.name, new)
        first.tabs = [word for word in first.tabs if isinstance(word, str)]
        return first

    def keep(self) -> None:
        """Write it down for the next start; never half."""
        with suppress(OSError):
            write_whole(_file(), json.dumps(asdict(self), indent=1))

    def place(self, monitor: Monitor) -> dict[str, int]:
        """Return size and position for the window; a position off the present screen is left out."""
        most = (monitor.width or MOST, monitor.height or MOST)
        width, height = (
            max(min(length, limit), least)
            for length, limit, least in zip((self.width, self.height), most, LEAST, strict=True)
        )
        size = {"width": width, "height": height}
        if self.left is None or self.top is None or not monitor.holds(self.left, self.top):
            return size
        return {**size, "x_pos": self.left, "y_pos": self.top}

    def applied(self, settings: Settings) -> Settings:
        """Return settings shown as last time; what a settings file says of the display goes first."""
        said = settings.display.model_fields_set if "display" in settings.model_fields_set else set()
        for name, value in self.display.items():
            if name not in said:
                try:
                    settings = settings.with_value(f"display.{name}", value)
                except SettingsError:
                    continue
        return settings

    def note(self, first: Display, last: Display) -> None:
        """Remember what the user changed of the display, from one look at the settings to the next."""
        before, after = first.model_dump(exclude=CONTRAST), last.model_dump(exclude=CONTRAST)
        default = type(last)().model_dump()
        changed = {name: new for name, new in after.items() if new != before[name]}
        known = self.display | changed
        self.display = {name: new for name, new in known.items() if new != default.get(name)}


def _file() -> Path:
    return config_folder() / "window.json"
