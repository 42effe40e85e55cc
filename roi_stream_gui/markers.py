"""What happened, as marks beside the traces: notes, edits, losses, births. Knows no toolkit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from roi_stream_gui import words
from roi_stream_gui.names import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from roi_core.board import Diary
    from roi_core.frame import Event

__all__ = ["GROUPS", "Cluster", "Mark", "Markers", "labelled"]

KEPT: Final = 20_000
"""Marks of a group kept at least; a storm of losses must not fill the memory."""
LABEL: Final = 40
"""Letters of a label at most."""
LETTERS: Final = 6
"""Letters of a label at least: less of it says nothing."""
TOLD: Final = 8
"""Marks that a cluster tells one by one; the others are counted."""


class Group(NamedTuple):
    """Marks that look alike and are shown or hidden together."""

    title: str
    kinds: tuple[str, ...]
    ink: str
    """Name of the palette."""
    label: bool
    """Whether a mark is named beside its line."""


GROUPS: Final[dict[str, Group]] = {
    "notes": Group("Notes and markers", ("note", "marker", "snapshot"), "mark.note", True),
    "edits": Group("Edits of parameters", ("setting", "card"), "mark.edit", True),
    "losses": Group(
        "Lost frames and warnings",
        ("gap", "warning", "error", "alert", "quality", "motion_jump", "motion_unsure", "cells_late"),
        "bad",
        True,
    ),
    "well": Group("Well again", (), "good", True),
    "regions": Group("Regions drawn", ("roi_added", "roi_changed", "roi_removed"), "mark.region", False),
    "cells": Group(
        "Cells found, merged, judged, named",
        (
            "birth", "merge", "split", "removed", "restored", "accepted", "rejected", "automatic", "frozen",
            "thawed", NAMED,
        ),
        "mark.cell",
        False,
    ),
}  # fmt: skip
"""Those of ``well`` are of the kinds of ``losses``: the end of what was one."""
GROUP_OF: Final = {kind: name for name, group in GROUPS.items() for kind in group.kinds}

COUNTED: Final = {"losses": "alerts", "well": "well again"}
"""What several marks of a group are called, where not by its name."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened at ``time``, s; ``text`` tells what, ``short`` in a few letters."""

    time: float
    group: str
    text: str
    short: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Marks of one group too close to each other for the screen."""

    time: float
    group: str
    marks: tuple[Mark, ...]

    @property
    def label(self) -> str:
        """What is written beside the line."""
        if len(self.marks) == 1:
            return self.marks[0].short
        return f"{len(self.marks)} {COUNTED.get(self.group, self.group)}"

    @property
    def text(self) -> str:
        """What is told when the mouse rests on it."""
        lines = [f"{words.moment(mark.time)}   {mark.text}" for mark in self.marks[:TOLD]]
        more = len(self.marks) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)


class Markers:
    """The marks of a session, taken from its diary as they come."""

    def __init__(self) -> None:
        self.shown = set(GROUPS)
        """The groups that are wanted."""
        self.turn = 0
        """Counts what changes the marks on screen."""
        self._diary: Diary | None = None
        self._cursor = 0
        self._marks: dict[str, list[Mark]] = {}
        self._times: dict[str, list[float]] = {}
        self._gaps: list[tuple[float, float]] = []
        self.forget()

    def forget(self) -> None:
        """Begin with another session."""
        self._diary, self._cursor, self._gaps = None, 0, []
        self._marks = {name: [] for name in GROUPS}
        self._times = {name: [] for name in GROUPS}
        self.turn += 1

    def follow(self, diary: Diary) -> None:
        """Take in what is new."""
        if diary is not self._diary:
            self.forget()
            self._diary = diary
        self._cursor, events = diary.since(self._cursor)
        for event in events:
            self._take(event)

    def toggle(self, group: str) -> None:
        """Show the marks of a group, or hide them."""
        self.shown ^= {group}
        self.turn += 1

    def gaps(self, start: float, end: float) -> NDArray[np.float64]:
        """Return where frames are missing between two moments: the middle (n,) of each gap, s."""
        first = bisect_left(self._gaps, start, key=lambda gap: gap[1])
        last = bisect_left(self._gaps, end, key=lambda gap: gap[0])
        middles = [(before + after) / 2 for before, after in self._gaps[first:last]]
        return np.array(middles, np.float64)

    def between(self, start: float, end: float, closer: float) -> list[Cluster]:
        """Return the wanted marks between two moments, those of a group `closer` than that (s) joined."""
        found: list[Cluster] = []
        for name in GROUPS:
            if name in self.shown:
                first, last = np.searchsorted(self._times[name], (start, end))
                found += _clusters(name, self._marks[name][first:last], closer)
        return sorted(found, key=lambda cluster: cluster.time)

    def _take(self, event: Event) -> None:
        group = _group(event)
        if event.kind == "setting" and str(event.data.get("path")).startswith("display."):
            return  # it changes nothing that is measured
        if event.kind == "gap":
            self._gaps.append((event.time - float(event.data.get("seconds") or 0.0), event.time))
        if group:
            text, short = _said(event)
            self._marks[group].append(Mark(event.time, group, text, short))
            self._times[group].append(event.time)
            self.turn += 1
        full: list[list[Any]] = [self._gaps, *self._marks.values(), *self._times.values()]
        for some in full:
            if len(some) > 2 * KEPT:
                del some[:KEPT]


def labelled(clusters: Sequence[Cluster], letter: float) -> list[tuple[Cluster, str]]:
    """Return the clusters whose labels have room in one line, each right of its mark, and as much as fits.

    A `letter` is so many s wide. Labels of the first groups go first, those of others where these leave room.
    """
    found: list[tuple[Cluster, str]] = []
    for name in (name for name, group in GROUPS.items() if group.label):
        mine = [cluster for cluster in clusters if cluster.group == name]
        taken = [(one.time, one.time + (len(text) + 1) * letter) for one, text in found]
        starts = sorted([start for start, _ in taken] + [one.time for one in mine])
        for one in mine:
            if any(start <= one.time < end for start, end in taken):
                continue
            after = bisect_right(starts, one.time)
            room = (starts[after] - one.time) / letter - 1 if after < len(starts) else LABEL
            if room >= min(len(one.label), LETTERS):
                found.append((one, words.short(one.label, int(room))))
    return found


def _clusters(group: str, marks: Sequence[Mark], closer: float) -> list[Cluster]:
    """Return the marks of each slice of `closer` s as a cluster, where its first mark is."""
    out: dict[int, list[Mark]] = {}
    for mark in marks:
        out.setdefault(int(mark.time // closer), []).append(mark)
    return [Cluster(some[0].time, group, tuple(some)) for some in out.values()]


def _group(event: Event) -> str:
    """Return the group of an event's mark; '' when it has none."""
    if _is_imported(event):
        return "notes"
    group = GROUP_OF.get(event.kind, "")
    return "well" if group == "losses" and event.data.get("state") == "end" else group


