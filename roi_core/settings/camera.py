"""Settings of the camera."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import field_validator, model_validator

from roi_core.form import Block, field

__all__ = ["Camera"]

SIDES, RATES = (16, 16_384), (0.001, 10_000)
"""What ``camera.format`` may ask for, px and Hz; beyond it a typing error fills the memory."""


class Camera(Block):
    """Where frames come from and how they are asked for."""

    format: str = field(
        "",
        "Size and rate asked of the camera, as WxH@FPS; empty keeps its own.",
        live=False,
    )
    rate: float = field(
        30.0,
        "Frame rate of a source that carries none (TIFF, npy, HDF5).",
        unit="Hz",
        live=False,
        gt=0,
        le=10_000,
    )
    exposure: float | None = field(
        None,
        "Exposure asked of the camera: in ms for pylon, genicam and micromanager, else in its driver's own "
        "unit; empty leaves it alone.",
    )
    gain: float | None = field(
        None,
        "Gain asked of a camera behind a maker's driver, in the driver's own unit (mostly dB); empty leaves "
        "it alone.",
    )
    binning: int | None = field(
        None,
        "Pixels that such a camera joins in each direction before they are read out; empty leaves it alone.",
        unit="px",
        live=False,
        ge=1,
        le=32,
    )
    crop: str = field(
        "",
        "Part of the sensor that such a camera, or the simulated one, reads out: x,y,width,height in px of "
        "its binned pictures, or the word whole; smaller is often faster. Empty takes the size of format, in "
        "the middle. View, Crop the camera draws it (Shift+H). The part that is analysed is prepare.crop.",
        live=False,
    )
    pixel_format: str = field(
        "",
        "Pixels asked of such a camera, as 8, 10, 12 or 16 bits or by its own name, such as Mono12; empty "
        "leaves it alone.",
        live=False,
    )
    trigger: Literal["keep", "free", "external"] = field(
        "keep",
        "Who says when such a camera takes a frame: as it was left, itself, or a signal at its input; "
        "silence of a triggered camera is no stall.",
        live=False,
    )
    counter: Literal["time", "embedded", "none"] = field(
        "time",
        "How lost frames of a live camera are known: from gaps in time; from a 32-bit frame "
        "count embedded in the first four pixels (one byte each, highest first); or not at all. A camera "
        "behind a maker's driver is counted by the driver's own frame number instead of time.",
        live=False,
    )
    timeout: float = field(
        5.0,
        "Silence after which a camera counts as stalled and is reconnected.",
        unit="s",
        ge=0.1,
        le=600,
    )
    retry_for: float = field(
        60.0,
        "How long a lost camera is retried before the session ends; 0 gives up at once.",
        unit="s",
        ge=0,
        le=86_400,
    )
    input_low: float | None = field(
        None,
        "Input value shown as 0, for float or integer cameras; empty follows the image.",
        live=False,
    )
    input_high: float | None = field(
        None,
        "Input value shown as 65535, for float or integer cameras; empty follows the image.",
        live=False,
    )

    @field_validator("format")
    @classmethod
    def _format_is_possible(cls, text: str) -> str:
        found = re.fullmatch(r"(\d{1,9})x(\d{1,9})(?:@(\d{1,9}(?:\.\d{1,9})?))?", text, re.ASCII)
        if text and found is None:
            raise ValueError("write it as WxH@FPS, such as 1280x720@60")
        if found is not None:
            width, height, rate = found.groups(default="1")
            if min(int(width), int(height)) < SIDES[0] or max(int(width), int(height)) > SIDES[1]:
                raise ValueError(f"width and height must be {SIDES[0]} to {SIDES[1]} px")
            if not RATES[0] <= float(rate) <= RATES[1]:
                raise ValueError(f"the rate must be {RATES[0]} to {RATES[1]} Hz")
        return text

    @field_validator("crop")
    @classmethod
    def _crop_is_possible(cls, text: str) -> str:
        part = re.fullmatch(r"\d{1,5},\d{1,5},[1-9]\d{0,4},[1-9]\d{0,4}", text, re.ASCII)
        if text not in ("", "whole") and part is None:
            raise ValueError("write it as x,y,width,height, such as 100,50,512,512, or write whole")
        return text

    @field_validator("pixel_format")
    @classmethod
    def _pixel_format_is_a_word(cls, text: str) -> str:
        if re.fullmatch(r"\w{0,40}", text, re.ASCII) is None:
            raise ValueError("write bits, such as 12, or the driver's own name, such as Mono12")
        return text

    @model_validator(mode="after")
    def _range_is_whole(self) -> Self:
        low, high = self.input_low, self.input_high
        if (low is None) != (high is None):
            raise ValueError("input_low and input_high are given together or not at all")
        if low is not None and high is not None and low >= high:
            raise ValueError("input_low must be less than input_high")
        return self

    @property
    def input_range(self) -> tuple[float, float] | None:
        """(low, high) in camera units, or None to follow MATLAB's rule for each image."""
        if self.input_low is None or self.input_high is None:
            return None
        return self.input_low, self.input_high
