"""NWB: valid, without a word of nwbinspector's that matters, and read right by roiextractors."""

import builtins
import pickle
import sys

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.card import Card
from roi_core.errors import MissingExtra
from roi_core.export import export, nwb_draft
from roi_core.export.task import Wishes
from roi_core.recording import Recording
from tests.core.test_export_results import Ours
from tests.core.test_recorder_cells import record, samples
from tests.exporting import CARD, recorded
from tests.test_cli import roi_stream

pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed")
extractors = pytest.importorskip("roiextractors", reason="roiextractors is not installed")
inspector = pytest.importorskip("nwbinspector", reason="nwbinspector is not installed")


def faults(path, least=inspector.Importance.BEST_PRACTICE_VIOLATION):
    """What the validator and the inspector find, but for what is only suggested."""
    found = inspector.inspect_nwbfile(nwbfile_path=str(path), importance_threshold=least)
    return [
        *pynwb.validate(path=str(path)),
        *(f"{each.check_function_name}: {each.message}" for each in found),
    ]


@pytest.fixture(scope="module")
def ours(exported_from):
    return Ours(exported_from)


@pytest.fixture(scope="module")
def path(exported_from, tmp_path_factory):
    return export(exported_from, "nwb", tmp_path_factory.mktemp("nwb") / "a.nwb")


@pytest.fixture(scope="module")
def dark(tmp_path_factory):
    """Regions only, one-photon, no movie, no card, and a clock that is not even."""
    path = recorded(
        tmp_path_factory.mktemp("dark") / "b.h5", "recorder.movie=false", "cnmf.enabled=false",
        "motion.enabled=false", "cnmf.preset=1p", card=Card(), frames=70,
    )  # fmt: skip
    with h5py.File(path, "r+") as file:
        file[layout.TIME][20:] += 0.5
    return path


def test_it_is_valid_and_the_inspector_is_content(path):
    assert faults(path) == []
    assert faults(path, inspector.Importance.BEST_PRACTICE_SUGGESTION) == []


def test_roiextractors_sees_the_movie_upright(path, exported_from):
    found = extractors.NwbImagingExtractor(path)
    with Recording(exported_from) as recording:
        assert found.get_image_shape() == (48, 64)
        np.testing.assert_array_equal(found.get_series(100, 130), recording.movie[100:130])
    assert found.get_num_samples() == 300
    assert found.get_sampling_frequency() == pytest.approx(30)


def test_roiextractors_sees_cells_masks_and_traces(path, ours):
    found = extractors.NwbSegmentationExtractor(path)
    assert tuple(found.get_frame_shape()) == (48, 64)
    assert found.get_roi_ids() == ours.ids.tolist()
    np.testing.assert_array_equal(found.get_roi_image_masks(), ours.masks)
    for name, expected in (("raw", ours.raw), ("denoised", ours.calcium), ("deconvolved", ours.spikes)):
        np.testing.assert_array_equal(found.get_traces(name=name), expected, err_msg=name)
    np.testing.assert_array_equal(found.get_property("accepted", found.get_roi_ids()), ours.accepted)
    np.testing.assert_array_equal(found.get_images_dict()["mean"], ours.maps["mean"])


def test_pynwb_sees_all_the_rest(path, ours):
    with pynwb.NWBHDF5IO(str(path), "r") as file:
        nwb = file.read()
        assert nwb.experimenter == ("Cajal, Santiago", "Golgi, Camillo")
        assert (nwb.subject.subject_id, nwb.subject.age, nwb.notes) == ("m017", "P90D", "Nothing else.")
        plane = nwb.imaging_planes["ImagingPlane"]
        assert (plane.location, plane.excitation_lambda, plane.indicator) == ("CA1", 920, "GCaMP6f")
        assert plane.grid_spacing[:] == pytest.approx(1.5e-6)
        series = nwb.acquisition["TwoPhotonSeries"]
        assert series.rate == pytest.approx(30)
        assert (series.data.compression, series.data.chunks[1:]) == ("gzip", (64, 48))
        events = nwb.events["Events"].to_dataframe()
        assert {"start", "stop", "note", "birth"} <= set(events["kind"])
        assert "the animal woke up" in events["annotation"][events["kind"] == "note"].iloc[0]
        ophys = nwb.processing["ophys"]
        np.testing.assert_array_equal(ophys["MotionShifts"].data[:], ours.shifts[:, ::-1])
        regions = ophys["ImageSegmentation"]["Regions"]
        assert list(regions["region_name"][:]) == ["soma", "dendrite"]
        np.testing.assert_array_equal(ophys["Fluorescence"]["Regions"].data[:], ours.means)
        np.testing.assert_array_equal(ophys["DfOverF"]["Regions"].data[:], ours.dff)
        dff = ophys["DfOverF"]["RoiResponseSeries"].data[:]
        np.testing.assert_allclose(dff, ours.cells_dff(), rtol=1e-4, atol=1e-6)
        cells = ophys["ImageSegmentation"]["PlaneSegmentation"]
        assert set(cells["status"][:]) == {"accepted", "rejected"}
        for k, pixels in enumerate(cells["pixel_mask"][:3]):
            sparse = np.zeros((48, 64), np.float32)
            for x, y, weight in pixels:
                sparse[y, x] = weight
            np.testing.assert_array_equal(sparse, ours.masks[..., k])
            np.testing.assert_array_equal(cells["image_mask"][k].T, sparse)
        assert "settings" in nwb.scratch


