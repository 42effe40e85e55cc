"""How the panes share the height of the window, without one."""

from types import SimpleNamespace

import pytest

from roi_stream_gui import layout
from roi_stream_gui.layout import Layout
from roi_stream_gui.memory import Memory
from roi_stream_gui.panels.base import Place


@pytest.fixture
def share(monkeypatch):
    """Heights of the panes in a window of some size, and how many px are left under them."""
    monkeypatch.setattr(layout.dpg, "configure_item", lambda *_, **__: None)

    def arrange(width, height, scale=1.0, strip=True, bottom=None):
        desk = SimpleNamespace(scale=scale, px=lambda length: round(length * scale))
        memory, found = Memory(), {}
        memory.bottom = memory.bottom if bottom is None else bottom
        one = Layout(desk, memory)
        one._upright = one._level = 0
        one._size = lambda place, width, height: found.update({place: (width, height)})
        gap, edge = one._spaces()
        one._arrange(width, height, desk.px(layout.STRIP) + gap if strip else 0, desk.px(layout.LEFT))
        lines = [
            Place.TOP,
            Place.CHIPS,
            Place.LEFT,
            *([Place.STRIP] if strip else []),
            Place.BOTTOM,
            Place.FOOT,
        ]
        used = desk.px(layout.MENU) + sum(found[place][1] for place in lines) + desk.px(layout.SPLIT)
        heights = {place.value: found[place][1] / scale for place in lines}
        return heights, height - used - len(lines) * gap - 2 * edge

    return arrange


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize(
    ("size", "scale"), [((1024, 700), 1.1), ((1280, 800), 1.25), ((1700, 1000), 1.0), ((2560, 1440), 2.0)]
)
def test_nothing_of_the_height_is_left_over(share, size, scale, strip):
    heights, left = share(*size, scale, strip)
    assert left == 0
    assert heights["bottom"] >= layout.LEAST_TRACES - 1
    assert heights["left"] >= layout.LEAST_PICTURE - 1


def test_in_a_small_window_messages_and_picture_give_way_to_the_traces(share):
    small, _ = share(1024, 700, 1.1)
    assert small["foot"] == pytest.approx(layout.LEAST_FOOT, abs=1)
    assert small["left"] == pytest.approx(layout.LEAST_PICTURE, abs=1)
    assert small["bottom"] > 145
    large, _ = share(1700, 1000)
    assert (large["foot"], large["bottom"]) == (layout.FOOT, Memory().bottom)
    assert large["left"] > layout.LOW_PICTURE


def test_at_the_first_start_the_picture_has_the_most_room(share):
    first, _ = share(Memory().width, Memory().height, strip=False)
    assert first["left"] > 1.55 * first["bottom"]
    assert first["bottom"] > 1.3 * layout.LOW_TRACES


def test_traces_that_were_made_low_by_hand_stay_low(share):
    heights, left = share(1024, 700, 1.1, bottom=110)
    assert heights["bottom"] == pytest.approx(110, abs=1)
    assert left == 0
