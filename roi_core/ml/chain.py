"""What both faces share: frames as stages want them, settings by names of parameters, and the stages."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.cnmf.online import OnlineCNMF
from roi_core.doubts import Judge
from roi_core.errors import SettingsError
from roi_core.gray import to_uint16_gray
from roi_core.motion import Motion
from roi_core.prepare import Prepare
from roi_core.settings import Settings, describe

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from numpy.typing import NDArray

    from roi_core.frame import Activity, Settled

__all__ = [
    "PARAMETERS",
    "Chain",
    "Picture",
    "arranged",
    "begun",
    "fixed",
    "movie",
    "picture",
    "prepare",
    "settings_of",
    "told",
    "unit_of",
]

Picture = Any
"""An (h, w) array of uint16 or float32."""

PARAMETERS: Final = {
    "cell_radius": "cnmf.cell_radius",
    "preset": "cnmf.preset",
    "min_snr": "cnmf.min_snr",
    "max_cells": "cnmf.max_cells",
    "decay": "cnmf.decay",
    "motion": "motion.enabled",
    "max_shift": "motion.max_shift",
    "bin": "prepare.bin",
    "crop": "prepare.crop",
}
"""The parameter of a face -> the setting it stands for."""
PLAIN: Final = 16.0, 2.0**24
"""Between these the bright pixels of a first frame with light make a movie that is taken as it is."""
COUNTS: Final = 12
"""The power of two to which those of any other movie are brought."""
BRIGHT, BROKEN = 99.9, 16.0
"""Percent of the pixels that are at most as far from 0 as the bright ones; how many times farther a pixel of
the first frame with light is broken."""
TRACES: Final = ("raw", "calcium", "spikes")
AXES: Final = ("frame", "height", "width")
"""What xarray calls the axes of a movie."""
SYNONYMS: Final = {"frames": "frame", "time": "frame", "t": "frame", "y": "height", "x": "width"}
PICTURES: Final = {("height", "width"), ("height", "width", "")}
MOVIES: Final = {AXES, (*AXES, "")}
TABLES: Final = {AXES, AXES[1:], ("frame", "")}
"""Axes in their order, for frames, movies and what an estimator takes; the unnamed are colours or pixels."""


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return the settings that parameters ask for; ``settings`` among them are path=value words.

    Raises
    ------
    SettingsError
        When a value cannot be; it is a ValueError and names the setting, the value and the rule.
    """
    rate = parameters.get("rate", 1.0)
    if not (isinstance(rate, int | float | np.number) and 0 < rate < math.inf):
        raise SettingsError("rate", rate, "frames per second must be a number greater than 0")
    settings = Settings().with_value("cnmf.enabled", True)
    for name, path in PARAMETERS.items():
        if name in parameters and parameters[name] != settings.get(path):
            value = parameters[name]
            settings = settings.with_value(path, value.item() if isinstance(value, np.generic) else value)
    words = parameters.get("settings", ())
    return settings.with_texts(*(words.split() if isinstance(words, str) else words))


def fixed(settings: Settings) -> dict[str, Any]:
    """Return the settings that cannot change while frames flow."""
    return {setting.path: setting.value for setting in describe(settings) if not setting.live}


def arranged(frames: Any, allowed: Container[tuple[str, ...]] = TABLES) -> Any:
    """Return an array of xarray with axes frame, height, width as numpy's in this order; others as is.

    By other names of the same axes an array is only taken in this order, and by no names (``dim_0`` ...).

    Raises
    ------
    ValueError
        When its axes have names that are not `allowed`: it would be read along the wrong one.
    """
    axes = getattr(frames, "dims", None)
    if not isinstance(axes, tuple) or not hasattr(frames, "values"):
        return frames
    for order in (AXES, AXES[1:]):
        if set(axes) == set(order):
            frames, axes = frames.transpose(*order), order
    if axes != tuple(f"dim_{k}" for k in range(len(axes))) and meant(axes) not in allowed:
        raise ValueError(
            f"the axes are named ({', '.join(map(str, axes))}); (frame, height, width) in this order is "
            "needed, where frame may be frames, time or t, height y and width x: rename them, then "
            '.transpose("frame", "height", "width")'
        )
    return np.asarray(frames.values)


def meant(axes: tuple[Any, ...]) -> tuple[str, ...]:
    """Return which of `AXES` is meant by each name; '' is none of them."""
    names = [str(axis).lower() for axis in axes]
    names = [SYNONYMS.get(name, name) for name in names]
    return tuple(name if name in AXES else "" for name in names)


def movie(frames: Any) -> Any:
    """Return an array whose first axis are frames."""
    array = arranged(frames, MOVIES)
    if np.ndim(array) not in (3, 4):
        raise ValueError(f"frames have shape {np.shape(array)}; (frames, height, width) is needed")
    return array


