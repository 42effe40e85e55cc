"""The River face: a pipeline of stages, its order of calls, River's own checks, and what is missing said."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from river import checks, compose
from river.checks import common
from scipy.sparse import csc_matrix

from roi_core.errors import SettingsError
from roi_core.frame import Status
from roi_core.ml import CellFinder, Monitored, MotionCorrection, Preparation, RegionMeans
from roi_core.ml.chain import Chain, settings_of
from roi_core.rois import Circle
from tests.ml import RADIUS, RATE, DataArray, likeness, tiny

REGIONS = Circle(20, 15, 6), Circle(40, 30, 5)


@pytest.fixture(scope="module")
def movie():
    return tiny()


def pipeline(**finder):
    return (
        Preparation(cell_radius=RADIUS)
        | MotionCorrection(rate=RATE)
        | CellFinder(rate=RATE, cell_radius=RADIUS, **finder)
        | RegionMeans(REGIONS, dff=True, rate=RATE)
    )


def stream(frames):
    for number, frame in enumerate(frames):
        yield {"frame": frame, "timestamp": number / RATE, "note": "kept"}


def run(line, frames):
    return list(Monitored(line).process(stream(frames)))


@pytest.fixture(scope="module")
def seen(movie):
    return run(pipeline(), movie.frames)


def same(one, other):
    assert one.keys() == other.keys()
    for name in ("shift", "confidence", "flag", "ids", "origin", "bin", "timestamp"):
        assert one[name] == other[name]
    for name in ("image", "frame", "raw", "calcium", "spikes", "means", "dff"):
        np.testing.assert_array_equal(one[name], other[name])


def test_finds_the_true_cells(seen, movie):
    components = seen[-1]["activity"].components
    parts = components.data, components.indices, components.indptr
    footprints = csc_matrix(parts, (movie.frames[0].size, len(components.ids)))
    footprints = footprints[:, components.status == Status.ACCEPTED]
    assert likeness(footprints, movie).max(1).min() > 0.9


def test_is_the_stages_driven_by_hand(seen, movie):
    parameters = {"cell_radius": RADIUS, "motion": True}
    chain = Chain(movie.shape, RATE, settings_of(parameters))
    for x, frame in zip(seen, movie.frames, strict=True):
        shift, activity = chain.step(frame)
        assert (x["shift"], x["ids"]) == (shift, activity.ids)
        for name in ("raw", "calcium", "spikes"):
            np.testing.assert_array_equal(x[name], getattr(activity, name))
        assert x["note"] == "kept"


def test_regions_are_measured_as_in_a_session(seen, movie):
    for x in seen[::97]:
        offset = np.round(x["shift"]).astype(int)
        for k, roi in enumerate(REGIONS):
            y, xx = np.indices(movie.shape) + offset[:, None, None]
            inside = (xx - roi.xc) ** 2 + (y - roi.yc) ** 2 <= roi.r**2
            assert x["means"][k] == pytest.approx(x["image"][inside].mean(), rel=1e-6)
    assert np.isfinite(seen[-1]["dff"]).all()


@pytest.mark.parametrize("dark", [0, 3])
def test_a_movie_of_fractions_may_begin_dark_or_with_a_broken_pixel(dark, seen, movie):
    """Neither is the unit of what comes."""
    still = [x["frame"] / np.float32(65535) for x in seen]
    still = np.concatenate([np.zeros((dark, *movie.shape), np.float32), still])
    still[dark, 5, 7] = 1e6
    finder = CellFinder(rate=RATE, cell_radius=RADIUS)
    for x in stream(still):
        finder.learn_one(x)
    components = finder.transform_one(x)["activity"].components
    parts = components.data, components.indices, components.indptr
    footprints = csc_matrix(parts, (movie.frames[0].size, len(components.ids)))
    assert likeness(footprints[:, components.status == Status.ACCEPTED], movie).max(1).min() > 0.9


def test_regions_follow_the_motion_with_and_without_preparation(movie):
    motion, regions = MotionCorrection(rate=RATE), RegionMeans(REGIONS)
    bare = run(motion | regions, movie.frames[:40])
    whole = run(Preparation(bin=1) | motion.clone() | regions.clone(), movie.frames[:40])
    assert any(np.round(x["shift"]).any() for x in bare)
    for one, other in zip(bare, whole, strict=True):
        assert one["shift"] == other["shift"]
        np.testing.assert_array_equal(one["means"], other["means"])


def test_either_order_of_river_learns_a_frame_once(seen, movie):
    line = pipeline()
    with compose.learn_during_predict():
        for x, expected in zip(stream(movie.frames[:200]), seen, strict=False):
            same(line.transform_one(x), expected)
    assert line["CellFinder"].frames == 200


def test_a_reused_buffer_and_frames_without_time(seen, movie):
    line, buffer = pipeline(), np.empty_like(movie.frames[0])
    for frame, expected in zip(movie.frames[:150], seen, strict=False):
        buffer[:] = frame
        line.learn_one({"frame": buffer})
        out = line.transform_one({"frame": buffer})
        same(out | {"timestamp": expected["timestamp"], "note": ""}, expected)


def test_telling_about_another_frame_learns_nothing(seen, movie):
    line = pipeline()
    for x, expected in zip(stream(movie.frames[:260]), seen, strict=False):
        before = line.transform_one(x)
        line.transform_one({"frame": movie.frames[400]})
        assert np.isnan(before["calcium"]).all()
        assert before["activity"] is None
        assert len(before["raw"]) == len(before["ids"])
        line.learn_one(x)
        same(line.transform_one(x), expected)
    out = line.transform_one({"frame": movie.frames[259], "timestamp": -1.0})
    np.testing.assert_allclose(out["shift"], seen[259]["shift"], atol=0.5)


def test_the_input_stays_as_it_was(movie):
    line, x = pipeline(), {"frame": movie.frames[0].copy(), "timestamp": 0.0}
    line.learn_one(x)
    line.transform_one(x)
    assert list(x) == ["frame", "timestamp"]
    np.testing.assert_array_equal(x["frame"], movie.frames[0])


@pytest.mark.parametrize(
    "wrapped", [np.asarray, lambda frames: DataArray(frames.transpose(2, 0, 1), ("width", "frame", "height"))]
)
def test_initialize_learns_what_came_before(wrapped, movie):
    first, then = movie.frames[:200], movie.frames[200:]
    motion = MotionCorrection(rate=RATE)
    motion.initialize(wrapped(first))
    expected = MotionCorrection(rate=RATE)
    for frame in first:
        expected.learn_one({"frame": frame})
    for stage in (motion, expected):
        stage.learn_one({"frame": then[0]})
    one, other = (stage.transform_one({"frame": then[0]}) for stage in (motion, expected))
    assert one["shift"] == other["shift"]
    cells = CellFinder(rate=RATE, cell_radius=RADIUS)
    cells.initialize(wrapped(first))
    assert len(cells.transform_one({"frame": then[0]})["ids"]) > 0


def test_a_whole_pipeline_is_initialized(seen, movie):
    watched = Monitored(pipeline())
    watched.initialize(DataArray(movie.frames[:300], ("frame", "height", "width")))
    for x, expected in zip(list(stream(movie.frames))[300:330], seen[300:330], strict=True):
        same(watched.step(x), expected)
    with pytest.raises(ValueError, match=r"frames have shape \(48, 64\)"):
        watched.initialize(movie.frames[0])


def test_monitored_tells_time_and_memory(movie):
    watched = Monitored(pipeline(), size=16)
    assert sum(1 for _ in watched.process(stream(movie.frames[:40]))) == 40
    report = watched.report()
    assert report["frames"] == 40
    assert 0 < report["ms_p50"] <= report["ms_p95"] <= report["ms_p99"] <= report["ms_p100"]
    assert report["rate"] > 0
    assert report["memory"] > 1


def test_pickled_in_the_middle_it_goes_on_to_the_bit(seen, movie):
    line = pipeline()
    run(line, movie.frames[:123])
    copy = pickle.loads(pickle.dumps(line))
    for x, expected in zip(list(stream(movie.frames))[123:300], seen[123:300], strict=True):
        copy.learn_one(x)
        same(copy.transform_one(x), expected)


def test_on_a_thread_of_its_own(movie):
    line = pipeline(inline=False)
    try:
        run(line, movie.frames[:100])
        with pytest.raises(TypeError, match="a thread of its own cannot be copied"):
            pickle.dumps(line)
    finally:
        line["CellFinder"].close()


def test_cameras_of_other_kinds(movie):
    small = (movie.frames[:40] >> 4).clip(0, 255).astype(np.uint8)
    gray = run(pipeline(), small)
    np.testing.assert_array_equal(gray[0]["image"], small[0] * np.uint16(257))
    colour = run(pipeline(), np.repeat(small[..., None], 3, 3))
    for one, other in zip(gray, colour, strict=True):
        np.testing.assert_allclose(one["shift"], other["shift"], atol=0.01)
    holes = movie.frames[:40].astype(np.float32)
    holes[:, 5, 5] = np.nan
    assert all(np.isfinite(x["frame"]).all() for x in run(pipeline(), holes))


def test_binned_and_cropped_shifts_are_px_of_the_camera(movie):
    wide = movie.frames[:60].repeat(2, 1).repeat(2, 2)
    plain = run(Preparation(bin=1) | MotionCorrection(rate=RATE), movie.frames[:60])
    binned = run(Preparation(bin=2) | MotionCorrection(rate=RATE, max_shift=20.0), wide)
    for one, other in zip(plain, binned, strict=True):
        np.testing.assert_array_equal(2 * np.array(one["shift"]), other["shift"])
    floats = run(Preparation(bin=2, crop="4,2,40,30"), wide[:3].astype(np.float32))
    whole = run(Preparation(bin=2, crop="4,2,40,30"), wide[:3])
    assert whole[0]["frame"].shape == (15, 20)
    assert (whole[0]["origin"], whole[0]["bin"]) == ((2, 4), 2)
    for one, other in zip(floats, whole, strict=True):
        np.testing.assert_array_equal(one["frame"], other["frame"])


def test_thresholds_change_while_frames_come(movie):
    finder = CellFinder(rate=RATE, cell_radius=RADIUS)
    for picture in movie.frames[:-60]:
        before = seen_by(finder, picture)
    finder.mutate({"min_snr": 50.0})
    for picture in movie.frames[-60:]:
        after = seen_by(finder, picture)
    many, few = ((seen.components.status == Status.ACCEPTED).sum() for seen in (before, after))
    assert few < many / 2
    finder.min_snr = -1.0
    with pytest.raises(SettingsError, match=r"cnmf\.min_snr"):
        seen_by(finder, movie.frames[0])
    with pytest.raises(ValueError, match="not a mutable attribute"):
        finder.mutate({"preset": "1p"})


def seen_by(finder, picture):
    """The activity of one more picture."""
    finder.learn_one({"frame": picture})
    return finder.transform_one({"frame": picture})["activity"]


def test_what_is_no_frame_is_refused(movie):
    stage = MotionCorrection()
    for frame in (movie.frames[0] * 1j, movie.frames[0, 0], np.array([["a"]])):
        with pytest.raises(ValueError, match=r"frame is|cannot become gray"):
            stage.learn_one({"frame": frame})
    stage.learn_one({"frame": movie.frames[0]})
    with pytest.raises(ValueError, match=r"\(48, 63\); MotionCorrection began with frames of \(48, 64\)"):
        stage.learn_one({"frame": movie.frames[0, :, 1:]})


def test_a_dict_without_a_frame_passes():
    line, x = pipeline(), {"timestamp": 0.0}
    line.learn_one(x)
    assert line.transform_one(x) == x


STAGES = Preparation(), MotionCorrection(), CellFinder(), RegionMeans(REGIONS)


@pytest.mark.parametrize("stage", STAGES, ids=str)
def test_as_river_expects(stage):
    checks.check_estimator(stage)


class Little:
    """Frames as lists, which River's checks can compare."""

    def __iter__(self):
        rng = np.random.default_rng(0)
        for number in range(12):
            yield {"frame": rng.integers(0, 999, (20, 24)).tolist(), "timestamp": number / 30}, None


