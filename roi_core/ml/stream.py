"""The stages as River transformers: dicts in, dicts with more keys out, one frame at a time.

``Preparation() | MotionCorrection() | CellFinder() | RegionMeans(rois)`` is a `river.compose.Pipeline`. The
order of River is kept: `learn_one` learns a frame, `transform_one` tells about it and learns nothing. A frame
that was just learned is known by its pixels and its timestamp, and gets the answer it was learned with; any
other is measured with what is known so far. So `learn_one` and then `transform_one` of a pipeline cost one
step, as does `transform_one` alone within `river.compose.learn_during_predict`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from river import base

from roi_core.cnmf.online import OnlineCNMF
from roi_core.dff import Dff
from roi_core.doubts import Judge
from roi_core.masks import Masks
from roi_core.ml.chain import (
    PARAMETERS,
    Picture,
    begun,
    movie,
    picture,
    prepare,
    settings_of,
    told,
    unit_of,
)
from roi_core.motion import Motion
from roi_core.prepare import Prepare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_core.rois import Roi
    from roi_core.settings import Settings

    Features = dict[Any, Any]

__all__ = ["CellFinder", "MotionCorrection", "Preparation", "RegionMeans"]

FRAME: Final = "frame"
TIME: Final = "timestamp"
LIVE: Final = ("min_snr", "max_cells", "decay")
"""Parameters of `CellFinder` that may change while frames come."""


class Stage(base.Transformer):
    """What all stages have in common; ``frames`` is how many were learned.

    A dict without a ``frame`` passes as it is: there was none at that moment. Arrays that a stage adds are
    read-only, because the same are given again.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, int] | None = None
        self._learned: Picture = None
        self._given: tuple[Picture | None, Any] = (None, None)
        self.frames = 0
        self._answer: Features = {}

    def learn_one(self, x: Features) -> None:
        """Take the frame in ``x`` as the next one of the stream."""
        if FRAME not in x:
            return
        image = self._picture(x)
        if self._shape is None:
            self._shape = image.shape
            self._begin(image.shape, x)
        if self._learned is None or self._learned.dtype != image.dtype:
            self._learned = np.empty_like(image)
        np.copyto(self._learned, image)
        self._given = image if _constant(image) else None, x.get(TIME)
        self._answer = {name: _kept(value) for name, value in self._learn(self._learned, x).items()}
        self.frames += 1

    def transform_one(self, x: Features) -> Features:
        """Return ``x`` with what this stage knows of its frame."""
        if FRAME not in x:
            return dict(x)
        image = self._picture(x)
        if self._knows(image, x):
            return x | self._answer
        return x | {name: _kept(value) for name, value in self._look(image.copy(), x).items()}

    def initialize(self, frames: Any) -> None:
        """Learn from frames (n, height, width) that came before the stream: numpy's, or of xarray."""
        for frame in movie(frames):
            self.learn_one({FRAME: frame})

    def _picture(self, x: Features) -> Picture:
        image = picture(x[FRAME])
        if self._shape is not None and image.shape != self._shape:
            raise ValueError(f"the frame has shape {image.shape}; {self} began with frames of {self._shape}")
        return image

    def _knows(self, image: Picture, x: Features) -> bool:
        """Return whether the frame is the one that was learned last."""
        if self._learned is None or self._given[1] != x.get(TIME):
            return False
        return image is self._given[0] or np.array_equal(image, self._learned)

    def _settings(self) -> Settings:
        return settings_of(self._get_params())

    def _begin(self, shape: tuple[int, int], x: Features) -> None:
        """Make what the stage needs for frames of that shape."""

    def _learn(self, image: Picture, x: Features) -> Features:
        """Learn, and return the keys to add."""
        raise NotImplementedError

    def _look(self, image: Picture, x: Features) -> Features:
        """Return the keys to add, and learn nothing."""
        raise NotImplementedError


