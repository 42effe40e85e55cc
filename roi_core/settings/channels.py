"""Settings of light that changes from frame to frame, and of pictures beside each other on one chip."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, Self

from pydantic import field_validator, model_validator

from roi_core.form import Block, field

__all__ = ["LEARN", "Channels"]

LEARN: Final = 10
"""Frames of each channel from which its brightness is learned; a slip is told no later than that."""
MOST = 8
HALVES = {"none": (), "left-right": ("left", "right"), "top-bottom": ("top", "bottom")}


class Channels(Block):
    """Interleaved light, such as 470 and 415 nm in turn, and two colours side by side on one chip."""

    order: str = field(
        "",
        "Channels in the order in which frames show them, such as 470,415; empty is one channel. The frame "
        "that the camera counts as 0 shows the first.",
        live=False,
    )
    reference: str = field(
        "",
        "The channel, or half, that shows no activity (isosbestic). The first other one is the main channel: "
        "it alone is used for motion correction and maps.",
        live=False,
    )
    brightest: str = field(
        "",
        "The brightest channel, if known: then an order that is wrong from the start is noticed, too.",
        live=False,
    )
    check: bool = field(True, "Compare brightness with the order, and tell when they disagree.")
    follow: bool = field(True, "Correct the order when brightness shows that it has slipped.")
    shown: str = field("", "The channel in the window; empty is the main one.")
    split: Literal["none", "left-right", "top-bottom"] = field(
        "none", "Two colours on one chip: which halves of the picture show the same."
    )
    offset: str = field(
        "", "How far the second half lies from the first, as dx,dy in px; empty is half the picture."
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The interleaved channels in their order; none when there is one only."""
        return tuple(name.strip() for name in self.order.split(",")) if self.order else ()

    @property
    def halves(self) -> tuple[str, ...]:
        """The names of the first and the second half; none when the picture is not split."""
        return HALVES[self.split]

    @property
    def main(self) -> int:
        """The number of the channel that motion correction and maps look at."""
        others = (k for k, name in enumerate(self.names) if name != self.reference)
        return next(others, 0)

    @property
    def memory(self) -> int:
        """Frames after which no slip of the light is told of a frame any more."""
        return LEARN * len(self.names) if self.check else 0

    def shift(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Return (dx, dy) px from the first half of a picture (H, W) to the second."""
        if self.offset:
            dx, dy = (float(part) for part in self.offset.split(","))
            return dx, dy
        return (shape[1] / 2, 0.0) if self.split == "left-right" else (0.0, shape[0] / 2)

    @field_validator("order", "reference", "brightest", "shown", mode="before")
    @classmethod
    def _wavelength_is_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("order")
    @classmethod
    def _order_is_possible(cls, text: str) -> str:
        names = [name.strip() for name in text.split(",")]
        if text and not all(re.fullmatch(r"[\w.+-]{1,16}", name, re.ASCII) for name in names):
            raise ValueError("write names of up to 16 letters or digits with commas, such as 470,415")
        if text and not (2 <= len(names) <= MOST and len(set(names)) == len(names)):
            raise ValueError(f"2 to {MOST} different channels are needed; empty is one channel")
        return ",".join(names)

    @field_validator("offset")
    @classmethod
    def _offset_is_possible(cls, text: str) -> str:
        number = r"-?\d{1,5}(\.\d{1,3})?"
        if text and re.fullmatch(rf"{number},{number}", text, re.ASCII) is None:
            raise ValueError("write it as dx,dy in px, such as 640,0")
        return text

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known = ", ".join((*self.names, *self.halves)) or "none"
        if self.reference and self.reference not in (*self.names, *self.halves):
            raise ValueError(f"reference must be one of the channels; there are {known}")
        for what in ("brightest", "shown"):
            if getattr(self, what) and getattr(self, what) not in self.names:
                raise ValueError(f"{what} must be one of order; there are {', '.join(self.names) or 'none'}")
        return self
