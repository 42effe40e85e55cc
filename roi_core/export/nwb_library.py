"""pynwb, which by itself would load a pickle that lies outside of it."""

from __future__ import annotations

import os
from typing import Any
from unittest.mock import patch

from roi_core.errors import MissingExtra

__all__ = ["library"]


def library() -> Any:
    """Import pynwb; nothing of ours imports it, or hdmf, before this has.

    By itself it keeps its schema as a pickle in the user's folder of caches. What lies there can run
    anything, or be damaged; and where that folder cannot be made there is no pynwb at all. So it may neither
    use nor make it: its schema is read from its own YAML, which takes a second.

    Raises
    ------
    MissingExtra
        It is not installed.
    """
    os.environ["PYNWB_NO_CACHE_DIR"] = "1"
    try:
        import platformdirs

        with patch.object(platformdirs, "PlatformDirs", _unmade(platformdirs.PlatformDirs)):
            import pynwb
    except ImportError as error:
        raise MissingExtra("an NWB file", "pynwb", "nwb") from error
    return pynwb


def _unmade(made: Any) -> Any:
    """Return `made` without its wish that the folders be there."""
    return lambda *names, ensure_exists=False, **known: made(*names, **known)
