"""Motion correction: every picture moved to fit a template, so that a cell stays on its pixels."""

from roi_core.motion.rigid import Motion, Shift

__all__ = ["Motion", "Shift"]
