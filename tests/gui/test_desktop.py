"""What makes the window belong on a desktop: memory, screen, sizes, palettes, keys. No window opens."""

import json
import os

import dearpygui.dearpygui as dpg
import pytest

from roi_core.settings import Settings
from roi_stream_gui import words
from roi_stream_gui.about import facts
from roi_stream_gui.keysheet import columns
from roi_stream_gui.looks import Looks
from roi_stream_gui.memory import Memory
from roi_stream_gui.menus import MENU, SIZES
from roi_stream_gui.monitor import LARGEST, SMALLEST, Monitor, scale_of
from roi_stream_gui.panels.cellcard import CellCard
from roi_stream_gui.shortcuts import ACTIONS, WINDOW_ACTIONS, Chord, find, find_window, sheet
from roi_stream_gui.theme import CELL, CONTRAST, PALETTES, luminance, readable
from roi_stream_gui.verbs import VERBS


class TestMemory:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        self.file = tmp_path / "roi_stream" / "window.json"

    def test_what_is_kept_comes_back(self):
        memory = Memory(1500, 900, 40, 60, 300, 200, ["parameters"], {"theme": "light"}, True)
        memory.keep()
        assert Memory.kept() == memory
        assert list(self.file.parent.iterdir()) == [self.file]

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "null", '"x"', "\x00", "[" * 100_000, '{"width": "wide", "tabs": {}, "left": 1.5}'],
    )
    def test_a_broken_file_is_the_first_start(self, text):
        self.file.parent.mkdir()
        self.file.write_text(text)
        assert Memory.kept() == Memory()

    def test_one_broken_line_costs_itself_only(self):
        self.file.parent.mkdir()
        self.file.write_text(json.dumps({"width": 1400, "height": None, "tabs": ["a", 3], "of": "tomorrow"}))
        assert Memory.kept() == Memory(width=1400, tabs=["a"])

    def test_a_home_that_cannot_be_written_is_no_complaint(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
        Memory().keep()

    def test_only_what_the_user_changed_is_remembered_and_nothing_of_a_camera(self):
        first = Settings().with_texts("display.rate=12").display  # said on the command line
        last = Settings().with_texts(
            "display.rate=12", "display.theme=light", "display.low=90", "display.auto_contrast=false"
        )
        memory = Memory(display={"cells": "off"})
        memory.note(first, last.display)
        assert memory.display == {"cells": "off", "theme": "light"}
        memory.note(last.display, Settings().display)  # back to what it is by itself: nothing to remember
        assert memory.display == {"cells": "off"}

    def test_it_gives_way_to_what_a_settings_file_says(self):
        memory = Memory(display={"theme": "light", "scale": 1.5, "rate": "fast", "of": "tomorrow"})
        shown = memory.applied(Settings.loads("display:\n  scale: 2.0\n")).display
        assert (shown.theme, shown.scale, shown.rate) == ("light", 2.0, Settings().display.rate)


class TestDamaged:
    """What is kept as JSON and cannot be read is told once, and put aside before it is written anew."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        self.folder = tmp_path / "roi_stream"
        self.folder.mkdir()

    @pytest.mark.parametrize("text", ["", "{", "null", '"x"', "\x00", "[" * 100_000])
    @pytest.mark.parametrize("name", ["window.json", "recent.json"])
    def test_it_is_told_by_name_and_kept(self, name, text, do, caplog):
        file = self.folder / name
        file.write_text(text)
        do[0].prepare()
        (said,) = (message for message in caplog.messages if "cannot be read" in message)
        assert said.endswith(f"{file}.bad")
        assert (self.folder / f"{name}.bad").read_text() == text
        caplog.clear()
        do[0].prepare()
        assert caplog.messages == []

    def test_what_can_be_read_or_is_not_there_is_no_news(self, do, caplog):
        do[0].prepare()
        (self.folder / "recent.json").write_text("[1, null]")
        Memory().keep()
        do[0].prepare()
        assert caplog.messages == []
        assert sorted(path.name for path in self.folder.glob("*.json*")) == ["recent.json", "window.json"]


class TestMonitor:
    @pytest.mark.parametrize(
        ("resources", "scale"),
        [
            (b"", 1.0), (b"Xft.dpi:\t96\n", 1.0), (b"Xft.hinting: 1\nXft.dpi:\t192\nXcursor.size: 24\n", 2.0),
            (b"Xft.dpi: 144.0\n", 1.5), (b"Xft.dpi: 101\n", 1.0), (b"Xft.dpi: 9999\n", LARGEST),
            (b"Xft.dpi: 1\n", SMALLEST), (b"Xft.dpi: 1.2.3\n", 1.0), (b"myXft.dpi: 192\n", 1.0),
        ],
    )  # fmt: skip
    def test_its_scale_is_read_from_the_resources(self, resources, scale):
        assert scale_of(resources) == scale

    def test_a_server_that_does_not_answer_is_none(self):
        assert Monitor.of(":987") is None

    @pytest.mark.parametrize("place", [(0, 0), (100, 50), (1800, 960)])
    def test_a_place_on_the_screen_is_taken_again(self, place):
        placed = Memory(left=place[0], top=place[1]).place(Monitor(1920, 1080))
        assert (placed["x_pos"], placed["y_pos"]) == place

    @pytest.mark.parametrize("place", [(-1, 0), (1900, 0), (0, 1079), (5000, 5000), (None, None), (3, None)])
    def test_a_place_off_the_screen_is_left_to_the_desktop(self, place):
        assert set(Memory(left=place[0], top=place[1]).place(Monitor(1920, 1080))) == {"width", "height"}

    def test_a_window_is_no_larger_than_the_screen(self):
        assert Memory(5000, 4000).place(Monitor(1920, 1080)) == {"width": 1920, "height": 1080}
        assert Memory(-7, 10**12).place(Monitor()) == {"width": 940, "height": 16_384}
        assert Memory(5000, 4000, 9, 9).place(Monitor()) == {"width": 5000, "height": 4000}


class TestKeys:
    def test_no_chord_has_two_meanings(self):
        chords = [chord for action in (*ACTIONS, *WINDOW_ACTIONS) for chord in action.chords]
        assert len(chords) == len(set(chords))

    def test_the_sheet_tells_every_key_by_topic(self):
        topics = sheet()
        lines = [text for topic in topics.values() for _, text in topic]
        for action in (*ACTIONS, *WINDOW_ACTIONS):
            assert action.text in (lines if action.chords or action.said else topics)
        assert ("R", "Start recording") in topics["Session"]
        assert ("hold Shift+R", "Stop recording") in topics["Session"]
        assert {("Ctrl+Y", "Redo"), ("Ctrl+Shift+Z", "Redo")} <= set(topics["Regions"])
        gestures = [keys for keys, _ in topics["Mouse on the picture"]]
        assert {"Shift+click", "Shift+drag", "Ctrl+click", "Ctrl / Alt+drag", "right click"} <= set(gestures)
        assert [keys for keys, _ in topics["Regions"]].count("arrows") == 1  # four chords are one line

    def test_what_the_menu_says_of_keys_is_so(self):
        said = {action.text for action in (*ACTIONS, *WINDOW_ACTIONS)}
        for entry in MENU:
            if entry.keys and entry.keys not in ("Ctrl +", "Ctrl -"):
                *held, key = entry.keys.split("+")
                chord = Chord(key, "Ctrl" in held, "Shift" in held)
                assert find(chord) or find_window(chord), (entry.path, said)

    def test_what_the_hand_does_to_cells_has_one_word_everywhere(self, do, desk):
        card = CellCard(desk)
        with dpg.window() as window:
            card.build(window)
        menu = {entry.path: entry.keys for entry in MENU}
        keys = dict(map(reversed, sheet()["Cells"]))
        for name, verb in VERBS.items():
            first = verb.word.split()[0].capitalize()
            said = [verb.menu, *([] if name == "remove" else [verb.said])]
            assert menu[f"Cells/{verb.menu}"] == verb.key
            assert name == "remove" or keys[verb.said] == verb.key
            assert all(text.startswith(first) for text in said)
            button = card._buttons.get(name)
            assert button is None or dpg.get_item_label(button).lower() in verb.word
            assert getattr(do[0].keeper, name)

    def test_columns_keep_the_order_and_are_even(self):
        topics = [(name, [("k", "t")] * count) for name, count in zip("abcde", (8, 14, 5, 7, 6), strict=True)]
        found = columns(topics, 3)
        assert [topic for column in found for topic in column] == topics
        assert max(sum(len(lines) + 2 for _, lines in column) for column in found) == 23
        assert columns(topics[:1], 3) == [topics[:1]]
        assert columns([], 3) == [[]]


class TestLooks:
    @pytest.fixture
    def looks(self, desk):
        with dpg.window() as window:
            self.button = dpg.add_button(width=101)
            self.below = dpg.add_child_window(height=-35, width=-1)
            self.text = dpg.add_text("", wrap=340)
            with dpg.table(policy=dpg.mvTable_SizingFixedFit):
                self.fixed = dpg.add_table_column(width_fixed=True, init_width_or_weight=62)
                self.stretched = dpg.add_table_column(width_stretch=True, init_width_or_weight=3)
        dpg.configure_item(window, menubar=True)
        dpg.add_menu_bar(parent=window)
        dpg.create_viewport()  # never shown
        self.desk = desk
        return Looks(desk, Memory(), 1.0)

    def shown(self, **more):
        return Settings().display.model_copy(update=more)

    def lengths(self):
        button, below = (dpg.get_item_configuration(item) for item in (self.button, self.below))
        columns = (dpg.get_item_configuration(item) for item in (self.fixed, self.stretched))
        return (
            button["width"], below["height"], below["width"], dpg.get_item_configuration(self.text)["wrap"],
            *(column["init_width_or_weight"] for column in columns),
        )  # fmt: skip

    def test_every_length_follows_and_comes_back_the_same(self, looks):
        plain = self.lengths()
        sheets = [dpg.get_item_configuration(sheet.id) for sheet in self.desk.texture.sheets]
        for scale in (1.5, 0.75, 2.5, 1.1):
            looks.update(self.shown(scale=scale))
            assert self.lengths() == (
                round(101 * scale), round(-35 * scale), -1, round(340 * scale), round(62 * scale), 3
            )  # fmt: skip
            assert self.desk.px(101) == round(101 * scale)
        looks.update(self.shown(scale=1.0))
        assert self.lengths() == plain
        assert [dpg.get_item_configuration(sheet.id) for sheet in self.desk.texture.sheets] == sheets

    def test_what_a_panel_has_set_since_is_taken_as_it_stands(self, looks):
        looks.update(self.shown(scale=2.0))
        dpg.configure_item(self.button, width=80)  # a panel that reckoned with desk.px(40)
        looks.update(self.shown(scale=1.0))
        assert self.lengths()[0] == 40

    def test_steps_go_from_the_screens_own_scale(self, desk):
        looks = Looks(desk, Memory(), 1.5)
        looks.update(desk.controller.settings.current.display)
        assert desk.scale == 1.5
        for step, scale in ((1, 1.75), (1, 2.0), (-1, 1.75), (0, None), (-1, 1.25)):
            looks.zoom(step)
            assert desk.controller.settings.current.display.scale == scale
            looks.update(desk.controller.settings.current.display)
        for _ in SIZES:
            looks.zoom(-1)
            looks.update(desk.controller.settings.current.display)
        assert desk.scale == SIZES[0] == SMALLEST
        assert SIZES[-1] == LARGEST

    def test_a_size_the_window_has_no_room_for_is_not_drawn(self, looks):
        looks.update(self.shown(scale=2.0), (1280, 800))
        assert self.desk.scale == 1.5
        looks.update(self.shown(scale=2.0), (1024, 700))
        assert self.desk.scale == 1.1
        said = [message.text for message in self.desk.controller.view().messages]
        assert [text.partition(": ")[0] for text in said] == ["200% is too large for this window"]
        looks.update(self.shown(scale=2.0), (1920, 1080))
        assert self.desk.scale == 2.0

    def test_the_palette_is_switched_once(self, looks, monkeypatch):
        switched = []
        monkeypatch.setattr(self.desk.theme, "switch", switched.append)
        for theme in ("dark", "light", "light", "dark"):
            looks.update(self.shown(theme=theme))
        assert switched == ["light", "dark"]

    def test_it_is_kept_when_it_is_new_and_a_choice_taken_back_is_none(self, looks, monkeypatch):
        memory, edit, kept = looks._memory, self.desk.controller.edit, []
        monkeypatch.setattr(Memory, "keep", lambda self: kept.append(dict(self.display)))
        for theme in ("light", "light", "dark"):
            edit("display.theme", theme)
            looks.remember(["cells"])
        assert (kept, memory.tabs) == ([{"theme": "light"}, {}], ["cells"])


class TestPalettes:
    def test_they_name_the_same_things(self):
        assert PALETTES["dark"].keys() == PALETTES["light"].keys()

    @pytest.mark.parametrize("palette", PALETTES)
    @pytest.mark.parametrize(
        ("text", "back"),
        [
            ("text", "pane"), ("text", "frame"), ("dim", "pane"), ("good", "good.back"),
            ("warn", "warn.back"),
            ("bad", "bad.back"), ("idle", "idle.back"), ("text", "tool"), ("text", "chosen"),
            ("warn", "pane"), ("bad", "pane"), ("check", "bar"), ("on accent", "accent"),
            ("on accent", "danger"),
        ],
    )  # fmt: skip
    def test_text_can_be_read(self, palette, text, back):
        two = sorted(luminance(PALETTES[palette][name]) for name in (text, back))
        assert (two[1] + 0.05) / (two[0] + 0.05) >= 3.9

    def test_a_trace_is_darkened_on_light_only(self):
        light, yellow = PALETTES["light"]["pane"], (240, 228, 66)
        assert readable(yellow, PALETTES["dark"]["pane"]) == yellow
        for colour in (yellow, CELL, (255, 255, 255), (86, 180, 233)):
            dark = readable(colour, light)
            assert (luminance(light) + 0.05) / (luminance(dark) + 0.05) >= CONTRAST
        assert readable((0, 60, 120), light) == (0, 60, 120)

    def test_a_tinted_line_follows_too(self, desk):
        _, item = desk.theme.line((255, 255, 255))
        desk.theme.tint(item, "bad")
        desk.theme.switch("light")
        assert tuple(map(int, dpg.get_value(item)[:3])) == PALETTES["light"]["bad"]

    def test_a_painted_line_follows_the_palette(self, desk):
        _, item = desk.theme.line((255, 255, 255))
        desk.theme.paint(item, (240, 228, 66))
        first = dpg.get_value(item)
        desk.theme.switch("light")
        assert dpg.get_value(item)[0] < first[0]
        desk.theme.switch("dark")
        assert dpg.get_value(item) == first


def test_about_names_versions_and_licence(desk):
    told = dict(facts())
    assert told["Licence"].startswith("BSD 3-Clause")
    assert all(told.values())
    assert told["Cores"] == str(os.cpu_count())


def test_the_tour_speaks_of_three_things():
    assert [name for name, _ in words.TOUR] == ["source", "tool.circle", "record"]
