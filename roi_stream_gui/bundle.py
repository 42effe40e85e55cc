"""Fibres proposed to the user: looked for in the background, dropped, accepted. Knows no toolkit."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from roi_stream_gui import words
from roi_stream_gui.fibres import find

if TYPE_CHECKING:
    from concurrent.futures import Future

    from roi_core.rois import Circle, RoiSet
    from roi_stream_gui.editing import Editor
    from roi_stream_gui.ground import Ground

__all__ = ["Bundle"]

log = logging.getLogger(__name__)

SMALLEST, LARGEST = 2.0, 400.0
"""Radii that can be looked for, px."""


class Bundle:
    """What the fibre finder proposes; nothing is a region before it is accepted."""

    def __init__(self, editor: Editor, ground: Ground) -> None:
        self._editor = editor
        self._ground = ground
        self.open = False
        self.proposed: tuple[Circle, ...] = ()
        self.radii: tuple[float, float] | None = None
        """Smallest and largest radius, px; None until a picture tells what is likely."""
        self._wanted = False
        self._job: Future[tuple[Circle, ...]] | None = None

    @property
    def searching(self) -> bool:
        """True until the fibres of the present picture are known."""
        return self._wanted or self._job is not None

    def begin(self) -> None:
        """Look for fibres in the mean of the frames that come now."""
        self.open = self._wanted = True

    def look(self, least: float, most: float) -> None:
        """Look again, for other radii (px)."""
        least, most = sorted(min(max(float(value), SMALLEST), LARGEST) for value in (least, most))
        self.radii = (least, max(most, least + 1))
        self._wanted = True

    def drop(self, x: float, y: float) -> bool:
        """Take the fibre at (x, y) out of the proposal; tell whether there was one."""
        hit = next((circle for circle in self.proposed if self.open and circle.contains(x, y)), None)
        if hit is not None:
            self.proposed = tuple(circle for circle in self.proposed if circle is not hit)
        return hit is not None

    def accept(self) -> None:
        """Make the proposed fibres regions, named in their order."""
        if self.proposed:
            first = _first_number(self._editor.rois)
            named = [c.with_(name=f"fiber{first + k}") for k, c in enumerate(self.proposed)]
            self._editor.add(*named, what="fibres")
        self.cancel()

    def cancel(self) -> None:
        """Forget the proposal."""
        self.open = self._wanted = False
        self.proposed, self._job = (), None

    def tick(self) -> None:
        """Start a search when there is a picture; collect what it found. Once per drawn frame."""
        picture = self._ground.pictures.get("frames")
        if self._wanted and self._job is None and picture is not None:
            self._wanted = False
            if self.radii is None:
                side = min(picture.shape)
                self.radii = max(side // 60, SMALLEST), max(side // 8, SMALLEST + 1)
            self._job = self._ground.submit(find, picture, *self.radii)
        if self._job is not None and self._job.done():
            job, self._job = self._job, None
            self._collect(job)

    def _collect(self, job: Future[tuple[Circle, ...]]) -> None:
        try:
            self.proposed = job.result()
        except Exception as error:
            log.error("looking for fibres failed: %s", error, exc_info=error)
            return
        if not self.proposed:
            log.info(words.NO_FIBRES)


def _first_number(rois: RoiSet) -> int:
    """Return the number after the highest fibre there is."""
    numbers = (re.fullmatch(r"fiber(\d+)", roi.name) for roi in rois)
    return max((int(number[1]) for number in numbers if number), default=0) + 1
