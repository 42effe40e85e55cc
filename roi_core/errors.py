r"""Everything that can go wrong on purpose, as sentences a scientist can act on.

::

    RoiError
    ├── SettingsError(ValueError)       "camera.rate = -1: must be greater than 0"
    ├── SourceError(OSError)
    │   ├── SourceNotFound              "no camera 3; found 0 (1280x720)"
    │   └── SourceLost                  "camera 0 gave no frame for 5 s (last: 1204)"
    ├── RoiGeometryError(ValueError)    "polygon 'c7' has 2 points; 3 or more are needed"
    ├── RoiFileError(ValueError)        "two.csv line 3: radius -4 is negative; use 0 or more"
    ├── SinkError(OSError)
    │   └── RecorderError               "disk full after row 18240 of out.h5; rows up to 18200 are safe"
    ├── RecordingError(ValueError)      "out.h5 is damaged: ..."
    │   └── NotARecording               "out.h5 is not a recording: /time is missing"
    ├── TableError(ValueError)          "ttl.csv line 3: 'x' is not a time: seconds since the first frame"
    ├── CatalogueError(OSError)         "the catalogue c.sqlite cannot be used: another program holds it"
    ├── ComponentError(LookupError)     "component 7 cannot be split: it is no more (part of 3)"
    └── MissingExtra(ImportError)       "the window needs dearpygui: pip install \"roi-stream[gui]\""

Each also inherits the built-in it refines, so ``except ValueError`` keeps working. The command line prints
a `RoiError`, and a file that the system `refused`, as one sentence; anything else is a programming error and
shows its traceback.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CatalogueError",
    "ComponentError",
    "MissingExtra",
    "NotARecording",
    "RecorderError",
    "RecordingError",
    "RoiError",
    "RoiFileError",
    "RoiGeometryError",
    "SettingsError",
    "SinkError",
    "SourceError",
    "SourceLost",
    "SourceNotFound",
    "TableError",
    "refused",
    "sentence",
]


class RoiError(Exception):
    """The root of every error this package raises on purpose."""


class SettingsError(RoiError, ValueError):
    """A setting that cannot be; carries its dotted path, the value seen and the rule it breaks."""

    def __init__(self, path: str, value: object, why: str) -> None:
        super().__init__(f"{path} = {value!r}: {why}")
        self.path = path
        self.value = value
        self.why = why


class SourceError(RoiError, OSError):
    """A camera or file that cannot give frames."""


class SourceNotFound(SourceError):
    """There is nothing under that name or number."""


class SourceLost(SourceError):
    """It gave frames once and gives none any more."""


class RoiGeometryError(RoiError, ValueError):
    """A shape that encloses nothing or is not made of numbers."""


class RoiFileError(RoiError, ValueError):
    """A ROI file with a row that cannot be used; carries the file, the line (or entry) and the reason."""

    def __init__(self, path: str | Path, line: int | str | None, why: str) -> None:
        where = f"{path}" if line is None else f"{path} line {line}"
        super().__init__(f"{where}: {why}")
        self.path = str(path)
        self.line = line
        self.why = why


class SinkError(RoiError, OSError):
    """A recorder or publisher that cannot take samples."""


class RecorderError(SinkError):
    """The recording cannot go on; the sentence tells how many rows are safe."""


class RecordingError(RoiError, ValueError):
    """A recording that cannot be read as it should."""


class NotARecording(RecordingError):
    """A file that is no recording of ours."""


class TableError(RoiError, ValueError):
    """A table of another program with a line that cannot be used; carries the file, the line, the reason."""

    def __init__(self, path: str | Path, line: int | None, why: str) -> None:
        where = f"{path}" if line is None else f"{path} line {line}"
        super().__init__(f"{where}: {why}")
        self.path = str(path)
        self.line = line
        self.why = why


class CatalogueError(RoiError, OSError):
    """An index of recordings that cannot be read or written now."""


class ComponentError(RoiError, LookupError):
    """Something that was to be done by hand to a component and cannot be."""


class MissingExtra(RoiError, ImportError):
    """A package that an optional feature needs."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f'{feature} needs {package}: pip install "roi-stream[{extra}]"')
        self.extra = extra


def sentence(error: BaseException) -> str:
    """Return what to tell a user: our own errors and the system's refusals speak for themselves.

    A bug also names its kind.
    """
    return str(error) if isinstance(error, RoiError) else refused(error) or f"{type(error).__name__}: {error}"


def refused(error: BaseException) -> str:
    """Return which file the system refused and why; '' of an error that tells of no file."""
    if not isinstance(error, OSError) or not error.strerror or not isinstance(error.filename, str | bytes):
        return ""
    return f"{os.fsdecode(error.filename)}: {error.strerror.lower()}"


def brief(text: object, letters: int = 200) -> str:
    """Return what a file or a library says on one line, cut to so many letters: it may be of any length."""
    line = " ".join(str(text).split())
    return line if len(line) <= letters else f"{line[: letters - 3]}..."
