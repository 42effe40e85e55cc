"""The catalogue in the real window: a recording is found again, looked at and opened."""

import pytest

from tests.core.test_catalogue import record
from tests.core.test_recover import unfinished

pytestmark = [pytest.mark.gui, pytest.mark.timeout(240)]


def test_a_recording_is_found_again(start, tmp_path):
    takes, catalogue = tmp_path / "takes", tmp_path / "catalogue.sqlite"
    record(
        takes / "monday.h5", "subject.subject_id=m017", "imaging.region=CA1", "imaging.indicator=GCaMP8m",
        "session.notes=The lens was cleaned before.", texts=("recorder.movie=true",), frames=60,
    )  # fmt: skip
    record(takes / "tuesday.h5", "subject.subject_id=m018")
    (takes / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(4000))
    cut = unfinished(takes, name="cut.h5")
    (takes / "cut.h5").unlink()
    window = start("simulated", "--set", f"recorder.folder={takes}", ROI_STREAM_CATALOGUE=str(catalogue))
    window.running()

    window.key("ctrl+l")
    state = window.until(lambda s: len(s.told["library"]["found"]) == 4, "four recordings")
    window.until(lambda s: not s.told["library"]["busy"], "all is read")
    assert sorted(state.told["library"]["states"]) == ["complete", "complete", "damaged", "incomplete"]

    # one that a crash cut short is finished on the spot
    window.fill("library.text", cut.name)
    window.until(lambda s: s.told["library"]["found"] == [str(cut)], "it alone")
    window.click("library.0")
    window.until(lambda s: s.told["library"]["chosen"], "it is chosen")
    window.settle()
    window.screenshot("library_0_incomplete")
    window.click("library.finish")
    window.until(lambda s: s.told["library"]["states"] == ["complete"], "it is finished", 60)
    window.fill("library.text", "ca1 lens")
    window.until(lambda s: len(s.told["library"]["found"]) == 1, "one fits")
    window.click("library.0")
    state = window.until(lambda s: s.told["library"]["chosen"], "one is chosen")
    assert "The lens was cleaned before." in state.told["library"]["about"]
    window.screenshot("library_1_found")
    window.click("library.open")
    state = window.until(lambda s: s.told["transport"]["side"] == "RESULTS", "its results are shown", 60)
    assert not state.told["library"]["shown"]
    window.click("again")
    window.until(lambda s: s.told["transport"]["analysed"], "it is played", 60)

    assert window.terminate() == 0
