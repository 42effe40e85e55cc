"""A scripted camera for each figure, which alarms by that one and no other; and a quiet one."""

import os
from dataclasses import replace
from itertools import cycle
from types import SimpleNamespace

import numpy as np
import pytest

from roi_core.around import around, memory
from roi_core.figures import METRICS
from roi_core.frame import Event
from roi_core.lasting import Lasting
from roi_core.quality import gauges
from roi_core.quality.light import Light, alternation
from roi_core.rois import Circle, RoiSet
from roi_core.settings import Settings
from tests import naive
from tests.watched import NONE, QUALITY, RATE, Camera, sample

ROIS = RoiSet().add(Circle(4, 4, 2, name="cell 1")).add(Circle(9, 4, 2, name="cell 2"))


def with_rules(text, **more):
    return Settings().with_value("quality.rules", text).quality.model_copy(update=more)


def saturated(frame, _time):
    spoilt = frame * (1 - 0.006 * (65535 / frame.mean() - 1))
    spoilt.flat[:: round(1 / 0.006)] = 65535
    return spoilt


def blurred(frame, _time):
    return sum(np.roll(frame.astype(float), k, axis) for axis in (0, 1) for k in range(-3, 4)) / 14


SCRIPTS = {
    "dark": [(1 / RATE, {"image": lambda frame, _: frame / 20})],
    "step": [(3, {"image": lambda frame, _: frame * 1.5})],
    "brightness": [(3, {"image": lambda frame, _: frame * 1.15})],
    "saturation": [(3, {"image": saturated})],
    "focus": [(10, {"image": blurred})],
    "motion": [(3, {"shift": (20.0, 0.0)})],
    "bleaching": [(90, {"image": lambda frame, time: frame * (1 - 0.001 * (time - 30))})],
    "lost": [(2 / RATE, {"period": 2 / RATE, "lost": 1})],
    "gap": [(8 / RATE, {"period": 8 / RATE, "lost": None})],
    "memory": [(3, {"around": {"memory": 95.0}})],
    "queue": [(3, {"around": {"queue": 95.0}})],
    "lag": [(3, {"around": {"lag": 25.0}})],
}


@pytest.mark.parametrize("metric", SCRIPTS)
def test_each_fault_alarms_by_its_own_figure_once(metric):
    camera = Camera(level=20_000.0).shoot(30)
    for seconds, fault in SCRIPTS[metric]:
        camera.shoot(seconds, **fault)
    camera.shoot(70, image=SCRIPTS[metric][-1][1].get("image") if metric == "bleaching" else None)
    assert camera.begun == [metric]
    assert camera.told[0]["text"].endswith(METRICS[metric].advice)
    assert camera.told[0]["rule"].startswith(f"{metric} ")


def test_a_knock_for_good_alarms_once_and_the_next_one_again():
    """What counts is how far the scene is from where it usually is, not from where it once was."""
    camera = Camera().shoot(30)
    for place in (20.0, 40.0):
        camera.shoot(90, shift=(place, 0.0))
    assert camera.begun == ["motion", "motion"]
    drifting = Camera().shoot(30)
    for tenth in range(600):
        drifting.shoot(0.1, shift=(0.04 * tenth, 0.0))
    assert drifting.begun == []


def test_a_single_gap_breaks_a_rule_that_was_relaxed():
    """What lasts for one frame only is seen by any limit it passes, not by the usual one alone."""
    camera = Camera(with_rules("gap absolute <6; dark absolute >20"))
    camera.shoot(30).shoot(8 / RATE, period=8 / RATE, lost=None).shoot(70)
    camera.shoot(1 / RATE, image=lambda frame, _: frame / 20).shoot(1)
    assert camera.begun == ["gap", "dark"]


def test_the_disk_is_for_the_recorder_to_warn_of_unless_a_rule_asks():
    assert Camera().shoot(10).shoot(5, around={"disk": 1.0}).begun == []
    asked = Camera(with_rules("disk absolute >30")).shoot(10).shoot(5, around={"disk": 20.0})
    assert asked.begun == ["disk"]


