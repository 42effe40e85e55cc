"""The quality of the picture in the real window: charts, an alert, and that it is seen."""

import numpy as np
import pytest

from roi_core.recording import Recording
from tests.gui.driver import within

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


@pytest.fixture
def flash(tmp_path):
    """A film of 80 s at 30 Hz whose light doubles after 15 s."""
    rng = np.random.default_rng(1)
    texture = rng.uniform(2000, 9000, (96, 128))
    film = np.stack(
        [np.uint16(texture * (2 if k > 450 else 1) + rng.normal(0, 100, texture.shape)) for k in range(2400)]
    )
    path = tmp_path / "flash.npy"
    np.save(path, film)
    return path


def test_a_step_of_the_light_alarms_until_it_is_seen(start, flash):
    window = start(str(flash), "--record", str(flash.with_name("take.h5")))
    window.running()
    window.click("tab.quality")
    state = window.until(lambda s: s.told["quality"].get("title", "") == "Quality !1", "an alert", 60)
    assert state.told["quality"]["loud"] == ["step"], "one cause is told once"
    window.until(lambda s: any("step" in text for _, text in s.messages), "it is told")
    window.screenshot("quality")
    window.click("quality.seen")
    state = window.until(lambda s: s.told["quality"]["title"] == "Quality", "it is seen")
    assert state.told["quality"]["loud"] == []
    assert set(state.told["quality"]["values"]) >= {"brightness", "saturation", "focus", "lost"}
    window.fill("quality.rules", "disc absolute >10")
    state = window.until(lambda s: s.told["quality"]["refusal"], "a refusal")
    assert "'disc' is no figure: there are dark, step" in state.told["quality"]["refusal"]
    window.resize(1024, 700)
    window.screenshot("quality_refused")
    window.fill("quality.rules", "roi:cell 3 sigma 6; brightness rate 50")
    window.until(lambda s: "no region is called cell 3" in s.told["quality"]["refusal"], "a warning")
    window.screenshot("quality_1024")
    assert window.terminate() == 0
    with Recording(within(20, lambda: next(flash.parent.glob("take*.h5"), None), "a file")) as file:
        file_events = list(file.events)
    told = [event.kind for event in file_events]
    assert "quality" in told
    assert "quality_seen" in told
    edits = [event.data for event in file_events if event.kind == "setting"]
    assert edits[-1]["new"] == "roi:cell 3 sigma 6; brightness rate 50"


SIX = {
    "motion": "px (≤ ", "focus": "% (≥ ", "bleaching": "%/min", "brightness": "counts", "saturation": "% (≤ ",
    "gap": "periods (≤ ",
}  # fmt: skip
"""Figures to be seen at a glance, and what is to stand above their charts: unit, and limit if one is set."""


@pytest.mark.parametrize("size", [(1280, 800), (1024, 700)])
def test_six_charts_with_their_numbers_are_seen_at_once(start, size):
    window = start("simulated:tiny", "--set", "cnmf.enabled=false")
    window.running()
    window.resize(*size)
    window.click("tab.quality")

    def said(state):
        return state.told["quality"].get("charts", {})

    window.until(lambda s: said(s) and all(SIX[name] in said(s)[name] for name in SIX), "numbers", 60)
    state = window.aside()
    assert said(state).keys() == SIX.keys()
    left, top, _, height = state.items["pane.bottom"]
    charts = [state.items[f"quality.chart{k}"] for k in range(6)]
    for x, y, wide, high in charts:
        assert left < x
        assert x + wide < state.items["quality.span"][0]
        assert top < y
        assert y + high < top + height
    assert len({tuple(chart[:2]) for chart in charts}) == 6
    window.screenshot(f"quality_six_{size[0]}")


@pytest.mark.parametrize(("scale", "size"), [(1.5, (1680, 960)), (1.1, (1024, 700))])
def test_large_text_leaves_everything_inside_its_pane(start, scale, size):
    window = start("simulated:tiny", "--set", f"display.scale={scale}", "--set", "cnmf.enabled=false")
    window.running()
    window.resize(*size)
    window.click("tab.quality")
    items = window.settle(6).items
    left, top, width, height = items["pane.bottom"]
    for name in ("sound", "rules", "chart0", "chart2"):
        x, y, wide, high = items[f"quality.{name}"]
        assert x + wide < left + width, name
        assert y + high < top + height, name
    assert items["quality.chart2"][0] + items["quality.chart2"][2] < items["quality.span"][0]
    assert items["quality.chart0"][3] >= 30 * scale, "a curve can be seen"
    window.screenshot(f"quality_{round(100 * scale)}")
