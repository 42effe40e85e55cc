"""Sets of parameters under a name: three that are built in, and YAML files in the user's folder.

A file holds only what is to be changed; what it does not name stays as it is. Knows no toolkit.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roi_core.errors import RoiError
from roi_core.settings import Edit, Settings, describe
from roi_stream_gui import words
from roi_stream_gui.home import kept_names, write_whole
from roi_stream_gui.trial import WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BUILT_IN", "Presets", "difference"]

log = logging.getLogger(__name__)

OWN: Final = ("prepare.crop", "cnmf.cell_radius")
"""What belongs to the preparation and the optics: a built-in preset leaves it alone."""
FINDING: Final = {"motion.enabled": True, "cnmf.enabled": True}
BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = {
    "2p": {**FINDING, "cnmf.preset": "2p"},
    "1p": {**FINDING, "cnmf.preset": "1p"},
    "photometry": {"cnmf.enabled": True, "cnmf.preset": "photometry", "roi.dff": True},
}
"""What differs from the defaults."""
REFUSED: Final = frozenset('/\\:*?"<>|')
LONGEST: Final = 60


class Presets:
    """The presets there are; what cannot be done is told in a sentence."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where the files are."""
        base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        return self._folder or Path(base) / "roi_stream" / "presets"

    def names(self) -> tuple[str, ...]:
        """Return the built-in ones, then the user's in order."""
        return (*BUILT_IN, *(name for name in kept_names(self.folder) if name not in BUILT_IN))

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the values of a preset by their paths; None when it cannot be read."""
        if name in BUILT_IN:
            settings = Settings().with_values(BUILT_IN[name])
            known = (setting for block in WAITING for setting in describe(settings, block))
            return {setting.path: setting.value for setting in known if setting.path not in OWN}
        try:
            settings = Settings.load(self._path(name))
        except RoiError as error:
            log.warning("%s", words.PRESET_BROKEN.format(name, error))
            return None
        named = {
            block: getattr(settings, block).model_fields_set for block in sorted(settings.model_fields_set)
        }
        return {f"{b}.{field}": settings.get(f"{b}.{field}") for b in named for field in sorted(named[b])}

    def save(self, name: str, settings: Settings) -> bool:
        """Write what is measured, and how, under a name; an older one of the user's is replaced."""
        name = name.strip()
        if not name or name.startswith(".") or len(name) > LONGEST or REFUSED & set(name):
            log.warning("%s", words.PRESET_NAME.format(name))
        elif name in BUILT_IN:
            log.warning("%s", words.PRESET_BUILT_IN.format(name))
        else:
            return self._write(name, settings)
        return False

    def delete(self, name: str) -> bool:
        """Delete a preset of the user's."""
        if name in BUILT_IN:
            log.warning("%s", words.PRESET_BUILT_IN.format(name))
            return False
        try:
            self._path(name).unlink()
        except OSError as error:
            log.error("preset %r not deleted: %s", name, error.strerror)
            return False
        log.info("preset %r deleted", name)
        return True

    def _write(self, name: str, settings: Settings) -> bool:
        path = self._path(name)
        try:
            write_whole(path, settings.to_yaml(*WAITING))
        except OSError as error:
            log.error("preset %r not saved: %s", name, error.strerror)
            return False
        log.info("preset %r saved to %s", name, path)
        return True

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.yaml"


def difference(now: Settings, values: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Return what these values would change."""
    edits = (Edit(path, now.get(path), value) for path, value in values.items())
    return tuple(edit for edit in edits if edit.old != edit.new)
