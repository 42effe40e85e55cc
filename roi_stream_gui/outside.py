"""What reaches the window from outside: signals, a display that dies, and sleep while it is minimised."""

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

__all__ = ["awake", "on_signals", "outlive_display"]

WAKE_PERIOD = 0.1
"""s; a minimised window sleeps inside GLFW until an event comes, so one is sent this often."""


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
