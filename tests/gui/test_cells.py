"""Cells in the window without a window: outlines, choice, traces, words; and the panels that show them."""

import logging
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import dearpygui.dearpygui as dpg
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from roi_core.console import demo_words
from roi_core.frame import Activity, Components, Status
from roi_core.hand import DEMOTED
from roi_core.rois import Circle
from roi_core.settings import Settings
from roi_core.snapshot import State
from roi_core.stages import Stage
from roi_stream_gui import cells, health, watch, words
from roi_stream_gui.__main__ import _parser, _shown_off
from roi_stream_gui.cellrows import Cell
from roi_stream_gui.cells import Choice, Kind
from roi_stream_gui.lineup import LANES
from roi_stream_gui.menus import MENU
from roi_stream_gui.outlines import CUT, LEAST, outlines
from roi_stream_gui.panels.cellcard import CellCard
from roi_stream_gui.tools import Keys
from roi_stream_gui.view import Phase
from tests.fakes import fake_stages
from tests.gui.driver import within
from tests.gui.test_panels import built

ROOT = Path(__file__).parents[2]


def components(*footprints, status=None, snr=None, born=None, version=1):
    """Components with these (H, W) footprints."""
    n, flat = len(footprints), [f.ravel() for f in footprints]
    pixels = [np.flatnonzero(f) for f in flat]
    each = np.ones(n, np.float32)
    return Components(
        version, footprints[0].shape, np.arange(1, n + 1),
        np.zeros(n, np.int64) if born is None else np.array(born),
        np.full(n, Status.ACCEPTED, np.uint8) if status is None else np.array(status, np.uint8),
        tuple("too dim" if s == Status.REJECTED else "" for s in (status or [1] * n)),
        each * np.array(snr if snr is not None else 1.0, np.float32), each, each, each / 10,
        np.concatenate([f[p] for f, p in zip(flat, pixels, strict=True)]).astype(np.float32),
        np.concatenate(pixels).astype(np.int32), np.cumsum([0, *map(len, pixels)]).astype(np.int64),
    )  # fmt: skip


def disc(y, x, r, shape=(40, 50)):
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    return np.clip(1.3 - np.hypot(yy - y, xx - x) / r, 0, 1).astype(np.float32)


def slow_inside(footprint):
    """The pixels an outline encloses: the four-connected part that holds the peak, its holes filled."""
    parts, _ = ndimage.label(footprint >= np.float32(CUT) * footprint.max())
    return ndimage.binary_fill_holes(parts == parts.flat[footprint.argmax()])


def encloses(x, y, shape):
    """Whether each pixel centre lies inside a closed line: crossings of a ray, counted by hand."""
    out = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(zip(x, y, strict=True), zip(x[1:], y[1:], strict=False), strict=False):
        for row in range(shape[0]):
            if (y0 > row) != (y1 > row):
                out[row] ^= np.arange(shape[1]) < x0 + (row - y0) / (y1 - y0) * (x1 - x0)
    return out


