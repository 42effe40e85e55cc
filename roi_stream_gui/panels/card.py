"""The session card: a form made from its model, presets, and what NWB still misses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_core.form import describe
from roi_stream_gui import words
from roi_stream_gui.panels.base import Place, then, value

if TYPE_CHECKING:
    from roi_core.card import Card
    from roi_core.form import Setting
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["SessionCard"]

LABEL = 104
"""Width of the names of the fields, px; Dear PyGui doubles the offset it is given."""
NOTES = 74
"""Height of the notes, px."""
PRESETS = "presets"
"""What the list of presets says before one is chosen."""
PAGES = ("session.notes",)
"""Fields of several lines."""


class SessionCard:
    """One heading per block, one line per field; written into the recording, also while it runs."""

    title: ClassVar[str] = "Session"
    place: ClassVar[Place] = Place.RIGHT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller.card
        self._fields: dict[str, int] = {}
        self._shown: Card | None = None
        self._presets: tuple[str, ...] | None = None

    def build(self, parent: int) -> None:
        """Make presets, a field for everything on the card, and the line about NWB."""
        with dpg.group(parent=parent):
            self._build_presets()
            with dpg.child_window(height=-28, border=False):
                for block in type(self._do.now).model_fields:
                    dpg.add_separator(label=words.CARD_BLOCKS[block])
                    for setting in describe(self._do.now, block):
                        self._line(setting)
                self._camera = self._desk.text(tone="dim")
            self._nwb = self._desk.text(wrap=0)
            self._nwb_tip = dpg.add_text(parent=dpg.add_tooltip(self._nwb, delay=0.5), wrap=340)

    def _build_presets(self) -> None:
        desk = self._desk
        with dpg.group(horizontal=True):
            self._combo = desk.named("card.presets", dpg.add_combo(
                (), width=104, default_value=PRESETS, callback=value(self._choose)
            ))  # fmt: skip
            desk.tip(self._combo, "card.presets")
            self._name = desk.named("card.name", dpg.add_input_text(
                width=-104, hint="preset name", on_enter=True, callback=then(self._save)
            ))  # fmt: skip
            desk.tip(self._name, "card.name")
            save = dpg.add_button(label="Save", callback=then(self._save))
            desk.tip(desk.named("card.save", save), "card.save")
            clear = dpg.add_button(label="Clear", callback=then(self._do.clear))
            desk.tip(desk.named("card.clear", clear), "card.clear")

    def _line(self, setting: Setting) -> None:
        with dpg.group(horizontal=True, xoffset=LABEL // 2):
            unit = f" ({setting.unit})" if setting.unit else ""
            name = words.CARD_NAMES.get(setting.name, setting.name.replace("_", " "))
            label = self._desk.text(f"{name}{unit}", "dim")
            field = self._field(setting)
        # outside the line: a tooltip would count as one of its columns
        self._fields[setting.path] = self._desk.named(f"card.{setting.path}", field)
        for item in (label, field):
            self._desk.tip(item, setting.help)

    def _field(self, setting: Setting) -> int:
        edit = partial(self._edit, setting.path)
        if setting.choices:
            return int(dpg.add_combo(setting.choices, width=-1, callback=value(edit)))
        page = setting.path in PAGES
        item = int(dpg.add_input_text(width=-1, multiline=page, height=NOTES if page else 0))
        self._desk.after_edit(item, lambda: edit(dpg.get_value(item)))
        return item

    def update(self, view: View) -> None:
        """Show what was filled in elsewhere, the camera's own facts, and what is missing."""
        card = self._do.now
        if card is not self._shown:
            self._shown = card
            for setting in describe(card):
                item, shown = self._fields[setting.path], _text(setting.value)
                if not dpg.is_item_active(item) and dpg.get_value(item) != shown:
                    dpg.set_value(item, shown)
            missing = card.missing()
            self._desk.say(
                self._nwb,
                words.NWB_READY if not missing else words.NWB_MISSES.format(count=len(missing)),
                "good" if not missing else "dim",
            )
            names = ", ".join(words.CARD_NAMES.get(name, name.replace("_", " ")) for name in missing)
            dpg.set_value(self._nwb_tip, words.NWB_TIP.format(names=names) if missing else words.NWB_ALL)
        self._show_camera(view)
        if self._presets is None:
            self._presets = self._do.presets()
            dpg.configure_item(self._combo, items=self._presets)

    def tell(self) -> dict[str, Any]:
        """Return the card and what the last line says."""
        return {"card": self._do.now.flat(), "nwb": dpg.get_value(self._nwb), "presets": self._presets}

    def _show_camera(self, view: View) -> None:
        if view.snapshot is None:
            self._desk.say(self._camera, "")
            return
        height, width = view.snapshot.shape
        um = self._do.now.imaging.um_per_px
        field = f", {width * um:.0f} x {height * um:.0f} um" if um else ""
        self._desk.say(self._camera, f"camera: {view.snapshot.rate:g} Hz, {width} x {height} px{field}")

    def _edit(self, path: str, typed: str) -> None:
        self._do.edit(path, typed)
        self._shown = None  # refused or not: show again what really holds

    def _choose(self, name: str) -> None:
        if self._do.choose(name):
            dpg.set_value(self._name, name)
        self._shown = None

    def _save(self) -> None:
        name = dpg.get_value(self._name)
        if self._do.save(name):
            self._presets = None
            dpg.set_value(self._combo, name.strip())


def _text(shown: Any) -> str:
    return "" if shown is None else f"{shown:g}" if isinstance(shown, float) else str(shown)
