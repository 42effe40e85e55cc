"""Rules of each kind, on figures and on regions: when they hold, when they break, what is kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.figures import METRICS
from roi_core.quality.control import CALM, Control
from roi_core.quality.minute import Minute
from roi_core.quality.vitals import LEARN, PERIOD, Look
from roi_core.rois import Circle, RoiSet
from roi_core.rules import read_rules
from tests import naive

NAMES = list(METRICS)
ROIS = RoiSet().add(Circle(4, 4, 2, name="cell 1")).add(Circle(9, 4, 2, name="cell 2"))
IDS = tuple(roi.id for roi in ROIS)
RNG = np.random.default_rng(3)
NOISE = RNG.normal(0, 5, 240)


def control(text):
    made = Control()
    made.follow(read_rules(text), IDS, ROIS)
    return made


def looks(values, name="brightness"):
    for k, value in enumerate(values):
        figures = np.full(len(NAMES), np.nan)
        means = np.full(2, 500.0)
        if name in NAMES:
            figures[NAMES.index(name)] = value
        else:
            means[0] = value
        yield Look(k * PERIOD, figures, means)


def broken(text, values, name="brightness"):
    """Return the looks at which the first pair was held outside."""
    judge = control(text)
    return [k for k, look in enumerate(looks(values, name)) if judge.judge(look).held[0]]


flat = 1000 + NOISE
step = flat + 100 * (np.arange(240) >= 150)
blip = flat + 100 * ((np.arange(240) >= 150) & (np.arange(240) < 152))
ramp = flat + np.arange(240)  # 120 a minute
dead = np.where(np.arange(240) < 150, flat, 0.0)
unknown = np.full(240, np.nan)

CASES = [
    ("absolute <1050", flat, None),
    ("absolute <1050", step, 152),
    ("absolute <1050 hold 0", step, 150),
    ("absolute <1050 hold 10", step, 169),
    ("absolute <1050", blip, None),
    ("absolute <1050 hold 1", blip, 151),
    ("absolute >950", step, None),
    ("absolute 950..1050", dead, 152),
    ("absolute <1050", unknown, None),
    ("relative 5", flat, None),
    ("relative 5", step, 152),
    ("relative 20", step, None),
    ("relative >50", dead, 152),
    ("relative <120", dead, None),
    ("relative 5", unknown, None),
    ("rate 60", flat, None),
    ("rate 60", ramp, 62),
    ("rate 200", ramp, None),
    ("rate <60", -ramp, None),
    ("rate >-60", -ramp, 62),
    ("rate 60", unknown, None),
    ("sigma 6", flat, None),
    ("sigma 6", step, 152),
    ("sigma >-6", step, None),
    ("sigma <6", step, 152),
    ("sigma 6", ramp / 10, None),
    ("sigma 6", dead, 152),
    ("sigma 6", unknown, None),
]


@pytest.mark.parametrize(("rule", "values", "first"), CASES)
@pytest.mark.parametrize("what", ["brightness", "roi:cell 1", "lag"])
def test_a_rule_breaks_when_it_should(rule, values, first, what):
    found = broken(f"{what} {rule}", values, what.partition(":")[0])
    assert (found[0] if found else None) == first


def test_every_kind_is_for_every_figure():
    kinds = ("absolute 0..1", "relative 5", "rate 5", "sigma 6")
    judge = control("; ".join(f"{name} {kind}" for name in ("roi:cell 1", *NAMES) for kind in kinds))
    assert len(judge.pairs) == 4 * (1 + len(NAMES))


def test_a_rule_for_every_region_is_one_for_each():
    judge = control("roi absolute <600; roi:cell 2 absolute <400; roi:nobody absolute <1")
    (look,) = looks([700.0], "roi")
    verdict = judge.judge(look)
    assert [pair.subject[0] for pair in judge.pairs] == [*IDS, IDS[1]]
    assert verdict.off().tolist() == [100.0, 0.0, 100.0]


def test_the_chart_is_that_of_its_slow_twin():
    values = np.concatenate([step, dead])
    judge, mine = control("brightness sigma 5"), []
    for look in looks(values):
        verdict = judge.judge(look)
        mine.append((verdict.low[0], verdict.high[0]))
    grain = METRICS["brightness"].grain
    np.testing.assert_allclose(mine, naive.control_chart(values, 5, grain), rtol=1e-12)


def test_what_is_known_survives_new_rules_and_regions():
    judge, first = control("brightness sigma 6; roi relative 10"), list(looks(flat))
    for look in first[: LEARN + 5]:
        judge.judge(look)
    before = judge.judge(first[40])
    grown = ROIS.add(Circle(2, 2, 1, name="new"))
    ids = tuple(roi.id for roi in grown)
    judge.follow(read_rules("lag absolute <5; brightness sigma 6; roi relative 10"), ids, grown)
    look = Look(30.0, first[41].values, np.full(3, 500.0))
    after = judge.judge(look)
    assert np.isnan(after.low[-1]), "the new region is not learned yet"
    np.testing.assert_allclose(after.low[1:4], before.low, rtol=1e-3)
    assert after.calm[1]
    assert not after.calm[-1]


def test_a_region_with_a_new_outline_is_learned_anew():
    judge = control("roi:cell 1 relative 10")
    for look in looks(flat, "roi"):
        verdict = judge.judge(look)
    assert np.isfinite(verdict.low[0])
    moved = ROIS.replace(Circle(6, 5, 2, name="cell 1", id=IDS[0], version=2))
    judge.follow(read_rules("roi:cell 1 relative 10"), IDS, moved)
    assert np.isnan(judge.judge(look).low[0])


def test_learned_anew_the_present_is_the_reference():
    judge = control("brightness relative 5; brightness sigma 6; brightness rate 60")
    values = list(looks(step))
    held = []
    for k, look in enumerate(values):
        if k == 150:
            judge.relearn()
        held += [k] if judge.judge(look).held.any() else []
    assert held == []


def test_over_is_over_after_some_quiet_looks():
    judge = control("brightness absolute <1050")
    calm = [bool(judge.judge(look).calm[0]) for look in looks(step)]
    assert calm[CALM - 1 : 150] == [True] * (150 - CALM + 1)
    assert not any(calm[150:])


def test_limits_of_figures_are_the_narrowest():
    judge = control(
        "lag absolute <20; lag absolute 1..10; lag rate 5; brightness absolute >7; roi absolute <1"
    )
    (look,) = looks([5.0], "lag")
    low, high = judge.of_figures(judge.judge(look))
    assert (low[NAMES.index("lag")], high[NAMES.index("lag")]) == (1.0, 10.0)
    assert low[NAMES.index("brightness")] == 7.0
    assert np.isnan(high[NAMES.index("brightness")])
    assert np.isnan(low[NAMES.index("disk")])


@given(st.floats(-1e5, 1e5), st.floats(-1e4, 1e4), st.integers(61, 200))
def test_a_slope_is_that_of_a_line(start, slope, n):
    minute, times = Minute(2), np.arange(n) * PERIOD
    for time in times:
        minute.add(time, (start + slope * time / 60, np.nan))
    mine, never = minute.slope()
    assert mine == pytest.approx(slope, rel=1e-6, abs=1e-6 * max(abs(start), 1))
    assert np.isnan(never)


@given(st.lists(st.floats(0, 65535) | st.just(np.nan), min_size=1, max_size=80), st.floats(1, 20))
def test_no_values_break_the_control(values, k):
    judge = control(f"roi sigma {k}; roi relative {k}; roi rate {k}; roi absolute <{k}; roi sigma <{k}")
    for look in looks(values, "roi"):
        verdict = judge.judge(look)
        assert not (verdict.held & np.isnan(verdict.values)).any()
