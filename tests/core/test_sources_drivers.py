"""Cameras of makers, as far as they can be had without hardware: each on the simulator that its driver ships.

Install ``.[test-cameras]`` for them; without, each of these tests skips with a line that says so.
"""

import json
import subprocess
import sys
import threading
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import h5py
import pytest

from roi_core import cli
from roi_core.errors import MissingExtra, SourceError, SourceNotFound
from roi_core.session import Session
from roi_core.sources import driver, handle, open_source, survey
from tests.contracts.test_source import SourceContract, collect, live_settings

MODULES = {"pylon": "pypylon", "genicam": "harvesters", "micromanager": "pymmcore_plus"}
SMALL = {"pylon": "128x96", "genicam": "128x104", "micromanager": "128x96"}


def producer() -> Path:
    """GenTL's simulator, three cameras that show a bouncing ball; it comes with the bindings."""
    spec = find_spec("genicam")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("viky.cti")


def text(word):
    return {"pylon": "pylon:", "genicam": f"genicam:{producer()}", "micromanager": "micromanager:demo"}[word]


@pytest.fixture(autouse=True)
def _emulated(monkeypatch):
    monkeypatch.setenv("PYLON_CAMEMU", "2")
    monkeypatch.setattr(driver, "FIRST_PAUSE", 0.01)


def need(word):
    missing = [name for name in (MODULES[word],) if find_spec(name) is None]
    if word == "micromanager" and find_spec("mm_test_adapters") is None:
        missing.append("mm-test-adapters")
    if missing:
        pytest.skip(f"{missing[0]} is not installed: pip install '.[test-cameras]'")


@pytest.fixture
def opened():
    sources = []

    def begin(word, **camera):
        need(word)
        source = open_source(text(word), live_settings(**{"format": SMALL[word], **camera}))
        sources.append(source)
        return source

    yield begin
    for source in sources:
        source.close()


class DriverContract(SourceContract):
    word = ""

    def make(self, folder):
        need(self.word)
        return open_source(text(self.word), live_settings(format=SMALL[self.word]))

    def test_every_frame_is_counted_by_the_driver(self, source):
        frames = collect(source, 8)
        assert source.counter == "camera"
        assert frames[-1].index - frames[0].index == 7

    def test_pulled_out_it_comes_back(self, source, caplog):
        frames = source.frames()
        before = next(frames)
        index, time = before.index, before.time
        self.pull(source._device)
        after = next(frames)
        lost = after.index - index - 1
        assert lost == pytest.approx((after.time - time) * source.rate, abs=2)
        # What the driver had already handed over may come before the break is noticed.
        back = next(frame for frame in frames if len(caplog.messages) > 1)
        assert back.index > index
        assert "reconnecting" in caplog.messages[0]
        assert f"{source.name} is back after" in caplog.messages[1]

    def pull(self, device):
        raise NotImplementedError


class TestPylon(DriverContract):
    word = "pylon"

    def pull(self, device):
        device.camera.Close()


class TestGenICam(DriverContract):
    word = "genicam"

    def pull(self, device):
        device.camera.destroy()


class TestMicroManager(DriverContract):
    word = "micromanager"

    def pull(self, device):
        device.core.stopSequenceAcquisition()
        device.core.unloadAllDevices()


@pytest.mark.parametrize(
    ("word", "kind", "full"),
    [("pylon", "uint16", 4095), ("micromanager", "uint16", 0)],
)
def test_sixteen_bits_arrive(opened, word, kind, full):
    source = opened(word, pixel_format="12" if word == "pylon" else "16")
    frame = next(source.frames())
    assert (str(frame.image.dtype), source.full) == (kind, full)
    assert frame.image.max() > 255


def test_pixels_that_cannot_be_read_are_told(opened):
    source = opened("pylon")
    source._device.camera.PixelFormat.Value = "BGRA8Packed"
    with pytest.raises(SourceError, match=r"cannot be read \(BGRA8Packed\); ask for others"):
        next(source.frames())


