"""The session bar: which source, recording or not, for how long, into which file, and notes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["SessionBar"]

HOLD = 1.0
"""Seconds that Stop is held: a recording must not end by a slip of the hand."""
OPEN_FILE = "Open a file ..."
FIND = "Look for cameras"


class SessionBar:
    """Source, connect, record, clock, file name, note."""

    title: ClassVar[str] = "Session"
    place: ClassVar[Place] = Place.TOP

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._do = desk.controller
        self._choices: tuple[tuple[str, str], ...] = ()
        self._source: str | None = None
        self._phase: Phase | None = None
        self._recording: bool | None = None
        self._held_since: float | None = None
        self._stopped = False

    def build(self, parent: int) -> None:
        """Make the bar."""
        desk = self._desk
        with dpg.group(horizontal=True, parent=parent):
            self._text = desk.named("source", dpg.add_input_text(
                width=190, hint="camera number, file, URL", on_enter=True, callback=then(self._connect)
            ))  # fmt: skip
            desk.tip(self._text, "source")
            self._combo = desk.named("choices", dpg.add_combo(
                (), no_preview=True, popup_align_left=True, callback=value(self._choose)
            ))  # fmt: skip
            desk.tip(self._combo, "choices")
            self._join = dpg.add_button(label="Connect", width=98, callback=then(self._connect_or_not))
            desk.tip(desk.named("connect", self._join), "connect")
            dpg.add_spacer(width=8)
            self._button = dpg.add_button(label="Record", width=118, callback=then(self._record))
            desk.named("record", self._button)
            self._tip = dpg.add_text(parent=dpg.add_tooltip(self._button, delay=0.5), wrap=340)
            self._clock = dpg.add_text("0:00:00")
            self._file = desk.text(tone="dim")
        self._note = dpg.add_input_text(
            parent=parent, width=190, hint="note ... (N)", on_enter=True, callback=then(self._keep_note)
        )
        desk.tip(desk.named("note", self._note), "note")

    def update(self, view: View) -> None:
        """Show the phase, the clock and the file; end the recording when Stop was held long enough."""
        self._show_source(view)
        if view.recording != self._recording:
            self._recording = view.recording
            theme = self._desk.theme
            dpg.bind_item_theme(self._button, theme.danger if view.recording else theme.plain)
            dpg.set_value(self._tip, words.TIPS["stop" if view.recording else "record"])
        dpg.configure_item(self._button, label=self._label(view), enabled=view.running)
        self._show_file(view)
        self._place_note()

    def _show_source(self, view: View) -> None:
        if view.choices != self._choices or view.source != self._source:
            self._choices, self._source = view.choices, view.source
            dpg.configure_item(self._combo, items=[*(text for text, _ in view.choices), FIND, OPEN_FILE])
            dpg.set_value(self._text, view.source)
        if view.phase is not self._phase:
            self._phase = view.phase
            label = {Phase.CONNECTING: "Opening ...", Phase.STOPPING: "Stopping ..."}.get(view.phase)
            label = label or ("Disconnect" if view.running else "Connect")
            dpg.configure_item(self._join, label=label, enabled=not label.endswith("..."))
            dpg.bind_item_theme(
                self._join, self._desk.theme.plain if view.running else self._desk.theme.primary
            )

    def _label(self, view: View) -> str:
        """Return what the button says, and stop the recording after `HOLD` seconds."""
        held = dpg.is_item_active(self._button) or self._stop_keys()
        if not view.recording:
            self._held_since, self._stopped = None, self._stopped and held
            return "Record"
        if not held:
            if self._held_since is not None and not self._stopped:
                self._do.tell(words.HOLD_LONGER)
            self._held_since, self._stopped = None, False
            return "Hold to stop"
        now = time.monotonic()
        self._held_since = now if self._held_since is None else self._held_since
        if now - self._held_since >= HOLD and not self._stopped:
            self._stopped = True
            self._do.stop_recording()
        left = max(HOLD - (now - self._held_since), 0.0)
        return f"Stop in {left:.1f} s"

    def _stop_keys(self) -> bool:
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        return shift and dpg.is_key_down(dpg.mvKey_R) and not self._desk.typing()

    def _show_file(self, view: View) -> None:
        take = view.snapshot.recording if view.snapshot else None
        if take is None:
            self._desk.say(self._clock, "0:00:00", "dim")
            self._desk.say(self._file, "not recording")
            return
        state = "finishing " if take.closing else "" if view.recording else "saved "
        tone = "bad" if take.failed else "warn" if take.closing else "text" if view.recording else "dim"
        self._desk.say(self._file, f"{state}{take.path.name}  {take.rows} rows", tone)
        self._desk.say(self._clock, words.clock(view.recorded), "bad" if view.recording else "dim")

    def _place_note(self) -> None:
        """Keep the note at the right end: the row before it changes its width."""
        parent = dpg.get_item_parent(self._note)
        width = dpg.get_item_rect_size(parent)[0] if parent else 0
        if width > 300:
            px = self._desk.px
            dpg.configure_item(self._note, pos=(width - px(198), px(6)))

    def _connect(self) -> None:
        self._do.connect(dpg.get_value(self._text))
        self._source = None  # refused or not: show again what is really the source

    def _connect_or_not(self) -> None:
        if self._phase is Phase.RUNNING:
            self._do.disconnect()
        else:
            self._connect()

    def _choose(self, label: str) -> None:
        dpg.set_value(self._combo, "")
        if label == FIND:
            self._do.find_cameras()
        elif label == OPEN_FILE:
            self._desk.ask_file("open", self._do.connect)
        else:
            self._do.connect(dict(self._choices).get(label, label))

    def _record(self) -> None:
        # Letting go after a long press is a click too; it must not start the next recording.
        if not self._recording and not self._stopped:
            self._do.record()

    def _keep_note(self) -> None:
        self._do.note(dpg.get_value(self._note))
        dpg.set_value(self._note, "")
