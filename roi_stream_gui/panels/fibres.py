"""The fibre finder: its few controls above the list of regions, its proposal on the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from roi_stream_gui.panels.base import then

if TYPE_CHECKING:
    from roi_core.rois import Circle
    from roi_stream_gui.panels.base import Desk

__all__ = ["FibreBar", "FibreDrawing"]

COLOUR = (255, 232, 120, 255)
BACK = (16, 18, 22, 190)
"""Behind a number, which must be read on bright and dark fibres."""
NUMBER_SIZE = 13.0


class FibreBar:
    """Shown only while fibres are proposed."""

    def __init__(self, desk: Desk, parent: int) -> None:
        self._desk = desk
        self._bundle = desk.controller.bundle
        self._shown: tuple[object, ...] = ()
        with dpg.group(parent=parent, show=False) as self._box:
            self._found = desk.text()
            with dpg.group(horizontal=True):
                desk.text("radius", "dim")
                self._least = self._number("fibres.least", "fibre radius")
                desk.text("to", "dim")
                self._most = self._number("fibres.most", "fibre radius")
                again = dpg.add_button(label="Look again", width=-1, callback=then(self._look))
                desk.tip(desk.named("fibres.look", again), "fibres look")
            with dpg.group(horizontal=True):
                self._accept = dpg.add_button(label="Accept", width=120, callback=then(self._bundle.accept))
                dpg.bind_item_theme(desk.named("fibres.accept", self._accept), desk.theme.primary)
                desk.tip(self._accept, "fibres accept")
                cancel = dpg.add_button(label="Cancel", width=-1, callback=then(self._bundle.cancel))
                desk.tip(desk.named("fibres.cancel", cancel), "fibres cancel")
            dpg.add_separator()

    def update(self) -> None:
        """Show how many were found."""
        bundle = self._bundle
        state = (bundle.open, bundle.searching, len(bundle.proposed), bundle.radii)
        if state == self._shown:
            return
        radii_changed = bundle.radii is not None and bundle.radii not in self._shown
        self._shown = state
        dpg.configure_item(self._box, show=bundle.open)
        count = len(bundle.proposed)
        many = f"{count} fibre{'s' if count != 1 else ''}{'; click one to drop it' if count else ' found'}"
        self._desk.say(self._found, "looking for fibres ..." if bundle.searching else many)
        dpg.configure_item(self._accept, label=f"Accept {count}", enabled=count > 0)
        if radii_changed and bundle.radii is not None:
            dpg.set_value(self._least, bundle.radii[0])
            dpg.set_value(self._most, bundle.radii[1])

    def tell(self) -> dict[str, Any]:
        """Return what tests ask for."""
        circles = [[circle.xc, circle.yc, circle.r] for circle in self._bundle.proposed]
        return {"open": self._bundle.open, "searching": self._bundle.searching, "proposed": circles}

    def _number(self, name: str, tip: str) -> int:
        item = int(dpg.add_input_float(width=52, step=0, format="%.0f"))
        return self._desk.tip(self._desk.named(name, item), tip)

    def _look(self) -> None:
        self._bundle.look(dpg.get_value(self._least), dpg.get_value(self._most))


class FibreDrawing:
    """The proposed circles with their numbers, in a layer of their own; hidden, never deleted."""

    def __init__(self, desk: Desk, plot: int) -> None:
        self._desk = desk
        self._bundle = desk.controller.bundle
        with dpg.draw_layer(parent=plot), dpg.draw_node() as self.layer:
            pass
        self._slots: list[tuple[int, ...]] = []
        self._shown: tuple[object, ...] = ()

    def update(self, zoom: float) -> None:
        """Draw the proposal; `zoom` is screen px per image px."""
        size = NUMBER_SIZE * self._desk.scale / zoom
        state = (self._bundle.proposed, round(size, 4))
        if state == self._shown:
            return
        self._shown = state
        while len(self._slots) < len(self._bundle.proposed):
            self._slots.append((
                int(dpg.draw_circle([0, 0], 1, parent=self.layer, color=COLOUR, thickness=1.6)),
                int(dpg.draw_circle([0, 0], 1, parent=self.layer, color=BACK, fill=BACK, segments=20)),
                int(dpg.draw_text([0, 0], "", parent=self.layer, color=COLOUR)),
            ))  # fmt: skip
        for number, (slot, circle) in enumerate(zip(self._slots, self._bundle.proposed, strict=False), 1):
            _draw(slot, circle, str(number), size)
        for slot in self._slots[len(self._bundle.proposed) :]:
            for item in slot:
                dpg.configure_item(item, show=False)


def _draw(slot: tuple[int, ...], circle: Circle, number: str, size: float) -> None:
    outline, back, text = slot
    dpg.configure_item(outline, center=[circle.xc, circle.yc], radius=circle.r, show=True)
    dpg.configure_item(back, center=[circle.xc, circle.yc], radius=0.75 * size, show=True)
    place = [circle.xc - 0.3 * size * len(number), circle.yc - size / 2]
    dpg.configure_item(text, pos=place, text=number, size=size, show=True)
