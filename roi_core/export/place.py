"""Where an export goes: made aside, moved into place when it is whole."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core import beside
from roi_core.errors import NotARecording, RecordingError, RoiError
from roi_core.recording import Recording
from roi_core.sinks.disk import why

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Place", "default"]

HDF5: Final = b"\x89HDF\r\n\x1a\n"
"""How each file of that kind begins."""


def default(recording: Path, ending: str) -> Path:
    """Return the name beside the recording."""
    return recording.parent / f"{recording.stem}{ending}"


class Place:
    """The file or folder to write; ``target`` is where it is in the end.

    Raises
    ------
    RecordingError
        Something is there that must not be replaced; or, later, the system refused something.
    """

    def __init__(self, target: Path, recording: Path, overwrite: bool) -> None:
        self.target = target
        self._recording = recording
        self._overwrite = overwrite
        with self._refusals():
            self._check()

    @contextlib.contextmanager
    def making(self) -> Iterator[Path]:
        """Give a path in a folder of its own; what is there afterwards is moved to its place.

        A writer may give its file another ending than that of the path; the target then gets it, too.
        """
        with self._refusals(), self._aside() as folder:
            yield folder / self.target.name
            (made,) = folder.iterdir()
            self.target = self.target.with_name(made.name)
            self._put(made)

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """Turn what the system refuses into a sentence."""
        try:
            yield
        except OSError as error:
            if isinstance(error, RoiError):
                raise
            raise RecordingError(f"cannot write {self.target}: {why(error)}") from error

    @contextlib.contextmanager
    def _aside(self) -> Iterator[Path]:
        name = self.target.name
        folder = Path(tempfile.mkdtemp(prefix=f"{name}.", suffix=".part", dir=self.target.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _check(self) -> None:
        if self.target.name in ("", ".."):
            raise RecordingError(f"{self.target} is a folder; give a name for what is to be written")
        owner = beside.owner(self.target)
        if owner is not None:
            raise RecordingError(
                f"{self.target} belongs to the recording {owner.name}; give another name with --out"
            )
        if not self.target.exists():
            return
        if self.target.samefile(self._recording):
            raise RecordingError(f"{self.target} is the recording itself; give another name with --out")
        if _is_recording(self.target):
            raise RecordingError(f"{self.target} is a recording, too; give another name with --out")
        if not self._overwrite:
            raise RecordingError(f"{self.target} exists; use --overwrite, or another name with --out")

    def _put(self, made: Path) -> None:
        """Move what was made into place; a folder replaces only a folder with the same names inside."""
        self._check()
        if made.is_dir() and self.target.is_dir():
            if _names(self.target) - _names(made):
                raise RecordingError(
                    f"{self.target} holds other files, too; remove it, or give another name with --out"
                )
            self.target.replace(made.parent / "old")
        elif made.is_dir() != self.target.is_dir() and self.target.exists():
            raise RecordingError(f"{self.target} is of another kind; give another name with --out")
        made.replace(self.target)


def _is_recording(path: Path) -> bool:
    """Tell whether a file is a recording, or one that is damaged or being written may be."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(len(HDF5)) != HDF5:
            return False
    try:
        Recording(path).close()
    except NotARecording:
        return False
    except RecordingError:
        return True
    return True


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
