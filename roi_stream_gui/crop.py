"""The part of the picture that is analysed, drawn by hand. Knows no toolkit.

A crop cannot change under a running analysis, so one that is drawn meanwhile waits for the next connection.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from roi_core.errors import SettingsError
from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roi_core.settings import LiveSettings

    Rectangle = tuple[int, int, int, int]

__all__ = ["LEAST", "Crop"]

log = logging.getLogger(__name__)

LEAST: Final = 16
"""px; a smaller rectangle is a slip of the hand."""


class Crop:
    """The rectangle in force, the one that waits, and the one under the pen; (x, y, width, height) px."""

    path: ClassVar = "prepare.crop"
    """The setting it becomes."""
    said: ClassVar = words.CROP_DRAW
    """What is said when the tool is taken up."""

    def __init__(self, settings: LiveSettings) -> None:
        self.armed = False
        """True while the next drag on the picture draws the crop."""
        self.size = (0, 0)
        """(W, H) of the picture drawn on."""
        self._settings = settings
        self._waiting: str | None = None
        self._start: tuple[float, float] | None = None
        self._end = (0.0, 0.0)

    @property
    def busy(self) -> bool:
        """True while the rectangle is dragged."""
        return self._start is not None

    @property
    def waits(self) -> bool:
        """True while another crop than the present one waits for the next connection."""
        return self._waiting is not None

    @property
    def shown(self) -> Rectangle | None:
        """The rectangle to draw: the one under the pen, the one that waits, or the one in force."""
        if self._start is not None:
            return _rectangle(self._start, self._end, self.size)
        return _read(self._present() if self._waiting is None else self._waiting)

    def take(self) -> None:
        """Take up the tool, or put it away."""
        self.armed, self._start = not self.armed, None
        if self.armed:
            log.info(self.said)

    def cancel(self) -> bool:
        """Drop the rectangle being dragged, and the tool; return whether it was in hand."""
        was, self.armed, self._start = self.armed, False, None
        return was

    def press(self, x: float, y: float) -> None:
        """Begin a rectangle at an image point."""
        self._start = self._end = (x, y)

    def move(self, x: float, y: float) -> None:
        """Follow the mouse."""
        self._end = (x, y)

    def release(self, x: float, y: float) -> None:
        """End the rectangle: what of it lies on the picture becomes the crop."""
        if self._start is None:
            return
        rectangle = _rectangle(self._start, (x, y), self.size)
        self.cancel()
        if rectangle is None or min(rectangle[2:]) < LEAST:
            log.warning(words.CROP_SMALL.format(LEAST, LEAST))
        else:
            self._set(",".join(map(str, rectangle)))

    def remove(self) -> None:
        """Analyse the whole picture again."""
        self.cancel()
        self._set("")

    def settle(self) -> None:
        """Put the crop that waits in force; called between two sessions, on any thread.

        One that is refused is told and forgotten: it must not keep a source from opening.
        """
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._put(self._wish(waiting))

    @contextmanager
    def follow(self, change: Callable[[Rectangle], Rectangle | None]) -> Iterator[None]:
        """Let the crop in force stay on the same cells of a picture that is about to come.

        Should that fail, the crop is where it was.
        """
        before = self._present()
        now = _read(before)
        text = ",".join(map(str, change(now) or ())) if now else ""
        moved = text != before and self._put(text)
        try:
            yield
        except BaseException:
            if moved:
                self._put(before)
            raise
        if moved:
            log.info("%s", _told(text))

    def _put(self, text: str) -> bool:
        """Change the setting; a refusal is told and changes nothing."""
        try:
            self._settings.edit(self.path, text)
        except SettingsError as error:
            log.warning("%s", error)
            return False
        return True

    def _present(self) -> str:
        """Return the setting in force."""
        return self._settings.current.prepare.crop

    def _wish(self, text: str) -> str:
        """Return the setting that stands for what was drawn."""
        return text

    def _set(self, text: str) -> None:
        self._waiting = None
        if text == self._present():
            return
        later = ""
        try:
            self._settings.edit(self.path, text)
        except SettingsError:  # frames flow
            self._waiting, later = text, words.CROP_WAITS
        log.info("%s%s", later, _told(text))


def _read(text: str) -> Rectangle | None:
    """Return the rectangle that a setting holds; None where it is empty, or a word."""
    x, _, rest = text.partition(",")
    if not rest:
        return None
    y, w, h = map(int, rest.split(","))
    return int(x), y, w, h


def _told(text: str) -> str:
    if not text:
        return words.CROP_GONE
    x, y, w, h = text.split(",")
    return words.CROP_SET.format(w, h, x, y)


def _rectangle(
    start: tuple[float, float], end: tuple[float, float], size: tuple[int, int]
) -> Rectangle | None:
    """Return the whole pixels between two points, inside the picture."""
    x0, x1 = sorted(min(max(round(p[0]), 0), size[0]) for p in (start, end))
    y0, y1 = sorted(min(max(round(p[1]), 0), size[1]) for p in (start, end))
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None
