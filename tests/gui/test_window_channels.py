"""Two colours in the real window: the picture does not flicker, the traces do not zig-zag."""

import pytest

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]

TWO = ("--set", "channels.order=470,415", "--set", "channels.reference=415", "--set", "roi.dff=true")


def choose(window, name, number):
    """Take the entry of a combo by its number."""
    left, top, width, height = window.ask().items[name]
    window.click(name)
    window._to(left + width / 2, top + height * (1.35 + 0.85 * number))
    window.settle(2)
    window._tool("click", "1")
    return window.settle(2)


def test_one_channel_is_shown_and_the_other_can_be(start):
    window = start("simulated:photometry", *TWO)
    window.running()
    window.key("c")
    for k in range(3):
        window.press(32 + 64 * k, 32)
    window.key("v")
    window.until(lambda s: len(s.rois) == 3 and s.told["traces"]["newest"] > 5, "five seconds")
    window.screenshot("channels_main")
    bright = {window.ask().told["preview"]["limits"][1] for _ in range(20)}
    assert max(bright) < 1.1 * min(bright), "the picture does not flicker"
    choose(window, "channel", 1)
    state = window.until(lambda s: s.told["preview"]["limits"][1] < 0.85 * min(bright), "the dimmer light")
    window.screenshot("channels_other")
    assert not [message for message in state.messages if "warning" in str(message)]
