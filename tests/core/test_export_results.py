"""Cells as other programs keep them, read back by roiextractors: shapes, masks, traces, numbers."""

import csv
import json

import h5py
import numpy as np
import pytest

from roi_core import layout
from roi_core.errors import RecordingError
from roi_core.export import export
from roi_core.export.resting import resting
from roi_core.export.task import Wishes
from roi_core.export.units import cells_of
from roi_core.frame import Status
from roi_core.recording import Recording
from tests.core.test_recorder_cells import record, samples
from tests.exporting import recorded

extractors = pytest.importorskip("roiextractors", reason="roiextractors is not installed")


class Ours:
    """What a recording holds of the cells that others get: numbers to compare with."""

    def __init__(self, path):
        with Recording(path) as recording:
            cells, self.shape = recording.cells, recording.shape
            self.columns = np.flatnonzero(np.isin(cells.status, (Status.ACCEPTED, Status.REJECTED)))
            self.ids = cells.ids[self.columns]
            self.accepted = cells.accepted[self.columns]
            self.snr = cells.snr[self.columns]
            self.raw, self.calcium, self.spikes = (
                getattr(cells, name)[:, self.columns] for name in ("raw", "calcium", "spikes")
            )
            dense = cells.footprints[:, self.columns].toarray()
            self.masks = dense.reshape(*self.shape, -1)
            self.maps, self.shifts, self.rows = recording.maps, recording.shifts, recording.rows
            self.means, self.dff, self.time = recording.means, recording.dff, recording.time
            self.names = recording.names

    def cells_dff(self):
        """dF/F of the cells, one by one."""
        out, mean = np.empty_like(self.raw), np.nan_to_num(self.maps["mean"]).astype(float)
        for k in range(len(self.ids)):
            mask = self.masks[..., k].astype(float)
            rest = (mask * mean).sum() / (mask * mask).sum()
            assert mean[mask > 0].min() < rest < 3 * mean[mask > 0].max()
            out[:, k] = self.raw[:, k] / rest
        return out


@pytest.fixture(scope="module")
def ours(exported_from):
    return Ours(exported_from)


@pytest.fixture(scope="module")
def folder(exported_from, tmp_path_factory):
    return export(exported_from, "suite2p", tmp_path_factory.mktemp("s") / "suite2p")


@pytest.fixture(scope="module")
def estimates(exported_from, tmp_path_factory):
    return export(exported_from, "caiman", tmp_path_factory.mktemp("c") / "c.hdf5")


def test_there_are_cells_of_both_kinds_that_were_born_late(ours):
    assert ours.accepted.sum() >= 5
    assert (~ours.accepted).sum() >= 2
    assert np.isnan(ours.raw).any()


def test_suite2p_is_read_by_roiextractors(folder, ours):
    found = extractors.Suite2pSegmentationExtractor(folder)
    assert found.get_frame_shape() == (48, 64) == ours.shape
    assert found.get_num_rois() == len(ours.ids)
    assert found.get_num_samples() == ours.rows
    assert found.get_sampling_frequency() == pytest.approx(30)
    np.testing.assert_array_equal(found.get_traces(name="raw"), np.nan_to_num(ours.raw))
    np.testing.assert_array_equal(found.get_traces(name="deconvolved"), np.nan_to_num(ours.spikes))
    assert not np.any(found.get_traces(name="neuropil"))
    np.testing.assert_array_equal(found.get_roi_image_masks(), ours.masks)
    np.testing.assert_array_equal(found.get_property("iscell", found.get_roi_ids()), ours.accepted)
    np.testing.assert_array_equal(found.get_images_dict()["mean"], ours.maps["mean"])


