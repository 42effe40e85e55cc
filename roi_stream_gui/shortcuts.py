"""Keys as data: what is pressed, what it does, and how it is said on the key sheet. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from roi_stream_gui import words
from roi_stream_gui.tools import Tool
from roi_stream_gui.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.controller import Controller

    Desk = Any
    """`panels.base.Desk`, which knows the toolkit."""

__all__ = ["ACTIONS", "REPEATING", "WINDOW_ACTIONS", "Action", "Chord", "find", "find_window", "sheet"]

REPEATING = frozenset(["Left", "Right", "Up", "Down", "PgUp", "PgDn", "=", "-", "[", "]", ",", ".", "Z", "Y"])
"""Keys that act again while they are held; the others act once per press."""
TURNS, SPEED, ENDS = "Shift+] / [", "Ctrl+Up / Down", "Ctrl+Home / End"
WINDOWS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400)
"""Lengths of trace the keys step through, s."""


class Chord(NamedTuple):
    """A key with the modifiers held."""

    key: str
    ctrl: bool = False
    shift: bool = False

    def __str__(self) -> str:
        return "+".join(["Ctrl"] * self.ctrl + ["Shift"] * self.shift + [self.key])


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does; ``run`` gets the controller, or the desk for those of the window.

    One without chords is the heading of those after it. ``said`` is how the keys are written when the chords
    themselves are not.
    """

    text: str
    chords: tuple[Chord, ...] = ()
    run: Callable[[Any], object] = lambda _: None
    said: str = ""


def find(chord: Chord) -> Action | None:
    """Return what a chord does to the session, if anything."""
    return _BY_CHORD.get(chord)


def find_window(chord: Chord) -> Action | None:
    """Return what a chord does to the window, if anything."""
    return _BY_WINDOW_CHORD.get(chord)


def sheet() -> dict[str, list[tuple[str, str]]]:
    """Return every key and what it does, by topic, in the order of the tuples below."""
    topics: dict[str, list[tuple[str, str]]] = {}
    for actions in (ACTIONS, WINDOW_ACTIONS):
        topic: list[tuple[str, str]] = []
        for action in actions:
            line = (action.said or " / ".join(map(str, action.chords)), action.text)
            if not line[0]:
                topic = topics.setdefault(action.text, [])
            elif line not in topic:
                topic.append(line)
    return topics


def _tool(tool: Tool) -> Callable[[Controller], object]:
    return lambda controller: controller.take(tool)


def _nudge(dx: int, dy: int) -> Callable[[Controller], object]:
    """Move what is selected; when nothing is, step through the file."""

    def run(controller: Controller) -> None:
        if controller.editor.selection:
            controller.editor.move(dx, dy)
        elif dx:
            controller.replay.step(dx)

    return run


def _longer(step: int) -> Callable[[Controller], object]:
    def run(controller: Controller) -> None:
        now = controller.settings.current.display.trace_window
        at = min(range(len(WINDOWS)), key=lambda k: abs(WINDOWS[k] - now))
        controller.edit("display.trace_window", WINDOWS[min(max(at + step, 0), len(WINDOWS) - 1)])

    return run


def _next(step: int) -> Callable[[Controller], object]:
    """Select the next region; where only a cell is chosen, choose the next cell."""

    def run(controller: Controller) -> None:
        if controller.cells.chosen and not controller.editor.selection:
            session = controller.session
            controller.cells.step(session.snapshot() if session is not None else None, step)
        else:
            controller.editor.select_next(step)

    return run


def _escape(controller: Controller) -> None:
    """Drop the crop in hand, else what is proposed, else what is being drawn, else the selection."""
    if controller.picture.pen.cancel():
        return
    if controller.bundle.open:
        controller.bundle.cancel()
    else:
        controller.hand.cancel()


def _outline(layers: str) -> Callable[[Controller], object]:
    """Show these layers of cells; when they are shown, one less."""

    def run(controller: Controller) -> None:
        now = controller.settings.current.display.cells
        less = "off" if layers == "accepted" else "accepted"
        shown = now == layers or (now == "all" and layers == "accepted")
        controller.edit("display.cells", less if shown else layers)

    return run


def _look(controller: Controller, seconds: float) -> None:
    """Look so much later than now, or earlier."""
    controller.timeline.move(seconds, controller.settings.current.display.trace_window)


def _earlier(windows: float) -> Callable[[Controller], object]:
    return lambda c: _look(c, windows * c.settings.current.display.trace_window)


def _next_mode(controller: Controller) -> None:
    modes = ("stacked", "overlay", "raster")
    now = modes.index(controller.settings.current.display.trace_mode)
    controller.edit("display.trace_mode", modes[(now + 1) % len(modes)])


def _arrows() -> list[Action]:
    ways = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}
    return [
        Action(
            f"Nudge by {far} px; with nothing selected: step in a file",
            (Chord(name, shift=far > 1),), _nudge(far * x, far * y),
            said="Shift+arrows" if far > 1 else "arrows",
        )
        for far in (1, 10)
        for name, (x, y) in ways.items()
    ]  # fmt: skip


