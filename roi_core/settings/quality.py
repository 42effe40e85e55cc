"""Settings of the alerts."""

from __future__ import annotations

from roi_core.form import Block, field

__all__ = ["Quality"]


class Quality(Block):
    """From when on the picture is not good enough: an alert is told, nothing is changed."""

    enabled: bool = field(True, "Tell when a figure of the picture leaves its limits.")
    brightness: float = field(
        6.0, "Step of the mean brightness that alarms, in deviations about its slow mean.", unit="sigma",
        ge=2, le=100,
    )  # fmt: skip
    saturation: float = field(0.5, "Most pixels at the camera's limit.", unit="%", ge=0, le=100)
    focus: float = field(
        80.0, "Least sharpness, of what it was when the session began.", unit="%", ge=0, le=100
    )
    motion: float = field(12.0, "Farthest that a frame may have to be moved.", unit="px", ge=0, le=1000)
    bleaching: float = field(5.0, "Fastest fading of the picture.", unit="%/min", ge=0, le=100)
    lost: int = field(0, "Most frames lost in a minute.", unit="frames", ge=0, le=1_000_000)
    cooldown: float = field(
        60.0, "Time for which a figure that has alarmed stays silent.", unit="s", ge=0, le=3600
    )