def test_a_camera_that_hangs_is_frozen():
    camera = Camera().shoot(30)
    stuck = camera.frames[0].copy()
    camera.shoot(3, image=lambda *_: stuck).shoot(20)
    assert [(data["metric"], data["state"]) for data in camera.told] == [
        ("frozen", "begin"),
        ("frozen", "end"),
    ]
    assert camera.told[1]["worst"] == pytest.approx(3, abs=0.5)


def test_each_frame_twice_is_not_frozen():
    camera, twice = Camera(), cycle([0, 0, 1, 1])
    camera.shoot(60, image=lambda *_: camera.frames[next(twice)])
    assert camera.begun == []


def test_a_share_of_lost_frames_is_told_where_single_ones_may_be():
    camera = Camera(QUALITY.model_copy(update={"lost": 1000})).shoot(30)
    for _ in range(20):
        camera.shoot(2 / RATE, period=2 / RATE, lost=1).shoot(0.5)
    assert camera.begun == ["dropped"]


def test_a_quiet_camera_alarms_nobody_for_ten_minutes():
    rules = "roi sigma 6; roi relative 20; brightness relative 10; brightness rate 100; focus sigma 6"
    camera = Camera(with_rules(rules), ROIS).shoot(600)
    assert camera.told == []
    chart = camera.alarms.chart()
    assert len(chart.times) == pytest.approx(1200, abs=60)
    assert np.isfinite(chart.values[100:]).all()


@pytest.mark.parametrize("colours", [2, 3, 4])
def test_colours_that_take_turns_are_quiet_and_out_of_phase_they_are_not(colours):
    camera = Camera()
    levels = np.linspace(1, 2, colours)
    shifted = 0

    def light(frame, _time):
        return frame * levels[(camera.index + shifted) % colours]

    camera.shoot(60, image=light)
    assert camera.told == []
    shifted = 1
    camera.shoot(5, image=light)
    assert camera.begun == ["step"]


def test_a_frame_that_is_lost_and_counted_does_not_swap_the_colours():
    camera = Camera(QUALITY.model_copy(update={"lost": 10}))

    def light(frame, _time):
        return frame * (1 + camera.index % 2)

    camera.shoot(30, image=light).shoot(2 / RATE, image=light, period=2 / RATE, lost=1).shoot(30, image=light)
    assert camera.begun == []


def test_the_figures_of_a_dark_room_are_dark_until_there_is_light():
    camera = Camera().shoot(5, image=lambda frame, _: frame > 1500)  # a few pixels of one count
    assert camera.begun == ["dark"]
    camera.shoot(60)
    assert camera.alarms.active == ()


def test_one_cause_is_told_once():
    """The lamp goes off: a dark frame, a step, no focus, dead regions. Frames are lost: there is a gap."""
    camera = Camera(with_rules("roi absolute >100; roi sigma 6"), ROIS).shoot(30)
    camera.shoot(10, image=lambda frame, _: frame / 50, means=lambda _: np.zeros(2))
    assert camera.begun == ["dark"]
    assert camera.alarms.off >= {"dark", "roi"}
    camera.shoot(60)
    assert camera.alarms.off == set()
    assert [data["state"] for data in camera.told] == ["begin", "end"]
    camera.shoot(8 / RATE, period=8 / RATE, lost=7).shoot(5)
    assert camera.begun == ["dark", "lost"]


def test_a_bright_region_is_told_though_it_makes_the_picture_brighter():
    camera = Camera(with_rules("roi absolute <600"), ROIS, level=20_000.0).shoot(30)
    camera.shoot(5, image=lambda frame, _: frame * 1.15, means=lambda _: np.array([500.0, 900.0]))
    assert camera.begun == ["brightness", "roi"]


def test_regions_that_go_off_together_are_one_alert_and_later_ones_another():
    rules = "roi absolute <600 cooldown 0; roi relative <110 cooldown 0"
    camera = Camera(with_rules(rules), ROIS).shoot(30)
    camera.shoot(3, means=lambda _: np.array([900.0, 950.0])).shoot(20)
    assert [data["rois"] for data in camera.told] == [["cell 2", "cell 1"]] * 2
    camera.shoot(3, means=lambda _: np.array([900.0, 500.0])).shoot(
        3, means=lambda _: np.array([900.0, 950.0])
    )
    assert [data["rois"] for data in camera.told[2:]] == [["cell 1"], ["cell 2"]]
    assert "cell 2 950 counts, should be at most 600. " in camera.told[3]["text"]


