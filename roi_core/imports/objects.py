"""Python objects in a ``.npy`` file, read without running anything of it.

Such a file is a pickle, and a pickle is a program: `numpy.load(allow_pickle=True)` runs whatever a stranger
wrote into it. Here it is given another machine to run on. That machine knows only the instructions that
build numbers, text, lists and dicts (`SAFE`); a name it meets is looked up in `KNOWN`, whose few entries are
stand-ins from this file, never numpy's own or anything else's; every other name ends the reading. What the
instructions REDUCE and BUILD call can thus only be a stand-in, and those keep their arguments and do no more.

It is Python's own `pickle._Unpickler` (pure Python, so that no size in the file is believed before the bytes
are there) with all other instructions taken out.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from roi_core.errors import RoiFileError, brief
from roi_core.paths import is_file, is_there

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["array_of", "read_objects"]

SAFE: Final = (
    "MARK STOP POP POP_MARK DUP FLOAT INT BININT BININT1 LONG BININT2 NONE REDUCE STRING BINSTRING "
    "SHORT_BINSTRING UNICODE BINUNICODE APPEND BUILD GLOBAL DICT EMPTY_DICT APPENDS GET BINGET LONG_BINGET "
    "LIST EMPTY_LIST PUT BINPUT LONG_BINPUT SETITEM TUPLE EMPTY_TUPLE SETITEMS BINFLOAT PROTO TUPLE1 TUPLE2 "
    "TUPLE3 NEWTRUE NEWFALSE LONG1 LONG4 BINBYTES SHORT_BINBYTES SHORT_BINUNICODE BINUNICODE8 BINBYTES8 "
    "STACK_GLOBAL MEMOIZE FRAME"
)
"""Instructions that build data, and the three that name or call a stand-in."""
KINDS: Final = "biufc"
"""Kinds of numpy numbers that are read."""
MOST_AXES: Final = 32
"""Dimensions of an array."""
MOST: Final = 2**40
"""An array is not longer in any direction."""
MOST_LETTERS: Final = 100_000
"""Letters of a path."""


class Dtype:
    """Stands for ``numpy.dtype``: what kind of number, and in which order of bytes."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code = _text(code)
        self.order = "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    def real(self) -> np.dtype[Any]:
        """Return numpy's own, of a number or of objects."""
        found = np.dtype(self.code)
        if found.hasobject and self.code in ("O", "O8"):
            return found
        if found.kind not in KINDS + "SU":
            raise ValueError(f"numbers of kind {self.code!r}")
        return found.newbyteorder(">") if self.order == ">" else found


class Array:
    """Stands for an array while it is read: shape, kind and bytes (or a list of objects)."""

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def real(self) -> NDArray[Any]:
        """Return the array."""
        _, shape, dtype, fortran, data = self.state
        if len(shape) > MOST_AXES or not all(0 <= length < MOST for length in shape):
            raise ValueError("an array of a shape that none has")
        kind, shape = dtype.real(), tuple(int(length) for length in shape)
        if math.prod(shape) > max(len(data), 1):
            raise ValueError("an array larger than its bytes")
        if kind.hasobject:
            out = np.empty(len(data), object)
            out[:] = data
        else:
            raw = data.encode("latin1") if isinstance(data, str) else data
            out = np.frombuffer(raw, kind)
        return out.reshape(shape, order="F" if fortran else "C")


class Text:
    """Stands for a path: its parts, joined."""

    def __init__(self, *parts: Any) -> None:
        self.parts = tuple(map(_text, parts))
        if sum(map(len, self.parts)) > MOST_LETTERS:
            raise ValueError("a path that no disk has")

    def __str__(self) -> str:
        return "/".join(self.parts)


class Date:
    """Stands for a date or a time zone, which nobody asks for."""

    def __init__(self, *_: Any) -> None:
        pass


def scalar(dtype: Dtype, data: bytes | str = b"") -> Any:
    """Stand for one numpy number."""
    raw = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(raw, dtype.real())[0].item()


def encode(text: str, *_: Any) -> bytes:
    """Stand for ``_codecs.encode``, by which older pickles say bytes."""
    return _text(text).encode("latin1")


def no_bytes() -> bytes:
    """Stand for ``bytes()``, by which older pickles say that there are none."""
    return b""


def ordered(pairs: Any = ()) -> dict[str | int, Any]:
    """Stand for ``collections.OrderedDict``, which older pickles give its pairs."""
    return {_key(key): value for key, value in pairs}


def _text(value: Any) -> str:
    """Return what is text; `str` of anything else can be longer than any memory."""
    if not isinstance(value, str):
        raise ValueError("something else where a text has to be")
    return value


def _key(value: Any) -> str | int:
    """Return what a dict may have as a key; to hash anything else can take for ever."""
    if not isinstance(value, str | int):
        raise ValueError("a dict with a key that is neither text nor number")
    return value


