"""The traces' panel without a display: held still, scrubbed, marked; after the end; another session."""

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from roi_core.frame import Event
from roi_core.rois import Circle
from roi_stream_gui.lineup import Lane, told_apart
from roi_stream_gui.panels.legend import Legend
from roi_stream_gui.panels.marks import Marks
from roi_stream_gui.shortcuts import Chord, find
from tests.fakes import Stepped
from tests.gui.driver import within
from tests.gui.test_markers import followed
from tests.gui.test_panels import built, view_of


@pytest.fixture
def running(desk, do):
    panel = built("traces", desk)
    do[0].edit("display.trace_window", 1.0)
    view_of("running", do)
    do[0].tick()
    panel.update(do[0].view())
    return panel


def stepped(do, frames):
    """Let frames come and be taken in."""
    controller, sources = do
    before = controller.view().snapshot.frames_seen
    sources[-1].step(frames)
    within(20, lambda: controller.view().snapshot.traces.head == before + frames, "frames")
    controller.tick()


def line(panel, k=0):
    return dpg.get_value(panel._lanes.lines[k][0])


class TestHeld:
    def test_new_rows_wait_and_all_are_there_afterwards(self, running, do):
        do[0].pause()
        running.update(do[0].view())
        before = line(running)
        stepped(do, 10)
        running.update(do[0].view())
        assert line(running) == before
        do[0].pause()
        running.update(do[0].view())
        assert max(line(running)[0]) == pytest.approx(0.29, abs=0.02)

    def test_another_window_length_shows_the_rows_before_the_pause(self, running, do):
        do[0].pause()
        stepped(do, 10)
        do[0].edit("display.trace_window", 5.0)
        running.update(do[0].view())
        assert max(line(running)[0]) == pytest.approx(0.19, abs=0.02)

    def test_pages_and_clicks_follow_what_is_drawn(self, running, do):
        do[0].pause()
        do[0].editor.add(*(Circle(4, 4, 2) for _ in range(40)))
        running.update(do[0].view())
        first = running.tell()["lanes"]
        running._lineup.page(-1)
        running.update(do[0].view())
        shown = running.tell()["lanes"]
        assert shown != first
        assert running._under(0.1, len(shown) - 0.5).name == shown[0]
        assert [lane.name for lane in running._drawn[0]] == shown

    def test_keys_look_back_and_go_on(self, running, do):
        stepped(do, 30)
        find(Chord("Home")).run(do[0])
        assert do[0].view().paused
        running.update(do[0].view())
        find(Chord("End")).run(do[0])
        assert not do[0].view().paused
        find(Chord("Left", ctrl=True)).run(do[0])
        assert do[0].timeline.end == pytest.approx(0.49)


class TestOverlay:
    def test_all_are_in_one_axis_and_named(self, running, do):
        find(Chord("T", shift=True)).run(do[0])
        stepped(do, 5)
        running.update(do[0].view())
        for k in range(2):
            y = np.array(line(running, k)[1])
            assert 0 <= np.nanmin(y) <= np.nanmax(y) <= 1
        assert running.tell()["legend"] == running.tell()["lanes"]
        find(Chord("T", shift=True)).run(do[0])
        running.update(do[0].view())
        assert running.tell()["legend"] == []

    def test_a_low_plot_has_a_legend_of_more_columns(self, desk):
        with dpg.window():
            legend = Legend(desk)
        lanes = told_apart([Lane(k, f"cell {k}", (1, 2, 3), True) for k in range(12)])
        legend.show(lanes, 70.0)
        places = [tuple(dpg.get_item_pos(item)) for item in legend.shown()]
        assert len(set(places)) == 12
        assert max(y for _, y in places) + 17 <= 70
        assert legend.wide == 3 * 104
        assert max(x for x, _ in places) < legend.wide
        legend.hide()
        assert (legend.wide, legend.shown()) == (0, [])

    def test_the_line_that_passes_closest_is_hit(self, running, do):
        do[0].edit("display.trace_mode", "overlay")
        do[0].edit("display.trace_autoscale", False)
        stepped(do, 20)
        running.update(do[0].view())
        for k, name in enumerate(running.tell()["lanes"]):
            x, y = (np.array(part) for part in line(running, k)[:2])
            assert running._under(x[-1], y[-1]) is not None
            assert name in running.tell()["lanes"]


