"""The menu as data: where an entry stands, what it does, when it can be chosen. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roi_core.export import EXPORTS
from roi_core.snapshot import State
from roi_stream_gui import halves, words
from roi_stream_gui.keeper import LATER
from roi_stream_gui.recents import KEPT, recent
from roi_stream_gui.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.view import View

    Desk = Any
    """`panels.base.Desk`, which knows the toolkit."""

__all__ = ["MENU", "SIZES", "Entry"]

SIZES = (0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5)
"""Sizes of text and widgets to choose from, 1 for 100 %."""


def _always(_view: View) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Entry:
    """``path`` is ``Menu/Entry`` or deeper; ``possible`` tells whether it can be chosen, ``on`` ticks it.

    What ``label`` returns stands in place of the last part of the path; where that is '' there is no entry.
    """

    path: str
    run: Callable[[Desk], object]
    keys: str = ""
    possible: Callable[[View], bool] = _always
    on: Callable[[View], bool] | None = None
    label: Callable[[View], str] | None = None


def _some_region(view: View) -> bool:
    return bool(len(view.rois))


def _connected(view: View) -> bool:
    return view.snapshot is not None


def _draw(crop: str) -> Callable[[Any], object]:
    """Take up the tool that draws the crop of the analysis, or of the camera's sensor."""
    return lambda d: d.controller.picture.draw(getattr(d.controller.picture, crop))


def _theme(name: str) -> Entry:
    return Entry(
        f"View/Theme/{name.capitalize()}",
        lambda d: d.controller.edit("display.theme", name),
        on=lambda v: v.settings.display.theme == name,
    )


def _size(scale: float) -> Entry:
    return Entry(
        f"View/Size/{100 * scale:.0f} %",
        lambda d: d.controller.edit("display.scale", scale),
        on=lambda v: _scale(v) == scale,
    )


def _scale(view: View) -> float | None:
    return view.settings.display.scale


def _grouped(view: View) -> bool:
    return any(roi.group for roi in view.rois if roi.id in view.selection)


def _find_fibres(desk: Desk) -> None:
    desk.controller.bundle.begin()
    desk.open_tab("regions")


def _recent(number: int) -> Entry:
    """Open a source that was used before."""

    def label(view: View) -> str:
        found = recent(view.choices, number)
        return found[0] if found else ""

    def run(desk: Desk) -> None:
        found = recent(desk.controller.choices.all(), number)
        if found:
            desk.controller.connect(found[1])

    return Entry(f"File/Open recent/{number + 1}", run, label=label)


def _export(word: str) -> Entry:
    """Export the recording at hand."""
    keys = "Ctrl+E" if word == "csv" else ""
    return Entry(
        f"File/Export/{word}", lambda d: d.controller.exporting.to(word), keys, lambda v: v.exportable
    )


def _export_file(word: str) -> Entry:
    """Ask for a recording and export it."""

    def run(desk: Desk) -> None:
        desk.ask_file("export", lambda path: desk.controller.exporting.to(word, path))

    return Entry(f"File/Export a file/{word} ...", run)


def _cells(name: str) -> Entry:
    """Do something to cells: the verb of the keeper of that name."""
    verb = VERBS[name]

    def possible(view: View) -> bool:
        if view.snapshot is None or view.snapshot.activity is None:
            return False
        return view.running or (name in LATER and view.snapshot.state is State.FINISHED)

    return Entry(f"Cells/{verb.menu}", lambda d: getattr(d.controller.keeper, name)(), verb.key, possible)


MENU: tuple[Entry, ...] = (
    Entry("File/Open ...", lambda d: d.ask_file("open", d.controller.connect), "Ctrl+O"),
    Entry("File/Catalogue ...", lambda d: d.show_library(), "Ctrl+L"),
    *map(_recent, range(KEPT)),
    Entry(
        "File/Connect again",
        lambda d: d.controller.connect(d.controller.source),
        "Ctrl+R",
        possible=_connected,
    ),
    Entry(
        "File/Results or replay",
        lambda d: d.controller.replay.turn(),
        "F2",
        possible=lambda v: v.playable and not v.recording,
        label=lambda v: words.TURN[v.side],
    ),
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
    *map(_export, EXPORTS),
    Entry("File/Export/with options ...", lambda d: d.show_export()),
    *map(_export_file, EXPORTS),
    Entry("File/Stop the export", lambda d: d.controller.exporting.stop(), possible=lambda v: v.exporting),
    Entry("File/Quit", lambda d: d.quit()),
    Entry("Edit/Undo", lambda d: d.controller.journal.undo(), "Ctrl+Z", lambda v: bool(v.undo)),
    Entry("Edit/Redo", lambda d: d.controller.journal.redo(), "Ctrl+Shift+Z", lambda v: bool(v.redo)),
    Entry("Edit/Group", lambda d: d.controller.editor.group(), "Ctrl+G", lambda v: len(v.selection) > 1),
    Entry("Edit/Ungroup", lambda d: d.controller.editor.ungroup(), "Ctrl+Shift+G", _grouped),
    Entry("Edit/Twins in the other half", lambda d: halves.add_twins(d.controller), possible=halves.possible),
    Entry("Edit/Select all", lambda d: d.controller.editor.select_all(), "Ctrl+A", _some_region),
    Entry("View/Whole picture", lambda d: d.fit(), "0"),
    Entry(
        "View/Contrast from regions",
        lambda d: d.controller.picture.fit_to(d.controller.editor.selected()),
        "Shift+A",
        lambda v: bool(v.selection),
    ),
    Entry("View/Keep this picture", lambda d: d.controller.picture.keep(d.controller), "Space", _connected),
    Entry("View/Crop the analysis", _draw("crop"), "H", _connected),
    Entry("View/Remove crop", lambda d: d.controller.picture.crop.remove()),
    Entry("View/Crop the camera", _draw("sensor"), "Shift+H", _connected),
    Entry(
        "View/Remove crop of the camera", lambda d: d.controller.picture.sensor.remove(), possible=_connected
    ),
    *(_theme(name) for name in ("dark", "light")),
    *map(_size, SIZES),
    Entry("View/Size/As the screen wants it", lambda d: d.zoom(0), "Ctrl+0", on=lambda v: _scale(v) is None),
    Entry("View/Size/Larger", lambda d: d.zoom(1), "Ctrl +"),
    Entry("View/Size/Smaller", lambda d: d.zoom(-1), "Ctrl -"),
    Entry("View/Full screen", lambda d: d.full_screen(), "F11"),
    *map(_cells, VERBS),
    Entry("Tools/Find fibres ...", _find_fibres, possible=_connected),
    Entry("Help/Keys", lambda d: d.show_keys(), "F1"),
    Entry("Help/Tour", lambda d: d.show_tour()),
    Entry("Help/About", lambda d: d.show_about()),
)
