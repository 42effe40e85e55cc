"""Two colours side by side on one chip: the same regions in both halves. Knows no toolkit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roi_core.rois.twins import twins
from roi_stream_gui import words

if TYPE_CHECKING:
    from roi_stream_gui.controller import Controller
    from roi_stream_gui.view import View

__all__ = ["add_twins", "possible"]

log = logging.getLogger(__name__)


def possible(view: View) -> bool:
    """Tell whether the picture is split, and there is a region to give a twin."""
    return bool(view.settings.channels.halves and len(view.rois) and view.snapshot is not None)


def add_twins(do: Controller) -> None:
    """Give a twin in the other half to each selected region without one; to all, when none is selected."""
    light, session = do.settings.current.channels, do.session
    if session is None or not light.halves:
        log.warning(words.NOT_SPLIT)
        return
    shape, chosen = session.frames.shape, do.editor.selection
    every = twins(do.editor.rois, light.shift(shape), light.halves, shape)
    wanted = {f"{roi.name} {half}" for roi in do.editor.selected() for half in light.halves}
    new = [roi for roi in every if not chosen or roi.name in wanted]
    if new:
        do.editor.add(*new, what="twins")
    else:
        do.tell(words.ALL_PAIRED)
