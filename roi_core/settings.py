"""Every number a user can turn, in one frozen tree; and the one object that swaps it while frames flow.

Each field carries its unit, its range and one sentence. The same sentence is the comment in the YAML file,
the help of ``roi_stream settings`` and the tooltip in the window, so the three cannot disagree.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from roi_core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

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
]

Scalar = bool | int | float | str | None

SIDES, RATES = (16, 16_384), (0.001, 10_000)
"""What ``camera.format`` may ask for, px and Hz; beyond it a typing error fills the memory."""
LONGEST = 80
"""Characters of a value or a path that a refusal shows."""
NOT_YAML = (yaml.YAMLError, AttributeError, LookupError, RecursionError, ValueError)
"""What PyYAML raises: its constructors let more through than its own errors."""


def field(default: Any, text: str, *, unit: str = "", live: bool = True, **rule: Any) -> Any:
    """Return a model field: one sentence, a unit, a rule, and whether it may change mid-session."""
    return Field(default, description=text, json_schema_extra={"unit": unit, "live": live}, **rule)


class Block(BaseModel):
    """One part of the settings: frozen; unknown names and values of another kind are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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
        60.0, "Least sharpness, of what it was when the session began.", unit="%", ge=0, le=100
    )
    motion: float = field(12.0, "Farthest that a frame may have to be moved.", unit="px", ge=0, le=1000)
    bleaching: float = field(5.0, "Fastest fading of the picture.", unit="%/min", ge=0, le=100)
    lost: int = field(0, "Most frames lost in a minute.", unit="frames", ge=0, le=1_000_000)
    cooldown: float = field(
        60.0, "Time for which a figure that has alarmed stays silent.", unit="s", ge=0, le=3600
    )


class Display(Block):
    """What the window shows; never changes what is measured or recorded."""

    rate: float = field(25.0, "How often the window draws.", unit="Hz", ge=1, le=120)
    auto_contrast: bool = field(True, "Follow the darkest and brightest pixels of the picture.")
    low: int = field(0, "Pixel value shown black when contrast is manual.", ge=0, le=65_535)
    high: int = field(65_535, "Pixel value shown white when contrast is manual.", ge=0, le=65_535)
    alert_sound: bool = field(False, "Beep when an alert begins.")
    saturation: bool = field(True, "Paint pixels at the camera's limit red.")
    cells: Literal["off", "accepted", "all"] = field(
        "all", "Outlines of cells on the picture: none, those accepted, or the rejected ones too."
    )
    cell_traces: int = field(
        6, "Cells whose traces are shown when none was chosen: those of the highest SNR.", ge=0, le=16
    )
    trace_window: float = field(20.0, "Seconds of trace on screen.", unit="s", ge=1, le=600)
    trace_kind: Literal["raw", "dff"] = field("raw", "Traces as raw means or as dF/F.")
    trace_autoscale: bool = field(True, "Fit each trace to its own height.")
    trace_buffer: float = field(
        600.0,
        "Seconds of trace kept in memory.",
        unit="s",
        live=False,
        ge=1,
        le=36_000,
    )


