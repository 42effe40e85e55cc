"""Quality of the picture: figures, limits, alerts; and the diary that tells of them."""

from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core import board
from roi_core.board import Diary
from roi_core.figures import METRICS
from roi_core.frame import Event
from roi_core.quality import gauges, vitals
from roi_core.quality.alarms import Alarms
from tests import naive
from tests.watched import ALL_WELL, QUALITY, Camera, sample, scene

NAMES = list(METRICS)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def watch(frames, quality=QUALITY):
    """Show frames, one a look; return the alarms and the events by look."""
    alarms, told = Alarms(), []
    for k, frame in enumerate(frames):
        told.append(alarms.step(sample(frame, k * vitals.PERIOD), quality, lambda: ALL_WELL))
    return alarms, told


def alerts(told):
    return [(k, e.data["metric"], e.data["state"]) for k, events in enumerate(told) for e in events]


def test_tone_is_that_of_its_slow_twin(rng):
    image = rng.integers(0, 65536, (300, 517), dtype=np.uint16)
    image[::7, ::5] = 65535
    np.testing.assert_allclose(gauges.tone(image), naive.tone(image), rtol=1e-12)


def test_a_limit_that_the_camera_tells_is_not_guessed():
    image = np.full((64, 64), 1023, np.uint16)
    assert gauges.tone(image)[1] == 100.0
    assert gauges.tone(image, 0, 4095)[1] == 0.0
    image[0] = 4095
    assert gauges.tone(image, 60_000, 4095)[1] == 100 / 64


def test_sharpness_is_that_of_its_slow_twin(rng):
    image = rng.integers(0, 65536, (40, 50), dtype=np.uint16)
    average = rng.uniform(0, 1000, (20, 30)).astype(np.float32)
    mine, theirs = average.copy(), average.copy()
    sharp = gauges.gradient(image, 3, 4, mine, np.float32(0.25))
    assert sharp == pytest.approx(naive.gradient(image[3:23, 4:34], theirs, 0.25), rel=1e-4)
    np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_a_quiet_picture_alarms_nobody(rng):
    alarms, told = watch(scene(rng, 300))
    assert alerts(told) == []
    chart = alarms.chart()
    assert chart.values.shape == (300, len(NAMES))
    assert np.isfinite(chart.values[-1]).all()


