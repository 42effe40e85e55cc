"""The transport of a file: play, hold, step, speed, and any frame under the slider. Cameras have none.

Of a recording it also tells which is on screen, its results or a replay, and goes from one to the other. What
can be done in one of them only is shown there only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.replay import SPEEDS
from roi_stream_gui.view import Side

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.replay import Film
    from roi_stream_gui.view import View

__all__ = ["TransportBar"]

GAP = 8
"""px between two widgets, about."""
LONG = 9999.99
"""s; no file is thought to be longer when room is made for what it says."""
LEFT = ("side", "again", "results", "step.back", "play", "step.on", "speed", "from_here", "back")
"""Widgets that stand left of it."""
OF_REPLAY = ("play", "speed")
"""Widgets that the results have no use for."""
AGAIN = {Side.REPLAY: "Again"}
"""What the button that replays is called, where not Replay."""
TONES = {Side.RESULTS: "good", Side.REPLAY: "warn"}


class TransportBar:
    """One row between the picture and the traces."""

    title: ClassVar[str] = "Transport"
    place: ClassVar[Place] = Place.STRIP

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._replay = desk.controller.replay
        self._shown: dict[str, Any] = {}
        self._film: Film | None = None

    def build(self, parent: int) -> None:
        """Make the row; the pane is shown with the first file."""
        self._pane, replay = parent, self._replay
        with dpg.group(horizontal=True, parent=parent):
            self._side = self._desk.named("side", self._desk.text(show=False))
            self._desk.tip(self._side, "strip.side")
            self._button("again", "Replay", 62, replay.again)
            self._button("results", "Results", 66, replay.results)
            self._button("step.back", "<", 24, lambda: replay.step(-1))
            self._button("play", "Play", 56, replay.toggle)
            self._button("step.on", ">", 24, lambda: replay.step(1))
            self._speed = dpg.add_combo(
                list(SPEEDS), width=64, callback=value(lambda word: replay.set_speed(SPEEDS[word]))
            )
            self._desk.tip(self._desk.named("speed", self._speed), "speed")
            self._button("from_here", "Analyse from here", 134, replay.from_here)
            self._button("back", "Back", 48, replay.leave)
            self._slider = dpg.add_slider_int(
                width=200, format="", no_input=True, callback=value(replay.look), clamped=True
            )
            self._desk.tip(self._desk.named("position", self._slider), "position")
            self._facts = self._desk.named("transport.facts", self._desk.text())

    def update(self, view: View) -> None:
        """Show where the file stands and what can be done with it."""
        replay = self._replay
        self._set("pane", self._pane, show=view.playable)
        if not view.playable:
            return
        self._show_side(view)
        self._set("play label", self._desk.names["play"], label="Hold" if self._plays() else "Play")
        for name in ("from_here", "back"):
            self._set(name, self._desk.names[name], enabled=replay.looking)
        self._set("slider", self._slider, max_value=max(replay.last, 1), width=self._room())
        if not dpg.is_item_active(self._slider) and dpg.get_value(self._slider) != replay.row:
            dpg.set_value(self._slider, replay.row)
        word = next((word for word, speed in SPEEDS.items() if speed == replay.speed), "")
        if dpg.get_value(self._speed) != word:
            dpg.set_value(self._speed, word)
        self._desk.say(self._facts, self._where(view), "warn" if replay.looking else "text")

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        replay, transport = self._replay, self._replay.transport
        return {
            "shown": replay.playable,
            "side": dpg.get_value(self._side) if replay.side else "",
            "plays": self._plays(),
            "row": replay.row,
            "last": replay.last,
            "analysed": transport.row if transport is not None else None,
            "looking": replay.looking,
            "looked": replay.peek.shown if replay.looking and replay.peek is not None else None,
            "speed": transport.speed if transport is not None else None,
            "first": replay.film.first if replay.film is not None else None,
            "ended": transport.closed if transport is not None else None,
            "facts": dpg.get_value(self._facts),
        }

    def _plays(self) -> bool:
        transport = self._replay.transport
        return transport is not None and transport.playing and not transport.closed

    def _where(self, view: View) -> str:
        """Return frame and time on screen, and in brackets where the analysis stands when it is elsewhere."""
        replay, transport = self._replay, self._replay.transport
        if transport is None:
            at = replay.cursor
            return words.AS_RECORDED if at is None else self._frame(at)
        seconds = replay.peek.time if replay.looking and replay.peek is not None else max(transport.time, 0.0)
        return self._frame(seconds) + (words.ANALYSED.format(max(transport.row, 0)) if replay.looking else "")

    def _frame(self, seconds: float) -> str:
        return words.WHERE.format(row=self._replay.row, last=self._replay.last, seconds=seconds)

    def _show_side(self, view: View) -> None:
        """Tell which side of a recording is shown, and offer the other."""
        self._set("side", self._side, show=bool(view.side))
        self._desk.say(self._side, words.SIDES.get(view.side, ""), TONES.get(view.side, ""))
        self._set("again label", self._desk.names["again"], label=AGAIN.get(view.side, "Replay"))
        for name in OF_REPLAY:
            self._set(name, self._desk.names[name], show=view.side is not Side.RESULTS)
        self._set("results", self._desk.names["results"], show=view.side is Side.REPLAY)
        for name in ("again", "results"):
            self._set(f"{name} on", self._desk.names[name], enabled=not view.recording)

    def _room(self) -> int:
        """Return what the slider may be wide, px: what the others leave of the row."""
        items = [self._desk.names[name] for name in LEFT]
        shown = [item for item in items if dpg.get_item_configuration(item)["show"]]
        taken = sum(dpg.get_item_rect_size(item)[0] for item in shown)
        px, whole = self._desk.px, int(dpg.get_item_rect_size(self._pane)[0])
        return max(int(whole - taken - px(GAP * (len(shown) + 3)) - self._longest()), px(80))

    def _longest(self) -> int:
        """Return px that the longest the facts can say takes, so that the slider does not move with them."""
        last = self._replay.last
        text = words.WHERE.format(row=last, last=last, seconds=LONG) + words.ANALYSED.format(last)
        return int(self._desk.long(text))

    def _button(self, name: str, label: str, width: int, action: Any) -> None:
        item = dpg.add_button(label=label, width=width, callback=then(action))
        self._desk.tip(self._desk.named(name, item), name)

    def _set(self, key: str, item: int, **options: Any) -> None:
        """Configure a widget if that is something new."""
        if self._shown.get(key) != options:
            self._shown[key] = options
            dpg.configure_item(item, **options)
