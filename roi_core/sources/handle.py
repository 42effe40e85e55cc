"""What a maker's driver must be able to do: a camera that is open, and a picture it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from roi_core.sources.knobs import Knob

__all__ = ["UNREADABLE", "Device", "Shot", "buffers", "reason"]

UNREADABLE = "gives pixels that cannot be read ({}); ask for others with camera.pixel_format, such as 8 or 16"
BUFFERS, BUFFER_BYTES = (8, 64), 2**28
"""Fewest and most frames a driver is asked to keep, and the bytes they may take in between."""


class Shot(NamedTuple):
    """A picture, (H, W) or (H, W, 3|4) BGR; the driver's number of it, and its time there in s, if any.

    The pixels are the taker's: the driver has got its buffer back.
    """

    image: NDArray[Any]
    number: int | None = None
    stamp: float | None = None


class Device(Protocol):
    """An opened camera."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises."""
        ...

    @property
    def wrap(self) -> int:
        """After how many frames its numbers begin anew, 0 for never; see `HardwareCounter`."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in force, px."""
        ...

    @property
    def rate(self) -> float | None:
        """Frames per second in force; None when the driver does not tell."""
        ...

    @property
    def full(self) -> int:
        """The largest value of a 16-bit pixel; 0 when that is not known."""
        ...

    def knobs(self) -> Mapping[str, Knob]:
        """Return what can be adjusted, by the names of `wishes`."""
        ...

    def start(self) -> None:
        """Begin to take pictures into the driver's buffers."""
        ...

    def grab(self) -> Shot | None:
        """Return the next picture when there is one; never wait.

        Raise `SourceLost` when the camera is gone, `SourceError` when its pixels cannot be read.
        """
        ...

    def stop(self) -> None:
        """Take no further pictures; those in the buffers are dropped."""
        ...

    def close(self) -> None:
        """Let go of the camera; called once."""
        ...


def buffers(frame_bytes: int) -> int:
    """Return how many frames a driver is asked to keep for a consumer that is late."""
    return max(BUFFERS[0], min(BUFFERS[1], BUFFER_BYTES // max(frame_bytes, 1)))


def reason(error: BaseException) -> str:
    """Return a driver's words on one line, without the place in its sources."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words.partition(" : ")[0].removeprefix("GenTL exception: ")
