"""Cells on the picture: outlines coloured by status, ids, and what is known of the one under the mouse.

All outlines of a colour are one line series with gaps: a thousand cells are four items, and nothing is drawn
anew unless cells, choice, view or shift changed. Footprints lie in the template's frame; on the raw picture
they are shown moved back by the shift of the frame.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import words
from roi_stream_gui.cells import Kind, facts, kinds, visible
from roi_stream_gui.outlines import outlines
from roi_stream_gui.theme import CELL, CHOSEN, NEW, REJECTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.snapshot import Snapshot
    from roi_stream_gui.outlines import Outlines, Points
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

    Box = tuple[float, float, float, float]
    Shift = tuple[float, float]

__all__ = ["CellOverlay"]

PERIOD: Final = 0.25
"""Seconds between two looks at the components while they change at every frame."""
LETTERS: Final = 16
"""Letters of a name that the picture shows."""
LABELS: Final = 60
"""Ids written at most."""
CLOSE: Final = 30.0
"""Screen px that a cell is wide, on average, from which every one in sight is labelled."""
FEW: Final = 25
"""So few cells are all labelled."""
SIZE: Final = 12.0
SEGMENT: Final = 2.5
"""Screen px that a piece of an outline is long at least: shorter ones look dashed and cost as much."""
LINES: Final = ((Kind.REJECTED, REJECTED, 1.2), (Kind.ACCEPTED, CELL, 1.6), (Kind.NEW, NEW, 2.0))
COLOURS: Final = {kind: colour for kind, colour, _ in LINES}


class Lines(NamedTuple):
    """What lines depend on; ``turn`` counts the changes of outlines and kinds."""

    turn: int
    layers: str
    chosen: tuple[int, ...]
    step: int


class Look(NamedTuple):
    """What a drawing depends on."""

    lines: Lines
    traced: tuple[int, ...]
    shift: Shift
    box: Box
    size: float


class CellOverlay:
    """The layer of cells: four line series, a pool of labels, one tooltip."""

    def __init__(self, desk: Desk, plot: int, axis: int) -> None:
        self._desk, self._do = desk, desk.controller
        self._series = {kind: _series(desk, axis, colour, weight) for kind, colour, weight in LINES}
        self._chosen = _series(desk, axis, CHOSEN, 2.6)
        with dpg.draw_layer(parent=plot):
            self._labels = [dpg.draw_text([0, 0], "", size=1, show=False) for _ in range(LABELS)]
        with dpg.window(
            show=False, no_title_bar=True, no_move=True, no_resize=True, autosize=True, no_scrollbar=True,
            no_focus_on_appearing=True, no_saved_settings=True, min_size=(20, 20),
        ) as self._tip:  # fmt: skip
            self._facts = dpg.add_text("")
        desk.named("cell.tip", self._tip)
        self._outlines: Outlines | None = None
        self._kinds: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._shown: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._looked = -PERIOD
        self._turn = self._labelled = 0
        self._drawn: Look | None = None
        self._names: dict[int, str] = {}
        self._points: dict[int, Points] = {}

    def update(
        self, view: View, box: Box, zoom: float, mouse: tuple[float, float] | None, moves: bool = True
    ) -> None:
        """Draw the view's cells; `box` (x0, y0, x1, y1) is in sight, `zoom` screen px to one, mouse in px.

        They follow the shift of a picture that `moves`; one that was put in its place keeps them still.
        """
        snapshot, shown = view.snapshot, view.settings.display
        hidden = shown.cells == "off" or self._do.review.on_picture
        if snapshot is None or snapshot.activity is None or hidden:
            self._clear()
            return
        self._look(snapshot)
        step = min(max(0.25 / zoom, 1e-3), 1.0)  # a shift that nobody can see is not followed
        dy, dx = (snapshot.shift if moves else None) or (0.0, 0.0)
        shift = (round(dy / step) * step, round(dx / step) * step)
        traced = self._do.cells.traced(snapshot, shown.cell_traces)
        layers = "off" if self._do.trial.forecast is not None else shown.cells
        lines = Lines(self._turn, layers, self._do.cells.chosen, max(int(SEGMENT / zoom), 1))
        look = Look(lines, traced, shift, box, SIZE * self._desk.scale)
        names = self._do.keeper.names  # another object whenever one is renamed
        if (look != self._drawn or names is not self._names) and self._outlines is not None:
            self._names = names
            self._draw(self._outlines, look, zoom)
        self._tell(snapshot, mouse)

    def at(self, x: float, y: float) -> int | None:
        """Return the id of the cell that is drawn at a point of the raw picture."""
        if self._outlines is None or self._drawn is None:
            return None
        dy, dx = self._drawn.shift
        return self._outlines.at(x + dx, y + dy, self._shown)

    def _look(self, snapshot: Snapshot) -> None:
        """Follow the components a few times a second; outlines are made once for each version."""
        now, activity = time.monotonic(), snapshot.activity
        if activity is None or now - self._looked < PERIOD:
            return
        self._looked = now
        fresh = self._outlines is None or self._outlines.components is not activity.components
        if fresh:
            self._outlines = outlines(activity.components)
        new = kinds(activity.components, snapshot.traces.head, snapshot.rate)
        if fresh or not np.array_equal(new, self._kinds):
            self._kinds = new
            self._turn += 1

    def _draw(self, made: Outlines, look: Look, zoom: float) -> None:
        """Draw what has changed: the lines, or only where they lie."""
        if self._drawn is None or look.lines != self._drawn.lines:
            self._points = self._pick(made, look.lines)
        if self._drawn is None or look.lines != self._drawn.lines or look.shift != self._drawn.shift:
            for series, (x, y) in self._points.items():
                _put(series, x, y, look.shift)
        self._drawn = look
        self._write(made, look, zoom)

    def _pick(self, made: Outlines, lines: Lines) -> dict[int, Points]:
        """Return the points of each series, in the template's frame."""
        self._shown = visible(self._kinds, lines.layers)
        chosen = np.isin(made.components.ids, lines.chosen)
        found = {self._chosen: made.of(chosen, lines.step)}
        for kind, series in self._series.items():
            found[series] = made.of(self._shown & ~chosen & (self._kinds == kind), lines.step)
        return found

    def _write(self, made: Outlines, look: Look, zoom: float) -> None:
        """Write the ids of cells in sight: of all when there is room, else of those with a trace."""
        (dy, dx), (x0, y0, x1, y1) = look.shift, look.box
        top, left, bottom, right = (made.boxes - np.array([dy, dx, dy, dx], np.float32)).T
        inside = self._shown & (right > x0) & (left < x1) & (bottom > y0) & (top < y1)
        wide = zoom * float((right - left)[inside].mean()) if inside.any() else 0.0
        roomy = inside.sum() <= FEW or wide >= CLOSE
        named = inside & (roomy | np.isin(made.components.ids, look.traced))
        for label, k in zip(self._labels, np.flatnonzero(named), strict=False):
            cell = int(made.components.ids[k])
            text = words.short(self._do.keeper.label(cell), LETTERS)
            place = [
                float(left[k] + right[k]) / 2 - 0.28 * look.size * len(text) / zoom,
                float(top[k]) - look.size / zoom,
            ]
            colour = CHOSEN if cell in look.lines.chosen else COLOURS[Kind(self._kinds[k])]
            dpg.configure_item(
                label, pos=place, text=text, size=look.size / zoom, color=(*colour, 255), show=True
            )
        count = min(int(named.sum()), LABELS)
        for label in self._labels[count : self._labelled]:
            dpg.configure_item(label, show=False)
        self._labelled = count

    def _tell(self, snapshot: Snapshot, mouse: tuple[float, float] | None) -> None:
        """Tell what is known of the cell under the mouse."""
        cell = None if mouse is None else self.at(*mouse)
        text = ""
        if cell is not None and self._outlines is not None:
            c = self._outlines.components
            born = int(c.born[np.flatnonzero(c.ids == cell)[0]])
            text = facts(c, cell, (snapshot.traces.head - born) / max(snapshot.rate, 1e-3))
        if cell != self._do.cells.hovered:
            self._do.cells.hovered = cell
            dpg.configure_item(self._tip, show=cell is not None)
        if text and text != dpg.get_value(self._facts):
            dpg.set_value(self._facts, text)
        if text:
            x, y = dpg.get_mouse_pos(local=False)
            dpg.configure_item(self._tip, pos=(int(x) + 18, int(y) + 14))

    def _clear(self) -> None:
        """Show nothing: cells are not looked for, or not wanted on the picture."""
        if self._drawn is None and self._outlines is None:
            return
        self._outlines, self._drawn, self._do.cells.hovered = None, None, None
        self._looked = -PERIOD
        for item in (*self._series.values(), self._chosen, *self._labels[: self._labelled], self._tip):
            dpg.configure_item(item, show=False)
        self._labelled = 0


def _series(desk: Desk, axis: int, colour: tuple[int, int, int], weight: float) -> int:
    item = dpg.add_line_series([0.0], [0.0], parent=axis, show=False)
    dpg.bind_item_theme(item, desk.theme.line(colour, weight)[0])
    return int(item)


def _put(series: int, x: NDArray[np.float64], y: NDArray[np.float64], shift: Shift) -> None:
    """Show lines moved back by a shift; an empty series is hidden."""
    dpg.configure_item(series, show=bool(x.size))
    if x.size:
        dpg.set_value(series, [x - shift[1], y - shift[0]])
