"""What is done with a recording afterwards, in bounded memory: the second pass."""

from roi_core.offline.refine import Stopped, refine

__all__ = ["Stopped", "refine"]
