"""The search for cells in a process of its own: it finds the same, and may be killed at any moment."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import Pipe

import numpy as np
import psutil
import pytest

from roi_core.calm import ASIDE, BEGUN
from roi_core.cnmf import apart, ground
from roi_core.cnmf.apart import Distant, Lost, Question, serve
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
    """Ring, noise, and the process that looks at them; it has begun."""
    made = ground._apart(FIELD, RATE, FRAMES)
    made[2].look(made[0], 0, made[1])
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


def ended(pid):
    """Return whether a process is no more, or a corpse that its new parent has not looked at."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


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


THREAD = "they are looked for on a thread from now on"


@pytest.mark.parametrize("row", [30, 200])
def test_one_that_is_killed_is_an_alert_and_cells_are_looked_for_on_a_thread(movie, row, caplog):
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        answers = waited(finder, movie.pictures[:row])
        os.kill(finder._detector._process.pid, signal.SIGKILL)
        answers += waited(finder, movie.pictures[row:], row)
        assert finder._failures == 0
    finally:
        finder.close()
    (alert,) = alerts(answers)
    assert alert["text"] == "the process that looks for cells was ended by signal 9"
    assert alert["then"] == THREAD
    assert "Traceback" not in caplog.text
    assert type(finder._detector) is Detector
    assert movie.found(answers[-1].components).count(-1) <= 1
    for cell in answers[row].ids:
        if cell in answers[-1].ids:
            assert np.isfinite(trace(answers, cell)[row:]).all(), "no frame was without its cells"


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("/nowhere", "no process can be started that looks for cells: [Errno 2] "),
        (shutil.which("false"), "the process that looks for cells was ended with exit code 1"),
        ("", "no process can be started that looks for cells: Python does not know"),
    ],
)
def test_one_that_cannot_live_is_one_alert_also_when_the_size_of_cells_is_edited(
    movie, monkeypatch, program, text
):
    monkeypatch.setattr(sys, "executable", program)
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        answers = waited(finder, movie.pictures[:100])
        for radius in (4.0, 5.0, 4.0, 5.0):
            answers += edited(finder, movie.pictures[100:], radius, len(answers))
        answers += waited(finder, movie.pictures[100:], len(answers))
        assert not finder._blind
    finally:
        finder.close()
    (alert,) = alerts(answers)
    assert alert["text"].startswith(text)
    assert alert["then"] == THREAD
    assert movie.found(answers[-1].components).count(-1) <= 1


def edited(finder, pictures, radius, first):
    """Step until cells have another size."""
    answers, settings = [], SETTINGS.with_value("cnmf.cell_radius", radius)
    while finder.field.radius != radius:
        answers += run(finder, pictures[len(answers) : len(answers) + 1], settings, first + len(answers))
        finder._builder._thread.join(0.001)
    return answers


def test_one_that_gives_no_answer_is_given_up(movie, monkeypatch):
    monkeypatch.setattr(apart, "LIMIT", 0.1)
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        with monkeypatch.context() as patient:
            patient.setattr(apart, "LIMIT", 60.0)
            answers = waited(finder, movie.pictures[:100])
        process = finder._detector._process
        os.kill(process.pid, signal.SIGSTOP)
        answers += waited(finder, movie.pictures[100:], 100)
        assert process.returncode == -signal.SIGKILL
    finally:
        finder.close()
    (alert,) = alerts(answers)
    assert alert["text"] == "the process that looks for cells gave no answer for 0.1 s"
    assert movie.found(answers[-1].components).count(-1) <= 1


def test_one_that_hangs_is_replaced_when_the_size_of_cells_is_edited_and_nobody_waits_for_it(movie):
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        answers = waited(finder, movie.pictures[:100])
        old = finder._detector._process
        os.kill(old.pid, signal.SIGSTOP)
        while not finder._aside.busy:
            answers += run(finder, movie.pictures[100:101], first=len(answers))
        answers += edited(finder, movie.pictures[100:], 4.0, len(answers))
        answers += waited(
            finder, movie.pictures[100:], len(answers), SETTINGS.with_value("cnmf.cell_radius", 4.0)
        )
        assert old.returncode == -signal.SIGKILL
        assert isinstance(finder._detector, Distant), "the end of the old one is not that of the new one"
        assert finder._detector._process.pid != old.pid
    finally:
        finder.close()
    assert alerts(answers) == []


