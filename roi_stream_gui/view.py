"""Everything a panel may show, as one immutable value. Knows no toolkit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.ring import FrameRing
    from roi_core.rois import RoiSet
    from roi_core.session import Snapshot
    from roi_core.settings import Settings
    from roi_stream_gui.messages import Message
    from roi_stream_gui.tools import Hand

__all__ = ["Phase", "Side", "View"]


class Phase(StrEnum):
    """Where the window is with its source."""

    IDLE = "idle"
    CONNECTING = "connecting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"


class Side(StrEnum):
    """What is shown of a recording of ours: what is in it, or its frames analysed anew."""

    NONE = ""
    RESULTS = "results"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class View:
    """Everything a panel may show, at one moment. ``snapshot`` is None before the first connection."""

    phase: Phase
    snapshot: Snapshot | None
    settings: Settings
    rois: RoiSet
    selection: tuple[int, ...]
    hand: Hand
    undo: str
    redo: str
    messages: tuple[Message, ...]
    news: int
    source: str
    choices: tuple[tuple[str, str], ...]
    paused: bool
    folder: Path
    disk_free: int | None
    """Free bytes where recordings go; None before the disk has answered."""
    next_take: Path | None = None
    """What the next recording will be called."""
    length: float | None = None
    """Seconds after which a recording ends by itself."""
    said: dict[int, int] = field(default_factory=dict)
    """How often something of each kind (logging level) was said."""
    recording: bool = False
    window_rate: float = 0.0
    compiling: bool = False
    """True while a stage takes so long to make that it must be compiled."""
    recorded: float = 0.0
    """Seconds from pressing Record to now, or to the end of that recording."""

    looked: FrameRing | None = None
    """The frame of the file that is looked at, when it is not the analysed one."""

    held: bool = False
    """True while a file is held still."""
    side: Side = Side.NONE
    """What is shown of the recording that is open, if one is."""
    playable: bool = False
    """True when a file is open whose frames are at hand."""
    exportable: bool = False
    """True when there is a finished recording at hand."""
    exporting: bool = False
    """True while a recording is being exported."""

    @property
    def frames(self) -> FrameRing | None:
        """The pictures to show: the newest analysed, or the frame that is looked at."""
        return self.looked or (self.snapshot.frames if self.snapshot is not None else None)

    @property
    def running(self) -> bool:
        """True while frames flow."""
        return self.phase is Phase.RUNNING
