"""A file in the window: played through the pipeline as fast as asked, and any frame of it looked at.

The pipeline sees frames in their order only: motion correction and cells learn from one to the next. So the
slider never disturbs it. Moving it holds the analysis where it stands and shows another frame, read anew from
the file; playing on takes the analysis up where it was, and only *Analyse from here* begins anew. Whatever
is recorded keeps the frame numbers of the file.

A recording of ours is opened with its results, as a session that has ended: regions, cells, traces, pictures
and events. Where its frames are at hand, in it or in the file it was made from, the slider shows any of them,
and *Replay* analyses them anew; *Results* goes back. Knows no toolkit.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from roi_core.card import Card
from roi_core.errors import RoiError
from roi_core.reviewed import Reviewed
from roi_core.rois import RoiSet
from roi_core.sources import Played, Transport
from roi_stream_gui import words
from roi_stream_gui.film import Film, recording_of
from roi_stream_gui.peek import Peek
from roi_stream_gui.view import Side

if TYPE_CHECKING:
    from pathlib import Path

    from roi_core.recording import Recording
    from roi_core.ring import FrameRing
    from roi_core.sources import Source
    from roi_stream_gui.controller import Controller
    from roi_stream_gui.film import Opener

__all__ = ["SPEEDS", "Film", "Replay"]

log = logging.getLogger(__name__)

SPEEDS: Final = {"x1": 1.0, "x2": 2.0, "x5": 5.0, "x10": 10.0, "Max": float("inf")}
"""How often faster than it was recorded; Max is as fast as the frames can be analysed."""


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
        """The user's own regions of before, from when results of a recording are shown to the next source."""
        self._drawn: RoiSet | None = None
        """The regions of its replay, while its results are shown again."""
        self._noted: Path | None = None

    # -- opening, on the helper thread --------------------------------------------------------------------

    def open(self, opener: Opener, text: str, first: int = 0, *, play: bool = False) -> Source | Reviewed:
        """Open a source; a recording of ours with its results, unless it is to `play` and has frames."""
        self._next, film = None, Film(text, text, opener, first=first)
        recording = recording_of(text)
        if recording is not None:
            with recording:
                film = film.of(recording)
                session = None if play and film.movie else self._results(recording, film)
            if session is not None:
                self._next = film
                return session
        return self._play(film)

    def _results(self, recording: Recording, film: Film) -> Reviewed | None:
        """Read what is in a recording; where that is damaged, its frames are all there is to see."""
        try:
            return Reviewed(recording, self._do.settings)
        except RoiError as error:
            if not film.movie:
                raise
            log.warning(words.NO_RESULTS.format(recording.path.name, error))
            return None

    def _play(self, film: Film) -> Source:
        """Open a camera, or a file that a transport plays."""
        source = film.opener(film.movie, self._do.settings, realtime=False)
        if source.live:
            return source
        same = self.film is not None and self.film.text == film.text
        transport = Transport(speed=self.speed if same else 1.0)
        played = Played(source, transport, film.first)
        card = film.card
        if card is None and played.card != Card():  # an empty one is none, but a recording's is its own
            card = played.card
        self._next = replace(
            film, shape=source.shape, length=played.length, transport=transport, card=card,
            times=None, places=None,
        )  # fmt: skip
        return played

    @property
    def rois(self) -> RoiSet:
        """The regions of the recording that is being opened, unless those on screen are for it already."""
        return self._next.rois if self._next is not None and not self._stays else RoiSet()

    @property
    def card(self) -> Card | None:
        """The session card of the file that is being opened; None: it has none."""
        return self._next.card if self._next is not None else None

    @property
    def own(self) -> RoiSet:
        """The regions for what is being opened, without those of a recording that was only looked at.

        For the replay of a recording they are those on screen, or those of the last replay where nothing was
        drawn since; for another source those put aside, or those of the replay where there were none.
        """
        shown = self._do.editor.rois
        if self._stays and self._drawn is not None and not self._changed:
            return self._drawn
        replayed = self._stays or (self.side is Side.REPLAY and not self._aside)
        return shown if self._aside is None or replayed else self._aside

    @property
    def _stays(self) -> bool:
        """Tell whether what is being opened belongs to the same recording as what is shown."""
        now, then = self.film, self._next
        return now is not None and then is not None and now.recording == then.recording is not None

    @property
    def _changed(self) -> bool:
        """Tell whether other regions are on screen than those of the recording that is shown."""
        return self.film is not None and self._do.editor.rois != self.film.rois

    # -- on the window's thread ---------------------------------------------------------------------------

    def take_over(self) -> None:
        """Show what was opened; regions drawn before give way to those of a recording that is looked at."""
        if self.peek is not None:
            self.peek.close()
        own, stays = self.own, self._stays
        lost = self._aside is not None and self._changed and (stays or own is not self._do.editor.rois)
        self.film, self._next = self._next, None
        film = self.film
        self.looking, self.peek = False, None
        if film is not None and film.transport is not None:
            self.speed = film.transport.speed
        if film is not None and film.movie:
            self.peek = Peek(partial(film.opener, film.movie), film.shape, self._do.settings, film)
        if film is not None and self.reviewing:
            self._put_aside(own, film.rois, stays)
            self._show(film.rois, lost)
        else:
            self._show(own, lost)
            self._drawn, self._aside = None, self._aside if stays else None

    def _put_aside(self, own: RoiSet, rois: RoiSet, stays: bool) -> None:
        """Keep regions for the replay of the recording that is looked at, and for the source after it."""
        self._drawn = own if stays else None
        if self._aside is None or not (stays or own is self._aside):
            self._aside = own
            if len(own) and own != rois:
                log.info(words.PUT_ASIDE.format(words.counted(len(own), "region")))

    def _show(self, rois: RoiSet, lost: bool) -> None:
        """Put regions on screen; those drawn on a recording, that would be `lost`, can be had back."""
        editor = self._do.editor
        before = editor.rois
        if lost and rois != before:
            editor.exchange(rois, words.GIVE_WAY)
            log.info(words.GIVEN_WAY.format(words.counted(len(before), "region")))
        elif rois is not before:
            editor.begin(rois)

    @property
    def transport(self) -> Transport | None:
        """How the file is played; None for cameras, and while the results of a recording are shown."""
        return self.film.transport if self.film is not None else None

    @property
    def held(self) -> bool:
        """Tell whether a file stands still because it was told to."""
        return self.transport is not None and not self.transport.playing

    @property
    def reviewing(self) -> bool:
        """Tell whether the results of a recording are shown."""
        return self.film is not None and self.film.transport is None

    @property
    def side(self) -> Side:
        """Which side of a recording is shown; NONE for what is no recording of ours."""
        if self.film is None or self.film.recording is None:
            return Side.NONE
        return Side.RESULTS if self.reviewing else Side.REPLAY

    @property
    def playable(self) -> bool:
        """Tell whether there are frames to analyse anew, or to look at."""
        return self.film is not None and bool(self.film.movie)

    @property
    def cursor(self) -> float | None:
        """The moment, s of the traces, of the frame that is looked at beside the results."""
        times = self.film.times if self.film is not None and self.looking else None
        return float(times[self.row]) if times is not None else None

    @property
    def frames(self) -> FrameRing | None:
        """The frame that is looked at, while it is not the analysed one."""
        return self.peek.ring if self.looking and self.peek is not None and self.peek.ring.head else None

    @property
    def row(self) -> int:
        """The row of the file that is on screen, or is about to be."""
        if self.peek is not None and (self.looking or self.reviewing):
            return max(self.peek.wanted, 0)
        return max(self.transport.row, 0) if self.transport is not None else 0

    @property
    def last(self) -> int:
        """The last row of the file, as far as it is known."""
        length = self.film.length if self.film is not None else None
        return max((length or 0) - 1, self.row)

    def toggle(self) -> None:
        """Play or hold; what has ended is played again, what is looked at is left for the analysis."""
        transport = self.transport
        if transport is None or transport.closed:
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
            self.look(self.row + rows * self.looking)
        elif rows == 1 and not self.looking and not transport.closed:
            transport.step()
        else:
            self.look(self.row + rows)

    def look(self, row: int) -> None:
        """Show a row of the file; the analysis is held where it stands, results show the traces of then."""
        if self.peek is None:
            return
        if self.transport is not None:
            self.transport.pause()
        self.looking = True
        self.peek.look(min(max(row, 0), self.last))
        if self.cursor is not None:
            window = self._do.settings.current.display.trace_window
            self._do.timeline.look(self.cursor + window / 2, window)

    def leave(self) -> None:
        """Show the analysed frame again, or the picture of the results."""
        self.looking = False

    def again(self) -> None:
        """Analyse the file from its beginning, with the present parameters."""
        self._from(0)

    def from_here(self) -> None:
        """Analyse the file from the row that is on screen, with the present parameters."""
        self._from(self.film.place(self.row) if self.film is not None else 0)

    def _from(self, row: int) -> None:
        film = self.film
        if film is not None and film.movie:
            self._do.connect(film.text, row, play=True)

    def results(self) -> None:
        """Show what is in the recording again."""
        if self.side is Side.REPLAY and self.film is not None:
            self._do.connect(self.film.text)

    def turn(self) -> None:
        """Go from the results of a recording to its replay, and back."""
        if self.side is Side.REPLAY:
            self.results()
        elif self.side is Side.RESULTS:
            self.again()

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
