"""What a panel is, and what it finds on its desk.

A panel builds its widgets once and then only changes their values from the `View` it is shown. It never
waits, keeps no state that matters, and tells the controller what the user wants. A new panel is one file and
one line in `PANELS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import dearpygui.dearpygui as dpg

from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_stream_gui.controller import Controller
    from roi_stream_gui.texture import Texture
    from roi_stream_gui.theme import Theme
    from roi_stream_gui.view import View

__all__ = ["Desk", "Panel", "Place", "then", "told", "value"]


FIELDS = {
    "InputText", "InputInt", "InputFloat", "InputDouble", "DragInt", "DragFloat", "SliderInt", "SliderFloat"
}  # fmt: skip
"""Widgets that eat keys while they are active."""


class Place(StrEnum):
    """Where in the window a panel lives; those on the right and at the bottom are tabs.

    The strip has room only while the panel in it shows its pane.
    """

    MENU = "menu"
    TOP = "top"
    CHIPS = "chips"
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"
    STRIP = "strip"
    BOTTOM = "bottom"
    FOOT = "foot"


@dataclass
class Desk:
    """What panels share: the controller, the look, the texture, and names of widgets for tests and focus.

    ``fields`` eat keys while they are active; ``covers`` are windows that do so while they are shown,
    ``sheets`` such that Esc puts away, ``questions`` such that Esc answers with no, even while one types.
    ``menus`` are those of the menu bar, and popups: behind one that lies open no key acts, and Esc closes it.
    ``scale`` is the size of text and widgets, 1 for 100 %.
    """

    controller: Controller
    theme: Theme
    texture: Texture
    names: dict[str, int] = field(default_factory=dict)
    fields: list[int] = field(default_factory=list)
    covers: list[int] = field(default_factory=list)
    sheets: list[int] = field(default_factory=list)
    questions: list[int] = field(default_factory=list)
    menus: list[int] = field(default_factory=list)
    tones: dict[int, str] = field(default_factory=dict)
    scale: float = 1.0
    ask_file: Callable[[str, Callable[[str], object]], None] = lambda _what, _then: None
    show_presets: Callable[[], None] = lambda: None
    show_export: Callable[[], None] = lambda: None
    show_library: Callable[[], None] = lambda: None
    show_keys: Callable[[], None] = lambda: None
    quit: Callable[[], None] = lambda: None
    open_tab: Callable[[str], None] = lambda _word: None
    is_open: Callable[[str], bool] = lambda _word: True
    show_about: Callable[[], None] = lambda: None
    show_tour: Callable[[], None] = lambda: None
    zoom: Callable[[int], None] = lambda _step: None
    full_screen: Callable[[], None] = lambda: None
    fit: Callable[[], None] = lambda: None
    region_menu: Callable[[], None] = lambda: None
    scale_traces: Callable[[float], None] = lambda _factor: None
    page_traces: Callable[[int], None] = lambda _step: None

    def px(self, length: float) -> int:
        """Return a length given for 100 % in px of the present size; for what is set after `build`."""
        return round(length * self.scale)

    def long(self, text: str) -> float:
        """Return how long a text is, screen px; about so before there is a screen."""
        return float((dpg.get_text_size(text) or (7.5 * self.px(len(text)), 0))[0])

    def middle(self, width: int, height: int) -> list[int]:
        """Return where a window of that size, px at 100 %, stands in the middle of the whole."""
        room = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        return [max((all_ - self.px(own)) // 2, 0) for all_, own in zip(room, (width, height), strict=True)]

    def dismiss(self) -> bool:
        """Put away the sheets that are shown; tell whether there was one."""
        return _put_away(_shown(self.sheets))

    def refuse(self) -> bool:
        """Put away the question that is asked, the first of those that are; tell whether there was one."""
        return _put_away(_shown(self.questions)[:1])

    def menu_open(self) -> bool:
        """Tell whether a menu or a popup lies open."""
        return any(map(_lies_open, self.menus))

    def close_menus(self) -> None:
        """Close the menus and popups that lie open; Esc alone closes none."""
        for item in filter(_lies_open, self.menus):
            if _kind(item) == "Menu":
                # Dear PyGui shuts no menu: it goes when its window takes the focus.
                dpg.focus_item(dpg.get_item_parent(dpg.get_item_parent(item)))
            else:
                dpg.configure_item(item, show=False)

    def typing(self) -> bool:
        """Tell whether keys go into a text or number field now.

        Every field is asked: the focused item that Dear PyGui tells of is the group around the field.
        """
        if not self.fields:
            self.fields = [item for item in dpg.get_all_items() if _kind(item) in FIELDS]
        return any(map(dpg.is_item_active, self.fields)) or any(map(dpg.is_item_shown, self.covers))

    def named(self, name: str, item: int) -> int:
        """Remember a widget under a name; return it."""
        self.names[name] = item
        return item

    def focus(self, name: str) -> None:
        """Put the cursor into a named field."""
        dpg.focus_item(self.names[name])

    def tip(self, item: int, key: str) -> int:
        """Explain a widget when the mouse rests on it; return it."""
        with dpg.tooltip(item, delay=0.5, hide_on_activity=True):
            dpg.add_text(words.TIPS.get(key, key), wrap=340)
        return item

    def text(self, text: str = "", tone: str = "text", **options: Any) -> int:
        """Add a text meant as one of `theme.TONES`; return it."""
        item: int = dpg.add_text(text, **options)
        self.say(item, text, tone)
        return item

    def say(self, item: int, text: str, tone: str = "") -> None:
        """Change a text, and what it is meant as, if that is something new."""
        if dpg.get_value(item) != text:
            dpg.set_value(item, text)
        if tone and self.tones.get(item, "text") != tone:
            self.tones[item] = tone
            dpg.bind_item_theme(item, self.theme.tones[tone])

    def after_edit(self, item: int, action: Callable[[], object]) -> None:
        """Call `action` when the user has finished changing a widget, never while typing."""
        with dpg.item_handler_registry() as registry:
            dpg.add_item_deactivated_after_edit_handler(callback=then(action))
        dpg.bind_item_handler_registry(item, registry)


def _lies_open(menu: int) -> bool:
    """Tell whether a menu is open, which has a size only then, or a popup is shown."""
    if _kind(menu) == "Menu":
        return any(dpg.get_item_rect_size(menu))
    return bool(dpg.is_item_shown(menu))


def _shown(windows: list[int]) -> list[int]:
    return [item for item in windows if dpg.is_item_shown(item)]


def _put_away(windows: list[int]) -> bool:
    for item in windows:
        dpg.configure_item(item, show=False)
    return bool(windows)


def _kind(item: int) -> str:
    return str(dpg.get_item_type(item)).rpartition("::mv")[2]


class Panel(Protocol):
    """A part of the window."""

    title: ClassVar[str]
    place: ClassVar[Place]

    def __init__(self, desk: Desk) -> None: ...

    def build(self, parent: int) -> None:
        """Make the widgets inside `parent`; called once."""
        ...

    def update(self, view: View) -> None:
        """Show the view; called for every drawn frame, so it changes only what differs and never waits."""
        ...


def told(panel: Panel) -> dict[str, Any]:
    """Return what a panel tells tests: whatever its ``tell()`` returns, plain values only."""
    tell: Callable[[], dict[str, Any]] | None = getattr(panel, "tell", None)
    return tell() if tell is not None else {}


def then(action: Callable[[], object]) -> Callable[..., None]:
    """Return a Dear PyGui callback that ignores who called."""

    def callback(*_: Any) -> None:
        action()

    return callback


def value(action: Callable[[Any], object]) -> Callable[..., None]:
    """Return a Dear PyGui callback that passes on the widget's new value."""

    def callback(_sender: int, new: Any, *_: Any) -> None:
        action(new)

    return callback
