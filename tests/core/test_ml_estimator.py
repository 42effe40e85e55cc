"""The scikit-learn face: its own checks, and the cells of a simulated field."""

import pickle

import numpy as np
import pytest
import xarray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from roi_core.errors import SettingsError
from roi_core.ledger import Fate
from roi_core.ml import OnlineCNMF
from roi_core.ml.chain import Chain, picture, settings_of, unit_of
from roi_core.ml.chain import movie as movie_of
from tests.ml import RADIUS, RATE, DataArray, likeness, tiny

SKIPPED = {
    "check_array_api_input": "it needs the environment variable SCIPY_ARRAY_API; arrays are numpy's",
}
"""The only check that cannot run here; scikit-learn skips it by itself."""


@parametrize_with_checks(
    [OnlineCNMF(frame_shape=(1, -1), cell_radius=2.0)], expected_failed_checks=lambda estimator: SKIPPED
)
def test_as_scikit_learn_expects(estimator, check):
    check(estimator)


def finder(**parameters):
    return OnlineCNMF(rate=RATE, cell_radius=RADIUS, **parameters)


@pytest.fixture(scope="module")
def movie():
    return tiny()


@pytest.fixture(scope="module")
def fitted(movie):
    return finder().fit(movie.frames)


TABLES = "raw_", "calcium_", "spikes_", "shifts_", "ids_"


def assert_same(one, other):
    for name in TABLES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (one.footprints_ != other.footprints_).nnz == 0


def test_finds_the_cells_and_what_they_do(fitted, movie):
    r = likeness(fitted.footprints_, movie)
    assert r.max(1).min() > 0.9
    assert r.shape[1] <= 2 * r.shape[0]
    best = r.argmax(1)
    for k, j in enumerate(best):
        known = np.isfinite(fitted.calcium_[:, j])
        assert known.mean() > 0.7
        assert np.corrcoef(fitted.calcium_[known, j], movie.calcium[known, k])[0, 1] > 0.85


def test_shapes_of_what_is_found(fitted, movie):
    n, (h, w), k = len(movie.frames), movie.shape, len(fitted.ids_)
    assert fitted.footprints_.shape == (h * w, k)
    assert fitted.footprints_.max() == 1
    assert fitted.calcium_.shape == fitted.raw_.shape == fitted.spikes_.shape == (n, k)
    assert fitted.shifts_.shape == (n, 2)
    assert fitted.n_features_in_ == h * w
    assert list(fitted.get_feature_names_out()) == [f"cell{cell}" for cell in fitted.ids_]


def test_shifts_undo_the_motion(fitted, movie):
    off = fitted.shifts_ + movie.shifts
    assert np.sqrt(((off - off.mean(0)) ** 2).mean()) < 0.15


def test_is_the_stages_driven_by_hand(fitted, movie):
    chain = Chain(movie.shape, RATE, settings_of(finder().get_params()))
    steps = [chain.step(frame) for frame in movie.frames]
    np.testing.assert_array_equal(fitted.shifts_, [shift for shift, _ in steps])
    last = steps[-1][1]
    places = [last.ids.index(cell) for cell in fitted.ids_]
    np.testing.assert_array_equal(fitted.raw_[-1], last.raw[places])


def test_frame_by_frame_is_all_at_once(fitted, movie):
    one = finder()
    for frame in movie.frames[:100]:
        one.partial_fit(frame)
    one.partial_fit(movie.frames[100:350]).partial_fit(movie.frames[350:])
    assert_same(one, fitted)


def test_other_ways_to_give_frames(movie):
    frames, (h, w) = movie.frames[:60], movie.shape
    expected = finder().fit(frames).shifts_
    for other in (
        DataArray(frames.transpose(1, 2, 0), ("height", "width", "frame")),
        DataArray(frames, ("time", "y", "x")),
        frames.astype(np.float64),
        frames.astype(np.int32),
        np.asfortranarray(frames),
    ):
        np.testing.assert_allclose(finder().fit(other).shifts_, expected, atol=1e-4)
    for shape in ((h, w), (-1, w), (h, -1)):
        rows = finder(frame_shape=shape).fit(frames.reshape(60, -1))
        np.testing.assert_array_equal(rows.shifts_, expected)
        assert rows.frame_shape_ == (h, w)


@pytest.mark.parametrize("unit", [2.0**-16, 2.0**-30, 2.0**12])
def test_the_unit_of_frames_does_not_matter(unit, fitted, movie):
    one = finder().fit(movie.frames * unit)
    np.testing.assert_array_equal(one.ids_, fitted.ids_)
    for name in ("raw_", "calcium_", "spikes_"):
        table = getattr(fitted, name)
        np.testing.assert_allclose(getattr(one, name) / unit, table, atol=1e-3 * np.nanmax(table))
    traces = one.transform(movie.frames[-9:] * unit) / unit
    np.testing.assert_allclose(traces, fitted.transform(movie.frames[-9:]), rtol=1e-3, atol=1)


