"""The parameters: a form made from the settings model, so that a new setting appears here by itself.

An edit is one decision: it counts when Enter is pressed or the field is left, never while typing. While
frames flow, an edit of what is measured is pending until Apply. What cannot change then is switched off. A
refused value is told with path, value and rule, and put back.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_core.errors import SettingsError
from roi_core.settings import describe
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.panels.pending import PendingBar
from roi_stream_gui.panels.searchfield import search_field
from roi_stream_gui.panels.sets import EarlierWindow, PresetWindow
from roi_stream_gui.search import holds
from roi_stream_gui.typed import read, written
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_core.settings import Setting
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["Parameters"]

FIELD, BACK = 104, 22
"""Widths of a field and of the button that takes it back, px."""
FOLDED = ("camera", "prepare", "recorder")
"""Blocks that begin closed: what is rarely turned while frames flow."""
TONES = {"pending": "warn", "changed": "text", "default": "dim"}
"""A setting that is not at its default stands out; one that is pending warns."""


class Parameters:
    """One collapsing header per block, one row per setting; below, what becomes of the pending ones."""

    title: ClassVar[str] = "Parameters"
    place: ClassVar[Place] = Place.RIGHT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._fields: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self._labels: dict[str, int] = {}
        self._backs: dict[str, tuple[int, int]] = {}
        self._marks: dict[str, str] = {}
        self._known: dict[str, Setting] = {}
        self._shown: tuple[object, object] | None = None
        self._busy: bool | None = None

    def build(self, parent: int) -> None:
        """Make a field of the right kind for every setting."""
        desk, settings = self._desk, self._do.settings.current
        presets, earlier = PresetWindow(desk), EarlierWindow(desk)
        desk.show_presets = presets.show
        with dpg.group(parent=parent):
            with dpg.group(horizontal=True):
                self._words = search_field(
                    desk, "find", "find a parameter", -92, lambda _: self._filter(), "filter"
                )
                self._only = dpg.add_checkbox(label="changed", callback=then(self._filter))
                desk.tip(desk.named("find.changed", self._only), "changed")
            with dpg.child_window(height=-PendingBar.HEIGHT, border=False):
                for name in type(settings).model_fields:
                    self._block(name, [*describe(settings, name)])
            self._bar = PendingBar(desk, presets, earlier)

    def _block(self, name: str, settings: list[Setting]) -> None:
        with dpg.collapsing_header(label=name, default_open=name not in FOLDED) as header:
            self._desk.named(f"block.{name}", header)
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, pad_outerX=False):
                dpg.add_table_column(width_fixed=True, init_width_or_weight=FIELD)
                dpg.add_table_column(width_stretch=True)
                dpg.add_table_column(width_fixed=True, init_width_or_weight=BACK)
                for setting in settings:
                    self._line(setting)

    def _line(self, setting: Setting) -> None:
        desk, path = self._desk, setting.path
        with dpg.table_row() as row:
            self._known[path], self._rows[path] = setting, row
            field = self._field(setting)
            self._fields[path] = desk.named(f"set.{path}", field)
            unit = f" ({setting.unit})" if setting.unit else ""
            label = f"{setting.name.replace('_', ' ')}{unit}"
            tip = f"{path}\n{setting.help}\nDefault: {_said(setting.default)}"
            self._labels[path] = desk.text(label)
            for item in (field, self._labels[path]):
                desk.tip(item, tip)
            back = dpg.add_button(
                arrow=True, direction=dpg.mvDir_Left, show=False, callback=then(partial(self._back, path))
            )
            desk.named(f"back.{path}", back)
            with dpg.tooltip(back, delay=0.5, hide_on_activity=True):
                self._backs[path] = back, dpg.add_text("", wrap=340)
        dpg.set_item_user_data(row, f"{label}\n{tip}")

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
        # Also for numbers: a field of Dear PyGui for them swallows what is none and says nothing.
        hint = "(none)" if setting.optional or setting.kind is str else ""
        item = int(dpg.add_input_text(default_value=written(setting.value), width=FIELD, hint=hint))
        self._desk.after_edit(item, lambda: self._edit(path, dpg.get_value(item)))
        return item

    def update(self, view: View) -> None:
        """Show values and marks that changed; switch off what cannot change now."""
        self._bar.update()
        pending = self._do.trial.pending
        state = (view.settings, pending)
        if self._shown is None or any(a is not b for a, b in zip(state, self._shown, strict=True)):
            self._shown = state
            for path in self._fields:
                now = view.settings.get(path)
                self._show(path, pending.get(path, now))
                self._mark(path, now, pending)
            if dpg.get_value(self._only):
                self._filter()
        busy = view.phase in (Phase.CONNECTING, Phase.RUNNING, Phase.STOPPING)
        if busy != self._busy:
            self._busy = busy
            for path, item in self._fields.items():
                dpg.configure_item(item, enabled=self._known[path].live or not busy)
                dpg.configure_item(self._backs[path][0], enabled=self._known[path].live or not busy)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        return {"marks": dict(self._marks), **self._bar.tell()}

    def _show(self, path: str, new: Any) -> None:
        item = self._fields[path]
        if not dpg.is_item_active(item):
            shown = written(new) if dpg.get_item_type(item).endswith("InputText") else new
            if dpg.get_value(item) != shown:
                dpg.set_value(item, shown)

    def _mark(self, path: str, now: Any, pending: Mapping[str, Any]) -> None:
        """Tell by its tone what a setting is; a button takes an edit back, or puts the default there."""
        default, (back, tip) = self._known[path].default, self._backs[path]
        mark = "pending" if path in pending else "default" if now == default else "changed"
        if mark == "pending":
            self._desk.say(tip, f"in force: {_said(now)}; click to forget this edit")
        elif mark == "changed":
            self._desk.say(tip, f"not the default; click for {_said(default)}")
        if mark != self._marks.get(path):
            self._marks[path] = mark
            dpg.configure_item(back, show=mark != "default")
            dpg.bind_item_theme(self._labels[path], self._desk.theme.tones[TONES[mark]])
            dpg.bind_item_theme(
                self._fields[path], self._desk.theme.tones["warn"] if mark == "pending" else 0
            )

    def _back(self, path: str) -> None:
        trial = self._do.trial
        if path in trial.pending:
            trial.discard(path)
        else:
            trial.edit(path, self._known[path].default)

    def _edit(self, path: str, typed: Any) -> None:
        """Pass one finished edit on; show what holds now, also after a refusal."""
        setting = self._known[path]
        self._shown = None
        if isinstance(typed, str) and not setting.choices:
            try:
                typed = read(setting, typed)
            except SettingsError as error:
                self._do.warn(str(error))
                return
        if typed != self._do.trial.value(path):
            self._do.trial.edit(path, typed)

    def _filter(self) -> None:
        """Show the settings that hold the words and are as wanted, and the blocks that have one."""
        words, only = dpg.get_value(self._words), dpg.get_value(self._only)
        found = set()
        for path, row in self._rows.items():
            fits = holds(dpg.get_item_user_data(row) or "", words)
            fits = fits and not (only and self._marks.get(path) == "default")
            dpg.configure_item(row, show=fits)
            found.update([path.partition(".")[0]] if fits else [])
        for block in type(self._do.settings.current).model_fields:
            header = self._desk.names[f"block.{block}"]
            dpg.configure_item(header, show=block in found)
            if words.strip() or only:
                dpg.set_value(header, True)


def _said(shown: Any) -> str:
    return written(shown) or "none"