def test_suite2p_says_what_is_different(folder, ours):
    ops = np.load(folder / "plane0" / "ops.npy", allow_pickle=True).item()
    stat = np.load(folder / "plane0" / "stat.npy", allow_pickle=True)
    assert "demixed" in ops["roi_stream"]
    assert ops["neucoeff"] == 0
    np.testing.assert_array_equal(ops["yoff"], -np.rint(np.nan_to_num(ours.shifts[:, 0])))
    assert [each["id"] for each in stat] == ours.ids.tolist()
    for k, each in enumerate(stat):
        known = np.flatnonzero(np.isfinite(ours.raw[:, k]))
        assert each["born"] == known[0]
        assert each["npix"] == np.count_nonzero(ours.masks[..., k])
        several = np.count_nonzero(ours.masks, axis=2)[each["ypix"], each["xpix"]] > 1
        np.testing.assert_array_equal(each["overlap"], several)


def test_caiman_is_read_by_roiextractors(estimates, ours):
    found = extractors.CaimanSegmentationExtractor(estimates)
    assert tuple(found.get_frame_shape()) == ours.shape
    assert found.get_num_samples() == ours.rows
    assert found.get_sampling_frequency() == pytest.approx(30)
    assert found.get_traces(name="raw") == pytest.approx(np.nan_to_num(ours.raw), abs=1e-4)
    np.testing.assert_array_equal(found.get_traces(name="denoised"), np.nan_to_num(ours.calcium))
    np.testing.assert_array_equal(found.get_traces(name="deconvolved"), np.nan_to_num(ours.spikes))
    dff = np.nan_to_num(ours.cells_dff())
    np.testing.assert_allclose(found.get_traces(name="dff"), dff, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.get_roi_image_masks(), ours.masks)
    np.testing.assert_array_equal(found.get_property("is_accepted", found.get_roi_ids()), ours.accepted)
    np.testing.assert_array_equal(found.get_property("snr", found.get_roi_ids()), ours.snr)
    np.testing.assert_array_equal(found.get_images_dict()["correlation"], ours.maps["correlation"])


def test_caiman_has_the_names_and_kinds_of_a_file_of_its_own(estimates, shared):
    """Except for what only its own run knows."""
    theirs = shared / "data" / "results-import" / "caiman" / "caiman_analysis.hdf5"
    with h5py.File(estimates) as a, h5py.File(theirs) as b:
        for name in ("A/data", "A/indices", "A/indptr", "A/shape", "C", "S", "YrA", "dims", "nr"):
            mine, real = a["estimates"][name], b["estimates"][name]
            assert (mine.dtype, mine.ndim) == (real.dtype, real.ndim), name
        assert a["estimates/sn"][()] == b["estimates/SNR_comp"][()] == b"NoneType"
        assert a["estimates/A/shape"][0] == np.prod(a["dims"])


def test_without_its_glow_a_picture_tells_no_dff(tmp_path, caplog):
    path = recorded(tmp_path / "a.h5", "cnmf.preset=1p", frames=120)
    with Recording(path) as recording:
        cells = cells_of(recording, Wishes())
        assert cells is not None
        assert resting(recording, cells) is None
    with h5py.File(export(path, "caiman", tmp_path / "c.hdf5")) as file:
        assert file["estimates/F_dff"][()] == b"NoneType"
    assert "get no dF/F: the glow of their pictures was taken away" in caplog.text
    assert "record with prepare.flatten=off, or draw regions" in caplog.text