def test_an_edit_that_is_taken_back_leaves_nothing(movie):
    finder = finder_for(movie.pictures, inline=False, apart=True)
    try:
        waited(finder, movie.pictures[:30])
        run(finder, movie.pictures[30:31], SETTINGS.with_value("cnmf.cell_radius", 4.0), 30)
        for row in range(31, 600):
            run(finder, movie.pictures[row : row + 1], first=row)
            if not finder._builder.busy:
                break
            finder._builder._thread.join(0.001)
        assert not finder._builder._done
        assert finder.field.radius == 5.0
    finally:
        finder.close()


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
    ring, detector, dark = Ring(FRAMES, FIELD), Detector(FIELD, RATE), still(3)
    for k in range(100):
        put(ring, dark(k) + flash(k, (16, 16), start=80))
    detector.skip(100)
    peak = Peak(9.0, 16, 16, 20, 100)
    assert detector._fit(peak, ring, NOISE).z > 10
    cut = ring.cut

    def late(*args):
        patch = cut(*args)
        for _ in range(FRAMES):
            ring.publish(0)
        return patch

    ring.cut = late
    assert detector._fit(peak, ring, NOISE) is None


def test_candidates_that_come_half_a_ring_late_are_left_alone(movie):
    finder = finder_for(movie.pictures)
    run(finder, movie.pictures[:20])
    ring, tried = finder._ring, []
    candidate = Candidate(10, 10, np.ones((5, 5), np.float32), np.ones(20, np.float32), ring.head)
    finder._aside.busy = True
    finder._asked = finder._detector
    finder._aside._done.append([candidate])
    for _ in range(len(ring) // 2):
        ring.publish(0)
    finder.census.birth = tried.append
    finder._take_over(20, SETTINGS)
    assert tried == []


def test_it_computes_when_nobody_else_wants_to(places):
    ring, noise, distant = places
    wait_for(lambda: distant.look(ring, 0, noise) or idles(distant))
    nice = os.getpriority(os.PRIO_PROCESS, distant._process.pid)
    assert nice == min(BEGUN + ASIDE, 19), "a hurried look takes the share of a thread that steps back"
    assert os.getpgid(distant._process.pid) == distant._process.pid, "out of reach of Ctrl+C"


def idles(distant):
    tasks = psutil.Process(distant._process.pid).threads()
    return os.SCHED_IDLE in {os.sched_getscheduler(task.id) for task in tasks}


@pytest.mark.parametrize(
    ("hurried", "took", "spent", "hurries"),
    [
        (True, 0.02, 0.02, False),  # nobody was in the way
        (True, 0.05, 0.001, False),
        (True, 0.40, 0.04, True),  # others were
        (False, 0.40, 0.04, False),  # it may be put off
        (False, 1.10, 0.04, True),  # not for so long
    ],
)
def test_a_look_waits_for_an_idle_processor_while_there_is_one(hurried, took, spent, hurries):
    assert apart._hurries(hurried, took, spent) is hurries


def test_a_look_that_hurries_is_on_another_thread(monkeypatch):
    threads, ways = [], [False, True, False, False]

    def look(_looking, _question):
        threads.append(threading.get_ident())
        return None, 0.0

    monkeypatch.setattr(apart.Looking, "answer", look)
    monkeypatch.setattr(apart, "_hurries", lambda *_args: ways[len(threads) - 1])
    monkeypatch.setattr(apart, "_idle", lambda: None)
    shared, (ours, theirs) = Shared(), Pipe()
    apart.looked_at(FRAMES, FIELD, shared.zeros)
    server = threading.Thread(target=serve, args=(os.dup(theirs.fileno()), os.dup(shared.file)))
    server.start()
    ours.send(apart.Begin(FIELD, RATE, FRAMES, BEGUN))
    for _ in ways:
        ours.send(Question(0, [], 0, USUAL))
        ours.recv()
    ours.close()
    theirs.close()
    server.join()
    own, idle = threads[:2]
    assert idle != own
    assert threads == [own, idle, own, idle]


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
    ring, noise, distant = ground._apart(FIELD, RATE, FRAMES)
    distant.look(ring, 0, noise)
    pid = distant._process.pid
    del distant
    assert not psutil.pid_exists(pid)


def test_closed_before_the_first_look_there_is_none():
    ring, noise, distant = ground._apart(FIELD, RATE, FRAMES)
    distant.close()
    with pytest.raises(Lost):
        distant.look(ring, 0, noise)
    assert distant._process is None


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
    wait_for(lambda: ended(int(out.stdout)))
    assert out.stderr == ""


@pytest.mark.parametrize("why", ["no memory", "another system"])
def test_without_memory_to_share_cells_are_looked_for_on_a_thread(movie, monkeypatch, why):
    def refuse(*_args, **_more):
        raise OSError("injected")

    if why == "no memory":
        monkeypatch.setattr(os, "memfd_create", refuse)
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


def test_a_live_session_looks_for_cells_in_such_a_process_and_ends_it():
    source, live = Stepped(count=200), LiveSettings(SETTINGS)
    session = Session(source, live)
    session.start()
    try:
        source.step(60)
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
