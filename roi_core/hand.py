"""The user's hand on the cells of a session: verbs and questions, from any thread, never an exception.

A verb is carried out between two frames and told as an event in the recording; one that cannot be is told
in a sentence, as a warning.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from roi_core.errors import ComponentError, RoiError, RoiGeometryError, sentence
from roi_core.frame import Foresight, Order, Verb
from roi_core.rois import Circle, Polygon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from roi_core.board import Board
    from roi_core.errands import Errands
    from roi_core.frame import Components
    from roi_core.rois import Roi
    from roi_core.settings import Settings
    from roi_core.stages import Finding

__all__ = ["Hand", "outlined"]

log = logging.getLogger(__name__)

INSIDE: Final = 0.2
"""Share of a footprint's peak down to which a pixel belongs to the cell."""


class Hand:
    """What may be done to components; `draw` makes a region one of the session's and returns it."""

    def __init__(self, errands: Errands[Finding], board: Board, draw: Callable[[Roi], Roi]) -> None:
        self._errands = errands
        self._board = board
        self._draw = draw

    def accept(self, ids: Iterable[int]) -> None:
        """Take components for cells, whatever the thresholds say."""
        self._each(Verb.ACCEPT, ids)

    def reject(self, ids: Iterable[int]) -> None:
        """Take components for no cells; they keep their places, so that they are not found again."""
        self._each(Verb.REJECT, ids)

    def automatic(self, ids: Iterable[int]) -> None:
        """Let the thresholds judge components again."""
        self._each(Verb.AUTOMATIC, ids)

    def remove(self, ids: Iterable[int]) -> None:
        """Remove components; what is found at their places later is a new one."""
        self._each(Verb.REMOVE, ids)

    def freeze(self, ids: Iterable[int]) -> None:
        """Keep the footprints of components as they are."""
        self._each(Verb.FREEZE, ids)

    def thaw(self, ids: Iterable[int]) -> None:
        """Let the footprints of components follow the data again."""
        self._each(Verb.THAW, ids)

    def merge(self, ids: Iterable[int]) -> None:
        """Make one component of two or more, under the id of the first."""
        self._order(Order(Verb.MERGE, tuple(ids)))

    def split(self, cell: int) -> None:
        """Divide a component in two along its length; the part that is told as born has a new id."""
        self._order(Order(Verb.SPLIT, (cell,)))

    def promote(self, roi: Roi) -> None:
        """Make a drawn region a component, whose footprint follows the data from there."""
        self._order(Order(Verb.PROMOTE, roi=roi))

    def demote(self, ids: Iterable[int]) -> tuple[Roi, ...]:
        """Make fixed regions of components, which are removed; return the regions, now the session's."""
        activity, drawn = self._board.activity, []
        for cell in ids:
            try:
                roi = self._draw(outlined(None if activity is None else activity.components, cell))
            except RoiError as error:
                log.warning("%s", sentence(error))
                continue
            drawn.append(roi)
            self._order(Order(Verb.REMOVE, (cell,), why=f"it is region {roi.name!r} now"))
        return tuple(drawn)

    def what_if(self, settings: Settings, timeout: float = 2.0) -> Foresight:
        """Return what the components would be, and what would be found, with other settings.

        Nothing is applied. Waits for the next frame, but no longer than `timeout` s.
        """
        future = self._errands.ask(lambda finder, _: finder.what_if(settings))
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            return Foresight(silent=f"no frame came within {timeout:g} s")
        except Exception as error:
            return Foresight(silent=sentence(error))

    def _each(self, verb: Verb, ids: Iterable[int]) -> None:
        for cell in ids:
            self._order(Order(verb, (cell,)))

    def _order(self, order: Order) -> None:
        future = self._errands.ask(lambda finder, row: finder.obey(order, row))
        future.add_done_callback(lambda done: _complain(order, done))


def _complain(order: Order, done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        what = f"region {order.roi.name!r}" if order.roi else ", ".join(map(str, order.ids))
        log.warning("%s %s: %s", order.verb, what, sentence(error))


def outlined(components: Components | None, cell: int) -> Roi:
    """Return a region of the pixels of a component, without its holes and islands."""
    mask = _mask(components, cell)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = max(contours, key=cv2.contourArea)[:, 0].astype(float)
    try:
        return Polygon(tuple(map(tuple, points.tolist())), name=f"cell{cell}")
    except RoiGeometryError:  # a few pixels in a line enclose nothing
        (x, y), radius = cv2.minEnclosingCircle(points.astype(np.float32))
        return Circle(float(x), float(y), max(float(radius), 0.5), name=f"cell{cell}")


def _mask(components: Components | None, cell: int) -> Any:
    """Return the (H, W) uint8 mask of a component."""
    if components is not None:
        for k in np.flatnonzero(components.ids == cell).tolist():
            column = slice(components.indptr[k], components.indptr[k + 1])
            weights = components.data[column]
            if weights.size:
                mask = np.zeros(components.shape, np.uint8)
                mask.reshape(-1)[components.indices[column][weights > INSIDE * weights.max()]] = 1
                return mask
    raise ComponentError(f"there is no component {cell} to make a region of")
