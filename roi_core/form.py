"""A tree of numbers and words that people fill in: read, checked, changed while frames flow, written as YAML.

Each field carries its unit, its range and one sentence. The same sentence is the comment in the YAML file,
the help on the command line and the tooltip in the window, so the three cannot disagree.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roi_core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

__all__ = ["Block", "Edit", "Form", "Live", "Setting", "describe", "field"]

Scalar = bool | int | float | str | None

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


class Form(Block):
    """Blocks of fields. Immutable: `with_value` gives a new, re-validated tree."""

    what: ClassVar[str] = "form"
    """How a refusal calls it."""
    example: ClassVar[str] = "block.name=value"

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a YAML file; every problem is a `SettingsError` naming path, value and rule."""
        return cls.loads(cls._text(path), name=str(path))

    @classmethod
    def salvage(cls, path: str | Path) -> tuple[Self, tuple[str, ...]]:
        """Read what still can be read of a YAML file, and return a sentence for each value left out.

        Only a file that is no YAML of blocks at all is a `SettingsError`.
        """
        form, refused = cls(), []
        for block, part in cls._tree(cls._text(path), str(path)).items():
            for name, value in part.items() if isinstance(part, dict) else [("", part)]:
                try:
                    form = form.with_value(f"{block}.{name}", value)
                except SettingsError as error:
                    refused.append(str(error))
        return form, tuple(refused)

    @classmethod
    def _text(cls, path: str | Path) -> str:
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SettingsError(f"{cls.what} file", str(path), why) from error

    @classmethod
    def loads(cls, text: str, name: str = "") -> Self:
        """Read YAML text. Missing names keep their defaults; unknown names are refused."""
        return cls.from_tree(cls._tree(text, name or cls.what))

    @classmethod
    def _tree(cls, text: str, name: str) -> dict[str, Any]:
        """Return what the text says by block, without blocks that are empty."""
        try:
            tree = yaml.load(text, _Loader)
        except NOT_YAML as error:
            raise SettingsError(name, "...", f"not YAML: {' '.join(str(error).split())}") from error
        if tree is None:
            return {}
        if not isinstance(tree, dict):
            first = next(iter(cls.model_fields))
            raise _refused(name, tree, f"a {cls.what} file is a list of blocks such as '{first}:'")
        # A block of which every line is commented out reads as null.
        empty = [block for block in cls.model_fields if tree.get(block, ...) is None]
        return {block: part for block, part in tree.items() if block not in empty}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Self:
        """Return the form with these values by block and name; what cannot be is a `SettingsError`."""
        return _validated(cls, tree)

    def get(self, path: str) -> Any:
        """Return the value at a dotted path such as ``camera.rate``."""
        _find(path, self)
        block, name = path.split(".")
        return getattr(getattr(self, block), name)

    def with_value(self, path: str, value: Any) -> Self:
        """Return the same tree with one value changed and everything checked again."""
        return self.with_values({path: value})

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return the same tree with the values at some paths changed at once and everything checked again."""
        tree = self.model_dump()
        for path, value in values.items():
            _find(path, self, value)
            block, name = path.split(".")
            tree[block][name] = value
        return _validated(type(self), tree)

    def with_texts(self, *assignments: str) -> Self:
        """Apply ``path=value`` words as typed on a command line, all at once; values are read as YAML."""
        tree = self.model_dump()
        for assignment in assignments:
            path, equals, text = (part.strip() for part in assignment.partition("="))
            if not path or not equals:
                raise _refused("setting", assignment, f"write it as path=value, such as {self.example}")
            kind = _find(path, self, text).kind
            block, name = path.split(".")
            tree[block][name] = text if kind is str else _read_yaml(text)
        return _validated(type(self), tree)

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


def describe(form: Form, block: str | None = None) -> Iterator[Setting]:
    """Yield every field of a tree in its order; the window's panels are generated from this."""
    for name in [block] if block else type(form).model_fields:
        part: Block = getattr(form, name)
        for field_name, info in type(part).model_fields.items():
            yield _setting(f"{name}.{field_name}", getattr(part, field_name), info)


@dataclass(frozen=True, slots=True)
class Edit:
    """One accepted change of one setting."""

    path: str
    old: Scalar
    new: Scalar


F = TypeVar("F", bound=Form)


class Live(Generic[F]):
    """The tree in force, swapped whole; an edit takes effect at the next frame boundary.

    Any thread may call `edit`; only the worker calls `at_frame`. A refused edit raises `SettingsError`
    and changes nothing.
    """

    def __init__(self, current: F) -> None:
        self.current = current
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

    def at_frame(self) -> tuple[F, tuple[Edit, ...]]:
        """Return the tree for the frame now beginning and the edits that it is the first to see."""
        if not self._edits:
            return self.current, ()
        with self._lock:
            edits, self._edits = tuple(self._edits), []
            return self.current, edits


G = TypeVar("G", bound=Form)


def _validated(model: type[G], tree: dict[str, Any]) -> G:
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        rule = first.get("ctx", {}).get("error")
        if isinstance(rule, SettingsError):  # a rule about more than one block
            raise rule from error
        path = ".".join(str(part) for part in first["loc"]) or model.what
        why = first["msg"].removeprefix("Value error, ")
        why = _unknown(path, model) if first["type"] == "extra_forbidden" else why[:1].lower() + why[1:]
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


def _find(path: str, form: Form, value: object = None) -> Setting:
    block, _, name = path.partition(".")
    part = getattr(form, block) if block in type(form).model_fields else None
    info = None if part is None else type(part).model_fields.get(name)
    if info is None:
        raise _refused(path, value, _unknown(path, type(form)))
    return _setting(path, getattr(part, name), info)


def _unknown(path: str, model: type[Form]) -> str:
    block = path.partition(".")[0]
    blocks = model.model_fields
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
    """YAML in which 1e3 is a number, as everywhere but in YAML 1.1, and in which nothing is said twice.

    An alias (``*a``) names what was said before: ten lines of them stand for more than any memory holds.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "an alias (*) is not allowed; write it out", mark)
        return super().compose_node(parent, index)


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