class Preparation(Stage):
    """Crops, bins and mends the frame, and takes the wide glow of one photon away.

    Adds ``image``, the camera's frame as 16-bit gray or float32; ``frame``, the (h, w) float32 picture that
    is analysed; and where that lies on the camera's: ``origin`` (y, x) px and ``bin``.
    """

    def __init__(
        self, cell_radius: float = 5.0, preset: str = "2p", bin: int = 0, crop: str = "",
        settings: str = "",
    ) -> None:  # fmt: skip
        super().__init__()
        self.cell_radius = cell_radius
        self.preset = preset
        self.bin = bin
        self.crop = crop
        self.settings = settings

    def _begin(self, shape: tuple[int, int], x: Features) -> None:
        self._chosen = self._settings()
        self._stage = Prepare(shape, self._chosen.prepare, self._chosen.cnmf)

    def _learn(self, image: Picture, x: Features) -> Features:
        return self._prepared(image, self._stage, self._chosen, learn=True)

    def _look(self, image: Picture, x: Features) -> Features:
        if self._shape is not None:
            return self._prepared(image, self._stage, self._chosen, learn=False)
        settings = self._settings()
        return self._prepared(
            image, Prepare(image.shape, settings.prepare, settings.cnmf), settings, learn=True
        )

    @staticmethod
    def _prepared(image: Picture, stage: Prepare, settings: Settings, learn: bool) -> Features:
        frame = prepare(stage, image, settings, learn).copy()
        return {"image": image.copy(), FRAME: frame, "origin": stage.origin, "bin": stage.bin}


class MotionCorrection(Stage):
    """Moves the frame to fit a template that it learns; set ``rate`` to frames per second.

    Adds ``frame``, the moved picture; ``shift`` (dy, dx) px of the camera; ``confidence`` 0..1; ``flag``,
    which is "jump" or "unsure" when the shift is not to be believed; and ``image``, the frame as it came,
    unless a `Preparation` did so.
    """

    def __init__(self, rate: float = 30.0, max_shift: float = 10.0, settings: str = "") -> None:
        super().__init__()
        self.rate = rate
        self.max_shift = max_shift
        self.settings = settings

    def _begin(self, shape: tuple[int, int], x: Features) -> None:
        self._chosen = self._settings()
        self._stage = Motion(shape, self.rate, x.get("bin", 1))

    def _learn(self, image: Picture, x: Features) -> Features:
        return self._moved(image, self._stage.step, x)

    def _look(self, image: Picture, x: Features) -> Features:
        if self._shape is None:
            return {"shift": (0.0, 0.0), "confidence": 0.0, "flag": "unsure"}
        return self._moved(image, self._stage.look, x)

    def _moved(self, image: Picture, move: Any, x: Features) -> Features:
        out, px = np.empty(image.shape, np.float32), x.get("bin", 1)
        shift = move(image.astype(np.float32, copy=False), self._chosen.motion, out)
        at = (shift.dy * px, shift.dx * px)
        more = {} if "image" in x else {"image": image.copy()}
        return more | {FRAME: out, "shift": at, "confidence": shift.confidence, "flag": shift.flag}


