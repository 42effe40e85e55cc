"""One short sound, with what the system has; silence where it has nothing. Knows no toolkit."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

__all__ = ["beep"]


def beep() -> None:
    """Sound the bell; never waits and never fails."""
    with suppress(OSError, AttributeError, ImportError):
        if sys.platform == "win32":
            import winsound

            winsound.MessageBeep()
        elif os.environ.get("DISPLAY"):
            _ring_x()
        else:
            sys.stderr.write("\a")
            sys.stderr.flush()


def _ring_x() -> None:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    server = x11.XOpenDisplay(None)
    if server:
        x11.XBell(ctypes.c_void_p(server), 0)
        x11.XCloseDisplay(ctypes.c_void_p(server))
