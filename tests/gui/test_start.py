"""Starting the program: wrong words, no display, no toolkit, the launcher; nothing here opens a window."""

import configparser
import os
import shlex
import socket
import subprocess
import sys

import pytest

from roi_stream_gui import desktop, words
from roi_stream_gui.__main__ import main
from roi_stream_gui.probe import Probe
from roi_stream_gui.shipped import asset


def run(*more, **env):
    clean = {
        name: text for name, text in os.environ.items() if not name.endswith(("DISPLAY", "_NUM_THREADS"))
    }
    return subprocess.run(
        [sys.executable, *more], capture_output=True, text=True, env={**clean, **env}, timeout=60, check=False
    )


def test_without_a_display_it_says_one_sentence():
    done = run("-m", "roi_stream_gui")
    assert done.returncode == 1
    assert done.stderr.strip() == words.NO_DISPLAY
    assert done.stdout == ""


def test_wayland_alone_is_no_display_for_an_x11_toolkit():
    done = run("-m", "roi_stream_gui", WAYLAND_DISPLAY="wayland-0")
    assert (done.returncode, done.stderr.strip()) == (1, words.NO_DISPLAY)


def test_linear_algebra_is_told_to_use_one_thread_before_it_is_loaded():
    """Its own second thread would not step back for the camera's and the window's."""
    tell = "print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    done = run("-c", f"import os, sys; from roi_stream_gui.__main__ import main; main([]); {tell}")
    assert done.stdout.split() == ["1", "False"]


@pytest.mark.parametrize("display", [":987", "garbage", "nowhere.invalid:0"])
def test_a_display_that_does_not_answer_is_a_sentence(display):
    done = run("-m", "roi_stream_gui", DISPLAY=display)
    assert done.returncode == 1
    assert done.stderr.strip() == words.DEAD_DISPLAY.format(display)


def test_without_dearpygui_the_extra_is_named():
    hide = (
        "import sys; sys.modules['dearpygui'] = None; sys.argv = ['x']; import roi_stream_gui.__main__ as m; "
    )
    done = run("-c", f"{hide}sys.exit(m.main([]))", DISPLAY=":none")
    assert done.returncode == 1
    assert done.stderr.strip() == 'roi_stream_gui: the window needs dearpygui: pip install "roi-stream[gui]"'


@pytest.mark.parametrize("line", ["--set camera.rate=-1", "--set camera.rat=1", "--settings /nowhere.yaml"])
def test_wrong_settings_are_a_sentence(line, capsys, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":none")
    assert main(line.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_controller_and_the_display_know_no_toolkit():
    code = "import roi_stream_gui.controller, roi_stream_gui.display, roi_stream_gui.shortcuts, sys; "
    done = run("-c", f"{code}sys.exit('dearpygui' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_a_test_that_hangs_up_costs_the_window_nothing(tmp_path):
    probe = Probe(str(tmp_path / "s"))
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(tmp_path / "s"))
    peer.sendall(b"?\n" * 3)
    peer.close()
    for _ in range(3):
        probe.poll(lambda: {"much": "x" * 1_000_000})
    assert probe._peers == []
    probe.close()


class TestDesktop:
    @pytest.fixture
    def launcher(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        assert main(["--install-desktop"]) == 0
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str
        parser.read(tmp_path / "applications" / "roi_stream.desktop")
        assert capsys.readouterr().out.count("installed ") == 3
        return parser["Desktop Entry"]

    def test_the_launcher_starts_this_installation(self, launcher):
        command = shlex.split(launcher["Exec"])
        assert os.access(command[0], os.X_OK)
        done = run(*command[1:-1], "--version") if "python" in command[0] else None
        done = done or subprocess.run([command[0], "--version"], capture_output=True, text=True, check=False)
        assert done.stdout.startswith("roi_stream_gui ")

    def test_icon_and_title(self, launcher, tmp_path):
        assert launcher["Icon"] == str(tmp_path / "icons/hicolor/256x256/apps/roi_stream.png")
        assert (tmp_path / "icons/hicolor/256x256/apps/roi_stream.png").read_bytes()[:4] == b"\x89PNG"
        assert launcher["StartupWMClass"] == words.TITLE
        assert launcher["Terminal"] == "false"

    def test_again_replaces(self, launcher, tmp_path):
        assert desktop.install_desktop()[-1] == tmp_path / "applications" / "roi_stream.desktop"

    def test_a_copy_lies_on_the_desktop(self, launcher, tmp_path, monkeypatch):
        (tmp_path / "Desktop").mkdir()
        monkeypatch.setattr(desktop.shutil, "which", lambda _name: None)
        copy = desktop.install_desktop()[-1]
        assert copy == tmp_path / "Desktop" / "roi_stream.desktop"
        assert os.access(copy, os.X_OK)
        assert copy.read_text() == (tmp_path / "applications" / "roi_stream.desktop").read_text()

    def test_a_percent_sign_is_doubled(self):
        assert desktop._command("/env%20/python") == "/env%%20/python -m roi_stream_gui %f"

    def test_a_path_with_blanks_is_quoted(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "my env").mkdir()
        path = desktop.install_desktop(str(tmp_path / "my env" / "python"))[-1]
        assert f'Exec="{tmp_path}/my env/python" -m roi_stream_gui %f' in path.read_text()


@pytest.mark.parametrize(
    "name", ["DejaVuSans.ttf", "DejaVuSans.LICENSE.txt", "icon.png", "icon.svg", "roi_stream.desktop"]
)
def test_what_is_shipped_is_there(name):
    assert asset(name).stat().st_size > 0
