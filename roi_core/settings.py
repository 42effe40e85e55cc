"""Every number a user can turn, in one frozen tree; and the one object that swaps it while frames flow."""

from __future__ import annotations

import re
from typing import ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from roi_core.form import Block, Edit, Form, Live, Setting, describe, field

__all__ = [
    "Camera",
    "Cnmf",
    "Display",
    "Edit",
    "LiveSettings",
    "Motion",
    "Prepare",
    "Quality",
    "Recorder",
    "Roi",
    "Setting",
    "Settings",
    "describe",
]

SIDES, RATES = (16, 16_384), (0.001, 10_000)
"""What ``camera.format`` may ask for, px and Hz; beyond it a typing error fills the memory."""


class Camera(Block):
    """Where frames come from and how they are asked for."""

    format: str = field(
        "",
        "Size and rate asked of the camera, as WxH@FPS; empty keeps its own.",
        live=False,
    )
    rate: float = field(
        30.0,
        "Frame rate of a source that carries none (TIFF, npy, HDF5).",
        unit="Hz",
        live=False,
        gt=0,
        le=10_000,
    )
    exposure: float | None = field(
        None,
        "Exposure asked of the camera, in its driver's own unit; empty leaves it alone.",
    )
    counter: Literal["time", "embedded", "none"] = field(
        "time",
        "How lost frames of a live camera are known: from gaps in time; from a 32-bit frame "
        "count embedded in the first four pixels (one byte each, highest first); or not at all.",
        live=False,
    )
    timeout: float = field(
        5.0,
        "Silence after which a camera counts as stalled and is reconnected.",
        unit="s",
        ge=0.1,
        le=600,
    )
    retry_for: float = field(
        60.0,
        "How long a lost camera is retried before the session ends; 0 gives up at once.",
        unit="s",
        ge=0,
        le=86_400,
    )
    input_low: float | None = field(
        None,
        "Input value shown as 0, for float or integer cameras; empty follows the image.",
        live=False,
    )
    input_high: float | None = field(
        None,
        "Input value shown as 65535, for float or integer cameras; empty follows the image.",
        live=False,
    )

    @field_validator("format")
    @classmethod
    def _format_is_possible(cls, text: str) -> str:
        found = re.fullmatch(r"(\d{1,9})x(\d{1,9})(?:@(\d{1,9}(?:\.\d{1,9})?))?", text, re.ASCII)
        if text and found is None:
            raise ValueError("write it as WxH@FPS, such as 1280x720@60")
        if found is not None:
            width, height, rate = found.groups(default="1")
            if min(int(width), int(height)) < SIDES[0] or max(int(width), int(height)) > SIDES[1]:
                raise ValueError(f"width and height must be {SIDES[0]} to {SIDES[1]} px")
            if not RATES[0] <= float(rate) <= RATES[1]:
                raise ValueError(f"the rate must be {RATES[0]} to {RATES[1]} Hz")
        return text

    @model_validator(mode="after")
    def _range_is_whole(self) -> Self:
        low, high = self.input_low, self.input_high
        if (low is None) != (high is None):
            raise ValueError("input_low and input_high are given together or not at all")
        if low is not None and high is not None and low >= high:
            raise ValueError("input_low must be less than input_high")
        return self

    @property
    def input_range(self) -> tuple[float, float] | None:
        """(low, high) in camera units, or None to follow MATLAB's rule for each image."""
        if self.input_low is None or self.input_high is None:
            return None
        return self.input_low, self.input_high