def test_regions_without_cells_are_what_readers_find(dark, caplog, tmp_path):
    path = export(dark, "nwb", tmp_path / "b.nwb")
    for field in ("subject_id", "species", "indicator", "region", "excitation_nm"):
        assert field in caplog.text
    assert "roi_stream card > card.yaml" in caplog.text
    assert faults(path) == []
    found = extractors.NwbSegmentationExtractor(path)
    with Recording(dark) as recording:
        np.testing.assert_array_equal(found.get_traces(name="raw"), recording.means)
        np.testing.assert_array_equal(found.get_traces(name="dff"), recording.dff)
        soma = found.get_roi_image_masks()[..., 0]
        assert soma.sum() == sum(
            1 for y in range(48) for x in range(64) if (y - 15) ** 2 + (x - 20) ** 2 <= 16
        )
        with pynwb.NWBHDF5IO(str(path), "r") as file:
            nwb = file.read()
            series = nwb.processing["ophys"]["Fluorescence"]["RoiResponseSeries"]
            assert series.rate is None
            np.testing.assert_array_equal(series.timestamps[:], recording.time)
            assert (nwb.subject.subject_id, nwb.subject.sex, nwb.subject.age) == ("unknown", "U", "P0D/")
            assert nwb.imaging_planes["ImagingPlane"].location == "unknown"


def test_a_card_fills_in_what_the_recording_misses(dark, caplog, tmp_path):
    caplog.set_level("INFO")
    path = export(dark, "nwb", tmp_path / "b.nwb", wishes=Wishes(card=CARD))
    assert "session card" not in caplog.text
    assert "taken from the card that is given: subject_id, species" in caplog.text
    assert faults(path) == []


def test_a_one_photon_movie_is_a_one_photon_series(tmp_path):
    path = recorded(
        tmp_path / "a.h5", "cnmf.enabled=false", "motion.enabled=false", "cnmf.preset=1p", frames=70
    )
    with pynwb.NWBHDF5IO(str(export(path, "nwb")), "r") as file:
        assert file.read().acquisition["OnePhotonSeries"].data.shape == (70, 64, 48)


def test_the_movie_is_never_in_memory(exported_from, tmp_path, monkeypatch):
    """Chunks of two frames give the same file."""
    monkeypatch.setattr(nwb_draft, "CHUNK", 2 * 2 * 48 * 64)
    with (
        h5py.File(export(exported_from, "nwb", tmp_path / "a.nwb")) as file,
        Recording(exported_from) as recording,
    ):
        data = file["acquisition/TwoPhotonSeries/data"]
        assert data.chunks == (2, 64, 48)
        np.testing.assert_array_equal(data[:].transpose(0, 2, 1), recording.movie[:])


def test_one_row_and_a_cut_short_one(tmp_path, caplog):
    for rows in (1, 30):
        path = record(tmp_path / f"{rows}.h5", samples(range(rows)))
        with h5py.File(path, "r+") as file:
            file.attrs["complete"] = np.uint8(0)
        assert pynwb.validate(path=str(export(path, "nwb"))) == []
    assert "get no dF/F: it holds no mean picture" in caplog.text


def test_a_missing_package_is_a_sentence(tmp_path, monkeypatch):
    path, real = record(tmp_path / "a.h5", samples(range(5))), builtins.__import__

    def without(name, *more, **also):
        if name.partition(".")[0] == "pynwb":
            raise ImportError(name)
        return real(name, *more, **also)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r'an NWB file needs pynwb: pip install "roi-stream\[nwb\]"'):
        export(path, "nwb")
    assert {each.name for each in tmp_path.iterdir()} == {"a.h5", "a.jsonl"}


class Planted:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).mkdir, (self.path,)


@pytest.mark.skipif(sys.platform == "win32", reason="the folder of caches does not follow HOME here")
@pytest.mark.parametrize("planted", [False, True])
def test_nothing_is_read_from_or_left_in_the_folder_of_caches(tmp_path, monkeypatch, planted):
    """Pynwb's own way is to load a pickle from there, or to leave one."""
    platformdirs, hdmf = pytest.importorskip("platformdirs"), pytest.importorskip("hdmf")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = platformdirs.user_cache_path("pynwb-hdmf", version=f"{pynwb.__version__}-{hdmf.__version__}")
    assert folder.is_relative_to(tmp_path)
    if planted:
        folder.mkdir(parents=True)
        (folder / "pynwb_core_typemap.pkl").write_bytes(pickle.dumps(Planted(tmp_path / "ran")))
    path = record(tmp_path / "a.h5", samples(range(30)))
    done = roi_stream("export", path, "--to", "nwb")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    assert folder.exists() is planted
    assert any(folder.parent.parent.glob("pynwb*")) is planted
    assert pynwb.validate(path=str(tmp_path / "a.nwb")) == []