def hot(frames):
    """One broken pixel, at first."""
    out = frames.copy()
    out[0, 5, 7] = 1e6
    return out


def dark(frames):
    return np.concatenate([np.zeros_like(frames[:10]), frames])


@pytest.mark.parametrize("first", [hot, dark])
def test_the_first_frame_may_be_broken_or_dark_in_a_movie_of_fractions(first, fitted, movie):
    """Its brightest pixel says nothing of the unit."""
    one = finder().fit(first(np.float32(movie.frames / 65535.0)))
    assert likeness(one.footprints_, movie).max(1).min() > 0.9
    assert len(one.ids_) <= len(fitted.ids_) + 1
    assert np.nanmax(one.calcium_) == pytest.approx(np.nanmax(fitted.calcium_) / 65535, rel=0.2)


@pytest.mark.parametrize("top", [1e-9, 1.0, 15.0, 17.0, 1e7, 1e9])
def test_the_unit_is_that_of_the_bright_pixels(top):
    image = np.linspace(-top, top, 3072, dtype=np.float32).reshape(48, 64)
    unit = unit_of(image)
    assert unit == 1 if 16 <= top <= 2**24 else 2**11 < unit * top < 2**13
    for broken in (1e-12, 1e12):
        image[20, 30] = broken
        assert unit_of(image) == unit
    assert unit_of(np.where(image == image[20, 30], image, 0)) == 0, "a broken pixel is no light"


def test_a_movie_without_light_has_no_unit(movie):
    one = finder().fit(np.zeros_like(movie.frames[:5], np.float32))
    before = one.transform(np.float32(movie.frames[:2] / 65535.0))
    assert before.shape == (2, 0)
    assert one._chain.unit == 1
    assert one.partial_fit(np.float32(movie.frames[:2] / 65535.0))._chain.unit > 1, "transform learned none"


NAMED = [
    ("height", "width", "time"), ("x", "y", "t"), ("frame", "width", "y"), ("a", "b", "c"),
    ("t", "time", "y"), ("z", "height", "width"), ("height", "width", "colour"), ("dim_1", "dim_0", "dim_2"),
]  # fmt: skip


@pytest.mark.parametrize("axes", NAMED, ids="-".join)
def test_axes_of_other_names_are_refused(axes):
    """Read along the wrong one they would give cells of nonsense."""
    frames = DataArray(FRAMES, axes)
    said = rf"\({', '.join(axes)}\); \(frame, height, width\) in this order.*transpose\("
    with pytest.raises(ValueError, match=said):
        movie_of(frames)
    with pytest.raises(ValueError, match=said):
        OnlineCNMF().fit(frames)


@pytest.mark.parametrize(
    "axes", [("frames", "Y", "X"), ("t", "height", "x"), ("dim_0", "dim_1", "dim_2"), ("T", "y", "x", "rgb")]
)
def test_axes_by_other_names_are_known_in_their_order(axes):
    frames = FRAMES if len(axes) == 3 else FRAMES[..., None]
    np.testing.assert_array_equal(movie_of(DataArray(frames, axes)), frames)


def test_a_picture_and_rows_by_name():
    np.testing.assert_array_equal(picture(DataArray(FRAMES[0].T, ("width", "height"))), FRAMES[0])
    np.testing.assert_array_equal(picture(DataArray(FRAMES[0], ("y", "x"))), FRAMES[0])
    with pytest.raises(ValueError, match=r"named \(x, y\)"):
        picture(DataArray(FRAMES[0], ("x", "y")))
    rows = DataArray(FRAMES.reshape(20, -1), ("time", "pixel"))
    assert OnlineCNMF(frame_shape=(24, 32)).fit(rows).frame_shape_ == (24, 32)


def test_real_xarray(movie):
    frames = xarray.DataArray(movie.frames[:40], dims=("frame", "height", "width"))
    turned = finder().fit(frames.transpose("width", "frame", "height"))
    assert_same(turned, finder().fit(movie.frames[:40]))


def test_transform_learns_nothing(fitted, movie):
    before = pickle.dumps(fitted)
    late = movie.frames[-60:]
    traces = fitted.transform(late)
    assert traces.shape == (60, len(fitted.ids_))
    np.testing.assert_array_equal(traces[::-1], fitted.transform(late[::-1]))
    np.testing.assert_array_equal(traces[7:8], fitted.transform(late[7]))
    assert_same(pickle.loads(before), fitted)


def test_transform_sees_what_the_cells_do(fitted, movie):
    traces = fitted.transform(movie.frames)
    for k, j in enumerate(likeness(fitted.footprints_, movie).argmax(1)):
        true = movie.calcium[:, k]
        transients = (np.diff((true > true.max() / 3).astype(int)) > 0).sum()
        if transients > 1:  # the noise of 500 frames outweighs a single one
            assert np.corrcoef(traces[:, j], true)[0, 1] > 0.8


def test_a_transform_in_between_changes_nothing(fitted, movie):
    one = finder().fit(movie.frames[:400])
    one.transform(movie.frames[:50])
    assert_same(one.partial_fit(movie.frames[400:]), fitted)


