"""Regions and settings to files and back; how it went is told in a sentence. Knows no toolkit."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core.errors import RoiError
from roi_core.imports import load_rois, recognise
from roi_core.paths import expanded
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from roi_core.rois import RoiSet
    from roi_core.settings import Settings

__all__ = ["Loading", "named", "read_rois", "said", "save_rois", "save_settings"]

log = logging.getLogger(__name__)


def named(typed: str, like: str) -> str:
    """Return a path as it was typed for a file to be written; one without an ending gets that of `like`."""
    ending = Path(like).suffix
    return typed if Path(typed).suffix or typed.endswith(("/", os.sep)) else f"{typed}{ending}"


def save_settings(settings: Settings, path: str | Path) -> None:
    """Write all settings as YAML."""
    try:
        _with_folder(path).write_text(settings.to_yaml(), encoding="utf-8")
    except OSError as error:
        log.error("settings not saved: %s", said(error))
    else:
        log.info("settings saved to %s", path)


def save_rois(rois: RoiSet, path: str | Path, size: tuple[int, int]) -> None:
    """Write the regions of frames of `size` (W, H) to a file; its ending chooses the format."""
    try:
        rois.save(_with_folder(path), size)
    except (RoiError, OSError) as error:
        log.error("regions not saved: %s", said(error))
    else:
        log.info("%s saved to %s", words.counted(len(rois), "region"), path)


def read_rois(path: str | Path, size: tuple[int, int] | None) -> RoiSet | None:
    """Read a file for frames of `size` (W, H); why it cannot be used is told."""
    try:
        loaded = load_rois(path, size)
    except (RoiError, OSError) as error:
        log.error("regions not loaded: %s", said(error))
        return None
    for note in loaded.notes:
        log.warning("%s", note)
    log.info("%s loaded from %s", words.counted(len(loaded.rois), "region"), path)
    return loaded.rois


class Loading:
    """Regions from a file at once, from another program's result on a helper: that may be large."""

    def __init__(self, take: Callable[[RoiSet], object]) -> None:
        self._take = take
        self._work: Future[RoiSet | None] | None = None

    def start(
        self,
        path: str | Path,
        size: tuple[int, int] | None,
        submit: Callable[..., Future[RoiSet | None]],
    ) -> None:
        """Read regions for frames of `size` (W, H) and hand them on when they are there."""
        if not recognise(expanded(path)):
            self._hand_on(read_rois(path, size))
        elif self._work is None:
            self._work = submit(read_rois, path, size)

    def tick(self) -> None:
        """Hand on what the helper has read."""
        if self._work is not None and self._work.done():
            work, self._work = self._work, None
            if not work.cancelled():
                self._hand_on(work.result())

    def _hand_on(self, rois: RoiSet | None) -> None:
        if rois is not None:
            self._take(rois)


def said(error: Exception) -> str:
    """Return an error as what a user is told."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _with_folder(path: str | Path) -> Path:
    """Return the path of a file to be written; its folder is made."""
    path = expanded(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
