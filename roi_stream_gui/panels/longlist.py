"""A list of any length of which only the lines in sight are widgets: a thousand lines cost what twenty do.

Beside the table stands an empty pane that is as tall as all lines would be: its scroll bar tells which lines
the table shows.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import then, value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_stream_gui.panels.base import Desk

__all__ = ["Column", "Line", "LongList"]

LINE, HEAD = 22, 25
"""px of a line, and of the headings, at 100 %."""
BAR: Final = 13
"""Width of the scroll bar."""
CLICKED: Final = 1
"""The column that is clicked."""
TURN: Final = 3
"""Lines that one notch of the wheel moves the list by."""


class Column(NamedTuple):
    """A column: what stands above it, and its width (0: what is left)."""

    label: str
    width: int


class Line(NamedTuple):
    """What a line shows: a text for each column and how it is meant; whether it is chosen; its tooltip."""

    texts: tuple[str, ...]
    tones: tuple[str, ...]
    chosen: bool = False
    tip: str = ""


class LongList:
    """Entries as lines of a table.

    `draw` makes a line of an entry that is in sight, `click` gets the number of a line, `sort` of a heading.
    Lines have tooltips where `tips` is set.

    The second column is the one that is clicked: Dear PyGui puts the text of a first one too high.
    """

    def __init__(
        self,
        desk: Desk,
        name: str,
        columns: Sequence[Column],
        draw: Callable[[Any], Line],
        click: Callable[[int], object],
        sort: Callable[[int], object] | None = None,
        *,
        tips: bool = False,
    ) -> None:
        self._desk = desk
        self._name = name
        self._columns = tuple(columns)
        self._draw = draw
        self._click = click
        self._sort = sort
        self._tips: dict[int, int] | None = {} if tips else None
        self._rows: list[tuple[int, list[int]]] = []
        self._lines: Sequence[Any] = ()
        self._tall = 0
        self._scale = 1.0
        self._spread = -1
        self._shown: tuple[object, ...] = ()
        self._due: int | None = None

    @property
    def fit(self) -> int:
        """How many lines are in sight."""
        return max((self._tall - self._desk.px(HEAD)) // self._line, 1)

    def tall(self, lines: int) -> int:
        """Return the px of so many lines and the headings."""
        return self._desk.px(HEAD) + lines * self._line

    @property
    def first(self) -> int:
        """The first line in sight."""
        most = max(len(self._lines) - self.fit, 0)
        return min(int(float(dpg.get_y_scroll(self._strip)) / self._line + 0.5), most)

    @property
    def _line(self) -> int:
        """Screen px of a line."""
        return self._desk.px(LINE)

    def build(self, parent: int) -> None:
        """Make the table and its scroll bar."""
        with dpg.group(parent=parent, horizontal=True, horizontal_spacing=1) as self._group:
            with dpg.child_window(border=False, no_scrollbar=True, width=-BAR - 1) as self._pane:
                dpg.bind_item_theme(self._pane, self._desk.theme.flush)
                self._build_table()
            with dpg.child_window(border=False, width=BAR, horizontal_scrollbar=False) as self._strip:
                dpg.bind_item_theme(self._strip, self._desk.theme.flush)
                self._spacer = dpg.add_spacer(height=1)
        self._desk.named(self._name, self._table)
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=value(self._wheel))

    def _build_table(self) -> None:
        with dpg.table(
            header_row=False, policy=dpg.mvTable_SizingFixedFit, row_background=True, no_host_extendX=True,
            pad_outerX=False,
        ) as self._table:  # fmt: skip
            dpg.bind_item_theme(self._table, self._desk.theme.list)
            for column in self._columns:
                stretch = {"width_stretch": True} if not column.width else {"width_fixed": True}
                dpg.add_table_column(init_width_or_weight=column.width or 1.0, **stretch)
            with dpg.table_row(height=HEAD):
                self._heads = [self._head(number) for number in range(len(self._columns))]

    def _head(self, number: int) -> int:
        label = self._columns[number].label
        if self._sort is None:
            return self._desk.text(label, "dim")
        head: int = dpg.add_button(label=label, width=-1, callback=then(partial(self._sort, number)))
        dpg.bind_item_theme(head, self._desk.theme.head)
        return self._desk.named(f"{self._name}.head.{label or number}", head)

    def sorted_by(self, number: int, down: bool) -> None:
        """Mark the heading by which the lines are sorted."""
        for k, (head, column) in enumerate(zip(self._heads, self._columns, strict=True)):
            sign = ("\u25bc" if down else "\u25b2") if k == number else ""
            dpg.configure_item(head, label=column.label + sign)

    def resize(self, height: int) -> None:
        """Be so many px tall."""
        if (height, self._desk.scale) != (self._tall, self._scale):
            self._tall, self._scale = height, self._desk.scale
            for row, _ in self._rows:
                dpg.configure_item(row, height=self._line)
            for item in (self._pane, self._strip):
                dpg.configure_item(item, height=height)
            self._spread = -1

    def hide(self, hidden: bool) -> None:
        """Be hidden, or shown again."""
        if dpg.is_item_shown(self._group) == hidden:
            dpg.configure_item(self._group, show=not hidden)

    def reveal(self, number: int) -> None:
        """Scroll so that a line is in sight, when the lines are shown next."""
        self._due = number

    def show(self, lines: Sequence[Any]) -> None:
        """Show these entries from where the list is scrolled to; changes only what differs."""
        self._shown = ()
        self._lines = lines
        if self._spread != len(lines):
            self._spread = len(lines)
            dpg.configure_item(self._spacer, height=max(self._tall + (len(lines) - self.fit) * self._line, 1))
        if self._due is not None:
            if not self.first <= self._due < self.first + self.fit:
                dpg.set_y_scroll(self._strip, max(self._due - self.fit // 2, 0) * self._line)
            self._due = None
        self.follow()

    def follow(self) -> None:
        """Fill the widgets with the lines that are in sight now."""
        first, fit = self.first, self.fit
        if self._shown and self._shown[0] is self._lines and self._shown[1:] == (first, fit):
            return
        self._shown = (self._lines, first, fit)
        while len(self._rows) < fit:
            self._rows.append(self._row(len(self._rows)))
        part = self._lines[first : first + fit]
        for (row, items), entry in zip(self._rows, part, strict=False):
            dpg.configure_item(row, show=True)
            self._fill(items, self._draw(entry))
        for row, _ in self._rows[len(part) :]:
            dpg.configure_item(row, show=False)

    def _row(self, number: int) -> tuple[int, list[int]]:
        with dpg.table_row(parent=self._table, height=self._line) as row:
            mark = self._desk.text()
            line = dpg.add_selectable(span_columns=True, callback=then(partial(self._clicked, number)))
            self._desk.named(f"{self._name}.{number}", line)
            if self._tips is not None:
                with dpg.tooltip(line, delay=0.5, hide_on_activity=True) as tip:
                    self._tips[int(line)] = self._desk.text(wrap=340)
                self._desk.named(f"{self._name}.{number}.tip", tip)
            others = [self._desk.text() for _ in self._columns[2:]]
        return int(row), [mark, int(line), *others]

    def _fill(self, items: list[int], line: Line) -> None:
        for k, (item, text, tone) in enumerate(zip(items, line.texts, line.tones, strict=True)):
            if k != CLICKED:
                self._desk.say(item, text, tone)
            elif dpg.get_item_label(item) != text:
                dpg.configure_item(item, label=text)
        if self._tips is not None:
            self._desk.say(self._tips[items[CLICKED]], line.tip)
        if dpg.get_value(items[CLICKED]) != line.chosen:
            dpg.set_value(items[CLICKED], line.chosen)

    def _clicked(self, number: int) -> None:
        self._shown = ()  # the click has changed the widget: show what is really chosen
        if self.first + number < len(self._lines):
            self._click(self.first + number)

    def _wheel(self, turn: float) -> None:
        state = dpg.get_item_state(self._table)
        if not state.get("visible") or "rect_min" not in state:
            return
        (x, y), (left, top) = dpg.get_mouse_pos(local=False), state["rect_min"]
        if left <= x <= left + state["rect_size"][0] and top <= y <= top + self._tall:
            dpg.set_y_scroll(self._strip, max(dpg.get_y_scroll(self._strip) - turn * TURN * self._line, 0.0))
