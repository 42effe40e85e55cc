"""Regions in two halves of one picture, and what is corrected by what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.errors import RecordingError
from roi_core.export import export
from roi_core.export.photometry import Asked, corrected
from roi_core.export.task import Wishes
from roi_core.frame import Frame
from roi_core.photometry import Rules
from roi_core.recording import Recording
from roi_core.rois import Circle, Rectangle, RoiSet
from roi_core.rois.twins import pairs, twins
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from tests.fakes import Ramp
from tests.strategies import quarters
from tests.strategies import rois as any_roi

SHAPE = (40, 60)
SPLIT = ("channels.split=left-right", "channels.reference=right", "recorder.disk_reserve=1")
RIGHT = ("left", "right")


class Halves(Ramp):
    """Green to the left with transients, red to the right; both fade and shake alike."""

    def __init__(self, **more):
        super().__init__(shape=SHAPE, **more)
        rng = np.random.default_rng(0)
        n = len(self.indices)
        self.dff = 0.3 * np.convolve(rng.random(n) < 0.01, np.exp(-np.arange(60) / 15))[:n]
        self.shared = np.exp(-np.arange(n) / 900) * (1 - 0.2 * (np.arange(n) // 40 % 5 == 1))
        self.noise = rng.standard_normal((n, 2))

    def frames(self):
        for k, frame in enumerate(super().frames()):
            image = np.empty(SHAPE, np.uint16)
            image[:, :30] = 9000 * self.shared[k] * (1 + self.dff[k]) + 5 * self.noise[k, 0]
            image[:, 30:] = 5000 * self.shared[k] + 5 * self.noise[k, 1]
            yield Frame(image, frame.index, frame.time)


def record(path, rois, *texts, count=600):
    source = Halves(count=count)
    session = Session(source, LiveSettings(Settings().with_texts(*SPLIT, *texts)), rois)
    session.record(path, essential=True)
    session.start()
    session.wait()
    return source


def test_a_twin_lies_in_the_other_half_and_is_named_after_it():
    rois = RoiSet([Circle(10, 20, 5, name="a"), Rectangle(40, 5, 50, 9, name="b")])
    found = twins(rois, (30.0, 0.0), RIGHT, SHAPE)
    assert [(roi.name, roi.geometry()) for roi in found] == [
        ("a right", ("circle", 40.0, 20.0, 5.0)),
        ("b left", ("rectangle", 10.0, 5.0, 20.0, 9.0)),
    ]
    assert [roi.colour for roi in found] == [roi.colour for roi in rois]
    assert all(roi.id == 0 for roi in found)


def test_the_boundary_of_the_halves_is_between_two_pixels():
    at = [twins([Circle(x, 5, 1, name="a")], (30, 0), RIGHT, SHAPE)[0].name for x in (29.0, 29.6)]
    assert at == ["a right", "a left"]
    below = twins([Circle(5, 3, 1, name="a")], (0.0, 20.0), ("top", "bottom"), SHAPE)
    assert below[0].geometry() == ("circle", 5.0, 23.0, 1.0)


@given(st.lists(any_roi, max_size=6), quarters(5, 40), quarters(-5, 5))
def test_who_has_a_twin_gets_no_other(shapes, dx, dy):
    rois = RoiSet([shape.with_(id=0) for shape in shapes])
    found = twins(rois, (dx, dy), RIGHT, SHAPE)
    for twin in found:
        rois = rois.add(twin)
    again = twins(rois, (dx, dy), RIGHT, SHAPE)
    partners = pairs([roi.circle() for roi in rois], (dx, dy))
    assert len({k for pair in partners for k in pair}) == 2 * len(partners)
    assert len(again) <= len(shapes) - len(found)
    assert len(partners) >= len(found) or any(a.circle() == b.circle() for a in rois for b in rois if a != b)


def test_pairs_are_known_by_their_places():
    circles = [[10, 10, 5], [40.4, 10.3, 5], [12, 30, 4], [42, 30, 9], [39.9, 10, 5]]
    assert pairs(circles, (30, 0)) == [(0, 4)], "the closest; another size is no twin"
    assert pairs(np.empty((0, 3)), (30, 0)) == []


def test_a_pair_of_halves_corrects_the_signal(tmp_path):
    rois = RoiSet([Circle(10, 20, 5, name="a")])
    rois = rois.add(twins(rois, (30, 0), RIGHT, SHAPE)[0])
    source = record(tmp_path / "a.h5", rois)
    with Recording(tmp_path / "a.h5") as recording:
        (one,) = corrected(recording)
        assert (one.name, one.signal_name, one.reference_name) == ("a", "left", "right")
        assert one.result.fit.slope == pytest.approx(1.8, rel=0.01)
        assert np.corrcoef(one.result.dff, source.dff)[0, 1] > 0.99
        (other,) = corrected(recording, Asked(reference="left"))
        assert (other.name, other.signal_name) == ("a right", "right")
    lines = export(tmp_path / "a.h5", "photometry").read_text().splitlines()
    assert lines[0] == "time_s,frame_index,a left,a right,a dF/F"
    assert len(lines) == 601
    assert abs(float(lines[50].split(",")[-1]) - one.result.dff[49]) < 1e-6
    wishes = Wishes(reference="left", fit="ols", bleaching="own", lowpass=3.0)
    assert Asked.by(wishes) == Asked("", "left", Rules(False, True, 3.0))
    other = export(tmp_path / "a.h5", "photometry", tmp_path / "b.csv", wishes=wishes).read_text()
    assert other.startswith("time_s,frame_index,a right right,a right left,a right dF/F")


@pytest.mark.parametrize(
    ("texts", "asked", "why"),
    [
        ((), {}, "no region with a twin in the other half: draw them \\(30.0, 0.0\\) px apart"),
        ((), {"reference": "415"}, "shows no '415'; there are left, right"),
        ((), {"signal": "right"}, "signal and reference are both right; name another: left"),
        (("channels.reference=",), {}, "say which is the reference: --reference, one of left, right"),
        (
            ("channels.order=470,415",),
            {"signal": "470"},
            "470 cannot be corrected by right: one is a channel, one a half",
        ),
        (("channels.reference=", "channels.split=none"), {}, "recorded in one colour"),
    ],
)
def test_what_cannot_be_corrected_is_told(tmp_path, texts, asked, why):
    record(tmp_path / "a.h5", RoiSet([Circle(10, 20, 5, name="a")]), *texts, count=20)
    with Recording(tmp_path / "a.h5") as recording, pytest.raises(RecordingError, match=why):
        corrected(recording, Asked(**asked))


def test_a_recording_without_regions_has_nothing_to_correct(tmp_path):
    record(tmp_path / "a.h5", RoiSet(), "channels.order=470,415", "channels.reference=415", count=20)
    with Recording(tmp_path / "a.h5") as recording, pytest.raises(RecordingError, match="no regions"):
        corrected(recording)
