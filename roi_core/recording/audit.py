"""Does the account of a recording agree with what else is in it? What can be counted again, is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout
from roi_core.ledger import RECORDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_core.ledger import Account
    from roi_core.recording.reader import Recording

__all__ = ["audit"]


def audit(recording: Recording) -> tuple[str, ...]:
    """Return what does not add up, a sentence each; empty when all does.

    The sums of `Account`, as they must be and as they are written, its counts against the root attributes,
    its rows against /time, its losses against the gaps of /frame_index, its movie against /movie. A file
    that is not finished may hold rows of its last moments that its account does not know yet. One without an
    account was made before there was one.
    """
    account = recording.account
    if account is None:
        return ("it has no account: it is from before there was one, or recovered from torn rows",)
    checks = (_sums, _attributes, _rows, _losses)
    parts = [check(recording, account) for check in checks]
    return (*account.check(), *(sentence for part in parts for sentence in part))


def _sums(recording: Recording, account: Account) -> Iterator[str]:
    told = recording.counts
    for name, count in account.flat().items():
        written = told.get(name, count)
        if written != count:
            yield f"{name} is {_number(count)} by its parts, but {layout.ACCOUNTING} says {_number(written)}"


def _attributes(recording: Recording, account: Account) -> Iterator[str]:
    told, counts = recording.attributes, account.flat()
    for count, attribute in layout.COUNTS.items():
        if told.get(attribute) != counts[count]:
            yield f"{count} {_number(counts[count])}, but {attribute} says {_number(told.get(attribute))}"


def _rows(recording: Recording, account: Account) -> Iterator[str]:
    written, rows = account.lanes[RECORDER].written, recording.rows
    if written > rows or (recording.complete and written != rows):
        yield f"{written} rows written, but {rows} are in the file"
    movie = recording.movie_rows
    if account.movie > movie or (recording.complete and account.movie != movie):
        yield f"{account.movie} movie frames written, but /movie holds {movie}"


def _losses(recording: Recording, account: Account) -> Iterator[str]:
    """Compare the losses with the gaps of /frame_index, in as many rows as the account knows."""
    index = recording.frame_index[: account.lanes[RECORDER].written]
    steps = np.diff(index)
    if (steps <= 0).any():
        row = int(np.argmax(steps <= 0)) + 1
        yield f"/frame_index goes from {index[row - 1]} to {index[row]} at row {row}; it should increase"
        return
    missing, refused = int((steps - 1).sum()), account.lanes[RECORDER].refused
    if account.all_lost is None:
        if missing:
            yield f"losses unknown, but /frame_index misses {missing}"
        return
    told = account.all_lost - account.after
    if told != missing and not (refused and told > missing):  # among the refused ones some were lost, too
        yield f"{told} frames told lost, but /frame_index misses {missing}"


def _number(count: object) -> str:
    return "unknown" if count is None else str(count)
