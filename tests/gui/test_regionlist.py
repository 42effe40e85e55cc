"""The list of regions: what it shows, in which order; and the table that shows it."""

import dearpygui.dearpygui as dpg
import pytest

from roi_core.rois import Circle, Polygon, RoiSet
from roi_stream_gui.panels import panel_class
from roi_stream_gui.regionlist import Latest, Sizes, listed

ROIS = RoiSet(
    [
        Circle(9, 9, 3, name="fiber10"),
        Circle(9, 9, 1, name="Fiber2"),
        Polygon(((0, 0), (8, 0), (8, 8)), name="soma"),
    ]
)


def names(*args, **kw):
    return [roi.name for roi in listed(ROIS, *args, **kw)]


class TestListed:
    def test_as_drawn_when_nothing_is_asked(self):
        assert names() == ["fiber10", "Fiber2", "soma"]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [("FIB", ["fiber10", "Fiber2"]), ("poly", ["soma"]), ("fiber circle 2", ["Fiber2"]), ("x", [])],
    )
    def test_the_filter_takes_names_and_kinds(self, wanted, found):
        assert names(wanted) == found

    def test_names_are_sorted_as_people_do(self):
        assert names("", "name") == ["Fiber2", "fiber10", "soma"]
        assert names("", "name", True) == ["soma", "fiber10", "Fiber2"]

    def test_numbers_are_sorted_and_unknown_ones_come_last(self):
        values = {1: Latest(5.0, 0.1), 3: Latest(2.0, 0.4)}
        assert names("", "mean", values=values) == ["soma", "fiber10", "Fiber2"]
        assert names("", "mean", True, values=values) == ["fiber10", "soma", "Fiber2"]
        assert names("", "dF/F", True, values=values) == ["soma", "fiber10", "Fiber2"]

    def test_hidden_ones_together(self):
        assert names("", "show", hidden=frozenset([1])) == ["Fiber2", "soma", "fiber10"]


class TestSizes:
    def test_they_are_those_of_the_masks(self):
        sizes = Sizes().of(ROIS, (20, 20))
        assert sizes == {roi.id: int((r := roi.runs((20, 20)))[:, 2].sum() - r[:, 1].sum()) for roi in ROIS}

    def test_many_are_counted_part_by_part(self):
        many, sizes, known = RoiSet.random(100, (200, 200), 4), Sizes(), [0]
        while known[-1] < 100:
            known.append(len(sizes.of(many, (200, 200))))
        assert 0 < known[1] < known[2]

    def test_a_changed_shape_is_counted_anew(self):
        sizes = Sizes()
        before = sizes.of(ROIS, (50, 50))[1]
        larger = ROIS.replace(ROIS[1].scaled(2))
        assert sizes.of(larger, (50, 50))[1] > 3 * before
        assert sizes.of(larger, (10, 10))[1] < 4 * before


class TestTable:
    @pytest.fixture
    def panel(self, desk, do):
        with dpg.window():
            parent = dpg.add_tab(parent=dpg.add_tab_bar())
        panel = panel_class("regions")(desk)
        panel.build(parent)
        do[0].editor.load(ROIS)
        panel.update(do[0].view())
        return panel

    def labels(self, desk):
        rows = [desk.names[f"row.{k}"] for k in range(3)]
        return [dpg.get_item_label(row) for row in rows if dpg.is_item_shown(dpg.get_item_parent(row))]

    def show(self, panel, do):
        panel.update(do[0].view())

    def test_a_heading_sorts_and_a_row_is_the_region_it_shows(self, panel, desk, do):
        table = panel._table
        column = next(item for item, name in table._columns.items() if name == "name")
        table._sort(0, [[column, -1]])
        self.show(panel, do)
        assert panel.tell()["listed"] == ["soma", "fiber10", "Fiber2"]
        assert dpg.get_item_label(desk.names["row.0"]) == "soma"
        table._select(0)
        assert [roi.name for roi in do[0].editor.selected()] == ["soma"]
        table._sort(0, None)
        self.show(panel, do)
        assert panel.tell()["listed"] == ["fiber10", "Fiber2", "soma"]

    def test_the_filter_hides_rows_not_regions(self, panel, desk, do):
        panel._want("soma")
        self.show(panel, do)
        assert panel.tell()["listed"] == ["soma"]
        assert dpg.get_item_label(desk.names["row.0"]) == "soma"
        assert len(do[0].editor.rois) == 3

    def test_a_tick_hides_the_outline_and_brings_it_back(self, panel, desk, do):
        ids = do[0].editor.rois.ids
        panel._table._show(1)
        self.show(panel, do)
        assert panel.tell()["hidden"] == [ids[1]]
        assert dpg.get_value(desk.names["row.1.show"]) is False
        panel._table._show(1)
        self.show(panel, do)
        assert dpg.get_value(desk.names["row.1.show"]) is True

    def test_a_right_click_selects_and_opens_the_menu(self, panel, desk, do):
        opened = []
        desk.region_menu = lambda: opened.append(do[0].editor.selection)
        panel._table._open_menu(0, (1, desk.names["row.2"]))
        assert opened == [(do[0].editor.rois.ids[2],)]

    def test_the_name_field_is_of_the_one_selected_last(self, panel, desk, do):
        editor = do[0].editor
        editor.select_all()
        editor.group()
        editor.select(editor.rois.ids[1])
        self.show(panel, do)
        assert dpg.get_value(desk.names["name"]) == "Fiber2"
        assert "a group" in dpg.get_value(panel._facts)

    def test_fibres_have_their_bar_while_they_are_proposed(self, panel, desk, do):
        bundle = do[0].bundle
        bundle.open, bundle.proposed = True, (Circle(5, 5, 3), Circle(15, 5, 3))
        self.show(panel, do)
        assert dpg.get_item_label(desk.names["fibres.accept"]) == "Accept 2"
        assert panel.tell()["fibres"]["proposed"] == [[5, 5, 3], [15, 5, 3]]
        bundle.accept()
        self.show(panel, do)
        assert not panel.tell()["fibres"]["open"]
        assert panel.tell()["listed"][-2:] == ["fiber11", "fiber12"]
