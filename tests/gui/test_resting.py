"""dF/F of cells in the window: raw over the resting light, reckoned beside; why there is none."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from roi_core.frame import FinishReason, Summary
from roi_core.recording import Recording
from roi_core.settings import Settings
from roi_stream_gui import words
from roi_stream_gui.history import FINEST
from roi_stream_gui.tracks import Tracks
from tests.core.test_recorder_cells import HEADER, record, samples
from tests.gui.test_replay import connect, until
from tests.gui.test_tracks import SCALE, Feed

MEAN = np.arange(48, dtype=np.float32).reshape(6, 8) * 3 + 1


@pytest.mark.parametrize("seconds", [SCALE.seconds, 60.0])
def test_it_is_raw_over_the_rest_and_nothing_where_that_is_unknown(seconds):
    scale = SCALE._replace(seconds=seconds)
    assert (scale.width < FINEST) is (seconds == SCALE.seconds), "read from the ring, and from the history"
    feed, resting = Feed(70), SimpleNamespace(f0={5: 4.0})
    raw = feed.shown((5, 3), ("raw",), scale)
    dff = feed.shown((5, 3), ("dff", "spikes"), scale, tracks=Tracks(resting))
    np.testing.assert_array_equal(dff.line("dff", 5)[1], raw.line("raw", 5)[1] / 4)
    assert np.isfinite(dff.line("dff", 5)[1]).any()
    assert np.isnan(dff.line("dff", 3)[1]).all()
    np.testing.assert_array_equal(dff.table("dff", 0, 20)[0], raw.table("raw", 0, 20)[0] / 4)
    assert np.isnan(dff.table("dff", 0, 20)[1]).all()
    np.testing.assert_array_equal(dff.spikes(5), feed.shown((5, 3), ("spikes",), scale).spikes(5))


def kept(path, settings, maps):
    summary, header = Summary(FinishReason.COMPLETED, maps=maps), replace(HEADER, settings=settings)
    return record(path, samples(range(70)), summary=summary, header=header)


def test_of_a_recording_it_is_reckoned_while_it_is_shown(do, tmp_path):
    do = do[0]
    connect(do, kept(tmp_path / "a.h5", Settings(), {"mean": MEAN}))
    do.tick()
    assert (do.resting.f0, do.resting._job) == ({}, None), "nobody looks"
    do.edit("display.cell_kind", "dff")
    until(do, lambda: do.resting.f0, "the rest is known")
    with Recording(tmp_path / "a.h5") as recording:
        a = recording.cells.footprints.toarray()
        ids = recording.cells.ids.tolist()
    for one, f0 in do.resting.f0.items():
        own = a[:, ids.index(one)]
        assert f0 == pytest.approx(own @ MEAN.ravel() / (own @ own), rel=1e-5)
    assert do.resting.why == ""
    assert words.value(0.25, True, do.settings.current.display) == "0.25 dF/F"


@pytest.mark.parametrize(
    ("texts", "maps", "why"),
    [(("cnmf.preset=1p",), {"mean": MEAN}, words.DFF_FLAT), ((), {}, words.DFF_WAITS)],
)
def test_without_a_rest_it_is_told_why(do, tmp_path, texts, maps, why):
    do = do[0]
    connect(do, kept(tmp_path / "a.h5", Settings().with_texts(*texts), maps))
    do.edit("display.cell_kind", "dff")
    until(do, lambda: do.resting.why, "a reason")
    assert (do.resting.f0, do.resting.why) == ({}, why)
