"""Compiling happens in a process of its own, once, and ends with whoever wanted it."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numba
import psutil
import pytest

from roi_core import compiler, jit
from roi_core.analysis import Analysis
from roi_core.compiler import Compiler, compile_here, compiled
from tests.core.test_session import live, wait_for
from tests.fakes import fake_stages

FILL = Compiler.fill
QUICK, ENDLESS, BROKEN = "tests.kernels:quick", "tests.kernels:endless", "tests.kernels:broken"
REPO = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, for this process and its children."""
    monkeypatch.setattr(Compiler, "fill", FILL)
    monkeypatch.setattr(Compiler, "_tried", set())
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("WAITING", str(tmp_path / "waiting"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiler, "_kept", jit.kernel(compiler._kept.py_func))
    return tmp_path


@pytest.fixture
def no_child(monkeypatch):
    def refuse(*_arguments, **_more):
        raise AssertionError("a child was started")

    monkeypatch.setattr(compiler.subprocess, "Popen", refuse)


def waiting(cache):
    """The process that waits in `endless`."""
    wait_for(lambda: (cache / "waiting").exists() and (cache / "waiting").read_text().endswith("\n"), 30)
    return psutil.Process(int((cache / "waiting").read_text()))


def gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_part_is_compiled_once_in_another_process(cache, monkeypatch, caplog):
    assert not compiled(QUICK)
    Compiler().fill(QUICK)
    assert compiled(QUICK)
    assert [file.name.partition("-")[0] for file in cache.glob("tests*/*.nbi")] == ["kernels.doubled"]
    assert not caplog.records

    monkeypatch.setattr(Compiler, "_tried", set())
    monkeypatch.setattr(compiler.subprocess, "Popen", None)
    Compiler().fill(QUICK)


@pytest.mark.parametrize("change", ["file", "sources", "torn", "other"])
def test_what_changed_is_compiled_anew(cache, monkeypatch, change):
    compile_here(QUICK)
    stamp = compiler._stamp(QUICK)
    told = json.loads(stamp.read_text())
    assert compiled(QUICK)
    if change == "file":
        stamp.write_text(json.dumps(told | {"files": [str(cache / "not there.nbi")]}))
    elif change == "sources":
        monkeypatch.setattr(compiler, "_key", lambda home: "another")
    else:
        stamp.write_text("{" if change == "torn" else "[]")
    assert not compiled(QUICK)


def test_closing_ends_the_child_and_what_waits_for_it(cache):
    one, ended = Compiler(), []

    def fill():
        with pytest.raises(InterruptedError, match="closed while"):
            one.fill(ENDLESS)
        ended.append(True)

    thread = threading.Thread(target=fill)
    thread.start()
    child = waiting(cache)
    if hasattr(os, "nice"):
        assert child.nice() > os.nice(0)
    one.close()
    thread.join(20)
    assert ended
    assert gone(child)
    with pytest.raises(InterruptedError):
        one.fill(ENDLESS)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL and SIGINT")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_child_does_not_outlive_the_program(cache, number):
    code = f"from roi_core.compiler import Compiler; Compiler().fill({ENDLESS!r})"
    program = subprocess.Popen([sys.executable, "-c", code], cwd=REPO, stderr=subprocess.DEVNULL)
    child = waiting(cache)
    program.send_signal(number)
    program.wait(60)
    wait_for(lambda: gone(child), 60)


def test_a_failure_is_one_sentence_and_not_repeated(caplog):
    one = Compiler()
    one.fill(BROKEN)
    one.fill(BROKEN)
    (record,) = caplog.records
    assert record.getMessage().endswith("(they are counted): OSError: no room left on the disk")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("number", "why"),
    [
        (signal.SIGTERM, "the process that compiles was ended from outside (signal 15)"),
        (signal.SIGKILL, "the process that compiles was killed; is memory short?"),
    ],
)
def test_a_child_that_was_ended_from_outside_is_said_in_words(cache, caplog, monkeypatch, number, why):
    monkeypatch.setitem(compiler.SAID, ENDLESS, "cell finding")
    thread = threading.Thread(target=Compiler().fill, args=(ENDLESS,))
    thread.start()
    waiting(cache).send_signal(number)
    thread.join(60)
    assert caplog.messages == [
        f"cell finding is compiled while frames flow, and some may be lost (they are counted): {why}"
    ]


def test_a_program_that_cannot_be_started(monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    Compiler().fill(QUICK)
    assert "No such file" in caplog.text


@pytest.mark.usefixtures("no_child")
def test_where_nothing_can_be_kept_nothing_is_tried(monkeypatch, caplog):
    monkeypatch.setattr(compiler, "_kept", numba.njit(compiler._kept.py_func))
    Compiler().fill(QUICK)
    assert "no folder for compiled code can be written" in caplog.text
    compile_here(QUICK)


@pytest.mark.usefixtures("no_child")
def test_without_a_compiler_there_is_nothing_to_do(monkeypatch, caplog):
    monkeypatch.setattr(compiler, "_kept", compiler._kept.py_func)
    Compiler().fill(QUICK)
    assert not caplog.records


@pytest.mark.skipif(os.name != "posix", reason="a script stands for the frozen program")
def test_a_frozen_program_starts_itself(cache, monkeypatch, caplog):
    app = cache / "app"
    app.write_text(
        f"#!{sys.executable}\nimport sys\nsys.frozen, sys.executable = True, __file__\n"
        "from roi_core.cli import main\nsys.exit(main())\n"
    )
    app.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(app))
    compiler._key.cache_clear()
    Compiler().fill(QUICK)
    assert compiled(QUICK)
    assert not caplog.records
    compiler._key.cache_clear()


def test_the_stages_of_a_camera_are_compiled_elsewhere(cache, monkeypatch):
    monkeypatch.setattr(Compiler, "fill", lambda one, part: FILL(one, ENDLESS))
    analysis = Analysis((32, 32), 30.0, inline=False)
    analysis._prepare.begin(0)
    assert analysis.states()["prepare"] == "making"
    child = waiting(cache)
    analysis.close()
    assert gone(child)


def test_those_of_a_file_are_not(monkeypatch):
    monkeypatch.setattr(Compiler, "fill", None)
    with fake_stages(monkeypatch):
        analysis = Analysis((32, 32), 30.0, inline=True)
        analysis.begin(live("motion.enabled=true").current)
        assert analysis.states()["motion"] == "ready"
        analysis.close()


def test_the_command_goes_through_the_parts_it_is_given():
    words = [sys.executable, "-m", "roi_core.cli", "warm-up", QUICK]
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{QUICK} is compiled (")
    assert compiled(QUICK)