def test_a_region_that_saturates_jumps_or_dies_is_told():
    camera = Camera(with_rules("roi:cell 2 absolute <60000; roi sigma 8"), ROIS).shoot(30)
    camera.shoot(3, means=lambda _: np.array([500.0, 65_535.0])).shoot(60)
    camera.shoot(3, means=lambda _: np.array([0.0, 500.0]))
    begun = [data for data in camera.told if data["state"] == "begin"]
    assert [data["rois"] for data in begun] == [["cell 2"], ["cell 1"]]
    assert [data["rule"][:12] for data in begun] == ["roi sigma 8 ", "roi sigma 8 "]


def test_a_farther_limit_that_is_passed_later_is_told_though_the_first_was_seen():
    camera = Camera(
        with_rules("disk absolute >60; disk absolute >10; lag absolute <5; lag absolute <2 hold 9")
    )
    camera.shoot(10).shoot(12, around={"disk": 30.0, "lag": 9.0})
    assert [data["rule"][:17] for data in camera.told] == ["disk absolute >60", "lag absolute <5 h"]
    camera.alarms.acknowledge()
    camera.shoot(5, around={"disk": 5.0})
    assert [alert.rule.low for alert in camera.alarms.loud] == [10.0]
    camera.shoot(20)
    assert [data["state"] for data in camera.told].count("end") == 3


def test_of_two_limits_that_are_passed_at_once_the_farther_is_told():
    rules = "disk absolute >60; disk absolute >10; roi absolute <600; roi absolute <900"
    camera = Camera(with_rules(rules), ROIS).shoot(10)
    camera.shoot(5, around={"disk": 5.0}, means=lambda _: np.array([500.0, 950.0]))
    assert [data["rule"][:17] for data in camera.told] == ["disk absolute >10", "roi absolute <900"]


def test_each_rule_has_its_own_cooldown():
    rules = "queue absolute <50 hold 0 cooldown 0; lag absolute <1 hold 0 cooldown 100"
    camera = Camera(with_rules(rules)).shoot(10)
    for _ in range(5):
        camera.shoot(1, around={"queue": 70.0, "lag": 2.0}).shoot(19)
    assert camera.begun.count("queue") == 5
    assert camera.begun.count("lag") == 1


def test_a_rule_about_a_region_that_is_not_there_is_told_once(caplog):
    camera = Camera(with_rules("roi:cell3 sigma 6; roi:cell3 rate 9; roi:cell 1 sigma 6"), ROIS).shoot(2)
    assert caplog.messages == [
        "no region is called cell3: a rule in quality.rules waits for it; the regions are cell 1, cell 2"
    ]
    camera.quality = camera.quality.model_copy(update={"cooldown": 3.0})
    camera.rois = RoiSet(ROIS.add(Circle(9, 9, 2, name="cell3")))
    camera.shoot(2)
    assert len(caplog.messages) == 1
    camera.rois = NONE
    camera.shoot(2)
    assert caplog.messages[1] == (
        "no region is called cell3, cell 1: a rule in quality.rules waits for it; there are no regions"
    )


def test_a_rule_that_is_taken_away_ends_its_alert():
    camera = Camera(with_rules("queue absolute <50")).shoot(10).shoot(3, around={"queue": 70.0})
    assert [alert.metric for alert in camera.alarms.active] == ["queue"]
    camera.quality = QUALITY
    camera.shoot(1, around={"queue": 70.0})
    assert camera.alarms.active == ()
    assert camera.told[-1]["state"] == "end"