def test_every_kind_of_pixels_that_is_offered_can_be_read(opened, caplog):
    opened("pylon", pixel_format="bgra8packed").close()
    assert caplog.messages[0].startswith("pylon:0815-0000 refused camera.pixel_format bgra8packed: it allows")
    kinds = caplog.messages[0].partition(" it allows ")[2].partition(";")[0].split(", ")
    assert {"Mono8", "Mono12", "RGB8Packed", "BGR8Packed", "BayerGR12"} <= set(kinds)
    for kind in kinds:
        source = opened("pylon", pixel_format=kind)
        image = next(source.frames()).image
        assert image.shape == (96, 128, 3)[: 3 if "8Packed" in kind else 2]
        source.close()


def test_a_colour_mosaic_is_told_once(opened, caplog):
    source = opened("pylon", pixel_format="BayerGR12")
    frames = source.frames()
    next(frames)
    source._device.camera.Close()
    next(frames)
    mosaic = [text for text in caplog.messages if "mosaic" in text]
    assert len(mosaic) == 1
    assert mosaic[0].startswith("pylon:0815-0000 gives BayerGR12, one colour a pixel: the mosaic is recorded")


def test_colour_comes_in_blue_green_red(opened):
    grey, colour = opened("genicam", pixel_format="8"), None
    ball = next(grey.frames()).image
    grey.close()
    colour = next(opened("genicam", pixel_format="rgba8").frames()).image
    assert ball.ndim == 2
    assert colour.shape == (*ball.shape, 3)
    # The first camera's ball is red.
    assert colour[..., 2].sum() > colour[..., 0].sum()


def test_what_a_slow_consumer_loses_are_steps_of_the_producers_count(opened, monkeypatch):
    monkeypatch.setattr(handle, "BUFFERS", (4, 4))
    source = opened("genicam", format="128x104@100", pixel_format="8")
    frames = source.frames()
    first = next(frames).index
    threading.Event().wait(0.5)
    late = [next(frames).index for _ in range(12)]
    steps = [b - a for a, b in pairwise([first, *late])]
    assert steps[:3] == [1, 1, 1], "what was in the buffers"
    assert 20 <= max(steps) <= 100, "what found no buffer"


def test_what_overflows_in_micro_manager_is_counted(opened, monkeypatch):
    need("micromanager")
    from roi_core.sources import micromanager

    monkeypatch.setattr(micromanager, "BUFFER_MB", 1)
    source = opened("micromanager", format="512x512", exposure=2.0)
    frames = source.frames()
    first = next(frames).index
    core = source._device.core
    threading.Event().wait(0.3)
    held = core.getBufferTotalCapacity()
    late = next(frames).index
    assert held <= 3
    assert late - first > held


def test_broken_frames_are_missing_in_the_count(opened):
    source = opened("pylon")
    frames = source.frames()
    camera = source._device.camera
    before = next(frames).index
    camera.ForceFailedBufferCount.Value = 3
    camera.ForceFailedBuffer.Execute()
    indices = [before, *(next(frames).index for _ in range(12))]
    assert sum(b - a - 1 for a, b in pairwise(indices)) == 3