class TestOutlines:
    @given(arrays(np.float32, (9, 11), elements=st.sampled_from([0, 0, 0.05, 0.1, 0.5, 0.9, 1.0])))
    def test_an_outline_encloses_the_part_that_holds_the_peak(self, footprint):
        assume(footprint.max() > 0)
        made = outlines(components(footprint))
        x, y = made.x[:-1], made.y[:-1]
        assert (x[0], y[0]) == (x[-1], y[-1])
        assert np.isnan(made.x[-1])
        np.testing.assert_array_equal(encloses(x, y, footprint.shape), slow_inside(footprint))

    def test_every_point_lies_where_the_footprint_crosses_the_cut(self):
        footprint = disc(18.3, 22.7, 8)
        made = outlines(components(footprint))
        here = ndimage.map_coordinates(footprint, [made.y[:-1], made.x[:-1]], order=1)
        np.testing.assert_allclose(here, CUT * footprint.max(), atol=1e-5)

    def test_many_footprints_lie_one_after_the_other_also_at_the_edge_and_after_the_dead(self):
        dead = np.zeros((40, 50), np.float32)
        c = components(disc(0, 0, 6), dead, disc(20, 25, 5), disc(39, 49, 4))
        made = outlines(c)
        assert np.diff(made.first)[1] == 0
        for k in (0, 2, 3):
            part = slice(made.first[k], made.first[k + 1] - 1)
            footprint = np.zeros(40 * 50, np.float32)
            footprint[c.indices[c.indptr[k] : c.indptr[k + 1]]] = c.data[c.indptr[k] : c.indptr[k + 1]]
            footprint = footprint.reshape(40, 50)
            inside = encloses(made.x[part], made.y[part], (40, 50))
            np.testing.assert_array_equal(inside, slow_inside(footprint))

    def test_fewer_points_are_still_closed_lines_with_gaps(self):
        made = outlines(components(disc(10, 10, 6), disc(25, 30, 2)))
        both = np.ones(2, bool)
        x, y = made.of(both, step=5)
        assert len(x) < len(made.x)
        ends = np.flatnonzero(np.isnan(x))
        assert len(ends) == 2
        for first, end in zip((0, ends[0] + 1), ends, strict=True):
            assert (x[first], y[first]) == (x[end - 1], y[end - 1])
            assert end - first > min(LEAST, 8)
        assert made.of(np.array([False, True]))[0].size == made.first[2] - made.first[1]

    @given(st.integers(0, 39), st.integers(0, 49))
    def test_of_two_cells_at_a_point_the_brighter_is_hit(self, row, column):
        discs = disc(15, 20, 7), disc(18, 26, 7), disc(30, 40, 5)
        made = outlines(components(*discs))
        share = [d[row, column] / d.max() if k != 2 else 0.0 for k, d in enumerate(discs)]
        best = int(np.argmax(share))
        hit = made.at(column + 0.3, row - 0.3, np.array([True, True, False]))
        if max(share) < CUT:
            assert hit is None
        else:
            assert share[hit - 1] == share[best]


def snapshot(c, row=100, alive=None, **more):
    ids = tuple(c.ids.tolist()) if alive is None else alive
    none = np.zeros(len(ids), np.float32)
    activity = Activity(ids, none, none, none, 0, none, none, c)
    return SimpleNamespace(activity=activity, traces=SimpleNamespace(head=row), rate=10.0, shift=None, **more)


