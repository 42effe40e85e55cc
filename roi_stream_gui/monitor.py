"""What the X server tells of the screen: whether there is one, its size, and how large it wants its text."""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["LARGEST", "SMALLEST", "Monitor"]

PLAIN_DPI: Final = 96.0
SMALLEST, LARGEST = 0.75, 2.5
IN_SIGHT: Final = 120
"""px of a window that must lie on the screen, so that the hand can reach it."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """A screen, or several side by side, px; a size of 0 is not known. ``scale`` 1 is 100 %."""

    width: int = 0
    height: int = 0
    scale: float = 1.0

    @classmethod
    def of(cls, display: str | None = None) -> Monitor | None:
        """Ask the X server of a display, by default ``$DISPLAY``; None when there is none."""
        try:
            x11 = ctypes.CDLL("libX11.so.6")
        except OSError:  # not X: nothing to ask
            return cls()
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XResourceManagerString.restype = ctypes.c_char_p
        name = os.environ.get("DISPLAY", "") if display is None else display
        server = ctypes.c_void_p(x11.XOpenDisplay(name.encode()))
        if not server:
            return None
        try:
            number = x11.XDefaultScreen(server)
            size = x11.XDisplayWidth(server, number), x11.XDisplayHeight(server, number)
            return cls(*size, scale_of(x11.XResourceManagerString(server) or b""))
        finally:
            x11.XCloseDisplay(server)

    def holds(self, left: int, top: int) -> bool:
        """Tell whether a window at this place could be seen and reached."""
        known = self.width > 0 and self.height > 0
        return known and 0 <= left <= self.width - IN_SIGHT and 0 <= top <= self.height - IN_SIGHT


def scale_of(resources: bytes) -> float:
    """Return the scale that the X resources ask for by ``Xft.dpi``, in quarters; 1 when they do not."""
    found = re.search(rb"^Xft\.dpi:\s*([0-9.]+)\s*$", resources, re.MULTILINE)
    try:
        dots = float(found[1]) if found else PLAIN_DPI
    except ValueError:
        return 1.0
    return min(max(round(4 * dots / PLAIN_DPI) / 4, SMALLEST), LARGEST)
