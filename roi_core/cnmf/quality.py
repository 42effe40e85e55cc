"""Which components are cells: thresholds that can be moved while frames flow, and a reason for every no."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from roi_core.cnmf.state import MARKS
from roi_core.frame import Status
from roi_core.jit import lean

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from roi_core.cnmf.state import Table
    from roi_core.settings import Cnmf

__all__ = ["FORESEEN", "THRESHOLDS", "Marks", "judge", "marks", "reasons"]

LENIENT = 0.8
"""A component once accepted stays so down to this share of each threshold: it must not flicker."""
HOPELESS = 0.5
"""A component that stays below this share of a threshold is no cell and is removed."""


class Marks(NamedTuple):
    """What N components are judged by, each (N,): higher is better, except for size, which has two limits.

    ``snr`` is the highest transient of the last minutes over the noise of a frame; ``evidence`` how many
    standard deviations all transients together stand out; ``r`` the correlation of the footprint with the
    image of the transients; ``skewness`` that of the smoothed trace (calcium is rarely high, glow is not);
    ``asymmetry`` that of the trace's changes (calcium rises faster than it falls, glow and motion do not),
    or a part of the trace's own;
    ``contrast`` how far the image falls to its rim;
    ``room`` how many px its middle lies inside of what motion leaves in sight; ``size`` is in px of the
    analysed picture.
    """

    snr: NDArray[np.float32]
    evidence: NDArray[np.float32]
    r: NDArray[np.float32]
    skewness: NDArray[np.float32]
    asymmetry: NDArray[np.float32]
    contrast: NDArray[np.float32]
    room: NDArray[np.float32]
    size: NDArray[np.float32]


def marks(
    count: int,
    t: Table,
    noise: NDArray[np.float32],
    shape: tuple[int, int],
    hidden: tuple[float, float, float, float],
) -> Marks:
    """Return the marks of the first `count` cells of a table.

    ``hidden`` (4,) is how many px motion now and then hides at the top, bottom, left and right of a picture.
    """
    columns = np.empty((MARKS, count), np.float32)
    _measure(count, t, noise, shape, hidden, columns)
    return Marks(*columns)


@lean
def _measure(count: Any, t: Any, noise: Any, shape: Any, hidden: Any, out: Any) -> None:
    """Fill ``out`` (marks, N); numpy, cold after half a second, takes as long as a tenth of a frame."""
    for i in range(count):
        y, x = t.centres[i, 0], t.centres[i, 1]
        skewness = _skewness(t.tail[i], 1.0)
        out[0, i] = t.peak[i] / max(noise[i], np.float32(1e-9))
        out[1, i], out[2, i], out[3, i] = t.evidence[i], t.r[i], skewness
        out[4, i] = _asymmetry(t.swings[i], skewness)
        out[5, i] = t.contrast[i]
        out[6, i] = min(
            y - hidden[0], shape[0] - 1 - hidden[1] - y, x - hidden[2], shape[1] - 1 - hidden[3] - x
        )
        out[7, i] = t.size[i]


def judge(
    m: Marks, settings: Cnmf, area: float, before: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """Return status (N,), the index of the first rule each fails (-1: none) and which are hopeless.

    ``before`` is the last status, for hysteresis; `reasons` puts the index into words.
    """
    values, least = _rules(m, settings, area)
    kept = before == Status.ACCEPTED if before is not None else np.zeros(len(m.r), bool)
    first, hopeless = np.empty(len(m.r), np.int64), np.empty(len(m.r), np.bool_)
    _fail(values, least[:, 0], kept, LASTING, first, hopeless)
    return np.where(first < 0, Status.ACCEPTED, Status.REJECTED).astype(np.uint8), first, hopeless


@lean
def _fail(values: Any, least: Any, kept: Any, lasting: Any, first: Any, hopeless: Any) -> None:
    """Fill in which rule each fails ``first`` (-1: none), and which are ``hopeless`` by a ``lasting`` one."""
    for i in range(first.size):
        first[i], hopeless[i] = -1, False
        enough = LENIENT if kept[i] else 1.0
        for rule in range(least.size):
            value, asked = values[rule, i], least[rule]
            # of a least of nothing there are no shares
            share = value / max(asked, 1e-9) if asked > 0 else np.inf if value >= asked else HOPELESS
            if first[i] < 0 and not share >= enough:
                first[i] = rule
            hopeless[i] |= lasting[rule] and share < HOPELESS


def reasons(m: Marks, settings: Cnmf, area: float, rules: NDArray[np.int64]) -> list[str]:
    """Say in words why each component fails its rule (N,); empty for none."""
    values, least = _rules(m, settings, area)
    words = [""] * len(rules)
    failed = np.flatnonzero(rules >= 0)
    told = values[rules[failed], failed].tolist(), least[rules[failed], 0].tolist(), m.size[failed].tolist()
    for i, rule, value, asked, size in zip(failed.tolist(), rules[failed].tolist(), *told, strict=True):
        if rule < len(NAMES):
            words[i] = f"{NAMES[rule]} {value:.3g} is below {asked:.3g}"
        else:
            words[i] = f"size {size:.0f} px is above {settings.max_size:g} x {area:.0f} px"
    return words


@lean
def _asymmetry(swings: Any, skewness: Any) -> Any:
    """Return the greatest skewness of the changes (scales, 4) of a trace, or a part of the trace's own."""
    best = skewness / RARE
    for k in range(swings.shape[0]):
        weight = np.float64(swings[k, 0])
        best = max(best, _skewness(swings[k, 1:], weight) if weight > 0 else 0.0)
    return best