class TestChoice:
    def test_kinds_tell_new_from_old(self):
        some = [disc(10, 10, 3)] * 5
        status = [Status.ACCEPTED, Status.ACCEPTED, Status.REJECTED, Status.MERGED, Status.REMOVED]
        c = components(*some, status=status, born=[0, 90, 95, 0, 0])
        of = cells.kinds(c, 100, 10.0)
        assert of.tolist() == [Kind.ACCEPTED, Kind.NEW, Kind.REJECTED, Kind.GONE, Kind.GONE]
        assert cells.visible(of, "all").tolist() == [True, True, True, False, False]
        assert cells.visible(of, "accepted").tolist() == [True, True, False, False, False]
        assert not cells.visible(of, "off").any()

    def test_the_best_stay_in_their_places_while_they_are_good(self):
        some = [disc(10, 10, 3)] * 6
        first = snapshot(components(*some, snr=[1, 9, 8, 2, 3, 4])).activity
        assert cells.best(first, 2) == (2, 3)
        later = snapshot(components(*some, snr=[1, 6, 8, 2, 9, 7])).activity
        assert cells.best(later, 2, (2, 3)) == (2, 3), "still among the four best"
        assert cells.best(snapshot(components(*some, snr=[1, 0, 8, 2, 9, 7])).activity, 2, (2, 3)) == (3, 5)
        assert cells.best(later, 0, (2, 3)) == ()

    def test_clicks_choose_add_take_out_and_let_go(self):
        choice = Choice()
        choice.click(4)
        choice.click(7, more=True)
        assert choice.chosen == (4, 7)
        choice.click(4, more=True)
        assert choice.chosen == (7,)
        choice.click(None, more=True)
        assert choice.chosen == (7,)
        choice.click(None)
        assert choice.chosen == ()
        for cell in range(40):
            choice.click(cell, more=True)
        assert choice.chosen == tuple(range(40)), "a verb may be for many"

    def test_all_that_are_chosen_are_traced_be_they_hundreds(self):
        choice, c = Choice(), components(*[disc(10, 10, 3)] * 300)
        choice.choose(range(1, 301))
        assert choice.traced(snapshot(c), 4) == tuple(range(1, 301))

    def test_what_is_chosen_is_traced_while_it_lives(self):
        some = [disc(10, 10, 3)] * 4
        choice, c = Choice(), components(*some, snr=[1, 2, 3, 4])
        assert choice.traced(snapshot(c), 2) == (4, 3)
        choice.click(1)
        assert choice.traced(snapshot(c), 2) == (1,)
        assert choice.traced(snapshot(replace(c, version=2), alive=(2, 3, 4)), 2) == (4, 3)
        assert choice.traced(SimpleNamespace(activity=None), 2) == ()

    def test_keys_step_from_cell_to_cell_where_no_region_is_selected(self):
        choice, seen = Choice(), snapshot(components(*[disc(9, 9, 3)] * 3), alive=(1, 2, 3))
        choice.step(seen, 1)
        assert choice.chosen == (), "nothing to go on from"
        choice.choose([2])
        for step, chosen in ((1, 3), (1, 1), (-1, 3), (-1, 2)):
            choice.step(seen, step)
            assert choice.chosen == (chosen,)

    def test_facts_are_told_of_one_cell(self):
        c = components(disc(10, 10, 3), disc(20, 20, 3), status=[1, 2], snr=[12.34, 1])
        assert cells.facts(c, 1, 7.2).startswith("cell 1, accepted\nSNR 12.3")
        assert cells.facts(c, 2, 0).startswith("cell 2, rejected: too dim")
        assert cells.facts(c, 3, 0) == ""