@pytest.mark.parametrize(
    ("metric", "spoil"),
    [
        ("step", lambda frame: frame // 2),
        ("brightness", lambda frame: frame // 10 * 8),
        ("saturation", lambda frame: np.where(frame > 1400, 65535, frame).astype(np.uint16)),
        ("focus", lambda frame: np.full_like(frame, frame.mean())),
    ],
)
def test_what_spoils_the_picture_alarms_once_and_is_over(rng, metric, spoil):
    frames = scene(rng, 200)
    frames[100:110] = [spoil(frame) for frame in frames[100:110]]
    _, told = watch(frames)
    mine = [(k, state) for k, name, state in alerts(told) if name == metric]
    assert [state for _, state in mine] == ["begin", "end"]
    begin, end = (k for k, _ in mine)
    assert 100 + 2 * (metric != "step") <= begin <= 112, "held for three looks; the focus lags a little"
    assert 112 <= end <= 135


def test_a_slow_change_of_light_is_bleaching_not_a_step(rng):
    texture = rng.uniform(500, 1500, (96, 128))
    frames = [np.uint16(texture * (1 - 0.2 * k / 360)) for k in range(360)]  # 20 % in three minutes
    alarms, told = watch(frames)
    assert {name for _, name, _ in alerts(told)} == {"bleaching"}
    slope = alarms.chart().values[-1, NAMES.index("bleaching")]
    assert slope == pytest.approx(-8.0, rel=0.1)


def test_motion_and_losses_are_those_of_the_samples(rng):
    alarms, frames = Alarms(), scene(rng, 2)
    for k in range(200):
        moved = (3.0, 4.0) if k == 193 else (0.0, 0.0)
        alarms.step(sample(frames[k % 2], k * 0.1, shift=moved, lost=int(k in (50, 51))), QUALITY)
    last = alarms.chart().values[-1]
    assert last[NAMES.index("motion")] == 5.0
    assert last[NAMES.index("lost")] == 2.0
    assert [alert.metric for alert in alarms.active] == ["lost"]


def test_losses_that_cannot_be_known_are_never_shown_as_none(rng):
    alarms, frames = Alarms(), scene(rng, 2)
    for k in range(10):
        alarms.step(sample(frames[k % 2], k * vitals.PERIOD, lost=None), QUALITY)
    assert np.isnan(alarms.chart().values[-1, NAMES.index("lost")])


def test_a_minute_is_a_minute_at_any_rate(rng):
    alarms, frames = Alarms(), scene(rng, 2)
    for k in range(60):
        alarms.step(sample(frames[k % 2], 2.0 * k, lost=1), QUALITY)
    assert alarms.chart().values[-1, NAMES.index("lost")] == pytest.approx(30, abs=1)


@pytest.mark.parametrize("limit", [1023, 4095, 65535])
def test_the_limit_is_that_of_the_camera(rng, limit):
    frames = [np.minimum(frame, limit // 2) for frame in scene(rng, 60)]
    frames[30] = np.full_like(frames[0], limit)
    alarms, _ = watch(frames)
    saturated = alarms.chart().values[:, NAMES.index("saturation")]
    assert saturated[30] == 100.0
    assert not saturated[:30].any()


def test_a_short_jump_between_two_looks_is_seen(rng):
    alarms, frames = Alarms(), scene(rng, 2)
    for k in range(40):
        alarms.step(sample(frames[k % 2], k * 0.1, shift=(40.0, 0.0) if k == 22 else (0.0, 0.0)), QUALITY)
    assert np.nanmax(alarms.chart().values[:, NAMES.index("motion")]) == 40.0


def test_an_acknowledged_alert_is_quiet_but_lasts(rng):
    frames = scene(rng, 60)
    alarms, _ = watch([*frames[:40], *(frame // 2 for frame in frames[40:])])
    assert [alert.metric for alert in alarms.loud] == ["step"], "one cause, told once"
    alarms.acknowledge()
    assert alarms.loud == ()
    assert [alert.metric for alert in alarms.active] == ["step"]
    assert "%, should be at most 25. " in alarms.active[0].text


def test_the_same_figure_is_silent_for_the_cooldown(rng):
    frames = scene(rng, 400)
    for k in range(100, 400, 40):  # every 20 s, for 2.5 s
        frames[k : k + 5] = [np.full_like(frame, 65535) for frame in frames[k : k + 5]]
    for cooldown, most in ((0.0, 8), (60.0, 3)):
        _, told = watch(frames, QUALITY.model_copy(update={"cooldown": cooldown}))
        begins = [k for k, name, state in alerts(told) if (name, state) == ("saturation", "begin")]
        assert 1 <= len(begins) <= most
        assert all(b - a >= cooldown / vitals.PERIOD for a, b in pairwise(begins))


def test_switched_off_nothing_alarms(rng):
    frames = [np.full_like(frame, 65535) for frame in scene(rng, 60)]
    alarms, told = watch(frames, QUALITY.model_copy(update={"enabled": False}))
    assert (alerts(told), alarms.alerts) == ([], ())


def test_relearning_takes_the_present_for_normal(rng):
    alarms = Alarms()
    frames = scene(rng, 120)
    for k, frame in enumerate(frames):
        if k == 50:
            alarms.relearn()
        told = alarms.step(sample(frame if k < 50 else frame // 2, k * vitals.PERIOD), QUALITY)
        assert not [event for event in told if event.kind == "quality"]


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), min_size=1, max_size=60))
def test_no_picture_breaks_the_figures(levels):
    """Any sequence of two-valued pictures: no error, and every figure is a number or not known."""
    alarms = Alarms()
    for k, (a, b) in enumerate(levels):
        frame = np.full((8, 8), a, np.uint16)
        frame[::2] = b
        alarms.step(sample(frame, k * vitals.PERIOD, shift=None), QUALITY)
    assert not np.isinf(alarms.chart().values).any()


def test_a_diary_tells_each_event_once_and_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(board, "KEPT", 10)
    diary, cursor, read = Diary(), 0, []
    for k in range(100):
        diary.add([Event(float(k), k, "note", {})])
        if k % 3 == 0:
            cursor, news = diary.since(cursor)
            read += [event.frame for event in news]
    assert read == list(range(100))
    assert diary.head == 100
    _, kept = diary.since(0)
    assert [event.frame for event in kept] == list(range(100 - len(kept), 100))
    assert 10 <= len(kept) <= 21


def test_alerts_are_events_of_the_session(tmp_path):
    from roi_core.recording import Recording
    from roi_core.session import Session
    from roi_core.settings import LiveSettings
    from roi_core.sources import open_source

    film = np.random.default_rng(1).integers(900, 1100, (300, 32, 32)).astype(np.uint16)
    film[100:, 8:] = 65535
    np.save(tmp_path / "film.npy", film)
    settings = LiveSettings()
    session = Session(open_source(str(tmp_path / "film.npy"), settings), settings)
    path = session.record(tmp_path / "film.h5")
    session.start()
    session.wait()
    with Recording(path) as file:
        found = [e.data["metric"] for e in file.events if e.kind == "quality" and e.data["state"] == "begin"]
    assert "saturation" in found
    assert [alert.metric for alert in session.snapshot().alarms.alerts] == found


def test_info_tells_how_many_alerts_of_which_figures(tmp_path, capsys):
    from roi_core.cli import main
    from roi_core.console import describe_recording
    from roi_core.recording import Recording, alerts_of
    from roi_core.session import Session
    from roi_core.settings import LiveSettings
    from roi_core.sources import open_source

    film = np.random.default_rng(1).integers(900, 1100, (90, 16, 16)).astype(np.uint16)
    np.save(tmp_path / "quiet.npy", film[:30])
    film[40:80, 8:] = 65535
    np.save(tmp_path / "glare.npy", film)
    lines = []
    for name in ("quiet", "glare"):
        settings = LiveSettings()
        session = Session(open_source(str(tmp_path / f"{name}.npy"), settings), settings)
        out = session.record(tmp_path / f"{name}.h5")
        session.start()
        session.wait()
        assert main(["info", str(out)]) == 0
        lines += [line for line in capsys.readouterr().out.splitlines() if line.startswith("alerts")]
    assert lines == ["alerts           none", "alerts           2: step 1, saturation 1"]
    with Recording(tmp_path / "glare.h5") as recording:
        assert describe_recording(recording)["alerts"] == {"step": 1, "saturation": 1}
    with h5py.File(tmp_path / "glare.h5", "r+") as file:
        rows = file["events"][:]
        rows[-1]["kind"], rows[-1]["data"] = b"quality", b"[1]"
        file["events"][:] = rows
    assert main(["info", str(out)]) != 0
    assert "glare.h5 is damaged" in capsys.readouterr().err
    told = [Event(0.0, 0, "quality", {"metric": name, "state": "begin"}) for name in ("gap", "lost", "gap")]
    ended = [Event(9.0, 9, "quality", {"metric": "lost", "state": "end"}), Event(9.0, 9, "alert", {})]
    assert list(alerts_of([*told[1:], *ended, told[0]]).items()) == [("gap", 2), ("lost", 1)]


def test_a_recording_begins_with_the_alerts_that_are_on(tmp_path):
    """Record pressed while the camera is saturated: the file says so at its first row, and only there."""
    from roi_core.recording import Recording
    from roi_core.session import Session
    from roi_core.settings import LiveSettings
    from tests.fakes import Ramp

    class Glaring(Ramp):
        rate = 10.0

        def __init__(self, then):
            super().__init__(count=80)
            self.then = then

        def image(self, index):
            if index == 40:
                self.then()
            picture = np.full(self.shape, 65535, np.uint16)
            picture[index % 16] = 100 + index
            return picture

    session = Session(Glaring(lambda: session.record(tmp_path / "film.h5")), LiveSettings())
    session.start()
    session.wait()
    with Recording(tmp_path / "film.h5") as file:
        told = [event for event in file.events if event.kind == "quality"]
        assert file.rows == 40
    assert [(event.data["metric"], event.data["state"]) for event in told] == [("saturation", "begin")]
    assert told[0].frame == 40
    assert told[0].data["since"] == pytest.approx(1.0, abs=0.2)


def test_every_part_tells_of_the_alert_that_is_on(tmp_path):
    from roi_core.recording import Recording, alerts_of
    from roi_core.session import Session
    from roi_core.settings import LiveSettings, Settings
    from tests.fakes import Ramp

    class Glaring(Ramp):
        rate = 10.0

        def image(self, index):
            picture = np.random.default_rng(index).integers(19000, 21000, self.shape).astype(np.uint16)
            picture[:, 19 if index < 45 else 99 :] = 65535
            return picture

    session = Session(Glaring(180), LiveSettings(Settings().with_texts("recorder.split_minutes=0.05")))
    session.record(tmp_path / "a.h5")
    session.start()
    session.wait()
    states, begun = [], []
    for path in session.snapshot().recording.parts:
        with Recording(path) as part:
            about = [e for e in part.events if e.kind == "quality" and e.data["metric"] == "saturation"]
            states.append([event.data["state"] for event in about])
            begun += [(e.time, e.frame - part.frame_index[0]) for e in about if "since" in e.data]
            assert alerts_of(part.events).get("saturation", 0) == states[-1].count("begin")
    assert states == [["begin"]] * 3 + [["begin", "end"]] + [[]] * 2
    assert begun == [(0.0, 0)] * 3


def test_an_alert_is_a_line_of_the_log_and_one_event(caplog):
    """The recording's own events are made by the session: the log must not make a second one of it."""
    from roi_core.news import News

    news = News(())
    camera = Camera().shoot(10).shoot(3, around={"queue": 95.0})
    news.deafen()
    assert [record.getMessage() for record in caplog.records] == [camera.told[0]["text"]]
    assert news.events(0.0, 0) == []
