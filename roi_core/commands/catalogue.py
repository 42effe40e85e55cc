"""``roi_stream catalogue``: find a recording again."""

from __future__ import annotations

import argparse
import json
import re
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core.commands.base import count
from roi_core.errors import CatalogueError
from roi_core.paths import is_file, is_gone, unseen
from roi_core.terminal import complain, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_core.catalogue import Catalogue, Entry, Query

__all__ = ["add_arguments", "run"]

HEADS = ("start", "length", "subject", "cells", "lost", "state", "file")
NAME = 36
"""Characters of a file's name that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.description = (
        "Find recordings: every word is looked for in path, subject, indicator, region, experimenter, source "
        "and everything that was written about them. The catalogue is only an index of the files and can be "
        "made anew at any time; it is catalogue.sqlite in the folder of recordings (~/roi_stream)."
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="what to look for; nothing lists everything")
    parser.add_argument("--subject", default="", metavar="ID", help="of this subject only")
    parser.add_argument("--since", type=_date, metavar="DATE", help="from this date on: 2026-01-31")
    parser.add_argument("--until", type=_date, metavar="DATE", help="up to and with this date")
    parser.add_argument("--lost", action="store_true", help="that lost frames, or cannot know")
    parser.add_argument("--unfinished", action="store_true", help="that a crash cut short, or damaged")
    parser.add_argument("--limit", type=count, default=50, metavar="N", help="lines at most (50)")
    parser.add_argument("--json", action="store_true", help="print JSON, with all that is known")
    parser.add_argument("--catalogue", metavar="F", help="file of the catalogue")
    parser.add_argument("--add", nargs="+", metavar="FILE", help="take recordings in, then list")
    parser.add_argument("--rebuild", nargs="+", metavar="FOLDER", help="read folders anew, then list")
    parser.add_argument("--forget-missing", action="store_true", help="drop files that are gone, then list")


def run(arguments: argparse.Namespace) -> int:
    """Bring it up to date as asked, look, and print a table."""
    from roi_core.catalogue import Catalogue, Query, place

    path = Path(arguments.catalogue) if arguments.catalogue else place()
    if is_gone(path) and not (arguments.add or arguments.rebuild):
        say(f"there is no catalogue at {path} yet; make it with: roi_stream catalogue --rebuild FOLDER")
        return 0
    with Catalogue(path) as catalogue:
        _bring_up_to_date(catalogue, arguments)
        query = Query(
            tuple(arguments.words), arguments.subject, arguments.since or "", arguments.until or "",
            arguments.lost, arguments.unfinished, arguments.limit,
        )  # fmt: skip
        found = catalogue.find(query)
    if arguments.json:
        print(json.dumps([asdict(entry) for entry in found], indent=2))
        return 0
    _print(found, query)
    return 0


def _bring_up_to_date(catalogue: Catalogue, arguments: argparse.Namespace) -> None:
    if arguments.rebuild:
        number = catalogue.rebuild(map(Path, arguments.rebuild))
        complain(f"{number} recording{'' if number == 1 else 's'} in {' and '.join(arguments.rebuild)}")
    if arguments.add:
        given = [Path(name) for name in arguments.add]
        for path in given:
            if not is_file(path):
                why = unseen(path) or "it is no file"
                raise CatalogueError(f"{path} cannot be added: {why}; --add takes files, --rebuild folders")
        catalogue.add(given)
    catalogue.refresh()
    if arguments.forget_missing:
        complain(f"{catalogue.forget_missing()} missing files forgotten")


def _print(found: Sequence[Entry], query: Query) -> None:
    if not found:
        say(
            "no recording fits; roi_stream catalogue without words lists all, --rebuild FOLDER looks for more"
        )
        return
    rows = [HEADS, *map(_cells, found)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADS) - 1)]
    for row in rows:
        told = "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]])
        say("".join(letter if letter.isprintable() else "?" for letter in told))
    if len(found) == query.limit:
        say(f"the newest {query.limit}; --limit N shows more")


def _cells(entry: Entry) -> tuple[str, ...]:
    """Return one line of the table; '-' is what does not apply, '?' what cannot be known."""
    name = Path(entry.path).name
    cells = entry.refined if entry.refined is not None else entry.cells
    lost = "?" if entry.lost is None else str(entry.lost)
    return (
        entry.start[:16].replace("T", " ") or "?",
        _length(entry.seconds),
        entry.subject[:16] or "-",
        "-" if cells is None else str(cells),
        "-" if entry.rows is None else lost,
        str(entry.state),
        name if len(name) <= NAME else f"{name[: NAME - 3]}...",
    )


def _length(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _date(text: str) -> str:
    if re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d)?)?)?)?", text, re.ASCII):
        with suppress(ValueError):
            datetime.fromisoformat(text + "2000-01-01"[len(text) :])
            return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is no date; write 2026, 2026-01, 2026-01-31 or 2026-01-31T14:00"
    )