def test_probes_are_those_of_their_slow_twin():
    image = np.random.default_rng(1).integers(0, 65536, (37, 51), dtype=np.uint16)
    before = np.zeros((5, 7), np.uint16)
    mean, part = naive.probe(image, 5, 7)
    assert gauges.probe(image, before) == (pytest.approx(mean), False)
    np.testing.assert_array_equal(before, part)
    assert gauges.probe(image, before) == (pytest.approx(mean), True)


@pytest.mark.parametrize(
    ("levels", "colours"),
    [
        ([100.0], 1),
        ([100.0, 200.0], 2),
        ([100.0, 150.0, 200.0], 3),
        ([100.0, 200.0, 100.0, 300.0], 4),
        ([100.0, 100.5], 1),
    ],
)
@pytest.mark.parametrize("seen", [slice(None), np.delete(np.arange(40), [7, 8, 20])])
def test_alternation_is_found_also_with_frames_missing(levels, colours, seen):
    rng = np.random.default_rng(2)
    indices = 1000 + np.arange(40)
    row = np.array(levels)[np.arange(40) % len(levels)] + rng.normal(0, 1, 40)
    assert alternation(indices[seen], row[seen]) == colours


def test_a_change_elsewhere_than_in_the_probes_is_a_change():
    light, image = Light(), np.zeros((96, 128), np.uint16)
    for k in range(40):
        other = image.copy()
        other[0, 0] = k
        light.step(k, float(k), other)
    assert light.look()[2] == 0.0


STATUS = SimpleNamespace(  # what `around` asks of a TakeStatus
    seconds=60.0, queued=16, queue=64, disk_free=int(1e9 + 64e6), bytes_per_second=1e6, ended=False
)


CAMERA = SimpleNamespace(shape=(480, 640), rate=20.0, live=True)


def test_what_is_known_of_the_surroundings(tmp_path):
    settings = Settings()
    known = around(STATUS, 40, CAMERA, settings)
    assert known["disk"] == pytest.approx(1000 / 60)
    assert known["queue"] == 25.0
    assert known["lag"] == 2.0
    assert set(around(None, None, CAMERA, settings)) == {"memory"}
    assert "queue" not in around(STATUS, 40, SimpleNamespace(**{**vars(CAMERA), "live": False}), settings)
    assert "disk" not in around(SimpleNamespace(**vars(STATUS) | {"ended": True}), None, CAMERA, settings)
    opening = SimpleNamespace(**vars(STATUS) | {"disk_free": 0})
    assert "disk" not in around(opening, None, CAMERA, settings)
    movie = settings.with_value("recorder.movie", True)
    new = SimpleNamespace(**vars(STATUS) | {"seconds": 1.0, "bytes_per_second": 1.0})
    young = around(new, None, CAMERA, movie)
    assert young["disk"] == pytest.approx(1e9 / (2 * 480 * 640 * 20) / 60, rel=0.01)


def test_memory_is_what_the_system_says(tmp_path):
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "statm").write_text("9999 1000 3 1 0 7 0\n")
    free = 3000 * os.sysconf("SC_PAGE_SIZE") // 1024
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable:    {free} kB\n")
    assert memory(tmp_path) == 25.0
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    assert np.isnan(memory(tmp_path))


def test_what_lasts_is_known_from_the_next_frame_on():
    def begin(kind, **data):
        return Event(1.0, 1, kind, {"state": "begin"} | data)

    def end(kind, **data):
        return Event(2.0, 2, kind, {"state": "end", "seconds": 1.0} | data)

    lasting, known = Lasting(), []
    one, other = ({"metric": "roi", "rule": "r", "rois": [name]} for name in "ab")
    told = (
        (begin("cells_late"), begin("quality", **one)), (begin("quality", **other),), (),
        (end("quality", **one), Event(3.0, 3, "gap")), (end("cells_late"), end("motion_jump")), (),
    )  # fmt: skip
    for k, events in enumerate(told):
        after = lasting.follow(replace(sample(np.zeros((4, 4)), k), events=events))
        known.append([(event.kind, event.data.get("rois")) for event in after.lasting])
    late, a, b = ("cells_late", None), ("quality", ["a"]), ("quality", ["b"])
    assert known == [[], [late, a], [late, a, b], [late, a, b], [late, b], [b]]
