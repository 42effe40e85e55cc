"""Icon and launcher for double-clicking, in the places a Linux desktop looks for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from roi_stream_gui import words
from roi_stream_gui.shipped import asset

__all__ = ["install_desktop"]


def install_desktop(python: str = sys.executable) -> list[Path]:
    """Write launcher and icons below ``$XDG_DATA_HOME`` and return their paths; again replaces them."""
    base = os.environ.get("XDG_DATA_HOME")
    home = Path(base) if base else Path.home() / ".local" / "share"
    written = []
    for name, folder in (("icon.png", "256x256"), ("icon.svg", "scalable")):
        source = asset(name)
        if source is not None:
            target = home / "icons" / "hicolor" / folder / "apps" / f"roi_stream{source.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            written.append(target)
    template = asset("roi_stream.desktop")
    if template is None:
        raise FileNotFoundError("the launcher's template roi_stream.desktop is missing; install again")
    launcher = home / "applications" / "roi_stream.desktop"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    text = template.read_text(encoding="utf-8")
    icon = str(written[0]) if written else "camera-video"
    launcher.write_text(text.format(command=_command(python), icon=icon, title=words.TITLE), encoding="utf-8")
    launcher.chmod(0o755)
    return [*written, launcher, *_on_the_desktop(launcher)]


def _on_the_desktop(launcher: Path) -> list[Path]:
    """Copy the launcher to the user's Desktop folder, if there is one."""
    folder = Path.home() / "Desktop"
    if (ask := shutil.which("xdg-user-dir")) is not None:
        done = subprocess.run([ask, "DESKTOP"], capture_output=True, text=True, check=False)
        folder = Path(done.stdout.strip() or folder)
    if not folder.is_dir() or folder == Path.home():  # the home folder stands for "none"
        return []
    copy = folder / launcher.name
    shutil.copyfile(launcher, copy)
    copy.chmod(0o755)
    return [copy]


def _command(python: str) -> str:
    """Return the absolute command, quoted as a desktop entry wants it; %f is the file that was opened."""
    script = Path(python).with_name("roi_stream_gui")
    words_ = [str(script)] if script.exists() else [python, "-m", "roi_stream_gui"]
    return " ".join([*(_quoted(word) for word in words_), "%f"])


def _quoted(word: str) -> str:
    word = word.replace("%", "%%")  # a single one begins a field code
    if not any(character in word for character in ' "`$\\'):
        return word
    for character in '\\"`$':
        word = word.replace(character, "\\" + character)
    return f'"{word}"'
