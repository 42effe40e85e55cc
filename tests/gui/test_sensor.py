"""The part of the sensor that the camera sends, drawn on the picture; without a display."""

import logging
from importlib.util import find_spec
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.errors import SourceError
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source
from roi_core.sources.knobs import Readout
from roi_stream_gui import words
from roi_stream_gui.controller import Controller
from roi_stream_gui.panels.cropframe import fitting
from roi_stream_gui.picture import Picture
from roi_stream_gui.sensor import STAY, CameraCrop, Move
from tests.gui.driver import within
from tests.gui.test_controller import texts
from tests.gui.test_replay import recording


@pytest.fixture
def crop():
    """A camera of which a part is read out, binned by 2."""
    crop = CameraCrop(LiveSettings(Settings().with_texts("camera.binning=2")))
    crop.size, crop.readout = (320, 240), Readout(64, 32, 320, 240, 2)
    return crop


def draw(crop, start=(10.2, 20.4), end=(110.1, 100.0)):
    crop.take()
    crop.press(*start)
    crop.move(*end)
    crop.release(*end)


def asked(crop):
    crop.settle()
    return crop._settings.current.camera.crop


class TestDrawn:
    def test_it_begins_at_the_corner_of_what_is_sent_now(self, crop, caplog):
        caplog.set_level("INFO")
        draw(crop)
        assert crop.shown == (10, 20, 100, 80), "where it was drawn"
        assert crop.waits
        assert caplog.messages[0] == words.CAMERA_CROP_DRAW
        assert caplog.messages[-1] == words.CROP_WAITS + words.CAMERA_CROP_SET.format(100, 80, 74, 52)
        assert asked(crop) == "74,52,100,80"
        assert not crop.waits
        assert crop.shown is None, "it is the whole picture now"

    @pytest.mark.parametrize(
        ("binning", "text"), [(1, "148,104,200,160"), (4, "37,26,50,40"), (None, "74,52,100,80")]
    )
    def test_another_binning_of_the_next_connection_is_reckoned_with(self, crop, binning, text):
        draw(crop)
        crop._settings.edit("camera.binning", binning)
        assert asked(crop) == text

    def test_it_waits_also_while_frames_flow_and_ends_with_the_picture(self, crop):
        crop._settings.running = True
        draw(crop, (-50, 200), (900, 900))
        assert crop.shown == (0, 200, 320, 40)
        crop._settings.running = False
        assert asked(crop) == "64,232,320,40"

    def test_what_binning_makes_less_than_a_pixel_is_one(self, crop):
        crop.readout = Readout(0, 0, 320, 240)
        draw(crop, (64, 32), (80, 48))
        crop._settings.edit("camera.binning", 32)
        assert asked(crop) == "2,1,1,1", "0 px would be refused"

    def test_a_refused_wish_is_told_and_keeps_no_camera_from_opening(self, crop, caplog):
        draw(crop)
        crop._settings.running = True  # the session before does not end
        assert asked(crop) == ""
        assert "camera.crop = '74,52,100,80'" in caplog.messages[-1]
        assert not crop.waits

    def test_that_of_another_camera_is_forgotten_and_this_is_told_once(self, crop, caplog):
        draw(crop)
        crop.drop("pylon:1")
        crop.drop("pylon:1")
        assert caplog.messages.count(words.CAMERA_CROP_DROPPED.format("pylon:1")) == 1
        assert asked(crop) == ""

    def test_the_whole_sensor_is_asked_for_again(self, crop, caplog):
        caplog.set_level("INFO")
        draw(crop)
        crop.remove()
        assert crop.shown is None
        assert words.CAMERA_CROP_GONE in caplog.messages[-1]
        assert asked(crop) == "whole"

    def test_a_slip_of_the_hand_changes_nothing(self, crop):
        draw(crop, (10, 10), (14, 100))
        assert asked(crop) == ""

    def test_a_source_without_a_sensor_says_so(self, crop, caplog):
        crop.readout = None
        crop.take()
        assert not crop.armed
        crop.remove()
        assert asked(crop) == ""
        assert caplog.messages == [words.CAMERA_CROP_NOT] * 2

    @pytest.mark.parametrize("waits", [True, False])
    def test_its_word_is_no_wider_than_its_frame(self, waits):
        texts = words.CAMERA_CROP_LABELS[waits]
        assert [fitting(texts, room, len) for room in (400, len(texts[-1]), 0)] == [texts[0], texts[-1], ""]

    def test_one_crop_is_drawn_at_a_time(self):
        picture = Picture(LiveSettings())
        picture.sensor.readout = Readout(0, 0, 64, 48)
        picture.draw(picture.crop)
        picture.draw(picture.sensor)
        assert (picture.crop.armed, picture.sensor.armed, picture.pen) == (False, True, picture.sensor)
        picture.draw(picture.crop)
        assert (picture.crop.armed, picture.sensor.armed, picture.pen) == (True, False, picture.crop)
        picture.draw(picture.crop)
        assert not picture.pen.armed
        picture.close()


