"""The display dies under the window: the recording does not."""

import pytest

from roi_core.recording import Recording
from tests.gui.driver import Screen, Window

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


@pytest.mark.usefixtures("screen")  # what a screen needs is there
def test_the_x_server_dies_while_recording(tmp_path):
    screen = Screen()
    window = Window(screen, tmp_path, "simulated:tiny", "--record", "a.h5")
    try:
        state = window.until(lambda s: s.recording and s.take["rows"] > 30, "rows", 60)
        screen.close()
        assert window.ended() == 1
    finally:
        window.kill()
    with Recording(tmp_path / "a.h5") as recording:
        assert recording.complete
        assert recording.rows >= state.take["rows"]
    assert "display" in window.output()
