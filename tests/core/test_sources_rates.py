"""The frame rate that a file tells of itself: without it times, decay and spikes are wrong."""

import h5py
import numpy as np
import pytest
import tifffile

from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source

MOVIE = np.random.default_rng(0).integers(0, 4000, (6, 24, 32), np.uint16)
UNKNOWN = "{} tells no frame rate: 30 Hz is taken; if it is another, set camera.rate"


def rate_of(text, *texts):
    source = open_source(str(text), LiveSettings(Settings().with_texts(*texts)))
    source.close()
    assert source.notes == (), "a message, no alarm in every replay"
    return source.rate


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("SI.hRoiManager.scanFrameRate = 29.97\nSI.hChannels.channelSave = 1\n", 29.97),
        ("SI.hRoiManager.scanFrameRate = 10.5\nSI.hChannels.channelSave = [1;2]\n", 21.0),
        ("SI.hRoiManager.scanFrameRate = 30\nSI.hScan2D.logAverageFactor = 4\n", 7.5),
        ("SI.hRoiManager.scanFrameRate = 1e9\n", None),
        ("SI.hRoiManager.scanFrameRate = no\n", None),
        ("SI.VERSION_MAJOR = 2020\n", None),
    ],
)
def test_scanimage_tells_it_in_the_software_tag(tmp_path, caplog, said, expected):
    tifffile.imwrite(
        tmp_path / "a.tif", MOVIE, description="frameNumbers = 1\n", software=said, metadata=None
    )
    assert rate_of(tmp_path / "a.tif") == (expected or 30)
    assert caplog.messages == ([] if expected else [UNKNOWN.format("a.tif")])


@pytest.mark.parametrize(("channels", "averaged", "expected"), [(1, 1, 3.9), (2, 1, 7.8), (1, 3, 1.3)])
def test_old_scanimage_tells_it_beside_the_first_page(tmp_path, channels, averaged, expected):
    said = f"state.configName='x'\rstate.acq.numAvgFramesSave={averaged}\rstate.acq.frameRate=3.9\r"
    said += f"state.acq.numberOfChannelsSave={channels}\r"
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, description=said, metadata=None)
    assert rate_of(tmp_path / "a.tif") == pytest.approx(expected)


def test_the_real_scanimage_movie_is_not_of_30_hz(shared):
    path = shared / "data" / "scanimage" / "sample_scanimage_version_3_8.tiff"
    assert rate_of(path) == 3.90625


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"finterval": 0.05}, 20),
        ({"finterval": 50.0, "tunit": "ms"}, 20),
        ({"fps": 12.5}, 12.5),
        ({"finterval": 0.0}, 30),
        ({"finterval": -1.0}, 30),
    ],
)
def test_imagej(tmp_path, told, expected):
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, imagej=True, metadata={"axes": "TYX", **told})
    assert rate_of(tmp_path / "a.tif") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("axes", "shape", "expected"), [("TCYX", (3, 2), 20), ("TZYX", (3, 2), 20), ("ZYX", (6,), 10)]
)
def test_imagej_with_two_channels_or_planes_has_two_pages_a_frame(tmp_path, axes, shape, expected):
    """A plain stack calls its frames slices."""
    stack = MOVIE.reshape(*shape, 24, 32)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": axes, "finterval": 0.1})
    assert rate_of(tmp_path / "a.tif") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"TimeIncrement": 0.1}, 10),
        ({"TimeIncrement": 40.0, "TimeIncrementUnit": "ms"}, 25),
        ({"TimeIncrement": 1.0, "TimeIncrementUnit": "fortnight"}, 30),
        ({}, 30),
    ],
)
def test_ome(tmp_path, told, expected):
    tifffile.imwrite(tmp_path / "a.ome.tif", MOVIE, metadata={"axes": "TYX", **told})
    assert rate_of(tmp_path / "a.ome.tif") == pytest.approx(expected)


@pytest.mark.parametrize("name", ["fr", "frame_rate", "fps"])
@pytest.mark.parametrize("place", ["/", "mov"])
@pytest.mark.parametrize(
    ("value", "expected"), [(7.5, 7.5), ([15.0], 15), (0, 30), ("fast", 30), (np.nan, 30)]
)
def test_hdf5_attributes(tmp_path, name, place, value, expected):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["mov"] = MOVIE
        file[place].attrs[name] = value
    assert rate_of(f"{tmp_path / 'a.h5'}:mov") == expected


def test_what_cannot_be_read_beside_a_movie_does_not_refuse_it(tmp_path):
    """A date of HDF5, of which h5py makes nothing."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        movie = file.create_dataset("mov", data=MOVIE)
        h5py.h5a.create(movie.id, b"fps", h5py.h5t.UNIX_D32LE, h5py.h5s.create(h5py.h5s.SCALAR))
        with pytest.raises(TypeError):
            movie.attrs["fps"]
    assert rate_of(tmp_path / "a.h5") == 30


@pytest.mark.parametrize("kind", ["starting_time", "timestamps"])
def test_nwb_keeps_it_beside_the_movie(tmp_path, kind):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        series = file.create_group("acquisition/TwoPhotonSeries")
        series["data"] = MOVIE
        series[kind] = 0.0 if kind == "starting_time" else np.arange(6) / 8
        if kind == "starting_time":
            series[kind].attrs["rate"] = 8.0
    assert rate_of(tmp_path / "a.h5") == 8


def test_a_rate_that_was_given_needs_no_word(tmp_path, caplog):
    np.save(tmp_path / "a.npy", MOVIE)
    assert rate_of(tmp_path / "a.npy", "camera.rate=5") == 5
    assert not caplog.messages
    assert rate_of(tmp_path / "a.npy") == 30
    assert caplog.messages == [UNKNOWN.format("a.npy")]
