"""Imports of packages that come with an extra."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from roi_core.errors import MissingExtra

__all__ = ["needed"]


@contextmanager
def needed(feature: str, package: str, extra: str) -> Iterator[None]:
    """Import inside: a missing package is told with its extra.

    The warnings of SWIG's types are left out, for a process in which warnings are errors dies of them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    except ModuleNotFoundError as error:
        raise MissingExtra(feature, package, extra) from error
