"""What the window wants to know of a recording under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.ledger import Account

__all__ = ["TakeStatus"]


@dataclass(frozen=True, slots=True)
class TakeStatus:
    """A recording at one moment; ``seconds`` of data, ``disk_free`` in bytes, ``failed`` a sentence or ''.

    ``rows`` and ``seconds`` are of all ``parts``, of which ``path`` is the first. ``length`` is the number of
    seconds after which it ends by itself, if it does.
    """

    path: Path
    rows: int
    seconds: float
    queued: int
    queue: int
    account: Account
    disk_free: int
    bytes_per_second: float
    closing: bool
    failed: str
    length: float | None = None
    ended: bool = False
    """True from when no more rows are taken, by whom ever it was ended."""
    safe: int = 0
    """Rows that are in the files whatever happens now; of a failed recording these are what it holds."""
    parts: tuple[Path, ...] = ()
    opening: bool = False
    """True until the file is there; its name may still get a suffix, and it may still be refused."""
    refused: bool = False
    """True when nothing could be begun: ``failed`` tells why."""
    backlog: int = 0
    """Samples from before Record, or from before the file was there, that wait to be written."""

    @property
    def dropped(self) -> int | None:
        """Frames lost before its rows; None when that cannot be known."""
        return self.account.all_lost
