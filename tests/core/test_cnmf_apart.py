"""The search for cells in a process of its own: it finds the same, and may be killed at any moment."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import Pipe

import numpy as np
import psutil
import pytest

from roi_core.cnmf import apart, ground
from roi_core.cnmf.apart import Distant, Look, Lost, serve
from roi_core.cnmf.detect import Candidate, Detector
from roi_core.cnmf.misses import USUAL
from roi_core.cnmf.peaks import Peak
from roi_core.cnmf.residual import Ring
from roi_core.cnmf.shared import Shared
from roi_core.session import Session
from roi_core.settings import LiveSettings
from tests.cells import RATE, SETTINGS, film, finder_for, run, trace
from tests.conftest import REPO
from tests.core.test_cnmf_detect import FIELD, NOISE, flash, put
from tests.core.test_cnmf_detect import noise as still
from tests.core.test_session import wait_for
from tests.fakes import Stepped

pytestmark = pytest.mark.skipif(not Shared.possible(), reason="this system has no files of memory")
FRAMES = 120


@pytest.fixture(scope="module")
def movie():
    return film()


@pytest.fixture
def places():
    """Ring, noise, and the process that looks at them."""
    made = ground._apart(FIELD, RATE, FRAMES)
    yield made
    made[2].close()


def waited(finder, pictures, first=0, settings=SETTINGS):
    """Step, and let every look end before the next picture."""
    answers = []
    for row, picture in enumerate(pictures, first):
        answers += run(finder, [picture], settings, row)
        while finder._aside.busy and not finder._aside._done:
            finder._aside._thread.join(0.0002)
    return answers


def ends(pid):
    """Return once a process is no more, or a corpse that its parent has not looked at."""
    try:
        psutil.Process(pid).wait(20)
    except psutil.NoSuchProcess:
        return


def alerts(answers):
    return [data for answer in answers for kind, data in answer.events if kind == "alert"]


def test_it_finds_what_a_search_within_the_step_finds_to_the_bit(movie):
    finder, other = finder_for(movie.pictures, inline=False, apart=True), finder_for(movie.pictures)
    assert isinstance(finder._detector, Distant)
    try:
        answers = waited(finder, movie.pictures)
    finally:
        finder.close()
    inline = run(other, movie.pictures)
    assert answers[-1].ids
    for a, b in zip(answers[1:], inline[1:], strict=True):
        assert a.ids == b.ids
        np.testing.assert_array_equal(a.calcium, b.calcium)
    assert alerts(answers) == []


@pytest.mark.parametrize("row", [0, 1, 200])
def test_one_that_is_killed_is_an_alert_and_cells_are_looked_for_on_a_thread(movie, row):
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        answers = waited(finder, movie.pictures[:row])
        os.kill(finder._detector._process.pid, signal.SIGKILL)
        answers += waited(finder, movie.pictures[row:], row)
    finally:
        finder.close()
    (alert,) = alerts(answers)
    assert alert["text"] == "Lost: its process ended, exit code -9"
    assert alert["then"] == "it is tried again"
    assert type(finder._detector) is Detector
    assert movie.found(answers[-1].components).count(-1) <= 1
    for cell in answers[row].ids:
        if cell in answers[-1].ids:
            assert np.isfinite(trace(answers, cell)[row:]).all(), "no frame was without its cells"


def test_what_goes_wrong_there_is_raised_here_with_the_place_and_it_goes_on(places):
    ring, noise, distant = places
    for _ in range(10):
        ring.publish(0)
    with pytest.raises(TypeError) as error:
        distant.look(ring, "nonsense", noise)
    assert "in look" in error.value.__notes__[0]
    assert distant.look(ring, 10, noise) == []
    assert distant.done > 5


def test_it_sees_what_is_written_here_and_answers_like_a_twin_on_this_thread(places):
    ring, noise, distant = places
    twin, dark, found = Detector(FIELD, RATE), still(3), []
    noise[:] = NOISE
    for k in range(200):
        put(ring, dark(k) + flash(k, (16, 16)))
        if k % 10 == 9:
            ours, theirs = distant.look(ring, k + 1, noise), twin.look(ring, k + 1, noise)
            assert [(c.y, c.x, c.z) for c in ours] == [(c.y, c.x, c.z) for c in theirs]
            np.testing.assert_array_equal(distant.suspects, twin.suspects)
            assert (distant.done, len(distant.missed)) == (twin.done, len(twin.missed))
            found += ours
    assert found
    for each in distant, twin:
        each.forget(found[-1], noise)
        each.skip(190)
    ours, theirs = distant.look(ring, 200, noise), twin.look(ring, 200, noise)
    assert [c.z for c in ours] == [c.z for c in theirs]
    np.testing.assert_array_equal(distant.suspects, twin.suspects)


def test_what_the_ring_has_lost_is_not_fitted():
    """A look that was put off for so long that frames were written over meanwhile."""
    ring = Ring(FRAMES, FIELD)
    for _ in range(2 * FRAMES):
        ring.publish(0)
    assert ring.holds(FRAMES + 1)
    assert not ring.holds(FRAMES), "it is being written over by the frame in hand"
    detector, peak = Detector(FIELD, RATE), (9.0, 16, 16, 4, 2 * FRAMES)
    detector.skip(2 * FRAMES)
    cut, noise = ring.cut, np.ones(FIELD.binned, np.float32)
    ring.slots[:, 20:28, 20:28] = np.arange(FRAMES)[:, None, None] % 7

    def late(*args):
        patch = cut(*args)
        for _ in range(FRAMES):
            ring.publish(0)
        return patch

    ring.cut = late
    assert detector._fit(Peak(*peak), ring, noise) is None


def test_candidates_that_come_half_a_ring_late_are_left_alone(movie):
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures[:20])
    ring = finder._ring
    candidate = Candidate(10, 10, np.ones((5, 5), np.float32), np.ones(20, np.float32), ring.head)
    finder._aside.busy = True
    finder._asked = finder._detector
    finder._aside._done.append([candidate])
    for _ in range(len(ring) // 2):
        ring.publish(0)
    finder._take_over(20, SETTINGS)
    assert finder._waiting == []


def test_it_computes_when_nobody_else_wants_to(places):
    ring, noise, distant = places
    distant.look(ring, 0, noise)
    tasks = psutil.Process(distant._process.pid).threads()
    assert os.SCHED_IDLE in {os.sched_getscheduler(task.id) for task in tasks}
    assert os.getpgid(distant._process.pid) == distant._process.pid, "out of reach of Ctrl+C"


def test_after_a_late_look_it_takes_its_share_of_a_busy_machine_for_some(monkeypatch):
    threads = []
    monkeypatch.setattr(apart, "LATE", -1.0)
    monkeypatch.setattr(apart, "HURRIED", 2)
    monkeypatch.setattr(apart, "_answer", lambda *_args: threads.append(threading.get_ident()))
    monkeypatch.setattr(apart, "_idle", lambda: None)
    shared, (ours, theirs) = Shared(), Pipe()
    Ring(FRAMES, FIELD, shared.zeros), shared.zeros(FIELD.binned, np.float32)
    server = threading.Thread(target=serve, args=(os.dup(theirs.fileno()), shared.file))
    server.start()
    ours.send(apart.Begin(FIELD, RATE, FRAMES))
    for _ in range(5):
        ours.send(Look(0, [], 0, USUAL))
        ours.recv()
    ours.close()
    theirs.close()
    server.join()
    shared.close()
    idle, own = threads[0], threads[1]
    assert threads == [idle, own, own, idle, own]


def test_it_ends_when_closed_in_the_middle_of_a_look_and_leaves_no_corpse(places):
    ring, noise, distant = places
    pid, lost = distant._process.pid, []
    os.kill(pid, signal.SIGSTOP)

    def look():
        try:
            distant.look(ring, 0, noise)
        except Lost as error:
            lost.append(error)

    asker = threading.Thread(target=look)
    asker.start()
    distant.close()
    asker.join()
    assert len(lost) == 1
    assert not psutil.pid_exists(pid)


def test_it_ends_with_whoever_forgot_to_close_it():
    distant = ground._apart(FIELD, RATE, FRAMES)[2]
    pid = distant._process.pid
    del distant
    assert not psutil.pid_exists(pid)


ORPHAN = """
import os, signal
from roi_core.cnmf import ground
from roi_core.cnmf.state import Field
ring, noise, distant = ground._apart(Field((64, 64), 5.0), 30.0, 40)
distant.look(ring, 0, noise)
print(distant._process.pid, flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "", "raise SystemExit(1)"])
def test_it_ends_with_a_program_that_ends_in_any_way(end):
    out = subprocess.run(
        [sys.executable, "-c", ORPHAN.format(end=end)], cwd=REPO, capture_output=True, text=True, check=False
    )
    ends(int(out.stdout))
    assert out.stderr == ""


