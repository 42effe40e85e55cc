"""The list of cameras, on a Linux whose drivers answer as told here."""

import struct

import pytest

from roi_core.sources import devices
from roi_core.sources.devices import Device

MJPG, YUYV = 0x47504A4D, 0x56595559


class Driver:
    """Answers the four questions of V4L2 as a webcam would."""

    capabilities = 0x84200001, 0x04200001
    sizes = ((1280, 720), (640, 480))

    def __call__(self, handle, request, argument):
        index = struct.unpack_from("<I", argument)[0]
        if request == devices.QUERY_CAPABILITIES:
            return struct.pack("<84xII12x", *self.capabilities)
        if request == devices.ENUMERATE_FORMATS:
            return struct.pack("<44xI16x", (YUYV, MJPG)[index]) if index < 2 else None
        if request == devices.ENUMERATE_SIZES:
            return self.size(index)
        width = struct.unpack_from("<I", argument, 8)[0]
        rates = (60, 30) if width == 640 else (30,)
        return struct.pack("<16xIII24x", 1, 1, rates[index]) if index < len(rates) else None

    def size(self, index):
        if index >= len(self.sizes):
            return None
        return struct.pack("<8xIII24x", 1, *self.sizes[index])


class AnySize(Driver):
    """Offers a range of sizes."""

    def size(self, index):
        return struct.pack("<8xI6I8x", 3, 32, 2592, 2, 32, 1944, 2)


class Metadata(Driver):
    """A node that belongs to a camera but gives no pictures."""

    capabilities = 0x84A00001, 0x04A00000


@pytest.fixture
def linux(tmp_path, monkeypatch):
    def build(driver, **names):
        for node, name in names.items():
            (tmp_path / node).touch()
            (tmp_path / "sys" / node).mkdir(parents=True)
            (tmp_path / "sys" / node / "name").write_text(name + "\n")
        monkeypatch.setattr(devices, "_ask", driver)
        return devices._listed(tmp_path, tmp_path / "sys")

    return build


def test_a_webcam_is_listed_with_sizes_and_rates(linux):
    found = linux(Driver(), video2="Second", video10="Tenth", video0="HD Webcam")
    assert [device.source for device in found] == ["0", "2", "10"]
    assert found[0] == Device("0", "HD Webcam", "V4L2", ((1280, 720), (640, 480)), (60.0, 30.0))
    assert str(found[0]) == "0 (HD Webcam, 1280x720)"


def test_of_a_range_the_largest_size_is_listed(linux):
    assert linux(AnySize(), video0="Sensor")[0].sizes == ((2592, 1944),)


def test_nodes_without_pictures_are_left_out(linux):
    assert linux(Metadata(), video1="HD Webcam") == []


def test_a_driver_that_answers_nothing_is_left_out(linux):
    assert linux(lambda *_: None, video0="Broken") == []


def test_without_cameras_the_list_is_empty(tmp_path):
    assert devices._listed(tmp_path / "dev", tmp_path / "sys") == []


def test_elsewhere_indices_are_tried(monkeypatch):
    from roi_core.sources import capture
    from tests.core.test_sources_live import Script

    found = Script(properties={capture.cv2.CAP_PROP_FRAME_WIDTH: 640, capture.cv2.CAP_PROP_FRAME_HEIGHT: 480})
    monkeypatch.setattr(capture, "open_capture", lambda index, _: found if index == 1 else None)
    monkeypatch.setattr(devices.sys, "platform", "win32")
    assert devices.list_devices() == [Device("1", "camera 1", "FFMPEG", ((640, 480),), (30.0,))]
    assert found.released.is_set()
