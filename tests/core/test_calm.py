"""While a camera runs the interpreter does not pause its worker; before and after it is as it was."""

import gc
import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from roi_core.calm import ASIDE, SWITCH, calm, step_back, there
from roi_core.session import Session
from tests.conftest import REPO
from tests.core.test_session import live
from tests.fakes import Ramp


def interpreter():
    return sys.getswitchinterval(), gc.get_freeze_count()


class Watching(Ramp):
    """Notes what the interpreter is set to when a frame is asked for."""

    def __init__(self, live):
        super().__init__(3)
        self.live, self.seen = live, []

    def frames(self):
        for frame in super().frames():
            self.seen.append(interpreter())
            yield frame


def fail_calmly(before):
    with calm():
        interval, frozen = interpreter()
        assert interval == pytest.approx(SWITCH, rel=0.02)
        assert frozen > before[1]
        raise KeyError


def test_all_is_as_before_also_after_an_error():
    before = interpreter()
    with pytest.raises(KeyError):
        fail_calmly(before)
    assert interpreter() == before


def test_an_interval_that_is_shorter_stays():
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH / 2)
    try:
        with calm():
            assert sys.getswitchinterval() < 0.9 * SWITCH
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("camera", [True, False])
def test_a_session_is_calm_while_a_camera_runs(camera):
    before, source = interpreter(), Watching(camera)
    session = Session(source, live())
    session.start()
    session.wait()
    for interval, frozen in source.seen:
        assert (interval < 1.1 * SWITCH) is camera
        assert (frozen > before[1]) is camera
    assert interpreter() == before


@pytest.mark.skipif(sys.platform != "linux", reason="priorities belong to processes here")
def test_only_the_thread_that_steps_back_does():
    mine, told = os.getpriority(os.PRIO_PROCESS, 0), []

    def search():
        step_back(ASIDE)
        step_back(ASIDE)  # twice is once
        told.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert told == [min(mine + ASIDE, 19)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


WINDOW = """
import json, os, threading
from roi_core.calm import BEGUN, DRAWING, starter, step_back
from roi_core.cnmf.aside import Aside
from roi_core.session import Session
from tests.core.test_session import live
from tests.fakes import Stepped

starter()
step_back(DRAWING)
session, aside = Session(Stepped(), live()), Aside(inline=False)
session.start()
session.record("a.h5")
jobs = []
aside.give(lambda: jobs.append(1))
while not aside.take() and not jobs:
    pass

def nice(thread):
    with open(f"/proc/self/task/{thread.native_id}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[16])

print(json.dumps({each.name: nice(each) for each in threading.enumerate()}))
session.stop()
session.wait()
"""
"""What the window does, by who may not set priorities."""


@pytest.mark.skipif(sys.platform != "linux", reason="priorities belong to processes here")
def test_who_may_not_set_priorities_has_them_all_the_same(tmp_path):
    """Threads inherit how far back they are, and without that right none comes forward again."""
    command = [sys.executable, "-c", WINDOW]
    if os.geteuid() == 0:
        without = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"]
        if shutil.which("setpriv") is None or subprocess.run([*without, "true"], check=False).returncode:
            pytest.skip("setpriv is needed to be without CAP_SYS_NICE as root")
        command = [*without, *command]
    place = {**os.environ, "PYTHONPATH": str(REPO)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=place, check=False)
    assert done.returncode == 0, done.stderr
    told, mine = json.loads(done.stdout), os.getpriority(os.PRIO_PROCESS, 0)
    wanted = {"worker": 0, "lane recorder": 2, "MainThread": 5, "detector": 10}
    assert {name: told.get(name) for name in wanted} == {k: min(mine + n, 19) for k, n in wanted.items()}


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_what_is_there_is_zero(kind):
    array = np.full((3, 5, 7), 9, kind)
    assert there(array) is array
    assert not array.any()