sides = st.integers(0, 500)
readouts = st.builds(
    Readout, sides, sides, st.integers(16, 600), st.integers(16, 600), st.sampled_from([1, 2, 4])
)


class TestCarried:
    @given(readouts, readouts, sides, sides)
    def test_a_region_stays_on_the_same_pixels_of_the_sensor(self, before, now, x, y):
        rois = Move(before, now).regions(RoiSet([Circle(x, y, 7.0)]))
        (xc, yc, r) = next(iter(rois)).circle()

        def place(at, view, side):
            return (at + 0.5 + view[side]) * view.binning

        assert place(xc, now, 0) == pytest.approx(place(x, before, 0))
        assert place(yc, now, 1) == pytest.approx(place(y, before, 1))
        assert r * now.binning == pytest.approx(7.0 * before.binning)
        assert rois.ids == (1,)

    def test_where_nothing_moved_nothing_changes(self):
        rois = RoiSet([Circle(5, 5, 3)])
        assert Move(Readout(8, 8, 64, 48), Readout(8, 8, 32, 24)).regions(rois) is rois
        assert STAY.regions(rois) is rois
        assert STAY.rectangle((1, 2, 3, 4)) == (1, 2, 3, 4)

    def test_of_the_part_that_is_analysed_what_is_sent_is_left(self):
        before = Readout(0, 0, 640, 480)
        now = Readout(100, 50, 200, 100)
        assert Move(before, now).rectangle((120, 60, 50, 40)) == (20, 10, 50, 40)
        assert Move(before, now).rectangle((0, 0, 200, 100)) == (0, 0, 100, 50)
        assert Move(before, now).rectangle((0, 0, 100, 400)) is None
        assert Move(now, before).rectangle((20, 10, 50, 40)) == (120, 60, 50, 40)
        binned = Move(before, Readout(0, 0, 320, 240, 2))
        assert binned.rectangle((120, 60, 50, 40)) == (60, 30, 25, 20)


SIMULATED = ("simulated:tiny", ())
DEMO = ("micromanager:demo", ("camera.binning=2", "camera.crop=40,20,128,96", "camera.exposure=5.0"))


