"""What every source promises. An implementation inherits `SourceContract` and says how to `make` one."""

import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from roi_core.frame import Counter, Frame
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import Source


def live_settings(**camera: object) -> LiveSettings:
    """Return settings with some values of the ``camera`` block changed."""
    settings = Settings()
    for name, value in camera.items():
        settings = settings.with_value(f"camera.{name}", value)
    return LiveSettings(settings)


def collect(source: Source, count: int | None = None) -> list[Frame]:
    """Return frames whose pictures are copies."""
    return [replace(frame, image=frame.image.copy()) for frame in islice(source.frames(), count)]


class SourceContract:
    """Inherit, define ``make``; at least four frames must come."""

    def make(self, folder: Path) -> Source:
        raise NotImplementedError

    @pytest.fixture
    def source(self, tmp_path):
        source = self.make(tmp_path)
        yield source
        source.close()

    def test_it_describes_itself_before_any_frame(self, source):
        assert source.name
        assert len(source.shape) == 2
        assert all(isinstance(side, int) and side > 0 for side in source.shape)
        assert source.rate > 0
        assert isinstance(source.live, bool)
        assert source.counter in get_args(Counter)

    def test_index_and_time_strictly_increase(self, source):
        frames = collect(source, 12)
        assert len(frames) >= 4
        assert all(np.diff([frame.index for frame in frames]) > 0)
        assert all(np.diff([frame.time for frame in frames]) > 0)

    def test_pictures_keep_shape_and_dtype(self, source):
        frames = collect(source, 12)
        assert {frame.image.shape[:2] for frame in frames} == {source.shape}
        assert len({(frame.image.shape, frame.image.dtype) for frame in frames}) == 1
        assert frames[0].image.shape[2:] in {(), (3,), (4,)}
        assert frames[0].image.dtype.isnative

    def test_frames_end_after_close(self, source):
        frames = source.frames()
        next(frames)
        source.close()
        source.close()
        assert next(frames, None) is None

    def test_closed_before_the_first_frame_gives_none(self, source):
        source.close()
        assert list(source.frames()) == []

    def test_closing_from_another_thread_ends_frames(self, source):
        started = threading.Event()
        failures: list[BaseException] = []

        def consume():
            try:
                for _ in source.frames():
                    started.set()
            except BaseException as error:
                failures.append(error)

        consumer = threading.Thread(target=consume)
        consumer.start()
        assert started.wait(10)
        source.close()
        consumer.join(2)
        assert not consumer.is_alive()
        assert failures == []
