"""Text that Dear PyGui can show: it ends the whole program, past every ``except``, on what is not Unicode.

A file name may hold bytes that are no text; Python keeps them as lone surrogates, which are shown by their
numbers. Done in one place, between Dear PyGui's Python functions and its compiled ones, so that nobody who
shows a text has to think of it. Here it is noticed, too, that a text needs another font, see `eastern`.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from roi_stream_gui.eastern import Finder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FONTS", "install", "is_text", "shown"]

FONTS: Final = Finder()
"""What looks for a font that has the letters which are to be shown."""

PLAIN = frozenset({int, float, bool, type(None)})
"""What most arguments are; to look no longer at them saves some .3 ms of 300 calls."""
LISTS = (list, tuple)


def is_text(name: str) -> bool:
    """Tell whether a name is shown as it is, so that what is chosen by it is found again."""
    return shown(name) == name


def shown(text: str) -> str:
    """Return a text as it can be shown: itself, but for what is not Unicode."""
    if text.isascii():
        return text
    FONTS.note(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def install() -> None:
    """Make safe what every function of Dear PyGui is given; does nothing the second time."""
    import dearpygui._dearpygui as compiled

    for name, function in vars(compiled).copy().items():
        if type(function).__name__ == "builtin_function_or_method":
            setattr(compiled, name, _made_safe(function))


def _made_safe(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def safe(*args: Any, **kwargs: Any) -> Any:
        for name, given in kwargs.items():
            if type(given) not in PLAIN and name != "user_data":  # handed back as it is, never shown
                kwargs[name] = _safe(given)
        if len(args) == 1 and type(args[0]) is int:  # the number of an item
            answer = function(args[0], **kwargs)
        else:
            answer = function(*map(_safe, args), **kwargs)
        if isinstance(answer, str):  # what is typed is shown before anybody gives it to anything
            FONTS.note(answer)
        return answer

    return safe


def _safe(given: Any) -> Any:
    """Return an argument with its texts safe; what a list holds is told by its first item."""
    if isinstance(given, str):
        return shown(given)
    if isinstance(given, LISTS) and given and _begins_with_text(given[0]):
        return [*map(_safe, given)]
    return given


def _begins_with_text(first: Any) -> bool:
    if isinstance(first, LISTS):
        return bool(first) and _begins_with_text(first[0])
    return isinstance(first, str)