@pytest.mark.parametrize(("source", "asked_for"), [SIMULATED, DEMO])
def test_drawn_on_a_camera_it_is_what_that_sends(tmp_path, source, asked_for):
    if source == DEMO[0] and (find_spec("pymmcore_plus") is None or find_spec("mm_test_adapters") is None):
        pytest.skip("pymmcore-plus is not installed: pip install '.[test-cameras]'")
    controller = Controller(
        Settings().with_texts(*asked_for, f"recorder.folder={tmp_path}"), opener=open_source
    )
    controller.log.install()
    try:
        before = connected(controller, source)
        width, height = before.readout[2:4]
        controller.picture.tick(before)
        controller.editor.begin(RoiSet([Circle(30.0, 25.0, 4.0)]))
        controller.picture.crop._waiting = "4,4,30,24"
        draw(controller.picture.sensor, (20, 16), (52, 40))
        now = connected(controller, source)
        assert now.readout == (before.readout.x + 20, before.readout.y + 16, 32, 24, before.readout.binning)
        assert now.frames.shape == (24, 32)
        assert controller.editor.rois[1].circle() == pytest.approx((10.0, 9.0, 4.0))
        assert controller.settings.current.prepare.crop == "", "12 x 12 px are too little to analyse"
        told = words.CARRIED.format(width, height, 32, 24, 0, 1)
        assert [one.level for one in controller.log.messages() if one.text == told] == [logging.INFO]
        assert not any("stay on their pixels" in text for text in texts(controller))
        controller.picture.tick(now)
        controller.picture.sensor.remove()
        whole = connected(controller, source)
        assert whole.readout[:2] == (0, 0)
        assert whole.readout.width >= width
        assert whole.readout.height >= height
        x, y = before.readout[:2]
        assert controller.editor.rois[1].circle() == pytest.approx((30.0 + x, 25.0 + y, 4.0))
    finally:
        controller.close()
        controller.log.remove()


@pytest.fixture
def controller(tmp_path):
    controller = Controller(Settings().with_texts(f"recorder.folder={tmp_path}"), opener=open_source)
    controller.log.install()
    yield controller
    controller.close()
    controller.log.remove()


@pytest.fixture
def file(tmp_path):
    """A movie, which shows no part of a sensor."""
    path = tmp_path / "movie.npy"
    np.save(path, np.zeros((20, 48, 64), np.uint16))
    return str(path)


def opened(controller, source):
    first = controller.session
    controller.connect(source)
    within(60, lambda: (controller.tick(), controller.session is not first)[1], "opened")


def connected(controller, source):
    opened(controller, source)
    within(20, lambda: controller.session.frames.head > 0, "frames")
    return controller.session


def test_a_connection_that_fails_leaves_the_regions_where_they_are(controller, monkeypatch):
    controller.picture.tick(connected(controller, "simulated:tiny"))
    controller.editor.begin(RoiSet([Circle(30.0, 25.0, 4.0)]))
    controller.picture.crop._waiting = "30,20,24,24"
    draw(controller.picture.sensor, (20, 16), (52, 44))
    with monkeypatch.context() as patch:
        patch.setattr(Session, "start", Mock(side_effect=SourceError("it does not start")))
        failing(controller, "simulated:tiny", "it does not start")
    assert controller.editor.rois[1].circle() == (30.0, 25.0, 4.0)
    assert controller.settings.current.prepare.crop == "30,20,24,24"
    assert not any("analysis looks at" in text for text in texts(controller)), "it is where it was"
    assert connected(controller, "simulated:tiny").readout[:4] == (20, 16, 32, 28)
    assert controller.editor.rois[1].circle() == (10.0, 9.0, 4.0)
    assert controller.settings.current.prepare.crop == "10,4,22,24"


def failing(controller, source, why):
    """Connect in vain."""
    controller.connect(source)
    within(20, lambda: (controller.tick(), any(why in text for text in texts(controller)))[1], "it is said")


def test_the_tool_is_put_away_when_the_picture_of_another_source_comes(controller, file):
    connected(controller, "simulated:tiny")
    controller.tick()
    sensor = controller.picture.sensor
    sensor.take()
    sensor.press(5, 5)
    connected(controller, file)
    controller.tick()
    assert not sensor.armed
    sensor.release(40, 40)
    assert not sensor.waits, "a file has no sensor"
    connected(controller, file)
    assert controller.settings.current.camera.crop == ""