class CellFinder(Stage):
    """Finds cells in frames that are in their place, and tells what they do.

    Adds ``ids`` of the components alive, accepted or not; their ``raw`` traces, causal ``calcium`` and
    ``spikes`` (N,); and ``activity`` with all the rest: footprints, back-filled pasts, refined values, births
    and merges. A frame that was not learned has raw traces only, the rest is NaN and None.

    As in a session, cells are only followed in a frame that repeats the one before or has a ``flag`` of
    motion correction: it teaches them nothing, and ``activity.fate`` says why.

    ``min_snr``, ``max_cells`` and ``decay`` may be set at any time, or by `mutate`. With ``inline=False``
    cells are looked for on a thread that `close` ends.
    """

    def __init__(
        self, rate: float = 30.0, cell_radius: float = 5.0, preset: str = "2p", min_snr: float = 1.5,
        max_cells: int = 2000, decay: float = 0.0, inline: bool = True, settings: str = "",
    ) -> None:  # fmt: skip
        super().__init__()
        self.rate = rate
        self.cell_radius = cell_radius
        self.preset = preset
        self.min_snr = min_snr
        self.max_cells = max_cells
        self.decay = decay
        self.inline = inline
        self.settings = settings
        self._ids: tuple[int, ...] = ()
        self._unit = 0.0  # before there was light

    @property
    def _mutable_attributes(self) -> set[str]:
        return {*LIVE}

    def close(self) -> None:
        """End the thread of a finder that is not inline."""
        if self._shape is not None:
            self._stage.close()

    def _begin(self, shape: tuple[int, int], x: Features) -> None:
        self._chosen, px = self._settings(), x.get("bin", 1)
        camera = x["image"].shape if "image" in x else (shape[0] * px, shape[1] * px)
        self._stage = OnlineCNMF(
            shape, self.rate, self._chosen,
            camera_shape=camera, origin=x.get("origin", (0, 0)), bin=px, inline=self.inline,
        )  # fmt: skip
        self._judge = Judge(self.rate)

    def _learn(self, image: Picture, x: Features) -> Features:
        for name in LIVE:
            value, path = getattr(self, name), PARAMETERS[name]
            if value != self._chosen.get(path):
                self._chosen = self._chosen.with_value(path, value)
        seen = image
        if not self._unit and (unit := unit_of(image)):
            self._unit, seen = unit, begun(image)
        self._place(seen, x)
        self._stage.doubt = self._judge.step(np.asarray(x.get("image", image)), x.get("flag"), stopped=False)
        activity = told(self._stage.step(self.frames, self._chosen), self._unit or 1.0)
        self._ids = activity.ids
        return {
            "ids": activity.ids, "raw": activity.raw, "calcium": activity.calcium, "spikes": activity.spikes,
            "activity": activity,
        }  # fmt: skip

    def _look(self, image: Picture, x: Features) -> Features:
        raw = np.zeros(0, np.float32)
        if self._shape is not None:
            self._place(image, x)
            raw = self._stage.look() / np.float32(self._unit or 1.0)
        unknown = np.full_like(raw, np.nan)
        return {"ids": self._ids, "raw": raw, "calcium": unknown, "spikes": unknown, "activity": None}

    def _place(self, image: Picture, x: Features) -> None:
        np.multiply(image, np.float32(self._unit or 1.0), out=self._stage.input)
        (dy, dx), px = x.get("shift", (0.0, 0.0)), x.get("bin", 1)
        self._stage.shift = (dy / px, dx / px)


class RegionMeans(Stage):
    """Means of drawn regions, a sequence of `roi_core.rois` shapes, measured on the camera's frame.

    Adds ``means`` (K,), following ``shift`` as a session does, and with ``dff`` also ``dff`` (K,), the dF/F
    against a running baseline.
    """

    def __init__(
        self, rois: Iterable[Roi] | None = None, dff: bool = False, rate: float = 30.0, settings: str = ""
    ) -> None:
        super().__init__()
        self.rois = rois
        self.dff = dff
        self.rate = rate
        self.settings = settings

    def _picture(self, x: Features) -> Picture:
        return super()._picture(x | {FRAME: x.get("image", x[FRAME])})

    def _begin(self, shape: tuple[int, int], x: Features) -> None:
        self._chosen = self._settings()
        self._masks, self._running = Masks(self.rois or (), shape), Dff(self.rate)

    def _learn(self, image: Picture, x: Features) -> Features:
        means = self._masks.means(image, offset=x.get("shift", (0.0, 0.0)))
        if not self.dff:
            return {"means": means}
        ids = tuple(range(len(means)))
        return {"means": means, "dff": self._running.step(ids, means, self._chosen.roi)}

    def _look(self, image: Picture, x: Features) -> Features:
        masks = Masks(self.rois or (), image.shape) if self._shape is None else self._masks
        means = masks.means(image, offset=x.get("shift", (0.0, 0.0)))
        return {"means": means} | ({"dff": np.full_like(means, np.nan)} if self.dff else {})


def _kept(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


def _constant(image: Picture) -> bool:
    """Return whether nobody can write other pixels into the array; a stage's own answers are such."""
    return bool(image.flags.owndata and not image.flags.writeable)
