"""Settings of the alerts."""

from __future__ import annotations

import math

from pydantic import field_validator

from roi_core.figures import metric_of
from roi_core.form import Block, field
from roi_core.rules import Kind, Rule, read_rules

__all__ = ["Quality"]


class Quality(Block):
    """From when on a recording is not good enough: an alert is told, nothing is changed.

    The disk has no limit here, because the recorder itself warns (``recorder.disk_warning``); a rule may.
    """

    enabled: bool = field(True, "Tell when a figure leaves its limits.")
    dark: float = field(30.0, "Darkest that a frame may be, of the usual brightness.", unit="%", ge=0, le=100)
    step: float = field(
        25.0, "Largest change of light from one frame to the next of its colour.", unit="%", ge=0, le=1e6
    )
    brightness: float = field(
        6.0, "Step of the mean brightness that alarms, in deviations about its slow mean.", unit="sigma",
        ge=2, le=100,
    )  # fmt: skip
    saturation: float = field(0.5, "Most pixels at the camera's limit.", unit="%", ge=0, le=100)
    frozen: float = field(
        1.0, "Longest time that the picture may stay the same to the last pixel.", unit="s", gt=0, le=3600
    )
    focus: float = field(
        80.0, "Least sharpness, of what it was when the session began.", unit="%", ge=0, le=100
    )
    motion: float = field(
        12.0, "Farthest that a frame may be from where the scene usually is.", unit="px", ge=0, le=1000
    )
    bleaching: float = field(5.0, "Fastest fading of the picture.", unit="%/min", ge=0, le=100)
    lost: int = field(0, "Most frames lost in a minute.", unit="frames", ge=0, le=1_000_000)
    dropped: float = field(1.0, "Largest share of a minute's frames lost.", unit="%", ge=0, le=100)
    gap: float = field(
        5.0, "Longest time between two frames, in frame periods.", unit="periods", ge=1, le=1e6
    )
    memory: float = field(
        90.0, "Most memory this program may take, of what it has and what is free.", unit="%", ge=0, le=100
    )
    queue: float = field(80.0, "Most frames waiting for the disk, of recorder.queue.", unit="%", ge=0, le=100)
    lag: float = field(
        20.0, "Longest that the search for cells may be behind the camera.", unit="s", ge=0, le=3600
    )
    cooldown: float = field(
        60.0,
        "Time for which a figure that has alarmed stays silent, unless its rule says else.",
        unit="s",
        ge=0,
        le=3600,
    )
    rules: str = field(
        "",
        "More rules, with ; between: WHAT absolute|relative|rate|sigma LIMITS [hold s] [cooldown s], such as "
        "'roi:cell 3 sigma 6 cooldown 30; disk absolute >10'. WHAT is a figure above, roi (each), roi:NAME; "
        "LIMITS are what must hold: >A, <B, A..B or +-A. A rule replaces the limit above of its kind.",
        max_length=4000,
    )  # fmt: skip

    @field_validator("rules")
    @classmethod
    def _are_rules(cls, text: str) -> str:
        read_rules(text)
        return text

    def table(self) -> tuple[Rule, ...]:
        """Return every rule in force: the limits above, but for those that `rules` replace, and `rules`."""
        own = read_rules(self.rules, self.cooldown)
        replaced = {(rule.metric, rule.kind) for rule in own}
        usual = (rule for rule in self._usual() if (rule.metric, rule.kind) not in replaced)
        return (*usual, *own)

    def _usual(self) -> tuple[Rule, ...]:
        return (
            self._limit("dark", self.dark),
            self._limit("step", high=self.step),
            self._limit("brightness", -self.brightness, self.brightness, "sigma"),
            self._limit("saturation", high=self.saturation),
            self._limit("frozen", high=self.frozen),
            self._limit("focus", self.focus),
            self._limit("motion", high=self.motion),
            self._limit("bleaching", -self.bleaching),
            self._limit("lost", high=self.lost),
            self._limit("dropped", high=self.dropped),
            self._limit("gap", high=self.gap),
            self._limit("memory", high=self.memory),
            self._limit("queue", high=self.queue),
            self._limit("lag", high=self.lag),
        )

    def _limit(
        self, metric: str, low: float = -math.inf, high: float = math.inf, kind: Kind = "absolute"
    ) -> Rule:
        return Rule(metric, kind, low, high, metric_of(metric).hold, self.cooldown)
