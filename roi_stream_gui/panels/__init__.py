"""The parts of the window. A word -> the class that draws it; the order is the order of the tabs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roi_stream_gui.panels.base import Panel

__all__ = ["PANELS", "panel_class"]

PANELS: dict[str, str] = {
    "menu": "roi_stream_gui.panels.menu:Menu",
    "session": "roi_stream_gui.panels.session:SessionBar",
    "chips": "roi_stream_gui.panels.chips:Chips",
    "tools": "roi_stream_gui.panels.tools:Tools",
    "preview": "roi_stream_gui.panels.preview:Preview",
    "regions": "roi_stream_gui.panels.regions:Regions",
    "celltable": "roi_stream_gui.panels.celltable:CellTable",
    "card": "roi_stream_gui.panels.card:SessionCard",
    "parameters": "roi_stream_gui.panels.parameters:Parameters",
    "transport": "roi_stream_gui.panels.transport:TransportBar",
    "traces": "roi_stream_gui.panels.traces:Traces",
    "quality": "roi_stream_gui.panels.quality:Quality",
    "review": "roi_stream_gui.panels.review:ReviewPanel",
    "messages": "roi_stream_gui.panels.messages:Messages",
    "export": "roi_stream_gui.panels.export:ExportWindow",
    "library": "roi_stream_gui.panels.library:LibraryWindow",
    "recovery": "roi_stream_gui.panels.recovery:RecoveryNotice",
}


def panel_class(word: str) -> type[Panel]:
    """Return the class of a panel."""
    module, _, name = PANELS[word].partition(":")
    found: type[Panel] = getattr(importlib.import_module(module), name)
    return found
