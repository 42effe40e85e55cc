"""Rules as they are typed: why a text is none, and which regions it names that are not there. No toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_core.errors import SettingsError
from roi_core.quality import missed
from roi_core.rules import read_rules
from roi_core.settings import Settings
from roi_stream_gui import words

if TYPE_CHECKING:
    from roi_core.rois import RoiSet

__all__ = ["refusal", "strangers"]


def refusal(text: str) -> str:
    """Return why a text cannot be ``quality.rules``; nothing when it can."""
    try:
        Settings().with_value("quality.rules", text)
    except SettingsError as error:
        return error.why
    return ""


def strangers(text: str, rois: RoiSet) -> str:
    """Return a sentence on the regions that rules are about and that nobody has drawn; nothing if all are."""
    unknown = missed.strangers(read_rules(text), rois)
    return words.STRANGERS.format(names=", ".join(unknown)) if unknown else ""