@pytest.mark.parametrize(
    ("word", "asked", "said"),
    [
        ("pylon", {"gain": 99.0},
         "pylon:0815-0000 refused camera.gain 99: it allows 0 to 48 dB; it stays at 0 dB"),
        ("pylon", {"exposure": 1e6},
         "pylon:0815-0000 refused camera.exposure 1e+06: it allows 0.001 to 10000 ms; it stays at 10 ms"),
        ("pylon", {"crop": "0,0,9999,48"},
         "pylon:0815-0000 refused camera.crop 9999x48 at 0,0: it allows 1 to 4096 x 1 to 4096 px; "
         "it stays at 1024x1040 at 0,0 px"),
        ("genicam", {"pixel_format": "12"},
         "genicam:viky.cti#0 refused camera.pixel_format 12: it allows RGBa8, Mono8; it stays at RGBa8"),
        ("genicam", {"gain": 2.0},
         "genicam:viky.cti#0 ignored camera.gain 2: its driver offers nothing of the kind"),
        ("genicam", {"format": "128x104@500"},
         "genicam:viky.cti#0 refused a rate of 500: it allows 1 to 200 Hz; it stays at 20 Hz"),
        ("micromanager", {"gain": 99.0},
         "micromanager:demo refused camera.gain 99: it allows -5 to 8; it stays at 0"),
        ("micromanager", {"binning": 3},
         "micromanager:demo refused camera.binning 3: it allows 1, 2, 4, 8; it stays at 1"),
        ("micromanager", {"crop": "0,0,9999,48"},
         "micromanager:demo refused camera.crop 9999x48 at 0,0: it allows a part of 512x512 px; "
         "it stays at 512x512 at 0,0 px"),
    ],
)  # fmt: skip
def test_what_a_camera_refuses_is_told_with_what_it_allows(opened, caplog, word, asked, said):
    source = opened(word, **asked)
    assert caplog.messages[0] == said
    assert len(collect(source, 2)) == 2, "and the session goes on"


@pytest.mark.parametrize("word", MODULES)
def test_a_part_of_the_sensor_is_read_out(opened, caplog, word):
    source = opened(word, crop="0,0,136,112")
    assert source.shape == (112, 136)
    assert next(source.frames()).image.shape[:2] == (112, 136)
    assert caplog.messages == []


@pytest.mark.parametrize("word", MODULES)
def test_what_part_is_read_out_is_known_and_the_whole_can_be_had_again(opened, caplog, word):
    corner = (0, 0) if word == "genicam" else (16, 8)  # that simulator has no other corner
    part = opened(word, crop="{},{},136,112".format(*corner))
    assert part.readout[:4] == (*corner, 136, 112)
    part.close()
    whole = opened(word, crop="whole")
    assert whole.readout[:2] == (0, 0)
    assert whole.shape == (whole.readout.height, whole.readout.width)
    assert min(whole.shape) > 400
    assert next(whole.frames()).image.shape[:2] == whole.shape
    assert caplog.messages == []


@pytest.mark.parametrize("word", ["pylon", "micromanager"])
def test_a_part_is_in_pixels_of_the_binned_picture(opened, caplog, word):
    source = opened(word, binning=2, crop="32,16,96,64")
    assert source.readout == (32, 16, 96, 64, 2)
    assert next(source.frames()).image.shape == (64, 96)
    assert caplog.messages == []


@pytest.mark.parametrize("word", ["pylon", "micromanager"])
def test_exposure_and_gain_follow_while_it_runs(opened, word, caplog):
    source = opened(word, gain=2.0)
    frames = source.frames()
    next(frames)
    source._settings.edit("camera.exposure", 3.0)
    source._settings.edit("camera.gain", 4.0)
    next(frames)
    knobs = source._device.knobs()
    assert knobs["exposure"].read() == pytest.approx(3.0)
    assert knobs["gain"].read() == pytest.approx(4.0, abs=0.01)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("pylon:9", SourceNotFound, "there is no Basler camera 9; found 0815-0000, 0815-0001"),
        ("genicam:nope.cti", SourceNotFound, "there is no GenTL producer nope.cti"),
        ("genicam:broken.cti", SourceError, "broken.cti is no GenTL producer for this computer"),
        ("genicam:", SourceNotFound, "no GenTL producer was named, and GENICAM_GENTL64_PATH leads to none"),
        (
            "genicam:{producer}#9",
            SourceNotFound,
            "there is no such camera; found Viky (0), Viky (1), Viky (2)",
        ),
        ("micromanager:nope.cfg", SourceNotFound, "there is no configuration 'nope.cfg'"),
        ("micromanager:empty.cfg", SourceNotFound, "micromanager:empty.cfg names no camera"),
        ("micromanager:wrong.cfg", SourceError, "micromanager:wrong.cfg does not open: "),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(tmp_path, monkeypatch, capfd, text, error, said):
    need(text.partition(":")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENICAM_GENTL64_PATH", raising=False)
    Path("broken.cti").write_text("x")
    Path("empty.cfg").write_text("# nothing\n")
    Path("wrong.cfg").write_text("Device,Camera,NoSuchLibrary,NoSuchCamera\n")
    with pytest.raises(error) as raised:
        open_source(text.replace("{producer}", str(producer()) if "{" in text else ""), live_settings())
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("word", MODULES)
def test_a_missing_package_is_named_with_its_extra(monkeypatch, word):
    for module in (MODULES[word], "genicam" if word == "genicam" else MODULES[word]):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"roi_core.sources.{word}", raising=False)
    with pytest.raises(MissingExtra, match=rf'pip install "roi-stream\[{word}\]"$'):
        open_source(f"{word}:x", live_settings())


