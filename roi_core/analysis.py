"""prepare -> motion -> maps -> cnmf: what a frame goes through when motion correction or cell finding is on.

A stage that is off, in the making or broken is left out; frames, drawn regions and recordings never notice.
"""

from __future__ import annotations

import logging
from copy import deepcopy
from functools import partial
from itertools import compress
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from roi_core import rehearsal
from roi_core.compiler import Compiler
from roi_core.doubts import Doubts, Episode, Judge
from roi_core.errands import Errands
from roi_core.ledger import Fate
from roi_core.maps import Maps, on_camera
from roi_core.stages import Stage, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roi_core.frame import Activity, Settled
    from roi_core.metrics import Meter
    from roi_core.rois import RoiSet
    from roi_core.settings import Settings
    from roi_core.stages import Finding, Moving, Preparing, Shift

    Picture = NDArray[np.float32]

__all__ = ["NOTHING", "Analysis", "Seen"]

log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What the stages say of one frame; shifts in px of the camera, ``news`` are (kind, data) of events."""

    shift: tuple[float, float] | None = None
    confidence: float | None = None
    flag: str = ""
    activity: Activity | None = None
    fate: Fate = Fate.OFF
    news: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def offset(self) -> tuple[float, float]:
        """The shift; nothing when there is none."""
        return self.shift or (0.0, 0.0)


NOTHING: Final = Seen()
HASTE: Final = 30.0
"""Seconds for which no frame was late until it is told again that one is."""
TOO_SLOW: Final = (
    "cells are left out of some frames, so that the camera loses none: there is too little time. "
    "If it lasts: cnmf.shapes=false helps at once, a smaller picture or a larger prepare.bin next time"
)
PATIENCE: Final = 5.0
"""Seconds that a camera's first frame waits for its stages: enough unless they were never compiled."""


class Geometry(NamedTuple):
    """The (h, w) picture that is analysed: from px `origin` of the camera on, `bin` px to one."""

    shape: tuple[int, int]
    origin: tuple[int, int]
    bin: int


