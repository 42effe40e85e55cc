"""Isosbestic correction: what a signal shares with a reference that shows no activity is taken away.

::

    fitted = intercept + slope * reference
    dF/F   = (signal - fitted) / fitted

Fitted by least squares, as Lerner et al. 2015 (Cell 162:635), pMAT and GuPPy do, or, the default, by
iteratively reweighted least squares with Tukey's bisquare weights: transients are outliers, which pull an
ordinary fit up and tilt it (Keevers & Jean-Richard-dit-Bressel 2025, Neurophotonics 12:025003, who also
recommend low-passing both traces first and dividing by the fit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Trace = NDArray[np.float64]
    Solver = Callable[[Trace, Trace, Trace], Trace]
    """Least squares of (n, p) design, (n,) values and (n,) weights; gives (p,) parameters."""

__all__ = ["Correction", "Fit", "Rules", "bleaching", "correct", "fit", "resampled"]

TUKEY: Final = 1.4
"""Residuals beyond so many robust deviations count nothing. Small, for transients are frequent: the slope
of simulated traces came out 5.7 % too steep by least squares, 0.9 % with the textbook's 4.685, 0.3 % so."""
ROUNDS: Final = 100
SETTLED: Final = 1e-9
"""Change of the fit, of the spread of the signal, at which it has settled."""
LEAST: Final = 8
"""Samples that a fit needs."""
TAUS: Final = (0.05, 0.2, 1.0)
"""Time constants of bleaching, of the length of the trace: about what a session can tell apart."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to correct; ``lowpass`` in Hz, 0 for none. At half the rate and above it does nothing.

    ``own_bleaching`` divides each trace by its own bleaching curve first: for a reference that fades at
    another pace than the signal.
    """

    robust: bool = True
    own_bleaching: bool = False
    lowpass: float = 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """``signal ~ intercept + slope * reference``; ``r`` is their correlation, ``used`` the mean weight.

    All NaN when there were too few samples.
    """

    slope: float
    intercept: float
    r: float
    used: float


@dataclass(frozen=True, slots=True)
class Correction:
    """What came of it: (n,) reference at the times of the signal, fitted reference, corrected dF/F."""

    fit: Fit
    reference: Trace
    fitted: Trace
    dff: Trace


def correct(
    time: Trace, signal: Trace, reference_time: Trace, reference: Trace, rules: Rules | None = None
) -> Correction:
    """Return the dF/F of a signal (n,) corrected by a reference (m,) seen at other times, s.

    NaN where the signal or the reference is NaN, and where the fitted reference is not above 0.
    """
    rules = rules or Rules()
    beside = resampled(time, reference_time, reference)
    traces = [np.where(np.isfinite(signal + beside), trace, np.nan) for trace in (signal, beside)]
    if rules.lowpass:
        traces = [_lowpassed(time, trace, rules.lowpass) for trace in traces]
    if rules.own_bleaching:
        traces = [trace / bleaching(time, trace) * np.nanmean(trace) for trace in traces]
    found = fit(traces[0], traces[1], robust=rules.robust)
    fitted = found.intercept + found.slope * traces[1]
    base = np.where(fitted > 0, fitted, np.nan)
    return Correction(found, beside, fitted, (traces[0] - base) / base)


def resampled(time: Trace, known_at: Trace, values: Trace) -> Trace:
    """Return values at other times, linear between two; before the first and after the last it is that one.

    NaN beside one that is missing: where a region did not exist there is nothing to correct by.
    """
    if not len(known_at):
        return np.full(len(time), np.nan)
    return np.asarray(np.interp(time, known_at, values), np.float64)


def fit(signal: Trace, reference: Trace, *, robust: bool = True) -> Fit:
    """Return the line that fits a signal (n,) best by a reference (n,); NaN in either is left out."""
    known = np.isfinite(signal) & np.isfinite(reference)
    y, x = signal[known], reference[known]
    if len(y) < LEAST:
        return Fit(*[float("nan")] * 4)
    # about their means and of unit spread, so that no scale of either changes the result
    (mx, sx), (my, sy) = _scale(x), _scale(y)
    u, v = (x - mx) / sx, (y - my) / sy
    design = np.column_stack([np.ones_like(u), u])
    line, weights = (
        _robust(design, v, _solve) if robust else (_solve(design, v, np.ones_like(v)), np.ones_like(v))
    )
    slope = float(line[1]) * sy / sx
    return Fit(slope, my + float(line[0]) * sy - slope * mx, float(np.mean(u * v)), float(weights.mean()))


def bleaching(time: Trace, values: Trace) -> Trace:
    """Return the curve (n,) by which a trace fades: a constant and decaying exponentials, none negative.

    Robust like the fit, so that transients do not lift it. NaN throughout when there is nothing to fit.
    """
    from scipy.optimize import nnls

    known = np.isfinite(values)
    if known.sum() < LEAST:
        return np.full(len(values), np.nan)
    since = time - time[known][0]
    length = max(float(since[known][-1]), 1e-9)
    design = np.column_stack([np.ones_like(since), *(np.exp(-since / (tau * length)) for tau in TAUS)])
    _, spread = _scale(values[known])
    v = values[known] / spread

    def solve(design: Trace, v: Trace, weights: Trace) -> Trace:
        root = np.sqrt(weights)
        return np.asarray(nnls(design * root[:, None], v * root)[0], np.float64)

    parts, _ = _robust(design[known], v, solve)
    return np.asarray(design @ parts * spread, np.float64)


def _scale(values: Trace) -> tuple[float, float]:
    spread = float(values.std())
    return float(values.mean()), spread if spread > 1e-12 * abs(float(values.mean())) else 1.0


def _solve(design: Trace, v: Trace, weights: Trace) -> Trace:
    root = np.sqrt(weights)
    return np.asarray(np.linalg.lstsq(design * root[:, None], v * root)[0], np.float64)


def _robust(design: Trace, v: Trace, solver: Solver) -> tuple[Trace, Trace]:
    """Return the parameters of ``v ~ design @ parameters`` and the weights (n,) in the end.

    Huber's weights lead to a place from which Tukey's, which have several minima, find the right one.
    """
    weights = np.ones_like(v)
    line = solver(design, v, weights)
    for weigh in (_huber, _bisquare):
        for _ in range(ROUNDS):
            residuals = v - design @ line
            deviation = float(np.median(np.abs(residuals - np.median(residuals)))) / 0.6745
            if deviation < 1e-9:
                return line, weights
            weights = weigh(residuals / deviation)
            before, line = line, solver(design, v, weights)
            if np.abs(line - before).max() < SETTLED:
                break
    return line, weights


def _huber(residuals: Trace) -> Trace:
    return 1.345 / np.maximum(np.abs(residuals), 1.345)


def _bisquare(residuals: Trace) -> Trace:
    return np.where(np.abs(residuals) < TUKEY, (1 - (residuals / TUKEY) ** 2) ** 2, 0.0)


def _lowpassed(time: Trace, values: Trace, cutoff: float) -> Trace:
    """Return a trace without what is faster than `cutoff` Hz, at its own times (second order, no delay)."""
    from scipy.signal import butter, sosfiltfilt

    known = np.isfinite(values)
    rate = 1 / float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    if known.sum() < 4 * LEAST or cutoff >= rate / 2:
        return values
    whole = np.interp(time, time[known], values[known])
    smooth = sosfiltfilt(butter(2, cutoff, fs=rate, output="sos"), whole)
    return np.where(known, smooth, np.nan)
