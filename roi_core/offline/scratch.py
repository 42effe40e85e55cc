"""What a refinement keeps on the disk while it works: traces too long for memory, and where it stands.

A folder ``NAME.refine`` beside the recording. Long arrays are files of their own, written row by row; the
state is one file that is replaced whole, and names the row up to which the arrays are good. So after a kill
the work goes on at the last state, with the same result to the bit.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.errors import RecorderError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Scratch"]

State = dict[str, Any]
"""Arrays, numbers and texts by name."""


class Scratch:
    """The working folder of one refinement; ``key`` is what it depends on: another key begins anew.

    ``period`` is in seconds between two states at least; the state of a finished step is always kept.
    """

    def __init__(self, folder: Path, key: dict[str, Any], period: float = 2.0) -> None:
        self.folder, self._key, self._period = folder, json.dumps(key, sort_keys=True), period
        self._saved = monotonic()
        self._arrays: dict[str, Any] = {}

    def load(self) -> State | None:
        """Return the last state, or None when there is none that fits."""
        try:
            with (self.folder / "state.npz").open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                if str(file["key"]) != self._key:
                    return None
                return {name: file[name] for name in file.files if name != "key"}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def due(self, now: bool = False) -> bool:
        """Tell whether the last state is old enough for another."""
        return now or monotonic() - self._saved >= self._period

    def save(self, state: State) -> None:
        """Keep a state."""
        self.folder.mkdir(exist_ok=True)
        for array in self._arrays.values():
            array.flush()
        new = self.folder / "state.new.npz"
        with new.open("wb") as file:
            np.savez(file, key=np.array(self._key), **state)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.folder / "state.npz")
        self._saved = monotonic()

    def array(self, name: str, shape: tuple[int, ...], fresh: bool, dtype: str = "f4") -> Any:
        """Return an array on the disk: a new one of zeros, or the one that is there."""
        if 0 in shape:
            return np.zeros(shape, dtype)
        path = self.folder / f"{name}.npy"
        self.folder.mkdir(exist_ok=True)
        if not fresh:
            self._arrays[name] = self._known(path, shape)
            return self._arrays[name]
        self._arrays.pop(name, None)
        self._reserve(path, 4 * int(np.prod(shape)))
        self._arrays[name] = np.lib.format.open_memmap(path, "w+", dtype, shape)
        if hasattr(os, "posix_fallocate"):  # else it would only be noticed when a page is written, by a kill
            try:
                with path.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                raise RecorderError(f"no room for {path}: {error.strerror}") from error
        return self._arrays[name]

    def remove(self) -> None:
        """Take everything off the disk."""
        self._arrays.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _known(self, path: Path, shape: tuple[int, ...]) -> Any:
        """Return an array that a state says is there."""
        try:
            array = np.lib.format.open_memmap(path, "r+")
        except (OSError, ValueError) as error:
            raise RecorderError(f"{path} cannot be read; remove {self.folder} to refine anew") from error
        if array.shape != shape:
            raise RecorderError(f"{path} does not fit; remove {self.folder} to refine anew")
        return array

    def _reserve(self, path: Path, size: int) -> None:
        """Refuse before the disk is full: a mapped file that finds no room ends the program."""
        free = shutil.disk_usage(self.folder).free
        if free < size + 2**26:
            raise RecorderError(
                f"the disk of {path.parent} has {free / 1e6:.0f} MB left; refining needs {size / 1e6:.0f} MB "
                "more and 67 MB to spare"
            )
