"""The user's hand on the cells of a session: verbs and questions, from any thread, never an exception.

A verb is carried out between two frames and told as an event in the recording; one that cannot be is told
in a sentence, as a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roi_core.errors import ComponentError, RoiError, sentence
from roi_core.frame import Foresight, Order, Verb
from roi_core.rois import KINDS
from roi_core.rois.outline import outline
from roi_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_core.afterwards import Afterwards
    from roi_core.board import Board
    from roi_core.errands import Errands
    from roi_core.frame import Components
    from roi_core.rois import Roi
    from roi_core.stages import Finding

__all__ = ["DEMOTED", "Deed", "Deeds", "Hand", "outlined"]

log = logging.getLogger(__name__)

Ids = int | Iterable[int]
"""One component or several."""
Deed = Future[Order]
"""Something done, or to be done, to a component: its result is the order that takes it back."""
Deeds = tuple[Deed, ...]
DEMOTED: Final = "it is region {!r} now"
"""Why one that was demoted is no more."""
INSIDE: Final = 0.2
"""Share of a footprint's peak down to which a pixel belongs to the cell."""


class Hand:
    """What may be done to components; `draw` makes a region one of the session's.

    Every verb answers at once with its deeds, one a component: each is a future that the worker keeps, and
    that `undo` takes. When the session has ended, `Afterwards` does what needs no frames.
    """

    def __init__(self, errands: Errands[Finding], board: Board, draw: Callable[[Roi], object]) -> None:
        self._errands = errands
        self._board = board
        self._draw = draw
        self.afterwards: Afterwards | None = None
        """Who answers when the session has ended."""

    def accept(self, ids: Ids) -> Deeds:
        """Take components for cells, whatever the thresholds say."""
        return self._each(Verb.ACCEPT, ids)

    def reject(self, ids: Ids) -> Deeds:
        """Take components for no cells; they stay in sight, and may be accepted later."""
        return self._each(Verb.REJECT, ids)

    def automatic(self, ids: Ids) -> Deeds:
        """Let the thresholds judge components again."""
        return self._each(Verb.AUTOMATIC, ids)

    def remove(self, ids: Ids, why: str = "by hand") -> Deeds:
        """Remove components; nothing is found at their places later, unless they are put back."""
        return self._each(Verb.REMOVE, ids, why)

    def freeze(self, ids: Ids) -> Deeds:
        """Keep the footprints of components as they are."""
        return self._each(Verb.FREEZE, ids)

    def thaw(self, ids: Ids) -> Deeds:
        """Let the footprints of components follow the data again."""
        return self._each(Verb.THAW, ids)

    def merge(self, ids: Ids) -> Deeds:
        """Make one component of two or more, under the id of the first."""
        known = _numbers(Verb.MERGE, ids)
        return () if known is None else (self._order(Order(Verb.MERGE, known)),)

    def split(self, cell: int) -> Deeds:
        """Divide a component in two along its length; the part that is told as born has a new id."""
        return self._each(Verb.SPLIT, cell)

    def promote(self, roi: Roi) -> Deeds:
        """Make a drawn region a component, whose footprint follows the data from there."""
        if not isinstance(roi, tuple(KINDS.values())):
            log.warning("%s: %r is no region", Verb.PROMOTE, roi)
            return ()
        return (self._order(Order(Verb.PROMOTE, roi=roi)),)

    def demote(self, ids: Ids) -> Deeds:
        """Remove components; each that is gone becomes a fixed region, as it is seen now."""
        activity, deeds = self._board.activity, []
        for cell in dict.fromkeys(_numbers("demote", ids) or ()):
            try:
                roi = outlined(None if activity is None else activity.components, cell)
            except RoiError as error:
                log.warning("%s", sentence(error))
                continue
            order = Order(Verb.REMOVE, (cell,), why=DEMOTED.format(roi.name))
            deeds.append(self._order(order, partial(self._draw, roi)))
        return tuple(deeds)

    def undo(self, deed: Deed) -> Deed:
        """Take back what a verb did, also one that is still to be done; to undo this is to do it again."""
        return self._ask(lambda finder, row: finder.obey(deed.result(0), row), "undo")

    def what_if(self, settings: Settings, timeout: float = 2.0) -> Foresight:
        """Return what the components would be, and what would be found, with other settings.

        Nothing is applied. Waits for the next frame, but no longer than `timeout` s.
        """
        if not isinstance(settings, Settings):
            return Foresight(silent=f"{settings!r} is no Settings")
        if self.afterwards is not None:
            return self.afterwards.what_if(settings)
        future = self._errands.ask(lambda finder, _: finder.what_if(settings))
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            return Foresight(silent=f"no frame came within {timeout:g} s")
        except Exception as error:
            return Foresight(silent=sentence(error))

    def _each(self, verb: Verb, ids: Ids, why: str = "by hand") -> Deeds:
        return tuple(self._order(Order(verb, (cell,), why=why)) for cell in _numbers(verb, ids) or ())

    def _order(self, order: Order, then: Callable[[], object] | None = None) -> Deed:
        about = f"region {order.roi.name!r}" if order.roi else ", ".join(map(str, order.ids))
        return self._ask(lambda finder, row: finder.obey(order, row), f"{order.verb} {about}".strip(), then)

    def _ask(
        self, work: Callable[[Finding, int], Order], what: str, then: Callable[[], object] | None = None
    ) -> Deed:
        deed = self.afterwards.ask(work) if self.afterwards is not None else self._errands.ask(work)
        deed.add_done_callback(lambda done: _answered(what, done, then))
        return deed


def _numbers(verb: str, ids: Ids) -> tuple[int, ...] | None:
    """Return one id or several as numbers; None, and a warning, when there are others than numbers."""
    try:
        return tuple(index(cell) for cell in (ids if isinstance(ids, Iterable) else (ids,)))
    except TypeError:
        log.warning("%s: %r is no id of a component, nor a list of them", verb, ids)
        return None


def _answered(what: str, done: Deed, then: Callable[[], object] | None) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.warning("%s: %s", what, sentence(error))
    elif then is not None and not done.cancelled():
        then()


def outlined(components: Components | None, cell: int) -> Roi:
    """Return a region of the pixels of a component, without its holes and islands."""
    return outline(_mask(components, cell), f"cell{cell}")


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
