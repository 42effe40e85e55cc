"""The regions under the user's hands: what is selected, changed, copied, undone. Knows no toolkit.

The set itself is immutable, so a step of the journal is a set and costs nothing. A refused edit is said in
the message list and changes nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roi_core.errors import RoiError
from roi_core.rois import UNCOLOURED, RoiSet
from roi_stream_gui import words
from roi_stream_gui.geometry import brought_in, outside, rounded, turned
from roi_stream_gui.grouping import companions, fresh_number, regrouped
from roi_stream_gui.undo import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from roi_core.rois import Roi

__all__ = ["Editor"]

log = logging.getLogger(__name__)

PASTE_SHIFT = 8.0
"""px by which a pasted copy lies beside its original."""


class Editor:
    """The present set of regions and the way back to earlier ones."""

    def __init__(self, rois: RoiSet | None = None, journal: Journal | None = None) -> None:
        self.rois = rois if rois is not None else RoiSet()
        self.journal = journal or Journal()
        self.picture: tuple[int, int] | None = None
        """(W, H) of the picture drawn on."""
        self.selection: tuple[int, ...] = ()
        self.hidden: frozenset[int] = frozenset()
        """Ids of the regions that are measured but not drawn."""
        self._copied: tuple[Roi, ...] = ()
        self._pasted = 0
        self._latest: dict[int, int] = {}

    # -- selecting ----------------------------------------------------------------------------------------

    def get(self, roi_id: int) -> Roi | None:
        """Return the region with this id, if there is one."""
        return self.rois[roi_id] if roi_id in self.rois else None

    def selected(self) -> tuple[Roi, ...]:
        """Return the selected regions in their order."""
        return tuple(roi for roi in self.rois if roi.id in self.selection)

    def at(self, x: float, y: float) -> Roi | None:
        """Return the topmost region drawn at (x, y) px, None where there is none."""
        shown = (roi for roi in reversed(tuple(self.rois)) if roi.id not in self.hidden)
        return next((roi for roi in shown if roi.contains(x, y)), None)

    def select(self, *ids: int) -> None:
        """Select these and those grouped with them, and nothing else; the one named last stays last."""
        named = tuple(i for i in dict.fromkeys(ids) if i in self.rois)
        self.selection = (*(i for i in companions(self.rois, named) if i not in named), *named)

    def toggle(self, roi_id: int) -> None:
        """Add one and its group to the selection, or take them out."""
        together = companions(self.rois, [roi_id])
        others = tuple(i for i in self.selection if i not in together)
        self.select(*others, *(() if roi_id in self.selection else (roi_id,)))

    def select_all(self) -> None:
        """Select every region."""
        self.select(*self.rois.ids)

    def select_next(self, step: int = 1) -> None:
        """Select the region after (or before) the selected one."""
        ids = list(self.rois.ids)
        if ids:
            place = ids.index(self.selection[-1]) + step if self.selection else 0
            self.select(ids[place % len(ids)])

    def show(self, on: bool, *ids: int) -> None:
        """Draw these regions, or leave them undrawn; they are measured all the same."""
        self.hidden = self.hidden - set(ids) if on else self.hidden | set(ids)

    # -- changing -----------------------------------------------------------------------------------------

    def add(self, *rois: Roi, what: str = "draw") -> None:
        """Add new regions and select them."""
        new = self.rois.add(*rois)
        self._commit(what, new)
        self.select(*new.ids[len(new) - len(rois) :])

    def replace(self, *rois: Roi, what: str = "change") -> None:
        """Put changed regions in place of those with the same ids."""
        old = {roi.id: roi for roi in self.rois}
        changed = [roi for roi in rois if old.get(roi.id) not in (None, roi)]
        if changed:
            self._commit(what, self.rois.replace(*changed))
            self._tell_outside([old[roi.id] for roi in changed])

    def move(self, dx: float, dy: float) -> None:
        """Move the selected regions by (dx, dy) px."""
        self._each("move", lambda roi: roi.moved(dx, dy))

    def scale(self, factor: float) -> None:
        """Make the selected regions `factor` times as large."""
        self._each("scale", lambda roi: roi.scaled(factor))

    def turn(self, degrees: float) -> None:
        """Turn each of the selected regions clockwise about its middle; a rectangle becomes a polygon."""
        self._each("turn", lambda roi: turned(roi, degrees))

    def rename(self, roi_id: int, name: str) -> None:
        """Give a region another name; an empty one is refused."""
        roi = self.get(roi_id)
        if roi is not None and not name.strip():
            log.warning("a region needs a name; %s keeps its own", roi.name)
        elif roi is not None:
            self._guarded(lambda: self.replace(roi.with_(name=name), what="rename"))

    def recolour(self, colour: tuple[int, int, int]) -> None:
        """Give the selected regions another colour."""
        self.replace(*(roi.with_(colour=colour) for roi in self.selected()), what="recolour")

    def group(self) -> None:
        """Let the selected regions be one group from now on."""
        if len(self.selection) < 2:
            log.warning("a group needs two regions: Shift-click them, or drag a box round them")
        else:
            number = fresh_number(self.rois)
            self.replace(*(roi.with_(group=number) for roi in self.selected()), what="group")

    def ungroup(self) -> None:
        """Let the selected regions stand alone again."""
        self.replace(*(roi.with_(group=0) for roi in self.selected()), what="ungroup")

    def lock(self) -> None:
        """Lock the selected regions, or unlock them when all are locked."""
        rois = self.selected()
        locked = not all(roi.locked for roi in rois)
        self.replace(*(roi.with_(locked=locked) for roi in rois), what="lock" if locked else "unlock")

    def delete(self) -> None:
        """Delete the selected regions that are not locked."""
        free = self.unlocked(self.selected())
        if free:
            self._commit("delete", self.rois.remove(*(roi.id for roi in free)))

    def copy(self) -> None:
        """Remember the selected regions for `paste`."""
        if self.selection:
            self._copied, self._pasted = self.selected(), 0

    def paste(self) -> None:
        """Add copies of the remembered regions, a little aside."""
        if self._copied:
            self._pasted += 1
            shift = PASTE_SHIFT * self._pasted
            copies = [rounded(_fresh(roi).moved(shift, shift)) for roi in self._copied]
            if self.picture is not None:
                copies = [brought_in(roi, self.picture) for roi in copies]
            self.add(*regrouped(copies, fresh_number(self.rois)), what="paste")

    def duplicate(self) -> None:
        """Copy and paste the selection in one go."""
        self.copy()
        if self.selection:
            self.paste()

    def begin(self, rois: RoiSet) -> None:
        """Start with this very set; there is nothing to take back yet."""
        self.rois, self.hidden = rois, frozenset()
        self.select()
        self.journal.clear()

    def exchange(self, rois: RoiSet, what: str) -> None:
        """Start with this very set in place of one that was drawn: that, and only that, can be taken back."""
        self.hidden = frozenset()
        self.select()
        self.journal.clear()
        self._commit(what, rois)

    def load(self, rois: RoiSet) -> None:
        """Put a whole other set in place, under ids never given before; this too can be undone."""
        self._commit("load", RoiSet((roi.with_(id=0, version=1) for roi in rois), self.rois.next_id))
        self.selection = ()

    def carry(self, rois: RoiSet) -> None:
        """Put the regions, locked ones too, where their cells are on another picture; this can be undone."""
        self._commit("carry along", rois)

    def unlocked(self, rois: Iterable[Roi]) -> list[Roi]:
        """Return those that may be changed; tell about the others."""
        rois = list(rois)
        locked = [roi.name or f"ROI {roi.id}" for roi in rois if roi.locked]
        if locked:
            one = len(locked) == 1
            told = (", ".join(locked), "is" if one else "are", "it" if one else "them")
            log.warning("%s %s locked; unlock %s first (L)", *told)
        return [roi for roi in rois if not roi.locked]

    def _tell_outside(self, before: Iterable[Roi]) -> None:
        """Say which regions lie wholly beside the picture that did not `before`."""
        size = self.picture
        if size is None:
            return
        lost = [self.rois[roi.id].name for roi in before if outside(self.rois[roi.id], size)
                and not outside(roi, size)]  # fmt: skip
        if lost:
            log.warning(words.BESIDE.format(words.short(", ".join(lost), 60)))

    def _restamped(self, rois: RoiSet) -> RoiSet:
        """Return an earlier set so that no id is given twice and no version means two geometries.

        A region that is as it was stays the very object: nobody changed it.
        """
        latest = self._latest
        for roi in self.rois:
            latest[roi.id] = max(latest.get(roi.id, 0), roi.version)
        fresh = []
        for roi in rois:
            now = self.get(roi.id)
            same = now is not None and now.geometry() == roi.geometry()
            version = now.version if now is not None and same else latest.get(roi.id, 0) + 1
            stamped = roi.with_(version=version)
            fresh.append(now if now is not None and now == stamped else stamped)
        return RoiSet(fresh, max(rois.next_id, self.rois.next_id))

    def _commit(self, what: str, rois: RoiSet) -> None:
        other = self.rois, self.selection
        whom = words.short(", ".join(_changed(self.rois, rois)), 60)

        def swap() -> None:
            nonlocal other
            now, (rois, selection) = (self.rois, self.selection), other
            self.rois, other = self._restamped(rois), now
            self.select(*selection)

        self.rois = rois
        self.select(*self.selection)
        self.journal.push(what, swap, swap, whom=whom)

    def _each(self, what: str, change: Callable[[Roi], Roi]) -> None:
        free = self.unlocked(self.selected())
        self._guarded(lambda: self.replace(*(rounded(change(roi)) for roi in free), what=what))

    def _guarded(self, change: Callable[[], None]) -> None:
        try:
            change()
        except RoiError as error:
            log.warning("%s", error)


def _changed(before: RoiSet, after: RoiSet) -> list[str]:
    """Return the names, as they were, of regions that differ between two sets."""
    old, new = ({roi.id: roi for roi in rois} for rois in (before, after))
    return [(old.get(k) or new[k]).name or f"ROI {k}" for k in old | new if old.get(k) != new.get(k)]


def _fresh(roi: Roi) -> Roi:
    """Return a copy that the set will number, name and colour."""
    return roi.with_(id=0, version=1, name="", colour=UNCOLOURED, locked=False)
