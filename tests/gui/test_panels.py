"""Every panel, built without a display: idle, running and failed; and what a panel may never do."""

import time
from dataclasses import replace

import dearpygui.dearpygui as dpg
import pytest

from roi_core.pretrigger import Kept
from roi_core.rois import Circle
from roi_core.settings import Settings, describe
from roi_stream_gui import health, words
from roi_stream_gui.keyboard import Keyboard
from roi_stream_gui.layout import Layout
from roi_stream_gui.memory import Memory
from roi_stream_gui.panelboard import PanelBoard
from roi_stream_gui.panels import PANELS, panel_class
from roi_stream_gui.shortcuts import Action, Chord
from roi_stream_gui.theme import CONTRAST, PALETTES, luminance
from roi_stream_gui.typed import written
from roi_stream_gui.view import Phase
from tests.gui.driver import within


def view_of(state, do):
    """Return a view of a controller that was brought into a state."""
    controller, sources = do
    controller.stop_recording()
    if state in ("running", "recording"):
        controller.editor.add(Circle(5, 5, 2))
        controller.editor.add(Circle(9, 9, 3, locked=True))
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        sources[-1].step(20)
        within(20, lambda: controller.view().snapshot.frames_seen == 20, "frames")
        if state == "recording":
            controller.record()
            sources[-1].step(5)
            within(20, lambda: controller.view().snapshot.recording.rows == 5, "rows")
    elif state == "failed":
        controller.connect("failed")
        within(20, lambda: (controller.tick(), controller.view().phase is Phase.FAILED)[1], "failed")
    return controller.view()


def built(word, desk):
    with dpg.window() as window:
        parent = window
        if panel_class(word).place == "right":
            parent = dpg.add_tab(parent=dpg.add_tab_bar())
    panel = panel_class(word)(desk)
    panel.build(parent)
    return panel


@pytest.mark.parametrize("state", ["idle", "running", "recording", "failed"])
@pytest.mark.parametrize("word", PANELS)
def test_a_panel_builds_and_updates_without_a_display(word, state, desk, do):
    panel = built(word, desk)
    view = view_of(state, do)
    before = set(dpg.get_all_items())
    panel.update(view)
    pooled = set(dpg.get_all_items())
    for _ in range(3):
        panel.update(view)
    assert set(dpg.get_all_items()) == pooled, "only values may change from frame to frame"
    assert before <= pooled, "nothing is deleted"


@pytest.mark.parametrize("word", PANELS)
def test_a_panel_follows_one_state_after_the_other(word, desk, do):
    panel = built(word, desk)
    for state in ("idle", "recording", "failed", "running"):
        panel.update(view_of(state, do))
    controller = do[0]
    controller.editor.select_all()
    controller.editor.delete()
    panel.update(controller.view())


def test_a_panel_without_time_waits_for_the_next_view_and_no_longer(desk, do, monkeypatch):
    with dpg.window() as window:
        board = PanelBoard(desk, Layout(desk, Memory()).build(int(window)))
    shown = []
    for word, panel in board.panels.items():
        monkeypatch.setattr(panel, "update", lambda _view, word=word: shown.append(word))
    view = view_of("idle", do)
    board.update(view)
    every = list(shown)
    assert (every[0], board.behind) == ("menu", False)

    shown.clear()
    monkeypatch.setattr(time, "perf_counter", lambda: float(len(shown)))
    board.update(view, until=2.0)
    assert (shown, board.behind) == (every[:3], True), "the rest waits"
    board.update(view, until=0.0)
    assert (shown[3:], board.behind) == (every, False), "none waits twice"


