"""An export with options: which recording, which format, what it is asked, where it goes. Never modal.

Fields and their defaults are those of `roi_core.export.options`, which the command line is made of, too.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_core.export import EXPORTS
from roi_core.export.options import OPTIONS, OUT, OVERWRITE, of
from roi_core.paths import expanded
from roi_stream_gui import words
from roi_stream_gui.exporting import read
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.whereto import Whereto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roi_core.export.options import Option
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["ExportWindow"]

WIDTH, LABEL, ROW = 560, 150, 30
"""Sizes, px at 100 %."""


class ExportWindow:
    """Made once, shown from the menu."""

    title: ClassVar[str] = words.EXPORT_TITLE
    place: ClassVar[Place] = Place.FOOT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._rows: dict[str, int] = {}
        self._fields: dict[str, int] = {}
        self._word = next(iter(EXPORTS))
        self._hints: tuple[str, str] = ("", "")
        self._whereto = Whereto()

    def build(self, parent: int) -> None:
        """Make the window; nothing of it stands in `parent`."""
        desk = self._desk
        with dpg.window(
            label=words.EXPORT_TITLE, show=False, no_collapse=True, no_resize=True, width=WIDTH,
            autosize=True,
        ) as self._window:  # fmt: skip
            desk.sheets.append(desk.named("export.window", self._window))
            with self._row("Recording"):
                self._source = desk.named("export.file", dpg.add_input_text(width=-1))
            with self._row("Format"):
                self._format = dpg.add_combo(
                    list(EXPORTS), default_value=self._word, width=-1, callback=value(self._choose)
                )
                desk.named("export.format", self._format)
            self._what = desk.text("", "dim", wrap=WIDTH - 16)
            for option in (*OPTIONS, OUT, OVERWRITE):
                with self._row(option.label) as self._rows[option.name]:
                    self._fields[option.name] = self._field(option)
            self._no = desk.named("export.no", desk.text("", "bad", wrap=WIDTH - 16, show=False))
            with dpg.group(horizontal=True):
                start = dpg.add_button(label="Export", width=90, callback=then(self._start))
                dpg.bind_item_theme(desk.named("export.start", start), desk.theme.primary)
                dpg.add_button(label="Close", width=90, callback=then(self._put_away))
        dpg.bind_item_theme(self._window, desk.theme.sheet)
        desk.show_export = self._show
        self._choose(self._word)

    @contextmanager
    def _row(self, label: str) -> Iterator[int]:
        """Make a line with its label; the widget that is made within stands beside it."""
        with dpg.group(horizontal=True, xoffset=LABEL) as row:
            self._desk.text(label)
            yield row

    def _field(self, option: Option) -> int:
        if option.read is None:
            item = dpg.add_checkbox(default_value=option.default)
        elif option.choices:
            item = dpg.add_combo(option.choices, default_value=option.default, width=-1)
        else:
            text = f"{option.default:g}" if isinstance(option.default, float) and option.default else ""
            item = dpg.add_input_text(default_value=text, hint=option.shape, width=-1)
        return self._desk.tip(self._desk.named(f"export.{option.name}", item), option.what)

    def update(self, _view: View) -> None:
        """Show which recording is at hand, and where its export goes when nothing else is said."""
        if not dpg.is_item_shown(self._window):
            return
        at_hand = self._do.exporting.recording
        source = self._path() or at_hand
        replaces = dpg.get_value(self._fields[OVERWRITE.name])
        there = self._whereto.of(source, self._word, replaces) if source is not None else None
        hints = (
            str(at_hand) if at_hand is not None else words.EXPORT_NO_FILE,
            str(there) if there is not None else OUT.what,
        )
        if hints != self._hints:
            self._hints = hints
            for item, hint in zip((self._source, self._fields[OUT.name]), hints, strict=True):
                dpg.configure_item(item, hint=hint)

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        shown = [name for name, row in self._rows.items() if dpg.is_item_shown(row)]
        return {"shown": dpg.is_item_shown(self._window), "options": shown, "no": dpg.get_value(self._no)}

    def _choose(self, word: str) -> None:
        """Offer what can be asked of a format."""
        self._word = word
        self._desk.say(self._what, EXPORTS[word].what)
        asked = {option.name for option in (*of(word), OUT, OVERWRITE)}
        for name, row in self._rows.items():
            dpg.configure_item(row, show=name in asked)
        self._say_no("")

    def _start(self) -> None:
        given = {name: dpg.get_value(field) for name, field in self._fields.items()}
        try:
            options = read(self._word, given)
        except ValueError as error:
            self._say_no(str(error))
            return
        self._say_no("")
        out, overwrite = given[OUT.name].strip(), given[OVERWRITE.name]
        self._do.exporting.to(self._word, self._path(), out=out, overwrite=overwrite, **options)

    def _path(self) -> Path | None:
        text = dpg.get_value(self._source).strip()
        return expanded(text) if text else None

    def _say_no(self, why: str) -> None:
        self._desk.say(self._no, why)
        dpg.configure_item(self._no, show=bool(why))

    def _show(self) -> None:
        """Show it, or put it away."""
        shown = not dpg.is_item_shown(self._window)
        height = (len(self._rows) + 4) * ROW
        dpg.configure_item(self._window, show=shown, pos=self._desk.middle(WIDTH, height))

    def _put_away(self) -> None:
        dpg.configure_item(self._window, show=False)
