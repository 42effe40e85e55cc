"""A screen of its own for the tests that open the window."""

from __future__ import annotations

import os
import shutil

import pytest

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

    def begin(*words: str, code: str = "", **env: str) -> Window:
        window = Window(screen, tmp_path, *words, code=code, **env)
        windows.append(window)
        return window

    yield begin
    for window in windows:
        window.kill()
