"""GenICam's names, on cameras that spell them in the old way, tie them together or lock them."""

from types import SimpleNamespace

import pytest

from roi_core.sources.features import Features
from roi_core.sources.knobs import WHOLE, Region


class Refused(Exception):
    """What the binding raises."""


class Node:
    """A number with limits and a grid, or a word of a list."""

    def __init__(self, value, low=0, high=10_000, inc=1, words=()):
        self._value, self.min, self.max, self.inc, self.symbolics = value, low, high, inc, words
        self.locked = False

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, wish):
        on_grid = self.symbolics or (self.min <= wish <= self.max and (wish - self.min) % self.inc == 0)
        if self.locked or (self.symbolics and wish not in self.symbolics) or not on_grid:
            raise Refused(wish)
        self._value = wish


def features(**nodes):
    return Features(nodes.get, lambda node: not node.locked), SimpleNamespace(**nodes)


def test_an_old_camera_counts_its_exposure_in_whole_microseconds():
    camera, nodes = features(ExposureTimeRaw=Node(100), ExposureAuto=Node("Once", words=("Off", "Once")))
    exposure = camera.knobs()["exposure"]
    exposure.write(2.5004)
    assert nodes.ExposureTimeRaw.value == 2500
    assert exposure.read() == 2.5
    assert nodes.ExposureAuto.value == "Off", "or the camera would change it again"
    assert exposure.offer() == "0 to 10"


def sensor(**more):
    sides = {"OffsetX": Node(64, inc=4), "OffsetY": Node(32, inc=2)}
    return features(**sides, Width=Node(64, 32, 640, 16), Height=Node(48, 16, 480, 4), **more)


def test_a_part_of_the_sensor_lies_on_the_cameras_grid():
    camera, _ = sensor()
    region = camera.knobs()["crop"]
    region.write(Region(9, 9, 200, 101))
    assert region.read() == Region(8, 8, 192, 100)


def test_the_whole_sensor_is_as_large_as_it_can_be():
    camera, nodes = sensor()
    nodes.OffsetX.max, nodes.OffsetY.max = 576, 432
    camera.knobs()["crop"].write(Region(64, 32, 128, 96))
    camera.knobs()["crop"].write(WHOLE)
    assert camera.knobs()["crop"].read() == (0, 0, 640, 480)


def test_without_a_corner_it_is_in_the_middle():
    camera, nodes = sensor()
    nodes.OffsetX.max, nodes.OffsetY.max = 640 - 320, 480 - 240
    camera.knobs()["format"].write(Region(None, None, 320, 240))
    assert camera.knobs()["format"].read() == Region(160, 120, 320, 240)


def test_a_camera_without_corners_gives_the_size():
    camera, nodes = features(Width=Node(64, 32, 640, 16), Height=Node(48, 16, 480, 4))
    camera.knobs()["crop"].write(Region(None, None, 320, 240))
    assert camera.shape == (240, 320)
    assert nodes.Width.value == 320


def test_binning_that_ties_both_directions_is_set_once():
    down = Node(1, 1, 4)
    down.locked = True
    camera, _ = features(BinningHorizontal=Node(2, 1, 4), BinningVertical=down)
    with pytest.raises(Refused):
        camera.knobs()["binning"].write(2)
    down._value = 2
    camera.knobs()["binning"].write(2)
    assert camera.knobs()["binning"].read() == 2


def test_an_external_trigger_comes_from_a_line():
    words = ("Software", "Line1", "Line2")
    camera, nodes = features(
        TriggerMode=Node("Off", words=("Off", "On")), TriggerSource=Node("Software", words=words)
    )
    trigger = camera.knobs()["trigger"]
    trigger.write("external")
    assert (trigger.read(), nodes.TriggerSource.value) == ("external", "Line1")
    nodes.TriggerSource.value = "Line2"
    trigger.write("external")
    assert nodes.TriggerSource.value == "Line2", "a line that was chosen stays"
    trigger.write("free")
    assert trigger.read() == "free"


@pytest.mark.parametrize(
    ("name", "full"),
    [("Mono8", 0), ("Mono10", 1023), ("Mono12p", 4095), ("Mono14", 16_383), ("Mono16", 0), ("BayerRG12", 0)],
)
def test_the_largest_value_follows_from_the_format(name, full):
    assert features(PixelFormat=Node(name, words=(name,)))[0].full == full


def test_what_a_camera_does_not_have_cannot_be_adjusted():
    camera, _ = features()
    assert camera.knobs() == {}
    assert camera.rate is None
