"""Any frame of a file, read beside the analysis. Knows no toolkit."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from roi_core.errors import RecordingError
from roi_core.gray import to_uint16_gray
from roi_core.ring import FrameRing
from roi_core.settings import LiveSettings, Settings
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.frame import Frame
    from roi_core.sources import Source
    from roi_stream_gui.film import Film

    Opener = Callable[..., Source]

__all__ = ["Peek"]

log = logging.getLogger(__name__)


class Peek:
    """Any frame of a file, read on a thread of its own; of several wishes the last one counts.

    A file that is written into meanwhile (``film.shared``) is open only while a frame is read.
    """

    def __init__(self, opener: Opener, shape: tuple[int, int], settings: LiveSettings, film: Film) -> None:
        self.ring = FrameRing(3, shape)
        self.wanted = self.shown = -1
        self.time = 0.0
        self._opener, self._settings, self._film = opener, settings, film
        self._source: Any = None
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="peek")
        self._reading: Future[bool] | None = None

    def look(self, row: int) -> None:
        """Wish for a row."""
        self.wanted = row
        self.tick()

    def tick(self) -> None:
        """Collect what was read, and have the newest wish read next."""
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            error = reading.exception()
            if error is not None:
                log.error(words.NOT_SHOWN.format(self.shown, error))
        if self._reading is None and self.wanted != self.shown:
            self.shown = self.wanted
            self._reading = self._helper.submit(self._read, self.wanted)

    def close(self) -> None:
        """Close the file when it is not read any more; does not wait."""
        if self.wanted >= 0:  # else nothing was ever opened, nor a thread begun
            self._helper.submit(self._close)
        self._helper.shutdown(wait=False)

    def _read(self, row: int) -> bool:
        if self._source is None:
            # what a file ignores of the settings was told when it was opened, and so were its channels
            plain = Settings().with_value("camera.rate", self._settings.current.camera.rate)
            plain = plain.with_value("channels.order", "one,other")
            self._source = self._opener(LiveSettings(plain), realtime=False)
        try:
            return self._show(row)
        finally:
            if self._film.shared:
                self._close()

    def _show(self, row: int) -> bool:
        if not hasattr(self._source, "at"):
            raise RecordingError("frames of this kind of file can only be played")
        place = self._film.place(row)
        frame: Frame | None = self._source.at(place)
        if frame is not None:
            if self._film.places is not None and frame.index != place:
                raise RecordingError(words.OTHER_FRAMES.format(self._film.movie))
            limits = self._settings.current.camera.input_range
            to_uint16_gray(frame.image, out=self.ring.claim(), input_range=limits)
            self.ring.publish(frame.index, frame.time)
            self.time = frame.time
        return frame is not None

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
