"""Chinese, Japanese and Korean letters, which the shipped font has not: a font of the system may have them.

It is looked for when the first such letter is to be shown, on a thread of its own; most sessions never need
it. Dear PyGui cannot join two fonts, so all text is drawn in it from then on; a glyph costs nothing before
it is drawn, the font's file as much memory as it is long (20 MB).
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Final

__all__ = ["Finder", "scripts"]

log = logging.getLogger(__name__)

SAMPLES: Final = {"han": 0x4E2D, "kana": 0x304B, "hangul": 0xAC00}
"""A letter of each script."""
RANGES: Final = (
    (0x1100, 0x11FF, "hangul"), (0x2E80, 0x303F, "han"), (0x3040, 0x30FF, "kana"), (0x3100, 0x312F, "han"),
    (0x3130, 0x318F, "hangul"), (0x31F0, 0x31FF, "kana"), (0x3400, 0x9FFF, "han"),
    (0xA960, 0xD7FF, "hangul"), (0xF900, 0xFAFF, "han"), (0xFF00, 0xFFEF, "kana"), (0x20000, 0x3FFFF, "han"),
)  # fmt: skip
FIRST: Final = chr(RANGES[0][0])
PLACES: Final = {
    "win32": (
        ("C:/Windows/Fonts/msyh.ttc", "han kana"), ("C:/Windows/Fonts/malgun.ttf", "hangul han kana"),
        ("C:/Windows/Fonts/YuGothM.ttc", "kana han"), ("C:/Windows/Fonts/meiryo.ttc", "kana han"),
        ("C:/Windows/Fonts/simsun.ttc", "han kana"),
    ),
    "darwin": (
        ("/System/Library/Fonts/PingFang.ttc", "han kana"),
        ("/System/Library/Fonts/Hiragino Sans GB.ttc", "han kana"),
        ("/System/Library/Fonts/AppleSDGothicNeo.ttc", "hangul kana"),
        ("/System/Library/Fonts/Supplemental/Arial Unicode.ttf", "han kana hangul"),
        ("/Library/Fonts/Arial Unicode.ttf", "han kana hangul"),
    ),
}  # fmt: skip
"""Where systems without fontconfig keep such fonts, the best first, and the scripts they have."""


def scripts(text: str) -> set[str]:
    """Return which of the scripts of `SAMPLES` a text has letters of."""
    found = set()
    for letter in text:
        if letter >= FIRST:
            found |= {script for low, high, script in RANGES if low <= ord(letter) <= high}
    return found


class Finder:
    """Notes which scripts are wanted; ``font`` is a file that has them, as soon as one is found."""

    def __init__(self) -> None:
        self.font: Path | None = None
        self._wanted: set[str] = set()
        self._thread: Thread | None = None

    def note(self, text: str) -> None:
        """Look for a font when a text has letters of another script; from the window's thread."""
        if text.isascii():
            return
        new = scripts(text) - self._wanted
        if new:
            self._wanted |= new
            self._thread = Thread(
                target=self._find, args=(frozenset(self._wanted),), name="font", daemon=True
            )
            self._thread.start()

    def wait(self) -> None:
        """Wait until the search is over."""
        if self._thread is not None:
            self._thread.join()

    def _find(self, wanted: frozenset[str]) -> None:
        found = find(wanted)
        if wanted != self._wanted:  # another search, for more, is on its way
            return
        if found is not None:
            self.font = found
        elif self.font is None:
            log.info("no font of this system has these letters, so each is shown as '?'")


def find(wanted: frozenset[str]) -> Path | None:
    """Return a font that has letters of all scripts wanted, else of one of them; None when there is none."""
    ask = _listed if sys.platform in PLACES else _by_fontconfig
    for some in (wanted, *({script} for script in sorted(wanted))):
        found = ask(set(some))
        if found is not None:
            return found
    return None


def _listed(wanted: set[str]) -> Path | None:
    fonts = ((Path(path), set(has.split())) for path, has in PLACES[sys.platform])
    return next((path for path, has in fonts if wanted <= has and path.is_file()), None)


def _by_fontconfig(wanted: set[str]) -> Path | None:
    """Ask fontconfig for its favourite, and whether that has them: it gives one in any case."""
    letters = " ".join(f"{SAMPLES[script]:x}" for script in sorted(wanted))
    if shutil.which("fc-match") is None:
        return None
    best = _said("fc-match", f"sans-serif:charset={letters}")
    return Path(best[0]) if best and best[0] in _said("fc-list", f":charset={letters}") else None


def _said(*command: str) -> list[str]:
    """Return the files that a program of fontconfig names."""
    name, pattern = command
    try:
        done = subprocess.run(
            [name, "-f", "%{file}\n", pattern], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines()
