"""Settings of what is done to a picture, in the order of the pipeline."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import field_validator

from roi_core.form import Block, field

__all__ = ["Cnmf", "Motion", "Prepare", "Roi"]


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
        "Largest shift that is corrected, in each direction from where the scene usually is.",
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
        "Threshold for cells: highest transient of the last minutes over the noise of a frame.",
        ge=0,
        le=50,
    )
    min_evidence: float = field(
        8.0,
        "Threshold for cells: standard deviations by which all transients together stand out of the noise.",
        ge=0,
        le=200,
    )
    min_r: float = field(
        0.7,
        "Threshold for cells: correlation of the footprint with the picture of its transients.",
        ge=0,
        le=1,
    )
    min_skewness: float = field(
        0.75,
        "Threshold for cells: skewness of the trace; calcium is rarely high, background is not.",
        ge=-5,
        le=20,
    )
    min_asymmetry: float = field(
        0.3,
        "Threshold for cells: skewness of the changes of the trace; calcium rises faster than it falls, "
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
    memory: float = field(
        120.0,
        "Time in which footprints and background forget; below 15 Hz longer, as many frames as at 15 Hz.",
        unit="s",
        ge=5,
        le=3600,
    )
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
