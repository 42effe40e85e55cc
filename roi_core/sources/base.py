"""The door for cameras: what a source is, and the clock that paces or counts its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_core.frame import Counter, Frame

__all__ = ["Source"]


class Source(Protocol):
    """Where frames come from.

    ``shape`` is (height, width) in px, ``rate`` in Hz as asked or as the file says, ``live`` is true when
    frames are lost unless taken in time, ``counter`` tells how losses are known. Construction opens the
    device and refuses with a `SourceError`, before any frame.
    """

    name: str
    shape: tuple[int, int]
    rate: float
    live: bool
    counter: Counter

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the source ends; raise `SourceLost` when it is gone for good."""
        ...

    def close(self) -> None:
        """Let go of the device, from any thread, any number of times; `frames` then ends."""
        ...