class Roi(Block):
    """Traces of drawn regions."""

    dff: bool = field(False, "Compute, show and record dF/F beside the raw means.")
    dff_baseline: Literal["percentile", "fixed"] = field(
        "percentile",
        "F0: a running percentile, or the mean of the first seconds, then fixed.",
    )
    dff_percentile: float = field(
        8.0,
        "Percentile of the running baseline.",
        unit="%",
        ge=0,
        le=50,
    )
    dff_window: float = field(
        30.0,
        "Length of the running baseline.",
        unit="s",
        gt=0,
        le=600,
    )
    dff_fixed: float = field(
        5.0,
        "Length of the fixed baseline, from the first frame of each ROI.",
        unit="s",
        gt=0,
        le=600,
    )

    @property
    def baseline(self) -> str:
        """The dF/F rule as a recording states it."""
        if self.dff_baseline == "fixed":
            return f"F0 = mean of the first {self.dff_fixed:g} s of each ROI; dff = (F - F0) / F0"
        return (
            f"F0 = running {self.dff_percentile:g} % percentile of the last {self.dff_window:g} s; "
            "dff = (F - F0) / F0"
        )


class Prepare(Block):
    """The picture that motion correction and cell finding work on; the movie keeps the camera's."""

    crop: str = field(
        "", "Part of the picture analysed, as x,y,width,height in px; empty is all.", live=False
    )
    bin: int = field(
        0,
        "Pixels averaged in each direction before analysis; 0 chooses 2 for more than half a million pixels.",
        unit="px",
        live=False,
        ge=0,
        le=8,
    )
    dead_pixels: bool = field(False, "Replace pixels that never agree with their neighbours.")
    line_noise: bool = field(
        False, "Remove the offset that a row has in one frame only and its neighbours do not share."
    )
    flatten: Literal["auto", "on", "off"] = field(
        "auto",
        "Take away the wide glow of one-photon pictures before motion correction; auto follows cnmf.preset.",
    )

    @field_validator("crop")
    @classmethod
    def _crop_is_possible(cls, text: str) -> str:
        if text and re.fullmatch(r"\d{1,5},\d{1,5},[1-9]\d{0,4},[1-9]\d{0,4}", text, re.ASCII) is None:
            raise ValueError("write it as x,y,width,height, such as 100,50,512,512")
        return text


class Motion(Block):
    """Rigid motion correction against a slowly learning template."""

    enabled: bool = field(False, "Move every frame to fit the template before anything is measured on it.")
    max_shift: float = field(
        10.0,
        "Largest shift that is corrected, in each direction.",
        unit="px",
        ge=1,
        le=64,
    )
    template: float = field(
        10.0,
        "Time in which the template follows slow change.",
        unit="s",
        ge=0.5,
        le=600,
    )
    min_confidence: float = field(
        0.3,
        "Agreement with the template below which a frame is flagged and does not teach the template.",
        ge=0,
        le=1,
    )
    patch: int = field(
        0,
        "Side of the patches of piecewise-rigid correction; 0 moves the frame as a whole.",
        unit="px",
        ge=0,
        le=512,
    )


