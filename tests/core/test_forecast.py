"""What a recording will take, against what one took."""

import pytest

from roi_core.forecast import bytes_per_second
from roi_core.rois import Circle, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from tests.fakes import Ramp


@pytest.mark.parametrize("movie", [False, True])
def test_the_forecast_is_that_of_the_file_within_a_tenth(tmp_path, movie):
    settings = Settings().with_value("recorder.movie", movie).with_value("roi.dff", True)
    source, rois = Ramp(count=4000, shape=(16, 20)), RoiSet([Circle(5, 5, 2)] * 60)
    session = Session(source, LiveSettings(settings), rois)
    path = session.record(tmp_path / "a.h5")
    session.start()
    session.wait(60)
    told = bytes_per_second(source.shape, source.rate, settings, regions=len(rois))
    assert told * 40 == pytest.approx(path.stat().st_size, rel=0.1)
