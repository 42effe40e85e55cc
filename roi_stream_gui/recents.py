"""What can be chosen as a source: cameras that were found, simulated ones, and what was used last.

Knows no toolkit.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roi_core.paths import is_there
from roi_core.sources.secrets import without_secrets
from roi_stream_gui import words
from roi_stream_gui.home import write_whole
from roi_stream_gui.safe import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from roi_core.sources.devices import Device

__all__ = ["KEPT", "RECENT", "Choices", "Recents", "recent"]

KEPT: Final = 10
RECENT: Final = "recent: "
"""What the label of a source begins with that was used before."""


class Recents:
    """The last sources, newest first; kept between starts, but for the passwords in them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "recent.json"
        self.sources = self._read()

    def add(self, source: str) -> None:
        """Put a source first."""
        if source == words.FIRST_SOURCE or source in dict(words.SIMULATED).values():
            return
        # under its whole name a file is found from wherever the next start comes
        source = str(Path(source).absolute()) if is_there(Path(source)) and not source.isdigit() else source
        kept = without_secrets(source)
        others = tuple(one for one in self.sources if without_secrets(one) != kept)
        self.sources = (source, *others)[:KEPT]
        with suppress(OSError):  # a home that cannot be written is no reason to complain
            write_whole(self._file, json.dumps([without_secrets(one) for one in self.sources]))

    def _read(self) -> tuple[str, ...]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return ()
        kept = known if isinstance(known, list) else []
        return tuple(without_secrets(one) for one in kept if isinstance(one, str))[:KEPT]


class Choices:
    """(label, source) of everything that can be chosen; labels are unique."""

    def __init__(self, recents: Recents, lister: Callable[[], Sequence[Device]] | None = None) -> None:
        self._recents = recents
        self._lister = lister or _cameras
        self._listing: Future[Sequence[Device]] | None = None
        self._cameras: tuple[tuple[str, str], ...] = ()

    def all(self) -> tuple[tuple[str, str], ...]:
        """Return simulated cameras, found ones, and the last sources."""
        known = (*words.SIMULATED, *self._cameras)
        taken = {source for _, source in known}
        used = [source for source in self._recents.sources if source not in taken]
        return (*known, *((shown(label(source, used)), source) for source in used))

    def look(self, submit: Callable[..., Future[Sequence[Device]]]) -> None:
        """Look for cameras, on whichever thread `submit` gives work to."""
        if self._listing is None:
            self._listing = submit(self._lister)

    def collect(self) -> None:
        """Take the cameras when they are there; what went wrong is raised."""
        listing = self._listing
        if listing is not None and listing.done():
            self._listing = None
            self._cameras = tuple((_shown(one), one.source) for one in listing.result())


def recent(choices: Sequence[tuple[str, str]], number: int) -> tuple[str, str] | None:
    """Return (label, source) of what was used last (0) or so many before; None when there is none."""
    used = [(label.removeprefix(RECENT), source) for label, source in choices if label.startswith(RECENT)]
    return used[number] if number < len(used) else None


def label(source: str, others: Sequence[str]) -> str:
    """Return a source as it is listed: a file by its name, with its folder when another is called so."""
    if "://" in source or not Path(source).is_absolute():
        return RECENT + words.short(without_secrets(source), 40)
    path = Path(source)
    same = sum(Path(other).name == path.name for other in others) > 1
    name = source if same else f"{path.parent.name}/{path.name}"
    return RECENT + (name if len(name) <= 44 else "..." + name[-41:])


def _shown(camera: Device) -> str:
    """Return a camera as it is listed: by its number, or by the driver behind which it is."""
    return f"{camera.source if camera.source.isdigit() else camera.backend}: {camera.name}"


def _cameras() -> Sequence[Device]:
    from roi_core.sources.survey import every_device

    return every_device()