def test_a_recording_tells_that_the_camera_counted(opened, tmp_path):
    source = opened("pylon", pixel_format="12")
    session = Session(source, source._settings, max_frames=20)
    path = session.record(tmp_path / "a.h5", essential=True)
    session.start()
    assert session.wait(60)
    with h5py.File(path) as file:
        assert file.attrs["loss_basis"] == b"camera"
        assert file.attrs["frames_dropped"] == 0
        assert file.attrs["source"] == b"pylon:0815-0000"
        assert file["frame_index"][:].tolist() == list(range(20))


class TestSurvey:
    def test_each_driver_is_asked_in_a_process_of_its_own(self, monkeypatch, capsys):
        need("genicam")
        monkeypatch.setenv("GENICAM_GENTL64_PATH", str(producer().parent))
        monkeypatch.setattr(survey, "DRIVERS", {"genicam": "harvesters"})
        assert cli.main(["devices"]) == 0
        assert f"genicam:{producer()}#1  Viky (1) of viky  [genicam]" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("program", "said"),
        [
            ("import os; os.kill(os.getpid(), 11)", "its driver ended with -11"),
            ("import time; time.sleep(60)", "its driver gave no answer in time"),
            ("print('hello')", "its driver ended with 0"),
            ("import sys; print('no licence', file=sys.stderr)", "no licence"),
        ],
    )
    def test_a_driver_that_crashes_or_hangs_is_left_out(self, monkeypatch, caplog, program, said):
        def ask(_):
            pipe = subprocess.PIPE
            return subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True)

        monkeypatch.setattr(survey, "_ask", ask)
        monkeypatch.setattr(survey, "list_devices", list)
        monkeypatch.setattr(survey, "DRIVERS", {"pylon": "json"})
        monkeypatch.setattr(survey, "PATIENCE", 1.0)
        assert survey.every_device() == []
        assert caplog.messages == [f"the cameras of pylon are not listed: {said}"]

    def test_what_a_driver_prints_before_its_answer_is_passed_over(self, monkeypatch):
        found = json.dumps([["pylon:1", "One"]])
        program = [sys.executable, "-c", f"print('driver 7.1 loaded'); print({found!r})"]
        pipe = subprocess.PIPE
        monkeypatch.setattr(
            survey, "_ask", lambda _: subprocess.Popen(program, stdout=pipe, stderr=pipe, text=True)
        )
        monkeypatch.setattr(survey, "list_devices", list)
        monkeypatch.setattr(survey, "DRIVERS", {"pylon": "json"})
        assert [(one.source, one.name, one.backend) for one in survey.every_device()] == [
            ("pylon:1", "One", "pylon")
        ]

    def test_a_driver_whose_package_is_missing_is_not_asked(self, monkeypatch):
        monkeypatch.setattr(survey, "list_devices", list)
        monkeypatch.setattr(survey, "DRIVERS", {"pylon": "no_such_module"})
        assert survey.every_device() == []