def _views() -> list[Action]:
    def show(view: str) -> Callable[[Controller], object]:
        return lambda controller: controller.edit("display.view", view)

    said = f"1 to {len(words.VIEWS)}"
    text = f"Show: {', '.join(words.VIEWS.values())}"
    return [Action(text, (Chord(str(key)),), show(view), said) for key, view in enumerate(words.VIEWS, 1)]


ACTIONS: tuple[Action, ...] = (
    Action("Tools"),
    Action("Select tool", (Chord("V"),), _tool(Tool.SELECT)),
    Action("Circle tool", (Chord("C"),), _tool(Tool.CIRCLE)),
    Action("Ellipse tool", (Chord("E"),), _tool(Tool.ELLIPSE)),
    Action("Rectangle tool", (Chord("Q"),), _tool(Tool.RECTANGLE)),
    Action("Polygon tool", (Chord("P"),), _tool(Tool.POLYGON)),
    Action("Freehand tool", (Chord("F"),), _tool(Tool.FREEHAND)),
    Action("Magic wand", (Chord("W"),), _tool(Tool.WAND)),
    Action("End the polygon", (Chord("Enter"),), lambda c: c.hand.finish()),
    Action("Drop the shape being drawn; select nothing", (Chord("Esc"),), _escape),
    Action("Regions"),
    Action("Undo", (Chord("Z", ctrl=True),), lambda c: c.journal.undo()),
    Action("Redo", (Chord("Y", True),), lambda c: c.journal.redo()),
    Action("Redo", (Chord("Z", True, True),), lambda c: c.journal.redo()),
    Action("Copy", (Chord("C", ctrl=True),), lambda c: c.editor.copy()),
    Action("Paste", (Chord("V", ctrl=True),), lambda c: c.editor.paste()),
    Action("Duplicate", (Chord("D", ctrl=True),), lambda c: c.editor.duplicate()),
    Action("Select all", (Chord("A", ctrl=True),), lambda c: c.editor.select_all()),
    Action("Group", (Chord("G", ctrl=True),), lambda c: c.editor.group()),
    Action("Ungroup", (Chord("G", True, True),), lambda c: c.editor.ungroup()),
    Action(
        "Delete regions, or else the chosen cells",
        (Chord("Del"), Chord("Backspace")),
        lambda c: c.keeper.delete(),
    ),
    Action("Lock or unlock", (Chord("L"),), lambda c: c.editor.lock()),
    Action("Next region, or cell where one is chosen", (Chord("PgDn"),), _next(1)),
    Action("Previous region, or cell", (Chord("PgUp"),), _next(-1)),
    Action("Larger", (Chord("="),), lambda c: c.editor.scale(1.1)),
    Action("Smaller", (Chord("-"),), lambda c: c.editor.scale(1 / 1.1)),
    Action("Turn clockwise, or back", (Chord("]", shift=True),), lambda c: c.editor.turn(5), TURNS),
    Action("Turn clockwise, or back", (Chord("[", shift=True),), lambda c: c.editor.turn(-5), TURNS),
    *_arrows(),
    Action("Parameters"),
    Action("Apply the pending parameters", (Chord("Enter", ctrl=True),), lambda c: c.trial.apply()),
    Action("Preview the pending parameters", (Chord("P", ctrl=True),), lambda c: c.trial.preview()),
    Action("Session"),
    Action("Start recording", (Chord("R"),), lambda c: c.record()),
    Action("Export the recording as csv", (Chord("E", ctrl=True),), lambda c: c.exporting.to("csv")),
    Action("Connect again", (Chord("R", ctrl=True),), lambda c: c.connect(c.source)),
    Action("Put a numbered marker into the recording", (Chord("M"),), lambda c: c.taking.mark()),
    Action("Picture"),
    *_views(),
    Action("Automatic contrast", (Chord("A"),), lambda c: c.picture.automatic()),
    Action(
        "Contrast from the regions",
        (Chord("A", shift=True),),
        lambda c: c.picture.fit_to(c.editor.selected()),
    ),
    Action("Mark saturated pixels", (Chord("S"),), lambda c: c.toggle("display.saturation")),
    Action("Outline the cells", (Chord("K"),), _outline("accepted")),
    Action("Outline rejected cells too", (Chord("J"),), _outline("all")),
    Action("Keep the picture", (Chord("Space"),), lambda c: c.picture.keep(c)),
    Action("Crop of the analysis", (Chord("H"),), lambda c: c.picture.draw(c.picture.crop)),
    Action("Crop of the camera", (Chord("H", shift=True),), lambda c: c.picture.draw(c.picture.sensor)),
    Action("Cells"),
    Action(VERBS["accept"].said, (Chord("G"),), lambda c: c.keeper.accept()),
    Action(VERBS["reject"].said, (Chord("B"),), lambda c: c.keeper.reject()),
    Action(VERBS["automatic"].said, (Chord("G", shift=True),), lambda c: c.keeper.automatic()),
    Action(VERBS["merge"].said, (Chord("U"),), lambda c: c.keeper.merge()),
    Action(VERBS["split"].said, (Chord("D"),), lambda c: c.keeper.split()),
    Action(VERBS["hold"].said, (Chord("F", shift=True),), lambda c: c.keeper.hold()),
    Action(VERBS["promote"].said, (Chord("I"),), lambda c: c.keeper.promote()),
    Action(VERBS["demote"].said, (Chord("O"),), lambda c: c.keeper.demote()),
    Action("Traces"),
    Action("Hold the traces still", (Chord("X"),), lambda c: c.pause()),
    Action("Raw or dF/F", (Chord("T"),), lambda c: c.show_traces(_other_kind(c))),
    Action("Stacked, overlaid or raster", (Chord("T", shift=True),), _next_mode),
    Action("Back to what happens now", (Chord("End"),), lambda c: c.timeline.go()),
    Action("To the start of the session", (Chord("Home"),), lambda c: _look(c, -1e12)),
    Action("Earlier by half a window", (Chord("Left", ctrl=True),), _earlier(-0.5)),
    Action("Later by half a window", (Chord("Right", ctrl=True),), _earlier(0.5)),
    Action("Shorter window", (Chord(","),), _longer(-1)),
    Action("Longer window", (Chord("."),), _longer(1)),
    Action("A file that is played"),
    Action("Replay, or results", (Chord("F2"),), lambda c: c.replay.turn()),
    Action("Play, or hold", (Chord("Space", ctrl=True),), lambda c: c.replay.toggle()),
    Action("Faster, or slower", (Chord("Up", ctrl=True),), lambda c: c.replay.faster(1), SPEED),
    Action("Faster, or slower", (Chord("Down", ctrl=True),), lambda c: c.replay.faster(-1), SPEED),
    Action("Its first frame, or last", (Chord("Home", ctrl=True),), lambda c: c.replay.look(0), ENDS),
    Action(
        "Its first frame, or last", (Chord("End", ctrl=True),), lambda c: c.replay.look(c.replay.last), ENDS
    ),
)
"""All keys that need nothing but the controller."""