def test_the_second_pass_is_taken_when_it_is_wished(tmp_path, caplog):
    path = record(tmp_path / "a.h5", samples(range(70)))
    export(path, "csv", tmp_path / "no.csv", wishes=Wishes(refined=True))
    assert "was not refined; the cells found online are exported" in caplog.text
    with h5py.File(path, "r+") as file:
        file.copy(layout.CNMF, file, "copy")
        file.move("copy", layout.REFINED)
        file[f"{layout.REFINED}/raw"][:] += 1000
        file[f"{layout.REFINED}/status"][3] = Status.REMOVED
    found = [
        extractors.Suite2pSegmentationExtractor(
            export(path, "suite2p", tmp_path / name, wishes=Wishes(refined=refined))
        )
        for name, refined in (("online", False), ("refined", True))
    ]
    assert [each.get_num_rois() for each in found] == [4, 3]
    online, refined = (each.get_traces(name="raw") for each in found)
    np.testing.assert_array_equal(refined[60:], online[60:, [0, 1, 3]] + 1000)
    with h5py.File(export(path, "matlab")) as twin, Recording(path) as recording:
        np.testing.assert_array_equal(twin["cnmf/refined/raw"][:], recording.refined.raw.T)
        np.testing.assert_array_equal(twin["cnmf/raw"][:], recording.cells.raw.T)


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["soma", "dendrite", "soma"], ["soma-1", "dendrite", "soma-3"]),
        (["soma", "soma-1", "soma"], ["soma-1-1", "soma-1-2", "soma-3"]),
        (["time_s", "cell_2", "cell_1"], ["time_s-1", "cell_2-2", "cell_1"]),
        (["", "", "a"], ["-1", "-2", "a"]),
    ],
)
def test_no_two_columns_of_a_table_have_one_name(tmp_path, names, columns):
    """Regions of one name lived one after the other, or are called as another column is."""
    path = record(tmp_path / "a.h5", samples(range(70)))
    shapes = [json.dumps({"name": name, "id": k}) for k, name in enumerate(names, 1)]
    with h5py.File(path, "r+") as file:
        for name in (layout.MEANS, layout.CIRCLES, layout.SHAPES):
            kept = file[name][:]
            del file[name]
            made = np.zeros((len(kept), 3)) if name == layout.MEANS else shapes
            file[name] = np.zeros((3, 3)) if name == layout.CIRCLES else made
    with export(path, "csv", tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert header[:5] == ["time_s", "frame_index", *columns]
    assert "cell_2" in header[5:]
    assert len(header) == len(set(header))


def test_footprints_are_a_table_of_pixels(exported_from, tmp_path, ours):
    with export(exported_from, "footprints", tmp_path / "f.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {(row["kind"], int(row["id"])): np.zeros(ours.shape, np.float32) for row in rows}
    for row in rows:
        found[row["kind"], int(row["id"])][int(row["y"]), int(row["x"])] = float(row["weight"])
    assert [key for key in found if key[0] == "region"] == [("region", 1), ("region", 2)]
    for k, (number, good) in enumerate(zip(ours.ids.tolist(), ours.accepted, strict=True)):
        np.testing.assert_allclose(
            found["cell" if good else "rejected", number], ours.masks[..., k], rtol=1e-7
        )
    y, x = np.mgrid[:48, :64]
    np.testing.assert_array_equal(found["region", 1], (y - 15) ** 2 + (x - 20) ** 2 <= 16)


def test_without_regions_and_cells_there_are_no_footprints(tmp_path):
    path = record(tmp_path / "a.h5", samples(range(5), off=range(5), shift=False))
    with pytest.raises(RecordingError, match="neither regions nor cells"):
        export(path, "footprints")


@pytest.mark.parametrize("word", ["suite2p", "caiman"])
def test_without_cells_it_is_refused(tmp_path, word):
    path = record(tmp_path / "a.h5", samples(range(5), off=range(5), shift=False))
    with pytest.raises(RecordingError, match=r"a\.h5 holds no cells, and .* --to csv or nwb"):
        export(path, word)
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


@pytest.mark.parametrize("word", ["suite2p", "caiman"])
def test_a_recording_cut_short_is_taken(tmp_path, word, caplog):
    """Complete is not set, traces end early, the last cells have no footprint yet."""
    path = record(tmp_path / "a.h5", samples(range(70)))
    with h5py.File(path, "r+") as file:
        file.attrs["complete"] = np.uint8(0)
        file[layout.CALCIUM].resize((60, 5))
        group = file[layout.FOOTPRINTS]
        for name, kept in (("indptr", 5), ("data", 8), ("indices", 8)):
            values = group[name][:kept]
            del group[name]
            group[name] = values
    written = export(path, word)
    assert "1 cells have no footprint" in caplog.text
    kind = {
        "suite2p": extractors.Suite2pSegmentationExtractor,
        "caiman": extractors.CaimanSegmentationExtractor,
    }
    assert kind[word](written).get_num_rois() == 3
