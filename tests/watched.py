"""Samples as a session makes them, for what watches over a recording."""

import numpy as np

from roi_core.frame import Sample
from roi_core.quality.alarms import Alarms
from roi_core.rois import RoiSet
from roi_core.settings import Settings

QUALITY = Settings().quality
RATE = 20.0
NONE = RoiSet()
ALL_WELL = {"disk": 600.0, "memory": 5.0, "queue": 1.0, "lag": 0.2}


def sample(image, time, shift=(0.0, 0.0), lost=0, index=None, rois=NONE, means=()):
    return Sample(
        row=0, index=round(30 * time) if index is None else index, time=time, image=image, rois=rois,
        ids=tuple(roi.id for roi in rois), means=np.asarray(means, np.float32), dff=None,
        settings=Settings(), shift=shift, lost=lost,
    )  # fmt: skip


def scene(rng, n, level=1000.0):
    """Pictures of one scene, with noise, no two the same."""
    texture = rng.uniform(0.5, 1.5, (96, 128))
    return [np.uint16(level * texture + rng.normal(0, 20, texture.shape)) for _ in range(n)]


class Camera:
    """A quiet scripted camera at 20 Hz; each spoilt frame is what its script says."""

    def __init__(self, quality=QUALITY, rois=NONE, level=1000.0, seed=5):
        self.rng = np.random.default_rng(seed)
        self.frames = scene(self.rng, 40, level)
        self.alarms, self.quality, self.rois = Alarms(), quality, rois
        self.time, self.index, self.last = 0.0, -1, 0
        self.told = []

    def shoot(self, seconds, image=None, means=None, around=None, period=1 / RATE, lost=0, shift=None):
        """Take frames for some seconds; what is given as a function is asked with each frame's time."""
        for _ in range(round(seconds / period)):
            self.index += 1 + (lost or 0)
            self.time += period
            # never the same picture twice running
            self.last = (self.last + 1 + int(self.rng.integers(len(self.frames) - 1))) % len(self.frames)
            frame = self.frames[self.last]
            frame = frame if image is None else np.uint16(image(frame, self.time))
            level = 500.0 + self.rng.normal(0, 5.0, len(self.rois)) if means is None else means(self.time)
            taken = sample(
                frame,
                self.time,
                shift or tuple(self.rng.normal(0, 0.3, 2)),
                lost,
                self.index,
                self.rois,
                level,
            )
            events = self.alarms.step(taken, self.quality, lambda: ALL_WELL | (around or {}))
            self.told += [event.data for event in events]
        return self

    @property
    def begun(self):
        return [data["metric"] for data in self.told if data["state"] == "begin"]
