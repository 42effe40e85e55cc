"""What can be asked of an export, said once: the command line and the window are made of this."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPTIONS", "OUT", "OVERWRITE", "Option", "in_words", "of"]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to ask for: a field of `Wishes`, ``--name`` on the command line, ``label`` in the window.

    Without ``read``, which makes a value of a text or raises a `ValueError` in a sentence, it is a yes or no.
    It means something to ``formats`` only; to all of them when none is named.
    """

    name: str
    label: str
    what: str
    default: Any = False
    read: Callable[[str], Any] | None = None
    shape: str = ""
    """What the text looks like."""
    choices: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


def _speed(text: str) -> float:
    value = _number(text)
    if not 0.001 <= value <= 1000:
        raise ValueError(f"{text!r} is not a number from 0.001 to 1000")
    return value


def _limits(text: str) -> tuple[float, float]:
    low, high = (_number(part) for part in text.split(",")) if text.count(",") == 1 else (0.0, 0.0)
    if not -1e6 < low < high < 1e6:
        raise ValueError(f"{text!r} is not LOW,HIGH: two numbers, the lower first")
    return low, high


def _positive(text: str) -> float:
    value = _number(text)
    if not 0 < value < float("inf"):
        raise ValueError(f"{text!r} is not a number above 0")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


OUT: Final = Option("out", "Written to", "file or folder to write (beside the recording)", "", str, "F")
OVERWRITE: Final = Option("overwrite", "Replace what is there", "replace an existing file or folder")
CELLS: Final = ("csv", "footprints", "nwb", "suite2p", "caiman", "video")
COLOURS: Final = ("photometry",)

OPTIONS: Final = (
    Option("refined", "Refined cells", "the cells of refine, if there are any", formats=CELLS),
    Option("corrected", "Moved into place", "frames moved into place", formats=("tiff", "video")),
    Option(
        "speed", "Speed", "so many times as fast (0.001 to 1000)", 1.0, _speed, "X", formats=("video",)
    ),
    Option(
        "limits", "Black, white", "counts that are black, white", None, _limits, "LOW,HIGH",
        formats=("video",),
    ),
    Option("signal", "Signal", "channel or half with the activity", "", str, "NAME", formats=COLOURS),
    Option(
        "reference", "Reference", "the one without (default: as recorded)", "", str, "NAME", formats=COLOURS
    ),
    Option(
        "fit", "Fit", "robust leaves transients out (default)", "robust", str,
        choices=("robust", "ols"), formats=COLOURS,
    ),
    Option(
        "bleaching", "Bleaching", "own: divide each trace by its own bleaching curve first", "shared", str,
        choices=("shared", "own"), formats=COLOURS,
    ),
    Option(
        "lowpass", "Low-pass", "smooth both traces first, such as 3", 0.0, _positive, "HZ", formats=COLOURS
    ),
)  # fmt: skip
"""In the order in which they are shown. Where, and in whose place, is asked of every export, see `OUT`."""


def of(word: str) -> tuple[Option, ...]:
    """Return what can be asked of a format."""
    return tuple(option for option in OPTIONS if not option.formats or word in option.formats)


def in_words(text: str, menu: str) -> str:
    """Return a sentence on options of the command line in words of the window; `menu` leads to a format."""
    for option in (OUT, OVERWRITE, *OPTIONS):
        text = re.sub(rf"(?<!\S)--{option.name}\b", f"'{option.label}'", text)
    return re.sub(r"(?<!\S)--to (\w+)", rf"{menu}/\1", text)
