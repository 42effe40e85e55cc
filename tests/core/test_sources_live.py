"""Live sources: a real camera in another process, and scripted captures for what no camera does on demand."""

import queue
import threading

import cv2
import numpy as np
import pytest

from roi_core.errors import SourceError, SourceLost, SourceNotFound
from roi_core.sources import open_source, opencv
from tests.cameras import Y4mCamera, picture
from tests.contracts.test_source import SourceContract, live_settings


class Script:
    """A capture that gives the pictures put into it, then blocks until unblocked; None is a failed read."""

    def __init__(self, *pictures, backend="FFMPEG", properties=None, ignored=()):
        self.pictures = queue.Queue()
        self.backend, self.ignored = backend, ignored
        self.properties = {cv2.CAP_PROP_FPS: 30.0, **(properties or {})}
        self.released, self.blocks = threading.Event(), threading.Event()
        self.put(*pictures)

    def put(self, *pictures):
        for image in pictures:
            self.pictures.put(image)

    def unblock(self):
        self.put(None)

    def read(self, image=None):
        if self.pictures.empty():
            self.blocks.set()
        found = self.pictures.get()
        return found is not None, found

    def get(self, key):
        return self.properties.get(key, 0.0)

    def set(self, key, value):
        if key in self.ignored:
            return False
        self.properties[key] = value
        return True

    def getBackendName(self):
        return self.backend

    def release(self):
        self.released.set()


class Endless(Script):
    """Gives a picture every 5 ms."""

    def read(self, image=None):
        self.released.wait(0.005)
        return True, GRAY


GRAY = np.zeros((16, 20), np.uint16)


