"""Four hours at a microscope in a few seconds: what the window holds must not grow. Needs no display."""

import ctypes
import gc
import math
import os
import threading
from contextlib import suppress

import dearpygui.dearpygui as dpg
import numpy as np
import psutil
import pytest

from roi_core.frame import Frame
from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle
from roi_core.sources import open_source
from roi_stream_gui.controller import Controller
from roi_stream_gui.layout import Layout
from roi_stream_gui.memory import Memory
from roi_stream_gui.panelboard import PanelBoard
from roi_stream_gui.panels import PANELS
from tests.fakes import Ramp
from tests.gui.driver import within

pytestmark = pytest.mark.timeout(600)

FRAMES = 36_000
"""20 minutes at 30 Hz."""
KINDS = (
    lambda x, y: Circle(x, y, 3), lambda x, y: Ellipse(x, y, 4, 2, 30),
    lambda x, y: Rectangle(x, y, x + 5, y + 3),
    lambda x, y: Polygon(((x, y), (x + 6, y), (x, y + 6))),
    lambda x, y: Freehand(tuple((x + 3 * math.cos(t), y + 3 * math.sin(t)) for t in range(6))),
)  # fmt: skip


class Long(Ramp):
    """A film of noise as long as asked for."""

    rate = 30.0

    def __init__(self, count, shape=(48, 64)):
        super().__init__(count, shape)
        self._pictures = np.random.default_rng(0).integers(500, 900, (16, *shape), dtype=np.uint16)

    def frames(self):
        for index in self.indices:
            if self.closed.is_set():
                return
            yield Frame(self._pictures[index % 16], index, index / self.rate)


@pytest.fixture
def house(desk):
    """All panels in their places."""
    with dpg.window() as window:
        pass
    return PanelBoard(desk, Layout(desk, Memory()).build(int(window)))


@pytest.fixture
def do(tmp_path):
    def opener(text, settings, *, realtime):
        if text.startswith("simulated"):
            return open_source(text, settings, realtime=realtime)
        count, _, size = text.partition(" of ")
        return Long(int(count), tuple(map(int, size.split("x"))) if size else (48, 64))

    controller = Controller(opener=opener)
    controller.edit("recorder.folder", str(tmp_path))
    yield controller, []
    controller.close()


def turn(controller, house):
    """What the window does for one drawn frame, without drawing it."""
    for job in dpg.get_callback_queue() or ():
        if job[0] is not None:
            job[0](*job[1:])
    controller.tick()
    view = controller.view()
    house.update(view)
    return view


def held():
    """Return how many items there are, and how many MB the process holds; malloc gives back what it can."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return len(dpg.get_all_items()), psutil.Process(os.getpid()).memory_info().rss / 1e6


def open_now():
    """Return how many threads and files the process has open."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def test_500_connections_leave_nothing_behind(house, do):
    controller, _ = do
    after = {}
    for number in range(500):
        controller.connect(f"3 of {('48x64', '60x40')[number // 10 % 2]}")
        within(30, lambda: turn(controller, house).phase == "finished", "it came and went")
        controller.replay.set_speed(math.inf)
        if number in (51, 499):
            after[number] = (*held(), *open_now())
    assert set(house.panels) == set(PANELS), "no panel has failed"
    assert after[499][0] == after[51][0]
    assert after[499][1] < 1.05 * after[51][1]
    assert after[499][2:] == after[51][2:], "threads and files"


def test_connections_with_cells_and_motion_leave_nothing_behind(house, do):
    controller, _ = do
    controller.edit("motion.enabled", True)
    controller.edit("cnmf.enabled", True)
    after = {}
    for number in range(10):
        controller.connect("simulated:tiny")

        def found():
            view = turn(controller, house)
            return view.running and {"ready"} == {
                view.snapshot.stages.get(name) for name in ("motion", "cnmf")
            }

        within(150, found, "cells are looked for")
        controller.disconnect()
        within(30, lambda: not turn(controller, house).running, "it is over")
        if number in (4, 9):
            after[number] = (*held(), *open_now())
    assert set(house.panels) == set(PANELS), "no panel has failed"
    assert after[9][0] == after[4][0]
    assert after[9][1] < 1.15 * after[4][1], "over 40 it goes up and down by 4 %"
    threads, files = after[4][2:]
    within(30, lambda: open_now()[0] <= threads and open_now()[1] <= files, "threads and files are closed")


def test_1000_edits_of_regions_leave_nothing_behind(house, do):
    controller, _ = do
    rng = np.random.default_rng(3)
    controller.connect("2000")
    within(30, lambda: turn(controller, house).running, "frames flow")
    after = {}
    for number in range(1000):
        verb = number % 5
        if verb < 2:
            controller.editor.add(KINDS[number // 5 % len(KINDS)](*rng.uniform(5, 40, 2)))
        elif verb == 2:
            controller.editor.move(1, 1)
        elif verb == 3:
            controller.editor.delete()
        else:
            controller.journal.undo()
            controller.editor.select_all()
            controller.editor.delete()
        turn(controller, house)
        if number in (199, 999):  # no region is left: the pools hold what the most regions took
            assert not len(controller.editor.rois)
            after[number] = held()
    assert after[999][0] == after[199][0]
    assert after[999][1] < 1.05 * after[199][1]


def test_memory_is_flat_over_20_minutes(house, do):
    controller, _ = do
    for x in (10, 30, 50):
        controller.editor.add(Circle(x, 20, 4))
    controller.connect(str(FRAMES))
    within(30, lambda: turn(controller, house).running, "frames flow")
    controller.replay.set_speed(math.inf)
    seen = {}

    def went_on():
        view = turn(controller, house)
        frames = view.snapshot.frames_seen
        for mark in (FRAMES // 4, FRAMES):
            if frames >= mark and mark not in seen:
                seen[mark] = held()
        return view.phase == "finished"

    within(300, went_on, "the film's end")
    assert seen[FRAMES][0] == seen[FRAMES // 4][0]
    assert seen[FRAMES][1] < 1.05 * seen[FRAMES // 4][1]
