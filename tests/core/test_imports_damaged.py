"""Results that say more than they hold, lead elsewhere or are broken: a sentence, at once."""

import json
import os
import shutil

import h5py
import numpy as np
import pytest

from roi_core.errors import RoiFileError
from roi_core.imports import read, recognise
from tests.core.test_recorded_cells import endless_texts

BROKEN_HEAD = b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4',"


@pytest.fixture
def suite2p(shared, tmp_path):
    """Return a folder of Suite2p that may be damaged."""
    place = tmp_path / "plane0"
    sound = shared / "data" / "results-import" / "suite2p" / "plane0"
    shutil.copytree(sound, place, copy_function=shutil.copyfile)
    return place


@pytest.fixture
def caiman(shared, tmp_path):
    """Return a file of CaImAn that may be damaged."""
    sound = shared / "data" / "results-import" / "caiman" / "caiman_analysis.hdf5"
    return shutil.copyfile(sound, tmp_path / "caiman.hdf5")


@pytest.fixture
def minian(shared, tmp_path):
    """Return a folder of Minian that may be damaged; zarr keeps threads for the next reading."""
    zarr = pytest.importorskip("zarr")
    place = tmp_path / "minian"
    sound = shared / "data" / "results-import" / "minian"
    yield shutil.copytree(sound, place, copy_function=shutil.copyfile)
    zarr.core.sync.cleanup_resources()


def write_nwb(path, **columns):
    """Write an NWB table of two masks with these columns."""
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        plane = file.create_group("processing/ophys/plane")
        plane.attrs["neurodata_type"] = "PlaneSegmentation"
        plane["image_mask"] = np.ones((2, 8, 8), np.float32)
        for name, column in columns.items():
            plane[name] = column
    return path


def test_a_broken_table_of_suite2p(suite2p):
    (suite2p / "iscell.npy").write_bytes(BROKEN_HEAD)
    with pytest.raises(RoiFileError, match="or damaged"):
        read(suite2p)
    with (suite2p / "iscell.npy").open("wb") as file:
        np.savez(file, a=np.ones(3))
    with pytest.raises(RoiFileError, match="or damaged"):
        read(suite2p)


def test_a_table_of_nwb_that_does_not_fit_its_masks(tmp_path):
    found = read(write_nwb(tmp_path / "a.nwb", id=[4, 5], Accepted=1))
    assert (found.names, found.accepted.tolist()) == (("nwb4", "nwb5"), [True, True])
    with pytest.raises(RoiFileError, match="1 ids for 2 masks"):
        read(write_nwb(tmp_path / "b.nwb", id=[4]))


@pytest.mark.parametrize("word", ["caiman", "extract", "nwb"])
def test_a_link_to_another_file_is_not_followed(tmp_path, word):
    """Whoever opened this one would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("some")
        file["some/where"] = h5py.ExternalLink("pipe", "/")
        file["estimates"] = h5py.ExternalLink(str(tmp_path / "pipe"), "/")
    assert recognise(path) == ""
    with pytest.raises(RoiFileError, match="estimates is a link to another file"):
        read(path, word)


@pytest.mark.parametrize("kind", ["external", "virtual"])
def test_numbers_kept_in_another_file_are_not_read(caiman, tmp_path, kind):
    (tmp_path / "secret").write_bytes(b"root:x:0:0:" * 1000)
    with h5py.File(caiman, "r+") as file:
        group = file["estimates/A"]
        size = group["data"].shape
        del group["data"]
        if kind == "external":
            group.create_dataset("data", size, "u1", external=[(str(tmp_path / "secret"), 0, size[0])])
        else:
            layout = h5py.VirtualLayout(size, "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "secret"), "data", size)
            group.create_virtual_dataset("data", layout)
    with pytest.raises(RoiFileError, match="the numbers of data are in another file"):
        read(caiman)


def test_a_dataset_that_is_only_announced_is_not_read(caiman):
    with h5py.File(caiman, "r+") as file:
        group = file["estimates/A"]
        for name in ("data", "indices"):
            del group[name]
            group.create_dataset(name, (60_000_000,), "f8")
    with pytest.raises(RoiFileError, match="data says it is larger than its file"):
        read(caiman)


def test_a_text_without_an_end_is_not_read(caiman):
    """CaImAn writes what it has not got as the text "NoneType"; found by fuzzing."""
    with h5py.File(caiman, "r+") as file:
        for name in ("idx_components", "idx_components_bad"):
            del file["estimates"][name]
            file["estimates"][name] = "NoneType"
    assert read(caiman).accepted.all()
    endless_texts(caiman)
    with pytest.raises(RoiFileError, match="the texts of /estimates/idx_components have no end"):
        read(caiman)


def test_endless_pictures_are_not_read(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("output/spatial_weights", (10**9, 500, 500), "f8")
    with pytest.raises(RoiFileError, match="pictures of 1000000000 x 500 x 500"):
        read(tmp_path / "a.mat")


def test_one_footprint_named_a_million_times_is_not_read(suite2p):
    """A list may name the same cell again and again in two bytes each."""
    cell = {name: np.zeros(100_000, np.int32) for name in ("ypix", "xpix", "lam")}
    cells = np.empty(10_000, object)
    cells[:] = [cell] * len(cells)
    np.save(suite2p / "stat.npy", cells)
    with pytest.raises(RoiFileError, match="footprints of more than"):
        read(suite2p)


def test_a_minian_folder_that_announces_more_than_it_holds(minian):
    told = minian / "A.zarr" / "A" / ".zarray"
    before = told.read_text()
    told.write_text(json.dumps(json.loads(before) | {"shape": [10**9, 608, 608]}))
    with pytest.raises(RoiFileError, match="pictures of 1000000000 x 608 x 608"):
        read(minian)
    told.write_text(before)
    told = minian / "A.zarr" / "unit_id" / ".zarray"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"shape": [10**11]}))
    with pytest.raises(RoiFileError, match="unit_id says it is larger than its file"):
        read(minian)


def test_a_chunk_of_minian_that_does_not_unpack(minian):
    told = minian / "A.zarr" / "A" / ".zarray"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"compressor": {"id": "zlib", "level": 1}}))
    with pytest.raises(RoiFileError, match="is no Minian result, or damaged"):
        read(minian)
