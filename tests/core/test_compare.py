"""Two results compared: which cells are the same, and how alike their traces are."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from roi_core.cli import main
from roi_core.errors import RecordingError
from roi_core.frame import Components, FinishReason, Status, Summary
from roi_core.offline import compare as module
from roi_core.offline.compare import Comparison, Result, compare, recorded
from roi_core.recording import Recording
from tests.core.test_recorder_cells import record, samples

SHAPE = (40, 50)
RNG = np.random.default_rng(5)


def disc(y, x, r=4.0):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(rows - y, columns - x)
    return np.where(distance <= r, 1.0 - 0.1 * distance / r, 0.0).astype(np.float32).ravel()


def result(discs, traces, ids=None, status=None, index=None, name="some", shifts=None):
    """A result with discs (y, x, r) for footprints and traces (rows, N)."""
    traces = np.asarray(traces, np.float32)
    ids = np.arange(len(discs)) + 1 if ids is None else np.array(ids)
    status = np.full(len(ids), Status.ACCEPTED, np.uint8) if status is None else np.array(status, np.uint8)
    pictures = [disc(*each) for each in discs]
    places = [np.flatnonzero(picture) for picture in pictures]
    nothing = np.zeros(len(ids), np.float32)
    components = Components(
        1, SHAPE, ids, ids * 0, status, ("",) * len(ids), nothing, nothing, nothing, nothing,
        np.concatenate([picture[at] for picture, at in zip(pictures, places, strict=True)] or [nothing]),
        np.concatenate(places or [ids]).astype(np.int32), np.cumsum([0, *map(len, places)]),
    )  # fmt: skip
    index = np.arange(len(traces)) if index is None else np.array(index)
    shifts = np.zeros((len(index), 2)) if shifts is None else np.array(shifts)
    return Result(name, components, index, lambda first, last: traces[first:last], shifts)


def test_a_result_is_the_same_as_itself():
    traces = RNG.normal(size=(300, 3))
    one = result([(10, 10), (20, 30), (30, 12)], traces)
    same = compare(one, one)
    assert [(pair.a, pair.b) for pair in same.pairs] == [(1, 1), (2, 2), (3, 3)]
    assert all(pair.overlap == 1.0 and pair.r == pytest.approx(1.0) for pair in same.pairs)
    assert (same.f1, same.only_a, same.only_b, same.frames) == (1.0, (), (), 300)


@pytest.mark.parametrize("by", [(3, -2), (-5, 7), (0, 0)])
def test_a_template_that_lies_elsewhere_is_made_up_for(by):
    places = [(12, 12), (20, 30), (27, 14), (12, 35)]
    shifts = RNG.uniform(-4, 4, (9, 2))
    a = result(places, np.zeros((9, 4)), shifts=shifts)
    theirs = shifts - by + RNG.uniform(-0.3, 0.3, (9, 2))
    theirs[4] = np.nan
    theirs[6] = 50.0
    there = [(y - by[0], x - by[1]) for y, x in places[1:]]
    b = result(there, np.zeros((9, 3)), ids=[7, 8, 9], shifts=theirs)
    found = compare(a, b)
    assert found.offset == by
    assert [(pair.a, pair.b, pair.overlap) for pair in found.pairs] == [(2, 7, 1.0), (3, 8, 1.0), (4, 9, 1.0)]
    assert ("B was moved" in found.summary()) == (by != (0, 0))


def test_results_without_a_frame_in_common_are_compared_where_they_lie():
    a = result([(12, 12)], np.zeros((3, 1)), shifts=np.ones((3, 2)))
    b = result([(12, 12)], np.zeros((3, 1)), index=[7, 8, 9])
    assert compare(a, b).offset == (0, 0)


def test_masks_that_leave_the_frame_lose_their_pixels():
    masks = result([(2, 20), (20, 20)], np.zeros((2, 2))).masks()
    gone = module.moved(masks, SHAPE, (-7, 0))
    assert gone[:, 0].sum() == 0
    assert gone[:, 1].sum() == masks[:, 1].sum()


def test_cells_of_only_one_result_are_told_and_rejected_ones_are_not_compared():
    a = result([(10, 10), (20, 30)], np.zeros((5, 2)), ids=[7, 9])
    b = result([(20, 31), (30, 12), (10, 10)], np.zeros((5, 3)), ids=[2, 4, 6],
               status=[Status.ACCEPTED, Status.ACCEPTED, Status.REJECTED])  # fmt: skip
    found = compare(a, b)
    assert [(pair.a, pair.b) for pair in found.pairs] == [(9, 2)]
    assert 0.5 < found.pairs[0].overlap < 1.0
    assert np.isnan(found.pairs[0].r), "a flat trace has no correlation"
    assert (found.only_a, found.only_b) == ((7,), (4,))
    assert found.f1 == pytest.approx(0.5)
    assert "1 of 2 cells in A and 2 in B" in found.summary()


def test_the_overlap_is_that_of_the_pixels():
    a, b = result([(20, 20)], np.zeros((2, 1))), result([(21, 22)], np.zeros((2, 1)))
    mine, yours = disc(20, 20) > 0, disc(21, 22) > 0
    expected = (mine & yours).sum() / (mine | yours).sum()
    assert module.overlaps(a.masks(), b.masks())[0, 0] == pytest.approx(expected)
    for least, pairs in ((expected + 1e-6, 0), (expected - 1e-6, 1)):
        assert len(compare(a, b, least=least).pairs) == pairs


def test_pixels_below_the_cut_do_not_count():
    one = result([(20, 20)], np.zeros((2, 1)))
    c = one.components
    faint = np.where(c.indices % SHAPE[1] == 20, c.data, 0.1 * c.data)
    part = Result("part", Components(**{**{f: getattr(c, f) for f in c.__slots__}, "data": faint}),
                  one.index, one.traces, one.shifts)  # fmt: skip
    assert part.masks().sum() == (c.indices % SHAPE[1] == 20).sum()


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_one_to_one_with_the_largest_sum_of_overlaps(seed):
    rng = np.random.default_rng(seed)
    places = [[(*rng.uniform(12, 22, 2), rng.uniform(3, 7)) for _ in range(4)] for _ in range(2)]
    a, b = (result(each, np.zeros((2, 4))) for each in places)
    found = compare(a, b, least=0.2)
    overlap = module.overlaps(a.masks(), b.masks())
    best = max(
        sum(overlap[i, k] for i, k in enumerate(order) if overlap[i, k] >= 0.2)
        for order in itertools.permutations(range(4))
    )
    assert sum(pair.overlap for pair in found.pairs) == pytest.approx(best)
    assert len({pair.a for pair in found.pairs}) == len({pair.b for pair in found.pairs}) == len(found.pairs)
    assert all(pair.overlap >= 0.2 for pair in found.pairs)


def test_traces_are_compared_where_both_know_the_same_frame(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 7)
    truth = RNG.normal(size=100)
    mine = (3 * truth[10:] + 5)[:, None].copy()
    mine[:20] = np.nan
    yours = (truth[:80:2] + 0.5 * RNG.normal(size=40))[:, None].copy()
    yours[30:33] = np.inf
    a = result([(20, 20)], mine, index=range(10, 100))
    b = result([(20, 20)], yours, index=range(0, 80, 2))
    found = compare(a, b)
    frames = [f for f in range(30, 80, 2) if not 60 <= f < 66]
    expected = np.corrcoef([mine[f - 10, 0] for f in frames], [yours[f // 2, 0] for f in frames])[0, 1]
    assert found.frames == 35
    assert found.pairs[0].r == pytest.approx(expected, abs=1e-6)


def test_nothing_in_common():
    a, b = result([(20, 20)], np.zeros((3, 1))), result([(20, 20)], np.zeros((3, 1)), index=[5, 6, 7])
    assert "no frames in common" in compare(a, b).summary()
    empty = compare(result([], np.zeros((3, 0))), result([], np.zeros((3, 0))))
    assert empty.pairs == ()
    assert np.isnan(empty.f1)
    assert np.isnan(empty.median("r"))
    assert isinstance(empty, Comparison)


@pytest.fixture
def path(tmp_path):
    return record(tmp_path / "a.h5", samples(range(70)), summary=Summary(FinishReason.COMPLETED))


def test_the_online_cells_of_a_recording(path):
    with Recording(path) as recording:
        found = compare(recorded(recording), recorded(recording))
        assert [pair.a for pair in found.pairs] == [2, 4, 5]
        assert recording.refined is None
        with pytest.raises(RecordingError, match="was not refined"):
            recorded(recording, refined=True)


def test_recordings_of_different_sizes_are_refused():
    a = result([(20, 20)], np.zeros((3, 1)))
    c = a.components
    other = Components(**{**{f: getattr(c, f) for f in c.__slots__}, "shape": (50, 40)})
    with pytest.raises(RecordingError, match="50x40 px, b of 40x50 px"):
        compare(a, Result("b", other, a.index, a.traces, a.shifts))


def test_the_command_tells_pairs_and_sums(path, capsys):
    assert main(["compare", str(path), str(path)]) == 0
    told = capsys.readouterr().out
    assert "3 of 3 cells in A and 3 in B are the same" in told
    assert main(["compare", str(path), str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["f1"] == 1.0
    assert [pair["a"] for pair in told["pairs"]] == [2, 4, 5]
    assert main(["compare", str(path), f"{path}:refined"]) == 1
    assert "was not refined" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["compare", str(path), str(path), "--iou", "2"])


def test_of_two_runs_that_share_no_frames_any_more_it_is_said_what_is_kept():
    one = replace(result([(20, 20)], np.zeros((3, 1)), name="the run before"), kept="4:33")
    other = result([(20, 20)], np.zeros((3, 1)), index=[5, 6, 7], name="this run")
    assert compare(one, other).why == "no frames in common: the run before keeps only its last 4:33 of traces"
    both = "the run before and this run keep only their last 4:33 and 0:09 of traces"
    assert compare(one, replace(other, kept="0:09")).summary().endswith(both)
    assert compare(one, replace(one, kept="0:09")).why == "", "they share frames"