@pytest.mark.parametrize("why", ["no memory", "no process", "another system"])
def test_without_it_cells_are_looked_for_on_a_thread(movie, monkeypatch, why):
    def refuse(*_args, **_more):
        raise OSError("injected")

    if why == "no memory":
        monkeypatch.setattr(os, "memfd_create", refuse)
    elif why == "no process":
        monkeypatch.setattr(apart.subprocess, "Popen", refuse)
    else:
        monkeypatch.delattr(os, "memfd_create")
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        answers = waited(finder, movie.pictures)
    finally:
        finder.close()
    assert type(finder._detector) is Detector
    assert movie.found(answers[-1].components).count(-1) <= 1
    assert alerts(answers) == []


def test_cells_of_another_size_get_a_process_of_their_own_and_the_old_one_ends(movie):
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        waited(finder, movie.pictures[:100])
        old, row = finder._detector._process.pid, 100
        while finder.field.radius != 4.0:
            run(finder, [movie.pictures[100]], SETTINGS.with_value("cnmf.cell_radius", 4.0), row)
            row += 1
        answers = waited(finder, movie.pictures[100:], row, SETTINGS.with_value("cnmf.cell_radius", 4.0))
        assert isinstance(finder._detector, Distant)
        assert finder._detector._process.pid != old
        assert not psutil.pid_exists(old)
        assert alerts(answers) == []
        assert finder._detector.done > 100
    finally:
        finder.close()


def test_a_live_session_looks_for_cells_in_such_a_process_and_ends_it():
    source, live = Stepped(count=200), LiveSettings(SETTINGS)
    session = Session(source, live)
    session.start()
    try:
        source.step(5)
        wait_for(searches, 60)
    finally:
        session.stop()
    wait_for(lambda: not searches())


def searches():
    """Return the processes that look for cells for this one."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            found += [child] * ("search" in child.cmdline())
    return found


def test_by_hand_it_wants_the_numbers_of_two_files():
    out = subprocess.run(
        [sys.executable, "-m", "roi_core.cli", "search"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 2
    assert "the following arguments are required" in out.stderr