@pytest.fixture
def scripted(monkeypatch):
    """Open sources on scripts, one for each time the camera is opened; None does not open."""
    scripts: list[Script | None] = []
    every: list[Script | None] = []
    sources = []

    def open_capture(*_):
        return scripts.pop(0) if scripts else None

    def start(*given, **camera):
        scripts[:] = given
        every.extend(given)
        source = open_source("0", live_settings(**{"timeout": 0.2, **camera}))
        sources.append(source)
        return source

    monkeypatch.setattr(opencv, "open_capture", open_capture)
    monkeypatch.setattr(opencv, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(opencv, "STALE", 0.0)
    yield start
    for script in every:
        if script is not None:
            script.unblock()
    for source in sources:
        source.close()


@pytest.fixture(scope="module")
def y4m():
    with Y4mCamera(width=32, height=24, rate=100) as camera:
        yield camera


class TestStream(SourceContract):
    @pytest.fixture(autouse=True)
    def _camera(self, y4m):
        self.camera = y4m

    def make(self, folder):
        return open_source(self.camera.url, live_settings(counter="embedded", timeout=2.0))


class TestCamera(SourceContract):
    @pytest.fixture(autouse=True)
    def _script(self, monkeypatch):
        monkeypatch.setattr(opencv, "open_capture", lambda *_: Endless())

    def make(self, folder):
        return open_source("0", live_settings(timeout=2.0))


def counts(frames):
    return [int.from_bytes(bytes(frame.image[0, :4].astype(np.uint8)), "big") for frame in frames]


@pytest.mark.parametrize("size", [(64, 48), (640, 480)])
def test_every_frame_of_a_16_bit_stream_is_exact(size):
    width, height = size
    with Y4mCamera(width=width, height=height, rate=60) as camera:
        source = open_source(camera.url, live_settings(counter="embedded"))
        assert (source.shape, source.rate, source.counter) == ((height, width), 60.0, "camera")
        for number, frame in enumerate(source.frames()):
            assert frame.image.dtype == np.uint16
            np.testing.assert_array_equal(frame.image, picture(frame.index, width, height))
            if number == 40:
                break
        source.close()


def test_what_a_slow_consumer_loses_is_exactly_what_the_camera_dropped():
    pause = threading.Event()
    with Y4mCamera(width=640, height=480, rate=60) as camera:
        source = open_source(camera.url, live_settings(counter="embedded"))
        seen = []
        for frame in source.frames():
            seen.append(frame.index)
            pause.wait(0.05)  # the fault itself: a consumer at a third of the camera's rate
            if len(seen) == 40:
                break
        source.close()
        dropped = [count for count in camera.report().dropped if seen[0] < count < seen[-1]]
    missing = sorted(set(range(seen[0], seen[-1])) - set(seen))
    assert missing == dropped
    assert len(missing) > 40


def test_without_its_count_the_losses_are_estimated_from_time():
    pause = threading.Event()
    with Y4mCamera(width=640, height=480, rate=60) as camera:
        source = open_source(camera.url, live_settings(counter="time"))
        assert source.counter == "time"
        numbers, indices = [], []
        for frame in source.frames():
            numbers += counts([frame])
            indices.append(frame.index)
            if len(indices) == 60:
                pause.wait(0.6)  # the fault itself: a consumer that looks away
            if len(indices) == 140:
                break
        source.close()
    true = numbers[-1] - numbers[0] + 1 - len(numbers)
    assert true > 20
    assert abs(indices[-1] - indices[0] + 1 - len(indices) - true) <= 2


def test_a_camera_that_is_unplugged_comes_back_and_the_gap_is_in_the_index(caplog):
    with Y4mCamera(rate=50, unplug_at=60, unplug_for=0.6) as camera:
        source = open_source(camera.url, live_settings(counter="embedded", timeout=0.5))
        frames = []
        for frame in source.frames():
            frames.append(frame.index)
            if frame.index > 120 and len(frames) > 60:
                break
        source.close()
    steps = np.diff(frames)
    assert steps.max() > 25
    assert (steps > 1).sum() == 1
    gone, back = caplog.messages
    assert gone == f"{source.name} is gone; reconnecting"
    assert back.startswith(f"{source.name} is back after ")
    assert back.endswith(f" s; {steps.max() - 1} frames were lost")


def test_a_camera_that_stalls_is_noticed_and_the_gap_is_recorded(caplog):
    with Y4mCamera(rate=50, stall_at=60, stall_for=0.8) as camera:
        source = open_source(camera.url, live_settings(counter="time", timeout=0.3))
        times, indices = [], []
        for frame in source.frames():
            times.append(frame.time)
            indices.append(frame.index)
            if len(indices) == 80:
                break
        source.close()
    gap = int(np.argmax(np.diff(times)))
    assert np.diff(indices)[gap] == pytest.approx(np.diff(times)[gap] * 50, abs=1)
    assert caplog.messages[0] == f"{source.name} gave no frame for 0.3 s; reconnecting"
    assert f"about {np.diff(indices)[gap] - 1} frames were lost" in caplog.messages[1]


def test_a_camera_whose_count_restarts_is_bridged_by_time(caplog):
    with Y4mCamera(rate=50, unplug_at=60, unplug_for=0.3, restart=1) as camera:
        source = open_source(camera.url, live_settings(counter="embedded", timeout=0.5))
        indices = [frame.index for frame, _ in zip(source.frames(), range(80), strict=False)]
        source.close()
    assert min(np.diff(indices)) == 1
    assert max(np.diff(indices)) > 10
    assert "the gap is an estimate" in caplog.text
    assert "; about " in caplog.text


def test_a_camera_that_stays_away_ends_in_a_sentence(scripted):
    source = scripted(Script(GRAY, GRAY, GRAY, None), retry_for=0.1)
    frames = source.frames()
    with pytest.raises(SourceLost, match=r"^camera 0 gave no frame for 0\.\d+ s \(last: 1\)$"):
        for _ in frames:
            pass


def test_retrying_can_be_refused(scripted, caplog):
    source = scripted(Script(GRAY, GRAY, None), retry_for=0.0)
    with pytest.raises(SourceLost, match=r"^camera 0 is gone \(last: 0\)$"):
        list(source.frames())
    assert caplog.messages == []


def test_attempts_to_reconnect_back_off(scripted, monkeypatch):
    pauses = []
    source = scripted(Script(GRAY, GRAY, None), None, None, None, Script(*[GRAY] * 3), retry_for=30)
    wait = source._closed.wait
    monkeypatch.setattr(source._closed, "wait", lambda seconds: pauses.append(seconds) or wait(0))
    frames = source.frames()
    assert [next(frames).index for _ in range(1)] == [0]
    next(frames)
    assert pauses == [0.01, 0.02, 0.04]


def test_close_is_prompt_while_the_driver_blocks(scripted):
    script = Script(GRAY, GRAY)
    source = scripted(script, timeout=60.0)
    frames = source.frames()
    next(frames)
    consumer = threading.Thread(target=lambda: list(frames))
    consumer.start()
    assert script.blocks.wait(5)
    source.close()
    consumer.join(2)
    assert not consumer.is_alive()
    assert not script.released.is_set()
    script.unblock()
    assert script.released.wait(5)


def test_close_is_prompt_while_reconnecting(scripted):
    source = scripted(Script(GRAY, GRAY, None), retry_for=3600.0)
    started = threading.Event()

    def consume():
        for _ in source.frames():
            started.set()

    consumer = threading.Thread(target=consume)
    consumer.start()
    assert started.wait(5)
    source.close()
    consumer.join(2)
    assert not consumer.is_alive()


def test_the_next_picture_is_read_beside_the_one_in_use(scripted):
    class Painter(Script):
        """Writes into the memory it is handed, as OpenCV does."""

        value = 0

        def read(self, image=None):
            good, _ = super().read()
            self.value += 1
            image = GRAY.copy() if image is None else image
            image[:] = self.value
            return good, image

    script = Painter(*[GRAY] * 30, backend="V4L2")
    source = scripted(script, timeout=5.0)
    frames = source.frames()
    for _ in range(5):
        frame = next(frames)
        value = frame.image[0, 0]
        with source._link._change:
            source._link._change.wait_for(lambda: source._link._ready is not None, 5)
        assert (frame.image == value).all()


def test_a_frame_size_that_changes_is_refused(scripted):
    source = scripted(Script(GRAY, GRAY, GRAY, GRAY[:4]))
    with pytest.raises(
        SourceLost, match=r"^camera 0 changed its frames from 20x16 uint16 to 20x4 uint16 \(last: 1\)$"
    ):
        list(source.frames())


def test_v4l2_time_is_the_drivers(scripted):
    import time

    begin = time.perf_counter()

    class Stamped(Script):
        number = 0

        def get(self, key):
            if key != cv2.CAP_PROP_POS_MSEC:
                return super().get(key)
            self.number += 1
            return 1000 * (begin - 10 + self.number / 30)

    source = scripted(Stamped(*[GRAY] * 20, backend="V4L2"))
    frames = [frame.time for frame, _ in zip(source.frames(), range(10), strict=False)]
    np.testing.assert_allclose(np.diff(frames), 1 / 30, atol=1e-6)


def test_an_empty_handed_read_of_v4l2_is_no_reason_to_reconnect(scripted, caplog):
    class Slow(Script):
        """Finds nothing for a while, as V4L2 does every second."""

        def read(self, image=None):
            good, image = super().read()
            if not good:
                self.released.wait(0.6)
            return good, image

    source = scripted(Slow(GRAY, GRAY, None, GRAY, backend="V4L2"), timeout=10.0)
    frames = source.frames()
    next(frames)
    next(frames)
    assert caplog.messages == []


def test_what_the_driver_ignores_is_told(scripted, caplog):
    scripted(Script(GRAY, ignored={cv2.CAP_PROP_FPS}), format="1280x720@60")
    assert caplog.messages == ["camera 0 ignored 1280x720@60: it gives 20x16@30"]


def test_a_rate_the_driver_ignores_is_told(scripted, caplog):
    source = scripted(Script(GRAY, properties={}, ignored={cv2.CAP_PROP_FPS}), format="20x16@60")
    assert caplog.messages == ["camera 0 ignored 20x16@60: it gives 20x16@30"]
    assert source.rate == 30.0


def test_a_format_that_is_followed_needs_no_word(scripted, caplog):
    assert scripted(Script(GRAY), format="20x16@60").rate == 60.0
    assert caplog.messages == []


def test_exposure_follows_the_setting_while_running(scripted, caplog):
    script = Script(*[GRAY] * 3, backend="V4L2")
    source = scripted(script, exposure=100.0, timeout=5.0)
    frames = source.frames()
    next(frames)
    assert script.properties[cv2.CAP_PROP_EXPOSURE] == 100.0
    assert script.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    source._settings.edit("camera.exposure", 50.0)
    script.put(*[GRAY] * 4)
    for _ in range(4):
        next(frames)
    assert script.properties[cv2.CAP_PROP_EXPOSURE] == 50.0
    assert caplog.messages == []


def test_exposure_that_is_ignored_is_told_once(scripted, caplog):
    script = Script(*[GRAY] * 9, ignored={cv2.CAP_PROP_EXPOSURE})
    source = scripted(script, exposure=100.0)
    frames = source.frames()
    for _ in range(4):
        next(frames)
    assert caplog.messages == ["camera 0 ignored exposure 100: its driver cannot set it"]


def test_a_camera_that_opens_but_gives_nothing(scripted):
    with pytest.raises(SourceError, match=r"^camera 0 opens but gives no picture$"):
        scripted(Script(None))


KEYS = ("access_token", "usr", "pw", "auth", "psswd", "p", "sid", "PWD", "id", "streamid", "passphrase")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://me:secret@host/cam", "rtsp://host/cam"),
        ("rtsp://me:sec@ret@host/cam", "rtsp://host/cam"),
        ("rtsp://me:secret@host", "rtsp://host"),
        ("rtsp://host/cam@2", "rtsp://host/cam@2"),
        ("rtsp://[::1]:554/cam", "rtsp://[::1]:554/cam"),
        ("rtsp://host:554/a?b@c", "rtsp://host:554/a?***"),
        ("http://me:x/secret@host/cam", "http://host/cam"),
        ("http://me:se@x/secret@host:80/cam?fps=5", "http://host:80/cam?fps=5"),
        ("http://me:1/secret@host/cam", "http://host/cam"),
        ("http://me:x?secret@host/cam", "http://host/cam"),
        ("http://me:x#secret@host/cam", "http://host/cam"),
        ("http://me:1?secret@host/cam", "http://me:1?***"),
        ("http://host/video?user=me&password=secret&fps=5", "http://host/video?user=***&password=***&fps=5"),
        ("http://host/v?password=ab/secret&width=640", "http://host/v?password=***&width=640"),
        ("http://host/v?pw=ab?secret;secret#secret", "http://host/v?pw=***;***#***"),
        ("http://host/v?fps=5?pw=secret", "http://host/v?fps=***"),
        ("http://host/v#pw=secret", "http://host/v#***"),
        ("rtsp://host/user=me_Password=secret_channel=1", "rtsp://host/user=***_Password=***_channel=1"),
        ("rtsp://host/pw=ab/secret_stream=0.sdp?video", "rtsp://host/pw=***_stream=0.sdp?video"),
        *((f"http://host/a?{key}=secret", f"http://host/a?{key}=***") for key in KEYS),
    ],
)
def test_passwords_do_not_reach_the_recording(monkeypatch, url, name):
    monkeypatch.setattr(opencv, "open_capture", lambda *_: Endless())
    source = open_source(url, live_settings())
    assert source.name == name
    source.close()
    monkeypatch.setattr(opencv, "open_capture", lambda *_: None)
    with pytest.raises(SourceNotFound) as refused:
        open_source(url, live_settings())
    assert str(refused.value).startswith(f"{name} does not open")


def test_losses_without_a_counter_are_unknown(scripted):
    assert scripted(Script(GRAY), counter="none").counter == "unknown"
