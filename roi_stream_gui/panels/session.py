"""The session bar: the source, recording or not, for how long, under which name, the room left, notes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.health import disk
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.panels.chips import PERIOD, show_chip
from roi_stream_gui.safe import shown
from roi_stream_gui.view import Phase

if TYPE_CHECKING:
    from roi_stream_gui.health import Chip
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["SessionBar"]

HOLD = 1.0
"""Seconds that Stop is held: a recording must not end by a slip of the hand."""
OPEN_FILE = "Open a file ..."
FIND = "Look for cameras"
SOURCE, JOIN, RECORD, LENGTH, NAME, NOTE = 150, 92, 104, 58, 138, 96
"""Widths, px; what a wider window has more goes to the note, the name and the source."""
LETTER = 9
"""Width of a letter of a name, px."""
NARROW = 1012
"""Width of the bar at which the fields have the widths above, px."""
NOTE_GIVES, FIELD_GIVES = 60, 58
"""What the note can do without, and then the source and the name each, px."""


class SessionBar:
    """Source, connect, record, clock and length, name, room on the disk, note, marker."""

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
        self._width = (0, 0)
        self._room: Chip | None = None
        self._next = 0.0
        self._length: float | None = -1.0

    def build(self, parent: int) -> None:
        """Make the bar."""
        with dpg.group(horizontal=True, parent=parent):
            self._build_source()
            self._build_record()
            self._disk = self._desk.named("chip.disk", dpg.add_button(label="-", height=25))
            self._disk_tip = dpg.add_text(parent=dpg.add_tooltip(self._disk, delay=0.5), wrap=340)
            self._build_notes()

    def _build_source(self) -> None:
        desk = self._desk
        self._text = desk.named("source", dpg.add_input_text(
            width=SOURCE, hint="camera number, file, URL", on_enter=True, callback=then(self._connect)
        ))  # fmt: skip
        desk.tip(self._text, "source")
        self._combo = desk.named("choices", dpg.add_combo(
            (), no_preview=True, popup_align_left=True, callback=value(self._choose)
        ))  # fmt: skip
        desk.tip(self._combo, "choices")
        self._join = dpg.add_button(label="Connect", width=JOIN, callback=then(self._connect_or_not))
        desk.tip(desk.named("connect", self._join), "connect")

    def _build_record(self) -> None:
        desk = self._desk
        self._button = dpg.add_button(label="Record", width=RECORD, callback=then(self._record))
        desk.named("record", self._button)
        self._tip = dpg.add_text(parent=dpg.add_tooltip(self._button, delay=0.5), wrap=340)
        self._clock = desk.named("clock", dpg.add_text("0:00:00"))
        dpg.add_text("/")
        self._end = desk.named("length", dpg.add_input_text(width=LENGTH, hint="no end"))
        desk.after_edit(desk.tip(self._end, "length"), self._last)
        self._name = desk.named("take", dpg.add_input_text(width=NAME, hint="name (date)"))
        desk.after_edit(desk.tip(self._name, "take"), self._call)
        with dpg.child_window(
            width=NAME, height=24, border=False, show=False, no_scrollbar=True
        ) as self._real:
            self._file = desk.text(tone="text")
        dpg.bind_item_theme(self._real, desk.theme.flush)
        self._file_tip = dpg.add_text(parent=dpg.add_tooltip(self._file, delay=0.5), wrap=420)

    def _build_notes(self) -> None:
        desk = self._desk
        self._note = dpg.add_input_text(
            width=NOTE, hint="note (N)", on_enter=True, callback=then(self._keep_note)
        )
        desk.tip(desk.named("note", self._note), "note")
        self._mark = dpg.add_button(label="Mark", callback=then(self._do.taking.mark))
        desk.tip(desk.named("mark", self._mark), "mark")

    def update(self, view: View) -> None:
        """Show the phase, the clock, name and room; end the recording when Stop was held long enough."""
        self._show_source(view)
        if view.recording != self._recording:
            self._recording = view.recording
            theme = self._desk.theme
            dpg.bind_item_theme(self._button, theme.danger if view.recording else theme.plain)
            dpg.set_value(self._tip, words.TIPS["stop" if view.recording else "record"])
            dpg.configure_item(self._mark, enabled=view.recording)
            dpg.configure_item(self._name, show=not view.recording)
            dpg.configure_item(self._real, show=view.recording)
        dpg.configure_item(self._button, label=self._label(view), enabled=view.running)
        self._show_clock(view)
        self._show_take(view)
        self._show_room(view)
        self._spread()

    def tell(self) -> dict[str, Any]:
        """Return what the bar says."""
        texts = {"clock": self._clock, "file": self._file, "length": self._end, "name": self._name}
        told = {name: dpg.get_value(item) for name, item in texts.items()}
        return told | {"choices": [label for label, _ in self._choices]}

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
        taken = self._desk.typing() or self._desk.menu_open()
        return shift and dpg.is_key_down(dpg.mvKey_R) and not taken

    def _show_clock(self, view: View) -> None:
        take = view.snapshot.recording if view.snapshot else None
        seconds = view.recorded if take is not None else 0.0
        self._desk.say(self._clock, words.clock(seconds), "bad" if view.recording else "dim")
        if view.length != self._length and not dpg.is_item_active(self._end):
            self._length = view.length
            dpg.set_value(self._end, words.length(view.length))

    def _show_take(self, view: View) -> None:
        """While recording, show what the file is really called; before, what was asked for."""
        take = view.snapshot.recording if view.snapshot else None
        if take is not None and view.recording:
            letters = dpg.get_item_width(self._real) // self._desk.px(LETTER)
            self._desk.say(self._file, words.short(take.parts[-1].stem, letters))
            files = "\n".join(map(str, take.parts))
            dpg.set_value(self._file_tip, f"{files}\n{take.rows} rows")
        elif not dpg.is_item_active(self._name) and dpg.get_value(self._name) != self._do.taking.name:
            dpg.set_value(self._name, self._do.taking.name)

    def _show_room(self, view: View) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PERIOD
        chip = disk(view)
        if view.next_take is not None and not view.recording:
            chip = chip._replace(tip=f"{chip.tip}\n{words.NEXT_TAKE.format(path=view.next_take)}")
        if chip != self._room:
            self._room = chip
            show_chip(self._desk, self._disk, self._disk_tip, chip, words.TIPS["disk"])

    def _spread(self) -> None:
        """Give what a wide window has more to the fields one writes in; keep the marker at the right end.

        In a narrow one the note gives way first, then the source and the name.
        """
        bar = dpg.get_item_parent(dpg.get_item_parent(self._note))
        width = int(dpg.get_item_rect_size(bar)[0]) if bar else 0
        if width < 300:
            return
        px = self._desk.px
        more = (width - px(NARROW)) // 4
        if more < 0:
            more = max(min(width - px(NARROW - NOTE_GIVES), 0) // 2, -px(FIELD_GIVES))
        left = int(dpg.get_item_pos(self._note)[0])
        note = max(width - left - int(dpg.get_item_rect_size(self._mark)[0]) - px(14), px(60))
        key = more, note
        if key != self._width:
            self._width = key
            dpg.configure_item(self._text, width=px(SOURCE) + more)
            for item in (self._name, self._real):
                dpg.configure_item(item, width=px(NAME) + more)
            dpg.configure_item(self._note, width=note)

    def _connect(self) -> None:
        typed, source = dpg.get_value(self._text), self._do.source
        self._do.connect(source if typed == shown(source) else typed)
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

    def _last(self) -> None:
        self._do.taking.last(dpg.get_value(self._end))
        self._length = -1.0  # refused or not: show again what really holds

    def _call(self) -> None:
        self._do.taking.call(dpg.get_value(self._name))
        dpg.set_value(self._name, self._do.taking.name)

    def _keep_note(self) -> None:
        self._do.taking.note(dpg.get_value(self._note))
        dpg.set_value(self._note, "")
