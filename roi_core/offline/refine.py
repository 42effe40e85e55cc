"""The second pass over a recording: every cell over all frames, with everything that is known in the end.

From the cells found online: measure all traces and learn the glow between and under the cells. Then, twice
round, measure with that glow, learn all footprints and the glow anew, find what was missed, join what is
one; at last measure once more, deconvolve whole traces and write. The movie is read in order, a few frames
in memory at a time; see `roi_core.offline.scratch` for what lies on the disk meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.cnmf.fading import brightened
from roi_core.cnmf.ground import COVERED
from roi_core.cnmf.state import Field
from roi_core.draft import mend
from roi_core.errors import RecordingError, RoiError
from roi_core.frame import Status
from roi_core.offline import levels, seeds, shapes, traces, warm
from roi_core.offline.glow import Blocks, Modes, bent, learned
from roi_core.offline.movie import Movie, Registered
from roi_core.offline.outcome import Outcome, judged
from roi_core.offline.passes import Learning, Measuring, first_look
from roi_core.offline.scratch import Scratch
from roi_core.offline.write import already_refined, write
from roi_core.prepare import Prepare
from roi_core.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells
    from roi_core.settings import Settings

__all__ = ["Stopped", "refine"]

SWEEPS = 3
"""Times that the glow is learned. Footprints are learned each time but the first: traces that were measured
before the glow is known would bend those from online."""
PASSES = 2 * SWEEPS + 1
"""Times that the movie is read."""
VERSION = 3
"""Of what lies in the working folder."""


class Stopped(RoiError):
    """The refinement was asked to stop; what is done is kept beside the recording."""


@dataclass
class Work:
    """What is known at one moment of a refinement. ``step`` counts passes done, ``row`` rows of the next."""

    cells: Cells
    modes: Modes | None = None
    variance: NDArray[np.float32] | None = None
    next_id: int = 1
    usual: float = 0.0
    step: int = 0
    row: int = 0
    fates: dict[int, Status] = field(default_factory=dict)


def refine(
    path: Path,
    *,
    movie: str | None = None,
    changes: tuple[str, ...] = (),
    overwrite: bool = False,
    asked_to_stop: Callable[[], bool] = bool,
    progress: Callable[[int, int], None] = lambda done, total: None,
    period: float = 2.0,
) -> Outcome:
    """Refine the cells of a recording and write them to ``/cnmf/refined``; return what was found.

    ``movie`` names the file that was recorded when the recording holds no movie; ``changes`` are settings as
    path=value; ``progress`` hears of frames done and to do. The rest of the file is left as it is.

    Raises
    ------
    RecordingError
        It cannot be refined; the sentence says why.
    Stopped
        ``asked_to_stop`` said so; the next call goes on from there.
    """
    mend(path)
    with Recording(path) as recording:
        if recording.being_written:
            raise RecordingError(f"{path} is being recorded right now; refine it when it is finished")
        settings = warm.last_settings(recording, changes)
        if not overwrite and already_refined(path):
            raise RecordingError(f"{path} was refined before; use --overwrite to replace that")
        run = _Run(recording, movie, settings, asked_to_stop, progress, period)
        outcome = run.whole()
    write(path, outcome, overwrite)
    run.scratch.remove()
    return outcome


class _Run:
    """One refinement, from where the last one was left."""

    def __init__(
        self,
        recording: Recording,
        movie: str | None,
        settings: Settings,
        asked_to_stop: Callable[[], bool],
        progress: Callable[[int, int], None],
        period: float,
    ) -> None:
        self.settings = settings
        self.known = warm.known_cells(recording)
        self.rows, self.rate = recording.rows, rate_of(recording)
        if self.rows < 3:
            raise RecordingError(f"{recording.path} has {self.rows} rows; 3 or more are needed")
        source = Movie(recording, self.settings, movie)
        self.prepare = Prepare(recording.shape, self.settings.prepare, self.settings.cnmf)
        self.field = Field(self.prepare.shape, self.settings.cnmf.cell_radius / self.prepare.bin)
        self.blocks = Blocks(self.field, COVERED[self.settings.cnmf.preset])
        self.shifts = warm.restored_shifts(recording)
        self.movie = Registered(source, self.prepare, self.settings, self.field, self.shifts)
        self._asked, self._tell = asked_to_stop, progress
        key = {
            "version": VERSION, "rows": self.rows, "movie": source.text, "ids": self.known.ids.tolist(),
            "start": str(recording.attributes.get("start_iso8601")), "settings": warm.text_of(self.settings),
        }  # fmt: skip
        self.scratch = Scratch(recording.path.with_name(f"{recording.path.stem}.refine"), key, period)

    def whole(self) -> Outcome:
        """Do what is left to do."""
        state = self.scratch.load()
        work = self._begin() if state is None else self._restored(state)
        while work.step < PASSES:
            if work.step % 2 == 0:
                self._measure(work, state)
            else:
                self._learn(work, state)
            state = None
            work.step, work.row = work.step + 1, 0
            self._keep(work, {}, now=True)
        return self._end(work)

    def _begin(self) -> Work:
        shapes = self.settings.cnmf.shapes
        cells = warm.start(self.known, self.field, self.blocks.grid, self.prepare, shapes)
        usual = first_look(self.movie)
        return Work(cells, usual=usual, next_id=int(self.known.ids.max(initial=0)) + 1)

    # -- the two passes ------------------------------------------------------------------------------------

    def _measure(self, work: Work, state: dict[str, Any] | None) -> None:
        """Measure all traces with the footprints as they are."""
        first, fresh = work.step == 0, work.row == 0
        gather = Measuring(self.movie, self.blocks, work.usual, first)
        if state is not None and not fresh:
            gather.restore(state)
        w = traces.weighed(work.cells, work.variance, self.blocks)
        products, means, good = self._arrays(work.cells.count, fresh)
        for done in gather.run(work.row, work.cells, w, products, means, good):
            self._checkpoint(work, done, gather.state())
        if first:
            self.movie.mean[:], work.variance = gather.finish()
        work.modes = learned(means, np.asarray(good), self.blocks.spread, work.modes)
        self._demix(work, w, products, means, good)

    def _demix(self, work: Work, w: traces.Weighted, products: Any, means: Any, good: Any) -> None:
        cnmf, modes = self.settings.cnmf, work.modes
        if modes is None:
            raise RuntimeError("traces are demixed before the glow is known")
        good, n = np.asarray(good), work.cells.count
        found = self.scratch.array("traces", (self.rows, n), True)
        around = traces.demixed(
            products, means, good, modes, self.blocks, w, (self.rate, cnmf.baseline), found
        )
        guesses = self.scratch.array("guesses", (self.rows, n), True)
        levels.instruments(found, good, around, self.rate, guesses)

    def _learn(self, work: Work, state: dict[str, Any] | None) -> None:
        """Learn the glow from the traces; once it is known, footprints too, and mend the list of cells."""
        cells, n = work.cells, work.cells.count
        if work.modes is None or work.variance is None:
            raise RuntimeError("footprints are learned before traces are measured")
        known = work.step > 1
        find = self.settings.cnmf.detect and known and work.step < PASSES - 2
        shares = self.scratch.array("shares", (self.rows,), work.row == 0)
        gather = Learning(self.movie, self.blocks, work.modes, self.rate, find, shares)
        if work.row == 0:
            for name in ("images", "links", "power", "energy"):
                getattr(cells.t, name)[:] = 0
        elif state is not None:
            gather.restore(state)
        _, means, good = self._arrays(n, False)
        found, guesses = (self.scratch.array(name, (self.rows, n), False) for name in ("traces", "guesses"))
        good = np.asarray(good)
        for done in gather.run(work.row, cells, found, guesses, means, good, work.variance):
            self._checkpoint(work, done, gather.state())
        work.modes = work.modes._replace(
            maps=bent(work.modes.maps, gather.moment, gather.product, self.blocks.grid.shape)
        )
        if self.settings.cnmf.preset != "photometry":  # what fades in a fibre is its light
            self.movie.brightness[:] = brightened(self.movie.brightness, np.asarray(shares), good, self.rate)
        if known:
            shapes.learn(cells, work.variance, levels.noise_of(found, good))
            self._mend(work, found, guesses)
        if find:
            work.next_id = seeds.sow(cells, gather.evidence, work.next_id, self.settings.cnmf.max_cells)

    def _mend(self, work: Work, found: Any, guesses: Any) -> None:
        """Join what is one cell and drop what is none."""
        cells = work.cells
        shapes.place_again(cells)
        work.fates |= shapes.united(cells, found, guesses, self.rate, self.settings.cnmf.merge_r)
        first_new = int(self.known.ids.max(initial=0)) + 1
        work.fates |= dict.fromkeys(seeds.weed(cells, first_new, self.settings.cnmf), Status.REMOVED)

    # -- states --------------------------------------------------------------------------------------------

    def _arrays(self, n: int, fresh: bool) -> tuple[Any, Any, Any]:
        products = self.scratch.array("products", (self.rows, n), fresh)
        means = self.scratch.array("means", (self.rows, self.blocks.count), fresh)
        return products, means, self.scratch.array("good", (self.rows,), fresh, "?")

    def _checkpoint(self, work: Work, done: int, gathered: dict[str, Any]) -> None:
        work.row = done
        self._tell(work.step * self.rows + done, PASSES * self.rows)
        stop = self._asked()
        self._keep(work, gathered, now=stop)
        if stop:
            raise Stopped(
                f"stopped; what is done is kept in {self.scratch.folder}, "
                "and the same command goes on from there"
            )

    def _keep(self, work: Work, gathered: dict[str, Any], now: bool) -> None:
        if not self.scratch.due(now):
            return
        numbers = np.array([work.step, work.row, work.next_id], np.int64)
        state = {"numbers": numbers, "usual": np.float64(work.usual), "mean": self.movie.mean}
        state["brightness"] = self.movie.brightness
        state["fates"] = np.array(list(work.fates.items()), np.int64).reshape(-1, 2)
        state |= gathered | warm.table_state(work.cells)
        if work.variance is not None:
            state["variance"] = work.variance
        if work.modes is not None:
            state |= {f"modes_{name}": part for name, part in work.modes._asdict().items()}
        self.scratch.save(state)

    def _restored(self, state: dict[str, Any]) -> Work:
        step, row, next_id = (int(value) for value in state["numbers"])
        self.movie.mean[:], self.movie.brightness[:] = state["mean"], state["brightness"]
        modes = None
        if "modes_maps" in state:
            modes = Modes(*(state[f"modes_{name}"] for name in Modes._fields))
        cells = warm.restored(state, self.field, self.blocks.grid)
        fates = {int(cell): Status(int(fate)) for cell, fate in state["fates"]}
        usual = float(state["usual"])
        return Work(cells, modes, state.get("variance"), next_id, usual, step, row, fates)

    def _end(self, work: Work) -> Outcome:
        self._tell(PASSES * self.rows, PASSES * self.rows)
        found = self.scratch.array("traces", (self.rows, work.cells.count), False)
        _, _, good = self._arrays(work.cells.count, False)
        return judged(
            work.cells, found, np.asarray(good), self.known, work.fates, self.settings, self.rate,
            self.prepare, self.shifts, self.scratch,
        )  # fmt: skip


def rate_of(recording: Recording) -> float:
    """Return frames per second: of the source, or as they came."""
    rate = float(recording.attributes.get("frame_rate", 0.0))
    if rate > 0:
        return rate
    time = recording.time
    return float(1 / np.median(np.diff(time))) if len(time) > 1 else 30.0