def _is_imported(event: Event) -> bool:
    """Tell whether another program saw it (`roi_stream events --import`), whatever it is called."""
    return {"file", "line", "original"} <= event.data.keys()


def _said(event: Event) -> tuple[str, str]:
    """Return what an event says, in full and in short."""
    if _is_imported(event):
        row = " ".join(str(cell) for cell in getattr(event.data.get("row"), "values", list)())
        return f"{event.kind} {row} ({event.data['file']})".replace("  ", " "), event.kind
    say = SAY.get(event.kind)
    if say is not None:
        return say(event.data)
    told = ", ".join(f"{key} {value}" for key, value in event.data.items())
    kind = event.kind.replace("_", " ")
    return (f"{kind}: {told}" if told else kind), kind


def _note(data: dict[str, Any]) -> tuple[str, str]:
    text = str(data.get("text", ""))
    return f"note: {text}", words.short(text, 18)


def _marker(data: dict[str, Any]) -> tuple[str, str]:
    number = data.get("number", "")
    text = " ".join(filter(None, [f"marker {number}".strip(), str(data.get("text", ""))]))
    return text, words.short(text, 18)


def _setting(data: dict[str, Any]) -> tuple[str, str]:
    path, old, new = str(data.get("path")), data.get("old"), data.get("new")
    return f"{path}: {old} -> {new}", words.short(f"{path.rpartition('.')[2]} {new}", 18)