WITH_FRAMES = (
    common.check_learn_one,
    common.check_pickling,
    common.check_predict_one_pure,
    common.check_predict_one_before_any_learn,
    common.check_no_state_aliasing_with_input,
    common.check_clone_is_independent,
    common.check_transform_one,
    common.check_emerging_features,
    common.check_disappearing_features,
    common.check_bounded_memory_growth,
)


@pytest.mark.parametrize("check", WITH_FRAMES, ids=lambda check: check.__name__)
@pytest.mark.parametrize("stage", STAGES, ids=str)
def test_as_river_expects_with_frames(stage, check):
    check(stage.clone(), dataset=Little())


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, Block())
import roi_core.ml
print(sorted(name for name in sys.modules if name in ("sklearn", "river", "numba")))
try:
    roi_core.ml.{face}
except ImportError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("face", "package", "name"),
    [
        ("OnlineCNMF", "sklearn", "scikit-learn"),
        ("CellFinder", "river", "river"),
        ("Monitored", "psutil", "psutil"),
    ],
)
def test_a_missing_extra_is_named(face, package, name):
    code = BLOCKED.format(face=face, package=package)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = f'MissingExtra roi_core.ml.{face} needs {name}: pip install "roi-stream[ml]"'
    assert done.stdout.splitlines() == ["[]", said]
