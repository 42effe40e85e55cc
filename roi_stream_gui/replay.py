"""A file in the window: played through the pipeline as fast as asked, and any frame of it looked at.

The pipeline sees frames in their order only: motion correction and cells learn from one to the next. So the
slider never disturbs it. Moving it holds the analysis where it stands and shows another frame, read anew from
the file; playing on takes the analysis up where it was, and only *Analyse from here* begins anew. Whatever
is recorded keeps the frame numbers of the file.

A recording of ours is replayed from the movie in it, or from the file it was made from. One without either is
shown as a session that has ended: regions, cells, traces, pictures and events. Knows no toolkit.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.card import Card
from roi_core.errors import RoiError
from roi_core.offline.movie import original
from roi_core.paths import expanded
from roi_core.recording import Recording
from roi_core.reviewed import Reviewed
from roi_core.rois import RoiSet
from roi_core.sources import Played, Transport
from roi_core.sources.arrays import split
from roi_stream_gui import words
from roi_stream_gui.peek import Peek

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.ring import FrameRing
    from roi_core.sources import Source
    from roi_stream_gui.controller import Controller

    Opener = Callable[..., Source]

__all__ = ["SPEEDS", "Film", "Replay"]

log = logging.getLogger(__name__)

SPEEDS: Final = {"x1": 1.0, "x2": 2.0, "x5": 5.0, "x10": 10.0, "Max": float("inf")}
"""How often faster than it was recorded; Max is as fast as the frames can be analysed."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is open: the words it was opened with, the file its frames come from, and how it is played.

    ``recording`` is the recording of ours it belongs to; ``transport`` is None when there are no frames.
    """

    text: str
    movie: str
    shape: tuple[int, int]
    opener: Opener
    length: int | None = None
    first: int = 0
    transport: Transport | None = None
    recording: Path | None = None
    rois: RoiSet = field(default_factory=RoiSet)
    card: Card | None = None


class Replay:
    """What is played and looked at; hangs on the controller. ``film`` is None while a camera is shown."""

    def __init__(self, controller: Controller) -> None:
        self.film: Film | None = None
        self.peek: Peek | None = None
        self.looking = False
        self.speed = 1.0
        self._do = controller
        self._next: Film | None = None
        self._aside: RoiSet | None = None
        self._noted: Path | None = None

    # -- opening, on the helper thread --------------------------------------------------------------------

    def open(self, opener: Opener, text: str, first: int = 0) -> Source | Reviewed:
        """Open a source; a file is played by a transport, a recording without a movie only looked at."""
        self._next, settings = None, self._do.settings
        same = self.film is not None and self.film.text == text
        speed = self.speed if same else 1.0
        recording = _recording(text)
        movie, rois, card = text, RoiSet(), None
        if recording is not None:
            with recording:
                rois, card, movie = recording.rois, recording.card, self._movie(recording, text)
                if not movie:
                    film = Film(text, "", recording.shape, opener, rois=rois, card=card)
                    self._next = replace(film, recording=recording.path)
                    return Reviewed(recording, settings)
        source = opener(movie, settings, realtime=False)
        if source.live:
            return source
        transport = Transport(speed=speed)
        played = Played(source, transport, first)
        if card is None and played.card != Card():  # an empty one is none, but a recording's is its own
            card = played.card
        path = recording.path if recording is not None else None
        film = Film(text, movie, source.shape, opener, played.length, first, transport, path)
        self._next = replace(film, rois=rois, card=card)
        return played

    def _movie(self, recording: Recording, text: str) -> str:
        """Return where the frames of a recording are; '' when they are nowhere."""
        if recording.has_movie and recording.rows:
            return text
        beside = original(recording)
        if beside is None:
            log.warning(words.NO_MOVIE.format(recording.path.name))
        else:
            log.info(words.ORIGINAL.format(recording.path.name, beside))
        return beside or ""

    @property
    def rois(self) -> RoiSet:
        """The regions of the recording that is being opened."""
        return self._next.rois if self._next is not None else RoiSet()

    @property
    def card(self) -> Card | None:
        """The session card of the file that is being opened; None: it has none."""
        return self._next.card if self._next is not None else None

    @property
    def own(self) -> RoiSet:
        """The regions of the user, without those of a recording that is only looked at."""
        return self._do.editor.rois if self._aside is None else self._aside

    # -- on the window's thread ---------------------------------------------------------------------------

    def take_over(self) -> None:
        """Show what was opened; regions drawn before give way to those of a recording that is looked at."""
        if self.peek is not None:
            self.peek.close()
        self.film, self._next = self._next, None
        film, editor = self.film, self._do.editor
        self.looking, self.peek = False, None
        if film is not None and film.transport is not None:
            self.speed = film.transport.speed
            self.peek = Peek(partial(film.opener, film.movie), film.shape, self._do.settings)
        if film is not None and self.reviewing:
            if self._aside is None:
                self._aside = editor.rois
                if len(editor.rois):
                    log.info(words.PUT_ASIDE.format(len(editor.rois)))
            editor.begin(film.rois)
        elif self._aside is not None:
            editor.begin(self._aside)
            self._aside = None

    @property
    def transport(self) -> Transport | None:
        """How the file is played; None for cameras and for recordings without a movie."""
        return self.film.transport if self.film is not None else None

    @property
    def held(self) -> bool:
        """Tell whether a file stands still because it was told to."""
        return self.transport is not None and not self.transport.playing

    @property
    def reviewing(self) -> bool:
        """Tell whether a recording without frames is shown."""
        return self.film is not None and self.film.transport is None

    @property
    def frames(self) -> FrameRing | None:
        """The frame that is looked at, while it is not the analysed one."""
        return self.peek.ring if self.looking and self.peek is not None and self.peek.ring.head else None

    @property
    def row(self) -> int:
        """The row of the file that is on screen, or is about to be."""
        if self.looking and self.peek is not None:
            return self.peek.wanted
        return max(self.transport.row, 0) if self.transport is not None else 0

    @property
    def last(self) -> int:
        """The last row of the file, as far as it is known."""
        length = self.film.length if self.film is not None else None
        return max((length or 0) - 1, self.row)

    def toggle(self) -> None:
        """Play or hold; what has ended is played again, what is looked at is left for the analysis."""
        transport = self.transport
        if transport is None:
            return
        if transport.closed:
            self.again()
        elif transport.playing:
            transport.pause()
        else:
            self.leave()
            transport.play()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it was recorded."""
        self.speed = speed
        if self.transport is not None:
            self.transport.speed = speed

    def faster(self, steps: int) -> None:
        """Go so many steps up or down the list of speeds."""
        speeds = list(SPEEDS.values())
        at = speeds.index(self.speed) + steps
        if self.transport is not None and 0 <= at < len(speeds):
            self.set_speed(speeds[at])

    def step(self, rows: int) -> None:
        """Analyse one frame more, or look so many rows further or back."""
        transport = self.transport
        if transport is None:
            return
        if rows == 1 and not self.looking and not transport.closed:
            transport.step()
        else:
            self.look(self.row + rows)

    def look(self, row: int) -> None:
        """Show a row of the file; the analysis is held where it stands."""
        transport = self.transport
        if transport is None or self.peek is None:
            return
        row = min(max(row, 0), self.last)
        transport.pause()
        self.looking = True
        self.peek.look(row)

    def leave(self) -> None:
        """Show the analysed frame again."""
        self.looking = False

    def again(self) -> None:
        """Analyse the file from its beginning, with the present parameters."""
        self._from(0)

    def from_here(self) -> None:
        """Analyse the file from the row that is on screen, with the present parameters."""
        self._from(self.row)

    def _from(self, row: int) -> None:
        if self.film is not None and self.film.transport is not None:
            self._do.connect(self.film.text, row)

    def tick(self) -> None:
        """Collect the frame that is looked at; note in each new recording that it is one of a replay."""
        if self.peek is not None:
            self.peek.tick()
        session, now, film = self._do.session, self._do.now, self.film
        take = now.recording if now is not None and film is not None else None
        if session is not None and film is not None and take is not None and take.path != self._noted:
            self._noted = take.path
            session.note(words.REPLAYED.format(film.movie, film.first))

    def close(self) -> None:
        """Let go of the file."""
        if self.peek is not None:
            self.peek.close()


def _recording(text: str) -> Recording | None:
    """Return the recording of ours that a text names, if it does; what else it may be is not decided here."""
    name, dataset = split(text.removeprefix("file://"))
    path = expanded(name)
    if dataset.strip("/") not in ("", "movie") or path.suffix.lower() not in (".h5", ".hdf5"):
        return None
    try:
        return Recording(path)
    except RoiError:
        return None
