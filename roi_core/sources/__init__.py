"""Where frames come from. Nothing heavy is imported before a source is opened."""

from __future__ import annotations

import importlib
import logging
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi_core.errors import RoiError, SourceError, SourceNotFound
from roi_core.paths import expanded
from roi_core.sources.base import Paced, Source
from roi_core.sources.secrets import without_secrets
from roi_core.sources.transport import Played, Transport

if TYPE_CHECKING:
    from roi_core.settings import Camera, LiveSettings

__all__ = ["SOURCES", "Paced", "Played", "Source", "Transport", "open_source"]

logger = logging.getLogger(__name__)

SOURCES: dict[str, str] = {
    "camera": "roi_core.sources.opencv:Camera",
    "url": "roi_core.sources.opencv:Stream",
    "video": "roi_core.sources.files:Video",
    "tiff": "roi_core.sources.arrays:Tiff",
    "hdf5": "roi_core.sources.arrays:Hdf5",
    "npy": "roi_core.sources.arrays:Npy",
    "miniscope": "roi_core.sources.miniscope:Miniscope",
    "simulated": "roi_core.sources.simulated:Simulated",
    "genicam": "roi_core.sources.genicam:GenICam",
    "micromanager": "roi_core.sources.micromanager:MicroManager",
    "pylon": "roi_core.sources.pylon:Pylon",
}
"""A word -> the class that opens it, called with the text behind the word and the live settings."""

SUFFIXES: dict[str, str] = {
    ".avi": "video", ".mp4": "video", ".mkv": "video", ".mov": "video", ".m4v": "video",
    ".webm": "video", ".y4m": "video", ".tif": "tiff", ".tiff": "tiff", ".h5": "hdf5",
    ".hdf5": "hdf5", ".npy": "npy",
}  # fmt: skip
"""A file name's end -> the word in `SOURCES`."""

ALLOWED = (
    "a source is a camera number, a file (avi mp4 mkv mov tif npy h5[:dataset]), a Miniscope folder, "
    "a URL, simulated[:preset], pylon:[SERIAL], genicam:PRODUCER.cti[#SERIAL] or micromanager:CONFIG.cfg"
)

WEBCAM = ("format", "exposure", "counter")
SIDE, AREA = 32_768, 256 * 2**20
"""px; the largest frames that are read."""

ASKED = (*WEBCAM, "gain", "binning", "crop", "pixel_format", "trigger")
"""Settings that ask something of a camera."""
HEEDED: dict[str, tuple[str, ...]] = {
    "camera": WEBCAM, "url": WEBCAM, "simulated": ("format", "crop"),
    "genicam": ASKED, "micromanager": ASKED, "pylon": ASKED,
}  # fmt: skip
"""Which of them a word in `SOURCES` follows; the others give what they hold."""


def open_source(text: str, settings: LiveSettings, *, realtime: bool = False) -> Source:
    """Open what a user typed; a `SourceError` says in one sentence why not.

    ``realtime`` plays a file at its own speed, with losses, as a camera would. Warnings said while opening
    are kept in the source's ``notes``, so that the recording can tell them too.
    """
    notes = _Notes()
    logging.getLogger("roi_core").addHandler(notes)
    try:
        opened = _open(text.strip(), settings)
    finally:
        logging.getLogger("roi_core").removeHandler(notes)
    source: Any = Paced(opened) if realtime and not opened.live else opened
    source.notes = tuple(notes.heard)
    opened_source: Source = source
    return opened_source


def _open(text: str, settings: LiveSettings) -> Any:
    try:
        word, argument = _recognise(text)
        module, _, name = SOURCES[word].partition(":")
        opened: Any = getattr(importlib.import_module(module), name)(argument, settings)
        _check_size(opened)
    except RoiError:
        raise
    except OSError as error:
        raise SourceNotFound(f"{_shown(text)} cannot be opened: {error.strerror or error}") from error
    _tell_ignored(opened.name, word, settings.current.camera)
    return opened


def _check_size(opened: Source) -> None:
    """Refuse frames that no camera gives: a damaged file says anything, and memory for it would be taken."""
    height, width = opened.shape
    if min(height, width) < 1 or max(height, width) > SIDE or height * width > AREA:
        opened.close()
        raise SourceError(
            f"{opened.name} has frames of {width}x{height} px; up to {SIDE} px a side and {AREA // 2**20} "
            "million px are read: is it damaged?"
        )


class _Notes(logging.Handler):
    """Remembers the warnings of the thread that opens a source."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and not getattr(record, "told", False):
            self.heard.append(record.getMessage())


def _tell_ignored(name: str, word: str, camera: Camera) -> None:
    fields = type(camera).model_fields
    given = [field for field in ASKED if getattr(camera, field) != fields[field].default]
    ignored = [f"camera.{field}" for field in given if field not in HEEDED.get(word, ())]
    if ignored:
        # Asked of the camera of the rig, most likely: worth a message, no alarm in every replay.
        told = (name, " and ".join(ignored))
        logger.warning("%s ignores %s: only a camera can follow", *told, extra={"told": True})


def _shown(text: str) -> str:
    text = without_secrets(text)
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _recognise(text: str) -> tuple[str, str]:
    if "\0" in text:
        raise SourceNotFound(f"there is no source {_shown(text)}; {ALLOWED}")
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return "camera", text
    if re.match(r"file://", text, re.IGNORECASE):
        text = re.sub(r"^file:/*", "" if re.match(r"file:/*[a-z]:", text, re.I) else "/", text, flags=re.I)
    elif re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
        return "url", text
    word, _, rest = text.partition(":")
    if word in SOURCES and not Path(text).exists():
        return word, rest
    return _recognise_path(text)


def _recognise_path(text: str) -> tuple[str, str]:
    if not text:
        raise SourceNotFound(f"no source was given; {ALLOWED}")
    path = expanded(text)
    # The dataset is what follows the last ".h5:", so that C:\\x.h5:data keeps its drive.
    inside = re.fullmatch(r"(.*\.(?:h5|hdf5)):(.+)", text, re.IGNORECASE)
    if path.is_dir():
        return "miniscope", str(path)
    if inside and not path.exists():
        file = expanded(inside[1])
        if file.is_file():
            return "hdf5", f"{file}:{inside[2]}"
        raise SourceNotFound(f"there is no file {_shown(inside[1])}")
    word = SUFFIXES.get(path.suffix.lower())
    if word and path.is_file():
        return word, str(path)
    if path.exists():
        raise SourceNotFound(f"{_shown(text)} is not a kind of file that is known; {ALLOWED}")
    if word:
        raise SourceNotFound(f"there is no file {_shown(text)}")
    raise SourceNotFound(f"there is no source {_shown(text)}; {ALLOWED}")