def _picture(data: dict[str, Any]) -> tuple[str, str]:
    return f"picture kept: {data.get('path', '')}", "picture"


def _alert(data: dict[str, Any]) -> tuple[str, str]:
    what = str(data.get("metric") or data.get("stage") or "alert")
    text = data.get("text") or ", ".join(f"{key} {value}" for key, value in data.items() if key != "metric")
    if data.get("state") == "end":
        lasted = f" after {float(data['seconds']):.0f} s" if "seconds" in data else ""
        return f"{what} is within its limits again{lasted}; it was: {text}", f"{what} is well again"
    return f"{what}: {text}", _first(str(text)) if data.get("text") else what


def _doubt(flag: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    def say(data: dict[str, Any]) -> tuple[str, str]:
        if data.get("state") == "end":
            return f"motion {flag} is over: the picture fits its template again", f"motion {flag} is over"
        return f"motion {flag}: {words.DOUBTS[flag]}", f"motion {flag}"

    return say


def _trouble(kind: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    def say(data: dict[str, Any]) -> tuple[str, str]:
        text = str(data.get("text") or kind)
        return (text if text.startswith(kind) else f"{kind}: {text}"), _first(text)

    return say


def _first(text: str) -> str:
    """Return the first sentence of a text, or as much of it as a label may be long."""
    return words.short(text.partition(". ")[0], LABEL)


def _gap(data: dict[str, Any]) -> tuple[str, str]:
    lost, seconds = data.get("lost"), float(data.get("seconds") or 0.0)
    if lost is None:
        return f"no frame for {seconds:.2f} s; how many were lost is not known", "silence"
    return f"{lost} frame{'s' * (lost != 1)} lost, {seconds:.3g} s without a picture", f"{lost} lost"


def _late(data: dict[str, Any]) -> tuple[str, str]:
    if data.get("state") == "begin":
        return (
            "no time: cells are left out of some frames, so that none is lost",
            "no time: frames without cells",
        )
    return f"cells are in every frame again; {data.get('frames')} were without", "cells in every frame again"


def _region(verb: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    def say(data: dict[str, Any]) -> tuple[str, str]:
        name = data.get("name") or f"region {data.get('id')}"
        return f"{name} {verb}", name

    return say


def _cell(what: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    def say(data: dict[str, Any]) -> tuple[str, str]:
        text = what.format(id=data.get("id"), into=data.get("into"), other=data.get("from"))
        reason = data.get("reason")
        return (f"{text}: {reason}" if reason else text), text

    return say


def _named(data: dict[str, Any]) -> tuple[str, str]:
    cell, name = data.get("id"), data.get("name")
    return (
        (f"cell {cell} is called {name}", words.short(str(name), 18))
        if name
        else (f"cell {cell} has no name",) * 2
    )


SAY: Final[dict[str, Callable[[dict[str, Any]], tuple[str, str]]]] = {
    "note": _note, "marker": _marker, "setting": _setting, "card": _setting, "gap": _gap,
    "snapshot": _picture, "alert": _alert, "quality": _alert, "cells_late": _late,
    "warning": _trouble("warning"), "error": _trouble("error"),
    "motion_jump": _doubt("jump"), "motion_unsure": _doubt("unsure"),
    "roi_added": _region("drawn"), "roi_changed": _region("changed"), "roi_removed": _region("deleted"),
    "birth": _cell("cell {id} found"), "merge": _cell("cell {other} merged into {id}"),
    "split": _cell("cell {id} split, new {into}"), "removed": _cell("cell {id} removed"),
    "restored": _cell("cell {id} is back"), NAMED: _named,
    "accepted": _cell("cell {id} accepted"), "rejected": _cell("cell {id} rejected"),
}  # fmt: skip
