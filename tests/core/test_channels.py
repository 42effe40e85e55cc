"""Which channel a frame shows: by count, checked by brightness."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.channels import LEARN, SPAN, Channels, Order
from roi_core.errors import SettingsError
from roi_core.settings import Settings

LEVELS = {2: (1000.0, 800.0), 3: (1000.0, 800.0, 1300.0)}


def light(frames, count=2, seed=0, noise=0.005, levels=None):
    """Return the log brightness of frames whose light is in order."""
    levels = np.array(levels or LEVELS[count])
    rng = np.random.default_rng(seed)
    return np.log(levels[np.arange(frames) % count] * (1 + noise * rng.standard_normal(frames)))


def slips(order, levels, indices=None):
    indices = range(len(levels)) if indices is None else indices
    return [slip for i, level in zip(indices, levels, strict=True) if (slip := order.step(i, level))]


def test_an_order_that_holds_is_left_alone():
    order = Order(2)
    assert slips(order, light(5000)) == []
    assert not order.alike
    assert order.shift == 0


@pytest.mark.parametrize("lost", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [2, 3])
def test_frames_that_were_lost_and_counted_swap_nothing(count, lost):
    kept = [*range(400), *range(400 + lost, 900)]
    order = Order(count)
    assert slips(order, light(900, count)[kept], kept) == []
    assert order.shift == 0


@pytest.mark.parametrize("lost", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("count", [2, 3])
def test_frames_lost_without_being_counted_are_seen_within_a_few(count, lost):
    kept = [*range(400), *range(400 + lost, 900)]
    order = Order(count)
    found = slips(order, light(900, count)[kept])
    assert order.shift == lost % count
    assert [slip.by for slip in found] == ([lost % count] if lost % count else [])
    assert all(slip.since == 400 for slip in found)


def test_a_slip_is_told_soon():
    order, seen = Order(2), light(900)
    told = [i for i, level in enumerate(np.delete(seen, 400)) if order.step(i, level)]
    assert told
    assert told[0] - 400 <= 3 * SPAN


def test_a_second_slip_is_seen_as_well():
    order, seen = Order(2), light(2000)
    assert [slip.since for slip in slips(order, np.delete(seen, [500, 1200]))] == [500, 1199]
    assert order.shift == 0


def test_an_order_that_is_wrong_from_the_start_is_seen_when_the_brightest_is_known():
    order = Order(2, brightest=1)
    found = slips(order, light(500))
    assert [(slip.by, slip.since) for slip in found] == [(1, 0)]
    assert order.levels[1] > order.levels[0]
    assert order.shift == 1
    # and a slip later on is seen, too
    assert slips(Order(2, brightest=0), light(500)) == []


@given(
    height=st.floats(0.0, 3.0),
    channel=st.integers(0, 1),
    levels=st.sampled_from([(1000.0, 800.0), (800.0, 1000.0), (1000.0, 970.0)]),
    length=st.integers(5, 600),
)
def test_activity_is_never_taken_for_a_slip(height, channel, levels, length):
    """Whatever one channel does, as long as the other stays."""
    seen = light(900, levels=levels, noise=0.001)
    active = (np.arange(900) % 2 == channel) & (np.arange(900) >= 200) & (np.arange(900) < 200 + length)
    assert slips(Order(2), seen + active * math.log1p(height)) == []


def test_bleaching_through_each_others_level_is_no_slip():
    frames = np.arange(20_000)
    order = Order(2)
    assert slips(order, light(20_000) - (frames % 2 == 0) * 0.5 * frames / 20_000) == []
    assert order.levels[0] < order.levels[1]


@given(st.floats(-0.5, 0.5), st.integers(1, 200))
def test_what_both_share_is_no_slip(size, length):
    """A movement, the lamp, or bleaching."""
    seen = light(600)
    seen[200 : 200 + length] += size
    assert slips(Order(2), seen) == []


def test_channels_of_one_brightness_are_told_once(caplog):
    channels = Channels(Settings().with_texts("channels.order=a,b").channels)
    rules = Settings().with_texts("channels.order=a,b").channels
    image = np.full((8, 8), 500, np.uint16)
    news = [data for i in range(200) for _, data in channels.step(i, image, rules)[1]]
    assert [data["state"] for data in news] == ["alike"]
    assert "a 500, b 500" in caplog.text


def pictures(numbers, levels=(1000, 800)):
    rng = np.random.default_rng(0)
    return [
        (i, (levels[shown % 2] + rng.integers(0, 5, (8, 8))).astype(np.uint16))
        for i, shown in enumerate(numbers)
    ]


@pytest.mark.parametrize("follow", [True, False])
def test_the_order_is_corrected_or_only_told(follow, caplog):
    rules = Settings().with_texts("channels.order=470,415", f"channels.follow={follow}").channels
    channels = Channels(rules)
    shown = [*range(100), *range(101, 200)]
    answers = [channels.step(i, image, rules) for i, image in pictures(shown)]
    told = [data for _, news in answers for kind, data in news if kind == "channels"]
    assert [data["since"] for data in told] == [100]
    assert "frames taken for 470 show 415, since about frame 100" in caplog.text
    assert [number for number, _ in answers[-4:]] == (
        [n % 2 for n in shown[-4:]] if follow else [i % 2 for i in range(195, 199)]
    )


def test_light_that_fits_nothing_is_told_once(caplog):
    rules = Settings().with_texts("channels.order=470,415").channels
    channels = Channels(rules)
    dark = [(100 + i, np.full((8, 8), 20 + i % 2, np.uint16)) for i in range(400)]
    told = [
        data for i, image in [*pictures(range(100)), *dark] for _, data in channels.step(i, image, rules)[1]
    ]
    assert [data["state"] for data in told] == ["astray"]


def test_without_an_order_there_is_one_channel():
    rules = Settings().channels
    assert Channels(rules).step(7, np.zeros((4, 4), np.uint16), rules) == (0, [])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["channels.order=470"], "2 to 8 different channels"),
        (["channels.order=470,470"], "2 to 8 different channels"),
        (["channels.order=470;415"], "names of up to 16"),
        (["channels.order=470,415", "channels.reference=405"], "there are 470, 415"),
        (["channels.brightest=470"], "there are none"),
        (["channels.offset=12"], "dx,dy"),
        (["channels.order=470,415", "cnmf.enabled=true"], "draw regions, or leave channels.order empty"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words, why):
    with pytest.raises(SettingsError, match=why):
        Settings().with_texts(*words)


def test_wavelengths_may_be_written_as_numbers():
    rules = Settings.loads("channels:\n  order: 470, 415\n  reference: 470\n").channels
    assert (rules.names, rules.main) == (("470", "415"), 1)
    assert LEARN >= SPAN