@lean
def _skewness(sums: Any, weight: Any) -> Any:
    """Return the skewness of values from sums (3,) of their first powers and a weight."""
    weight = max(weight, 1e-12)
    first, second, third = sums[0] / weight, sums[1] / weight, sums[2] / weight
    spread = max(second - first * first, 1e-12)
    return (third - 3 * first * second + 2 * first * first * first) / (spread * np.sqrt(spread))


THRESHOLDS = (*("min_evidence", "min_snr", "min_r", "min_skewness", "min_asymmetry", "min_size", "max_size"),)
"""The settings that decide."""
FORESEEN = frozenset((*THRESHOLDS, "max_cells"))
"""Settings whose effect is known at once: all else shows only in frames to come."""
NAMES = (
    "evidence",
    "SNR",
    "spatial correlation",
    "skewness",
    "asymmetry of rise and fall",
    "contrast to its rim",
    "distance from the edge",
    "size",
)
MAY_COME = ("asymmetry of rise and fall",)
"""Rules by which a component is rejected, but not removed: a few more transients may show what it is."""
LASTING = np.array([*(name not in MAY_COME for name in NAMES), False])
"""By which rules a component may be removed: not by the last, its greatest size."""
RARE = 8.0
"""A trace so many times as skewed as its changes should be needs no other sign: it is hardly ever high."""
CONTRAST = 0.6
"""How bright the image of a cell's transients must be, above its rim, against what it is above nothing."""
EDGE = 0.25
"""Cell radii that the middle of a cell must be inside of what motion leaves in sight."""


def _rules(m: Marks, settings: Cnmf, area: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values (rules, N) and the least of each (rules, 1); the last is an upper limit, inverted."""
    values = np.empty((len(NAMES) + 1, len(m.r)))
    columns = m.evidence, m.snr, m.r, m.skewness, m.asymmetry, m.contrast, m.room, m.size
    for row, column in zip(values, columns, strict=False):
        row[:] = column
    values[-1] = 1.0 / np.maximum(m.size, 1e-9)
    values[np.isnan(values)] = 0.0
    s = settings
    edge = EDGE * np.sqrt(area / np.pi)
    least = [
        s.min_evidence,
        s.min_snr,
        s.min_r,
        s.min_skewness,
        s.min_asymmetry,
        CONTRAST,
        edge,
        s.min_size * area,
        1 / (s.max_size * area),
    ]
    return values, np.array(least)[:, None]