class TestParameters:
    def test_every_setting_has_a_field_with_its_value(self, desk, do):
        panel = built("parameters", desk)
        panel.update(view_of("idle", do))
        for setting in describe(
            Settings().with_value("recorder.folder", do[0].settings.current.recorder.folder)
        ):
            field = desk.names[f"set.{setting.path}"]
            number = setting.kind in (int, float)
            assert dpg.get_value(field) == (written(setting.value) if number else setting.value), setting.path

    def test_what_cannot_change_while_running_is_switched_off(self, desk, do):
        panel = built("parameters", desk)
        panel.update(view_of("running", do))
        for setting in describe(Settings()):
            enabled = dpg.get_item_configuration(desk.names[f"set.{setting.path}"])["enabled"]
            assert enabled == setting.live, setting.path

    @pytest.mark.parametrize(
        ("path", "typed", "kept"),
        [
            ("roi.dff_percentile", "12.5", 12.5),
            ("roi.dff_percentile", "12,5", 12.5),
            ("roi.dff_percentile", "99", 8.0),
            ("roi.dff_percentile", "abc", 8.0),
            ("roi.dff_percentile", "", 8.0),
            ("camera.exposure", "4.5", 4.5),
            ("camera.exposure", "", None),
            ("camera.exposure", "bright", None),
            ("camera.format", "640x480@30", "640x480@30"),
            ("camera.format", "huge", ""),
            ("display.low", "70000", 0),
            ("display.low", "4.5", 0),
        ],
    )
    def test_an_edit_is_taken_or_refused_whole(self, desk, do, path, typed, kept):
        panel = built("parameters", desk)
        controller = do[0]
        field = desk.names[f"set.{path}"]
        dpg.set_value(field, typed)
        panel._edit(path, typed)
        assert controller.settings.current.get(path) == kept
        panel.update(controller.view())
        assert dpg.get_value(field) == written(kept)
        refused = [m.text for m in controller.log.messages()]
        taken = typed.replace(",", ".") == written(kept)
        assert taken != any(text.startswith(f"{path} = ") for text in refused)

    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("roi.dff_percentile", "write a number from 0 to 50, in %"),
            ("display.low", "write a whole number from 0 to 65535"),
            ("camera.exposure", "or leave it empty"),
        ],
    )
    def test_what_is_no_number_is_told_with_what_is_allowed(self, desk, do, path, why):
        built("parameters", desk)._edit(path, "abc")
        (said,) = [m.text for m in do[0].log.messages()]
        assert said.startswith(f"{path} = 'abc': write a")
        assert why in said

    def test_while_frames_flow_an_edit_is_marked_until_it_is_applied_or_taken_back(self, desk, do):
        panel = built("parameters", desk)
        controller = do[0]
        panel.update(view_of("running", do))
        for path, typed in (("cnmf.min_snr", "3.0"), ("roi.dff", True), ("display.rate", "10")):
            dpg.set_value(desk.names[f"set.{path}"], typed)
            panel._edit(path, typed)
        panel.update(controller.view())
        marks = panel.tell()["marks"]
        assert [marks[path] for path in ("cnmf.min_snr", "roi.dff", "display.rate", "cnmf.min_r")] == [
            "pending", "pending", "changed", "default"
        ]  # fmt: skip
        assert dpg.get_value(desk.names["set.cnmf.min_snr"]) == "3"
        assert dpg.get_value(desk.names["pending"]) == "2 pending"
        panel._back("roi.dff")
        panel._back("display.rate")
        panel.update(controller.view())
        assert dpg.get_value(desk.names["set.roi.dff"]) is False
        assert controller.settings.current.display.rate == 25.0, "back to the default, at once"
        controller.trial.apply()
        panel.update(controller.view())
        assert panel.tell()["marks"]["cnmf.min_snr"] == "changed"
        assert dpg.get_value(desk.names["pending"]) == "no pending edits"
        panel._back("cnmf.min_snr")
        assert controller.trial.pending == {"cnmf.min_snr": 1.5}, "the default, once it is applied"

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ("min snr", "cnmf.min_snr"), ("SNR min", "cnmf.min_snr"), ("snr threshold", "cnmf.min_snr"),
            ("cell radius", "cnmf.cell_radius"), ("cnmf.min_snr", "cnmf.min_snr"),
            ("RADIUS px", "cnmf.cell_radius"),
        ],
    )  # fmt: skip
    def test_every_word_is_looked_for_in_name_path_and_text(self, typed, found, desk, do):
        panel = built("parameters", desk)
        panel.update(view_of("idle", do))
        dpg.set_value(desk.names["find"], typed)
        panel._filter()
        shown = {path for path, row in panel._rows.items() if dpg.is_item_shown(row)}
        assert found in shown
        assert len(shown) <= 3, "a few, not all that hold one of the words"

    def test_only_what_was_changed_can_be_shown(self, desk, do):
        panel = built("parameters", desk)
        panel.update(view_of("idle", do))
        dpg.set_value(desk.names["find.changed"], True)
        panel._filter()
        shown = {path for path, row in panel._rows.items() if dpg.is_item_shown(row)}
        assert shown == {"recorder.folder"}
        do[0].edit("cnmf.min_snr", 3.0)
        panel.update(do[0].view())
        shown = {path for path, row in panel._rows.items() if dpg.is_item_shown(row)}
        assert shown == {"recorder.folder", "cnmf.min_snr"}

    def test_a_recording_that_begins_without_the_pending_edits_says_so(self, do):
        controller = do[0]
        view_of("running", do)
        controller.trial.edit("cnmf.min_snr", 3.0)
        controller.record()
        controller.tick()
        controller.tick()
        told = [m.text for m in controller.log.messages() if "without the pending edits" in m.text]
        assert told == [words.PENDING_RECORDED.format("cnmf.min_snr")]


