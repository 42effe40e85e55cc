"""The names that GenICam cameras give to what they let be adjusted (EMVA's SFNC), old spellings included.

The same for every binding: ``find`` gives a node by its name, or None, ``writable`` tells whether it may be
set now, and ``spell`` how the binding writes ``value``, ``min``, ``max``, ``inc`` and ``symbolics``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from roi_core.sources.knobs import WHOLE, Knob, Region

__all__ = ["Features"]

MICROSECONDS = 1e-3
"""One of them in ms."""
EXPOSURE = {"ExposureTime": MICROSECONDS, "ExposureTimeAbs": MICROSECONDS, "ExposureTimeRaw": MICROSECONDS}
GAIN = {"Gain": 1.0, "GainAbs": 1.0, "GainRaw": 1.0}
RATE = {"AcquisitionFrameRate": 1.0, "AcquisitionFrameRateAbs": 1.0}
REPORTED = ("ResultingFrameRate", "ResultingFrameRateAbs", "AcquisitionResultingFrameRate", *RATE)
"""Where a camera tells its rate, the most trustworthy first."""
OFF = {"ExposureAuto": "Off", "ExposureMode": "Timed", "GainAuto": "Off", "AcquisitionFrameRateEnable": True}
"""What must be so before a number counts."""


class Features:
    """What one GenICam camera lets be adjusted; of its kinds of pixels those that are `readable` by name."""

    def __init__(
        self,
        find: Callable[[str], Any | None],
        writable: Callable[[Any], bool],
        spell: Callable[[str], str] = str,
        readable: str = ".*",
    ) -> None:
        self._find = find
        self._writable = writable
        self._spell = spell
        self._readable = readable

    def value(self, *names: str) -> Any | None:
        """Return what the first node that there is says; None without any."""
        node = self._first(names)
        return None if node is None else self._of(node, "value")

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the pictures, px."""
        return int(self.value("Height") or 0), int(self.value("Width") or 0)

    @property
    def rate(self) -> float | None:
        """Frames per second, as far as the camera tells."""
        told = self.value(*REPORTED)
        return float(told) if told and 0 < told <= 10_000 else None

    @property
    def full(self) -> int:
        """Largest value of a gray pixel of less than 16 bits; 0 when it cannot be known."""
        found = re.fullmatch(r"Mono(9|1[0-5])\D*", str(self.value("PixelFormat")))
        return 2 ** int(found[1]) - 1 if found else 0

    def knobs(self) -> dict[str, Knob]:
        """Return what can be adjusted, by the name of the setting."""
        found = {
            "exposure": self._number(EXPOSURE, "ms"), "rate": self._number(RATE, "Hz"),
            "gain": self._number(GAIN, "dB" if self._find("Gain") is not None else ""),
        }  # fmt: skip
        found["binning"] = self._binning()
        found["pixel_format"] = self._pixels()
        found["trigger"] = self._trigger()
        found["crop"] = found["format"] = self._region()
        return {name: knob for name, knob in found.items() if knob is not None}

    def _number(self, factors: dict[str, float], unit: str) -> Knob | None:
        name = next((name for name in factors if self._find(name) is not None), None)
        if name is None:
            return None
        node, factor = self._find(name), factors[name]

        def write(wish: float) -> None:
            for other, state in OFF.items():
                self._put(other, state)
            whole = isinstance(self._of(node, "value"), int)
            self._set(node, round(wish / factor) if whole else wish / factor)

        return Knob(lambda: self._of(node, "value") * factor, write, lambda: self._span(node, factor), unit)

    def _binning(self) -> Knob | None:
        across, down = self._find("BinningHorizontal"), self._find("BinningVertical")
        if across is None or down is None:
            return None

        def write(wish: int) -> None:
            # Some cameras tie the two together, and then refuse the second.
            self._set(across, wish)
            if self._of(down, "value") != wish:
                self._set(down, wish)

        return Knob(lambda: self._of(across, "value"), write, lambda: self._span(across))

    def _pixels(self) -> Knob | None:
        node = self._find("PixelFormat")
        if node is None:
            return None

        def kinds() -> list[str]:
            return [name for name in self._of(node, "symbolics") if re.fullmatch(self._readable, name)]

        def write(wish: str) -> None:
            known = {name.lower(): name for name in kinds()}
            for spelled in (wish.lower(), f"mono{wish}".lower()):
                if spelled in known:
                    return self._set(node, known[spelled])
            raise ValueError(wish)

        return Knob(partial(self._of, node, "value"), write, lambda: ", ".join(kinds()))

    def _trigger(self) -> Knob | None:
        mode = self._find("TriggerMode")
        if mode is None:
            return None

        def write(wish: str) -> None:
            self._put("TriggerSelector", "FrameStart")
            self._set(mode, "On" if wish == "external" else "Off")
            source = self._find("TriggerSource")
            if wish == "external" and source is not None and self._of(source, "value") == "Software":
                lines = [name for name in self._of(source, "symbolics") if name.startswith("Line")]
                self._set(source, lines[0] if lines else "Software")

        return Knob(
            lambda: "external" if self._of(mode, "value") == "On" else "free", write, lambda: "free, external"
        )

    def _region(self) -> Knob | None:
        sides = [self._find(name) for name in ("OffsetX", "OffsetY", "Width", "Height")]
        if sides[2] is None or sides[3] is None:
            return None

        def read() -> Region:
            return Region(*(0 if side is None else int(self._of(side, "value")) for side in sides))

        def write(wish: Region) -> None:
            # A corner must make room before a side can grow.
            for corner in filter(self._can, sides[:2]):
                self._set(corner, self._of(corner, "min"))
            for node, side in zip(sides[2:], wish[2:], strict=True):
                self._set(node, self._snapped(node, self._of(node, "max") if wish == WHOLE else side))
            for node, begin in zip(sides[:2], wish[:2], strict=True):
                if self._can(node):
                    middle = self._of(node, "max") // 2
                    self._set(node, self._snapped(node, middle if begin is None else begin))

        def offer() -> str:
            return " x ".join(self._span(node) for node in sides[2:])

        return Knob(read, write, offer, "px")

    def _can(self, node: Any) -> bool:
        return node is not None and self._writable(node)

    def _first(self, names: tuple[str, ...]) -> Any | None:
        return next((node for node in map(self._find, names) if node is not None), None)

    def _of(self, node: Any, word: str) -> Any:
        return getattr(node, self._spell(word))

    def _set(self, node: Any, value: Any) -> None:
        setattr(node, self._spell("value"), value)

    def _put(self, name: str, state: Any) -> None:
        """Bring a node that may be missing or locked into a state."""
        node = self._find(name)
        if self._can(node) and self._of(node, "value") != state:
            self._set(node, state)

    def _snapped(self, node: Any, value: int) -> int:
        """Return the next lower value on the node's grid."""
        least, step = self._of(node, "min"), self._of(node, "inc") or 1
        return int(least + (value - least) // step * step)

    def _span(self, node: Any, factor: float = 1.0) -> str:
        return f"{self._of(node, 'min') * factor:g} to {self._of(node, 'max') * factor:g}"
