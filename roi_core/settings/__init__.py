"""Every number a user can turn, in one frozen tree; and the one object that swaps it while frames flow."""

from __future__ import annotations

from typing import ClassVar

from roi_core.form import Edit, Form, Live, Setting, describe
from roi_core.settings.camera import Camera
from roi_core.settings.display import Display
from roi_core.settings.quality import Quality
from roi_core.settings.recorder import Recorder
from roi_core.settings.stages import Cnmf, Motion, Prepare, Roi

__all__ = [
    "Camera",
    "Cnmf",
    "Display",
    "Edit",
    "LiveSettings",
    "Motion",
    "Prepare",
    "Quality",
    "Recorder",
    "Roi",
    "Setting",
    "Settings",
    "describe",
]


class Settings(Form):
    """All settings. Immutable: `with_value` gives a new, re-validated tree."""

    what: ClassVar[str] = "settings"
    example: ClassVar[str] = "camera.rate=20"

    camera: Camera = Camera()
    prepare: Prepare = Prepare()
    motion: Motion = Motion()
    roi: Roi = Roi()
    cnmf: Cnmf = Cnmf()
    recorder: Recorder = Recorder()
    quality: Quality = Quality()
    display: Display = Display()


class LiveSettings(Live[Settings]):
    """The settings in force, swapped whole; see `Live`."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings or Settings())
