"""A screen of its own for the tests that open the window; a desk for the panels that need none."""

from __future__ import annotations

import os
import shutil

import dearpygui.dearpygui as dpg
import pytest

from roi_stream_gui.controller import Controller
from roi_stream_gui.panels.base import Desk
from roi_stream_gui.texture import Texture
from roi_stream_gui.theme import Theme
from tests.fakes import Broken, Stepped, Uncounted
from tests.gui.driver import Screen, Window

NEEDED = ("Xvfb", "xdotool", "openbox", "xprop", "xwininfo", "import")


@pytest.fixture(scope="session")
def screen():
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        # .ci/run installs them and sets this, so that nothing is left out unseen there
        leave_out = pytest.fail if os.environ.get("ROI_STREAM_NO_SKIP_GUI") else pytest.skip
        leave_out(f"window tests need {', '.join(missing)} (apt: xvfb xdotool openbox x11-utils imagemagick)")
    screen = Screen()
    yield screen
    screen.close()


@pytest.fixture
def start(screen, tmp_path):
    """Start the window; what still runs after the test is killed."""
    windows: list[Window] = []

    def begin(*words: str, code: str = "", first: bool = False, **env: str) -> Window:
        window = Window(screen, tmp_path, *words, code=code, first=first, **env)
        windows.append(window)
        return window

    yield begin
    for window in windows:
        window.kill()


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    """The user's configuration of one test; nobody's own is touched."""
    folder = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder / "roi_stream"


@pytest.fixture
def do(tmp_path):
    sources = []

    def opener(text, _settings, *, realtime):
        source = {"running": Stepped, "failed": Broken, "uncounted": Uncounted}[text](count=50)
        sources.append(source)
        return source

    controller = Controller(opener=opener)
    controller.edit("recorder.folder", str(tmp_path))
    controller.log.install()
    yield controller, sources
    for source in sources:
        source.close()
    controller.close()
    controller.log.remove()


@pytest.fixture
def desk(do):
    dpg.create_context()
    dpg.configure_app(manual_callback_management=True)
    theme = Theme()
    theme.load_font()
    yield Desk(do[0], theme, Texture())
    dpg.destroy_context()
