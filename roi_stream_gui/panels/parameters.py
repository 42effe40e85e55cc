"""The parameters: a form made from the settings model, so that a new setting appears here by itself.

An edit is one decision: it counts when Enter is pressed or the field is left, never while typing. What cannot
change while frames flow is switched off. A refused value is told with path, value and rule, and put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_core.settings import describe
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from roi_core.settings import Setting, Settings
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Parameters"]

FIELD = 118
"""Width of a field, px."""
FOLDED = ("camera", "prepare", "recorder")
"""Blocks that begin closed: what is rarely turned while frames flow."""


class Parameters:
    """One collapsing header per block, one line per setting."""

    title: ClassVar[str] = "Parameters"
    place: ClassVar[Place] = Place.RIGHT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._fields: dict[str, int] = {}
        self._known: dict[str, Setting] = {}
        self._shown: Settings | None = None
        self._busy: bool | None = None

    def build(self, parent: int) -> None:
        """Make a field of the right kind for every setting."""
        settings = self._do.settings.current
        with dpg.group(parent=parent):
            search = dpg.add_input_text(hint="find a parameter", width=-1, callback=value(self._filter))
            self._desk.tip(self._desk.named("find", search), "filter")
            with dpg.child_window(height=-34, border=False):
                for name in type(settings).model_fields:
                    with dpg.collapsing_header(label=name, default_open=name not in FOLDED) as header:
                        self._desk.named(f"block.{name}", header)
                        for setting in describe(settings, name):
                            self._line(setting)
            with dpg.group(horizontal=True):
                save = dpg.add_button(label="Save parameters ...", callback=then(self._save))
                self._desk.named("save_settings", save)

    def _line(self, setting: Setting) -> None:
        with dpg.group(horizontal=True) as line:
            self._known[setting.path] = setting
            field = self._field(setting)
            self._fields[setting.path] = self._desk.named(f"set.{setting.path}", field)
            label = dpg.add_text(
                f"{setting.name.replace('_', ' ')}{f' ({setting.unit})' if setting.unit else ''}"
            )
            self._desk.tip(label, f"{setting.path}\n{setting.help}")
            self._desk.tip(field, f"{setting.path}\n{setting.help}")
        dpg.set_item_user_data(line, f"{setting.path} {setting.text}".lower())

    def _field(self, setting: Setting) -> int:
        path = setting.path
        if setting.kind is bool:
            callback = value(lambda on: self._edit(path, on))
            return int(dpg.add_checkbox(default_value=bool(setting.value), callback=callback))
        if setting.choices:
            callback = value(lambda word: self._edit(path, word))
            return int(
                dpg.add_combo(setting.choices, default_value=setting.value, width=FIELD, callback=callback)
            )
        item: int
        if setting.kind is int and not setting.optional:
            item = dpg.add_input_int(default_value=setting.value, width=FIELD, step=0)
        elif setting.kind is float and not setting.optional:
            item = dpg.add_input_double(default_value=setting.value, width=FIELD, step=0, format="%.7g")
        else:
            item = dpg.add_input_text(default_value=_text(setting.value), width=FIELD, hint="(none)")
        self._desk.after_edit(item, lambda: self._edit(path, dpg.get_value(item)))
        return item

    def update(self, view: View) -> None:
        """Show values that changed elsewhere; switch off what cannot change now."""
        if view.settings is not self._shown:
            self._shown = view.settings
            for path, item in self._fields.items():
                new: Any = view.settings.get(path)
                if not dpg.is_item_active(item):
                    shown = _text(new) if dpg.get_item_type(item).endswith("InputText") else new
                    if dpg.get_value(item) != shown:
                        dpg.set_value(item, shown)
        busy = view.phase in (Phase.CONNECTING, Phase.RUNNING, Phase.STOPPING)
        if busy != self._busy:
            self._busy = busy
            for path, item in self._fields.items():
                dpg.configure_item(item, enabled=self._known[path].live or not busy)

    def _edit(self, path: str, typed: Any) -> None:
        """Pass one finished edit on; show what holds now, also after a refusal."""
        setting = self._known[path]
        if isinstance(typed, str) and not setting.choices:
            typed = _read(setting, typed)
        if typed != self._do.settings.current.get(path):
            self._do.edit(path, typed)
        self._shown = None

    def _filter(self, words: str) -> None:
        """Show the settings that hold these words, and the blocks that have one."""
        words = words.lower().strip()
        found = set()
        for path, item in self._fields.items():
            line = dpg.get_item_parent(item)
            fits = words in (dpg.get_item_user_data(line) or "")
            dpg.configure_item(line, show=fits)
            found.update([path.partition(".")[0]] if fits else [])
        for block in type(self._do.settings.current).model_fields:
            header = self._desk.names[f"block.{block}"]
            dpg.configure_item(header, show=block in found)
            if words:
                dpg.set_value(header, True)

    def _save(self) -> None:
        self._desk.ask_file("save_settings", self._do.save_settings)


def _text(shown: Any) -> str:
    return "" if shown is None else f"{shown:g}" if isinstance(shown, float) else str(shown)


def _read(setting: Setting, typed: str) -> Any:
    """Return what was typed as the setting's kind; nonsense is passed on and refused by the rules."""
    typed = typed.strip()
    if setting.optional and not typed:
        return None
    if setting.kind is str:
        return typed
    try:
        return setting.kind(typed)
    except ValueError:
        return typed
