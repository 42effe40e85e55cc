"""Two results compared: the table of cells, their outlines on the picture, the traces of a chosen pair."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

import dearpygui.dearpygui as dpg
import numpy as np

from roi_stream_gui import words
from roi_stream_gui.panels.base import Place, then, value
from roi_stream_gui.panels.twofold import A, B, Twofold

if TYPE_CHECKING:
    from roi_core.offline.compare import Comparison
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.twosides import Lines, Row
    from roi_stream_gui.view import View

__all__ = ["ReviewPanel"]

WIDTH: Final = 330
"""px of the table."""
LETTERS: Final = 16
"""Letters of a cell's number and name."""
ROWS: Final = 200
"""Rows of the table on a page."""
LOW: Final = 80
"""px of the plot below which its numbers would cover one another."""
ROOMY, ROW = 130, 27
"""px of the plot, below the row of choices, that it needs to be read beside that row; px of the row."""
SIDES: Final = ("A", "B")


class ReviewPanel:
    """Left what is compared and the table, right the traces."""

    title: ClassVar[str] = "Review"
    place: ClassVar[Place] = Place.BOTTOM
    always: ClassVar[bool] = True

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._review = desk.controller.review
        self._twofold = Twofold(desk)
        self._rows: list[tuple[int, tuple[int, ...]]] = []
        self._labels: list[str] = []
        self._sides: tuple[str, str] | None = None
        self._version = -1
        self._first = 0
        self._busy: bool | None = None
        self._low: bool | None = None
        self._unfolded = False

    # -- building -----------------------------------------------------------------------------------------

    def build(self, parent: int) -> None:
        """Make the choices, the table and the plot."""
        with dpg.group(parent=parent):
            self._build_choices()
            with dpg.group(horizontal=True):
                with dpg.child_window(width=WIDTH, border=False, no_scrollbar=True):
                    self._build_table()
                with dpg.group():
                    with dpg.group(horizontal=True):
                        # not hidden in the first place: then the plot below is not drawn (Dear PyGui 2.3.1)
                        self._summary = self._desk.text(words.NOTHING_COMPARED, "dim")
                        fold = dpg.add_button(label="Sides", show=False, callback=then(self._turn))
                        self._fold = self._desk.tip(self._desk.named("review.fold", fold), "review.fold")
                    self._build_plot()

    def _build_choices(self) -> None:
        desk, review = self._desk, self._review
        self._combos = []
        with dpg.group(horizontal=True) as self._choices:
            for which, colour in enumerate((A, B)):
                dpg.add_text(SIDES[which], color=(*colour, 255))
                combo = dpg.add_combo((), width=190, callback=value(partial(review.choose_side, which)))
                self._combos.append(desk.tip(desk.named(f"review.{SIDES[which].lower()}", combo), "side"))
            add = dpg.add_button(label="Add ...", callback=then(lambda: desk.ask_file("compare", review.add)))
            desk.tip(desk.named("review.open", add), "review.open")
            self._button = dpg.add_button(label="Compare", width=88, callback=then(review.compare))
            desk.tip(desk.named("compare", self._button), "compare")
            dpg.bind_item_theme(self._button, desk.theme.primary)
            least = dpg.add_drag_float(
                width=96, format="IoU >= %.2f", min_value=0.05, max_value=1.0, clamped=True, speed=0.01,
                default_value=review.least, callback=value(partial(setattr, review, "least")),
            )  # fmt: skip
            desk.tip(desk.named("review.least", least), "least")
            show = dpg.add_checkbox(label="Outlines", default_value=review.shown, callback=value(review.show))
            desk.tip(desk.named("review.show", show), "review.show")
            for name, label, step in (("previous", "<", -1), ("next", ">", 1)):
                page = dpg.add_button(label=label, width=24, callback=then(partial(self._page, step)))
                desk.named(f"review.{name}", page)
            self._which = desk.text(tone="dim")

    def _build_table(self) -> None:
        with dpg.table(
            header_row=True,
            row_background=True,
            scrollY=True,
            height=-1,
            policy=dpg.mvTable_SizingStretchProp,
        ) as self._table:
            for label in ("cell in A", "cell in B", "IoU", "r"):
                dpg.add_table_column(label=label)

    def _build_plot(self) -> None:
        with dpg.plot(
            width=-1, height=-1, no_menus=True, no_title=True, no_box_select=True, no_mouse_pos=True,
            pan_button=dpg.mvMouseButton_Left,
        ) as self._plot:  # fmt: skip
            self._x = dpg.add_plot_axis(dpg.mvXAxis, no_highlight=True, tick_format="%.0f")
            self._y = dpg.add_plot_axis(dpg.mvYAxis, no_highlight=True, tick_format="%g SD")
            self._series = [dpg.add_line_series([], [], parent=self._y, label=side) for side in SIDES]
            dpg.add_plot_legend(location=dpg.mvPlot_Location_NorthEast)
        for series, colour in zip(self._series, (A, B), strict=True):
            dpg.bind_item_theme(series, self._desk.theme.line(colour)[0])
        dpg.bind_item_theme(self._plot, self._desk.theme.traces)
        self._desk.named("review.plot", self._plot)

    # -- every drawn frame --------------------------------------------------------------------------------

    def update(self, view: View) -> None:
        """Show what is new."""
        review = self._review
        self._show_choices()
        if review.busy is not self._busy:
            self._busy = review.busy
            dpg.configure_item(self._button, label="Reading ..." if review.busy else "Compare")
        self._fit(dpg.get_item_rect_size(self._plot)[1])
        self._twofold.update(view, review)
        if review.version == self._version:
            return
        self._version = review.version
        self._show_rows()
        self._show_lines(review.lines)
        text = _said(review.outcome.found) if review.outcome is not None else words.NOTHING_COMPARED
        self._desk.say(self._summary, text, "dim" if review.outcome is None else "text")

    def _fit(self, height: float) -> None:
        """Make the best of a plot so many px high: in a low pane its traces come before the choices."""
        if (low := height < self._desk.px(LOW)) is not self._low:
            self._low = low
            self._show_axes()
        row = 0 if dpg.is_item_shown(self._choices) else self._desk.px(ROW)
        cramped = self._review.outcome is not None and height - row < self._desk.px(ROOMY)
        self._unfolded = cramped and self._unfolded
        for item, shown in ((self._fold, cramped), (self._choices, not cramped or self._unfolded)):
            if dpg.is_item_shown(item) != shown:
                dpg.configure_item(item, show=shown)

    def _turn(self) -> None:
        """Show the row of choices in a low pane, or hide it again."""
        self._unfolded = not self._unfolded

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        review = self._review
        found = review.outcome.found if review.outcome is not None else None
        return {
            "choices": self._labels,
            "sides": list(review.sides),
            "busy": review.busy,
            "pairs": [list(pair)[:3] for pair in found.pairs] if found is not None else None,
            "only": [list(found.only_a), list(found.only_b)] if found is not None else None,
            "chosen": review.chosen,
            "drawn": len(review.lines.x) if review.lines is not None else 0,
            "summary": dpg.get_value(self._summary),
            "numbered": not dpg.get_item_configuration(self._x)["no_tick_labels"],
            "folded": not dpg.is_item_shown(self._choices),
        }

    def _show_choices(self) -> None:
        labels, sides = [side.label for side in self._review.choices()], self._review.sides
        if labels != self._labels or sides != self._sides:
            self._labels, self._sides = labels, sides
            for combo, side in zip(self._combos, sides, strict=True):
                dpg.configure_item(combo, items=labels)
                dpg.set_value(combo, side if side in labels else "")

    def _show_rows(self) -> None:
        """Fill the rows of this page; those that are too many are hidden."""
        outcome = self._review.outcome
        every = outcome.rows if outcome is not None else ()
        names = outcome.names if outcome is not None else ({}, {})
        self._first = max(0, min(self._first, (len(every) - 1) // ROWS * ROWS))
        page = every[self._first : self._first + ROWS]
        while len(self._rows) < len(page):
            self._rows.append(self._row(len(self._rows)))
        for k, (row, cells) in enumerate(self._rows):
            if k < len(page):
                for cell, text in zip(cells, _texts(page[k], names), strict=True):
                    dpg.configure_item(cell, label=text)
                for cell in cells:
                    dpg.set_value(cell, self._first + k == self._review.chosen)
            dpg.configure_item(row, show=k < len(page))
        last = self._first + len(page)
        self._desk.say(self._which, f"{self._first + 1}-{last} of {len(every)}" if last < len(every) else "")

    def _row(self, number: int) -> tuple[int, tuple[int, ...]]:
        choose = then(lambda: self._review.choose(self._first + number))
        with dpg.table_row(parent=self._table) as row:
            cells = tuple(
                int(dpg.add_selectable(label="", span_columns=column == 0, callback=choose))
                for column in range(4)
            )
        self._desk.named(f"review.row{number}", cells[0])
        return int(row), cells

    def _show_axes(self) -> None:
        """Write numbers beside the axes once something is compared, upright only where there is room."""
        bare = not self._drawable(self._review.lines)
        for axis, hidden in ((self._x, bare), (self._y, bare or self._low)):
            dpg.configure_item(axis, no_tick_labels=hidden, no_tick_marks=hidden)

    def _show_lines(self, lines: Lines | None) -> None:
        self._show_axes()
        for series, y in zip(self._series, (lines.a, lines.b) if lines else ((), ()), strict=True):
            dpg.set_value(series, [lines.x, y] if lines else [[], []])
        if self._drawable(lines):
            dpg.fit_axis_data(self._x)
            dpg.fit_axis_data(self._y)

    @staticmethod
    def _drawable(lines: Lines | None) -> bool:
        """Tell whether there is anything in the traces of a pair."""
        return lines is not None and bool(np.isfinite(lines.a).any() or np.isfinite(lines.b).any())

    def _page(self, step: int) -> None:
        self._first += step * ROWS
        self._version = -1


def _said(found: Comparison) -> str:
    same = len(found.pairs)
    text = words.COMPARED.format(
        f1=_number(found.f1), same=same, a=same + len(found.only_a), b=same + len(found.only_b),
        overlap=_number(found.median("overlap")), r=_number(found.median("r")),
    )  # fmt: skip
    return f"{text}\n{found.why}" if found.why and same else text


def _number(value: float) -> str:
    """Return a number as it is written; '-' for one that is not known."""
    return "-" if value != value else f"{value:.2f}"


def _texts(row: Row, names: tuple[dict[int, str], dict[int, str]]) -> tuple[str, ...]:
    cells = (
        f"only in {other}" if cell is None else words.short(f"{cell} {known.get(cell, '')}".strip(), LETTERS)
        for cell, other, known in zip((row.a, row.b), "BA", names, strict=True)
    )
    alone = row.a is None or row.b is None
    return *cells, *("" if alone else _number(value) for value in (row.overlap, row.r))