def picture(frame: Any) -> Picture:
    """Return a frame as an (h, w) picture of uint16 or float32, as stages read it; it may be `frame` itself.

    8-bit and colour frames become 16-bit gray as in a session, what is not a number becomes 0, and every
    other number stays what it is.

    Raises
    ------
    ValueError
        When it is no picture.
    """
    array = np.asarray(arranged(frame, PICTURES))
    if array.ndim == 3 or array.dtype in (np.bool_, np.uint8):
        return to_uint16_gray(array)
    if array.ndim != 2 or array.dtype.kind not in "uif":
        raise ValueError(
            f"a frame is {array.dtype} of shape {array.shape}; "
            "(height, width) integers or floats, or colour as OpenCV gives it, is needed"
        )
    if array.dtype == np.uint16:
        return np.ascontiguousarray(array)
    array = np.ascontiguousarray(array, np.float32)
    return array if np.isfinite(array.sum()) else np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)


def prepare(stage: Prepare, frame: Picture, settings: Settings, learn: bool = True) -> NDArray[np.float32]:
    """Return the picture to analyse; unless the stage may learn, what it knows of the sensor stays."""
    if not learn and (settings.prepare.dead_pixels or settings.prepare.line_noise):
        stage = deepcopy(stage)
    return stage.step(frame, settings.prepare, settings.cnmf)


def unit_of(image: Picture) -> float:
    """Return the power of two by which pictures of fractions become numbers as a camera gives them.

    The cell finder holds numbers against small constants: in a movie divided by 2^16 it found 39 cells and
    not 44, divided by 2^24 half. Multiplied by a power of two and back, every number keeps all its digits.
    It is 0 when the picture is without light, and tells nothing.
    """
    top = _bright(image)
    if top == 0 or PLAIN[0] <= top <= PLAIN[1]:
        return float(top > 0)
    return float(2.0 ** round(COUNTS - np.log2(top)))


def begun(image: Picture) -> Picture:
    """Return the first picture with light as one that a mean can begin with: floats have no highest value.

    A pixel of 1e6 among such of 0.01 outweighs all that comes after it for hours.
    """
    if image.dtype == np.uint16:
        return image
    most = BROKEN * _bright(image)
    return np.clip(image, -most, most)


def _bright(image: Picture) -> float:
    """Return how far from 0 the bright pixels are; 0 without light."""
    return float(np.percentile(np.abs(image), BRIGHT, method="lower"))


def told(activity: Activity, unit: float) -> Activity:
    """Return an activity in the unit of the frames, not of the cell finder."""
    if unit == 1:
        return activity
    past = tuple(replace(past, **_divided(past, TRACES, unit)) for past in activity.backfill)
    names = (*TRACES, "settled_calcium", "settled_spikes")
    return replace(activity, backfill=past, **_divided(activity, names, unit))


def _divided(holder: object, names: tuple[str, ...], unit: float) -> dict[str, Any]:
    return {name: getattr(holder, name) / np.float32(unit) for name in names}


class Chain:
    """prepare -> motion -> cnmf for frames (h, w), everything on the caller's thread."""

    def __init__(self, shape: tuple[int, int], rate: float, settings: Settings) -> None:
        self.shape, self.rate, self.settings, self.rows = shape, rate, settings, 0
        self._unit = 0.0
        self._judge, self._moves = Judge(rate), False
        self.prepare = Prepare(shape, settings.prepare, settings.cnmf)
        self.motion = Motion(self.prepare.shape, rate, self.prepare.bin)
        self.cells = OnlineCNMF(
            self.prepare.shape, rate, settings,
            camera_shape=shape, origin=self.prepare.origin, bin=self.prepare.bin,
        )  # fmt: skip

    @property
    def unit(self) -> float:
        """By what the frames are multiplied for the cell finder; 1 before there was light."""
        return self._unit or 1.0

    def step(self, frame: Picture) -> tuple[tuple[float, float], Activity]:
        """Learn a frame; return its shift (dy, dx) in px of the frame, and what the cells did."""
        if not self._unit and (unit := unit_of(frame)):
            self._unit, frame = unit, begun(frame)
        shift, flag = self._register(frame, learn=True)
        self.cells.doubt = self._judge.step(frame, flag, stopped=self._moves)
        self._moves |= flag is not None
        activity = self.cells.step(self.rows, self.settings)
        self.rows += 1
        return shift, told(activity, self.unit)

    def finish(self) -> Settled | None:
        """Return the refined values of the last rows; more may follow."""
        last = self.cells.finish()
        return last and replace(last, **_divided(last, ("calcium", "spikes"), self.unit))

    def look(self, frame: Picture) -> NDArray[np.float32]:
        """Return the raw traces (N,) of the living components in a frame; learn nothing."""
        self._register(frame, learn=False)
        return self.cells.look() / np.float32(self.unit)

    def _register(self, frame: Picture, learn: bool) -> tuple[tuple[float, float], str | None]:
        """Leave the moved picture in the input of the cells, in a unit that suits them.

        Return by how many px of the frame it was moved, and what flag that got; none when nothing moves it.
        """
        s, cells, px = self.settings, self.cells, self.prepare.bin
        prepared = prepare(self.prepare, frame, s, learn)
        if not s.motion.enabled:
            np.multiply(prepared, np.float32(self.unit), out=cells.input)
            cells.shift = 0.0, 0.0
            return cells.shift, None
        move = self.motion.step if learn else self.motion.look
        shift = move(prepared, s.motion, cells.input)
        cells.input *= np.float32(self.unit)
        cells.shift = shift.dy, shift.dx
        return (shift.dy * px, shift.dx * px), shift.flag
