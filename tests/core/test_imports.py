"""Results of other programs become footprints and regions; every number is that of the program itself."""

import json
import sys

import h5py
import numpy as np
import pytest

from roi_core.errors import RoiFileError
from roi_core.imports import load_rois, read, recognise
from roi_core.masks import Masks
from roi_core.rois import RoiSet
from tests.core.test_catalogue import record
from tests.test_cli import refused, roi_stream

PLACES = {
    "suite2p": "suite2p", "caiman": "caiman/caiman_analysis.hdf5", "minian": "minian",
    "nwb": "nwb/nwb_test.nwb",
    "extract": "extract/2014_04_01_p203_m19_check01_extractAnalysis.mat",
}  # fmt: skip


@pytest.fixture(scope="module")
def results(shared):
    return {word: shared / "data" / "results-import" / place for word, place in PLACES.items()}


@pytest.fixture(autouse=True)
def _zarr_lets_go():
    """Zarr keeps threads for the next reading."""
    yield
    if "zarr" in sys.modules:
        sys.modules["zarr"].core.sync.cleanup_resources()


def pictures(found):
    """Return (N, H, W)."""
    return found.footprints.toarray().T.reshape(-1, *found.shape)


@pytest.mark.parametrize(
    ("word", "shape", "count", "accepted"),
    [
        ("suite2p", (128, 128), 15, 7),
        ("caiman", (128, 128), 72, 72),
        ("minian", (608, 608), 3, 3),
        ("nwb", (128, 128), 15, 7),
        ("extract", (250, 250), 55, 55),
    ],
)
def test_what_there_is(results, word, shape, count, accepted):
    assert recognise(results[word]) == word
    found = read(results[word])
    assert (found.program, found.shape, len(found.names), int(found.accepted.sum())) == (
        word,
        shape,
        count,
        accepted,
    )
    assert found.footprints.shape == (shape[0] * shape[1], count)
    assert found.footprints.dtype == np.float32
    assert len(found.rois()) == accepted
    assert len(found.rois(rejected=True)) == count


def test_suite2p_as_numpy_reads_it(results):
    found = read(results["suite2p"])
    stat = np.load(results["suite2p"] / "plane0" / "stat.npy", allow_pickle=True)
    for picture, cell in zip(pictures(found), stat, strict=True):
        wanted = np.zeros((128, 128), np.float32)
        wanted[cell["ypix"], cell["xpix"]] = cell["lam"]
        np.testing.assert_array_equal(picture, wanted)


def test_caiman_counts_down_the_columns(results):
    found = read(results["caiman"])
    with h5py.File(results["caiman"]) as file:
        a = file["estimates/A"]
        k = 5
        column = slice(a["indptr"][k], a["indptr"][k + 1])
        wanted = np.zeros(128 * 128, np.float32)
        wanted[a["indices"][column]] = a["data"][column]
        np.testing.assert_array_equal(pictures(found)[k], wanted.reshape(128, 128, order="F"))


def test_extract_and_minian_pixel_for_pixel(results):
    with h5py.File(results["extract"]) as file:
        wanted = file["extractAnalysisOutput/filters"][:].transpose(0, 2, 1)
    np.testing.assert_array_equal(pictures(read(results["extract"])), np.maximum(wanted, 0))
    zarr = pytest.importorskip("zarr")
    wanted = zarr.open_array(results["minian"] / "A.zarr" / "A", mode="r")[:]
    np.testing.assert_allclose(pictures(read(results["minian"])), wanted.astype(np.float32))


def test_nwb_is_read_as_its_schema_says_and_can_be_turned(results):
    """This file comes from Suite2p, which wrote [y][x]: turned, it is what Suite2p's own folder says."""
    found, suite2p = read(results["nwb"]), read(results["suite2p"])
    assert "transpose" in found.notes[0]
    turned = pictures(found.transposed())[:2]
    np.testing.assert_array_equal(turned > 0, pictures(suite2p)[:2] > 0)
    np.testing.assert_array_equal(found.accepted, suite2p.accepted)


def test_nwb_with_pixel_masks(tmp_path):
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        movie = file.create_group("acquisition/movie")
        movie.attrs["neurodata_type"] = "TwoPhotonSeries"
        movie["dimension"] = [30, 20]
        plane = file.create_group("processing/ophys/plane")
        plane.attrs["neurodata_type"] = "PlaneSegmentation"
        plane["id"] = [4, 9]
        rows = [(3, 2, 1.0), (4, 2, 0.5), (29, 19, 2.0)]
        plane["pixel_mask"] = np.array(rows, [("x", "u4"), ("y", "u4"), ("weight", "f4")])
        plane["pixel_mask_index"] = [2, 3]
    found = read(tmp_path / "a.nwb")
    assert (found.shape, found.names) == ((20, 30), ("nwb4", "nwb9"))
    first, second = pictures(found)
    assert (first[2, 3], first[2, 4], second[19, 29]) == (1.0, 0.5, 2.0)
    assert (first > 0).sum() + (second > 0).sum() == 3


