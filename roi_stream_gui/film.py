"""What is open besides cameras: a file that is played, or a recording of ours. Knows no toolkit."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from roi_core.errors import RoiError
from roi_core.offline.movie import original
from roi_core.paths import expanded
from roi_core.recording import Recording
from roi_core.rois import RoiSet
from roi_core.sources.arrays import split
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.card import Card
    from roi_core.sources import Source, Transport

    Opener = Callable[..., Source]

__all__ = ["Film", "recording_of"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Film:
    """What is open: the words it was opened with, the file its frames come from, and how it is played.

    ``movie`` is '' when there are no frames. ``recording`` is the recording of ours it belongs to.
    ``transport`` is None while the results of that are shown; ``times`` are those of its rows, s, and
    ``places`` which rows of the movie they are, where the movie is not in the recording.
    """

    text: str
    movie: str
    opener: Opener
    shape: tuple[int, int] = (0, 0)
    length: int | None = None
    first: int = 0
    transport: Transport | None = None
    recording: Path | None = None
    rois: RoiSet = field(default_factory=RoiSet)
    card: Card | None = None
    times: NDArray[Any] | None = field(default=None, compare=False)
    places: NDArray[Any] | None = field(default=None, compare=False)

    def of(self, recording: Recording) -> Film:
        """Return it as the results of a recording; its frames are in it, or in the file it was made from."""
        inside = recording.has_movie and recording.rows > 0
        times = recording.time
        return replace(
            self, movie=self.text if inside else _beside(recording), shape=recording.shape,
            length=min(len(times), recording.movie_rows) if inside else len(times),
            recording=recording.path, rois=recording.rois, card=recording.card, times=times,
            places=None if inside else recording.frame_index,
        )  # fmt: skip

    @property
    def shared(self) -> bool:
        """Tell whether the file its frames are in is written into: verdicts on cells go with the results."""
        return self.times is not None and self.places is None

    def place(self, row: int) -> int:
        """Return which row of the movie a row is."""
        return row if self.places is None else int(self.places[row])


def recording_of(text: str) -> Recording | None:
    """Return the recording of ours that a text names, if it does; what else it may be is not decided here."""
    name, dataset = split(text.removeprefix("file://"))
    path = expanded(name)
    if dataset.strip("/") not in ("", "movie") or path.suffix.lower() not in (".h5", ".hdf5"):
        return None
    try:
        return Recording(path)
    except RoiError:
        return None


def _beside(recording: Recording) -> str:
    """Return the file a recording was made from; '' when it is nowhere, or has no frame of the recording."""
    if not recording.rows:
        log.warning(words.NO_ROWS.format(recording.path.name))
        return ""
    beside = original(recording)
    if beside is None:
        log.warning(words.NO_MOVIE.format(recording.path.name))
    else:
        log.info(words.ORIGINAL.format(recording.path.name, beside))
    return beside or ""
