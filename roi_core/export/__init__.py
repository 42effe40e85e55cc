"""Recordings into other people's formats: one word per format, imported when asked."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.errors import RecordingError
from roi_core.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXPORTS", "export"]

EXPORTS: Final[dict[str, tuple[str, str]]] = {
    "csv": ("roi_core.export.csv:write", ".csv"),
    "matlab": ("roi_core.export.matlab:write", "_matlab.h5"),
}
"""A word -> the function that writes it, and the ending its file gets."""


def export(recording: str | Path, to: str, out: str | Path | None = None, *, overwrite: bool = False) -> Path:
    """Write `recording` in the format `to` beside it (or at `out`) and return the new file's path.

    An existing file is replaced only with `overwrite`, and only when the new one is whole.
    """
    place, ending = EXPORTS[to]
    target = Path(out) if out else Path(recording).with_name(Path(recording).stem + ending)
    with Recording(recording) as source:
        if target.exists() and target.samefile(recording):
            raise RecordingError(f"{target} is the recording itself; give another name with --out")
        if target.exists() and not overwrite:
            raise RecordingError(f"{target} exists; use --overwrite, or another name with --out")
        module, _, name = place.partition(":")
        write: Callable[[Recording, Path], None] = getattr(import_module(module), name)
        part = target.with_name(target.name + ".part")
        try:
            write(source, part)
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise RecordingError(f"cannot write {target}: {error.strerror or error}") from error
    return target
