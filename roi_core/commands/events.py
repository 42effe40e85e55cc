"""``roi_stream events``: what happened in a recording, and what other programs saw of it."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.offline.outside import Imported

__all__ = ["add_arguments", "run"]

CLOCKS = ("seconds", "ms", "frame", "iso", "epoch")
SHOWN = 20
"""Lines of a kind that are printed; --all prints more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "Print the events of a recording; or add those of a table (CSV) that another program wrote; or "
        "compare its frames with a table of TTL pulses, one for each frame, and tell which are missing."
    )
    parser.add_argument("file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--import", dest="table", metavar="CSV", help="add the lines of this table")
    what.add_argument("--pulses", metavar="CSV", help="compare frames with these pulses; changes nothing")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="seconds",
        help="what the times are: seconds or ms since the first frame, the camera's frame numbers, "
        "date and time (iso), or seconds since 1970 (default seconds)",
    )  # fmt: skip
    parser.add_argument(
        "--offset", type=number, default=0.0, metavar="S",
        help="seconds to add to each time; pulses are then taken to count from the first frame",
    )  # fmt: skip
    parser.add_argument(
        "--column", default="", metavar="C", help="name or number of the column with the times"
    )
    parser.add_argument("--where", default="", metavar="C=V", help="only lines with this, such as state=1")
    parser.add_argument(
        "--kind", default="", help="what imported events are called (ttl); else: only print these"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what would be imported, and add nothing")
    parser.add_argument("--all", action="store_true", help=f"print all, not only {SHOWN}")


def number(text: str) -> float:
    """Read a number that is one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Print, import or compare."""
    if arguments.table:
        _import(arguments)
    elif arguments.pulses:
        _compare(arguments)
    else:
        _list(arguments)
    return 0


def _list(arguments: argparse.Namespace) -> None:
    from roi_core.recording import Recording

    with Recording(arguments.file) as recording:
        events = [one for one in recording.events if arguments.kind in ("", one.kind)]
    _print((f"{one.time:12.6f} {one.frame:9d}  {one.kind:16} {one.json()}" for one in events), arguments.all)


def _import(arguments: argparse.Namespace) -> None:
    from roi_core.offline.outside import Wishes, add

    wishes = Wishes(
        arguments.clock, arguments.offset, arguments.column, arguments.where, arguments.kind or "ttl"
    )
    found = add(Path(arguments.file), Path(arguments.table), wishes, only_look=arguments.dry_run)
    _tell(found, arguments)


def _tell(found: Imported, arguments: argparse.Namespace) -> None:
    first, last = found.events[0], found.events[-1]
    done = "would be added to" if arguments.dry_run else "added to"
    print(f"{len(found.events)} events {done} {arguments.file}: {first.time:.3f} s to {last.time:.3f} s")
    for count, where in ((found.before, "before the first frame"), (found.after, "after the last one")):
        if count:
            print(
                f"{count} of them {'lies' if count == 1 else 'lie'} {where}; are --clock and --offset right?"
            )
    if arguments.dry_run:
        lines = (f"{one.time:12.6f} {one.frame:9d}  {json.dumps(one.data)}" for one in found.events)
        _print(lines, arguments.all)


def _compare(arguments: argparse.Namespace) -> None:
    from roi_core.errors import SettingsError
    from roi_core.offline.pulses import match, sentences
    from roi_core.offline.tables import DATES, read, seconds, start_of
    from roi_core.recording import Recording

    path = Path(arguments.pulses)
    if arguments.clock == "frame":
        raise SettingsError("--clock", "frame", "pulses need times: seconds, ms, iso or epoch")
    with Recording(arguments.file) as recording:
        lines = read(path, arguments.column, arguments.where)
        pulses = seconds(path, lines, arguments.clock, start_of(recording)) + arguments.offset
        time, index = recording.time, recording.frame_index
        dated = recording.dated if arguments.clock in DATES else arguments.offset != 0
    found = match(path, time, index, pulses, dated=dated)
    _print(sentences(found, time, index, len(pulses), path.name), arguments.all)


def _print(lines: Iterable[str], every: bool) -> None:
    texts = list(lines)
    for text in texts if every else texts[:SHOWN]:
        print(text)
    if len(texts) > SHOWN and not every:
        print(f"... and {len(texts) - SHOWN} more (--all)")
