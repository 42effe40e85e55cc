"""What was typed into a field, as a value of a setting. Knows no toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roi_core.errors import SettingsError

if TYPE_CHECKING:
    from roi_core.form import Setting

__all__ = ["read", "written"]


def read(setting: Setting, typed: str) -> Any:
    """Return what was typed as the setting's kind; what it allows is for the settings to judge.

    Raises
    ------
    SettingsError
        A number is needed and it is none.
    """
    typed = typed.strip()
    if setting.optional and not typed:
        return None
    if setting.kind is str:
        return typed
    try:
        return setting.kind(typed.replace(",", "."))
    except ValueError:
        raise SettingsError(setting.path, typed, _allowed(setting)) from None


def written(value: Any) -> str:
    """Return a value as it stands in a field, such that `read` gives it again; '' for none."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else f"{value:.7g}" if isinstance(value, float) else str(value)


def _allowed(setting: Setting) -> str:
    """Return what may be typed, in words."""
    low, high = (None if end is None else f"{end:g}" for end in (setting.low, setting.high))
    span = f" from {low} to {high}" if low and high else f" from {low} on" if low else f" up to {high}"
    kind = "a whole number" if setting.kind is int else "a number"
    unit = f", in {setting.unit}" if setting.unit else ""
    none = ", or leave it empty" if setting.optional else ""
    return f"write {kind}{span if low or high else ''}{unit}{none}"
