"""What this program is and what it is made of, to be copied into a report."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_core import __version__
from roi_stream_gui import words
from roi_stream_gui.panels.base import then
from roi_stream_gui.shipped import licence

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Desk

__all__ = ["About", "facts"]

WIDTH, NAME = 520, 104
"""Of the window and of its first column, px at 100 %."""


class About:
    """Versions, licence, and a button that copies them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        with dpg.window(
            label=f"About {words.TITLE}", show=False, width=WIDTH, no_collapse=True, no_resize=True,
            autosize=True, no_saved_settings=True,
        ) as self._window:  # fmt: skip
            dpg.add_text(words.ABOUT, wrap=WIDTH - 20)
            dpg.add_spacer(height=4)
            with dpg.table(
                header_row=False, policy=dpg.mvTable_SizingFixedFit, width=WIDTH - 16
            ) as table:  # fmt: skip
                dpg.add_table_column(width_fixed=True, init_width_or_weight=NAME)
                dpg.add_table_column(width_stretch=True)
                for name, text in facts():
                    with dpg.table_row():
                        desk.text(name, "dim")
                        dpg.add_text(text)
            dpg.bind_item_theme(table, desk.theme.dense)
            dpg.add_spacer(height=4)
            with dpg.group(horizontal=True):
                copy = dpg.add_button(label="Copy", width=90, callback=then(_copy))
                desk.tip(desk.named("about.copy", copy), "about.copy")
                close = dpg.add_button(label="Close", width=90, callback=then(self.toggle))
                desk.named("about.close", close)
        dpg.bind_item_theme(self._window, desk.theme.sheet)
        desk.sheets.append(desk.named("about", self._window))

    def toggle(self) -> None:
        """Show it, or put it away."""
        shown = dpg.is_item_shown(self._window)
        dpg.configure_item(self._window, show=not shown, pos=self._desk.middle(WIDTH, 400))


def facts() -> list[tuple[str, str]]:
    """Return what a report of a fault should name."""
    import cv2
    import h5py
    import numba
    import numpy as np

    return [
        (words.TITLE, __version__),
        ("Licence", licence()),
        ("Python", platform.python_version()),
        ("Dear PyGui", str(dpg.get_dearpygui_version())),
        ("numpy", np.__version__),
        ("numba", numba.__version__),
        ("OpenCV", cv2.__version__),
        ("h5py / HDF5", f"{h5py.version.version} / {h5py.version.hdf5_version}"),
        ("System", f"{platform.platform(terse=True)}, {platform.machine()}"),
        ("Cores", str(os.cpu_count())),
    ]


def _copy() -> None:
    dpg.set_clipboard_text("\n".join(f"{name}: {text}" for name, text in facts()))
