"""Marks beside the traces: taken from the diary, joined when dense, told in words."""

from itertools import pairwise

import pytest

from roi_core.board import Diary
from roi_core.frame import Event
from roi_core.layout import OUR_EVENTS
from roi_stream_gui import markers
from roi_stream_gui.markers import GROUPS, Markers, labelled
from roi_stream_gui.names import NAMED, names_in


def followed(*events):
    marks, diary = Markers(), Diary()
    diary.add(events)
    marks.follow(diary)
    return marks


ENDED = {
    "metric": "lost", "state": "end", "seconds": 12.3,
    "text": "lost 13 /min, should be at most 0. Close other programs.",
}  # fmt: skip
SAYINGS = [
    ("note", {"text": "drug on"}, "notes", "note: drug on"),
    ("setting", {"path": "cnmf.min_snr", "old": 4.0, "new": 7.5}, "edits", "cnmf.min_snr: 4.0 -> 7.5"),
    ("gap", {"lost": 3, "first": 5, "last": 7, "seconds": 0.2}, "losses", "3 frames lost, 0.2 s without"),
    ("gap", {"lost": 1, "first": 5, "last": 5, "seconds": 0.1}, "losses", "1 frame lost"),
    ("gap", {"lost": None, "first": 5, "last": 4, "seconds": 6.0}, "losses", "not known"),
    ("roi_added", {"id": 3, "name": "soma", "version": 0}, "regions", "soma drawn"),
    ("roi_removed", {"id": 3}, "regions", "region 3 deleted"),
    ("birth", {"id": 12, "y": 3, "x": 4}, "cells", "cell 12 found"),
    ("merge", {"id": 2, "from": 9, "r": 0.9}, "cells", "cell 9 merged into 2"),
    ("removed", {"id": 4, "reason": "silent"}, "cells", "cell 4 removed: silent"),
    (
        "motion_jump",
        {"state": "begin"},
        "losses",
        "motion jump: the picture jumped by more than motion.max_shift",
    ),
    ("cells_late", {"state": "begin"}, "losses", "no time: cells are left out of some frames"),
    ("cells_late", {"state": "end", "frames": 7, "seconds": 1}, "well", "again; 7 were without"),
    ("warning", {"text": "the disk is slow. Free some."}, "losses", "warning: the disk is slow. Free some."),
    ("motion_unsure", {"state": "end"}, "well", "motion unsure is over"),
    ("quality", ENDED, "well", "lost is within its limits again after 12 s; it was: lost 13 /min"),
    ("restored", {"id": 4, "status": "accepted"}, "cells", "cell 4 is back"),
    ("cell_named", {"id": 4, "name": "soma"}, "cells", "cell 4 is called soma"),
    ("cell_named", {"id": 4, "name": ""}, "cells", "cell 4 has no name"),
    ("alert", {"text": "saturated"}, "losses", "alert: saturated"),
    ("quality", {"metric": "focus", "state": "begin"}, "losses", "focus: state begin"),
    ("snapshot", {"path": "/data/a.png"}, "notes", "picture kept: /data/a.png"),
    ("marker", {"number": 3}, "notes", "marker 3"),
    (
        "lick",
        {"file": "l.csv", "line": 2, "original": "1", "row": {"side": "left"}},
        "notes",
        "lick left (l.csv)",
    ),
    ("birth", {"file": "l.csv", "line": 2, "original": "1"}, "notes", "birth (l.csv)"),
    ("card", {"path": "subject.id", "old": "", "new": "m7"}, "edits", "subject.id:  -> m7"),
]


@pytest.mark.parametrize(("kind", "data", "group", "said"), SAYINGS)
def test_what_a_mark_says(kind, data, group, said):
    (cluster,) = followed(Event(2.0, 60, kind, data)).between(0, 10, 0.1)
    assert cluster.group == group
    assert said in cluster.text
    assert cluster.text.startswith("0:02   ")
    assert cluster.label


@pytest.mark.parametrize(
    ("kind", "data", "label"),
    [
        ("cells_late", {"state": "begin"}, "no time: frames without cells"),
        ("cells_late", {"state": "end", "frames": 7}, "cells in every frame again"),
        ("warning", {"text": "the disk is slow. Free some."}, "the disk is slow"),
        ("quality", {**ENDED, "state": "begin"}, "lost 13 /min, should be at most 0"),
        ("quality", ENDED, "lost is well again"),
        ("error", {"text": "x" * 60}, "x" * 37 + "..."),
    ],
)
def test_a_label_says_what_happened(kind, data, label):
    (cluster,) = followed(Event(2.0, 60, kind, data)).between(0, 10, 0.1)
    assert cluster.label == label


def test_good_news_do_not_look_like_a_loss():
    inks = {name: group.ink for name, group in GROUPS.items()}
    assert (inks["losses"], inks["well"]) == ("bad", "good")
    begun = Event(1.0, 30, "quality", {**ENDED, "state": "begin"})
    ends = [Event(2.03 + k / 100, 60, "quality", ENDED) for k in range(3)]
    alert, well = followed(begun, *ends).between(0, 10, 0.1)
    assert (alert.group, well.group, well.label) == ("losses", "well", "3 well again")


def test_what_is_no_news_has_no_mark():
    shown = {"path": "display.trace_mode", "old": "stacked", "new": "raster"}
    assert not followed(Event(2.0, 60, "start"), Event(3.0, 90, "setting", shown)).between(0, 10, 0.1)