class TestMarks:
    def test_notes_and_edits_are_marked(self, running, do):
        controller = do[0]
        controller.session.note("drug on")
        controller.edit("roi.dff", True)
        stepped(do, 5)
        running._marks._next = 0.0
        running.update(controller.view())
        texts = [text for _, _, text in running.tell()["marks"]]
        assert "note: drug on" in texts
        assert "roi.dff: False -> True" in texts
        moment = next(time for time, group, _ in running.tell()["marks"] if group == "notes")
        assert "drug on" in running._marks.at(moment, 0.01)
        controller.timeline.marks.toggle("notes")
        running._marks._next = 0.0
        running.update(controller.view())
        assert "note: drug on" not in [text for _, _, text in running.tell()["marks"]]


def test_marks_leave_the_lanes_to_the_traces(desk):
    """Labels hang from the end of the axis, ticks without one stand below the lanes, which go from 0 to 1."""
    with dpg.window(), dpg.plot() as plot:
        marks = Marks(desk, plot, dpg.add_plot_axis(dpg.mvYAxis))
    told = followed(Event(1.0, 1, "note", {"text": "drug on"}), Event(2.0, 2, "birth", {"id": 1}))
    marks.show(told, 0.0, 10.0, 1000.0, (-0.1, 1.2), named=True)
    assert marks.tell() == [["drug on", pytest.approx(1.2)]]
    heights = {name: dpg.get_value(marks._series[name])[1][:2] for name in ("notes", "cells")}
    assert heights == {"notes": pytest.approx([-0.1, 1.2]), "cells": pytest.approx([-0.1, 0.0])}
    marks.show(told, 0.0, 10.0, 999.0)
    assert marks.tell() == [], "there is no room"


def test_lost_frames_are_a_gap_in_the_line_and_a_red_mark(desk, do):
    controller = do[0]
    controller._opener = lambda *_, **__: lossy
    lossy = Stepped(indices=[*range(20), *range(26, 60)])
    panel = built("traces", desk)
    controller.edit("display.trace_window", 1.0)
    controller.editor.add(Circle(5, 5, 2))
    controller.connect("running")
    within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
    lossy.step(40)
    within(20, lambda: controller.view().snapshot.traces.head == 40, "frames")
    controller.tick()
    panel.update(controller.view())
    x, y = (np.array(part) for part in line(panel)[:2])
    holes = np.flatnonzero(np.isnan(y))
    assert len(holes) == 1
    assert x[holes[0] - 1] < 0.2 < 0.26 <= x[holes[0] + 1] + 0.01
    assert [text for _, group, text in panel.tell()["marks"] if group == "losses"] == [
        "6 frames lost, 0.07 s without a picture"
    ]


class TestBars:
    def test_a_bar_of_a_round_value_stands_in_every_lane(self, running, do):
        stepped(do, 20)
        running.update(do[0].view())
        labels = running._lanes._ticks[running._units]
        assert [label for label, _ in labels] == ["20 counts"], "there is room for one lane"
        do[0].edit("display.trace_mode", "overlay")
        do[0].edit("display.trace_autoscale", False)
        running.update(do[0].view())
        assert len(running._lanes._ticks[running._y]) > 2


def test_after_the_end_the_traces_stay_and_can_be_looked_through(running, do):
    controller, _ = do
    stepped(do, 20)
    controller.disconnect()
    within(20, lambda: (controller.tick(), controller.view().phase == "finished")[1], "finished")
    running.update(controller.view())
    last = line(running)
    assert max(last[0]) == pytest.approx(0.39, abs=0.02)
    controller.timeline.look(0.2, 0.1)
    running.update(controller.view())
    assert max(line(running)[0]) == pytest.approx(0.2, abs=0.02)


def test_another_session_starts_over(running, do):
    controller, sources = do
    stepped(do, 20)
    controller.pause()
    controller.connect("running")
    within(20, lambda: (controller.tick(), len(sources) == 2 and controller._opening is None)[1], "connected")
    sources[-1].step(4)
    within(20, lambda: controller.view().snapshot.traces.head == 4, "frames")
    controller.tick()
    running.update(controller.view())
    assert not controller.view().paused
    assert running.tell()["newest"] == pytest.approx(0.03)
    assert max(line(running)[0]) < 0.06


def test_hundreds_of_regions_are_gone_through_a_page_at_a_time(running, do, desk):
    controller = do[0]
    controller.editor.add(*(Circle(4, 4, 2) for _ in range(300)))
    seen = []
    controller.edit("display.trace_mode", "overlay")
    running.update(controller.view())
    desk.page_traces(-40)
    for _ in range(40):
        running.update(controller.view())
        told = running.tell()
        assert len(told["lanes"]) <= len(running._lanes.lines)
        seen += [name for name in told["lanes"] if name not in seen]
        desk.page_traces(1)
    assert len(seen) == told["count"] == len(controller.view().rois)
    assert dpg.is_item_shown(desk.names["traces.scroll"])
