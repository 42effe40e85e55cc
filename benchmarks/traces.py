"""What do hundreds of traces cost a drawn frame, and hours the memory? No display is needed.

Usage: ``python -m benchmarks.traces [CELLS] [HOURS]`` (500, 4). A camera of 30 Hz with 20 regions; what Dear
PyGui itself takes to draw is not in it (see ``benchmarks.window``). Prints one table.
"""

from __future__ import annotations

import sys
from time import perf_counter
from types import SimpleNamespace

import dearpygui.dearpygui as dpg
import numpy as np

from roi_core.board import Board
from roi_core.frame import Activity, Components, Event, Sample
from roi_core.rois import Circle, RoiSet
from roi_stream_gui import tracks
from roi_stream_gui.controller import Controller
from roi_stream_gui.history import FINEST
from roi_stream_gui.panels.base import Desk
from roi_stream_gui.panels.traces import Traces
from roi_stream_gui.texture import Texture
from roi_stream_gui.theme import Theme
from roi_stream_gui.timeline import Timeline

RATE, REGIONS, FRAMES = 30.0, 20, 300


class Playing:
    """A snapshot of a session in which every cell lives and every frame is as the one before."""

    def __init__(self, cells: int) -> None:
        self.rois = RoiSet()
        for k in range(REGIONS):
            self.rois = self.rois.add(Circle(10.0 + k, 10.0, 3.0))
        self.board = Board(2, (8, 8), 18_000, self.rois.ids)
        self.ids = tuple(range(1, cells + 1))
        self.rng, self.rate, self.row = np.random.default_rng(0), RATE, 0
        none = np.zeros(cells, np.float32)
        ids, one = np.array(self.ids), np.ones(cells, np.uint8)
        where = np.zeros(0, np.int32), np.zeros(cells + 1, np.int64)
        self.components = Components(
            1, (8, 8), ids, 0 * ids, one, ("",) * cells, none, none, none, none, none[:0], *where
        )

    def step(self, rows: int = 1) -> None:
        """Publish rows."""
        for _ in range(rows):
            some = self.rng.random((3, len(self.ids))).astype(np.float32)
            none = some[0]
            activity = Activity(self.ids, *some, 0, none, none, self.components)
            means = self.rng.random(REGIONS).astype(np.float32)
            events = (Event(self.row / RATE, self.row, "birth", {"id": 1}),) if self.row % 15 == 0 else ()
            self.board.frames.claim()
            time = self.row / RATE
            self.board.publish(
                Sample(self.row, self.row, time, None, self.rois, self.rois.ids, means, means, events,
                       activity=activity)
            )  # fmt: skip
            self.row += 1

    def __getattr__(self, name: str) -> object:
        return getattr(self.board, name)


def main(cells: int = 500, hours: float = 4.0) -> int:
    """Measure every mode, and the histories of hours."""
    dpg.create_context()
    tracks.warm_up()
    playing, do = Playing(cells), Controller()
    desk = Desk(do, Theme(), Texture())
    with dpg.window() as window:
        panel = Traces(desk)
        panel.build(window)
    panel._room = lambda: (1240, 300.0)  # nothing has a size without a display
    for roi in playing.rois:
        do.editor.add(roi)
    playing.step(9000)
    while do.timeline.newest < (playing.row - 1) / RATE:
        do.timeline.tick(playing)
    print(f"{cells} cells, {REGIONS} regions, {RATE:g} Hz; ms of the GUI thread per drawn frame\n")
    print("| what | median ms | 99 % | most |\n|---|---:|---:|---:|")
    for mode in ("stacked", "overlay", "raster"):
        for window_length in (20.0, 250.0, 3600.0):
            do.edit("display.trace_mode", mode)
            do.edit("display.trace_window", window_length)
            _say(f"{mode}, {window_length:g} s", _frames(playing, do, panel))
    do.timeline.look(100.0, 20.0)
    do.edit("display.trace_window", 20.0)
    _say("raster, scrubbed", _frames(playing, do, panel, scrub=True))
    _memory(cells, hours)
    do.close()
    dpg.destroy_context()
    return 0


def _frames(playing: Playing, do: Controller, panel: Traces, scrub: bool = False) -> list[float]:
    cost = []
    for k in range(FRAMES + 60):
        playing.step(1)
        view = SimpleNamespace(
            snapshot=playing, settings=do.settings.current, rois=do.editor.rois, selection=(),
            paused=do.timeline.held,
        )  # fmt: skip
        if scrub:
            do.timeline.look(30.0 + k, 20.0)
        began = perf_counter()
        do.timeline.tick(playing)
        panel.update(view)
        cost.append((perf_counter() - began) * 1e3)
    return cost[60:]


def _say(what: str, cost: list[float]) -> None:
    print(f"| {what} | {np.median(cost):.2f} | {np.percentile(cost, 99):.2f} | {max(cost):.2f} |")


def _memory(cells: int, hours: float) -> None:
    """Tell how much the histories take after hours, and what the worst row costs."""
    timeline, rng, most = Timeline(), np.random.default_rng(0), 0.0
    ids = tuple(range(cells))
    some = rng.random((1, cells)).astype(np.float32)
    for k in range(int(hours * 3600 / FINEST)):
        began = perf_counter()
        timeline.cells.take(np.array([(k + 0.2) * FINEST]), ids, [some] * 3)
        timeline.regions.take(np.array([(k + 0.2) * FINEST]), ids[:REGIONS], [some[:, :REGIONS]] * 2)
        most = max(most, (perf_counter() - began) * 1e3)
    taken = (timeline.cells.bytes + timeline.regions.bytes) / 2**20
    widths = sorted({piece.width for piece in timeline.cells._pieces})
    print(f"\n{hours:g} h: {taken:.0f} MB in slices of {widths} s; the worst row took {most:.1f} ms")
    began = perf_counter()
    timeline.cells.points("calcium", 3, 0.0, hours * 3600)
    print(f"one trace of the whole session: {(perf_counter() - began) * 1e3:.1f} ms")


if __name__ == "__main__":
    sys.exit(main(*(float(word) if "." in word else int(word) for word in sys.argv[1:])))
