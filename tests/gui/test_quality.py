"""What the control charts show of a long session, and rules as they are typed."""

import numpy as np
import pytest

from roi_core.figures import METRICS
from roi_core.rois import Circle, RoiSet
from roi_stream_gui import words
from roi_stream_gui.panels.charts import FIRST, GROUPS, SLOTS, telling
from roi_stream_gui.rulebook import refusal, strangers


def test_a_short_excursion_is_seen_at_any_span():
    values = np.full(7200, 5.0)
    values[3333] = 100.0
    values[10:20] = np.nan
    for step in (1, 7, 24):
        shown = telling(values, step)
        assert values[shown].max(where=np.isfinite(values[shown]), initial=0) == 100.0
        assert (np.diff(shown) > 0).all()
        assert len(shown) == -(-7200 // step)


def test_what_is_not_known_is_thinned_all_the_same():
    assert telling(np.full(10, np.nan), 4).tolist() == [0, 4, 8]


def test_every_figure_has_a_chart():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(METRICS)
    assert max(map(len, GROUPS.values())) <= SLOTS


def test_what_is_judged_at_a_glance_is_charted_first():
    assert set(GROUPS[FIRST]) == {"motion", "focus", "bleaching", "brightness", "saturation", "gap"}


@pytest.mark.parametrize(
    ("number", "low", "high", "said"),
    [
        (783.4, 700.2, 860.0, ("light  783 counts (700..860)", "light 783 (700..860)", "light  783 counts")),
        (12345.0, np.nan, 20000.0, ("light  12,345 counts (≤ 20,000)", "light 12,345 (≤ 20,000)")),
        (0.163, -10.0, np.inf, ("light  0.16 counts (≥ -10)",)),
        (-0.001, -2.5, 2.5, ("light  0 counts (-2.5..2.5)",)),
        (93.47, np.nan, np.nan, ("light  93.5 counts",)),
        (np.nan, 70.0, np.nan, ("light  - counts (≥ 70)",)),
    ],
)
def test_a_chart_says_its_figure_with_unit_and_limits(number, low, high, said):
    texts = words.figure("light", "counts", number, low, high)
    assert texts[: len(said)] == said
    assert sorted(texts, key=len, reverse=True)[0] == texts[0]


def test_a_text_that_is_no_rules_is_refused_in_a_sentence():
    assert refusal("roi:cell 3 sigma 6; disk absolute >10") == ""
    assert refusal("roi:cell 3 sigma six") == "'six' is no limit: write a number A, >A, <B or A..B"


def test_rules_about_regions_that_are_not_there_are_told():
    rois = RoiSet().add(Circle(4, 4, 2, name="soma"))
    assert strangers("roi:soma sigma 6; roi sigma 6; disk absolute >1", rois) == ""
    assert "called axon, dendrite:" in strangers(
        "roi:axon sigma 6; roi:soma rate 1; roi:dendrite rate 9", rois
    )
