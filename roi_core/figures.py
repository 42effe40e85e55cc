"""Every figure by which a recording is judged: its unit, what it means, and what to do when it is off.

One cause is told once: an alert about one figure also stands for the others of its ``causes``. Light that
goes off makes a frame dark, is a step, and leaves the usual brightness; frames that are lost leave a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["METRICS", "REGION", "Metric", "metric_of"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is followed.

    ``causes``: an alert about the first covers this figure, and so does one about any other. ``grain`` is
    the least deviation that a k-sigma rule believes, where 0.2 % of the figure is less. ``hold`` are the
    seconds for which it must be off where a rule says nothing else.
    """

    unit: str
    text: str
    advice: str
    causes: tuple[str, ...]
    grain: float = 0.01
    hold: float = 1.5


AT_ONCE: Final = 0.0
"""Hold of a figure that is the worst of all frames since the last look: once is enough."""

METRICS: Final = {
    "dark": Metric(
        "%", "Darkest frame, of the usual brightness", "Is the lamp on, the shutter open?", ("lamp",), 1.0,
        AT_ONCE,
    ),
    "step": Metric(
        "%", "Largest change of light from one frame to the next of its colour",
        "The lamp, a shutter or a filter changed; or the colours are out of phase.", ("lamp", "light"), 1.0,
        AT_ONCE,
    ),
    "brightness": Metric(
        "counts", "Mean of all pixels", "A step means the lamp, a filter, or the preparation changed.",
        ("light", "lamp"), 0.002,
    ),
    "saturation": Metric(
        "%", "Pixels at the camera's limit", "They hold no information: lower exposure, gain or light.",
        ("saturation",), 0.05,
    ),
    "frozen": Metric(
        "s", "Longest time without any change of the picture", "The camera hangs: unplug it, connect again.",
        ("frozen",), 0.1, AT_ONCE,
    ),
    "focus": Metric(
        "%", "Sharpness, of what it was at the start", "Refocus; if that is the new plane, learn anew.",
        ("focus", "lamp", "frozen"), 0.5,
    ),
    "motion": Metric(
        "px", "Farthest from the scene's usual place", "Is the animal, or the objective, loose?",
        ("motion",), 0.1,
    ),
    "bleaching": Metric(
        "%/min", "Slope of the brightness over a minute", "Lower the light, or pause.", ("light", "lamp"), 0.1
    ),
    "lost": Metric(
        "/min", "Frames lost in the last minute", "Close other programs; lower the frame rate.",
        ("loss",), 0.1, AT_ONCE,
    ),
    "dropped": Metric(
        "%", "Share of the last minute's frames that was lost",
        "Close other programs; lower the frame rate.", ("loss",), 0.05, AT_ONCE,
    ),
    "gap": Metric(
        "periods", "Longest time between two frames, in frame periods",
        "The camera, its cable or this computer could not keep up.", ("loss",), 0.2,
        AT_ONCE,
    ),
    "disk": Metric(
        "min", "Time until the disk is full, at the present rate", "Make room, or stop in time.", ("disk",)
    ),
    "memory": Metric(
        "%", "Memory this program has taken, of what it could have", "Close other programs.", ("memory",), 0.5
    ),
    "queue": Metric(
        "%", "Frames waiting for the disk, of what may wait", "The disk is slow: record on another one.",
        ("queue",), 1.0,
    ),
    "lag": Metric(
        "s", "How far the search for cells is behind the camera",
        "Make the picture smaller (prepare.bin), or look for cells less often.", ("lag",), 0.1,
    ),
}  # fmt: skip
"""Every figure by its name; of two with one cause that are off at once, the first is told."""

REGION: Final = Metric(
    "counts", "Mean of a region", "Look at this region: saturated, gone, or moved away?",
    ("roi", "lamp", "frozen"), 0.1,
)  # fmt: skip


def metric_of(name: str) -> Metric:
    """Return what is known of a figure; of a region's mean, for ``roi``."""
    return METRICS.get(name, REGION)