class TestKeyboard:
    @pytest.fixture
    def keys(self, desk, monkeypatch):
        held = set()
        monkeypatch.setattr(dpg, "is_key_down", held.__contains__)
        return Keyboard(desk), held

    @pytest.mark.parametrize("letter", "XLAST")
    def test_a_held_key_acts_once_until_it_is_let_go(self, keys, desk, monkeypatch, letter):
        acted = []
        monkeypatch.setattr(
            "roi_stream_gui.keyboard.find", lambda chord: Action("", (), lambda _: acted.append(chord))
        )
        keyboard, _ = keys
        key = getattr(dpg, f"mvKey_{letter}")
        for _ in range(3):
            keyboard._press(key)
        keyboard._down.discard(key)
        keyboard._press(key)
        assert acted == [Chord(letter)] * 2

    def test_letting_shift_go_before_r_starts_no_recording(self, keys, do):
        keyboard, held = keys
        held.add(dpg.mvKey_LShift)
        keyboard._press(dpg.mvKey_R)
        held.clear()
        keyboard._press(dpg.mvKey_R)
        assert do[0].log.messages() == (), "record() would say that there is no source"
        keyboard._down.discard(dpg.mvKey_R)
        keyboard._press(dpg.mvKey_R)
        assert len(do[0].log.messages()) == 1

    def test_a_slow_window_hears_of_ctrl_z_when_both_were_let_go(self, keys, do):
        keyboard, _ = keys
        do[0].editor.add(Circle(5, 5, 2))
        for key in (dpg.mvKey_LControl, dpg.mvKey_Z):
            keyboard._press(key)
        assert len(do[0].editor.rois) == 0
        for key in (dpg.mvKey_Z, dpg.mvKey_LControl):
            keyboard._release(key)
        keyboard._press(dpg.mvKey_C)
        assert do[0].hand.tool.value == "circle", "not Ctrl+C"

    def test_an_arrow_goes_on_while_it_is_held(self, keys, do):
        do[0].editor.add(Circle(5, 5, 2))
        for _ in range(3):
            keys[0]._press(dpg.mvKey_Right)
        assert next(iter(do[0].editor.rois)).xc == 8