NUMPY: Final = (
    "numpy",
    "numpy.core.multiarray",
    "numpy._core.multiarray",
    "numpy.core.numeric",
    "numpy._core.numeric",
)
KNOWN: Final[dict[tuple[str, str], Callable[..., Any]]] = {
    **{(module, "_reconstruct"): Array for module in NUMPY},
    **{(module, "scalar"): scalar for module in NUMPY},
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Dtype,
    ("_codecs", "encode"): encode,
    ("__builtin__", "bytes"): no_bytes,
    ("collections", "OrderedDict"): ordered,
    **{(module, f"{pure}{kind}Path"): Text for module in ("pathlib", "pathlib._local")
       for pure in ("", "Pure") for kind in ("", "Posix", "Windows")},
    **{("datetime", name): Date for name in ("date", "datetime", "time", "timedelta", "timezone")},
}  # fmt: skip
"""What a name in the file stands for."""


class _Reader(pickle._Unpickler):
    """The machine; numbers of instructions that are not `SAFE` are not in its table."""

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Any]] = {
        code[0]: pickle._Unpickler.dispatch[code[0]]
        for code in (getattr(pickle, name) for name in SAFE.split())
    }
    dispatch[pickle.REDUCE[0]] = lambda self: self.load_reduce()
    dispatch[pickle.BUILD[0]] = lambda self: self.load_build()
    dispatch[pickle.DICT[0]] = lambda self: self.load_dict()
    dispatch[pickle.SETITEM[0]] = lambda self: self.load_setitem()
    dispatch[pickle.SETITEMS[0]] = lambda self: self.load_setitems()
    # a set is read as a list: its items are not hashed
    dispatch[pickle.EMPTY_SET[0]] = dispatch[pickle.EMPTY_LIST[0]]
    dispatch[pickle.ADDITEMS[0]] = dispatch[pickle.APPENDS[0]]
    dispatch[pickle.FROZENSET[0]] = dispatch[pickle.LIST[0]]

    def load_reduce(self) -> None:
        """Call a stand-in; anything else on the stack is data and is not called."""
        arguments, called = self.stack.pop(), self.stack[-1]
        if not any(called is known for known in KNOWN.values()):
            raise ValueError("it calls what is not data")
        self.stack[-1] = called(*arguments)

    def load_build(self) -> None:
        """Fill a stand-in; Python's own would set any attribute of anything."""
        state, filled = self.stack.pop(), self.stack[-1]
        if type(filled) not in (Array, Dtype):
            raise ValueError("it fills what is not data")
        filled.__setstate__(state)

    def load_dict(self) -> None:
        """Make a dict of all above the mark."""
        items = self.pop_mark()
        self.stack.append({_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)})

    def load_setitem(self) -> None:
        """Put one pair into a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._filled()[_key(key)] = value

    def load_setitems(self) -> None:
        """Put all above the mark into a dict."""
        items = self.pop_mark()
        self._filled().update((_key(key), value) for key, value in zip(items[::2], items[1::2], strict=True))

    def _filled(self) -> dict[str | int, Any]:
        if not isinstance(self.stack[-1], dict):
            raise ValueError("it fills what is no dict")
        return self.stack[-1]

    def find_class(self, module: str, name: str) -> Any:
        try:
            return KNOWN[module, name]
        except KeyError:
            raise ValueError(f"it names {module}.{name}, which is not data") from None


def read_objects(path: Path) -> Any:
    """Return what ``numpy.save`` was given: a list for a 1-D array of objects, the object for a 0-D one.

    Arrays inside are stand-ins; `array_of` makes them numpy's.

    Raises
    ------
    RoiFileError
        It is not there, damaged, or holds anything but data; nothing of it was run.
    """
    if is_there(path) and not is_file(path):
        raise RoiFileError(path, None, "is no file")
    try:
        data = path.read_bytes()
        return _unpickled(data)
    except OSError as error:
        raise RoiFileError(path, None, f"cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a pickle can break its reader in any way
        raise RoiFileError(path, None, f"is not read: {brief(error) or type(error).__name__}") from error


def array_of(value: Any) -> NDArray[Any]:
    """Return a stand-in, or a list of numbers, as an array; what is nested could outgrow any memory."""
    if isinstance(value, Array):
        return value.real()
    if isinstance(value, list | tuple) and all(isinstance(item, int | float) for item in value):
        return np.array(value)
    raise ValueError("something else where an array has to be")


def _unpickled(data: bytes) -> Any:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(file)
    if not dtype.hasobject:
        raise ValueError("it holds numbers, not objects")
    found = array_of(_Reader(file, encoding="latin1").load())
    if found.shape != shape or not found.dtype.hasobject:
        raise ValueError("its array is not the one it announces")
    return found.item() if found.shape == () else found.tolist()
