"""Spikes against simultaneously recorded true spikes, and the cost of a cell and frame.

``python -m benchmarks.spikes``. Every cell of ``spikes-gt-cascade`` is run from its first frame with nothing
but its frame rate known. Figures at zero lag: r in 200 ms bins, and r at 7.5 Hz after a Gaussian of 0.2 s.
The controls see the whole trace at once; ours (causal) sees only the past, ours (settled) half a second more.
Controls that need ``oasis-deconv`` are left out, with a line, when it is not installed.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from roi_core.cnmf.decay import pools
from roi_core.cnmf.deconvolve import Deconvolver
from roi_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SHARED = Path(os.environ.get("ROI_STREAM_SHARED", Path(__file__).parents[2] / "shared"))
FOLDER = SHARED / "data" / "test-only" / "spikes-gt-cascade"
CNMF = Settings().cnmf
FIXED = {"6f": 0.7, "6s": 1.25, "8f": 0.25, "8m": 0.3, "8s": 0.5}
"""Decay of the non-negative deconvolution by the end of the indicator's name, else 0.8 s."""


class Recording(NamedTuple):
    """Times of the frames (s), dF/F, and times of the true spikes (s)."""

    time: NDArray[np.float64]
    trace: NDArray[np.float32]
    spikes: NDArray[np.float64]


def recordings(path: Path) -> list[Recording]:
    parts = np.atleast_1d(loadmat(path, squeeze_me=True, struct_as_record=False)["CAttached"])
    return [
        Recording(
            np.ravel(part.fluo_time).astype(float),
            np.ravel(part.fluo_mean).astype(np.float32),
            np.ravel(part.events_AP) / 1e4,
        )
        for part in parts
    ]


def ours(trace: NDArray[np.float32], rate: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return causal and settled spikes."""
    lag, frames = round(CNMF.lag * rate), len(trace)
    d = Deconvolver(rate, lag)
    d.append(np.empty((1, 0), np.float32))
    causal, settled = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
    for t in range(frames):
        d.step(trace[t : t + 1], CNMF)
        causal[t] = d.spikes[0]
        if t >= lag:
            settled[t - lag] = d.settled_spikes[0]
    settled[frames - lag :] = d.flush()[1][0]
    return causal, settled


def fixed(trace: NDArray[np.float64], rate: float, decay: float) -> NDArray[np.float64]:
    """Non-negative deconvolution after Suite2p's recipe: smooth minimum as baseline, no penalty."""
    base = gaussian_filter1d(trace, min(10 * rate, len(trace) / 2))
    base = maximum_filter1d(minimum_filter1d(base, round(60 * rate)), round(60 * rate))
    return pools(trace - base, float(np.exp(-1 / (rate * decay))), 0.0)


def controls(decay: float) -> dict[str, Callable[[NDArray[np.float64], float], NDArray[np.float64]]]:
    known: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.float64]]] = {
        "fixed decay": lambda y, rate: fixed(y, rate, decay),
        "derivative": lambda y, rate: np.maximum(np.gradient(y), 0),
        "derivative 50 ms": lambda y, rate: np.maximum(np.gradient(gaussian_filter1d(y, 0.05 * rate)), 0),
        "raw": lambda y, rate: y,
    }
    try:
        oasis = import_module("oasis.functions")
    except ImportError:
        return known
    for order in (1, 2):
        name = f"oasis AR{order}"
        known[name] = lambda y, rate, order=order: oasis.deconvolve(y, g=(None,) * order, penalty=1)[1]
    return known


def pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0