@pytest.mark.parametrize("word", PLACES)
def test_regions_cover_the_footprints(results, word):
    """A region holds the pixels above a fifth of the peak, but for holes and islands."""
    found = read(results[word])
    rois = found.rois(rejected=True)
    alike = []
    for picture, roi in zip(pictures(found), rois, strict=True):
        inside = (picture > 0.2 * picture.max()).astype(np.uint16)
        alike.append(Masks(RoiSet([roi]), found.shape).means(inside)[0])
    assert np.median(alike) > 0.9


def test_a_recording_of_ours_gives_its_cells(tmp_path):
    path = record(
        tmp_path / "a.h5", frames=450,
        texts=("cnmf.enabled=true", "cnmf.cell_radius=4", "cnmf.buffer=5", "motion.enabled=true"),
    )  # fmt: skip
    found = read(path)
    assert found.program == "roi_stream"
    assert len(found.rois()) == found.accepted.sum() > 0
    none = record(tmp_path / "none.h5")
    with pytest.raises(RoiFileError, match="holds no cells"):
        read(none)


def test_the_program_takes_a_result_for_regions(results, tmp_path):
    done = roi_stream("import", results["suite2p"], "--out", tmp_path / "r.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 regions for 128x128" in done.stdout
    assert "7 of 15 accepted" in done.stdout
    np.save(tmp_path / "movie.npy", np.ones((5, 128, 128), np.uint16))
    for rois in (tmp_path / "r.json", results["suite2p"]):
        out = tmp_path / f"{rois.stem}.h5"
        run = roi_stream("run", "--source", tmp_path / "movie.npy", "--rois", rois, "--out", out)
        assert run.returncode == 0, run.stderr
        with h5py.File(out) as file:
            assert file["roi/means"].shape == (5, 7)
    assert json.loads((tmp_path / "r.json").read_text())["rois"][0]["name"] == "suite2p0"


def test_frames_of_another_size_are_refused(results):
    with pytest.raises(RoiFileError, match="of frames of 128x128 px, these have 640x480"):
        load_rois(results["suite2p"], (640, 480))


def test_what_is_no_result_is_refused_in_a_sentence(results, tmp_path):
    assert "is no result that is known" in refused("import", tmp_path)
    assert "--from" in refused("import", results["suite2p"], "--from", "nonsense", code=2)
    (tmp_path / "out.json").touch()
    assert "it exists" in refused("import", results["suite2p"], "--out", tmp_path / "out.json")
    for word, place in results.items():
        other = results["caiman" if word != "caiman" else "extract"]
        if place.is_file():
            assert "CaImAn" in refused("import", place, "--from", "caiman") if word != "caiman" else True
            assert str(other) in refused("import", other, "--from", word, "--out", tmp_path / "x.json")


def minian(folder, **told):
    """Write a result of one cell of 8 x 8 px with zarr, and change what its description says."""
    zarr = pytest.importorskip("zarr")
    a = zarr.create_array(
        folder / "A.zarr" / "A", shape=(1, 8, 8), dtype="f8", zarr_format=told.get("zarr_format", 2)
    )
    a[:] = 1.0
    (file,) = [file for file in (folder / "A.zarr" / "A").iterdir() if file.name in (".zarray", "zarr.json")]
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **told}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("number", [2, 3])
def test_minian_of_either_zarr(tmp_path, number):
    assert pictures(read(minian(tmp_path, zarr_format=number))).tolist() == np.ones((1, 8, 8)).tolist()


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (
            {"dtype": "|O", "filters": [{"id": "vlen-utf8"}, {"id": "pickle"}]},
            "with pickle, vlen-utf8",
        ),
        ({"compressor": {"id": "pickle"}}, "packed with pickle"),
        ({"dtype": "|O"}, "no plain numbers"),
        ({"dtype": "<U3"}, "no plain numbers"),
        ({"zarr_format": 3, "codecs": [{"name": "numcodecs.pickle"}]}, "packed with numcodecs.pickle"),
        ({"zarr_format": 3, "data_type": "string"}, "no plain numbers"),
        ({"zarr_format": 3, "codecs": 5}, "damaged"),
    ],
)
def test_minian_runs_nothing_that_a_file_asks_for(tmp_path, monkeypatch, told, why):
    minian(tmp_path, **told)
    monkeypatch.setattr(
        pytest.importorskip("zarr"), "open_array", lambda *_, **__: pytest.fail("zarr saw it")
    )
    with pytest.raises(RoiFileError, match=why):
        read(tmp_path)


def test_minian_with_two_descriptions_is_refused(tmp_path):
    minian(tmp_path)
    (tmp_path / "A.zarr" / "A" / "zarr.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RoiFileError, match="or both"):
        read(tmp_path)
