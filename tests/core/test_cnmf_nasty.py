"""Pictures no experiment should give and all of them do; settings in wild hands; a detector that fails."""

from itertools import product

import numpy as np
import pytest

from roi_core.analysis import Analysis
from roi_core.cnmf.detect import Detector
from roi_core.cnmf.fading import Texture
from roi_core.cnmf.online import OnlineCNMF
from roi_core.errors import SettingsError
from roi_core.frame import Status
from roi_core.gray import to_uint16_gray
from roi_core.ledger import Fate
from roi_core.prepare import Prepare
from roi_core.rois import RoiSet
from roi_core.settings import Settings, describe
from tests.cells import RATE, SETTINGS, agreement, beside, film, finder_for, middles_of, run, trace
from tests.checks import well

SHAPE = (32, 36)


def survives(pictures, settings=SETTINGS, rate=30.0):
    """Step through, check that all is well at the end; return finder and answers."""
    finder = OnlineCNMF(pictures[0].shape, rate, settings)
    answers = run(finder, pictures, settings)
    well(finder)
    for answer in answers:
        for name in ("calcium", "spikes"):
            assert np.isfinite(getattr(answer, name)).all()
    return finder, answers


@pytest.mark.parametrize("value", [0.0, 1234.0, 65535.0])
def test_constant_frames(value):
    finder, _ = survives(np.full((400, *SHAPE), value, np.float32))
    assert finder.census.next_id == 1


def test_an_empty_field_has_no_cells():
    random = np.random.default_rng(0)
    _, answers = survives(random.normal(100, 8, (1200, 64, 64)).astype(np.float32))
    assert not (answers[-1].components.status == 1).any()
    assert not [event for answer in answers for event in answer.events if event[0] == "alert"]


@pytest.mark.parametrize("shape", [(16, 16), (16, 70)])
def test_tiny_fields(shape):
    random = np.random.default_rng(0)
    _, answers = survives(random.normal(100, 8, (400, *shape)).astype(np.float32))
    assert not [event for answer in answers for event in answer.events if event[0] == "alert"]


@pytest.mark.parametrize("shape", [(9, 9), (4, 60), (1, 20)])
def test_a_picture_too_small_for_cells_is_refused(shape):
    with pytest.raises(SettingsError, match=f"of 16 px a side, not {shape[1]}x{shape[0]}"):
        OnlineCNMF(shape, 30.0, SETTINGS)


def interrupted(movie, worse, start=300):
    """A film with these pictures in the midst of it; what was answered, and the finder."""
    pictures = np.concatenate([movie.pictures[:start], worse, movie.pictures[start:]])
    finder = finder_for(pictures)
    answers = run(finder, pictures)
    well(finder)
    return finder, answers


@pytest.mark.parametrize(
    "worse",
    [
        np.zeros((30, 64, 64), np.float32),
        np.full((30, 64, 64), 65535, np.float32),
        np.zeros((300, 64, 64), np.float32),  # the light is off for 10 s
        np.random.default_rng(1).normal(2000, 400, (5, 64, 64)).astype(np.float32),
    ],
    ids=["black", "saturated", "light off for 10 s", "noise"],
)
def test_cells_survive_a_disturbance_and_their_traces_recover(movie, worse):
    _, answers = interrupted(movie, worse)
    before = answers[299].components
    old = {int(before.ids[k]) for k in movie.found(before) if k >= 0}
    assert len(old) >= 6
    now = answers[-1].components
    assert old <= set(now.ids[now.status == 1].tolist())
    later = answers[300 + len(worse) :]
    assert np.median(agreement(movie, later, start=100)) > 0.9
    spikes = [
        np.mean([answer.spikes.sum() for answer in part]) for part in (answers[100:300], answers[300:-300])
    ]
    assert spikes[1] < 0.75 * spikes[0], "a dark field hardly spikes"


def test_a_jump_of_50_px_without_motion_correction(movie):
    """For a second all cells are elsewhere; back at home they are themselves."""
    moved = np.roll(movie.pictures[300:330], (50, 50), (1, 2))
    _, answers = interrupted(movie, moved)
    assert np.median(agreement(movie, answers[330:], start=150)) > 0.85


