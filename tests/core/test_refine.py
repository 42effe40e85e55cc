"""The second pass over a recording: what it finds, that it harms nothing, and that a kill costs nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_core import draft
from roi_core.cli import main
from roi_core.cnmf.ground import COVERED
from roi_core.cnmf.state import SWINGS, Field
from roi_core.errors import RecorderError, RecordingError
from roi_core.frame import Activity, Components, FinishReason, Header, Sample, Status, Summary
from roi_core.offline import Stopped, glow, levels, passes, refine, seeds, traces, warm, write
from roi_core.offline import evidence as evidence_
from roi_core.offline import movie as movie_
from roi_core.prepare import Prepare
from roi_core.recording import Recording
from roi_core.rois import RoiSet
from roi_core.settings import LiveSettings, Settings
from roi_core.sinks.hdf5 import Recorder
from roi_core.sources import open_source
from roi_core.sources.simulated import Simulated
from tests import naive

ROWS, SIDE = 480, 64
SETTINGS = Settings().with_texts(
    f"camera.format={SIDE}x{SIDE}@30", "cnmf.cell_radius=4", "cnmf.enabled=true", "motion.enabled=true",
    "recorder.disk_reserve=1", "recorder.movie=true",
)  # fmt: skip
MISSED = 1
"""This cell of the simulated scene was not found online."""


def online_cells(truth):
    """The components of a careless online run: discs of 3 px about a px off, and one cell that is missing."""
    y, x = np.mgrid[:SIDE, :SIDE]
    known = [k for k in range(len(truth.centres)) if k != MISSED]
    data, indices, indptr = [], [], [0]
    for k in known:
        v, u = truth.centres[k] + (0.8, -0.6)
        disc = np.flatnonzero(((y - v) ** 2 + (x - u) ** 2 <= 9).ravel())
        data.append(np.ones(len(disc), np.float32))
        indices.append(disc.astype(np.int32))
        indptr.append(indptr[-1] + len(disc))
    n = len(known)
    ids = np.arange(3, 3 + 2 * n, 2)
    facts = np.ones(n, np.float32)
    return Components(
        1, (SIDE, SIDE), ids, np.arange(n) * 10, np.ones(n, np.uint8), ("",) * n, facts, facts, facts, facts,
        np.concatenate(data), np.concatenate(indices), np.array(indptr),
    )  # fmt: skip


def record(path, how=SETTINGS, rows=ROWS, cells=True, cut=None, name="movie.npy"):
    """Record the simulated camera with shifts as they were and cells that were found carelessly."""
    source = Simulated("tiny", LiveSettings(SETTINGS), length=rows, paced=False)
    components, shifts = online_cells(source.truth), source.truth.shifts(rows)
    none = np.zeros(len(components.ids), np.float32)
    ids = tuple(components.ids.tolist())
    activity = Activity(ids, none, none, none, 0, none, none, components)
    recorder = Recorder(path)
    recorder.open(Header(name, (SIDE, SIDE), 30.0, "file", how, RoiSet()))
    for frame in source.frames():
        shift = tuple(float(v) for v in -shifts[frame.index])
        recorder.write(
            Sample(
                frame.index, frame.index, frame.index / 30, frame.image, RoiSet(), (), none[:0], None,
                shift=shift, activity=activity if cells else None,
            )
        )  # fmt: skip
    recorder.flush()
    if cut:
        shutil.copy(path, cut)  # as a kill would leave it
    recorder.close(Summary(FinishReason.COMPLETED))
    return source.truth


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    path = tmp_path_factory.mktemp("refine") / "a.h5"
    truth = record(path)
    return path, truth


@pytest.fixture
def fresh(recorded, tmp_path):
    """A copy of the recording, not refined."""
    return Path(shutil.copy(recorded[0], tmp_path / "a.h5"))


@pytest.fixture(scope="module")
def refined(recorded, tmp_path_factory):
    path = Path(shutil.copy(recorded[0], tmp_path_factory.mktemp("refined") / "a.h5"))
    refine(path)
    return path


def contents(path, refined):
    """Every dataset and attribute, of the refined cells or of all the rest."""
    found = {}

    def take(name, item):
        if name.startswith("cnmf/refined") == refined:
            attrs = {key: np.asarray(value).tobytes() for key, value in item.attrs.items()}
            value = np.asarray(item[()] if isinstance(item, h5py.Dataset) else 0)
            texts = value.dtype.hasobject  # whose bytes are addresses
            found[name] = (repr(value.tolist()) if texts else value.tobytes(), attrs)

    with h5py.File(path) as file:
        file.visititems(take)
        if not refined:
            found["/"] = {key: np.asarray(value).tobytes() for key, value in file.attrs.items()}
    return found


# --- what it finds


def matched(path, truth):
    """The column of each true cell, by the footprint that is most like it, and how like it is (cosine)."""
    with h5py.File(path) as file:
        group = file["cnmf/refined"]
        footprints = np.zeros((SIDE * SIDE, len(group["ids"])))
        parts = group["footprints"]
        for k, (a, b) in enumerate(zip(parts["indptr"][:-1], parts["indptr"][1:], strict=True)):
            footprints[parts["indices"][a:b], k] = parts["data"][a:b]
        accepted = group["status"][:] == 1
    true = truth.footprints.toarray()
    like = true.T @ footprints
    like /= np.outer(np.linalg.norm(true, axis=0), np.maximum(np.linalg.norm(footprints, axis=0), 1e-9))
    like[:, ~accepted] = 0
    return like.argmax(1), like.max(1)


def test_it_finds_the_cells_and_what_they_did(recorded, refined):
    truth = recorded[1]
    column, like = matched(refined, truth)
    calcium, spikes = truth.calcium(ROWS), truth.spikes(ROWS)
    inside = np.all((truth.centres > 6) & (truth.centres < SIDE - 7), axis=1) & (spikes.sum(0) > 2)
    with h5py.File(refined) as file:
        found = file["cnmf/refined/calcium"][:]
    assert found.shape[0] == ROWS
    assert np.median(like[inside]) > 0.9
    r = [np.corrcoef(found[:, column[k]], calcium[:, k])[0, 1] for k in np.flatnonzero(inside)]
    assert np.median(r) > 0.93
    assert np.isfinite(found[:, column[inside]]).all()


def test_a_cell_that_was_missed_is_found_and_gets_a_new_id(recorded, refined):
    column, like = matched(refined, recorded[1])
    with h5py.File(refined) as file:
        ids, online = file["cnmf/refined/ids"][:], file["cnmf/ids"][:]
    assert like[MISSED] > 0.8
    assert ids[column[MISSED]] > online.max()
    assert set(online) <= set(ids)
    assert len(set(ids)) == len(ids)


def test_the_group_has_the_names_and_shapes_of_the_online_one(refined):
    with h5py.File(refined) as file:
        group, online = file["cnmf/refined"], file["cnmf"]
        n = len(group["ids"])
        for name in set(online) - {"refined", "spikes_causal"}:
            assert name in group
        for name in ("raw", "calcium", "spikes"):
            assert group[name].shape == (ROWS, n)
            assert group[name].dtype == online[name].dtype
        for name in ("born", "status", "snr", "r", "size", "overlap", "reason"):
            assert group[name].shape == (n,)
            assert group[name].dtype == online[name].dtype
        assert group["footprints"].attrs["shape"].tolist() == [SIDE * SIDE, n]
        born = dict(zip(online["ids"][:], online["born"][:], strict=True))
        assert all(born.get(i, 0) == b for i, b in zip(group["ids"][:], group["born"][:], strict=True))
        assert all(isinstance(json.loads(text), str) for text in group["reason"][:])
    with Recording(refined) as recording:
        cells = recording.refined
        pictures = cells.footprints.toarray().T
        sizes = np.linalg.norm(pictures, axis=1)
        cosines = pictures @ pictures.T / np.maximum(np.outer(sizes, sizes), 1e-9)
        alive = cells.status <= 2
        np.testing.assert_allclose(
            cells.overlap[alive], (cosines - np.diag(np.diag(cosines))).max(1)[alive], atol=2e-3
        )


# --- that it harms nothing


def test_everything_else_in_the_file_stays_to_the_bit(recorded, refined):
    assert contents(refined, False) == contents(recorded[0], False)
    assert not list(refined.parent.glob("*.refine*"))
    with Recording(refined) as recording:
        assert recording.rows == ROWS
        assert recording.complete


def test_a_second_refinement_must_be_asked_for_and_replaces_the_first(refined, tmp_path):
    path = Path(shutil.copy(refined, tmp_path / "a.h5"))
    with pytest.raises(RecordingError, match="use --overwrite"):
        refine(path)
    refine(path, overwrite=True)
    assert contents(path, True) == contents(refined, True)


def test_an_unfinished_recording_is_refined_too(tmp_path):
    copy = tmp_path / "b.h5"
    record(tmp_path / "a.h5", rows=150, cut=copy)
    assert len(refine(copy).raw) == 150
    with h5py.File(copy) as file:
        assert file.attrs["complete"] == 0
        assert len(file["cnmf/refined/raw"]) == 150


def test_a_kill_before_the_changes_are_made_leaves_the_old_file(recorded, fresh, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(draft.Draft, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            refine(fresh)
    assert contents(fresh, True) == {}
    assert contents(fresh, False) == contents(recorded[0], False)


def test_a_kill_while_the_changes_are_made_is_mended(refined, fresh, monkeypatch):
    before = fresh.stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(draft.Draft, "replay", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            refine(fresh)
    assert fresh.stat().st_size > before
    draft.mend(fresh)
    assert contents(fresh, True) == contents(refined, True)
    assert not fresh.with_name("a.draft").exists()


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=20)), max_size=12))
def test_a_draft_reads_as_if_written_and_keeps_the_file_until_it_commits(tmp_path_factory, writes):
    folder = tmp_path_factory.mktemp("draft")
    path, old = folder / "a", bytes(range(40))
    path.write_bytes(old)
    twin = bytearray(old)
    with path.open("r+b") as raw:
        changes = draft.Draft(raw)
        for place, data in writes:
            changes.seek(place)
            changes.write(data)
            twin[len(twin) : place] = bytes(max(0, place - len(twin)))
            twin[place : place + len(data)] = data
            changes.seek(0)
            assert changes.read(len(twin)) == bytes(twin)
        assert path.read_bytes()[:40] == old
        changes.commit(path)
    assert path.read_bytes() == bytes(twin)


def test_a_file_that_another_program_has_open_is_left_alone(fresh):
    with (
        h5py.File(fresh, "r+"),
        pytest.raises(RecordingError, match=r"is open in another program|being recorded right now"),
    ):
        refine(fresh)


def test_a_full_disk_is_refused_before_anything_is_written(recorded, fresh, monkeypatch):
    usage = shutil.disk_usage(fresh.parent)
    monkeypatch.setattr(write.shutil, "disk_usage", lambda _: usage._replace(free=10**6))
    with pytest.raises(RecorderError, match="has 1 MB left"):
        refine(fresh)
    assert contents(fresh, False) == contents(recorded[0], False)


def test_footprints_from_online_are_kept_until_the_glow_is_known(fresh):
    """Traces that were measured before the maps of the glow are learned would teach footprints that glow."""
    seen, states = [0], []
    for end in (0, 2 * ROWS):
        with pytest.raises(Stopped):
            refine(
                fresh,
                asked_to_stop=lambda end=end: seen[-1] > end,
                progress=lambda done, _: seen.append(done),
            )
        with np.load(fresh.with_name("a.refine") / "state.npz") as state:
            states.append({name: state[name] for name in state.files})
    begun, learned = states
    assert learned["numbers"][0] == 2
    for name in ("cells_count", "cells_centres", "cells_boxes"):
        np.testing.assert_array_equal(learned[name], begun[name])


# --- that a kill costs nothing


def test_stopped_after_every_chunk_it_ends_the_same(refined, fresh):
    for _ in range(100):
        if contents(fresh, True):
            break
        with suppress(Stopped):
            refine(fresh, asked_to_stop=lambda: True)
    assert contents(fresh, True) == contents(refined, True)


def test_killed_at_any_moment_it_ends_the_same(refined, fresh):
    """States are read back from the disk, and rows that were written after the last one are written again."""
    chunks = iter(range(1000))
    death = {2, 5, 6, 12}

    def dies(*_):
        if next(chunks) in death:
            raise KeyboardInterrupt

    for _ in death:
        with pytest.raises(KeyboardInterrupt):
            refine(fresh, progress=dies, period=0.02)
    refine(fresh, progress=dies)
    assert contents(fresh, True) == contents(refined, True)


def test_other_settings_begin_anew(fresh):
    with pytest.raises(Stopped, match="the same command goes on from there"):
        refine(fresh, asked_to_stop=lambda: True)
    seen = []
    refine(fresh, changes=("cnmf.detect=false",), progress=lambda done, total: seen.append(done))
    assert seen[0] <= passes.CHUNK
    with h5py.File(fresh) as file:
        assert set(file["cnmf/refined/ids"][:]) == set(file["cnmf/ids"][:])


def test_a_damaged_state_begins_anew(fresh, refined):
    with pytest.raises(Stopped):
        refine(fresh, asked_to_stop=lambda: True)
    state = fresh.with_name("a.refine") / "state.npz"
    state.write_bytes(state.read_bytes()[:-2000])
    refine(fresh)
    assert contents(fresh, True) == contents(refined, True)


def test_a_lost_part_of_the_working_folder_is_told(fresh):
    with pytest.raises(Stopped):
        refine(fresh, asked_to_stop=lambda: True)
    (fresh.with_name("a.refine") / "products.npy").unlink()
    with pytest.raises(RecorderError, match="to refine anew"):
        refine(fresh)


# --- the movie


def test_a_movie_beside_the_recording_will_do(refined, tmp_path):
    path = tmp_path / "a.h5"
    record(path, SETTINGS.with_value("recorder.movie", False))
    with h5py.File(refined) as file:
        np.save(tmp_path / "movie.npy", file["movie"][:])
    refine(path)
    for name in ("calcium", "raw", "footprints/data"):
        with h5py.File(path) as file, h5py.File(refined) as other:
            np.testing.assert_array_equal(file[f"cnmf/refined/{name}"][:], other[f"cnmf/refined/{name}"][:])


def test_one_movie_of_several_in_a_file_beside_the_recording_will_do(tmp_path):
    frames = np.arange(3 * SIDE * SIDE, dtype=np.uint16).reshape(3, SIDE, SIDE)
    with h5py.File(tmp_path / "small.h5", "w") as file:
        file["raw/mov"], file["other"] = frames, frames[:, :8, :8]
    text = f"{tmp_path / 'small.h5'}:raw/mov"
    with closing(open_source(text, LiveSettings(SETTINGS))) as source:
        assert source.name == "small.h5:raw/mov"
    record(tmp_path / "a.h5", SETTINGS.with_value("recorder.movie", False), rows=3, name=source.name)
    with Recording(tmp_path / "a.h5") as recording:
        movie = movie_.Movie(recording, SETTINGS)
        np.testing.assert_array_equal([frame.copy() for frame in movie.frames()], frames)


def test_the_movie_is_read_a_few_frames_at_a_time(fresh, monkeypatch):
    most = []

    class Watched:
        def __init__(self, movie):
            self._movie = movie

        def __getitem__(self, where):
            part = self._movie[where]
            most.append(len(part) if part.ndim == 3 else 1)
            return part

    begin = movie_.Movie.__init__

    def watched(self, *arguments):
        begin(self, *arguments)
        self._inside = Watched(self._inside)

    monkeypatch.setattr(movie_.Movie, "__init__", watched)
    refine(fresh)
    assert max(most) <= movie_.BATCH
    assert sum(most) <= 7 * ROWS + passes.LOOK


def test_bad_input_is_told_in_a_sentence(tmp_path, fresh):
    with pytest.raises(RecordingError, match="is not there"):
        refine(tmp_path / "none.h5")
    bare = tmp_path / "bare.h5"
    without = SETTINGS.with_texts("recorder.movie=false", "cnmf.enabled=false")
    record(bare, without, rows=5, cells=False)
    with pytest.raises(RecordingError, match="has no cells to start from"):
        refine(bare)
    lonely = tmp_path / "lonely.h5"
    record(lonely, SETTINGS.with_value("recorder.movie", False), rows=5)
    with pytest.raises(
        RecordingError, match=r"its source 'movie.npy' is not beside it; name the movie with --movie"
    ):
        refine(lonely)
    np.save(tmp_path / "other.npy", np.zeros((9, 8, 8), np.uint16))
    with pytest.raises(RecordingError, match="has frames of 8x8 px"):
        refine(lonely, movie=str(tmp_path / "other.npy"))
    with pytest.raises(RecordingError, match="cannot be read"):
        refine(lonely, movie=str(tmp_path / "gone.npy"))
    np.save(tmp_path / "short.npy", np.zeros((3, SIDE, SIDE), np.uint16))
    with pytest.raises(RecordingError, match="ends after 3 of the 5 frames"):
        refine(lonely, movie=str(tmp_path / "short.npy"))


def test_settings_that_are_not_known_any_more_are_told_and_left_out(fresh, caplog):
    with h5py.File(fresh, "r+") as file:
        text = file["settings"][()].decode().replace("cnmf:", "cnmf:\n  min_beauty: 3")
        del file["settings"]
        file["settings"] = text
    refine(fresh, changes=("cnmf.detect=false",))
    assert "cnmf.min_beauty" in caplog.text


def test_no_cells_at_all_is_an_answer(tmp_path):
    path = tmp_path / "a.h5"
    record(path, rows=120, cells=False)
    outcome = refine(path, changes=("cnmf.detect=false",))
    assert outcome.raw.shape == (120, 0)


def test_the_command(fresh, capfd, monkeypatch):
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # its thread outlives every bar
    assert main(["refine", str(fresh), "--set", "cnmf.detect=false"]) == 0
    out, err = capfd.readouterr()
    assert "accepted" in out
    assert "frames" in err
    assert main(["refine", str(fresh)]) == 1
    assert "use --overwrite" in capfd.readouterr().err
    assert main(["refine", str(fresh), "--set", "cnmf.beauty=1"]) == 2


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_kill_9_and_ctrl_c_of_the_program(refined, fresh):
    command = [sys.executable, "-m", "roi_core.cli", "refine", str(fresh)]
    state = fresh.with_name("a.refine") / "state.npz"
    for number in (signal.SIGKILL, signal.SIGINT):
        known = state.stat().st_mtime_ns if state.exists() else 0
        child = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True)
        while child.poll() is None and not (state.exists() and state.stat().st_mtime_ns > known):
            pass
        child.send_signal(number)
        said = child.communicate()[1]
        if number == signal.SIGINT and "stopped" in said:
            assert child.returncode == 0
    subprocess.run(command, cwd=Path(__file__).parents[2], check=fresh.with_name("a.refine").exists())
    assert contents(fresh, True) == contents(refined, True)


# --- kernels and their slow twins


@pytest.fixture
def random():
    return np.random.default_rng(5)


def test_baselines_and_noise_equal_their_twins(random):
    trace = random.normal(size=(3, 200)).astype(np.float32).cumsum(1)
    good = random.random(200) > 0.1
    noise, base = np.zeros(3, np.float32), np.zeros((10, 3), np.float32)
    levels.feet(trace, good, 20, 3, noise, base)
    for k in range(3):
        twin_noise, twin_base = naive.feet(trace[k].astype(float), good, 20, 3)
        assert noise[k] == pytest.approx(twin_noise, rel=1e-4)
        np.testing.assert_allclose(base[:, k], twin_base, rtol=1e-3, atol=1e-3)


def test_guesses_equal_their_twin_and_leave_the_frame_itself_out(random):
    trace = random.normal(size=(2, 80)).astype(np.float32)
    trace[:, 40:60] += 4
    good = random.random(80) > 0.1
    base = random.normal(size=(4, 2)).astype(np.float32)
    noise = np.array([0.5, 0.1], np.float32)
    found = trace.copy()
    levels.guess(found, good, base, 20, noise, np.float32(0.9))
    for k in range(2):
        twin = naive.guess(trace[k], good, np.repeat(base[:, k], 20), noise[k], 0.9)
        np.testing.assert_allclose(found[k], twin, rtol=1e-3, atol=1e-4)
    other = trace.copy()
    other[:, 50] += 100
    levels.guess(other, good, base, 20, noise, np.float32(0.9))
    np.testing.assert_allclose(other[:, 50], found[:, 50], rtol=1e-5)


def test_rows_are_demixed_down_to_the_floor_of_their_block(random):
    """Each row by itself is at the optimum, whatever the row before it was."""
    n, length, first, shapes = 5, 4, 6, random.random((5, 30)) ** 4
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    near = np.array([[j for j in range(n) if j != i] + [-1] for i in range(n)])
    gram = np.take_along_axis(shapes @ shapes.T, np.maximum(near, 0), 1).astype(np.float32)
    pictures = random.normal(0, 3, (9, 6)) @ random.normal(0, 1, (6, 30))
    floors = random.normal(-2, 1, (4, n)).astype(np.float32)
    out = np.zeros((9, n), np.float32)
    traces.solve_rows((pictures @ shapes.T).astype(np.float32), near, gram, floors, first, length, out)
    for t, picture in enumerate(pictures):
        best = naive.bounded_least_squares(shapes[:, None], picture[None], floors[(first + t) // length])
        np.testing.assert_allclose(out[t], best, atol=0.02)


def test_moments_skip_what_is_not_a_number(random):
    trace = random.normal(size=(2, 50)).astype(np.float32)
    trace[0, 10:20] = np.nan
    smooth = [naive.smoothed(row[np.isfinite(row)], 0.25) for row in trace]
    expected = [[np.mean(s**k) for k in (1, 2, 3)] for s in smooth]
    out = np.zeros((2, 3), np.float32)
    levels.moments(trace, np.float32(0.25), out)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-6)


def test_the_halo_of_a_flattened_cell_is_hardly_taken_for_glow():
    cnmf = SETTINGS.cnmf.model_copy(update={"preset": "1p", "cell_radius": 6})
    y, x = np.mgrid[:72, :72] - 36
    cell = np.exp(-(((y * y + x * x) / 36) ** 2)).astype(np.float32)
    flat = Prepare((72, 72), SETTINGS.prepare, cnmf).step(cell, SETTINGS.prepare, cnmf)
    cover, field = (cell > 0.1).astype(np.int16), Field((72, 72), 6.0)
    free, ours = (glow.Blocks(field, weight).measure(flat, cover).min() for weight in (0, COVERED["1p"]))
    assert free < -0.05
    assert ours > 0.8 * free


@pytest.mark.parametrize("covered", [0, 0.02, 0.1])
def test_block_means_equal_their_twin(random, covered):
    picture, cover = random.normal(size=(20, 24)).astype(np.float32), np.zeros((20, 24), np.int16)
    cover[:10, :12] = 1
    cover[3, 15] = 2
    y, x = np.array([0, 10, 20]), np.array([0, 12, 24])
    out, free = np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32)
    glow.block_means(picture, cover, y, x, np.float32(covered), out, free)
    twin = naive.block_means(picture, cover, y, x, covered, glow.LEAST_FREE)
    np.testing.assert_allclose(out, twin, rtol=1e-4)


def test_shares_add_up_to_the_box_and_interpolate(random):
    boxes = random.random((1, 5, 5)).astype(np.float32)
    nodes = random.normal(size=(4, 5)).astype(np.float32)
    ylow, xlow = np.arange(12) // 4, np.arange(15) // 4
    yfrac, xfrac = ((np.arange(n) % 4 / 4).astype(np.float32) for n in (12, 15))
    out = np.zeros((1, 4, 5), np.float32)
    glow.share_out(boxes, np.array([[1, 7]]), ylow, yfrac, xlow, xfrac, out)
    picture = naive.bilinear(nodes, ylow, yfrac, xlow, xfrac)
    np.testing.assert_allclose((out[0] * nodes).sum(), (boxes[0, 1:] * picture[:4, 5:10]).sum(), rtol=1e-4)


@pytest.mark.parametrize("seen", [(0, 11, 0, 14), (2, 9, 1, 13)])
def test_centred_pictures_equal_their_twin(random, seen):
    padded, mean = np.zeros((17, 20), np.float32), random.normal(size=(11, 14)).astype(np.float32)
    padded[3:-3, 3:-3] = random.normal(size=(11, 14))
    image = padded[3:-3, 3:-3].copy()
    binned = np.zeros((5, 7), np.float32)
    fade = np.float32(-0.3), np.float32(0.5)
    power = movie_.centred(padded, 3, mean, fade, seen, 2, np.zeros(14, np.float32), binned)
    twin = naive.nearest_seen(image - (0.5 + 0.7 * (mean - 0.5)), seen)
    np.testing.assert_allclose(padded[3:-3, 3:-3], twin, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(binned, twin[:10].reshape(5, 2, 7, 2).mean((1, 3)), rtol=1e-3, atol=1e-6)
    assert power == pytest.approx((binned**2).sum(), rel=1e-4)


def test_evidence_keeps_the_highest_of_all_frames(random):
    sums = random.normal(size=(7, 4, 5)).astype(np.float32)
    known, power = np.full((4, 5), 0.5, np.float32), np.ones((4, 5), np.float32)
    best, when = np.full((4, 5), 0.3, np.float32), np.zeros((4, 5), np.int64)
    slots, scale, share = np.array([2, 1, 0]), np.float32(0.5), np.float32(0.25)
    evidence_.compare(sums, slots, scale, share, True, 9, known, power, best, when)
    found = sums[:3].sum(0) * 0.5
    z = found / np.sqrt(0.5)
    np.testing.assert_allclose(best, np.maximum(z, 0.3), rtol=1e-4)
    np.testing.assert_array_equal(when == 9, z > 0.3)
    clipped = np.minimum(found**2, evidence_.CLIP * 0.5) * 1.05
    np.testing.assert_allclose(power, 1 + 0.25 * (clipped - 1), rtol=1e-4)


def test_pictures_add_up_where_they_were_seen(random):
    picture, now, before = random.random((6, 8)), random.random((3, 4)), random.random((3, 4))
    total, count, change = np.zeros((6, 8)), np.zeros((6, 8), np.int32), np.zeros((3, 4))
    passes.add_picture(picture, (1, 6, 0, 7), now, before, total, count, change)
    assert count.sum() == 35
    np.testing.assert_allclose(total[1:6, :7], picture[1:6, :7])
    np.testing.assert_allclose(change, (now - before) ** 2 / 2, rtol=1e-6)


def test_an_empty_footprint_gives_a_trace_of_zeros_not_of_nan():
    field = Field((20, 24), 4.0)
    blocks = glow.Blocks(field, 0.002)
    cells = warm.restored(warm.table_state(warm.none(field, blocks.grid)), field, blocks.grid)
    box = np.zeros((field.side, field.side), np.float32)
    cells.add(box, (10, 10), 0, 0, 1)
    w = traces.weighed(cells, None, blocks)
    assert np.isfinite(w.table.boxes).all()
    assert (w.scale > 0).all()
    seeds.weed(cells, 9, Settings().cnmf)
    assert cells.count == 0


def test_only_what_was_never_accepted_is_weeded_as_glow():
    field = Field((20, 24), 4.0)
    blocks = glow.Blocks(field, 0.002)
    cells = warm.restored(warm.table_state(warm.none(field, blocks.grid)), field, blocks.grid)
    box = np.zeros((field.side, field.side), np.float32)
    box[field.reach - 1 : field.reach + 2, field.reach - 1 : field.reach + 2] = 1
    for place, (cell, status) in enumerate([(1, Status.ACCEPTED), (2, Status.REJECTED)]):
        i = cells.add(box, (10, 6 + 10 * place), 0, 0, cell)
        cells.t.status[i], cells.t.tail[i] = status, (0.0, 1.0, 0.0)
    assert seeds.weed(cells, 9, Settings().cnmf) == [2]
    assert cells.t.ids[: cells.count].tolist() == [1]


def test_a_seed_at_the_edge_stays_on_the_picture():
    box = seeds.inside(np.ones((5, 5), np.float32), (0, 9), (12, 10), 2)
    np.testing.assert_array_equal(box.any(1), [False, False, True, True, True])
    np.testing.assert_array_equal(box.any(0), [True, True, True, False, False])


def test_swings_are_the_moments_of_all_changes():
    random = np.random.default_rng(3)
    traces = random.gamma(2, 3, (3, 90)).astype(np.float32)
    traces[1, 40:44] = np.nan
    traces[2] = np.nan
    found = levels.swings(traces, 10.0)
    for i, trace in enumerate(traces):
        for k, seconds in enumerate(SWINGS):
            length = max(1, round(seconds * 10))
            changes = [naive.changes(trace, head, length) for head in range(2 * length, 91)]
            known = [change for change in changes if np.isfinite(change)]
            expected = [np.mean(np.power(known, m)) for m in range(4)] if known else np.zeros(4)
            np.testing.assert_allclose(found[i, k], expected, rtol=1e-4, atol=1e-4)