class Settings(Block):
    """All settings. Immutable: `with_value` gives a new, re-validated tree."""

    camera: Camera = Camera()
    prepare: Prepare = Prepare()
    motion: Motion = Motion()
    roi: Roi = Roi()
    cnmf: Cnmf = Cnmf()
    recorder: Recorder = Recorder()
    quality: Quality = Quality()
    display: Display = Display()

    @classmethod
    def load(cls, path: str | Path) -> Settings:
        """Read a YAML file; every problem is a `SettingsError` naming path, value and rule."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SettingsError("settings file", str(path), why) from error
        return cls.loads(text, name=str(path))

    @classmethod
    def loads(cls, text: str, name: str = "settings") -> Settings:
        """Read YAML text. Missing names keep their defaults; unknown names are refused."""
        try:
            tree = yaml.load(text, _Loader)
        except NOT_YAML as error:
            raise SettingsError(name, "...", f"not YAML: {' '.join(str(error).split())}") from error
        if tree is None:
            return cls()
        if not isinstance(tree, dict):
            raise _refused(name, tree, "a settings file is a list of blocks such as 'camera:'")
        # A block of which every line is commented out reads as null.
        empty = [block for block in cls.model_fields if tree.get(block, ...) is None]
        return _validated(cls, {block: part for block, part in tree.items() if block not in empty})

    def get(self, path: str) -> Any:
        """Return the value at a dotted path such as ``camera.rate``."""
        _find(path, self)
        block, name = path.split(".")
        return getattr(getattr(self, block), name)

    def with_value(self, path: str, value: Any) -> Settings:
        """Return the same tree with one value changed and everything checked again."""
        return self.with_values({path: value})

    def with_values(self, values: Mapping[str, Any]) -> Settings:
        """Return the same tree with the values at some paths changed at once and everything checked again."""
        tree = self.model_dump()
        for path, value in values.items():
            _find(path, self, value)
            block, name = path.split(".")
            tree[block][name] = value
        return _validated(Settings, tree)

    def with_texts(self, *assignments: str) -> Settings:
        """Apply ``path=value`` words as typed on a command line, all at once; values are read as YAML."""
        tree = self.model_dump()
        for assignment in assignments:
            path, equals, text = (part.strip() for part in assignment.partition("="))
            if not path or not equals:
                raise _refused("setting", assignment, "write it as path=value, such as camera.rate=20")
            kind = _find(path, self, text).kind
            block, name = path.split(".")
            tree[block][name] = text if kind is str else _read_yaml(text)
        return _validated(Settings, tree)

    def to_yaml(self, *blocks: str) -> str:
        """Return YAML of all or some blocks, each field's sentence, unit and range as its comment."""
        lines: list[str] = []
        for block in blocks or type(self).model_fields:
            lines += ["", f"# {_first_line(getattr(self, block))}", f"{block}:"]
            for setting in describe(self, block):
                lines += [f"  # {setting.help}", f"  {setting.name}: {_scalar(setting.value)}"]
        return "\n".join(lines[1:]) + "\n"


@dataclass(frozen=True, slots=True)
class Setting:
    """One field, described well enough to build a widget, a help line or a YAML comment from it."""

    path: str
    value: Scalar
    default: Scalar
    kind: type
    optional: bool
    choices: tuple[str, ...]
    unit: str
    text: str
    low: float | None
    high: float | None
    live: bool

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def help(self) -> str:
        """The sentence with unit, range and choices behind it."""
        facts = [self.unit, " | ".join(self.choices)]
        if self.low is not None or self.high is not None:
            low = "" if self.low is None else f"{self.low:g}"
            high = "" if self.high is None else f"{self.high:g}"
            facts.append(f"{low} .. {high}")
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.text} [{known}]" if known else self.text


def describe(settings: Settings, block: str | None = None) -> Iterator[Setting]:
    """Yield every field of a settings tree in its order; the window's panels are generated from this."""
    for name in [block] if block else type(settings).model_fields:
        part: Block = getattr(settings, name)
        for field_name, info in type(part).model_fields.items():
            yield _setting(f"{name}.{field_name}", getattr(part, field_name), info)


@dataclass(frozen=True, slots=True)
class Edit:
    """One accepted change of one setting."""

    path: str
    old: Scalar
    new: Scalar


