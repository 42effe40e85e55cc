"""The faces other code expects, on the stages of a session: scikit-learn's estimators, River's transformers.

Needs the extra ``ml``; nothing of it is imported before a face is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from roi_core.errors import MissingExtra

if TYPE_CHECKING:
    from roi_core.ml.estimator import OnlineCNMF
    from roi_core.ml.monitored import Monitored
    from roi_core.ml.stream import CellFinder, MotionCorrection, Preparation, RegionMeans

__all__ = ["CellFinder", "Monitored", "MotionCorrection", "OnlineCNMF", "Preparation", "RegionMeans"]

FACES = {
    "OnlineCNMF": "roi_core.ml.estimator",
    "Monitored": "roi_core.ml.monitored",
    "Preparation": "roi_core.ml.stream",
    "MotionCorrection": "roi_core.ml.stream",
    "CellFinder": "roi_core.ml.stream",
    "RegionMeans": "roi_core.ml.stream",
}
"""A name -> the module that holds it."""
PACKAGES = {"sklearn": "scikit-learn", "river": "river", "psutil": "psutil"}
"""A module that a face imports -> the package it comes with."""


def __getattr__(name: str) -> Any:
    if name not in FACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(FACES[name]), name)
    except ModuleNotFoundError as error:
        package = PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        raise MissingExtra(f"roi_core.ml.{name}", package, "ml") from error
