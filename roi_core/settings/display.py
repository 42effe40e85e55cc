"""Settings of the window."""

from __future__ import annotations

from typing import Literal

from roi_core.form import Block, field

__all__ = ["Display"]


class Display(Block):
    """What the window shows; never changes what is measured or recorded."""

    theme: Literal["dark", "light"] = field(
        "dark", "Colours of the window; what lies on the picture keeps its own."
    )
    scale: float | None = field(
        None, "Size of text and widgets; 1 is 100 %, empty follows the screen.", ge=0.75, le=2.5
    )
    rate: float = field(25.0, "How often the window draws.", unit="Hz", ge=1, le=120)
    view: Literal["raw", "dff", "mean", "max", "std", "correlation", "residual", "template"] = field(
        "raw", "The picture that is shown: the camera's, its relative change, or what a stage sees."
    )
    colours: Literal["gray", "inverted", "green", "red", "inferno", "viridis", "hot", "cyan hot"] = field(
        "gray", "Colours of the picture."
    )
    auto_contrast: bool = field(True, "Follow the darkest and brightest pixels of the picture.")
    low: int = field(0, "Pixel value shown black when contrast is manual.", ge=0, le=65_535)
    high: int = field(65_535, "Pixel value shown white when contrast is manual.", ge=0, le=65_535)
    alert_sound: bool = field(False, "Beep when an alert begins.")
    gamma: float = field(1.0, "Exponent of brightness; below 1 lifts what is dark.", ge=0.2, le=5)
    saturation: bool = field(True, "Mark pixels at the camera's limit red.")
    dark: bool = field(False, "Mark pixels at zero blue.")
    full: int = field(
        0,
        "Stored value of a pixel at the camera's limit; 0 finds out if it has 10, 12, 14 or 16 bits.",
        ge=0,
        le=65_535,
    )
    cells: Literal["off", "accepted", "all"] = field(
        "all", "Outlines of cells on the picture: none, those accepted, or the rejected ones too."
    )
    cell_traces: int = field(
        6, "Cells whose traces are shown when none was chosen: those of the highest SNR.", ge=0, le=1000
    )
    trace_window: float = field(20.0, "Seconds of trace on screen.", unit="s", ge=1, le=36_000)
    trace_mode: Literal["stacked", "overlay", "raster"] = field(
        "stacked", "Traces below each other, over each other, or all of them as a map of heat."
    )
    trace_kind: Literal["raw", "dff"] = field("raw", "Traces of regions as raw means or as dF/F.")
    cell_kind: Literal["calcium", "raw", "dff", "spikes"] = field(
        "calcium", "Traces of cells: denoised calcium, raw (demixed, above its baseline), dF/F or spikes."
    )
    raster_order: Literal["id", "snr", "peak"] = field(
        "id", "Rows of the raster by id, by SNR (best on top), or by the time of their peak."
    )
    trace_autoscale: bool = field(True, "Fit each trace to its own height.")
    trace_buffer: float = field(
        600.0,
        "Seconds of trace kept in memory.",
        unit="s",
        live=False,
        ge=1,
        le=36_000,
    )
