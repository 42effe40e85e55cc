"""A field to search a list with, the same for every list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from roi_stream_gui import words
from roi_stream_gui.panels.base import then, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.panels.base import Desk

__all__ = ["search_field"]


def search_field(
    desk: Desk, name: str, hint: str, width: int, wanted: Callable[[str], object], tip: str
) -> int:
    """Add a field that passes on what is typed, letter by letter; return it.

    Its tooltip keeps away while one types: it would lie over what is found.
    """
    field: int = dpg.add_input_text(hint=hint, width=width, callback=value(wanted))
    desk.named(name, field)
    with dpg.tooltip(field, delay=0.5, hide_on_activity=True) as shown:
        dpg.add_text(words.TIPS[tip], wrap=340)
    desk.named(f"{name}.tip", shown)
    with dpg.item_handler_registry() as registry:
        dpg.add_item_activated_handler(callback=then(lambda: dpg.configure_item(shown, show=False)))
        dpg.add_item_deactivated_handler(callback=then(lambda: dpg.configure_item(shown, show=True)))
    dpg.bind_item_handler_registry(field, registry)
    return field
