"""What flows: a frame from the camera, what was measured on it, and the words said at start and end.

A recording is one `Header`, then one `Sample` per frame, then one `Summary`. Everything here is immutable;
arrays inside are shared, not copied, and their lifetime is stated where it is short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Literal

from roi_core.card import Card
from roi_core.layout import EVENT_DTYPE, LIVE
from roi_core.ledger import Account, Cause, Fate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from roi_core.rois import Roi, RoiSet
    from roi_core.settings import Settings

__all__ = [
    "Activity",
    "Backfill",
    "Components",
    "Counter",
    "Event",
    "FinishReason",
    "Foresight",
    "Frame",
    "Header",
    "Memo",
    "Order",
    "Sample",
    "Settled",
    "Spot",
    "Status",
    "Summary",
    "Verb",
    "plain",
]

Counter = Literal["camera", "time", "file", "unknown"]
"""How the losses of a source are known: its own count, gaps in time, a complete file, or not at all."""

KIND_LETTERS = EVENT_DTYPE["kind"].itemsize
"""Letters of an event's kind that a recording keeps."""


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
    cause: Cause | None = None
    """Why frames are missing before this one, where the source knows more than that its count says so."""
    wall: datetime | None = None
    """When it was taken by the clock on the wall, where a file tells; None: now."""


def plain(value: Any) -> Any:
    """Return what JSON can hold in place of a numpy number, an array or anything else."""
    tolist = getattr(value, "tolist", None)
    return str(value) if tolist is None else tolist()


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in the recording; ``frame`` is the camera's count, -1 before the first."""

    time: float
    frame: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.kind) > KIND_LETTERS:
            raise ValueError(f"event kind {self.kind!r}: a recording keeps {KIND_LETTERS} letters of it")

    def json(self) -> str:
        """Return the event's own fields as one line of JSON."""
        return json.dumps(self.data, default=plain)

    def line(self) -> bytes:
        """Return the whole event as a line of a journal."""
        line = {"time": round(self.time, 6), "frame": self.frame, "kind": self.kind, "data": self.data}
        return json.dumps(line, default=plain).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Header:
    """Known before the first sample of a recording."""

    source: str
    shape: tuple[int, int]
    rate: float
    counter: Counter
    settings: Settings
    rois: RoiSet
    card: Card = field(default_factory=Card)
    start_is: str = LIVE
    """What its dates are, in the words of `roi_core.layout`."""


class Status(IntEnum):
    """What became of a component."""

    ACCEPTED = 1
    REJECTED = 2
    MERGED = 3
    REMOVED = 4


class Verb(StrEnum):
    """What a user does to components.

    ``ACCEPT`` and ``REJECT`` are verdicts that stay whatever the thresholds say until ``AUTOMATIC`` withdraws
    them. A rejected component keeps its place; one that is removed gives it back to the search for cells.
    ``MERGE`` joins the others to the first, ``SPLIT`` divides one in two along its length, ``FREEZE`` keeps a
    footprint as it is until ``THAW``, ``PROMOTE`` makes a drawn region a component. ``RESTORE`` makes
    components what they were: it takes back any of the others, and itself.
    """

    ACCEPT = "accept"
    REJECT = "reject"
    AUTOMATIC = "automatic"
    REMOVE = "remove"
    MERGE = "merge"
    SPLIT = "split"
    FREEZE = "freeze"
    THAW = "thaw"
    PROMOTE = "promote"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, eq=False)
