"""Compiles kernels in a process of its own, once, so that a running camera never waits for the compiler.

Compiling takes one to several minutes and holds the interpreter that does it; reading what numba has kept on
the disk takes a second. What was compiled from which sources is told by a stamp in numba's own folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numba
from llvmlite.binding import get_host_cpu_name

from roi_core import __version__, jit
from roi_core.itself import command, environment

__all__ = ["PARTS", "Compiler", "compile_here", "compiled"]

log = logging.getLogger(__name__)

PARTS: Final = {
    "pipeline": "roi_core.pipeline:warm_up",
    "prepare": "roi_core.rehearsal:prepare",
    "motion": "roi_core.rehearsal:motion",
    "maps": "roi_core.rehearsal:maps",
    "cnmf": "roi_core.rehearsal:cells",
}
"""What goes once through all kernels of a part: module and function. Other parts are called by these two."""
SAID: Final = {
    "pipeline": "what every frame goes through", "prepare": "the preparing of frames",
    "motion": "motion correction", "maps": "the summary pictures", "cnmf": "cell finding",
}  # fmt: skip
"""How a scientist calls the parts."""
LIMIT: Final = 900.0
"""Seconds after which a process that still compiles is given up."""
IN_VAIN: Final = "%s is compiled while frames flow, and some may be lost (they are counted): %s"


class Compiler:
    """Sees to it that parts are compiled before this process loads them; one for each session.

    Each part is tried once in the life of the program. When it cannot be, the reason is told, and the part is
    compiled where it is used.
    """

    _tried: Final[set[str]] = set()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._children: list[subprocess.Popen[bytes]] = []

    def fill(self, part: str) -> None:
        """Return when `part` need not be compiled any more, or cannot be; raise when closed meanwhile."""
        if part in self._tried or compiled(part):
            return
        self._tried.add(part)
        try:
            why = self._compile(part) if _folder() else "no folder for compiled code can be written"
        except (OSError, subprocess.SubprocessError) as error:
            why = str(error)
        if self._closed:
            self._tried.discard(part)
            raise InterruptedError(f"closed while {part} was compiled")
        if why or not compiled(part):
            log.warning(IN_VAIN, SAID.get(part, part), why or "the compiled code was not kept")

    def close(self) -> None:
        """End what is being compiled; from any thread."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()

    def _compile(self, part: str) -> str:
        """Compile in a child and wait for it; return what went wrong."""
        with tempfile.TemporaryFile("w+", errors="replace") as told:
            with self._lock:
                if self._closed:
                    return "closed"
                child = subprocess.Popen(command("warm-up", "--aside", part), stderr=told, **_options())
                self._children.append(child)
            try:
                child.wait(LIMIT)
            finally:
                _end(child)
            told.seek(0)
            return (_last(told.read()) or _fate(child.returncode)) if child.returncode else ""


def compiled(part: str) -> bool:
    """Return whether all kernels of `part` were kept on the disk, by any process, as they are now."""
    if not hasattr(_kept, "stats"):  # NUMBA_DISABLE_JIT
        return True
    try:
        told = json.loads(_stamp(part).read_text())
        return bool(told["key"] == _key(_home(part))) and all(map(os.path.exists, told["files"]))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def compile_here(part: str) -> None:
    """Go through all kernels of `part`, in this process, and put down that they are kept."""
    module, _, function = PARTS.get(part, part).partition(":")
    getattr(import_module(module), function)()
    folders = {kernel.stats.cache_path for kernel in jit.KERNELS if hasattr(kernel, "stats")} - {None}
    files = sorted(str(file) for folder in folders for file in Path(folder).glob("*.nbi"))
    if _folder() is not None:
        new = _stamp(part).with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"key": _key(_home(part)), "files": files}))
        new.replace(_stamp(part))


# -- the child --------------------------------------------------------------------------------------------


def _options() -> dict[str, Any]:
    """Return how it is started: the same code, out of reach of the terminal's Ctrl+C, ended by our end."""
    more: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        more = {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    more |= {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    return more | {"env": environment()}


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _fate(code: int) -> str:
    """Say how a process ended that left no word; below 0 the code is that of a signal."""
    if code >= 0:
        return f"the process that compiles ended without a word (exit code {code})"
    what = "killed; is memory short?" if code == -9 else f"ended from outside (signal {-code})"
    return f"the process that compiles was {what}"


def _last(text: str) -> str:
    """Return the last line in which there is something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


# -- the stamp --------------------------------------------------------------------------------------------


@jit.kernel
def _kept() -> None:
    """Tell by its cache where that of the others is."""


def _folder() -> str | None:
    """Return the folder in which numba keeps this module's kernels; None where it cannot write."""
    stats = getattr(_kept, "stats", None)
    return None if stats is None else stats.cache_path


def _stamp(part: str) -> Path:
    """Return the file that tells what was compiled of a part, for this kind of processor."""
    folder = _folder()
    if folder is None:
        raise FileNotFoundError("nothing is kept")
    return Path(folder) / f"{part.replace(':', '.')}.{get_host_cpu_name()}.nbstamp"


def _home(part: str) -> str:
    """Return the package that a part belongs to."""
    return PARTS.get(part, part).partition(".")[0]


@cache
def _key(home: str) -> str:
    """Return a hash of all that compiled code depends on: the sources of `home` and ours, and the tools."""
    key = hashlib.sha256("\n".join((__version__, numba.__version__, sys.version)).encode())
    if getattr(sys, "frozen", False):  # the sources are inside the program
        program = os.stat(sys.executable)
        key.update(f"{program.st_size} {program.st_mtime_ns}".encode())
        return key.hexdigest()
    ours = Path(__file__).parents[1]
    for package in sorted({"roi_core", home}):
        for source in sorted((ours / package).rglob("*.py")):
            key.update(source.read_bytes())
    return key.hexdigest()