def test_pickled_in_the_middle_it_goes_on_to_the_bit(fitted, movie):
    for cut in (3, 37, 303):
        one = finder().fit(movie.frames[:cut])
        copy = pickle.loads(pickle.dumps(one))
        assert_same(copy, one)
        if cut == 303:
            assert_same(copy.partial_fit(movie.frames[cut:]), fitted)


def test_in_a_pipeline_with_names(movie):
    line = make_pipeline(finder(), FunctionTransformer(np.nan_to_num))
    calcium = line.fit_transform(movie.frames[:250])
    np.testing.assert_array_equal(calcium, np.nan_to_num(line[0].calcium_))


def test_clones_and_parameters():
    one = finder(min_snr=3.0, settings="cnmf.lag=0.2")
    other = clone(one).set_params(max_shift=4.0)
    assert other.get_params() == one.get_params() | {"max_shift": 4.0}
    settings = settings_of(other.get_params())
    assert (settings.cnmf.min_snr, settings.cnmf.lag, settings.motion.max_shift) == (3.0, 0.2, 4.0)
    assert settings_of({"bin": np.int64(2), "cell_radius": np.float32(4)}).prepare.bin == 2


def test_thresholds_change_while_frames_come(movie):
    one = finder().fit(movie.frames[:400])
    before = set(one.ids_)
    one.set_params(min_snr=50.0).partial_fit(movie.frames[400:430])
    assert set(one.ids_) & before < before
    with pytest.raises(ValueError, match="preset = '1p': cannot change from '2p' without a new fit"):
        one.set_params(preset="1p").partial_fit(movie.frames[430])


def test_where_motion_correction_just_went_off_nothing_is_learned(movie):
    one = finder().fit(movie.frames[:60])
    one.set_params(motion=False).partial_fit(movie.frames[60])
    assert one._last.fate is Fate.UNMOVED
    assert one._chain.cells.shift == tuple(one.shifts_[-1]) == (0.0, 0.0)
    one.set_params(motion=True).partial_fit(movie.frames[61])
    assert one._last.fate is Fate.ANALYSED
    assert finder(motion=False).fit(movie.frames[:60])._last.fate is Fate.ANALYSED


FRAMES = np.random.default_rng(0).integers(0, 4000, (20, 24, 32)).astype(np.uint16)


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        (FRAMES[0], "minimum of 2 is required"),
        (FRAMES[:1], "minimum of 2 is required"),
        (FRAMES[:0], r"0 sample\(s\)"),
        (np.where(FRAMES > 3990, np.nan, FRAMES), "NaN"),
        (np.where(FRAMES > 3990, np.inf, FRAMES), "infinity"),
        (FRAMES * 1j, "Complex data not supported"),
        (FRAMES[:, :, :, None], "dim 4|2 dim"),
        (FRAMES[0, 0], "1D array|2D array"),
        (FRAMES.reshape(20, -1)[:1], "minimum of 2"),
    ],
)
def test_what_is_no_movie_is_refused(frames, sentence):
    with pytest.raises(ValueError, match=sentence):
        OnlineCNMF().fit(frames)


def test_frames_of_another_shape_are_refused():
    one = OnlineCNMF().fit(FRAMES)
    for other in (FRAMES[:, :-1], FRAMES.transpose(0, 2, 1), FRAMES[0].T):
        with pytest.raises(ValueError, match=r"features|shape"):
            one.partial_fit(other)
        with pytest.raises(ValueError, match=r"features|shape"):
            one.transform(other)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"cell_radius": -1.0}, "cnmf.cell_radius = -1.0"),
        ({"preset": "3p"}, "cnmf.preset = '3p'"),
        ({"rate": 0.0}, "rate = 0.0"),
        ({"rate": "30"}, "rate = '30'"),
        ({"rate": None}, "rate = None"),
        ({"rate": np.inf}, "rate = inf"),
        ({"settings": "cnmf.nothing=1"}, "no such setting"),
    ],
)
def test_parameters_that_cannot_be(parameters, sentence):
    with pytest.raises(SettingsError, match=sentence):
        OnlineCNMF(**parameters).fit(FRAMES)


def test_a_shape_that_does_not_fit():
    with pytest.raises(ValueError, match=r"frame_shape = \(5, 7\) does not fit rows of 768 px"):
        OnlineCNMF(frame_shape=(5, 7)).fit(FRAMES.reshape(20, -1))


def test_nothing_is_known_before_a_fit():
    for name in ("footprints_", *TABLES):
        with pytest.raises(NotFittedError):
            getattr(OnlineCNMF(), name)


def test_pictures_smaller_than_a_cell_are_filled_up():
    one = OnlineCNMF(cell_radius=2.0).fit(FRAMES[:, :1, :5])
    assert one.footprints_.shape == (5, len(one.ids_))
    assert one.transform(FRAMES[:, :1, :5]).shape == (20, len(one.ids_))