class Analysis:
    """The optional stages of one session on camera pictures of `shape` (H, W) at `rate` frames per second.

    ``inline`` lets everything happen on the caller's thread, so that the same file gives the same result to
    the bit; a camera's stages are made, and its cells detected, on threads of their own.
    """

    def __init__(self, shape: tuple[int, int], rate: float, inline: bool = True) -> None:
        self._shape, self._rate, self._inline = shape, rate, inline
        self._settings: Settings | None = None
        self._prepare: Stage[Preparing] = Stage("prepare", self._make_prepare, inline)
        self._motion: Stage[Moving] = Stage("motion", self._make_motion, inline)
        self._maps: Stage[Maps] = Stage("maps", self._make_maps, inline)
        self._cells: Stage[Finding] = Stage("cnmf", self._make_cells, inline)
        self._stages: tuple[Stage[Any], ...] = (self._prepare, self._motion, self._maps, self._cells)
        self._prepared = Geometry(shape, (0, 0), 1)
        self._moved = np.zeros((0, 0), np.float32)
        self._judge = Judge(rate)
        self._doubts, self._late, self._compiler = Doubts(), Episode(HASTE), Compiler()
        self._next_id = 0
        self.errands: Errands[Finding] = Errands()
        """What other threads want of the components."""

    # -- every frame, on the worker -----------------------------------------------------------------------

    def step(
        self, row: int, time: float, image: NDArray[np.uint16], settings: Settings, rois: RoiSet,
        late: bool = False,
    ) -> Seen:  # fmt: skip
        """Return what is seen in the (H, W) `image` of row `row`, at `time` s; no cells when it is late."""
        self._settings = settings
        motion, cells = settings.motion.enabled, settings.cnmf.enabled
        if not self._prepare.at_work(motion or cells):
            self._motion.rest()
            self._cells.rest()
            self.errands.do(None, row)
            fate = self._unseen(cells)
            silent = fate is Fate.OFF and not (self._alerted or self._late.on or self._doubts.on)
            return NOTHING if silent else self._seen(None, None, fate, time)
        moving = self._motion.at_work(motion)
        # cells wait for the motion correction that was asked for, but not for one that is given up
        finding = self._cells.at_work(cells and (moving or not motion or self._motion.broken))
        target = self._target(finding)
        shift, whole = self._register(image, settings, moving, target)
        activity = None
        if whole and self._maps.at_work(True):
            self._maps.run(lambda maps: maps.step(target))
        if whole and finding:
            flag, stopped = None if shift is None else shift.flag, self._motion.now is not None
            doubt = Fate.LATE if late else self._judge.step(image, flag, stopped)
            activity = self._cells.run(lambda finder: self._find(finder, row, shift, doubt, settings, rois))
        if activity is None:
            self._cells.rest()
            self.errands.do(None, row)
        return self._seen(shift, activity, self._unseen(cells) if activity is None else activity.fate, time)

    def _target(self, finding: bool) -> Picture:
        """Return where the moved picture goes: to the finder of cells, or to a place of its own."""
        if finding and self._cells.now is not None:
            return self._cells.now.input
        if self._moved.shape != self._prepared.shape:
            self._moved = np.zeros(self._prepared.shape, np.float32)
        return self._moved

    def _register(
        self, image: NDArray[np.uint16], settings: Settings, moving: bool, target: Picture
    ) -> tuple[Shift | None, bool]:
        """Leave the moved picture in `target`; return its shift, and whether the picture can be used."""
        picture = self._prepare.run(lambda prepare: prepare.step(image, settings.prepare, settings.cnmf))
        if picture is None:
            return None, False
        if not moving:
            np.copyto(target, picture)
            return None, True
        shift = self._motion.run(lambda motion: motion.step(picture, settings.motion, target))
        return shift, shift is not None

    def _find(
        self, finder: Finding, row: int, shift: Shift | None, doubt: Fate | None, settings: Settings,
        rois: RoiSet,
    ) -> Activity:  # fmt: skip
        self.errands.do(finder, row)
        finder.shift = (0.0, 0.0) if shift is None else (shift.dy, shift.dx)
        finder.doubt = doubt
        activity = finder.step(row, settings, rois)
        self._next_id = max(self._next_id, int(activity.components.ids.max(initial=-1)) + 1)
        return activity

    def _unseen(self, wanted: bool) -> Fate:
        """Return why nobody looked for cells in a frame."""
        if not wanted:
            return Fate.OFF
        if self._alerted:
            return Fate.FAILED
        return Fate.GIVEN_UP if self._prepare.broken or self._cells.broken else Fate.MAKING

    @property
    def _alerted(self) -> bool:
        return any(stage.alerted for stage in self._stages)

    def _seen(self, shift: Shift | None, activity: Activity | None, fate: Fate, time: float) -> Seen:
        alerts = [("alert", data) for stage in self._stages for data in stage.alerts()]
        flag = "" if shift is None else shift.flag
        news = [*alerts, *self._doubts.step(flag, time), *(activity.events if activity else ())]
        if (told := self._late.step(fate is Fate.LATE, time)) is not None:
            news.append(("cells_late", told))
            if told["state"] == "begin":
                log.warning("%s", TOO_SLOW)
        if shift is None:
            return Seen(activity=activity, fate=fate, news=tuple(news))
        px = self._prepared.bin
        return Seen((shift.dy * px, shift.dx * px), shift.confidence, flag, activity, fate, tuple(news))

    # -- at the start and at the end ----------------------------------------------------------------------

    def begin(self, settings: Settings) -> None:
        """Make what is enabled before the first frame; a camera's waits for it, but not for long."""
        self._settings = settings
        motion, cells = settings.motion.enabled, settings.cnmf.enabled
        wanted, end = (motion or cells, motion, motion or cells, cells), perf_counter() + PATIENCE
        for stage in compress(self._stages, wanted):
            if not stage.begin(end - perf_counter()) and stage is not self._motion:
                return

    def finish(self) -> Settled | None:
        """Return the refined values of the last rows."""
        return self._cells.run(lambda finder: finder.finish())

    def close(self) -> None:
        """End every stage and its threads."""
        self.errands.close()
        self._compiler.close()
        for stage in self._stages:
            stage.close()

    # -- for onlookers, from any thread -------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        """Return how far each stage is, by name; see `Stage.state`."""
        return {stage.name: stage.state for stage in self._stages}

    def meters(self) -> dict[str, Meter]:
        """Return what each stage costs, by name."""
        return {stage.name: stage.meter for stage in self._stages}

    def behind(self) -> int | None:
        """Return how many frames the search for new cells is behind; None while there is none."""
        finder = self._cells.now
        return None if finder is None else finder.behind

    def maps(self) -> dict[str, Picture]:
        """Return the summary maps as (H, W) pictures of the camera; none when nothing was analysed."""
        return self._pictured(self._maps.now)

    def frozen_maps(self) -> Callable[[], dict[str, Picture]]:
        """Return what makes the summary maps of this moment, at any time and on any thread.

        To copy what they are made of takes a tenth of the time, which the worker has.
        """
        return partial(self._pictured, deepcopy(self._maps.now))

    def _pictured(self, maps: Maps | None) -> dict[str, Picture]:
        return {} if maps is None else self._on_camera(maps.pictures())

    def pictures(self) -> dict[str, Picture]:
        """Return what each stage looks at: the maps, the template and the residual, as (H, W) pictures."""
        found = {}
        for stage, name in ((self._motion.now, "template"), (self._cells.now, "residual")):
            picture = getattr(stage, name, None)
            if isinstance(picture, np.ndarray) and picture.ndim == 2:
                found[name] = np.array(picture, np.float32)
        return self.maps() | self._on_camera(found)

    def _on_camera(self, pictures: dict[str, Picture]) -> dict[str, Picture]:
        """Put pictures of the analysed shape where the camera saw them; leave others as they are."""
        shape, origin, px = self._prepared
        return {
            name: on_camera(picture, self._shape, origin, px) if picture.shape == shape else picture
            for name, picture in pictures.items()
        }

    # -- what is made when it is first wanted, on whichever thread ------------------------------------------

    def _wishes(self) -> Settings:
        if self._settings is None:
            raise RuntimeError("a stage is made before any settings are known")
        return self._settings

    def _rehearse(self, part: str, go_through: Callable[[], None]) -> None:
        """Go through a stage's kernels; those for a camera are first compiled elsewhere, if they must be."""
        if not self._inline:
            self._compiler.fill(part)
        go_through()

    def _make_prepare(self) -> Preparing:
        self._rehearse("prepare", rehearsal.prepare)
        kind, settings = load("prepare"), self._wishes()
        prepare: Preparing = kind(self._shape, settings.prepare, settings.cnmf)
        self._prepared = Geometry(prepare.shape, prepare.origin, prepare.bin)
        return prepare

    def _make_motion(self) -> Moving:
        self._rehearse("motion", rehearsal.motion)
        motion: Moving = load("motion")(self._prepared.shape, self._rate, self._prepared.bin)
        return motion

    def _make_maps(self) -> Maps:
        self._rehearse("maps", rehearsal.maps)
        return Maps(self._prepared.shape)

    def _make_cells(self) -> Finding:
        self._rehearse("cnmf", rehearsal.cells)
        kind, settings, px = load("cnmf"), self._wishes(), self._prepared
        # ids go on where those of a finder that failed ended
        more = {"first_id": self._next_id} if self._next_id else {}
        finder: Finding = kind(
            px.shape, self._rate, settings,
            camera_shape=self._shape, origin=px.origin, bin=px.bin, inline=self._inline,
            apart=not self._inline, **more,
        )  # fmt: skip
        return finder
