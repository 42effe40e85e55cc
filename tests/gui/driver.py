"""Drives the real window: a process under Xvfb, moved with xdotool, watched through its test socket.

Nothing here sleeps to synchronise. The window answers the socket once per drawn frame, so asking is waiting:
two answers have a whole frame between them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "artifacts"
MENU = 25
"""px; height of the menu bar at 100 %."""


class Screen:
    """An X server of its own with a window manager."""

    def __init__(self, size: str = "1700x1000") -> None:
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.display = ":" + self._server.stdout.readline().strip()
        self.env = {**os.environ, "DISPLAY": self.display}
        self._manager = self._start_manager()
        within(30, self._managed, "openbox is there")

    def _start_manager(self) -> subprocess.Popen:
        return subprocess.Popen(["openbox", "--sm-disable"], env=self.env, stderr=subprocess.DEVNULL)

    def _managed(self) -> bool:
        """Tell whether the window manager is at work; it gives up when it comes before the server."""
        if self._manager.poll() is not None:
            self._manager = self._start_manager()
        words = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
        text = subprocess.run(words, env=self.env, capture_output=True, text=True, check=False).stdout
        return "window id" in text

    def close(self) -> None:
        for process in (self._manager, self._server):
            process.terminate()
            process.wait(10)
        self._server.stdout.close()


@dataclass
class State:
    """One answer of the window."""

    items: dict
    chips: dict
    image: dict
    state: dict
    panels: list
    told: dict
    typing: bool
    busy: list
    made: list
    menus: dict

    def __getattr__(self, name):
        return self.state[name]


class Window:
    """The running program."""

    def __init__(
        self,
        screen: Screen,
        home: Path,
        *words: str,
        code: str = "",
        first: bool = False,
        command: tuple[str, ...] = (),
        **env: str,
    ) -> None:
        self.home = home
        self._socket_path = home / "socket"
        self.env = {
            **screen.env, "PYTHONPATH": str(ROOT), "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
            "ROI_STREAM_TEST_SOCKET": str(self._socket_path), **env,
        }  # fmt: skip
        memory = home / "config" / "roi_stream" / "window.json"
        if not first and not memory.exists():  # a first start shows the tour, which is in the way
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text('{"toured": true}')
        self._log = (home / "output.txt").open("wb")
        python = (sys.executable, *(("-c", code) if code else ("-m", "roi_stream_gui")))
        self.process = subprocess.Popen(
            [*(command or python), *words],
            env=self.env,
            cwd=home,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._reader = self._socket.makefile("r")
        try:
            within(60, self._connected, "the window listens", self.output)
            self.xid = within(20, self._find, "a window")
            self.locate()
        except BaseException:
            self.kill()
            raise

    # -- watching -----------------------------------------------------------------------------------------

    def ask(self) -> State:
        self._socket.sendall(b"?\n")
        return State(**json.loads(self._reader.readline()))

    def until(self, true, what: str, seconds: float = 20.0) -> State:
        """Ask until `true(state)`; fail with everything known when it does not come."""
        deadline = time.monotonic() + seconds
        while not true(state := self.ask()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{state.state}\n{self.output()}")
        return state

    def settle(self, frames: int = 3) -> State:
        """Let whole frames pass."""
        for _ in range(frames):
            state = self.ask()
        return state

    def running(self, frames: int = 5) -> State:
        return self.until(lambda s: s.phase == "running" and s.frames >= frames, "frames flow", 60)

    def locate(self) -> None:
        """Learn where the window's contents are on the screen."""
        words = ["xwininfo", "-id", self.xid]
        text = subprocess.run(words, env=self.env, capture_output=True, text=True, check=True).stdout
        number = {line.split(":")[0].strip(): line.split()[-1] for line in text.splitlines() if ":" in line}
        self.left, self.top = int(number["Absolute upper-left X"]), int(number["Absolute upper-left Y"])
        self.size = int(number["Width"]), int(number["Height"])

    def screenshot(self, name: str) -> Path:
        SHOTS.mkdir(exist_ok=True)
        self.settle(4)
        path = SHOTS / f"{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.env, check=True)
        return path

    def output(self) -> str:
        return (self.home / "output.txt").read_text(errors="replace")

    # -- moving -------------------------------------------------------------------------------------------

    def click(self, name: str) -> State:
        """Click the middle of a named widget."""
        self.point(name)
        self._tool("mousedown", "1")
        self.settle(2)
        self._tool("mouseup", "1")
        return self.settle()

    def menu(self, path: str) -> State:
        """Choose an entry of the menu, such as ``View/Theme/Light``, by clicking through to it."""
        left, top, before, names = 0, 0, 0, path.split("/")
        for depth in range(1, len(names) + 1):
            name = "/".join(names[:depth])
            x, y = self.ask().menus[name][:2]
            self._to(left + x + 12, top + y + 10)
            self.settle(2)
            self._tool("mousedown", "1")
            self.settle(2)
            self._tool("mouseup", "1")
            if depth < len(names):
                width = self.until(lambda s, n=name: s.menus[n][2], f"{name} opens").menus[name][2]
                left, top = (x - 4, MENU) if depth == 1 else (left + before, top + y - 6)
                before = width
        return self.settle(3)

    def point(self, name: str) -> None:
        x, y, width, height = self.ask().items[name]
        self._to(x + width / 2, y + height / 2)
        self.settle(2)

    @contextmanager
    def holding(self, name: str):
        self.point(name)
        self._tool("mousedown", "1")
        yield
        self._tool("mouseup", "1")
        self.settle()

    def drag(self, *points: tuple[float, float], keys: tuple[str, ...] = ()) -> State:
        """Press at the first image point, move through the others, release at the last."""
        for key in keys:
            self._tool("keydown", key)
        self.hover(*points[0])
        self._tool("mousedown", "1")
        self.settle(2)
        for point in points[1:]:
            self.hover(*point)
        self._tool("mouseup", "1")
        for key in keys:
            self._tool("keyup", key)
        return self.settle()

    def drag_widget(self, name: str, pixels: float) -> State:
        """Drag a number sideways."""
        x, y, width, height = self.ask().items[name]
        self._to(x + width / 2, y + height / 2)
        self._tool("mousedown", "1")
        self.settle(2)
        for part in (0.3, 0.6, 1.0):
            self._to(x + width / 2 + part * pixels, y + height / 2)
            self.settle(2)
        self._tool("mouseup", "1")
        return self.settle()

    def hover(self, x: float, y: float) -> None:
        """Move the mouse to an image point."""
        image = self.ask().image
        self._to(image["x"] + image["zoom"] * x, image["y"] + image["zoom"] * y)
        self.settle(2)

    def press(self, x: float, y: float, *, times: int = 1, button: int = 1) -> State:
        """Click at an image point."""
        self.hover(x, y)
        self._tool("click", "--repeat", str(times), "--delay", "60", str(button))
        return self.settle()

    def key(self, *keys: str) -> State:
        """Press keys; the window takes in one press or release per frame."""
        for key in keys:
            *held, last = key.split("+")
            for modifier in held:
                self._tool("keydown", modifier)
                self.settle(2)
            self._tool("key", last)
            self.settle(4)
            for modifier in reversed(held):
                self._tool("keyup", modifier)
                self.settle(2)
        return self.settle(2)

    def type(self, text: str) -> State:
        self._tool("type", "--delay", "20", text)
        return self.settle(2 * len(text) + 4)

    def fill(self, name: str, text: str, end: str = "Return") -> State:
        """Replace the text of a field."""
        self.click(name)
        self.until(lambda s: s.typing, f"{name} is typed into")
        self.key("ctrl+a")
        self.type(text)
        return self.key(end)

    def aside(self) -> State:
        """Put the mouse where nothing explains itself."""
        self._to(self.size[0] - 3, self.size[1] - 3)
        return self.settle(2)

    def resize(self, width: int, height: int) -> State:
        self._tool("windowsize", self.xid, str(width), str(height))
        within(20, lambda: (self.locate(), self.size)[1] == (width, height), f"{width}x{height}")
        return self.settle(5)

    def minimise(self) -> None:
        self._tool("windowminimize", self.xid)

    def restore(self) -> None:
        self._tool("windowmap", self.xid)
        self._tool("windowactivate", self.xid)
        self.settle(3)

    def close_button(self) -> None:
        """Ask the window to close, as the button of the window manager does."""
        self._tool("windowactivate", "--sync", self.xid)
        self._tool("key", "alt+F4")

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(40)
        self._drop()
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        self._drop()

    def _drop(self) -> None:
        self._reader.close()
        self._socket.close()
        self._log.close()

    def _to(self, x: float, y: float) -> None:
        self._tool("mousemove", "--sync", str(round(self.left + x)), str(round(self.top + y)))

    def _tool(self, *words: str) -> str:
        command = ["timeout", "10", "xdotool", *words]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False).stdout

    def _find(self) -> str:
        return "".join(self._tool("search", "--name", "^ROI Stream$").split()[-1:])

    def _connected(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the window ended with {self.process.returncode}\n{self.output()}")
        try:
            self._socket.connect(str(self._socket_path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True


def within(seconds: float, true, what: str, tell=str):
    """Poll something that cannot be waited for; fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not (result := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}\n{tell()}")
        time.sleep(0.02)
    return result
