"""Recordings: named, begun, timed, noted, marked and ended. Knows no toolkit."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.errors import RoiError
from roi_core.paths import is_there, recordings
from roi_core.session import State
from roi_stream_gui import words
from roi_stream_gui.filing import said
from roi_stream_gui.health import only_times, stalled

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.session import Session, Snapshot
    from roi_core.settings import LiveSettings
    from roi_core.status import TakeStatus
    from roi_stream_gui.recovery import Recovery

__all__ = ["Taking", "length_of"]

log = logging.getLogger(__name__)

REFUSED: Final = frozenset('/\\:*?"<>|')
"""What some system does not allow in a file name."""
LONGEST: Final = 100
"""Letters of a name."""
SHOWN: Final = 20
"""Letters of a longer one that are told."""
UNITS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}
MOST: Final = 1e6
"""Seconds that a recording may be asked to last."""


class Taking:
    """Starts and ends recordings of whatever session there is; a refusal is a sentence in the messages."""

    def __init__(
        self,
        settings: LiveSettings,
        session: Callable[[], Session | None],
        recovery: Recovery,
        remember: Callable[[Path], object] = lambda _path: None,
    ) -> None:
        self.name = ""
        """What the next recording is called; empty stands for the date."""
        self.length: float | None = None
        """Seconds after which a recording ends by itself; None: only by hand."""
        self._settings = settings
        self._session = session
        self._recovery = recovery
        self._remember = remember
        self._on = False
        self._untold = self._asked = False
        self._marked: set[Path] = set()
        self._told: set[Path] = set()
        self._began = self._ended = 0.0
        self._silent: float | None = None
        """When the last frame came, while a camera has stalled: then no rows come, and the clock stands."""
        self._played: float | None = None
        """Seconds of data taken from a file, which may be played at any speed."""

    # -- the verbs ----------------------------------------------------------------------------------------

    def start(self, path: Path | None = None) -> None:
        """Start a recording, by default in the folder of recordings under its name.

        The file is opened in the background, for its disk may be slow; `follow` tells how that went.
        """
        session = self._session()
        if session is None or session.state is not State.RUNNING:
            log.warning(words.CONNECT_FIRST)
            return
        self.follow(session.snapshot())  # of those before, for not all of them will be known afterwards
        try:
            session.record(path or self.target(), length=self.length, wait=False)
        except RoiError as error:
            log.error("not recording: %s", said(error))
        else:
            self._on = self._asked = True
            self._untold = False
            self._marked.clear()
            self._began, self._played = time.monotonic(), None

    def stop(self, why: str = "") -> None:
        """End the recording; the file, which tells why, is finished in the background."""
        session = self._session()
        if session is not None and self.on:
            self._on, self._ended = False, self._clock()
            session.stop_recording(wait=False, detail=why)

    def note(self, text: str) -> None:
        """Write a note into the recording."""
        text = text.strip()
        session = self._session()
        if not text:
            return
        if session is None or not self.on:
            log.warning(words.NOTE_LOST)
            return
        session.note(text)
        log.info("note: %s", text)

    def mark(self) -> None:
        """Put a numbered marker into the recording."""
        session = self._session()
        if session is None or not self.on:
            log.warning(words.MARK_LOST)
            return
        log.info("marker %d at %s", session.mark(), words.clock(self.seconds))

    def call(self, name: str) -> bool:
        """Give the next recording a name, or '' for the date; a refusal is told and changes nothing."""
        name = name.strip().removesuffix(".h5").strip()
        bad = sorted({letter for letter in name if letter in REFUSED or not letter.isprintable()})
        if bad or name.startswith("."):
            log.warning(words.NO_NAME, words.short(name, LONGEST))
            return False
        if len(name) > LONGEST:
            log.warning(words.LONG_NAME, LONGEST, words.short(name, SHOWN), len(name))
            return False
        self.name = name
        return True

    def last(self, text: str) -> bool:
        """Have recordings end after a time such as ``30:00`` or ``90 s``; '' for only by hand."""
        try:
            length = length_of(text)
        except ValueError:
            log.warning(words.NO_LENGTH, text.strip())
            return False
        session = self._session()
        if session is not None and self.on:
            if length is not None and length <= self.seconds:
                log.warning(words.TOO_SHORT, words.clock(self.seconds))
                return False
            session.stop_after(length)
        self.length = length
        return True

    # -- what holds ---------------------------------------------------------------------------------------

    @property
    def on(self) -> bool:
        """Whether rows are being added to a file."""
        session = self._session()
        return session is not None and self.is_on(session.snapshot())

    def is_on(self, snapshot: Snapshot) -> bool:
        """Tell whether rows were being added to a file at that moment."""
        take = snapshot.recording
        alive = take is not None and not take.failed and not take.ended
        return self._on and alive and snapshot.state is State.RUNNING

    @property
    def seconds(self) -> float:
        """Seconds from pressing Record to now, or to the end of that recording; of a file, those recorded.

        In a stall they stand still; the first frame afterwards brings them to where its time is.
        """
        if self._played is not None:
            return self._played
        return max((self._clock() if self._on else self._ended) - self._began, 0.0)

    @property
    def folder(self) -> Path:
        """Where recordings go."""
        return recordings(self._settings.current.recorder.folder)

    def target(self) -> Path:
        """Return the file of the next recording; the recorder gives it a suffix when it is taken."""
        return self.folder / f"{self.name or time.strftime('%Y-%m-%d_%H-%M-%S')}.h5"

    def proposal(self, name: str) -> Path:
        """Return a path for a new file there: `name`, or ``name_2`` ... when it is taken."""
        first = path = self.folder / name
        number = 1
        while is_there(path):
            number += 1
            path = first.with_stem(f"{first.stem}_{number}")
        return path

    # -- once per drawn frame, and at the end of a session --------------------------------------------------

    def follow(self, snapshot: Snapshot) -> None:
        """Notice that a recording ended by itself; tell what is in the file once it is finished."""
        on = self.is_on(snapshot)
        self._silent = time.monotonic() - snapshot.silence if on and stalled(snapshot) else None
        if self._on and not on:
            self._on, self._ended = False, self._clock()
        for earlier in snapshot.earlier:  # another was begun before they were finished
            if not earlier.closing and earlier.path not in self._told:
                self._conclude(earlier, on)
        take = snapshot.recording
        if take is None:
            return
        if self._asked and not take.opening:
            self._asked, self._untold = False, not take.refused
            if take.refused:
                log.error("not recording: %s", take.failed)
            else:
                log.info("recording to %s%s", take.path, self._until())
                if only_times(self._settings.current, snapshot.rois):
                    log.warning(words.ONLY_TIMES)
        if not snapshot.live and (on or self._untold):
            self._played = take.seconds
        if self._untold:
            self._tell(take, on)

    def _clock(self) -> float:
        """Return the moment up to which is recorded, by `time.monotonic`."""
        return time.monotonic() if self._silent is None else self._silent

    def _tell(self, take: TakeStatus, on: bool) -> None:
        """Keep a mark of every file for a crash; once the last is finished tell what is in them."""
        for path in take.parts:
            if path not in self._marked:
                self._marked.add(path)
                self._recovery.begin(path)
                if path != take.path:
                    log.info("the recording goes on in %s", path)
        if not on and not take.closing:
            self._untold = False
            self._conclude(take, on)

    def _conclude(self, take: TakeStatus, on: bool) -> None:
        """Tell what is in a recording that is finished, while another one is `on` or not."""
        self._told.add(take.path)
        if take.refused:
            log.error("not recording: %s", take.failed)
            return
        session = self._session()
        if not on and (session is None or not session.closing):
            self._recovery.end()
        for path in take.parts:
            self._remember(path)
        rows, span = take.safe if take.failed else take.rows, words.clock(take.seconds)
        more = len(take.parts) - 1
        files = f" and {more} more part{'s' * (more > 1)}" if more else ""
        log.info("recorded %d rows (%s) to %s%s", rows, span, take.path, files)

    def _until(self) -> str:
        return "" if self.length is None else f", for {words.clock(self.length)}"


def length_of(text: str) -> float | None:
    """Read ``mm:ss``, ``h:mm:ss`` or a number with s, min or h as seconds; '' is None, nonsense an error."""
    text = text.strip().lower()
    if not text:
        return None
    if clock := re.fullmatch(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]\d)", text, re.ASCII):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        length = 3600.0 * hours + 60 * minutes + seconds
    elif number := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|min|h)", text, re.ASCII):
        length = float(number[1]) * UNITS[number[2]]
    else:
        raise ValueError(text)
    if not 0 < length <= MOST:
        raise ValueError(text)
    return length
