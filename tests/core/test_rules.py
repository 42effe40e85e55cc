"""The language of rules: what it says, what it refuses and how, and that it says itself."""

from contextlib import suppress
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.errors import SettingsError
from roi_core.figures import METRICS
from roi_core.rules import MOST, Rule, read_rules
from roi_core.settings import LiveSettings, Settings


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ()),
        (" ;\n; ", ()),
        ("disk absolute >10", (Rule("disk", "absolute", 10.0, inf),)),
        ("saturation absolute <0.5", (Rule("saturation", "absolute", -inf, 0.5),)),
        ("focus absolute 70..130", (Rule("focus", "absolute", 70, 130),)),
        ("brightness relative 20", (Rule("brightness", "relative", 80, 120),)),
        ("brightness relative >60", (Rule("brightness", "relative", 60, inf),)),
        ("brightness rate 20", (Rule("brightness", "rate", -20, 20),)),
        ("bleaching rate <1e3", (Rule("bleaching", "rate", -inf, 1000),)),
        ("roi sigma 6", (Rule("roi", "sigma", -6, 6),)),
        ("roi sigma -4..8", (Rule("roi", "sigma", -4, 8),)),
        ("roi:cell 3 sigma 6 cooldown 30", (Rule("roi", "sigma", -6, 6, cooldown=30, roi="cell 3"),)),
        ("ROI: my rate cell  Rate 6 Hold 0", (Rule("roi", "rate", -6, 6, hold=0, roi="my rate cell"),)),
        (
            "disk absolute >10\nlag absolute <5; queue absolute <50 hold 3 cooldown 0",
            (
                Rule("disk", "absolute", 10),
                Rule("lag", "absolute", high=5),
                Rule("queue", "absolute", high=50, hold=3, cooldown=0),
            ),
        ),
    ],
)
def test_a_text_of_rules(text, rules):
    assert read_rules(text) == rules


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "'hello' is no rule: write WHAT KIND LIMITS, such as 'disk absolute >10'"),
        ("disk is >10", "the kinds are absolute, relative, rate, sigma"),
        ("disc absolute >10", "'disc' is no figure: there are dark, step, brightness"),
        ("disk:a absolute >10", "'disk:a' is no figure"),
        ("roi: absolute >10", "'roi:' is no figure"),
        ("disk absolute 10", "absolute 10 could be either limit: write >10, <10 or A..B"),
        ("disk absolute >ten", "'ten' is no limit: write a number A, >A, <B or A..B"),
        ("disk absolute <nan", "'nan' is no limit"),
        ("disk absolute 10..", "'' is no limit"),
        ("disk absolute 10..5", "'10..5' leaves no room"),
        ("brightness sigma -3", "'-3' leaves no room"),
        ("disk absolute >10 hold soon", "hold 'soon': write seconds, 0 .. 86400"),
        ("disk absolute >10 cooldown -1", "cooldown '-1': write seconds"),
        ("x" * 500, "..."),
        ("disk absolute >1;" * (MOST + 1), f"{MOST + 1} rules are too many: {MOST} at most"),
    ],
)
def test_what_is_no_rule_is_refused_in_a_sentence(text, why):
    live = LiveSettings()
    with pytest.raises(SettingsError) as refused:
        live.edit("quality.rules", text)
    assert why in str(refused.value)
    assert str(refused.value).startswith("quality.rules = ")
    assert len(str(refused.value)) < 400
    assert live.current == Settings()


names = st.text("abcdefg 3:.-_ratesigma", min_size=1).map(str.strip).filter(bool)
numbers = st.floats(-1e9, 1e9).map(lambda x: x + 0.0)
limits = st.tuples(numbers | st.just(-inf), numbers | st.just(inf)).filter(
    lambda ends: ends[0] < ends[1] and ends != (-inf, inf)
)
seconds = st.floats(0, 86_400)


@given(st.sampled_from([*METRICS, "roi"]), st.sampled_from(["absolute", "relative", "rate", "sigma"]), limits,
       seconds, seconds, names)  # fmt: skip
def test_a_rule_reads_as_it_is_written(metric, kind, ends, hold, cooldown, name):
    rule = Rule(metric, kind, *ends, hold, cooldown, name if metric == "roi" else "")
    (again,) = read_rules(str(rule))
    assert str(again) == str(rule)
    if kind != "relative":  # 100 - (100 - low) is rounded
        assert again == rule


@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["roi", ":", "disk", " ", "sigma", "rate", ">", "<", "..", "5", "1e999", "hold", "cooldown", ";", "-"]
)).map("".join))  # fmt: skip
def test_no_text_breaks_the_reader(text):
    with suppress(ValueError):
        assert all(rule.low < rule.high for rule in read_rules(text))


def test_a_rule_takes_the_place_of_the_setting_of_its_kind():
    quality = Settings().with_value("quality.rules", "lag absolute <30; brightness rate 50").quality
    of = {what: [rule.short for rule in quality.table() if rule.metric == what] for what in METRICS}
    assert of["brightness"] == ["sigma 6", "rate 50"]
    assert of["lag"] == ["absolute <30"]
    assert of["queue"] == ["absolute <80"]


@pytest.mark.parametrize("usual", Settings().quality.table(), ids=lambda rule: rule.metric)
def test_a_rule_that_takes_the_place_of_a_usual_one_holds_and_cools_down_as_that_did(usual):
    text = f"{usual.what} {usual.short}"
    assert usual in Settings().with_value("quality.rules", text).quality.table()
    cool = Settings().with_value("quality.cooldown", 7.0).with_value("quality.rules", text)
    assert {rule.cooldown for rule in cool.quality.table()} == {7.0}


def test_every_figure_has_a_limit_of_its_own():
    """But the disk: `recorder.disk_warning` is about that."""
    assert {rule.metric for rule in Settings().quality.table()} == set(METRICS) - {"disk"}


def test_rules_survive_the_settings_file():
    settings = Settings().with_value("quality.rules", "roi:cell: 3 sigma 6; disk absolute >10\nlag rate 1")
    assert Settings.loads(settings.to_yaml()) == settings
