"""The program in one folder, as it is given to a machine without Python: built, started, looked at, ended."""

import importlib.util
import os
import subprocess
import sys

import psutil
import pytest

from tests.gui.driver import ROOT, Window

pytestmark = [
    pytest.mark.gui,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(
        importlib.util.find_spec("PyInstaller") is None and "ROI_STREAM_NO_SKIP_GUI" not in os.environ,
        reason='needs pip install "roi-stream[package]"',
    ),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frozen")
    words = ("--distpath", folder / "dist", "--workpath", folder / "work", "--noconfirm")
    done = subprocess.run(
        [sys.executable, "-m", "PyInstaller", *map(str, words), str(ROOT / "assets" / "roi_stream.spec")],
        cwd=folder,
        env={**os.environ, "PYINSTALLER_CONFIG_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "dist" / "roi_stream" / "roi_stream_gui"


def test_it_tells_its_version_and_refuses_in_a_sentence(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("roi_stream_gui ")
    bare = {name: text for name, text in os.environ.items() if "DISPLAY" not in name}
    done = subprocess.run([program], env=bare, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_frames_motion_and_cells_in_a_program_without_python(program, screen, tmp_path):
    nothing = {"PYTHONPATH": "", "PATH": "/usr/bin:/bin", "VIRTUAL_ENV": ""}
    window = Window(screen, tmp_path, "simulated:2p", command=(str(program),), **nothing)
    try:
        window.running()
        ready = window.until(
            lambda s: {s.stages.get("motion"), s.stages.get("cnmf")} == {"ready"}, "motion and cells", 900
        )
        assert not [text for _, text in ready.messages if "compiled while frames flow" in text]
        window.until(lambda s: s.cells["accepted"], "a cell", 120)
        children = psutil.Process(window.process.pid).children()
        assert [child.cmdline()[1] for child in children] == ["search"], (
            "cells are looked for in a process of its own"
        )
        window.screenshot("frozen")
        assert window.terminate() == 0
    finally:
        window.kill()
