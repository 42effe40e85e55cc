"""Exports from the menu of the real window: each tells how it goes, and several wait for each other."""

import pytest

from tests.exporting import recorded

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


def test_the_menu_exports_what_is_open(start, tmp_path):
    path = recorded(tmp_path / "take.h5")
    window = start(str(path))
    window.until(lambda s: s.told["transport"]["side"] == "RESULTS", "the recording is open", 120)
    for word in ("suite2p", "tiff", "tiff"):
        window.menu(f"File/Export/{word}")
    for name in ("take_suite2p", "take.tif", "take_2.tif"):
        said = f"exported to {tmp_path / name}"
        window.until(lambda s, said=said: any(said in text for _, text in s.messages), said, 60)
    assert not list(tmp_path.glob("*.part"))
    window.screenshot("exports")
