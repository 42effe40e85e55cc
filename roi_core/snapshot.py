"""What can be known of a session at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING

from roi_core.pretrigger import NOTHING_KEPT, Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_core.board import Diary
    from roi_core.cellring import CellRing
    from roi_core.frame import Activity, FinishReason
    from roi_core.ledger import Account
    from roi_core.metrics import Meter
    from roi_core.quality.alarms import Alarms
    from roi_core.ring import FrameRing, TraceRing
    from roi_core.rois import RoiSet
    from roi_core.settings import Settings
    from roi_core.status import TakeStatus

__all__ = ["Snapshot", "State"]


class State(StrEnum):
    """Where a session is in its life."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session at one moment; cheap to make, and safe in any thread.

    Rates are in frames per second, ``step_ms`` is the median cost of a frame, ``silence`` the seconds since
    the last frame, ``elapsed`` the seconds from the first to the last. ``account`` is what became of the
    frames. ``shift`` (dy, dx) px, ``confidence`` 0..1 and ``flag`` are motion correction's
    word on the last frame; ``cells`` are the traces and ``activity`` the last state of cells, their
    footprints being in ``activity.components``, which is the same object until something changes. ``diary``
    holds what happened: notes, edits, gaps, births; ``alarms`` how good the picture is. ``stages`` tells how
    far each optional stage is: ``off``, ``making``, ``ready`` or ``given up``. ``meters`` hold what a stage
    costs; ``behind`` is how many frames the search for new cells has not looked at yet, None while there is
    none. ``kept`` is what waits in memory for Record to be pressed. ``earlier`` are recordings before
    ``recording``: the last one, and others that are still being written.
    """

    state: State
    reason: FinishReason | None
    detail: str
    source: str
    shape: tuple[int, int]
    rate: float
    live: bool
    frames: FrameRing
    traces: TraceRing
    rois: RoiSet
    settings: Settings
    frames_seen: int
    account: Account
    fps: float
    step_ms: float
    step_ms_p99: float
    silence: float
    elapsed: float
    recording: TakeStatus | None
    diary: Diary
    alarms: Alarms
    shift: tuple[float, float] | None = None
    confidence: float | None = None
    flag: str = ""
    cells: CellRing | None = None
    activity: Activity | None = None
    stages: dict[str, str] = field(default_factory=dict)
    meters: Mapping[str, Meter] = field(default_factory=dict)
    behind: int | None = None
    kept: Kept = NOTHING_KEPT
    earlier: tuple[TakeStatus, ...] = ()

    @property
    def frames_dropped(self) -> int | None:
        """Frames that were lost; None when that cannot be known."""
        return self.account.all_lost

    @property
    def costs(self) -> dict[str, float]:
        """Median ms of a frame in each stage at work now: gray prepare motion maps cnmf regions write."""
        now = perf_counter()
        return {name: 1e3 * meter.cost() for name, meter in self.meters.items() if meter.rate(now) > 0}
