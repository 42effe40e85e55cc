"""Frames a second: those of the camera, and those in which cells are learned."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Rates"]

SLOW = 15.0
"""Hz. What is learned against noise needs frames: a slower camera takes as many as this, in more seconds."""


class Rates(NamedTuple):
    """Frames of a second for those who look on, and of one in which something is learned or forgotten.

    Constants of learning (noise, marks, probation, forgetting) are told in seconds of ``learning``.
    """

    camera: float
    learning: float

    @classmethod
    def of(cls, camera: float) -> Rates:
        """Return those of a camera of so many frames a second."""
        return cls(camera, max(camera, SLOW))
