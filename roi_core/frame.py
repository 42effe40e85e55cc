"""What flows: a frame from the camera, what was measured on it, and the words said at start and end.

A recording is one `Header`, then one `Sample` per frame, then one `Summary`. Everything here is immutable;
arrays inside are shared, not copied, and their lifetime is stated where it is short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roi_core.rois import RoiSet
    from roi_core.settings import Settings

__all__ = ["Counter", "Event", "FinishReason", "Frame", "Header", "Sample", "Summary"]

Counter = Literal["camera", "time", "file", "unknown"]
"""How the losses of a source are known: its own count, gaps in time, a complete file, or not at all."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture as the source gave it.

    ``image`` is (H, W) or (H, W, 3|4) in the camera's own dtype, colour in OpenCV's BGR order, and is only
    valid until the next frame is taken. ``index`` is the camera's own count: a step greater than one is a
    loss. ``time`` is in seconds on the source's monotonic clock (live) or in file time.
    """

    image: NDArray[Any]
    index: int
    time: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in the recording; ``frame`` is the camera's count, -1 before the first."""

    time: float
    frame: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    def json(self) -> str:
        """Return the event's own fields as one line of JSON."""
        return json.dumps(self.data)


@dataclass(frozen=True, slots=True)
class Header:
    """Known before the first sample of a recording."""

    source: str
    shape: tuple[int, int]
    rate: float
    counter: Counter
    settings: Settings
    rois: RoiSet


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything measured on one frame.

    ``time`` is in seconds since the first frame of the session; ``image`` (H, W) uint16 is a slot of the
    frame ring and is overwritten after ring-depth further frames; ``means`` and ``dff`` are (K,) float32 in
    the order of ``ids``; ``events`` are those this frame is the first to see.
    """

    row: int
    index: int
    time: float
    image: NDArray[np.uint16]
    rois: RoiSet
    ids: tuple[int, ...]
    means: NDArray[np.float32]
    dff: NDArray[np.float32] | None
    events: tuple[Event, ...] = ()
    lost: int | None = 0
    """Frames lost just before this one; None when it cannot be known."""
    settings: Settings | None = None
    """The settings in force at this frame."""


class FinishReason(StrEnum):
    """Why a session or a recording ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Summary:
    """Known after the last sample: why it ended, a sentence if there is something to explain, last events."""

    reason: FinishReason
    detail: str = ""
    events: tuple[Event, ...] = ()
