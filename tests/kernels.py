"""Little parts for `roi_core.compiler`: one that compiles at once, one that never ends, one that fails."""

import os
import threading
from pathlib import Path

from roi_core.jit import kernel


@kernel
def doubled(x: float) -> float:
    return 2 * x


def quick():
    assert doubled(1.5) == 3


def endless():
    """Tell who waits, then wait until the end of the process."""
    Path(os.environ["WAITING"]).write_text(f"{os.getpid()}\n")
    threading.Event().wait()


def broken():
    raise OSError("no room left on the disk")
