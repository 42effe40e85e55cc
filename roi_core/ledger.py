"""What became of every frame, as counts that add up.

The camera made a frame. Either it reached the program (*captured*) or it was *lost*. What was captured was
*measured* (region means) or the measuring *failed*. Of what was measured the cells *learned* (analysed), or
their traces were only followed because the picture taught nothing (watched), or nobody looked for cells (not
analysed). And each lane, the recorder's or a publisher's, was offered what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

__all__ = ["NOT_ANALYSED", "RECORDER", "WATCHED", "Account", "Carried", "Cause", "Fate", "Ledger"]

K = TypeVar("K", bound=StrEnum)

RECORDER: Final = "recorder"
"""Name of the recorder's lane."""


class Cause(StrEnum):
    """Where frames were lost, one for each gap.

    ``COUNT``: missing in the camera's own numbers; ``TIME``: a gap in time; ``AWAY``: the camera was silent
    or gone, and was opened again; ``SKIPPED``: a file that is paced like a camera was ahead of us;
    ``CORRUPT``: what came could not be a picture, and was left out.
    """

    COUNT = "count"
    TIME = "time"
    AWAY = "away"
    SKIPPED = "skipped"
    CORRUPT = "corrupt"


class Fate(StrEnum):
    """What cell finding made of a frame that was measured."""

    ANALYSED = "analysed"
    DARK = "dark"
    ODD = "odd"
    FROZEN = "frozen"
    JUMP = "jump"
    UNSURE = "unsure"
    UNMOVED = "unmoved"
    LATE = "late"
    OFF = "off"
    MAKING = "making"
    GIVEN_UP = "given_up"
    FAILED = "failed"


WATCHED: Final = {
    Fate.DARK: "no light, or saturated",
    Fate.ODD: "unlike all before",
    Fate.FROZEN: "a copy of the last",
    Fate.JUMP: "a jump",
    Fate.UNSURE: "shift unsure",
    Fate.UNMOVED: "motion correction just went off",
}
"""Why cells were followed in a frame and learned nothing from it."""
NOT_ANALYSED: Final = {
    Fate.OFF: "cell finding off",
    Fate.LATE: "left out, the camera could not wait",
    Fate.MAKING: "being compiled or made",
    Fate.GIVEN_UP: "given up",
    Fate.FAILED: "a stage failed",
}
"""Why nobody looked for cells in a frame."""
CAUSES: Final = {
    Cause.COUNT: "missing in the camera's count",
    Cause.TIME: "gaps in time",
    Cause.AWAY: "camera silent or gone",
    Cause.SKIPPED: "skipped by pacing",
    Cause.CORRUPT: "corrupt and left out",
}