def test_what_waits_is_dropped_with_a_word_when_another_source_is_there_and_not_before(controller, file):
    connected(controller, "simulated:tiny")
    controller.tick()
    draw(controller.picture.sensor, (20, 16), (52, 40))
    dropped = words.CAMERA_CROP_DROPPED.format("simulated:tiny")
    failing(controller, file + ".gone", "movie.npy.gone")
    assert controller.picture.sensor.waits, "the camera is still there"
    assert dropped not in texts(controller)
    connected(controller, file)
    assert texts(controller).count(dropped) == 1
    assert connected(controller, "simulated:tiny").frames.shape == (48, 64)


def test_a_crop_that_binning_makes_tiny_opens_all_the_same(controller):
    connected(controller, "simulated:tiny")
    controller.tick()
    draw(controller.picture.sensor, (0, 0), (16, 16))
    controller.disconnect()
    within(20, lambda: (controller.tick(), not controller.settings.running)[1], "it ended")
    assert controller.edit("camera.binning", 32)
    assert connected(controller, "simulated:tiny").frames.shape == (1, 1)


def sending(controller, part):
    """End what runs, and connect the camera so that it sends this part of its sensor."""
    controller.disconnect()
    within(20, lambda: (controller.tick(), not controller.settings.running)[1], "it ended")
    assert controller.edit("camera.crop", part)
    return connected(controller, "simulated:tiny")


@pytest.fixture
def marked(controller):
    """A camera that sends the corner of its sensor, and a region on it."""
    sending(controller, "0,0,40,32")
    controller.editor.add(Circle(30.0, 25.0, 4.0))
    return controller


def place(controller):
    return controller.editor.rois[1].circle()[:2]


AGAIN = words.CARRIED.format(40, 32, 40, 32, 0, 1)


@pytest.mark.parametrize("between", ["file", "results", "failure"])
def test_regions_stay_on_their_cells_whatever_was_open_in_between(marked, file, tmp_path, between):
    if between == "file":
        connected(marked, file)
    elif between == "results":
        opened(marked, str(recording(tmp_path / "take.h5", movie=False)))
        assert not len(marked.editor.rois), "they are put aside"
    else:
        failing(marked, file + ".gone", "movie.npy.gone")
    session = sending(marked, "12,8,40,32")
    assert place(marked) == (18.0, 17.0)
    assert session.rois == marked.editor.rois
    assert [one.level for one in marked.log.messages() if one.text == AGAIN] == [logging.INFO]


def test_regions_of_a_file_that_was_replayed_are_of_no_part_of_the_sensor(controller, tmp_path):
    sending(controller, "0,0,40,32")
    take = recording(tmp_path / "take.h5", True, RoiSet([Circle(5.0, 6.0, 2.0)]))
    controller.connect(str(take), play=True)
    within(20, lambda: (controller.tick(), len(controller.editor.rois) == 1)[1], "its regions")
    sending(controller, "12,8,40,32")
    assert place(controller) == (5.0, 6.0)


def test_that_regions_moved_along_is_one_step_of_the_journal(marked):
    sending(marked, "12,8,40,32")
    assert marked.journal.undo_name == "carry along"
    marked.journal.undo()
    marked.tick()
    assert place(marked) == (30.0, 25.0)
    assert marked.session.rois is marked.editor.rois, "they are measured there"
    marked.journal.redo()
    assert place(marked) == (18.0, 17.0)
    marked.journal.undo()
    marked.journal.undo()
    assert not len(marked.editor.rois), "what was done before can be taken back, too"


def test_what_is_drawn_while_the_camera_opens_moves_along(marked, monkeypatch):
    def started(session):
        assert session.rois[1].circle()[:2] == (18.0, 17.0), "no frame is measured beside the cells"
        marked.editor.add(Circle(20.0, 20.0, 3.0))
        start(session)

    start = Session.start
    monkeypatch.setattr(Session, "start", started)
    session = sending(marked, "12,8,40,32")
    assert [roi.circle()[:2] for roi in marked.editor.rois] == [(18.0, 17.0), (8.0, 12.0)]
    assert session.rois is marked.editor.rois
