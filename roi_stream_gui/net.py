"""A box or a lasso drawn beside the regions: what lies inside is selected as it grows. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_stream_gui import strokes

if TYPE_CHECKING:
    from roi_stream_gui.editing import Editor
    from roi_stream_gui.strokes import Point

__all__ = ["Net"]


class Net:
    """One drag from a place where no region is."""

    def __init__(self, editor: Editor, start: Point, free: bool, more: bool) -> None:
        self._editor = editor
        self._start = start
        self._free = free
        if not more:
            editor.select()
        self._before = editor.selection

    def cast(self, line: tuple[Point, ...], at: Point) -> tuple[Point, ...]:
        """Return the line with the hand at `at`, and select what it encloses beside what was selected."""
        line = strokes.drawn_on(line or (self._start,), at) if self._free else strokes.box(self._start, at)
        shown = [roi for roi in self._editor.rois if roi.id not in self._editor.hidden]
        self._editor.select(*self._before, *strokes.caught(line, shown))
        return line
