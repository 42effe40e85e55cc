"""Readers in Python, fuzzed with coverage as a guide: ``python -m benchmarks.fuzz_guided READER [-runs=N]``.

Needs atheris (``pip install atheris``). Runs until it finds a fault, or N inputs; one that breaks a reader
is left as ``crash-...`` in the present folder.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["roi_core", "yaml", "pydantic", "pickle", "csv", "json"]):
    from roi_core.card import Card
    from roi_core.errors import RoiError
    from roi_core.imports.objects import read_objects
    from roi_core.rois import RoiSet
    from roi_core.settings import Settings

READERS = {
    "settings": ("a.yaml", Settings.load),
    "card": ("a.yaml", Card.load),
    "csv": ("a.csv", lambda path: RoiSet.load(path, (64, 48))),
    "json": ("a.json", lambda path: RoiSet.load(path, (64, 48))),
    "roi": ("a.roi", lambda path: RoiSet.load(path, (64, 48))),
    "objects": ("a.npy", read_objects),
}


def main():
    """Feed one reader."""
    word = sys.argv.pop(1)
    name, read = READERS[word]
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name

        def one(data):
            path.write_bytes(data)
            with contextlib.suppress(RoiError):
                read(path)

        atheris.Setup(sys.argv, one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