def test_dense_marks_are_one_that_counts_them():
    marks = followed(*(Event(k / 100, k, "note", {"text": str(k)}) for k in range(50)))
    clusters = marks.between(0, 1, 0.25)
    assert [len(one.marks) for one in clusters] == [25, 25]
    assert clusters[0].label == "25 notes"
    assert clusters[0].text.endswith("... and 17 more")
    assert len(marks.between(0, 1, 0.001)) == 50


def written(letter, *events):
    clusters = followed(*events).between(0, 1000, 0.001)
    return [(one.time, text) for one, text in labelled(clusters, letter)]


def note(at, text):
    return Event(at, 1, "note", {"text": text})


def test_labels_stand_in_one_line_none_on_another():
    notes = [note(at, "x" * length) for at, length in ((1, 9), (8, 14), (9, 3), (40, 18), (41, 9), (50, 18))]
    edits = [Event(at, 1, "setting", {"path": "a.snr", "new": 7}) for at in (2.0, 20.0, 36.0, 51.0, 80.0)]
    found = sorted(written(1.0, *notes, *edits))
    for (at, text), (after, _) in pairwise(found):
        assert at + len(text) < after
    assert [at for at, _ in found] == [1, 9, 20.0, 41, 50, 80.0]


def test_a_label_with_little_room_is_cut_and_one_with_none_is_left_to_the_mouse():
    first = note(1.0, "light off and on")
    assert written(1.0, first, note(30.0, "b"))[0] == (1.0, "light off and on")
    assert written(1.0, first, note(12.0, "b"))[0] == (1.0, "light o...")
    assert written(1.0, first, note(7.0, "b")) == [(7.0, "b")]
    assert written(1.0, note(1.0, "a"), note(4.0, "b")) == [(1.0, "a"), (4.0, "b")], "short ones need no more"


def test_a_note_is_not_pushed_away_by_the_edit_that_follows_it():
    edit = Event(1.2, 3, "setting", {"path": "cnmf.min_snr", "old": 4, "new": 7})
    assert written(0.1, note(1.0, "drug on"), edit) == [(1.0, "drug on")]
    assert written(0.01, note(1.0, "drug on"), edit) == [(1.0, "drug on"), (1.2, "min_snr 7")]


def test_short_ticks_have_no_label():
    assert written(0.1, Event(1.0, 1, "birth", {"id": 1}), Event(2.0, 1, "roi_added", {"id": 1})) == []


def test_clusters_do_not_depend_on_where_the_window_begins():
    marks = followed(*(Event(k / 7, k, "note", {"text": str(k)}) for k in range(100)))
    whole = {one.time: len(one.marks) for one in marks.between(0, 20, 0.5)}
    for one in marks.between(4.9, 10, 0.5)[1:-1]:
        assert whole[one.time] == len(one.marks)


def test_groups_can_be_hidden():
    marks = followed(Event(1.0, 1, "note", {"text": "a"}), Event(2.0, 2, "birth", {"id": 1}))
    turn = marks.turn
    marks.toggle("cells")
    assert marks.turn > turn
    assert [one.group for one in marks.between(0, 9, 0.1)] == ["notes"]
    marks.toggle("cells")
    assert len(marks.between(0, 9, 0.1)) == 2


def test_gaps_are_moments_without_frames():
    gap = {"lost": 3, "first": 5, "last": 7}
    marks = followed(*(Event(t, 8, "gap", {**gap, "seconds": 0.4}) for t in (2.0, 5.0, 9.0)))
    assert marks.gaps(1.0, 6.0).tolist() == pytest.approx([1.8, 4.8])
    assert marks.gaps(1.9, 1.95).tolist() == pytest.approx([1.8]), "it is in sight in part"
    assert marks.gaps(3.0, 4.0).size == 0


def test_news_come_as_they_are_written_and_another_diary_starts_over():
    marks, diary = Markers(), Diary()
    marks.follow(diary)
    diary.add([Event(1.0, 1, "note", {"text": "a"})])
    marks.follow(diary)
    marks.follow(diary)
    assert len(marks.between(0, 9, 0.1)) == 1
    marks.follow(Diary())
    assert not marks.between(0, 9, 0.1)


def test_a_storm_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(markers, "KEPT", 100)
    data = {"lost": 1, "first": 1, "last": 1, "seconds": 0.1}
    marks = followed(*(Event(float(k), k, "gap", data) for k in range(1000)))
    assert 100 <= len(marks._marks["losses"]) == len(marks._times["losses"]) <= 200
    assert marks._times["losses"][-1] == 999


def test_every_group_has_an_ink_of_each_palette():
    from roi_stream_gui.theme import PALETTES

    assert all(group.ink in palette for group in GROUPS.values() for palette in PALETTES.values())


def test_kinds_that_are_read_are_nobody_elses():
    told = {kind for group in GROUPS.values() for kind in group.kinds} - {"note", "marker"}
    assert told <= OUR_EVENTS


@pytest.mark.parametrize("kind", sorted(OUR_EVENTS))
@pytest.mark.parametrize(
    "data", [{}, {"file": "t.csv", "line": 2, "original": "0.5", "row": {"new": "hello"}}]
)
def test_an_event_of_another_program_breaks_nothing_whatever_it_is_called(kind, data):
    """Before there was a list of them, such a name was imported."""
    event = Event(0.5, 1, kind, data)
    assert names_in([event]) == {}
    followed(event).between(0.0, 1.0, 0.1)


def test_the_last_name_of_a_cell_counts():
    told = [(3, "soma"), (4, "spine"), (3, "axon"), (4, ""), ("x", "y"), (5, 7)]
    events = [Event(0.0, 0, NAMED, {"id": cell, "name": name}) for cell, name in told]
    assert names_in(events) == {3: "axon"}
