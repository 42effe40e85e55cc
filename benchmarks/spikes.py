"""Spikes against simultaneously recorded true spikes, and the cost of a cell and frame.

``python -m benchmarks.spikes``. Every cell of ``spikes-gt-cascade`` is run from its first frame with nothing
but its frame rate known. Figures at zero lag: r in 200 ms bins, and r at 7.5 Hz after a Gaussian of 0.2 s.
The controls see the whole trace at once; ours (causal) sees only the past, ours (settled) half a second more.
Controls that need ``oasis-deconv`` are left out, with a line, when it is not installed.

The last rows say what the first are worth: the best control without the 0.1 s that it looks ahead, what is
right but comes late, and causal filters trained on the true spikes of other cells (`trained`).
"""

from __future__ import annotations

import os
from importlib import import_module
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from benchmarks.trained import Training, by_age, of_the_past, respond, train
from roi_core.cnmf.decay import pools
from roi_core.cnmf.deconvolve import Deconvolver
from roi_core.cnmf.window import SPIKES
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


class Run(NamedTuple):
    """What we make of a trace (T,), frame by frame; `window` (T, W) holds its spikes of the last W frames."""

    causal: NDArray[np.float32]
    settled: NDArray[np.float32]
    raw: NDArray[np.float32]
    noise: NDArray[np.float32]
    window: NDArray[np.float32]


def ours(trace: NDArray[np.float32], rate: float) -> Run:
    lag, frames = round(CNMF.lag * rate), len(trace)
    d = Deconvolver(rate, lag)
    d.append(np.empty((1, 0), np.float32))
    causal, settled, raw, noise = (np.zeros(frames, np.float32) for _ in range(4))
    window = np.zeros((frames, d._width), np.float32)
    for t in range(frames):
        d.step(trace[t : t + 1], CNMF)
        causal[t], raw[t], noise[t] = d.spikes[0], d.raw[0], d.noise[0]
        window[t] = d._cells[0][0, SPIKES]
        if t >= lag:
            settled[t - lag] = d.settled_spikes[0]
    settled[frames - lag :] = d.flush()[1][0]
    return Run(causal, settled, raw, noise, window)


def fixed(trace: NDArray[np.float64], rate: float, decay: float) -> NDArray[np.float64]:
    """Non-negative deconvolution after Suite2p's recipe: smooth minimum as baseline, no penalty."""
    base = gaussian_filter1d(trace, min(10 * rate, len(trace) / 2))
    base = maximum_filter1d(minimum_filter1d(base, round(60 * rate)), round(60 * rate))
    return pools(trace - base, float(np.exp(-1 / (rate * decay))), 0.0)


