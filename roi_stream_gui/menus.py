"""The menu as data: where an entry stands, what it does, when it can be chosen. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.view import View

    Desk = Any
    """`panels.base.Desk`, which knows the toolkit."""

__all__ = ["MENU", "Entry"]


def _always(_view: View) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Entry:
    """``path`` is ``Menu/Entry`` or deeper; ``possible`` tells whether it can be chosen, ``on`` ticks it."""

    path: str
    run: Callable[[Desk], object]
    keys: str = ""
    possible: Callable[[View], bool] = _always
    on: Callable[[View], bool] | None = None


def _some_region(view: View) -> bool:
    return bool(len(view.rois))


def _connected(view: View) -> bool:
    return view.snapshot is not None


MENU: tuple[Entry, ...] = (
    Entry("File/Open ...", lambda d: d.ask_file("open", d.controller.connect), "Ctrl+O"),
    Entry(
        "File/Load regions ...",
        lambda d: d.ask_file("load_rois", d.controller.load_rois),
        possible=_connected,
    ),
    Entry(
        "File/Save regions ...",
        lambda d: d.ask_file("save_rois", d.controller.save_rois),
        "Ctrl+S",
        _some_region,
    ),
    Entry("File/Save parameters ...", lambda d: d.ask_file("save_settings", d.controller.save_settings)),
    Entry("File/Parameter presets ...", lambda d: d.show_presets()),
    Entry("File/Quit", lambda d: d.quit()),
    Entry("Edit/Undo", lambda d: d.controller.journal.undo(), "Ctrl+Z", lambda v: bool(v.undo)),
    Entry("Edit/Redo", lambda d: d.controller.journal.redo(), "Ctrl+Shift+Z", lambda v: bool(v.redo)),
    Entry("View/Whole picture", lambda d: d.fit(), "0"),
    Entry("Help/Keys", lambda d: d.show_keys(), "F1"),
)