class Memo:
    """What a component was before row ``row``, for ``RESTORE``; only whoever wrote it knows what it holds.

    One that was no more has a ``fate``: its status and why. Else ``marks`` are columns of its row; without
    a ``box`` (S, S), at ``centre`` (y, x), its footprint is not a part of it and stays what it is by then.
    ``learned`` is what deconvolution knew.
    """

    id: int
    row: int
    fate: tuple[Status, str] | None = None
    marks: dict[str, Any] = field(default_factory=dict)
    box: NDArray[np.float32] | None = None
    centre: tuple[int, int] = (0, 0)
    learned: tuple[NDArray[np.float32], ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A verb and the components, the region or the memos that it is about.

    ``why`` is told of what is removed.
    """

    verb: Verb
    ids: tuple[int, ...] = ()
    roi: Roi | None = None
    why: str = "by hand"
    memos: tuple[Memo, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """A cell that would have been found at (y, x) of the camera, and why it was not.

    ``pixels`` (n,) are those it covers, in C order.
    """

    y: int
    x: int
    reason: str
    pixels: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Foresight:
    """What other settings would lead to: the status of each component and the reason, and new cells.

    ``silent`` says in a sentence why there is no answer; ``unforeseen`` are the settings that differ, too,
    but act on frames to come, so that nobody can foresee what they do.
    """

    components: dict[int, tuple[Status, str]] = field(default_factory=dict)
    found: tuple[Spot, ...] = ()
    silent: str = ""
    unforeseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Components:
    """All components of a moment, immutable; the same object as long as ``version`` is the same.

    Everything is in the order of ``ids`` (N,), which are never used twice. ``born`` are rows of ``/time``,
    ``status`` are `Status` numbers, ``reason`` says in words why a component is not accepted, or that it was
    judged by hand. ``snr``, ``r`` (spatial correlation) and ``size`` (px of the camera) are what quality was
    judged by; ``overlap`` is the cosine of a footprint and that of the neighbour it shares most with, 0 of
    none, NaN of those that are no more. Column k of the footprints is ``data[indptr[k]:indptr[k + 1]]`` at
    the C-order pixels ``indices[...]`` (y * W + x) of the camera's picture ``shape`` (H, W), in the
    template's frame.
    ``frozen`` are the ids of those whose footprint stays as it is.
    """

    version: int
    shape: tuple[int, int]
    ids: NDArray[np.int64]
    born: NDArray[np.int64]
    status: NDArray[np.uint8]
    reason: tuple[str, ...]
    snr: NDArray[np.float32]
    r: NDArray[np.float32]
    size: NDArray[np.float32]
    overlap: NDArray[np.float32]
    data: NDArray[np.float32]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int64]
    frozen: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Backfill:
    """The past of a component that was just found: traces from ``row`` to the row before its birth."""

    id: int
    row: int
    raw: NDArray[np.float32]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Activity:
    """What the components did in one frame, in the order of ``ids`` (those alive, accepted or not).

    ``raw`` (N,) is the demixed trace above its baseline, ``calcium`` and ``spikes`` are the causal estimates
    (they use this frame and earlier ones). ``settled_calcium`` and ``settled_spikes`` are those of the frame
    ``lag`` rows ago, refined by what came since; NaN where a component did not exist then. ``events`` are
    (kind, data) of births, merges, splits, removals and what was done by hand. ``tail`` is what is known of
    the last rows: what will be settled if this frame is the last.
    """

    ids: tuple[int, ...]
    raw: NDArray[np.float32]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]
    lag: int
    settled_calcium: NDArray[np.float32]
    settled_spikes: NDArray[np.float32]
    components: Components
    backfill: tuple[Backfill, ...] = ()
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    fate: Fate = Fate.ANALYSED
    """Whether the cells learned from the frame, or why they were only followed."""
    tail: Settled | None = None


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
    lasting: tuple[Event, ...] = ()
    """The beginnings of alerts and episodes that were on before it: a file that begins here tells them."""
    lost: int | None = 0
    """Frames lost just before this one; None when it cannot be known."""
    cause: Cause = Cause.COUNT
    """Why they are missing."""
    settings: Settings | None = None
    """The settings in force at this frame."""
    shift: tuple[float, float] | None = None
    """(dy, dx) px by which the frame was moved to fit the template; None without motion correction."""
    confidence: float | None = None
    """How well it then fits, 0..1, as a share of what is usual."""
    flag: str = ""
    """``jump`` or ``unsure`` when the shift is not to be believed."""
    activity: Activity | None = None
    """What the components did; None while cell finding is off."""
    channel: int = 0
    """The number of the interleaved channel; 0 when there is one only."""
    ahead: int = 0
    """By how many channels the light is known to be further than ``channel`` says; see `Channels`."""
    main: bool = True
    """False on a channel that motion correction, maps and the quality of the picture leave alone."""
    shown: bool = True
    """False on a channel that is not the one in the window."""
    fate: Fate = Fate.OFF
    """What cell finding made of the frame."""
    maps: Callable[[], dict[str, NDArray[np.float32]]] | None = None
    """On a frame that begins another file: makes the summary maps of this moment, when they are asked for."""
    wall: datetime | None = None
    """When the frame was taken, or, where nobody knows, when it arrived, with its zone; None: now."""


class FinishReason(StrEnum):
    """Why a session or a recording ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Settled:
    """Refined traces of the last rows, when no further frame comes: (n, N) from ``row`` on, columns `ids`."""

    row: int
    ids: tuple[int, ...]
    calcium: NDArray[np.float32]
    spikes: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Summary:
    """Known after the last sample: why it ended, a sentence if there is something to explain, last events.

    ``settled`` and ``maps`` ((H, W) float32 pictures by name) come from motion correction and cell finding;
    ``lost`` counts the frames missing between the last sample and the end, by ``cause``; ``refused`` is the
    account of samples that were offered and that the sink, having failed, did not take.
    """

    reason: FinishReason
    detail: str = ""
    events: tuple[Event, ...] = ()
    settled: tuple[Settled, ...] = ()
    maps: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    lost: int = 0
    cause: Cause = Cause.COUNT
    refused: Account | None = None
