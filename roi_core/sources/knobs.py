"""What can be adjusted at a camera, and the sentence for what it does not do as asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from roi_core.sources.base import asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_core.settings import Camera

__all__ = ["LIVE", "WHOLE", "Knob", "Readout", "Region", "readout", "turn", "wishes"]

LIVE = ("exposure", "gain")
"""Settings that are followed while frames flow."""
CLOSE = 0.01
"""Part of a number by which a camera may round it without a word."""


class Region(NamedTuple):
    """Part of the sensor that is read out, px; without a corner it is in the middle."""

    x: int | None
    y: int | None
    width: int
    height: int

    def __str__(self) -> str:
        if self == WHOLE:
            return "whole"
        corner = "" if self.x is None else f" at {self.x},{self.y}"
        return f"{self.width}x{self.height}{corner}"

    def agrees(self, given: Region) -> bool:
        """Tell whether what was given is what was asked for here."""
        return self == WHOLE or (given[2:] == self[2:] and (self.x is None or given[:2] == self[:2]))


WHOLE = Region(0, 0, 0, 0)
"""The whole sensor, however large that is."""


class Readout(NamedTuple):
    """Part of the sensor that the frames show, in their px, of which each is `binning` px of it wide."""

    x: int
    y: int
    width: int
    height: int
    binning: int = 1


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing a camera lets be adjusted: read and write in the unit of the setting, and what it allows."""

    read: Callable[[], Any]
    write: Callable[[Any], None]
    offer: Callable[[], str]
    unit: str = ""


def wishes(camera: Camera) -> dict[str, Any]:
    """Return what the settings ask of a camera, by the name of the setting, in the order to ask for it."""
    size = asked(camera.format)
    region: Region | None = None
    if camera.crop:
        region = WHOLE if camera.crop == "whole" else Region(*map(int, camera.crop.split(",")))
    elif size:
        region = Region(None, None, size.width, size.height)
    wanted = {
        "trigger": None if camera.trigger == "keep" else camera.trigger,
        "binning": camera.binning,
        "pixel_format": camera.pixel_format or None,
        "crop" if camera.crop else "format": region,
        "exposure": camera.exposure,
        "gain": camera.gain,
        "rate": size.rate if size else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def readout(knobs: Mapping[str, Knob], errors: tuple[type[Exception], ...]) -> Readout | None:
    """Return the part of the sensor that is read out; None where the driver does not tell."""
    if "crop" not in knobs:
        return None
    try:
        region: Region = knobs["crop"].read()
        joined = re.match(r"\d+", str(knobs["binning"].read())) if "binning" in knobs else None
    except errors:
        return None
    corner, size = (region.x or 0, region.y or 0), (region.width, region.height)
    return Readout(*corner, *size, binning=int(joined[0]) if joined else 1)


def turn(setting: str, knob: Knob | None, wish: Any, errors: tuple[type[Exception], ...]) -> str:
    """Ask for a value; return what to tell when the camera does something else, else nothing."""
    asked_for = f"{'a rate of' if setting == 'rate' else f'camera.{setting}'} {_shown(wish)}"
    if knob is None:
        free = setting == "trigger" and wish == "free"
        return "" if free else f"ignored {asked_for}: its driver offers nothing of the kind"
    refused = False
    refusals: tuple[type[Exception], ...] = (*errors, ValueError)
    try:
        knob.write(wish)
    except refusals:
        refused = True
    try:
        given = knob.read()
        now = f"{_shown(given)} {knob.unit}".rstrip()
        if refused:
            return (
                f"refused {asked_for}: it allows {knob.offer()} {knob.unit}".rstrip() + f"; it stays at {now}"
            )
    except errors:
        return f"{'refused' if refused else 'took'} {asked_for}, and does not tell what it is now"
    return "" if _same(wish, given) else f"was asked for {asked_for} and took {now}"


def _same(wish: Any, given: Any) -> bool:
    if isinstance(wish, Region):
        return wish.agrees(given)
    if isinstance(given, str) or isinstance(wish, str):
        return str(wish).lower() in str(given).lower()
    return bool(abs(given - wish) <= CLOSE * max(abs(wish), 1e-3))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