class Carried(NamedTuple):
    """Frames that a lane was offered: its sink took them, or not.

    ``dropped`` ones met a full queue; ``refused`` ones a sink that had failed.
    """

    offered: int = 0
    written: int = 0
    dropped: int = 0
    refused: int = 0

    @property
    def waiting(self) -> int:
        """Those on the way; 0 in the end."""
        return self.offered - self.written - self.dropped - self.refused

    def plus(self, other: Carried) -> Carried:
        """Return what was carried in both."""
        return Carried(*(mine + its for mine, its in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Account:
    """The frames of a session or of a recording, counted.

    ::

        made     = captured + lost            lost = count + time + away + skipped + corrupt
        captured = measured + failed
        measured = analysed + watched + not analysed
        offered  = measured = written + dropped + refused + waiting, in each lane
        movie    = 0 or written by the recorder

    ``lost`` is by cause, None when nobody can know; then ``made`` is None, too. ``after`` of them were lost
    after the last frame that was captured. ``fates`` say what cell finding made of each measured frame.
    """

    captured: int = 0
    lost: Mapping[Cause, int] | None = field(default_factory=dict)
    measured: int = 0
    failed: int = 0
    fates: Mapping[Fate, int] = field(default_factory=dict)
    lanes: Mapping[str, Carried] = field(default_factory=dict)
    movie: int = 0
    after: int = 0

    @property
    def all_lost(self) -> int | None:
        """Frames lost, whatever the cause."""
        return None if self.lost is None else sum(self.lost.values())

    @property
    def made(self) -> int | None:
        """Frames the camera made."""
        return None if self.all_lost is None else self.captured + self.all_lost

    @property
    def analysed(self) -> int:
        """Frames that the cells learned from."""
        return self.fates.get(Fate.ANALYSED, 0)

    @property
    def watched(self) -> int:
        """Frames in which the cells were only followed."""
        return sum(self.fates.get(fate, 0) for fate in WATCHED)

    @property
    def not_analysed(self) -> int:
        """Frames in which nobody looked for cells."""
        return sum(self.fates.get(fate, 0) for fate in NOT_ANALYSED)

    def __add__(self, other: Account) -> Account:
        """Return the account of both stretches together."""
        lanes = {
            name: self.lanes.get(name, Carried()).plus(other.lanes.get(name, Carried()))
            for name in {**self.lanes, **other.lanes}
        }
        known = self.lost is not None and other.lost is not None
        return Account(
            captured=self.captured + other.captured,
            lost=_sum(self.lost or {}, other.lost or {}) if known else None,
            measured=self.measured + other.measured,
            failed=self.failed + other.failed,
            fates=_sum(self.fates, other.fates),
            lanes=lanes,
            movie=self.movie + other.movie,
            after=self.after + other.after,
        )

    def check(self) -> tuple[str, ...]:
        """Return what does not add up, a sentence each; empty when all does. Holds at rest."""
        found = []
        if self.captured != self.measured + self.failed:
            found.append(f"{self.captured} captured, but {self.measured} measured and {self.failed} failed")
        fates = self.analysed + self.watched + self.not_analysed
        if self.measured != fates:
            found.append(f"{self.measured} measured, but {fates} analysed, watched or not analysed")
        for name, lane in self.lanes.items():
            if lane.offered != self.measured:
                found.append(f"{self.measured} measured, but {lane.offered} offered to the {name}")
            if lane.waiting:
                ended = lane.offered - lane.waiting
                found.append(f"{lane.offered} offered to the {name}, but {ended} written, dropped or refused")
        written = self.lanes.get(RECORDER, Carried()).written
        if self.movie not in (0, written):
            found.append(f"{written} rows written, but {self.movie} frames of the movie")
        return tuple(found)

    def flat(self) -> dict[str, int | None]:
        """Return every count by its name in ``/accounting``; None is not known."""
        recorder = self.lanes.get(RECORDER, Carried())
        lost = {
            f"lost_{cause}": self.lost.get(cause, 0) if self.lost is not None else None for cause in Cause
        }
        return {
            "made": self.made, "captured": self.captured, "lost": self.all_lost, **lost,
            "lost_after": self.after, "measured": self.measured, "failed": self.failed,
            "analysed": self.analysed, "watched": self.watched,
            **{f"watched_{fate}": self.fates.get(fate, 0) for fate in WATCHED},
            "not_analysed": self.not_analysed,
            **{f"not_analysed_{fate}": self.fates.get(fate, 0) for fate in NOT_ANALYSED},
            "written": recorder.written, "refused": recorder.refused, "movie": self.movie,
        }  # fmt: skip

    @classmethod
    def of(cls, flat: Mapping[str, int | None]) -> Account:
        """Return the account of a recording with these counts; what it does not say is 0."""
        known = {name: count for name, count in flat.items() if count is not None}
        fates = {Fate.ANALYSED: known.get("analysed", 0)}
        fates |= {fate: known.get(f"watched_{fate}", 0) for fate in WATCHED}
        fates |= {fate: known.get(f"not_analysed_{fate}", 0) for fate in NOT_ANALYSED}
        lost = {cause: known.get(f"lost_{cause}", 0) for cause in Cause} if "lost" in known else None
        measured, written = known.get("measured", 0), known.get("written", 0)
        return cls(
            captured=known.get("captured", 0), lost=lost, measured=measured, failed=known.get("failed", 0),
            fates=fates, lanes={RECORDER: Carried(measured, written, 0, known.get("refused", 0))},
            movie=known.get("movie", 0), after=known.get("lost_after", 0),
        )  # fmt: skip

    def lines(self) -> dict[str, str]:
        """Return the account as words, for people: a name and its figures each."""
        lost = "unknown" if self.lost is None else _of(self.all_lost or 0, self.lost, CAUSES)
        made = "unknown" if self.made is None else str(self.made)
        told = {"made": made, "lost": lost, "captured": str(self.captured)}
        told["measured"] = f"{self.measured}" + (f", {self.failed} failed" if self.failed else "")
        told["analysed"] = str(self.analysed)
        told["watched"] = _of(self.watched, self.fates, WATCHED)
        told["not analysed"] = _of(self.not_analysed, self.fates, NOT_ANALYSED)
        for name, lane in self.lanes.items():
            extra = {"dropped": lane.dropped, "refused": lane.refused, "waiting": lane.waiting}
            more = "".join(f", {number} {word}" for word, number in extra.items() if number)
            movie = f", {self.movie} movie frames" if name == RECORDER and self.movie else ""
            told[name] = f"{lane.written} written{movie}{more}"
        return told


class Ledger:
    """Counts the frames of a session or a recording: one writer; ``account`` is replaced whole, for readers.

    ``counter`` is how the source knows its losses. What was lost before the first frame is not counted,
    unless it has ``begun`` elsewhere.
    """

    def __init__(self, counter: str, *, begun: bool = False) -> None:
        self.account = Account(lost=None if counter == "unknown" else {})
        self._begun = begun

    def take(self, fate: Fate, lost: int | None = 0, cause: Cause = Cause.COUNT) -> None:
        """Count one frame that was captured and measured, and those `lost` before it; None is not known."""
        self._capture(lost, cause)
        now = self.account
        fates = {**now.fates, fate: now.fates.get(fate, 0) + 1}
        self.account = replace(now, captured=now.captured + 1, measured=now.measured + 1, fates=fates)

    def fail(self, lost: int | None = 0, cause: Cause = Cause.COUNT) -> None:
        """Count one frame that was captured and could not be measured."""
        self._capture(lost, cause)
        now = self.account
        self.account = replace(now, captured=now.captured + 1, failed=now.failed + 1)

    def lose(self, lost: int | None, cause: Cause, *, after: bool = False) -> None:
        """Count frames that were lost before the next one, or `after` the last."""
        now = self.account
        if lost is None or now.lost is None:
            self.account = replace(now, lost=None)
        elif lost:
            missing = {**now.lost, cause: now.lost.get(cause, 0) + lost}
            self.account = replace(now, lost=missing, after=now.after + lost if after else now.after)

    def _capture(self, lost: int | None, cause: Cause) -> None:
        if self._begun:
            self.lose(lost, cause)
        self._begun = True


def _sum(one: Mapping[K, int], other: Mapping[K, int]) -> dict[K, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _of(total: int, counts: Mapping[K, int], words: Mapping[K, str]) -> str:
    """Return a number and, in brackets, what it is made of."""
    parts = [
        word if counts[key] == total else f"{counts[key]} {word}"
        for key, word in words.items()
        if counts.get(key)
    ]
    return f"{total} ({', '.join(parts)})" if parts else str(total)
