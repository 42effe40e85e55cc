"""Files that are shipped beside the code: font, icon, launcher."""

from __future__ import annotations

from pathlib import Path

__all__ = ["asset", "licence"]


def asset(name: str) -> Path | None:
    """Return the path of a shipped file: inside the installed package, or ``assets/`` of a checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "assets", here.parent / "assets"):
        if (folder / name).is_file():
            return folder / name
    return None


def licence() -> str:
    """Return the name of the licence: the first line of the file that is shipped."""
    path = asset("LICENSE") or Path(__file__).resolve().parents[1] / "LICENSE"
    try:
        return path.read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, IndexError):
        return "BSD-3-Clause"