WINDOW_ACTIONS: tuple[Action, ...] = (
    Action("Session"),
    Action("Stop recording", said="hold Shift+R"),
    Action("Write a note", (Chord("N"),), lambda d: d.focus("note")),
    Action("Open a file", (Chord("O", ctrl=True),), lambda d: d.ask_file("open", d.controller.connect)),
    Action("Find a recording", (Chord("L", ctrl=True),), lambda d: d.show_library()),
    Action(
        "Save the regions",
        (Chord("S", ctrl=True),),
        lambda d: d.ask_file("save_rois", d.controller.save_rois),
    ),
    Action("Picture"),
    Action("Show the whole picture", (Chord("0"),), lambda d: d.fit()),
    Action("Zoom at the cursor", said="wheel"),
    Action("Pan", said="middle drag"),
    Action("Traces"),
    Action("Flatter traces", (Chord("["),), lambda d: d.scale_traces(1.25)),
    Action("Taller traces", (Chord("]"),), lambda d: d.scale_traces(0.8)),
    Action("Next page of traces", (Chord("PgDn", shift=True),), lambda d: d.page_traces(1)),
    Action("Previous page of traces", (Chord("PgUp", shift=True),), lambda d: d.page_traces(-1)),
    Action("Scroll through them", said="wheel"),
    Action("Window"),
    Action("Larger text", (Chord("=", True), Chord("=", True, True)), lambda d: d.zoom(1), said="Ctrl +"),
    Action("Smaller text", (Chord("-", True),), lambda d: d.zoom(-1), said="Ctrl -"),
    Action("Text as the screen wants it", (Chord("0", True),), lambda d: d.zoom(0)),
    Action("Full screen", (Chord("F11"),), lambda d: d.full_screen()),
    Action("These keys", (Chord("F1"),), lambda d: d.show_keys()),
    Action("Mouse on the picture"),
    Action("Select one more region, or less", said="Shift+click"),
    Action("Scale the selected regions", said="Shift+drag"),
    Action("Choose one more cell, or less", said="Ctrl+click"),
    Action("Beside regions: select in a box", said="drag"),
    Action("Beside regions: in a lasso", said="Ctrl / Alt+drag"),
    Action("On a line: a new corner", said="double-click"),
    Action("A new corner, or delete one", said="Ctrl / Alt+click"),
    Action("Beside everything: fit", said="double-click"),
    Action("Menu of a region", said="right click"),
    Action("On a corner: delete it", said="right click twice"),
    Action("Wand held down: more or less", said="wheel"),
)
"""Keys of the window itself, and what the mouse does."""

_BY_WINDOW_CHORD = {chord: action for action in WINDOW_ACTIONS for chord in action.chords}
_BY_CHORD = {chord: action for action in ACTIONS for chord in action.chords}


def _other_kind(controller: Controller) -> str:
    return "raw" if controller.settings.current.display.trace_kind == "dff" else "dff"