def test_a_jump_of_50_px_for_good(movie):
    interrupted(movie, np.roll(movie.pictures[300:600], (50, 50), (1, 2)))


def test_traces_never_run_away(movie):
    """After a jump the field is full of components; glow and traces must not feed each other."""
    _, answers = interrupted(movie, np.roll(movie.pictures[300:330], (50, 50), (1, 2)))
    highest = np.ptp(movie.pictures) * 100  # a footprint of unit energy sees no more than some 100 px
    assert (
        max(np.abs(answer.raw).max(initial=0) for answer in answers if np.isfinite(answer.raw).all())
        < highest
    )


def test_nan_and_infinity_in_a_float_source():
    """Made gray and prepared, as in a session; when they end, traces recover."""
    small = film(500, shape=(40, 40), centres=np.array([[12, 12], [28, 26]]))
    prepare, out = Prepare((40, 40), SETTINGS.prepare, SETTINGS.cnmf), []
    for k, picture in enumerate(small.pictures):
        dirty = picture.copy()
        if 200 <= k < 230:
            dirty[::3, ::2], dirty[5] = np.nan, np.inf if k % 2 else -np.inf
        gray = to_uint16_gray(dirty, input_range=(0, 65535))
        out.append(prepare.step(gray, SETTINGS.prepare, SETTINGS.cnmf).copy())
    finder = OnlineCNMF((40, 40), 30.0, SETTINGS)
    answers = run(finder, out)
    well(finder)
    assert all(np.isfinite(answer.calcium).all() for answer in answers)
    assert np.median(agreement(small, answers[230:], start=60)) > 0.9


def test_no_cells_wanted():
    small = film(300, shape=(40, 40), centres=np.array([[12, 12], [28, 26]]))
    finder, _ = survives(small.pictures, SETTINGS.with_value("cnmf.max_cells", 0))
    assert finder.census.cells.count == 0
    assert finder.finish().calcium.shape == (15, 0)