def derivative(trace: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    return np.maximum(np.gradient(gaussian_filter1d(trace, 0.05 * rate)), 0)


def falling(trace: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return the positive difference from frame to frame after the past half of the same Gaussian."""
    past = np.exp(-0.5 * (np.arange(1 + max(1, int(0.2 * rate))) / (0.05 * rate)) ** 2)
    smooth = np.convolve(trace - trace[0], past / past.sum())[: len(trace)]
    return np.maximum(np.diff(smooth, prepend=0), 0)


def controls(decay: float) -> dict[str, Callable[[NDArray[np.float64], float], NDArray[np.float64]]]:
    known: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.float64]]] = {
        "fixed decay": lambda y, rate: fixed(y, rate, decay),
        "derivative": lambda y, rate: np.maximum(np.gradient(y), 0),
        "derivative 50 ms": derivative,
        "derivative 50 ms, told 50 ms late": lambda y, rate: late(derivative(y, rate), ceil(0.05 * rate)),
        "derivative 50 ms, past half only": falling,
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
    cells: list[tuple[list[Recording], list[Run]]] = []
    for path in sorted(FOLDER.glob("*/*.mat")):
        parts = recordings(path)
        runs = [ours(r.trace, rate_of(r)) for r in parts]
        cells.append((parts, runs))
        name = path.parent.name.split("-")[1]
        rows: dict[str, list[NDArray[Any]]] = {
            "ours, causal": [run.causal for run in runs],
            "ours, settled": [run.settled for run in runs],
        }
        for label, control in controls(FIXED.get(name[-2:], 0.8)).items():
            rows[label] = [control(r.trace.astype(float), rate_of(r)) for r in parts]
        rows["ours, settled, a frame late"] = [late(run.settled, 1) for run in runs]
        rows["true spikes, 50 ms late"] = [seen(r, 0.05) for r in parts]
        for label, found in rows.items():
            table.setdefault(label, []).append(score(parts, found))
        print(
            f"{name} {rate_of(parts[0]):.0f} Hz: "
            + ", ".join(f"{k} {v[-1][0]:.3f}/{v[-1][1]:.3f}" for k, v in table.items())
        )
    if "oasis AR1" not in table:
        print("oasis-deconv is not installed: its two rows are left out")
    report(table | taught(cells))


def rate_of(r: Recording) -> float:
    return 1 / float(np.median(np.diff(r.time)))


def late(values: NDArray[Any], frames: int) -> NDArray[Any]:
    return np.append(np.zeros(frames), values)[: len(values)]


def seen(r: Recording, delay: float) -> NDArray[np.float64]:
    """Return the true spikes by the first frame that is `delay` s later."""
    frames = np.searchsorted(r.time, r.spikes + delay)
    return np.bincount(frames, minlength=len(r.time) + 1)[: len(r.time)].astype(float)


def taught(cells: list[tuple[list[Recording], list[Run]]]) -> dict[str, list[tuple[float, float]]]:
    """Return the figures of filters trained on the other cells, and of one trained on these very cells."""
    table: dict[str, list[tuple[float, float]]] = {}
    known = [[inputs(r, run) for r, run in zip(*cell, strict=True)] for cell in cells]
    past, ages = slice(0, -8), slice(-8, None)
    for label, columns, own in (
        ("trained on others: dF/F", past, False),
        ("trained on others: our window", ages, False),
        ("trained on the same cells: both", slice(None), True),
    ):
        chosen = [[x[:, columns] for x in rows] for rows in known]
        lessons = [lesson(parts, x) for (parts, _), x in zip(cells, chosen, strict=True)]
        shared = train(lessons) if own else None
        for k, (parts, _) in enumerate(cells):
            weights = train(lessons[:k] + lessons[k + 1 :]) if shared is None else shared
            found: list[NDArray[Any]] = [respond(weights, x) for x in chosen[k]]
            table.setdefault(label, []).append(score(parts, found))
    return table


def inputs(r: Recording, run: Run) -> NDArray[np.float64]:
    """Return (T, 19) what is known at each frame, in units of the noise of 0.1 s."""
    rate = rate_of(r)
    noise = np.where(run.noise > 0, run.noise, np.median(run.noise)).astype(float) * np.sqrt(10 / rate)
    past, ages = of_the_past(run.raw.astype(float), rate), by_age(run.window.astype(float), rate)
    return np.column_stack([past, ages, run.causal]) / noise[:, None]


def lesson(parts: list[Recording], known: list[NDArray[np.float64]]) -> Training:
    """Put the recordings of a cell behind each other."""
    places, spikes, begin = [], [], 0
    for r in parts:
        half = 0.5 / rate_of(r)
        edges = np.arange(r.time[0] - half, r.time[-1] + half, 0.2)
        place = np.digitize(r.time, edges) - 1
        places.append(np.where((place >= 0) & (place < len(edges) - 1), place + begin, -1))
        spikes.append(np.histogram(r.spikes, edges)[0].astype(float))
        begin += len(edges) - 1
    return Training(np.concatenate(known), np.concatenate(places), np.concatenate(spikes))


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
