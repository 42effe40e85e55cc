"""Frame to Sample, in order, on one screen."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from roi_core.analysis import NOTHING, Analysis
from roi_core.channels import Channels
from roi_core.dff import Dff
from roi_core.frame import Event, Frame, Sample
from roi_core.gray import to_uint16_gray
from roi_core.masks import Masks
from roi_core.metrics import Meter
from roi_core.quality import gauges
from roi_core.ring import FrameRing, TraceRing
from roi_core.rois import Circle, RoiSet
from roi_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_core.settings import Edit

__all__ = ["Pipeline", "edit_event", "warm_up"]


class Pipeline:
    """Measures one frame at a time: gray, shift and cells, region means, dF/F.

    ``inline`` is for files that must give the same result each time: see `Analysis`. Of interleaved
    `channels` the main one alone is analysed; the others keep its shift. Each has its own dF/F.
    """

    def __init__(
        self, frames: FrameRing, rate: float, inline: bool = True, channels: Channels | None = None
    ) -> None:
        self.channels = channels or Channels(Settings().channels)
        rate /= self.channels.count
        self.analysis = Analysis(frames.shape, rate, inline)
        self._seen = NOTHING
        self._frames = frames
        self._rois = RoiSet()
        self._masks = Masks(self._rois, frames.shape)
        self._dff = [Dff(rate) for _ in range(self.channels.count)]
        self._gray, self._regions = Meter(), Meter()
        self._rows = 0

    def meters(self) -> dict[str, Meter]:
        """Return what each stage costs, in their order; from any thread."""
        return {"gray": self._gray, **self.analysis.meters(), "regions": self._regions}

    def step(self, frame: Frame, time: float, settings: Settings, rois: RoiSet, late: bool = False) -> Sample:
        """Return what was measured on `frame`; `time` is in s since the session's first frame.

        When it is ``late`` already, cells are left out.
        The gray picture is left in the claimed slot of the frame ring, for the caller to publish.
        """
        begun = perf_counter()
        image = to_uint16_gray(frame.image, out=self._frames.claim(), input_range=settings.camera.input_range)
        self._gray.add(begun, perf_counter() - begun)
        events = tuple(self._follow(rois, frame.index, time))
        channel, told = self.channels.step(frame.index, image, settings.channels)
        main = channel == self.channels.main
        if main:
            seen = self._seen = self.analysis.step(self._rows, time, image, settings, rois, late)
        else:
            seen = self._seen._replace(news=())
        begun = perf_counter()
        means = self._masks.means(image, offset=seen.offset)
        dff = self._dff[channel].step(self._masks.ids, means, settings.roi) if settings.roi.dff else None
        self._regions.add(begun, perf_counter() - begun)
        events += tuple(Event(time, frame.index, kind, data) for kind, data in (*told, *seen.news))
        self._rows += 1
        return Sample(
            row=self._rows - 1, index=frame.index, time=time, image=image, rois=rois, ids=self._masks.ids,
            means=means, dff=dff, events=events, settings=settings, shift=seen.shift,
            confidence=seen.confidence, flag=seen.flag, activity=seen.activity, fate=seen.fate,
            channel=channel, ahead=self.channels.ahead, main=main,
            shown=self.channels.is_shown(channel, settings.channels),
        )  # fmt: skip

    def _follow(self, rois: RoiSet, frame: int, time: float) -> Iterator[Event]:
        """Rebuild the masks when the regions changed, and tell which; their geometry is in /roi/shapes."""
        if rois is self._rois:
            return
        before = {roi.id: roi for roi in self._rois}
        now = {roi.id: roi for roi in rois}
        self._rois, self._masks = rois, Masks(rois, self._frames.shape, self._masks)
        for roi in now.values():
            if roi != before.get(roi.id):
                kind = "roi_changed" if roi.id in before else "roi_added"
                yield Event(time, frame, kind, {"id": roi.id, "name": roi.name, "version": roi.version})
        for roi_id in before.keys() - now.keys():
            yield Event(time, frame, "roi_removed", {"id": roi_id})


def edit_event(edit: Edit, frame: int, time: float, kind: str = "setting") -> Event:
    """Return the line that tells of one changed setting, or field of the card."""
    return Event(time, frame, kind, {"path": edit.path, "old": edit.old, "new": edit.new})


def warm_up() -> None:
    """Run every kernel once on a small picture, so that none is compiled while a camera waits.

    Those of motion correction and cell finding come with their stages, when these are wanted.
    """
    live = [(np.uint8, (8, 8, 3)), (np.uint8, (8, 8)), (np.uint16, (8, 8))]
    rois = RoiSet().add(Circle(4, 4, 2))
    for dtype, shape in live:
        pipeline = Pipeline(FrameRing(2, (8, 8)), 1.0)
        for baseline in ("percentile", "fixed"):
            settings = Settings().with_value("roi.dff", True).with_value("roi.dff_baseline", baseline)
            sample = pipeline.step(Frame(np.zeros(shape, dtype), 0, 0.0), 0.0, settings, rois)
    Masks(rois, (8, 8)).means(sample.image, offset=(1.0, 0.0))
    gauges.warm_up()
    traces = TraceRing(2, sample.ids)
    traces.push(0.0, 0, traces.columns(sample.ids), sample.means, sample.dff)
