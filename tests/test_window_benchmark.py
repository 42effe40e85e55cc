"""What the benchmark of the window prints of its counts; the benchmark itself is never a test."""

import numpy as np
import pytest

from benchmarks import window
from roi_stream_gui.pace import LONGEST


@pytest.fixture
def counts():
    """One loop of each of these ms; the last slot holds all that took longer."""
    counts = np.zeros(LONGEST + 1, int)
    counts[[0, 9, 10, 39, 40, 49, 50, 69, 70, LONGEST]] += 1
    return counts


def test_every_loop_is_in_the_bucket_of_its_time(counts):
    rows = window.histogram(counts, 2 * counts)
    assert [name.strip() for name in rows] == [
        "0 to 10 ms", "10 to 20 ms", "20 to 30 ms", "30 to 40 ms", "40 to 50 ms",
        "50 to 70 ms", "70 ms and more",
    ]  # fmt: skip
    whole, own = zip(*(row.split(",") for row in rows.values()), strict=True)
    assert [int(text.split()[0]) for text in whole] == [2, 1, 0, 1, 2, 2, 2]
    assert [int(text.split()[0]) for text in own] == [4, 2, 0, 2, 4, 4, 4]
    assert sum(float(text.split()[2]) for text in whole) == pytest.approx(100)
    assert window.histogram(counts * 0, counts)["  0 to 10 ms"].split() == [
        "0", "=", "0.00", "%,", "2", "=", "20.00", "%"
    ]  # fmt: skip


def test_the_late_share_agrees_with_the_line_above_it(counts):
    assert window._loop(counts).endswith("; 40.00 %")


@pytest.mark.parametrize(("asked", "drawn"), [(None, 100), (200, 200)])
def test_a_scene_has_as_many_regions_as_are_asked_for(tmp_path, monkeypatch, asked, drawn):
    sets = []
    monkeypatch.setattr(window.RoiSet, "random", lambda count, *_: sets.append(count) or window.RoiSet())
    monkeypatch.setattr(window, "Window", lambda *_: type("Closed", (), {"kill": lambda self: None})())
    monkeypatch.setattr(window.os, "nice", lambda _: None)
    monkeypatch.setattr(window, "_watch", lambda *_: 0)
    assert window._measure(None, tmp_path, 1.0, "plain", asked) == 0
    assert sets == [drawn]