class LiveSettings:
    """The settings in force, swapped whole; an edit takes effect at the next frame boundary.

    Any thread may call `edit`; only the worker calls `at_frame`. A refused edit raises `SettingsError`
    and changes nothing.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.current = settings or Settings()
        self.running = False
        self._edits: list[Edit] = []
        self._lock = threading.Lock()

    def edit(self, path: str, value: Any) -> Edit:
        """Change one value from the next frame on; return what was changed."""
        return self.edit_many({path: value})[0]

    def edit_many(self, values: Mapping[str, Any]) -> tuple[Edit, ...]:
        """Change several values at one frame, all or none; return what was changed."""
        with self._lock:
            for path, value in values.items():
                if self.running and not _find(path, self.current, value).live:
                    raise _refused(path, value, "cannot change while running; stop first")
            new = self.current.with_values(values)
            changes = tuple(Edit(path, self.current.get(path), new.get(path)) for path in values)
            real = [change for change in changes if change.old != change.new]
            if real:
                self.current = new
                self._edits.extend(real)
        return changes

    def at_frame(self) -> tuple[Settings, tuple[Edit, ...]]:
        """Return the settings for the frame now beginning and the edits that it is the first to see."""
        if not self._edits:
            return self.current, ()
        with self._lock:
            edits, self._edits = tuple(self._edits), []
            return self.current, edits


def _validated(model: type[Settings], tree: dict[str, Any]) -> Settings:
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"]) or "settings"
        why = first["msg"].removeprefix("Value error, ")
        why = _unknown(path) if first["type"] == "extra_forbidden" else why[:1].lower() + why[1:]
        seen = first["input"]
        if first["type"] == "value_error" and isinstance(seen, dict):
            # The rule of a whole block names the fields that it is about.
            seen = {name: value for name, value in seen.items() if name in re.findall(r"\w+", why)}
        raise _refused(path, seen, why) from error


class _Verbatim(str):
    """A text that a refusal shows without quotation marks."""

    __repr__ = str.__str__


def _refused(path: str, value: object, why: str) -> SettingsError:
    """Return the error, with no more of path and value than one sentence can hold."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no number of more than 4300 digits
        return SettingsError(path, _Verbatim("a number of thousands of digits"), why)
    return SettingsError(_cut(path), value if len(text) <= LONGEST else _Verbatim(_cut(text)), why)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _find(path: str, settings: Settings, value: object = None) -> Setting:
    for setting in describe(settings):
        if setting.path == path:
            return setting
    raise _refused(path, value, _unknown(path))


def _unknown(path: str) -> str:
    block = path.partition(".")[0]
    blocks = Settings.model_fields
    if block in blocks and "." in path:
        names = ", ".join(type(blocks[block].default).model_fields)
        return f"no such setting; {block} has {names}"
    return f"no such setting; the blocks are {', '.join(blocks)}"


def _setting(path: str, value: Scalar, info: FieldInfo) -> Setting:
    parts = get_args(info.annotation) or (info.annotation,)
    choices = tuple(part for part in parts if isinstance(part, str))
    kinds = [part for part in parts if isinstance(part, type) and part is not type(None)]
    extra: Any = info.json_schema_extra
    low = [getattr(rule, "ge", getattr(rule, "gt", None)) for rule in info.metadata]
    high = [getattr(rule, "le", getattr(rule, "lt", None)) for rule in info.metadata]
    return Setting(
        path=path,
        value=value,
        default=info.default,
        kind=str if choices else kinds[0],
        optional=type(None) in parts,
        choices=choices,
        unit=extra["unit"],
        live=extra["live"],
        text=str(info.description),
        low=_first(low),
        high=_first(high),
    )


class _Loader(yaml.SafeLoader):
    """YAML in which 1e3 is a number, as everywhere but in YAML 1.1."""


class _Dumper(yaml.SafeDumper):
    """The writer of the same: it quotes a word that looks like 1e3."""


for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$", re.ASCII),
        list("-+0123456789"),
    )


def _read_yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except NOT_YAML:
        return text


def _first(values: list[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _first_line(block: Block) -> str:
    return (type(block).__doc__ or "").partition("\n")[0]


def _scalar(value: Scalar) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=True)
    return text.removesuffix("...\n").strip()
