"""Files that are shipped beside the code: font, icon, launcher."""

from __future__ import annotations

from pathlib import Path

__all__ = ["asset"]


def asset(name: str) -> Path | None:
    """Return the path of a shipped file: inside the installed package, or ``assets/`` of a checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "assets", here.parent / "assets"):
        if (folder / name).is_file():
            return folder / name
    return None