class TestRegions:
    def test_a_name_goes_to_the_region_it_was_typed_for(self, desk, do):
        panel = built("regions", desk)
        editor = do[0].editor
        editor.add(Circle(5, 5, 2, name="one"), Circle(9, 9, 2, name="two"))
        editor.select(1)
        panel.update(do[0].view())
        dpg.set_value(desk.names["name"], "soma")
        editor.select(2)
        panel._rename()
        assert [roi.name for roi in editor.rois] == ["soma", "two"]
        panel.update(do[0].view())
        assert dpg.get_value(desk.names["name"]) == "two"

    def test_the_letter_of_a_shape_can_be_read_in_both_themes(self, desk, do):
        panel = built("regions", desk)
        yellow = (240, 228, 66)
        do[0].editor.add(Circle(5, 5, 2, colour=yellow))
        panel.update(do[0].view())
        letter = panel._table._rows[0].kind
        for theme in ("dark", "light", "dark"):
            desk.theme.switch(theme)
            panel.update(do[0].view())
            seen = tuple(round(255 * part) for part in dpg.get_item_configuration(letter)["color"][:3])
            back, front = sorted((luminance(seen), luminance(PALETTES[theme]["pane"])))[::-1]
            assert (back + 0.05) / (front + 0.05) >= CONTRAST
            assert (seen == yellow) == (theme == "dark")

    def test_a_long_name_is_shortened_in_the_list_only(self, desk, do):
        panel = built("regions", desk)
        do[0].editor.add(Circle(5, 5, 2, name="n" * 300))
        panel.update(do[0].view())
        assert dpg.get_item_label(desk.names["row.0"]) == "n" * 21 + "..."
        assert dpg.get_value(desk.names["name"]) == "n" * 300


class TestChips:
    def test_running(self, do):
        view = view_of("running", do)
        assert health.lost(view)[:2] == ("lost 0", "good")
        assert health.queue(view).level == "idle"

    def test_recording(self, do):
        view = view_of("recording", do)
        assert health.queue(view)[:2] == ("ring 0 %", "good")
        assert "of 64 frames wait" in health.queue(view).tip

    def test_the_losses_tell_what_became_of_every_frame(self, do):
        tip = health.lost(view_of("recording", do)).tip
        assert words.TIPS["lost"] in tip
        session, recording = (part.splitlines() for part in tip.split("\n\n")[1:])
        assert session[0] == "Of this session"
        assert recording[0].startswith("Of the recording ")
        for account in (session, recording):
            told = dict(line.split(": ", 1) for line in account[1:])
            assert int(told["made"]) == int(told["captured"]) + int(told["lost"])
            assert told["not analysed"].endswith("cell finding off)")
        assert " written" in told["recorder"]

    def test_what_is_kept_before_record_and_what_is_still_to_be_written(self, do):
        view = view_of("running", do)
        kept = replace(view, snapshot=replace(view.snapshot, kept=Kept(9.94, 1_106_000_000)))
        assert health.queue(kept)[:2] == ("kept 9.9 s", "good")
        assert "9.9 s wait in 1.1 GB of memory" in health.queue(kept).tip
        view = view_of("recording", do)
        late = replace(view.snapshot.recording, backlog=598)
        chip = health.queue(replace(view, snapshot=replace(view.snapshot, recording=late)))
        assert chip[:2] == ("598 to write", "warn")

    def test_failed_is_red(self, do):
        assert health.camera(view_of("failed", do)).level == "bad"

    def test_unknown_losses_are_never_shown_as_zero(self, do):
        controller, _ = do
        controller.connect("uncounted")
        within(20, lambda: (controller.tick(), controller.session is not None)[1], "connected")
        assert health.lost(controller.view())[:2] == ("lost: unknown", "idle")

    def test_in_a_stall_no_loss_is_not_good_news(self, do):
        view = view_of("running", do)
        stall = replace(view, snapshot=replace(view.snapshot, silence=60.0))
        assert health.lost(stall)[:2] == ("lost 0", "warn")

    @pytest.mark.parametrize("rate", [0.0, -1.0])
    def test_a_source_without_a_rate_costs_no_panel(self, do, rate):
        view = view_of("running", do)
        assert health.cost(replace(view, snapshot=replace(view.snapshot, rate=rate))).level == "good"