def binned(r: Recording, values: NDArray[Any]) -> tuple[NDArray[np.float64], ...]:
    """Return estimate and truth in 200 ms bins, and both at 7.5 Hz after the Gaussian."""
    half = np.median(np.diff(r.time)) / 2
    begin, end = r.time[0] - half, r.time[-1] + half
    out = []
    for step, smooth, take in ((0.2, 0.0, 1), (1 / 150, 30.0, 20)):
        edges = np.arange(begin, end, step)
        for times, weights in ((r.time, np.nan_to_num(values)), (r.spikes, np.ones(len(r.spikes)))):
            counts = np.histogram(times, edges, weights=weights)[0].astype(float)
            if smooth:
                counts = gaussian_filter1d(counts, smooth, mode="constant")
            out.append(counts[take // 2 :: take])
    return tuple(out)


def score(parts: list[Recording], values: list[NDArray[Any]]) -> tuple[float, float]:
    """Return both figures of one cell, its recordings behind each other."""
    rows = [binned(r, v) for r, v in zip(parts, values, strict=True)]
    a, b, c, d = (np.concatenate([row[i] for row in rows]) for i in range(4))
    return pearson(a, b), pearson(c, d)


def real() -> None:
    if not FOLDER.is_dir():
        print(f"{FOLDER} is not here")
        return
    table: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(FOLDER.glob("*/*.mat")):
        parts = recordings(path)
        rates = [1 / float(np.median(np.diff(r.time))) for r in parts]
        name = path.parent.name.split("-")[1]
        pairs = [ours(r.trace, rate) for r, rate in zip(parts, rates, strict=True)]
        values: dict[str, list[NDArray[Any]]] = {"ours, causal": [], "ours, settled": []}
        values["ours, causal"], values["ours, settled"] = [p[0] for p in pairs], [p[1] for p in pairs]
        for label, control in controls(FIXED.get(name[-2:], 0.8)).items():
            values[label] = [
                control(r.trace.astype(float), rate) for r, rate in zip(parts, rates, strict=True)
            ]
        table.setdefault("", []).append((rates[0], 0.0))
        for label, found in values.items():
            table.setdefault(label, []).append(score(parts, found))
        print(
            f"{name} {rates[0]:.0f} Hz: "
            + ", ".join(f"{k} {v[-1][0]:.3f}/{v[-1][1]:.3f}" for k, v in table.items() if k)
        )
    if "oasis AR1" not in table:
        print("oasis-deconv is not installed: its two rows are left out")
    report(table)


def report(table: dict[str, list[tuple[float, float]]]) -> None:
    rows = {k: np.array(v) for k, v in table.items() if k}
    print("\n### Spikes of twelve real cells, zero lag\n")
    print(
        "| method | median r 200 ms / 7.5 Hz | mean | cells where ours, causal is better |\n|---|---|---|---|"
    )
    for name, r in rows.items():
        wins = (rows["ours, causal"] > r).sum(0)
        (m, g), (a, b) = np.median(r, 0), r.mean(0)
        print(f"| {name} | {m:.3f} / {g:.3f} | {a:.3f} / {b:.3f} | {wins[0]} / {wins[1]} |")


def cost() -> None:
    rng = np.random.default_rng(0)
    print(
        "\n### Cost, ns per cell and frame\n\n| cells | rate | order | median | p99 |\n|---|---|---|---|---|"
    )
    for n, rate in ((400, 30), (2000, 30), (400, 60), (400, 120)):
        frames = 20 * rate
        kernel = np.exp(-np.arange(frames) / (0.6 * rate)) - np.exp(-np.arange(frames) / (0.06 * rate))
        spikes = rng.poisson(0.4 / rate, (n, frames))
        clean = np.fft.irfft(np.fft.rfft(spikes, 2 * frames) * np.fft.rfft(kernel, 2 * frames))[:, :frames]
        rows = np.ascontiguousarray((clean + 0.1 * rng.standard_normal(clean.shape)).T, np.float32)
        for order in ("1", "2"):
            settings = CNMF.model_copy(update={"order": order})
            d = Deconvolver(float(rate), rate // 2)
            d.append(np.empty((n, 0), np.float32))
            times = []
            for row in rows:
                begin = perf_counter()
                d.step(row, settings)
                times.append((perf_counter() - begin) / n * 1e9)
            print(
                f"| {n} | {rate} | {order} "
                f"| {np.median(times[1:]):.0f} | {np.percentile(times[1:], 99):.0f} |"
            )


if __name__ == "__main__":
    real()
    cost()