def test_two_thousand_cells():
    """As many as there may be, on top of each other."""
    shape, random = (160, 160), np.random.default_rng(0)
    settings = SETTINGS.with_texts("cnmf.cell_radius=2", "cnmf.buffer=2", "cnmf.detect=false")
    finder = OnlineCNMF(shape, 10.0, settings)
    run(finder, random.normal(100, 5, (10, *shape)).astype(np.float32), settings)
    spot = np.exp(-np.add.outer((np.arange(13) - 6) ** 2, (np.arange(13) - 6) ** 2) / 3.0).astype(np.float32)
    side = finder.field.side
    box = spot[6 - side // 2 : 7 + side // 2, 6 - side // 2 : 7 + side // 2]
    for k in range(2000):
        finder.census._enter(box, tuple(random.integers(4, 156, 2)), np.zeros(0, np.float32), k)
    answers = run(finder, random.normal(100, 5, (20, *shape)).astype(np.float32), settings, 10)
    assert len(answers[-1].ids) >= 1990
    assert np.isfinite(answers[-1].calcium).all()


EDITABLE = [each for each in describe(SETTINGS) if each.path.startswith("cnmf.") and each.live]
"""What can be edited while frames come; read from the model, so that none is forgotten."""


def wild(random, settings):
    """One edit as a child at the panel would make it: the usual, a bound, or anything in between."""
    setting = EDITABLE[random.integers(len(EDITABLE))]
    if setting.kind is bool:
        return settings.with_value(setting.path, bool(random.random() < 0.7))
    if setting.choices:
        return settings.with_value(setting.path, str(random.choice(setting.choices)))
    between = random.uniform(setting.low, setting.high)
    value = random.choice([setting.default, setting.low, setting.high, between])
    return settings.with_value(setting.path, setting.kind(value))


@pytest.mark.parametrize(
    ("seed", "minutes"),
    [
        (0, 5),
        pytest.param(1, 30, marks=pytest.mark.slow),
        pytest.param(2, 30, marks=pytest.mark.slow),
    ],
)
def test_any_setting_changed_at_random_every_second(seed, minutes):
    random, rate = np.random.default_rng(seed), 10.0
    frames, centres = round(60 * minutes * rate), np.array([[12, 12], [28, 26], [20, 30]])
    pictures = film(frames, shape=(40, 40), centres=centres, seed=seed).pictures
    settings = SETTINGS.with_texts("cnmf.min_evidence=0", "cnmf.min_snr=0", "cnmf.cell_radius=3")
    finder, ever = OnlineCNMF((40, 40), rate, settings), set()
    for row, picture in enumerate(pictures):
        if row % 10 == 9:
            settings = wild(random, settings)
        if row % 400 == 399:
            finder.pause()
        (answer,) = run(finder, [picture], settings, row)
        assert np.isfinite(answer.calcium).all()
        assert np.isfinite(answer.raw).all() or answer.fate is Fate.ODD
        ever |= set(answer.ids)
        if row % 100 == 0:
            well(finder)
            assert ever <= set(answer.components.ids.tolist())
    well(finder)
    assert ever


def test_every_setting_is_edited_at_random():
    random, settings, seen = np.random.default_rng(0), SETTINGS, {}
    for _ in range(3000):
        settings = wild(random, settings)
        for setting in EDITABLE:
            seen.setdefault(setting.name, set()).add(settings.get(setting.path))
    for setting in EDITABLE:
        values = seen[setting.name]
        if setting.kind in (int, float):
            assert {setting.default, setting.low, setting.high} < values, setting.name
        else:
            assert values == set(setting.choices or (True, False)), setting.name


@pytest.mark.parametrize("inline", [True, False])
def test_a_detector_that_fails_leaves_frames_and_traces_going(movie, monkeypatch, inline):
    finder, calls, look = finder_for(movie.pictures, inline=inline), [], Detector.look
    answers = beside(finder, movie.pictures[:300])

    def fail(self, *args):
        calls.append(1)
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(Detector, "look", fail)
    try:
        for row in range(300, 500):
            answers += run(finder, [movie.pictures[row]], first=row)
            while finder._aside.busy and not finder._aside._done:
                pass
        monkeypatch.setattr(Detector, "look", look)
        answers += run(finder, movie.pictures[500:], first=500)
    finally:
        finder.close()
    alerts = [data for answer in answers for kind, data in answer.events if kind == "alert"]
    assert len(calls) == 3, "after three failures it stays off"
    assert [alert["stage"] for alert in alerts] == ["detector"] * 3
    assert all("injected" in alert["text"] for alert in alerts)
    assert alerts[0]["then"] == "it is tried again"
    assert alerts[2]["then"] == "no new cells are looked for in this session"
    known = [i for i, s in zip(answers[299].ids, answers[299].components.status, strict=False) if s == 1]
    known = [cell for cell in known if cell in answers[-1].ids]  # of two that are one, one may have gone
    assert known
    assert all(np.isfinite(trace(answers, cell)[300:]).all() for cell in known)
    well(finder)


def test_photometry_or_one_photon_presets_are_survived():
    for preset in ("1p", "photometry"):
        settings = Settings().with_texts("cnmf.enabled=true", f"cnmf.preset={preset}", "cnmf.buffer=5")
        small = film(240, shape=(40, 40), centres=np.array([[12, 12], [28, 26]]))
        survives(small.pictures, settings)


BAD = {
    "saturated once, early": lambda k: k == 10,
    "saturated now and then": lambda k: k % 23 == 0,
    "saturated for 5 s": lambda k: 300 <= k < 450,
    "black at first": lambda k: k < 60,
    "dark for 5 s": lambda k: 300 <= k < 450,
    "frozen for 5 s": lambda k: 300 <= k < 450,
    "jumped for 5 s": lambda k: 300 <= k < 450,
    "white row at first": lambda k: k == 0,
    "half white at first": lambda k: k == 0,
    "noise at first": lambda k: k < 100,
    "noise for 5 s": lambda k: 300 <= k < 450,
    "corner white for 5 s": lambda k: 300 <= k < 450,
}
"""Which pictures are bad; the first letter says how."""
WHITE = {"w": np.s_[:1], "h": np.s_[:32], "c": np.s_[:16, :32]}
"""Parts of a picture that are white instead of what was there."""
MOVED = SETTINGS.with_value("motion.enabled", True)


def spoiled(movie, kind):
    """The pictures of a movie as a camera's; bad ones come in between, or instead when it jumps."""
    good, frames, random = (40 * movie.pictures).astype(np.uint16), [], np.random.default_rng(1)
    black, white = np.zeros_like(good[0]), np.full_like(good[0], 65535)
    instead = {
        "s": lambda: white, "b": lambda: black, "d": lambda: black, "f": lambda: good[299],
        "n": lambda: random.normal(20000, 12000, black.shape).clip(0, 65535).astype(np.uint16),
    }  # fmt: skip
    rest, how = iter(good), kind[0]
    for row in range(850):
        bad = BAD[kind](row)
        picture = instead[how]() if bad and how in instead else next(rest, None)
        if picture is None:
            break
        if bad and how in WHITE:
            picture = picture.copy()
            picture[WHITE[how]] = 65535
        frames.append(np.roll(picture, (25, 25), (0, 1)) if bad and how == "j" else picture)
    return frames


def session(pictures, settings=MOVED):
    analysis = Analysis(pictures[0].shape, RATE)
    for row, picture in enumerate(pictures):
        seen = analysis.step(row, row / RATE, picture, settings, RoiSet())
    analysis.close()
    return seen.activity


def unmoved(pictures):
    return session(pictures, SETTINGS)


def estimator(pictures):
    pytest.importorskip("sklearn")
    from roi_core.ml import OnlineCNMF as Estimator

    return Estimator(rate=RATE, settings="cnmf.buffer=5").fit(np.array(pictures))._last


def river(pictures):
    pytest.importorskip("river")
    from roi_core.ml import Preparation

    return streamed(Preparation(), pictures)


def unprepared(pictures):
    pytest.importorskip("river")
    return streamed(None, pictures)


def streamed(first, pictures):
    from roi_core.ml import CellFinder, MotionCorrection

    line = MotionCorrection(rate=RATE) | CellFinder(rate=RATE, settings="cnmf.buffer=5")
    line = first | line if first else line
    for picture in pictures:
        line.learn_one({"frame": picture})
    return line.transform_one({"frame": picture})["activity"]


WITHOUT = [(unmoved, kind) for kind in BAD if kind[0] != "j"]  # nothing tells it of a jump


@pytest.mark.parametrize(("face", "kind"), [*product((session, estimator, river, unprepared), BAD), *WITHOUT])
def test_bad_pictures_leave_no_false_cells(movie, face, kind):
    """At the end there are the true cells and hardly another, whoever looks for them."""
    activity = face(spoiled(movie, kind))
    assert activity is not None
    components = activity.components
    middles = middles_of(components)[components.status == Status.ACCEPTED]
    far = np.hypot(*(movie.centres[:, None] - middles).transpose(2, 0, 1))
    assert (far.min(1) < 2).all(), "every cell"
    assert (far.min(0) > 4).sum() <= 1, "and hardly anything else"


def test_light_that_flickers_by_more_than_noise_drives_nothing_away():
    """A scene full of false cells: what they are expected to do and the glow must not feed each other."""
    random, shape = np.random.default_rng(3), (96, 96)
    yy, xx = np.mgrid[: shape[0], : shape[1]] / shape[0]
    maps = (np.cos(3 * xx), 0.013), (np.sin(4 * yy), 0.021), (np.cos(3 * (yy - xx)), 0.034)
    still = 300 + 80 * Texture.of(np.random.default_rng(5).normal(0, 0.5, shape), 1, 2.5).band
    settings = SETTINGS.with_texts("cnmf.cell_radius=5")
    finder = OnlineCNMF(shape, 20.0, settings)
    for row in range(800):
        light = still + sum(60 * (1 + each * np.sin(speed * row)) for each, speed in maps)
        finder.input[:] = random.poisson((1 - row / 2000) * np.maximum(light, 0))
        finder.step(row, settings)
    ring, cells = finder._ring, finder.census.cells
    assert cells.count
    assert ring.rms(ring.head - 20, ring.head).max() < 1000
    assert abs(cells.t.trace[: cells.count]).max() < 1e5
