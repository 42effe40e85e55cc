"""What is looked for in the catalogue, and how SQLite is asked for it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Query", "conditions", "fold"]

SEARCHED: Final = ("path", "subject", "indicator", "region", "experimenter", "source", "text")
"""Columns in which words are looked for."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: every word somewhere, and all that is asked of the rest.

    ``since`` and ``until`` are dates (or times) in ISO 8601, both inclusive, as the recording's own clock
    told them. ``lost`` asks for recordings that lost frames or cannot know, ``unfinished`` for those that a
    crash cut short or damaged.
    """

    words: tuple[str, ...] = ()
    subject: str = ""
    since: str = ""
    until: str = ""
    lost: bool = False
    unfinished: bool = False
    limit: int = 1000


def conditions(query: Query) -> tuple[str, list[Any]]:
    """Return the WHERE of a query, and its values."""
    where: list[str] = []
    values: list[Any] = []
    for word in query.words:
        where.append("(" + " OR ".join(f"instr(fold({column}), ?)" for column in SEARCHED) + ")")
        values += [fold(word)] * len(SEARCHED)
    if query.subject:
        where.append("fold(subject) = ?")
        values.append(fold(query.subject))
    if query.since:
        where.append("start >= ?")
        values.append(query.since)
    if query.until:
        where.append("start != '' AND substr(start, 1, ?) <= ?")
        values += [len(query.until), query.until]
    if query.lost:
        where.append("(lost IS NULL OR lost > 0) AND state != 'damaged'")
    if query.unfinished:
        where.append("state IN ('incomplete', 'damaged')")
    return ("WHERE " + " AND ".join(where) if where else ""), values


def fold(text: str) -> str:
    """Return a text as it is compared; SQLite itself knows the small letters of ASCII only."""
    text = text.encode(errors="replace").decode()  # a word of the command line may be no text
    return unicodedata.normalize("NFKC", text).casefold()
