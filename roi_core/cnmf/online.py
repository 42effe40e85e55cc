"""Online CNMF, one frame at a time: Giovannucci et al. 2017 in outline, its steps one file each.

`OnlineCNMF.step` is the algorithm from top to bottom. Everything in it has a bound. What has none in a frame,
the search for new cells and the learning of the glow, happens aside, on another thread or inline, and is
taken over between two frames.
"""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.cnmf import byhand, footprints, picture, statistics, traces
from roi_core.cnmf.apart import Lost
from roi_core.cnmf.aside import Aside
from roi_core.cnmf.census import Census
from roi_core.cnmf.deconvolve import Deconvolver
from roi_core.cnmf.detect import Detector
from roi_core.cnmf.drawn import Fibres, reach_of
from roi_core.cnmf.fading import Fading
from roi_core.cnmf.ground import Ground, Shapes
from roi_core.cnmf.lit import STAY, Lit
from roi_core.cnmf.misses import Floors
from roi_core.cnmf.quality import FORESEEN
from roi_core.cnmf.rates import Rates
from roi_core.cnmf.rehearse import rehearse
from roi_core.cnmf.state import Field
from roi_core.cnmf.view import Camera
from roi_core.errors import SettingsError, sentence
from roi_core.frame import Activity, Settled
from roi_core.ledger import Fate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.apart import Distant
    from roi_core.cnmf.detect import Candidate
    from roi_core.frame import Foresight, Order
    from roi_core.rois import RoiSet
    from roi_core.settings import Settings

__all__ = ["OnlineCNMF"]

log = logging.getLogger(__name__)

NOISE = 20.0
"""Seconds in which the noise of a pixel is forgotten."""
EXPECTED = np.float32(0.9)
"""Share of what a cell is expected to do that is taken out before the glow is measured.

Below 1, so that an error of the one is damped by the other and not passed on.
"""
MUCH = 10.0
"""The glow is at most so many times the rms of the picture. In a crowd its error is an error of the cells,
which is one of the glow in the next frame: without a bound they drive each other away from the picture."""
GLOW = 2.0
"""Seconds between two lessons of the glow's filter."""
TOUR = 100
"""Frames in which every footprint is learned anew once."""
SMALLEST = 16
"""Least side of a picture in which cells are looked for, px."""
FAR, ODD = 25.0, 9.0
"""A pixel that deviates this many times more than usual (mean square) counts as no more; a picture whose
pixels deviate that many times more on the whole is odd and teaches nothing. One blazing cell is not odd."""
READY = 8
"""Pictures before the first look for cells: also at a few frames a second a pixel's noise must be known."""
PROBE = 8
"""Pixels between those by which the contrast of a picture is known."""
TRUSTED = 60
"""Pictures from which the usual deviation is known."""
HIDDEN = 60.0
"""Seconds over which it is averaged how far motion hides the edges."""
RIM = {"2p": 0.5, "1p": 2.0, "photometry": 0.5}
"""Standard deviations beyond that mean to which an edge counts as hidden. From one-photon pictures the glow
is taken before they are moved: beside an edge its error moves with them, and looks like a cell."""
SLACK = 0.25
"""Pixels by which an edge may be moved into the picture before its outermost pixel counts as unseen."""
PATIENCE = 3
"""Failures of the detector after which it is left alone."""


