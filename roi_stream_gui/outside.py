"""What reaches the window from outside: signals, a display that dies, sleep while minimised, grabbed keys."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from roi_stream_gui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Grabbed", "awake", "on_signals", "outlive_display"]

WAKE_PERIOD = 0.1
"""s; a minimised window sleeps inside GLFW until an event comes, so one is sent this often."""
ALTS = (342, 346, 343, 347)
"""GLFW's numbers of Alt and Super, left and right."""


def on_signals(leave: Callable[[str], object]) -> None:
    """Call `leave` with the name of a signal that ends a program, unless it is ignored."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _frame: leave(signal.Signals(number).name))


def outlive_display(finish: Callable[[str], object]) -> Any:
    """Finish the recording when the X server dies: Xlib would end the process on the spot.

    Keep what is returned as long as the display is used.
    """

    def lost(_display: int | None) -> int:
        print(words.DISPLAY_LOST, file=sys.stderr, flush=True)
        finish(words.DISPLAY_GONE)
        os._exit(1)

    handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lost)
    with suppress(OSError):  # no Xlib, no need
        ctypes.CDLL("libX11.so.6").XSetIOErrorHandler(handler)
    return handler


@contextmanager
def awake() -> Iterator[None]:
    """Keep a minimised window's loop turning; only Linux needs it."""
    over = threading.Event()
    waker = threading.Thread(target=_wake, args=(over,), name="waker", daemon=True)
    waker.start()
    try:
        yield
    finally:
        over.set()
        waker.join()


def _wake(over: threading.Event) -> None:
    try:
        post = ctypes.CDLL(dpg.internal_dpg.__file__).glfwPostEmptyEvent
    except (AttributeError, OSError):
        return
    while not over.wait(WAKE_PERIOD):
        post()


class Grabbed:
    """Lets go of Alt and Super when the window manager kept their release, as after Alt+F4; X11 only.

    Dear ImGui takes neither Enter nor Esc in a field while it believes that one of them is held. GLFW has no
    public way to release a key.
    """

    def __init__(self) -> None:
        self._glfw: Any = None
        with suppress(AttributeError, OSError):
            glfw, x11 = ctypes.CDLL(dpg.internal_dpg.__file__), ctypes.CDLL("libX11.so.6")
            glfw.glfwGetCurrentContext.restype = glfw.glfwGetX11Display.restype = ctypes.c_void_p
            self._release, self._query = glfw["_glfwInputKey"], x11.XQueryKeymap
            self._glfw = glfw

    def update(self) -> None:
        """Ask the X server of each that seems to be held; called once per drawn frame."""
        window = self._glfw and ctypes.c_void_p(self._glfw.glfwGetCurrentContext())
        if not window:
            return
        held = [key for key in ALTS if self._glfw.glfwGetKey(window, key)]
        down = self._down() if held else b""
        for key in held:
            code = self._glfw.glfwGetKeyScancode(key)
            if not down[code // 8] >> code % 8 & 1:
                self._release(window, key, code, 0, 0)

    def _down(self) -> bytes:
        """Return one bit for each key of the keyboard: whether it is down."""
        keys = ctypes.create_string_buffer(32)
        self._query(ctypes.c_void_p(self._glfw.glfwGetX11Display()), keys)
        return keys.raw
