"""What is uploaded to the graphics card, and when. Needs no display."""

import dearpygui.dearpygui as dpg
import pytest

from roi_stream_gui.texture import RENDERS, ROOMS


def uploaded(desk):
    """Ids of the textures that the next render uploads."""
    registries = [item for item in dpg.get_all_items() if dpg.get_item_type(item).endswith("TextureRegistry")]
    return [item for registry in registries for item in dpg.get_item_children(registry, 1)]


@pytest.mark.parametrize(
    ("rows", "columns", "room"),
    [(1, 1, 0), (204, 320, 0), (205, 320, 1), (360, 640, 1), (512, 512, 2), (720, 1280, 3), (9999, 1, 3)],
)
def test_the_smallest_sheet_that_holds_it(desk, rows, columns, room):
    assert desk.texture.sheet(rows, columns).room == ROOMS[room]


def test_a_texture_is_uploaded_until_it_is_seen_and_then_rests(desk):
    texture = desk.texture
    assert uploaded(desk) == []
    texture.sheets[1].written()
    for _ in range(RENDERS):
        texture.tick()
        assert uploaded(desk) == [texture.sheets[1].id]
    texture.tick()
    assert uploaded(desk) == []


def test_what_is_written_again_and_again_stays_and_the_other_sizes_rest(desk):
    texture, raster = desk.texture, desk.texture.make((8, 8))
    for k in range(5):
        texture.tick()
        texture.sheets[0].written()
        if k == 0:
            raster.written()
    assert uploaded(desk) == [texture.sheets[0].id]


def test_a_thousand_changes_make_no_items(desk):
    before = len(dpg.get_all_items())
    for _ in range(1000):
        for sheet in desk.texture.sheets:
            sheet.written()
        for _ in range(RENDERS + 1):
            desk.texture.tick()
    assert len(dpg.get_all_items()) == before