class OnlineCNMF:
    """Finds cells in a stream of pictures of `shape` (h, w) and gives each its trace, calcium and spikes.

    Write a picture to ``input`` and call `step`. ``shift`` (dy, dx) px tells how far that picture was moved:
    so much of its edges the camera did not see. With ``inline`` the search for cells runs within `step`, and
    a run is reproducible to the bit; else on a thread, or ``apart``, where the system can do that (Linux), in
    a process of its own; `close` ends both. The analysed picture lies on the camera's as ``camera_shape``,
    ``origin`` and ``bin`` say; ids of components count from ``first_id``.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        rate: float,
        settings: Settings,
        *,
        camera_shape: tuple[int, int] | None = None,
        origin: tuple[int, int] = (0, 0),
        bin: int = 1,
        inline: bool = True,
        apart: bool = False,
        first_id: int = 1,
    ) -> None:
        if min(shape) < SMALLEST:
            size = f"{shape[1]}x{shape[0]}"
            raise SettingsError(
                "cnmf.enabled", True, f"cells need a picture of {SMALLEST} px a side, not {size}"
            )
        self.rate = rate
        self._rates = Rates.of(rate)
        self.shift = (0.0, 0.0)
        self.doubt: Fate | None = None
        self._light = Lit(rate)
        self._scale = bin
        self._settings = settings
        self._camera = Camera(camera_shape or (shape[0] * bin, shape[1] * bin), origin, bin)
        self._failures, self._blind = 0, False
        self._fibres = Fibres()
        self._row, self._steps = -1, 0
        self._inline, self._apart = inline, apart and settings.cnmf.preset != "photometry"
        self._aside: Aside[list[Candidate]] = Aside(inline)
        self._builder: Aside[tuple[Shapes, Ground, NDArray[np.float32]] | None] | None = None
        self._resizing, self._refused = False, 0.0
        self._begin(Field((int(shape[0]), int(shape[1])), settings.cnmf.cell_radius / bin), first_id)

    def _begin(self, field: Field, first_id: int) -> None:
        """Start with no cells and nothing known of the picture."""
        ground = Ground.of(field, self.rate, self._settings.cnmf, self._apart)
        self._mean = np.zeros(field.shape, np.float32)
        self._line = np.zeros(field.shape[1], np.float32)
        self._lag = round(self._settings.cnmf.lag * self.rate)
        deconvolver = Deconvolver(self.rate, self._lag, field.room)
        self.census = Census(ground.cells, deconvolver, ground.ring, self._camera, self._rates, first_id)
        self._usual, self._power, self._pace, self._steps = 0.0, 0.0, 1.0, 0
        self._pictures = self._odd = 0
        self._rims, self._followed = [(0.0, 0.0)] * 4, 0
        self._stand_on(ground)

    def _stand_on(self, ground: Ground) -> None:
        """Use these pictures, glow, ring and detector from now on."""
        self.field, self._padded = ground.field, ground.padded
        self.input = self._middle()
        self._binned, self._noise, self._glow = ground.binned, ground.noise, ground.glow
        self._between = ground.glow.grid.pixels()
        self._ring, self._detector = ground.ring, ground.detector
        self._fading = Fading(self._rates.learning)
        self._asked: Detector | Distant | None = None
        self._next = self._looked = self._learned = self._followers = 0
        self._waiting: list[Candidate] = []

    def _middle(self) -> NDArray[np.float32]:
        (h, w), reach = self.field.shape, self.field.reach
        return self._padded[reach : reach + h, reach : reach + w]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Let the input of a copy be a part of its own padded picture again."""
        self.__dict__.update(state)
        self.input = self._middle()

    def step(self, row: int, settings: Settings, rois: RoiSet | None = None) -> Activity:
        """Take the picture in ``input`` as row `row`; return what the cells did."""
        if self.doubt is Fate.LATE:
            return self._leave_out(row, settings)
        self._follow(settings, rois)
        self._take_over(row, settings)
        if settings.cnmf.preset == "photometry" and not self._resizing:
            self._fibres.follow(rois or (), self.census, row)
        self._row, self._steps = row, self._steps + 1
        census, cells = self.census, self.census.cells
        n, t, deconvolver = cells.count, cells.t, census.deconvolver
        seen = self._seen()
        fate = self._centre(seen)
        learns = fate is Fate.ANALYSED
        if learns:
            self._follow_rims(seen)
        glow, fluorescence = self._demixed(learns)
        if learns and settings.cnmf.shapes:
            statistics.gather(n, t, self._padded, glow, deconvolver.baseline - t.mean[:n])
        if not learns:
            fluorescence = np.full(n, np.nan, np.float32)
        deconvolver.step(fluorescence, settings.cnmf)
        census.last = row
        seconds = 1 / self._rates.learning
        statistics.reflect(n, t, deconvolver.raw, deconvolver.calcium, deconvolver.noise, seconds)
        if learns:
            census.past.remember(fluorescence, t, settings.cnmf.shapes)
            self._explain(seen, row)
            self._visit(settings)
            self._hand_over(settings)
        activity = census.activity(self._lag, self.finish())
        return activity if learns else replace(activity, fate=fate)

    def _leave_out(self, row: int, settings: Settings) -> Activity:
        """Take a row for which there is no time: its values are missing, and all else waits for the next."""
        census, nothing = self.census, np.full(self.census.cells.count, np.nan, np.float32)
        self._row, self._steps = row, self._steps + 1
        census.deconvolver.step(nothing, settings.cnmf)
        census.last = row
        return replace(census.activity(self._lag, self.finish()), fate=Fate.LATE)

    def look(self) -> NDArray[np.float32]:
        """Return the raw traces (N,) of the picture in ``input``, and learn nothing from it."""
        census, n, t = self.census, self.census.cells.count, self.census.cells.t
        trace, floor = t.trace[:n].copy(), t.floor[:n].copy()
        as_it_is = np.float32(0), np.float32(0)
        at = self._padded, self.field.reach, self._mean, 0.0, as_it_is, self._seen(), self.field.factor
        power = picture.centre(*at, self._line, self._binned, np.float32(np.inf))
        self._power = power / self._binned.size
        _, fluorescence = self._demixed(False)
        t.trace[:n], t.floor[:n] = trace, floor
        return fluorescence - census.deconvolver.baseline

    def obey(self, order: Order, row: int) -> Order:
        """Do what a user asks, before row `row`, and return what takes it back.

        A `ComponentError` says why it cannot be.
        """
        return byhand.obey(order, self.census, row)

    def what_if(self, settings: Settings) -> Foresight:
        """Return what other settings would lead to, and apply nothing."""
        now, then = self._settings.cnmf, settings.cnmf
        area = self.field.area * (then.cell_radius / now.cell_radius) ** 2
        changed = (name for name in type(now).model_fields if getattr(now, name) != getattr(then, name))
        unforeseen = tuple(f"cnmf.{name}" for name in changed if name not in FORESEEN)
        return replace(self.census.foresee(then, self._row, area), unforeseen=unforeseen)

    @property
    def residual(self) -> NDArray[np.float32] | None:
        """What neither cells nor glow explain: (h, w) rms of the last second; from any thread."""
        ring, field = self._ring, self.field
        last = ring.head
        number = min(last, max(1, round(self.rate)), len(ring) - 2)
        return _unbinned(ring.rms(last - number, last), field) if number > 0 else None

    @property
    def behind(self) -> int:
        """Frames that the search for new cells has not looked at yet; from any thread."""
        return max(self._ring.head - self._detector.done, 0)

    def finish(self) -> Settled | None:
        """Return the refined values of the last rows, as they are if no step follows."""
        number = min(self._lag, self._steps)
        if number == 0:
            return None
        calcium, spikes = self.census.deconvolver.flush()
        calcium, spikes = calcium[:, self._lag - number :].T, spikes[:, self._lag - number :].T
        ids = tuple(self.census.cells.t.ids[: self.census.cells.count].tolist())
        return Settled(self._row + 1 - number, ids, calcium, spikes)

    def pause(self) -> None:
        """Rows will be missing from now: begin the traces anew, keep the cells."""
        census = self.census
        new, old = Deconvolver(self.rate, self._lag, self.field.room), census.deconvolver
        new.append(np.zeros((census.cells.count, 0), np.float32))
        new.learn_from(old)
        census.deconvolver, self._steps = new, 0
        census.cells.t.prediction[:] = 0

    @classmethod
    def warm_up(cls) -> None:
        """Compile every kernel; takes a minute or more the first time, and seconds later."""
        rehearse(cls)

    def close(self) -> None:
        """End the threads, and the process of the search."""
        self._detector.close()
        if self._builder is not None:
            self._builder.close()
        self._aside.close()

    # -- what a frame does ---------------------------------------------------------------------------------

    def _seen(self) -> tuple[int, int, int, int]:
        """Return the part (y0, y1, x0, x1) of the picture that the camera saw."""
        (h, w), (dy, dx) = self.field.shape, self.shift
        return _hidden(dy, h), h - _hidden(-dy, h), _hidden(dx, w), w - _hidden(-dx, w)

    def _follow_rims(self, seen: tuple[int, int, int, int]) -> None:
        """Remember how far motion hides each edge: mean and mean square."""
        (h, w), (y0, y1, x0, x1) = self.field.shape, seen
        self._followed += 1
        share = max(1 / self._followed, 1 / (HIDDEN * self._rates.learning))
        for side, px in enumerate((y0, h - y1, x0, w - x1)):
            mean, square = self._rims[side]
            self._rims[side] = mean + share * (px - mean), square + share * (px * px - square)
        rim = RIM[self._settings.cnmf.preset]
        self.census.hidden = tuple(
            mean + rim * max(square - mean * mean, 0.0) ** 0.5 for mean, square in self._rims
        )

    def _centre(self, seen: tuple[int, int, int, int]) -> Fate:
        """Centre and bin the picture; return whether it is one to learn from, or why not."""
        fibres = self._settings.cnmf.preset == "photometry"  # their light may be off in every other frame
        doubtful = None if fibres else self.doubt if self._lit(seen) else Fate.DARK
        if self._pictures == 0:
            self._mean[:] = self.input
        self._pace = max(1 / (self._pictures + 1), 1 / (self._settings.cnmf.memory * self._rates.learning))
        known = self._pictures >= TRUSTED
        share = 0.0 if doubtful or fibres else self._brightened()
        power = picture.centre(
            self._padded, self.field.reach, self._mean, self._pace,
            (np.float32(share), np.float32(self._fading.level)), seen, self.field.factor, self._line,
            self._binned, np.float32(FAR * self._usual if known else np.inf),
        )  # fmt: skip
        power /= self._binned.size
        self._power = power
        if not doubtful:
            self._odd = self._odd + 1 if known and not power < ODD * self._usual else 0
        if self._odd or doubtful:
            y0, y1, x0, x1 = seen
            self._mean[y0:y1, x0:x1] -= np.float32(self._pace) * self.input[y0:y1, x0:x1]
            if self._odd > STAY * self.rate:
                self._mean += self.input
                self._start_over()
            return doubtful or Fate.ODD
        self._pictures += 1
        self._usual += (power - self._usual) / min(self._pictures, 10 * TRUSTED)
        return Fate.ANALYSED

    def _brightened(self) -> float:
        """Return by what share the mean is to grow, and let the cells in it do the same."""
        share, step = self._fading.take()
        cells = self.census.cells
        cells.t.mean[: cells.count] *= np.float32(1 + share)
        if step:
            self.census.deconvolver.brighten(1 + share)
        return share

    def _start_over(self) -> None:
        """Take the present picture for the normal one, and all cells for being at rest."""
        cells = self.census.cells
        cells.t.mean[: cells.count] = self.census.deconvolver.baseline
        self._ring.begin()
        self._fading.forget()
        self._pictures = self._odd = self._followers = 0

    def _lit(self, seen: tuple[int, int, int, int]) -> bool:
        """Return whether the picture has light; where another light begins, the mean begins anew with it."""
        contrast = float(picture.contrast(self._padded, self.field.reach, seen, PROBE))
        lit = self._light.step(contrast, found=self.census.cells.count > 0)
        if self._light.anew and self._pictures:
            self._start_over()
        return lit

    def _demixed(self, learns: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the glow under (N, 3) and the fluorescence (N,) of each cell."""
        census, cells = self.census, self.census.cells
        n, t, deconvolver = cells.count, cells.t, census.deconvolver
        rooms, planes = np.empty((2, n), np.float32), np.empty((n, 3), np.float32)
        if self._settings.cnmf.preset != "photometry":  # a fibre has no surroundings to tell its background
            expected = EXPECTED * (deconvolver.baseline + deconvolver.calcium - t.mean[:n])
            expected[np.isnan(expected)] = 0
            (slot, _), m = self._ring.claim(), self.field.margin
            picture.without_cells(self._binned, m, n, t, expected, slot)
            self._glow.step(slot, cells.cover, MUCH * self._power**0.5)
        traces.demixed(
            n, t, self._padded, self._glow.nodes.reshape(-1), deconvolver.baseline, deconvolver.noise,
            self._pace if learns else 0.0, planes, rooms,
        )  # fmt: skip
        if learns:
            self._glow.remember()
        return planes, rooms[1]

    def _explain(self, seen: tuple[int, int, int, int], row: int) -> None:
        """Leave in the ring what neither glow nor cells explain, and follow its noise.

        Where the light changed at once that is the mean picture: the next frame is the first to know.
        """
        cells, margin = self.census.cells, self.field.margin
        now, before = self._ring.claim()
        picture.explain(
            self._binned, margin, self._glow.nodes, self._glow.gain, self._between, cells.count, cells.t,
            seen, self.field.factor, now,
        )  # fmt: skip
        if self._fading.step(now, margin) and self._settings.cnmf.preset != "photometry":
            return
        if self._followers:
            rate = max(1 / self._followers, 1 / (NOISE * self._rates.learning))
            picture.track_noise(now, before, rate, margin, self._noise)
        self._followers += 1
        self._ring.publish(row, self._pace)

    def _visit(self, settings: Settings) -> None:
        """Learn the footprints of the next few cells, and keep each in the middle of its box."""
        cells = self.census.cells
        n = cells.count
        if n == 0 or not settings.cnmf.shapes or self._resizing:
            return
        number = -(-n // TOUR)
        most = footprints.smoothings(self.field.radius, settings.cnmf.preset)
        field = self.field.factor, self.field.margin, self._glow.gain, most
        forget = 1 / (settings.cnmf.memory * self._rates.learning)
        first = self._next if self._next < n else 0
        drifted = footprints.tour(
            first, number, n, cells.t, self._ring.head, forget, np.float32(self.field.radius),
            self._noise, self.census.deconvolver.noise, field, cells.cover,
        )  # fmt: skip
        self._next = (first + number) % n
        if drifted >= 0:
            self.census.recentre(drifted)

    # -- what happens aside --------------------------------------------------------------------------------

    def _hand_over(self, settings: Settings) -> None:
        """Give the detector the frames since its last look."""
        first, last = self._looked, self._ring.head
        period = max(self._detector.step, round(settings.cnmf.detect_period * self.rate))
        due = last - first >= period and last >= READY
        if not due or self._blind or self._aside.busy or self._waiting:
            return
        self._looked = last
        learn = last - self._learned >= GLOW * self._rates.learning
        if learn:
            self._learned = last
        memory = settings.cnmf.memory * self._rates.learning
        find = settings.cnmf.detect and settings.cnmf.preset != "photometry"
        glow, ring, detector, noise = self._glow, self._ring, self._detector, self._noise
        floors = Floors.of(settings.cnmf)
        fading, mean, field = self._fading, self._mean, self.field
        self._asked = detector

        def job() -> list[Candidate]:
            try:
                if find:
                    found = detector.look(ring, last, noise, floors)
                    glow.suspects = detector.suspects
                    return found
                detector.skip(last)
                glow.suspects = np.zeros_like(glow.suspects)  # nobody looks: nothing is suspected
                return []
            finally:
                start = max(first, last - len(ring) // 2)
                glow.watch(ring.sum(start, last) / np.float32(last - start), start, last)
                if learn:
                    fading.learn(mean.copy(), field.factor, field.radius / field.factor, noise)
                    glow.learn(memory, float(noise.mean()) / (last - start))

        self._aside.give(job)

    def _take_over(self, row: int, settings: Settings) -> None:
        """Do one thing between two frames: a part of the census's round, a birth, or remember a miss."""
        try:
            found = self._aside.take() or []
            if self._asked is self._detector:  # else cells have another size by now
                last, half = self._ring.head, len(self._ring) // 2
                self._waiting += [candidate for candidate in found if last - candidate.last < half]
        except Exception as error:
            if self._asked is self._detector:
                self._fail(error)
        if self._resizing or self.census.tidy(row, settings.cnmf):
            return
        if self._waiting:
            born = self.census.birth(self._waiting.pop(0), row, settings.cnmf.max_cells)
            if born is not None:
                self._detector.forget(born, self._noise)
        elif not self._aside.busy and self._detector.missed:
            missed = self._detector.missed.pop()
            self.census.miss(missed, row, Floors.of(settings.cnmf).flaw(missed))

    def _fail(self, error: Exception) -> None:
        """Go on without new cells for this time; after some failures, for good."""
        self._glow.suspects = np.zeros_like(self._glow.suspects)
        if isinstance(error, Lost):
            self._lose(error)
            return
        self._failures += 1
        self._blind = self._failures >= PATIENCE
        then = "no new cells are looked for in this session" if self._blind else "it is tried again"
        log.warning("the search for cells failed, %s: %s", then, sentence(error), exc_info=error)
        self.census.tell("alert", {"stage": "detector", "text": sentence(error), "then": then})

    def _lose(self, error: Lost) -> None:
        """Look for cells on a thread from now on."""
        self._apart = False
        self._detector.close()
        self._detector = Detector(self.field, self.rate)
        self._detector.skip(self._ring.head)
        then = "they are looked for on a thread from now on"
        log.warning("%s; %s", error, then)
        self.census.tell("alert", {"stage": "detector", "text": str(error), "then": then})

    def _follow(self, settings: Settings, rois: RoiSet | None = None) -> None:
        """Have things made anew when the size of cells changed; all else is looked at where it is used."""
        radius = settings.cnmf.cell_radius / self._camera.bin
        if settings.cnmf.preset == "photometry":
            radius = max(radius, reach_of(rois or (), self._camera))
        self._settings = settings
        self._resizing = radius not in (self.field.radius, self._refused)
        if self._resizing:
            self._resize(Field(self.field.shape, radius))
        elif self._builder is not None:
            self._let_go(self._builder)

    def _resize(self, field: Field) -> None:
        """Go on as before until everything is made for cells of another size, aside; then use that.

        Meanwhile no cell comes, goes or changes its shape, except by hand: then it is made once more.
        """
        if self._builder is None:
            self._builder = Aside(self._inline, "builder")
        if not self._builder.busy:
            shapes, rate, cnmf = Shapes.of(self.census.cells), self.rate, self._settings.cnmf
            apart = self._apart
            self._builder.give(lambda: (shapes, *Ground.under(shapes, field, rate, cnmf, apart)))
        try:
            made = self._builder.take()
        except Exception as error:
            self._refused = field.radius
            log.warning("cells keep their size: %s", sentence(error), exc_info=error)
            return
        if made is not None and made[1].field == field and made[0].still_of(self.census.cells):
            self._move_to(made[1], made[2])

    @staticmethod
    def _let_go(builder: Aside[Any]) -> None:
        """Drop what was made for an edit that was taken back, or the end of what was there before."""
        with suppress(Exception):
            builder.take()

    def _move_to(self, ground: Ground, shares: NDArray[np.float32]) -> None:
        """Go on with the same cells and the same mean picture on another ground."""
        picture = self.input
        if ground.field.factor == self.field.factor:
            ground.noise[:] = self._noise
        else:
            rest = self.input - self._mean
            self._usual *= _power(rest, ground.field.factor) / max(_power(rest, self.field.factor), 1e-9)
        self.census.move_to(ground.cells, ground.ring, shares)
        if self._builder is not None:
            self._builder.give(self._detector.close)  # which takes a moment
            self._let_go(self._builder)
        self._stand_on(ground)
        np.copyto(self.input, picture)
        self._resizing, self._refused = False, 0.0


def _power(picture: NDArray[np.float32], factor: int) -> float:
    """Return the mean square of a picture binned by a factor."""
    (h, w), k = picture.shape, factor
    blocks = picture[: h // k * k, : w // k * k].reshape(h // k, k, w // k, k)
    return float((blocks.mean((1, 3)) ** 2).mean())


def _unbinned(picture: NDArray[np.float32], field: Field) -> NDArray[np.float32]:
    """Return a binned picture as (h, w); rows and columns beyond the last bin repeat it."""
    fine = picture.repeat(field.factor, 0).repeat(field.factor, 1)
    (h, w), (rows, columns) = field.shape, fine.shape
    return np.pad(fine, ((0, h - rows), (0, w - columns)), "edge")


def _hidden(shift: float, size: int) -> int:
    """Return how many of ``size`` px a picture moved by ``shift`` lacks at one side."""
    return min(max(math.ceil(shift - SLACK), 0), size // 2 - 1)
