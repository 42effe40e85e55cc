"""What the hand does to the cells it has chosen: every verb can be taken back. Knows no toolkit.

A verb is carried out by the core between two frames. It becomes a step of the journal when it has happened,
not when it was asked for; one that cannot be is a sentence of the core, and no step.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from roi_core.errors import RoiError
from roi_core.hand import DEMOTED, outlined
from roi_core.snapshot import State
from roi_stream_gui import words
from roi_stream_gui.names import NAMED, names_in
from roi_stream_gui.verbs import FREEZE, THAW, VERBS
from roi_stream_gui.ways import Asked, Way, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from roi_core.afterwards import Afterwards
    from roi_core.frame import Components
    from roi_core.hand import Deed, Deeds, Hand
    from roi_core.rois import Roi
    from roi_core.session import Session
    from roi_stream_gui.controller import Controller

__all__ = ["LATER", "Keeper"]

log = logging.getLogger(__name__)

CELLS: Final = "cells"
"""Steps of the journal that end with their session: the ids of the next one are those of other cells."""


LATER: Final = frozenset({"accept", "reject", "remove", "demote"})
"""Verbs that can be done when no frames come any more."""


class Keeper:
    """Verbs on the chosen cells, and the names that cells were given."""

    def __init__(self, controller: Controller) -> None:
        self._do = controller
        self._session: Session | None = None
        self._asked: list[Asked] = []
        self._ways: list[Way] = []
        self._take: object = None
        self._told: Afterwards | None = None
        self._naming: list[tuple[Future[None], int, str, str]] = []
        """Names that go into a finished file: the answer, the cell, the name and the one before."""
        self.names: dict[int, str] = {}

    # -- verbs, each on what is chosen --------------------------------------------------------------------

    def accept(self) -> None:
        """Take the chosen components for cells."""
        self._each("accept", lambda hand, ids: hand.accept(ids))

    def reject(self) -> None:
        """Take the chosen components for no cells."""
        self._each("reject", lambda hand, ids: hand.reject(ids))

    def automatic(self) -> None:
        """Let the thresholds judge the chosen components again."""
        self._each("automatic", lambda hand, ids: hand.automatic(ids))

    def merge(self) -> None:
        """Make one cell of the chosen ones, under the id of the oldest; one that has a name goes before."""

        def verb(hand: Hand, ids: tuple[int, ...]) -> Deeds:
            return hand.merge(sorted(ids, key=lambda cell: (cell not in self.names, cell)))

        self._each("merge", verb, least=2)

    def split(self) -> None:
        """Divide each of the chosen cells in two."""
        self._each("split", lambda hand, ids: sum((hand.split(cell) for cell in ids), ()), self._choose_made)

    def remove(self) -> None:
        """Remove the chosen components."""
        self._each("remove", lambda hand, ids: hand.remove(ids))

    def hold(self) -> None:
        """Freeze the shapes of the chosen cells, or thaw them when all are frozen."""
        frozen = self.all_frozen()
        word = THAW if frozen else FREEZE
        self._each("hold", lambda hand, ids: hand.thaw(ids) if frozen else hand.freeze(ids), word=word)

    def delete(self) -> None:
        """Delete the selected regions; when none is selected, the chosen cells."""
        if self._do.editor.selection or not self._do.cells.chosen:
            self._do.editor.delete()
        else:
            self.remove()

    def promote(self, rois: Iterable[Roi] | None = None) -> None:
        """Make cells of regions, of the selected ones when none are named."""
        rois = tuple(self._do.editor.selected() if rois is None else rois)
        hand = self._hand("promote")
        if not rois or hand is None:
            log.warning(words.SELECT_REGION if not rois else self.why_not("promote"))
            return
        deeds: Deeds = sum((hand.promote(roi) for roi in rois), ())
        names = words.short(", ".join(roi.name for roi in rois), 60)
        self._ask(VERBS["promote"].word, deeds, self._choose_made, names)

    def demote(self) -> None:
        """Make fixed regions of the chosen cells, which are cells no more."""
        hand, components = self._hand("demote"), self._components()
        if hand is None or not self._do.cells.chosen:
            log.warning(words.CHOOSE_CELL if hand else self.why_not())
            return
        regions: dict[Deed, Roi] = {}
        for cell in self._do.cells.chosen:
            try:
                roi = outlined(components, cell)
            except RoiError as error:
                log.warning("%s", error)
                continue
            roi = roi.with_(name=self.names.get(cell, roi.name))
            regions |= dict.fromkeys(hand.remove(cell, DEMOTED.format(roi.name)), roi)
        word = VERBS["demote"].word
        self._ask(word, tuple(regions), lambda done: self._draw([regions[deed] for deed in done]))

    def rename(self, cell: int, name: str) -> None:
        """Give a cell a name, or take it away when it is empty; the recording is told."""
        old, new = self.names.get(cell, ""), name.strip()
        if old != new:
            self._name(cell, new)
            self._do.journal.push(
                "name a cell",
                lambda: self._name(cell, old),
                lambda: self._name(cell, new),
                CELLS,
                f"cell {cell}",
            )

    # -- what is known ------------------------------------------------------------------------------------

    def label(self, cell: int) -> str:
        """Return what a cell is called: its name, or its id."""
        return self.names.get(cell) or str(cell)

    def why_not(self, verb: str = "accept") -> str:
        """Return why a verb of this class cannot be done now, and what to do about it; '' when it can."""
        session = self._do.session
        if session is None or self._components() is None:
            return words.NO_CELL_FINDING
        if session.state is State.RUNNING:
            return ""
        if session.state is not State.FINISHED:
            return words.CELLS_CLOSING
        return "" if verb in LATER else words.CELLS_ENDED

    def all_frozen(self) -> bool:
        """Tell whether the shapes of all chosen cells are held."""
        components, chosen = self._components(), self._do.cells.chosen
        return components is not None and bool(chosen) and components.frozen.issuperset(chosen)

    # -- once per drawn frame -----------------------------------------------------------------------------

    def tick(self) -> None:
        """Make steps of the journal of what has happened since the last look."""
        if self._do.session is not self._session:
            self._session = self._do.session
            self._asked, self._naming, self._take = [], [], None
            self._ways.clear()
            self.names = self._told_names()
            self._do.journal.waiting.clear()
            self._do.journal.forget(CELLS)
            self._do.cells.click(None)
        for asked in [one for one in self._asked if all(deed.done() for deed in one.deeds)]:
            self._asked.remove(asked)
            self._take_in(asked)
        for way in [one for one in reversed(self._ways) if not one.waits]:  # the last one went back first
            self._ways.remove(way)
            self._settle(way)
        for naming in [one for one in self._naming if one[0].done()]:
            self._naming.remove(naming)
            self._take_name_in(*naming)
        self._tell_names()

    def _ask(
        self, what: str, deeds: Deeds, follow: Callable[[tuple[Deed, ...]], object], whom: str = ""
    ) -> None:
        """Wait for deeds; they are done to the chosen cells unless `whom` tells of others."""
        cells = words.short(", ".join(map(str, self._do.cells.chosen)), 60)
        asked = Asked(what, deeds, follow, whom or f"cell {cells}")
        self._asked.append(asked)
        self._do.journal.waiting.append((what, asked.call_off))

    def _take_in(self, asked: Asked) -> None:
        """Make a step of what has happened of a verb; take it back at once when it was called off."""
        journal = self._do.journal
        journal.waiting = [one for one in journal.waiting if one[1] != asked.call_off]
        done = tuple(deed for deed in asked.deeds if not failed(deed))
        if not done or self._session is None:
            return
        self._tell_where(self._session.cells.afterwards)
        way = Way(asked.what, self._session.cells, done, self._ways)
        with journal.as_one(asked.what, asked.whom):
            asked.follow(done)
            journal.push(way.what, way.back, way.forth, CELLS)
        if asked.unwanted:
            journal.take_back()

    def _tell_where(self, afterwards: Afterwards | None) -> None:
        """Say once where verdicts go when no frames come any more."""
        if afterwards is not None and afterwards is not self._told:
            self._told = afterwards
            files = ", ".join(path.name for path in afterwards.files())
            log.info(words.JUDGED_INTO.format(files) if files else words.JUDGED_NOWHERE)

    def _settle(self, way: Way) -> None:
        """Put a step where it belongs: what was refused has not happened and can be tried again."""
        journal = self._do.journal
        if not journal.place(way.back, way.done) and way.done:
            journal.push(way.what, way.back, way.forth, CELLS)

    def _tell_names(self) -> None:
        """Tell a recording that begins what cells are called."""
        recording = self._do.now.recording if self._do.now is not None else None
        path = recording.path if recording is not None else None
        if path != self._take:
            self._take = path
            for cell, name in self.names.items() if path is not None else ():
                self._tell_name(cell, name)

    # -- how ----------------------------------------------------------------------------------------------

    def _each(
        self,
        name: str,
        verb: Callable[[Hand, tuple[int, ...]], Deeds],
        follow: Callable[[tuple[Deed, ...]], object] = lambda _done: None,
        least: int = 1,
        word: str = "",
    ) -> None:
        """Do a verb of `VERBS` to the chosen cells; `word`: what it is called this time."""
        hand, chosen = self._hand(name), self._do.cells.chosen
        if hand is None:
            log.warning(self.why_not(name))
        elif len(chosen) < least:
            log.warning(words.CHOOSE_CELL if least == 1 else words.CHOOSE_CELLS)
        else:
            self._ask(word or VERBS[name].word, verb(hand, chosen), follow)

    def _hand(self, verb: str) -> Hand | None:
        """Return the hand of the session, if it can do that now."""
        session = self._do.session
        return session.cells if session is not None and not self.why_not(verb) else None

    def _components(self) -> Components | None:
        session = self._do.session
        activity = session.snapshot().activity if session is not None else None
        return activity.components if activity is not None else None

    def _choose_made(self, done: tuple[Deed, ...]) -> None:
        """Choose the components that were made as well as those they were made of."""
        made = [memo.id for deed in done for memo in deed.result().memos]
        self._do.cells.choose(sorted(made))

    def _draw(self, rois: list[Roi]) -> None:
        self._do.editor.add(*rois, what=VERBS["demote"].word)

    def _name(self, cell: int, name: str) -> None:
        before = self.names.get(cell, "")
        self._call(cell, name)
        answer = self._tell_name(cell, name)
        if answer is not None:
            self._naming.append((answer, cell, name, before))

    def _call(self, cell: int, name: str) -> None:
        others = {known: called for known, called in self.names.items() if known != cell}
        self.names = {**others, cell: name} if name else others

    def _take_name_in(self, answer: Future[None], cell: int, name: str, before: str) -> None:
        """Say where a name went; one that could not be written is not what the cell is called."""
        if answer.cancelled() or answer.exception() is not None:
            if self.names.get(cell, "") == name:
                self._call(cell, before)
        elif self._session is not None:
            self._tell_where(self._session.cells.afterwards)

    def _tell_name(self, cell: int, name: str) -> Future[None] | None:
        session = self._do.session
        return None if session is None else session.tell(NAMED, {"id": cell, "name": name})

    def _told_names(self) -> dict[int, str]:
        """Return the names that the events of the session tell: those of a recording that is looked at."""
        return names_in(self._session.snapshot().diary.since(0)[1]) if self._session is not None else {}
