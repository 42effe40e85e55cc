"""What a recording will take, against what one took."""

import pytest

from roi_core.forecast import DiskWatch, bytes_per_second
from roi_core.recording import Recording
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from tests.core.test_session import wait_for
from tests.fakes import Ramp, Stepped


@pytest.mark.parametrize("movie", [False, True])
def test_the_forecast_is_that_of_the_file_within_a_tenth(tmp_path, movie):
    settings = Settings().with_value("recorder.movie", movie).with_value("roi.dff", True)
    source, rois = Ramp(count=4000, shape=(16, 20)), RoiSet([Circle(5, 5, 2)] * 60)
    session = Session(source, LiveSettings(settings), rois)
    path = session.record(tmp_path / "a.h5")
    session.start()
    session.wait(60)
    told = bytes_per_second(source.shape, source.rate, settings, regions=len(rois))
    assert told * 40 == pytest.approx(path.stat().st_size, rel=0.1)


def rules(**values):
    texts = [f"recorder.{name}={value}" for name, value in {"disk_reserve": 100, **values}.items()]
    return Settings().with_texts(*texts).recorder


def test_a_disk_that_will_be_full_is_told_once_and_again_after_it_recovered(caplog):
    """10 MB a second are forecast: 600 MB a minute, of what lies above the reserve of 100 MB."""
    watch, minute = DiskWatch(10e6), 600 * 10**6
    for minutes in (12, 10.1, 9.9, 9, 11, 8, 12.1, 9.5):
        watch.look(100 * 10**6 + round(minutes * minute), 0.0, rules())
    assert caplog.messages == [
        "the disk has room for 10 min more of this recording (6040 MB at 10 MB/s); it stops cleanly when "
        "recorder.disk_reserve = 100 MB are left",
        "the disk has room for 10 min more of this recording (5800 MB at 10 MB/s); it stops cleanly when "
        "recorder.disk_reserve = 100 MB are left",
    ]


def test_nothing_is_told_before_the_disk_was_looked_at_or_when_nobody_wants_it(caplog):
    watch = DiskWatch(1e9)
    watch.look(0, 1e9, rules())
    watch.look(10**9, 1e9, rules(disk_warning=0))
    assert caplog.messages == []
    watch.look(10**9, 1e9, rules(disk_warning=1))
    assert "has room for 1 s more" in caplog.messages[0]


def test_the_growth_that_was_measured_is_believed_after_a_while(caplog, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("roi_core.forecast.perf_counter", lambda: now[0])
    watch = DiskWatch(1e3)
    watch.look(10**9, 1e9, rules())
    now[0] += 6
    assert caplog.messages == []
    watch.look(10**9, 1e6, rules(disk_warning=20))
    assert "for 15 min more of this recording (1000 MB at 1 MB/s)" in caplog.messages[0]


def test_the_warning_is_an_event_of_the_recording(tmp_path):
    source = Stepped(count=50, shape=(320, 400))
    settings = Settings().with_texts("recorder.disk_warning=10000", "recorder.movie=true")
    session = Session(source, LiveSettings(settings))
    path = session.record(tmp_path / "a.h5")
    session.start()
    for frames in range(10, 60, 10):
        source.step(10)
        wait_for(lambda frames=frames: session.snapshot().recording.safe == frames)
    session.stop()
    session.wait()
    with Recording(path) as recording:
        told = [event.data["text"] for event in recording.events if event.kind == "warning"]
    assert len(told) == 1
    assert "more of this recording" in told[0]
