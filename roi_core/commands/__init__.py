"""The commands of ``roi_stream``, one file each; a file is imported when its command is used.

A module has ``add_arguments(parser)`` and ``run(arguments) -> exit code``. What is heavy is imported inside
``run``: ``roi_stream COMMAND --help`` loads neither OpenCV nor numba nor HDF5.
"""

from __future__ import annotations

from typing import Final

__all__ = ["COMMANDS", "HIDDEN"]

COMMANDS: Final[dict[str, str]] = {
    "run": "measure ROIs on a camera or a file (the default command)",
    "devices": "list the cameras of this machine",
    "random-rois": "write a file of random circles",
    "info": "tell what is in a recording, also an unfinished one",
    "recover": "finish a recording that a crash cut short",
    "export": "write a recording in another format",
    "events": "print events, add those of another program, compare frames with TTL pulses",
    "photometry": "correct dF/F by an isosbestic channel",
    "import": "write the cells of another program as regions",
    "clock": "tell what is wrong with the time stamps of a recording",
    "refine": "find every cell's trace anew, over the whole recording",
    "compare": "tell which cells two recordings share",
    "settings": "print every setting with its meaning, as YAML",
    "catalogue": "find a recording again by subject, date or any word",
    "card": "print a session card to fill in, as YAML",
    "warm-up": "compile everything once, such as after installing",
    "demo": "see it work on a simulated camera",
}
"""A word and what it does; ``random-rois`` is in ``random_rois.py``, ``import`` in ``import_.py``."""

HIDDEN: Final[dict[str, str]] = {"search": "look for cells for the process that started this one"}
"""With what the program only starts itself; not listed."""