class TestWatch:
    @pytest.fixture
    def clock(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
        return now

    @staticmethod
    def seen(flag="", frames="ring", **stages):
        return SimpleNamespace(frames=frames, stages=stages, flag=flag)

    def test_compiling_is_said_once_and_so_is_its_end(self, clock, caplog):
        caplog.set_level(logging.INFO)
        settings = Settings().with_texts("cnmf.enabled=true")
        one = watch.Watch()
        for second in range(30):
            clock[0] += 1
            one.follow(self.seen(cnmf="making"), settings)
            assert one.compiling == (second > watch.LONG)
        one.follow(self.seen(cnmf="ready"), settings)
        assert [record.getMessage() for record in caplog.records] == [words.COMPILING, words.COMPILED]
        assert not one.compiling

    @pytest.mark.parametrize(
        ("motion", "cnmf", "at"),
        [("making", "off", (1, 2)), ("making", "ready", (2, 2)), ("ready", "making", (2, 2)),
         ("given up", "making", (2, 2)), (None, "making", (1, 1)), ("ready", "ready", (2, 2))],
    )  # fmt: skip
    def test_it_tells_which_of_the_stages_is_in_the_making(self, motion, cnmf, at):
        settings = Settings().with_texts("cnmf.enabled=true", f"motion.enabled={motion is not None}")
        assert watch.progress(self.seen(motion=motion, cnmf=cnmf), settings) == at

    def test_how_long_the_first_start_compiles_is_told_one_way(self):
        places = ("README.md", "roi_core/console.py", "roi_core/compiler.py", "roi_stream_gui/words.py")
        time = words.FIRST_START.partition(",")[0]
        assert all(time in (ROOT / place).read_text() for place in places)
        assert all(words.FIRST_START in text for text in (words.OPENING, words.COMPILING))

    def test_what_is_read_from_the_disk_is_no_news(self, clock, caplog):
        caplog.set_level(logging.INFO)
        one, settings = watch.Watch(), Settings().with_texts("cnmf.enabled=true", "motion.enabled=true")
        one.follow(self.seen(cnmf="off", motion="making"), settings)
        clock[0] += 4
        one.follow(self.seen(cnmf="making", motion="ready"), settings)
        clock[0] += 1
        one.follow(self.seen(cnmf="ready", motion="ready"), settings)
        assert caplog.records == []

    def test_a_doubt_is_said_once_an_episode(self, clock, caplog):
        one = watch.Watch()
        for _ in range(30):
            clock[0] += 1
            one.follow(self.seen("jump"), Settings())
        clock[0] += 2 * watch.CALM
        one.follow(self.seen("unsure"), Settings())
        one.follow(self.seen("jump"), Settings())
        said = [words.DOUBTS[flag] for flag in ("jump", "unsure", "jump")]
        assert [record.getMessage() for record in caplog.records] == said


@pytest.fixture
def found(do, monkeypatch):
    """A view with cells: the fakes find one every tenth frame; the picture is moved by (2, -4) px."""
    with fake_stages(monkeypatch):
        controller, sources = do
        controller.edit("cnmf.enabled", True)
        controller.edit("motion.enabled", True)
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        sources[-1].step(45)
        within(20, lambda: controller.view().snapshot.frames_seen == 45, "frames")
        assert len(controller.view().snapshot.activity.ids) > 2
        yield controller


class TestCard:
    @pytest.fixture
    def card(self, desk, found):
        with dpg.window() as window:
            card = CellCard(desk)
            card.build(int(window))
        found.cells.choose((3,))
        return card

    def show(self, card, found, now=5.0):
        reason = "spatial correlation 0.07 is below 0.7"
        card.update(found.view(), [Cell(3, "", "rejected", 8.0, 0.07, 90.0, 0.1, 1.0, reason, False)], now)
        return reason, dpg.get_value(card._facts)

    def test_without_room_it_still_tells_why_a_cell_was_rejected(self, card, found):
        reason, told = self.show(card, found)
        assert told == f"rejected: {reason}\n(90 % short of cnmf.min_r)"
        whole = dpg.get_item_height(card._pane)
        card.shorten(True)
        reason, told = self.show(card, found)
        assert dpg.is_item_shown(card._pane)
        assert told == reason
        assert card.spared == whole - dpg.get_item_height(card._pane) > 0

    def test_after_the_end_cells_are_judged_and_what_takes_frames_is_refused(self, card, found, caplog):
        caplog.set_level(logging.INFO)
        self.show(card, found)
        menu = {entry.path: entry for entry in MENU}
        found.session.stop()
        found.session.wait()
        found.tick()
        found.cells.choose((2, 3))
        self.show(card, found)
        assert dpg.is_item_shown(card._verbs)
        able = {verb for verb, button in card._buttons.items() if dpg.is_item_enabled(button)}
        assert able == {"accept", "reject", "remove", "demote"}
        view = found.view()
        assert [menu[f"Cells/{name}"].possible(view) for name in ("Accept", "Merge")] == [True, False]
        found.keeper.merge()
        assert caplog.messages[-1] == words.CELLS_ENDED
        before = self.status(found, 2, 3)
        found.keeper.reject()
        within(20, lambda: (found.tick(), not found.journal.waiting)[1], "the verdict is a step")
        assert words.JUDGED_NOWHERE in caplog.messages
        assert self.status(found, 2, 3) == [Status.REJECTED] * 2
        found.journal.undo()
        within(20, lambda: self.status(found, 2, 3) == before, "it is taken back")
        found.tick()
        assert found.journal.redo_name == "reject"

    @staticmethod
    def status(found, *ids):
        c = found.view().snapshot.activity.components
        return [int(c.status[c.ids.tolist().index(cell)]) for cell in ids]

    def test_while_a_recording_is_being_finished_a_sentence_stands_in_place_of_the_verbs(self, card, found):
        found.session.state = State.STOPPING
        self.show(card, found)
        assert not dpg.is_item_shown(card._verbs)
        assert dpg.get_value(card._why) == words.CELLS_CLOSING
        found.session.state = State.RUNNING

    def test_chip_and_tab_say_the_same_of_cells_that_are_not_there_yet(self, desk, found):
        panel = built("celltable", desk)
        view = found.view()
        told = []
        for stage, compiling in (("making", False), ("making", True), ("ready", False), ("given up", False)):
            stages = {"motion": "ready", "cnmf": stage}
            snapshot = replace(view.snapshot, activity=None, stages=stages)
            now = replace(view, snapshot=snapshot, compiling=compiling)
            panel.update(now)
            told.append(dpg.get_value(panel._none))
            assert told[-1] == health.cells(now).tip, stage
        assert told == [
            words.STAGES_MAKING, words.STAGES_COMPILING.format(2, 2), words.CELLS_STARTING, words.CELLS_FAILED
        ]  # fmt: skip

    def test_when_a_file_has_ended_without_cells_the_tab_says_so(self, desk, found):
        panel = built("celltable", desk)
        view = found.view()
        for state, words_then in ((State.RUNNING, words.CELLS_STARTING), (State.FINISHED, words.CELLS_NONE)):
            panel.update(replace(view, snapshot=replace(view.snapshot, state=state, activity=None)))
            assert dpg.is_item_shown(panel._none)
            assert dpg.get_value(panel._none) == words_then
        activity = replace(view.snapshot.activity, ids=())
        panel.update(replace(view, snapshot=replace(view.snapshot, state=State.FINISHED, activity=activity)))
        assert (dpg.is_item_shown(panel._none), dpg.is_item_shown(panel._body)) == (True, False)

    def test_when_all_were_deleted_after_the_end_the_tab_says_so_and_they_come_back(self, desk, found):
        panel = built("celltable", desk)
        found.session.stop()
        found.session.wait()
        found.tick()
        found.edit("cnmf.enabled", False)
        ids = found.view().snapshot.activity.ids
        for some, verb in ((ids[:1], found.keeper.demote), (ids[1:], found.keeper.remove)):
            found.cells.choose(some)
            verb()
            within(20, lambda: (found.tick(), not found.journal.waiting)[1], "it is a step")
        panel.update(found.view())
        assert (dpg.is_item_shown(panel._none), dpg.is_item_shown(panel._body)) == (True, False)
        assert dpg.get_value(panel._none) == words.CELLS_GONE_BACK
        found.journal.undo()
        within(20, lambda: (found.tick(), found.view().snapshot.activity.ids == ids[1:])[1], "they are back")
        panel.update(found.view())
        assert dpg.is_item_shown(panel._body)
        assert panel.tell()["listed"] == list(ids[1:])

    @pytest.mark.parametrize(
        ("status", "reason", "told"),
        [
            (Status.REMOVED, "by hand", words.CELLS_GONE),
            (Status.REMOVED, DEMOTED.format("soma"), words.CELLS_GONE),
            (Status.REMOVED, "shadow of 2", words.CELLS_NONE),
            (Status.MERGED, "", words.CELLS_NONE),
        ],
    )
    def test_what_was_deleted_before_is_told_without_a_way_back(self, desk, found, status, reason, told):
        """As in a recording that is opened again: nothing of it is in the journal."""
        panel, view = built("celltable", desk), found.view()
        c = replace(components(disc(9, 9, 4), status=[status]), reason=(reason,))
        activity = replace(view.snapshot.activity, ids=(), components=c)
        panel.update(replace(view, snapshot=replace(view.snapshot, state=State.FINISHED, activity=activity)))
        assert dpg.get_value(panel._none) == told

    def test_each_line_of_the_list_says_in_its_tooltip_what_the_card_would(self, desk, found):
        panel = built("celltable", desk)
        panel.update(found.view())
        first = panel.tell()["listed"][0]
        (text,) = dpg.get_item_children(desk.names["cells.0.tip"], 1)
        found.cells.choose((first,))
        panel.update(found.view())
        assert dpg.get_value(text) == f"cell {first}: {panel.tell()['facts']}"


class TestPreview:
    def test_outlines_are_drawn_moved_back_by_the_shift(self, desk, found):
        panel = built("preview", desk)
        panel.update(found.view())
        overlay = panel._cells
        c = found.view().snapshot.activity.components
        made = outlines(c)
        for kind in (Kind.ACCEPTED, Kind.NEW, Kind.REJECTED):
            which = cells.kinds(c, 45, 100.0) == kind
            series = overlay._series[kind]
            assert dpg.is_item_shown(series) == which.any()
            if which.any():
                x, y = made.of(which, overlay._drawn.lines.step)
                np.testing.assert_allclose(dpg.get_value(series), [x + 4, y - 2], rtol=1e-6)

    def test_a_chosen_cell_is_drawn_apart_and_hits_follow_the_shift(self, desk, found):
        panel = built("preview", desk)
        panel.update(found.view())
        c = found.view().snapshot.activity.components
        row, column = divmod(int(c.indices[c.indptr[0]]), c.shape[1])
        cell = panel._cells.at(column + 4, row - 2)
        assert cell in c.ids
        found.cells.click(cell)
        panel.update(found.view())
        assert dpg.is_item_shown(panel._cells._chosen)

    def test_regions_are_drawn_moved_back_by_the_shift_and_hit_where_they_are_drawn(
        self, desk, found, monkeypatch
    ):
        given = {}
        monkeypatch.setattr(dpg, "create_translation_matrix", tuple)
        monkeypatch.setattr(dpg, "apply_transform", lambda node, matrix: given.update({node: matrix}))
        panel = built("preview", desk)
        found.editor.add(Circle(10, 12, 3))
        roi = found.editor.rois.ids[0]
        found.editor.select()
        panel.update(found.view())
        overlay, mouse = panel._overlay, panel._hand
        assert given == dict.fromkeys((overlay._layer, overlay._pen, overlay._fibres.layer), (4.0, -2.0, 0.0))
        places = {"at": (10 + 4 + 2.5, 12 - 2)}  # where it would be missed without the shift
        mouse._place = lambda: places["at"]
        monkeypatch.setattr(type(mouse), "over", True)
        mouse._press()
        assert found.editor.selection == (roi,)
        places["at"] = (10 + 4 + 8.5, 12 - 2)
        mouse.update()
        mouse._release()
        assert (found.editor.get(roi).xc, found.editor.get(roi).yc) == (16, 12)
        found.edit("display.view", "mean")
        panel.update(found.view())
        assert set(given.values()) == {(0.0, 0.0, 0.0)}, "other views are put in their places"

    def test_while_a_drag_lasts_one_shift_holds(self, desk, found, monkeypatch):
        panel = built("preview", desk)
        found.editor.add(Circle(10, 12, 3))
        panel.update(found.view())
        found.hand.press(10, 12, 1.0, Keys(False, False, False))
        assert found.hand.busy
        view = found.view()
        panel._hand._place = lambda: (14.0, 10.0)
        panel.update(replace(view, snapshot=replace(view.snapshot, shift=(5.0, 5.0))))
        assert found.picture.shift == (2.0, -4.0)
        found.hand.cancel()
        panel.update(replace(view, snapshot=replace(view.snapshot, shift=(5.0, 5.0))))
        assert found.picture.shift == (5.0, 5.0)

    def test_layers_are_switched_by_keys(self, desk, found):
        from roi_stream_gui.shortcuts import Chord, find

        panel = built("preview", desk)
        shown = []
        for key in ("J", "J", "K", "K"):
            find(Chord(key)).run(found)
            panel.update(found.view())
            shown.append((found.settings.current.display.cells, dpg.get_value(desk.names["outlines"])))
        assert shown == [
            ("accepted", "accepted"), ("all", "all cells"), ("off", "no cells"), ("accepted", "accepted")
        ]  # fmt: skip
        assert not dpg.is_item_shown(panel._cells._series[Kind.REJECTED])

    def test_nothing_is_shown_when_cells_are_off(self, desk, found):
        panel = built("preview", desk)
        panel.update(found.view())
        found.edit("display.cells", "off")
        panel.update(found.view())
        assert not any(map(dpg.is_item_shown, panel._cells._series.values()))
        assert panel._cells.at(5, 5) is None


class TestTraces:
    def test_cells_have_lanes_below_those_of_regions(self, desk, found):
        found.editor.add(Circle(5, 5, 2))
        panel = built("traces", desk)
        found.tick()
        panel.update(found.view())
        shown = panel._lineup.shown
        assert [lane.is_cell for lane in shown] == [False, True, True, True][: len(shown)]
        found.cells.click(2)
        panel.update(found.view())
        assert [lane.name for lane in panel._lineup.shown if lane.is_cell] == ["cell 2"]
        assert "1 chosen of" in dpg.get_value(panel._bar.which)
        line = np.array(dpg.get_value(panel._lanes.lines[1][0])[1])
        known = line[~np.isnan(line)]
        assert known.size
        assert 0 <= known.min() <= known.max() <= 1, "its own lane, the lowest"

    def test_a_lane_bears_the_name_of_its_cell(self, desk, found):
        panel = built("traces", desk)
        found.tick()
        found.keeper.names = dict.fromkeys(found.view().snapshot.activity.ids, "soma")
        for mode in ("stacked", "overlay", "raster"):
            found.edit("display.trace_mode", mode)
            panel.update(found.view())
            told = panel.tell()
            assert "soma" in (told["raster"]["lanes"] if mode == "raster" else told["lanes"])

    def test_hundreds_of_cells_give_a_bounded_number_of_lanes(self, desk, found):
        found.edit("display.cell_traces", 16)
        for cell in range(1, 100):
            found.cells.click(cell, more=True)
        panel = built("traces", desk)
        found.tick()
        panel.update(found.view())
        assert len(panel._lineup.shown) <= LANES

    @pytest.mark.parametrize("kind", ["calcium", "raw", "spikes"])
    @pytest.mark.parametrize("mode", ["stacked", "overlay", "raster"])
    def test_every_kind_in_every_mode(self, desk, found, mode, kind):
        panel = built("traces", desk)
        found.edit("display.trace_mode", mode)
        found.edit("display.cell_kind", kind)
        found.tick()
        panel.update(found.view())
        accepted = {f"cell {cell}" for cell in found.view().snapshot.activity.components.ids.tolist()}
        if mode == "raster":
            lanes = set(panel.tell()["raster"]["lanes"])
            assert lanes
            assert lanes <= accepted
            assert dpg.is_item_shown(panel._raster._series)
            assert not any(dpg.is_item_shown(line) for line, _ in panel._lanes.lines)
        else:
            assert set(panel.tell()["lanes"]) <= accepted
            assert dpg.is_item_shown(panel._lanes.lines[0][0])

    def test_a_row_of_the_raster_is_told_and_chosen(self, desk, found):
        panel = built("traces", desk)
        found.edit("display.trace_mode", "raster")
        found.tick()
        panel.update(found.view())
        names = panel.tell()["raster"]["lanes"]
        rows = len(names)
        moment = found.timeline.newest - 0.05
        told = [panel._raster.at(moment, 1 - (k + 0.5) / rows)[0].name for k in range(rows)]
        assert told == names
        assert panel._raster.at(moment, 0.0)[0].name == names[-1]
        panel._do.cells.click(panel._under(moment, 1 - 0.5 / rows).id)
        assert found.cells.chosen == (int(names[0].split()[1]),)


class TestChips:
    def view(self, found, **more):
        view = found.view()
        return replace(view, snapshot=replace(view.snapshot, **more))

    def test_counts_and_shift(self, found):
        view = found.view()
        status = view.snapshot.activity.components.status
        accepted, rejected = (status == Status.ACCEPTED).sum(), (status == Status.REJECTED).sum()
        assert health.cells(view)[:2] == (f"{accepted} cells", "good")
        assert health.cells(view).tip.startswith(f"{accepted} accepted, {rejected} not.")
        assert health.motion(view)[0] == "motion 4.5 px"

    @pytest.mark.parametrize("flag", ["jump", "unsure"])
    def test_a_doubtful_shift_is_red_and_says_what_to_do(self, found, flag):
        chip = health.motion(self.view(found, flag=flag))
        assert (chip.level, chip.tip) == ("bad", words.DOUBTS[flag])

    def test_after_the_end_the_cells_are_still_counted(self, found):
        ended = replace(self.view(found, stages={"motion": "off", "cnmf": "off"}), phase=Phase.FINISHED)
        assert health.cells(ended)[:2] == health.cells(found.view())[:2]

    def test_compiling_failed_off(self, found):
        making = self.view(found, activity=None, shift=None, stages={"motion": "ready", "cnmf": "making"})
        assert health.cells(making).text == "starting ..."
        assert health.cells(replace(making, compiling=True)) == (
            "compiling 2/2",
            "warn",
            words.STAGES_COMPILING.format(2, 2),
        )
        assert health.motion(making).tip == health.cells(making).tip == words.STAGES_MAKING
        failed = self.view(found, activity=None, stages={"cnmf": "given up", "motion": "given up"})
        assert health.cells(failed).level == health.motion(failed).level == "bad"
        found.edit("cnmf.enabled", False)
        found.edit("motion.enabled", False)
        assert health.cells(found.view()).text == "cells off"
        assert health.motion(found.view()).text == "motion off"


class TestParameters:
    def test_rare_blocks_begin_folded_and_open_when_searched(self, desk, do):
        panel = built("parameters", desk)
        assert not dpg.get_value(desk.names["block.prepare"])
        assert dpg.get_value(desk.names["block.cnmf"])
        dpg.set_value(desk.names["find"], "dead pixels")
        panel._filter()
        assert dpg.get_value(desk.names["block.prepare"])
        assert not dpg.is_item_shown(desk.names["block.cnmf"])

    def test_an_edit_reaches_the_running_session(self, desk, found):
        panel = built("parameters", desk)
        panel._edit("cnmf.min_snr", 7.5)
        assert found.session.settings.current.cnmf.min_snr == 1.5, "pending"
        found.trial.apply()
        assert found.session.settings.current.cnmf.min_snr == 7.5


class TestDemo:
    @pytest.mark.parametrize(
        ("source", "preset", "radius"),
        [("simulated:2p", "2p", 7.0), ("simulated:miniscope", "1p", 9.0), ("simulated", "2p", 7.0)],
    )
    def test_a_simulated_scene_brings_the_settings_that_show_it(self, source, preset, radius):
        settings = Settings().with_texts(*demo_words(source))
        assert settings.motion.enabled
        assert settings.cnmf.enabled
        assert (settings.cnmf.preset, settings.cnmf.cell_radius) == (preset, radius)

    @pytest.mark.parametrize("source", ["0", "movie.tif", "simulated:none", "rtsp://camera:554/1"])
    def test_other_sources_bring_none(self, source):
        assert demo_words(source) == ()

    @pytest.mark.parametrize(
        ("words", "shown_off"),
        [
            (["simulated:2p"], True),
            (["simulated:2p", "--as-set"], False),
            (["simulated:2p", "--settings", "y.yaml"], False),
            ([], False),
        ],
    )
    def test_the_window_shows_off_only_when_it_is_asked_for_a_preset(self, words, shown_off):
        assert bool(_shown_off(_parser().parse_args(words))) == shown_off


def test_a_stage_tells_how_far_it_is():
    go = threading.Event()
    stage = Stage("cnmf", lambda: go.wait(20), inline=False)
    assert stage.state == "off"
    stage.at_work(True)
    assert stage.state == "making"
    go.set()
    stage.begin(20)
    assert stage.state == "ready"
    stage.close()
    assert stage.state == "off"
    assert not stage.at_work(True), "what is closed is not made again"
