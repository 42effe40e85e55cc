"""Every number a user can turn, in one frozen tree; and the one object that swaps it while frames flow."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from roi_core.errors import SettingsError
from roi_core.form import Edit, Form, Live, Setting, describe
from roi_core.settings.camera import Camera
from roi_core.settings.channels import Channels
from roi_core.settings.display import Display
from roi_core.settings.quality import Quality
from roi_core.settings.recorder import Recorder
from roi_core.settings.stages import Cnmf, Motion, Prepare, Roi

__all__ = [
    "Camera",
    "Channels",
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
    channels: Channels = Channels()
    prepare: Prepare = Prepare()
    motion: Motion = Motion()
    roi: Roi = Roi()
    cnmf: Cnmf = Cnmf()
    recorder: Recorder = Recorder()
    quality: Quality = Quality()
    display: Display = Display()

    @model_validator(mode="after")
    def _cells_have_one_channel(self) -> Self:
        if self.cnmf.enabled and self.channels.order:
            why = (
                "cells cannot be looked for in interleaved channels: their rows would not be consecutive; "
                "draw regions, or leave channels.order empty"
            )
            raise SettingsError("cnmf.enabled", True, why)
        return self


class LiveSettings(Live[Settings]):
    """The settings in force, swapped whole; see `Live`."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings or Settings())