class Cnmf(Block):
    """Cells found, separated and turned into spikes."""

    enabled: bool = field(False, "Find cells and demix their traces while the camera runs.")
    preset: Literal["2p", "1p", "photometry"] = field(
        "2p",
        "Kind of recording: two-photon, one-photon (miniscope), or fibre photometry (drawn regions only).",
        live=False,
    )
    cell_radius: float = field(5.0, "Radius of a typical cell, in px of the camera.", unit="px", ge=1, le=64)
    min_snr: float = field(
        1.5,
        "Highest transient of the last minutes over the noise of a frame that a cell must reach.",
        ge=0,
        le=50,
    )
    min_evidence: float = field(
        8.0,
        "Standard deviations by which all its transients together must stand out of the noise.",
        ge=0,
        le=200,
    )
    min_r: float = field(
        0.7,
        "Correlation of a cell's footprint with the picture of its transients that it must reach.",
        ge=0,
        le=1,
    )
    min_skewness: float = field(
        0.75,
        "Skewness of the trace that a cell must reach; calcium is rarely high, background is not.",
        ge=-5,
        le=20,
    )
    min_asymmetry: float = field(
        0.3,
        "Skewness of the changes of the trace that a cell must reach; calcium rises faster than it falls, "
        "background and motion do not.",
        ge=-5,
        le=20,
    )
    min_size: float = field(0.25, "Smallest cell, as a fraction of the expected area.", ge=0, le=1)
    max_size: float = field(2.5, "Largest cell, as a multiple of the expected area.", ge=1, le=20)
    merge_r: float = field(
        0.85, "Trace correlation above which two overlapping components are parts of one cell.", ge=0, le=1
    )
    max_cells: int = field(2000, "Components kept at most.", ge=0, le=10_000)
    detect: bool = field(True, "Look for new cells in the residual.")
    detect_period: float = field(0.2, "How often new cells are looked for.", unit="s", ge=0.05, le=60)
    shapes: bool = field(True, "Let footprints follow the data.")
    memory: float = field(120.0, "Time in which footprints and background forget.", unit="s", ge=5, le=3600)
    buffer: float = field(
        10.0, "Residual kept for finding cells and back-filling.", unit="s", live=False, ge=2, le=60
    )
    baseline: float = field(
        20.0, "Time in which the baseline of a trace follows bleaching and drift.", unit="s", ge=2, le=600
    )
    decay: float = field(0.0, "Decay time of the indicator; 0 estimates it per cell.", unit="s", ge=0, le=10)
    rise: float = field(
        0.0, "Rise time of the indicator when order is 2; 0 estimates it.", unit="s", ge=0, le=2
    )
    order: Literal["1", "2"] = field("2", "Calcium model: 1 decays only, 2 rises and decays.")
    lag: float = field(
        0.5,
        "Frames this much later still refine calcium and spikes in the file.",
        unit="s",
        live=False,
        ge=0,
        le=5,
    )
    pictures: float = field(
        0.0,
        "Seconds between pictures of each stage beside the recording; 0 writes none.",
        unit="s",
        ge=0,
        le=3600,
    )


class Recorder(Block):
    """What is written, and how safely."""

    folder: str = field("", "Where the window puts recordings; empty is ~/roi_stream.")
    movie: bool = field(
        False,
        "Write every frame to /movie (uint16, lossless, uncompressed), from the next recording on.",
    )
    rows_per_chunk: int = field(
        240,
        "Rows in one HDF5 chunk of /time and /roi/means.",
        unit="rows",
        live=False,
        ge=1,
        le=10_000,
    )
    flush_period: float = field(
        0.25,
        "Longest time a row waits before it is safe from a crash, from the next recording on.",
        unit="s",
        gt=0,
        le=1.0,
    )
    queue: int = field(
        64,
        "Frames the recorder may be behind before the camera has to wait.",
        unit="frames",
        live=False,
        ge=2,
        le=4096,
    )
    disk_reserve: float = field(
        64.0,
        "A recording stops cleanly when less than this is free.",
        unit="MB",
        ge=1,
        le=1_000_000,
    )


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
        6, "Cells whose traces are shown when none was chosen: those of the highest SNR.", ge=0, le=16
    )
    trace_window: float = field(20.0, "Seconds of trace on screen.", unit="s", ge=1, le=36_000)
    trace_mode: Literal["stacked", "overlay", "raster"] = field(
        "stacked", "Traces below each other, over each other, or all of them as a map of heat."
    )
    trace_kind: Literal["raw", "dff"] = field("raw", "Traces of regions as raw means or as dF/F.")
    cell_kind: Literal["calcium", "raw", "spikes"] = field(
        "calcium", "Traces of cells: denoised calcium, raw (demixed, above its baseline) or spikes."
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


class Settings(Form):
    """All settings. Immutable: `with_value` gives a new, re-validated tree."""

    what: ClassVar[str] = "settings"
    example: ClassVar[str] = "camera.rate=20"

    camera: Camera = Camera()
    prepare: Prepare = Prepare()
    motion: Motion = Motion()
    roi: Roi = Roi()
    cnmf: Cnmf = Cnmf()
    recorder: Recorder = Recorder()
    quality: Quality = Quality()
    display: Display = Display()


class LiveSettings(Live[Settings]):
    """The settings in force, swapped whole; see `Live`."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings or Settings())
